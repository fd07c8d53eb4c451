//! The class `Godot3Multiplayer` as GDScript sees it.

use std::cell::RefCell;
use std::sync::{Arc, MutexGuard};
use std::thread::LocalKey;

use godot::classes::multiplayer_peer::TransferMode;
use godot::classes::{MultiplayerApiExtension, MultiplayerPeer, Script};
use godot::global::Error;
use godot::obj::EngineEnum;
use godot::prelude::*;
use nme_godot3::{Dialect, Limits, RpcMode};

use super::receive;
use super::rules::{Permission, Rule};
use super::send::{self, CallError, complain};
use super::state::{Shared, State};
use super::variants;
use crate::dispatch::{self, Dispatched, Recent};
use crate::error;

/// A [MultiplayerAPI] that speaks Godot 3.6's protocol: RPCs, [code]rset[/code] and bytes cross between a game of Godot 3.6 and its
/// port to Godot 4. An unmodified 3.6 server serves clients of Godot 4, and the other way round.
///
/// Set it before any script uses [code]multiplayer[/code], in the first autoload, and then give it a peer as always:
///
/// ```gdscript
/// func _enter_tree():
///     get_tree().set_multiplayer(Godot3Multiplayer.new())
///
/// func join(address):
///     var peer = NetworkedMultiplayerENet.new()
///     peer.create_client(address, 4242)
///     multiplayer.multiplayer_peer = peer
/// ```
///
/// Functions with [code]@rpc[/code] work as before. For the other side, [code]"any_peer"[/code] is 3.6's [code]remote[/code], and
/// [code]"authority"[/code] its [code]puppet[/code]; [code]"call_local"[/code] makes them [code]remotesync[/code] and
/// [code]puppetsync[/code]. What 3.6 calls [code]master[/code] is said with [method rpc_config], or with a key more in
/// [method Node.rpc_config], for a function without [code]@rpc[/code]:
///
/// ```gdscript
/// func _ready():
///     rpc_config("hit", {"rpc_mode": MultiplayerAPI.RPC_MODE_ANY_PEER, "godot3": "master"})
/// ```
///
/// The paths of nodes, from [member root_path] on, and the names of methods have to be the same on both sides; see [method map_path]
/// and [method map_method] where they are not. Each side decides by its own configuration whether it takes a call, and here nothing
/// can be called or set that is not configured.
///
/// Values travel as Godot 3.6's. [StringName], [Vector2i], [Rect2i], [Vector3i] and typed arrays and dictionaries arrive as [String],
/// [Vector2], [Rect2], [Vector3] and untyped ones. [Callable], [Signal], [Projection], [Vector4], [Vector4i] and
/// [PackedVector4Array], which it does not have, are an error, and nothing is sent. Functions with types get what 3.6 has sent where that
/// loses nothing, also as typed arrays and dictionaries, [PackedInt64Array] and [PackedFloat64Array].
///
/// A server can serve both at once: see [member default_peer_dialect].
///
/// [b]Note:[/b] Godot 4.3 does not tell what [code]@rpc[/code] and [method Node.rpc_config] say. There, use [method rpc_config].
///
/// [b]Note:[/b] See [code]docs/porting_client_by_client.md[/code] in the addon for how to move a live game.
#[derive(GodotClass)]
#[class(tool, init, base=MultiplayerApiExtension)]
pub(crate) struct Godot3Multiplayer {
    /// Whether objects may come with all of their properties, and are sent so. Both sides need it. An object that comes can be of any
    /// class, and its setters run: only for peers that you trust. When off, the default, objects travel as [EncodedObjectAsID].
    #[var(get = is_object_decoding_allowed, set = set_allow_object_decoding)]
    allow_object_decoding: PhantomVar<bool>,
    /// Server: the protocol of clients that connect, as one of the [code]DIALECT_*[/code] constants. With
    /// [constant DIALECT_DETECT], it finds out for each client whether it is of Godot 3.6 or a plain one of Godot 4
    /// ([SceneMultiplayer]): by a packet that both take without notice, and by what they send first. Until then, at most 2 seconds,
    /// the game does not know the client. For clients of Godot 4, spawners and synchronizers work, too.
    ///
    /// Clients of different Godots can call the server, and not each other: set
    /// [member NetworkedMultiplayerENet.server_relay] to [code]false[/code].
    ///
    /// ```gdscript
    /// var api = Godot3Multiplayer.new()
    /// api.default_peer_dialect = Godot3Multiplayer.DIALECT_DETECT
    /// get_tree().set_multiplayer(api)
    /// var peer = NetworkedMultiplayerENet.new()
    /// peer.server_relay = false
    /// peer.create_server(4242)
    /// multiplayer.multiplayer_peer = peer
    /// ```
    #[var(get = get_default_peer_dialect, set = set_default_peer_dialect, hint = ENUM, hint_string = "Detect,Godot 3,Godot 4")]
    default_peer_dialect: PhantomVar<i64>,
    /// Whether the [member MultiplayerAPI.multiplayer_peer] refuses new connections.
    #[var(get = is_refusing_new_connections, set = set_refuse_new_connections)]
    refuse_new_connections: PhantomVar<bool>,
    /// The node that paths begin at. [method SceneTree.set_multiplayer] sets it, to [code]/root[/code] or to its own path. A game of
    /// Godot 3.6 begins at [code]/root[/code]: set it back to that when only a part of the tree is to speak its protocol.
    #[var(get = get_root_path, set = set_root_path)]
    root_path: PhantomVar<NodePath>,
    #[init(val = Shared::new())]
    shared: Arc<Shared>,
    base: Base<MultiplayerApiExtension>,
}

