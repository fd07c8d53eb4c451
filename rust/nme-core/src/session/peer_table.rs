//! The peers that the game knows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use nme_enet::PeerHandle;

use crate::peer::PeerId;

/// How a known peer is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// By a connection of this side, with so many channels.
    Direct { peer: PeerHandle, address: SocketAddr, channels: u8 },
    /// Through the server's relay.
    Relayed,
    /// Not any more: it has left, and the game hears of it with the next poll.
    Gone { address: Option<SocketAddr> },
}

impl Reach {
    pub(super) const fn handle(self) -> Option<PeerHandle> {
        match self {
            Self::Direct { peer, .. } => Some(peer),
            Self::Relayed | Self::Gone { .. } => None,
        }
    }

    pub(super) const fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Direct { address, .. } => Some(address),
            Self::Gone { address } => address,
            Self::Relayed => None,
        }
    }
}

/// A peer that the game knows.
#[derive(Debug)]
struct Known {
    reach: Reach,
    /// The game has not accepted it yet.
    is_apart: bool,
    /// What it sends is dropped.
    is_ignored: bool,
    /// Number of the last [`Folding`](super::folding::Folding) that has this peer among its receivers.
    folding: u32,
}

/// The peers that the game knows, by id.
#[derive(Debug, Default)]
pub(super) struct PeerTable {
    peers: BTreeMap<PeerId, Known>,
    /// How many are kept apart.
    apart: usize,
    /// The fewest channels of any connection so far, so that most packets need no look at each.
    fewest_channels: Option<u8>,
    /// All connections, as long as they stay the same.
    everybody: Option<Arc<[PeerHandle]>>,
}

impl PeerTable {
    pub(super) fn reach(&self, id: PeerId) -> Option<Reach> {
        self.peers.get(&id).map(|known| known.reach)
    }

    /// Whether a known peer has not left yet.
    pub(super) fn is_there(&self, id: PeerId) -> Option<bool> {
        self.peers.get(&id).map(|known| !matches!(known.reach, Reach::Gone { .. }))
    }

    pub(super) fn contains(&self, id: PeerId) -> bool {
        self.peers.contains_key(&id)
    }

    /// The connection with a peer.
    pub(super) fn handle(&self, id: PeerId) -> Option<PeerHandle> {
        self.reach(id)?.handle()
    }

    /// The peer of a connection.
    pub(super) fn id_of(&self, peer: PeerHandle) -> Option<PeerId> {
        self.peers.iter().find(|(_, known)| known.reach.handle() == Some(peer)).map(|(id, _)| *id)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = PeerId> {
        self.peers.keys().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.peers.len()
    }

    /// All connections, by the id of the peer.
    pub(super) fn everybody(&mut self) -> Arc<[PeerHandle]> {
        let Self { peers, everybody, .. } = self;
        let collect = || peers.values().filter_map(|known| known.reach.handle()).collect();
        Arc::clone(everybody.get_or_insert_with(collect))
    }

    /// The peers with a connection that has no such channel, by id, with how many it has.
    pub(super) fn lacking(&self, channel: u8) -> impl Iterator<Item = (PeerId, u8)> {
        let is_possible = self.fewest_channels.is_some_and(|fewest| fewest <= channel);
        let peers = is_possible.then_some(&self.peers).into_iter().flatten();
        peers.filter_map(move |(id, known)| match known.reach {
            Reach::Direct { channels, .. } if channels <= channel => Some((*id, channels)),
            _ => None,
        })
    }

    /// Makes a peer a receiver of the folding with this number; false when it is one already.
    pub(super) fn fold(&mut self, id: PeerId, folding: u32) -> bool {
        let known = self.peers.get_mut(&id);
        known.is_some_and(|known| std::mem::replace(&mut known.folding, folding) != folding)
    }

    /// The peers that are there and are no receivers of this folding.
    pub(super) fn others(&self, folding: u32) -> impl Iterator<Item = PeerId> {
        let present = self.peers.iter().filter(|(_, known)| !matches!(known.reach, Reach::Gone { .. }));
        present.filter(move |(_, known)| known.folding != folding).map(|(id, _)| *id)
    }

    pub(super) fn insert(&mut self, id: PeerId, reach: Reach) {
        if let Reach::Direct { channels, .. } = reach {
            self.fewest_channels = Some(self.fewest_channels.map_or(channels, |fewest| fewest.min(channels)));
        }
        self.remove(id);
        self.everybody = None;
        self.peers.insert(id, Known { reach, is_apart: false, is_ignored: false, folding: 0 });
    }

    /// Drops what a peer sends from now on.
    pub(super) fn ignore(&mut self, id: PeerId) {
        if let Some(known) = self.peers.get_mut(&id) {
            known.is_ignored = true;
        }
    }

    /// True when packets of this connection with a peer are for the game.
    pub(super) fn listens_to(&self, id: PeerId, connection: PeerHandle) -> bool {
        let known = self.peers.get(&id);
        known.is_some_and(|known| known.reach.handle() == Some(connection) && !known.is_ignored)
    }

    pub(super) fn is_apart(&self, id: PeerId) -> bool {
        self.peers.get(&id).is_some_and(|known| known.is_apart)
    }

    /// The peers that are kept apart.
    pub(super) fn apart(&self) -> BTreeSet<PeerId> {
        if self.apart == 0 {
            return BTreeSet::new();
        }
        self.peers.iter().filter(|(_, known)| known.is_apart).map(|(id, _)| *id).collect()
    }

    /// Keeps a peer apart, or does not any more; false when it was so already.
    pub(super) fn set_apart(&mut self, id: PeerId, apart: bool) -> bool {
        let Some(known) = self.peers.get_mut(&id).filter(|known| known.is_apart != apart) else {
            return false;
        };
        known.is_apart = apart;
        self.apart = if apart { self.apart + 1 } else { self.apart - 1 };
        true
    }

    /// Notes that the connection is over, and keeps the id until the game has heard of it.
    pub(super) fn mark_gone(&mut self, id: PeerId) {
        if let Some(known) = self.peers.get_mut(&id) {
            known.reach = Reach::Gone { address: known.reach.address() };
            self.everybody = None;
        }
    }

    /// Forgets a peer: the one place where it ends for the game.
    pub(super) fn remove(&mut self, id: PeerId) {
        if let Some(known) = self.peers.remove(&id) {
            self.apart -= usize::from(known.is_apart);
            self.everybody = None;
        }
    }
}
