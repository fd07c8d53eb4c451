//! Putting a packet together from fragments, with memory for those that have come and not for those that are promised.

use std::collections::BTreeMap;

use super::quota::Bill;
use crate::packet::{Packet, PacketPool};
use crate::wire::Fragment;

/// A packet in fragments.
#[derive(Debug)]
pub(crate) struct Assembly {
    pub(super) bill: Bill,
    total: u32,
    count: u32,
    /// Everything up to the first missing fragment.
    start: Vec<u8>,
    /// Fragments that have been put there.
    joined: u32,
    /// Fragments behind the first missing one.
    apart: BTreeMap<u32, Packet>,
    /// What it was charged to its host, in bytes.
    pub(super) memory: usize,
}

impl Assembly {
    /// The packet that `first` belongs to, still without this fragment in it.
    pub(super) const fn new(first: &Fragment, bill: Bill) -> Self {
        Self {
            bill,
            total: first.total,
            count: first.count,
            start: Vec::new(),
            joined: 0,
            apart: BTreeMap::new(),
            memory: 0,
        }
    }

    pub(super) const fn total(&self) -> usize {
        self.total as usize
    }

    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    pub(super) const fn is_complete(&self) -> bool {
        self.joined == self.count
    }

    /// True when the fragment describes the same packet.
    pub(super) const fn matches(&self, fragment: &Fragment) -> bool {
        self.total == fragment.total && self.count == fragment.count
    }

    /// True when this fragment has come.
    pub(super) fn has(&self, number: u32) -> bool {
        number < self.joined || self.apart.contains_key(&number)
    }

    /// Adds a fragment that has not come; true when it was the last one missing.
    pub(super) fn add(&mut self, number: u32, payload: &[u8], pool: &mut PacketPool) -> bool {
        if number != self.joined {
            self.apart.insert(number, pool.copy(payload));
            return false;
        }
        self.join(payload);
        while let Some(packet) = self.apart.remove(&self.joined) {
            self.join(&packet);
        }
        self.is_complete()
    }

    pub(super) fn into_packet(self) -> Packet {
        Packet::new(self.start)
    }

    fn join(&mut self, payload: &[u8]) {
        let (used, needed) = (self.start.len(), self.start.len() + payload.len());
        if self.start.capacity() < needed {
            let capacity = needed.max(2 * used).min(self.total());
            self.start.reserve_exact(capacity - used);
        }
        self.start.extend_from_slice(payload);
        self.joined += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOTAL: u32 = 16 << 20;

    fn fragment(number: u32) -> Fragment {
        Fragment { start: 1, len: 1024, count: TOTAL / 1024, number, total: TOTAL, offset: number * 1024 }
    }

    #[test]
    fn memory_is_taken_for_what_has_come() {
        let mut pool = PacketPool::new();
        let last = TOTAL / 1024 - 1;
        let mut assembly = Assembly::new(&fragment(last), Bill::Fragments);
        assert!(!assembly.add(last, &[9; 1024], &mut pool));
        assert_eq!((assembly.start.capacity(), assembly.apart.len()), (0, 1));
        for number in 0..10 {
            assembly.add(number, &[number as u8; 1024], &mut pool);
        }
        assert!(assembly.start.capacity() <= 20 * 1024);
    }

    #[test]
    fn any_order_makes_the_same_packet() {
        let mut pool = PacketPool::new();
        let whole: Vec<u8> = (0..5000_u32).map(|byte| byte as u8).collect();
        let parts: Vec<&[u8]> = whole.chunks(1024).collect();
        let first = Fragment { total: 5000, count: 5, ..fragment(0) };
        for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [1, 3, 0, 4, 2]] {
            let mut assembly = Assembly::new(&first, Bill::Fragments);
            for (index, number) in order.into_iter().enumerate() {
                assert!(!assembly.has(number));
                assert_eq!(assembly.add(number, parts[number as usize], &mut pool), index == 4);
                assert!(assembly.has(number));
            }
            assert_eq!(assembly.into_packet().bytes(), whole);
        }
    }
}
