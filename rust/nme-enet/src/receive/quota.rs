//! How much the peers may make the host keep back, and how much they do.

use super::Entry;
use super::assembly::Assembly;
use crate::config::Quotas;
use crate::event::PeerHandle;
use crate::reason::DropReason;

/// Which of a peer's quotas a fragmented packet is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bill {
    /// `fragment_bytes` and `fragment_packets`.
    Fragments,
    /// A second `fragment_bytes`, for packets that their channel cannot go on without.
    Next,
    /// `ahead_bytes` and `ahead_commands`: it is complete and waits for its turn.
    Ahead,
}

/// What is in use of one peer's quotas: there once something of it has been kept back.
#[derive(Debug, Default)]
pub(crate) struct Usage(Option<Box<Used>>);

/// In bytes; 4 GiB count as endless.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    fragment_packets: u32,
    fragment_bytes: u32,
    /// Bytes of packets that were next in order when the quota was full.
    next_bytes: u32,
    ahead_bytes: u32,
    /// Bytes of memory, of the host's.
    memory: u32,
}

impl Usage {
    /// Bytes of memory, of the host's.
    pub(crate) fn memory(&self) -> usize {
        self.get().memory as usize
    }

    fn get(&self) -> Used {
        self.0.as_deref().copied().unwrap_or_default()
    }

    fn get_mut(&mut self) -> &mut Used {
        self.0.get_or_insert_default()
    }
}

/// What all peers make the host keep back.
#[derive(Debug)]
pub(crate) struct HostUsage {
    pub(crate) memory: usize,
    pub(crate) limit: usize,
    /// Connected peers.
    pub(crate) peers: usize,
    /// The peer that may go beyond the limit with what its channels wait for, and when it did so last, in µs. Without it,
    /// many packets that begin at once could fill the limit, and none be completed.
    pub(crate) exempt: Option<(PeerHandle, u64)>,
}

impl HostUsage {
    /// True when this much more fits, or when it is within the share of a peer that has `used`.
    fn has_room(&self, used: usize, more: usize) -> bool {
        self.memory.saturating_add(more) <= self.limit
            || used.saturating_add(more) <= self.limit / self.peers.max(1)
    }

    /// True when this peer may go beyond the limit. One may at a time, until it has sent nothing of that kind for a while.
    fn exempts(&mut self, peer: PeerHandle, now: u64) -> bool {
        let is_free = self.exempt.is_none_or(|(other, last)| other == peer || last + EXEMPT_TIME <= now);
        // A host that may keep nothing back keeps nothing back.
        let is_free = is_free && self.limit > 0;
        if is_free {
            self.exempt = Some((peer, now));
        }
        is_free
    }

    /// A peer is gone.
    pub(crate) fn forget(&mut self, peer: PeerHandle) {
        self.exempt = self.exempt.filter(|(exempt, _)| *exempt != peer);
    }
}

/// The quotas as one channel sees them.
pub(crate) struct Budget<'a> {
    pub(crate) quotas: &'a Quotas,
    pub(crate) usage: &'a mut Usage,
    pub(crate) host: &'a mut HostUsage,
    pub(crate) peer: PeerHandle,
    /// In µs of the host's clock.
    pub(crate) now: u64,
}

