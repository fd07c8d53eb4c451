//! Expanding.

use super::interval::Interval;
use super::literals::END;
use super::model::{Model, Trail};

/// Why a datagram is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No bytes, or no room for them.
    Length,
    /// The number is beyond what a context has given out.
    BeyondContext,
    /// The number is beyond what the literals have given out.
    BeyondLiterals,
}

struct Decoder<'a> {
    interval: Interval,
    /// The number that the input is, less the low end of the interval.
    ahead: u32,
    input: &'a [u8],
}

/// What the number falls on in a context, or in the literals.
enum Part {
    Escape,
    /// Behind the escape, this far.
    Code(u16),
}

/// The bytes written.
pub(super) fn decompress(model: &mut Model, input: &[u8], out: &mut [u8]) -> Result<usize, Refusal> {
    let mut decoder = Decoder::new(input);
    let mut len = 0;
    'whole: loop {
        let mut trail = model.forget();
        let Some(value) = decoder.literal(model, &mut trail)? else {
            break;
        };
        *out.get_mut(len).ok_or(Refusal::Length)? = value;
        len += 1;
        trail.last = value;
        let Some(value) = decoder.literal(model, &mut trail)? else {
            break;
        };
        *out.get_mut(len).ok_or(Refusal::Length)? = value;
        len += 1;
        trail = model.second(trail, value);
        loop {
            if let Some(value) = decoder.symbol(model, trail.pair)? {
                *out.get_mut(len).ok_or(Refusal::Length)? = value;
                len += 1;
                model.follow(&mut trail, value);
                continue;
            }
            let pair = trail.pair;
            let value = if let Some(value) = decoder.symbol(model, trail.last.into())? {
                model.follow(&mut trail, value);
                value
            } else {
                let Some(value) = decoder.literal(model, &mut trail)? else {
                    break 'whole;
                };
                // After an escape the value is new, unless the input comes from no encoder.
                if model.contexts.count(trail.last.into(), value).count == 0 {
                    trail.nodes += 1;
                    model.open_pair(&mut trail, value);
                } else {
                    model.follow(&mut trail, value);
                }
                value
            };
            if model.contexts.count(pair, value).count == 0 {
                trail.nodes += 1;
            }
            *out.get_mut(len).ok_or(Refusal::Length)? = value;
            len += 1;
            if trail.is_full() {
                break;
            }
        }
    }
    if len == 0 { Err(Refusal::Length) } else { Ok(len) }
}

impl<'a> Decoder<'a> {
    fn new(input: &'a [u8]) -> Self {
        let mut bytes = [0; 4];
        let (first, rest) = input.split_at(input.len().min(4));
        bytes[..first.len()].copy_from_slice(first);
        Self { interval: Interval::FULL, ahead: u32::from_be_bytes(bytes), input: rest }
    }

    /// The byte that a context gives, if it is not an escape; counted there.
    #[inline(always)]
    fn symbol(&mut self, model: &mut Model, context: u16) -> Result<Option<u8>, Refusal> {
        let (escapes, total) = model.contexts.totals(context);
        let Some(unit) = self.interval.unit(total) else {
            return Ok(None);
        };
        match self.part(unit, escapes) {
            Part::Escape => {
                self.take_escape(unit, escapes);
                Ok(None)
            }
            Part::Code(code) => {
                let (value, seen) = model.contexts.find(context, code).ok_or(Refusal::BeyondContext)?;
                self.take(unit, escapes + seen.start, seen.count);
                Ok(Some(value))
            }
        }
    }

    /// The byte that the literals give, if it is not the end; counted there.
    #[inline(always)]
    fn literal(&mut self, model: &mut Model, trail: &mut Trail) -> Result<Option<u8>, Refusal> {
        let unit = self.interval.unit(model.literals.total()).ok_or(Refusal::BeyondLiterals)?;
        let Part::Code(code) = self.part(unit, END.into()) else {
            return Ok(None);
        };
        let at = model.literals.find(code).ok_or(Refusal::BeyondLiterals)?;
        let (share, is_new) = model.literals.count(at);
        self.take(unit, share.start, share.size);
        // Behind the step: whether it is new is hard to foresee, and a wrong guess only undoes what comes after it.
        if is_new {
            model.open(trail, at);
        }
        Ok(Some(at.value()))
    }

    /// ENet keeps 16 bits of the quotient. More than these come only from bytes that no encoder wrote, but from
    /// those they can lead back into a share.
    #[inline(always)]
    fn part(&self, unit: u32, escapes: u32) -> Part {
        if self.ahead < unit.wrapping_mul(escapes) {
            return Part::Escape;
        }
        let Some(code) = self.ahead.checked_div(unit) else {
            return Part::Escape;
        };
        match (code as u16).checked_sub(escapes as u16) {
            Some(code) => Part::Code(code),
            None => Part::Escape,
        }
    }

    #[inline(always)]
    fn take(&mut self, unit: u32, start: u32, size: u32) {
        self.interval = self.interval.narrow(unit, start, size);
        self.ahead = self.ahead.wrapping_sub(unit.wrapping_mul(start));
        let bits = self.interval.settled();
        self.fetch(bits);
        self.interval = self.interval.shift(bits);
        if self.interval.is_narrow() {
            let (bits, range) = self.interval.cut();
            self.fetch(bits);
            self.interval = self.interval.shift_to(bits, range);
        }
    }

    /// Takes an escape. Most are likely, and settle nothing. The processor foresees that, and can start on what
    /// comes next; [`Self::take`] would have to work it out first.
    #[inline(always)]
    fn take_escape(&mut self, unit: u32, escapes: u32) {
        let narrowed = self.interval.narrow(unit, 0, escapes);
        if narrowed.is_settled() || narrowed.is_narrow() {
            self.take(unit, 0, escapes);
        } else {
            self.interval = narrowed;
        }
    }

    /// Takes in `bits` of the input, up to 24.
    #[inline(always)]
    fn fetch(&mut self, bits: u32) {
        let len = bits as usize / 8 % 4;
        let (next, rest) = match self.input {
            [a, b, c, d, ..] => (u32::from_be_bytes([*a, *b, *c, *d]), &self.input[len..]),
            _ => last_bytes(self.input, len),
        };
        let wide = u64::from(self.ahead) << 32 | u64::from(next);
        self.ahead = ((wide << bits) >> 32) as u32;
        self.input = rest;
    }
}

/// The last bytes with zeros behind them, and what is left after `len` of them. By value, as an address that goes
/// out would keep the decoder out of the registers.
#[cold]
#[inline(never)]
fn last_bytes(input: &[u8], len: usize) -> (u32, &[u8]) {
    let mut bytes = [0; 4];
    for (to, from) in bytes.iter_mut().zip(input) {
        *to = *from;
    }
    (u32::from_be_bytes(bytes), input.get(len..).unwrap_or_default())
}
