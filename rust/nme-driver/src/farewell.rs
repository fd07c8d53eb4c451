//! The end of a connection.

use std::time::Duration;

use crate::clock::Clock;
use crate::outbox::Outbox;
use crate::socket::DatagramSocket;

/// What is left of a connection that has told its peers of its end.
pub struct Farewell<S, C> {
    socket: S,
    clock: C,
    /// What the system's send queue had no room for.
    outbox: Outbox,
}

impl<S: DatagramSocket, C: Clock> Farewell<S, C> {
    pub(crate) const fn new(socket: S, clock: C, outbox: Outbox) -> Self {
        Self { socket, clock, outbox }
    }

    /// Waits while the system's send queue is full, for up to `wait` and never longer than a second, and closes the
    /// socket. What the system has taken leaves without this process. Answers how many datagrams it has not taken.
    pub fn wait(mut self, wait: Duration) -> usize {
        let end = self.clock.now() + wait.min(LONGEST_CLOSE);
        loop {
            self.outbox.send_all(&mut self.socket);
            if self.outbox.is_empty() || self.clock.now() >= end {
                return self.outbox.len();
            }
            self.clock.sleep(QUEUE_CHECK);
        }
    }
}

/// The longest that `close` waits, whatever it is asked for.
const LONGEST_CLOSE: Duration = Duration::from_secs(1);

/// Between two looks at a full send queue.
const QUEUE_CHECK: Duration = Duration::from_micros(100);
