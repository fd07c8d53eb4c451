//! The numbers of RFC 1951.

/// Ends a block. Below are the bytes, above the lengths of repeats.
pub(super) const END: usize = 256;

/// Symbols for bytes, the end and lengths.
pub(super) const LITLENS: usize = END + 1 + LENGTHS.len();

/// Symbols for distances.
pub(super) const DISTANCES: usize = DISTANCE_RANGES.len();

/// Symbols for code lengths: the lengths 0 to 15, and those below.
pub(super) const CODE_LENGTHS: usize = 19;

/// The last length again, 3 to 6 times.
pub(super) const SAME: u16 = 16;

/// 3 to 10 zeros.
pub(super) const ZEROS: u16 = 17;

/// 11 to 138 zeros.
pub(super) const MANY_ZEROS: u16 = 18;

/// Bits that tell how often, behind the three above.
pub(super) const REPEAT_BITS: [u8; 3] = [2, 3, 7];

/// Symbols of the largest code: the fixed one has two that mean nothing.
pub(super) const MOST_SYMBOLS: usize = 288;

/// Bits of the longest code.
pub(super) const MAX_BITS: usize = 15;

/// Bits of the longest code for code lengths.
pub(super) const MAX_CODE_LENGTH_BITS: usize = 7;

/// Shortest and longest repeat.
pub(super) const MIN_MATCH: usize = 3;
pub(super) const MAX_MATCH: usize = 258;

/// A symbol that stands for a range of numbers: the lowest, and how many further bits tell which.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) base: u16,
    pub(super) extra: u8,
}

/// Lengths of repeats.
pub(super) const LENGTHS: [Range; 29] = {
    let mut lengths = ranges(MIN_MATCH as u16, 4);
    // The longest has a symbol of its own.
    lengths[28] = Range { base: MAX_MATCH as u16, extra: 0 };
    lengths
};

/// Distances of repeats.
pub(super) const DISTANCE_RANGES: [Range; 30] = ranges(1, 2);

/// Ranges from `first` on: twice `each` of one number, then `each` with one further bit, with two, and so on.
const fn ranges<const N: usize>(first: u16, each: usize) -> [Range; N] {
    let mut ranges = [Range { base: 0, extra: 0 }; N];
    let mut base = first;
    let mut index = 0;
    while index < N {
        let extra = (index / each).saturating_sub(1) as u8;
        ranges[index] = Range { base, extra };
        base = base.wrapping_add(1 << extra);
        index += 1;
    }
    ranges
}

/// The order in which a block gives the lengths of the code for code lengths.
pub(super) const CODE_LENGTH_ORDER: [u8; CODE_LENGTHS] =
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Code lengths of the fixed codes.
pub(super) const FIXED_LITLENS: [u8; MOST_SYMBOLS] = {
    let mut lengths = [8; MOST_SYMBOLS];
    let mut symbol = 144;
    while symbol < 280 {
        lengths[symbol] = if symbol < END { 9 } else { 7 };
        symbol += 1;
    }
    lengths
};
pub(super) const FIXED_DISTANCES: [u8; 32] = [5; 32];
