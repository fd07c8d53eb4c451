//! The network peer as the inner SceneMultiplayer sees it: with the peers of Godot 4 only.
//!
//! SceneMultiplayer makes two calls for each packet and receiver, and four for each that it gets, so they come the short way.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::LocalKey;

use godot::classes::multiplayer_peer::{ConnectionStatus, TransferMode};
use godot::global::Error;
use godot::obj::EngineEnum;
use godot::obj::cap::ImplementsGodotVirtual;
use godot::prelude::*;
use godot::private::{self, ClassShard, ITraitImpl, ShardItem};
use godot::sys;
use nme_core::session::MAX_PACKET;
use private::virtuals::MultiplayerPeerExtension as names;

use super::link::{self, Arrival, Link, Route};
use crate::dispatch::{self, Dispatched, Recent, passed_to};
use crate::ffi;

/// Hands packets of peers of Godot 4 to a SceneMultiplayer, and what that sends to the network peer.
#[derive(GodotClass)]
#[class(tool, internal, no_init, base=MultiplayerPeerExtension)]
pub(super) struct Godot3MultiplayerBridge {
    shared: Arc<Shared>,
}

/// What the engine's calls need.
pub(super) struct Shared {
    own_id: i32,
    route: NextRoute,
    /// The network peer, when it is of this library: what SceneMultiplayer sends needs no lock but that one's.
    own: Option<Arc<crate::shared::Shared>>,
    state: Mutex<State>,
}

/// Where the next packet goes, and how. SceneMultiplayer works in one thread, and that is the only one that sends.
struct NextRoute {
    target: AtomicI32,
    mode: AtomicI32,
    channel: AtomicI32,
}

struct State {
    /// Until the end: threads may remember the rest.
    link: Option<Link>,
    /// Those of Godot 4.
    peers: Vec<i32>,
    waiting: VecDeque<Arrival>,
    /// The packet that was fetched last. The engine reads it after the call.
    lent: Vec<u8>,
}

