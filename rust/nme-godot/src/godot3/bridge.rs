//! The network peer as the inner SceneMultiplayer sees it: with the peers of Godot 4 only.

use std::collections::VecDeque;

use godot::classes::multiplayer_peer::{ConnectionStatus, TransferMode};
use godot::classes::{IMultiplayerPeerExtension, MultiplayerPeerExtension};
use godot::global::Error;
use godot::prelude::*;
use godot_core::meta::RawPtr;

use super::link::{Arrival, Link, Route};
use crate::ffi;

/// Hands packets of peers of Godot 4 to a SceneMultiplayer, and what that sends to the network peer.
#[derive(GodotClass)]
#[class(tool, internal, no_init, base=MultiplayerPeerExtension)]
pub(super) struct Godot3MultiplayerBridge {
    link: Link,
    own_id: i32,
    /// Those of Godot 4.
    peers: Vec<i32>,
    waiting: VecDeque<Arrival>,
    /// The packet that was fetched last. The engine reads it after the call.
    lent: Vec<u8>,
    route: Route,
    base: Base<MultiplayerPeerExtension>,
}

impl Godot3MultiplayerBridge {
    pub(super) fn new(link: Link, own_id: i32) -> Gd<Self> {
        Gd::from_init_fn(|base| Self {
            link,
            own_id,
            peers: Vec::new(),
            waiting: VecDeque::new(),
            lent: Vec::new(),
            route: Route::reliable(0),
            base,
        })
    }

    pub(super) fn push(&mut self, arrival: Arrival) {
        self.waiting.push_back(arrival);
    }

    pub(super) fn add(&mut self, id: i32) {
        self.peers.push(id);
    }

    pub(super) fn remove(&mut self, id: i32) {
        self.peers.retain(|peer| *peer != id);
        self.waiting.retain(|arrival| arrival.sender != id);
    }

    /// Where a packet is to go: SceneMultiplayer names one peer, or everybody that it knows, who are not all that there are.
    fn put(&mut self, packet: &[u8]) -> Error {
        let target = self.route.target;
        if target > 0 {
            return self.link.put(self.route, packet);
        }
        let mut result = Error::OK;
        for peer in self.peers.clone() {
            if peer != -target {
                let answer = self.link.put(Route { target: peer, ..self.route }, packet);
                result = if answer == Error::OK { result } else { answer };
            }
        }
        result
    }
}

#[godot_api]
impl IMultiplayerPeerExtension for Godot3MultiplayerBridge {
    unsafe fn get_packet_rawptr(
        &mut self,
        buffer: RawPtr<*mut RawPtr<*const u8>>,
        size: RawPtr<*mut i32>,
    ) -> Error {
        let Some(arrival) = self.waiting.pop_front() else { return Error::ERR_UNAVAILABLE };
        self.lent = arrival.packet;
        // SAFETY: both pointers come from the engine's own call, and the packet is kept until the next one is fetched. RawPtr is a
        // transparent wrapper.
        unsafe { ffi::answer(&self.lent, buffer.ptr().cast(), size.ptr()) };
        Error::OK
    }

    unsafe fn put_packet_rawptr(&mut self, buffer: RawPtr<*const u8>, size: i32) -> Error {
        // SAFETY: the engine's own call, whose bytes live until it returns.
        let packet = unsafe { ffi::packet(buffer.ptr(), size) };
        self.put(packet)
    }

    fn get_available_packet_count(&self) -> i32 {
        i32::try_from(self.waiting.len()).unwrap_or(i32::MAX)
    }

    fn get_max_packet_size(&self) -> i32 {
        nme_core::session::MAX_PACKET as i32
    }

    fn get_packet_channel(&self) -> i32 {
        self.waiting.front().map_or(0, |arrival| arrival.channel)
    }

    fn get_packet_mode(&self) -> TransferMode {
        self.waiting.front().map_or(TransferMode::RELIABLE, |arrival| arrival.mode)
    }

    fn set_transfer_channel(&mut self, channel: i32) {
        self.route.channel = channel;
    }

    fn get_transfer_channel(&self) -> i32 {
        self.route.channel
    }

    fn set_transfer_mode(&mut self, mode: TransferMode) {
        self.route.mode = mode;
    }

    fn get_transfer_mode(&self) -> TransferMode {
        self.route.mode
    }

    fn set_target_peer(&mut self, peer: i32) {
        self.route.target = peer;
    }

    fn get_packet_peer(&self) -> i32 {
        self.waiting.front().map_or(0, |arrival| arrival.sender)
    }

    fn is_server(&self) -> bool {
        self.own_id == 1
    }

    fn poll(&mut self) {}

    fn close(&mut self) {}

    /// SceneMultiplayer sends away who does not keep to its protocol.
    fn disconnect_peer(&mut self, peer: i32, force: bool) {
        let mut below = self.link.peer().clone();
        // Not from here: the peer below emits its signals, and handlers may come back.
        let disconnect = Callable::from_fn("Godot3Multiplayer.disconnect_peer", move |_| {
            below.disconnect_peer_ex(peer).force(force).done();
        });
        disconnect.call_deferred(&[]);
    }

    fn get_unique_id(&self) -> i32 {
        self.own_id
    }

    fn is_server_relay_supported(&self) -> bool {
        false
    }

    fn get_connection_status(&self) -> ConnectionStatus {
        ConnectionStatus::CONNECTED
    }
}
