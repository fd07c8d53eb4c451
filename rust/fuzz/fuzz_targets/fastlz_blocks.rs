//! FastLZ blocks of any length there and back.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| nme_testing::fuzz::fastlz_blocks(input));
