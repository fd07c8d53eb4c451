//! What a game says of itself in an answer: data as in JSON, in the bytes of Godot's Variants.
//!
//! Only these kinds of Variants are read. The engine's own decoder knows more, and prints an error for every damaged one, so
//! that strangers could fill a log.

use std::sync::Arc;

use thiserror::Error;

/// The most bytes that a game can say.
pub const MAX_INFO: usize = 1024;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    Array(Vec<Self>),
    /// Keys with their values, in their order.
    Dictionary(Vec<(Self, Self)>),
}

/// A dictionary in bytes that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryInfo(Arc<[u8]>);

/// Why something cannot be said in an answer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum QueryInfoError {
    /// It has too many bytes.
    #[error(
        "the dictionary takes {0} bytes, and an answer has room for {MAX_INFO}; say less, and the rest to who connects"
    )]
    TooLong(usize),
    /// There are dictionaries or arrays in each other, too many or without an end.
    #[error("there are more than {MAX_DEPTH} dictionaries and arrays in each other; use fewer")]
    TooDeep,
    /// A text with a character of the number 0.
    #[error("there is a text with a character 0 in it; leave that out")]
    ZeroCharacter,
}

impl QueryInfo {
    /// What a game has to say.
    ///
    /// # Errors
    /// When it is too much, or contains itself.
    pub fn new(entries: &[(Value, Value)]) -> Result<Self, QueryInfoError> {
        let mut out = Vec::new();
        write_entries(&mut out, entries, 1)?;
        if out.len() > MAX_INFO {
            return Err(QueryInfoError::TooLong(out.len()));
        }
        Ok(Self(out.into()))
    }

    /// The bytes of a stranger; `None` when they are no dictionary, or something else than the values here.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= MAX_INFO && read_all(bytes).is_some()).then(|| Self(bytes.into()))
    }

    /// The entries of the dictionary. There always are some values: the bytes have been read before.
    #[must_use]
    pub fn values(&self) -> Option<Vec<(Value, Value)>> {
        read_all(&self.0)
    }

    /// The bytes, which Godot 4 reads as a Variant.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

fn read_all(mut bytes: &[u8]) -> Option<Vec<(Value, Value)>> {
    let Value::Dictionary(entries) = read(&mut bytes, 0)? else { return None };
    bytes.is_empty().then_some(entries)
}

/// Takes a value off the front, which is in so many others. A stranger gets no more memory than its bytes say: each value has
/// four at least.
fn read(bytes: &mut &[u8], depth: usize) -> Option<Value> {
    let header = take_u32(bytes)?;
    let is_64_bits = header & FLAG_64_BITS != 0;
    let flags = header & !0xff & !FLAG_64_BITS;
    let kind = header & 0xff;
    if flags != 0 || (is_64_bits && !matches!(kind, INT | FLOAT)) {
        return None;
    }
    Some(match kind {
        NULL => Value::Null,
        BOOL => Value::Bool(take_u32(bytes)? != 0),
        INT if is_64_bits => Value::Int(i64::from_le_bytes(take(bytes)?)),
        INT => Value::Int(i32::from_le_bytes(take(bytes)?).into()),
        FLOAT if is_64_bits => Value::Float(f64::from_le_bytes(take(bytes)?)),
        FLOAT => Value::Float(f32::from_le_bytes(take(bytes)?).into()),
        TEXT => {
            let len = take_u32(bytes)? as usize;
            let (text, rest) = bytes.split_at_checked(len)?;
            *bytes = rest.get(padding(len)..)?;
            let text = std::str::from_utf8(text).ok().filter(|text| !text.contains('\0'))?;
            Value::Text(text.to_owned())
        }
        ARRAY | DICTIONARY => {
            let depth = depth + 1;
            // The highest bit says that the engine's container was shared.
            let count = take_u32(bytes)? & 0x7fff_ffff;
            if depth > MAX_DEPTH || count as usize > bytes.len() / 4 {
                return None;
            }
            if kind == ARRAY {
                Value::Array((0..count).map(|_| read(bytes, depth)).collect::<Option<_>>()?)
            } else {
                let entry = |_| Some((read(bytes, depth)?, read(bytes, depth)?));
                Value::Dictionary((0..count).map(entry).collect::<Option<_>>()?)
            }
        }
        _ => return None,
    })
}

fn write(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), QueryInfoError> {
    match value {
        Value::Null => put_u32(out, NULL),
        Value::Bool(value) => {
            put_u32(out, BOOL);
            put_u32(out, (*value).into());
        }
        Value::Int(value) => match i32::try_from(*value) {
            Ok(short) => {
                put_u32(out, INT);
                out.extend_from_slice(&short.to_le_bytes());
            }
            Err(_) => {
                put_u32(out, INT | FLAG_64_BITS);
                out.extend_from_slice(&value.to_le_bytes());
            }
        },
        Value::Float(value) => {
            let short = *value as f32;
            if f64::from(short).to_bits() == value.to_bits() {
                put_u32(out, FLOAT);
                out.extend_from_slice(&short.to_le_bytes());
            } else {
                put_u32(out, FLOAT | FLAG_64_BITS);
                out.extend_from_slice(&value.to_le_bytes());
            }
        }
        Value::Text(text) => {
            if text.contains('\0') {
                return Err(QueryInfoError::ZeroCharacter);
            }
            put_u32(out, TEXT);
            put_u32(out, text.len() as u32);
            out.extend_from_slice(text.as_bytes());
            out.resize(out.len() + padding(text.len()), 0);
        }
        Value::Array(values) => {
            check_depth(depth + 1)?;
            put_u32(out, ARRAY);
            put_u32(out, values.len() as u32);
            values.iter().try_for_each(|value| write(out, value, depth + 1))?;
        }
        Value::Dictionary(entries) => write_entries(out, entries, depth + 1)?,
    }
    Ok(())
}

