//! One direction that behaves as its settings say.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::mem;
use std::time::Duration;

use crate::conditions::{Link, LinkError};
use crate::counters::Counters;
use crate::passage::{Arrivals, Dice, Passage};

/// One direction: datagrams go in with [`push`](Self::push), and come out with [`pop`](Self::pop) when they are due.
///
/// `T` is what comes out with a datagram as it went in, as a rule the address of its sender or receiver. All
/// datagrams of a pipe share its rate, its bursts and its order, whatever their `T`.
///
/// The memory of datagrams that came out is used again.
#[derive(Debug)]
pub struct Pipe<T> {
    link: Link,
    passage: Passage,
    dice: Dice,
    travelling: BinaryHeap<Reverse<Datagram<T>>>,
    travelling_bytes: usize,
    next_number: u64,
    /// The datagram that [`pop`](Self::pop) lends.
    lent: Vec<u8>,
    spare: Vec<Vec<u8>>,
}

impl<T: Clone> Pipe<T> {
    /// A pipe; what happens in it depends on the settings, the seed and the calls alone.
    ///
    /// # Errors
    /// The settings make no sense; see [`Link::validate`].
    pub fn new(link: Link, seed: u64) -> Result<Self, LinkError> {
        link.validate()?;
        Ok(Self {
            link,
            passage: Passage::new(),
            dice: Dice::new(seed),
            travelling: BinaryHeap::new(),
            travelling_bytes: 0,
            next_number: 0,
            lent: Vec::new(),
            spare: Vec::new(),
        })
    }

    /// The settings.
    #[must_use]
    pub const fn link(&self) -> &Link {
        &self.link
    }

    /// Sets what holds from now on. What is on its way is not affected, and later datagrams may overtake it.
    ///
    /// # Errors
    /// The settings make no sense; see [`Link::validate`]. The old ones hold on.
    pub fn set_link(&mut self, link: Link) -> Result<(), LinkError> {
        link.validate()?;
        if link != self.link {
            self.link = link;
            self.passage.forget_order();
        }
        Ok(())
    }

    /// Puts a datagram on its way. `now` must not go back.
    ///
    /// What would make the pipe hold more than [`MAX_HELD`](Self::MAX_HELD) bytes is dropped as by a full queue.
    pub fn push(&mut self, now: Duration, tag: T, bytes: &[u8]) {
        let Some(Arrivals { first, copy }) = self.passage.send(now, bytes.len(), &self.link, &mut self.dice)
        else {
            return;
        };
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
        self.travelling.peek().map(|Reverse(datagram)| datagram.due)
    }

    /// Takes the first datagram that is due by now. Those of one time come in the order in which they went in.
    pub fn pop(&mut self, now: Duration) -> Option<(T, &[u8])> {
        if self.next_due()? > now {
            return None;
        }
        let Reverse(Datagram { tag, bytes, .. }) = self.travelling.pop()?;
        self.travelling_bytes = self.travelling_bytes.saturating_sub(bytes.len());
        self.passage.counters.delivered += 1;
        let returned = mem::replace(&mut self.lent, bytes);
        if self.spare.len() < MAX_SPARE {
            self.spare.push(returned);
        }
        Some((tag, &self.lent))
    }

    /// Forgets everything that is on its way; answers how many datagrams that was.
    pub fn clear(&mut self) -> usize {
        let discarded = self.travelling.len();
        self.travelling.clear();
        self.travelling_bytes = 0;
        self.passage.forget_order();
        self.passage.counters.discarded += discarded as u64;
        discarded
    }

    /// How many datagrams are on their way.
    #[must_use]
    pub fn on_the_way(&self) -> usize {
        self.travelling.len()
    }

    /// What has happened so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.passage.counters
    }

    fn travel(&mut self, due: Duration, tag: T, bytes: &[u8]) {
        let held = self.travelling_bytes.saturating_add(bytes.len());
        if held > Self::MAX_HELD {
            self.passage.counters.overflowed += 1;
            return;
        }
        self.travelling_bytes = held;
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(bytes);
        self.travelling.push(Reverse(Datagram { due, number: self.next_number, tag, bytes: buffer }));
        self.next_number += 1;
    }
}

impl<T> Pipe<T> {
    /// How many bytes are on their way at most, whatever the settings.
    pub const MAX_HELD: usize = 64 << 20;
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
