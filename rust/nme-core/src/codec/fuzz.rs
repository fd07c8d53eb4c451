//! Bodies of the fuzz targets, and the codecs for the benchmark. For this project only.

use super::{Codec, Compression, Stage, codec, fastlz};

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
/// When the codec writes more than it was given room for, or answers a repeated question differently.
pub fn decode(compression: Compression, input: &[u8]) {
    let Some(mut raw) = Raw::new(compression) else { return };
    for room in [0, 1, 15, 16, 17, 512, MOST, MOST + 2708] {
        let mut out = vec![CANARY; room + 8];
        let len = raw.decompress(input, &mut out[..room]);
        assert!(len.is_none_or(|len| len <= room), "more than there is room for");
        assert_eq!(out[room..], [CANARY; 8], "written behind the output");
        let again = Raw::new(compression).and_then(|mut new| new.decompress(input, &mut out[..room]));
        assert_eq!(len, again, "the codec remembers an earlier datagram");
    }
}

/// Any bytes there and back, as commands of a datagram.
///
/// # Panics
/// When other bytes come back, or the codec writes more than it was given room for.
pub fn round_trip(compression: Compression, input: &[u8]) {
    let input = &input[..input.len().min(MOST)];
    let Some(mut stage) = Stage::new(compression) else { return };
    let mut compressed = [CANARY; MOST + 8];
    for _ in 0..2 {
        let Some(len) = stage.compress(input, &mut compressed[..MOST]) else { continue };
        assert!(len < input.len(), "not smaller");
        assert_eq!(compressed[MOST..], [CANARY; 8], "written behind the output");
        let mut plain = [0; MOST];
        let plain_len = stage.decompress(&compressed[..len], &mut plain);
        // The one length where FastLZ takes zeros for padding.
        let padded = compression == Compression::FastLz && input.len() == 16;
        let expected = if padded { &input[..plain_len.unwrap_or_default()] } else { input };
        assert_eq!(plain_len.map(|plain_len| &plain[..plain_len]), Some(expected), "other bytes came back");
        assert!(input[expected.len()..].iter().all(|byte| *byte == 0), "more than padding was cut off");
        // Exactly enough room is enough.
        assert_eq!(stage.decompress(&compressed[..len], &mut plain[..input.len()]), plain_len);
    }
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
const MOST: usize = 1388;

const CANARY: u8 = 0xa5;
