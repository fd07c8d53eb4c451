//! Packets that wait because ENet has enough to do for their peer.
//!
//! ENet sends the reliable packets of a peer in the order in which they were queued, whatever their channel, and never
//! more than a window of 64 KiB before the first is acknowledged. Behind a level of 10 MB, everything else for that
//! peer would wait for seconds. So ENet gets a window's worth, and the rest waits here, where the channels take
//! turns, byte for byte. Nothing leaves later than it would out of ENet's own queue.
//!
//! - A channel keeps its order. What ENet ties to an earlier reliable packet of its channel, an unreliable packet with a
//!   sequence number, waits with it.
//! - The server's notices (channel 0) do not wait, so they stay in front of what was sent behind them. A notice that a
//!   peer has left is the only one that has to stay behind: [`Backlog::take_from`] sends that peer's packets ahead.
//! - A packet is handed over whole: one of megabytes still delays the others until it is through.

use std::collections::VecDeque;

use crate::channel::Delivery;
use crate::enet::{Packet, Slot};
use crate::guard::packet_cost;
use crate::peer::PeerId;
use crate::pipeline::MTU;
use crate::relay::wire;

/// What waits, by slot.
#[derive(Default)]
pub(super) struct Backlog {
    queues: Vec<Option<Box<Queue>>>,
    /// Slots with a queue, so that nobody has to look at all.
    busy: Vec<Slot>,
}

/// A packet that waits.
pub(super) struct Held {
    pub(super) channel: u8,
    pub(super) packet: Packet,
    pub(super) delivery: Delivery,
}

/// What waits for one peer.
#[derive(Default)]
struct Queue {
    lines: Vec<Line>,
    /// The turn that was taken last.
    turn: u64,
    /// Of all packets, for the limit of a peer's memory.
    cost: u64,
    /// The game wants the peer disconnected once everything has arrived.
    leaving: bool,
    progress: Progress,
}

/// What waits on one channel.
struct Line {
    channel: u8,
    /// Grows by the length of each packet that is taken, so that a line of large packets gets as many bytes as one
    /// of small ones.
    turn: u64,
    packets: VecDeque<(Packet, Delivery)>,
}

impl Line {
    /// The turn after the next packet. The line with the smallest one is next: short packets do not wait for a long
    /// one.
    fn next_turn(&self) -> Option<u64> {
        let (packet, _) = self.packets.front()?;
        Some(self.turn + packet.bytes().len() as u64)
    }
}

/// When ENet last had less in flight than before.
#[derive(Clone, Copy, Default)]
struct Progress {
    in_flight: u64,
    since: Option<u32>,
}

impl Backlog {
    /// Slots with something that waits.
    pub(super) fn busy(&self) -> &[Slot] {
        &self.busy
    }

    /// True when a packet has to wait behind others. `is_full` tells whether the window is; it is asked only where it
    /// matters.
    pub(super) fn must_wait(
        &self,
        slot: Slot,
        channel: u8,
        delivery: Delivery,
        is_full: impl FnOnce() -> bool,
    ) -> bool {
        match delivery {
            Delivery::Unsequenced => false,
            Delivery::Sequenced => self.queue(slot).is_some_and(|queue| queue.has(channel)),
            Delivery::Reliable => self.queue(slot).is_some() || is_full(),
        }
    }

    /// Appends a packet to its channel's line.
    pub(super) fn push(&mut self, slot: Slot, held: Held) {
        self.queue_or_new(slot).push(held);
    }

    /// The next packet for ENet, when it can send one.
    pub(super) fn next(&mut self, slot: Slot, is_full: bool) -> Option<Held> {
        if is_full { None } else { self.queue_mut(slot)?.next() }
    }

    /// All packets of this source, with those in front of them on their channels.
    pub(super) fn take_from(&mut self, slot: Slot, source: PeerId) -> Vec<Held> {
        self.queue_mut(slot).map_or_else(Vec::new, |queue| queue.take_from(source))
    }

    /// Ends a queue in which nothing waits. True when the peer is to be disconnected now.
    pub(super) fn finish(&mut self, slot: Slot) -> bool {
        let Some(queue) = self.queue(slot).filter(|queue| queue.is_empty()) else { return false };
        if queue.leaving {
            self.busy.retain(|busy| *busy != slot);
            return true;
        }
        self.forget(slot);
        false
    }

    /// Forgets everything for a peer that is gone.
    pub(super) fn forget(&mut self, slot: Slot) {
        if let Some(queue) = self.queues.get_mut(usize::from(slot.0))
            && queue.take().is_some()
        {
            self.busy.retain(|busy| *busy != slot);
        }
    }

