//! What goes out: queues of the channels, whose turn it is, and datagrams.
//!
//! - Packets leave in the order in which they were queued. When much waits for a peer, its channels take turns, byte for
//!   byte: a packet of megabytes is cut up as its turn comes, and delays no other channel.
//! - A channel keeps its order; so an unreliable packet with a sequence number waits for the reliable ones before it,
//!   which its receiver would have it wait for, too. Unsequenced packets wait for nothing.
//! - What was lost goes first.

mod black_hole;
mod datagram;
mod progress;
mod recovery;
mod ring;
mod silence;
mod window;

pub(crate) use black_hole::BlackHole;
pub(crate) use progress::Progress;
pub(crate) use recovery::Gone;
pub(crate) use ring::Ring;
pub(crate) use silence::Silence;
pub(crate) use window::{INITIAL_WINDOW_BYTES, Known, Window};

use crate::clock::wire_time;
use crate::event::PeerLimit;
use crate::lists::{Key, List};
use crate::packet::{Delivery, Packet};
use crate::peer::{Peer, State};
use crate::shared::Shared;
use crate::throttle::WHOLE_SHARE;
use crate::wire::{TIMED_HEADER_LEN, code, fixed_len};

/// A packet that waits to be sent.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) packet: Packet,
    pub(crate) delivery: Delivery,
    pub(crate) channel: u8,
    /// Grows with each packet of the host.
    pub(crate) order: u64,
}

/// A command that waits to be acknowledged.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Where its payload is, if it has any.
    pub(crate) packet: Option<Packet>,
    pub(crate) offset: u32,
    pub(crate) len: u16,
    pub(crate) sequence: u16,
    pub(crate) code: u8,
    pub(crate) channel: u8,
    /// How often it has not been acknowledged in time.
    pub(crate) expired: u8,
    /// Time of the first datagram that carried it, as in its header.
    pub(crate) first_time: u16,
    /// It has been sent more than once.
    pub(crate) repeated: bool,
    /// Since it was sent again, a copy has been sent, too.
    pub(crate) copied: bool,
    /// It waits in the list of what is lost.
    pub(crate) lost: bool,
    /// The last datagram that carried it was long, with it or before it.
    pub(crate) is_long: bool,
    /// Number of the datagram that carried it first, and of the last one.
    pub(crate) first_order: u64,
    pub(crate) order: u64,
    pub(crate) sent_at: u64,
    /// How long it may stay unacknowledged, in µs, until the peer counts as silent. Doubles each time.
    pub(crate) timeout: u32,
}

impl Sent {
    /// True when a datagram that carried it can have had this time in its header, which an acknowledgement repeats: who has
    /// not seen the datagram cannot know it.
    pub(crate) fn can_be_of(&self, now: u64, sent_time: u16) -> bool {
        let behind_first = sent_time.wrapping_sub(self.first_time);
        if self.repeated {
            behind_first <= wire_time(now).wrapping_sub(self.first_time)
        } else {
            behind_first == 0
        }
    }

    fn payload(&self) -> &[u8] {
        let start = self.offset as usize;
        let packet = self.packet.as_ref();
        packet.and_then(|packet| packet.get(start..start + usize::from(self.len))).unwrap_or_default()
    }
}

/// The sending half of a channel.
#[derive(Debug)]
pub(crate) struct SendChannel {
    pub(crate) queue: List,
    /// The next channel with something in its queue.
    next_active: Option<u8>,
    /// Bytes of the first packet of the queue that have been sent.
    cut: u32,
    /// Unreliable number of the last packet, since the last reliable one.
    unreliable: u16,
    /// Grows by the bytes that are sent, so that a channel of large packets gets as many as one of small ones.
    turn: u64,
    /// Packets with a lower [`Queued::order`] leave before those of other channels.
    hurried_to: u64,
    pub(crate) ring: Ring,
}

impl SendChannel {
    pub(crate) const fn new() -> Self {
        Self {
            queue: List::EMPTY,
            next_active: None,
            cut: 0,
            unreliable: 0,
            turn: 0,
            hurried_to: 0,
            ring: Ring::new(),
        }
    }

    /// Bytes of the first packet of the queue that have been sent.
    pub(crate) const fn cut(&self) -> u32 {
        self.cut
    }
}

/// Commands without a channel that are to be sent, each at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pending(u8);

