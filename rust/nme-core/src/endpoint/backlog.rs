//! How much waits to be fetched by the game, and what each connection may still bring.
//!
//! A packet waits from its [`Report`](super::Report) to its [`Credit`], wherever it is meanwhile: in a queue between threads, or
//! in the inbox of the session.
//!
//! All connections share half of the limit. Each may have as much waiting as is still free of that: one that floods gets half
//! of it, two get a third each, and there is always room for those that send little. What is reliable of a connection with
//! more is taken at a trickle only, so its sender slows down, and loses nothing; the other half of the limit is for that. What
//! is unreliable is dropped, the oldest first.

use nme_enet::{Packet, PeerHandle, Quotas, Reception};

use super::Received;
use crate::channel::Delivery;

/// The account of what waits, for a game in whatever thread.
#[derive(Debug)]
pub(super) struct Backlog {
    /// In bytes.
    limit: usize,
    /// Bytes that wait.
    total: usize,
    /// By the index of the handle.
    shares: Vec<Share>,
    /// Connections of which not everything is taken.
    slowed: Vec<PeerHandle>,
}

/// What waits of one connection.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    /// Whose it is; another connection may have had the place before.
    owner: Option<PeerHandle>,
    bytes: usize,
    /// How many of them are of unreliable packets, which can be dropped.
    droppable: usize,
    reception: Reception,
}

/// What does not wait any more of what has come over a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credit {
    /// The connection.
    pub(crate) via: PeerHandle,
    /// Bytes of all its packets, each with [`Quotas::OVERHEAD`]. Negative for bytes that had been displaced, and then were not
    /// there to be dropped.
    pub(crate) bytes: i64,
    /// The same of unreliable ones only.
    pub(crate) droppable: i64,
    /// How many packets were dropped.
    pub(crate) dropped: u64,
}

impl Credit {
    /// A packet that was taken from where it waited.
    pub(crate) fn of(received: &Received) -> Self {
        let bytes = cost(&received.packet) as i64;
        let droppable = if received.delivery == Delivery::Reliable { 0 } else { bytes };
        Self { via: received.via, bytes, droppable, dropped: 0 }
    }

    /// Bytes that are not counted any more, while the packets are still to be dropped.
    pub(crate) const fn displaced(via: PeerHandle, bytes: usize) -> Self {
        Self { via, bytes: -(bytes as i64), droppable: -(bytes as i64), dropped: 0 }
    }

    /// Adds an unreliable packet that was dropped.
    pub(crate) fn drop(&mut self, received: &Received) {
        self.merge(&Self { dropped: 1, ..Self::of(received) });
    }

    /// Adds another one, if it is of the same connection; false otherwise.
    pub fn merge(&mut self, other: &Self) -> bool {
        let is_same = self.via == other.via;
        if is_same {
            self.bytes += other.bytes;
            self.droppable += other.droppable;
            self.dropped += other.dropped;
        }
        is_same
    }
}

/// What a packet costs, in bytes.
pub(crate) const fn cost(packet: &[u8]) -> usize {
    packet.len() + Quotas::OVERHEAD
}

impl Backlog {
    /// Bytes that wait.
    pub(super) const fn bytes(&self) -> usize {
        self.total
    }

    pub(super) const fn new(limit: usize) -> Self {
        Self { limit, total: 0, shares: Vec::new(), slowed: Vec::new() }
    }

