//! Figures for statistics.

use std::time::Duration;

use crate::peer::Peer;
use crate::reason::DropReason;

/// How the connection with one peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerFigures {
    /// Round trip, smoothed; half a second until the first one was measured.
    pub round_trip: Duration,
    /// How much it varies.
    pub variance: Duration,
    /// The shortest round trip of the last seconds.
    pub shortest_round_trip: Duration,
    /// Of 32 unreliable packets, how many are sent.
    pub throttle: u32,
    /// Reliable bytes that may be in flight.
    pub window: u32,
    /// Reliable bytes that are in flight.
    pub in_flight: u32,
    /// Bytes that wait to be sent.
    pub waiting: u64,
    /// Reliable bytes that wait to be sent or acknowledged, a packet counting 256 bytes at least. Bounded by
    /// [`Config::unacknowledged_limit`](crate::Config::unacknowledged_limit).
    pub unacknowledged: u64,
    /// Bytes that the host keeps back because something before them is missing.
    pub reassembly_bytes: usize,
    /// Commands sent, repetitions included.
    pub commands_sent: u32,
    /// Commands sent again.
    pub commands_lost: u32,
    /// Channels that both sides have.
    pub channels: usize,
    /// The largest datagram of this connection, in bytes.
    pub mtu: u16,
}

impl PeerFigures {
    pub(crate) fn of(peer: &Peer) -> Self {
        let micros = |micros: u32| Duration::from_micros(micros.into());
        Self {
            round_trip: micros(peer.round_trip.smoothed()),
            variance: micros(peer.round_trip.variance()),
            shortest_round_trip: micros(peer.round_trip.shortest()),
            throttle: peer.throttle.share(),
            window: peer.allowed_in_flight(0, 0),
            in_flight: peer.in_flight,
            waiting: peer.queued,
            unacknowledged: peer.unacknowledged,
            reassembly_bytes: peer.usage.memory(),
            commands_sent: peer.commands_sent,
            commands_lost: peer.commands_lost,
            channels: peer.channels.len(),
            mtu: peer.mtu,
        }
    }
}

/// What a host has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostFigures {
    /// Datagrams taken.
    pub datagrams_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// Datagrams given to the owner.
    pub datagrams_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Datagrams that were dropped.
    pub datagrams_dropped: u64,
    /// Commands that were ignored because a quota was full or they contradicted others.
    pub commands_ignored: u64,
    /// How often a channel forgot its incomplete unreliable packets to make room for new ones.
    pub evictions: u64,
    /// Bytes that the host keeps back for all peers because something before them is missing.
    pub reassembly_bytes: usize,
    pub(crate) dropped: [u64; DropReason::ALL.len()],
}

impl HostFigures {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            datagrams_received: 0,
            bytes_received: 0,
            datagrams_sent: 0,
            bytes_sent: 0,
            datagrams_dropped: 0,
            commands_ignored: 0,
            evictions: 0,
            reassembly_bytes: 0,
            dropped: [0; DropReason::ALL.len()],
        }
    }

    /// Counts a datagram that was dropped.
    pub const fn note_dropped(&mut self, reason: DropReason) {
        self.datagrams_dropped += 1;
        self.dropped[reason as usize] += 1;
    }

    /// Datagrams, or commands, that were dropped for this reason.
    #[must_use]
    pub const fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }
}

impl Default for HostFigures {
    fn default() -> Self {
        Self::new()
    }
}