impl Godot3MultiplayerBridge {
    pub(super) fn new(link: Link, own_id: i32) -> Gd<Self> {
        let own = link.own().cloned();
        let state = State { link: Some(link), peers: Vec::new(), waiting: VecDeque::new(), lent: Vec::new() };
        let route = NextRoute {
            target: AtomicI32::new(0),
            mode: AtomicI32::new(TransferMode::RELIABLE.ord()),
            channel: AtomicI32::new(0),
        };
        #[expect(
            clippy::arc_with_non_send_sync,
            reason = "references of the engine, which counts them atomically"
        )]
        Gd::from_object(Self { shared: Arc::new(Shared { own_id, route, own, state: Mutex::new(state) }) })
    }

    pub(super) fn push(&self, arrival: Arrival) {
        self.shared.lock().waiting.push_back(arrival);
    }

    pub(super) fn add(&self, id: i32) {
        self.shared.lock().peers.push(id);
    }

    pub(super) fn remove(&self, id: i32) {
        let mut state = self.shared.lock();
        state.peers.retain(|peer| *peer != id);
        state.waiting.retain(|arrival| arrival.sender != id);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NextRoute {
    fn get(&self) -> Route {
        Route {
            target: self.target.load(Ordering::Relaxed),
            mode: self.mode(),
            channel: self.channel.load(Ordering::Relaxed),
        }
    }

    fn mode(&self) -> TransferMode {
        TransferMode::try_from_ord(self.mode.load(Ordering::Relaxed)).unwrap_or(TransferMode::RELIABLE)
    }
}

impl Drop for Godot3MultiplayerBridge {
    fn drop(&mut self) {
        let link = self.shared.lock().link.take();
        drop(link);
        dispatch::forget();
    }
}

impl Dispatched for Godot3MultiplayerBridge {
    type Shared = Shared;

    fn shared_part(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn recent() -> &'static LocalKey<RefCell<Recent<Shared>>> {
        thread_local! {
            static RECENT: RefCell<Recent<Shared>> = const { RefCell::new(Recent::new()) };
        }
        &RECENT
    }
}

type Callee<'a> = dispatch::Callee<'a, Godot3MultiplayerBridge>;

impl ImplementsGodotVirtual for Godot3MultiplayerBridge {
    fn __virtual_call(name: &str) -> sys::GDExtensionClassCallVirtual {
        match name {
            names::get_packet_rawptr => {
                passed_to!(Godot3MultiplayerBridge, get_packet: names::Sig_get_packet_rawptr => Error)
            }
            names::put_packet_rawptr => {
                passed_to!(Godot3MultiplayerBridge, put_packet: names::Sig_put_packet_rawptr => Error)
            }
            names::get_available_packet_count => {
                passed_to!(Godot3MultiplayerBridge, get_available_packet_count: () => i32)
            }
            names::get_max_packet_size => passed_to!(Godot3MultiplayerBridge, get_max_packet_size: () => i32),
            names::get_packet_channel => passed_to!(Godot3MultiplayerBridge, get_packet_channel: () => i32),
            names::get_packet_mode => {
                passed_to!(Godot3MultiplayerBridge, get_packet_mode: () => TransferMode)
            }
            names::set_transfer_channel => {
                passed_to!(Godot3MultiplayerBridge, set_transfer_channel: (i32,) => ())
            }
            names::get_transfer_channel => {
                passed_to!(Godot3MultiplayerBridge, get_transfer_channel: () => i32)
            }
            names::set_transfer_mode => {
                passed_to!(Godot3MultiplayerBridge, set_transfer_mode: (TransferMode,) => ())
            }
            names::get_transfer_mode => {
                passed_to!(Godot3MultiplayerBridge, get_transfer_mode: () => TransferMode)
            }
            names::set_target_peer => passed_to!(Godot3MultiplayerBridge, set_target_peer: (i32,) => ()),
            names::get_packet_peer => passed_to!(Godot3MultiplayerBridge, get_packet_peer: () => i32),
            names::is_server => passed_to!(Godot3MultiplayerBridge, is_server: () => bool),
            names::poll => passed_to!(Godot3MultiplayerBridge, do_nothing: () => ()),
            names::close => passed_to!(Godot3MultiplayerBridge, do_nothing: () => ()),
            names::disconnect_peer => passed_to!(Godot3MultiplayerBridge, disconnect_peer: (i32, bool) => ()),
            names::get_unique_id => passed_to!(Godot3MultiplayerBridge, get_unique_id: () => i32),
            names::is_server_relay_supported => {
                passed_to!(Godot3MultiplayerBridge, is_server_relay_supported: () => bool)
            }
            names::get_connection_status => {
                passed_to!(Godot3MultiplayerBridge, get_connection_status: () => ConnectionStatus)
            }
            _ => None,
        }
    }
}

// What `#[godot_api] impl IMultiplayerPeerExtension` would do.
impl private::You_forgot_the_attribute__godot_api for Godot3MultiplayerBridge {}
sys::shard_add!(private::__GODOT_SHARD_REGISTRY; ClassShard::new::<Godot3MultiplayerBridge>(
    ShardItem::ITraitImpl(ITraitImpl::new::<Godot3MultiplayerBridge>())
));

fn get_packet(bridge: Callee<'_>, (buffer, len): names::Sig_get_packet_rawptr) -> Error {
    let mut state = bridge.shared.lock();
    let Some(arrival) = state.waiting.pop_front() else { return Error::ERR_UNAVAILABLE };
    state.lent = arrival.packet;
    // SAFETY: both pointers come from the engine's own call, and the packet is kept until the next one is fetched, by the same thread:
    // SceneMultiplayer works in one. RawPtr is a transparent wrapper.
    unsafe { ffi::answer(&state.lent, buffer.ptr().cast(), len.ptr()) };
    Error::OK
}

/// SceneMultiplayer names one peer, or everybody that it knows, who are not all that there are.
fn put_packet(bridge: Callee<'_>, (buffer, len): names::Sig_put_packet_rawptr) -> Error {
    // SAFETY: the engine's own call, whose bytes live until it returns.
    let packet = unsafe { ffi::packet(buffer.ptr(), len) };
    let route = bridge.shared.route.get();
    if let Some(own) = bridge.shared.own.as_ref().filter(|_| route.target > 0) {
        return link::put(own, route, packet);
    }
    let state = bridge.shared.lock();
    let Some(mut way_out) = state.link.as_ref().map(Link::way_out) else { return Error::ERR_UNCONFIGURED };
    if route.target > 0 {
        drop(state);
        return way_out.put(route, packet);
    }
    let peers = state.peers.clone();
    drop(state);
    let mut result = Error::OK;
    for target in peers.into_iter().filter(|peer| *peer != -route.target) {
        let answer = way_out.put(Route { target, ..route }, packet);
        result = if answer == Error::OK { result } else { answer };
    }
    result
}

fn get_available_packet_count(bridge: Callee<'_>, (): ()) -> i32 {
    i32::try_from(bridge.shared.lock().waiting.len()).unwrap_or(i32::MAX)
}

fn get_max_packet_size(_: Callee<'_>, (): ()) -> i32 {
    MAX_PACKET as i32
}

fn get_packet_channel(bridge: Callee<'_>, (): ()) -> i32 {
    bridge.shared.lock().waiting.front().map_or(0, |arrival| arrival.channel)
}

fn get_packet_mode(bridge: Callee<'_>, (): ()) -> TransferMode {
    bridge.shared.lock().waiting.front().map_or(TransferMode::RELIABLE, |arrival| arrival.mode)
}

fn set_transfer_channel(bridge: Callee<'_>, (channel,): (i32,)) {
    bridge.shared.route.channel.store(channel, Ordering::Relaxed);
}

fn get_transfer_channel(bridge: Callee<'_>, (): ()) -> i32 {
    bridge.shared.route.channel.load(Ordering::Relaxed)
}

fn set_transfer_mode(bridge: Callee<'_>, (mode,): (TransferMode,)) {
    bridge.shared.route.mode.store(mode.ord(), Ordering::Relaxed);
}

fn get_transfer_mode(bridge: Callee<'_>, (): ()) -> TransferMode {
    bridge.shared.route.mode()
}

fn set_target_peer(bridge: Callee<'_>, (target,): (i32,)) {
    bridge.shared.route.target.store(target, Ordering::Relaxed);
}

fn get_packet_peer(bridge: Callee<'_>, (): ()) -> i32 {
    bridge.shared.lock().waiting.front().map_or(0, |arrival| arrival.sender)
}

fn is_server(bridge: Callee<'_>, (): ()) -> bool {
    bridge.shared.own_id == 1
}

fn do_nothing(_: Callee<'_>, (): ()) {}

/// SceneMultiplayer sends away who does not keep to its protocol.
fn disconnect_peer(bridge: Callee<'_>, (peer, force): (i32, bool)) {
    let below = bridge.shared.lock().link.as_ref().map(|link| link.peer().clone());
    let Some(mut below) = below else { return };
    // Not from here: the peer below emits its signals, and handlers may come back.
    let disconnect = Callable::from_fn("Godot3Multiplayer.disconnect_peer", move |_| {
        below.disconnect_peer_ex(peer).force(force).done();
    });
    disconnect.call_deferred(&[]);
}

fn get_unique_id(bridge: Callee<'_>, (): ()) -> i32 {
    bridge.shared.own_id
}

fn is_server_relay_supported(_: Callee<'_>, (): ()) -> bool {
    false
}

fn get_connection_status(_: Callee<'_>, (): ()) -> ConnectionStatus {
    ConnectionStatus::CONNECTED
}