fn write_entries(out: &mut Vec<u8>, entries: &[(Value, Value)], depth: usize) -> Result<(), QueryInfoError> {
    check_depth(depth)?;
    put_u32(out, DICTIONARY);
    put_u32(out, entries.len() as u32);
    for (key, value) in entries {
        write(out, key, depth)?;
        write(out, value, depth)?;
    }
    Ok(())
}

const fn check_depth(depth: usize) -> Result<(), QueryInfoError> {
    if depth > MAX_DEPTH { Err(QueryInfoError::TooDeep) } else { Ok(()) }
}

fn take<const LEN: usize>(bytes: &mut &[u8]) -> Option<[u8; LEN]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    take(bytes).map(u32::from_le_bytes)
}

fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Bytes behind a text, up to a multiple of four.
const fn padding(len: usize) -> usize {
    len.wrapping_neg() % 4
}

/// Dictionaries and arrays in each other, the outermost included.
pub const MAX_DEPTH: usize = 8;

// The engine's numbers of the types.
const NULL: u32 = 0;
const BOOL: u32 = 1;
const INT: u32 = 2;
const FLOAT: u32 = 3;
const TEXT: u32 = 4;
const DICTIONARY: u32 = 27;
const ARRAY: u32 = 28;

/// A number has 8 bytes, not 4.
const FLAG_64_BITS: u32 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn example() -> Vec<(Value, Value)> {
        let numbers = [0, -1, i64::from(i32::MAX), i64::from(i32::MAX) + 1, i64::MIN].map(Value::Int);
        let floats = [0.0, -0.0, 0.5, 0.1, f64::MAX, f64::INFINITY].map(Value::Float);
        vec![
            (text("name"), text("Grüße, \"Ω\"")),
            (text("map"), Value::Null),
            (text("numbers"), Value::Array(numbers.into())),
            (text("floats"), Value::Array(floats.into())),
            (Value::Int(7), Value::Dictionary(vec![(text(""), Value::Bool(true))])),
        ]
    }

    #[test]
    fn what_was_written_is_read() {
        let info = QueryInfo::new(&example()).unwrap();
        assert_eq!(info.values().unwrap(), example());
        assert_eq!(QueryInfo::read(info.bytes()), Some(info));
        assert_eq!(QueryInfo::new(&[]).unwrap().values(), Some(Vec::new()));
    }

    #[test]
    fn the_bytes_are_those_of_the_engine() {
        // var_to_bytes({"a": 1, "bc": [0.1, true]}) of Godot 4.6.3.
        let entries = [
            (text("a"), Value::Int(1)),
            (text("bc"), Value::Array(vec![Value::Float(0.1), Value::Bool(true)])),
        ];
        let expected = "1b0000000200000004000000010000006100000002000000010000000400000002000000626300001c00000002000000\
                        030001009a9999999999b93f0100000001000000";
        let info = QueryInfo::new(&entries).unwrap();
        assert_eq!(info.bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>(), expected);
    }

    #[test]
    fn what_is_too_much_is_an_error() {
        // 8 bytes of the dictionary, 8 and 4 of the key, 8 of the text.
        let of = |len: usize| QueryInfo::new(&[(text("name"), text(&"x".repeat(len)))]);
        assert_eq!(of(MAX_INFO - 28).unwrap().bytes().len(), MAX_INFO);
        assert_eq!(of(MAX_INFO - 27), Err(QueryInfoError::TooLong(MAX_INFO + 4)));
        let nested = |depth: usize| {
            let inner = (1..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
            QueryInfo::new(&[(text("a"), inner)])
        };
        assert!(nested(MAX_DEPTH).unwrap().values().is_some());
        assert_eq!(nested(MAX_DEPTH + 1), Err(QueryInfoError::TooDeep));
        assert_eq!(QueryInfo::new(&[(text("a\0"), Value::Null)]), Err(QueryInfoError::ZeroCharacter));
    }

    #[test]
    fn bytes_of_strangers_are_values_or_nothing() {
        let good = QueryInfo::new(&example()).unwrap();
        for len in 0..good.bytes().len() {
            assert_eq!(QueryInfo::read(&good.bytes()[..len]), None, "{len}");
        }
        for place in 0..good.bytes().len() {
            for bit in 0..8 {
                let mut bytes = good.bytes().to_vec();
                bytes[place] ^= 1 << bit;
                if let Some(info) = QueryInfo::read(&bytes) {
                    assert!(info.values().is_some());
                }
            }
        }
        let with_kind = |kind: u32| {
            let mut bytes = Vec::new();
            write_entries(&mut bytes, &[(Value::Int(0), Value::Int(0))], 1).unwrap();
            bytes[8..12].copy_from_slice(&kind.to_le_bytes());
            QueryInfo::read(&bytes)
        };
        assert!(with_kind(INT).is_some());
        // A vector, an object, an object's id, a callable, a typed array.
        for kind in [5, 24, 24 | FLAG_64_BITS, 25, ARRAY | FLAG_64_BITS, 255] {
            assert_eq!(with_kind(kind), None, "{kind}");
        }
    }

    #[test]
    fn no_memory_is_taken_for_what_is_only_said_to_be_there() {
        let mut bytes = Vec::new();
        for number in [DICTIONARY, 0x7fff_ffff, NULL, NULL] {
            put_u32(&mut bytes, number);
        }
        assert_eq!(QueryInfo::read(&bytes), None);
        let deep: Vec<u8> = (0..MAX_INFO / 8).flat_map(|_| [ARRAY, 1]).flat_map(u32::to_le_bytes).collect();
        assert_eq!(QueryInfo::read(&deep), None);
    }
}
