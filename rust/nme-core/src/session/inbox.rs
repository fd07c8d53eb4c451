//! Received packets that wait to be fetched.

use std::collections::VecDeque;

use nme_enet::{PeerHandle, Reception};

use super::backlog::Backlog;
use crate::channel::Delivery;
use crate::endpoint::Received;
use crate::peer::PeerId;

/// Packets in the order of their arrival, within a limit of bytes.
#[derive(Debug)]
pub(super) struct Inbox {
    /// `None` where one was dropped. The first one is there.
    waiting: VecDeque<Option<Waiting>>,
    /// How many were dropped.
    gaps: usize,
    backlog: Backlog,
    /// By the index of the connection's handle, how far there is nothing unreliable of it.
    searched: Vec<usize>,
    /// How many have been taken off the front since the places were counted anew.
    taken: usize,
}

/// A packet, and the connection that it came over.
#[derive(Debug)]
struct Waiting {
    received: Received,
    via: PeerHandle,
}

/// What becomes of a packet that was added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Added {
    /// Packets that were dropped for it, or that it was dropped itself.
    pub(super) dropped: usize,
    /// What is to be taken of its connection, if that changes.
    pub(super) reception: Option<Reception>,
}

impl Inbox {
    /// An empty inbox for this many bytes.
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            gaps: 0,
            backlog: Backlog::new(limit),
            searched: Vec::new(),
            taken: 0,
        }
    }

    /// Sets how many bytes may wait.
    pub(super) const fn set_limit(&mut self, bytes: usize) {
        self.backlog.set_limit(bytes);
    }

    /// Adds a packet. Without room for it, the oldest unreliable ones of its connection make some. A reliable one is added
    /// in any case: its sender knows that it has arrived.
    pub(super) fn push(&mut self, received: Received, via: PeerHandle) -> Added {
        let mut added = Added::default();
        let is_reliable = received.delivery == Delivery::Reliable;
        while !is_reliable && !self.backlog.has_room(via, &received.packet) {
            added.dropped += 1;
            if !self.drop_unreliable(via) {
                return added;
            }
        }
        added.reception = self.backlog.add(via, &received.packet);
        self.waiting.push_back(Some(Waiting { received, via }));
        added
    }

    /// What is to be taken of connections, where that has changed since something was fetched.
    pub(super) fn reconsider(&mut self) -> Vec<(PeerHandle, Reception)> {
        self.backlog.reconsider()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len() - self.gaps
    }

    /// Bytes that wait, with what packets cost besides their payload.
    pub(super) const fn bytes(&self) -> usize {
        self.backlog.bytes()
    }

    pub(super) fn next(&self) -> Option<&Received> {
        Some(&self.waiting.front()?.as_ref()?.received)
    }

    pub(super) fn has_from(&self, id: PeerId) -> bool {
        self.waiting.iter().flatten().any(|waiting| waiting.received.from == id)
    }

    pub(super) fn forget(&mut self, id: PeerId) {
        for place in &mut self.waiting {
            if let Some(waiting) = place.take_if(|waiting| waiting.received.from == id) {
                self.gaps += 1;
                self.backlog.remove(waiting.via, &waiting.received.packet);
            }
        }
        self.close_gaps();
    }

    pub(super) fn fetch(&mut self) -> Option<Received> {
        let waiting = self.waiting.pop_front()??;
        self.taken += 1;
        self.backlog.remove(waiting.via, &waiting.received.packet);
        self.skip_gaps();
        Some(waiting.received)
    }

    /// Drops the oldest unreliable packet of a connection; false when there is none.
    fn drop_unreliable(&mut self, via: PeerHandle) -> bool {
        if self.searched.len() <= via.index() {
            self.searched.resize(via.index() + 1, 0);
        }
        let start = self.searched[via.index()].saturating_sub(self.taken);
        let is_meant = |place: &Option<Waiting>| {
            let waiting = place.as_ref().filter(|waiting| waiting.via == via);
            waiting.is_some_and(|waiting| waiting.received.delivery != Delivery::Reliable)
        };
        let found = self.waiting.iter().skip(start).position(is_meant);
        let place = found.map_or(self.waiting.len(), |offset| start + offset);
        self.searched[via.index()] = self.taken + place;
        let Some(dropped) = self.waiting.get_mut(place).and_then(Option::take) else { return false };
        self.gaps += 1;
        self.backlog.remove(via, &dropped.received.packet);
        if self.gaps > self.len() + MANY_GAPS {
            self.close_gaps();
        } else {
            self.skip_gaps();
        }
        true
    }

    /// Lets the first place be one with a packet.
    fn skip_gaps(&mut self) {
        while self.gaps > 0 && self.waiting.pop_front_if(|place| place.is_none()).is_some() {
            self.gaps -= 1;
            self.taken += 1;
        }
    }

    /// Counts the places anew, without those whose packets were dropped.
    fn close_gaps(&mut self) {
        self.waiting.retain(Option::is_some);
        self.gaps = 0;
        self.taken = 0;
        self.searched.clear();
    }
}

