//! Calls and sets on their way out.

use std::fmt::Display;
use std::sync::Arc;

use godot::classes::multiplayer_peer::{ConnectionStatus, TransferMode};
use godot::global::Error;
use godot::init::is_main_thread;
use godot::meta::error::CallError as CallFailure;
use godot::prelude::*;
use nme_godot3::{Command, Dialect, OutgoingKind};
use thiserror::Error as ThisError;

use super::class::Godot3Multiplayer;
use super::inner::Inner;
use super::link::{Link, Route};
use super::names::Names;
use super::nodes;
use super::receive;
use super::rules::{self, Permission, Rule, ScriptRules};
use super::state::reaches;
use super::variants::{self, VariantError};
use crate::dispatch;
use crate::error::{self, Code};
use crate::output::Quoted;

/// As many as one byte counts.
pub(super) const MAX_ARGUMENTS: usize = 255;

/// Why nothing was sent.
#[derive(Debug, ThisError)]
pub(super) enum CallError {
    #[error("this can only be called from the main thread; use call_deferred()")]
    Thread,
    #[error("the object is no node")]
    NoNode,
    #[error("the node is not inside the scene tree")]
    NotInTree,
    #[error("{node} is not below root_path, which is {root}")]
    OutsideRoot { node: String, root: String },
    #[error(
        "there is no multiplayer_peer, or it is not connected; wait for connected_to_server, or create a server first"
    )]
    NotConnected,
    #[error("nobody with the id {0} is connected")]
    UnknownPeer(i32),
    #[error("{0} is everybody but this peer itself; use 0 for all others")]
    AllButItself(i32),
    #[error("it goes to this peer itself, and {0} is not to be run locally; add \"call_local\" to its @rpc")]
    ToItself(String),
    #[error("{0} arguments are too many; one call can have 255")]
    TooManyArguments(usize),
    #[error("argument {position} of {method} cannot be sent: {problem}")]
    Argument { position: usize, method: String, problem: VariantError },
    #[error("the value of {property} cannot be sent: {problem}")]
    Property { property: String, problem: VariantError },
    #[error("the name {} has a NUL in it, or more than {} bytes", Quoted(.0), nme_godot3::MAX_NAME_BYTES)]
    Name(String),
    #[error("{0} is no transfer mode; use one of the constants TRANSFER_MODE_* of MultiplayerPeer")]
    Mode(i64),
    #[error("the bytes are empty")]
    NoBytes,
    #[error("peer {0} is of Godot 4, which has no rset; use an RPC")]
    NoRset(i32),
    #[error("the peer did not take it (error {})", .0.ord())]
    Peer(Error),
    /// The engine has said why.
    #[error("SceneMultiplayer did not take it (error {})", .0.ord())]
    Inner(Error),
}

impl Code for CallError {
    fn code(&self) -> Error {
        match self {
            Self::Thread | Self::NotConnected => Error::ERR_UNCONFIGURED,
            Self::Peer(code) | Self::Inner(code) => *code,
            Self::NoRset(_) => Error::ERR_UNAVAILABLE,
            _ => Error::ERR_INVALID_PARAMETER,
        }
    }
}

/// What becomes of a call or a set.
struct Plan {
    link: Link,
    own_id: i32,
    /// Peers of Godot 3.6.
    godot3: Vec<i32>,
    /// Peers of Godot 4.
    godot4: Vec<i32>,
    runs_locally: bool,
}

/// What is sent to peers of Godot 3.6.
struct Message {
    what: Kind,
    /// The name in this game.
    name: String,
    /// The arguments with their count, or the value.
    encoded: Vec<u8>,
}

enum Kind {
    Call,
    Set,
}

impl Message {
    /// With the name that the other side has.
    fn command<'a>(&'a self, names: &'a Names) -> Result<Command<'a>, CallError> {
        let renames = match self.what {
            Kind::Call => &names.methods,
            Kind::Set => &names.properties,
        };
        let name = renames.wire(&self.name);
        if name.len() > nme_godot3::MAX_NAME_BYTES || name.contains('\0') {
            return Err(CallError::Name(name.to_owned()));
        }
        Ok(match self.what {
            Kind::Call => Command::Call { method: name, arguments: &self.encoded },
            Kind::Set => Command::Set { property: name, value: &self.encoded },
        })
    }
}

