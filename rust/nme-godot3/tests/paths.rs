//! Announcements and confirmations, in both roles.
mod common;

use common::packet;
use nme_godot3::{
    Command, DecodeError, Limits, MAX_ANNOUNCED_BYTES, MAX_ANNOUNCED_PATHS, MAX_PATH_BYTES,
    MAX_UNKNOWN_PEERS, Outgoing, OutgoingKind, PathCache, Received,
};

const CALL: Command<'_> = Command::Call { method: "m", arguments: &[0] };

fn announcement(target: i32, id: u32, path: &str) -> Outgoing {
    let packet = packet(2, id, format!("{path}\0").as_bytes());
    Outgoing { target, kind: OutgoingKind::Announcement, packet }
}

fn by_id(target: i32, id: u32) -> Outgoing {
    Outgoing { target, kind: OutgoingKind::Message, packet: packet(0, id, b"m\0\0") }
}

fn by_path(target: i32, path: &str) -> Outgoing {
    let packet = packet(0, 1 << 31 | 8, format!("m\0\0{path}\0").as_bytes());
    Outgoing { target, kind: OutgoingKind::Message, packet }
}

fn confirm(cache: &mut PathCache, peer: i32, path: &str) {
    let confirmation = [b"\x03", path.as_bytes(), b"\0"].concat();
    assert_eq!(cache.receive(peer, &confirmation, &Limits::default()), Ok(Received::Confirmation));
}

fn announce(cache: &mut PathCache, peer: i32, id: u32, path: &str) -> Received {
    cache.receive(peer, &announcement(0, id, path).packet, &Limits::default()).expect("well formed")
}

fn called(cache: &mut PathCache, peer: i32, id: u32) -> Result<String, DecodeError> {
    match cache.receive(peer, &by_id(0, id).packet, &Limits::default())? {
        Received::Call { path, .. } => Ok(path),
        received => panic!("{received:?}"),
    }
}

#[test]
fn a_path_is_announced_once_and_written_out_until_it_is_confirmed() {
    let mut cache = PathCache::new();
    assert_eq!(cache.send("A", &CALL, &[2], 2, true), [announcement(2, 1, "A"), by_path(2, "A")]);
    assert_eq!(cache.send("A", &CALL, &[2], 2, true), [by_path(2, "A")]);
    confirm(&mut cache, 2, "A");
    assert_eq!(cache.send("A", &CALL, &[2], 2, true), [by_id(2, 1)]);
    assert_eq!(cache.send("B", &CALL, &[2], 2, true), [announcement(2, 2, "B"), by_path(2, "B")]);
}

#[test]
fn one_packet_goes_to_all_when_all_have_confirmed() {
    let mut cache = PathCache::new();
    let _ = cache.send("A", &CALL, &[2], 2, true);
    confirm(&mut cache, 2, "A");
    assert_eq!(
        cache.send("A", &CALL, &[2, 3], 0, true),
        [announcement(3, 1, "A"), by_id(2, 1), by_path(3, "A")]
    );
    confirm(&mut cache, 3, "A");
    assert_eq!(cache.send("A", &CALL, &[2, 3], 0, true), [by_id(0, 1)]);
    assert_eq!(cache.send("A", &CALL, &[3], -2, true), [by_id(-2, 1)]);
    assert_eq!(cache.send("A", &CALL, &[2, 3], 0, false), [by_id(2, 1), by_id(3, 1)], "not as one");
}

#[test]
fn nothing_is_sent_to_nobody() {
    let mut cache = PathCache::new();
    assert_eq!(cache.send("A", &CALL, &[], 0, true), []);
}

#[test]
fn who_leaves_is_forgotten_and_ids_go_on() {
    let mut cache = PathCache::new();
    for peer in [2, 3] {
        cache.peer_connected(peer);
        let _ = cache.send("A", &CALL, &[peer], peer, true);
        confirm(&mut cache, peer, "A");
        announce(&mut cache, peer, 1, "X");
    }
    cache.peer_disconnected(2);
    cache.peer_connected(2);
    assert_eq!(called(&mut cache, 2, 1), Err(DecodeError::UnknownPath(1)));
    assert_eq!(called(&mut cache, 3, 1), Ok("X".into()));
    assert_eq!(
        cache.send("A", &CALL, &[2, 3], 0, true),
        [announcement(2, 1, "A"), by_path(2, "A"), by_id(3, 1)]
    );
    assert_eq!(cache.send("B", &CALL, &[3], 3, true)[0], announcement(3, 2, "B"));
    cache.clear();
    assert_eq!(cache.send("C", &CALL, &[3], 3, true)[0], announcement(3, 1, "C"));
    assert_eq!(called(&mut cache, 3, 1), Err(DecodeError::UnknownPath(1)));
}

#[test]
fn what_is_announced_before_the_notice_of_a_peer_is_kept() {
    let mut cache = PathCache::new();
    announce(&mut cache, 2, 1, "A");
    cache.peer_connected(2);
    assert_eq!(called(&mut cache, 2, 1), Ok("A".into()));
}

