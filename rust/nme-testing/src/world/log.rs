//! What a host has seen.

use std::time::Duration;

use nme_core::channel::TransferMode;
use nme_core::peer::PeerId;
use nme_core::session::Event;

/// A line of a host's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// In which poll of this host, counted from 1.
    pub poll: u32,
    /// When.
    pub time: Duration,
    /// What.
    pub seen: Seen,
}

/// Something that a host has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// An event.
    Event(Event),
    /// A fetched packet.
    Packet(Packet),
}

/// A fetched packet.
#[derive(Clone, PartialEq, Eq)]
pub struct Packet {
    /// Id of the sender.
    pub from: PeerId,
    /// Channel it came on.
    pub channel: u8,
    /// How it was sent.
    pub mode: TransferMode,
    /// Its payload.
    pub bytes: Vec<u8>,
}

impl Seen {
    /// The event, when it is one.
    #[must_use]
    pub const fn event(&self) -> Option<Event> {
        match self {
            Self::Event(event) => Some(*event),
            Self::Packet(_) => None,
        }
    }

    /// The packet, when it is one.
    #[must_use]
    pub const fn packet(&self) -> Option<&Packet> {
        match self {
            Self::Event(_) => None,
            Self::Packet(packet) => Some(packet),
        }
    }
}

impl std::fmt::Debug for Packet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { from, channel, mode, bytes } = self;
        let start = &bytes[..bytes.len().min(16)];
        write!(f, "{mode:?} from {from} on {channel}: {} bytes {start:?}", bytes.len())
    }
}
