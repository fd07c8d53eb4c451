//! What a driver drives.

use std::net::SocketAddr;
use std::time::Duration;

use nme_core::datagram::DatagramBatch;
use nme_core::session::{Event, Session};
use nme_core::{Endpoint, Report};

/// One end of connections, without socket and clock. The calls are those of [`Session`], in their order.
pub trait Node {
    /// What happens at it.
    type Event;

    /// Handlers of the game run between two events, and take their time.
    const CALLS_GAME: bool;

    /// When the next poll is due, if nothing happens before.
    fn poll_timeout(&self) -> Duration;

    /// Client: asks the server at this address for a connection.
    fn connect(&mut self, now: Duration, server: SocketAddr);

    /// Client: the server's address cannot be found.
    fn fail(&mut self);

    /// Begins a poll.
    fn begin_poll(&mut self, now: Duration);

    /// Takes a datagram off the socket.
    fn receive(&mut self, from: SocketAddr, datagram: &[u8]);

    /// The next thing that happened.
    fn poll_event(&mut self) -> Option<Self::Event>;

    /// Much of the time for reading is over.
    fn hurry(&mut self);

    /// Lets time work, when everything is read.
    fn handle_timeout(&mut self, now: Duration);

    /// True when something has waited for a flush for as long as it may.
    fn flush_is_overdue(&mut self, now: Duration) -> bool;

    /// Turns all that is queued into datagrams.
    fn flush(&mut self, now: Duration);

    /// The datagrams that are ready.
    fn transmit(&mut self) -> &mut DatagramBatch;

    /// Counts datagrams that the socket has taken.
    fn note_sent(&mut self, datagrams: u64, bytes: u64);

    /// Tells every peer of the end.
    fn close(&mut self, now: Duration);
}

/// Passes every call on to the type's own method of the same name.
macro_rules! pass_on {
    () => {
        fn poll_timeout(&self) -> Duration {
            Self::poll_timeout(self)
        }

        fn connect(&mut self, now: Duration, server: SocketAddr) {
            Self::connect(self, now, server);
        }

        fn fail(&mut self) {
            Self::fail(self);
        }

        fn begin_poll(&mut self, now: Duration) {
            Self::begin_poll(self, now);
        }

        fn receive(&mut self, from: SocketAddr, datagram: &[u8]) {
            Self::receive(self, from, datagram);
        }

        fn hurry(&mut self) {
            Self::hurry(self);
        }

        fn handle_timeout(&mut self, now: Duration) {
            Self::handle_timeout(self, now);
        }

        fn flush(&mut self, now: Duration) {
            Self::flush(self, now);
        }

        fn transmit(&mut self) -> &mut DatagramBatch {
            Self::transmit(self)
        }

        fn note_sent(&mut self, datagrams: u64, bytes: u64) {
            Self::note_sent(self, datagrams, bytes);
        }

        fn close(&mut self, now: Duration) {
            Self::close(self, now);
        }
    };
}

impl Node for Session {
    type Event = Event;
    const CALLS_GAME: bool = true;

    pass_on!();

    fn poll_event(&mut self) -> Option<Event> {
        Self::poll_event(self)
    }

    fn flush_is_overdue(&mut self, now: Duration) -> bool {
        Self::flush_is_overdue(self, now)
    }
}

impl Node for Endpoint {
    type Event = Report;
    const CALLS_GAME: bool = false;

    pass_on!();

    fn poll_event(&mut self) -> Option<Report> {
        self.next_report()
    }

    /// What is queued here is on its way already.
    fn flush_is_overdue(&mut self, _: Duration) -> bool {
        false
    }
}

/// A node with an endpoint that can be asked.
pub trait HasEndpoint {
    /// The network's side.
    fn endpoint(&self) -> &Endpoint;
}

impl HasEndpoint for Session {
    fn endpoint(&self) -> &Endpoint {
        self.link()
    }
}

impl HasEndpoint for Endpoint {
    fn endpoint(&self) -> &Endpoint {
        self
    }
}
