//! Received packets that wait to be fetched. How many may, the endpoint's account says.

use nme_enet::PeerHandle;

use crate::channel::Delivery;
use crate::endpoint::{Credit, Received, cost};
use crate::peer::PeerId;
use crate::queue::{Queue, Queued};

/// Packets in the order of their arrival.
#[derive(Debug)]
pub(super) struct Inbox {
    waiting: Queue<Received>,
    /// Bytes that wait, with what packets cost besides their payload.
    bytes: usize,
}

impl Queued for Received {
    fn droppable_of(&self) -> Option<PeerHandle> {
        (self.delivery != Delivery::Reliable).then_some(self.via)
    }
}

impl Inbox {
    pub(super) const fn new() -> Self {
        Self { waiting: Queue::new(), bytes: 0 }
    }

    pub(super) fn push(&mut self, received: Received) {
        self.bytes += cost(&received.packet);
        self.waiting.push(received);
    }

    /// Drops the oldest unreliable packets of a connection until these bytes are free, or there are none.
    pub(super) fn displace(&mut self, via: PeerHandle, bytes: usize) -> Credit {
        let mut credit = Credit::displaced(via, bytes);
        while credit.bytes < 0
            && let Some(dropped) = self.waiting.drop_oldest(via)
        {
            self.bytes -= cost(&dropped.packet);
            credit.drop(&dropped);
        }
        credit
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn next(&self) -> Option<&Received> {
        self.waiting.front()
    }

    pub(super) fn has_from(&self, id: PeerId) -> bool {
        self.waiting.iter().any(|received| received.from == id)
    }

    /// Drops the packets of a peer, and tells of each.
    pub(super) fn forget(&mut self, id: PeerId, mut on_drop: impl FnMut(&Received)) {
        let Self { waiting, bytes } = self;
        waiting.drop_all(
            |received| received.from == id,
            |dropped| {
                *bytes -= cost(&dropped.packet);
                on_drop(&dropped);
            },
        );
    }

    pub(super) fn fetch(&mut self) -> Option<Received> {
        let received = self.waiting.pop()?;
        self.bytes -= cost(&received.packet);
        Some(received)
    }
}

#[cfg(test)]
mod tests {
    use nme_enet::{Packet, Quotas};

    use super::*;

    const COST: usize = 1000;

    fn received(id: i32, delivery: Delivery, number: u32) -> Received {
        let mut bytes = number.to_le_bytes().to_vec();
        bytes.resize(COST - Quotas::OVERHEAD, 0);
        let from = PeerId::new(id).expect("an id");
        let via = PeerHandle::new(id as u16, 0);
        Received { from, via, channel: 1, delivery, packet: Packet::new(bytes) }
    }

    fn fetch(inbox: &mut Inbox) -> Option<(i32, u32)> {
        let next = inbox.next().map(|received| received.from);
        let received = inbox.fetch()?;
        assert_eq!(next, Some(received.from));
        let number = received.packet.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        Some((received.from.get(), number.expect("a number")))
    }

    #[test]
    fn the_oldest_unreliable_packets_of_a_connection_make_room() {
        let mut inbox = Inbox::new();
        inbox.push(received(3, Delivery::Sequenced, 0));
        inbox.push(received(2, Delivery::Reliable, 1));
        (2..6).for_each(|number| inbox.push(received(2, Delivery::Unsequenced, number)));
        let via = PeerHandle::new(2, 0);
        let credit = inbox.displace(via, COST + 1);
        assert_eq!((credit.bytes, credit.droppable, credit.dropped), (999, 999, 2));
        assert_eq!(inbox.bytes(), 4 * COST);
        let credit = inbox.displace(via, 3 * COST);
        assert_eq!((credit.bytes, credit.dropped), (-1000, 2), "the others were fetched meanwhile");
        assert_eq!(std::iter::from_fn(|| fetch(&mut inbox)).collect::<Vec<_>>(), [(3, 0), (2, 1)]);
        assert_eq!((inbox.len(), inbox.bytes()), (0, 0));
    }

    #[test]
    fn the_packets_of_a_peer_can_be_forgotten() {
        let mut inbox = Inbox::new();
        for number in 0..6 {
            inbox.push(received(2 + number % 2, Delivery::Reliable, number as u32));
        }
        let mut forgotten = 0;
        inbox.forget(PeerId::new(3).expect("an id"), |_| forgotten += 1);
        assert_eq!((forgotten, inbox.len(), inbox.bytes()), (3, 3, 3 * COST));
        assert!(!inbox.has_from(PeerId::new(3).expect("an id")));
    }
}
