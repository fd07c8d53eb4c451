//! Against the original zlib, both ways.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use nme_testing::random::Random;
use proptest::prelude::*;

use super::huffman::CodeBuilder;
use super::symbols::{END, MAX_BITS};
use super::*;

/// What zlib makes of it.
fn zlib_compress(level: u32, plain: &[u8]) -> Vec<u8> {
    let mut out = vec![0; plain.len() + 100];
    let mut context = Compress::new(Compression::new(level), true);
    let status = context.compress(plain, &mut out, FlushCompress::Finish).unwrap();
    assert_eq!(status, Status::StreamEnd);
    out.truncate(context.total_out() as usize);
    out
}

/// What zlib reads, if it is no more than `room`.
fn zlib_expand(stream: &[u8], room: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; room];
    let mut context = Decompress::new(true);
    let status = context.decompress(stream, &mut out, FlushDecompress::Finish).ok()?;
    out.truncate(context.total_out() as usize);
    (status == Status::StreamEnd).then_some(out)
}

fn compress(codec: &mut Zlib, plain: &[u8]) -> Vec<u8> {
    let mut out = vec![0; plain.len() + 11];
    let len = codec.compress(plain, &mut out).unwrap();
    out.truncate(len);
    out
}

fn expand(codec: &mut Zlib, stream: &[u8], room: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; room];
    let len = codec.decompress(stream, &mut out)?;
    out.truncate(len);
    Some(out)
}

/// The kind of the first block: 0 stored, 1 fixed, 2 with its own codes.
fn kind(stream: &[u8]) -> u8 {
    stream[2] >> 1 & 3
}

/// Positions on a fine grid and a few states, as games send them.
fn entities(random: &mut Random, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let first = random.within(0..2000) as u16;
    for id in first..first + count as u16 {
        bytes.extend(id.to_le_bytes());
        for _ in 0..2 {
            bytes.extend((random.within(0..960) as f32 / 8.0 - 60.0).to_le_bytes());
        }
        let health = if random.chance(0.2) { random.within(40..100) as u8 } else { 100 };
        bytes.extend([random.bits() as u8 & 0xf0, health, random.within(0..5) as u8]);
    }
    bytes
}

fn text(random: &mut Random, len: usize) -> Vec<u8> {
    let words = "the of and to in is that for it as was with be by on not he his but at are this have from one \
        you were all her she there would their we been has when who will more out so said what about into them \
        only other new some could these two may first then any like my now over such our man even most made after \
        also did many before must through back years where much your way well down should regroup bridge enemy \
        heal attack north tower flag wait cover push group need help left behind door";
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut text = Vec::new();
    while text.len() < len {
        // The first ones more often.
        let last = random.within(1..words.len());
        text.extend(random.pick(&words[..last]).bytes());
        text.extend(random.pick(&[" ", " ", " ", " ", ", ", ". "]).bytes());
    }
    text.truncate(len);
    text
}

