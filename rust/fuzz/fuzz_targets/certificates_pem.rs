//! Any text as a key and as certificates.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nme_dtls::fuzz::pem(bytes));
