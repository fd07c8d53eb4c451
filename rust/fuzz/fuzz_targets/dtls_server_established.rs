//! Any datagrams at a server that has an association.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nme_dtls::fuzz::gate::established(bytes));
