//! What scripts for `ENetMultiplayerPeer` ask for: `get_peer` and `host`, objects with the names, arguments and numbers of
//! `ENetPacketPeer` and `ENetConnection`. They only pass on to the peer that they are of.

mod host;
mod packet_peer;

use std::sync::Arc;

use godot::prelude::*;
use nme_driver::Connection;

use crate::class::NetworkedMultiplayerENet;
use crate::error::{self, Inactive};
use crate::shared::{Object, Shared};
pub(crate) use host::{HostError, NetworkedMultiplayerENetHost};
pub(crate) use packet_peer::NetworkedMultiplayerENetPeer;

#[godot_api(secondary)]
impl NetworkedMultiplayerENet {
    /// Returns an object for the connection with the peer with this [param id], as [method ENetMultiplayerPeer.get_peer] does. Prints
    /// an error and returns [code]null[/code] for an id that nobody has, for another client behind the server, and when no connection
    /// is open. New scripts need it for nothing that is not simpler here: see [method get_peer_statistics].
    ///
    /// ```gdscript
    /// print(peer.get_peer(1).get_statistic(ENetPacketPeer.PEER_ROUND_TRIP_TIME))
    /// ```
    #[func(gd_self)]
    fn get_peer(this: Gd<Self>, id: i64) -> Option<Gd<NetworkedMultiplayerENetPeer>> {
        let shared = this.shared();
        match shared.with_connection(|connection| connection.peer_address(id).map(drop)) {
            // Its name is looked up, and it is there all the same.
            Some(Ok(()) | Err(nme_core::session::PeerError::NotResolved)) => {
                Some(NetworkedMultiplayerENetPeer::of(Owner::new(&this), id))
            }
            Some(Err(problem)) => {
                error::complain("get_peer", problem);
                None
            }
            None => {
                error::complain("get_peer", Inactive);
                None
            }
        }
    }
}

/// The host of an open connection.
pub(crate) fn host_of(object: &NetworkedMultiplayerENet) -> Option<Gd<NetworkedMultiplayerENetHost>> {
    let generation = {
        let state = object.shared.lock();
        state.connection.as_ref().map(|_| state.generation)?
    };
    Some(NetworkedMultiplayerENetHost::of(Owner { object: object.base().instance_id(), generation }))
}

/// The connection that such an object is of. Does not keep the peer alive.
struct Owner {
    object: InstanceId,
    /// A later connection of the same peer is another one.
    generation: u64,
}

impl Owner {
    fn new(object: &Gd<NetworkedMultiplayerENet>) -> Self {
        Self { object: object.instance_id(), generation: object.shared().lock().generation }
    }

    fn again(&self) -> Self {
        Self { object: self.object, generation: self.generation }
    }

    fn object(&self) -> Option<Gd<NetworkedMultiplayerENet>> {
        Gd::try_from_instance_id(self.object).ok()
    }

    fn shared(&self) -> Option<Arc<Shared>> {
        let shared = self.object()?.shared();
        let is_same = shared.lock().generation == self.generation;
        is_same.then_some(shared)
    }

    /// Asks the connection; `None` when it is over.
    fn with<R>(&self, call: impl FnOnce(&mut Connection) -> R) -> Option<R> {
        self.shared()?.with_connection(call)
    }
}
