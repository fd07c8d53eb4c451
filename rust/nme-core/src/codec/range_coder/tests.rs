//! The same bytes and the same decisions as ENet's own coder.
//!
//! `NME_DIFFERENTIAL=1000000 cargo test --release -p nme-core range_coder` tries a million datagrams instead of
//! 20 000; `NME_SEED` chooses other ones.

use std::ops::Range;

use nme_netem::Random;
use rusty_enet::{Compressor as _, RangeCoder as Reference};

use super::decoder::{self, Refusal};
use super::*;

/// The longest datagram.
const LONGEST: usize = 4096;

/// Both coders, and what they did.
struct Pair {
    ours: RangeCoder,
    reference: Reference,
    our_out: Vec<u8>,
    reference_out: Vec<u8>,
    /// Datagrams that are beyond the literals, which the reference does not mind.
    stricter: usize,
}

impl Pair {
    fn new(longest: usize) -> Self {
        Self {
            ours: RangeCoder::new(),
            reference: Reference::new(),
            our_out: vec![0; longest],
            reference_out: vec![0; longest],
            stricter: 0,
        }
    }

    /// Compresses with both into this much room; what came out of both.
    fn compress(&mut self, input: &[u8], room: usize) -> Option<&[u8]> {
        let reference = self.reference.compress(&[input], input.len(), &mut self.reference_out[..room]);
        let len = self.ours.compress(input, &mut self.our_out[..room]);
        assert_eq!(len.unwrap_or(0), reference, "{room} for {input:02x?}");
        assert_ne!(len, Some(0));
        let len = len?;
        assert_eq!(self.our_out[..len], self.reference_out[..len], "{input:02x?}");
        Some(&self.our_out[..len])
    }

    /// Expands with both into this much room; what came out of both.
    fn decompress(&mut self, input: &[u8], room: usize) -> Option<&[u8]> {
        let reference = self.reference.decompress(input, &mut self.reference_out[..room]);
        let len = match decoder::decompress(&mut self.ours.model, input, &mut self.our_out[..room]) {
            Ok(len) => len,
            Err(Refusal::BeyondLiterals) => {
                self.check_stricter(input, room);
                return None;
            }
            Err(_) => 0,
        };
        assert_eq!(len, reference, "{room} for {input:02x?}");
        assert_eq!(self.our_out[..len], self.reference_out[..len], "{input:02x?}");
        (len > 0).then(|| &self.our_out[..len])
    }

    /// Where only ours refuses, the bytes up to there are the same.
    fn check_stricter(&mut self, input: &[u8], room: usize) {
        self.stricter += 1;
        if self.stricter.is_multiple_of(16) {
            let rooms: Vec<usize> = (0..room).collect();
            // With less room than that, it ends before.
            let len = rooms.partition_point(|&room| {
                let out = &mut self.our_out[..room];
                decoder::decompress(&mut self.ours.model, input, out) == Err(Refusal::Length)
            });
            assert_eq!(self.our_out[..len], self.reference_out[..len], "{input:02x?}");
        }
    }

    /// There and back, with all of the room and with too little of it.
    fn check(&mut self, plain: &[u8], random: &mut Random) -> Vec<u8> {
        let room = self.our_out.len();
        let packed = self.compress(plain, room).expect("there is room").to_vec();
        assert_eq!(self.decompress(&packed, room).expect("it is valid"), plain);
        for room in [packed.len(), packed.len() - 1, random.within(0..packed.len())] {
            assert_eq!(self.compress(plain, room).is_some(), room == packed.len());
        }
        for room in [plain.len(), plain.len() - 1, random.within(0..plain.len())] {
            assert_eq!(self.decompress(&packed, room).is_some(), room == plain.len());
        }
        packed
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Mostly as short as games send, sometimes as long as can be.
fn some_length(random: &mut Random) -> usize {
    match random.within(0..20) {
        0 => random.within(1..LONGEST + 1),
        1..4 => random.within(1..1400),
        4..6 => random.within(1..8),
        _ => random.within(1..300),
    }
}

fn some_bytes(random: &mut Random, len: Range<usize>) -> Vec<u8> {
    let len = random.within(len);
    random.bytes(len)
}

/// The state of entities: a number, positions, velocities, flags.
fn entities(random: &mut Random, len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len + 16);
    let (mut id, wide) = (random.within(0..1000) as u16, random.chance(0.5));
    while bytes.len() < len {
        id += 1 + u16::from(random.chance(0.1));
        bytes.extend(id.to_le_bytes());
        for _ in 0..3 {
            let place = random.within(0..4096) as i16 - 2048;
            if wide {
                bytes.extend((f32::from(place) / 16.0).to_le_bytes());
            } else {
                bytes.extend(place.to_le_bytes());
            }
        }
        for _ in 0..3 {
            bytes.push(if random.chance(0.5) { 0 } else { random.within(0..24) as u8 });
        }
        bytes.extend([*random.pick(&[100, 100, 75]), u8::from(random.chance(0.2))]);
    }
    bytes
}

fn text(random: &mut Random, len: usize) -> Vec<u8> {
    let words: Vec<&str> =
        "hello team attack the gate now ok {\"type\": \"chat\", \"from\": } ü".split(' ').collect();
    let mut text = String::new();
    while text.len() < len {
        text += *random.pick::<&str>(&words);
        if random.chance(0.2) {
            text += &random.within(0..100_000).to_string();
        }
        text.push(' ');
    }
    text.into_bytes()
}

fn runs(random: &mut Random, len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len);
    let longest = *random.pick(&[4, 40, 400, 4000]);
    while bytes.len() < len {
        let any = random.bits() as u8;
        let value = *random.pick(&[0, 0, 1, 255, any]);
        bytes.resize(bytes.len() + 1 + random.within(0..longest), value);
    }
    bytes
}

