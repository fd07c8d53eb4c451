//! What a server of this library says of itself to each client, as a system message of a kind that 3.6 does not know: its
//! clients ignore it. A client of this library says nothing before it has seen this, since a server of 3.6 prints an error
//! for each system message of a client.
//!
//! All little-endian: u32 kind, u32 version, u32 capabilities, and the 16 bytes of the tags' key. What stands behind that, and
//! bits that are not known, are of later versions and ignored.

use nme_enet::TagKey;

/// A server's announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Announcement {
    /// The server takes tagged datagrams, and tags its own, with this key.
    pub(crate) tags: Option<TagKey>,
    /// The server answers questions about its connections; see [`super::figures`].
    pub(crate) tells_figures: bool,
}

impl Announcement {
    pub(crate) fn encode(&self) -> [u8; LEN] {
        let (tags, key) = match &self.tags {
            Some(key) => (TAGS, *key.bits()),
            None => (0, [0; 16]),
        };
        let capabilities = tags | if self.tells_figures { FIGURES } else { 0 };
        let mut bytes = [0; LEN];
        bytes[..4].copy_from_slice(&KIND.to_le_bytes());
        bytes[4..8].copy_from_slice(&VERSION.to_le_bytes());
        bytes[8..12].copy_from_slice(&capabilities.to_le_bytes());
        bytes[12..].copy_from_slice(&key);
        bytes
    }

    /// `None` for any other message.
    pub(crate) fn decode(packet: &[u8]) -> Option<Self> {
        let (kind, rest) = packet.split_first_chunk()?;
        let (_version, rest) = rest.split_first_chunk::<4>()?;
        let (capabilities, rest) = rest.split_first_chunk()?;
        let (key, _) = rest.split_first_chunk()?;
        let has = |capability: u32| u32::from_le_bytes(*capabilities) & capability != 0;
        (u32::from_le_bytes(*kind) == KIND)
            .then(|| Self { tags: has(TAGS).then(|| TagKey::new(*key)), tells_figures: has(FIGURES) })
    }
}

/// The kind of the message: "XENE". 3.6 has 0 and 1.
const KIND: u32 = 0x454E_4558;

/// Grows with what cannot be said by a capability.
const VERSION: u32 = 1;

/// Capability: tags behind datagrams.
const TAGS: u32 = 1;

/// Capability: answers to questions about the server's connections.
const FIGURES: u32 = 2;

/// Bytes of the message.
const LEN: usize = 28;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::wire::SystemMessage;

    #[test]
    fn an_announcement_is_read_as_it_was_written() {
        let key = TagKey::new(*b"0123456789abcdef");
        for (tags, tells_figures) in [(None, true), (Some(key), false), (Some(key), true)] {
            let announcement = Announcement { tags, tells_figures };
            let mut bytes = announcement.encode().to_vec();
            assert_eq!(Announcement::decode(&bytes), Some(announcement));
            for len in 0..LEN {
                assert_eq!(Announcement::decode(&bytes[..len]), None);
            }
            bytes.extend(b"of a later version");
            bytes[11] |= 0x80;
            assert_eq!(Announcement::decode(&bytes), Some(announcement));
        }
    }

    #[test]
    fn it_is_no_other_system_message() {
        let bytes = Announcement { tags: None, tells_figures: false }.encode();
        assert_eq!(SystemMessage::decode(&bytes), None);
        assert_eq!(bytes[..12], *b"XENE\x01\0\0\0\0\0\0\0");
        let mut others = [0; 64];
        others[..8].copy_from_slice(b"\0\0\0\0\x4d\0\0\0");
        assert_eq!(Announcement::decode(&others), None);
    }
}
