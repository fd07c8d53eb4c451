//! Bodies of the fuzz targets. For this project only.

use crate::dialect::{Dialect, detect};
use crate::packet::{Command, OutgoingKind, Received};
use crate::path_rules::{canonical_path, check_path};
use crate::paths::PathCache;
use crate::value::{Limits, Value};
use crate::{decode_value, encode_value};

/// Any packets of two peers to one that has announced paths itself.
///
/// Each packet has two bytes in front: the sender and the length. What is taken makes sense, a call comes only in the
/// layout of Godot 3.6, and a third peer is served as if nothing had been.
///
/// # Panics
/// When this does not hold.
pub fn packets(input: &[u8]) {
    let mut cache = PathCache::new();
    let command = Command::Set { property: "p", value: &[0; 4] };
    for peer in [2, 3, 4] {
        cache.peer_connected(peer);
        let _ = cache.send("Main", &command, &[peer], peer, true);
    }
    let limits = Limits { objects: input.len() % 2 == 1, ..Limits::default() };
    let mut rest = input;
    while let [sender, len, behind @ ..] = rest {
        let sender = 2 + i32::from(sender % 2);
        // The longest one takes everything, so that recorded packets of any length can be put in.
        let len = if *len == u8::MAX { behind.len() } else { behind.len().min(usize::from(*len)) };
        let (packet, behind) = behind.split_at(len);
        rest = behind;
        let dialect = detect(packet);
        match cache.receive(sender, packet, &limits) {
            Ok(Received::Call { path, arguments, .. }) => {
                assert_eq!(packet[0], 0);
                assert_ne!(dialect, Some(Dialect::Godot4));
                check(&path);
                arguments.iter().for_each(round_trip);
            }
            Ok(Received::Set { path, value, .. }) => {
                assert_eq!(packet[0], 1);
                check(&path);
                round_trip(&value);
            }
            Ok(Received::Announcement { answer }) => assert_eq!((packet[0], answer[0]), (2, 3)),
            Ok(Received::Confirmation) => assert_eq!(packet[0], 3),
            Ok(Received::Raw(bytes)) => assert_eq!(packet, crate::raw(&bytes)),
            Ok(Received::Ignored) => assert!(packet[0] == 2 || packet[0] == 3 || packet[0] > 4),
            Err(_) => {}
        }
    }
    third_peer(&mut cache, &command);
}

fn third_peer(cache: &mut PathCache, command: &Command<'_>) {
    let out = cache.send("Main", command, &[4], 4, true);
    assert_eq!(out.len(), 1, "announced before");
    assert_eq!(out[0].kind, OutgoingKind::Message);
    let mut other = PathCache::new();
    let received = other.receive(1, &out[0].packet, &Limits::default());
    let set = Received::Set { path: "Main".into(), property: "p".into(), value: Value::Nil };
    assert_eq!(received, Ok(set), "not confirmed, so by its path");
    let confirmed = cache.receive(4, b"\x03Main", &Limits::default());
    assert_eq!(confirmed, Ok(Received::Confirmation));
}

fn check(path: &str) {
    assert_eq!(check_path(path), Ok(()));
    assert_eq!(canonical_path(path), path);
}

/// Any bytes as a value. What is taken is written as it would be by Godot 3.6, and read as the same value.
///
/// # Panics
/// When this does not hold.
pub fn values(input: &[u8]) {
    for limits in [
        Limits::default(),
        Limits { depth: 3, values: 20, objects: true },
        Limits { objects: true, ..Limits::default() },
    ] {
        if let Ok(value) = decode_value(input, &limits) {
            round_trip(&value);
        }
    }
}

fn round_trip(value: &Value) {
    let mut bytes = Vec::new();
    encode_value(value, &mut bytes);
    assert_eq!(bytes.len() % 4, 0, "whole words");
    let limits = Limits { objects: true, ..Limits::default() };
    let again = decode_value(&bytes, &limits).expect("is written as it is read");
    let mut twice = Vec::new();
    encode_value(&again, &mut twice);
    // By their bytes: NaN is not equal to itself.
    assert_eq!(bytes, twice);
}
