//! Any datagrams into connected, half-open and asking sessions.
#![no_main]

libfuzzer_sys::fuzz_target!(|program: &[u8]| nme_testing::fuzz::session_datagrams(program));
