//! The codec stage around the headers of datagrams.

use nme_netem::Random;

use super::*;
use crate::guard::{Quotas, Role};

const MODES: [Compression; 4] =
    [Compression::RangeCoder, Compression::FastLz, Compression::Zlib, Compression::Zstd];

fn pipeline(compression: Compression) -> Pipeline {
    let guard = GuardConfig {
        role: Role::Server,
        slots: 4,
        mtu: MTU,
        peer_mtu: (MTU, MTU),
        max_packet: 1 << 20,
        quotas: Quotas::default(),
    };
    Pipeline::new(compression, guard, None)
}

/// What goes out for a datagram of the engine.
fn sent(pipeline: &mut Pipeline, datagram: &[u8]) -> Vec<u8> {
    let mut outbound = DatagramBatch::new();
    outbound.push(SocketAddr::from(([127, 0, 0, 1], 9)), datagram);
    pipeline.send(&mut outbound);
    let bytes = pipeline.ready().iter().map(|(_, bytes)| bytes.to_vec()).next().unwrap();
    pipeline.ready().clear();
    bytes
}

fn expanded(pipeline: &mut Pipeline, datagram: &[u8]) -> Result<Vec<u8>, Dropped> {
    let len = pipeline.expand(datagram)?;
    Ok(pipeline.scratch[..len].to_vec())
}

/// A reliable packet of `len` repeating bytes.
fn datagram(header: &[u8], len: u16) -> Vec<u8> {
    let [high, low] = len.to_be_bytes();
    let mut bytes = [header, &[0x86, 1, 0, 3, high, low]].concat();
    bytes.extend(b"state of the world; ".iter().cycle().take(len.into()));
    bytes
}

const TIMED: [u8; 4] = [0x80, 1, 0x4a, 0x31];
const UNTIMED: [u8; 2] = [0x10, 1];

#[test]
fn headers_stay_in_front_and_commands_come_back() {
    for mode in MODES {
        let mut pipeline = pipeline(mode);
        for header in [&TIMED[..], &UNTIMED] {
            for len in [40, 300, MTU - header.len() as u16 - 6] {
                let plain = datagram(header, len);
                let wire = sent(&mut pipeline, &plain);
                assert!(wire.len() < plain.len(), "{mode:?} {len}");
                assert_eq!(wire[0], header[0] | 0x40);
                assert_eq!(wire[1..header.len()], header[1..]);
                assert_eq!(expanded(&mut pipeline, &wire), Ok(plain), "{mode:?} {len}");
            }
        }
    }
}

#[test]
fn what_does_not_shrink_goes_out_and_comes_in_plain() {
    for mode in MODES {
        let mut pipeline = pipeline(mode);
        let ping = [&TIMED[..], &[0x85, 0xff, 0, 7]].concat();
        let noisy = [&UNTIMED[..], &[0x86, 1, 0, 3, 0, 200], &Random::new(1).bytes(200)].concat();
        for plain in [ping, noisy] {
            for _ in 0..20 {
                assert_eq!(sent(&mut pipeline, &plain), plain, "{mode:?}");
            }
            assert_eq!(expanded(&mut pipeline, &plain), Ok(plain), "{mode:?}");
        }
    }
}

#[test]
fn the_handshake_is_compressed_whatever_was_before() {
    let mut verify = vec![0x83, 0xff, 0, 1];
    verify.resize(44, 0);
    let verify = [&TIMED[..], &verify].concat();
    let noisy = [&UNTIMED[..], &Random::new(2).bytes(52)].concat();
    for mode in MODES {
        let mut pipeline = pipeline(mode);
        for _ in 0..200 {
            sent(&mut pipeline, &noisy);
            assert_ne!(sent(&mut pipeline, &verify)[0] & 0x40, 0, "{mode:?}");
        }
    }
}

#[test]
fn the_padding_of_3_6_is_gone_before_the_guard() {
    // A lone ping, padded to 16 bytes, in one copy instruction; 3.6 would send it plain.
    let mut padded = vec![0xc0, 1, 0x4a, 0x31, 15, 0x85, 0xff, 0, 7];
    padded.resize(4 + 1 + 16, 0);
    let plain = [&TIMED[..], &[0x85, 0xff, 0, 7]].concat();
    assert_eq!(expanded(&mut pipeline(Compression::FastLz), &padded), Ok(plain));
}

#[test]
fn damaged_datagrams_are_counted_by_reason() {
    for mode in MODES {
        let mut pipeline = pipeline(mode);
        // Both flags and nothing else: the header alone is longer.
        assert_eq!(expanded(&mut pipeline, &[0xc0, 1]), Err(Dropped::BadCompression), "{mode:?}");
        assert_eq!(expanded(&mut pipeline, &[0xc0, 1, 0, 0]), Err(Dropped::BadCompression), "{mode:?}");
        // Longer than any plain form may be.
        let long = [&[0x40, 1][..], &[0; MTU as usize]].concat();
        assert_eq!(expanded(&mut pipeline, &long), Err(Dropped::Oversized), "{mode:?}");
        // A bomb.
        let mut codec = Stage::new(mode).unwrap();
        let mut bomb = vec![0x40, 1];
        bomb.resize(2 + 4096, 0);
        let len = codec.compress(&[0; 3000], &mut bomb[2..]).unwrap();
        assert_eq!(expanded(&mut pipeline, &bomb[..2 + len]), Err(Dropped::BadCompression), "{mode:?}");
    }
    let compressed = [&[0x40, 1][..], &[0; 30]].concat();
    let mut none = pipeline(Compression::None);
    assert_eq!(expanded(&mut none, &compressed), Err(Dropped::UnexpectedCompression));
}
