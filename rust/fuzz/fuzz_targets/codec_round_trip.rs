//! Any bytes there and back through each codec; the first byte chooses it.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| nme_testing::fuzz::codec_round_trip(input));