#[godot_api]
impl Godot3Multiplayer {
    /// Everybody may call it: 3.6's [code]remote[/code].
    #[constant]
    const RPC_MODE_REMOTE: i32 = 1;
    /// Everybody may call it, and the node's master runs it: 3.6's [code]master[/code].
    #[constant]
    const RPC_MODE_MASTER: i32 = 2;
    /// Only the node's master may call it: 3.6's [code]puppet[/code].
    #[constant]
    const RPC_MODE_PUPPET: i32 = 3;
    /// As [constant RPC_MODE_REMOTE], and who calls runs it, too.
    #[constant]
    const RPC_MODE_REMOTESYNC: i32 = 4;
    /// As [constant RPC_MODE_MASTER], and who calls runs it, too.
    #[constant]
    const RPC_MODE_MASTERSYNC: i32 = 5;
    /// As [constant RPC_MODE_PUPPET], and who calls runs it, too.
    #[constant]
    const RPC_MODE_PUPPETSYNC: i32 = 6;
    /// Find out; see [member default_peer_dialect].
    #[constant]
    const DIALECT_DETECT: i32 = 0;
    /// The protocol of Godot 3.6, and of this class.
    #[constant]
    const DIALECT_GODOT_3: i32 = 1;
    /// The protocol of [SceneMultiplayer], the usual [MultiplayerAPI] of Godot 4.
    #[constant]
    const DIALECT_GODOT_4: i32 = 2;

    /// Bytes have come, [param packet], that another peer has sent with [method send_bytes]. [param id] is that peer.
    #[signal]
    fn peer_packet(id: i64, packet: PackedByteArray);

    /// Forgets the peers, their announcements of paths, and what scripts were found to say of their [code]@rpc[/code] functions.
    #[func(gd_self)]
    fn clear(this: Gd<Self>) {
        {
            let api = dispatch::shared(&this);
            let mut state = api.lock();
            state.rules.forget_scripts();
            state.nodes.clear();
        }
        receive::forget_peers(&this);
    }

    /// Disconnects the peer [param id], as [method MultiplayerPeer.disconnect_peer] does.
    #[func(gd_self)]
    fn disconnect_peer(this: Gd<Self>, id: i64) {
        let link = dispatch::shared(&this).lock().link.clone();
        match (link, i32::try_from(id)) {
            (Some(link), Ok(id)) => link.peer().clone().disconnect_peer(id),
            _ => complain("disconnect_peer", CallError::NotConnected),
        }
    }

    /// Sends [param bytes] to the peer [param id] (0: to all; a negative one: to all but that), who get [signal peer_packet], or in
    /// a game of Godot 3.6 [code]network_peer_packet[/code]. [param mode] is one of the [code]TRANSFER_MODE_*[/code] constants of
    /// [MultiplayerPeer], and [param channel] 0 is the peer's own choice. Prints an error and returns its code when that cannot be.
    ///
    /// ```gdscript
    /// multiplayer.send_bytes("hello".to_utf8_buffer(), 1)
    /// ```
    #[func(gd_self)]
    fn send_bytes(
        this: Gd<Self>,
        bytes: PackedByteArray,
        #[opt(default = 0)] id: i64,
        #[opt(default = 2)] mode: i64,
        #[opt(default = 0)] channel: i64,
    ) -> Error {
        let target = i32::try_from(id).unwrap_or(i32::MAX);
        let channel = i32::try_from(channel).unwrap_or(i32::MAX);
        let result = match transfer_mode_of(mode) {
            Some(mode) => send::send_bytes(&this, &bytes, target, mode, channel),
            None => Err(CallError::Mode(mode)),
        };
        answer("send_bytes", result)
    }

