//! Looks for repeats.
//!
//! At each position a hash of the next bytes finds the last two positions with the same one. Which of them goes on
//! longer is seen from the next words, without a branch: random branches would cost more than the rest. A repeat is
//! put off if the next position has a longer one, as zlib does it.

use super::symbols::{MAX_MATCH, MIN_MATCH};
use super::tokens::Tokens;
use super::{LONGEST, WORD, Window, new_window, word};

/// Turns datagrams into tokens.
pub(super) struct Matcher {
    /// The datagram, from 1 on: position 0 stands for none.
    window: Box<Window>,
    end: usize,
    /// For each hash the last two positions, the newer one in the lower half.
    recent: Box<[u32; 1 << MOST_HASH_BITS]>,
    hash_bits: u32,
    /// The shortest repeat that is looked for: as many bytes are hashed.
    shortest: usize,
    tokens: Tokens,
}

/// A repeat; `len` is 0 if there is none.
#[derive(Clone, Copy)]
struct Match {
    len: usize,
    distance: usize,
}

impl Matcher {
    pub(super) fn new() -> Self {
        Self {
            window: new_window(),
            end: 0,
            recent: Box::new([0; 1 << MOST_HASH_BITS]),
            hash_bits: 0,
            shortest: MIN_MATCH,
            tokens: Tokens::new(),
        }
    }

    /// The tokens of an input, or `None` when it is too long.
    pub(super) fn tokens(&mut self, input: &[u8]) -> Option<&Tokens> {
        if input.len() > LONGEST {
            return None;
        }
        self.end = 1 + input.len();
        self.window[1..self.end].copy_from_slice(input);
        self.window[self.end..self.end + WORD].fill(0);
        // As many buckets as positions or a few more: all have to be cleared.
        self.hash_bits = (usize::BITS - input.len().leading_zeros()).clamp(1, MOST_HASH_BITS);
        self.recent[..1 << self.hash_bits].fill(0);
        self.shortest = if input.len() < LONG_INPUT { MIN_MATCH } else { MIN_MATCH + 1 };
        self.tokens.clear();
        self.parse();
        Some(&self.tokens)
    }

    fn parse(&mut self) {
        let mut at = 1;
        let mut found = self.visit(at);
        while at < self.end {
            let mut seen = at + 1;
            if found.len != 0 && found.len < LONG_ENOUGH {
                let later = self.visit(at + 1);
                seen += 1;
                if later.len > found.len {
                    self.tokens.literal(self.window[at]);
                    (at, found) = (at + 1, later);
                    continue;
                }
            }
            if found.len == 0 {
                self.tokens.literal(self.window[at]);
                at += 1;
            } else {
                self.tokens.repeat(found.len, found.distance);
                at += found.len;
                for inside in seen..at {
                    self.enter(inside);
                }
            }
            found = self.visit(at);
        }
    }

    /// Enters a position; its word, and the bucket as it was before.
    #[inline(always)]
    fn enter(&mut self, at: usize) -> (u64, u32) {
        let word = word(&self.window, at);
        let hashed = (word as u32) << (8 * (4 - self.shortest));
        let hash = hashed.wrapping_mul(0x9E37_79B1) >> (32 - self.hash_bits);
        let bucket = &mut self.recent[hash as usize % (1 << MOST_HASH_BITS)];
        let before = *bucket;
        *bucket = before << 16 | at as u32;
        (word, before)
    }

    /// Enters a position and gives the longest repeat there, of several the nearest.
    #[inline(always)]
    fn visit(&mut self, at: usize) -> Match {
        let (word, bucket) = self.enter(at);
        let mut best = 0;
        for candidate in candidates(bucket) {
            // How many bytes are the same, at most seven; below that the position, which decides between equals.
            let difference = word ^ self::word(&self.window, candidate.into()) | 1 << 63;
            best = best.max((difference.trailing_zeros() & !7) << 16 | u32::from(candidate));
        }
        let (len, candidate) = ((best >> 19) as usize, (best & 0xffff) as usize);
        if len < self.shortest || candidate == 0 {
            return NO_MATCH;
        }
        if len == WORD - 1 {
            return self.longest(at, bucket);
        }
        // The zeros behind the end may look like a repeat too.
        let len = len.min(self.end - at);
        if len < self.shortest { NO_MATCH } else { Match { len, distance: at - candidate } }
    }

    /// The longest repeat of a bucket where one word does not tell.
    #[inline(never)]
    fn longest(&self, at: usize, bucket: u32) -> Match {
        let mut best = NO_MATCH;
        for candidate in candidates(bucket).into_iter().map(usize::from).filter(|candidate| *candidate != 0) {
            let len = self.common_len(candidate, at);
            if len > best.len {
                best = Match { len, distance: at - candidate };
            }
        }
        if best.len < self.shortest { NO_MATCH } else { best }
    }

    /// How many bytes are the same from two positions on.
    fn common_len(&self, earlier: usize, at: usize) -> usize {
        let most = MAX_MATCH.min(self.end - at);
        let mut len = 0;
        while len < most {
            let difference = word(&self.window, earlier + len) ^ word(&self.window, at + len);
            if difference != 0 {
                len += (difference.trailing_zeros() / 8) as usize;
                break;
            }
            len += WORD;
        }
        len.min(most)
    }
}

/// The positions in a bucket, the newer one first.
#[inline(always)]
fn candidates(bucket: u32) -> [u16; 2] {
    [bucket as u16, (bucket >> 16) as u16]
}

const NO_MATCH: Match = Match { len: 0, distance: 0 };

/// From this length on a repeat is taken without a look at the next position.
const LONG_ENOUGH: usize = 16;

/// Hash buckets for long datagrams, as a power of two.
const MOST_HASH_BITS: u32 = 11;

/// Inputs from this length on mostly get codes of their own, with which three literals cost less than a repeat.
const LONG_INPUT: usize = 512;
