//! The bytes of 3.6 inside an ENet packet.
//!
//! | packet | bytes (all little-endian) |
//! |---|---|
//! | data, any channel but 0 | u32 source id, i32 target, payload |
//! | system message, channel 0, server to client | u32 kind (0 joined, 1 left), u32 peer id |
//! | another kind, ignored by 3.6 | see [`super::announcement`] |

use super::Target;
use crate::peer::PeerId;

/// Bytes in front of the payload of a data packet.
pub(crate) const HEADER_LEN: usize = 8;

/// The header of a data packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Who wrote the packet, unchecked.
    pub(crate) source: u32,
    /// Whom it is for; `None` for the one number that means nothing.
    pub(crate) target: Option<Target>,
}

/// The header of a data packet.
pub(crate) fn header(source: PeerId, target: Target) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[..4].copy_from_slice(&source.get().to_le_bytes());
    bytes[4..].copy_from_slice(&target.number().to_le_bytes());
    bytes
}

/// The header; `None` when no payload is behind it. Neither engine sends empty packets, and SceneMultiplayer
/// complains about each one.
pub(crate) fn decode(packet: &[u8]) -> Option<Header> {
    let (source, rest) = packet.split_first_chunk::<4>()?;
    let (target, payload) = rest.split_first_chunk::<4>()?;
    (!payload.is_empty()).then(|| Header {
        source: u32::from_le_bytes(*source),
        target: Target::from_number(i32::from_le_bytes(*target)),
    })
}

/// What the server tells a client about another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemMessage {
    Joined(PeerId),
    Left(PeerId),
}

impl SystemMessage {
    pub(crate) fn encode(self) -> [u8; HEADER_LEN] {
        let (kind, id) = match self {
            Self::Joined(id) => (JOINED, id),
            Self::Left(id) => (LEFT, id),
        };
        let mut bytes = [0; HEADER_LEN];
        bytes[..4].copy_from_slice(&kind.to_le_bytes());
        bytes[4..].copy_from_slice(&id.get().to_le_bytes());
        bytes
    }

    /// `None` for anything but a system message about a client. Bytes behind it are ignored, as in 3.6.
    pub(crate) fn decode(packet: &[u8]) -> Option<Self> {
        let (kind, rest) = packet.split_first_chunk::<4>()?;
        let (id, _) = rest.split_first_chunk::<4>()?;
        let id = PeerId::client(u32::from_le_bytes(*id))?;
        match u32::from_le_bytes(*kind) {
            JOINED => Some(Self::Joined(id)),
            LEFT => Some(Self::Left(id)),
            _ => None,
        }
    }
}

const JOINED: u32 = 0;
const LEFT: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_packet_has_source_and_signed_target_in_little_endian() {
        let id = PeerId::client(0x0102_0304).expect("a client");
        assert_eq!(header(id, Target::AllExcept(PeerId::SERVER)), *b"\x04\x03\x02\x01\xff\xff\xff\xff");
        assert_eq!(header(id, Target::One(id)), *b"\x04\x03\x02\x01\x04\x03\x02\x01");
        let header = decode(b"\x04\x03\x02\x01\x05\x00\x00\x00!").expect("a header and a payload");
        assert_eq!(header.source, 0x0102_0304);
        assert_eq!(header.target.map(Target::number), Some(5));
        for len in 0..=HEADER_LEN {
            assert_eq!(decode(&b"\x04\x03\x02\x01\x05\x00\x00\x00"[..len]), None);
        }
    }

    #[test]
    fn notices_round_trip_and_refuse_nonsense() {
        let id = PeerId::client(77).expect("a client");
        for system_message in [SystemMessage::Joined(id), SystemMessage::Left(id)] {
            assert_eq!(SystemMessage::decode(&system_message.encode()), Some(system_message));
        }
        assert_eq!(&SystemMessage::Joined(id).encode(), b"\0\0\0\0\x4d\0\0\0");
        for bytes in [
            &b""[..],
            b"\0\0\0\0\x4d\0\0",
            b"\x02\0\0\0\x4d\0\0\0",
            b"\0\0\0\0\x01\0\0\0",
            b"\0\0\0\0\0\0\0\x80",
        ] {
            assert_eq!(SystemMessage::decode(bytes), None, "{bytes:?}");
        }
    }
}
