//! Datagrams of strangers to a server that judges who gets in.
#![no_main]

libfuzzer_sys::fuzz_target!(|program: &[u8]| nme_testing::fuzz_admission::admission(program));
