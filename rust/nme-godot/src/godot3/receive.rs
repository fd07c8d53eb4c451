//! What comes from other peers: who connects and leaves, and their calls and sets.

use std::time::Instant;

use godot::classes::multiplayer_peer::ConnectionStatus;
use godot::classes::{Engine, SceneTree};
use godot::global::Error;
use godot::prelude::*;
use nme_godot3::{DecodeError, Dialect, PROBE, Received, RpcMode, Value};
use thiserror::Error as ThisError;

use super::class::Godot3Multiplayer;
use super::inner::Inner;
use super::link::{Arrival, Link, Route};
use super::nodes;
use super::rules::{self, Rule};
use super::send::{reason, warn};
use super::{arguments, complaints, variants};
use crate::dispatch;
use crate::output::Quoted;

/// Why a packet came to nothing.
#[derive(Debug, ThisError)]
enum Refusal {
    #[error("a packet that is no packet of Godot 3.6: {0}")]
    Packet(#[from] DecodeError),
    #[error("there is no node {}, which it wants to reach", Quoted(.0))]
    NoNode(String),
    #[error("{node} has no RPC {}, or it is not configured as one (add @rpc, or call rpc_config())", Quoted(.method))]
    NotConfigured { node: String, method: String },
    #[error("it may not call {method} of {node}: that is for {allowed}")]
    Call { node: String, method: String, allowed: &'static str },
    #[error("it may not set {} of {node}; see rset_config()", Quoted(.property))]
    Set { node: String, property: String },
    #[error("its call of {method} of {node} failed: {problem}")]
    Failed { node: String, method: String, problem: String },
    #[error("it sends too much before it is known which Godot it is of")]
    TooEarly,
}

/// Takes what has come.
pub(super) fn poll(this: &Gd<Godot3Multiplayer>) {
    let (link, generation) = {
        let api = dispatch::shared(this);
        let state = api.lock();
        (state.link.clone(), state.generation)
    };
    let Some(mut link) = link else { return };
    if link.status() != ConnectionStatus::DISCONNECTED {
        link.poll();
    }
    follow_status(this, generation, &link);
    // A handler, or a method that is called, may end the connection or begin another one.
    let goes_on = |link: &Link| {
        dispatch::shared(this).lock().generation == generation && link.status() == ConnectionStatus::CONNECTED
    };
    while goes_on(&link) {
        let Some(arrival) = link.take() else { break };
        handle(this, &mut link, arrival);
    }
    while goes_on(&link) && admit_detected(this, &mut link) {}
    let inner = dispatch::shared(this).lock().inner.clone();
    if let Some(mut inner) = inner.filter(|_| goes_on(&link)) {
        inner.poll();
    }
    follow_status(this, generation, &link);
}

/// A peer has connected.
pub(super) fn peer_connected(this: &Gd<Godot3Multiplayer>, id: i32) {
    // Some peers get their id only now.
    let link = dispatch::shared(this).lock().link.clone();
    if let Some(link) = link {
        let own_id = link.peer().get_unique_id();
        dispatch::shared(this).lock().own_id = own_id;
    }
    let (dialect, link) = {
        let api = dispatch::shared(this);
        let mut state = api.lock();
        // Only a server can find out: clients know each other through it.
        let dialect = if state.own_id == 1 { state.default_dialect } else { Some(Dialect::Godot3) };
        if dialect.is_none() {
            state.detection.begin(id, Instant::now());
        }
        (dialect, state.link.clone())
    };
    match (dialect, link) {
        (Some(dialect), _) => admit(this, id, dialect),
        (None, Some(link)) => {
            link.put(Route::reliable(id), &PROBE);
        }
        (None, None) => {}
    }
}

/// A peer has left.
pub(super) fn peer_disconnected(this: &Gd<Godot3Multiplayer>, id: i32) {
    let (was_known, inner) = {
        let api = dispatch::shared(this);
        let mut state = api.lock();
        state.detection.remove(id);
        state.paths.peer_disconnected(id);
        let dialect = state.peers.remove(&id);
        (dialect.is_some(), state.inner.clone().filter(|_| dialect == Some(Dialect::Godot4)))
    };
    if let Some(mut inner) = inner {
        inner.remove_peer(id);
    }
    if was_known {
        emit(this, "peer_disconnected", &[id.to_variant()]);
    }
}

/// Lets the game know a peer.
fn admit(this: &Gd<Godot3Multiplayer>, id: i32, dialect: Dialect) {
    let link = {
        let api = dispatch::shared(this);
        let mut state = api.lock();
        state.peers.insert(id, dialect);
        if dialect == Dialect::Godot3 {
            state.paths.peer_connected(id);
        }
        state.link.clone()
    };
    if let Some(link) = link {
        warn_of_relay(this, &link);
    }
    if dialect == Dialect::Godot4 {
        inner(this).add_peer(id);
    }
    if id == 1 {
        emit(this, "connected_to_server", &[]);
    }
    emit(this, "peer_connected", &[id.to_variant()]);
}

/// The SceneMultiplayer for peers of Godot 4, made when it is needed first.
pub(super) fn inner(this: &Gd<Godot3Multiplayer>) -> Inner {
    if let Some(inner) = dispatch::shared(this).lock().inner.clone() {
        return inner;
    }
    let (root_path, allow_object_decoding) = {
        let api = dispatch::shared(this);
        let state = api.lock();
        (state.root_path.clone(), state.allow_object_decoding)
    };
    let id = this.instance_id();
    let on_packet = Callable::from_fn("Godot3Multiplayer.peer_packet", move |arguments| {
        if let (Ok(api), [sender, packet, ..]) =
            (Gd::<Godot3Multiplayer>::try_from_instance_id(id), arguments)
        {
            emit(&api, "peer_packet", &[(*sender).clone(), (*packet).clone()]);
        }
    });
    let inner = Inner::new(&root_path, allow_object_decoding, &on_packet);
    dispatch::shared(this).lock().inner = Some(inner.clone());
    link_inner(this);
    dispatch::shared(this).lock().inner.clone().unwrap_or(inner)
}

/// Gives the SceneMultiplayer within the present connection, without any peer, or none.
pub(super) fn link_inner(this: &Gd<Godot3Multiplayer>) {
    let (inner, link, own_id) = {
        let api = dispatch::shared(this);
        let state = api.lock();
        (state.inner.clone(), state.link.clone(), state.own_id)
    };
    if let Some(mut inner) = inner {
        let link = link.filter(|link| link.status() != ConnectionStatus::DISCONNECTED);
        inner.set_link(link.map(|link| (link, own_id)));
        dispatch::shared(this).lock().inner = Some(inner);
    }
}

/// This side's id; 0 without a connection or an attempt. A peer that was opened again is asked until it is polled.
pub(super) fn own_id(this: &Gd<Godot3Multiplayer>) -> i32 {
    let (own_id, link) = {
        let api = dispatch::shared(this);
        let state = api.lock();
        if state.own_id != 0 {
            return state.own_id;
        }
        (state.own_id, state.link.clone())
    };
    let link = link.filter(|link| link.status() != ConnectionStatus::DISCONNECTED);
    link.map_or(own_id, |link| link.peer().get_unique_id())
}

/// Emits what follows from a connection that has come about or ended.
fn follow_status(this: &Gd<Godot3Multiplayer>, generation: u64, link: &Link) {
    let status = link.status();
    let before = {
        let api = dispatch::shared(this);
        let mut state = api.lock();
        if state.generation != generation || state.status == status {
            return;
        }
        std::mem::replace(&mut state.status, status)
    };
    if status != ConnectionStatus::DISCONNECTED {
        let own_id = link.peer().get_unique_id();
        dispatch::shared(this).lock().own_id = own_id;
        if before == ConnectionStatus::DISCONNECTED {
            // The game has opened the same peer again.
            link_inner(this);
        }
        return;
    }
    dispatch::shared(this).lock().own_id = 0;
    forget_peers(this);
    let has_failed = before == ConnectionStatus::CONNECTING;
    emit(this, if has_failed { "connection_failed" } else { "server_disconnected" }, &[]);
}

/// Forgets everybody, here and in the SceneMultiplayer within.
pub(super) fn forget_peers(this: &Gd<Godot3Multiplayer>) {
    dispatch::shared(this).lock().forget_peers();
    link_inner(this);
}

/// Lets in one of those whose dialect has become known, with what they have sent meanwhile.
fn admit_detected(this: &Gd<Godot3Multiplayer>, link: &mut Link) -> bool {
    let Some(detected) = dispatch::shared(this).lock().detection.next(Instant::now()) else { return false };
    admit(this, detected.id, detected.dialect);
    for arrival in detected.kept {
        handle(this, link, arrival);
    }
    true
}

fn handle(this: &Gd<Godot3Multiplayer>, link: &mut Link, arrival: Arrival) {
    let (is_asked, dialect) = {
        let api = dispatch::shared(this);
        let state = api.lock();
        (state.detection.contains(arrival.sender), state.dialect(arrival.sender))
    };
    let sender = arrival.sender;
    let outcome = if is_asked {
        let is_kept = dispatch::shared(this).lock().detection.keep(arrival);
        admit_detected(this, link);
        if is_kept { Ok(()) } else { Err(Refusal::TooEarly) }
    } else if dialect == Some(Dialect::Godot4) {
        let inner = dispatch::shared(this).lock().inner.clone();
        if let Some(mut inner) = inner {
            inner.push(arrival);
        }
        Ok(())
    } else {
        handle_godot3(this, link, &arrival)
    };
    if let Err(refusal) = outcome {
        let verdict = dispatch::shared(this).lock().complaints.next(Instant::now());
        complaints::print(&verdict, sender, refusal);
    }
}

/// A packet of a peer of Godot 3.6.
fn handle_godot3(this: &Gd<Godot3Multiplayer>, link: &mut Link, arrival: &Arrival) -> Result<(), Refusal> {
    let sender = arrival.sender;
    let received = {
        let api = dispatch::shared(this);
        let state = &mut *api.lock();
        let limits = state.limits();
        state.paths.receive(sender, &arrival.packet, &limits)?
    };
    match received {
        Received::Call { path, method, arguments } => call(this, sender, &path, &method, arguments),
        Received::Set { path, property, value } => set(this, sender, &path, &property, value),
        Received::Announcement { answer } => {
            link.put(Route::reliable(sender), &answer);
            Ok(())
        }
        Received::Raw(bytes) => {
            let packet = PackedByteArray::from(bytes.as_slice());
            emit(this, "peer_packet", &[sender.to_variant(), packet.to_variant()]);
            Ok(())
        }
        Received::Confirmation | Received::Ignored => Ok(()),
    }
}

fn call(
    this: &Gd<Godot3Multiplayer>,
    sender: i32,
    path: &str,
    method: &str,
    values: Vec<Value>,
) -> Result<(), Refusal> {
    let node = resolve(this, path)?;
    let name = StringName::from(dispatch::shared(this).lock().names.methods.name(method));
    let script = nodes::script_of(this, &node);
    let registered = dispatch::shared(this).lock().rules.registered(node.instance_id(), &script, &name);
    let rule: Option<Rule> = registered.or_else(|| rules::for_being_called(&script, &node, &name));
    let Some(rule) = rule else {
        return Err(Refusal::NotConfigured { node: place(&node), method: method.to_owned() });
    };
    let authority = node.get_multiplayer_authority();
    let own_id = dispatch::shared(this).lock().own_id;
    if !rule.permission.accepts(authority == own_id, authority == sender) {
        let allowed = rule.permission.allowed();
        return Err(Refusal::Call { node: place(&node), method: name.to_string(), allowed });
    }
    let mut values: Vec<Variant> = values.into_iter().map(variants::read).collect();
    arguments::convert(&mut values, script.declared(&name));
    let mut object = node.upcast::<Object>();
    let outcome = dispatch::shared(this).acting_for(sender, || object.try_call(&name, &values));
    outcome.map(drop).map_err(|problem| Refusal::Failed {
        // The node may have gone in the call.
        node: path.to_owned(),
        method: name.to_string(),
        problem: reason(&problem),
    })
}

fn set(
    this: &Gd<Godot3Multiplayer>,
    sender: i32,
    path: &str,
    property: &str,
    value: Value,
) -> Result<(), Refusal> {
    let mut node = resolve(this, path)?;
    let name = StringName::from(dispatch::shared(this).lock().names.properties.name(property));
    let script = nodes::script_of(this, &node);
    let (mode, own_id): (RpcMode, i32) = {
        let api = dispatch::shared(this);
        let state = api.lock();
        (state.rules.property(node.instance_id(), &script, &name), state.own_id)
    };
    let authority = node.get_multiplayer_authority();
    if !mode.accepts(authority == own_id, authority == sender) {
        return Err(Refusal::Set { node: place(&node), property: property.to_owned() });
    }
    let value = variants::read(value);
    dispatch::shared(this).acting_for(sender, || node.set(&name, &value));
    Ok(())
}

/// The node that a path leads to. It has been checked for not leading above the root.
fn resolve(this: &Gd<Godot3Multiplayer>, path: &str) -> Result<Gd<Node>, Refusal> {
    let (path, root_path, tree_root) = {
        let api = dispatch::shared(this);
        let state = api.lock();
        let path = state.names.tree_path(path).into_owned();
        (path, state.root_path.clone(), state.tree_root.clone())
    };
    let tree_root = tree_root.filter(Gd::is_instance_valid).or_else(|| find_tree_root(this));
    let Some(tree_root) = tree_root else {
        return Err(Refusal::NoNode(path));
    };
    let root = tree_root.get_node_or_null(&root_path);
    root.and_then(|root| root.get_node_or_null(path.as_str())).ok_or(Refusal::NoNode(path))
}

/// The root of the tree, which stays the same as long as the game runs. To ask for it takes longer than to find a node.
fn find_tree_root(this: &Gd<Godot3Multiplayer>) -> Option<Gd<Node>> {
    let tree = Engine::singleton().get_main_loop()?.try_cast::<SceneTree>().ok()?;
    let root = tree.get_root()?.upcast::<Node>();
    dispatch::shared(this).lock().tree_root = Some(root.clone());
    Some(root)
}

fn place(node: &Gd<Node>) -> String {
    node.get_path().to_string()
}

/// A relay passes packets on unread, and the dialects do not understand each other.
fn warn_of_relay(this: &Gd<Godot3Multiplayer>, link: &Link) {
    let is_mixed = {
        let api = dispatch::shared(this);
        let state = api.lock();
        let is_mixed = state.has(Dialect::Godot3) && state.has(Dialect::Godot4);
        state.own_id == 1 && is_mixed && !state.warned.relay
    };
    if is_mixed && link.peer().get("server_relay").booleanize() {
        dispatch::shared(this).lock().warned.relay = true;
        warn(
            "multiplayer_peer",
            "clients of Godot 3.6 and of Godot 4 are connected, and server_relay is on: they can call the server, but not each \
             other. Set server_relay to false before create_server(), or let all use Godot3Multiplayer",
        );
    }
}

pub(super) fn emit(this: &Gd<Godot3Multiplayer>, signal: &str, arguments: &[Variant]) -> Error {
    this.clone().upcast::<Object>().emit_signal(signal, arguments)
}
