//! A tag behind each datagram of a connection, which only who has the connection's key can make.
//!
//! Stock ENet knows a sender by address, peer number and two bits of a session, all of which a stranger can guess. Two ends
//! that both have this engine, and a key that one of them has sent to the other, put four bytes behind each datagram that
//! authenticate its plain form (`mac`). Who has not seen the key guesses one in 2^32.
//!
//! 1. The accepting side is given the key ([`Host::offer_tags`]), sends it to the other one by its own means, and takes both
//!    kinds of datagrams. A stock ENet goes on without tags.
//! 2. The other side gets it, is given it ([`Host::begin_tags`]), and tags all that it sends from then on.
//! 3. With the first tagged datagram, each side knows that the other one has the key: it tags, too, and soon drops what has no
//!    tag.

use std::fmt;

use crate::event::PeerHandle;
use crate::host::Host;
use crate::mac::{Mac, Way};

/// Bytes that a tag adds to a datagram.
pub const TAG_LEN: u16 = 4;

/// What the tags of a connection are made with: 128 bits that nobody else knows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TagKey([u8; 16]);

impl TagKey {
    /// A key of these bits, which are to be random.
    #[must_use]
    pub const fn new(bits: [u8; 16]) -> Self {
        Self(bits)
    }

    /// The bits.
    #[must_use]
    pub const fn bits(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for TagKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TagKey")
    }
}

impl Host {
    /// Takes tagged datagrams of a peer from now on. Once one has come, this side tags its own, and datagrams without a tag
    /// are dropped from two seconds later on. A peer that has sent none for 2 minutes is taken for one that never will.
    /// Answers whether this engine can.
    pub fn offer_tags(&mut self, peer: PeerHandle, key: TagKey) -> bool {
        self.set_tags(peer, key, false)
    }

    /// As [`Self::offer_tags`], and tags what this side sends from now on: the peer is known to have the key.
    pub fn begin_tags(&mut self, peer: PeerHandle, key: TagKey) -> bool {
        self.set_tags(peer, key, true)
    }

    /// True when tagged datagrams of the peer have come.
    #[must_use]
    pub fn is_tagged(&self, peer: PeerHandle) -> bool {
        let tags = self.peers.get(peer).and_then(|peer| peer.tags.as_ref());
        tags.is_some_and(|tags| tags.untagged == Untagged::Late)
    }

    fn set_tags(&mut self, peer: PeerHandle, key: TagKey, sends: bool) -> bool {
        let now = self.shared.clock.now();
        if let Some(peer) = self.peers.get_mut(peer).filter(|peer| peer.tags.is_none()) {
            peer.tags = Some(Box::new(Tags {
                mac: Mac::new(key),
                outgoing: if peer.initiated { Way::There } else { Way::Back },
                sends,
                untagged: Untagged::Usual,
                until: now + LONGEST_WAIT,
            }));
        }
        true
    }
}

/// The tags of one connection.
#[derive(Debug)]
pub(crate) struct Tags {
    mac: Mac,
    outgoing: Way,
    /// This side tags what it sends.
    sends: bool,
    untagged: Untagged,
    /// Until when, in µs of the host's clock.
    until: u64,
}

/// What a datagram without a tag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Untagged {
    /// All are so far. When this goes on for too long, the peer makes no tags.
    Usual,
    /// It may have left before the first tagged one, and come behind it.
    Late,
}

/// What the end of a datagram has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    /// It has a tag, which is to be taken off.
    Tagged,
    /// It has none, and needs none.
    Untagged,
    /// The peer makes no tags.
    Stock,
    /// It has none, or a wrong one.
    Forged,
}

impl Tags {
    pub(crate) fn check(&mut self, now: u64, datagram: &[u8]) -> Checked {
        if let Some((plain, tag)) = datagram.split_last_chunk()
            && self.mac.code(self.outgoing.other(), plain) == *tag
        {
            if self.untagged == Untagged::Usual {
                self.untagged = Untagged::Late;
                self.until = now + LONGEST_OVERTAKING;
                self.sends = true;
            }
            return Checked::Tagged;
        }
        match self.untagged {
            Untagged::Usual if now > self.until && !self.sends => Checked::Stock,
            Untagged::Late if now > self.until => Checked::Forged,
            _ => Checked::Untagged,
        }
    }

    /// The tag of a datagram that goes out, unless it goes without.
    pub(crate) fn make(&self, datagram: &[u8]) -> Option<[u8; TAG_LEN as usize]> {
        self.sends.then(|| self.mac.code(self.outgoing, datagram))
    }
}

/// How long a peer has time to send its first tag, in µs: longer than a command with the key stays unacknowledged, unless the
/// game has chosen long timeouts.
const LONGEST_WAIT: u64 = 120_000_000;

/// By how much a datagram may come later than one that left behind it, in µs.
const LONGEST_OVERTAKING: u64 = 2_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_get_into_a_log() {
        assert_eq!(format!("{:?}", TagKey::new(*b"0123456789abcdef")), "TagKey");
    }
}