    pub(super) const fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes;
    }

    /// Makes room for a packet of this connection, reliable ones always have it. How many bytes of its older unreliable packets
    /// are to be dropped for that; they are not counted any more. `None` when that would not do.
    ///
    /// One packet may wait, however large it is.
    pub(super) fn make_room(&mut self, via: PeerHandle, packet: &Packet, is_reliable: bool) -> Option<usize> {
        // Nobody's share is more than the total: most packets need no look at one.
        if is_reliable || 2 * self.total + cost(packet) <= self.shared() {
            return Some(0);
        }
        let share = self.share(via);
        let used = self.total + share.bytes + cost(packet);
        if used <= self.shared() || (share.bytes == 0 && self.total < self.limit) {
            return Some(0);
        }
        // What is dropped counts twice: in the total, and in the share.
        let displaced = (used - self.shared()).div_ceil(2).min(share.bytes);
        if displaced == 0 || displaced > share.droppable || self.total >= self.limit + displaced {
            return None;
        }
        self.total = self.total.saturating_sub(displaced);
        let share = self.share_mut(via);
        share.bytes -= displaced;
        share.droppable -= displaced;
        Some(displaced)
    }

    /// Counts a packet that waits from now on. What is to be taken of its connection, if that changes.
    pub(super) fn add(&mut self, via: PeerHandle, packet: &Packet, is_reliable: bool) -> Option<Reception> {
        let cost = cost(packet);
        self.total += cost;
        let share = self.share_mut(via);
        share.bytes += cost;
        if !is_reliable {
            share.droppable += cost;
        }
        let bytes = share.bytes;
        // Most games fetch all that there is in each frame.
        if self.total + bytes < self.shared() { None } else { self.decide(via) }
    }

    /// Counts what does not wait any more.
    pub(super) fn take_credit(&mut self, credit: Credit) {
        self.total = less(self.total, credit.bytes);
        let via = credit.via;
        if let Some(share) = self.shares.get_mut(via.index()).filter(|share| share.owner == Some(via)) {
            share.bytes = less(share.bytes, credit.bytes);
            share.droppable = less(share.droppable, credit.droppable);
        }
    }

    /// True while not everything is taken of some connection.
    pub(super) fn slows_some(&self) -> bool {
        !self.slowed.is_empty()
    }

    /// Looks at the connections of which not everything is taken: those for which that has changed.
    pub(super) fn reconsider(&mut self) -> Vec<(PeerHandle, Reception)> {
        if self.slowed.is_empty() {
            return Vec::new();
        }
        let slowed = self.slowed.clone();
        let changes = slowed.into_iter().filter_map(|via| Some((via, self.decide(via)?)));
        changes.collect()
    }

    /// Decides what is to be taken of a connection: the answer, if it is another one than before.
    fn decide(&mut self, via: PeerHandle) -> Option<Reception> {
        let share = self.share(via);
        let used = self.total + share.bytes;
        let reception = if self.total >= self.limit && share.bytes > 0 {
            Reception::Closed
        } else if used >= self.shared() {
            Reception::Trickle
        } else if share.reception != Reception::Open && used > self.shared() / 4 * 3 {
            // Some more has to be fetched before all is taken again, so that this does not change with every packet.
            Reception::Trickle
        } else {
            Reception::Open
        };
        if reception == share.reception {
            return None;
        }
        self.share_mut(via).reception = reception;
        if reception == Reception::Open {
            self.slowed.retain(|slowed| *slowed != via);
        } else if share.reception == Reception::Open {
            self.slowed.push(via);
        }
        Some(reception)
    }

    /// What connections share, in bytes.
    const fn shared(&self) -> usize {
        self.limit / 2
    }

    fn share(&self, via: PeerHandle) -> Share {
        let share = self.shares.get(via.index()).filter(|share| share.owner == Some(via));
        share.copied().unwrap_or_default()
    }

    fn share_mut(&mut self, via: PeerHandle) -> &mut Share {
        let index = via.index();
        if self.shares.len() <= index {
            self.shares.resize(index + 1, Share::default());
        }
        let share = &mut self.shares[index];
        if let Some(former) = share.owner.filter(|owner| *owner != via) {
            self.slowed.retain(|slowed| *slowed != former);
            *share = Share::default();
        }
        share.owner = Some(via);
        share
    }
}

