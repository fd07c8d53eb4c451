//! Orders 1 and 2: which bytes came after the last one, or the last two, and how often.
//!
//! Most contexts know few values. Eight of them fit into a word, sorted, with their counts in the same lanes of
//! a second word, and one multiplication does to all of them what a loop would do to each. With the ninth value
//! a context moves to a [`Table`].

use super::table::{Slot, Table};
use super::{LARGEST_TOTAL, Share};

const STEP: u8 = 2;
const ESCAPE_STEP: u16 = 5;
const LARGEST_COUNT: u8 = u8::MAX - 2 * STEP;

/// Values in a context before it needs a table.
const LANES: u16 = 8;

/// The contexts of single bytes, at the byte itself.
const SINGLES: usize = 256;

/// Pairs that can be open. Each one that opens adds a value to its order 1 context, and but for the first one to
/// the order 2 context that it comes from: two of the 4096 nodes that there can be at the very most.
const PAIRS: usize = 2048;

/// Tables in use: each takes nine nodes.
const TABLES: usize = 4096 / (LANES as usize + 1);

/// The lowest bit of each byte, and the highest.
const LOWS: u64 = u64::MAX / 0xff;
const HIGHS: u64 = LOWS << 7;

/// For lanes of 16 bits: the lowest bit, the lower byte, and the highest bit.
const WIDE_LOWS: u64 = u64::MAX / 0xffff;
const WIDE_BYTES: u64 = WIDE_LOWS * 0xff;
const WIDE_HIGHS: u64 = WIDE_LOWS << 15;

/// A context. With a total of 0 it has counted nothing, and the rest of it means nothing.
#[derive(Clone, Copy)]
struct Context {
    /// Sorted, the smallest in the lowest byte; 255 where there is none.
    values: u64,
    /// In the same lanes; 0 where there is none.
    counts: u64,
    total: u16,
    escapes: u16,
    /// Values, or more than `LANES` when they are in a table.
    len: u16,
    table: u16,
}

/// What a byte was worth in a context before it was counted.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) total: u32,
    pub(super) escapes: u32,
    /// Where its share starts behind the escape.
    pub(super) start: u32,
    /// 0 when it is new.
    pub(super) count: u32,
}

impl Seen {
    #[inline(always)]
    pub(super) fn share(&self) -> Share {
        Share { start: self.escapes + self.start, size: self.count, total: self.total }
    }

    #[inline(always)]
    pub(super) fn escape(&self) -> Share {
        Share { start: 0, size: self.escapes, total: self.total }
    }
}

impl Context {
    const EMPTY: Self = Self { values: u64::MAX, counts: 0, total: 0, escapes: 0, len: 0, table: 0 };

    /// A context that knows one value.
    #[inline(always)]
    fn of(value: u8) -> Self {
        Self {
            values: u64::MAX << 8 | u64::from(value),
            counts: STEP.into(),
            total: ESCAPE_STEP + u16::from(STEP),
            escapes: ESCAPE_STEP,
            len: 1,
            table: 0,
        }
    }

    /// The bytes of all lanes with smaller values.
    #[inline(always)]
    fn below(&self, value: u8) -> u64 {
        let wanted = u64::from(value) * LOWS;
        // The highest bits decide where they differ, and otherwise the borrow of the lower seven.
        let larger = !self.values & wanted;
        let borrows = !((self.values | HIGHS) - (wanted & !HIGHS));
        let smaller = larger | (borrows & !(self.values ^ wanted));
        (smaller >> 7 & LOWS).wrapping_mul(0xff)
    }

