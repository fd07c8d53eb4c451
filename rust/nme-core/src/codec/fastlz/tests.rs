//! Blocks written by hand. Those of real engines are in the tests of the codecs.

use super::*;

fn decoded(block: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0; 20_000];
    let len = decode(block, &mut out)?;
    out.truncate(len);
    Some(out)
}

fn encoded(input: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 2 * input.len() + 1];
    let len = Encoder::new().encode(input, &mut out).unwrap();
    out.truncate(len);
    out
}

#[test]
fn instructions_mean_what_the_format_says() {
    assert_eq!(decoded(&[0x02, b'a', b'b', b'c']), Some(b"abc".to_vec()));
    // 3 bytes, 2 back; then 11 bytes, 1 back.
    assert_eq!(decoded(&[0x01, b'a', b'b', 0x20, 0x01]), Some(b"ababa".to_vec()));
    assert_eq!(decoded(&[0x00, b'z', 0xe0, 0x02, 0x00]), Some(b"z".repeat(12)));
    // A pattern of three, repeated 13 times with a rest.
    let pattern: Vec<u8> = b"abc".iter().copied().cycle().take(3 + 40).collect();
    assert_eq!(decoded(&[0x02, b'a', b'b', b'c', 0xe0, 31, 0x02]), Some(pattern));
}

#[test]
fn level_2_has_longer_lengths_and_distances() {
    let mut block = vec![0x20, b'a', 0xe0];
    block.extend([255; 40]);
    // 9 + 40 * 255 + 7 times the same byte.
    block.extend([7, 0]);
    assert_eq!(decoded(&block), Some(vec![b'a'; 1 + 10_216]));
    // 8192 + 0x0102 back, 3 bytes.
    block.extend([0x00, b'b', 0x3f, 0xff, 0x01, 0x02]);
    let mut expected = vec![b'a'; 1 + 10_216];
    expected.extend(b"baaa");
    assert_eq!(decoded(&block), Some(expected));
    // At level 1 the same distance is just 8192, and a length has one byte.
    assert_eq!(decoded(&[0x00, b'a', 0xe0, 255, 255, 0]), None);
}

#[test]
fn the_encoder_writes_level_1() {
    assert_eq!(encoded(b"abc"), [0x02, b'a', b'b', b'c']);
    assert_eq!(encoded(&[b'z'; 12]), [0x00, b'z', 0xe0, 0x02, 0x00]);
    assert_eq!(encoded(&[b'z'; 1 + 264]), [0x00, b'z', 0xe0, 0xff, 0x00]);
    assert_eq!(encoded(&[]), []);
    let noise: Vec<u8> = (0..70).collect();
    assert_eq!(encoded(&noise).len(), 70 + 3);
}

#[test]
fn a_match_reaches_to_the_last_byte() {
    assert_eq!(encoded(b"abcdefgh-abcdefgh").len(), (1 + 9) + 2);
}

#[test]
fn three_bytes_are_repeated_only_where_that_saves_one() {
    // In the middle of a copy.
    assert_eq!(encoded(b"abc1234abc5678efghijkl").len(), 1 + 22);
    // Four are.
    assert_eq!(encoded(b"abcd1234abcd5678efghijkl").len(), (1 + 8) + 2 + (1 + 12));
    // Right behind another repeat.
    assert_eq!(encoded(b"abcdef1XYZ2abcdefXYZ34567890").len(), (1 + 11) + 2 + 2 + (1 + 8));
    // Where the copy needs a second instruction soon.
    let mut noise: Vec<u8> = (0..29).chain(0..3).collect();
    noise.extend(100..120);
    assert_eq!(encoded(&noise).len(), (1 + 29) + 2 + (1 + 20));
}

#[test]
fn what_does_not_fit_is_none() {
    let input = b"abcdefgh-abcdefgh-abcdefgh/0123456789/abcdefgh".repeat(3);
    let whole = encoded(&input);
    for room in 0..whole.len() + 40 {
        let mut out = vec![0xa5; room + 8];
        let len = Encoder::new().encode(&input, &mut out[..room]);
        assert_eq!(len, (room >= whole.len()).then_some(whole.len()));
        assert_eq!(out[room..], [0xa5; 8]);
        assert!(len.is_none_or(|len| out[..len] == whole));
    }
}

#[test]
fn any_room_gives_the_same_bytes() {
    let input =
        b"abcdefgh-abcdefgh-abcdefgh/0123456789/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabababababc".repeat(2);
    let block = encoded(&input);
    for room in 0..input.len() + 40 {
        let mut out = vec![0xa5; room + 8];
        let len = decode(&block, &mut out[..room]);
        assert_eq!(len, (room >= input.len()).then_some(input.len()));
        assert_eq!(out[room..], [0xa5; 8]);
        assert!(len.is_none_or(|len| out[..len] == input));
    }
}

#[test]
fn the_table_outlives_very_many_inputs() {
    let mut encoder = Encoder::new();
    let (mut block, mut plain) = ([0; 70_000], [0; 65_535]);
    for round in 0..70_000_u32 {
        let input = [&round.to_le_bytes()[..], b"something that repeats, something that repeats"].concat();
        let len = encoder.encode(&input, &mut block).unwrap();
        assert_eq!(decode(&block[..len], &mut plain), Some(input.len()));
        assert_eq!(plain[..input.len()], input);
    }
    assert_eq!(encoder.encode(&[0; 65_536], &mut block), None);
}