#[test]
fn ids_belong_to_their_sender_and_may_be_given_again() {
    let mut cache = PathCache::new();
    for (peer, id, path) in [(2, 5, "A"), (3, 5, "B"), (2, 0, "C"), (2, 0x7fff_ffff, "D")] {
        let answer = [b"\x03", path.as_bytes(), b"\0"].concat();
        assert_eq!(announce(&mut cache, peer, id, path), Received::Announcement { answer });
        assert_eq!(called(&mut cache, peer, id), Ok(path.into()));
    }
    assert_eq!(called(&mut cache, 3, 0), Err(DecodeError::UnknownPath(0)));
    announce(&mut cache, 2, 5, "E");
    assert_eq!(called(&mut cache, 2, 5), Ok("E".into()));
    assert_eq!(called(&mut cache, 3, 5), Ok("B".into()));
}

#[test]
fn an_announced_path_is_checked_at_the_call() {
    let mut cache = PathCache::new();
    for path in ["/root/Main", "..", "Main:x", "%Unique"] {
        let answer = [b"\x03", path.as_bytes(), b"\0"].concat();
        assert_eq!(announce(&mut cache, 2, 1, path), Received::Announcement { answer }, "as 3.6 does it");
        let called = called(&mut cache, 2, 1);
        assert!(matches!(called, Err(DecodeError::PathRefused(_))), "{path}: {called:?}");
    }
}

#[test]
fn paths_beyond_the_limit_get_no_answer_and_calls_with_the_path_still_work() {
    let mut cache = PathCache::new();
    cache.peer_connected(2);
    let announcements = 1 << 14;
    let answered = (0..announcements)
        .filter(|id| announce(&mut cache, 2, *id, &format!("N{id}")) != Received::Ignored)
        .count();
    assert_eq!(answered, MAX_ANNOUNCED_PATHS);
    assert_eq!(called(&mut cache, 2, 0), Ok("N0".into()));
    assert_eq!(called(&mut cache, 2, announcements - 1), Err(DecodeError::UnknownPath(announcements - 1)));
    let path = format!("N{}", announcements - 1);
    let call = cache.receive(2, &by_path(0, &path).packet, &Limits::default());
    assert_eq!(call, Ok(Received::Call { path, method: "m".into(), arguments: vec![] }));
    // An id that is known may still change, and other peers are not concerned.
    assert_ne!(announce(&mut cache, 2, 0, "Other"), Received::Ignored);
    assert_ne!(announce(&mut cache, 3, 5000, "N"), Received::Ignored);
}

#[test]
fn announcements_that_no_call_can_use_take_no_room() {
    let mut cache = PathCache::new();
    let announcements = 1 + MAX_ANNOUNCED_PATHS as u32;
    for id in 0..announcements {
        assert_eq!(announce(&mut cache, 2, id, ""), Received::Announcement { answer: b"\x03\0".to_vec() });
        assert_ne!(announce(&mut cache, 2, 1 << 31 | id, "A"), Received::Ignored);
    }
    assert_ne!(announce(&mut cache, 2, announcements, "A"), Received::Ignored);
    assert_eq!(called(&mut cache, 2, announcements), Ok("A".into()));
    assert_eq!(called(&mut cache, 2, 0), Err(DecodeError::UnknownPath(0)));
}

#[test]
fn a_nul_ends_what_is_sent_as_text() {
    let mut cache = PathCache::new();
    let command = Command::Set { property: "p\0q", value: &[0; 4] };
    let out = cache.send("A\0B", &command, &[2], 2, true);
    assert_eq!(out[0], announcement(2, 1, "A"));
    let set = PathCache::new().receive(1, &out[1].packet, &Limits::default());
    let value = nme_godot3::Value::Nil;
    assert_eq!(set, Ok(Received::Set { path: "A".into(), property: "p".into(), value }));
}

#[test]
fn bytes_of_paths_have_a_limit() {
    let mut cache = PathCache::new();
    let path = "a".repeat(MAX_PATH_BYTES);
    let answered = (0..4000).filter(|id| announce(&mut cache, 2, *id, &path) != Received::Ignored).count();
    assert_eq!(answered, MAX_ANNOUNCED_BYTES / MAX_PATH_BYTES);
    // The same id again takes the place of the old path.
    assert_ne!(announce(&mut cache, 2, 0, "short"), Received::Ignored);
    assert_ne!(announce(&mut cache, 2, 0, &path), Received::Ignored);
    // What has no room does not leave the id with the old path, which is another node.
    assert_ne!(announce(&mut cache, 2, 0, "short"), Received::Ignored);
    assert_eq!(announce(&mut cache, 2, 0, &format!("{path}a")), Received::Ignored);
    assert_eq!(called(&mut cache, 2, 0), Err(DecodeError::UnknownPath(0)));
    assert_eq!(announce(&mut cache, 3, 0, &format!("{path}a")), Received::Ignored, "no call could use it");
}

#[test]
fn announcements_of_peers_that_are_not_there_have_a_limit() {
    let mut cache = PathCache::new();
    let answered = (2..1000).filter(|peer| announce(&mut cache, *peer, 1, "A") != Received::Ignored).count();
    assert_eq!(answered, MAX_UNKNOWN_PEERS);
    cache.peer_connected(999);
    assert_ne!(announce(&mut cache, 999, 1, "A"), Received::Ignored);
}

#[test]
fn the_limit_of_values_and_objects_reaches_the_arguments() {
    let mut cache = PathCache::new();
    let call = common::call_with(&[0, 0, 0, 0]);
    assert!(cache.receive(2, &call, &Limits::default()).is_ok());
    let none = Limits { values: 0, ..Limits::default() };
    assert_eq!(cache.receive(2, &call, &none), Err(DecodeError::TooManyValues));
}
