//! What a `Godot3Multiplayer` consists of, behind one lock that is never held while the engine is called.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use godot::classes::OfflineMultiplayerPeer;
use godot::classes::multiplayer_peer::ConnectionStatus;
use godot::prelude::*;
use nme_godot3::{Dialect, Limits, PathCache};

use super::complaints::Complaints;
use super::detection::Detection;
use super::inner::Inner;
use super::link::Link;
use super::names::Names;
use super::nodes::Nodes;
use super::rules::Rules;

/// The part of an object that calls need. Once a thread has looked it up, they need no lock of gdext's.
pub(crate) struct Shared {
    state: Mutex<State>,
}

impl Shared {
    #[expect(
        clippy::arc_with_non_send_sync,
        reason = "references of the engine, which counts them atomically"
    )]
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State::new()) })
    }

    /// The state, for this thread alone. Not to be held while the engine is called.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `get_remote_sender_id()` answer a peer during a call.
    pub(super) fn acting_for<R>(&self, sender: i32, call: impl FnOnce() -> R) -> R {
        let before = std::mem::replace(&mut self.lock().sender, sender);
        let result = call();
        self.lock().sender = before;
        result
    }
}

/// The part that changes.
pub(crate) struct State {
    pub(super) link: Option<Link>,
    /// Counts network peers, so that a poll notices when a handler has replaced the one it works on.
    pub(super) generation: u64,
    /// As it was with the last poll.
    pub(super) status: ConnectionStatus,
    /// This side's id, while there is a connection or an attempt.
    pub(super) own_id: i32,
    /// Whose call runs; 0 outside of calls.
    pub(super) sender: i32,
    /// Everybody that the game knows of.
    pub(super) peers: BTreeMap<i32, Dialect>,
    /// Those whose dialect is not known yet. The game does not know of them.
    pub(super) detection: Detection,
    pub(super) paths: PathCache,
    pub(super) names: Names,
    pub(super) nodes: Nodes,
    pub(super) rules: Rules,
    /// Once it has been asked for.
    pub(super) tree_root: Option<Gd<Node>>,
    pub(super) root_path: NodePath,
    /// The same, as a text without a slash at the end.
    pub(super) root_text: String,
    pub(super) allow_object_decoding: bool,
    /// The dialect of those who come; `None` to find out.
    pub(super) default_dialect: Option<Dialect>,
    /// What serves peers of Godot 4.
    pub(super) inner: Option<Inner>,
    /// What is connected to the network peer's signals.
    pub(super) handlers: Option<[Callable; 2]>,
    pub(super) complaints: Complaints,
    /// Which warnings the log has already.
    pub(super) warned: Warned,
}

/// Warnings that come once.
#[derive(Default)]
pub(super) struct Warned {
    pub(super) relay: bool,
    pub(super) replication: bool,
    pub(super) rset: bool,
}

impl State {
    pub(super) fn new() -> Self {
        let offline = OfflineMultiplayerPeer::new_gd().upcast();
        Self {
            link: Some(Link::new(offline)),
            generation: 0,
            status: ConnectionStatus::CONNECTED,
            own_id: 1,
            sender: 0,
            peers: BTreeMap::new(),
            detection: Detection::default(),
            paths: PathCache::new(),
            names: Names::default(),
            nodes: Nodes::default(),
            rules: Rules::default(),
            tree_root: None,
            root_path: NodePath::default(),
            root_text: String::new(),
            allow_object_decoding: false,
            default_dialect: Some(Dialect::Godot3),
            inner: None,
            handlers: None,
            complaints: Complaints::default(),
            warned: Warned::default(),
        }
    }

    /// All references to objects of the engine, at the end. To be dropped without the lock.
    pub(super) fn take_references(&mut self) -> impl Sized + use<> {
        let rules = (std::mem::take(&mut self.rules), std::mem::take(&mut self.nodes));
        (self.link.take(), self.inner.take(), self.handlers.take(), rules)
    }

    pub(super) fn limits(&self) -> Limits {
        Limits { objects: self.allow_object_decoding, ..Limits::default() }
    }

    pub(super) fn dialect(&self, id: i32) -> Option<Dialect> {
        self.peers.get(&id).copied()
    }

    pub(super) fn has(&self, dialect: Dialect) -> bool {
        self.peers.values().any(|each| *each == dialect)
    }

    /// The peers of a dialect that a target reaches.
    pub(super) fn reached(&self, target: i32, dialect: Dialect) -> Vec<i32> {
        let of_dialect = self.peers.iter().filter(|(_, each)| **each == dialect).map(|(id, _)| *id);
        of_dialect.filter(|id| reaches(target, *id)).collect()
    }

    /// Forgets the connection and everybody on it.
    pub(super) fn forget_peers(&mut self) {
        self.peers.clear();
        self.detection.clear();
        self.paths.clear();
    }
}

/// Whether a target includes a peer.
pub(super) const fn reaches(target: i32, id: i32) -> bool {
    match target {
        0 => true,
        1.. => target == id,
        _ => target != -id,
    }
}
