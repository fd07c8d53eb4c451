//! Packets that nobody honest sends: refused, without a panic, and within the limits.
mod common;

use std::thread;

use common::{call_of, call_with, encoded, packet, packets_of_godot_3, unhex};
use nme_godot3::{
    DecodeError, Limits, MAX_DEPTH, MAX_NAME_BYTES, MAX_PATH_BYTES, MAX_PATH_NAMES, PathCache, PathError,
    Received, Value, decode_value, encode_value,
};

/// What a peer's first packet says.
fn receive(packet: &[u8]) -> Result<Received, DecodeError> {
    PathCache::new().receive(7, packet, &Limits::default())
}

/// What the bytes of a value say, as the argument of a call and alone, which have to agree.
fn decode(argument: &[u8]) -> Result<Value, DecodeError> {
    let alone = decode_value(argument, &Limits::default());
    match (&alone, receive(&call_with(argument))) {
        (Ok(value), Ok(Received::Call { arguments, .. })) => {
            assert_eq!(encoded(value), encoded(&arguments[0]));
        }
        (Err(error), Err(called)) => assert_eq!(*error, called),
        (alone, called) => panic!("{alone:?} alone, {called:?} in a call"),
    }
    alone
}

fn refused(argument: &[u8], error: DecodeError) {
    assert_eq!(decode(argument), Err(error), "{argument:02x?}");
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn a_call_that_is_cut_is_refused_and_what_is_appended_is_ignored() {
    let announcement = packet(2, 9, b"Main\0");
    let arguments = [&[2][..], &encoded(&Value::Int(1)), &encoded(&Value::String("abc".into()))].concat();
    let call = packet(0, 9, &[b"r\0", &arguments[..]].concat());
    let mut cache = PathCache::new();
    cache.receive(7, &announcement, &Limits::default()).expect("announced");
    for len in 0..call.len() {
        assert!(cache.receive(7, &call[..len], &Limits::default()).is_err(), "{len} bytes");
    }
    let whole = cache.receive(7, &call, &Limits::default());
    assert!(matches!(whole, Ok(Received::Call { .. })));
    for appended in [&[0][..], &[1, 2], &[255; 3], &[0; 1000]] {
        assert_eq!(cache.receive(7, &[&call, appended].concat(), &Limits::default()), whole);
    }
}

#[test]
fn packets_cut_anywhere_and_longer_ones_do_no_harm() {
    for (name, packet) in packets_of_godot_3() {
        // Each byte of the long ones would take minutes.
        let step = packet.len() / 400 + 1;
        for len in (0..packet.len()).step_by(step) {
            let _ = receive(&packet[..len]);
        }
        let whole = receive(&packet);
        // Other packets have their end in what they say.
        if packet[0] < 4 && packet.ends_with(&[0]) && whole.is_ok() {
            for appended in 1..=3 {
                let longer = [&packet[..], &[0xff; 3][..appended]].concat();
                // By their text: NaN is not equal to itself.
                assert_eq!(format!("{:?}", receive(&longer)), format!("{whole:?}"), "{name}");
            }
        }
    }
}

#[test]
fn one_changed_byte_does_no_harm() {
    let limits = Limits { objects: true, ..Limits::default() };
    let mut cache = PathCache::new();
    for id in 0..10 {
        cache.receive(7, &packet(2, id, b"Main\0"), &limits).expect("announced");
    }
    for (_, mut packet) in packets_of_godot_3() {
        let step = packet.len() / 100 + 1;
        for at in (0..packet.len()).step_by(step) {
            let right = packet[at];
            for wrong in [0, 1, 0x7f, 0x80, 0xff, right ^ 1, right ^ 0x80, right.wrapping_add(1)] {
                packet[at] = wrong;
                if let Ok(Received::Call { arguments, .. }) = cache.receive(7, &packet, &limits) {
                    // What was read can be written and read again.
                    for argument in arguments {
                        let bytes = encoded(&argument);
                        let again = decode_value(&bytes, &limits).expect("was read before");
                        assert_eq!(encoded(&again), bytes);
                    }
                }
            }
            packet[at] = right;
        }
    }
}

#[test]
fn empty_and_short_packets_are_too_short() {
    for hex in ["", "00", "0010000080", "0109000000", "02", "02000000", "03", "04"] {
        assert_eq!(receive(&unhex(hex)), Err(DecodeError::TooShort), "{hex}");
    }
}

#[test]
fn a_path_must_start_between_the_name_and_the_end() {
    let call = call_of(b"r", &[1, 0, 0, 0, 0], b"Main\0");
    assert!(receive(&call).is_ok());
    for offset in (0..6).chain([call.len() as u32, call.len() as u32 + 1, 0x00ff_ffff, 0x7fff_ffff]) {
        let mut call = call.clone();
        call[1..5].copy_from_slice(&(1 << 31 | offset).to_le_bytes());
        assert_eq!(receive(&call), Err(DecodeError::PathOffset), "{offset}");
    }
    // At the NUL of the name, which is then the path, and before the arguments are complete.
    for (offset, error) in [(6, PathError::Empty.into()), (7, DecodeError::TooShort)] {
        let mut call = call.clone();
        call[1..5].copy_from_slice(&(1_u32 << 31 | offset).to_le_bytes());
        assert_eq!(receive(&call), Err(error), "{offset}");
    }
}

#[test]
fn arguments_end_where_the_path_starts() {
    // A string whose length counts the path's bytes.
    let argument = words(&[4, 4]);
    assert_eq!(receive(&call_with(&argument)), Err(DecodeError::Length));
}

#[test]
fn paths_that_do_not_lead_to_or_below_the_root_are_refused() {
    let long = "a".repeat(MAX_PATH_BYTES + 1);
    let many = "a/".repeat(MAX_PATH_NAMES + 1);
    let cases = [
        ("", PathError::Empty),
        ("//", PathError::Absolute),
        ("/root/Main", PathError::Absolute),
        ("..", PathError::AboveRoot),
        ("Main/../../Other", PathError::AboveRoot),
        ("./../root", PathError::AboveRoot),
        ("%Unique", PathError::UniqueName),
        ("Main/%Unique", PathError::UniqueName),
        ("Main:position", PathError::Subname),
        (":position", PathError::Subname),
        (&long, PathError::TooLong),
        (&many, PathError::TooManyNames),
    ];
    for (path, error) in cases {
        let written_out = receive(&call_of(b"r", &[0], path.as_bytes()));
        // Without any byte, there is no place for it.
        if !path.is_empty() {
            assert_eq!(written_out, Err(error.into()), "{path}");
        }
        assert_eq!(
            receive(&call_of(b"r", &[0], format!("{path}\0").as_bytes())),
            Err(error.into()),
            "{path}"
        );
    }
    let mebibyte = vec![b'a'; 1 << 20];
    assert_eq!(receive(&call_of(b"r", &[0], &mebibyte)), Err(PathError::TooLong.into()));
    assert_eq!(receive(&call_of(b"r", &[0], b"Main\xff\0")), Err(DecodeError::BadUtf8));
    for path in [".", "Main", "Main/..", "Main/../Other", "Main//Node/", "@@2", "Player 1", "\u{feff}Main"] {
        assert!(receive(&call_of(b"r", &[0], path.as_bytes())).is_ok(), "{path}");
    }
}

#[test]
fn names_have_a_limit() {
    for (len, is_taken) in [(0, true), (MAX_NAME_BYTES, true), (MAX_NAME_BYTES + 1, false), (65_536, false)] {
        let received = receive(&call_of(&vec![b'm'; len], &[0], b"Main\0"));
        assert_eq!(received.is_ok(), is_taken, "{len}: {received:?}");
    }
    assert_eq!(receive(&packet(0, 1 << 31 | 8, b"abcMain\0")), Err(DecodeError::NoName));
}

#[test]
fn counts_beyond_the_packet_are_refused() {
    for kind in 18..=26 {
        for count in [0x7fff_ffff, 0xffff_ffff, 0x8000_0001, 0x4000_0001, 0x2000_0001, 0x1555_5556, 1000] {
            // 3.6 takes a negative number of strings for none.
            if kind == 23 && count >> 31 == 1 {
                assert_eq!(decode(&words(&[kind, count])), Ok(Value::Strings(vec![])));
                continue;
            }
            // It ignores the top bit of a container's number, so this is an array of one Nil.
            if kind == 19 && count == 0x8000_0001 {
                assert_eq!(decode(&words(&[kind, count, 0])), Ok(Value::Array(vec![Value::Nil])));
                continue;
            }
            refused(&words(&[kind, count, 0]), DecodeError::Length);
        }
    }
    refused(&words(&[4, 0x7fff_ffff, 0]), DecodeError::Length);
    refused(&words(&[4, 0xffff_ffff, 0]), DecodeError::Length);
    // Strings in an array, and names in a node path.
    refused(&words(&[23, 1, 0x7fff_ffff]), DecodeError::Length);
    refused(&words(&[15, 0xffff_ffff, 0x7fff_ffff, 0]), DecodeError::Length);
    refused(&words(&[15, 0x8000_0000, 0xffff_ffff, 2]), DecodeError::Length);
    refused(&words(&[15, 0x8000_0001, 0, 0, 5, 0]), DecodeError::Length);
    refused(&words(&[15, 1, 0, 0, 0]), DecodeError::OldNodePath);
}

#[test]
fn unknown_types_are_refused_and_unknown_bits_ignored() {
    for kind in 27..=255 {
        refused(&words(&[kind, 0, 0]), DecodeError::UnknownType(kind as u8));
    }
    // The bit for the wide form, at types that have none, and every other bit.
    for kind in (0..17).chain(18..=26) {
        if matches!(kind, 2 | 3) {
            continue;
        }
        let zeros = [0_u32; 12];
        let node_path = [&[1 << 31][..], &zeros].concat();
        let body: &[u32] = if kind == 15 { &node_path } else { &zeros };
        let plain = decode(&words(&[&[kind], body].concat())).expect("zeros are a value of each type");
        for bits in [1 << 16, 1 << 8, 1 << 17, 1 << 31, 0xffff_ff00] {
            assert_eq!(
                decode(&words(&[&[kind | bits], body].concat())),
                Ok(plain.clone()),
                "{kind} {bits:x}"
            );
        }
    }
}

#[test]
fn a_million_nils_are_too_many() {
    let nils = |count: usize| [words(&[19, count as u32]), vec![0; 4 * count]].concat();
    refused(&nils(1_000_000), DecodeError::TooManyValues);
    let limit = Limits::default().values;
    refused(&nils(limit), DecodeError::TooManyValues);
    // The array itself is one, too.
    assert!(decode(&nils(limit - 1)).is_ok());
    // Pairs count twice, strings and names once.
    let zeros = vec![0; 4 * limit];
    refused(&[words(&[18, limit as u32 / 2]), zeros.clone()].concat(), DecodeError::TooManyValues);
    refused(&[words(&[23, limit as u32]), zeros.clone()].concat(), DecodeError::TooManyValues);
    refused(
        &[words(&[15, 1 << 31 | limit as u32, 0, 0]), zeros.clone()].concat(),
        DecodeError::TooManyValues,
    );
    // Numbers in an array are as large in memory as on the wire.
    assert!(decode(&[words(&[21, limit as u32]), zeros].concat()).is_ok());
    // All arguments of a call together.
    let half = nils(limit / 2);
    let call = call_of(b"m", &[&[2][..], &half, &half].concat(), b"N");
    assert_eq!(receive(&call), Err(DecodeError::TooManyValues));
}

#[test]
fn nesting_ends_at_the_limit_also_on_a_small_stack() {
    let judge = || {
        let depth = Limits::default().depth;
        for depth in [depth, depth - 1] {
            for value in [arrays(depth), keys(depth), dictionaries(depth)] {
                let got = decode(&value).expect("within the limit");
                assert_eq!(encoded(&got.clone()), value);
            }
        }
        for depth in [depth + 1, MAX_DEPTH, MAX_DEPTH + 1, 10_000] {
            refused(&arrays(depth), DecodeError::Depth);
            refused(&keys(depth), DecodeError::Depth);
            refused(&dictionaries(depth), DecodeError::Depth);
        }
    };
    thread::Builder::new().stack_size(256 << 10).spawn(judge).expect("a thread").join().expect("no overflow");
}

fn arrays(depth: usize) -> Vec<u8> {
    [words(&[19, 1]).repeat(depth), words(&[0])].concat()
}

/// Dictionaries as the keys of dictionaries.
fn keys(depth: usize) -> Vec<u8> {
    [words(&[18, 1]).repeat(depth), words(&[0]), words(&[0]).repeat(depth)].concat()
}

fn dictionaries(depth: usize) -> Vec<u8> {
    [words(&[18, 1, 0]).repeat(depth), words(&[0])].concat()
}

#[test]
fn objects_in_objects_end_at_the_limit() {
    let object = |depth| [words(&[17, 1, u32::from(b'O'), 1, 0]).repeat(depth), words(&[0])].concat();
    let limits = Limits { objects: true, ..Limits::default() };
    assert!(decode_value(&object(limits.depth), &limits).is_ok());
    assert_eq!(decode_value(&object(limits.depth + 1), &limits), Err(DecodeError::Depth));
    assert_eq!(decode_value(&object(1), &Limits::default()), Err(DecodeError::ObjectsRefused));
    let huge = words(&[17, 1, u32::from(b'O'), 0x7fff_ffff, 0]);
    assert_eq!(decode_value(&huge, &limits), Err(DecodeError::Length));
    let none = words(&[17, 0]);
    assert_eq!(decode_value(&none, &limits), Ok(Value::Nil));
    assert_eq!(decode_value(&none, &Limits::default()), Err(DecodeError::ObjectsRefused));
}

#[test]
fn strange_numbers_and_strings_are_read() {
    for number in [f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE, f64::MAX] {
        assert_eq!(decode(&encoded(&Value::Real(number))), Ok(Value::Real(number)));
    }
    let Ok(Value::Real(nan)) = decode(&encoded(&Value::Real(f64::NAN))) else { panic!("is a number") };
    assert!(nan.is_nan());
    assert!(matches!(decode(&words(&[3, f32::NAN.to_bits()])), Ok(Value::Real(nan)) if nan.is_nan()));
    // What 3.6's strings cannot hold ends them on both ways.
    let mut bytes = Vec::new();
    encode_value(&Value::String("ab\0cd".into()), &mut bytes);
    assert_eq!(bytes, unhex("040000000200000061620000"));
    assert_eq!(decode(&unhex("040000000500000061620063640000000000")), Ok(Value::String("ab".into())));
    let strings = Value::Strings(vec!["a\0b".into(), String::new()]);
    assert_eq!(decode(&encoded(&strings)), Ok(Value::Strings(vec!["a".into(), String::new()])));
}

#[test]
fn a_byte_array_at_the_end_may_lack_its_padding() {
    for missing in 0..=3 {
        let whole = [words(&[20, 1]), vec![7, 0, 0, 0]].concat();
        assert_eq!(decode(&whole[..whole.len() - missing]), Ok(Value::Bytes(vec![7])), "{missing}");
    }
}
