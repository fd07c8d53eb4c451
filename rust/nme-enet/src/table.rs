//! The peers of a host, by their number on the wire and by their address.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;

use crate::event::PeerHandle;
use crate::lists::make_room;
use crate::peer::{Peer, Sessions};
use crate::wire::NO_PEER;

/// The peers of a host. Memory is taken for those that there have been at once, but for two bytes of each possible one.
#[derive(Debug)]
pub(crate) struct Table {
    limit: u16,
    slots: Vec<Slot>,
    /// Places without a peer. The one that has been free for longest is used first.
    free: VecDeque<u16>,
    /// Places with a peer, in no order.
    live: Vec<u16>,
    /// By a hash of the address, the latest of the peers whose addresses have that one, or [`NO_PEER`]. The others are linked
    /// behind it.
    by_address: Box<[u16]>,
    hashes: RandomState,
}

/// A place for a peer.
#[derive(Debug)]
struct Slot {
    /// How many peers it has had.
    generation: u32,
    /// Of its latest peer.
    sessions: Sessions,
    peer: Option<Box<Peer>>,
}

/// A place that the next peer can have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vacancy {
    pub(crate) handle: PeerHandle,
    pub(crate) sessions: Sessions,
}

impl Table {
    pub(crate) fn new(limit: u16) -> Self {
        Self {
            limit,
            slots: Vec::new(),
            free: VecDeque::new(),
            live: Vec::new(),
            by_address: vec![NO_PEER; usize::from(limit.max(1))].into(),
            hashes: RandomState::new(),
        }
    }

    /// Where [`Self::insert`] would put a peer; `None` when the host is full.
    pub(crate) fn vacancy(&self) -> Option<Vacancy> {
        if let Some(&slot) = self.free.front() {
            let Slot { generation, sessions, .. } = *self.slots.get(usize::from(slot))?;
            return Some(Vacancy { handle: PeerHandle { slot, generation }, sessions });
        }
        let slot = u16::try_from(self.slots.len()).ok().filter(|slot| *slot < self.limit)?;
        Some(Vacancy { handle: PeerHandle { slot, generation: 0 }, sessions: Sessions::NONE })
    }

    /// Puts a peer where it says, which must be the vacancy.
    pub(crate) fn insert(&mut self, mut peer: Box<Peer>) {
        let slot = peer.handle.slot;
        if self.free.front() == Some(&slot) {
            self.free.pop_front();
        } else {
            make_room(&mut self.slots);
            self.slots.push(Slot { generation: 0, sessions: Sessions::NONE, peer: None });
        }
        // At most 4095.
        peer.live_index = self.live.len() as u16;
        self.live.push(slot);
        let bucket = self.bucket(peer.address);
        peer.next_at_address = std::mem::replace(&mut self.by_address[bucket], slot);
        if let Some(place) = self.slots.get_mut(usize::from(slot)) {
            place.peer = Some(peer);
        }
    }

    pub(crate) fn remove(&mut self, handle: PeerHandle) -> Option<Box<Peer>> {
        self.get(handle)?;
        let place = self.slots.get_mut(usize::from(handle.slot))?;
        let peer = place.peer.take()?;
        place.generation = place.generation.wrapping_add(1);
        place.sessions = peer.sessions;
        self.free.push_back(handle.slot);
        self.live.swap_remove(peer.live_index.into());
        if let Some(&moved) = self.live.get(usize::from(peer.live_index))
            && let Some(moved) = self.at_mut(moved)
        {
            moved.live_index = peer.live_index;
        }
        self.unlink(&peer);
        Some(peer)
    }

    pub(crate) fn get(&self, handle: PeerHandle) -> Option<&Peer> {
        let peer = self.slots.get(usize::from(handle.slot))?.peer.as_deref()?;
        (peer.handle == handle).then_some(peer)
    }

    pub(crate) fn get_mut(&mut self, handle: PeerHandle) -> Option<&mut Peer> {
        self.at_mut(handle.slot).filter(|peer| peer.handle == handle)
    }

    /// The peer with this number on the wire.
    pub(crate) fn at(&self, slot: u16) -> Option<&Peer> {
        self.slots.get(usize::from(slot))?.peer.as_deref()
    }

    pub(crate) fn at_mut(&mut self, slot: u16) -> Option<&mut Peer> {
        self.slots.get_mut(usize::from(slot))?.peer.as_deref_mut()
    }

    /// All peers, connected or not.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.live.iter().filter_map(|slot| self.at(*slot))
    }

    pub(crate) const fn len(&self) -> usize {
        self.live.len()
    }

    /// Peers at an address, the latest first.
    pub(crate) fn at_address(&self, address: SocketAddr) -> impl Iterator<Item = &Peer> {
        self.in_bucket(self.bucket(address)).filter(move |peer| peer.address == address)
    }

    fn bucket(&self, address: SocketAddr) -> usize {
        self.hashes.hash_one(address) as usize % self.by_address.len()
    }

    /// Peers whose addresses have this hash, the latest first.
    fn in_bucket(&self, bucket: usize) -> impl Iterator<Item = &Peer> {
        let first = self.at(self.by_address[bucket]);
        std::iter::successors(first, |peer| self.at(peer.next_at_address))
    }

    fn unlink(&mut self, peer: &Peer) {
        let bucket = self.bucket(peer.address);
        let before = self.in_bucket(bucket).find(|other| other.next_at_address == peer.handle.slot);
        match before.map(|before| before.handle.slot).and_then(|before| self.at_mut(before)) {
            Some(before) => before.next_at_address = peer.next_at_address,
            None => self.by_address[bucket] = peer.next_at_address,
        }
    }
}
