//! The codecs against what real engines wrote, and against bytes that nobody wrote.

mod hostile;
mod vectors;

use proptest::prelude::*;

use super::{Compression, Stage, fuzz};

const MODES: [Compression; 4] =
    [Compression::RangeCoder, Compression::FastLz, Compression::Zlib, Compression::Zstd];

/// Bytes with repeats at all distances, runs and noise.
fn mixed_bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(0u8..4, 0..60),
        (any::<u8>(), 0usize..400).prop_map(|(byte, len)| vec![byte; len]),
    ];
    let piece = (piece, any::<prop::sample::Index>(), 0usize..300);
    prop::collection::vec(piece, 0..12).prop_map(move |pieces| {
        let mut bytes: Vec<u8> = Vec::new();
        for (new, from, len) in pieces {
            if !bytes.is_empty() {
                let start = from.index(bytes.len());
                let end = (start + len).min(bytes.len());
                bytes.extend_from_within(start..end);
            }
            bytes.extend(new);
        }
        bytes.truncate(max);
        bytes
    })
}

/// As docs/compression.md says.
#[test]
fn what_is_shorter_is_not_tried() {
    for (mode, shortest) in MODES.into_iter().zip([12, 16, 18, 25]) {
        let (alike, mut out) = ([0x86; 64], [0; 64]);
        let mut stage = Stage::new(mode).expect("a stage");
        assert_eq!(stage.compress(&alike[..shortest - 1], &mut out), None, "{mode:?}");
        assert!(stage.compress(&alike[..shortest + 4], &mut out).is_some(), "{mode:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_was_compressed_comes_back(bytes in mixed_bytes(1388)) {
        for mode in MODES {
            fuzz::round_trip(mode, &bytes);
        }
    }

    #[test]
    fn blocks_of_any_length_come_back(bytes in mixed_bytes(70_000)) {
        fuzz::fastlz_blocks(&bytes);
    }

    #[test]
    fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for mode in MODES {
            fuzz::decode(mode, &bytes);
        }
    }
}

#[test]
fn blocks_with_far_repeats_come_back() {
    let mut bytes: Vec<u8> = (0..8192_u32).map(|n| ((n * n) >> 7) as u8).collect();
    bytes.extend_from_within(..);
    bytes.extend_from_within(..4000);
    fuzz::fastlz_blocks(&bytes);
}
