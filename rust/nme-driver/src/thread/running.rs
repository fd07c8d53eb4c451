//! Beginning and end of network threads.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use nme_udp::{UdpSocket, Waker};

use super::handover::{Handover, StallLimit};
use super::network::{Network, NetworkDriver};
use super::remote::Remote;
use crate::clock::Monotonic;
use crate::connection::Traffic;
use crate::farewell::Farewell;

/// A network thread, seen from the game's.
pub(crate) struct Running {
    handover: Arc<Handover>,
    waker: Waker,
    /// The thread gives back what it has, at its end.
    returned: Receiver<Returned>,
}

/// What a network thread had. Wherever nobody takes it, also on the way to who has stopped waiting, the peers are told of the end.
struct Returned(Option<NetworkDriver>);

impl Drop for Returned {
    fn drop(&mut self) {
        if let Some(driver) = self.0.take() {
            driver.close().wait(Duration::ZERO);
        }
    }
}

/// Begins a thread for this driver. The clock of the answer is the driver's.
pub(crate) fn spawn(mut driver: NetworkDriver) -> io::Result<(Running, Remote)> {
    let waker = driver.socket_mut().watch()?;
    let handover = Arc::new(Handover::default());
    handover.set_stall_limit(StallLimit::default());
    handover.report(Traffic::of(driver.node().counters()), |_| ());
    let remote = Remote::new(Arc::clone(&handover), waker.clone(), driver.clock_mut().clone());
    let (returns, returned) = sync_channel(1);
    let network = Network::new(driver, Arc::clone(&handover));
    let end = EndOfThread(Arc::clone(&handover));
    let body = move || {
        let end = end;
        // A panic is a bug, and printed by its hook. It must not end the game: the session reports the end of all connections.
        if let Ok(driver) = catch_unwind(AssertUnwindSafe(|| network.run())) {
            // When nobody waits any more, it ends here.
            let _ = returns.send(Returned(Some(driver)));
        }
        drop(end);
    };
    let mut threads = threads();
    // Those of connections that were dropped, not closed.
    threads.retain(|thread| !thread.handle.is_finished());
    let handle = Builder::new().name("ENet".to_owned()).spawn(body)?;
    threads.push(Thread { handover: Arc::clone(&handover), waker: waker.clone(), handle });
    drop(threads);
    Ok((Running { handover, waker, returned }, remote))
}

impl Running {
    /// The thread has ended, although nobody has told it to.
    pub(crate) fn has_ended(&self) -> bool {
        self.handover.has_ended()
    }

    /// Ends the thread, and tells every peer. `None` when the thread does not end in time: then it does the same when it comes
    /// to it.
    pub(crate) fn close(&self) -> Option<Farewell<UdpSocket, Monotonic>> {
        self.handover.stop();
        self.waker.wake();
        let driver = self.returned.recv_timeout(LONGEST_STOP).ok()?.0.take()?;
        reap(&self.handover);
        Some(driver.close())
    }
}

impl Drop for Running {
    /// Does nothing for a thread that has ended.
    fn drop(&mut self) {
        self.handover.stop();
        self.waker.wake();
    }
}

/// Ends all network threads that are still there, for a library that is about to be unloaded. Takes 100 ms at most.
pub fn stop_all() {
    let left: Vec<Thread> = std::mem::take(&mut *threads());
    for thread in &left {
        thread.handover.stop();
        thread.waker.wake();
    }
    let end = Instant::now() + LONGEST_STOP;
    for thread in left {
        thread.join_until(end);
    }
}

/// A thread that has begun and was not joined.
struct Thread {
    handover: Arc<Handover>,
    waker: Waker,
    handle: JoinHandle<()>,
}

impl Thread {
    fn join_until(self, end: Instant) {
        while !self.handle.is_finished() {
            if Instant::now() >= end {
                return;
            }
            std::thread::sleep(JOIN_PAUSE);
        }
        // It has caught its panics.
        let _ = self.handle.join();
    }
}

/// The thread has given back what it has, and is gone in a moment.
fn reap(handover: &Arc<Handover>) {
    let mut threads = threads();
    let place = threads.iter().position(|thread| Arc::ptr_eq(&thread.handover, handover));
    let thread = place.map(|place| threads.swap_remove(place));
    drop(threads);
    if let Some(thread) = thread {
        thread.join_until(Instant::now() + LONGEST_JOIN);
    }
}

fn threads() -> MutexGuard<'static, Vec<Thread>> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

static THREADS: Mutex<Vec<Thread>> = Mutex::new(Vec::new());

/// Says that the thread has ended, however it does.
struct EndOfThread(Arc<Handover>);

impl Drop for EndOfThread {
    fn drop(&mut self) {
        self.0.note_end();
    }
}

/// A thread is never busy for that long: it reads for some ms at most before it looks.
const LONGEST_STOP: Duration = Duration::from_millis(90);

/// A thread that has nothing to do any more but to return.
const LONGEST_JOIN: Duration = Duration::from_millis(10);

const JOIN_PAUSE: Duration = Duration::from_micros(20);