    /// Sets [param property] to [param value], at the node that has the path of [param node] on the peer [param id] (0: on all; a
    /// negative one: on all but that), reliably: 3.6's [code]rset[/code] and [code]rset_id[/code]. The other side decides whether
    /// it takes it. Here it is set, too, if [method rset_config] has given it a mode that says so. Peers of Godot 4 have nothing
    /// like it.
    ///
    /// Prints an error and returns its code when that cannot be.
    ///
    /// ```gdscript
    /// multiplayer.rset(self, "position", position)
    /// ```
    #[func(gd_self)]
    fn rset(
        this: Gd<Self>,
        node: Option<Gd<Object>>,
        property: StringName,
        value: Variant,
        #[opt(default = 0)] id: i64,
    ) -> Error {
        let target = i32::try_from(id).unwrap_or(i32::MAX);
        answer("rset", send::set(&this, target, node, &property, &value, TransferMode::RELIABLE))
    }

    /// Sets [param property] of [param node] to [param value] on the peer [param id], as [method rset] does, but unreliably: it may get
    /// lost.
    #[func(gd_self)]
    fn rset_unreliable(
        this: Gd<Self>,
        node: Option<Gd<Object>>,
        property: StringName,
        value: Variant,
        #[opt(default = 0)] id: i64,
    ) -> Error {
        let target = i32::try_from(id).unwrap_or(i32::MAX);
        answer("rset_unreliable", send::set(&this, target, node, &property, &value, TransferMode::UNRELIABLE))
    }

    /// Lets other peers set [param property] of [param node_or_script], which is a node, or a script for all nodes that have it.
    /// [param mode] is one of the [code]RPC_MODE_*[/code] constants of this class, or [constant MultiplayerAPI.RPC_MODE_DISABLED].
    /// What has no mode, nobody can set.
    ///
    /// ```gdscript
    /// multiplayer.rset_config(get_script(), "position", Godot3Multiplayer.RPC_MODE_PUPPET)
    /// ```
    #[func]
    fn rset_config(&self, node_or_script: Option<Gd<Object>>, property: StringName, mode: i64) {
        if property == "script" {
            return complain("rset_config", "nobody may set a node's script");
        }
        match configured(node_or_script, mode) {
            Ok((owner, mode)) => self.lock().rules.set_property(owner, property, mode),
            Err(problem) => complain("rset_config", problem),
        }
    }

    /// Lets other peers call [param method] of [param node_or_script], which is a node, or a script for all nodes that have it.
    /// [param mode] is one of the [code]RPC_MODE_*[/code] constants of this class, or [constant MultiplayerAPI.RPC_MODE_DISABLED].
    /// For modes that [code]@rpc[/code] does not have, and for Godot 4.3. It takes the place of what [code]@rpc[/code] says;
    /// [param transfer_mode] and [param channel] are for calls from here.
    ///
    /// ```gdscript
    /// multiplayer.rpc_config(self, "take_damage", Godot3Multiplayer.RPC_MODE_MASTER)
    /// ```
    #[func]
    fn rpc_config(
        &self,
        node_or_script: Option<Gd<Object>>,
        method: StringName,
        mode: i64,
        #[opt(default = 2)] transfer_mode: i64,
        #[opt(default = 0)] channel: i64,
    ) {
        let Some(transfer_mode) = transfer_mode_of(transfer_mode) else {
            return complain("rpc_config", CallError::Mode(transfer_mode));
        };
        match configured(node_or_script, mode) {
            Ok((owner, mode)) => {
                let channel = i32::try_from(channel).unwrap_or(i32::MAX);
                let rule = Rule { permission: Permission::Godot3(mode), mode: transfer_mode, channel };
                self.lock().rules.set_method(owner, method, rule);
            }
            Err(problem) => complain("rpc_config", problem),
        }
    }

    /// Says that the nodes from [param wire_path] on, as the other side has them, are those from [param tree_path] on here. Both are
    /// relative to [member root_path]. The longest that fits counts.
    ///
    /// ```gdscript
    /// multiplayer.map_path("Main/World", "Game/Level")
    /// ```
    #[func]
    fn map_path(&self, wire_path: GString, tree_path: GString) {
        self.lock().names.map_path(&wire_path.to_string(), &tree_path.to_string());
    }

