//! The layout of packets.

use crate::error::DecodeError;
use crate::read::{Reader, text};
use crate::value::{Limits, Value};
use crate::write::put_c_string;

/// How long the name of a method or property may be in a packet of another peer, in bytes.
pub const MAX_NAME_BYTES: usize = 1024;

/// What is asked of a node of the other peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// A call of a method.
    Call {
        /// Its name.
        method: &'a str,
        /// The number of arguments in one byte, then each as [`encode_value`](crate::encode_value) writes it.
        arguments: &'a [u8],
    },
    /// A property is set.
    Set {
        /// Its name.
        property: &'a str,
        /// What [`encode_value`](crate::encode_value) writes.
        value: &'a [u8],
    },
}

/// A packet for the peer, to be sent in the order in which they are handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Target peer: an id, or, with one packet for many, the game's own target.
    pub target: i32,
    /// How it is to be sent.
    pub kind: OutgoingKind,
    /// The bytes.
    pub packet: Vec<u8>,
}

/// How an outgoing packet is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutgoingKind {
    /// Reliably, on channel 0.
    Announcement,
    /// With the call's transfer mode and channel.
    Message,
}

/// What a packet of another peer says.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// A method is to be called.
    Call {
        /// The node, relative to the root node, in canonical form. It has passed [`check_path`](crate::check_path).
        path: String,
        /// The method. Any text, also none.
        method: String,
        /// The arguments.
        arguments: Vec<Value>,
    },
    /// A property is to be set.
    Set {
        /// As for a call.
        path: String,
        /// The property. Any text, also none.
        property: String,
        /// The value.
        value: Value,
    },
    /// A path was announced.
    Announcement {
        /// The confirmation, to be sent back reliably.
        answer: Vec<u8>,
    },
    /// A path was confirmed.
    Confirmation,
    /// Bytes of the game.
    Raw(Vec<u8>),
    /// Nothing that anybody has to know about.
    Ignored,
}

/// A packet with bytes of the game.
#[must_use]
pub fn raw(bytes: &[u8]) -> Vec<u8> {
    [&[code::RAW], bytes].concat()
}

/// The first bytes of packets.
pub(crate) mod code {
    pub(crate) const CALL: u8 = 0;
    pub(crate) const SET: u8 = 1;
    pub(crate) const ANNOUNCEMENT: u8 = 2;
    pub(crate) const CONFIRMATION: u8 = 3;
    pub(crate) const RAW: u8 = 4;
}

/// A packet, taken apart as far as possible without knowing what ids stand for.
pub(crate) enum Packet<'a> {
    Message { kind: MessageKind, node: Node<'a>, body: &'a [u8] },
    Announcement { id: u32, path: &'a str },
    Confirmation { path: &'a str },
    Raw(&'a [u8]),
    Ignored,
}

#[derive(Clone, Copy)]
pub(crate) enum MessageKind {
    Call,
    Set,
}

/// Which node is meant.
pub(crate) enum Node<'a> {
    Id(u32),
    Path(&'a str),
}

impl<'a> Packet<'a> {
    pub(crate) fn parse(packet: &'a [u8]) -> Result<Self, DecodeError> {
        let (&first, rest) = packet.split_first().ok_or(DecodeError::TooShort)?;
        match first {
            code::CALL => Self::message(MessageKind::Call, packet),
            code::SET => Self::message(MessageKind::Set, packet),
            code::ANNOUNCEMENT => {
                let (id, path) = rest.split_first_chunk().ok_or(DecodeError::TooShort)?;
                Ok(Self::Announcement { id: u32::from_le_bytes(*id), path: text(path)? })
            }
            code::CONFIRMATION | code::RAW if rest.is_empty() => Err(DecodeError::TooShort),
            code::CONFIRMATION => Ok(Self::Confirmation { path: text(rest)? }),
            code::RAW => Ok(Self::Raw(rest)),
            _ => Ok(Self::Ignored),
        }
    }

    fn message(kind: MessageKind, packet: &'a [u8]) -> Result<Self, DecodeError> {
        let node = match packet.get(1..HEADER) {
            Some(&[a, b, c, d]) if packet.len() > HEADER => u32::from_le_bytes([a, b, c, d]),
            _ => return Err(DecodeError::TooShort),
        };
        if node & BY_PATH == 0 {
            return Ok(Self::Message { kind, node: Node::Id(node), body: &packet[HEADER..] });
        }
        let offset = path_offset(packet).ok_or(DecodeError::PathOffset)?;
        // 3.6 would let the arguments run on into the path.
        Ok(Self::Message { kind, node: Node::Path(text(&packet[offset..])?), body: &packet[HEADER..offset] })
    }
}

/// Where the path of a call or set starts, if its node field is an offset that can be right: behind a name, and not
/// behind the end.
pub(crate) fn path_offset(packet: &[u8]) -> Option<usize> {
    let node = u32::from_le_bytes(packet.get(1..HEADER)?.try_into().ok()?);
    let offset = usize::try_from(node & !BY_PATH).ok()?;
    (node & BY_PATH != 0 && (HEADER + 1..packet.len()).contains(&offset)).then_some(offset)
}

/// What a call or set says, once its path is known.
pub(crate) fn decode_body(
    kind: MessageKind,
    path: String,
    body: &[u8],
    limits: &Limits,
) -> Result<Received, DecodeError> {
    let mut reader = Reader::new(body, limits);
    let name = reader.name(MAX_NAME_BYTES)?.to_owned();
    match kind {
        MessageKind::Call => {
            let count = reader.byte()?;
            let arguments = (0..count).map(|_| reader.argument()).collect::<Result<_, _>>()?;
            Ok(Received::Call { path, method: name, arguments })
        }
        MessageKind::Set => Ok(Received::Set { path, property: name, value: reader.argument()? }),
    }
}

/// A call or set with an id that was announced.
pub(crate) fn message_by_id(id: u32, command: &Command<'_>) -> Vec<u8> {
    message(command, id, 0)
}

/// A call or set with its path written out.
pub(crate) fn message_by_path(path: &str, command: &Command<'_>) -> Vec<u8> {
    let mut packet = message(command, 0, path.len() + 1);
    let node = BY_PATH | packet.len() as u32;
    packet[1..HEADER].copy_from_slice(&node.to_le_bytes());
    put_c_string(&mut packet, path);
    packet
}

fn message(command: &Command<'_>, node: u32, extra: usize) -> Vec<u8> {
    let (code, name, body) = match *command {
        Command::Call { method, arguments } => (code::CALL, method, arguments),
        Command::Set { property, value } => (code::SET, property, value),
    };
    let mut packet = Vec::with_capacity(HEADER + name.len() + 1 + body.len() + extra);
    packet.push(code);
    packet.extend_from_slice(&node.to_le_bytes());
    put_c_string(&mut packet, name);
    packet.extend_from_slice(body);
    packet
}

pub(crate) fn announcement(id: u32, path: &str) -> Vec<u8> {
    let mut packet = vec![code::ANNOUNCEMENT];
    packet.extend_from_slice(&id.to_le_bytes());
    put_c_string(&mut packet, path);
    packet
}

pub(crate) fn confirmation(path: &str) -> Vec<u8> {
    let mut packet = vec![code::CONFIRMATION];
    put_c_string(&mut packet, path);
    packet
}

/// Bytes of the command and the node field.
const HEADER: usize = 5;
/// Bit of the node field: the rest is the offset of the path.
pub(crate) const BY_PATH: u32 = 1 << 31;
