//! A session whose endpoint is in a thread of its own.

use std::time::Duration;

use nme_core::session::{DisconnectError, Event, FlushMode, SendError, SendOptions, Session};
use nme_udp::{Resolution, UdpSocket};

use crate::clock::Monotonic;
use crate::connection::Traffic;
use crate::error::ThreadError;
use crate::farewell::Farewell;
use crate::simulator::SimulationChange;
use crate::thread::{NetworkDriver, Remote, Running, StallLimit, spawn};

/// The game's side, with what it has of the other one.
pub(crate) struct Threaded {
    session: Session<Remote>,
    running: Running,
}

impl Threaded {
    /// Gives the driver a thread, and makes the session that works on it.
    pub(crate) fn new(
        driver: NetworkDriver,
        session: impl FnOnce(Remote) -> Session<Remote>,
    ) -> Result<Self, ThreadError> {
        let (running, remote) = spawn(driver)?;
        Ok(Self { session: session(remote), running })
    }

    pub(crate) const fn session(&self) -> &Session<Remote> {
        &self.session
    }

    pub(crate) const fn session_mut(&mut self) -> &mut Session<Remote> {
        &mut self.session
    }

    pub(crate) fn now(&mut self) -> Duration {
        self.session.link_mut().now()
    }

    /// Client: has the network thread look for the server, and ask for a connection.
    pub(crate) fn look_up(&mut self, resolution: Resolution, port: u16) {
        self.session.link_mut().look_up(resolution, port);
    }

    pub(crate) fn begin_poll(&mut self) {
        self.session.begin_events();
        self.session.link_mut().begin_poll();
        if self.running.has_ended() {
            self.session.lose_everything();
        }
    }

    pub(crate) fn next_event(&mut self) -> Option<Event> {
        self.session.poll_event()
    }

    pub(crate) fn end_poll(&mut self) {
        self.flush();
    }

    pub(crate) fn flush(&mut self) {
        self.session.end_waiting();
        self.session.link_mut().flush();
    }

    pub(crate) fn send(&mut self, options: SendOptions, payload: &[u8]) -> Result<(), SendError> {
        if self.session.flush_is_due(&options, payload) {
            self.flush();
        }
        self.session.send(options, payload)?;
        if self.session.flush_mode() == FlushMode::EachPut {
            self.session.end_waiting();
            self.session.link_mut().flush_apart();
        }
        Ok(())
    }

    pub(crate) fn disconnect_peer(&mut self, id: i64, now: bool) -> Result<Option<Event>, DisconnectError> {
        let event = self.session.disconnect_peer(id, now)?;
        self.flush();
        Ok(event)
    }

    pub(crate) fn simulate(&mut self, change: SimulationChange) {
        self.session.link_mut().simulate(change);
    }

    pub(crate) fn traffic(&self) -> Traffic {
        self.session.link().handover().traffic()
    }

    pub(crate) fn set_stall_limit(&self, limit: StallLimit) {
        self.session.link().handover().set_stall_limit(limit);
    }

    /// Tells every peer, and ends the thread. `None` when the thread is too busy to be waited for: then it does that later.
    pub(crate) fn close(mut self) -> Option<Farewell<UdpSocket, Monotonic>> {
        self.session.end_waiting();
        self.running.close()
    }
}
