//! What the engine calls: the methods inherited from MultiplayerAPI.

use godot::classes::MultiplayerPeer;
use godot::classes::multiplayer_peer::ConnectionStatus;
use godot::global::Error;
use godot::obj::cap::ImplementsGodotVirtual;
use godot::prelude::*;
use godot::private::{self, ClassShard, ITraitImpl, ShardItem};
use godot::sys;
use nme_godot3::Dialect;
use private::virtuals::MultiplayerApiExtension as names;

use super::class::{Godot3Multiplayer, answer};
use super::forwarding::forward;
use super::link::Link;
use super::receive;
use super::send::{self, complain, warn};
use crate::dispatch::{self, passed_to};

type Callee<'a> = dispatch::Callee<'a, Godot3Multiplayer>;

impl ImplementsGodotVirtual for Godot3Multiplayer {
    fn __virtual_call(name: &str) -> sys::GDExtensionClassCallVirtual {
        match name {
            names::poll => passed_to!(Godot3Multiplayer, poll: () => Error),
            names::set_multiplayer_peer => {
                passed_to!(Godot3Multiplayer, set_multiplayer_peer: names::Sig_set_multiplayer_peer => ())
            }
            names::get_multiplayer_peer => {
                passed_to!(Godot3Multiplayer, get_multiplayer_peer: () => Option<Gd<MultiplayerPeer>>)
            }
            names::get_unique_id => passed_to!(Godot3Multiplayer, get_unique_id: () => i32),
            names::get_peer_ids => passed_to!(Godot3Multiplayer, get_peer_ids: () => PackedInt32Array),
            names::rpc => passed_to!(Godot3Multiplayer, rpc: names::Sig_rpc => Error, unless forward),
            names::get_remote_sender_id => passed_to!(Godot3Multiplayer, get_remote_sender_id: () => i32),
            names::object_configuration_add => {
                passed_to!(Godot3Multiplayer, add_configuration: names::Sig_object_configuration_add => Error)
            }
            names::object_configuration_remove => {
                passed_to!(Godot3Multiplayer, remove_configuration: names::Sig_object_configuration_remove => Error)
            }
            _ => None,
        }
    }
}

// What `#[godot_api] impl IMultiplayerApiExtension` would do.
impl private::You_forgot_the_attribute__godot_api for Godot3Multiplayer {}
sys::shard_add!(private::__GODOT_SHARD_REGISTRY; ClassShard::new::<Godot3Multiplayer>(
    ShardItem::ITraitImpl(ITraitImpl::new::<Godot3Multiplayer>())
));

fn poll(api: Callee<'_>, (): ()) -> Error {
    receive::poll(&api.object());
    Error::OK
}

fn set_multiplayer_peer(api: Callee<'_>, (peer,): names::Sig_set_multiplayer_peer) {
    let current = api.shared.lock().link.as_ref().map(|link| link.peer().clone());
    if current == peer {
        return;
    }
    let this = api.object();
    let Some(peer) = peer else {
        Godot3Multiplayer::leave(&this);
        let mut state = api.shared.lock();
        state.generation += 1;
        state.status = ConnectionStatus::DISCONNECTED;
        state.own_id = 0;
        return;
    };
    let status = peer.get_connection_status();
    if status == ConnectionStatus::DISCONNECTED {
        return complain(
            "multiplayer_peer",
            "the peer has to be connected, or connecting; call create_server() or create_client() first",
        );
    }
    Godot3Multiplayer::leave(&this);
    let (link, own_id) = (Link::new(peer.clone()), peer.get_unique_id());
    {
        let mut state = api.shared.lock();
        state.generation += 1;
        state.link = Some(link);
        state.status = status;
        state.own_id = own_id;
    }
    receive::link_inner(&this);
    Godot3Multiplayer::follow(&this, &peer);
}

fn get_multiplayer_peer(api: Callee<'_>, (): ()) -> Option<Gd<MultiplayerPeer>> {
    api.shared.lock().link.as_ref().map(|link| link.peer().clone())
}

fn get_unique_id(api: Callee<'_>, (): ()) -> i32 {
    receive::own_id(&api.object())
}

fn get_peer_ids(api: Callee<'_>, (): ()) -> PackedInt32Array {
    api.shared.lock().peers.keys().copied().collect()
}

fn rpc(api: Callee<'_>, (target, object, method, arguments): names::Sig_rpc) -> Error {
    answer("rpc", send::call(&api.object(), target, object, &method, &arguments))
}

fn get_remote_sender_id(api: Callee<'_>, (): ()) -> i32 {
    let (sender, inner) = {
        let state = api.shared.lock();
        (state.sender, state.inner.clone())
    };
    if sender != 0 { sender } else { inner.map_or(0, |inner| inner.sender()) }
}

fn add_configuration(api: Callee<'_>, (object, configuration): names::Sig_object_configuration_add) -> Error {
    let this = api.object();
    if object.is_none() {
        let Ok(path) = configuration.try_to::<NodePath>() else { return Error::ERR_INVALID_PARAMETER };
        this.bind().set_root_path(path);
        return Error::OK;
    }
    let is_alone = {
        let mut state = api.shared.lock();
        let is_alone = state.default_dialect == Some(Dialect::Godot3) && !state.has(Dialect::Godot4);
        is_alone && !std::mem::replace(&mut state.warned.replication, true)
    };
    if is_alone {
        warn(
            "object_configuration_add",
            "Godot 3.6 has no spawners and synchronizers; here they only work for peers of Godot 4 (see default_peer_dialect)",
        );
    }
    receive::inner(&this).configure(object, &configuration, true)
}

fn remove_configuration(
    api: Callee<'_>,
    (object, configuration): names::Sig_object_configuration_remove,
) -> Error {
    if object.is_none() {
        api.object().bind().set_root_path(NodePath::default());
        return Error::OK;
    }
    let inner = api.shared.lock().inner.clone();
    inner.map_or(Error::OK, |mut inner| inner.configure(object, &configuration, false))
}