/// Calls a method of a node on other peers, and here where its configuration says so.
pub(super) fn call(
    this: &Gd<Godot3Multiplayer>,
    target: i32,
    object: Option<Gd<Object>>,
    method: &StringName,
    arguments: &VarArray,
) -> Result<(), CallError> {
    let (node, script) = node(this, object)?;
    if arguments.len() > MAX_ARGUMENTS {
        return Err(CallError::TooManyArguments(arguments.len()));
    }
    let registered = dispatch::shared(this).lock().rules.registered(node.instance_id(), &script, method);
    let known = registered.or_else(|| rules::for_calling(&script, &node, method));
    let rule = known.unwrap_or_default();
    let plan = plan(this, target, &node, rule.permission, method)?;
    if !plan.godot3.is_empty() {
        let mut encoded = vec![arguments.len() as u8];
        let whole_objects = dispatch::shared(this).lock().allow_object_decoding;
        for (index, argument) in arguments.iter_shared().enumerate() {
            variants::write(&argument, whole_objects, &mut encoded).map_err(|problem| {
                CallError::Argument { position: index + 1, method: method.to_string(), problem }
            })?;
        }
        let message = Message { what: Kind::Call, name: method.to_string(), encoded };
        send(this, &plan, &node, Route { target, mode: rule.mode, channel: rule.channel }, &message)?;
    }
    let mut runs_locally = plan.runs_locally;
    if !plan.godot4.is_empty() && (known.is_some() || target > 0) {
        runs_locally &= !call_inner(this, &plan, target, &node, method, arguments, rule)?;
    }
    if runs_locally {
        let values: Vec<Variant> = arguments.iter_shared().collect();
        let mut node = node.upcast::<Object>();
        let outcome = dispatch::shared(this).acting_for(plan.own_id, || node.try_call(method, &values));
        if let Err(problem) = outcome {
            complain("rpc", format_args!("{method} has failed here: {}", reason(&problem)));
        }
    }
    Ok(())
}

/// Sets a property of a node on other peers, and here where its configuration says so.
pub(super) fn set(
    this: &Gd<Godot3Multiplayer>,
    target: i32,
    object: Option<Gd<Object>>,
    property: &StringName,
    value: &Variant,
    mode: TransferMode,
) -> Result<(), CallError> {
    let (mut node, script) = node(this, object)?;
    let permission = dispatch::shared(this).lock().rules.property(node.instance_id(), &script, property);
    let plan = plan(this, target, &node, Permission::Godot3(permission), property)?;
    if let Some(id) = plan.godot4.first() {
        if target > 0 {
            return Err(CallError::NoRset(*id));
        }
        if !std::mem::replace(&mut dispatch::shared(this).lock().warned.rset, true) {
            warn("rset", "peers of Godot 4 get no rset; use an RPC for them");
        }
    }
    if !plan.godot3.is_empty() {
        let mut encoded = Vec::new();
        let whole_objects = dispatch::shared(this).lock().allow_object_decoding;
        variants::write(value, whole_objects, &mut encoded)
            .map_err(|problem| CallError::Property { property: property.to_string(), problem })?;
        let message = Message { what: Kind::Set, name: property.to_string(), encoded };
        send(this, &plan, &node, Route { target, mode, channel: 0 }, &message)?;
    }
    if plan.runs_locally {
        dispatch::shared(this).acting_for(plan.own_id, || node.set(property, value));
    }
    Ok(())
}

/// Sends bytes of the game.
pub(super) fn send_bytes(
    this: &Gd<Godot3Multiplayer>,
    bytes: &PackedByteArray,
    target: i32,
    mode: TransferMode,
    channel: i32,
) -> Result<(), CallError> {
    if bytes.is_empty() {
        return Err(CallError::NoBytes);
    }
    let (link, own_id) = connected(this)?;
    let (godot3, godot4) = reached(this, target, own_id)?;
    let packet = nme_godot3::raw(bytes.as_slice());
    let targets = if godot4.is_empty() { vec![target] } else { godot3 };
    for target in targets {
        peer_result(link.put(Route { target, mode, channel }, &packet))?;
    }
    let inner = dispatch::shared(this).lock().inner.clone();
    if let Some(inner) = inner {
        for target in godot4 {
            let sent = inner.scene().send_bytes_ex(bytes).id(target).mode(mode).channel(channel).done();
            inner_result(sent)?;
        }
    }
    Ok(())
}

fn node(
    this: &Gd<Godot3Multiplayer>,
    object: Option<Gd<Object>>,
) -> Result<(Gd<Node>, Arc<ScriptRules>), CallError> {
    if !is_main_thread() {
        return Err(CallError::Thread);
    }
    let found = object.and_then(|object| nodes::look_at(this, object)).ok_or(CallError::NoNode)?;
    if found.0.is_inside_tree() { Ok(found) } else { Err(CallError::NotInTree) }
}

fn connected(this: &Gd<Godot3Multiplayer>) -> Result<(Link, i32), CallError> {
    if !is_main_thread() {
        return Err(CallError::Thread);
    }
    let link = dispatch::shared(this).lock().link.clone();
    let link = link.filter(|link| link.status() == ConnectionStatus::CONNECTED);
    Ok((link.ok_or(CallError::NotConnected)?, receive::own_id(this)))
}

