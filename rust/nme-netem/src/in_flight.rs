//! Datagrams that are on their way.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::mem;
use std::time::Duration;

/// Datagrams with the times at which they arrive. Those of one time come out in the order in which they went in.
///
/// `T` is what comes out with a datagram as it went in, as a rule an address. The memory of datagrams that came out is
/// used again.
#[derive(Debug)]
pub struct InFlight<T> {
    datagrams: BinaryHeap<Reverse<Datagram<T>>>,
    held: usize,
    next_number: u64,
    /// The datagram that [`pop`](Self::pop) lends.
    lent: Vec<u8>,
    spare: Vec<Vec<u8>>,
}

impl<T> InFlight<T> {
    /// How many bytes are held at most, with [`PER_DATAGRAM`](Self::PER_DATAGRAM) for each datagram on top of its own.
    pub const MAX_HELD: usize = 64 << 20;

    /// Memory for a datagram besides its bytes, roughly.
    pub const PER_DATAGRAM: usize = 128;

    /// Nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { datagrams: BinaryHeap::new(), held: 0, next_number: 0, lent: Vec::new(), spare: Vec::new() }
    }

    /// Puts a datagram on its way; false when there is no room for it.
    #[must_use = "without room, the datagram is lost"]
    pub fn push(&mut self, due: Duration, tag: T, bytes: &[u8]) -> bool {
        let held = self.held.saturating_add(cost(bytes));
        if held > Self::MAX_HELD {
            return false;
        }
        self.held = held;
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(bytes);
        self.datagrams.push(Reverse(Datagram { due, number: self.next_number, tag, bytes: buffer }));
        self.next_number += 1;
        true
    }

    /// When the next datagram is due; may be in the past, when nobody took it.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        self.peek().map(|(due, _)| due)
    }

    /// The next datagram: when it is due, and what it went in with.
    #[must_use]
    pub fn peek(&self) -> Option<(Duration, &T)> {
        self.datagrams.peek().map(|Reverse(datagram)| (datagram.due, &datagram.tag))
    }

    /// Takes the first datagram that is due by now.
    pub fn pop(&mut self, now: Duration) -> Option<(T, &[u8])> {
        if self.next_due()? > now {
            return None;
        }
        let Reverse(Datagram { tag, bytes, .. }) = self.datagrams.pop()?;
        self.held = self.held.saturating_sub(cost(&bytes));
        let returned = mem::replace(&mut self.lent, bytes);
        if self.spare.len() < MAX_SPARE {
            self.spare.push(returned);
        }
        Some((tag, &self.lent))
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.datagrams.clear();
        self.held = 0;
    }

    /// How many datagrams there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.datagrams.len()
    }

    /// True when nothing is on its way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }
}

impl<T> Default for InFlight<T> {
    fn default() -> Self {
        Self::new()
    }
}

const fn cost(bytes: &[u8]) -> usize {
    bytes.len() + InFlight::<()>::PER_DATAGRAM
}

#[derive(Debug)]
struct Datagram<T> {
    due: Duration,
    /// Settles ties.
    number: u64,
    tag: T,
    bytes: Vec<u8>,
}

impl<T> Datagram<T> {
    const fn key(&self) -> (Duration, u64) {
        (self.due, self.number)
    }
}

impl<T> PartialEq for Datagram<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Datagram<T> {}

impl<T> PartialOrd for Datagram<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Datagram<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// How many buffers are kept for datagrams to come.
const MAX_SPARE: usize = 256;
