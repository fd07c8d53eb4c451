//! What the endpoint tells the game's side, as plain values: they can cross to another thread.

use std::net::SocketAddr;

use nme_enet::{Packet, PeerHandle};

use super::admission::Question;
use crate::channel::{Delivery, TransferMode};
use crate::peer::PeerId;
use crate::relay::wire::{HEADER_LEN, SystemMessage};
use crate::relay::{Kick, ToldFigures};
use crate::session::{ConnectionError, Departure, Warning};

/// What the endpoint tells the game's side, in the order of the wire.
#[derive(Debug)]
pub enum Report {
    /// Client: the server's address is known, and it is asked for a connection.
    Connecting(SocketAddr),
    /// A connection is there: of a client to a server, or of this client to its server.
    Connected {
        /// Who it is.
        id: PeerId,
        /// The connection.
        peer: PeerHandle,
        /// Where it is.
        address: SocketAddr,
        /// The channels that both sides have.
        channels: u8,
    },
    /// A connection has ended.
    Disconnected {
        /// Who it was.
        id: PeerId,
        /// The connection.
        peer: PeerHandle,
        /// Why.
        departure: Departure,
    },
    /// Client: what the server has told of its connection with a client, or with this one.
    Told(PeerId, ToldFigures),
    /// Client: the server is about to send it away.
    Kicked(Kick),
    /// A packet for the game. It waits, in the endpoint's account, until a [`Credit`](super::Credit) says otherwise.
    Received {
        /// The packet.
        received: Received,
        /// Bytes of older unreliable packets of the same connection that are to be dropped for it, the oldest first. They do
        /// not wait any more in the endpoint's account.
        displaces: usize,
    },
    /// Client: the server has told of another client.
    SystemMessage(SystemMessage),
    /// Client: there will be no connection.
    Failed(ConnectionError),
    /// Server: the game is to be asked about a client.
    Question(Question),
    /// Something that the game's developer should know.
    Warning(Warning),
}

/// A received packet with what the game can ask about it. It owns its bytes together with who else is sent them, and
/// outlives its session.
#[derive(Clone, Debug)]
pub struct Received {
    pub(crate) from: PeerId,
    /// The connection that it came over.
    pub(crate) via: PeerHandle,
    pub(crate) channel: u8,
    pub(crate) delivery: Delivery,
    pub(crate) packet: Packet,
}

impl Received {
    /// Who sent it.
    #[must_use]
    pub const fn from(&self) -> PeerId {
        self.from
    }

    /// The channel it came on.
    #[must_use]
    pub const fn channel(&self) -> u8 {
        self.channel
    }

    /// How it was sent.
    #[must_use]
    pub const fn mode(&self) -> TransferMode {
        TransferMode::of(self.delivery)
    }

    /// Its bytes, without the header.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        // Packets without a header are never reported.
        self.packet.get(HEADER_LEN..).unwrap_or_default()
    }
}
