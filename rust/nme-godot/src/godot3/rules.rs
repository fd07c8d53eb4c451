//! Who may call a method or set a property, and how a call travels: what scripts, nodes and the game itself have said.

use std::collections::HashMap;
use std::ffi::CStr;
use std::sync::{Arc, OnceLock};

use godot::classes::multiplayer_api::RpcMode as GodotMode;
use godot::classes::multiplayer_peer::TransferMode;
use godot::classes::{ClassDb, Script};
use godot::obj::EngineEnum;
use godot::prelude::*;
use nme_godot3::RpcMode;

use super::arguments::{self, Declared};

/// What is known of a method.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub(super) permission: Permission,
    pub(super) mode: TransferMode,
    /// 0 is the peer's own choice.
    pub(super) channel: i32,
}

/// For a method that nobody has said anything about: it can be called elsewhere, and never from there.
impl Default for Rule {
    fn default() -> Self {
        Self { permission: Permission::Godot3(RpcMode::Disabled), mode: TransferMode::RELIABLE, channel: 0 }
    }
}

/// Who may call, and who runs it.
#[derive(Clone, Copy)]
pub(super) enum Permission {
    /// In the words of Godot 4.
    Godot4 { mode: GodotMode, call_local: bool },
    /// In those of Godot 3.6, which have a master.
    Godot3(RpcMode),
}

impl Permission {
    pub(super) fn accepts(self, receiver_is_authority: bool, sender_is_authority: bool) -> bool {
        match self {
            Self::Godot4 { mode: GodotMode::ANY_PEER, .. } => true,
            Self::Godot4 { mode, .. } => mode == GodotMode::AUTHORITY && sender_is_authority,
            Self::Godot3(mode) => mode.accepts(receiver_is_authority, sender_is_authority),
        }
    }

    pub(super) const fn runs_locally(self, is_authority: bool) -> bool {
        match self {
            Self::Godot4 { call_local, .. } => call_local,
            Self::Godot3(mode) => mode.runs_locally(is_authority),
        }
    }

    /// Who may call, for an error.
    pub(super) fn allowed(self) -> &'static str {
        match self {
            Self::Godot4 { mode: GodotMode::AUTHORITY, .. } => "the node's authority (@rpc(\"authority\"))",
            Self::Godot4 { .. } | Self::Godot3(RpcMode::Disabled) => "nobody",
            Self::Godot3(RpcMode::Puppet | RpcMode::PuppetSync) => "the node's authority (puppet)",
            Self::Godot3(_) => "a node whose authority is here (master)",
        }
    }

    pub(super) const fn is_sent(self, is_authority: bool) -> bool {
        match self {
            Self::Godot4 { .. } => true,
            Self::Godot3(mode) => mode.is_sent(is_authority),
        }
    }
}

/// Everything that has been said, and what scripts were found to say.
#[derive(Default)]
pub(super) struct Rules {
    /// For nodes and scripts, by `rpc_config()`.
    methods: HashMap<InstanceId, HashMap<StringName, Rule>>,
    /// The same, by `rset_config()`.
    properties: HashMap<InstanceId, HashMap<StringName, RpcMode>>,
    scripts: HashMap<InstanceId, Arc<ScriptRules>>,
}

/// What a script says. It is asked once.
#[derive(Default)]
pub(super) struct ScriptRules {
    /// The script and those that it extends.
    lineage: Vec<InstanceId>,
    methods: HashMap<StringName, Rule>,
    declared: HashMap<StringName, Vec<Declared>>,
}

impl ScriptRules {
    /// The types that a method declares, if any needs a conversion.
    pub(super) fn declared(&self, method: &StringName) -> &[Declared] {
        self.declared.get(method).map_or(&[], Vec::as_slice)
    }

    /// Who may call a method.
    pub(super) fn permission(&self, method: &StringName) -> Option<Permission> {
        self.methods.get(method).map(|rule| rule.permission)
    }

    /// Asks a script.
    pub(super) fn of(script: &Gd<Script>) -> Self {
        let mut lineage = Vec::new();
        let mut next = Some(script.clone());
        while let Some(script) = next {
            lineage.push(script.instance_id());
            next = script.get_base_script();
        }
        let config = script_config(script);
        Self { lineage, methods: methods_of(&config), declared: arguments::declared_by(script) }
    }
}

impl Rules {
    pub(super) fn known_script(&self, id: InstanceId) -> Option<Arc<ScriptRules>> {
        self.scripts.get(&id).map(Arc::clone)
    }

    pub(super) fn remember(&mut self, id: InstanceId, script: &Arc<ScriptRules>) {
        forget_freed(&mut self.scripts);
        self.scripts.insert(id, Arc::clone(script));
    }

    /// Has scripts asked anew.
    pub(super) fn forget_scripts(&mut self) {
        self.scripts.clear();
    }

    pub(super) fn set_method(&mut self, owner: InstanceId, method: StringName, rule: Rule) {
        forget_freed(&mut self.methods);
        self.methods.entry(owner).or_default().insert(method, rule);
    }

    pub(super) fn set_property(&mut self, owner: InstanceId, property: StringName, mode: RpcMode) {
        forget_freed(&mut self.properties);
        self.properties.entry(owner).or_default().insert(property, mode);
    }

