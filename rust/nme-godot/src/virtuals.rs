//! What the engine calls: SceneMultiplayer, and the methods inherited from MultiplayerPeer and PacketPeer.

use godot::classes::multiplayer_peer::{ConnectionStatus, TransferMode as GodotMode};
use godot::global::Error;
use godot::obj::EngineEnum;
use godot::obj::cap::ImplementsGodotVirtual;
use godot::private::{self, ClassShard, ITraitImpl, ShardItem};
use godot::sys;
use godot_core::meta::RawPtr;
use nme_core::channel::TransferMode;
use nme_core::session::{MAX_PACKET, Status};
use private::virtuals::MultiplayerPeerExtension as names;

use crate::authentication;
use crate::class::NetworkedMultiplayerENet;
use crate::connection::DEFAULT_WAIT;
use crate::dispatch::{self, passed_to};
use crate::error::{self, Inactive, NoPacket};
use crate::ffi;
use crate::shared::Shared;

type Callee<'a> = dispatch::Callee<'a, NetworkedMultiplayerENet>;

impl ImplementsGodotVirtual for NetworkedMultiplayerENet {
    fn __virtual_call(name: &str) -> sys::GDExtensionClassCallVirtual {
        match name {
            names::get_packet_rawptr => {
                passed_to!(NetworkedMultiplayerENet, get_packet: names::Sig_get_packet_rawptr => Error)
            }
            names::put_packet_rawptr => {
                passed_to!(NetworkedMultiplayerENet, put_packet: names::Sig_put_packet_rawptr => Error)
            }
            names::get_available_packet_count => {
                passed_to!(NetworkedMultiplayerENet, get_available_packet_count: () => i32)
            }
            names::get_max_packet_size => {
                passed_to!(NetworkedMultiplayerENet, get_max_packet_size: () => i32)
            }
            names::get_packet_channel => passed_to!(NetworkedMultiplayerENet, get_packet_channel: () => i32),
            names::get_packet_mode => passed_to!(NetworkedMultiplayerENet, get_packet_mode: () => GodotMode),
            names::set_transfer_channel => {
                passed_to!(NetworkedMultiplayerENet, set_transfer_channel: (i32,) => ())
            }
            names::get_transfer_channel => {
                passed_to!(NetworkedMultiplayerENet, get_transfer_channel: () => i32)
            }
            // As a number: gdext refuses what is no mode with an error of its own.
            names::set_transfer_mode => passed_to!(NetworkedMultiplayerENet, set_transfer_mode: (i64,) => ()),
            names::get_transfer_mode => {
                passed_to!(NetworkedMultiplayerENet, get_transfer_mode: () => GodotMode)
            }
            names::set_target_peer => passed_to!(NetworkedMultiplayerENet, set_target_peer: (i32,) => ()),
            names::get_packet_peer => passed_to!(NetworkedMultiplayerENet, get_packet_peer: () => i32),
            names::is_server => passed_to!(NetworkedMultiplayerENet, is_server: () => bool),
            names::poll => passed_to!(NetworkedMultiplayerENet, poll: () => ()),
            names::close => passed_to!(NetworkedMultiplayerENet, close: () => ()),
            names::disconnect_peer => {
                passed_to!(NetworkedMultiplayerENet, disconnect_peer: (i32, bool) => ())
            }
            names::get_unique_id => passed_to!(NetworkedMultiplayerENet, get_unique_id: () => i32),
            names::set_refuse_new_connections => {
                passed_to!(NetworkedMultiplayerENet, set_refuse_new_connections: (bool,) => ())
            }
            names::is_refusing_new_connections => {
                passed_to!(NetworkedMultiplayerENet, is_refusing_new_connections: () => bool)
            }
            names::is_server_relay_supported => {
                passed_to!(NetworkedMultiplayerENet, is_server_relay_supported: () => bool)
            }
            names::get_connection_status => {
                passed_to!(NetworkedMultiplayerENet, get_connection_status: () => ConnectionStatus)
            }
            _ => None,
        }
    }
}

// What `#[godot_api] impl IMultiplayerPeerExtension` would do.
impl private::You_forgot_the_attribute__godot_api for NetworkedMultiplayerENet {}
sys::shard_add!(private::__GODOT_SHARD_REGISTRY; ClassShard::new::<NetworkedMultiplayerENet>(
    ShardItem::ITraitImpl(ITraitImpl::new::<NetworkedMultiplayerENet>())
));

fn get_packet(peer: Callee<'_>, (buffer, len): names::Sig_get_packet_rawptr) -> Error {
    let mut state = peer.shared.lock();
    let problem: &dyn error::Code = match state.fetch() {
        Some(Some(payload)) => {
            // SAFETY: both pointers come from the engine's own call, and the packet is kept for this thread until it
            // fetches the next one or polls. RawPtr is a transparent wrapper.
            unsafe { ffi::answer(payload, buffer.ptr().cast(), len.ptr()) };
            return Error::OK;
        }
        Some(None) => &NoPacket,
        None => &Inactive,
    };
    drop(state);
    error::report("get_packet", problem)
}

