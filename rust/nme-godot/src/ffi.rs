//! The packets that Godot passes as pointers, objects and functions that any thread may use, and one call to Windows.

use std::slice;

use godot::builtin::Callable;
use godot::classes::RefCounted;
use godot::obj::{Gd, GodotClass, Inherits};

/// What Godot hands to `_put_packet`, as bytes.
///
/// # Safety
/// `buffer` points to `len` readable bytes that nobody changes during `'a`, or `len` is not positive.
pub(crate) unsafe fn packet<'a>(buffer: *const u8, len: i32) -> &'a [u8] {
    match usize::try_from(len) {
        Ok(len) if len > 0 && !buffer.is_null() => {
            // SAFETY: passed on from the caller.
            unsafe { slice::from_raw_parts(buffer, len) }
        }
        _ => &[],
    }
}

/// Answers Godot's `_get_packet` with a packet that outlives the call.
///
/// # Safety
/// Both pointers are writable, and `packet` stays where it is until Godot has read it.
pub(crate) unsafe fn answer(packet: &[u8], buffer: *mut *const u8, len: *mut i32) {
    // Packets are at most 16 MiB long.
    let packet_len = i32::try_from(packet.len()).unwrap_or(i32::MAX);
    // SAFETY: passed on from the caller.
    unsafe {
        buffer.write(packet.as_ptr());
        len.write(packet_len);
    }
}

/// A key or certificate, which any thread may use.
pub(crate) struct Credential<T: GodotClass>(Gd<T>);

impl<T: GodotClass> Clone for Credential<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

// SAFETY: the engine counts references to such an object atomically, in whatever thread, and the class only has it read.
// That no script changes it at that moment is the script's business, as with every Resource.
unsafe impl<T: Inherits<RefCounted>> Send for Credential<T> {}

impl<T: GodotClass> Credential<T> {
    pub(crate) const fn new(object: Gd<T>) -> Self {
        Self(object)
    }

    #[cfg(feature = "dtls")]
    pub(crate) const fn get(&self) -> &Gd<T> {
        &self.0
    }
}

/// A function of a script, which any thread may call.
#[derive(Clone)]
pub(crate) struct ScriptFunction(Callable);

// SAFETY: the engine counts references to a callable's data atomically, and lets any thread call it. What the script's function
// may do in that thread is the script's business, as with every signal that a thread emits.
unsafe impl Send for ScriptFunction {}

impl ScriptFunction {
    /// `None` for the empty callable.
    pub(crate) fn new(callable: Callable) -> Option<Self> {
        (!callable.is_null()).then_some(Self(callable))
    }

    pub(crate) const fn get(&self) -> &Callable {
        &self.0
    }
}

/// Keeps the library loaded until the process ends (see `build.rs`).
#[cfg(windows)]
pub(crate) fn pin_library() {
    use windows_sys::Win32::System::LibraryLoader::{
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
    };
    let mut module = std::ptr::null_mut();
    let flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN;
    let inside = pin_library as *const () as *const u16;
    // SAFETY: with this flag the name is an address inside the module, and `module` is writable. A failure only
    // means that the library is not pinned.
    unsafe { GetModuleHandleExW(flags, inside, &mut module) };
}
