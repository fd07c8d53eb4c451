//! Any datagrams into clients of the engine.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| nme_testing::fuzz_engine::engine_client_datagrams(input));
