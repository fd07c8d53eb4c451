//! What a session counts: traffic, and everything that it dropped, by reason.

use nme_enet::{DropReason, PeerLimit};

/// Why a datagram went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dropped {
    /// Longer than any ENet datagram.
    Oversized,
    /// Compressed, on a session without compression: the other side uses another `compression_mode`.
    UnexpectedCompression,
    /// Not what the session's codec writes: damaged, or from another `compression_mode`.
    BadCompression,
    /// A client knocked while every slot was taken. It is told when a peer that answers is in each of them.
    ServerFull,
    /// No proof of its address, in a datagram that should have been one.
    WrongProof,
    /// From a stranger, in a poll that had too much to read.
    Overload,
    /// A question or an answer without a connection that is damaged, or for somebody else: a client, a server that does not
    /// answer, or one whose rules keep the address out.
    Query,
    /// A question, from an address that has had enough answers lately, or when all together have.
    QueryRate,
    /// Not what an ENet in this connection would send, or late or repeated.
    Enet(DropReason),
}

impl From<DropReason> for Dropped {
    fn from(reason: DropReason) -> Self {
        Self::Enet(reason)
    }
}

/// Why a whole packet went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DroppedPacket {
    /// Without a payload behind the 8 bytes of its header, or shorter still.
    Short,
    /// A client named a source that is not its own id.
    SpoofedSource,
    /// A target that means nothing, or one that this server does not serve (its relay is off).
    Target,
    /// A target that is not there any more.
    UnknownTarget,
    /// A system message of a join or leave that makes no sense.
    SystemMessage,
    /// From a peer that the server has not announced, more than is kept for it.
    Unannounced,
    /// The receiver has just left.
    Unsent,
    /// From a peer that this side is disconnecting.
    Ignored,
    /// The connection with the receiver has no such channel.
    NoChannel,
    /// Unreliable, and too much waited for the game, which does not fetch its packets.
    NotFetched,
}

/// Counters since the session began. They only grow.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Datagrams off the socket.
    pub datagrams_received: u64,
    /// UDP payload bytes off the socket.
    pub bytes_received: u64,
    /// Datagrams that the socket has taken.
    pub datagrams_sent: u64,
    /// UDP payload bytes that the socket has taken.
    pub bytes_sent: u64,
    /// Commands that were ignored because a quota was full or they contradicted others.
    pub ignored_commands: u64,
    /// Questions without a connection that were answered.
    pub queries_answered: u64,
    /// How often a channel forgot its incomplete unreliable packets to make room for new ones.
    pub evictions: u64,
    datagrams: [u64; OWN_REASONS],
    by_enet: [u64; DropReason::ALL.len()],
    packets: [u64; PACKET_REASONS],
    cut_off: [u64; PeerLimit::ALL.len()],
}

impl Counters {
    /// Datagrams dropped for this reason.
    #[must_use]
    pub const fn dropped(&self, reason: Dropped) -> u64 {
        match own_index(reason) {
            Ok(index) => self.datagrams[index],
            Err(index) => self.by_enet[index],
        }
    }

    /// Datagrams dropped for any reason.
    #[must_use]
    pub fn dropped_datagrams(&self) -> u64 {
        self.datagrams.iter().chain(&self.by_enet).sum()
    }

    /// Datagrams dropped, by a short name of the reason.
    pub fn datagrams_by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let own = OWN_NAMES.into_iter().zip(self.datagrams);
        own.chain(DropReason::ALL.map(DropReason::name).into_iter().zip(self.by_enet))
    }

    /// Packets dropped, by a short name of the reason.
    pub fn packets_by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> {
        PACKET_NAMES.into_iter().zip(self.packets)
    }

    /// Packets dropped for this reason.
    #[must_use]
    pub const fn dropped_packets(&self, reason: DroppedPacket) -> u64 {
        self.packets[reason as usize]
    }

    /// Peers whose connection has ended because they exceeded this limit.
    #[must_use]
    pub const fn peers_cut_off(&self, limit: PeerLimit) -> u64 {
        self.cut_off[limit as usize]
    }

    pub(crate) const fn cut_off(&mut self, limit: PeerLimit) {
        self.cut_off[limit as usize] += 1;
    }

    pub(crate) const fn drop_datagram(&mut self, reason: Dropped) {
        match own_index(reason) {
            Ok(index) => self.datagrams[index] += 1,
            Err(index) => self.by_enet[index] += 1,
        }
    }

    pub(crate) const fn drop_packet(&mut self, reason: DroppedPacket) {
        self.drop_packets(reason, 1);
    }

    pub(crate) const fn drop_packets(&mut self, reason: DroppedPacket, count: u64) {
        self.packets[reason as usize] += count;
    }
}

/// The place of a reason that is ours, or that of ENet.
const fn own_index(reason: Dropped) -> Result<usize, usize> {
    match reason {
        Dropped::Oversized => Ok(0),
        Dropped::UnexpectedCompression => Ok(1),
        Dropped::BadCompression => Ok(2),
        Dropped::ServerFull => Ok(3),
        Dropped::WrongProof => Ok(4),
        Dropped::Overload => Ok(5),
        Dropped::Query => Ok(6),
        Dropped::QueryRate => Ok(7),
        Dropped::Enet(reason) => Err(reason as usize),
    }
}

/// In the order of [`own_index`].
const OWN_NAMES: [&str; OWN_REASONS] = [
    "oversized",
    "unexpected_compression",
    "bad_compression",
    "server_full",
    "wrong_proof",
    "overload",
    "query",
    "query_rate",
];

/// In the order of [`DroppedPacket`].
const PACKET_NAMES: [&str; PACKET_REASONS] = [
    "short",
    "spoofed_source",
    "target",
    "unknown_target",
    "system_message",
    "unannounced",
    "unsent",
    "ignored",
    "no_channel",
    "not_fetched",
];

const OWN_REASONS: usize = 8;
const PACKET_REASONS: usize = DroppedPacket::NotFetched as usize + 1;
