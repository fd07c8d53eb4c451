//! What our own host has sent reliably on one channel and waits to hear of.

use std::collections::VecDeque;

/// The weight of each unacknowledged command, oldest first.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Sequence number of the first one.
    base: u16,
    /// Nothing for what has been acknowledged out of order.
    weights: VecDeque<Weight>,
}

/// What a command weighs until it is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// Bytes of payload, as ENet's window counts them.
    pub(super) bytes: u16,
    /// What it adds to the count of memory.
    pub(super) cost: u16,
}

impl Weight {
    /// A packet in one command.
    pub(super) const fn packet(bytes: u16) -> Self {
        Self { bytes, cost: if bytes < MIN_COST { MIN_COST } else { bytes } }
    }

    /// A part of a larger packet.
    pub(super) const fn fragment(bytes: u16) -> Self {
        Self { bytes, cost: bytes }
    }
}

impl Ledger {
    /// Notes a command in an outgoing datagram.
    pub(super) fn sent(&mut self, sequence: u16, weight: Weight) -> Sent {
        let place = usize::from(sequence.wrapping_sub(self.base));
        if place < self.weights.len() {
            Sent::Again
        } else if place == self.weights.len() && place < usize::from(u16::MAX) {
            self.weights.push_back(weight);
            Sent::First
        } else {
            Sent::Unknown
        }
    }

    /// Takes out what an acknowledgement is about, and returns its weight: nothing when it is about nothing.
    pub(super) fn acknowledged(&mut self, sequence: u16) -> Weight {
        let place = usize::from(sequence.wrapping_sub(self.base));
        let weight = self.weights.get_mut(place).map_or_else(Weight::default, std::mem::take);
        while self.weights.front() == Some(&Weight::default()) {
            self.weights.pop_front();
            self.base = self.base.wrapping_add(1);
        }
        weight
    }
}

impl Default for Ledger {
    fn default() -> Self {
        // ENet numbers reliable commands from 1.
        Self { base: 1, weights: VecDeque::new() }
    }
}

/// How an outgoing command relates to what has been sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Sent for the first time.
    First,
    /// Known and not acknowledged.
    Again,
    /// Neither: not of this session.
    Unknown,
}

/// What a packet adds to the count of unacknowledged bytes: a tiny one costs more memory than its payload.
pub(crate) const fn packet_cost(len: usize) -> u64 {
    if len < MIN_COST as usize { MIN_COST as u64 } else { len as u64 }
}

const MIN_COST: u16 = 256;
