//! gdext says hello on standard output when it is loaded, unless the program was started with `--quiet`. Nobody has asked
//! for that line, and gdext has no other switch. So it finds `--quiet` for as long as it is loading: on Linux and Apple's
//! systems in the place of the program's name, which nobody reads by then; on Windows there is no standard output
//! for Rust meanwhile. Android throws away what goes there.

/// Runs `load`, during which gdext keeps quiet.
pub(crate) fn without<T>(load: impl FnOnce() -> T) -> T {
    let _quiet = Quiet::new();
    load()
}

#[cfg(any(all(target_os = "linux", target_env = "gnu"), target_vendor = "apple"))]
use unix::Quiet;
#[cfg(windows)]
use windows::Quiet;

#[cfg(not(any(all(target_os = "linux", target_env = "gnu"), target_vendor = "apple", windows)))]
struct Quiet;

#[cfg(not(any(all(target_os = "linux", target_env = "gnu"), target_vendor = "apple", windows)))]
impl Quiet {
    const fn new() -> Self {
        Self
    }
}

#[cfg(any(all(target_os = "linux", target_env = "gnu"), target_vendor = "apple"))]
mod unix {
    use std::ffi::{c_char, c_int};
    use std::sync::atomic::{AtomicPtr, Ordering};

    const SWITCH: &std::ffi::CStr = c"--quiet";

    /// The program's name is the switch for as long as this lives.
    pub(super) struct Quiet {
        name: Option<(&'static AtomicPtr<c_char>, *mut c_char)>,
    }

    impl Quiet {
        pub(super) fn new() -> Self {
            let slot = program_name();
            let name = slot.map(|slot| (slot, slot.swap(SWITCH.as_ptr().cast_mut(), Ordering::Relaxed)));
            Self { name }
        }
    }

    impl Drop for Quiet {
        fn drop(&mut self) {
            if let Some((slot, name)) = self.name {
                slot.store(name, Ordering::Relaxed);
            }
        }
    }

    /// Where the pointer to the program's name is: the first argument.
    fn program_name() -> Option<&'static AtomicPtr<c_char>> {
        let (count, values) = arguments();
        // SAFETY: the arguments of the process are writable, aligned, and stay where they are until it ends.
        (count > 0 && !values.is_null()).then(|| unsafe { AtomicPtr::from_ptr(values) })
    }

    #[cfg(target_vendor = "apple")]
    fn arguments() -> (c_int, *mut *mut c_char) {
        unsafe extern "C" {
            fn _NSGetArgc() -> *const c_int;
            fn _NSGetArgv() -> *const *mut *mut c_char;
        }
        // SAFETY: the system answers with pointers to its variables.
        unsafe { (*_NSGetArgc(), *_NSGetArgv()) }
    }

    #[cfg(target_os = "linux")]
    fn arguments() -> (c_int, *mut *mut c_char) {
        (COUNT.load(Ordering::Relaxed), VALUES.load(Ordering::Relaxed))
    }

    #[cfg(target_os = "linux")]
    static COUNT: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(0);
    #[cfg(target_os = "linux")]
    static VALUES: AtomicPtr<*mut c_char> = AtomicPtr::new(std::ptr::null_mut());

    /// The C library calls what is in this section with the arguments of the process when it loads the library. Rust's own
    /// library learns them in this way, too.
    #[cfg(target_os = "linux")]
    #[used]
    #[unsafe(link_section = ".init_array")]
    static KEEP_ARGUMENTS: extern "C" fn(c_int, *mut *mut c_char, *mut *mut c_char) = keep_arguments;

    #[cfg(target_os = "linux")]
    extern "C" fn keep_arguments(count: c_int, values: *mut *mut c_char, _environment: *mut *mut c_char) {
        COUNT.store(count, Ordering::Relaxed);
        VALUES.store(values, Ordering::Relaxed);
    }
}

#[cfg(windows)]
mod windows {
    use windows_sys::Win32::Foundation::HANDLE;
    use windows_sys::Win32::System::Console::{GetStdHandle, STD_OUTPUT_HANDLE, SetStdHandle};

    /// Rust finds no standard output for as long as this lives. C's has its own copy of the handle.
    pub(super) struct Quiet {
        output: HANDLE,
    }

    impl Quiet {
        pub(super) fn new() -> Self {
            // SAFETY: both only read and write a field of the process.
            unsafe {
                let output = GetStdHandle(STD_OUTPUT_HANDLE);
                SetStdHandle(STD_OUTPUT_HANDLE, std::ptr::null_mut());
                Self { output }
            }
        }
    }

    impl Drop for Quiet {
        fn drop(&mut self) {
            // SAFETY: as above.
            unsafe { SetStdHandle(STD_OUTPUT_HANDLE, self.output) };
        }
    }
}
