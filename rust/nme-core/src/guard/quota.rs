//! How much a peer may make the engine keep back, and how much it does.

use super::DropReason;
use super::held::{Entry, Group};

/// Bounds on what the engine keeps for one peer because something before it is missing.
///
/// A command beyond a bound is taken out of its datagram unseen: an honest peer gets no acknowledgement and
/// sends it again. What is next in order is never refused for good, so a full quota delays but never blocks.
/// To the sender a refusal is a loss, though, and too many end the connection: keep the bounds well above the 64 KiB
/// that an ENet sender has in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Bytes of all packets that are being put together from fragments.
    pub fragment_bytes: usize,
    /// Number of packets that are being put together from fragments.
    pub fragment_packets: usize,
    /// Packets of one channel that wait for an earlier one.
    pub ahead_commands: usize,
    /// Bytes of packets that wait for an earlier one, each counted with [`Quotas::OVERHEAD`].
    pub ahead_bytes: usize,
}

impl Quotas {
    /// Bytes that a waiting packet costs besides its payload.
    pub const OVERHEAD: usize = 192;
}

impl Default for Quotas {
    fn default() -> Self {
        Self { fragment_bytes: 32 << 20, fragment_packets: 64, ahead_commands: 8192, ahead_bytes: 4 << 20 }
    }
}

/// Which of a peer's quotas a fragmented packet is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bill {
    /// `fragment_bytes` and `fragment_packets`.
    Fragments,
    /// A second `fragment_bytes`, for packets that their channel cannot go on without.
    Next,
    /// `ahead_bytes` and `ahead_commands`: it is complete and waits for its turn.
    Ahead,
}

/// What is in use of one peer's quotas.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) fragment_bytes: usize,
    pub(super) fragment_packets: usize,
    pub(super) ahead_bytes: usize,
    /// Bytes of packets that were next in order when the quota was full.
    pub(super) next_bytes: usize,
    /// A fragmented packet was refused since this was last cleared.
    pub(super) starved: bool,
}

/// The quotas as one channel sees them.
pub(super) struct Budget<'a> {
    pub(super) quotas: &'a Quotas,
    pub(super) usage: &'a mut Usage,
    /// Packets that wait on this channel.
    pub(super) waiting: &'a mut usize,
}

impl Budget<'_> {
    /// Charges a packet of one command that has to wait.
    pub(super) fn admit_command(&mut self, len: usize) -> Result<(), DropReason> {
        if *self.waiting >= self.quotas.ahead_commands {
            return Err(DropReason::AheadCommands);
        }
        if !self.has_room_ahead(len) {
            return Err(DropReason::AheadBytes);
        }
        self.charge_ahead(len);
        Ok(())
    }

    /// Charges a packet of which the first fragment has come. `next` tells that its channel waits for it.
    ///
    /// What is next may exceed the quota, by one packet of any size or by several within a second quota. Whatever
    /// fills the quota waits behind such packets, and is delivered once they are complete. Several, because a
    /// sender gives its session up when one command stays unacknowledged for some seconds.
    pub(super) fn admit_group(&mut self, total: usize, next: bool) -> Result<Bill, DropReason> {
        let usage = &mut *self.usage;
        let bill = if usage.fragment_packets < self.quotas.fragment_packets
            && usage.fragment_bytes.saturating_add(total) <= self.quotas.fragment_bytes
        {
            Bill::Fragments
        } else if next
            && (usage.next_bytes == 0 || usage.next_bytes.saturating_add(total) <= self.quotas.fragment_bytes)
        {
            Bill::Next
        } else {
            usage.starved = true;
            return Err(DropReason::FragmentQuota);
        };
        self.charge_group(total, bill);
        Ok(bill)
    }

    /// Charges a group that is complete but has to wait as waiting, when there is room for that. An honest
    /// sender may then begin new packets, although the one before all of them is lost.
    pub(super) fn promote(&mut self, group: &mut Group) {
        if *self.waiting < self.quotas.ahead_commands && self.has_room_ahead(group.total) {
            self.release_group(group);
            group.bill = Bill::Ahead;
            self.charge_group(group.total, Bill::Ahead);
        }
    }

    /// Gives back what an entry was charged, when the engine delivers or drops it.
    pub(super) fn release(&mut self, entry: &Entry) {
        match entry {
            Entry::Single { len } => self.release_ahead(*len),
            Entry::Group(group) => self.release_group(group),
        }
    }

    /// Takes a release back.
    pub(super) fn charge_again(&mut self, entry: &Entry) {
        match entry {
            Entry::Single { len } => self.charge_ahead(*len),
            Entry::Group(group) => self.charge_group(group.total, group.bill),
        }
    }

    fn has_room_ahead(&self, len: usize) -> bool {
        let cost = len.saturating_add(Quotas::OVERHEAD);
        self.usage.ahead_bytes.saturating_add(cost) <= self.quotas.ahead_bytes
    }

    const fn charge_ahead(&mut self, len: usize) {
        *self.waiting += 1;
        self.usage.ahead_bytes += len + Quotas::OVERHEAD;
    }

    const fn release_ahead(&mut self, len: usize) {
        *self.waiting = self.waiting.saturating_sub(1);
        self.usage.ahead_bytes = self.usage.ahead_bytes.saturating_sub(len + Quotas::OVERHEAD);
    }

    const fn charge_group(&mut self, total: usize, bill: Bill) {
        match bill {
            Bill::Fragments => {
                self.usage.fragment_bytes += total;
                self.usage.fragment_packets += 1;
            }
            Bill::Next => self.usage.next_bytes += total,
            Bill::Ahead => self.charge_ahead(total),
        }
    }

    const fn release_group(&mut self, group: &Group) {
        match group.bill {
            Bill::Fragments => {
                self.usage.fragment_bytes = self.usage.fragment_bytes.saturating_sub(group.total);
                self.usage.fragment_packets = self.usage.fragment_packets.saturating_sub(1);
            }
            Bill::Next => self.usage.next_bytes = self.usage.next_bytes.saturating_sub(group.total),
            Bill::Ahead => self.release_ahead(group.total),
        }
    }
}
