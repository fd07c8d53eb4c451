//! What becomes of the open connection: calls go to it, and its events become signals.

use std::sync::{Arc, Weak};
use std::time::Duration;

use godot::global::Error;
use godot::prelude::*;
use nme_core::channel::{ChannelError, TransferChannel, TransferMode};
use nme_core::relay::Target;
use nme_core::session::{DisconnectError, Event, Received, SendError, SendOptions};
use nme_driver::{Connection, PacketInfo};
use thiserror::Error as ThisError;

use crate::authentication;
use crate::class::NetworkedMultiplayerENet;
use crate::error::{self, Code, Inactive};
use crate::shared::{Shared, State, ThreadMark};

impl Shared {
    pub(crate) fn put(self: &Arc<Self>, payload: &[u8]) -> Error {
        self.put_as(payload, |_| {})
    }

    /// Sends a packet as `_set_target_peer` and the like would have it, in one go.
    pub(crate) fn put_for(
        self: &Arc<Self>,
        target: i32,
        mode: TransferMode,
        channel: i32,
        payload: &[u8],
    ) -> Error {
        self.put_as(payload, |state| {
            (state.target_peer, state.transfer_mode, state.rpc_channel) = (target, mode, channel);
        })
    }

    fn put_as(self: &Arc<Self>, payload: &[u8], set: impl FnOnce(&mut State)) -> Error {
        if payload.is_empty() {
            return Error::OK;
        }
        let mut state = self.lock();
        set(&mut state);
        let outcome = state.put(payload);
        // Behind an error, too: the others of a broadcast get the packet.
        let flush_is_due = state.flush_becomes_due();
        drop(state);
        if flush_is_due {
            self.schedule_flush();
        }
        match outcome {
            Ok(()) => Error::OK,
            Err(problem) => error::report("put_packet", &problem),
        }
    }

    /// Fetches a packet, for somebody who needs no memory of the engine's.
    pub(crate) fn take(&self) -> Option<(PacketInfo, Received)> {
        let mut state = self.lock();
        let connection = state.connection.as_mut()?;
        let info = connection.next_packet()?;
        let received = connection.fetch()?;
        state.last_channel = Some(received.channel());
        Some((info, received))
    }

    /// Has what waits sent at the end of the frame. The engine makes deferred calls behind the physics step, behind
    /// `_process`, and behind timers and tweens; those of a thread of the game's own in the main thread. By then the object
    /// may be gone; its end has sent them.
    pub(crate) fn schedule_flush(self: &Arc<Self>) {
        let mut flush = ScheduledFlush(Arc::downgrade(self));
        Callable::from_sync_fn("NetworkedMultiplayerENet.flush", move |_| flush.run()).call_deferred(&[]);
    }

    /// What is asked about the packet that comes next.
    pub(crate) fn next_packet<R>(&self, call: &str, ask: impl FnOnce(PacketInfo) -> R) -> Option<R> {
        let state = self.lock();
        let connection = state.connection.as_ref();
        let answer = connection.and_then(|connection| connection.next_packet()).map(ask);
        drop(state);
        if answer.is_none() {
            error::complain(call, error::NoPacket);
        }
        answer
    }

    pub(crate) fn peer_socket_address(&self, call: &str, id: i64) -> Option<std::net::SocketAddr> {
        let state = self.lock();
        let answer = state.connection.as_ref().map(|connection| connection.peer_address(id));
        drop(state);
        match answer {
            Some(Ok(address)) => return Some(address),
            Some(Err(problem)) => error::complain(call, problem),
            None => error::complain(call, Inactive),
        }
        None
    }

    /// Emits everything that has happened. Handlers can call anything in any thread, and may even drop every reference to
    /// the object but the one held here.
    pub(crate) fn poll(&self, object: impl Fn() -> Gd<NetworkedMultiplayerENet>) {
        let poll = match Poll::begin(self) {
            Ok(Some(poll)) => poll,
            // Another thread polls. Two would mix up the order of the signals.
            Ok(None) => return,
            Err(problem) => return error::complain("poll", problem),
        };
        let mut alive = None;
        if self.begins_threaded_server() {
            authentication::prepare_relay(alive.get_or_insert_with(&object));
        }
        if self.keeps_apart() {
            authentication::admit_accepted(alive.get_or_insert_with(&object));
        }
        while let Some(event) = poll.next_event() {
            emit(alive.get_or_insert_with(&object), event);
        }
        self.ask_about_clients();
        while let Some(warning) = self.with_connection(|connection| connection.take_warning()).flatten() {
            error::warn("poll", warning);
        }
        if let Some(this) = alive {
            outlive_this_call(this);
        }
    }