fn chat(random: &mut Random) -> Vec<u8> {
    let len = random.within(10..60);
    let text = String::from_utf8(text(random, len)).unwrap();
    let (from, time) = (random.within(1000..9999), random.within(0..60_000) as f32 / 100.0);
    format!(r#"{{"type":"chat","from":"player_{from}","team":2,"text":"{text}","time":{time}}}"#).into_bytes()
}

/// Acknowledgements and small packets.
fn commands(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    let first = random.bits() as u16 / 2;
    for sequence in first..first + random.within(2..20) as u16 {
        let [high, low] = sequence.to_be_bytes();
        if random.chance(0.4) {
            bytes.extend([0x01, random.within(0..3) as u8, high, low, high, low, 0x4a, 0x31]);
        } else {
            let payload = random.within(1..20);
            bytes.extend([
                0x49,
                2,
                0,
                0,
                high,
                low,
                0,
                8 + payload as u8,
                0x97,
                0xe4,
                0x89,
                0x46,
                1,
                0,
                0,
                0,
            ]);
            bytes.extend((0..payload).map(|_| random.within(0..8) as u8));
        }
    }
    bytes
}

/// Some of each kind.
fn kinds() -> [(&'static str, Vec<Vec<u8>>); 6] {
    let mut random = Random::new(5);
    let mut some =
        |make: &mut dyn FnMut(&mut Random) -> Vec<u8>| (0..150).map(|_| make(&mut random)).collect();
    [
        ("20 entities", some(&mut |random| entities(random, 20))),
        ("90 entities", some(&mut |random| entities(random, 90))),
        ("chat", some(&mut chat)),
        ("noise", some(&mut |random| random.bytes(256))),
        ("commands", some(&mut commands)),
        (
            "text",
            some(&mut |random| {
                let len = random.within(20..LONGEST + 1);
                text(random, len)
            }),
        ),
    ]
}

#[test]
fn the_checksum_is_adler_32() {
    assert_eq!(adler32(b""), 1);
    assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
    // The largest bytes, up to where the sums would leave their 32 bits, and beyond.
    for len in [31, 32, 33, 4096, 5552, 5553, 70_000] {
        let (mut sum, mut sums) = (1_u64, 0_u64);
        for _ in 0..len {
            sum = (sum + 255) % 65_521;
            sums = (sums + sum) % 65_521;
        }
        assert_eq!(u64::from(adler32(&vec![255; len])), sums << 16 | sum, "{len}");
    }
}

#[test]
fn zlib_reads_all_kinds_and_makes_them_no_smaller() {
    let mut codec = Zlib::new();
    for (name, all) in kinds() {
        let (mut ours, mut theirs) = (0, 0);
        for plain in all {
            let stream = compress(&mut codec, &plain);
            assert_eq!(zlib_expand(&stream, plain.len()).as_ref(), Some(&plain), "{name}");
            assert_eq!(expand(&mut codec, &stream, plain.len()).as_ref(), Some(&plain), "{name}");
            // What is not smaller is not sent.
            ours += stream.len().min(plain.len());
            theirs += zlib_compress(6, &plain).len().min(plain.len());
        }
        assert!(ours * 100 <= theirs * 101, "{name}: {ours}, not {theirs}");
    }
}

#[test]
fn any_length_comes_back() {
    let mut codec = Zlib::new();
    let mut random = Random::new(6);
    for len in (0..300).chain((300..LONGEST).step_by(61)).chain([LONGEST - 1, LONGEST]) {
        let mut game = entities(&mut random, len / 13 + 1);
        game.truncate(len);
        let noise = random.bytes(len);
        let few = (0..len).map(|_| random.within(0..3) as u8).collect();
        let runs = (0..len).map(|at| (at / 300) as u8).collect();
        for plain in [game, text(&mut random, len), noise, few, runs, vec![0; len]] {
            let stream = compress(&mut codec, &plain);
            assert!(stream.len() <= len + 11, "{len}");
            assert_eq!(zlib_expand(&stream, len).as_ref(), Some(&plain));
            assert_eq!(expand(&mut codec, &stream, len), Some(plain));
        }
    }
    assert_eq!(codec.compress(&[0; LONGEST + 1], &mut [0; 2 * LONGEST]), None);
}

#[test]
fn each_kind_of_block_is_written_where_it_is_shortest() {
    let mut codec = Zlib::new();
    let mut random = Random::new(7);
    assert_eq!(kind(&compress(&mut codec, &random.bytes(256))), 0);
    assert_eq!(kind(&compress(&mut codec, b"abcabcabcabcabc")), 1);
    assert_eq!(kind(&compress(&mut codec, &text(&mut random, 1000))), 2);
}

#[test]
fn what_does_not_fit_is_not_written() {
    let mut codec = Zlib::new();
    let mut random = Random::new(8);
    for plain in [random.bytes(100), b"abcabcabcabcabc".to_vec(), text(&mut random, 1000)] {
        let stream = compress(&mut codec, &plain);
        for room in 0..stream.len() {
            assert_eq!(codec.compress(&plain, &mut vec![0; room]), None, "{room}");
        }
        let mut out = vec![0; stream.len()];
        assert_eq!(codec.compress(&plain, &mut out), Some(stream.len()));
        assert_eq!(out, stream);
    }
}

#[test]
fn all_that_zlib_writes_is_read() {
    let mut codec = Zlib::new();
    let mut kinds_seen = [0; 3];
    for (name, all) in kinds() {
        for plain in all {
            for level in [0, 1, 6, 9] {
                let stream = zlib_compress(level, &plain);
                kinds_seen[usize::from(kind(&stream))] += 1;
                assert_eq!(expand(&mut codec, &stream, plain.len()).as_ref(), Some(&plain), "{name} {level}");
            }
        }
    }
    assert!(kinds_seen.iter().all(|count| *count >= 100), "{kinds_seen:?}");
}

#[test]
fn several_blocks_are_read() {
    let mut codec = Zlib::new();
    let mut random = Random::new(9);
    for flush in [FlushCompress::Partial, FlushCompress::Sync, FlushCompress::Full] {
        let pieces = [text(&mut random, 500), random.bytes(90), b"a".to_vec(), text(&mut random, 700)];
        let mut stream = vec![0; LONGEST];
        let mut context = Compress::new(Compression::new(6), true);
        for (index, piece) in pieces.iter().enumerate() {
            let flush = if index == 3 { FlushCompress::Finish } else { flush };
            let from = context.total_out() as usize;
            context.compress(piece, &mut stream[from..], flush).unwrap();
        }
        stream.truncate(context.total_out() as usize);
        assert_eq!(expand(&mut codec, &stream, LONGEST), Some(pieces.concat()));
    }
}

/// Each byte value about half as often as the one before: codes far longer than the decoder's table is wide.
#[test]
fn long_codes_are_read() {
    let mut codec = Zlib::new();
    let mut random = Random::new(10);
    for _ in 0..50 {
        let plain: Vec<u8> = (0..LONGEST).map(|_| (random.bits().trailing_zeros() * 37) as u8).collect();
        for stream in [zlib_compress(6, &plain), compress(&mut codec, &plain)] {
            assert_eq!(expand(&mut codec, &stream, LONGEST).as_ref(), Some(&plain));
        }
    }
}

#[test]
fn headers_are_taken_as_zlib_takes_them() {
    let mut codec = Zlib::new();
    let mut stream = compress(&mut codec, b"abc");
    let mut taken = 0;
    for header in 0..=u16::MAX {
        stream[..2].copy_from_slice(&header.to_be_bytes());
        let ours = expand(&mut codec, &stream, 3);
        assert_eq!(ours, zlib_expand(&stream, 3), "{header:x}");
        taken += u32::from(ours.is_some());
    }
    assert_eq!(taken, 32);
}

#[test]
fn bytes_behind_the_stream_are_left_alone() {
    let mut codec = Zlib::new();
    for plain in [&b"abcabcabcabcabc"[..], &[7; 900]] {
        let stream = [compress(&mut codec, plain), vec![1, 2, 3]].concat();
        assert_eq!(expand(&mut codec, &stream, 1000).as_deref(), Some(plain));
    }
}

/// One bit, one byte or the end is different. Without the checksum the rest has to tell.
#[test]
fn damaged_streams_are_refused_where_zlib_refuses_them() {
    let mut codec = Zlib::new();
    let mut random = Random::new(11);
    let (mut taken, mut refused) = (0, 0);
    for (_, all) in kinds() {
        for plain in all.iter().take(12) {
            for level in [0, 6] {
                let stream = zlib_compress(level, plain);
                for _ in 0..150 {
                    let mut damaged = stream.clone();
                    // Most of what can be wrong is at the start.
                    let end = *random.pick(&[10, 40, damaged.len()]);
                    let at = random.within(2..end.min(damaged.len()));
                    match random.within(0..4) {
                        0 => damaged.truncate(at),
                        1 => damaged[at] = random.bits() as u8,
                        _ => damaged[at] ^= 1 << random.within(0..8),
                    }
                    mend_checksum(&mut damaged);
                    let ours = expand(&mut codec, &damaged, LONGEST);
                    assert_eq!(ours, zlib_expand(&damaged, LONGEST), "{damaged:x?}");
                    *if ours.is_some() { &mut taken } else { &mut refused } += 1;
                }
            }
        }
    }
    assert!(taken > 1000 && refused > 1000, "{taken} {refused}");
}

/// Writes the checksum that the bytes of a damaged stream ask for, if it has an end.
fn mend_checksum(stream: &mut Vec<u8>) {
    let mut out = vec![0; LONGEST];
    let mut context = Decompress::new(false);
    let result = context.decompress(stream.get(2..).unwrap_or_default(), &mut out, FlushDecompress::Finish);
    if result.is_ok_and(|status| status == Status::StreamEnd) {
        stream.truncate(2 + context.total_in() as usize);
        stream.extend(adler32(&out[..context.total_out() as usize]).to_be_bytes());
    }
}

/// The parts of a block's description, lowest bit first.
fn stream_of(parts: &[(u32, u32)]) -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    for (value, count) in parts {
        bits.extend((0..*count).map(|bit| value >> bit & 1 == 1));
    }
    let bytes = bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit)));
    let mut stream = [0x78, 0x9c].into_iter().chain(bytes).collect();
    mend_checksum(&mut stream);
    stream
}

