//! Sleeping until a datagram comes, or another thread has something to do for the one that sleeps.

#![expect(unsafe_code, reason = "a socket that is registered for waiting has to outlive its registration")]

use std::io;
use std::net::UdpSocket;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use polling::{Event, Events, PollMode, Poller};

/// Ends the sleep of the thread that waits for a socket, or its next one.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Poller>);

impl Waker {
    /// Wakes the thread. Costs a system call, unless it has been woken already and has not looked yet.
    pub fn wake(&self) {
        // It would wake by itself a second later.
        let _ = self.0.notify();
    }
}

/// A socket that can be waited for. It owns the socket, which therefore lives as long as it is registered.
#[derive(Debug)]
pub(crate) struct Watched {
    socket: UdpSocket,
    watch: Option<Watch>,
}

#[derive(Debug)]
struct Watch {
    poller: Arc<Poller>,
    events: Events,
}

impl Watched {
    pub(crate) const fn new(socket: UdpSocket) -> Self {
        Self { socket, watch: None }
    }

    pub(crate) const fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Makes [`Self::wait`] possible.
    pub(crate) fn watch(&mut self) -> io::Result<Waker> {
        let poller = match self.watch.take() {
            Some(watch) => watch.poller,
            None => {
                let poller = Arc::new(Poller::new()?);
                register(&poller, &self.socket)?;
                poller
            }
        };
        let waker = Waker(Arc::clone(&poller));
        self.watch = Some(Watch { poller, events: Events::with_capacity(NonZeroUsize::MIN) });
        Ok(waker)
    }

    /// Sleeps until a datagram can be read, somebody wakes this thread, or the time is over.
    pub(crate) fn wait(&mut self, time: Duration) {
        let Some(Watch { poller, events }) = &mut self.watch else { return std::thread::sleep(time) };
        events.clear();
        if poller.wait(events, Some(time)).is_err() {
            // Not a busy loop, whatever is wrong.
            std::thread::sleep(time.min(LONGEST_BLIND_SLEEP));
        }
    }

    /// Puts another socket in the place of this one.
    pub(crate) fn replace(&mut self, socket: UdpSocket) -> io::Result<()> {
        if let Some(watch) = &self.watch {
            register(&watch.poller, &socket)?;
            let _ = watch.poller.delete(&self.socket);
        }
        self.socket = socket;
        Ok(())
    }

    /// Takes the socket of another one, which gets this one's.
    pub(crate) fn exchange(&mut self, other: &mut Self) -> io::Result<()> {
        if let Some(watch) = &self.watch {
            register(&watch.poller, &other.socket)?;
            let _ = watch.poller.delete(&self.socket);
        }
        std::mem::swap(&mut self.socket, &mut other.socket);
        Ok(())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            let _ = watch.poller.delete(&self.socket);
        }
    }
}

fn register(poller: &Poller, socket: &UdpSocket) -> io::Result<()> {
    // SAFETY: a socket is registered only with the poller of the `Watched` that owns it, or is about to own it without
    // anything that could fail in between. From there it only goes through `replace`, `exchange` or `drop`, which take it out
    // of the poller first.
    unsafe { poller.add_with_mode(socket, Event::readable(SOCKET), PollMode::Level) }
}

/// The key of the only socket.
const SOCKET: usize = 0;

/// When the system does not let a thread wait for a socket.
const LONGEST_BLIND_SLEEP: Duration = Duration::from_millis(5);
