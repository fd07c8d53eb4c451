//! SceneMultiplayer's authentication, which knows nothing of this class's relay.
//!
//! With Godot's own relay, a client hears of the others when the server has accepted it, and accepts them without
//! asking. This class has its relay below SceneMultiplayer, which takes every `peer_connected` for a peer to
//! authenticate. So a peer that authenticates is kept apart by the session, and those behind the relay come to
//! SceneMultiplayer while it does not look.

use godot::classes::{MultiplayerPeer, SceneMultiplayer};
use godot::prelude::*;
use nme_core::peer::PeerId;

use crate::class::NetworkedMultiplayerENet;
use crate::connection::DEFAULT_WAIT;
use crate::dispatch::Callee;
use crate::shared::{Object, Shared, State};

/// Emits `peer_connected`.
pub(crate) fn emit_peer_connected(object: &Gd<NetworkedMultiplayerENet>, id: PeerId) {
    let emit = || object.signals().peer_connected().emit(id.get().into());
    let asking = scene_multiplayer(object).filter(|api| api.get_auth_callback().is_valid());
    let Some(mut api) = asking else { return emit() };
    if object.shared().lock().keep_apart(id, object.instance_id()) {
        return emit();
    }
    let callback = api.get_auth_callback();
    api.set_auth_callback(&Callable::invalid());
    emit();
    // A handler may have chosen another.
    if !api.get_auth_callback().is_valid() {
        api.set_auth_callback(&callback);
    }
}

/// Tells the relay in another thread whether to introduce new clients at once. Without a thread it waits for the game anyway.
pub(crate) fn prepare_relay(object: &Gd<NetworkedMultiplayerENet>) {
    let authenticates = scene_multiplayer(object).is_some_and(|api| api.get_auth_callback().is_valid());
    object.shared().with_connection(|connection| connection.set_keeping_apart(authenticates));
}

/// Lets those in that SceneMultiplayer has accepted.
pub(crate) fn admit_accepted(object: &Gd<NetworkedMultiplayerENet>) {
    let shared = object.shared();
    let apart = shared.with_connection(|connection| connection.apart()).unwrap_or_default();
    let Some(api) = scene_multiplayer(object) else { return };
    let pending = api.get_authenticating_peers();
    let mut decided: Vec<PeerId> = apart.into_iter().filter(|id| !pending.contains(id.get())).collect();
    if !decided.is_empty() {
        let accepted = api.get_peers();
        decided.retain(|id| accepted.contains(id.get()));
    }
    shared.with_connection(|connection| {
        decided.into_iter().for_each(|id| connection.admit(id));
    });
}

/// Disconnects a peer as ENetMultiplayerPeer does, for SceneMultiplayer and for games that know the base class only:
/// a client may leave in this way, and nothing comes any more from a peer that is to go.
pub(crate) fn send_away(callee: &Callee<'_, NetworkedMultiplayerENet>, id: i32, force: bool) {
    let shared = callee.shared;
    let peer = PeerId::new(id).filter(|peer| !force && shared.lock().is_direct(*peer));
    if let Some(peer) = peer {
        let is_unknown = scene_multiplayer(&callee.object())
            .is_some_and(|api| !api.get_peers().contains(id) && !api.get_authenticating_peers().contains(id));
        let is_leaving = shared.with_connection(|connection| {
            connection.ignore(peer);
            if is_unknown {
                // SceneMultiplayer would print an error for each.
                connection.forget_packets(peer);
            }
            connection.leave()
        });
        if is_leaving == Some(true) {
            return;
        }
    }
    if shared.lock().is_client() && id == PeerId::SERVER.get() {
        shared.shut(DEFAULT_WAIT, || callee.object());
    } else {
        shared.disconnect(id.into(), force, || callee.object());
    }
}

impl Shared {
    pub(crate) fn keeps_apart(&self) -> bool {
        self.with_connection(|connection| connection.keeps_apart()) == Some(true)
    }

    /// The object, while it keeps a peer apart.
    pub(crate) fn keeper(&self) -> Option<Gd<NetworkedMultiplayerENet>> {
        let id = self.keeps_apart().then(|| self.lock().keeper).flatten()?;
        Gd::try_from_instance_id(id).ok()
    }
}

impl State {
    /// Keeps a peer apart if it has a connection to this side; false otherwise.
    fn keep_apart(&mut self, id: PeerId, object: InstanceId) -> bool {
        let is_direct = self.is_direct(id);
        if let Some(connection) = self.connection.as_mut().filter(|_| is_direct) {
            connection.keep_apart(id);
            connection.set_keeping_apart(connection.is_threaded());
            self.keeper = Some(object);
        }
        is_direct
    }

    fn is_direct(&self, id: PeerId) -> bool {
        id == PeerId::SERVER || self.connection.as_ref().is_some_and(|connection| connection.is_server())
    }

    pub(crate) fn is_client(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| !connection.is_server())
    }
}

/// The SceneMultiplayer that uses this peer: it listens to the peer's signals.
fn scene_multiplayer(object: &Gd<NetworkedMultiplayerENet>) -> Option<Gd<SceneMultiplayer>> {
    let this = object.clone().upcast::<MultiplayerPeer>();
    let connections = object.get_signal_connection_list("peer_connected");
    connections
        .iter_shared()
        .filter_map(|connection| connection.get("callable")?.try_to::<Callable>().ok()?.object())
        .filter_map(|object| object.try_cast::<SceneMultiplayer>().ok())
        .find(|api| api.get_multiplayer_peer().as_ref() == Some(&this))
}
