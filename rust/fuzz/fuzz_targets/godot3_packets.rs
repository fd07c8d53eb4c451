//! Any packets of two peers to one that has announced paths itself.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| nme_godot3::fuzz::packets(input));
