//! Calls with Variants, as `call()`, `set()` and untyped variables make them: what a method gets is looked at here, before
//! gdext does.
//!
//! The engine leaves that to an extension, which answers with the number of the argument and the type it wants; then the
//! engine prints its own error, at the script's line. gdext's answer is an error of its own and a code that the engine
//! does not know. So methods are registered with [`call`] in front of gdext's function, and that one only gets what
//! the engine's own classes would take, in the types it wants. Calls with types that the script's compiler knows
//! ("ptrcalls") do not come by.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::{array, ptr, slice};

use godot::sys;

use crate::entry::Interface;

/// The most arguments that a method may have to be checked: more than any has.
const MOST_ARGUMENTS: usize = 8;

/// A method as gdext has registered it.
struct Method {
    interface: &'static Interface,
    call: unsafe extern "C" fn(
        *mut c_void,
        sys::GDExtensionClassInstancePtr,
        *const sys::GDExtensionConstVariantPtr,
        sys::GDExtensionInt,
        sys::GDExtensionVariantPtr,
        *mut sys::GDExtensionCallError,
    ),
    arguments: Box<[Argument]>,
    /// How many arguments have no default value.
    required: usize,
}

struct Argument {
    variant_type: sys::GDExtensionVariantType,
    /// What the engine knows an object's class by; null for any class, and for other types.
    class_tag: *mut c_void,
}

/// Stands for the engine's function of this name.
///
/// # Safety
/// As for the engine's function.
pub(crate) unsafe extern "C" fn register_method(
    library: sys::GDExtensionClassLibraryPtr,
    class_name: sys::GDExtensionConstStringNamePtr,
    info: *const sys::GDExtensionClassMethodInfo,
) {
    let Some(interface) = Interface::get() else { return };
    // SAFETY: gdext passes a valid description.
    let mut info = unsafe { *info };
    let count = info.argument_count as usize;
    // gdext's functions have no use for the pointer that they are called with, so that there is room for ours.
    if let (Some(call), true, true) =
        (info.call_func, info.method_userdata.is_null(), count <= MOST_ARGUMENTS)
    {
        let described = match count {
            0 => &[],
            // SAFETY: gdext describes as many arguments as it says.
            _ => unsafe { slice::from_raw_parts(info.arguments_info, count) },
        };
        let method = Method {
            interface,
            call,
            arguments: described.iter().map(|each| Argument::new(interface, each)).collect(),
            required: count - (info.default_argument_count as usize).min(count),
        };
        // The engine keeps it for as long as the process lives.
        info.method_userdata = ptr::from_ref(Box::leak(Box::new(method))).cast_mut().cast();
        info.call_func = Some(self::call);
    }
    // SAFETY: what gdext has passed, with a function that has the same signature.
    unsafe { (interface.register_method)(library, class_name, &raw const info) }
}

/// Checks and converts the arguments, and calls gdext.
unsafe extern "C" fn call(
    method: *mut c_void,
    instance: sys::GDExtensionClassInstancePtr,
    arguments: *const sys::GDExtensionConstVariantPtr,
    count: sys::GDExtensionInt,
    answer: sys::GDExtensionVariantPtr,
    error: *mut sys::GDExtensionCallError,
) {
    // SAFETY: `register_method` has registered this function together with a method, which lives on.
    let method = unsafe { &*method.cast::<Method>() };
    let given = match usize::try_from(count) {
        Ok(count) if count > 0 => {
            // SAFETY: the engine passes as many pointers to Variants as it says.
            unsafe { slice::from_raw_parts(arguments, count) }
        }
        _ => &[],
    };
    if given.len() > method.arguments.len() || given.len() < method.required {
        let too_many = given.len() > method.arguments.len();
        // SAFETY: the engine reads the error from there.
        unsafe { *error = method.wrong_count(too_many) };
        return;
    }
    // SAFETY: the engine's own Variants.
    if unsafe { method.fit(given) } {
        // SAFETY: the engine's own arguments, passed on.
        return unsafe { (method.call)(ptr::null_mut(), instance, arguments, count, answer, error) };
    }
    let mut converted = Converted::new(method.interface);
    // SAFETY: the engine's own Variants, which live until the call is over.
    match unsafe { converted.fill(&method.arguments, given) } {
        // SAFETY: as above, with as many arguments. They stay where they are until the call is over.
        Ok(()) => unsafe {
            let arguments = converted.pointers.as_ptr();
            (method.call)(ptr::null_mut(), instance, arguments, count, answer, error);
        },
        // SAFETY: the engine reads the error from there.
        Err(problem) => unsafe { *error = problem },
    }
}

impl Method {
    /// As the engine's own classes count: the defaults as well.
    fn wrong_count(&self, too_many: bool) -> sys::GDExtensionCallError {
        let kind = if too_many {
            sys::GDEXTENSION_CALL_ERROR_TOO_MANY_ARGUMENTS
        } else {
            sys::GDEXTENSION_CALL_ERROR_TOO_FEW_ARGUMENTS
        };
        let count = self.arguments.len() as i32;
        // Which of the two the engine reads depends on its version.
        sys::GDExtensionCallError { error: kind, argument: count, expected: count }
    }

