//! Packets made by hand: taken and refused as by Godot 3.6.2, with the exceptions below.
mod common;

use common::{encoded, encoded_arguments, lines, packet, sender, text, unhex, value, values};
use nme_godot3::{Command, DecodeError, Limits, PathCache, PathError, Received, encode_value};
use serde_json::Value as Json;

/// Nodes and methods are the caller's: it refuses these for other reasons than their bytes.
const NOT_OF_THE_BYTES: [(&str, &str); 8] = [
    ("mode_", "the mode of the method; see modes.rs"),
    ("rset_v_", "the mode of the property; see modes.rs"),
    ("fn_", "arguments that do not fit the method"),
    ("too_many_args", "arguments that do not fit the method"),
    ("rset_wrong_type", "a value that does not fit the property"),
    ("path_unknown", "no such node"),
    ("id_of_unknown_path", "no such node"),
    ("v_object_full_unknown_class", "no such class"),
];

/// What 3.6 takes and we do not, and why.
const STRICTER: [(&str, DecodeError, &str); 9] = [
    ("path_absolute", DecodeError::PathRefused(PathError::Absolute), "leads out of the root node"),
    ("path_unique_name", DecodeError::PathRefused(PathError::UniqueName), "3.6 never sends one"),
    ("path_subname", DecodeError::PathRefused(PathError::Subname), "3.6 never sends one"),
    ("simplify_bad_utf8", DecodeError::BadUtf8, "3.6 reads it as empty"),
    ("v_string_surrogate", DecodeError::BadUtf8, "no character"),
    ("v_string_over_10ffff", DecodeError::BadUtf8, "no character"),
    ("v_deep_1000", DecodeError::Depth, "stacks of some threads are small"),
    ("v_deep_1023", DecodeError::Depth, "stacks of some threads are small"),
    ("v_deep_1024", DecodeError::Depth, "stacks of some threads are small"),
];

/// What is read by both, but is not the same value: 3.6 makes an object, which has an id of its own, and a dictionary, in
/// which the last pair of a key counts. Both are the caller's to do.
const READ_OTHERWISE: [&str; 2] = ["v_object_full_allowed", "v_dict_twice_same_key"];

struct Case {
    name: &'static str,
    packets: Vec<Vec<u8>>,
    /// What 3.6.2 did.
    effects: Json,
    objects: bool,
}

fn cases() -> Vec<Case> {
    let cases: Vec<Case> = lines(common::GODOT3_RECEIVE)
        .map(|columns| Case {
            name: columns[0],
            packets: match columns[0].strip_prefix("v_deep_") {
                Some(depth) => vec![nested(depth.parse().expect("a number"))],
                None => columns[1].split(' ').map(unhex).collect(),
            },
            effects: serde_json::from_str(columns[2]).expect(columns[0]),
            objects: columns[3].ends_with("(objects allowed)"),
        })
        .collect();
    assert_eq!(cases.len(), 187);
    cases
}

/// As many arrays inside of each other, around a number.
fn nested(depth: usize) -> Vec<u8> {
    let mut argument = [19, 0, 0, 0, 1, 0, 0, 0].repeat(depth);
    encode_value(&nme_godot3::Value::Int(1), &mut argument);
    common::call_with(&argument)
}

impl Case {
    /// Sends all packets from one peer; the last one counts.
    fn received(&self, limits: &Limits) -> Result<Received, DecodeError> {
        let mut cache = PathCache::new();
        let mut last = Ok(Received::Ignored);
        for packet in &self.packets {
            last = cache.receive(7, packet, limits);
        }
        last
    }

    fn limits(&self) -> Limits {
        Limits { objects: self.objects, ..Limits::default() }
    }

    /// Whether 3.6.2 did anything because of the last packet.
    fn has_acted(&self) -> bool {
        let effects = self.effects.as_object().expect("effects");
        let is_announcement = self.packets.last().is_some_and(|packet| packet[0] == 2);
        effects.keys().any(|effect| effect != "answers") || is_announcement && effects.contains_key("answers")
    }

    fn is_not_of_the_bytes(&self) -> bool {
        NOT_OF_THE_BYTES.iter().any(|(name, _)| self.name.starts_with(name))
    }
}

#[test]
fn verdicts_are_those_of_the_engine() {
    let mut compared = 0;
    for case in cases().iter().filter(|case| !case.is_not_of_the_bytes()) {
        let received = case.received(&case.limits());
        if let Some((_, error, _)) = STRICTER.iter().find(|(name, ..)| *name == case.name) {
            assert_eq!(received, Err(*error), "{}", case.name);
            assert!(case.has_acted(), "{} is no exception", case.name);
            continue;
        }
        // What 3.6 ignores without a message, and what we ignore: nothing was done, and nothing was wrong.
        let has_acted = !matches!(received, Err(_) | Ok(Received::Ignored));
        assert_eq!(has_acted, case.has_acted(), "{}: {received:?}", case.name);
        compared += 1;
    }
    assert_eq!(compared, 125);
}

