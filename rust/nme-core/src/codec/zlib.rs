//! Zlib streams (RFC 1950): a two-byte header, deflate blocks (RFC 1951), and the Adler-32 of the plain bytes.
//!
//! By libdeflate: zlib works on streams, while a datagram is there as a whole. On datagrams of 1 KiB that is two to
//! four times cheaper than zlib and zlib-rs with reused contexts, at the same size. On short ones there is little
//! between them: each clears tables made for long inputs, which takes libdeflate 6 to 8 µs.

use libdeflater::{CompressionLvl, Compressor, Decompressor};

use super::{Codec, Scratch};

/// The codec of `COMPRESS_ZLIB`.
pub(super) struct Zlib {
    small: Compressor,
    large: Compressor,
    decompressor: Decompressor,
    scratch: Scratch,
}

impl Zlib {
    pub(super) fn new() -> Self {
        Self {
            small: Compressor::new(level(SMALL_LEVEL)),
            large: Compressor::new(level(LARGE_LEVEL)),
            decompressor: Decompressor::new(),
            scratch: Scratch::new(),
        }
    }
}

impl Codec for Zlib {
    fn compress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        let compressor = if input.len() < LARGE { &mut self.small } else { &mut self.large };
        self.scratch.fill(out, |scratch| compressor.zlib_compress(input, scratch).ok())
    }

    fn decompress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        self.decompressor.zlib_decompress(input, out).ok()
    }
}

fn level(level: i32) -> CompressionLvl {
    CompressionLvl::new(level).unwrap_or_default()
}

/// Inputs from this length on are compressed with [`LARGE_LEVEL`].
const LARGE: usize = 192;

/// For short inputs. libdeflate does not try at all below a length that falls with the level: 20 bytes at this
/// one, 52 at level 1, where CONNECT (48 bytes) would stay plain. What it costs is clearing the tables, whose
/// size is the same from level 2 on.
const SMALL_LEVEL: i32 = 9;

/// For long inputs: cheaper by a quarter, and within 1 % of zlib's level 6 on them.
const LARGE_LEVEL: i32 = 1;
