//! Any bytes into the decoder of ENet's range coder.
#![no_main]

use nme_testing::fuzz::{Compression, decode};

libfuzzer_sys::fuzz_target!(|input: &[u8]| decode(Compression::RangeCoder, input));
