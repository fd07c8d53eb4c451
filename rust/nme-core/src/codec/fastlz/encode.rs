//! The encoder, for level 1.
//!
//! A table tells where the bytes at a position were seen last. As in C FastLZ, the first repeat found is taken. Two
//! things differ:
//!
//! 1. Three bytes are repeated only where that saves one. The instruction takes two, and if it interrupts a copy,
//!    the third goes for the copy that has to begin again behind it.
//! 2. Whether and how long something repeats cannot be foreseen, and each wrong guess of the processor costs as much
//!    as a look at several positions. So positions are looked at in groups, and bytes are compared and copied by
//!    the eight or 32. That leaves about one such guess for each repeat.

use super::{LONG_MATCH, MAX_DISTANCE, MAX_LITERALS, MAX_MATCH};

/// The encoder with its table, made once: clearing it for each datagram would cost more than a small datagram.
pub(in crate::codec) struct Encoder {
    table: Table,
}

impl Encoder {
    pub(in crate::codec) fn new() -> Self {
        Self { table: Table::new() }
    }

    /// Compresses `input` into `out`: the bytes written, or `None` when they do not fit or the input is 64 KiB
    /// or longer.
    pub(in crate::codec) fn encode(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        if input.len() > u16::MAX.into() {
            return None;
        }
        self.table.begin_input();
        let mut writer = Writer { out, len: 0 };
        // Everything before `done` is written.
        let (mut done, mut at) = (0, 0);
        while let Some(bytes) = word(input, at) {
            let pending = at - done;
            let found = self.table.visit(bytes, at, pending);
            let Some((position, earlier)) = found.filter(|(new, old)| new - old <= MAX_DISTANCE) else {
                // The longer nothing repeats, the less often it is looked for.
                at += GROUP + (pending >> LITERALS_PER_STEP_BITS);
                continue;
            };
            let len = common_len(input, earlier, position);
            writer.literals(input, done, position)?;
            writer.repeat(len, position - earlier)?;
            done = position + len;
            at = done;
            // Next time, what is behind these bytes may repeat, too.
            if let Some(bytes) = word(input, done - 2) {
                self.table.insert(bytes, done - 2);
                self.table.insert(bytes >> 8, done - 1);
            }
        }
        writer.literals(input, done, input.len())?;
        Some(writer.len)
    }
}

/// Where bytes were seen last, by a hash of three of them.
struct Table {
    /// From the top: four bytes, 16 bits for the input that has them, 16 bits for the position.
    ///
    /// The bytes are here so that they need not be looked up where they were. The input is here so that nothing has
    /// to be cleared for the next one.
    entries: Box<[u64; 1 << HASH_BITS]>,
    input: u16,
}

impl Table {
    fn new() -> Self {
        Self { entries: Box::new([0; 1 << HASH_BITS]), input: 0 }
    }

    fn begin_input(&mut self) {
        self.input = self.input.wrapping_add(1);
        if self.input == 0 {
            self.entries.fill(0);
            self.input = 1;
        }
    }

    /// Enters a group of positions, whose first is `at` and begins with `bytes`. The result is the first of them
    /// that is worth a repeat, and the position to repeat from.
    ///
    /// `pending` is the number of bytes before the group that are not written yet.
    #[inline]
    fn visit(&mut self, bytes: u64, at: usize, pending: usize) -> Option<(usize, usize)> {
        // Three are enough where no copy is interrupted, and where it soon needs a second instruction anyway.
        let pending = pending % MAX_LITERALS;
        let others = if pending >= NEARLY_FULL { THREE_BYTES } else { FOUR_BYTES };
        let first = if pending == 0 { THREE_BYTES } else { others };
        let a = self.insert(bytes, at) & first;
        let b = self.insert(bytes >> 8, at + 1) & others;
        let c = self.insert(bytes >> 16, at + 2) & others;
        if a > LAST_POSITION && b > LAST_POSITION && c > LAST_POSITION {
            return None;
        }
        // Choosing like this, from the last one, compiles to no jumps.
        let (mut position, mut earlier) = (at + 2, c);
        if b <= LAST_POSITION {
            (position, earlier) = (at + 1, b);
        }
        if a <= LAST_POSITION {
            (position, earlier) = (at, a);
        }
        Some((position, earlier as usize))
    }

