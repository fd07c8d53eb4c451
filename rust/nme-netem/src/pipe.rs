//! One direction that behaves as its settings say.

use std::time::Duration;

use crate::conditions::{Link, LinkError};
use crate::counters::Counters;
use crate::impairment::Impairment;
use crate::in_flight::InFlight;
use crate::passage::Arrivals;

/// One direction: datagrams go in with [`push`](Self::push), and come out with [`pop`](Self::pop) when they are due.
///
/// `T` is what comes out with a datagram as it went in, as a rule the address of its sender or receiver. All
/// datagrams of a pipe share its rate, its bursts and its order, whatever their `T`.
#[derive(Debug)]
pub struct Pipe<T> {
    impairment: Impairment,
    in_flight: InFlight<T>,
}

impl<T: Clone> Pipe<T> {
    /// A pipe; what happens in it depends on the settings, the seed and the calls alone.
    ///
    /// # Errors
    /// The settings make no sense; see [`Link::validate`].
    pub fn new(link: Link, seed: u64) -> Result<Self, LinkError> {
        Ok(Self { impairment: Impairment::new(link, seed)?, in_flight: InFlight::new() })
    }

    /// The settings.
    #[must_use]
    pub const fn link(&self) -> &Link {
        self.impairment.link()
    }

    /// Sets what holds from now on. What is on its way is not affected, and later datagrams may overtake it.
    ///
    /// # Errors
    /// The settings make no sense; see [`Link::validate`]. The old ones hold on.
    pub fn set_link(&mut self, link: Link) -> Result<(), LinkError> {
        self.impairment.set_link(link)
    }

    /// Puts a datagram on its way. `now` must not go back.
    ///
    /// What would make the pipe hold more than [`InFlight::MAX_HELD`] bytes is dropped as by a full queue.
    pub fn push(&mut self, now: Duration, tag: T, bytes: &[u8]) {
        let Some(Arrivals { first, copy }) = self.impairment.send(now, bytes.len()) else { return };
        if let Some(copy) = copy {
            self.travel(first, tag.clone(), bytes);
            self.travel(copy, tag, bytes);
        } else {
            self.travel(first, tag, bytes);
        }
    }

    /// When the next datagram is due; may be in the past, when nobody took it.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        self.in_flight.next_due()
    }

    /// Takes the first datagram that is due by now. Those of one time come in the order in which they went in.
    pub fn pop(&mut self, now: Duration) -> Option<(T, &[u8])> {
        let taken = self.in_flight.pop(now)?;
        self.impairment.passage.counters.delivered += 1;
        Some(taken)
    }

    /// Forgets everything that is on its way; answers how many datagrams that was.
    pub fn clear(&mut self) -> usize {
        let discarded = self.in_flight.len();
        self.in_flight.clear();
        self.impairment.passage.forget_order();
        self.impairment.passage.counters.discarded += discarded as u64;
        discarded
    }

    /// How many datagrams are on their way.
    #[must_use]
    pub fn on_the_way(&self) -> usize {
        self.in_flight.len()
    }

    /// What has happened so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.impairment.counters()
    }

    fn travel(&mut self, due: Duration, tag: T, bytes: &[u8]) {
        if !self.in_flight.push(due, tag, bytes) {
            self.impairment.passage.counters.overflowed += 1;
        }
    }
}
