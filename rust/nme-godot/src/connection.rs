//! What becomes of the open connection: calls go to it, and its events become signals.

use std::time::Duration;

use godot::global::Error;
use godot::prelude::*;
use nme_core::channel::TransferChannel;
use nme_core::relay::Target;
use nme_core::session::{Event, Received, SendOptions};
use nme_driver::Inline;

use crate::class::NetworkedMultiplayerENet;
use crate::error::{self, Active, Inactive};

impl NetworkedMultiplayerENet {
    pub(crate) fn open(&mut self, mut connection: Inline) -> Error {
        connection.session_mut().set_flush_mode(self.settings.flush_mode);
        self.connection = Some(connection);
        self.connection_error = None;
        self.generation += 1;
        self.refuse_new_connections = false;
        self.last_channel = None;
        Error::OK
    }

    pub(crate) fn shut(&mut self, wait: Duration) {
        if let Some(connection) = self.connection.take() {
            self.generation += 1;
            connection.close().wait(wait);
        }
    }

    /// False, with an error, while a connection is open.
    pub(crate) fn may_change(&self, call: &str) -> bool {
        if self.connection.is_some() {
            error::complain(call, Active);
        }
        self.connection.is_none()
    }

    pub(crate) fn put(&mut self, payload: &[u8]) -> Error {
        if payload.is_empty() {
            return Error::OK;
        }
        let Some(connection) = &mut self.connection else { return error::report("put_packet", &Inactive) };
        let channel = match self.rpc_channel {
            0 => self.settings.transfer_channel,
            channel => match TransferChannel::new(channel.into(), self.settings.channel_count) {
                Ok(channel) => channel,
                Err(problem) => return error::report("put_packet", &problem),
            },
        };
        let Some(target) = Target::from_number(self.target_peer) else {
            let problem = format!("{} is no target; use an id, a negative id, or 0", self.target_peer);
            error::complain("put_packet", problem);
            return Error::ERR_INVALID_PARAMETER;
        };
        let options = SendOptions {
            target,
            mode: self.transfer_mode,
            channel,
            always_ordered: self.settings.always_ordered,
        };
        match connection.send(options, payload) {
            Ok(()) => {
                self.schedule_flush();
                Error::OK
            }
            Err(problem) => error::report("put_packet", &problem),
        }
    }

    /// Has what waits sent at the end of the frame. The engine makes deferred calls behind the physics step, behind
    /// `_process`, and behind timers and tweens. By then the object may be gone; its end has sent them.
    fn schedule_flush(&mut self) {
        let waits = self.connection.as_ref().is_some_and(|connection| connection.session().needs_flush());
        if self.flush_scheduled || !waits {
            return;
        }
        self.flush_scheduled = true;
        let id = self.base().instance_id();
        Callable::from_fn("NetworkedMultiplayerENet.flush", move |_| {
            if let Ok(mut this) = Gd::<Self>::try_from_instance_id(id) {
                this.bind_mut().flush_as_scheduled();
            }
        })
        .call_deferred(&[]);
    }

    fn flush_as_scheduled(&mut self) {
        self.flush_scheduled = false;
        if let Some(connection) = &mut self.connection {
            connection.flush();
        }
    }

    pub(crate) fn next_packet(&self, call: &str) -> Option<&Received> {
        let next = self.connection.as_ref().and_then(|connection| connection.session().next_packet());
        if next.is_none() {
            error::complain(call, error::NoPacket);
        }
        next
    }

    pub(crate) fn peer_socket_address(&self, call: &str, id: i64) -> Option<std::net::SocketAddr> {
        let Some(connection) = &self.connection else {
            error::complain(call, Inactive);
            return None;
        };
        connection.session().peer_address(id).map_err(|problem| error::complain(call, problem)).ok()
    }

    /// Emits everything that has happened. Handlers can call anything, and may even drop every reference to this
    /// object but the one held here.
    pub(crate) fn poll_connection(&mut self) {
        let Some(connection) = &mut self.connection else { return error::complain("poll", Inactive) };
        self.fetched = None;
        connection.begin_poll();
        let generation = self.generation;
        let mut alive = None;
        while let Some(event) = self.next_event(generation) {
            if alive.is_none() {
                alive = Some(self.to_gd());
            }
            self.emit(event);
        }
        if self.generation == generation
            && let Some(connection) = &mut self.connection
        {
            connection.end_poll();
        }
        if let Some(this) = alive {
            outlive_this_call(this);
        }
    }

    /// Disconnects a client, with its signal when that is due at once.
    pub(crate) fn disconnect(&mut self, id: i64, now: bool) {
        let Some(connection) = &mut self.connection else {
            return error::complain("disconnect_peer", Inactive);
        };
        match connection.disconnect_peer(id, now) {
            Ok(Some(event)) => {
                let alive = self.to_gd();
                self.emit(event);
                outlive_this_call(alive);
            }
            Ok(None) => {}
            Err(problem) => error::complain("disconnect_peer", problem),
        }
    }

    fn emit(&mut self, event: Event) {
        let mut signals = self.signals();
        match event {
            Event::PeerConnected(id) => signals.peer_connected().emit(id.get().into()),
            Event::PeerDisconnected(id) => signals.peer_disconnected().emit(id.get().into()),
            Event::ConnectionSucceeded => signals.connection_succeeded().emit(),
            Event::ConnectionFailed => signals.connection_failed().emit(),
            Event::ServerDisconnected => signals.server_disconnected().emit(),
        }
    }

    /// The next event of the connection with this generation.
    fn next_event(&mut self, generation: u64) -> Option<Event> {
        if self.generation != generation {
            return None;
        }
        let event = self.connection.as_mut()?.next_event()?;
        if matches!(event, Event::ConnectionFailed | Event::ServerDisconnected) {
            self.note_connection_error();
            // Closed before the signal, so that its handler can open the next connection.
            self.shut(Duration::ZERO);
        }
        Some(event)
    }
}

impl Drop for NetworkedMultiplayerENet {
    fn drop(&mut self) {
        self.shut(DEFAULT_WAIT);
    }
}

/// A handler may have dropped every other reference. The engine still works on the object until its call has
/// returned, so the last reference is put off to the end of the frame.
fn outlive_this_call(this: Gd<NetworkedMultiplayerENet>) {
    if this.get_reference_count() > 1 {
        return;
    }
    let keep = Some(this);
    Callable::from_fn("NetworkedMultiplayerENet.outlive_this_call", move |_| {
        let _ = &keep;
    })
    .call_deferred(&[]);
}

/// As in 3.6, where it is the default of `close_connection`.
pub(crate) const DEFAULT_WAIT: Duration = Duration::from_micros(100);
