//! Nodes that have been called: what their scripts say. To ask an object whether it is a node, and for its script, takes gdext longer
//! than the rest of a call.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use godot::classes::object::ConnectFlags;
use godot::prelude::*;

use super::class::Godot3Multiplayer;
use super::rules::{ScriptRules, forget_freed};
use crate::dispatch;

/// What is known of nodes, until their script changes. An id is never used again for another object.
#[derive(Default)]
pub(super) struct Nodes {
    known: HashMap<InstanceId, Known, BuildHasherDefault<IdHasher>>,
}

#[derive(Clone)]
struct Known {
    node: Gd<Node>,
    script: Arc<ScriptRules>,
}

impl Nodes {
    /// What the script of a node says, if the node has been looked at.
    pub(super) fn known_script(&self, node: InstanceId) -> Option<&ScriptRules> {
        self.known.get(&node).map(|known| &*known.script)
    }

    pub(super) fn clear(&mut self) {
        self.known.clear();
    }
}

/// An object as a node, with what its script says; `None` if it is no node.
pub(super) fn look_at(
    this: &Gd<Godot3Multiplayer>,
    object: Gd<Object>,
) -> Option<(Gd<Node>, Arc<ScriptRules>)> {
    let id = object.instance_id_unchecked();
    let known = dispatch::shared(this).lock().nodes.known.get(&id).cloned();
    if let Some(Known { node, script }) = known {
        return Some((node, script));
    }
    let node = object.try_cast::<Node>().ok()?;
    let script = look_up(this, &node);
    Some((node, script))
}

/// What a node's script says.
pub(super) fn script_of(this: &Gd<Godot3Multiplayer>, node: &Gd<Node>) -> Arc<ScriptRules> {
    let id = node.instance_id_unchecked();
    let known = dispatch::shared(this).lock().nodes.known.get(&id).map(|known| Arc::clone(&known.script));
    known.unwrap_or_else(|| look_up(this, node))
}

fn look_up(this: &Gd<Godot3Multiplayer>, node: &Gd<Node>) -> Arc<ScriptRules> {
    let script = ask_script(this, node);
    let (api, id) = (this.instance_id(), node.instance_id());
    let forget = Callable::from_fn("Godot3Multiplayer.script_changed", move |_| {
        if let Ok(api) = Gd::<Godot3Multiplayer>::try_from_instance_id(api) {
            dispatch::shared(&api).lock().nodes.known.remove(&id);
        }
    });
    node.clone().upcast::<Object>().connect_flags(SCRIPT_CHANGED, &forget, ConnectFlags::ONE_SHOT);
    let shared = dispatch::shared(this);
    let known = &mut shared.lock().nodes.known;
    forget_freed(known);
    known.insert(id, Known { node: node.clone(), script: Arc::clone(&script) });
    script
}

/// From the store or from the script. For a node without one, nothing.
fn ask_script(this: &Gd<Godot3Multiplayer>, node: &Gd<Node>) -> Arc<ScriptRules> {
    let Some(script) = node.get_script() else { return Arc::default() };
    let id = script.instance_id();
    if let Some(known) = dispatch::shared(this).lock().rules.known_script(id) {
        return known;
    }
    let found = Arc::new(ScriptRules::of(&script));
    dispatch::shared(this).lock().rules.remember(id, &found);
    found
}

/// For the engine's ids, which no stranger chooses: each call looks for one, and the standard hash takes longer than the rest of that.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio: numbers that follow each other get far apart in the upper bits.
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

const SCRIPT_CHANGED: &str = "script_changed";