impl Pending {
    pub(crate) const NOTHING: Self = Self(0);
    pub(crate) const CONNECT: Self = Self(1);
    pub(crate) const VERIFY: Self = Self(2);
    pub(crate) const PING: Self = Self(4);
    pub(crate) const BANDWIDTH: Self = Self(8);
    pub(crate) const THROTTLE: Self = Self(16);
    pub(crate) const DISCONNECT: Self = Self(32);

    pub(crate) const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Takes one out.
    const fn take(&mut self) -> Option<Self> {
        if self.0 == 0 {
            return None;
        }
        let lowest = self.0 & self.0.wrapping_neg();
        self.0 &= !lowest;
        Some(Self(lowest))
    }
}

/// What became of a packet that was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It leaves with the next flush, or when its turn comes.
    Queued,
    /// Too much waits for the peer already, so it was thrown away; see [`PeerLimit::Unacknowledged`].
    Overflow,
}

/// What a packet adds to the count of what waits: a tiny one costs more memory than its payload.
const fn packet_cost(len: usize) -> u64 {
    if len < MIN_COST_BYTES { MIN_COST_BYTES as u64 } else { len as u64 }
}

impl Peer {
    /// Appends a packet to its queue.
    pub(crate) fn queue(
        &mut self,
        shared: &mut Shared,
        channel: u8,
        packet: &Packet,
        delivery: Delivery,
    ) -> Sending {
        let cost = packet_cost(packet.len());
        let stalled_limit = shared.config.stalled_limit;
        let has_stalled = self.progress.has_stalled(shared.clock.now(), self.unacknowledged, stalled_limit);
        if has_stalled || self.unacknowledged.saturating_add(cost) > shared.config.unacknowledged_limit {
            self.exceed(shared, PeerLimit::Unacknowledged);
            return Sending::Overflow;
        }
        let is_cut = packet.len() > self.rules.fragment as usize;
        // There is no command for a part of an unsequenced packet.
        let delivery =
            if is_cut && delivery == Delivery::Unsequenced { Delivery::Sequenced } else { delivery };
        self.unacknowledged += cost;
        self.queued += packet.len() as u64;
        self.outgoing_total = self.outgoing_total.saturating_add(packet.len() as u32 + COMMAND_BYTES);
        let queued = Queued { packet: packet.clone(), delivery, channel, order: shared.next_queued };
        shared.next_queued += 1;
        let list = if delivery == Delivery::Unsequenced {
            &mut self.unsequenced
        } else {
            let Some(line) = self.channels.get_mut(channel) else { return Sending::Queued };
            if line.send.queue.is_empty() {
                // A channel does not save up turns while nothing waits on it.
                line.send.turn = line.send.turn.max(self.turn);
                line.send.next_active = self.active.replace(channel);
            }
            &mut line.send.queue
        };
        shared.queued.push_back(list, queued);
        Sending::Queued
    }

    /// Lets the packets that are meant leave first, with those in front of them on their channels.
    pub(crate) fn hurry(&mut self, shared: &Shared, is_meant: impl Fn(&Packet) -> bool) {
        let mut next = self.active;
        while let Some(line) = next.and_then(|channel| self.channels.used_mut(channel)) {
            next = line.send.next_active;
            let mut key = line.send.queue.first();
            while let Some(queued) = shared.queued.get(key) {
                if is_meant(&queued.packet) {
                    line.send.hurried_to = line.send.hurried_to.max(queued.order + 1);
                }
                key = shared.queued.next(key);
            }
        }
    }

    /// Notes that nothing waits on a channel any more.
    fn deactivate(&mut self, channel: u8) {
        let next = self.channels.used_mut(channel).and_then(|line| line.send.next_active.take());
        if self.active == Some(channel) {
            self.active = next;
            return;
        }
        let mut place = self.active;
        while let Some(line) = place.and_then(|place| self.channels.used_mut(place)) {
            place = line.send.next_active;
            if place == Some(channel) {
                line.send.next_active = next;
                return;
            }
        }
    }

    /// True when nothing waits to be sent or acknowledged.
    pub(crate) fn is_drained(&self) -> bool {
        self.unsequenced.is_empty()
            && self.active.is_none()
            && self.sent.is_empty()
            && self.lost.is_empty()
            && self.pending.is_empty()
    }

    /// True when there may be something for a datagram.
    pub(crate) fn has_output(&self) -> bool {
        !(self.acknowledgements.is_empty()
            && self.pending.is_empty()
            && self.lost.is_empty()
            && self.unsequenced.is_empty()
            && self.active.is_none())
            || (self.state == State::Draining && self.is_drained())
    }

