//! Look-ups of host names on a few threads, which are there only while there is something to do.
//!
//! A look-up of a name that no name server answers takes the system half a minute, and it cannot be stopped. So a name is
//! looked up once for all who ask meanwhile, no more than a few threads wait at a time, and what nobody asks for any
//! more is not begun. Names that wait behind dead ones wait as long as those take, or until whoever asks gives up.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

type Lookup = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// The threads and their work.
pub(crate) struct Lookups {
    lookup: Box<Lookup>,
    most_threads: usize,
    work: Mutex<Work>,
}

#[derive(Default)]
struct Work {
    threads: usize,
    queued: VecDeque<Job>,
    /// What the threads are at.
    running: Vec<Job>,
}

/// A name, and the place of its answer.
#[derive(Clone)]
struct Job {
    host: String,
    /// Held by those who ask.
    answer: Weak<Answer>,
}

/// The place of an answer.
#[derive(Debug, Default)]
struct Answer {
    found: Mutex<Option<Found>>,
    arrived: Condvar,
}

/// What the system says of a name.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Addresses(Vec<SocketAddr>),
    Error(String),
}

/// One who asks for a name.
#[derive(Debug)]
pub(crate) struct Waiter(Arc<Answer>);

impl Waiter {
    /// The answer, when it comes within this time.
    pub(crate) fn wait(&self, timeout: Duration) -> Option<Found> {
        let found = lock(&self.0.found);
        if found.is_some() || timeout.is_zero() {
            return found.clone();
        }
        let waited = self.0.arrived.wait_timeout_while(found, timeout, |found| found.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}

impl Lookups {
    pub(crate) fn new(
        most_threads: usize,
        lookup: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self { lookup: Box::new(lookup), most_threads: most_threads.max(1), work: Mutex::default() }
    }

    /// Looks up a name, or joins those who ask for it already.
    pub(crate) fn find(self: &Arc<Self>, host: &str) -> Waiter {
        let mut work = lock(&self.work);
        work.queued.retain(|job| job.answer.strong_count() > 0);
        if let Some(job) = work.jobs().find(|job| job.host == host) {
            if let Some(answer) = job.answer.upgrade() {
                return Waiter(answer);
            }
            // All who asked have gone, and the system has not answered yet: what it says is for the one who comes now.
            let answer = Arc::default();
            job.answer = Arc::downgrade(&answer);
            return Waiter(answer);
        }
        let answer = Arc::default();
        work.queued.push_back(Job { host: host.to_owned(), answer: Arc::downgrade(&answer) });
        if work.threads < self.most_threads {
            self.start_thread(&mut work);
        }
        Waiter(answer)
    }

    fn start_thread(self: &Arc<Self>, work: &mut Work) {
        let lookups = Arc::clone(self);
        match thread::Builder::new().name(THREAD_NAME.into()).spawn(move || lookups.work()) {
            Ok(_) => work.threads += 1,
            // Another thread gets to it.
            Err(_) if work.threads > 0 => {}
            Err(error) => {
                for job in work.queued.drain(..) {
                    job.answer(Found::Error(error.to_string()));
                }
            }
        }
    }

    /// What a thread does.
    fn work(&self) {
        while let Some(host) = self.begin() {
            let result = catch_unwind(AssertUnwindSafe(|| (self.lookup)(&host)));
            self.finish(
                &host,
                match result {
                    Ok(Ok(addresses)) => Found::Addresses(addresses),
                    Ok(Err(error)) => Found::Error(error.to_string()),
                    Err(_) => Found::Error("the lookup ended without an answer".into()),
                },
            );
        }
    }

    /// The next name to look up; the thread ends with `None`.
    fn begin(&self) -> Option<String> {
        let mut work = lock(&self.work);
        while let Some(job) = work.queued.pop_front() {
            if job.answer.strong_count() > 0 {
                let host = job.host.clone();
                work.running.push(job);
                return Some(host);
            }
        }
        work.threads -= 1;
        None
    }

    fn finish(&self, host: &str, found: Found) {
        let mut work = lock(&self.work);
        if let Some(index) = work.running.iter().position(|job| job.host == host) {
            work.running.swap_remove(index).answer(found);
        }
    }
}

impl Work {
    fn jobs(&mut self) -> impl Iterator<Item = &mut Job> {
        self.running.iter_mut().chain(&mut self.queued)
    }
}

impl Job {
    fn answer(&self, found: Found) {
        // Nobody may be waiting any more.
        if let Some(answer) = self.answer.upgrade() {
            *lock(&answer.found) = Some(found);
            answer.arrived.notify_all();
        }
    }
}

/// Nothing panics under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const THREAD_NAME: &str = "nme-resolve";
