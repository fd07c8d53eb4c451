//! Looks for input that takes a decoder longest: whatever makes it slower is kept and changed further.

use std::time::{Duration, Instant};

use nme_core::codec::Compression;
use nme_core::codec::fuzz::Raw;
use nme_netem::Random;

use crate::timing::{micros, quick_micros};
use crate::{MODES, payloads};

pub(crate) fn print(seconds: u64) {
    println!(
        "Slowest input found in {seconds} s of search for each mode, at most {MOST} bytes in and out.\n"
    );
    println!("| mode | µs | bytes | result |");
    println!("|---|---|---|---|");
    for (mode, label) in MODES {
        let Some(mut codec) = Raw::new(mode) else { continue };
        let worst = search(mode, &mut codec, Duration::from_secs(seconds));
        let mut out = [0; MOST];
        let cost = micros(|| codec.decompress(&worst, &mut out));
        println!("| {label} | {cost:.1} | {} | {:?} |", worst.len(), codec.decompress(&worst, &mut out));
    }
}

fn search(mode: Compression, codec: &mut Raw, time: Duration) -> Vec<u8> {
    let mut random = Random::new(2);
    let mut out = [0; MOST];
    let mut cost = |bytes: &[u8]| quick_micros(|| codec.decompress(bytes, &mut out));
    // The slowest ones, with what they cost.
    let mut pool: Vec<(f64, Vec<u8>)> = Vec::new();
    for bytes in seeds(mode, &mut random) {
        pool.push((cost(&bytes), bytes));
    }
    let start = Instant::now();
    while start.elapsed() < time {
        pool.sort_by(|a, b| b.0.total_cmp(&a.0));
        pool.truncate(POOL);
        for _ in 0..200 {
            let bytes = changed(&pool, &mut random);
            let micros = cost(&bytes);
            if micros > pool[pool.len() - 1].0 {
                // Once more, as an interruption makes anything slow.
                let again = cost(&bytes).min(micros);
                pool.push((again, bytes));
            }
        }
    }
    pool.sort_by(|a, b| b.0.total_cmp(&a.0));
    pool.swap_remove(0).1
}

/// A member of the pool with a few changes.
fn changed(pool: &[(f64, Vec<u8>)], random: &mut Random) -> Vec<u8> {
    let mut bytes = random.pick(pool).1.clone();
    for _ in 0..random.within(1..5) {
        let at = random.within(0..bytes.len());
        match random.within(0..6) {
            0 => bytes[at] = random.bits() as u8,
            1 => bytes[at] ^= 1 << random.within(0..8),
            2 => {
                bytes.remove(at);
            }
            3 => bytes.insert(at, random.bits() as u8),
            // A part of itself, or of another one, once more.
            4 => {
                let part = bytes[at..(at + random.within(1..80)).min(bytes.len())].to_vec();
                let place = random.within(0..bytes.len());
                bytes.splice(place..place, part);
            }
            _ => {
                let other = &random.pick(pool).1;
                let from = random.within(0..other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
        bytes.truncate(MOST);
        if bytes.is_empty() {
            bytes.push(0);
        }
    }
    bytes
}

fn seeds(mode: Compression, random: &mut Random) -> Vec<Vec<u8>> {
    let mut seeds = vec![random.bytes(MOST), random.bytes(64)];
    seeds.extend(payloads::recorded(match mode {
        Compression::Zlib => "zlib",
        Compression::Zstd => "zstd",
        Compression::FastLz => "fastlz",
        _ => "range_coder",
    }));
    for (_, plain) in payloads::all() {
        let mut out = vec![0; 4096];
        if let Some(len) = Raw::new(mode).and_then(|mut codec| codec.compress(&plain, &mut out)) {
            seeds.push(out[..len.min(MOST)].to_vec());
        }
    }
    match mode {
        Compression::Zlib => seeds.push(empty_dynamic_blocks()),
        Compression::Zstd => seeds.extend(zstd_frames()),
        // Nothing but the shortest repeats.
        Compression::FastLz => seeds.push([&[0x01, 1, 2][..], &[0x20, 0x01].repeat(460)].concat()),
        _ => {}
    }
    seeds
}

/// Deflate blocks that say nothing but need their code tables built: the shortest description of such tables, over
/// and over.
fn empty_dynamic_blocks() -> Vec<u8> {
    let mut bits = Bits::default();
    while bits.bytes.len() < MOST - 20 {
        // Not the last, dynamic codes, 257 + 29 and 1 + 29 of them, 18 lengths of the code for lengths.
        bits.push(0b100, 3);
        bits.push(29, 5);
        bits.push(29, 5);
        bits.push(14, 4);
        // In the order 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1: "18" and "1" get one bit each.
        for place in 0..18 {
            bits.push(u32::from(place == 2 || place == 17), 3);
        }
        // Codes by symbol: "1" is 0, "18" is 1 with 7 bits of count. 255 zeros, a length for 255, one for the end
        // of the block; zeros and two distances.
        for zeros in [138, 117] {
            bits.push(1, 1);
            bits.push(zeros - 11, 7);
        }
        bits.push(0, 1);
        bits.push(0, 1);
        bits.push(1, 1);
        bits.push(29 + 28 - 11, 7);
        bits.push(0, 1);
        bits.push(0, 1);
        // The end of the block.
        bits.push(1, 1);
    }
    [&[0x78, 0x9c][..], &bits.bytes].concat()
}

/// Frames with a great many blocks: empty ones, and real ones with their tables, over and over.
fn zstd_frames() -> Vec<Vec<u8>> {
    let mut seeds = vec![[ZSTD_HEAD, &[0; 3].repeat(460)].concat()];
    for (_, plain) in payloads::all() {
        for (level, len) in [(3, 60), (3, 120), (19, 24), (19, 40), (19, 80), (19, 160), (19, 1388)] {
            let mut out = [0; 4096];
            let plain = &plain[..len.min(plain.len())];
            let Ok(len) = zstd::bulk::compress_to_buffer(plain, &mut out[..], level) else { continue };
            // Behind magic, descriptor and one or two bytes of content size.
            let at = if plain.len() < 256 { 6 } else { 7 };
            // The block's header tells kind 2, compressed, in the bits above the last-block flag.
            if len > at + 3 && out[at] >> 1 & 3 == 2 {
                out[at] &= !1;
                let block = &out[at..len];
                seeds.push([ZSTD_HEAD, &block.repeat((MOST - ZSTD_HEAD.len()) / block.len())].concat());
            }
        }
    }
    seeds
}

/// Magic, a descriptor without anything, a window of 2 MiB.
const ZSTD_HEAD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];

/// Bits from the lowest to the highest, as deflate has them.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        for bit in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (self.used % 8);
            }
            self.used += 1;
        }
    }
}

const MOST: usize = 1388;
const POOL: usize = 24;