impl Budget<'_> {
    /// Charges a packet of one command that has to wait behind `waiting` others of its channel.
    pub(super) fn admit_command(&mut self, len: usize, waiting: usize) -> Result<(), DropReason> {
        if waiting >= self.quotas.ahead_commands {
            return Err(DropReason::AheadCommands);
        }
        if !self.has_room_ahead(len) {
            return Err(DropReason::AheadBytes);
        }
        if !self.host.has_room(self.usage.memory(), len + Quotas::OVERHEAD) {
            return Err(DropReason::HostQuota);
        }
        self.charge_ahead(len);
        self.charge_memory(len + Quotas::OVERHEAD);
        Ok(())
    }

    /// Charges a packet of which the first fragment has come. `next` tells that its channel waits for it.
    ///
    /// What is next may exceed the quota, by one packet of any size or by several within a second quota. Whatever fills
    /// the quota waits behind such packets, and is delivered once they are complete. Several, because a sender gives
    /// its session up when one command stays unacknowledged for some seconds.
    pub(super) fn admit_group(&mut self, total: usize, next: bool) -> Result<Bill, DropReason> {
        let usage = self.usage.get();
        let bill = if (usage.fragment_packets as usize) < self.quotas.fragment_packets
            && sum(usage.fragment_bytes, total) <= self.quotas.fragment_bytes
        {
            Bill::Fragments
        } else if next
            && (usage.next_bytes == 0 || sum(usage.next_bytes, total) <= self.quotas.fragment_bytes)
        {
            Bill::Next
        } else {
            return Err(DropReason::FragmentQuota);
        };
        self.charge_group(total, bill);
        Ok(bill)
    }

    /// Charges the memory of one more fragment. `next` tells that its channel waits for it.
    pub(super) fn admit_fragment(
        &mut self,
        len: usize,
        group: &mut Assembly,
        next: bool,
    ) -> Result<(), DropReason> {
        let cost = len + Quotas::OVERHEAD;
        let has_room =
            self.host.has_room(self.usage.memory(), cost) || (next && self.host.exempts(self.peer, self.now));
        if !has_room {
            return Err(DropReason::HostQuota);
        }
        group.memory += cost;
        self.charge_memory(cost);
        Ok(())
    }

    /// Charges a group that is complete but has to wait as waiting, when there is room for that: true then. An honest
    /// sender may begin new packets, although the one before all of them is lost.
    pub(super) fn promote(&mut self, group: &mut Assembly, waiting: usize) -> bool {
        let fits = waiting < self.quotas.ahead_commands && self.has_room_ahead(group.total());
        if fits {
            self.release_bill(group.total(), group.bill);
            group.bill = Bill::Ahead;
            self.charge_ahead(group.total());
        }
        fits
    }

    /// Gives back what an entry was charged, when it is delivered or dropped. True when it counted as waiting.
    pub(super) fn release(&mut self, entry: &Entry) -> bool {
        match entry {
            Entry::Single(packet) => {
                let len = packet.len();
                self.release_bill(len, Bill::Ahead);
                self.release_memory(len + Quotas::OVERHEAD);
                true
            }
            Entry::Group(group) => {
                self.release_bill(group.total(), group.bill);
                self.release_memory(group.memory);
                matches!(group.bill, Bill::Ahead)
            }
        }
    }

    fn has_room_ahead(&self, len: usize) -> bool {
        let cost = len.saturating_add(Quotas::OVERHEAD);
        sum(self.usage.get().ahead_bytes, cost) <= self.quotas.ahead_bytes
    }

    fn charge_ahead(&mut self, len: usize) {
        add(&mut self.usage.get_mut().ahead_bytes, len + Quotas::OVERHEAD);
    }

    fn charge_group(&mut self, total: usize, bill: Bill) {
        let usage = self.usage.get_mut();
        match bill {
            Bill::Fragments => {
                add(&mut usage.fragment_bytes, total);
                usage.fragment_packets += 1;
            }
            Bill::Next => add(&mut usage.next_bytes, total),
            Bill::Ahead => self.charge_ahead(total),
        }
    }

    fn release_bill(&mut self, len: usize, bill: Bill) {
        let usage = self.usage.get_mut();
        match bill {
            Bill::Fragments => {
                take(&mut usage.fragment_bytes, len);
                usage.fragment_packets = usage.fragment_packets.saturating_sub(1);
            }
            Bill::Next => take(&mut usage.next_bytes, len),
            Bill::Ahead => take(&mut usage.ahead_bytes, len + Quotas::OVERHEAD),
        }
    }

    fn charge_memory(&mut self, bytes: usize) {
        add(&mut self.usage.get_mut().memory, bytes);
        self.host.memory += bytes;
    }

    fn release_memory(&mut self, bytes: usize) {
        take(&mut self.usage.get_mut().memory, bytes);
        self.host.memory = self.host.memory.saturating_sub(bytes);
    }
}

impl Budget<'_> {
    /// Bytes of fragmented packets that are not next and may still begin.
    pub(super) fn fragment_room(&self) -> usize {
        self.quotas.fragment_bytes.saturating_sub(self.usage.get().fragment_bytes as usize)
    }
}

/// How long nothing may come of the peer that may go beyond the limit until it is another one's turn, in µs: some
/// repetitions of a fragment.
const EXEMPT_TIME: u64 = 1_000_000;

const fn sum(used: u32, more: usize) -> usize {
    (used as usize).saturating_add(more)
}

fn add(used: &mut u32, more: usize) {
    *used = used.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
}

fn take(used: &mut u32, less: usize) {
    *used = used.saturating_sub(u32::try_from(less).unwrap_or(u32::MAX));
}
