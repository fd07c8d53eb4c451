//! The decoder, for both levels.

use super::{LONG_MATCH, MAX_DISTANCE, MAX_LITERALS};

/// Expands `block` into `out`: the bytes written, or `None` when the block is damaged or does not fit.
///
/// Every instruction but a level 2 length byte writes at least one byte, so that the time is bounded by the sum
/// of both lengths.
pub(in crate::codec) fn decode(block: &[u8], out: &mut [u8]) -> Option<usize> {
    let (&first, mut rest) = block.split_first()?;
    let level2 = match first >> 5 {
        0 => false,
        1 => true,
        _ => return None,
    };
    let mut at = literals(first & 0x1f, &mut rest, out, 0)?;
    while let Some((&code, behind)) = rest.split_first() {
        rest = behind;
        at = match code >> 5 {
            0 => literals(code, &mut rest, out, at)?,
            _ => {
                let (len, distance) = repetition(code, &mut rest, level2)?;
                repeat(out, at, len, distance)?
            }
        };
    }
    Some(at)
}

/// Copies the bytes behind a copy instruction; the new length of the output.
fn literals(code: u8, rest: &mut &[u8], out: &mut [u8], at: usize) -> Option<usize> {
    let len = usize::from(code) + 1;
    let room = out.get_mut(at..)?;
    match (rest.first_chunk::<MAX_LITERALS>(), room.first_chunk_mut::<MAX_LITERALS>()) {
        // The most there can be, in one go: see `repeat`.
        (Some(bytes), Some(place)) => *place = *bytes,
        _ => room.get_mut(..len)?.copy_from_slice(rest.get(..len)?),
    }
    *rest = &rest[len..];
    Some(at + len)
}

/// Reads length and distance of a repeat instruction.
fn repetition(code: u8, rest: &mut &[u8], level2: bool) -> Option<(usize, usize)> {
    let mut len = usize::from(code >> 5) + 2;
    let high = usize::from(code & 0x1f);
    if len == LONG_MATCH {
        loop {
            let more = next(rest)?;
            len += usize::from(more);
            if !level2 || more != 255 {
                break;
            }
        }
    }
    let mut distance = (high << 8) + usize::from(next(rest)?) + 1;
    if level2 && distance == MAX_DISTANCE {
        let far = [next(rest)?, next(rest)?];
        distance += usize::from(u16::from_be_bytes(far));
    }
    Some((len, distance))
}

/// Appends `len` bytes that begin `distance` bytes before the end; they may overlap what is being written.
fn repeat(out: &mut [u8], at: usize, len: usize, distance: usize) -> Option<usize> {
    let start = at.checked_sub(distance)?;
    let end = at.checked_add(len)?;
    if end > out.len() {
        return None;
    }
    if distance == 1 {
        let byte = out[start];
        out[at..end].fill(byte);
    } else if distance >= STRIDE && end + STRIDE <= out.len() {
        // In steps of a fixed length, which are far cheaper than a call for a few bytes. What the last one
        // writes too much is written over by the next instruction, or is no part of the result.
        let window = &mut out[start..end + STRIDE];
        for step in (0..len).step_by(STRIDE) {
            window.copy_within(step..step + STRIDE, distance + step);
        }
    } else {
        // A distance below the length repeats a pattern: what is there doubles with each copy.
        let window = &mut out[start..end];
        let mut known = distance;
        while known < window.len() {
            let part = known.min(window.len() - known);
            window.copy_within(..part, known);
            known += part;
        }
    }
    Some(end)
}

fn next(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, behind) = rest.split_first()?;
    *rest = behind;
    Some(byte)
}

/// Bytes copied at once.
const STRIDE: usize = 8;
