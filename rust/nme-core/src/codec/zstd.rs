//! Zstandard (RFC 8878): one frame for each datagram, as any decoder reads it, with the size of the content.
//!
//! Both directions work in one pass from slice to slice. So the decoder needs no window of its own: it looks back
//! into the output, and whatever window a frame asks for costs no memory. The formats from before version 1.0
//! are not compiled in.

use zstd::bulk::{Compressor, Decompressor};

use super::{Codec, Scratch};

/// The codec of `COMPRESS_ZSTD`.
pub(super) struct Zstd {
    /// `None` when there was no memory for it.
    compressor: Option<Compressor<'static>>,
    decompressor: Option<Decompressor<'static>>,
    scratch: Scratch,
}

impl Zstd {
    pub(super) fn new() -> Self {
        Self {
            compressor: Compressor::new(LEVEL).ok(),
            decompressor: Decompressor::new().ok(),
            scratch: Scratch::new(),
        }
    }
}

impl Codec for Zstd {
    fn compress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        let compressor = self.compressor.as_mut()?;
        self.scratch.fill(out, |scratch| compressor.compress_to_buffer(input, scratch).ok())
    }

    fn decompress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        // No frame at all is valid for the library, and nothing that a datagram may be.
        if input.is_empty() {
            return None;
        }
        self.decompressor.as_mut()?.decompress_to_buffer(input, out).ok()
    }
}

/// The level of 3.6.
const LEVEL: i32 = 3;
