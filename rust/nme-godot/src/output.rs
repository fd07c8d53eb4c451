//! What is printed: errors and warnings, of this library and of gdext.
//!
//! They are placed where the script has called, so that a click on one leads there; gdext would name a line of Rust.

use std::any::Any;
use std::cell::Cell;
use std::ffi::{CStr, CString, c_char};
use std::fmt::{self, Write};

use godot::builtin::{AnyArray, GString, Variant};
use godot::classes::{Engine, RefCounted};
use godot::global::godot_error;
use godot::init::{GdextBuild, is_class_available};
use godot::meta::ToGodot;
use godot::obj::{Gd, Singleton};
use godot::sys;

use crate::entry::Interface;

/// Characters of a text from outside that an error shows.
const QUOTED_CHARACTERS: usize = 80;
/// Characters of an error.
const LINE_CHARACTERS: usize = 1000;

/// A text that an error quotes: the beginning of it, on one line.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{}\"", line(self.0, QUOTED_CHARACTERS))
    }
}

/// Stands for the engine's function of this name.
///
/// # Safety
/// As for the engine's function.
pub(crate) unsafe extern "C" fn print_error(
    description: *const c_char,
    _function: *const c_char,
    _file: *const c_char,
    _line: i32,
    notify_editor: sys::GDExtensionBool,
) {
    if let Some(interface) = Interface::get() {
        // SAFETY: passed on from the caller.
        unsafe { print(interface.print_error, description, notify_editor) }
    }
}

/// Stands for the engine's function of this name.
///
/// # Safety
/// As for the engine's function.
pub(crate) unsafe extern "C" fn print_warning(
    description: *const c_char,
    _function: *const c_char,
    _file: *const c_char,
    _line: i32,
    notify_editor: sys::GDExtensionBool,
) {
    if let Some(interface) = Interface::get() {
        // SAFETY: passed on from the caller.
        unsafe { print(interface.print_warning, description, notify_editor) }
    }
}

/// Panics are defects of this library. gdext would print the place in Rust, and a backtrace or how to get one.
pub(crate) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic_message(panic.payload());
        godot_error!("NetworkedMultiplayerENet: internal error, please report it: {message}.");
    }));
}

fn panic_message(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// # Safety
/// `description` ends in NUL, and `print` takes texts that do.
unsafe fn print(
    print: sys::GDExtensionInterfacePrintError,
    description: *const c_char,
    notify_editor: sys::GDExtensionBool,
) {
    // SAFETY: passed on from the caller.
    let description = unsafe { CStr::from_ptr(description) };
    let text = c_string(&line(&description.to_string_lossy(), LINE_CHARACTERS));
    let place = Place::of_script().unwrap_or_default();
    // SAFETY: texts that end in NUL and live until the call is over.
    unsafe { print(text.as_ptr(), place.function.as_ptr(), place.file.as_ptr(), place.line, notify_editor) };
}

/// Where an error is.
struct Place {
    function: CString,
    file: CString,
    line: i32,
}

/// Where no script is known. The editor finds the line by itself then, if a script has called.
impl Default for Place {
    fn default() -> Self {
        Self { function: c"NetworkedMultiplayerENet".to_owned(), file: c"addon".to_owned(), line: 0 }
    }
}

impl Place {
    /// The line of the script that runs in this thread. The engine tells it since version 4.5, and in release builds only
    /// with the project setting `debug/settings/gdscript/always_track_call_stacks`.
    fn of_script() -> Option<Self> {
        thread_local! {
            static BUSY: Cell<bool> = const { Cell::new(false) };
        }
        if !is_class_available::<Engine>() || !has_backtraces() {
            return None;
        }
        // Errors of the calls below have no place.
        if BUSY.replace(true) {
            return None;
        }
        let place = Self::look_up();
        BUSY.set(false);
        place
    }

    fn look_up() -> Option<Self> {
        let traces = Engine::singleton().try_call("capture_script_backtraces", &[]).ok()?;
        let traces = traces.try_to::<AnyArray>().ok()?;
        traces.iter_shared().find_map(|trace| Self::of_trace(&trace))
    }

    /// The call that a backtrace ends with.
    fn of_trace(trace: &Variant) -> Option<Self> {
        let mut trace = trace.try_to::<Gd<RefCounted>>().ok()?;
        if trace.try_call("get_frame_count", &[]).ok()?.try_to::<i64>().ok()? == 0 {
            return None;
        }
        let mut frame = |what: &str| trace.try_call(what, &[0.to_variant()]).ok();
        let text = |value: Variant| value.try_to::<GString>().ok().map(|text| c_string(&text.to_string()));
        Some(Self {
            function: text(frame("get_frame_function")?)?,
            file: text(frame("get_frame_file")?)?,
            line: frame("get_frame_line")?.try_to::<i32>().ok()?,
        })
    }
}

fn has_backtraces() -> bool {
    GdextBuild::godot_runtime_version_triple() >= (4, 5, 0)
}

/// The beginning of a text, with escapes for what would break or hide a part of the line.
fn line(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    let mut characters = text.chars();
    for character in characters.by_ref().take(limit) {
        if is_plain(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    let rest = characters.count();
    if rest > 0 {
        // Writing into a string does not fail.
        let _ = write!(shown, "... and {rest} more characters");
    }
    shown
}

/// Neither a control character, nor a line's end, nor one that turns the direction of what follows.
fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}')
        && !matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Escaped texts have no NUL.
fn c_string(text: &str) -> CString {
    CString::new(text).unwrap_or_default()
}
