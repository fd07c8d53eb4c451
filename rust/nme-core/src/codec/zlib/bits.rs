//! Bits in the order of RFC 1951: the lowest of a byte first.

use super::{Window, set_word, word};

/// Writes bits. What is written must fit into a window.
pub(super) struct BitWriter<'a> {
    out: &'a mut Window,
    /// Whole bytes that are written.
    len: usize,
    /// Bits behind them, fewer than 8.
    bits: u64,
    count: u8,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(out: &'a mut Window) -> Self {
        Self { out, len: 0, bits: 0, count: 0 }
    }

    /// Writes the lowest `count` bits, at most 56. The others must be 0.
    #[inline(always)]
    pub(super) fn put(&mut self, bits: u64, count: u8) {
        self.bits |= bits << self.count;
        self.count += count;
        set_word(self.out, self.len, self.bits);
        self.len += usize::from(self.count / 8);
        self.bits >>= self.count / 8 * 8;
        self.count %= 8;
    }

    /// How many bytes were written, the begun one included.
    pub(super) fn finish(self) -> usize {
        self.len + usize::from(self.count != 0)
    }
}

/// Reads bits: any behind the end, which [`Self::bytes_read`] finds out.
#[derive(Clone, Copy)]
pub(super) struct BitReader<'a> {
    input: &'a Window,
    /// Bytes of the input.
    len: usize,
    /// Where bytes are taken from.
    next: usize,
    /// Bits that were taken. Those above `count` may be bits of the next byte.
    bits: u64,
    /// In the lowest six bits. The others are left to themselves, which saves cutting table entries to size.
    count: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(input: &'a Window, len: usize) -> Self {
        Self { input, len, next: 0, bits: 0, count: 0 }
    }

    /// Makes sure that there are at least 56 bits.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let count = self.count & 63;
        self.bits |= word(self.input, self.next) << count;
        self.next += (63 - count as usize) / 8;
        self.count = count | 56;
    }

    /// The next bits, lowest first.
    #[inline(always)]
    pub(super) fn peek(&self) -> u64 {
        self.bits
    }

    /// Drops as many bits as the lowest six bits of `count` say.
    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) {
        self.bits = self.bits.wrapping_shr(count);
        self.count = self.count.wrapping_sub(count);
    }

    /// The next few bits.
    #[inline(always)]
    pub(super) fn take(&mut self, count: u32) -> u16 {
        let value = self.bits & ((1 << count) - 1);
        self.skip(count);
        value as u16
    }

    /// The bytes of which anything has been read, or `None` when there are fewer.
    pub(super) fn bytes_read(&self) -> Option<usize> {
        let read = self.next - ((self.count & 63) / 8) as usize;
        (read <= self.len).then_some(read)
    }

    /// The next bytes as they are, behind what is left of the current one.
    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let start = self.bytes_read()?;
        let bytes = self.input[..self.len].get(start..start + len)?;
        (self.next, self.bits, self.count) = (start + len, 0, 0);
        Some(bytes)
    }
}
