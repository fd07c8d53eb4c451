//! The protocol of Godot 3.6's `MultiplayerAPI`: remote calls, remote sets, raw bytes, and the Variants in them.
//!
//! This crate turns bytes into values and back. It knows no socket, no clock, no thread and no engine, and it prints
//! nothing. What is between the game and these bytes (nodes, scripts, signals) is the caller's.
//!
//! # The packets
//! Integers are little-endian. The first byte is the command.
//!
//! | byte | command | what follows |
//! |---|---|---|
//! | 0 | call | node `u32`, method and NUL, number of arguments `u8`, the arguments, perhaps a path and NUL |
//! | 1 | set | node `u32`, property and NUL, one value, perhaps a path and NUL |
//! | 2 | announcement | id `u32`, path and NUL: from now on the id may stand for the path |
//! | 3 | confirmation | path and NUL: the announcement has arrived |
//! | 4 | raw | bytes of the game |
//!
//! Methods and properties go by name. The node field of a call is an id that its sender has announced, or, with the top
//! bit set, the offset in the packet where the path starts. A sender announces a path before its first call of that
//! node to a peer, and writes the path out until that peer has confirmed. [`PathCache`] plays both roles.
//!
//! The receiver alone decides who may call a method: by its own [`RpcMode`] of the method, and by which peer is the
//! node's master. It says so to nobody.
//!
//! # What is taken
//! Everything that Godot 3.6 sends, and most of what it would take from others: bytes behind the last argument, paths
//! without their NUL, rubbish in the padding. Stricter than 3.6 are: the number and depth of values ([`Limits`]), UTF-8,
//! the length of names and paths, and paths that lead out of the root node or around the tree ([`check_path`]).
//!
//! # The dialect
//! Godot 4 has the same commands with other numbers and other layouts, so a packet of one dialect must never be read as
//! the other. [`PROBE`] asks a peer without a trace in either, and [`detect`] looks at what it sends.
//!
//! ```
//! use nme_godot3::{Command, Limits, PathCache, Received, Value, encode_value};
//!
//! let mut arguments = vec![1]; // How many there are.
//! encode_value(&Value::String("hello".into()), &mut arguments);
//! let command = Command::Call { method: "say", arguments: &arguments };
//! let (mut sender, mut receiver) = (PathCache::new(), PathCache::new());
//! receiver.peer_connected(1);
//!
//! let packets = sender.send("Main/Chat", &command, &[2], 2, true);
//! let received: Vec<Received> = packets
//!     .iter()
//!     .map(|outgoing| receiver.receive(1, &outgoing.packet, &Limits::default()))
//!     .collect::<Result<_, _>>()?;
//! assert_eq!(received[0], Received::Announcement { answer: b"\x03Main/Chat\0".to_vec() });
//! assert_eq!(received[1], Received::Call {
//!     path: "Main/Chat".into(),
//!     method: "say".into(),
//!     arguments: vec![Value::String("hello".into())],
//! });
//! # Ok::<(), nme_godot3::DecodeError>(())
//! ```
#![forbid(unsafe_code)]

mod dialect;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod mode;
mod packet;
mod path_rules;
mod paths;
mod read;
mod value;
mod write;

pub use dialect::{Dialect, PROBE, detect, is_probe_answer, probe_answer};
pub use error::{DecodeError, PathError};
pub use mode::RpcMode;
pub use packet::{Command, MAX_NAME_BYTES, Outgoing, OutgoingKind, Received, raw};
pub use path_rules::{MAX_PATH_BYTES, MAX_PATH_NAMES, canonical_path, check_path};
pub use paths::{MAX_ANNOUNCED_BYTES, MAX_ANNOUNCED_PATHS, MAX_UNKNOWN_PEERS, PathCache};
pub use read::{MAX_DEPTH, decode_value};
pub use value::{Limits, NodePath, Object, Value};
pub use write::{ValueWriter, encode_value};
