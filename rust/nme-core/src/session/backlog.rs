//! How much waits to be fetched by the game, and what each connection may still bring.
//!
//! All connections share half of the limit. Each may have as much waiting as is still free of that: one that floods gets half
//! of it, two get a third each, and there is always room for those that send little. What is reliable of a connection with
//! more is taken at a trickle only, so its sender slows down, and loses nothing; the other half of the limit is for that. What
//! is unreliable is dropped, the oldest first.

use nme_enet::{Packet, PeerHandle, Quotas, Reception};

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
    reception: Reception,
}

impl Backlog {
    pub(super) const fn new(limit: usize) -> Self {
        Self { limit, total: 0, shares: Vec::new(), slowed: Vec::new() }
    }

    /// What a packet costs, in bytes.
    pub(super) const fn cost(packet: &[u8]) -> usize {
        packet.len() + Quotas::OVERHEAD
    }

    pub(super) const fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes;
    }

    /// Bytes that wait.
    pub(super) const fn bytes(&self) -> usize {
        self.total
    }

    /// True when a packet of this connection may wait, too. One may, however large it is.
    pub(super) fn has_room(&self, via: PeerHandle, packet: &Packet) -> bool {
        let bytes = self.share(via).bytes;
        self.total + bytes + Self::cost(packet) <= self.shared() || (bytes == 0 && self.total < self.limit)
    }

    /// Counts a packet that waits from now on. What is to be taken of its connection, if that changes.
    pub(super) fn add(&mut self, via: PeerHandle, packet: &Packet) -> Option<Reception> {
        let cost = Self::cost(packet);
        self.total += cost;
        let share = self.share_mut(via);
        share.bytes += cost;
        let bytes = share.bytes;
        // Most games fetch all that there is in each frame.
        if self.total + bytes < self.shared() { None } else { self.decide(via) }
    }

    /// Counts a packet that does not wait any more.
    pub(super) fn remove(&mut self, via: PeerHandle, packet: &Packet) {
        let cost = Self::cost(packet);
        self.total = self.total.saturating_sub(cost);
        if let Some(share) = self.shares.get_mut(via.index()).filter(|share| share.owner == Some(via)) {
            share.bytes = share.bytes.saturating_sub(cost);
        }
    }

    /// Looks at the connections of which not everything is taken: those for which that has changed.
    pub(super) fn reconsider(&mut self) -> Vec<(PeerHandle, Reception)> {
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

    /// How many packets of each come until not everything is taken, when all send at the same pace.
    fn taken(senders: u16) -> usize {
        let mut backlog = Backlog::new(LIMIT);
        for count in 1.. {
            for index in 0..senders {
                if backlog.add(peer(index), &packet()).is_some() {
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
        let changes = (0..60).filter_map(|_| backlog.add(peer(3), &packet()));
        assert_eq!(changes.collect::<Vec<_>>(), [Reception::Trickle]);
        assert_eq!(backlog.add(peer(1), &packet()), None, "the other one goes on");
        for _ in 0..20 {
            backlog.remove(peer(3), &packet());
            assert_eq!(backlog.reconsider(), []);
        }
        backlog.remove(peer(3), &packet());
        backlog.remove(peer(3), &packet());
        assert_eq!(backlog.reconsider(), [(peer(3), Reception::Open)]);
        assert_eq!(backlog.reconsider(), []);
    }

    #[test]
    fn nothing_reliable_is_taken_beyond_the_limit() {
        let mut backlog = Backlog::new(LIMIT);
        let changes: Vec<_> = (0..210).filter_map(|_| backlog.add(peer(0), &packet())).collect();
        assert_eq!(changes, [Reception::Trickle, Reception::Closed]);
        assert_eq!(backlog.add(peer(1), &packet()), Some(Reception::Closed));
        backlog.remove(peer(0), &packet());
        backlog.remove(peer(0), &packet());
        assert_eq!(backlog.reconsider(), [(peer(0), Reception::Trickle), (peer(1), Reception::Trickle)]);
    }

    #[test]
    fn what_waits_of_a_former_connection_counts_for_all() {
        let mut backlog = Backlog::new(LIMIT);
        for _ in 0..60 {
            backlog.add(peer(0), &packet());
        }
        let next = PeerHandle::new(0, 1);
        assert_eq!(backlog.add(next, &packet()), None);
        assert_eq!(backlog.reconsider(), []);
        (0..60).for_each(|_| backlog.remove(peer(0), &packet()));
        assert_eq!(backlog.bytes(), 10_000);
        backlog.remove(next, &packet());
        assert_eq!(backlog.bytes(), 0);
    }
}
