//! Any datagrams into a server of the engine, with peers in every state.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| nme_testing::fuzz_engine::engine_server_datagrams(input));
