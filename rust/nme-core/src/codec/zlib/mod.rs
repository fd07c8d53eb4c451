//! Zlib streams (RFC 1950): a two-byte header, deflate blocks (RFC 1951), and the Adler-32 of the plain bytes.
//!
//! Both ways are our own, made for datagrams: at most [`LONGEST`] bytes that are there as a whole. Libraries are
//! made for long inputs: zlib allocates 256 KiB for each and clears much of it, libdeflate spends 6 to 8 µs on
//! clearing its tables and up to 2 µs on filling those of its decoder. Here the tables are as small as the datagram
//! allows, and branches that no processor can predict, half of the cost of zlib, are few. Nothing is allocated. The
//! result is as short as zlib's at its default level. From 1 KiB on libdeflate's decoder would be faster, by a fifth.
//!
//! | file | idea |
//! |---|---|
//! | [`symbols`] | the numbers of RFC 1951 |
//! | [`bits`] | writes and reads bits |
//! | [`tokens`], [`matcher`] | a datagram as literals and repeats of earlier bytes |
//! | [`huffman`] | the best code for given frequencies |
//! | [`header`] | how a block describes its codes |
//! | [`encode`] | one block: stored, with the fixed codes, or with its own |
//! | [`table`] | finds the symbol of the next bits |
//! | [`decode`] | reads blocks |

mod adler;
mod bits;
mod decode;
mod encode;
mod header;
mod huffman;
mod matcher;
mod symbols;
mod table;
#[cfg(test)]
mod tests;
mod tokens;

use super::Codec;
use crate::pipeline::MAX_DATAGRAM;
use adler::adler32;
use decode::Decoder;
use encode::Encoder;

/// The codec of `COMPRESS_ZLIB`.
pub(super) struct Zlib {
    encoder: Encoder,
    decoder: Decoder,
}

impl Zlib {
    pub(super) fn new() -> Self {
        Self { encoder: Encoder::new(), decoder: Decoder::new() }
    }
}

impl Codec for Zlib {
    fn compress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        let (header, rest) = out.split_first_chunk_mut()?;
        let room = rest.len().checked_sub(CHECKSUM_LEN)?;
        let len = self.encoder.encode(input, &mut rest[..room])?;
        *header = HEADER;
        rest[len..len + CHECKSUM_LEN].copy_from_slice(&adler32(input).to_be_bytes());
        Some(HEADER.len() + len + CHECKSUM_LEN)
    }

    /// As zlib does it, but that bytes behind the stream are no error.
    fn decompress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        let (header, blocks) = input.split_first_chunk()?;
        if !is_readable(*header) {
            return None;
        }
        let (read, written) = self.decoder.decode(blocks, out)?;
        let checksum = blocks.get(read..)?.first_chunk()?;
        (adler32(&out[..written]) == u32::from_be_bytes(*checksum)).then_some(written)
    }
}

/// True for deflate with a window of at most 32 KiB, no dictionary, and the right check bits.
fn is_readable(header: [u8; 2]) -> bool {
    let [method, flags] = header;
    let (method, window) = (method & 0x0f, method >> 4);
    method == 8 && window <= 7 && flags & 0x20 == 0 && u16::from_be_bytes(header).is_multiple_of(31)
}

/// What zlib writes at its default level: deflate, a window of 32 KiB.
const HEADER: [u8; 2] = [0x78, 0x9c];

const CHECKSUM_LEN: usize = 4;

/// Bytes of the longest input or output, a power of two: indexes are cut to it instead of checked.
const LONGEST: usize = MAX_DATAGRAM;
const _: () = assert!(LONGEST.is_power_of_two());

/// A datagram, and behind it room for reading and writing whole words.
type Window = [u8; 2 * LONGEST + WORD];

/// Bytes of a word.
const WORD: usize = 8;

fn new_window() -> Box<Window> {
    Box::new([0; 2 * LONGEST + WORD])
}

/// The word at an index below `2 * LONGEST`, its first byte lowest.
#[inline(always)]
fn word(window: &Window, at: usize) -> u64 {
    window[at & (2 * LONGEST - 1)..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Writes a word at an index below `2 * LONGEST`.
#[inline(always)]
fn set_word(window: &mut Window, at: usize, word: u64) {
    if let Some(place) = window[at & (2 * LONGEST - 1)..].first_chunk_mut() {
        *place = word.to_le_bytes();
    }
}