/// The peers that a target reaches: those of Godot 3.6 and those of Godot 4.
fn reached(
    this: &Gd<Godot3Multiplayer>,
    target: i32,
    own_id: i32,
) -> Result<(Vec<i32>, Vec<i32>), CallError> {
    let api = dispatch::shared(this);
    let state = api.lock();
    if target == own_id {
        return Ok((Vec::new(), Vec::new()));
    }
    if target == -own_id {
        return Err(CallError::AllButItself(target));
    }
    if target != 0 && !state.peers.contains_key(&target.saturating_abs()) {
        return Err(CallError::UnknownPeer(target.saturating_abs()));
    }
    Ok((state.reached(target, Dialect::Godot3), state.reached(target, Dialect::Godot4)))
}

fn plan(
    this: &Gd<Godot3Multiplayer>,
    target: i32,
    node: &Gd<Node>,
    permission: Permission,
    name: &StringName,
) -> Result<Plan, CallError> {
    let (link, own_id) = connected(this)?;
    let (mut godot3, mut godot4) = reached(this, target, own_id)?;
    let mut runs_locally = false;
    if reaches(target, own_id) {
        let is_authority = node.get_multiplayer_authority() == own_id;
        runs_locally = permission.runs_locally(is_authority);
        if !permission.is_sent(is_authority) {
            (godot3, godot4) = (Vec::new(), Vec::new());
        }
    }
    if target == own_id && !runs_locally {
        return Err(CallError::ToItself(name.to_string()));
    }
    Ok(Plan { link, own_id, godot3, godot4, runs_locally })
}

/// Sends a command to peers of Godot 3.6.
fn send(
    this: &Gd<Godot3Multiplayer>,
    plan: &Plan,
    node: &Gd<Node>,
    route: Route,
    message: &Message,
) -> Result<(), CallError> {
    let full_path = node.get_path().to_string();
    let packets = {
        let api = dispatch::shared(this);
        let state = &mut *api.lock();
        let path = match full_path.strip_prefix(&state.root_text) {
            Some("") => ".",
            Some(below) if below.starts_with('/') => &below[1..],
            _ => {
                let root = state.root_text.clone();
                return Err(CallError::OutsideRoot { node: full_path, root });
            }
        };
        let path = state.names.wire_path(path);
        // One packet for all is one packet to the server and no more, but only when all understand it.
        let as_one = plan.godot4.is_empty() && !state.has(Dialect::Godot4) && state.detection.is_empty();
        let command = message.command(&state.names)?;
        state.paths.send(&path, &command, &plan.godot3, route.target, as_one)
    };
    let mut way_out = plan.link.way_out();
    let mut result = Ok(());
    for outgoing in packets {
        let route = match outgoing.kind {
            OutgoingKind::Announcement => Route::reliable(outgoing.target),
            OutgoingKind::Message => Route { target: outgoing.target, ..route },
        };
        // The others get theirs, also when one does not.
        let put = peer_result(way_out.put(route, &outgoing.packet));
        result = result.and(put);
    }
    result
}

/// Has SceneMultiplayer call peers of Godot 4. Answers whether it has run the local part, too.
fn call_inner(
    this: &Gd<Godot3Multiplayer>,
    plan: &Plan,
    target: i32,
    node: &Gd<Node>,
    method: &StringName,
    arguments: &VarArray,
    rule: Rule,
) -> Result<bool, CallError> {
    let scene = dispatch::shared(this).lock().inner.as_ref().map(Inner::scene);
    let Some(mut scene) = scene else { return Ok(false) };
    let mut call = |target: i32| {
        let arguments = arguments.clone().upcast_any_array();
        inner_result(scene.rpc_ex(target, node, method).arguments(&arguments).done())
    };
    dispatch::shared(this).acting_for(plan.own_id, || {
        if target > 0 || matches!(rule.permission, Permission::Godot3(_)) {
            for id in &plan.godot4 {
                call(*id)?;
            }
            return Ok(false);
        }
        // It does not know peers of 3.6.
        let is_known = target != 0
            && dispatch::shared(this).lock().dialect(target.saturating_neg()) == Some(Dialect::Godot4);
        let inner_target = if is_known { target } else { 0 };
        call(inner_target)?;
        Ok(true)
    })
}

fn peer_result(code: Error) -> Result<(), CallError> {
    if code == Error::OK { Ok(()) } else { Err(CallError::Peer(code)) }
}

pub(super) fn inner_result(code: Error) -> Result<(), CallError> {
    if code == Error::OK { Ok(()) } else { Err(CallError::Inner(code)) }
}

/// The last line of what gdext says.
pub(super) fn reason(problem: &CallFailure) -> String {
    problem.to_string().rsplit("Reason: ").next().unwrap_or_default().trim_end_matches('.').to_owned()
}

pub(super) fn complain(call: &str, problem: impl Display) {
    error::complain_of("Godot3Multiplayer", call, problem);
}

pub(super) fn warn(call: &str, problem: impl Display) {
    godot_warn!("Godot3Multiplayer.{call}: {problem}.");
}