    /// Says that the other side calls a method [param wire_name] that is called [param method] here.
    #[func]
    fn map_method(&self, wire_name: GString, method: GString) {
        self.lock().names.methods.map(wire_name.to_string(), method.to_string());
    }

    /// Says that the other side calls a property [param wire_name] that is called [param property] here.
    ///
    /// ```gdscript
    /// multiplayer.map_property("translation", "position")
    /// ```
    #[func]
    fn map_property(&self, wire_name: GString, property: GString) {
        self.lock().names.properties.map(wire_name.to_string(), property.to_string());
    }

    /// Server: says which protocol the client [param id] speaks. [param dialect] is one of the [code]DIALECT_*[/code] constants.
    /// That is possible while [constant DIALECT_DETECT] is still finding out: from [signal MultiplayerPeer.peer_connected] of the
    /// peer on, in a handler that was connected after [member MultiplayerAPI.multiplayer_peer] was set. Returns
    /// [constant @GlobalScope.OK], or prints an error and returns [constant @GlobalScope.ERR_INVALID_PARAMETER] when it is known
    /// already, and for an id that is not connected.
    #[func]
    fn set_peer_dialect(&self, id: i64, dialect: i64) -> Error {
        let mut state = self.lock();
        let id = i32::try_from(id).unwrap_or(0);
        let is_asked = state.detection.contains(id);
        match dialect_of(dialect) {
            Some(dialect) if is_asked => {
                if let Some(dialect) = dialect {
                    state.detection.decide(id, dialect);
                }
                Error::OK
            }
            _ => {
                drop(state);
                complain(
                    "set_peer_dialect",
                    "that is no peer whose protocol is still unknown, or no DIALECT_* constant",
                );
                Error::ERR_INVALID_PARAMETER
            }
        }
    }

    /// Returns the protocol of the peer [param id] as one of the [code]DIALECT_*[/code] constants; [constant DIALECT_DETECT] while
    /// it is not known, and for an id that is not connected.
    #[func]
    fn get_peer_dialect(&self, id: i64) -> i64 {
        dialect_number(i32::try_from(id).ok().and_then(|id| self.lock().dialect(id)))
    }

    /// Returns [param value] as Godot 3.6's [code]var2bytes[/code] encodes it, for [method send_bytes] to a game that calls
    /// [code]bytes2var[/code]. With [param full_objects], objects go with their properties. Prints an error and returns an empty
    /// array for what 3.6 has no type for.
    #[func]
    fn variant_to_bytes(value: Variant, #[opt(default = false)] full_objects: bool) -> PackedByteArray {
        let mut bytes = Vec::new();
        match variants::write(&value, full_objects, &mut bytes) {
            Ok(()) => PackedByteArray::from(bytes.as_slice()),
            Err(problem) => {
                complain("variant_to_bytes", problem);
                PackedByteArray::new()
            }
        }
    }

    /// Returns the value that Godot 3.6's [code]var2bytes[/code] has encoded in [param bytes]. With [param allow_objects], objects
    /// with their properties are made: only for bytes that you trust. Prints an error and returns null for anything else.
    #[func]
    fn bytes_to_variant(bytes: PackedByteArray, #[opt(default = false)] allow_objects: bool) -> Variant {
        let limits = Limits { objects: allow_objects, ..Limits::default() };
        match nme_godot3::decode_value(bytes.as_slice(), &limits) {
            Ok(value) => variants::read(value),
            Err(problem) => {
                complain("bytes_to_variant", problem);
                Variant::nil()
            }
        }
    }

    #[func]
    fn is_object_decoding_allowed(&self) -> bool {
        self.lock().allow_object_decoding
    }

    #[func]
    fn set_allow_object_decoding(&self, allow: bool) {
        let inner = {
            let mut state = self.lock();
            state.allow_object_decoding = allow;
            state.inner.clone()
        };
        if let Some(inner) = inner {
            inner.scene().set_allow_object_decoding(allow);
        }
    }

    #[func]
    fn get_default_peer_dialect(&self) -> i64 {
        dialect_number(self.lock().default_dialect)
    }

    #[func]
    fn set_default_peer_dialect(&self, dialect: i64) {
        match dialect_of(dialect) {
            Some(dialect) => self.lock().default_dialect = dialect,
            None => complain("set_default_peer_dialect", "that is none of the constants DIALECT_*"),
        }
    }

