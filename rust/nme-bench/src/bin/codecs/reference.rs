//! What ours is compared with.

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress};
use rusty_enet::Compressor;

/// Compresses or expands a slice into another one; 0 when it fails.
pub(crate) type Call = Box<dyn FnMut(&[u8], &mut [u8]) -> usize>;

/// A way to compress, and its opposite.
pub(crate) struct Reference {
    pub(crate) label: &'static str,
    pub(crate) compress: Call,
    pub(crate) decompress: Call,
}

/// ENet's range coder, as rusty_enet translated it.
pub(crate) fn range_coder() -> Reference {
    let mut encoder = rusty_enet::RangeCoder::new();
    let mut decoder = rusty_enet::RangeCoder::new();
    Reference {
        label: "rusty_enet",
        compress: Box::new(move |input, out| encoder.compress(&[input], input.len(), out)),
        decompress: Box::new(move |input, out| decoder.decompress(input, out)),
    }
}

/// The original zlib at its default level, made anew for each datagram.
pub(crate) fn zlib() -> Reference {
    Reference {
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
pub(crate) fn zstd() -> Reference {
    Reference {
        label: "zstd, new each time",
        compress: Box::new(|input, out| zstd_safe::compress(out, input, 3).unwrap_or(0)),
        decompress: Box::new(|input, out| zstd_safe::decompress(out, input).unwrap_or(0)),
    }
}
