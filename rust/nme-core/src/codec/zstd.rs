//! Zstandard (RFC 8878): one frame for each datagram, as any decoder reads it, with the size of the content.
//!
//! Both directions work in one pass from slice to slice. So the decoder needs no window of its own: it looks back
//! into the output, and whatever window a frame asks for costs no memory. The formats from before version 1.0
//! are not compiled in.

use zstd_safe::{CCtx, CParameter, DCtx, ResetDirective};

use super::{Codec, Scratch};

/// The codec of `COMPRESS_ZSTD`.
pub(super) struct Zstd {
    compressor: CCtx<'static>,
    decompressor: DCtx<'static>,
    scratch: Scratch,
}

impl Zstd {
    pub(super) fn new() -> Self {
        let mut compressor = CCtx::create();
        // Cannot fail before the first frame, and level 3 is the default anyway.
        let _ = compressor.set_parameter(CParameter::CompressionLevel(LEVEL));
        Self { compressor, decompressor: DCtx::create(), scratch: Scratch::new() }
    }
}

impl Codec for Zstd {
    fn compress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        self.scratch.fill(out, |scratch| {
            let result = self.compressor.compress2(scratch, input);
            if result.is_err() {
                // A frame that did not fit stays open otherwise.
                let _ = self.compressor.reset(ResetDirective::SessionOnly);
            }
            result.ok()
        })
    }

    fn decompress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        // No frame at all is valid for the library, and nothing that a datagram may be.
        if input.is_empty() {
            return None;
        }
        self.decompressor.decompress(out, input).ok()
    }
}

/// The level of 3.6.
const LEVEL: i32 = 3;