    /// True in the first poll of a server with a network thread.
    fn begins_threaded_server(&self) -> bool {
        let mut state = self.lock();
        let is_new = state
            .connection
            .as_ref()
            .is_some_and(|connection| connection.is_threaded() && connection.is_server());
        is_new && !std::mem::replace(&mut state.has_polled, true)
    }

    /// Closes the connection, if there is one, and says so.
    pub(crate) fn shut(&self, wait: Duration, object: impl FnOnce() -> Gd<NetworkedMultiplayerENet>) {
        let farewell = self.lock().shut();
        if let Some(farewell) = farewell {
            farewell.wait(wait);
            let this = object();
            this.signals().closed().emit();
            outlive_this_call(this);
        }
    }

    /// Disconnects a client, with its signal when that is due at once.
    pub(crate) fn disconnect(
        &self,
        id: i64,
        now: bool,
        object: impl FnOnce() -> Gd<NetworkedMultiplayerENet>,
    ) {
        let outcome = self.lock().disconnect(id, now);
        match outcome {
            Ok(Some(event)) => {
                let this = object();
                emit(&this, event);
                outlive_this_call(this);
            }
            Ok(None) => {}
            Err(problem) => error::complain("disconnect_peer", problem),
        }
    }
}

impl State {
    fn put(&mut self, payload: &[u8]) -> Result<(), PutError> {
        let connection = self.connection.as_mut().ok_or(Inactive)?;
        let channel = match self.rpc_channel {
            0 => self.settings.transfer_channel,
            channel => TransferChannel::new(channel.into(), self.settings.channel_count)?,
        };
        let target = Target::from_number(self.target_peer).ok_or(PutError::Target(self.target_peer))?;
        let always_ordered = self.settings.always_ordered;
        let options = SendOptions { target, mode: self.transfer_mode, channel, always_ordered };
        connection.send(options, payload)?;
        Ok(())
    }

    /// Answers whether a flush has to be scheduled, which is taken for done.
    fn flush_becomes_due(&mut self) -> bool {
        self.connection.as_mut().is_some_and(Connection::promise_flush)
    }

    /// Fetches a packet, which is kept for this thread; `None` without a connection.
    pub(crate) fn fetch(&mut self) -> Option<Option<&[u8]>> {
        let connection = self.connection.as_mut()?;
        let Some(received) = connection.fetch() else { return Some(None) };
        self.last_channel = Some(received.channel());
        let here = ThreadMark::here();
        let index = match self.lent.iter().position(|(thread, _)| *thread == here) {
            Some(index) => {
                self.lent[index].1 = received;
                index
            }
            None => {
                self.lent.push((here, received));
                self.lent.len() - 1
            }
        };
        Some(Some(self.lent[index].1.payload()))
    }

    /// Answers the event when this thread is to emit it.
    fn disconnect(&mut self, id: i64, now: bool) -> Result<Option<Event>, DisconnectPeerError> {
        let connection = self.connection.as_mut().ok_or(Inactive)?;
        let event = connection.disconnect_peer(id, now)?;
        if event.is_some() {
            self.departure = connection.departure();
        }
        if self.polling.is_some_and(|thread| thread != ThreadMark::here()) {
            // The other thread may have something to say of this peer that came before.
            self.departures.extend(event);
            return Ok(None);
        }
        Ok(event)
    }
}

/// A poll under way.
struct Poll<'a> {
    shared: &'a Shared,
    generation: u64,
    /// False for one inside a handler of another one in this thread.
    is_outermost: bool,
}

impl<'a> Poll<'a> {
    /// `None` while another thread polls.
    fn begin(shared: &'a Shared) -> Result<Option<Self>, Inactive> {
        let here = ThreadMark::here();
        let mut state = shared.lock();
        let state = &mut *state;
        state.lent.retain(|(thread, _)| *thread != here);
        let connection = state.connection.as_mut().ok_or(Inactive)?;
        connection.forget_promise();
        state.rpc_channel = 0;
        if state.polling.is_some_and(|thread| thread != here) {
            return Ok(None);
        }
        connection.begin_poll();
        let is_outermost = state.polling.replace(here).is_none();
        Ok(Some(Self { shared, generation: state.generation, is_outermost }))
    }

