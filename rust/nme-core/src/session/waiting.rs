//! What the next flush will send, and when it should come before the end of the frame.

use std::time::Duration;

use nme_enet::wire::{self, MAX_COMMANDS, TIMED_HEADER_LEN, code};

use super::Mtu;
use crate::channel::Delivery;

/// When packets leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlushMode {
    /// All packets of a frame together, at its end at the latest.
    #[default]
    PerFrame,
    /// Each at once and in a datagram of its own, as in 3.6.
    EachPut,
}

/// The packets queued since the last flush, by connection.
///
/// ENet's flush turns everything that is queued, for every peer, into datagrams. So it should not come when one peer
/// has a datagram's worth, but before the packet that no longer fits: until then, the other peers of a broadcast get
/// theirs, and all datagrams leave full.
pub(super) struct Waiting {
    /// Bytes for commands in a datagram.
    capacity: u32,
    /// Each peer's datagrams are looked at, and not only the memory.
    counts_datagrams: bool,
    /// By the index of the peer's handle; what an earlier round has left counts as nothing.
    fills: Vec<Fill>,
    round: u64,
    /// What waits for every peer, besides that.
    common: Fill,
    /// The fullest of all, without what is common, so that most packets need no look at their own.
    fullest: Fill,
    /// Memory in use, in bytes, roughly.
    memory: usize,
    /// Since when something waits, as far as anybody has asked.
    since: Option<Duration>,
}

/// What waits for one peer.
#[derive(Clone, Copy, Default)]
struct Fill {
    round: u64,
    bytes: u32,
    commands: u32,
}

impl Waiting {
    /// Nothing waits. A datagram has that size at most. Where that is of no interest, only memory counts.
    pub(super) fn new(mtu: Mtu, counts_datagrams: bool) -> Self {
        let capacity = u32::from(mtu.get()) - TIMED_HEADER_LEN as u32;
        Self {
            capacity,
            counts_datagrams,
            fills: Vec::new(),
            round: 0,
            common: Fill::default(),
            fullest: Fill::default(),
            memory: 0,
            since: None,
        }
    }

    /// Notes a queued packet of `len` bytes, header included.
    pub(super) fn note(&mut self, peer: usize, len: usize, delivery: Delivery) {
        self.memory += COMMAND_BYTES;
        if !self.counts_datagrams {
            return;
        }
        let index = peer;
        if self.fills.len() <= index {
            self.fills.resize(index + 1, Fill::default());
        }
        let fill = &mut self.fills[index];
        if fill.round != self.round {
            *fill = Fill { round: self.round, ..Fill::default() };
        }
        fill.add(size_on_wire(len, delivery));
        self.fullest.bytes = self.fullest.bytes.max(fill.bytes);
        self.fullest.commands = self.fullest.commands.max(fill.commands);
    }

    /// Notes a packet of `len` bytes, header included, that is queued for each of so many peers, who are all that there are.
    pub(super) fn note_for_all(&mut self, peers: usize, len: usize, delivery: Delivery) {
        self.memory += peers * COMMAND_BYTES;
        if self.counts_datagrams && peers > 0 {
            self.common.add(size_on_wire(len, delivery));
        }
    }

    /// Notes the memory of a packet, however many peers it is queued for.
    pub(super) const fn note_memory(&mut self, len: usize) {
        self.memory += len;
    }

    /// True when nothing has been queued since the last flush.
    pub(super) const fn is_empty(&self) -> bool {
        self.memory == 0
    }

    /// True when one more packet of `len` bytes does not fit for any peer, or there is too much in all.
    pub(super) fn is_full(&self, len: usize, delivery: Delivery) -> bool {
        self.memory > MAX_WAITING_BYTES
            || self.fullest.with(self.common).is_full_for(size_on_wire(len, delivery), self.capacity)
    }

    /// True when one more packet of `len` bytes does not fit into this peer's datagram.
    pub(super) fn is_peer_full(&self, peer: usize, len: usize, delivery: Delivery) -> bool {
        let fill = self.fills.get(peer).filter(|fill| fill.round == self.round);
        let fill = fill.copied().unwrap_or_default().with(self.common);
        fill.is_full_for(size_on_wire(len, delivery), self.capacity)
    }

    /// True when there is too much in all.
    pub(super) const fn exceeds_memory(&self) -> bool {
        self.memory > MAX_WAITING_BYTES
    }

    /// True when something has waited for as long as it may.
    pub(super) fn is_overdue(&mut self, now: Duration) -> bool {
        if self.is_empty() {
            return false;
        }
        now.saturating_sub(*self.since.get_or_insert(now)) >= LONGEST_WAIT
    }

