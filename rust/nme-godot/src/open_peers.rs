//! Which peers have a connection, for what looks at all of them: the editor's tab, and the library's end.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::shared::Shared;

/// A peer that has opened a connection.
struct Entry {
    /// Another one for each connection.
    number: i64,
    peer: Weak<Shared>,
}

/// Notes that a peer has opened a connection.
pub(crate) fn add(peer: &Arc<Shared>) {
    let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
    let entry = Entry { number, peer: Arc::downgrade(peer) };
    let mut entries = ENTRIES.lock().unwrap_or_else(PoisonError::into_inner);
    entries.retain(|each| each.peer.strong_count() > 0 && !each.peer.ptr_eq(&entry.peer));
    entries.push(entry);
}

/// The peers that have opened a connection, and the connections' numbers. Some may have closed it meanwhile.
pub(crate) fn all() -> Vec<(i64, Arc<Shared>)> {
    let entries = ENTRIES.lock().unwrap_or_else(PoisonError::into_inner);
    entries.iter().filter_map(|each| Some((each.number, each.peer.upgrade()?))).collect()
}

static ENTRIES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());
static NEXT_NUMBER: AtomicI64 = AtomicI64::new(1);