    /// Lets the peer have what waits for it and nothing else; [`Self::finish`] tells when it can be disconnected.
    pub(super) fn leave(&mut self, slot: Slot) {
        self.queue_or_new(slot).leaving = true;
    }

    /// True from then on.
    pub(super) fn is_leaving(&self, slot: Slot) -> bool {
        self.queue(slot).is_some_and(|queue| queue.leaving)
    }

    /// What the packets for this peer add to its count of memory.
    pub(super) fn cost(&self, slot: Slot) -> u64 {
        self.queue(slot).map_or(0, |queue| queue.cost)
    }

    /// True when ENet has had as much in flight for so long that the number cannot be trusted: two peers behind one
    /// address and port, of which one is dead, can be mistaken for each other.
    pub(super) fn is_stuck(&mut self, slot: Slot, in_flight: u64, now: u32) -> bool {
        self.queue_mut(slot).is_some_and(|queue| queue.progress.is_stuck(in_flight, now))
    }

    fn queue_or_new(&mut self, slot: Slot) -> &mut Queue {
        let index = usize::from(slot.0);
        if self.queues.len() <= index {
            self.queues.resize_with(index + 1, || None);
        }
        self.queues[index].get_or_insert_with(|| {
            self.busy.push(slot);
            Box::default()
        })
    }

    fn queue(&self, slot: Slot) -> Option<&Queue> {
        self.queues.get(usize::from(slot.0))?.as_deref()
    }

    fn queue_mut(&mut self, slot: Slot) -> Option<&mut Queue> {
        self.queues.get_mut(usize::from(slot.0))?.as_deref_mut()
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.packets.is_empty())
    }

    fn has(&self, channel: u8) -> bool {
        self.lines.iter().any(|line| line.channel == channel && !line.packets.is_empty())
    }

    fn push(&mut self, Held { channel, packet, delivery }: Held) {
        let place = self.lines.iter().position(|line| line.channel == channel).unwrap_or_else(|| {
            self.lines.push(Line { channel, turn: 0, packets: VecDeque::new() });
            self.lines.len() - 1
        });
        let line = &mut self.lines[place];
        if line.packets.is_empty() {
            // A line does not save up turns while it is empty.
            line.turn = line.turn.max(self.turn);
        }
        self.cost += packet_cost(packet.bytes().len());
        line.packets.push_back((packet, delivery));
    }

    fn next(&mut self) -> Option<Held> {
        let lines = self.lines.iter().enumerate();
        let (_, place) = lines.filter_map(|(place, line)| Some((line.next_turn()?, place))).min()?;
        self.take(place)
    }

    /// Looks at each packet once: a peer can have many wait, and leave to make the server work.
    fn take_from(&mut self, source: PeerId) -> Vec<Held> {
        let is_from = |(packet, _): &(Packet, Delivery)| {
            wire::decode(packet.bytes()).is_some_and(|header| header.source == source.get() as u32)
        };
        let mut taken = Vec::new();
        for place in 0..self.lines.len() {
            let last = self.lines[place].packets.iter().rposition(is_from);
            let count = last.map_or(0, |last| last + 1);
            taken.extend((0..count).filter_map(|_| self.take(place)));
        }
        taken
    }

    fn take(&mut self, place: usize) -> Option<Held> {
        let line = &mut self.lines[place];
        let (packet, delivery) = line.packets.pop_front()?;
        let len = packet.bytes().len();
        self.turn = line.turn;
        line.turn += len as u64;
        self.cost -= packet_cost(len);
        Some(Held { channel: line.channel, packet, delivery })
    }
}

impl Progress {
    fn is_stuck(&mut self, in_flight: u64, now: u32) -> bool {
        let since = *self.since.get_or_insert(now);
        if in_flight < self.in_flight || in_flight < WINDOW {
            self.since = Some(now);
        }
        self.in_flight = in_flight;
        in_flight >= WINDOW && now.wrapping_sub(since) > PATIENCE
    }
}

/// What may be in flight while the throttle lets this many thirty-seconds through, in bytes: as in ENet, a share of the
/// window, and one datagram at least.
pub(super) fn window(share: u32) -> u64 {
    (WINDOW * u64::from(share) / 32).max(MTU.into())
}

/// What ENet has in flight at most, in bytes.
const WINDOW: u64 = 64 << 10;

