//! Peer ids.

use std::fmt;

/// A peer's id: 1 is the server, clients have 2 to 2^31-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(i32);

impl PeerId {
    /// The server of every session.
    pub const SERVER: Self = Self(1);

    /// A client's id, made from 32 random bits.
    #[must_use]
    pub const fn from_random(bits: u32) -> Self {
        let id = (bits & 0x7fff_ffff) as i32;
        if id < 2 { Self(id + 2) } else { Self(id) }
    }

    /// A client's id off the wire; `None` for what no client may have.
    #[must_use]
    pub const fn client(raw: u32) -> Option<Self> {
        let id = raw as i32;
        if id < 2 { None } else { Some(Self(id)) }
    }

    /// The id of a peer other than nobody: positive.
    #[must_use]
    pub const fn new(id: i32) -> Option<Self> {
        if id < 1 { None } else { Some(Self(id)) }
    }

    /// The number Godot sees.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bits_always_make_a_client_id() {
        for bits in [0, 1, 2, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, u32::MAX] {
            let id = PeerId::from_random(bits);
            assert!(id.get() >= 2, "{bits:#x} made {id}");
            assert_eq!(PeerId::client(id.get() as u32), Some(id));
        }
    }

    #[test]
    fn ids_below_two_are_no_clients() {
        for raw in [0, 1, 0x8000_0000, u32::MAX] {
            assert_eq!(PeerId::client(raw), None);
        }
    }
}
