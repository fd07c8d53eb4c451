//! Peer ids and the peers of a session.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;

use crate::enet::Slot;

/// A peer's id: 1 is the server, clients have 2 to 2^31-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(i32);

impl PeerId {
    /// The server of every session.
    pub const SERVER: Self = Self(1);

    /// A client's id, made from 32 random bits.
    #[must_use]
    pub const fn from_random(bits: u32) -> Self {
        let id = (bits & 0x7fff_ffff) as i32;
        if id < 2 { Self(id + 2) } else { Self(id) }
    }

    /// A client's id off the wire; `None` for what no client may have.
    #[must_use]
    pub const fn client(raw: u32) -> Option<Self> {
        let id = raw as i32;
        if id < 2 { None } else { Some(Self(id)) }
    }

    /// The id of a peer other than nobody: positive.
    #[must_use]
    pub const fn new(id: i32) -> Option<Self> {
        if id < 1 { None } else { Some(Self(id)) }
    }

    /// The number Godot sees.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a known peer is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// By an ENet connection of this host, with so many channels.
    Direct { slot: Slot, address: SocketAddr, channels: u8 },
    /// Through the server's relay.
    Relayed,
    /// Not any more: it has left, and the game hears of it with the next poll.
    Gone { address: Option<SocketAddr> },
}

impl Link {
    pub(crate) const fn slot(self) -> Option<Slot> {
        match self {
            Self::Direct { slot, .. } => Some(slot),
            Self::Relayed | Self::Gone { .. } => None,
        }
    }

    pub(crate) const fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Direct { address, .. } => Some(address),
            Self::Gone { address } => address,
            Self::Relayed => None,
        }
    }
}

#[derive(Debug)]
struct Entry {
    link: Link,
    /// The last run of packets that had this peer among its targets.
    mark: u32,
}

/// The peers a game knows, by id, and the ENet slots behind them.
#[derive(Debug, Default)]
pub(crate) struct PeerTable {
    links: BTreeMap<PeerId, Entry>,
    by_slot: Vec<Option<PeerId>>,
    /// Those that the game has not accepted yet: the relay keeps them from all others.
    apart: BTreeSet<PeerId>,
    /// Those whose packets are dropped.
    ignored: BTreeSet<PeerId>,
    /// The fewest channels of any connection so far, so that most packets need no look at each.
    fewest_channels: Option<u8>,
}

impl PeerTable {
    pub(crate) fn link(&self, id: PeerId) -> Option<Link> {
        self.links.get(&id).map(|entry| entry.link)
    }

    pub(crate) fn contains(&self, id: PeerId) -> bool {
        self.links.contains_key(&id)
    }

    pub(crate) fn at(&self, slot: Slot) -> Option<PeerId> {
        self.by_slot.get(usize::from(slot.0)).copied().flatten()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = PeerId> {
        self.links.keys().copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.links.len()
    }

    /// The slots of all peers with a connection, by id.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (PeerId, Slot)> {
        self.links.iter().filter_map(|(id, entry)| Some((*id, entry.link.slot()?)))
    }

    /// The peers with a connection that has no such channel, by id, with how many it has.
    pub(crate) fn lacking(&self, channel: u8) -> impl Iterator<Item = (PeerId, u8)> {
        let is_possible = self.fewest_channels.is_some_and(|fewest| fewest <= channel);
        let links = is_possible.then_some(&self.links).into_iter().flatten();
        links.filter_map(move |(id, entry)| match entry.link {
            Link::Direct { channels, .. } if channels <= channel => Some((*id, channels)),
            _ => None,
        })
    }

    /// Marks a peer with the number of a run; false when it had this mark already.
    pub(crate) fn mark(&mut self, id: PeerId, run: u32) -> bool {
        self.links.get_mut(&id).is_some_and(|entry| std::mem::replace(&mut entry.mark, run) != run)
    }

    /// The peers that are there and do not have the mark.
    pub(crate) fn unmarked(&self, run: u32) -> impl Iterator<Item = PeerId> {
        let present = self.links.iter().filter(|(_, entry)| !matches!(entry.link, Link::Gone { .. }));
        present.filter(move |(_, entry)| entry.mark != run).map(|(id, _)| *id)
    }

    pub(crate) fn insert_direct(&mut self, id: PeerId, slot: Slot, address: SocketAddr, channels: u8) {
        let index = usize::from(slot.0);
        if self.by_slot.len() <= index {
            self.by_slot.resize(index + 1, None);
        }
        self.by_slot[index] = Some(id);
        self.links.insert(id, Entry { link: Link::Direct { slot, address, channels }, mark: 0 });
        let fewest = self.fewest_channels.map_or(channels, |fewest| fewest.min(channels));
        self.fewest_channels = Some(fewest);
    }

    pub(crate) fn insert_relayed(&mut self, id: PeerId) {
        self.links.insert(id, Entry { link: Link::Relayed, mark: 0 });
    }

    pub(crate) fn is_apart(&self, id: PeerId) -> bool {
        self.apart.contains(&id)
    }

    pub(crate) const fn apart(&self) -> &BTreeSet<PeerId> {
        &self.apart
    }

    pub(crate) fn keep_apart(&mut self, id: PeerId) {
        if self.contains(id) {
            self.apart.insert(id);
        }
    }

    /// False when the peer was not kept apart.
    pub(crate) fn admit(&mut self, id: PeerId) -> bool {
        self.apart.remove(&id)
    }

    pub(crate) fn is_ignored(&self, id: PeerId) -> bool {
        self.ignored.contains(&id)
    }

    pub(crate) fn ignore(&mut self, id: PeerId) {
        if self.contains(id) {
            self.ignored.insert(id);
        }
    }

    /// Cuts the connection and keeps the id until the game has heard of it.
    pub(crate) fn mark_gone(&mut self, id: PeerId) {
        if let Some(Entry { link, .. }) = self.links.get_mut(&id) {
            let address = link.address();
            if let Some(slot) = link.slot() {
                self.by_slot[usize::from(slot.0)] = None;
            }
            *link = Link::Gone { address };
        }
    }

    pub(crate) fn remove(&mut self, id: PeerId) {
        self.mark_gone(id);
        self.links.remove(&id);
        self.apart.remove(&id);
        self.ignored.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bits_always_make_a_client_id() {
        for bits in [0, 1, 2, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, u32::MAX] {
            let id = PeerId::from_random(bits);
            assert!(id.get() >= 2, "{bits:#x} made {id}");
            assert_eq!(PeerId::client(id.get() as u32), Some(id));
        }
    }

    #[test]
    fn ids_below_two_are_no_clients() {
        for raw in [0, 1, 0x8000_0000, u32::MAX] {
            assert_eq!(PeerId::client(raw), None);
        }
    }
}
