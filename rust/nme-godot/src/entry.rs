//! The library's entry point. It stands before gdext's, and hands it the engine's functions, of which three are
//! replaced: the one that registers methods (see [`calls`]), and the two that print (see [`output`]).

use std::ffi::{CStr, c_char, c_void};
use std::mem::transmute;
use std::sync::OnceLock;

use godot::init::__gdext_load_library;
use godot::sys;

use crate::{Extension, calls, output, preamble};

/// A function whose type its name tells.
type Function = unsafe extern "C" fn();
type RegisterMethod = sys::GDExtensionInterfaceClassdbRegisterExtensionClassMethod;

/// Functions of the engine that are called without gdext.
pub(crate) struct Interface {
    get_proc_address: unsafe extern "C" fn(*const c_char) -> sys::GDExtensionInterfaceFunctionPtr,
    pub(crate) register_method: RegisterMethod,
    pub(crate) print_error: sys::GDExtensionInterfacePrintError,
    pub(crate) print_warning: sys::GDExtensionInterfacePrintWarning,
    pub(crate) variant_get_type: sys::GDExtensionInterfaceVariantGetType,
    pub(crate) variant_construct: sys::GDExtensionInterfaceVariantConstruct,
    pub(crate) variant_destroy: sys::GDExtensionInterfaceVariantDestroy,
    pub(crate) can_convert_strict: sys::GDExtensionInterfaceVariantCanConvertStrict,
    pub(crate) object_from_variant:
        unsafe extern "C" fn(sys::GDExtensionUninitializedTypePtr, sys::GDExtensionVariantPtr),
    pub(crate) is_instance_valid:
        unsafe extern "C" fn(sys::GDExtensionTypePtr, *const sys::GDExtensionConstTypePtr, i32),
    pub(crate) cast_to: sys::GDExtensionInterfaceObjectCastTo,
    pub(crate) class_tag: sys::GDExtensionInterfaceClassdbGetClassTag,
}

/// Set once: a library that is loaded anew is in the same engine.
static INTERFACE: OnceLock<Interface> = OnceLock::new();

/// `is_instance_valid` is found by its signature's hash, which is the same in every Godot 4.
const IS_INSTANCE_VALID: (&CStr, i64) = (c"is_instance_valid", 996_128_841);

impl Interface {
    pub(crate) fn get() -> Option<&'static Self> {
        INTERFACE.get()
    }

    /// `None` for an engine that lacks one of the functions. gdext says what is wrong with it.
    ///
    /// # Safety
    /// `get_proc_address` is the engine's.
    unsafe fn load(get_proc_address: sys::GDExtensionInterfaceGetProcAddress) -> Option<Self> {
        let get_proc_address = get_proc_address?;
        // SAFETY: the engine's functions have the types that its interface gives to these names.
        unsafe {
            macro_rules! function {
                ($name:literal, $type:ty) => {
                    transmute::<Function, $type>(get_proc_address($name.as_ptr())?)
                };
            }
            let to_type = function!(
                c"get_variant_to_type_constructor",
                sys::GDExtensionInterfaceGetVariantToTypeConstructor
            );
            let utility = function!(
                c"variant_get_ptr_utility_function",
                sys::GDExtensionInterfaceVariantGetPtrUtilityFunction
            );
            let new_string_name = function!(
                c"string_name_new_with_latin1_chars",
                sys::GDExtensionInterfaceStringNameNewWithLatin1Chars
            );
            // A StringName is a pointer. The engine keeps this one, as its text is static.
            let mut is_instance_valid: *mut c_void = std::ptr::null_mut();
            new_string_name((&raw mut is_instance_valid).cast(), IS_INSTANCE_VALID.0.as_ptr(), 1);
            Some(Self {
                get_proc_address,
                register_method: function!(c"classdb_register_extension_class_method", RegisterMethod),
                print_error: function!(c"print_error", sys::GDExtensionInterfacePrintError),
                print_warning: function!(c"print_warning", sys::GDExtensionInterfacePrintWarning),
                variant_get_type: function!(c"variant_get_type", sys::GDExtensionInterfaceVariantGetType),
                variant_construct: function!(c"variant_construct", sys::GDExtensionInterfaceVariantConstruct),
                variant_destroy: function!(c"variant_destroy", sys::GDExtensionInterfaceVariantDestroy),
                can_convert_strict: function!(
                    c"variant_can_convert_strict",
                    sys::GDExtensionInterfaceVariantCanConvertStrict
                ),
                object_from_variant: to_type(sys::GDEXTENSION_VARIANT_TYPE_OBJECT)?,
                is_instance_valid: utility(
                    (&raw const is_instance_valid).cast_mut().cast(),
                    IS_INSTANCE_VALID.1,
                )?,
                cast_to: function!(c"object_cast_to", sys::GDExtensionInterfaceObjectCastTo),
                class_tag: function!(c"classdb_get_class_tag", sys::GDExtensionInterfaceClassdbGetClassTag),
            })
        }
    }
}

/// What the engine calls when it has loaded the library.
///
/// # Safety
/// Only the engine calls this, with what its interface says.
#[unsafe(no_mangle)]
unsafe extern "C" fn networked_multiplayer_enet_init(
    get_proc_address: sys::GDExtensionInterfaceGetProcAddress,
    library: sys::GDExtensionClassLibraryPtr,
    init: *mut sys::GDExtensionInitialization,
) -> sys::GDExtensionBool {
    // SAFETY: the engine's function.
    let loaded = match unsafe { Interface::load(get_proc_address) } {
        Some(interface) => {
            INTERFACE.get_or_init(|| interface);
            Some(self::get_proc_address as _)
        }
        None => get_proc_address,
    };
    // SAFETY: what the engine has passed, or a function that answers as the engine's does.
    let success = preamble::without(|| unsafe { __gdext_load_library::<Extension>(loaded, library, init) });
    output::install_panic_hook();
    success
}

#[cfg(target_os = "linux")]
godot::sys::register_hot_reload_workaround!();

/// The engine's functions, for gdext.
unsafe extern "C" fn get_proc_address(name: *const c_char) -> sys::GDExtensionInterfaceFunctionPtr {
    let interface = Interface::get()?;
    // SAFETY: gdext asks for names that end in NUL.
    let wanted = unsafe { CStr::from_ptr(name) };
    // SAFETY: gdext gives each function the type that it has here, by its name.
    unsafe {
        Some(if wanted == c"classdb_register_extension_class_method" {
            transmute::<RegisterMethod, Function>(calls::register_method)
        } else if wanted == c"print_error" {
            transmute::<sys::GDExtensionInterfacePrintError, Function>(output::print_error)
        } else if wanted == c"print_warning" {
            transmute::<sys::GDExtensionInterfacePrintWarning, Function>(output::print_warning)
        } else {
            return (interface.get_proc_address)(name);
        })
    }
}
