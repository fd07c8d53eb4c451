//! The encoder, for level 1.
//!
//! At each position a hash of the next three bytes finds the last two positions with the same ones; the longer
//! match is taken. C FastLZ looks at one earlier position only, and at none in the last 12 bytes. What looking
//! further costs here, clearing a table of 64 KiB for each input costs there.

use super::{LONG_MATCH, MAX_DISTANCE, MAX_LITERALS, MAX_MATCH, MIN_MATCH};

/// The encoder with its table, made once: clearing it for each datagram would cost more than a small datagram.
pub(in crate::codec) struct Encoder {
    /// The last positions with each hash, newest first, counted from `base`. Lower ones are of earlier inputs.
    recent: Box<[[u32; 2]; 1 << HASH_BITS]>,
    base: u32,
}

/// A repeat that is possible at some position.
#[derive(Clone, Copy)]
struct Match {
    len: usize,
    distance: usize,
}

impl Encoder {
    pub(in crate::codec) fn new() -> Self {
        Self { recent: Box::new([[0; 2]; 1 << HASH_BITS]), base: FIRST_BASE }
    }

    /// Compresses `input` into `out`: the bytes written, or `None` when they do not fit or the input is 64 KiB
    /// or longer.
    pub(in crate::codec) fn encode(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        let input_len = u16::try_from(input.len()).ok()?;
        if self.base > u32::MAX - 2 * u32::from(u16::MAX) {
            *self = Self::new();
        }
        let result = self.encode_from_base(input, out);
        self.base += u32::from(input_len) + 1;
        result
    }

    fn encode_from_base(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        let mut writer = Writer { out, len: 0 };
        // Everything before `done` is written.
        let (mut done, mut at) = (0, 0);
        while at < input.len() {
            let Some(found) = self.visit(input, at) else {
                // The longer nothing repeats, the less often it is looked for.
                at += 1 + ((at - done) >> PATIENCE_BITS);
                continue;
            };
            // Even three bytes are worth it: a repeat of two and the copy instruction that has to begin anew behind
            // it take as much, and the copy instruction often had to end anyway.
            writer.literals(&input[done..at])?;
            writer.repeat(found)?;
            done = at + found.len;
            for position in (at + 1).max(done - 2)..done {
                self.insert(input, position);
            }
            at = done;
        }
        writer.literals(&input[done..])?;
        Some(writer.len)
    }

    /// Enters a position into the table and gives the best match there.
    fn visit(&mut self, input: &[u8], at: usize) -> Option<Match> {
        let candidates = self.insert(input, at)?;
        let rest = input.get(at..)?;
        let rest = &rest[..rest.len().min(MAX_MATCH)];
        let mut best = Match { len: MIN_MATCH - 1, distance: 0 };
        for candidate in candidates {
            let Some(earlier) = candidate.checked_sub(self.base) else { break };
            let earlier = earlier as usize;
            let distance = at - earlier;
            if distance > MAX_DISTANCE || best.len == rest.len() {
                break;
            }
            // Only what has the next byte too can be longer.
            if input[earlier + best.len] == rest[best.len] {
                let len = common_len(&input[earlier..], rest);
                if len > best.len {
                    best = Match { len, distance };
                }
            }
        }
        (best.distance != 0).then_some(best)
    }

    /// Enters a position into the table; those that were there before.
    fn insert(&mut self, input: &[u8], at: usize) -> Option<[u32; 2]> {
        let bytes = input.get(at..)?.first_chunk::<MIN_MATCH>()?;
        let [a, b, c] = bytes.map(u32::from);
        let hash = (a | b << 8 | c << 16).wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS);
        let bucket = &mut self.recent[hash as usize];
        let before = *bucket;
        *bucket = [self.base + at as u32, before[0]];
        Some(before)
    }
}

/// How many bytes both begin with.
fn common_len(mut a: &[u8], mut b: &[u8]) -> usize {
    let mut len = 0;
    while let (Some((x, more_a)), Some((y, more_b))) = (a.split_first_chunk(), b.split_first_chunk()) {
        let difference = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if difference != 0 {
            return len + (difference.trailing_zeros() / 8) as usize;
        }
        len += 8;
        (a, b) = (more_a, more_b);
    }
    len + a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

/// Writes instructions as long as there is room.
struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl Writer<'_> {
    fn literals(&mut self, bytes: &[u8]) -> Option<()> {
        for run in bytes.chunks(MAX_LITERALS) {
            let place = self.out.get_mut(self.len..self.len + 1 + run.len())?;
            place[0] = (run.len() - 1) as u8;
            place[1..].copy_from_slice(run);
            self.len += place.len();
        }
        Some(())
    }

    fn repeat(&mut self, found: Match) -> Option<()> {
        let [high, low] = ((found.distance - 1) as u16).to_be_bytes();
        let place = if found.len < LONG_MATCH {
            let place = self.out.get_mut(self.len..self.len + 2)?;
            place.copy_from_slice(&[((found.len - 2) << 5) as u8 | high, low]);
            place
        } else {
            let place = self.out.get_mut(self.len..self.len + 3)?;
            place.copy_from_slice(&[7 << 5 | high, (found.len - LONG_MATCH) as u8, low]);
            place
        };
        self.len += place.len();
        Some(())
    }
}

/// Buckets of the table, as a power of two: about as many as a datagram has positions.
const HASH_BITS: u32 = 12;

/// Bytes without a match, as a power of two, after which the step between looks grows by one.
const PATIENCE_BITS: u32 = 6;

/// Above every entry of a new table.
const FIRST_BASE: u32 = 1;
