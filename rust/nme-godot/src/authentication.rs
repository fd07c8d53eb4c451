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

impl NetworkedMultiplayerENet {
    /// Emits `peer_connected`.
    pub(crate) fn emit_peer_connected(&mut self, id: PeerId) {
        let asking = self.scene_multiplayer().filter(|api| api.get_auth_callback().is_valid());
        let number = i64::from(id.get());
        match asking {
            None => self.signals().peer_connected().emit(number),
            Some(_) if self.is_direct(id) => {
                if let Some(connection) = &mut self.connection {
                    connection.session_mut().keep_apart(id);
                }
                self.signals().peer_connected().emit(number);
            }
            Some(mut api) => {
                let callback = api.get_auth_callback();
                api.set_auth_callback(&Callable::invalid());
                self.signals().peer_connected().emit(number);
                // A handler may have chosen another.
                if !api.get_auth_callback().is_valid() {
                    api.set_auth_callback(&callback);
                }
            }
        }
    }

    /// Lets those in that SceneMultiplayer has accepted.
    pub(crate) fn admit_accepted(&mut self) {
        let Some(connection) = &self.connection else { return };
        if connection.session().apart().is_empty() {
            return;
        }
        let Some(api) = self.scene_multiplayer() else { return };
        let pending = api.get_authenticating_peers();
        let apart = connection.session().apart().iter().copied();
        let mut decided: Vec<PeerId> = apart.filter(|id| !pending.contains(id.get())).collect();
        if !decided.is_empty() {
            let accepted = api.get_peers();
            decided.retain(|id| accepted.contains(id.get()));
        }
        let Some(connection) = &mut self.connection else { return };
        for id in decided {
            connection.session_mut().admit(id);
        }
    }

    /// Disconnects a peer as ENetMultiplayerPeer does, for SceneMultiplayer and for games that know the base class only:
    /// a client may leave in this way, and nothing comes any more from a peer that is to go.
    pub(crate) fn send_away(&mut self, id: i32, force: bool) {
        let Some(peer) = PeerId::new(id).filter(|peer| !force && self.is_direct(*peer)) else {
            return self.cut_off(id, force);
        };
        let is_unknown = self
            .scene_multiplayer()
            .is_some_and(|api| !api.get_peers().contains(id) && !api.get_authenticating_peers().contains(id));
        if let Some(connection) = &mut self.connection {
            let session = connection.session_mut();
            session.ignore(peer);
            if is_unknown {
                // SceneMultiplayer would print an error for each.
                session.forget_packets(peer);
            }
            if session.leave() {
                return connection.flush();
            }
        }
        self.cut_off(id, force);
    }

    fn cut_off(&mut self, id: i32, force: bool) {
        let is_client = self.connection.as_ref().is_some_and(|connection| !connection.session().is_server());
        if is_client && id == PeerId::SERVER.get() {
            self.shut(DEFAULT_WAIT);
        } else {
            self.disconnect(id.into(), force);
        }
    }

    fn is_direct(&self, id: PeerId) -> bool {
        let is_server = self.connection.as_ref().is_some_and(|connection| connection.session().is_server());
        is_server || id == PeerId::SERVER
    }

    /// The SceneMultiplayer that uses this peer: it listens to the peer's signals.
    fn scene_multiplayer(&self) -> Option<Gd<SceneMultiplayer>> {
        let this = self.to_gd().upcast::<MultiplayerPeer>();
        let connections = self.base().get_signal_connection_list("peer_connected");
        connections
            .iter_shared()
            .filter_map(|connection| connection.get("callable")?.try_to::<Callable>().ok()?.object())
            .filter_map(|object| object.try_cast::<SceneMultiplayer>().ok())
            .find(|api| api.get_multiplayer_peer().as_ref() == Some(&this))
    }
}
