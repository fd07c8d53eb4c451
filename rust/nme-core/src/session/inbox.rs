//! Received packets that wait to be fetched.

use std::collections::VecDeque;

use crate::channel::TransferMode;
use crate::enet::Packet;
use crate::peer::PeerId;
use crate::relay::wire::HEADER_LEN;

/// A received packet with what the game can ask about it.
///
/// It may share its bytes with packets that the session relays, and counts the owners as [`Packet`] does: drop it where
/// nobody uses the session meanwhile.
pub struct Received {
    pub(crate) from: PeerId,
    pub(crate) channel: u8,
    pub(crate) packet: Packet,
}

impl Received {
    /// Who sent it.
    #[must_use]
    pub const fn from(&self) -> PeerId {
        self.from
    }

    /// The channel it came on.
    #[must_use]
    pub const fn channel(&self) -> u8 {
        self.channel
    }

    /// How it was sent.
    #[must_use]
    pub fn mode(&self) -> TransferMode {
        self.packet.delivery().mode()
    }

    /// Its bytes, without the header.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        // Packets without a header never reach an inbox.
        self.packet.bytes().get(HEADER_LEN..).unwrap_or_default()
    }
}

/// Packets in the order of their arrival.
#[derive(Default)]
pub(super) struct Inbox {
    waiting: VecDeque<Received>,
}

impl Inbox {
    pub(super) fn push(&mut self, received: Received) {
        self.waiting.push_back(received);
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn next(&self) -> Option<&Received> {
        self.waiting.front()
    }

    pub(super) fn has_from(&self, id: PeerId) -> bool {
        self.waiting.iter().any(|received| received.from == id)
    }

    pub(super) fn forget(&mut self, id: PeerId) {
        self.waiting.retain(|received| received.from != id);
    }

    pub(super) fn fetch(&mut self) -> Option<Received> {
        self.waiting.pop_front()
    }
}