/// In ms; longer than a lost datagram takes to be repeated on a bad link.
const PATIENCE: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enet;
    use crate::relay::Target;

    const SLOT: Slot = Slot(3);

    fn held(channel: u8, source: u32, len: usize) -> Held {
        let source = PeerId::client(source).expect("an id");
        let bytes = wire::encode(source, Target::All, &vec![channel; len - wire::HEADER_LEN]);
        Held { channel, packet: enet::packet(bytes, Delivery::Reliable), delivery: Delivery::Reliable }
    }

    fn all(backlog: &mut Backlog) -> Vec<(u8, usize)> {
        std::iter::from_fn(|| backlog.next(SLOT, false))
            .map(|held| (held.channel, held.packet.bytes().len()))
            .collect()
    }

    #[test]
    fn channels_take_turns_by_bytes() {
        let mut backlog = Backlog::default();
        for _ in 0..2 {
            backlog.push(SLOT, held(1, 2, 1000));
        }
        for _ in 0..4 {
            backlog.push(SLOT, held(5, 2, 400));
        }
        let order = [(5, 400), (5, 400), (1, 1000), (5, 400), (5, 400), (1, 1000)];
        assert_eq!(all(&mut backlog), order);
        assert!(!backlog.finish(SLOT) && backlog.busy().is_empty());
    }

    #[test]
    fn a_line_that_was_empty_is_next_but_saves_up_nothing() {
        let mut backlog = Backlog::default();
        for _ in 0..10 {
            backlog.push(SLOT, held(1, 2, 1000));
        }
        for _ in 0..5 {
            assert_eq!(backlog.next(SLOT, false).map(|held| held.channel), Some(1));
        }
        for _ in 0..3 {
            backlog.push(SLOT, held(4, 2, 1000));
        }
        let order: Vec<u8> = all(&mut backlog).into_iter().map(|(channel, _)| channel).collect();
        assert_eq!(order, [4, 1, 4, 1, 4, 1, 1, 1]);
    }

    #[test]
    fn a_window_in_flight_is_enough() {
        let mut backlog = Backlog::default();
        assert!(!backlog.must_wait(SLOT, 1, Delivery::Reliable, || false));
        assert!(backlog.must_wait(SLOT, 1, Delivery::Reliable, || true));
        backlog.push(SLOT, held(1, 2, 100));
        assert_eq!((backlog.cost(SLOT), backlog.cost(Slot(0))), (256, 0));
        assert!(backlog.must_wait(SLOT, 2, Delivery::Reliable, || false));
        assert!(backlog.must_wait(SLOT, 1, Delivery::Sequenced, || false));
        assert!(!backlog.must_wait(SLOT, 2, Delivery::Sequenced, || false));
        assert!(!backlog.must_wait(SLOT, 1, Delivery::Unsequenced, || true));
        assert!(backlog.next(SLOT, true).is_none());
        assert!(backlog.next(SLOT, false).is_some());
        assert_eq!(backlog.cost(SLOT), 0);
    }

    #[test]
    fn the_packets_of_one_source_and_what_is_in_front_of_them_can_go_first() {
        let mut backlog = Backlog::default();
        for (channel, source) in [(1, 2), (1, 9), (1, 2), (2, 2), (3, 2), (3, 9)] {
            backlog.push(SLOT, held(channel, source, 100));
        }
        let source = PeerId::client(9).expect("an id");
        let first: Vec<u8> = backlog.take_from(SLOT, source).into_iter().map(|held| held.channel).collect();
        assert_eq!(first, [1, 1, 3, 3]);
        assert_eq!(all(&mut backlog).len(), 2);
    }

    #[test]
    fn a_peer_leaves_when_nothing_waits() {
        let mut backlog = Backlog::default();
        backlog.push(SLOT, held(1, 2, 100));
        backlog.leave(SLOT);
        assert!(!backlog.finish(SLOT));
        assert!(backlog.next(SLOT, false).is_some() && backlog.finish(SLOT));
        assert!(backlog.is_leaving(SLOT) && backlog.busy().is_empty());
        backlog.forget(SLOT);
        assert!(!backlog.is_leaving(SLOT));
        // With nothing that waits, it can leave at once.
        backlog.leave(SLOT);
        assert!(backlog.finish(SLOT));
    }

    #[test]
    fn no_progress_for_a_second_is_stuck() {
        let mut backlog = Backlog::default();
        backlog.push(SLOT, held(1, 2, 100));
        for (in_flight, now, stuck) in [
            (WINDOW + 9, 500, false),
            (WINDOW + 9, 1500, false),
            (WINDOW + 8, 1501, true),
            (WINDOW + 8, 2400, false),
            (WINDOW + 20, 2501, false),
            (WINDOW + 20, 2502, true),
            (WINDOW - 1, 9000, false),
            (WINDOW + 20, 9500, false),
        ] {
            assert_eq!(backlog.is_stuck(SLOT, in_flight, now), stuck, "{in_flight} at {now}");
        }
    }
}
