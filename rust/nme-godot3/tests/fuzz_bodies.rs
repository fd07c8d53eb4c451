//! The bodies of the fuzz targets, with recorded packets and random bytes.
mod common;

use common::packets_of_godot_3;
use nme_godot3::fuzz::{packets, values};
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn recorded_packets_run_through_the_targets() {
    for (_, packet) in packets_of_godot_3() {
        packets(&[&[0, u8::MAX][..], &packet].concat());
        let short = packet.len().min(254);
        packets(&[&[0, short as u8][..], &packet[..short], &[1, u8::MAX], &packet].concat());
        for start in 0..packet.len().min(40) {
            values(&packet[start..]);
        }
    }
}

/// Small numbers are what protocols are made of.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![0_u8..28, any::<u8>(), Just(0)]
}

proptest! {
    #[test]
    fn random_bytes_run_through_the_targets(bytes in vec(byte(), 0..200)) {
        packets(&bytes);
        values(&bytes);
        for kind in 0..27 {
            values(&[&[kind, 0, 0, 0][..], &bytes].concat());
        }
        for command in 0..5 {
            packets(&[&[1, u8::MAX, command][..], &bytes].concat());
        }
    }
}