#[test]
fn what_is_taken_says_what_the_engine_read() {
    let mut compared = 0;
    for case in cases() {
        let Some((node, effects)) = node_effects(&case) else { continue };
        let Ok(received) = case.received(&case.limits()) else {
            assert!(STRICTER.iter().any(|(name, ..)| *name == case.name), "{}", case.name);
            continue;
        };
        match received {
            Received::Call { path, method, arguments } if node != "Cfg" => {
                assert_eq!(path.rsplit('/').next(), Some(node), "{}", case.name);
                assert_eq!(text(&effects[0][0]), method, "{}", case.name);
                let given = effects[0][2].as_array().expect("arguments");
                let is_the_same = !case.is_not_of_the_bytes() && !READ_OTHERWISE.contains(&case.name);
                if is_the_same || case.name.starts_with("mode_") {
                    assert_eq!(
                        encoded_arguments(&arguments),
                        encoded_arguments(&values(given)),
                        "{}",
                        case.name
                    );
                    compared += 1;
                }
            }
            Received::Set { property, value: got, .. } if node != "Cfg" => {
                let last = effects.as_array().and_then(|effects| effects.last()).expect("an effect");
                assert_eq!(text(&last[0]), property, "{}", case.name);
                assert_eq!(encoded(&got), encoded(&value(&last[1])), "{}", case.name);
                compared += 1;
            }
            _ => {}
        }
    }
    assert!(compared > 40, "{compared}");
}

/// The node on which a method or property was reached, and which.
fn node_effects(case: &Case) -> Option<(&str, &Json)> {
    let effects = case.effects.as_object()?.iter();
    let mut nodes = effects.filter(|(name, effect)| *name != "answers" && effect[0].is_array());
    nodes
        .next()
        .filter(|(name, _)| *name != "network_peer_packet")
        .map(|(name, effect)| (name.as_str(), effect))
}

#[test]
fn announcements_are_answered_as_by_the_engine() {
    let mut compared = 0;
    for case in cases() {
        let Some(answers) = case.effects.get("answers") else { continue };
        if case.name == "simplify_bad_utf8" || case.name.starts_with("v_deep") {
            continue;
        }
        let received = PathCache::new().receive(7, &case.packets[0], &case.limits());
        let answer = unhex(answers[0][1].as_str().expect("an answer"));
        assert_eq!(received, Ok(Received::Announcement { answer }), "{}", case.name);
        compared += 1;
    }
    assert!(compared > 80, "{compared}");
}

#[test]
fn with_its_limits_nesting_is_taken_as_by_the_engine() {
    let limits = Limits { depth: usize::MAX, ..Limits::default() };
    let deep = cases().into_iter().filter(|case| case.name.starts_with("v_deep_"));
    // A thread of its own: the stack of a test's thread is not known.
    let judge = move || {
        for case in deep {
            let received = case.received(&limits);
            assert_eq!(received.is_ok(), case.has_acted(), "{}", case.name);
        }
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(judge).expect("a thread");
    thread.join().expect("judged");
}

#[test]
fn a_key_that_comes_twice_is_kept_twice() {
    let case = cases().into_iter().find(|case| case.name == "v_dict_twice_same_key").expect("in the file");
    let Ok(Received::Call { arguments, .. }) = case.received(&case.limits()) else { panic!("is taken") };
    let nme_godot3::Value::Dictionary(pairs) = &arguments[0] else { panic!("{arguments:?}") };
    assert_eq!(pairs.len(), 2);
    assert_eq!(pairs[0].0, pairs[1].0);
}

#[test]
fn the_engines_error_of_a_confirmation_that_nobody_asked_for_is_ours() {
    let command = Command::Set { property: "p", value: &[0; 4] };
    let mut cache = sender(1, "Main", false);
    let confirmation = b"\x03Main\0";
    assert_eq!(cache.receive(3, confirmation, &Limits::default()), Err(DecodeError::NotAnnounced));
    assert_eq!(cache.receive(2, b"\x03Other\0", &Limits::default()), Err(DecodeError::NotAnnounced));
    assert_eq!(common::message(&mut cache, "Main", &command), packet(1, 1 << 31 | 11, b"p\0\0\0\0\0Main\0"));
}
