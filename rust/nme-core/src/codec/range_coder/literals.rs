//! Order 0: each byte value always has a share.

use super::table::{Slot, Table};
use super::{LARGEST_TOTAL, Share};

const STEP: u8 = 3;
const FLOOR: u16 = 1;
const LARGEST_COUNT: u8 = u8::MAX - 2 * STEP;

pub(super) struct Literals {
    table: Table,
    total: u16,
}

/// The share that means the end of the datagram, in front of all others. Halving leaves it at 1.
pub(super) const END: u16 = 1;

const FRESH: Literals = Literals { table: Table::new(FLOOR), total: 256 * FLOOR + END };

impl Literals {
    pub(super) fn new() -> Self {
        FRESH
    }

    pub(super) fn forget(&mut self) {
        *self = FRESH;
    }

    #[inline(always)]
    pub(super) fn total(&self) -> u32 {
        self.total.into()
    }

    /// The value in whose share `code` is, counted from behind the end.
    #[inline(always)]
    pub(super) fn find(&self, code: u16) -> Option<Slot> {
        (code < self.total - END).then(|| self.table.find(code))
    }

    /// Counts a value. The share that it had, and whether it is new.
    #[inline(always)]
    pub(super) fn count(&mut self, at: Slot) -> (Share, bool) {
        let (start, count) = self.table.get(at);
        let share = Share {
            start: (start + END).into(),
            size: u32::from(count) + u32::from(FLOOR),
            total: self.total.into(),
        };
        self.table.add(at, STEP);
        self.total += u16::from(STEP);
        if count > LARGEST_COUNT || self.total > LARGEST_TOTAL {
            self.halve();
        }
        (share, count == 0)
    }

    #[cold]
    #[inline(never)]
    fn halve(&mut self) {
        self.total = self.table.halve(FLOOR) + END;
    }
}
