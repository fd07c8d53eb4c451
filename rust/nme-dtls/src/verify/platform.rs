//! The certificates that the operating system trusts.

use std::sync::OnceLock;
use std::thread::{Builder, JoinHandle};

use super::anchors::Anchors;

/// Read once for the whole process: it does not change while a game runs, and reading it takes a while.
static STORE: OnceLock<Store> = OnceLock::new();

pub(super) struct Store {
    pub(super) anchors: Anchors,
    /// Why there are no certificates, for people.
    problem: Option<String>,
}

/// Reads the store ahead of its first use, on a thread of its own, which has ended when this is dropped.
pub(super) struct Preload(Option<JoinHandle<()>>);

impl Preload {
    pub(super) fn start() -> Self {
        if STORE.get().is_some() {
            return Self(None);
        }
        // Without a thread the first use reads it.
        let thread = Builder::new().name("certificate-store".to_owned()).spawn(|| {
            store();
        });
        Self(thread.ok())
    }
}

impl Drop for Preload {
    /// The code of a library must not run when the library is unloaded.
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            let _ = thread.join();
        }
    }
}

/// The store; waits for it if it is being read.
pub(super) fn store() -> &'static Store {
    STORE.get_or_init(load)
}

/// What is wrong with the store; `None` if nothing is, and as long as it has not been read.
pub(super) fn problem() -> Option<&'static str> {
    STORE.get()?.problem.as_deref()
}

fn load() -> Store {
    let loaded = rustls_native_certs::load_native_certs();
    let anchors = Anchors::new(loaded.certs);
    let problem = (anchors.len() == 0).then(|| {
        let cause = loaded.errors.first().map_or_else(|| "it is empty".to_owned(), ToString::to_string);
        format!(
            "the certificate store of this system cannot be used ({cause}); give the client the server's certificate with set_dtls_certificate"
        )
    });
    Store { anchors, problem }
}
