//! What the host knows of its peers besides the engine.

use std::net::SocketAddr;

use nme_enet::PeerHandle;
use nme_enet::inspect::Request;

use crate::packet::Unacknowledged;

/// The peers of a host, by the engine's number for them.
#[derive(Debug)]
pub(crate) struct Places {
    places: Vec<Place>,
    /// Peers so far.
    count: u64,
}

#[derive(Debug, Default)]
struct Place {
    /// How many peers it has had.
    generation: u32,
    peer: Option<Peer>,
}

/// A peer.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) handle: PeerHandle,
    pub(crate) address: SocketAddr,
    /// Channels asked for or granted.
    pub(crate) channels: u8,
    /// The connect request; of a side that has asked itself only once it has left.
    pub(crate) request: Option<Request>,
    /// This side has asked for the connection.
    pub(crate) has_asked: bool,
    /// The handshake is complete.
    pub(crate) is_connected: bool,
    pub(crate) has_overflowed: bool,
    pub(crate) unacknowledged: Unacknowledged,
    /// Grows with each peer.
    pub(crate) order: u64,
}

impl Places {
    pub(crate) fn new(limit: u16) -> Self {
        Self { places: (0..limit).map(|_| Place::default()).collect(), count: 0 }
    }

    /// Notes a new peer. Whoever had the place before is gone.
    pub(crate) fn insert(
        &mut self,
        slot: u16,
        address: SocketAddr,
        channels: u8,
        request: Option<Request>,
        has_asked: bool,
    ) -> PeerHandle {
        let Some(place) = self.places.get_mut(usize::from(slot)) else { return PeerHandle::new(slot, 0) };
        let handle = PeerHandle::new(slot, place.generation);
        place.generation = place.generation.wrapping_add(1);
        self.count += 1;
        place.peer = Some(Peer {
            handle,
            address,
            channels,
            request,
            has_asked,
            is_connected: false,
            has_overflowed: false,
            unacknowledged: Unacknowledged::default(),
            order: self.count,
        });
        handle
    }

    pub(crate) fn remove(&mut self, slot: u16) -> Option<Peer> {
        self.places.get_mut(usize::from(slot))?.peer.take()
    }

    pub(crate) fn at(&self, slot: u16) -> Option<&Peer> {
        self.places.get(usize::from(slot))?.peer.as_ref()
    }

    pub(crate) fn at_mut(&mut self, slot: u16) -> Option<&mut Peer> {
        self.places.get_mut(usize::from(slot))?.peer.as_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.places.iter().filter_map(|place| place.peer.as_ref())
    }
}
