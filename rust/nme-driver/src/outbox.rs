//! Datagrams between a session and a socket whose send queue may be full.
//!
//! What the socket has no room for is kept in its order, and goes first when there is room again. Dropped, it would look
//! to both sides like loss on the path: reliable packets would be sent anew behind a timeout, and unreliable ones never
//! arrive. But only for a moment: where a link carries less than the game sends, everything behind would come late, for whomever
//! it is, and what is late is of no use.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use nme_udp::SendError;

use crate::socket::DatagramSocket;

/// Datagrams that wait for room in the socket's send queue.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: VecDeque<Waiting>,
    /// Memory that they take, in bytes, roughly.
    held: usize,
    counters: SendCounters,
    /// What the socket has taken since somebody asked.
    taken: Taken,
}

struct Waiting {
    to: SocketAddr,
    datagram: Box<[u8]>,
    /// When the socket had no room for it.
    since: Duration,
}

/// What became of the datagrams of a session that the socket did not take at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SendCounters {
    pub(crate) send_errors: u64,
    pub(crate) would_blocks: u64,
    pub(crate) overflowed: u64,
}

/// Datagrams that the socket has taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) datagrams: u64,
    pub(crate) bytes: u64,
}

impl Outbox {
    /// Sends a datagram, behind all that wait.
    pub(crate) fn send(
        &mut self,
        socket: &mut impl DatagramSocket,
        now: impl FnOnce() -> Duration,
        to: SocketAddr,
        datagram: &[u8],
    ) {
        if !self.waiting.is_empty() || !self.attempt(socket, to, datagram) {
            self.keep(Waiting { to, datagram: datagram.into(), since: now() });
        }
    }

    /// Sends what waits, as far as there is room, and drops what has waited for too long.
    pub(crate) fn send_waiting(&mut self, socket: &mut impl DatagramSocket, now: Duration) {
        while self.waiting.front().is_some_and(|oldest| now.saturating_sub(oldest.since) > LONGEST_WAIT) {
            self.drop_oldest();
        }
        self.send_all(socket);
    }

    /// Sends what waits, however old it is, as far as there is room.
    pub(crate) fn send_all(&mut self, socket: &mut impl DatagramSocket) {
        while let Some(waiting) = self.waiting.pop_front() {
            if !self.attempt(socket, waiting.to, &waiting.datagram) {
                self.waiting.push_front(waiting);
                return;
            }
            self.held -= cost(&waiting.datagram);
        }
    }

    /// True when nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many datagrams wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) const fn counters(&self) -> SendCounters {
        self.counters
    }

    /// What the socket has taken since the last call.
    pub(crate) const fn take_taken(&mut self) -> Taken {
        std::mem::replace(&mut self.taken, Taken { datagrams: 0, bytes: 0 })
    }

    /// Sends a datagram now; false when there is no room for it.
    fn attempt(&mut self, socket: &mut impl DatagramSocket, to: SocketAddr, datagram: &[u8]) -> bool {
        match socket.send(datagram, to) {
            Ok(()) => {
                self.taken.datagrams += 1;
                self.taken.bytes += datagram.len() as u64;
            }
            Err(SendError::QueueFull) => {
                self.counters.would_blocks += 1;
                return false;
            }
            Err(_) => self.counters.send_errors += 1,
        }
        true
    }

    fn keep(&mut self, waiting: Waiting) {
        self.held += cost(&waiting.datagram);
        self.waiting.push_back(waiting);
        while self.held > MAX_WAITING {
            // The oldest is of the least use: its packets may have been sent again already.
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.waiting.pop_front() {
            self.held -= cost(&oldest.datagram);
            self.counters.overflowed += 1;
        }
    }
}

const fn cost(datagram: &[u8]) -> usize {
    datagram.len() + PER_DATAGRAM
}

/// Memory for the datagrams of one driver that wait for room, in bytes.
pub const MAX_WAITING: usize = 4 << 20;

/// How long a datagram waits for room. The datagrams of a frame for a thousand clients leave a slow network card in less.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// Memory for a waiting datagram besides its bytes, roughly.
const PER_DATAGRAM: usize = 64;