    /// The lane whose share `code` is in: as many as have shares that end before.
    #[inline(always)]
    fn lane_of(&self, code: u16) -> Option<u32> {
        if code > u16::from(u8::MAX) * LANES {
            return None;
        }
        // Two lanes at a time: their sums up to each, with one multiplication; the even ones end one count before.
        let odd = self.counts >> 8 & WIDE_BYTES;
        let odd_ends = ((self.counts & WIDE_BYTES) + odd).wrapping_mul(WIDE_LOWS);
        let even_ends = odd_ends - odd;
        let code = (u64::from(code) * WIDE_LOWS) | WIDE_HIGHS;
        let passed = |ends: u64| (code - ends) >> 15 & WIDE_LOWS;
        let lane = ((passed(odd_ends) + passed(even_ends)).wrapping_mul(WIDE_LOWS) >> 48) as u32;
        (lane < u32::from(self.len)).then_some(lane)
    }

    /// Counts the value in the lane whose lowest bit is `unit`.
    #[inline(always)]
    fn count_known(&mut self, unit: u64) -> Seen {
        let count = (self.counts >> unit.trailing_zeros()) as u8;
        let seen = Seen {
            total: self.total.into(),
            escapes: self.escapes.into(),
            start: sum(self.counts & (unit - 1)).into(),
            count: count.into(),
        };
        self.counts = self.counts.wrapping_add(u64::from(STEP) * unit);
        self.total += u16::from(STEP);
        if count > LARGEST_COUNT {
            self.halve();
        }
        seen
    }

    /// Counts a value that is new, behind the lanes `below`; there must be a lane for it.
    #[inline(always)]
    fn count_new(&mut self, value: u8, below: u64) -> Seen {
        let seen = Seen { total: self.total.into(), escapes: self.escapes.into(), start: 0, count: 0 };
        let unit = below.wrapping_add(1);
        let insert =
            |lanes: u64, new: u8| (lanes & below) | (lanes & !below) << 8 | u64::from(new).wrapping_mul(unit);
        self.values = insert(self.values, value);
        self.counts = insert(self.counts, STEP);
        self.total += ESCAPE_STEP + u16::from(STEP);
        self.escapes += ESCAPE_STEP;
        self.len += 1;
        seen
    }

    #[cold]
    #[inline(never)]
    fn halve(&mut self) {
        self.counts -= self.counts >> 1 & !HIGHS;
        self.escapes -= self.escapes >> 1;
        self.total = sum(self.counts) + self.escapes;
    }
}

/// The sum of eight bytes.
#[inline(always)]
fn sum(bytes: u64) -> u16 {
    (((bytes & WIDE_BYTES) + (bytes >> 8 & WIDE_BYTES)).wrapping_mul(WIDE_LOWS) >> 48) as u16
}

/// The contexts of a datagram. Only what it uses is touched, and nothing is cleared before it is used again.
pub(super) struct Contexts {
    contexts: Box<[Context; SINGLES + PAIRS]>,
    open: usize,
    /// Of the last two bytes: their context. Right only for those that order 1 knows.
    pairs: Box<[u16; 1 << 16]>,
    tables: Vec<Table>,
    tables_used: usize,
}

impl Contexts {
    pub(super) fn new() -> Self {
        Self {
            contexts: boxed(Context::EMPTY),
            open: SINGLES,
            pairs: boxed(0),
            // Memory is taken once; the system gives it when it is first written to.
            tables: Vec::with_capacity(TABLES),
            tables_used: 0,
        }
    }

    pub(super) fn forget(&mut self) {
        self.open = SINGLES;
        self.tables_used = 0;
    }

    /// Opens the context of a single byte.
    #[inline(always)]
    pub(super) fn open(&mut self, value: u8) {
        self.contexts[usize::from(value)].total = 0;
    }

    /// Opens the context of two bytes.
    #[inline(always)]
    pub(super) fn open_pair(&mut self, last: u8, value: u8) -> u16 {
        let pair = self.open;
        self.open += 1;
        self.contexts[pair].total = 0;
        self.pairs[pair_index(last, value)] = pair as u16;
        pair as u16
    }

