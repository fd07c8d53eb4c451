//! What a host is made from.

use std::ops::RangeInclusive;

use crate::receive::rates::PeerRates;

/// What a host is made from. Start with [`Config::server`] or [`Config::client`] and change what should differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Peers at once, 1..=4095.
    pub peer_limit: u16,
    /// Channels of each peer, 1..=255.
    pub channel_limit: u8,
    /// Takes connect requests of others, as a server does.
    pub accepts_connections: bool,
    /// Bytes/s this host can take; 0 is no limit.
    pub in_bandwidth: u32,
    /// Bytes/s this host can send; 0 is no limit.
    pub out_bandwidth: u32,
    /// Largest packet sent or received, in bytes. [`Host::set_max_received`](crate::Host::set_max_received) makes that
    /// less for what is received.
    pub max_packet: usize,
    /// The host's MTU: its largest datagram, in bytes, 576..=4096. A connection has this one or its peer's, whichever
    /// is smaller.
    pub mtu: u16,
    /// The MTUs that a peer may have.
    pub peer_mtu: RangeInclusive<u16>,
    /// Bounds on what one peer can make the host keep back.
    pub quotas: Quotas,
    /// Bytes that all peers together can make the host keep back. Beyond it each of n peers may still have an n-th of
    /// that, and one at a time as much as it takes to complete what its channels wait for. With 0 there is no such
    /// packet.
    pub reassembly_limit: usize,
    /// Reliable bytes that may wait for one peer, sent or not: beyond it the peer is too slow a reader.
    pub unacknowledged_limit: u64,
    /// The same while the peer makes no progress: beyond it the peer is too slow a reader when what waits has not become
    /// less in any of five seconds.
    pub stalled_limit: u64,
    /// Bytes of the packets that wait in [`Host::poll_event`](crate::Host::poll_event), each counted with
    /// [`Quotas::OVERHEAD`]. Beyond it no data is taken.
    pub event_limit: usize,
    /// How much each peer may send.
    pub peer_rates: PeerRates,
    /// Reliable bytes in flight to one peer at most, unless the peer named less.
    pub max_window: u32,
    /// Random bits from the operating system, for connect ids.
    pub seed: u64,
}

impl Config {
    /// A host of one peer, for who connects to a server.
    #[must_use]
    pub const fn client(seed: u64) -> Self {
        Self {
            peer_limit: 1,
            channel_limit: 255,
            accepts_connections: false,
            in_bandwidth: 0,
            out_bandwidth: 0,
            max_packet: 32 << 20,
            mtu: DEFAULT_MTU,
            peer_mtu: DEFAULT_MTU..=DEFAULT_MTU,
            quotas: Quotas::DEFAULT,
            reassembly_limit: 512 << 20,
            unacknowledged_limit: 64 << 20,
            stalled_limit: 32 << 20,
            event_limit: 64 << 20,
            peer_rates: PeerRates { packets_per_second: 0, bytes_per_second: 0 },
            max_window: 4 << 20,
            seed,
        }
    }

    /// A host that takes this many connections.
    #[must_use]
    pub const fn server(peer_limit: u16, seed: u64) -> Self {
        let mut config = Self::client(seed);
        config.peer_limit = peer_limit;
        config.accepts_connections = true;
        config
    }
}

/// Bounds on what the host keeps for one peer because something before it is missing.
///
/// A command beyond a bound is ignored: an honest peer gets no acknowledgement and sends it again. What is next in
/// order is never refused for good, so a full quota delays but never blocks. To the sender a refusal is a loss, though,
/// and too many end the connection: keep the bounds well above what an honest sender has in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Bytes of all packets that are being put together from fragments, by the size that they will have. Memory is
    /// taken only as the fragments come.
    pub fragment_bytes: usize,
    /// Number of packets that are being put together from fragments.
    pub fragment_packets: usize,
    /// Packets of one channel that wait for an earlier one.
    pub ahead_commands: usize,
    /// Bytes of packets that wait for an earlier one, each counted with [`Quotas::OVERHEAD`].
    pub ahead_bytes: usize,
}

impl Quotas {
    /// Bytes that a waiting packet costs besides its payload.
    pub const OVERHEAD: usize = 192;

    const DEFAULT: Self = Self {
        fragment_bytes: 32 << 20,
        fragment_packets: 64,
        ahead_commands: 32_768,
        ahead_bytes: 16 << 20,
    };
}

impl Default for Quotas {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Of stock ENet, and of Godot.
const DEFAULT_MTU: u16 = 1392;