/// A last block whose literals, end and distances have these code lengths of 0 to 2 bits, and its symbols.
fn block(litlens: &[(usize, u8)], distances: &[u8], symbols: &[(u32, u32)]) -> Vec<u8> {
    // Lengths of the code for code lengths: 2 bits each for 0, 1, 2 and 18, in the order 16, 17, 18, 0, 8 ... 2, 14, 1.
    let mut parts = vec![(1, 1), (2, 2), (0, 5), (distances.len() as u32 - 1, 5), (14, 4)];
    parts.extend((0..18).map(|place| if [2, 3, 15, 17].contains(&place) { (2, 3) } else { (0, 3) }));
    // Their codes, first bit lowest: 00, 10, 01, 11.
    let code = |len: u8| ([0, 2, 1][usize::from(len)], 2);
    let lengths =
        (0..=END).map(|symbol| litlens.iter().find(|(used, _)| *used == symbol).map_or(0, |used| used.1));
    parts.extend(lengths.chain(distances.iter().copied()).map(code));
    parts.extend(symbols);
    stream_of(&parts)
}

#[test]
fn codes_are_refused_where_zlib_refuses_them() {
    let mut codec = Zlib::new();
    let mut check = |stream: Vec<u8>, expected: Option<&[u8]>| {
        assert_eq!(zlib_expand(&stream, 100).as_deref(), expected, "{stream:x?}");
        assert_eq!(expand(&mut codec, &stream, 100).as_deref(), expected, "{stream:x?}");
    };
    // Two codes of one bit: "a", the end.
    check(block(&[(97, 1), (END, 1)], &[0], &[(0, 1), (1, 1)]), Some(b"a"));
    // Only the end; the other bit is no code.
    check(block(&[(END, 1)], &[0], &[(0, 1)]), Some(b""));
    check(block(&[(END, 1)], &[0], &[(1, 1)]), None);
    // No end, too many codes, too few.
    check(block(&[(97, 1), (98, 1)], &[0], &[(0, 1), (1, 1)]), None);
    check(block(&[(97, 1), (98, 1), (END, 1)], &[0], &[(0, 1), (1, 1)]), None);
    check(block(&[(97, 2), (98, 2), (END, 2)], &[0], &[(0, 2), (1, 2)]), None);
    // One distance may be alone with one bit, not with two.
    check(block(&[(97, 1), (END, 1)], &[1], &[(0, 1), (1, 1)]), Some(b"a"));
    check(block(&[(97, 1), (END, 1)], &[2], &[(0, 1), (1, 1)]), None);
    check(block(&[(97, 1), (END, 1)], &[1, 1, 1], &[(0, 1), (1, 1)]), None);
    // The fixed codes: a repeat of 3, 1 back, behind "a" and at the start; the symbols without a meaning.
    let fixed = |symbols: &[(u32, u32)]| stream_of(&[&[(1, 1), (1, 2)], symbols, &[(0, 7)]].concat());
    let (a, repeat) = ((0x89, 8), (0x40, 7));
    check(fixed(&[a, repeat, (0, 5)]), Some(b"aaaa"));
    check(fixed(&[repeat, (0, 5)]), None);
    check(fixed(&[a, repeat, (0x10, 5)]), None);
    check(fixed(&[a, repeat, (0x0f, 5)]), None);
    check(fixed(&[a, (0x63, 8)]), None);
    // The kind of block that there is not.
    check(stream_of(&[(1, 1), (3, 2), (0, 32)]), None);
}

