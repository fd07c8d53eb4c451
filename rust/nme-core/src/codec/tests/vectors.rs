//! What Godot 3.6.2 and 4.6.3 compressed, and datagrams that two 3.6.2 processes exchanged. The files are made by
//! `scripts/codec_vectors`, whose README in the data folder says more.

use nme_enet::wire::{Commands, Header};

use super::super::{Compression, Stage, codec, fastlz};
use super::MODES;
use crate::endpoint::MAX_DATAGRAM;

const PAYLOADS: &str = include_str!("../../../tests/data/codec/payloads.txt");
const DATAGRAMS: &str = include_str!("../../../tests/data/codec/datagrams_3.6.txt");
const ENGINES: [&str; 2] = [
    include_str!("../../../tests/data/codec/godot_3.6.txt"),
    include_str!("../../../tests/data/codec/godot_4.6.txt"),
];
const FAR: [&str; 2] = [
    include_str!("../../../tests/data/codec/godot_3.6_far.txt"),
    include_str!("../../../tests/data/codec/godot_4.6_far.txt"),
];

/// Lines of words.
fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().map(|line| line.split(' ').collect())
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn mode(name: &str) -> Compression {
    match name {
        "range_coder" => Compression::RangeCoder,
        "fastlz" => Compression::FastLz,
        "zlib" => Compression::Zlib,
        "zstd" => Compression::Zstd,
        _ => panic!("unknown mode {name}"),
    }
}

fn payload(name: &str) -> Vec<u8> {
    let line = lines(PAYLOADS).find(|words| words[0] == name).unwrap();
    bytes(line[1])
}

#[test]
fn what_the_engines_compressed_is_read() {
    for words in ENGINES.into_iter().flat_map(lines) {
        let [mode_name, name, hex] = words[..] else { panic!("{words:?}") };
        let expected = payload(name);
        let mut out = [0xa5; MAX_DATAGRAM];
        let len = codec(mode(mode_name)).unwrap().decompress(&bytes(hex), &mut out).unwrap();
        let plain = &out[..len];
        if mode_name == "fastlz" && expected.len() < 16 {
            // Padded. The padding goes again where the bytes are commands.
            assert!(plain == expected || plain[expected.len()..].iter().all(|byte| *byte == 0), "{name}");
            assert!(plain.starts_with(&expected), "{name}");
            assert!(["ping", "ack", "ack_ping", "notice", "one_byte"].contains(&name) == (plain == expected));
        } else {
            assert_eq!(plain, expected, "{mode_name} {name}");
        }
    }
}

/// 66 000 bytes: 400 noisy ones, 9000 zeros, the 400 once more, zeros.
fn far() -> Vec<u8> {
    let mut state = 64_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345) & 0x7fff_ffff;
        (state >> 16) as u8
    };
    let noisy: Vec<u8> = (0..400).map(|_| noise()).collect();
    let mut whole = noisy.clone();
    whole.resize(400 + 9000, 0);
    whole.extend(noisy);
    whole.resize(66_000, 0);
    whole
}

#[test]
fn fastlz_level_2_is_read() {
    let expected = far();
    for text in FAR {
        let words = lines(text).find(|words| words[0] == "fastlz").unwrap();
        let block = bytes(words[2]);
        assert_eq!(block[0] >> 5, 1, "this is to be level 2");
        let mut out = vec![0; expected.len()];
        assert_eq!(fastlz::decode(&block, &mut out), Some(expected.len()));
        assert!(out == expected);
    }
}

/// True when one of ours is as good: a part of the engine's length more, or half a percent of the plain one
/// where next to nothing is left.
fn as_good(mode: Compression, ours: usize, engine: usize, plain: usize) -> bool {
    let part = if mode == Compression::FastLz { 50 } else { 100 };
    ours <= engine + 1 + (engine / part).max(plain / 200)
}

/// Over all payloads we are better; none of them is worse than it may be.
#[test]
fn the_ratio_is_the_engines() {
    for mode in [Compression::FastLz, Compression::Zlib, Compression::Zstd] {
        let (mut engine_sum, mut our_sum) = (0, 0);
        for words in lines(ENGINES[0]).filter(|words| self::mode(words[0]) == mode) {
            // Shorter than any datagram that could shrink.
            if ["byte", "three_bytes", "fifteen_zeros"].contains(&words[1]) {
                continue;
            }
            let plain = payload(words[1]);
            let engine = (words[2].len() / 2).min(plain.len());
            let mut out = [0; MAX_DATAGRAM];
            let ours = Stage::new(mode).unwrap().compress(&plain, &mut out).unwrap_or(plain.len());
            assert!(as_good(mode, ours, engine, plain.len()), "{mode:?} {}: {ours}, not {engine}", words[1]);
            engine_sum += engine;
            our_sum += ours;
        }
        assert!(our_sum <= engine_sum, "{mode:?}: {our_sum}, not {engine_sum}");
    }
}

fn are_whole(commands: &[u8]) -> bool {
    Commands::new(commands).all(|command| command.is_ok())
}

#[test]
fn datagrams_of_3_6_are_read_and_ours_are_no_longer() {
    let mut compressed = [0; MODES.len()];
    for words in lines(DATAGRAMS) {
        let datagram = bytes(words[2]);
        let mode = mode(words[0]);
        let header = Header::read(&datagram).unwrap();
        let body = &datagram[header.len()..];
        let mut stage = Stage::new(mode).unwrap();
        let mut out = [0; MAX_DATAGRAM];
        if !header.compressed {
            assert!(are_whole(body), "{words:?}");
            // What 3.6 does not shrink we do not either, but for a better FastLZ encoder.
            if let Some(len) = stage.compress(body, &mut out) {
                assert!(len < body.len() && mode != Compression::RangeCoder, "{words:?}");
            }
            continue;
        }
        compressed[MODES.iter().position(|known| *known == mode).unwrap()] += 1;
        let len = stage.decompress(body, &mut out).unwrap();
        assert!(len > body.len() && are_whole(&out[..len]), "{words:?}");
        let mut again = [0; MAX_DATAGRAM];
        let ours = stage.compress(&out[..len], &mut again).unwrap_or(len);
        assert!(as_good(mode, ours, body.len(), len), "{ours} {words:?}");
    }
    assert!(compressed.iter().all(|count| *count >= 15), "{compressed:?}");
}

/// 3.6 never sends what it has padded: the result is not smaller than the few bytes that were there.
#[test]
fn datagrams_of_3_6_that_were_padded_are_plain() {
    let mut tiny = 0;
    for words in lines(DATAGRAMS).filter(|words| words[0] == "fastlz") {
        let datagram = bytes(words[2]);
        let header = Header::read(&datagram).unwrap();
        if !header.compressed && datagram.len() - header.len() < 16 {
            tiny += 1;
        }
        if header.compressed {
            let mut out = [0; MAX_DATAGRAM];
            assert!(fastlz::decode(&datagram[header.len()..], &mut out).unwrap() > 16);
        }
    }
    assert!(tiny >= 8, "{tiny}");
}
