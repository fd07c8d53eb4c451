//! The way from the engine's calls to a peer.
//!
//! gdext's own way locks the object for each call, counts in a table of threads, and ends with a system call that wakes who
//! may be waiting: 0.5 µs, several times for each packet. And for required virtual methods it has no receiver that leaves the
//! object unlocked while handlers run. So this looks up what the threads share of an object, and each thread remembers what
//! it has looked up.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use godot::obj::Gd;
use godot::private::{Storage, as_storage};
use godot::sys::{self, GDExtensionClassInstancePtr};

use crate::class::NetworkedMultiplayerENet;
use crate::shared::Shared;

/// The peer that the engine calls.
pub(crate) struct Callee<'a> {
    instance: GDExtensionClassInstancePtr,
    pub(crate) shared: &'a Arc<Shared>,
}

impl Callee<'_> {
    /// A reference to the object, for signals. Costs more than most calls.
    pub(crate) fn object(&self) -> Gd<NetworkedMultiplayerENet> {
        // SAFETY: `with` got the pointer from the engine, for a call that has not returned.
        unsafe { as_storage::<NetworkedMultiplayerENet>(self.instance) }.get_gd()
    }
}

/// Makes a call of the engine.
///
/// # Safety
/// `instance` is what the engine passes to a virtual method of this class, which has not returned.
pub(crate) unsafe fn with<R>(instance: GDExtensionClassInstancePtr, call: impl FnOnce(Callee<'_>) -> R) -> R {
    let ended = ENDED.load(Ordering::Acquire);
    RECENT.with(|recent| {
        // A handler may be running in this thread, in a call that was looked up here.
        if let Ok(recent) = recent.try_borrow()
            && let Some(known) = recent.find(ended, |known| known.instance == instance)
        {
            return call(Callee { instance, shared: &known.shared });
        }
        // SAFETY: passed on from the caller.
        let storage = unsafe { as_storage::<NetworkedMultiplayerENet>(instance) };
        let shared = Arc::clone(&storage.get().shared);
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
pub(crate) fn shared(object: &Gd<NetworkedMultiplayerENet>) -> Arc<Shared> {
    let ended = ENDED.load(Ordering::Acquire);
    let id = object.instance_id_unchecked().to_i64() as u64;
    let known = RECENT.with(|recent| {
        let recent = recent.try_borrow().ok()?;
        recent.find(ended, |known| known.id == id).map(|known| Arc::clone(&known.shared))
    });
    known.unwrap_or_else(|| Arc::clone(&object.bind().shared))
}

/// To be called when an object ends: another one can get its address.
pub(crate) fn forget() {
    ENDED.fetch_add(1, Ordering::Release);
}

/// What a thread has looked up.
struct Recent {
    entries: Vec<Known>,
    /// [`ENDED`] when the entries were looked up.
    ended: u64,
}

/// An object that was looked up.
struct Known {
    instance: GDExtensionClassInstancePtr,
    id: u64,
    shared: Arc<Shared>,
}

impl Recent {
    fn find(&self, ended: u64, is_wanted: impl Fn(&Known) -> bool) -> Option<&Known> {
        if self.ended != ended {
            return None;
        }
        self.entries.iter().find(|known| is_wanted(known))
    }

    fn insert(&mut self, ended: u64, known: Known) {
        if self.ended != ended || self.entries.len() == PEERS_REMEMBERED {
            self.entries.clear();
        }
        self.ended = ended;
        self.entries.push(known);
    }
}

thread_local! {
    static RECENT: RefCell<Recent> = const { RefCell::new(Recent { entries: Vec::new(), ended: 0 }) };
}

/// How many peers have ended: what was looked up before the last one did may be wrong.
static ENDED: AtomicU64 = AtomicU64::new(0);

/// More than a game has in one thread, as a rule.
const PEERS_REMEMBERED: usize = 8;