    /// Whether everything has the type it should have; `false` for objects, whose class counts, too.
    ///
    /// # Safety
    /// These are live Variants.
    unsafe fn fit(&self, given: &[sys::GDExtensionConstVariantPtr]) -> bool {
        given.iter().zip(&self.arguments).all(|(&each, wanted)| {
            // SAFETY: passed on from the caller.
            let found = unsafe { (self.interface.variant_get_type)(each) };
            found == wanted.variant_type && found != sys::GDEXTENSION_VARIANT_TYPE_OBJECT
        })
    }
}

impl Argument {
    fn new(interface: &Interface, described: &sys::GDExtensionPropertyInfo) -> Self {
        let class_tag = match described.type_ {
            // SAFETY: gdext names a class of the engine, or none with an empty name.
            sys::GDEXTENSION_VARIANT_TYPE_OBJECT => unsafe {
                (interface.class_tag)(described.class_name.cast_const())
            },
            _ => ptr::null_mut(),
        };
        Self { variant_type: described.type_, class_tag }
    }

    /// Whether an object is one of the wanted class, or there is none.
    ///
    /// # Safety
    /// `variant` is a live Variant that holds an object, alive or not.
    unsafe fn takes_object(&self, interface: &Interface, variant: sys::GDExtensionConstVariantPtr) -> bool {
        let mut object: sys::GDExtensionObjectPtr = ptr::null_mut();
        // SAFETY: this only copies the pointer.
        unsafe { (interface.object_from_variant)((&raw mut object).cast(), variant.cast_mut()) };
        if object.is_null() {
            return true;
        }
        let mut alive: sys::GDExtensionBool = 0;
        let argument: sys::GDExtensionConstTypePtr = variant.cast();
        // SAFETY: a function with one argument, a Variant, that answers a boolean.
        unsafe { (interface.is_instance_valid)((&raw mut alive).cast(), &raw const argument, 1) };
        // SAFETY: the object lives.
        alive != 0
            && (self.class_tag.is_null() || unsafe { !(interface.cast_to)(object, self.class_tag).is_null() })
    }
}

/// Room for a Variant of any build of the engine.
#[repr(C, align(8))]
struct Room(MaybeUninit<[u8; 40]>);

/// Arguments as the method wants them: the engine's own where they fit, new ones else. It must not be moved once it
/// is filled, as it points into itself.
struct Converted<'a> {
    interface: &'a Interface,
    pointers: [sys::GDExtensionConstVariantPtr; MOST_ARGUMENTS],
    /// Bit `i` says that argument `i` is in its room.
    made: u8,
    rooms: [Room; MOST_ARGUMENTS],
}

impl<'a> Converted<'a> {
    fn new(interface: &'a Interface) -> Self {
        let rooms = array::from_fn(|_| Room(MaybeUninit::uninit()));
        Self { interface, pointers: [ptr::null(); MOST_ARGUMENTS], made: 0, rooms }
    }

    /// # Safety
    /// These are live Variants, at most as many as the method has arguments.
    unsafe fn fill(
        &mut self,
        wanted: &[Argument],
        given: &[sys::GDExtensionConstVariantPtr],
    ) -> Result<(), sys::GDExtensionCallError> {
        for (index, (&each, wanted)) in given.iter().zip(wanted).enumerate() {
            // SAFETY: passed on from the caller.
            if unsafe { !self.take(index, each, wanted) } {
                return Err(sys::GDExtensionCallError {
                    error: sys::GDEXTENSION_CALL_ERROR_INVALID_ARGUMENT,
                    argument: index as i32,
                    expected: wanted.variant_type,
                });
            }
        }
        Ok(())
    }

    /// # Safety
    /// `variant` is a live Variant.
    unsafe fn take(
        &mut self,
        index: usize,
        variant: sys::GDExtensionConstVariantPtr,
        wanted: &Argument,
    ) -> bool {
        let interface = self.interface;
        // SAFETY: passed on from the caller.
        let found = unsafe { (interface.variant_get_type)(variant) };
        self.pointers[index] = variant;
        if found == sys::GDEXTENSION_VARIANT_TYPE_OBJECT && wanted.variant_type == found {
            // SAFETY: passed on from the caller.
            return unsafe { wanted.takes_object(interface, variant) };
        }
        if found == wanted.variant_type || wanted.variant_type == sys::GDEXTENSION_VARIANT_TYPE_NIL {
            return true;
        }
        // SAFETY: two types of the engine.
        if unsafe { (interface.can_convert_strict)(found, wanted.variant_type) } == 0 {
            return false;
        }
        if wanted.variant_type == sys::GDEXTENSION_VARIANT_TYPE_OBJECT {
            // Only nothing becomes an object, and gdext takes that.
            return true;
        }
        let room = self.rooms[index].0.as_mut_ptr();
        let mut error =
            sys::GDExtensionCallError { error: sys::GDEXTENSION_CALL_OK, argument: 0, expected: 0 };
        // SAFETY: the room is large enough, and holds a Variant afterwards in any case.
        unsafe {
            let construct = interface.variant_construct;
            construct(wanted.variant_type, room.cast(), &raw const variant, 1, &raw mut error);
        }
        self.made |= 1 << index;
        self.pointers[index] = room.cast_const().cast();
        error.error == sys::GDEXTENSION_CALL_OK
    }
}

impl Drop for Converted<'_> {
    fn drop(&mut self) {
        for (index, room) in self.rooms.iter_mut().enumerate() {
            if self.made & (1 << index) != 0 {
                // SAFETY: a Variant was made there.
                unsafe { (self.interface.variant_destroy)(room.0.as_mut_ptr().cast()) };
            }
        }
    }
}
