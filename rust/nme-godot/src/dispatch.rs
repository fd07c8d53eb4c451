//! The way from the engine's calls to an object, for classes that are called often.
//!
//! gdext's own way locks the object for each call, counts in a table of threads, and ends with a system call that wakes who
//! may be waiting: 0.5 µs, several times for each packet. And for required virtual methods it has no receiver that leaves the
//! object unlocked while handlers run. So this looks up what the threads share of an object, and each thread remembers what
//! it has looked up.

use std::cell::RefCell;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::LocalKey;

use godot::obj::bounds::DeclUser;
use godot::obj::{Bounds, Gd, GodotClass, Inherits};
use godot::private::{Storage, as_storage};
use godot::sys::{self, GDExtensionClassInstancePtr};

/// A class whose objects consist of something that threads share.
pub(crate) trait Dispatched: GodotClass + Bounds<Declarer = DeclUser> {
    type Shared: 'static;

    fn shared_part(&self) -> &Arc<Self::Shared>;

    /// What this thread has looked up; a `thread_local!` of the class.
    fn recent() -> &'static LocalKey<RefCell<Recent<Self::Shared>>>;
}

/// The object that the engine calls.
pub(crate) struct Callee<'a, T: Dispatched> {
    instance: GDExtensionClassInstancePtr,
    pub(crate) shared: &'a Arc<T::Shared>,
}

impl<T: Dispatched> Callee<'_, T> {
    /// A reference to the object, for signals. Costs more than most calls.
    pub(crate) fn object(&self) -> Gd<T>
    where
        T: Inherits<<T as GodotClass>::Base>,
    {
        // SAFETY: `with` got the pointer from the engine, for a call that has not returned.
        unsafe { as_storage::<T>(self.instance) }.get_gd()
    }
}

/// Makes a call of the engine.
///
/// # Safety
/// `instance` is what the engine passes to a virtual method of this class, which has not returned.
pub(crate) unsafe fn with<T: Dispatched, R>(
    instance: GDExtensionClassInstancePtr,
    call: impl FnOnce(Callee<'_, T>) -> R,
) -> R {
    let ended = ENDED.load(Ordering::Acquire);
    T::recent().with(|recent| {
        // A handler may be running in this thread, in a call that was looked up here.
        if let Ok(recent) = recent.try_borrow()
            && let Some(known) = recent.find(ended, |known| known.instance == instance)
        {
            return call(Callee { instance, shared: &known.shared });
        }
        // SAFETY: passed on from the caller.
        let storage = unsafe { as_storage::<T>(instance) };
        let shared = Arc::clone(storage.get().shared_part());
        if let Ok(mut recent) = recent.try_borrow_mut() {
            // Not through a Gd: nobody may have a reference yet, as when the editor looks at default values, or any more.
            // SAFETY: the object is there as long as the call.
            let id = unsafe { sys::interface_fn!(object_get_instance_id)(storage.base().obj_sys()) };
            recent.insert(ended, Known { instance, id, shared: Arc::clone(&shared) });
        }
        call(Callee { instance, shared: &shared })
    })
}

/// What the threads share of an object.
pub(crate) fn shared<T: Dispatched>(object: &Gd<T>) -> Arc<T::Shared> {
    let ended = ENDED.load(Ordering::Acquire);
    let id = object.instance_id_unchecked().to_i64() as u64;
    let known = T::recent().with(|recent| {
        let recent = recent.try_borrow().ok()?;
        recent.find(ended, |known| known.id == id).map(|known| Arc::clone(&known.shared))
    });
    known.unwrap_or_else(|| {
        let shared = Arc::clone(object.bind().shared_part());
        T::recent().with(|recent| {
            if let Ok(mut recent) = recent.try_borrow_mut() {
                // What the engine passes to virtual methods is not to be had here.
                let instance = ptr::null_mut();
                recent.insert(ended, Known { instance, id, shared: Arc::clone(&shared) });
            }
        });
        shared
    })
}

/// A function for the engine that passes a call of a virtual method on to a function that takes a [`Callee`], unless an unsafe one has
/// made the call already, with the engine's own pointers.
macro_rules! passed_to {
    ($class:ident, $function:ident: $arguments:ty => $answer:ty $(, unless $shortcut:ident)?) => {{
        unsafe extern "C" fn call(
            instance: godot::sys::GDExtensionClassInstancePtr,
            arguments: *const godot::sys::GDExtensionConstTypePtr,
            answer: godot::sys::GDExtensionTypePtr,
        ) {
            let context = godot::private::CallContext::func(stringify!($class), stringify!($function));
            godot::private::handle_fallible_ptrcall(&context, || {
                $(
                    // SAFETY: the engine's own call, of the virtual method that the function is for.
                    let is_made = unsafe {
                        $crate::dispatch::with::<$class, _>(instance, |callee| {
                            $shortcut(&callee, arguments, answer)
                        })
                    };
                    if is_made {
                        return Ok(());
                    }
                )?
                // SAFETY: the engine's own call, of the virtual method with these types.
                unsafe {
                    godot::private::Signature::<$arguments, $answer>::in_ptrcall(
                        instance,
                        &context,
                        arguments,
                        answer,
                        |instance, arguments| {
                            $crate::dispatch::with::<$class, _>(instance, |callee| {
                                $function(callee, arguments)
                            })
                        },
                        godot::sys::PtrcallType::Virtual,
                    )
                }
            });
        }
        Some(call)
    }};
}
pub(crate) use passed_to;

/// To be called when an object ends: another one can get its address.
pub(crate) fn forget() {
    ENDED.fetch_add(1, Ordering::Release);
}

/// What a thread has looked up.
pub(crate) struct Recent<S> {
    entries: Vec<Known<S>>,
    /// [`ENDED`] when the entries were looked up.
    ended: u64,
}

/// An object that was looked up.
struct Known<S> {
    instance: GDExtensionClassInstancePtr,
    id: u64,
    shared: Arc<S>,
}

impl<S> Recent<S> {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new(), ended: 0 }
    }

    fn find(&self, ended: u64, is_wanted: impl Fn(&Known<S>) -> bool) -> Option<&Known<S>> {
        if self.ended != ended {
            return None;
        }
        self.entries.iter().find(|known| is_wanted(known))
    }

    fn insert(&mut self, ended: u64, known: Known<S>) {
        if self.ended != ended || self.entries.len() == OBJECTS_REMEMBERED {
            self.entries.clear();
        }
        self.ended = ended;
        self.entries.push(known);
    }
}

/// How many objects have ended: what was looked up before the last one did may be wrong.
static ENDED: AtomicU64 = AtomicU64::new(0);

/// More than a game has in one thread, as a rule.
const OBJECTS_REMEMBERED: usize = 8;
