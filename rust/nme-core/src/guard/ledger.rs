//! What our own host has sent reliably on one channel and waits to hear of.

use std::collections::VecDeque;

/// The cost of each unacknowledged command, oldest first.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Sequence number of the first cost.
    base: u16,
    /// 0 for what has been acknowledged out of order.
    costs: VecDeque<u32>,
}

impl Ledger {
    /// Notes a command in an outgoing datagram.
    pub(super) fn sent(&mut self, sequence: u16, cost: u32) -> Sent {
        let place = usize::from(sequence.wrapping_sub(self.base));
        if place < self.costs.len() {
            Sent::Again
        } else if place == self.costs.len() && place < usize::from(u16::MAX) {
            self.costs.push_back(cost);
            Sent::First
        } else {
            Sent::Unknown
        }
    }

    /// Takes out what an acknowledgement is about, and returns its cost: 0 when it is about nothing.
    pub(super) fn acknowledged(&mut self, sequence: u16) -> u32 {
        let place = usize::from(sequence.wrapping_sub(self.base));
        let cost = self.costs.get_mut(place).map_or(0, std::mem::take);
        while self.costs.front() == Some(&0) {
            self.costs.pop_front();
            self.base = self.base.wrapping_add(1);
        }
        cost
    }
}

impl Default for Ledger {
    fn default() -> Self {
        // ENet numbers reliable commands from 1.
        Self { base: 1, costs: VecDeque::new() }
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
pub(super) const fn packet_cost(len: usize) -> u64 {
    if len < MIN_COST { MIN_COST as u64 } else { len as u64 }
}

/// What of that the acknowledgement of one unfragmented packet takes away.
pub(super) const fn command_cost(len: u16) -> u32 {
    if (len as usize) < MIN_COST { MIN_COST as u32 } else { len as u32 }
}

const MIN_COST: usize = 256;