    /// The next event of the connection that the poll was begun for.
    fn next_event(&self) -> Option<Event> {
        let mut guard = self.shared.lock();
        let state = &mut *guard;
        if state.generation != self.generation {
            return None;
        }
        if let Some(event) = state.departures.pop_front() {
            return Some(event);
        }
        let connection = state.connection.as_mut()?;
        let Some(event) = connection.next_event() else {
            connection.end_poll();
            if self.is_outermost {
                state.polling = None;
            }
            return None;
        };
        if matches!(event, Event::PeerDisconnected(_)) {
            state.departure = connection.departure();
        }
        let mut ended = None;
        if matches!(event, Event::ConnectionFailed | Event::ServerDisconnected) {
            state.note_connection_error();
            // Closed before the signal, so that its handler can open the next connection.
            ended = state.shut();
        }
        drop(guard);
        drop(ended);
        Some(event)
    }
}

impl Drop for Poll<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        // Behind the last event another thread may poll already; behind a panic none does.
        let is_mine = state.polling == Some(ThreadMark::here()) && state.generation == self.generation;
        if self.is_outermost && is_mine {
            state.polling = None;
        }
    }
}

/// A flush that waits in a queue of the engine. It counts as scheduled until it has run, or the queue has dropped it.
struct ScheduledFlush(Weak<Shared>);

impl ScheduledFlush {
    fn run(&mut self) {
        let Some(shared) = std::mem::take(&mut self.0).upgrade() else { return };
        if let Some(object) = shared.keeper() {
            authentication::admit_accepted(&object);
        }
        let mut state = shared.lock();
        state.rpc_channel = 0;
        if let Some(connection) = &mut state.connection {
            connection.keep_promise();
            connection.flush();
        }
    }
}

impl Drop for ScheduledFlush {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade()
            && let Some(connection) = &mut shared.lock().connection
        {
            connection.keep_promise();
        }
    }
}

/// Why a packet was not taken.
#[derive(Debug, ThisError)]
enum PutError {
    #[error(transparent)]
    Inactive(#[from] Inactive),
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error("{0} is no target; use an id, a negative id, or 0")]
    Target(i32),
    #[error(transparent)]
    Send(#[from] SendError),
}

impl Code for PutError {
    fn code(&self) -> Error {
        match self {
            Self::Inactive(problem) => problem.code(),
            Self::Channel(problem) => problem.code(),
            Self::Target(_) => Error::ERR_INVALID_PARAMETER,
            Self::Send(problem) => problem.code(),
        }
    }
}

/// Why nobody was disconnected.
#[derive(Debug, ThisError)]
enum DisconnectPeerError {
    #[error(transparent)]
    Inactive(#[from] Inactive),
    #[error(transparent)]
    Session(#[from] DisconnectError),
}

fn emit(object: &Gd<NetworkedMultiplayerENet>, event: Event) {
    let mut signals = object.signals();
    match event {
        Event::PeerConnected(id) => authentication::emit_peer_connected(object, id),
        Event::PeerDisconnected(id) => signals.peer_disconnected().emit(id.get().into()),
        Event::ConnectionSucceeded => signals.connection_succeeded().emit(),
        Event::ConnectionFailed => {
            signals.connection_failed().emit();
            object.signals().closed().emit();
        }
        Event::ServerDisconnected => {
            signals.server_disconnected().emit();
            object.signals().closed().emit();
        }
    }
}

/// A handler may have dropped every other reference. The engine still works on the object until its call has
/// returned, so the last reference is put off to the end of the frame.
fn outlive_this_call(this: Gd<NetworkedMultiplayerENet>) {
    if this.get_reference_count() > 1 {
        return;
    }
    Callable::from_sync_fn("NetworkedMultiplayerENet.outlive_this_call", |_| ())
        .call_deferred(&[this.to_variant()]);
}

/// As in 3.6, where it is the default of `close_connection`.
pub(crate) const DEFAULT_WAIT: Duration = Duration::from_micros(100);