#[test]
fn codes_are_the_shortest_within_their_limit() {
    let mut random = Random::new(12);
    let mut builder = CodeBuilder::new();
    for round in 0..300 {
        let mut frequencies = vec![0; random.within(2..287)];
        for _ in 0..random.within(2..LONGEST) {
            // The first ones more often.
            let end = random.within(1..frequencies.len() + 1);
            frequencies[random.within(0..end)] += 1;
        }
        builder.count(&frequencies);
        if builder.used() < 2 {
            continue;
        }
        let bits = builder.build(MAX_BITS);
        assert_eq!(bits, huffman_bits(&frequencies), "{round}");
        assert_complete(&builder, &frequencies, MAX_BITS);
        // The least that has room for them.
        let limit = (builder.used() - 1).ilog2() as usize + 1;
        assert!(builder.build(limit) >= bits);
        assert_complete(&builder, &frequencies, limit);
    }
}

/// Frequencies that make the tree as deep as it can get.
#[test]
fn the_deepest_trees_are_cut_to_the_limit() {
    let mut frequencies = vec![1, 1];
    while frequencies.len() < 22 {
        frequencies.push(frequencies[frequencies.len() - 1] + frequencies[frequencies.len() - 2]);
    }
    let mut builder = CodeBuilder::new();
    for limit in 5..=MAX_BITS {
        builder.count(&frequencies);
        let bits = builder.build(limit);
        assert_complete(&builder, &frequencies, limit);
        assert_eq!(builder.lengths().map(|(_, len)| len).max(), Some(limit as u8));
        assert!(bits > huffman_bits(&frequencies));
    }
}

