//! Received packets that wait to be fetched.

use std::collections::VecDeque;

use crate::endpoint::Received;
use crate::peer::PeerId;

/// Packets in the order of their arrival.
#[derive(Debug, Default)]
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