    /// Forgets everything that goes out, sent or not.
    pub(crate) fn forget_output(&mut self, shared: &mut Shared) {
        for channel in self.channels.iter_mut() {
            shared.queued.clear(&mut channel.send.queue);
            channel.send.ring.forget();
            channel.send.cut = 0;
        }
        // Else a late acknowledgement would be taken for one of what is in their memory next.
        self.control.forget();
        shared.queued.clear(&mut self.unsequenced);
        shared.sent.clear(&mut self.sent);
        shared.sent.clear(&mut self.lost);
        self.active = None;
        self.pending = Pending::NOTHING;
        self.progress = Progress::default();
        (self.queued, self.unacknowledged, self.in_flight, self.in_flight_commands) = (0, 0, 0, 0);
        (self.next_expiry, self.next_loss, self.paced_to) = (u64::MAX, u64::MAX, u64::MAX);
        self.black_hole = BlackHole::NONE;
    }

    /// Reliable bytes that may be in flight. The peer's bandwidth and ours count when they allow less than the window.
    pub(crate) fn allowed_in_flight(&self, now: u64, own_bandwidth: u32) -> u32 {
        let mut allowed = self.window.size();
        if self.silence.lasts_for_long(now) || self.black_hole.lasts_for_long(now) {
            // It can be a receiver that takes nothing but what it waits for, and that is still to be sent.
            allowed = allowed.max(INITIAL_WINDOW_BYTES);
        }
        if self.window_limit < INITIAL_WINDOW_BYTES {
            allowed = allowed.min(self.window_limit);
        }
        let bandwidth = match (own_bandwidth, self.in_bandwidth) {
            (0, one) | (one, 0) => one,
            (ours, theirs) => ours.min(theirs),
        };
        if bandwidth > 0 {
            let in_round_trip = u64::from(bandwidth) * u64::from(self.round_trip.smoothed()) / 1_000_000;
            allowed = allowed.min(self.window_limit.max(u32::try_from(in_round_trip).unwrap_or(u32::MAX)));
        }
        let part = u64::from(allowed) * u64::from(self.throttle.limit()) / u64::from(WHOLE_SHARE);
        (part as u32).max(self.mtu.into())
    }

    /// The place of the packet whose turn it is, among those that may leave.
    fn next_turn(&self, shared: &Shared, may_send_reliable: bool) -> Option<Turn> {
        let order_of = |key: Key| shared.queued.get(key).map_or(u64::MAX, |queued| queued.order);
        let takes_turns = self.queued > FAIR_BYTES;
        let mut best: Option<((bool, u64), Turn)> = None;
        if !self.unsequenced.is_empty() {
            if takes_turns {
                return Some(Turn::Unsequenced);
            }
            best = Some(((true, order_of(self.unsequenced.first())), Turn::Unsequenced));
        }
        let mut next = self.active;
        while let Some(channel) = next {
            let Some(line) = self.channels.used(channel) else { break };
            next = line.send.next_active;
            let Some(first) = shared.queued.get(line.send.queue.first()) else { continue };
            let hurries = first.order < line.send.hurried_to;
            if first.delivery == Delivery::Reliable && !(may_send_reliable && line.send.ring.has_room()) {
                if hurries {
                    // Nothing may overtake it.
                    return None;
                }
                continue;
            }
            let rank = if takes_turns && !hurries {
                // The turn after the next piece: short packets do not wait for a long one.
                let left = first.packet.len() as u64 - u64::from(line.send.cut);
                line.send.turn + left.min(self.rules.fragment.into())
            } else {
                first.order
            };
            let rank = (!hurries, rank);
            if best.is_none_or(|(other, _)| rank < other) {
                best = Some((rank, Turn::Channel(channel)));
            }
        }
        best.map(|(_, turn)| turn)
    }
}

/// Which queue is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Unsequenced,
    Channel(u8),
}

const MIN_COST_BYTES: usize = 256;

/// Bytes of a command, roughly, for sharing out bandwidth.
const COMMAND_BYTES: u32 = fixed_len(code::UNSEQUENCED) as u32;

/// Channels take turns when more bytes than this wait for a peer. What is less leaves within a round trip.
const FAIR_BYTES: u64 = INITIAL_WINDOW_BYTES as u64;
