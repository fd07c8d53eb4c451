//! Any bytes there and back through Zstandard.
#![no_main]

use nme_testing::fuzz::{Compression, round_trip};

libfuzzer_sys::fuzz_target!(|input: &[u8]| round_trip(Compression::Zstd, input));