/// The bits of all symbols with Huffman's code: the sum of all weights that are joined.
fn huffman_bits(frequencies: &[u16]) -> usize {
    let mut weights: Vec<usize> =
        frequencies.iter().filter(|count| **count != 0).map(|count| (*count).into()).collect();
    let mut bits = 0;
    while weights.len() > 1 {
        weights.sort_unstable_by(|a, b| b.cmp(a));
        let joined = weights.pop().unwrap() + weights.pop().unwrap();
        bits += joined;
        weights.push(joined);
    }
    bits
}

/// Every used symbol has a code within the limit, and there is no room for another one.
fn assert_complete(builder: &CodeBuilder, frequencies: &[u16], limit: usize) {
    let used = frequencies.iter().filter(|count| **count != 0).count();
    assert_eq!(builder.lengths().count(), used);
    assert!(builder.lengths().all(|(symbol, len)| {
        frequencies[usize::from(symbol)] != 0 && len >= 1 && usize::from(len) <= limit
    }));
    let taken: u32 = builder.lengths().map(|(_, len)| 1 << (MAX_BITS - usize::from(len))).sum();
    assert_eq!(taken, 1 << MAX_BITS);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_taken_as_zlib_takes_them(
        kind in 0_u8..4, bytes in prop::collection::vec(any::<u8>(), 0..200), room in 0_usize..2000,
    ) {
        let mut stream = [&[0x78, 0x9c, kind << 1 | 1][..], &bytes].concat();
        mend_checksum(&mut stream);
        prop_assert_eq!(expand(&mut Zlib::new(), &stream, room), zlib_expand(&stream, room));
    }
}
