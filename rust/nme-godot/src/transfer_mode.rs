//! `transfer_mode` set to a number that is no mode: gdext would refuse it with an error that says nothing to a game's
//! developer, before the class hears of it. So the class is registered with a look at the number in front of gdext's
//! function.

use std::ffi::c_void;
use std::sync::OnceLock;

use godot::classes::multiplayer_peer::TransferMode;
use godot::obj::EngineEnum;
use godot::sys;

use crate::entry::Interface;
use crate::error;

type CallVirtual = unsafe extern "C" fn(
    sys::GDExtensionClassInstancePtr,
    *const sys::GDExtensionConstTypePtr,
    sys::GDExtensionTypePtr,
);

/// gdext's functions.
static GET_VIRTUAL: OnceLock<sys::GDExtensionClassGetVirtual> = OnceLock::new();
static SET_TRANSFER_MODE: OnceLock<CallVirtual> = OnceLock::new();

/// Stands for the engine's `classdb_register_extension_class3`.
///
/// # Safety
/// As for the engine's function.
pub(crate) unsafe extern "C" fn register_class(
    library: sys::GDExtensionClassLibraryPtr,
    class_name: sys::GDExtensionConstStringNamePtr,
    parent_class_name: sys::GDExtensionConstStringNamePtr,
    info: *const sys::GDExtensionClassCreationInfo3,
) {
    let Some(interface) = Interface::get() else { return };
    // SAFETY: gdext passes a valid description.
    let mut info = unsafe { *info };
    // This library has one class.
    GET_VIRTUAL.get_or_init(|| info.get_virtual_func);
    info.get_virtual_func = Some(get_virtual);
    // SAFETY: what gdext has passed, with a function that has the same signature.
    unsafe { (interface.register_class)(library, class_name, parent_class_name, &raw const info) }
}

/// The engine asks this once for each virtual method that it is about to call.
unsafe extern "C" fn get_virtual(
    class: *mut c_void,
    name: sys::GDExtensionConstStringNamePtr,
) -> sys::GDExtensionClassCallVirtual {
    let get_virtual = GET_VIRTUAL.get().copied().flatten()?;
    // SAFETY: passed on from the engine.
    let found = unsafe { get_virtual(class, name) }?;
    let wanted = Interface::get()?.set_transfer_mode.0;
    // SAFETY: a StringName is one pointer, the same for the same text.
    if unsafe { name.cast::<*mut c_void>().read() } != wanted {
        return Some(found);
    }
    SET_TRANSFER_MODE.get_or_init(|| found);
    Some(set_transfer_mode)
}

/// What the engine calls for `_set_transfer_mode`.
unsafe extern "C" fn set_transfer_mode(
    instance: sys::GDExtensionClassInstancePtr,
    arguments: *const sys::GDExtensionConstTypePtr,
    answer: sys::GDExtensionTypePtr,
) {
    // SAFETY: the method has one argument, and the engine passes enums as 64-bit integers.
    let mode = unsafe { (*arguments).cast::<i64>().read() };
    let known = i32::try_from(mode).ok().and_then(TransferMode::try_from_ord).is_some();
    match SET_TRANSFER_MODE.get() {
        // SAFETY: passed on from the engine.
        Some(set) if known => unsafe { set(instance, arguments, answer) },
        _ => error::complain(
            "set_transfer_mode",
            format!("{mode} is no transfer mode; use one of the constants TRANSFER_MODE_*"),
        ),
    }
}