    /// What `rpc_config()` has said of a node's method.
    pub(super) fn registered(
        &self,
        node: InstanceId,
        script: &ScriptRules,
        method: &StringName,
    ) -> Option<Rule> {
        first(&self.methods, node, script, method)
    }

    /// What `rset_config()` has said of a node's property.
    pub(super) fn property(&self, node: InstanceId, script: &ScriptRules, property: &StringName) -> RpcMode {
        first(&self.properties, node, script, property).unwrap_or_default()
    }
}

/// The entry of the node, else of its script, else of a script that this one extends.
fn first<T: Copy>(
    entries: &HashMap<InstanceId, HashMap<StringName, T>>,
    node: InstanceId,
    script: &ScriptRules,
    name: &StringName,
) -> Option<T> {
    if entries.is_empty() {
        return None;
    }
    let owners = std::iter::once(&node).chain(&script.lineage);
    owners.filter_map(|owner| entries.get(owner)?.get(name)).next().copied()
}

/// How a call from here travels, where the game has said nothing with `rpc_config()`: the script says it, else the node, as in
/// Godot 4. To ask the node takes longer than all the rest.
pub(super) fn for_calling(script: &ScriptRules, node: &Gd<Node>, method: &StringName) -> Option<Rule> {
    script.methods.get(method).copied().or_else(|| of_node(node, method))
}

/// Who may call here, where the game has said nothing with `rpc_config()`. A node's mode of 3.6 counts more than what the script
/// says: it lets fewer in.
pub(super) fn for_being_called(script: &ScriptRules, node: &Gd<Node>, method: &StringName) -> Option<Rule> {
    let of_node = of_node(node, method);
    match of_node {
        Some(Rule { permission: Permission::Godot3(_), .. }) => of_node,
        _ => script.methods.get(method).copied().or(of_node),
    }
}

fn of_node(node: &Gd<Node>, method: &StringName) -> Option<Rule> {
    rule_of(&node_config(node)?.get(method)?)
}

/// The `@rpc` functions of a script; Godot tells them since version 4.4.
fn script_config(script: &Gd<Script>) -> VarDictionary {
    let mut script = script.clone();
    if !script.has_method("get_rpc_config") {
        return VarDictionary::new();
    }
    let config = script.try_call("get_rpc_config", &[]);
    config.ok().and_then(|config| config.try_to().ok()).unwrap_or_default()
}

/// What `Node.rpc_config()` was told; Godot tells it since version 4.4.
fn node_config(node: &Gd<Node>) -> Option<VarDictionary> {
    static GETTER: OnceLock<Option<&'static CStr>> = OnceLock::new();
    let known = [c"get_node_rpc_config", c"get_rpc_config"];
    let is_there =
        |getter: &&'static CStr| ClassDb::singleton().class_has_method("Node", &StringName::__cstr(getter));
    let getter = GETTER.get_or_init(|| known.into_iter().find(is_there)).as_ref()?;
    let config = node.clone().try_call(&StringName::__cstr(getter), &[]).ok()?;
    if config.is_nil() { None } else { config.try_to().ok() }
}

fn methods_of(config: &VarDictionary) -> HashMap<StringName, Rule> {
    let entries = config.iter_shared();
    entries.filter_map(|(method, entry)| Some((method.try_to_relaxed().ok()?, rule_of(&entry)?))).collect()
}

/// An entry of Godot 4's configuration. Missing keys mean the defaults.
fn rule_of(entry: &Variant) -> Option<Rule> {
    let entry: VarDictionary = entry.try_to().ok()?;
    let number = |key: &str| entry.get(key).and_then(|value| value.try_to_relaxed::<i64>().ok());
    let godot3 = entry.get("godot3").and_then(|value| godot3_mode(&value));
    let permission = match godot3 {
        Some(mode) => Permission::Godot3(mode),
        None => Permission::Godot4 {
            mode: number("rpc_mode").map_or(GodotMode::AUTHORITY, |mode| {
                i32::try_from(mode).ok().and_then(GodotMode::try_from_ord).unwrap_or(GodotMode::DISABLED)
            }),
            call_local: entry.get("call_local").is_some_and(|value| value.booleanize()),
        },
    };
    let mode = number("transfer_mode").and_then(|mode| TransferMode::try_from_ord(i32::try_from(mode).ok()?));
    let channel = number("channel").and_then(|channel| i32::try_from(channel).ok());
    Some(Rule { permission, mode: mode.unwrap_or(TransferMode::RELIABLE), channel: channel.unwrap_or(0) })
}

/// A mode of 3.6 by its keyword or its number. What is neither lets nobody call.
fn godot3_mode(value: &Variant) -> Option<RpcMode> {
    if value.is_nil() {
        return None;
    }
    let by_number = value.try_to::<i64>().ok().and_then(RpcMode::from_number);
    Some(by_number.or_else(|| RpcMode::from_name(&value.stringify().to_string())).unwrap_or_default())
}

/// Drops what belongs to objects that are gone, whenever twice as many have come as there were.
pub(super) fn forget_freed<T, S>(entries: &mut HashMap<InstanceId, T, S>) {
    if entries.len() >= FEW_OBJECTS && entries.len().is_power_of_two() {
        entries.retain(|id, _| id.lookup_validity());
    }
}

/// No need to look for those that are gone among so few.
const FEW_OBJECTS: usize = 64;
