//! Any datagrams at a server while a handshake is in progress.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nme_dtls::fuzz::gate::half_open(bytes));
