//! Packets of Godot 4 are recognised or refused. They never call or set anything.
mod common;

use std::collections::BTreeMap;

use common::{lines, packet, packets_of_godot_3, unhex};
use nme_godot3::{Dialect, Limits, PROBE, PathCache, Received, detect, is_probe_answer, probe_answer};

fn packets() -> Vec<(&'static str, Vec<u8>)> {
    let packets: Vec<_> = lines(common::GODOT4_SEND)
        .map(|columns| {
            let hex = if columns[0] == "other" { columns.len() - 1 } else { columns.len() - 2 };
            (columns[1], unhex(columns[hex]))
        })
        .collect();
    assert_eq!(packets.len(), 142);
    packets
}

#[test]
fn no_packet_of_godot_4_is_a_call_or_set() {
    // A peer that spoke 3.6 before, so that small ids stand for paths.
    let mut cache = PathCache::new();
    for id in 0..1000 {
        let announced = cache.receive(2, &packet(2, id, b"Main\0"), &Limits::default());
        assert!(matches!(announced, Ok(Received::Announcement { .. })));
    }
    let mut outcomes = BTreeMap::new();
    for (name, packet) in packets() {
        let outcome = match cache.receive(2, &packet, &Limits::default()) {
            Err(_) => "refused",
            Ok(Received::Ignored) => "ignored",
            // Its confirmations look like announcements of nothing.
            Ok(Received::Announcement { answer }) if packet[0] == 2 => {
                assert_eq!(answer, probe_answer(), "{name}");
                "answered"
            }
            // Its spawn command has the number of bytes for the game.
            Ok(Received::Raw(_)) if packet[0] == 4 => "raw",
            received => panic!("{name}: {received:?}"),
        };
        *outcomes.entry(outcome).or_insert(0) += 1;
    }
    assert_eq!(outcomes, BTreeMap::from([("answered", 3), ("ignored", 31), ("raw", 2), ("refused", 106)]));
}

#[test]
fn a_confirmation_of_godot_4_announces_nothing() {
    let mut cache = PathCache::new();
    // Id 0x00000101 in 3.6's eyes.
    let answered = cache.receive(2, &unhex("020101000000"), &Limits::default());
    assert_eq!(answered, Ok(Received::Announcement { answer: vec![3, 0] }));
    let called = cache.receive(2, &packet(0, 0x101, b"m\0\0"), &Limits::default());
    assert!(called.is_err());
}

#[test]
fn no_packet_of_godot_4_passes_for_godot_3_but_for_a_spawn() {
    for (name, packet) in packets() {
        match (detect(&packet), packet[0]) {
            (Some(Dialect::Godot4) | None, _) | (Some(Dialect::Godot3), 4) => {}
            (Some(Dialect::Godot3), _) => panic!("{name} passes for Godot 3.6"),
        }
    }
}

#[test]
fn a_first_packet_of_godot_4_is_recognised() {
    let is_announcement_or_flagged =
        |packet: &[u8]| packet[0] == 1 || packet[0] & 0xf0 != 0 || packet[0] & 7 >= 5;
    let mut count = 0;
    for (name, packet) in packets().into_iter().filter(|(_, packet)| is_announcement_or_flagged(packet)) {
        assert_eq!(detect(&packet), Some(Dialect::Godot4), "{name}");
        count += 1;
    }
    assert_eq!(count, 39);
}

#[test]
fn no_packet_of_godot_3_passes_for_godot_4() {
    for columns in lines(common::GODOT3_SEND) {
        let packet = unhex(columns[5]);
        assert_ne!(detect(&packet), Some(Dialect::Godot4), "{}", columns[1]);
        // What a game begins with: a call by path, an announcement, or bytes.
        let is_first =
            packet[0] < 2 && packet[4] & 0x80 != 0 || packet[0] == 4 || packet[0] == 2 && packet.len() != 6;
        if is_first || is_probe_answer(&packet) {
            assert_eq!(detect(&packet), Some(Dialect::Godot3), "{}", columns[1]);
        }
    }
}

#[test]
fn the_probe_is_answered_and_its_answer_is_recognised() {
    let mut cache = PathCache::new();
    let answered = cache.receive(1, &PROBE, &Limits::default());
    assert_eq!(answered, Ok(Received::Announcement { answer: probe_answer().to_vec() }));
    assert_eq!(detect(&probe_answer()), Some(Dialect::Godot3));
    assert_eq!(
        cache.receive(1, &probe_answer(), &Limits::default()),
        Ok(Received::Ignored),
        "also when it is late"
    );

    let recorded = |file, name| {
        let columns = lines(file).find(|columns| columns[0] == name).expect(name);
        (unhex(columns[1]), columns[2], columns[3])
    };
    let (probe, effects, errors) = recorded(common::GODOT3_RECEIVE, "probe");
    assert_eq!((&probe[..], errors), (&PROBE[..], "0 errors"));
    assert!(effects.contains(r#""0300""#), "{effects}");
    assert_eq!(recorded(common::GODOT4_RECEIVE, "probe"), (PROBE.to_vec(), "{}", "0 errors"));
}

#[test]
fn unclear_packets_wait() {
    for hex in [
        "",
        "00",
        "01",
        "02",
        "03",
        "04",
        "0301",
        "030000",
        "020101000000",
        "000106010201",
        "08",
        "18",
        "30",
        "26",
    ] {
        assert_eq!(detect(&unhex(hex)), None, "{hex}");
    }
    // A checksum without its NUL, and one that is cut.
    let checksum = "6434316438636439386630306232303465393830303939386563663834323765";
    assert_eq!(detect(&unhex(&format!("01{checksum}00010000002e00"))), Some(Dialect::Godot4));
    assert_eq!(detect(&unhex(&format!("01{checksum}01010000002e00"))), None);
    assert_eq!(detect(&unhex(&format!("01{checksum}00010000"))), None);
    // A call of Godot 4 with two truth values: the bit is set, but the offset is behind the end.
    assert_eq!(detect(&unhex("000106028181")), None);
}

#[test]
fn every_first_byte_has_a_place() {
    for (_, mut packet) in packets_of_godot_3() {
        for first in 0..=255 {
            packet[0] = first;
            let dialect = detect(&packet);
            let received = PathCache::new().receive(2, &packet, &Limits::default());
            if first > 4 {
                assert_eq!(received, Ok(Received::Ignored));
                assert_ne!(dialect, Some(Dialect::Godot3));
            }
        }
    }
}