    /// The context of two bytes, which must be open.
    #[inline(always)]
    pub(super) fn pair(&self, last: u8, value: u8) -> u16 {
        self.pairs[pair_index(last, value)]
    }

    /// The escapes and the total of a context.
    #[inline(always)]
    pub(super) fn totals(&self, context: u16) -> (u32, u32) {
        let context = &self.contexts[usize::from(context)];
        (context.escapes.into(), context.total.into())
    }

    /// Counts a value.
    #[inline(always)]
    pub(super) fn count(&mut self, at: u16, value: u8) -> Seen {
        let context = &mut self.contexts[usize::from(at)];
        if context.total == 0 {
            *context = Context::of(value);
            return Seen { total: 0, escapes: 0, start: 0, count: 0 };
        }
        if context.len > LANES {
            return self.count_in_table(at, value);
        }
        let below = context.below(value);
        let unit = below.wrapping_add(1);
        let lane = (unit << 8).wrapping_sub(unit);
        let differs = context.values ^ (u64::from(value) * LOWS);
        if differs & lane == 0 && context.counts & lane != 0 {
            return context.count_known(unit);
        }
        if context.len < LANES {
            return context.count_new(value, below);
        }
        self.move_to_table(at);
        self.count_in_table(at, value)
    }

    /// Finds the value in whose share `code` is, and counts it.
    #[inline(always)]
    pub(super) fn find(&mut self, at: u16, code: u16) -> Option<(u8, Seen)> {
        let context = &mut self.contexts[usize::from(at)];
        if context.len > LANES {
            return self.find_in_table(at, code);
        }
        let lane = context.lane_of(code)?;
        let value = (context.values >> (8 * lane)) as u8;
        Some((value, context.count_known(1 << (8 * lane))))
    }

    #[inline(never)]
    fn find_in_table(&mut self, at: u16, code: u16) -> Option<(u8, Seen)> {
        let context = &self.contexts[usize::from(at)];
        if code >= context.total - context.escapes {
            return None;
        }
        let value = self.tables[usize::from(context.table)].find(code).value();
        Some((value, self.count_in_table(at, value)))
    }

    #[inline(never)]
    fn count_in_table(&mut self, at: u16, value: u8) -> Seen {
        let context = &mut self.contexts[usize::from(at)];
        let table = &mut self.tables[usize::from(context.table)];
        let (start, count) = table.get(Slot::of(value));
        let seen = Seen {
            total: context.total.into(),
            escapes: context.escapes.into(),
            start: start.into(),
            count: count.into(),
        };
        table.add(Slot::of(value), STEP);
        context.total += u16::from(STEP);
        if count == 0 {
            context.total += ESCAPE_STEP;
            context.escapes += ESCAPE_STEP;
        }
        if count > LARGEST_COUNT || context.total > LARGEST_TOTAL {
            context.escapes -= context.escapes >> 1;
            context.total = table.halve(0) + context.escapes;
        }
        seen
    }

    #[cold]
    #[inline(never)]
    fn move_to_table(&mut self, at: u16) {
        let context = &mut self.contexts[usize::from(at)];
        let mut table = Table::new(0);
        for (value, count) in context.values.to_le_bytes().into_iter().zip(context.counts.to_le_bytes()) {
            table.add(Slot::of(value), count);
        }
        match self.tables.get_mut(self.tables_used) {
            Some(used) => *used = table,
            None => self.tables.push(table),
        }
        context.table = self.tables_used as u16;
        context.len = LANES + 1;
        self.tables_used += 1;
    }
}

/// An array that was never on the stack.
fn boxed<T: Clone, const N: usize>(item: T) -> Box<[T; N]> {
    let Ok(array) = vec![item; N].into_boxed_slice().try_into() else {
        unreachable!("a slice of N items is an array of N items");
    };
    array
}

#[inline(always)]
fn pair_index(last: u8, value: u8) -> usize {
    usize::from(last) << 8 | usize::from(value)
}