    #[func]
    fn is_refusing_new_connections(&self) -> bool {
        let link = self.lock().link.clone();
        link.is_some_and(|link| link.peer().is_refusing_new_connections())
    }

    #[func]
    fn set_refuse_new_connections(&self, refuse: bool) {
        let link = self.lock().link.clone();
        match link {
            Some(link) => link.peer().clone().set_refuse_new_connections(refuse),
            None => complain("set_refuse_new_connections", "there is no multiplayer_peer"),
        }
    }

    #[func]
    fn get_root_path(&self) -> NodePath {
        self.lock().root_path.clone()
    }

    #[func]
    pub(super) fn set_root_path(&self, path: NodePath) {
        let text = path.to_string();
        if !text.is_empty() && !text.starts_with('/') {
            return complain("set_root_path", "the path has to be absolute, such as /root");
        }
        let inner = {
            let mut state = self.lock();
            state.root_path = path.clone();
            state.root_text = text.trim_end_matches('/').to_owned();
            state.inner.clone()
        };
        if let Some(inner) = inner {
            inner.scene().set_root_path(&path);
        }
    }

    /// The state. Not to be held while the engine is called.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }

    /// Hears the peer below.
    pub(super) fn follow(this: &Gd<Self>, peer: &Gd<MultiplayerPeer>) {
        let id = this.instance_id();
        let handler = |name: &str, handle: fn(&Gd<Self>, i32)| {
            // It holds no reference: the peer is one of ours already.
            Callable::from_fn(name.to_owned(), move |arguments| {
                let peer = arguments.first().and_then(|id| id.try_to::<i32>().ok());
                if let (Ok(this), Some(peer)) = (Gd::try_from_instance_id(id), peer) {
                    handle(&this, peer);
                }
            })
        };
        let handlers = [
            handler("Godot3Multiplayer.peer_connected", receive::peer_connected),
            handler("Godot3Multiplayer.peer_disconnected", receive::peer_disconnected),
        ];
        let mut peer = peer.clone();
        peer.connect("peer_connected", &handlers[0]);
        peer.connect("peer_disconnected", &handlers[1]);
        dispatch::shared(this).lock().handlers = Some(handlers);
    }

    pub(super) fn leave(this: &Gd<Self>) {
        let (link, handlers) = {
            let api = dispatch::shared(this);
            let mut state = api.lock();
            (state.link.take(), state.handlers.take())
        };
        if let (Some(link), Some(handlers)) = (link, handlers) {
            let mut peer = link.peer().clone();
            peer.disconnect("peer_connected", &handlers[0]);
            peer.disconnect("peer_disconnected", &handlers[1]);
        }
        receive::forget_peers(this);
    }
}

impl Dispatched for Godot3Multiplayer {
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

impl Drop for Godot3Multiplayer {
    fn drop(&mut self) {
        // Threads may remember the rest for a while.
        let references = self.shared.lock().take_references();
        drop(references);
        dispatch::forget();
    }
}

pub(super) fn answer(call: &str, result: Result<(), CallError>) -> Error {
    match result {
        Ok(()) => Error::OK,
        Err(problem) => error::report_of("Godot3Multiplayer", call, &problem),
    }
}

fn configured(owner: Option<Gd<Object>>, mode: i64) -> Result<(InstanceId, RpcMode), &'static str> {
    let owner = owner.filter(|owner| {
        owner.clone().try_cast::<Node>().is_ok() || owner.clone().try_cast::<Script>().is_ok()
    });
    let owner = owner.ok_or("the first argument has to be a node or a script")?;
    let mode = RpcMode::from_number(mode)
        .ok_or("the mode has to be one of the constants RPC_MODE_* of this class")?;
    Ok((owner.instance_id(), mode))
}

fn transfer_mode_of(number: i64) -> Option<TransferMode> {
    i32::try_from(number).ok().and_then(TransferMode::try_from_ord)
}

/// `None` is no constant, `Some(None)` is the one for finding out.
const fn dialect_of(number: i64) -> Option<Option<Dialect>> {
    match number {
        0 => Some(None),
        1 => Some(Some(Dialect::Godot3)),
        2 => Some(Some(Dialect::Godot4)),
        _ => None,
    }
}

const fn dialect_number(dialect: Option<Dialect>) -> i64 {
    match dialect {
        None => 0,
        Some(Dialect::Godot3) => 1,
        Some(Dialect::Godot4) => 2,
    }
}
