//! Questions and answers without a connection, read from anything.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nme_testing::fuzz::query_datagrams(bytes));
