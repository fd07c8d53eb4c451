//! Figures for statistics.

use std::time::Duration;

use crate::counts::Traffic;
use crate::peer::Peer;
use crate::reason::DropReason;
use crate::shared::Shared;
use crate::wire::{CONTROL_CHANNEL, ThrottleSettings};

/// How the connection with one peer is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeerFigures {
    /// Round trip, smoothed; half a second until the first one was measured.
    pub round_trip: Duration,
    /// How much it varies.
    pub variance: Duration,
    /// The last one that was measured; 0 before.
    pub last_round_trip: Duration,
    /// How much one round trip differs from the next, smoothed as in RFC 3550.
    pub jitter: Duration,
    /// The shortest round trip of the last seconds.
    pub shortest_round_trip: Duration,
    /// Of 32 unreliable packets, how many are sent.
    pub throttle: u32,
    /// Interval in ms, and by how much of 32 the throttle rises and falls.
    pub throttle_settings: [u32; 3],
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
    /// Of what was sent reliably in the last 10 to 20 s, the part that was not acknowledged in time, 0 to 1: lost itself, or its
    /// acknowledgement.
    pub loss_unacknowledged: f64,
    /// Of what the peer has sent in the last 10 to 20 s, the part that has not come at first, 0 to 1. Known by the numbers of its
    /// packets.
    pub loss_incoming: f64,
    /// For how long nothing has come.
    pub silent_for: Duration,
    /// How old the connection is.
    pub age: Duration,
    /// Packets in and out.
    pub traffic: Traffic,
}

impl PeerFigures {
    pub(crate) fn of(peer: &Peer, now: u64) -> Self {
        let micros = |micros: u32| Duration::from_micros(micros.into());
        let since = |time: u64| Duration::from_micros(now.saturating_sub(time));
        Self {
            round_trip: micros(peer.round_trip.smoothed()),
            variance: micros(peer.round_trip.variance()),
            last_round_trip: micros(peer.round_trip.last()),
            jitter: micros(peer.round_trip.jitter()),
            shortest_round_trip: micros(peer.round_trip.shortest()),
            throttle: peer.throttle.share(),
            throttle_settings: {
                let ThrottleSettings { interval, acceleration, deceleration } = peer.throttle.settings;
                [interval, acceleration, deceleration]
            },
            window: peer.allowed_in_flight(0, 0),
            in_flight: peer.in_flight,
            waiting: peer.queued,
            unacknowledged: peer.unacknowledged,
            reassembly_bytes: peer.usage.memory(),
            commands_sent: peer.commands_sent,
            commands_lost: peer.commands_lost,
            channels: peer.channels.len(),
            mtu: peer.mtu,
            loss_unacknowledged: peer.outgoing_loss.share(),
            loss_incoming: peer.incoming_loss.meter.share(),
            silent_for: since(peer.heard_at),
            age: since(peer.began_at),
            traffic: peer.traffic,
        }
    }
}

/// What is on its way on one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelFigures {
    /// Its number.
    pub channel: u8,
    /// Bytes that wait to be sent.
    pub waiting: u64,
    /// Bytes that were sent reliably and are not acknowledged.
    pub unacknowledged: u64,
}

impl ChannelFigures {
    /// Of the channels that have been used. Looks at everything that waits.
    pub(crate) fn of(peer: &Peer, shared: &Shared) -> Vec<Self> {
        let used =
            (0..=u8::MAX).take(peer.channels.len()).filter(|channel| peer.channels.used(*channel).is_some());
        let mut all: Vec<_> = used.map(|channel| Self { channel, ..Self::default() }).collect();
        let lists = all.iter().filter_map(|figures| peer.channels.used(figures.channel));
        let mut lists: Vec<_> = lists.map(|channel| channel.send.queue.first()).collect();
        lists.push(peer.unsequenced.first());
        for mut key in lists {
            while let Some(queued) = shared.queued.get(key) {
                note(&mut all, queued.channel, |figures| figures.waiting += queued.packet.len() as u64);
                key = shared.queued.next(key);
            }
        }
        for figures in &mut all {
            let cut = peer.channels.used(figures.channel).map_or(0, |channel| channel.send.cut());
            figures.waiting = figures.waiting.saturating_sub(cut.into());
        }
        for mut key in [peer.sent.first(), peer.lost.first()] {
            while let Some(sent) = shared.sent.get(key) {
                note(&mut all, sent.channel, |figures| figures.unacknowledged += u64::from(sent.len));
                key = shared.sent.next(key);
            }
        }
        all
    }
}

fn note(all: &mut Vec<ChannelFigures>, channel: u8, change: impl FnOnce(&mut ChannelFigures)) {
    match all.iter_mut().find(|figures| figures.channel == channel) {
        Some(figures) => change(figures),
        // An unsequenced packet needs nothing of its channel, and a ping has none.
        None if channel != CONTROL_CHANNEL => {
            let mut figures = ChannelFigures { channel, ..ChannelFigures::default() };
            change(&mut figures);
            all.push(figures);
        }
        None => {}
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
