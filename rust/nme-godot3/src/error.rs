//! Why a packet or a value is not taken.

use crate::path_rules::{MAX_PATH_BYTES, MAX_PATH_NAMES};

/// What is wrong with a packet, or with the bytes of a value. The texts go on after "the packet is refused: ".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It ends before it is complete.
    #[error("it ends too early")]
    TooShort,
    /// No NUL behind the name of the method or property.
    #[error("the name of its method or property has no end")]
    NoName,
    /// The name is longer than [`MAX_NAME_BYTES`](crate::MAX_NAME_BYTES).
    #[error("the name of its method or property is too long")]
    NameTooLong,
    /// A type that Godot 3.6 does not have. Packets of Godot 4 look like that.
    #[error("it has a value of the type {0}, which Godot 3.6 does not know; is it from Godot 4?")]
    UnknownType(u8),
    /// A length or count is negative, or more than there are bytes.
    #[error("the length of a value is negative, or more than the packet holds")]
    Length,
    /// More levels than [`Limits::depth`](crate::Limits::depth).
    #[error("its arrays, dictionaries or objects are nested too deep")]
    Depth,
    /// More values than [`Limits::values`](crate::Limits::values).
    #[error("it has too many values")]
    TooManyValues,
    /// An object with its properties, and [`Limits::objects`](crate::Limits::objects) is false.
    #[error("it has an object with its properties, and decoding objects is not allowed")]
    ObjectsRefused,
    /// A `NodePath` value in the format from before Godot 3.
    #[error("it has a NodePath in a format from before Godot 3")]
    OldNodePath,
    /// Text that is no UTF-8.
    #[error("it has text that is not valid UTF-8")]
    BadUtf8,
    /// The path of its node starts outside of the packet, or inside of the packet's header.
    #[error("the path of its node is not inside of the packet")]
    PathOffset,
    /// An id that the sender has not announced, or that it announced beyond the limits.
    #[error("the sender never said which path the node id {0} stands for")]
    UnknownPath(u32),
    /// The path of its node is refused.
    #[error("the path of its node is refused: {0}")]
    PathRefused(#[from] PathError),
    /// A confirmation of a path that was not announced to this peer.
    #[error("it confirms a path that was never announced to its sender")]
    NotAnnounced,
}

/// Why a path does not name a node at or below the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It has no name.
    #[error("it is empty")]
    Empty,
    /// It starts with `/`.
    #[error("it is absolute")]
    Absolute,
    /// It has a `%`.
    #[error("it has a unique name (%)")]
    UniqueName,
    /// It has a `:`.
    #[error("it has a subname (:)")]
    Subname,
    /// Its `..` lead above the place where it starts.
    #[error("it leads above the root node")]
    AboveRoot,
    /// Longer than [`MAX_PATH_BYTES`].
    #[error("it is longer than {MAX_PATH_BYTES} bytes")]
    TooLong,
    /// More names than [`MAX_PATH_NAMES`].
    #[error("it has more than {MAX_PATH_NAMES} names")]
    TooManyNames,
}
