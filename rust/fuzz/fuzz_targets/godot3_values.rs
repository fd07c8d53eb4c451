//! Any bytes as a value of Godot 3.6; what is taken is written again as the same value.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| nme_godot3::fuzz::values(input));
