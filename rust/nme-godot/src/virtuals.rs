//! What the engine calls: SceneMultiplayer, and the methods inherited from MultiplayerPeer and PacketPeer.

use godot::classes::multiplayer_peer::{ConnectionStatus, TransferMode as GodotMode};
use godot::classes::{IMultiplayerPeerExtension, MultiplayerPeerExtension};
use godot::global::Error;
use godot::prelude::*;
use godot_core::meta::RawPtr;
use nme_core::channel::TransferMode;
use nme_core::peer::PeerId;
use nme_core::session::{MAX_PACKET, Status};

use crate::class::{NetworkedMultiplayerENet, Settings};
use crate::connection::DEFAULT_WAIT;
use crate::error::{self, Inactive, NoPacket};
use crate::ffi;

#[godot_api]
impl IMultiplayerPeerExtension for NetworkedMultiplayerENet {
    fn init(base: Base<MultiplayerPeerExtension>) -> Self {
        Self::with_settings(base, Settings::default())
    }

    // SAFETY: only the engine calls this, with pointers that are valid during the call.
    unsafe fn get_packet_rawptr(
        &mut self,
        buffer: RawPtr<*mut RawPtr<*const u8>>,
        len: RawPtr<*mut i32>,
    ) -> Error {
        let Some(connection) = &mut self.connection else { return error::report("get_packet", &Inactive) };
        let Some(received) = connection.session_mut().fetch() else {
            return error::report("get_packet", &NoPacket);
        };
        self.last_channel = Some(received.channel());
        let received = self.fetched.insert(received);
        // SAFETY: both pointers come from the engine's own call, and the packet is kept until the next one
        // is fetched or the next poll. RawPtr is a transparent wrapper.
        unsafe { ffi::answer(received.payload(), buffer.ptr().cast(), len.ptr()) };
        Error::OK
    }

    // SAFETY: only the engine calls this, with a pointer that is valid during the call.
    unsafe fn put_packet_rawptr(&mut self, buffer: RawPtr<*const u8>, len: i32) -> Error {
        // SAFETY: the engine's own call, whose bytes live until it returns.
        let payload = unsafe { ffi::packet(buffer.ptr(), len) };
        self.put(payload)
    }

    fn get_available_packet_count(&self) -> i32 {
        let waiting = self.connection.as_ref().map_or(0, |connection| connection.session().waiting_packets());
        i32::try_from(waiting).unwrap_or(i32::MAX)
    }

    fn get_max_packet_size(&self) -> i32 {
        MAX_PACKET as i32
    }

    fn get_packet_channel(&self) -> i32 {
        self.next_packet("get_packet_channel").map_or(-1, |received| received.channel().into())
    }

    fn get_packet_mode(&self) -> GodotMode {
        self.next_packet("get_packet_mode").map_or(GodotMode::RELIABLE, |received| match received.mode() {
            TransferMode::Unreliable => GodotMode::UNRELIABLE,
            TransferMode::UnreliableOrdered => GodotMode::UNRELIABLE_ORDERED,
            TransferMode::Reliable => GodotMode::RELIABLE,
        })
    }

    fn set_transfer_channel(&mut self, channel: i32) {
        self.rpc_channel = channel;
    }

    fn get_transfer_channel(&self) -> i32 {
        self.rpc_channel
    }

    fn set_transfer_mode(&mut self, mode: GodotMode) {
        self.transfer_mode = match mode {
            GodotMode::UNRELIABLE => TransferMode::Unreliable,
            GodotMode::UNRELIABLE_ORDERED => TransferMode::UnreliableOrdered,
            GodotMode::RELIABLE => TransferMode::Reliable,
            _ => {
                let problem = format!("{mode:?} is no transfer mode; use one of TRANSFER_MODE_*");
                return error::complain("set_transfer_mode", problem);
            }
        };
    }

    fn get_transfer_mode(&self) -> GodotMode {
        match self.transfer_mode {
            TransferMode::Unreliable => GodotMode::UNRELIABLE,
            TransferMode::UnreliableOrdered => GodotMode::UNRELIABLE_ORDERED,
            TransferMode::Reliable => GodotMode::RELIABLE,
        }
    }

    fn set_target_peer(&mut self, peer: i32) {
        self.target_peer = peer;
    }

    fn get_packet_peer(&self) -> i32 {
        self.next_packet("get_packet_peer").map_or(1, |received| received.from().get())
    }

    fn is_server(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.session().is_server())
    }

    fn poll(&mut self) {
        self.poll_connection();
    }

    fn close(&mut self) {
        self.shut(DEFAULT_WAIT);
    }

    fn disconnect_peer(&mut self, peer: i32, force: bool) {
        let is_client = self.connection.as_ref().is_some_and(|connection| !connection.session().is_server());
        if is_client && peer == PeerId::SERVER.get() {
            // SceneMultiplayer does this when a client's side of the authentication fails.
            return self.shut(DEFAULT_WAIT);
        }
        self.disconnect(peer.into(), force);
    }

    fn get_unique_id(&self) -> i32 {
        match &self.connection {
            Some(connection) => connection.session().id().get(),
            None => {
                error::complain("get_unique_id", Inactive);
                0
            }
        }
    }

    fn set_refuse_new_connections(&mut self, refuse: bool) {
        self.refuse_new_connections = refuse;
        if let Some(connection) = &mut self.connection {
            connection.session_mut().set_refuse_new_connections(refuse);
        }
    }

    fn is_refusing_new_connections(&self) -> bool {
        self.refuse_new_connections
    }

    /// The relay is this class's own, as in 3.6.
    fn is_server_relay_supported(&self) -> bool {
        false
    }

    fn get_connection_status(&self) -> ConnectionStatus {
        match self.connection.as_ref().map(|connection| connection.session().status()) {
            None | Some(Status::Disconnected) => ConnectionStatus::DISCONNECTED,
            Some(Status::Connecting) => ConnectionStatus::CONNECTING,
            Some(Status::Connected) => ConnectionStatus::CONNECTED,
        }
    }
}
