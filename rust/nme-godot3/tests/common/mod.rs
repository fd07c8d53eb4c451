//! The recorded packets, and the values in their expectations.
#![allow(dead_code, missing_docs, unreachable_pub)]

use nme_godot3::{Command, NodePath, Object, OutgoingKind, PathCache, Received, Value, encode_value};
use serde_json::Value as Json;

pub const GODOT3_SEND: &str = include_str!("../vectors/godot3_send.txt");
pub const GODOT3_RECEIVE: &str = include_str!("../vectors/godot3_receive.txt");
pub const GODOT3_LOCAL: &str = include_str!("../vectors/godot3_local.txt");
pub const GODOT4_SEND: &str = include_str!("../vectors/godot4_send.txt");
pub const GODOT4_RECEIVE: &str = include_str!("../vectors/godot4_receive.txt");

/// The columns of each line that is no comment.
pub fn lines(file: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    file.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

/// Every packet of 3.6 in the vectors, sent and made by hand, with its name.
pub fn packets_of_godot_3() -> Vec<(String, Vec<u8>)> {
    let sent = lines(GODOT3_SEND).map(|columns| (columns[1].to_owned(), unhex(columns[5])));
    let made = lines(GODOT3_RECEIVE).filter(|columns| !columns[1].starts_with('(')).flat_map(|columns| {
        columns[1].split(' ').map(|hex| (columns[0].to_owned(), unhex(hex))).collect::<Vec<_>>()
    });
    sent.chain(made).collect()
}

pub fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text}");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect(text)).collect()
}

pub fn encoded(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_value(value, &mut bytes);
    bytes
}

/// Arguments as a [`Command::Call`] wants them.
pub fn encoded_arguments(arguments: &[Value]) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(arguments.len()).expect("at most 255")];
    for argument in arguments {
        encode_value(argument, &mut bytes);
    }
    bytes
}

/// A packet by hand: a command, a node field, and what follows.
pub fn packet(command: u8, node: u32, rest: &[u8]) -> Vec<u8> {
    [&[command][..], &node.to_le_bytes(), rest].concat()
}

/// A call of `m` at the node `N`, whose one argument has these bytes.
pub fn call_with(argument: &[u8]) -> Vec<u8> {
    call_of(b"m", &[&[1], argument].concat(), b"N\0")
}

/// A call with its path written out.
pub fn call_of(method: &[u8], arguments: &[u8], path: &[u8]) -> Vec<u8> {
    let offset = 5 + method.len() + 1 + arguments.len();
    packet(0, 1 << 31 | offset as u32, &[method, &[0], arguments, path].concat())
}

/// A cache that has announced `path` to peer 2 under this id, and perhaps got the confirmation.
pub fn sender(id: u32, path: &str, is_confirmed: bool) -> PathCache {
    let mut cache = PathCache::new();
    let command = Command::Set { property: "", value: &[] };
    for other in 1..id {
        let _ = cache.send(&format!("other {other}"), &command, &[2], 2, true);
    }
    let _ = cache.send(path, &command, &[2], 2, true);
    if is_confirmed {
        let confirmation = [b"\x03", path.as_bytes(), b"\0"].concat();
        let received = cache.receive(2, &confirmation, &Default::default());
        assert_eq!(received, Ok(Received::Confirmation), "{path}");
    }
    cache
}

/// The one message to peer 2.
pub fn message(cache: &mut PathCache, path: &str, command: &Command<'_>) -> Vec<u8> {
    let out = cache.send(path, command, &[2], 2, true);
    let [outgoing] = &out[..] else { panic!("{out:?}") };
    assert_eq!((outgoing.target, outgoing.kind), (2, OutgoingKind::Message));
    outgoing.packet.clone()
}

/// A value of an expectation.
pub fn value(json: &Json) -> Value {
    let all = json.as_array().expect("a list");
    let (kind, rest) = (text(&all[0]), &all[1..]);
    match kind.as_str() {
        "nil" => Value::Nil,
        "bool" => Value::Bool(rest[0].as_bool().expect("a truth value")),
        "int" => Value::Int(number(&rest[0])),
        "float" => Value::Real(f64::from_le_bytes(unhex(&text(&rest[0])).try_into().expect("8 bytes"))),
        "string" => Value::String(text(&rest[0])),
        "vector2" => Value::Vector2(floats(&rest[0])),
        "rect2" => Value::Rect2(floats(&rest[0])),
        "vector3" => Value::Vector3(floats(&rest[0])),
        "transform2d" => Value::Transform2D(floats(&rest[0])),
        "plane" => Value::Plane(floats(&rest[0])),
        "quaternion" => Value::Quat(floats(&rest[0])),
        "aabb" => Value::Aabb(floats(&rest[0])),
        "basis" => Value::Basis(floats(&rest[0])),
        "transform3d" => Value::Transform(floats(&rest[0])),
        "color" => Value::Color(floats(&rest[0])),
        "node_path" => Value::NodePath(NodePath {
            is_absolute: rest[0].as_bool().expect("a truth value"),
            names: texts(rest[1].as_array().expect("names")),
            subnames: texts(rest[2].as_array().expect("subnames")),
        }),
        "rid" => Value::Rid,
        "object_id" => Value::ObjectId(text(&rest[0]).parse().expect("an id")),
        "object" => {
            let properties = rest[1].as_array().expect("properties").iter();
            let properties = properties.map(|pair| (text(&pair[0]), value(&pair[1]))).collect();
            Value::Object(Object { class: text(&rest[0]), properties })
        }
        "dictionary" => {
            Value::Dictionary(rest.iter().map(|pair| (value(&pair[0]), value(&pair[1]))).collect())
        }
        "array" => Value::Array(values(rest)),
        "bytes" => Value::Bytes(unhex(&text(&rest[0]))),
        "ints32" => Value::Ints(rest.iter().map(number).collect()),
        "floats32" => Value::Reals(rest.iter().map(float).collect()),
        "strings" => Value::Strings(texts(rest)),
        "vector2s" => Value::Vector2s(rest.iter().map(floats).collect()),
        "vector3s" => Value::Vector3s(rest.iter().map(floats).collect()),
        "colors" => Value::Colors(rest.iter().map(floats).collect()),
        other => panic!("no such type: {other}"),
    }
}

pub fn values(json: &[Json]) -> Vec<Value> {
    json.iter().map(value).collect()
}

pub fn text(json: &Json) -> String {
    json.as_str().expect("text").to_owned()
}

fn texts(json: &[Json]) -> Vec<String> {
    json.iter().map(text).collect()
}

fn number<N: std::str::FromStr<Err: std::fmt::Debug>>(json: &Json) -> N {
    text(json).parse().expect("a number")
}

fn float(json: &Json) -> f32 {
    f32::from_le_bytes(unhex(&text(json)).try_into().expect("4 bytes"))
}

fn floats<const N: usize>(json: &Json) -> [f32; N] {
    let floats: Vec<f32> = json.as_array().expect("floats").iter().map(float).collect();
    floats.try_into().expect("as many as the type has")
}
