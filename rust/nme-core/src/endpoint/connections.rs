//! The connections of an endpoint, by handle and by id.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use nme_enet::{Packet, PeerHandle};

use super::secure::Association;
use super::statistics::WireTraffic;
use crate::peer::PeerId;

/// A connection with a complete handshake, of a peer with an id.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: PeerId,
    pub(super) handle: PeerHandle,
    pub(super) address: SocketAddr,
    /// Channels that both sides have.
    pub(super) channels: u8,
    /// The game has not accepted it yet: the relay keeps it from all others.
    pub(super) is_apart: bool,
    /// What it sends is dropped.
    pub(super) is_ignored: bool,
    /// It is to leave once it has got everything.
    pub(super) is_leaving: bool,
    /// It was told why.
    pub(super) is_kicked: bool,
    /// The last round of [`Admission`](super::admission::Admission) in which it was heard from.
    pub(super) heard_in: u32,
    /// The system message that it is there, one packet for all who hear of it. `None` for one that was not introduced.
    pub(super) joined: Option<Packet>,
    pub(super) association: Option<Box<Association>>,
    pub(super) wire: WireTraffic,
}

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Connections {
    /// By the handle's index.
    places: Vec<Option<Connection>>,
    by_id: BTreeMap<PeerId, PeerHandle>,
    /// The fewest channels of any connection so far, so that most packets need no look at each.
    fewest_channels: Option<u8>,
}

impl Connections {
    pub(super) fn insert(
        &mut self,
        id: PeerId,
        handle: PeerHandle,
        address: SocketAddr,
        channels: u8,
        association: Option<Box<Association>>,
    ) {
        let index = handle.index();
        if self.places.len() <= index {
            // By a quarter: half of the places of a full server would never be used.
            let more = (index + 1 - self.places.len()).max(self.places.len() / 4);
            self.places.reserve_exact(more);
            self.places.resize_with(index + 1, || None);
        }
        self.places[index] = Some(Connection {
            id,
            handle,
            address,
            channels,
            is_apart: false,
            is_ignored: false,
            is_leaving: false,
            is_kicked: false,
            heard_in: 0,
            joined: None,
            association,
            wire: WireTraffic::default(),
        });
        self.by_id.insert(id, handle);
        self.fewest_channels = Some(self.fewest_channels.map_or(channels, |fewest| fewest.min(channels)));
    }

    pub(super) fn remove(&mut self, handle: PeerHandle) -> Option<Connection> {
        self.get(handle)?;
        let connection = self.places.get_mut(handle.index())?.take()?;
        self.by_id.remove(&connection.id);
        Some(connection)
    }

    pub(super) fn get(&self, handle: PeerHandle) -> Option<&Connection> {
        self.places.get(handle.index())?.as_ref().filter(|connection| connection.handle == handle)
    }

    pub(super) fn get_mut(&mut self, handle: PeerHandle) -> Option<&mut Connection> {
        self.places.get_mut(handle.index())?.as_mut().filter(|connection| connection.handle == handle)
    }

    /// The connection with the peer that ENet has given this number.
    pub(super) fn by_number_mut(&mut self, number: u16) -> Option<&mut Connection> {
        self.places.get_mut(usize::from(number))?.as_mut()
    }

    pub(super) fn contains(&self, handle: PeerHandle) -> bool {
        self.get(handle).is_some()
    }

    pub(super) fn has(&self, id: PeerId) -> bool {
        self.by_id.contains_key(&id)
    }

    pub(super) fn handle(&self, id: PeerId) -> Option<PeerHandle> {
        self.by_id.get(&id).copied()
    }

    pub(super) fn by_id(&self, id: PeerId) -> Option<&Connection> {
        self.get(self.handle(id)?)
    }

    pub(super) fn by_id_mut(&mut self, id: PeerId) -> Option<&mut Connection> {
        self.get_mut(self.handle(id)?)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// All connections, by id.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.by_id.values().filter_map(|handle| self.get(*handle))
    }

    /// True when there may be a connection without this channel.
    pub(super) fn may_lack(&self, channel: u8) -> bool {
        self.fewest_channels.is_some_and(|fewest| fewest <= channel)
    }
}
