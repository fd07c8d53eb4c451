//! Zlib streams (RFC 1950), one for each datagram, as 3.6 writes them, with a window of 32 KiB.
//!
//! 3.6 makes a new context for every datagram. Here both contexts are made once and reset, which costs a fraction.

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

use super::Codec;

/// The codec of `COMPRESS_ZLIB`.
pub(super) struct Zlib {
    compressor: Compress,
    decompressor: Decompress,
}

impl Zlib {
    pub(super) fn new() -> Self {
        let level = flate2::Compression::new(LEVEL);
        Self { compressor: Compress::new(level, WITH_HEADER), decompressor: Decompress::new(WITH_HEADER) }
    }
}

impl Codec for Zlib {
    fn compress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        self.compressor.reset();
        let status = self.compressor.compress(input, out, FlushCompress::Finish).ok()?;
        (status == Status::StreamEnd).then(|| self.compressor.total_out() as usize)
    }

    /// Bytes behind the stream are no error, as in 3.6.
    fn decompress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        self.decompressor.reset(WITH_HEADER);
        let status = self.decompressor.decompress(input, out, FlushDecompress::Finish).ok()?;
        (status == Status::StreamEnd).then(|| self.decompressor.total_out() as usize)
    }
}

/// As short as zlib's default level. This library's own level 6 leaves out repeats of three bytes, which is a tenth of
/// the shortest datagrams.
const LEVEL: u32 = 9;

const WITH_HEADER: bool = true;

#[cfg(test)]
mod tests {
    use super::*;

    fn compress(plain: &[u8], flush: FlushCompress) -> Vec<u8> {
        let mut out = vec![0; plain.len() + 100];
        let mut context = Compress::new(flate2::Compression::new(LEVEL), WITH_HEADER);
        // A flush in the middle begins another block.
        let (first, last) = plain.split_at(plain.len() / 2);
        context.compress(first, &mut out, flush).unwrap();
        let written = context.total_out() as usize;
        context.compress(last, &mut out[written..], FlushCompress::Finish).unwrap();
        out.truncate(context.total_out() as usize);
        out
    }

    fn expand(stream: &[u8]) -> Option<Vec<u8>> {
        let mut out = vec![0; 4096];
        let len = Zlib::new().decompress(stream, &mut out)?;
        out.truncate(len);
        Some(out)
    }

    #[test]
    fn every_header_of_zlib_is_read_and_no_other() {
        let mut stream = compress(b"abc", FlushCompress::None);
        let mut taken = 0;
        for header in 0..=u16::MAX {
            stream[..2].copy_from_slice(&header.to_be_bytes());
            taken += u32::from(expand(&stream).is_some());
        }
        // Eight sizes of the window with four levels; none with a dictionary.
        assert_eq!(taken, 32);
    }

    #[test]
    fn several_blocks_are_read() {
        let plain = b"positions, positions, and a line of chat ".repeat(20);
        for flush in [FlushCompress::None, FlushCompress::Partial, FlushCompress::Sync, FlushCompress::Full] {
            assert_eq!(expand(&compress(&plain, flush)).as_ref(), Some(&plain), "{flush:?}");
        }
    }

    #[test]
    fn bytes_behind_the_stream_are_left_alone() {
        let stream = [compress(b"abcabcabcabcabc", FlushCompress::None), vec![1, 2, 3]].concat();
        assert_eq!(expand(&stream).as_deref(), Some(&b"abcabcabcabcabc"[..]));
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let mut codec = Zlib::new();
        for plain in [b"a".repeat(1388), (0..=255).collect(), b"abcabcabcabcabc".to_vec()] {
            let mut whole = vec![0; plain.len() + 100];
            let len = codec.compress(&plain, &mut whole).unwrap();
            for room in 0..len {
                assert_eq!(codec.compress(&plain, &mut vec![0; room]), None, "{room}");
            }
            let mut out = vec![0; len];
            assert_eq!(codec.compress(&plain, &mut out), Some(len));
            assert_eq!(out, whole[..len]);
        }
    }
}
