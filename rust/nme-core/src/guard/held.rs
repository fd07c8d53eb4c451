//! One packet that the engine keeps back.

use super::quota::Bill;
use super::wire::Fragment;

/// A packet in one of the engine's lists.
#[derive(Debug)]
pub(super) enum Entry {
    /// A whole packet of this many bytes, waiting for its turn.
    Single { len: usize },
    /// A packet in fragments, complete or not.
    Group(Group),
}

impl Entry {
    /// True when nothing is missing from it.
    pub(super) const fn is_complete(&self) -> bool {
        match self {
            Self::Single { .. } => true,
            Self::Group(group) => group.missing == 0,
        }
    }

    /// Reliable sequence numbers that it takes.
    pub(super) fn span(&self) -> u64 {
        match self {
            Self::Single { .. } => 1,
            Self::Group(group) => group.count.into(),
        }
    }
}

/// A packet in fragments.
#[derive(Debug)]
pub(super) struct Group {
    /// Bytes of the packet.
    pub(super) total: usize,
    pub(super) bill: Bill,
    count: u32,
    missing: u32,
    /// One bit for each fragment that has come.
    seen: Box<[u64]>,
}

impl Group {
    /// The packet that `first` belongs to, with this fragment in it.
    pub(super) fn new(first: &Fragment, bill: Bill) -> Self {
        let words = first.count.div_ceil(u64::BITS) as usize;
        let mut group = Self {
            total: first.total as usize,
            bill,
            count: first.count,
            missing: first.count,
            seen: vec![0; words].into_boxed_slice(),
        };
        group.add(first.number);
        group
    }

    /// True when the fragment describes the same packet.
    pub(super) const fn matches(&self, fragment: &Fragment) -> bool {
        self.total == fragment.total as usize && self.count == fragment.count
    }

    /// Notes a fragment; true when it was the last one missing.
    pub(super) fn add(&mut self, number: u32) -> bool {
        let bit = 1 << (number % u64::BITS);
        match self.seen.get_mut((number / u64::BITS) as usize) {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                self.missing = self.missing.saturating_sub(1);
                self.missing == 0
            }
            _ => false,
        }
    }
}
