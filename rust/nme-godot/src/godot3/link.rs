//! The network peer below: one of this library, or any other.

use std::sync::Arc;

use godot::classes::MultiplayerPeer;
use godot::classes::multiplayer_peer::{ConnectionStatus, TransferMode};
use godot::global::Error;
use godot::prelude::*;

use crate::class::NetworkedMultiplayerENet;
use crate::shared::{Object, Shared};
use crate::virtuals;

/// How a packet is to travel.
#[derive(Clone, Copy)]
pub(super) struct Route {
    /// 0 for everybody, a peer's id, or minus the id of the one that does not get it.
    pub(super) target: i32,
    pub(super) mode: TransferMode,
    /// 0 is the peer's own choice.
    pub(super) channel: i32,
}

impl Route {
    /// For what the protocol sends by itself.
    pub(super) const fn reliable(target: i32) -> Self {
        Self { target, mode: TransferMode::RELIABLE, channel: 0 }
    }
}

/// A packet that has come.
pub(super) struct Arrival {
    pub(super) sender: i32,
    pub(super) mode: TransferMode,
    pub(super) channel: i32,
    pub(super) packet: Vec<u8>,
}

/// The network peer.
#[derive(Clone)]
pub(super) struct Link {
    peer: Gd<MultiplayerPeer>,
    /// The same one, when it is of this library: packets need no detour through the engine then.
    own: Option<Arc<Shared>>,
}

impl Link {
    pub(super) fn new(peer: Gd<MultiplayerPeer>) -> Self {
        let own = peer.clone().try_cast::<NetworkedMultiplayerENet>().ok().map(|own| own.shared());
        Self { peer, own }
    }

    pub(super) const fn peer(&self) -> &Gd<MultiplayerPeer> {
        &self.peer
    }

    /// The same one, when it is of this library.
    pub(super) const fn own(&self) -> Option<&Arc<Shared>> {
        self.own.as_ref()
    }

    pub(super) fn status(&self) -> ConnectionStatus {
        self.own.as_ref().map_or_else(|| self.peer.get_connection_status(), |own| virtuals::status(own))
    }

    /// Whether it is connected, for who must not ask the engine; false for a peer that is not of this library.
    pub(super) fn is_own_and_connected(&self) -> bool {
        self.own.as_ref().is_some_and(|own| virtuals::status(own) == ConnectionStatus::CONNECTED)
    }

    pub(super) fn poll(&mut self) {
        self.peer.poll();
    }

    /// Sends a packet. The peer prints what is wrong.
    pub(super) fn put(&self, route: Route, packet: &[u8]) -> Error {
        self.way_out().put(route, packet)
    }

    /// The part of it that sends.
    pub(super) fn way_out(&self) -> WayOut {
        match &self.own {
            Some(own) => WayOut::Own(Arc::clone(own)),
            None => WayOut::Other(self.peer.clone()),
        }
    }

    /// Takes the next packet.
    pub(super) fn take(&mut self) -> Option<Arrival> {
        if let Some(own) = &self.own {
            let (info, received) = own.take()?;
            return Some(Arrival {
                sender: info.from.get(),
                mode: virtuals::godot_mode(info.mode),
                channel: info.channel.into(),
                packet: received.payload().to_vec(),
            });
        }
        if self.peer.get_available_packet_count() == 0 {
            return None;
        }
        let (sender, mode) = (self.peer.get_packet_peer(), self.peer.get_packet_mode());
        let channel = self.peer.get_packet_channel();
        Some(Arrival { sender, mode, channel, packet: self.peer.get_packet().to_vec() })
    }
}

/// Puts a packet into a peer of this library.
pub(super) fn put(own: &Arc<Shared>, route: Route, packet: &[u8]) -> Error {
    own.put_for(route.target, virtuals::core_mode(route.mode), route.channel, packet)
}

/// What packets leave by.
pub(super) enum WayOut {
    Own(Arc<Shared>),
    Other(Gd<MultiplayerPeer>),
}

impl WayOut {
    pub(super) fn put(&mut self, route: Route, packet: &[u8]) -> Error {
        match self {
            Self::Own(own) => put(own, route, packet),
            Self::Other(peer) => {
                peer.set_target_peer(route.target);
                peer.set_transfer_mode(route.mode);
                peer.set_transfer_channel(route.channel);
                peer.put_packet(&PackedByteArray::from(packet))
            }
        }
    }
}
