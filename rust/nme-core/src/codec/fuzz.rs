//! Bodies of the fuzz targets, and the codecs for the benchmark. For this project only.

use super::fastlz::{self, PADDED_LEN};
use super::{Codec, Compression, Stage, codec};
use crate::endpoint::MAX_DATAGRAM;

/// A codec without the rule about what is worth a try.
pub struct Raw(Box<dyn Codec>);

impl Raw {
    /// The codec of a mode; `None` for plain datagrams.
    #[must_use]
    pub fn new(compression: Compression) -> Option<Self> {
        codec(compression).map(Self)
    }

    /// Compresses `input` into `out`; the bytes written, or `None` when they do not fit.
    pub fn compress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        self.0.compress(input, out)
    }

    /// Expands `input` into `out`; the bytes written, or `None` when the input is invalid or does not fit.
    pub fn decompress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        self.0.decompress(input, out)
    }
}

/// The length below which a mode does not try.
#[must_use]
pub const fn shortest(compression: Compression) -> usize {
    compression.shortest()
}

/// Any bytes, into outputs of several lengths.
///
/// # Panics
/// When the codec writes more than it was given room for, or remembers what it has read.
pub fn decode(compression: Compression, input: &[u8]) {
    // Two codecs with different histories have to agree.
    let (Some(mut up), Some(mut down)) = (Raw::new(compression), Raw::new(compression)) else { return };
    let rooms = [0, 1, 15, 16, 17, 512, MAX_PLAIN_BYTES, MAX_DATAGRAM];
    let ascending: Vec<_> = rooms.iter().map(|room| expand(&mut up, input, *room)).collect();
    let mut descending: Vec<_> = rooms.iter().rev().map(|room| expand(&mut down, input, *room)).collect();
    descending.reverse();
    assert_eq!(ascending, descending, "the codec remembers an earlier datagram");
}

/// Any bytes there and back: by the codec with much room and with too little, and as commands of a datagram.
///
/// # Panics
/// When other bytes come back, or the codec writes more than it was given room for.
pub fn round_trip(compression: Compression, input: &[u8]) {
    let input = &input[..input.len().min(MAX_PLAIN_BYTES)];
    if input.is_empty() {
        // Nobody sends a datagram without commands.
        return;
    }
    let (Some(mut raw), Some(mut stage)) = (Raw::new(compression), Stage::new(compression)) else { return };
    let shorter = input.len() - 1;
    // The second time the tables hold what the first one left.
    for _ in 0..2 {
        for room in [MAX_DATAGRAM, shorter, shorter / 2] {
            let compressed = shrink(input, room, |input, out| raw.compress(input, out));
            check(compression, &mut raw, input, compressed);
        }
        let compressed = shrink(input, shorter, |input, out| stage.compress(input, out));
        check(compression, &mut raw, input, compressed);
    }
}

/// What `compress` makes of the input when there is this much room.
fn shrink(
    input: &[u8],
    room: usize,
    compress: impl FnOnce(&[u8], &mut [u8]) -> Option<usize>,
) -> Option<Vec<u8>> {
    let mut out = vec![CANARY; room + 8];
    let len = compress(input, &mut out[..room])?;
    assert!(len <= room, "more than there is room for");
    assert_eq!(out[room..], [CANARY; 8], "written behind the output");
    out.truncate(len);
    Some(out)
}

/// What the codec expands the input to when there is this much room.
fn expand(raw: &mut Raw, input: &[u8], room: usize) -> Option<Vec<u8>> {
    shrink(input, room, |input, out| raw.decompress(input, out))
}

/// That `compressed`, if it came to that, gives `input` back.
fn check(compression: Compression, raw: &mut Raw, input: &[u8], compressed: Option<Vec<u8>>) {
    let Some(compressed) = compressed else { return };
    let plain = expand(raw, &compressed, MAX_DATAGRAM);
    // The one length where FastLZ takes zeros for padding.
    let padded = compression == Compression::FastLz && input.len() == PADDED_LEN;
    let kept = plain.as_ref().map_or(0, Vec::len);
    let expected = if padded && kept < PADDED_LEN { &input[..kept] } else { input };
    assert_eq!(plain.as_deref(), Some(expected), "other bytes came back");
    assert!(input[expected.len()..].iter().all(|byte| *byte == 0), "more than padding was cut off");
    assert_eq!(expand(raw, &compressed, input.len()), plain, "exactly enough room is not enough");
}

/// FastLZ blocks there and back, of any length and with any room, without the padding rule.
///
/// # Panics
/// When other bytes come back.
pub fn fastlz_blocks(input: &[u8]) {
    let mut encoder = fastlz::Encoder::new();
    let mut block = vec![0; input.len() + input.len() / 32 + 1];
    let mut plain = vec![0; input.len()];
    // The second time the tables hold what the first one left.
    for _ in 0..2 {
        let Some(len) = encoder.encode(input, &mut block) else {
            assert!(input.len() > u16::MAX.into(), "the longest form does not fit");
            return;
        };
        if !input.is_empty() {
            assert_eq!(fastlz::decode(&block[..len], &mut plain), Some(input.len()));
            assert!(plain == input, "other bytes came back");
            assert_eq!(encoder.encode(input, &mut vec![0; len - 1]), None, "written behind the output");
        }
    }
}

/// Commands of the longest datagram.
const MAX_PLAIN_BYTES: usize = 1388;

const CANARY: u8 = 0xa5;
