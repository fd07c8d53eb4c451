//! FastLZ: a byte-oriented LZ77, in the block format of FastLZ 0.5.
//!
//! A block is a row of instructions. The upper three bits of the first byte of each say which kind it is:
//!
//! | first byte | then | means |
//! |---|---|---|
//! | `000nnnnn` | n + 1 bytes | copy these bytes to the output |
//! | `lllddddd`, l = 1..=6 | `dddddddd` | repeat l + 2 bytes from the output, d + 1 bytes back |
//! | `111ddddd` | length, `dddddddd` | repeat 9 + length bytes, d + 1 bytes back |
//!
//! There is nothing to repeat at the start, so the first instruction is always a copy, and its upper bits tell
//! the level instead: 0 is level 1, 1 is level 2. Level 2 differs in long repeats: the length is a sum of bytes
//! that goes on behind each 255; and the distance 8192 means that two more bytes (big-endian) count the bytes
//! from there. C FastLZ writes level 2 for inputs of 64 KiB and more, which no datagram has, so it is only read.
//!
//! 3.6 fills inputs under 16 bytes with zeros before it compresses them: see [`padding`].

mod decode;
mod encode;
mod padding;
#[cfg(test)]
mod tests;

pub(super) use decode::decode;
pub(super) use encode::Encoder;
pub(super) use padding::PADDED_LEN;

use super::Codec;

/// The codec of `COMPRESS_FASTLZ`.
pub(super) struct FastLz(Encoder);

impl FastLz {
    pub(super) fn new() -> Self {
        Self(Encoder::new())
    }
}

impl Codec for FastLz {
    fn compress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        self.0.encode(input, out)
    }

    fn decompress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        let len = decode(input, out)?;
        Some(padding::without(out.get(..len)?))
    }
}

/// Farthest repeat of level 1.
const MAX_DISTANCE: usize = 8192;

/// Longest repeat of level 1.
const MAX_MATCH: usize = 264;

/// Shortest repeat that needs a length byte.
const LONG_MATCH: usize = 9;

/// Most bytes of one copy instruction.
const MAX_LITERALS: usize = 32;
