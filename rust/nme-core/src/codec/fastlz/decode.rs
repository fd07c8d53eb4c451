//! The decoder, for both levels. Nearly all instructions are about a few bytes, so it avoids calls and loops whose
//! length depends on the instruction: a processor guesses such lengths, and each wrong guess costs more than some
//! bytes copied too many.

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
    if let (Some(bytes), Some(place)) =
        (rest.first_chunk::<MAX_LITERALS>(), room.first_chunk_mut::<MAX_LITERALS>())
    {
        // The most there can be: see `repeat`. In halves, or the compiler makes one call of this and what is below.
        let (first, second) = bytes.split_at(MAX_LITERALS / 2);
        place[..MAX_LITERALS / 2].copy_from_slice(first);
        place[MAX_LITERALS / 2..].copy_from_slice(second);
    } else if len <= SHORT
        && let (Some(bytes), Some(place)) = (rest.first_chunk::<SHORT>(), room.first_chunk_mut::<SHORT>())
    {
        *place = *bytes;
    } else {
        room.get_mut(..len)?.copy_from_slice(rest.get(..len)?);
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
    if len <= SHORT
        && let Some(window) = out.get_mut(start..at + SHORT)
    {
        // Byte by byte: what is read was often just written, by several instructions, and then a processor has to
        // wait before it can read it in one piece. What is too much is written over by the next instruction, or is
        // no part of the result.
        for index in 0..SHORT {
            window[distance + index] = window[index];
        }
    } else {
        // A distance below the length repeats a pattern: what is there doubles with each copy.
        let window = out.get_mut(start..end)?;
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

/// The longest repeat without a length byte. Copies of that length take one step, too.
const SHORT: usize = LONG_MATCH - 1;
