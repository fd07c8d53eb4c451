//! Which paths of nodes are taken from other peers.

use std::borrow::Cow;

use crate::error::PathError;

/// How long the path of a node may be, in bytes. Paths of real scenes have less than 200.
pub const MAX_PATH_BYTES: usize = 1024;

/// How many names the path of a node may have, `.` and `..` included.
pub const MAX_PATH_NAMES: usize = 128;

/// Whether a path names a node at or below the root, without having to look at the tree.
///
/// `..` is taken as long as the path stays at or below its start; whether a node there is below the root, the caller
/// has to check, for the names may be those of other nodes.
///
/// # Errors
/// What is wrong with it.
pub fn check_path(path: &str) -> Result<(), PathError> {
    if path.len() > MAX_PATH_BYTES {
        return Err(PathError::TooLong);
    }
    if path.starts_with('/') {
        return Err(PathError::Absolute);
    }
    if path.contains('%') {
        return Err(PathError::UniqueName);
    }
    if path.contains(':') {
        return Err(PathError::Subname);
    }
    let (mut count, mut level) = (0_usize, 0_usize);
    for name in names(path) {
        count += 1;
        match name {
            "." => {}
            ".." => level = level.checked_sub(1).ok_or(PathError::AboveRoot)?,
            _ => level += 1,
        }
    }
    match count {
        0 => Err(PathError::Empty),
        1..=MAX_PATH_NAMES => Ok(()),
        _ => Err(PathError::TooManyNames),
    }
}

/// A path as Godot 3.6 writes it: without empty names, but with its leading `/` and its subnames.
#[must_use]
pub fn canonical_path(path: &str) -> Cow<'_, str> {
    let is_canonical = !path.contains("//") && !path.ends_with('/') && !path.contains(':');
    if is_canonical || path == "/" {
        return Cow::Borrowed(path);
    }
    let (nodes, subnames) = path.split_once(':').unwrap_or((path, ""));
    let mut canonical = String::with_capacity(path.len());
    if nodes.starts_with('/') {
        canonical.push('/');
    }
    for (index, name) in names(nodes).enumerate() {
        if index > 0 {
            canonical.push('/');
        }
        canonical.push_str(name);
    }
    for subname in subnames.split(':').filter(|subname| !subname.is_empty()) {
        canonical.push(':');
        canonical.push_str(subname);
    }
    Cow::Owned(canonical)
}

fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}