fn put_packet(peer: Callee<'_>, (buffer, len): (RawPtr<*const u8>, i32)) -> Error {
    // SAFETY: the engine's own call, whose bytes live until it returns.
    let payload = unsafe { ffi::packet(buffer.ptr(), len) };
    peer.shared.put(payload)
}

fn get_available_packet_count(peer: Callee<'_>, (): ()) -> i32 {
    let state = peer.shared.lock();
    let waiting = state.connection.as_ref().map_or(0, |connection| connection.waiting_packets());
    i32::try_from(waiting).unwrap_or(i32::MAX)
}

fn get_max_packet_size(_: Callee<'_>, (): ()) -> i32 {
    MAX_PACKET as i32
}

fn get_packet_channel(peer: Callee<'_>, (): ()) -> i32 {
    peer.shared.next_packet("get_packet_channel", |packet| packet.channel.into()).unwrap_or(-1)
}

fn get_packet_mode(peer: Callee<'_>, (): ()) -> GodotMode {
    peer.shared
        .next_packet("get_packet_mode", |packet| godot_mode(packet.mode))
        .unwrap_or(GodotMode::RELIABLE)
}

fn set_transfer_channel(peer: Callee<'_>, (channel,): (i32,)) {
    peer.shared.lock().rpc_channel = channel;
}

fn get_transfer_channel(peer: Callee<'_>, (): ()) -> i32 {
    peer.shared.lock().rpc_channel
}

fn set_transfer_mode(peer: Callee<'_>, (number,): (i64,)) {
    let known = i32::try_from(number).ok().and_then(GodotMode::try_from_ord);
    let mode = match known {
        Some(GodotMode::UNRELIABLE) => TransferMode::Unreliable,
        Some(GodotMode::UNRELIABLE_ORDERED) => TransferMode::UnreliableOrdered,
        Some(GodotMode::RELIABLE) => TransferMode::Reliable,
        _ => {
            let problem = format!("{number} is no transfer mode; use one of the constants TRANSFER_MODE_*");
            return error::complain("set_transfer_mode", problem);
        }
    };
    peer.shared.lock().transfer_mode = mode;
}

fn get_transfer_mode(peer: Callee<'_>, (): ()) -> GodotMode {
    godot_mode(peer.shared.lock().transfer_mode)
}

fn set_target_peer(peer: Callee<'_>, (target,): (i32,)) {
    peer.shared.lock().target_peer = target;
}

fn get_packet_peer(peer: Callee<'_>, (): ()) -> i32 {
    peer.shared.next_packet("get_packet_peer", |packet| packet.from.get()).unwrap_or(1)
}

fn is_server(peer: Callee<'_>, (): ()) -> bool {
    peer.shared.lock().connection.as_ref().is_some_and(|connection| connection.is_server())
}

fn poll(peer: Callee<'_>, (): ()) {
    peer.shared.poll(|| peer.object());
}

fn close(peer: Callee<'_>, (): ()) {
    peer.shared.shut(DEFAULT_WAIT, || peer.object());
}

fn disconnect_peer(peer: Callee<'_>, (id, force): (i32, bool)) {
    authentication::send_away(&peer, id, force);
}

fn get_unique_id(peer: Callee<'_>, (): ()) -> i32 {
    let id = peer.shared.lock().connection.as_ref().map(|connection| connection.id().get());
    id.unwrap_or_else(|| {
        error::complain("get_unique_id", Inactive);
        0
    })
}

fn set_refuse_new_connections(peer: Callee<'_>, (refuse,): (bool,)) {
    let mut state = peer.shared.lock();
    state.refuse_new_connections = refuse;
    if let Some(connection) = &mut state.connection {
        connection.set_refuse_new_connections(refuse);
    }
}

fn is_refusing_new_connections(peer: Callee<'_>, (): ()) -> bool {
    peer.shared.lock().refuse_new_connections
}

/// The relay is this class's own, as in 3.6.
fn is_server_relay_supported(_: Callee<'_>, (): ()) -> bool {
    false
}

fn get_connection_status(peer: Callee<'_>, (): ()) -> ConnectionStatus {
    status(peer.shared)
}

pub(crate) fn status(shared: &Shared) -> ConnectionStatus {
    let state = shared.lock();
    match state.connection.as_ref().map(|connection| connection.status()) {
        None | Some(Status::Disconnected) => ConnectionStatus::DISCONNECTED,
        Some(Status::Connecting) => ConnectionStatus::CONNECTING,
        Some(Status::Connected) => ConnectionStatus::CONNECTED,
    }
}

pub(crate) fn core_mode(mode: GodotMode) -> TransferMode {
    match mode {
        GodotMode::UNRELIABLE => TransferMode::Unreliable,
        GodotMode::UNRELIABLE_ORDERED => TransferMode::UnreliableOrdered,
        _ => TransferMode::Reliable,
    }
}

pub(crate) const fn godot_mode(mode: TransferMode) -> GodotMode {
    match mode {
        TransferMode::Unreliable => GodotMode::UNRELIABLE,
        TransferMode::UnreliableOrdered => GodotMode::UNRELIABLE_ORDERED,
        TransferMode::Reliable => GodotMode::RELIABLE,
    }
}