/// A few values, some of them much more often than others.
fn skewed(random: &mut Random, len: usize) -> Vec<u8> {
    let count = *random.pick(&[1, 2, 3, 8, 9, 20, 100]);
    let values = random.bytes(count);
    let draws = random.within(1..5);
    let lowest = |random: &mut Random| (0..draws).map(|_| random.within(0..values.len())).min();
    (0..len).map(|_| values[lowest(random).unwrap_or_default()]).collect()
}

/// One context after the other is asked for more and more values: "aab aac aad".
fn wide_contexts(random: &mut Random, len: usize) -> Vec<u8> {
    let before = some_bytes(random, 1..4);
    let order = random.bits() as u8 | 1;
    let mut bytes = Vec::with_capacity(len);
    let mut value = 0u8;
    while bytes.len() < len {
        bytes.extend(&before);
        bytes.push(value);
        value = value.wrapping_add(order);
        if random.chance(0.05) {
            bytes.resize(bytes.len() + random.within(0..200), before[0]);
        }
    }
    bytes
}

fn some_datagram(random: &mut Random) -> Vec<u8> {
    let len = some_length(random);
    let kinds = [entities, text, runs, skewed, wide_contexts, |random: &mut Random, len| random.bytes(len)];
    let mut bytes = random.pick(&kinds)(random, len);
    if random.chance(0.2) {
        bytes.truncate(random.within(0..len));
        bytes.extend(random.pick(&kinds)(random, len));
    }
    bytes.truncate(len);
    bytes
}

/// What may have happened to a datagram on its way.
fn spoil(packed: &mut Vec<u8>, random: &mut Random) {
    match random.within(0..5) {
        0 => packed.truncate(random.within(0..packed.len())),
        1 => packed.extend(some_bytes(random, 1..9)),
        2 => {
            let from = random.within(0..packed.len());
            let len = packed.len() - from;
            packed.splice(from.., random.bytes(len));
        }
        _ => {
            for _ in 0..random.within(1..4) {
                let at = random.within(0..packed.len());
                packed[at] ^= 1 << random.within(0..8);
            }
        }
    }
}

#[test]
fn differential() {
    let mut random = Random::new(from_environment("NME_SEED").unwrap_or(1));
    let mut pair = Pair::new(2 * LONGEST);
    let count = from_environment("NME_DIFFERENTIAL").unwrap_or(20_000);
    for _ in 0..count {
        let plain = some_datagram(&mut random);
        let mut packed = pair.check(&plain, &mut random);
        spoil(&mut packed, &mut random);
        pair.decompress(&packed, LONGEST);
    }
    for _ in 0..count / 10 {
        let len = some_length(&mut random);
        pair.decompress(&random.bytes(len), LONGEST);
    }
    assert!(pair.stricter > 0);
}

/// Longer than any datagram: the totals get so large that they alone make a context halve its numbers.
#[test]
fn differential_of_long_inputs() {
    let mut random = Random::new(2);
    let mut pair = Pair::new(400_000);
    let cycle = |before: &[u8]| -> Vec<u8> {
        (0..=255).cycle().take(40_000).flat_map(|value| before.iter().copied().chain([value])).collect()
    };
    for plain in [cycle(b"aa"), cycle(b"ab"), cycle(b""), vec![7; 300_000], random.bytes(100_000)] {
        let mut packed = pair.check(&plain, &mut random);
        for _ in 0..20 {
            spoil(&mut packed, &mut random);
            pair.decompress(&packed, 300_000);
        }
    }
}

#[test]
fn every_length_around_nothing() {
    let mut random = Random::new(3);
    let mut pair = Pair::new(64);
    assert_eq!(pair.compress(&[], 64), None);
    assert_eq!(pair.decompress(&[], 64), None);
    assert_eq!(pair.decompress(&[0; 8], 64), None, "the end comes first");
    for first in 0..=255 {
        for plain in [&[first][..], &[first, 0], &[first; 3]] {
            pair.check(plain, &mut random);
        }
        for second in 0..=255 {
            pair.decompress(&[first, second], 64);
            pair.decompress(&[first, second, 0xff], 64);
        }
    }
}

#[test]
fn a_number_beyond_the_literals_is_refused() {
    let mut ours = RangeCoder::new();
    let mut out = [0; 16];
    let refusal = decoder::decompress(&mut ours.model, &[0xff; 4], &mut out);
    assert_eq!(refusal, Err(Refusal::BeyondLiterals));
    assert!(Reference::new().decompress(&[0xff; 4], &mut out) > 0, "the reference takes it");
}

/// Model of the worst: as many contexts, and tables, as there can be.
#[test]
fn full_models() {
    let mut random = Random::new(4);
    let mut pair = Pair::new(3 * LONGEST);
    for _ in 0..50 {
        // Each pair of bytes once, as far as the nodes go.
        let plain = random.bytes(2 * LONGEST);
        pair.check(&plain, &mut random);
        // As many contexts as possible with nine values.
        let last = random.bytes(9);
        let plain: Vec<u8> =
            (0..LONGEST).map(|at| if at % 2 == 0 { (at / 18) as u8 } else { last[at / 2 % 9] }).collect();
        pair.check(&plain, &mut random);
    }
}
