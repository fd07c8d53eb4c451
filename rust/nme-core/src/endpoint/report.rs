//! What the endpoint tells the game's side.

use std::net::SocketAddr;

use nme_enet::{Packet, PeerHandle};

use crate::channel::{Delivery, TransferMode};
use crate::peer::PeerId;
use crate::relay::wire::{HEADER_LEN, SystemMessage};
use crate::session::ConnectionError;

/// What the endpoint tells the game's side, in the order of the wire.
#[derive(Debug)]
pub(crate) enum Report {
    /// A connection is there: of a client to a server, or of this client to its server.
    Connected { id: PeerId, peer: PeerHandle, address: SocketAddr, channels: u8 },
    /// It has ended. The error is what a client tells its game.
    Disconnected { id: PeerId, peer: PeerHandle, error: ConnectionError },
    /// A packet for the game.
    Received(Received),
    /// Client: the server has told of another client.
    SystemMessage(SystemMessage),
    /// Client: there will be no connection.
    Failed(ConnectionError),
}

/// A received packet with what the game can ask about it. It owns its bytes together with who else is sent them, and
/// outlives its session.
#[derive(Clone, Debug)]
pub struct Received {
    pub(crate) from: PeerId,
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
