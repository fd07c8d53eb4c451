//! Finds the symbol of the next bits.
//!
//! Codes of up to [`TABLE_BITS`] bits are in a table, at every index that begins with their bits. The table is as
//! small as the code allows, and made by doubling: half of it holds the codes of up to so many bits, copied into
//! the other half it holds them with one further bit. Longer codes are rare and found by counting.

use super::symbols::{MAX_BITS, MOST_SYMBOLS};

/// The symbols of one Huffman code.
pub(super) struct Table {
    entries: [u32; 1 << TABLE_BITS],
    bits: usize,
    /// The symbols, in the order of their codes.
    sorted: [u16; MOST_SYMBOLS],
    /// Where the codes of each length end, as 16 bits with the first one highest.
    ends: [u32; MAX_BITS + 1],
    /// How many codes are shorter than each length.
    shorter: [u16; MAX_BITS + 2],
    /// The entries of the symbols, less what depends on the code.
    symbols: &'static [u32],
}

/// What a symbol means: `bits` at the start are the code's and the further ones', `base` is the upper half.
pub(super) const fn entry(base: u32, extra: u8) -> u32 {
    base << 16 | extra as u32
}

/// The base of an entry and what the bits behind the code add to it.
#[inline(always)]
pub(super) fn value(entry: u32, bits: u64) -> u32 {
    let code_and_extra = bits & (1_u64.wrapping_shl(entry) - 1);
    (entry >> 16) + code_and_extra.wrapping_shr(entry >> 8) as u32
}

/// A used symbol with the length of its code, in one number.
pub(super) fn used(symbol: u16, len: u16) -> u16 {
    symbol | len << USED_SYMBOL_BITS
}

/// The symbol in such a number.
pub(super) fn used_symbol(used: u16) -> u16 {
    used & ((1 << USED_SYMBOL_BITS) - 1)
}

/// How many of them have each length.
pub(super) fn count(used: &[u16]) -> [u16; MAX_BITS + 1] {
    let mut counts = [0; MAX_BITS + 1];
    for used in used {
        counts[usize::from(used >> USED_SYMBOL_BITS) & MAX_BITS] += 1;
    }
    counts
}

impl Table {
    pub(super) fn new(symbols: &'static [u32]) -> Self {
        Self {
            entries: [NONE; 1 << TABLE_BITS],
            bits: 1,
            sorted: [0; MOST_SYMBOLS],
            ends: [0; MAX_BITS + 1],
            shorter: [0; MAX_BITS + 2],
            symbols,
        }
    }

    /// Takes a new code: its `used` symbols in order, each less `first`, and how many have each length. `None` when
    /// there is no such code, or room for more of them; for one code of one bit this is allowed, and for none.
    pub(super) fn build(&mut self, used: &[u16], first: u16, counts: &[u16; MAX_BITS + 1]) -> Option<()> {
        let (mut longest, mut end) = (0, 0);
        for (len, count) in counts.iter().enumerate().skip(1) {
            end += u32::from(*count) << (16 - len);
            self.ends[len] = end;
            self.shorter[len + 1] = self.shorter[len] + count;
            if *count != 0 {
                longest = len;
            }
        }
        if end > ALL_CODES || end < ALL_CODES && longest > 1 {
            return None;
        }
        let mut next = self.shorter;
        for used in used {
            let next = &mut next[usize::from(used >> USED_SYMBOL_BITS)];
            *self.sorted.get_mut(usize::from(*next))? = used_symbol(*used) - first;
            *next += 1;
        }
        self.fill(longest.clamp(1, TABLE_BITS), counts);
        Some(())
    }

    fn fill(&mut self, bits: usize, counts: &[u16; MAX_BITS + 1]) {
        self.bits = bits;
        self.entries[0] = NONE;
        let mut symbols = self.sorted.iter();
        let mut code = 0;
        for (len, count) in counts.iter().enumerate().take(bits + 1).skip(1) {
            let half = 1 << (len - 1);
            self.entries.copy_within(..half, half);
            for symbol in symbols.by_ref().take((*count).into()) {
                let index = usize::from(REVERSED[code % REVERSED.len()]);
                let code_len = len as u32;
                self.entries[index] = self.symbols[usize::from(*symbol)] + (code_len << 8 | code_len);
                code += 1 << (TABLE_BITS - len);
            }
        }
    }

    /// The entry of the symbol that the bits begin with; `None` when they are no code.
    #[inline(always)]
    pub(super) fn look_up(&self, bits: u64) -> Option<u32> {
        let entry = self.entries[bits as usize & ((1 << self.bits) - 1) & ((1 << TABLE_BITS) - 1)];
        if entry == NONE { self.look_up_long(bits) } else { Some(entry) }
    }

    #[cold]
    fn look_up_long(&self, bits: u64) -> Option<u32> {
        let code = u32::from((bits as u16).reverse_bits());
        let len = (self.bits + 1..=MAX_BITS).find(|len| code < self.ends[*len])?;
        let index = usize::from(self.shorter[len]) + ((code - self.ends[len - 1]) >> (16 - len)) as usize;
        let symbol = self.sorted.get(index)?;
        Some(self.symbols[usize::from(*symbol)] + ((len as u32) << 8 | len as u32))
    }
}

/// Bits of the longest codes in the table.
const TABLE_BITS: usize = 10;

/// No code of the table: a longer one or none at all.
const NONE: u32 = 0;

/// As 16 bits, where the last code of a complete set ends.
const ALL_CODES: u32 = 1 << 16;

/// Bits of the symbol, below those of the length.
const USED_SYMBOL_BITS: u32 = 9;

/// The numbers of [`TABLE_BITS`] bits read backwards: codes come highest bit first, all else lowest bit first.
static REVERSED: [u16; 1 << TABLE_BITS] = {
    let mut reversed = [0; 1 << TABLE_BITS];
    let mut number = 0;
    while number < reversed.len() {
        reversed[number] = (number as u16).reverse_bits() >> (16 - TABLE_BITS);
        number += 1;
    }
    reversed
};
