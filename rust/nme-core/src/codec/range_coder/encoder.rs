//! Compressing.

use std::mem::take;

use super::Share;
use super::interval::Interval;
use super::model::Model;
use super::table::Slot;

struct Encoder<'a> {
    interval: Interval,
    /// The room that is left.
    out: &'a mut [u8],
}

/// The bytes written, or `None` when they do not fit, or when there is nothing to compress.
pub(super) fn compress(model: &mut Model, input: &[u8], out: &mut [u8]) -> Option<usize> {
    let room = out.len();
    let mut encoder = Encoder { interval: Interval::FULL, out };
    let mut input = input.iter();
    while !input.as_slice().is_empty() {
        let mut trail = model.forget();
        if let Some(&value) = input.next() {
            encoder.put(model.literal(&mut trail, Slot::of(value)))?;
            trail.last = value;
        }
        if let Some(&value) = input.next() {
            encoder.put(model.literal(&mut trail, Slot::of(value)))?;
            trail = model.second(trail, value);
        }
        for &value in input.by_ref() {
            let seen = model.contexts.count(trail.pair, value);
            if seen.count > 0 {
                encoder.put(seen.share())?;
                model.follow(&mut trail, value);
                continue;
            }
            trail.nodes += 1;
            if seen.total > 0 {
                encoder.put(seen.escape())?;
            }
            let seen = model.contexts.count(trail.last.into(), value);
            if seen.count > 0 {
                encoder.put(seen.share())?;
                model.follow(&mut trail, value);
            } else {
                trail.nodes += 1;
                if seen.total > 0 {
                    encoder.put(seen.escape())?;
                }
                encoder.put(model.literal(&mut trail, Slot::of(value)))?;
                model.open_pair(&mut trail, value);
            }
            if trail.is_full() {
                break;
            }
        }
    }
    let len = room - encoder.finish()?;
    (len > 0).then_some(len)
}

impl Encoder<'_> {
    #[inline(always)]
    fn put(&mut self, share: Share) -> Option<()> {
        let unit = self.interval.unit(share.total)?;
        self.interval = self.interval.narrow(unit, share.start, share.size);
        let bits = self.interval.settled();
        self.emit(bits)?;
        self.interval = self.interval.shift(bits);
        if self.interval.is_narrow() {
            let (bits, range) = self.interval.cut();
            self.emit(bits)?;
            self.interval = self.interval.shift_to(bits, range);
        }
        Some(())
    }

    /// Writes the first `bits` of the interval's low end, up to 24. All of it is written while there is room; the
    /// rest is overwritten by what follows.
    #[inline(always)]
    fn emit(&mut self, bits: u32) -> Option<()> {
        let bytes = self.interval.low().to_be_bytes();
        let len = bits as usize / 8 % 4;
        let out = take(&mut self.out);
        self.out = if out.len() >= 4 {
            out[..4].copy_from_slice(&bytes);
            &mut out[len..]
        } else {
            emit_last(out, bytes, len)?
        };
        Some(())
    }

    /// The room that is left at the end.
    fn finish(mut self) -> Option<usize> {
        while self.interval.low() != 0 {
            self.emit(8)?;
            self.interval = self.interval.shift(8);
        }
        Some(self.out.len())
    }
}

/// By value, as an address that goes out would keep the encoder out of the registers.
#[cold]
#[inline(never)]
fn emit_last(out: &mut [u8], bytes: [u8; 4], len: usize) -> Option<&mut [u8]> {
    let (to, rest) = out.split_at_mut_checked(len)?;
    to.copy_from_slice(bytes.get(..len)?);
    Some(rest)
}
