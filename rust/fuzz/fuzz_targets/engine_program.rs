//! Two hosts of the engine over a link that loses, repeats and changes datagrams.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| nme_testing::fuzz_engine::engine_program(input));
