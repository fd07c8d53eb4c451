//! The SceneMultiplayer that serves peers of Godot 4, with spawners and synchronizers.

use std::sync::Arc;

use godot::classes::{Object, SceneMultiplayer};
use godot::global::Error;
use godot::prelude::*;

use super::bridge::Godot3MultiplayerBridge;
use super::forwarding::ShortWay;
use super::link::{Arrival, Link};

/// The SceneMultiplayer, and the peer that it sees. Cheap to clone: these are references.
#[derive(Clone)]
pub(super) struct Inner {
    scene: Gd<SceneMultiplayer>,
    short_way: Option<Arc<ShortWay>>,
    bridge: Option<Gd<Godot3MultiplayerBridge>>,
}

impl Inner {
    /// `on_packet` takes what comes by `send_bytes`.
    pub(super) fn new(root_path: &NodePath, allow_object_decoding: bool, on_packet: &Callable) -> Self {
        let mut scene = SceneMultiplayer::new_gd();
        scene.set_allow_object_decoding(allow_object_decoding);
        scene.set_root_path(root_path);
        scene.connect("peer_packet", on_packet);
        let short_way = ShortWay::new(&scene).map(Arc::new);
        Self { scene, short_way, bridge: None }
    }

    pub(super) fn scene(&self) -> Gd<SceneMultiplayer> {
        self.scene.clone()
    }

    pub(super) fn short_way(&self) -> Option<Arc<ShortWay>> {
        self.short_way.clone()
    }

    /// Gives it a new network peer, or none.
    pub(super) fn set_link(&mut self, link: Option<(Link, i32)>) {
        self.bridge = link.map(|(link, own_id)| Godot3MultiplayerBridge::new(link, own_id));
        match &self.bridge {
            Some(bridge) => self.scene.set_multiplayer_peer(bridge),
            None => self.scene.set_multiplayer_peer(Gd::null_arg()),
        }
    }

    pub(super) fn add_peer(&mut self, id: i32) {
        if let Some(bridge) = &mut self.bridge {
            bridge.bind().add(id);
            bridge.emit_signal("peer_connected", &[id.to_variant()]);
        }
    }

    pub(super) fn remove_peer(&mut self, id: i32) {
        if let Some(bridge) = &mut self.bridge {
            bridge.bind().remove(id);
            bridge.emit_signal("peer_disconnected", &[id.to_variant()]);
        }
    }

    pub(super) fn push(&mut self, arrival: Arrival) {
        if let Some(bridge) = &mut self.bridge {
            bridge.bind().push(arrival);
        }
    }

    pub(super) fn poll(&mut self) {
        self.scene.poll();
    }

    pub(super) fn sender(&self) -> i32 {
        self.scene.clone().get_remote_sender_id()
    }

    pub(super) fn configure(
        &mut self,
        object: Option<Gd<Object>>,
        configuration: &Variant,
        adds: bool,
    ) -> Error {
        if adds {
            self.scene.object_configuration_add(object.as_ref(), configuration)
        } else {
            self.scene.object_configuration_remove(object.as_ref(), configuration)
        }
    }
}