    /// Enters a position. The result is the position that was entered before it, below bits that differ.
    #[inline]
    fn insert(&mut self, bytes: u64, at: usize) -> u64 {
        let hash = ((bytes as u32) << 8).wrapping_mul(MULTIPLIER) >> (32 - HASH_BITS);
        let known = bytes << 32 | u64::from(self.input) << 16;
        let entry = &mut self.entries[hash as usize];
        let before = *entry ^ known;
        *entry = known | at as u64;
        before
    }
}

/// Eight bytes, or `None` near the end.
#[inline]
fn word(input: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*input.get(at..)?.first_chunk()?))
}

/// How many bytes are the same at both positions, up to the longest repeat.
#[inline]
fn common_len(input: &[u8], earlier: usize, position: usize) -> usize {
    let end = input.len().min(position + MAX_MATCH);
    let mut len = 0;
    while let (Some(a), Some(b)) = (word(input, earlier + len), word(&input[..end], position + len)) {
        if a != b {
            return len + ((a ^ b).trailing_zeros() / 8) as usize;
        }
        len += 8;
    }
    let (a, b) = (&input[earlier + len..], &input[position + len..end]);
    len + a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Writes instructions as long as there is room.
struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl Writer<'_> {
    /// Copies the bytes from `start` to `end`.
    #[inline]
    fn literals(&mut self, input: &[u8], start: usize, end: usize) -> Option<()> {
        let len = end - start;
        if len <= MAX_LITERALS
            && let Some(bytes) = input.get(start..)?.first_chunk::<MAX_LITERALS>()
            && let Some(place) = self.out.get_mut(self.len..)?.first_chunk_mut::<{ 1 + MAX_LITERALS }>()
        {
            // What is too much is written over by the next instruction, or is behind the end. When there is
            // nothing to copy, that goes for all of it.
            place[0] = (len as u8).wrapping_sub(1);
            place[1..].copy_from_slice(bytes);
            self.len += len + usize::from(len > 0);
            return Some(());
        }
        for run in input[start..end].chunks(MAX_LITERALS) {
            let place = self.out.get_mut(self.len..self.len + 1 + run.len())?;
            place[0] = (run.len() - 1) as u8;
            place[1..].copy_from_slice(run);
            self.len += place.len();
        }
        Some(())
    }

    #[inline]
    fn repeat(&mut self, len: usize, distance: usize) -> Option<()> {
        let [high, low] = ((distance - 1) as u16).to_be_bytes();
        let place = if len < LONG_MATCH {
            let place = self.out.get_mut(self.len..self.len + 2)?;
            place.copy_from_slice(&[((len - 2) << 5) as u8 | high, low]);
            place
        } else {
            let place = self.out.get_mut(self.len..self.len + 3)?;
            place.copy_from_slice(&[7 << 5 | high, (len - LONG_MATCH) as u8, low]);
            place
        };
        self.len += place.len();
        Some(())
    }
}

/// Entries of the table, as a power of two: some for each position of a long datagram.
const HASH_BITS: u32 = 12;

/// An odd number near 2^32 divided by the golden ratio, which spreads well.
const MULTIPLIER: u32 = 0x9E37_79B1;

/// Positions looked at together: no more than the shortest repeat, or some would be entered twice.
const GROUP: usize = 3;

/// The highest position. What [`Table::insert`] gives is above it when the bytes or the input differ.
const LAST_POSITION: u64 = 0xffff;

/// The bits that count when four bytes have to be the same.
const FOUR_BYTES: u64 = u64::MAX;

/// The bits that count when three bytes have to be the same.
const THREE_BYTES: u64 = u64::MAX >> 8;

/// Bytes of a copy instruction that is worth ending early: what is behind it would hardly fit.
const NEARLY_FULL: usize = 26;

/// Bytes without a repeat, as a power of two, after which the step between looks grows by one.
const LITERALS_PER_STEP_BITS: u32 = 6;