/// A number of bytes, less a credit.
fn less(bytes: usize, credit: i64) -> usize {
    bytes.saturating_add_signed(-credit as isize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 2 << 20;

    fn peer(index: u16) -> PeerHandle {
        PeerHandle::new(index, 0)
    }

    fn packet() -> Packet {
        Packet::new(vec![0; 10_000 - Quotas::OVERHEAD])
    }

    /// One of them has been fetched.
    fn fetched(via: PeerHandle) -> Credit {
        Credit { via, bytes: 10_000, droppable: 0, dropped: 0 }
    }

    /// How many packets of each come until not everything is taken, when all send at the same pace.
    fn taken(senders: u16) -> usize {
        let mut backlog = Backlog::new(LIMIT);
        for count in 1.. {
            for index in 0..senders {
                if backlog.add(peer(index), &packet(), true).is_some() {
                    return count;
                }
            }
        }
        0
    }

    #[test]
    fn who_floods_leaves_room_for_others() {
        assert_eq!([1, 2, 4, 9].map(taken), [53, 35, 21, 11]);
    }

    #[test]
    fn everything_is_taken_again_when_enough_was_fetched() {
        let mut backlog = Backlog::new(LIMIT);
        let changes = (0..60).filter_map(|_| backlog.add(peer(3), &packet(), true));
        assert_eq!(changes.collect::<Vec<_>>(), [Reception::Trickle]);
        assert_eq!(backlog.add(peer(1), &packet(), true), None, "the other one goes on");
        for _ in 0..20 {
            backlog.take_credit(fetched(peer(3)));
            assert_eq!(backlog.reconsider(), []);
        }
        backlog.take_credit(fetched(peer(3)));
        backlog.take_credit(fetched(peer(3)));
        assert_eq!(backlog.reconsider(), [(peer(3), Reception::Open)]);
        assert_eq!(backlog.reconsider(), []);
    }

    #[test]
    fn nothing_reliable_is_taken_beyond_the_limit() {
        let mut backlog = Backlog::new(LIMIT);
        let changes: Vec<_> = (0..210).filter_map(|_| backlog.add(peer(0), &packet(), true)).collect();
        assert_eq!(changes, [Reception::Trickle, Reception::Closed]);
        assert_eq!(backlog.add(peer(1), &packet(), true), Some(Reception::Closed));
        backlog.take_credit(fetched(peer(0)));
        backlog.take_credit(fetched(peer(0)));
        assert_eq!(backlog.reconsider(), [(peer(0), Reception::Trickle), (peer(1), Reception::Trickle)]);
    }

    #[test]
    fn what_waits_of_a_former_connection_counts_for_all() {
        let mut backlog = Backlog::new(LIMIT);
        for _ in 0..60 {
            backlog.add(peer(0), &packet(), true);
        }
        let next = PeerHandle::new(0, 1);
        assert_eq!(backlog.add(next, &packet(), true), None);
        assert_eq!(backlog.reconsider(), []);
        (0..60).for_each(|_| backlog.take_credit(fetched(peer(0))));
        assert_eq!(backlog.total, 10_000);
        backlog.take_credit(fetched(next));
        assert_eq!(backlog.total, 0);
    }

    #[test]
    fn older_unreliable_packets_make_room() {
        let mut backlog = Backlog::new(LIMIT);
        for _ in 0..52 {
            assert_eq!(backlog.make_room(peer(0), &packet(), false), Some(0));
            assert_eq!(backlog.add(peer(0), &packet(), false), None);
        }
        // 2 × 520 000 bytes and 10 000 more are 1424 too many, half of which are in the total and half in the share.
        assert_eq!(backlog.make_room(peer(0), &packet(), false), Some(712));
        backlog.add(peer(0), &packet(), false);
        assert_eq!(backlog.total, 530_000 - 712);
        // A whole packet was dropped for them.
        backlog.take_credit(Credit { bytes: 9288, droppable: 9288, dropped: 1, via: peer(0) });
        assert_eq!(backlog.total, 520_000);
    }

    #[test]
    fn reliable_packets_make_no_room() {
        let mut backlog = Backlog::new(LIMIT);
        for _ in 0..60 {
            assert_eq!(backlog.make_room(peer(0), &packet(), true), Some(0));
            backlog.add(peer(0), &packet(), true);
        }
        assert_eq!(backlog.make_room(peer(0), &packet(), false), None);
        assert_eq!(backlog.make_room(peer(1), &packet(), false), Some(0), "the other one has room");
    }
}
