//! What the engine reads of a datagram is written again as it was.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| nme_testing::fuzz_engine::wire_round_trip(input));