    /// Everything has been sent.
    pub(super) fn clear(&mut self) {
        self.since = None;
        self.round += 1;
        (self.common, self.fullest) = (Fill::default(), Fill::default());
        self.memory = 0;
    }
}

impl Fill {
    fn add(&mut self, size: u32) {
        self.bytes = self.bytes.saturating_add(size);
        self.commands += 1;
    }

    const fn with(self, other: Self) -> Self {
        let bytes = self.bytes.saturating_add(other.bytes);
        Self { bytes, commands: self.commands + other.commands, ..self }
    }

    /// What is longer than a datagram goes into several in any case, and only waits its turn.
    const fn is_full_for(&self, size: u32, capacity: u32) -> bool {
        let overflows = self.bytes + size > capacity && size <= capacity;
        self.commands >= MAX_COMMANDS as u32 || self.bytes >= capacity || (self.bytes > 0 && overflows)
    }
}

/// A packet's bytes in a datagram: payload and command.
fn size_on_wire(len: usize, delivery: Delivery) -> u32 {
    let code = match delivery {
        Delivery::Reliable => code::RELIABLE,
        Delivery::Sequenced => code::UNRELIABLE,
        Delivery::Unsequenced => code::UNSEQUENCED,
    };
    u32::try_from(len).unwrap_or(u32::MAX / 2).saturating_add(wire::fixed_len(code) as u32)
}

/// How long packets wait for the end of a frame in which the game goes on to call.
const LONGEST_WAIT: Duration = Duration::from_millis(5);

/// Bytes that may wait for the end of the frame, for all peers together.
const MAX_WAITING_BYTES: usize = 4 << 20;

/// What ENet keeps for each queued command.
const COMMAND_BYTES: usize = 112;

#[cfg(test)]
mod tests {
    use super::*;

    const A: usize = 0;
    const B: usize = 5;

    #[test]
    fn a_datagram_holds_32_commands() {
        let mut waiting = Waiting::new(Mtu::MAX, true);
        for _ in 0..32 {
            assert!(!waiting.is_full(20, Delivery::Unsequenced));
            waiting.note(A, 20, Delivery::Unsequenced);
        }
        assert!(waiting.is_full(20, Delivery::Unsequenced));
        assert!(waiting.is_peer_full(A, 20, Delivery::Unsequenced));
        assert!(!waiting.is_peer_full(B, 20, Delivery::Unsequenced));
        waiting.clear();
        assert!(waiting.is_empty() && !waiting.is_peer_full(A, 20, Delivery::Unsequenced));
    }

    #[test]
    fn what_is_for_all_counts_for_each() {
        let mut waiting = Waiting::new(Mtu::MAX, true);
        for _ in 0..30 {
            waiting.note_for_all(6, 20, Delivery::Unsequenced);
        }
        waiting.note(A, 20, Delivery::Unsequenced);
        assert!(!waiting.is_peer_full(A, 20, Delivery::Unsequenced));
        waiting.note(A, 20, Delivery::Unsequenced);
        assert!(
            waiting.is_full(20, Delivery::Unsequenced) && waiting.is_peer_full(A, 20, Delivery::Unsequenced)
        );
        assert!(!waiting.is_peer_full(B, 20, Delivery::Unsequenced));
        waiting.clear();
        assert!(waiting.is_empty() && !waiting.is_full(20, Delivery::Unsequenced));
        waiting.note_for_all(0, 20, Delivery::Unsequenced);
        assert!(waiting.is_empty(), "it is for nobody");
    }

    #[test]
    fn a_datagram_holds_an_mtu() {
        let mut waiting = Waiting::new(Mtu::MAX, true);
        waiting.note(A, 1000, Delivery::Reliable);
        // 4 bytes of header, 1006 of the first packet.
        assert!(!waiting.is_peer_full(A, 376, Delivery::Reliable));
        assert!(waiting.is_peer_full(A, 377, Delivery::Reliable));
        assert!(waiting.is_peer_full(A, 375, Delivery::Sequenced));
        // This one is cut anyway.
        assert!(!waiting.is_peer_full(A, 100_000, Delivery::Reliable));
        waiting.note(A, 100_000, Delivery::Reliable);
        assert!(waiting.is_peer_full(A, 1, Delivery::Reliable));
    }

    #[test]
    fn memory_has_a_bound() {
        let mut waiting = Waiting::new(Mtu::MAX, true);
        for slot in 0..200 {
            assert!(!waiting.exceeds_memory());
            waiting.note(slot, 100, Delivery::Sequenced);
            waiting.note_memory(20_900);
        }
        assert!(waiting.exceeds_memory() && waiting.is_full(1, Delivery::Sequenced));
    }
}
