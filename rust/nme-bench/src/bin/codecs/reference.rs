//! The ways to compress that are compared.

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress};
use nme_core::codec::Compression;
use nme_core::codec::fuzz::Raw;
use rusty_enet::Compressor;

/// Compresses or expands a slice into another one; 0 when it fails.
pub(crate) type Call = Box<dyn FnMut(&[u8], &mut [u8]) -> usize>;

/// A way to compress, and its opposite.
pub(crate) struct Way {
    pub(crate) label: &'static str,
    pub(crate) compress: Call,
    pub(crate) decompress: Call,
}

/// Ours, without the rule about what is worth a try.
pub(crate) fn ours(mode: Compression) -> Option<Way> {
    let (mut encoder, mut decoder) = (Raw::new(mode)?, Raw::new(mode)?);
    Some(Way {
        label: "ours",
        compress: Box::new(move |input, out| encoder.compress(input, out).unwrap_or(0)),
        decompress: Box::new(move |input, out| decoder.decompress(input, out).unwrap_or(0)),
    })
}

/// What a mode is compared with. For FastLZ there is no well-kept crate of the C code, only the engine.
pub(crate) fn other(mode: Compression) -> Option<Way> {
    match mode {
        Compression::RangeCoder => Some(range_coder()),
        Compression::Zlib => Some(zlib()),
        Compression::Zstd => Some(zstd()),
        Compression::None | Compression::FastLz => None,
    }
}

/// ENet's range coder, as rusty_enet translated it.
fn range_coder() -> Way {
    let mut encoder = rusty_enet::RangeCoder::new();
    let mut decoder = rusty_enet::RangeCoder::new();
    Way {
        label: "rusty_enet",
        compress: Box::new(move |input, out| encoder.compress(&[input], input.len(), out)),
        decompress: Box::new(move |input, out| decoder.decompress(input, out)),
    }
}

/// Zlib at its default level, made anew for each datagram.
fn zlib() -> Way {
    Way {
        label: "zlib, new each time",
        compress: Box::new(|input, out| {
            let mut context = Compress::new(flate2::Compression::new(6), true);
            let result = context.compress(input, out, FlushCompress::Finish);
            result.map_or(0, |_| context.total_out() as usize)
        }),
        decompress: Box::new(|input, out| {
            let mut context = Decompress::new(true);
            let result = context.decompress(input, out, FlushDecompress::Finish);
            result.map_or(0, |_| context.total_out() as usize)
        }),
    }
}

/// Zstd at level 3, made anew for each datagram.
fn zstd() -> Way {
    Way {
        label: "zstd, new each time",
        compress: Box::new(|input, out| zstd::bulk::compress_to_buffer(input, out, 3).unwrap_or(0)),
        decompress: Box::new(|input, out| zstd::bulk::decompress_to_buffer(input, out).unwrap_or(0)),
    }
}
