//! Calls that reach nobody but peers of Godot 4, handed to SceneMultiplayer as they have come.
//!
//! Its `rpc` takes what the engine passes to `_rpc`, in the same order. To make an object, a name and an array of gdext's out of that
//! and to pass those on takes a third of the time that SceneMultiplayer needs for eight peers.

use std::ptr;

use godot::builtin::VariantType;
use godot::classes::SceneMultiplayer;
use godot::global::Error;
use godot::init::is_main_thread;
use godot::obj::EngineEnum;
use godot::prelude::*;
use godot::sys::{
    self, GDExtensionConstTypePtr, GDExtensionMethodBindPtr, GDExtensionObjectPtr, GDExtensionTypePtr,
};
use nme_godot3::Dialect;

use super::class::{Godot3Multiplayer, answer};
use super::inner::Inner;
use super::link::Link;
use super::rules::Permission;
use super::send::{self, MAX_ARGUMENTS};
use super::state::State;
use crate::dispatch::Callee;

/// Makes a call and answers the engine, or does nothing and returns false: [`send::call`] takes what needs more, and mistakes.
///
/// # Safety
/// `arguments` and `result` are the engine's, of a call of `_rpc` that has not returned.
pub(super) unsafe fn forward(
    api: &Callee<'_, Godot3Multiplayer>,
    arguments: *const GDExtensionConstTypePtr,
    result: GDExtensionTypePtr,
) -> bool {
    if !is_main_thread() {
        return false;
    }
    // SAFETY: passed on from the caller.
    let call = unsafe { Call::new(arguments) };
    let (Ok(target), Some(node)) = (i32::try_from(call.target()), call.object_id()) else { return false };
    let (way, runs_locally, own_id) = {
        let state = api.shared.lock();
        let Some(runs_locally) = state.forwarding(target, node, call.method()) else { return false };
        (state.inner.as_ref().and_then(Inner::short_way), runs_locally, state.own_id)
    };
    let Some(way) = way.filter(|way| way.argument_count(&call) <= MAX_ARGUMENTS as i64) else { return false };
    // SAFETY: the result is passed on from the caller.
    let make = || unsafe { way.call(&call, result) };
    // Nobody but the local part can ask who calls.
    let code = if runs_locally { api.shared.acting_for(own_id, make) } else { make() };
    if code != Error::OK {
        answer("rpc", send::inner_result(code));
    }
    true
}

impl State {
    /// For a call that is SceneMultiplayer's business alone, since the method is configured in Godot 4's way: whether it may run
    /// here, too.
    fn forwarding(&self, target: i32, node: InstanceId, method: &StringName) -> Option<bool> {
        let script = self.nodes.known_script(node)?;
        let Some(Permission::Godot4 { call_local, .. }) = script.permission(method) else { return None };
        let is_forwarded = self.rules.registered(node, script, method).is_none()
            && self.reaches_godot4_only(target)
            && self.link.as_ref().is_some_and(Link::is_own_and_connected);
        is_forwarded.then_some(call_local)
    }

    /// Whether a target is one peer of Godot 4, or several and nobody else.
    fn reaches_godot4_only(&self, target: i32) -> bool {
        // Without an id, the peer below has to be asked for it.
        if self.own_id == 0 || target.saturating_abs() == self.own_id {
            return false;
        }
        if target > 0 {
            return self.dialect(target) == Some(Dialect::Godot4);
        }
        let is_known = target == 0 || self.peers.contains_key(&target.saturating_neg());
        let others = self.peers.len() - usize::from(target != 0 && is_known);
        is_known && others > 0 && !self.has(Dialect::Godot3)
    }
}

/// What the engine passes to `_rpc`: whom it is for, the node, the method and the arguments.
struct Call<'a>(&'a [GDExtensionConstTypePtr; 4]);

impl Call<'_> {
    /// # Safety
    /// These are the arguments of `_rpc`, which stay where they are for as long as this exists.
    unsafe fn new(arguments: *const GDExtensionConstTypePtr) -> Self {
        // SAFETY: the method has four.
        Self(unsafe { &*arguments.cast() })
    }

    fn target(&self) -> i64 {
        // SAFETY: the engine passes numbers as i64.
        unsafe { *self.0[0].cast() }
    }

    /// The id of the object, if there is one.
    fn object_id(&self) -> Option<InstanceId> {
        // SAFETY: the engine passes an object as the place of a pointer to it.
        let object: GDExtensionObjectPtr = unsafe { *self.0[1].cast() };
        if object.is_null() {
            return None;
        }
        // SAFETY: an object that the caller has is there.
        let id = unsafe { sys::interface_fn!(object_get_instance_id)(object) };
        InstanceId::try_from_i64(id as i64)
    }

    fn method(&self) -> &StringName {
        // SAFETY: gdext's type is the engine's own, and nothing else (`repr(transparent)`).
        unsafe { &*self.0[2].cast() }
    }
}

/// A SceneMultiplayer, and the functions of the engine that a call needs.
pub(super) struct ShortWay {
    scene: Gd<SceneMultiplayer>,
    rpc: GDExtensionMethodBindPtr,
    array_size: ArraySize,
}

impl ShortWay {
    /// `None` where the engine has other functions.
    pub(super) fn new(scene: &Gd<SceneMultiplayer>) -> Option<Self> {
        let (class, rpc, size) =
            (StringName::from("MultiplayerAPI"), StringName::from("rpc"), StringName::from("size"));
        // SAFETY: the names are there during the calls.
        let (rpc, array_size) = unsafe {
            (
                sys::interface_fn!(classdb_get_method_bind)(class.string_sys(), rpc.string_sys(), RPC_HASH),
                sys::interface_fn!(variant_get_ptr_builtin_method)(
                    VariantType::ARRAY.sys(),
                    size.string_sys(),
                    ARRAY_SIZE_HASH,
                ),
            )
        };
        (!rpc.is_null()).then_some(Self { scene: scene.clone(), rpc, array_size: array_size? })
    }

    fn argument_count(&self, call: &Call<'_>) -> i64 {
        let mut count = 0_i64;
        // SAFETY: the method of arrays without arguments, which answers an i64 and changes nothing.
        unsafe { (self.array_size)(call.0[3].cast_mut(), ptr::null(), (&raw mut count).cast(), 0) };
        count
    }

    /// # Safety
    /// A number can be written to `result`.
    unsafe fn call(&self, call: &Call<'_>, result: GDExtensionTypePtr) -> Error {
        // SAFETY: it is a method of the object's class, and takes the same arguments. The result is passed on from the caller.
        let code: i64 = unsafe {
            sys::interface_fn!(object_method_bind_ptrcall)(
                self.rpc,
                self.scene.obj_sys(),
                call.0.as_ptr(),
                result,
            );
            *result.cast()
        };
        i32::try_from(code).ok().and_then(Error::try_from_ord).unwrap_or(Error::FAILED)
    }
}

type ArraySize = unsafe extern "C" fn(
    GDExtensionTypePtr,
    *const GDExtensionConstTypePtr,
    GDExtensionTypePtr,
    std::ffi::c_int,
);

/// These stand for a method's arguments and result in the engine's list of methods, `extension_api.json`.
const RPC_HASH: i64 = 2_077_486_355;
const ARRAY_SIZE_HASH: i64 = 3_173_160_232;
