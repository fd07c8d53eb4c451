//! What the engines write into ENet's packets.

use nme_core::codec::Compression;
use nme_core::codec::fuzz::Raw;

/// Whose client the crowd plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// NetworkedMultiplayerENet: u32 source and i32 target before the payload, notices on channel 0.
    Networked,
    /// ENetMultiplayerPeer: the payload alone.
    Plain,
    /// SceneMultiplayer over ENetMultiplayerPeer: its notices, and its relay of raw packets.
    Scene,
}

/// A packet, understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message<'a> {
    /// The server tells of another client.
    Joined,
    /// Bytes of the game.
    Payload(&'a [u8]),
    /// Anything else.
    Other,
}

impl Dialect {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "networked" => Self::Networked,
            "plain" => Self::Plain,
            "scene" => Self::Scene,
            _ => return None,
        })
    }

    /// Channels that a client with the engine's default settings asks for.
    pub(crate) const fn channels(self) -> u32 {
        match self {
            Self::Networked => 3,
            Self::Plain | Self::Scene => 255,
        }
    }

    /// The channel of unreliable packets.
    pub(crate) const fn unreliable_channel(self) -> u8 {
        match self {
            Self::Networked => 2,
            Self::Plain | Self::Scene => 1,
        }
    }

    /// Appends what comes before the payload of a packet from `source` to `target` (1 is the server, 0 everybody).
    pub(crate) fn put_prefix(self, out: &mut Vec<u8>, source: u32, target: i32) {
        match self {
            Self::Networked => {
                out.extend_from_slice(&source.to_le_bytes());
                out.extend_from_slice(&target.to_le_bytes());
            }
            Self::Plain => {}
            Self::Scene => {
                if target != 1 {
                    out.extend_from_slice(&[SYSTEM, SYSTEM_RELAY]);
                    out.extend_from_slice(&target.to_le_bytes());
                }
                out.push(RAW);
            }
        }
    }

    /// Bytes that come before the payload of a packet to `target`.
    pub(crate) const fn prefix_len(self, target: i32) -> usize {
        match self {
            Self::Networked => 8,
            Self::Plain => 0,
            Self::Scene => {
                if target == 1 {
                    1
                } else {
                    7
                }
            }
        }
    }

    /// Reads a packet.
    pub(crate) fn read(self, channel: u8, packet: &[u8]) -> Message<'_> {
        match self {
            Self::Networked if channel == 0 => match packet {
                [0, 0, 0, 0, ..] => Message::Joined,
                _ => Message::Other,
            },
            Self::Networked => packet.get(8..).map_or(Message::Other, Message::Payload),
            Self::Plain => Message::Payload(packet),
            Self::Scene => match packet {
                [SYSTEM, SYSTEM_JOINED, ..] => Message::Joined,
                [SYSTEM, SYSTEM_RELAY, _, _, _, _, RAW, payload @ ..] | [RAW, payload @ ..] => {
                    Message::Payload(payload)
                }
                _ => Message::Other,
            },
        }
    }
}

/// The range coder, or nothing.
pub(crate) struct Coder(Option<Raw>);

impl Coder {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self(None)),
            "range_coder" => Some(Self(Raw::new(Compression::RangeCoder))),
            _ => None,
        }
    }

    /// Compresses into `out` when that makes it shorter, as ENet does.
    pub(crate) fn shrink(&mut self, commands: &[u8], out: &mut [u8]) -> Option<usize> {
        let len = self.0.as_mut()?.compress(commands, out)?;
        (len > 0 && len < commands.len()).then_some(len)
    }

    pub(crate) fn expand(&mut self, commands: &[u8], out: &mut [u8]) -> Option<usize> {
        self.0.as_mut()?.decompress(commands, out)
    }
}

// The first byte of a SceneMultiplayer packet, and the second byte of its own messages.
const RAW: u8 = 3;
const SYSTEM: u8 = 7;
const SYSTEM_JOINED: u8 = 1;
const SYSTEM_RELAY: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_reads_what_it_writes_to_the_server() {
        for dialect in [Dialect::Networked, Dialect::Plain, Dialect::Scene] {
            let mut packet = Vec::new();
            dialect.put_prefix(&mut packet, 77, 1);
            assert_eq!(packet.len(), dialect.prefix_len(1));
            packet.extend_from_slice(b"payload");
            let read = dialect.read(dialect.unreliable_channel(), &packet);
            assert_eq!(read, Message::Payload(b"payload"), "{dialect:?}");
        }
    }

    #[test]
    fn a_relayed_packet_is_unwrapped() {
        let packet = [SYSTEM, SYSTEM_RELAY, 77, 0, 0, 0, RAW, 1, 2];
        assert_eq!(Dialect::Scene.read(1, &packet), Message::Payload(&[1, 2]));
        let packet = [77, 0, 0, 0, 0, 0, 0, 0, 1, 2];
        assert_eq!(Dialect::Networked.read(2, &packet), Message::Payload(&[1, 2]));
    }

    #[test]
    fn notices_are_told_from_payloads() {
        assert_eq!(Dialect::Networked.read(0, &[0, 0, 0, 0, 9, 0, 0, 0]), Message::Joined);
        assert_eq!(Dialect::Networked.read(0, &[1, 0, 0, 0, 9, 0, 0, 0]), Message::Other);
        assert_eq!(Dialect::Scene.read(0, &[SYSTEM, SYSTEM_JOINED, 9, 0, 0, 0]), Message::Joined);
    }
}
