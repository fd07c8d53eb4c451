//! What comes before an ENet connection: a client's attempt, and the handshakes of the encryption.

use std::net::SocketAddr;

use super::{ConnectionError, Event, Role, Session};
use crate::secure::{SecureCounters, SecureEvent};

impl Session {
    /// Client: why the attempt has failed, or why the connection has ended. It is there before the event that reports
    /// it. Nothing is an error for a server, nor what this side ends itself.
    #[must_use]
    pub const fn connection_error(&self) -> Option<ConnectionError> {
        match &self.role {
            Role::Server(_) => None,
            Role::Client(client) => client.error(),
        }
    }

    /// Everything that the encryption has counted, when there is one.
    #[must_use]
    pub fn secure_counters(&self) -> Option<SecureCounters> {
        self.link.pipeline.secure_counters()
    }

    pub(super) fn begin_connection(&mut self, address: SocketAddr) {
        if let Role::Client(client) = &mut self.role
            && client.begin(self.link.host.millis(), address)
            && !self.link.pipeline.connect(address)
        {
            self.knock(address);
        }
        self.heed_handshakes();
    }

    /// Client: gives up an attempt that has had its time.
    pub(super) fn heed_deadline(&mut self) {
        if let Role::Client(client) = &mut self.role
            && let Some(error) = client.overdue(self.link.host.millis())
        {
            self.fail_attempt(error);
        }
    }

    fn knock(&mut self, address: SocketAddr) {
        if let Role::Client(client) = &mut self.role
            && !client.knock(&mut self.link, address, self.channel_count, self.id)
        {
            self.fail_attempt(ConnectionError::TimedOut);
        }
    }

    /// Follows what the encryption reports. To be called whenever that may be something.
    pub(super) fn heed_handshakes(&mut self) {
        while let Some(event) = self.link.pipeline.next_secure_event(self.link.host.as_mut()) {
            match event {
                SecureEvent::Established(address) => self.knock(address),
                SecureEvent::Failed(failure) => self.fail_attempt(failure.into()),
                // The pipeline has queued it behind what came before.
                SecureEvent::Closed(_) => {}
            }
        }
    }

    /// Client: the attempt has come to nothing. Does nothing when there is none.
    pub(super) fn fail_attempt(&mut self, error: ConnectionError) {
        if let Role::Client(client) = &mut self.role
            && client.fail(error)
        {
            self.events.push_back(Event::ConnectionFailed);
        }
    }
}
