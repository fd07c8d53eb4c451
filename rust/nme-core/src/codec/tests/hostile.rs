//! Damaged, oversized and foreign input.

use super::super::codec;
use super::{Compression, MODES};

const MAX_PLAIN_BYTES: usize = 1388;

fn text() -> Vec<u8> {
    b"the quick brown fox jumps over the lazy dog; ".iter().copied().cycle().take(MAX_PLAIN_BYTES).collect()
}

fn compressed(mode: Compression, plain: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 2 * MAX_PLAIN_BYTES];
    let len = codec(mode).unwrap().compress(plain, &mut out).unwrap();
    out.truncate(len);
    out
}

fn expand(mode: Compression, bytes: &[u8], room: usize) -> Option<usize> {
    codec(mode).unwrap().decompress(bytes, &mut vec![0; room])
}

#[test]
fn what_is_cut_off_is_refused_or_shorter() {
    for mode in MODES {
        let whole = compressed(mode, &text());
        for len in 0..whole.len() {
            let result = expand(mode, &whole[..len], MAX_PLAIN_BYTES);
            match mode {
                Compression::Zlib | Compression::Zstd => assert_eq!(result, None, "{mode:?} {len}"),
                // These have no checksum and no length of their own.
                _ => assert!(result.is_none_or(|result| result <= MAX_PLAIN_BYTES), "{mode:?} {len}"),
            }
        }
    }
}

#[test]
fn damaged_bytes_are_refused_by_the_checksum() {
    let whole = compressed(Compression::Zlib, &text());
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        // The lowest bit: others of the last byte may be padding.
        damaged[at] ^= 0x01;
        // Bits of the header that say how hard the encoder tried are not checked against anything.
        assert!(
            at < 2 || expand(Compression::Zlib, &damaged, MAX_PLAIN_BYTES) != Some(MAX_PLAIN_BYTES),
            "{at}"
        );
    }
}

#[test]
fn bombs_do_not_fit() {
    for mode in MODES {
        let bomb = compressed(mode, &vec![0; MAX_PLAIN_BYTES]);
        assert!(bomb.len() < 60, "{mode:?}: {}", bomb.len());
        for room in [0, 1, 100, MAX_PLAIN_BYTES - 1] {
            assert_eq!(expand(mode, &bomb, room), None, "{mode:?} {room}");
        }
        assert_eq!(expand(mode, &bomb, MAX_PLAIN_BYTES), Some(MAX_PLAIN_BYTES));
    }
}

#[test]
fn other_modes_are_refused_or_come_out_as_something_else() {
    let plain = text();
    for theirs in MODES {
        let bytes = compressed(theirs, &plain);
        for ours in MODES.into_iter().filter(|ours| *ours != theirs) {
            let mut out = vec![0; MAX_PLAIN_BYTES];
            let len = codec(ours).unwrap().decompress(&bytes, &mut out);
            assert!(len.is_none_or(|len| out[..len] != plain[..]), "{ours:?} takes {theirs:?}");
            if matches!(ours, Compression::Zlib | Compression::Zstd) {
                assert_eq!(len, None, "{ours:?} takes {theirs:?}");
            }
        }
    }
}

#[test]
fn a_failure_leaves_no_trace() {
    let plain = text();
    for mode in MODES {
        let mut codec = codec(mode).unwrap();
        let bytes = compressed(mode, &plain);
        for _ in 0..3 {
            let mut out = vec![0; MAX_PLAIN_BYTES];
            assert_eq!(codec.compress(&plain, &mut out[..bytes.len() - 1]), None, "{mode:?}");
            assert_eq!(codec.compress(&plain, &mut out), Some(bytes.len()), "{mode:?}");
            assert_eq!(out[..bytes.len()], bytes);
            assert_eq!(codec.decompress(&bytes, &mut out[..MAX_PLAIN_BYTES - 1]), None, "{mode:?}");
            assert_eq!(codec.decompress(&bytes, &mut out), Some(MAX_PLAIN_BYTES), "{mode:?}");
            assert_eq!(out, plain);
        }
    }
}

#[test]
fn a_zstd_frame_may_ask_for_any_window() {
    // Magic, no single segment, a window of 2 GiB, one last block of 4 raw bytes.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x21, 0x00, 0x00, b'a', b'b', b'c', b'd'];
    assert_eq!(expand(Compression::Zstd, &frame, MAX_PLAIN_BYTES), Some(4));
    // The same with a block that repeats one byte 100 000 times.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x03, 0x35, 0x0c, b'a'];
    assert_eq!(expand(Compression::Zstd, &frame, MAX_PLAIN_BYTES), None);
}

#[test]
fn fastlz_refuses_what_its_format_forbids() {
    let refused: [&[u8]; 9] = [
        &[],
        // Level 3.
        &[0x40, b'a'],
        // A copy without its bytes.
        &[0x02, b'a', b'b'],
        // Before the start.
        &[0x00, b'a', 0x20, 0x01],
        // A distance cut off, a length cut off.
        &[0x00, b'a', 0x20],
        &[0x00, b'a', 0xe0, 0x00],
        // Level 2: a length that never ends, and a far distance cut off.
        &[0x20, b'a', 0xe0, 0xff, 0xff, 0xff],
        &[0x20, b'a', 0x3f, 0xff, 0x00],
        // Longer than the output.
        &[0x20, b'a', 0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00],
    ];
    for block in refused {
        assert_eq!(expand(Compression::FastLz, block, MAX_PLAIN_BYTES), None, "{block:x?}");
    }
    assert_eq!(expand(Compression::FastLz, &[0x00, b'a', 0xe0, 0xff, 0x00], MAX_PLAIN_BYTES), Some(1 + 264));
    assert_eq!(
        expand(Compression::FastLz, &[0x20, b'a', 0xe0, 0xff, 0x03, 0x00], MAX_PLAIN_BYTES),
        Some(1 + 9 + 258)
    );
}