/// Places of dropped packets that cost nothing worth mentioning.
const MANY_GAPS: usize = 256;

#[cfg(test)]
mod tests {
    use nme_enet::{Packet, Quotas};

    use super::*;

    const COST: usize = 1000;

    /// A packet of the client with this id, which has a connection of its own.
    fn push(inbox: &mut Inbox, id: i32, delivery: Delivery, number: u32) -> Added {
        let mut bytes = number.to_le_bytes().to_vec();
        bytes.resize(COST - Quotas::OVERHEAD, 0);
        let from = PeerId::new(id).expect("an id");
        let received = Received { from, channel: 1, delivery, packet: Packet::new(bytes) };
        inbox.push(received, PeerHandle::new(id as u16, 0))
    }

    fn fetch(inbox: &mut Inbox) -> Option<(i32, u32)> {
        let next = inbox.next().map(|received| received.from);
        let received = inbox.fetch()?;
        assert_eq!(next, Some(received.from));
        let number = received.packet.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        Some((received.from.get(), number.expect("a number")))
    }

    #[test]
    fn the_oldest_unreliable_packets_of_who_floods_are_dropped() {
        let mut inbox = Inbox::new(40 * COST);
        push(&mut inbox, 3, Delivery::Sequenced, 0);
        push(&mut inbox, 2, Delivery::Reliable, 1);
        let dropped: usize =
            (2..100_000).map(|number| push(&mut inbox, 2, Delivery::Unsequenced, number).dropped).sum();
        assert_eq!((inbox.len(), dropped), (11, 99_989));
        // As many gaps as packets, at most.
        assert!(inbox.waiting.len() < 1000);
        let mut expected = vec![(3, 0), (2, 1)];
        expected.extend((99_991..100_000).map(|number| (2, number)));
        assert_eq!(std::iter::from_fn(|| fetch(&mut inbox)).collect::<Vec<_>>(), expected);
        assert_eq!((inbox.len(), inbox.bytes()), (0, 0));
    }

    #[test]
    fn an_unreliable_packet_is_dropped_when_nothing_older_can_be() {
        let mut inbox = Inbox::new(20 * COST);
        for number in 0..30 {
            assert_eq!(push(&mut inbox, 2, Delivery::Reliable, number).dropped, 0);
        }
        assert_eq!(push(&mut inbox, 2, Delivery::Unsequenced, 30).dropped, 1);
        assert_eq!(inbox.len(), 30);
    }

    #[test]
    fn an_unreliable_packet_that_is_larger_than_the_limit_waits_alone() {
        let mut inbox = Inbox::new(COST / 2);
        for number in 0..3 {
            assert_eq!(push(&mut inbox, 2, Delivery::Unsequenced, number).dropped, usize::from(number > 0));
        }
        assert_eq!(
            push(&mut inbox, 3, Delivery::Unsequenced, 3).dropped,
            1,
            "there is no room for another one"
        );
        assert_eq!(std::iter::from_fn(|| fetch(&mut inbox)).collect::<Vec<_>>(), [(2, 2)]);
    }

    #[test]
    fn packets_that_are_fetched_in_between_are_not_looked_for_again() {
        let mut inbox = Inbox::new(20 * COST);
        let mut number = 0;
        for round in 0..1000 {
            for _ in 0..7 {
                push(&mut inbox, 2, Delivery::Unsequenced, number);
                push(&mut inbox, 3, Delivery::Reliable, number);
                number += 1;
            }
            for _ in 0..round % 12 {
                fetch(&mut inbox);
            }
            if round % 50 == 0 {
                inbox.forget(PeerId::new(3).expect("an id"));
            }
            let counted = inbox.waiting.iter().flatten().count();
            assert_eq!((inbox.len(), inbox.bytes()), (counted, counted * COST));
        }
    }
}
