//! Why a server of this library sends a client away, as a system message of a kind that 3.6 does not know: its clients ignore
//! it, and just leave.
//!
//! All little-endian: u32 kind, i32 code, and the text in UTF-8.

/// Why a server has sent this client away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kick {
    /// A number of the game's.
    pub code: i32,
    /// Words of the game's, maybe for the player.
    pub text: String,
}

impl Kick {
    /// Bytes of the longest text.
    pub const MAX_TEXT_BYTES: usize = 1024;

    pub(crate) fn encode(&self) -> Vec<u8> {
        let text = self.text.as_bytes();
        let mut bytes = Vec::with_capacity(HEADER_LEN + text.len());
        bytes.extend_from_slice(&KIND.to_le_bytes());
        bytes.extend_from_slice(&self.code.to_le_bytes());
        bytes.extend_from_slice(text);
        bytes
    }

    /// `None` for any other message, and for a text that is none or too long.
    pub(crate) fn decode(packet: &[u8]) -> Option<Self> {
        let (kind, rest) = packet.split_first_chunk()?;
        let (code, text) = rest.split_first_chunk()?;
        if u32::from_le_bytes(*kind) != KIND || text.len() > Self::MAX_TEXT_BYTES {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?.to_owned();
        Some(Self { code: i32::from_le_bytes(*code), text })
    }
}

/// The kind of the message: "XENK". 3.6 has 0 and 1, and see [`super::announcement`].
const KIND: u32 = 0x4B4E_4558;

/// Bytes in front of the text.
const HEADER_LEN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::announcement::Announcement;
    use crate::relay::wire::SystemMessage;

    #[test]
    fn it_is_read_as_it_was_written() {
        for (code, text) in
            [(0, ""), (-7, "Bis bald, Müller!"), (i32::MAX, &"x".repeat(Kick::MAX_TEXT_BYTES))]
        {
            let kick = Kick { code, text: text.to_owned() };
            let bytes = kick.encode();
            assert_eq!(Kick::decode(&bytes), Some(kick));
            assert_eq!(SystemMessage::decode(&bytes), None);
            assert_eq!(Announcement::decode(&bytes), None);
        }
        assert_eq!(Kick { code: 258, text: "no".to_owned() }.encode(), *b"XENK\x02\x01\0\0no");
    }

    #[test]
    fn what_is_none_is_refused() {
        let long = [b"XENK\0\0\0\0".as_slice(), &vec![b'x'; Kick::MAX_TEXT_BYTES + 1]].concat();
        for bytes in [b"".as_slice(), b"XENK", b"XENK\0\0\0", b"XENE\0\0\0\0", b"XENK\0\0\0\0\xff", &long] {
            assert_eq!(Kick::decode(bytes), None, "{bytes:?}");
        }
    }
}
