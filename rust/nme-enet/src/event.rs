//! What a host reports.

use std::net::SocketAddr;

use crate::packet::{Delivery, Packet};

/// A peer of a host. The handle of a peer that is gone never names another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerHandle {
    pub(crate) slot: u16,
    pub(crate) generation: u32,
}

impl PeerHandle {
    /// The handle of another engine's peer: its place, and how many peers that place has had before.
    #[must_use]
    pub const fn new(slot: u16, generation: u32) -> Self {
        Self { slot, generation }
    }

    /// How many peers its place has had before.
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.generation
    }

    /// The peer's place in its host, below the host's limit of peers. Places are used again.
    #[must_use]
    pub const fn index(self) -> usize {
        self.slot as usize
    }
}

/// What a host reports, of each peer in the order of the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The handshake is complete.
    Connected {
        /// Who.
        peer: PeerHandle,
        /// Where it is.
        address: SocketAddr,
        /// Channels that both sides have.
        channels: u8,
        /// The value that the connect request carried; of the one who asked itself: 0.
        data: u32,
    },
    /// The connection, or the attempt, has ended; the handle names nothing any more.
    Disconnected {
        /// Who it was.
        peer: PeerHandle,
        /// Why.
        reason: DisconnectReason,
    },
    /// A whole packet.
    Received {
        /// From whom.
        peer: PeerHandle,
        /// On which channel.
        channel: u8,
        /// How it travelled.
        delivery: Delivery,
        /// The bytes.
        packet: Packet,
    },
    /// A peer has exceeded a limit. Comes once for each peer; what was too much has not been taken, so end the connection.
    Exceeded {
        /// Which peer.
        peer: PeerHandle,
        /// Which limit.
        limit: PeerLimit,
    },
}

/// What a peer can have too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PeerLimit {
    /// Packets that wait for it: more than [`Config::unacknowledged_limit`](crate::Config::unacknowledged_limit), or for
    /// long more than [`Config::stalled_limit`](crate::Config::stalled_limit).
    Unacknowledged,
    /// Bytes of a packet that it sends: more than [`Host::set_max_received`](crate::Host::set_max_received) says.
    PacketSize,
    /// Packets that it sends in a time.
    Packets,
    /// Bytes that it sends in a time.
    Bytes,
}

impl PeerLimit {
    /// Every limit, in the order of their indices.
    pub const ALL: [Self; 4] = [Self::Unacknowledged, Self::PacketSize, Self::Packets, Self::Bytes];
}

/// Why a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// The peer has said so, with this value. Before the connection was complete: it has refused.
    ByPeer(u32),
    /// This side has asked for it, and the peer has acknowledged it.
    Requested,
    /// The peer has not acknowledged anything for too long.
    TimedOut,
    /// The peer has acknowledged short datagrams, but for too long nothing that only a long one holds. The path loses long
    /// ones, so a smaller [`Config::mtu`](crate::Config::mtu) on one of the two sides helps. The peer is told, with
    /// [`DisconnectReason::LONG_LOST_DATA`].
    LongLost,
}

impl DisconnectReason {
    /// The value of a disconnect by a peer for [`DisconnectReason::LongLost`]. Godot's are ids of peers, or 0.
    pub const LONG_LOST_DATA: u32 = 0x8000_0240;
}
