//! Datagrams of strangers into sessions that must not notice.
#![no_main]

libfuzzer_sys::fuzz_target!(|program: &[u8]| nme_testing::fuzz::stranger_datagrams(program));
