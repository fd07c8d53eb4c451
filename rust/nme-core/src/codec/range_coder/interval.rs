//! The interval that is narrowed: 32 bits of it, as many as can still change.

/// With less than this between the ends of the interval, a share could get lost.
const NARROW: u32 = 1 << 16;

/// The place of the highest byte.
const TOP: u32 = 1 << 24;

/// Totals that are divided by multiplying.
const RECIPROCALS: usize = 1024;

#[derive(Clone, Copy)]
pub(super) struct Interval {
    low: u32,
    range: u32,
}

impl Interval {
    pub(super) const FULL: Self = Self { low: 0, range: u32::MAX };

    #[inline(always)]
    pub(super) fn low(self) -> u32 {
        self.low
    }

    /// The length of one of `total` parts. A context without anything to share, with a total of 0, has none.
    ///
    /// A step can only start when the one before has ended, and a division would be the longest part of it.
    #[inline(always)]
    pub(super) fn unit(self, total: u32) -> Option<u32> {
        static TABLE: [u64; RECIPROCALS] = reciprocals();
        match TABLE.get(total as usize) {
            Some(0) => None,
            Some(&reciprocal) => Some(((u128::from(self.range) * u128::from(reciprocal)) >> 64) as u32),
            None => Some(self.range / total),
        }
    }

    /// Narrows to `size` units from `start` on.
    #[inline(always)]
    pub(super) fn narrow(self, unit: u32, start: u32, size: u32) -> Self {
        Self { low: self.low.wrapping_add(unit.wrapping_mul(start)), range: unit.wrapping_mul(size) }
    }

    /// The bits at the top that are the same at both ends, in whole bytes: 0, 8, 16 or 24.
    #[inline(always)]
    pub(super) fn settled(self) -> u32 {
        ((self.low ^ self.low.wrapping_add(self.range)) | 1).leading_zeros() & 0x18
    }

    /// Whether the highest byte is the same at both ends.
    #[inline(always)]
    pub(super) fn is_settled(self) -> bool {
        self.low ^ self.low.wrapping_add(self.range) < TOP
    }

    #[inline(always)]
    pub(super) fn shift(self, bits: u32) -> Self {
        Self { low: self.low << bits, range: self.range << bits }
    }

    /// Whether the interval must be cut: it is narrow, but its ends still differ at the top.
    #[inline(always)]
    pub(super) fn is_narrow(self) -> bool {
        self.range < NARROW
    }

    /// Cuts off what keeps the top from settling, and gives away some of the interval for it. The bits that can be
    /// shifted out then, up to 24, and the range that this leaves.
    #[cold]
    #[inline(never)]
    pub(super) fn cut(mut self) -> (u32, u32) {
        let mut bits = 0;
        loop {
            if self.low ^ self.low.wrapping_add(self.range) >= TOP {
                if !self.is_narrow() {
                    return (bits, self.range);
                }
                self.range = self.low.wrapping_neg() % NARROW;
            }
            self = self.shift(8);
            bits += 8;
        }
    }

    /// Shifts after a cut.
    #[inline(always)]
    pub(super) fn shift_to(self, bits: u32, range: u32) -> Self {
        Self { low: self.low << bits, range }
    }
}

/// 2^64 / total, rounded up. The upper half of the product with a number of 32 bits is exact: the error of
/// less than `total` units of 2^-64 cannot carry it over the next multiple.
const fn reciprocals() -> [u64; RECIPROCALS] {
    let mut table = [0; RECIPROCALS];
    let mut total = 2;
    while total < RECIPROCALS {
        table[total] = u64::MAX / total as u64 + 1;
        total += 1;
    }
    table
}
