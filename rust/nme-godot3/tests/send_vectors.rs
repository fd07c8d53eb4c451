//! What Godot 3.6.2 sent is read as what it had been given, and written again with the same bytes.
mod common;

use common::{encoded, encoded_arguments, lines, message, packet, sender, text, unhex, value, values};
use nme_godot3::{Command, Limits, OutgoingKind, PathCache, Received, Value, raw};
use serde_json::Value as Json;

/// One line: its name, the packet, and what the engine was given.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    given: Json,
}

fn cases() -> Vec<Case> {
    let case = |columns: Vec<&'static str>| {
        assert!(matches!(columns[0], "send" | "answer"), "{}", columns[0]);
        let given = serde_json::from_str(columns[6]).expect(columns[1]);
        Case { name: columns[1], bytes: unhex(columns[5]), given }
    };
    let cases: Vec<Case> = lines(common::GODOT3_SEND).map(case).collect();
    assert_eq!(cases.len(), 215);
    cases
}

impl Case {
    fn limits(&self) -> Limits {
        Limits { objects: self.name.starts_with("object_full"), ..Limits::default() }
    }

    fn field(&self, name: &str) -> String {
        text(&self.given[name])
    }

    fn id(&self) -> Option<u32> {
        self.given["id"].as_u64().map(|id| u32::try_from(id).expect("an id"))
    }

    /// The path that is written out, or what the id is to stand for.
    fn path(&self) -> String {
        self.given["path"].as_str().unwrap_or("Some/Node").to_owned()
    }

    fn is_confirmation(&self) -> bool {
        self.field("cmd") == "confirm" && !self.field("path").is_empty()
    }

    /// What the packet says to a peer that has got the announcements before it.
    fn received(&self) -> Received {
        let mut cache =
            if self.is_confirmation() { sender(1, &self.path(), false) } else { PathCache::new() };
        if let Some(id) = self.id() {
            let announcement = packet(2, id, format!("{}\0", self.path()).as_bytes());
            cache.receive(2, &announcement, &self.limits()).expect(self.name);
        }
        cache.receive(2, &self.bytes, &self.limits()).expect(self.name)
    }
}

#[test]
fn every_packet_is_read_as_what_the_engine_was_given() {
    for case in cases() {
        let name = case.name;
        match (case.field("cmd").as_str(), case.received()) {
            ("call", Received::Call { path, method, arguments }) => {
                assert_eq!((path, method), (case.path(), case.field("method")), "{name}");
                let given = values(case.given["args"].as_array().expect(name));
                // As bytes, for NaN is not equal to itself.
                assert_eq!(encoded_arguments(&arguments), encoded_arguments(&given), "{name}");
            }
            ("set", Received::Set { path, property, value: got }) => {
                assert_eq!((path, property), (case.path(), case.field("property")), "{name}");
                assert_eq!(encoded(&got), encoded(&value(&case.given["value"])), "{name}");
            }
            ("raw", Received::Raw(bytes)) => assert_eq!(bytes, unhex(&case.field("bytes")), "{name}"),
            ("simplify", Received::Announcement { answer }) => {
                assert_eq!(answer, [b"\x03", case.path().as_bytes(), b"\0"].concat(), "{name}");
            }
            ("confirm", Received::Confirmation) => assert!(case.is_confirmation(), "{name}"),
            // Godot 3.6 was asked to confirm the empty path. This side never announces it.
            ("confirm", Received::Ignored) => assert_eq!(case.field("path"), "", "{name}"),
            (command, received) => panic!("{name}: {command} is read as {received:?}"),
        }
    }
}

#[test]
fn every_packet_is_written_with_the_same_bytes() {
    let mut padded = 0;
    for case in cases() {
        let (again, body) = case.written();
        let mut wanted = case.bytes.clone();
        for at in body.padding() {
            wanted[at] = 0;
        }
        padded += usize::from(wanted != case.bytes);
        assert_eq!(again, wanted, "{}", case.name);
    }
    assert_eq!(padded, 7, "packets in which 3.6.2 left rubbish in the padding of node paths");
}

/// The values in a packet, and where they start.
struct Body {
    start: usize,
    values: Vec<Value>,
}

impl Case {
    /// The packet that we write for what the engine was given.
    fn written(&self) -> (Vec<u8>, Body) {
        let mut body = Body { start: 0, values: Vec::new() };
        let path = self.path();
        let again = match self.field("cmd").as_str() {
            "call" => {
                let method = self.field("method");
                body.start = 5 + method.len() + 2;
                body.values = values(self.given["args"].as_array().expect(self.name));
                let arguments = encoded_arguments(&body.values);
                self.message(&Command::Call { method: &method, arguments: &arguments })
            }
            "set" => {
                let property = self.field("property");
                body.start = 5 + property.len() + 1;
                body.values = vec![value(&self.given["value"])];
                let value = encoded(&body.values[0]);
                self.message(&Command::Set { property: &property, value: &value })
            }
            "raw" => raw(&unhex(&self.field("bytes"))),
            "simplify" => {
                let mut cache = sender(self.id().expect("an id"), &path, false);
                let out = cache.send(&path, &Command::Set { property: "", value: &[] }, &[3], 3, true);
                assert_eq!(out[0].kind, OutgoingKind::Announcement);
                out[0].packet.clone()
            }
            _ => {
                let announcement = packet(2, 1, format!("{path}\0").as_bytes());
                let received = PathCache::new().receive(7, &announcement, &self.limits());
                let Ok(Received::Announcement { answer }) = received else { panic!("{}", self.name) };
                answer
            }
        };
        (again, body)
    }

    fn message(&self, command: &Command<'_>) -> Vec<u8> {
        message(&mut sender(self.id().unwrap_or(1), &self.path(), self.id().is_some()), &self.path(), command)
    }
}

impl Body {
    /// Where the padding of the strings of node paths is.
    fn padding(&self) -> Vec<usize> {
        let (mut at, mut found) = (self.start, Vec::new());
        for value in &self.values {
            padding(value, at, &mut found);
            at += encoded(value).len();
        }
        found
    }
}

fn padding(value: &Value, mut at: usize, found: &mut Vec<usize>) {
    match value {
        Value::NodePath(path) => {
            at += 16;
            for name in path.names.iter().chain(&path.subnames) {
                at += 4 + name.len();
                let end = at + name.len().wrapping_neg() % 4;
                found.extend(at..end);
                at = end;
            }
        }
        Value::Array(members) => {
            at += 8;
            for member in members {
                padding(member, at, found);
                at += encoded(member).len();
            }
        }
        Value::Dictionary(pairs) => {
            at += 8;
            for part in pairs.iter().flat_map(|(key, value)| [key, value]) {
                padding(part, at, found);
                at += encoded(part).len();
            }
        }
        _ => {}
    }
}

#[test]
fn confirmations_of_godot_3_reach_the_path_that_was_announced() {
    let confirmations: Vec<Case> = cases().into_iter().filter(Case::is_confirmation).collect();
    assert!(!confirmations.is_empty());
    for case in confirmations {
        let mut cache = sender(1, &case.path(), false);
        assert_eq!(
            cache.receive(2, &case.bytes, &case.limits()),
            Ok(Received::Confirmation),
            "{}",
            case.name
        );
        let again = message(&mut cache, &case.path(), &Command::Set { property: "p", value: &[0; 4] });
        assert_eq!(again, packet(1, 1, b"p\0\0\0\0\0"), "by id from now on");
    }
}
