//! What happens to the datagrams of one direction: the rules that [`Impairment`](crate::Impairment) and
//! [`Network`](crate::Network) share.
//!
//! A datagram's way over the [`Link`] from its sender to its receiver:
//!
//! 1. What is too long is lost.
//! 2. It waits for the link to send what came before, then takes its own time (bandwidth). When the queue is
//!    full it is dropped.
//! 3. It may be lost, in a burst or by itself.
//! 4. It travels for the latency and a random part of the jitter. Jitter alone changes no order, unless it may.
//! 5. It may be held back on top of that, so that later ones overtake it (reorder).
//! 6. A second copy may arrive, with a jitter and a delay of its own (duplicate).
//!
//! Every datagram draws the same number of random values whatever the settings, so a change of one setting does
//! not change what the others do.

use std::time::Duration;

use crate::conditions::{Bandwidth, Burst, Link, NANOS_PER_SECOND};
use crate::counters::Counters;
use crate::random::Random;

/// What is remembered of one direction from one datagram to the next.
#[derive(Debug, Clone)]
pub(crate) struct Passage {
    pub(crate) counters: Counters,
    /// When all that was sent has passed the bandwidth limit.
    free_at: Duration,
    /// The latest arrival among the datagrams that keep their order.
    last_arrival: Duration,
    in_burst: bool,
}

/// When a datagram arrives that was not lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrivals {
    /// When it arrives.
    pub first: Duration,
    /// When a second copy arrives: not before the first.
    pub copy: Option<Duration>,
}

/// The random values of one or more passages.
#[derive(Debug, Clone)]
pub(crate) struct Generators {
    main: Random,
    /// For bursts and the delay of copies. A sequence of its own, so that what a seed means stayed as it was before
    /// there were these.
    further: Random,
}

impl Generators {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { main: Random::new(seed), further: Random::new(seed.rotate_left(32) ^ FURTHER) }
    }
}

impl Passage {
    pub(crate) const fn new() -> Self {
        Self {
            counters: Counters::ZERO,
            free_at: Duration::ZERO,
            last_arrival: Duration::ZERO,
            in_burst: false,
        }
    }

    /// Sends a datagram of this length; `None` when it is lost. Counts everything but the arrival.
    pub(crate) fn send(
        &mut self,
        now: Duration,
        len: usize,
        link: &Link,
        random: &mut Generators,
    ) -> Option<Arrivals> {
        let loss = random.main.chance(link.loss);
        let duplicate = random.main.chance(link.duplicate);
        let reorder = random.main.chance(link.reorder);
        let jitter = random.main.part_of(link.jitter);
        let jitter_of_copy = random.main.part_of(link.jitter);
        let loss_in_burst = self.move_burst(link.burst, random);
        let delay_of_copy = random.further.part_of(link.duplicate_delay);

        self.counters.sent += 1;
        if link.longest.is_some_and(|longest| len > longest) {
            self.counters.too_long += 1;
            return None;
        }
        let Some(departure) = self.depart(now, len, link.bandwidth) else {
            self.counters.overflowed += 1;
            return None;
        };
        if loss_in_burst {
            self.counters.lost_in_bursts += 1;
            return None;
        }
        if loss {
            self.counters.lost += 1;
            return None;
        }
        let start = departure.saturating_add(link.latency);
        let mut first = start.saturating_add(jitter);
        if !link.jitter_reorders {
            first = first.max(self.last_arrival);
        }
        if reorder {
            self.counters.reordered += 1;
            first = first.saturating_add(link.reorder_delay);
        } else {
            self.last_arrival = self.last_arrival.max(first);
        }
        let copy = first.max(start.saturating_add(jitter_of_copy)).saturating_add(delay_of_copy);
        self.counters.duplicated += u64::from(duplicate);
        Some(Arrivals { first, copy: duplicate.then_some(copy) })
    }

    /// Lets what is sent from now on overtake what is on its way.
    pub(crate) const fn forget_order(&mut self) {
        self.last_arrival = Duration::ZERO;
    }

    /// Starts or ends a burst; whether it takes the datagram.
    fn move_burst(&mut self, burst: Option<Burst>, random: &mut Generators) -> bool {
        let Burst { start, end, loss } = burst.unwrap_or(Burst::NONE);
        let turns = random.further.chance(if self.in_burst { end } else { start });
        let loses = random.further.chance(loss);
        self.in_burst = burst.is_some() && self.in_burst != turns;
        self.in_burst && loses
    }

    /// When the last byte leaves the queue; `None` when there is no place in it.
    fn depart(&mut self, now: Duration, len: usize, bandwidth: Option<Bandwidth>) -> Option<Duration> {
        let Some(Bandwidth { bytes_per_second, queue }) = bandwidth else {
            self.free_at = now;
            return Some(now);
        };
        let rate = u128::from(bytes_per_second);
        let waiting = self.free_at.saturating_sub(now).as_nanos().saturating_mul(rate) / NANOS_PER_SECOND;
        let len = len as u128;
        if rate == 0 || (waiting > 0 && waiting + len > u128::from(queue)) {
            return None;
        }
        let took = u64::try_from(len * NANOS_PER_SECOND / rate).map_or(Duration::MAX, Duration::from_nanos);
        self.free_at = self.free_at.max(now).saturating_add(took);
        Some(self.free_at)
    }
}

/// Keeps the two sequences of one seed apart.
const FURTHER: u64 = 0x5851_F42D_4C95_7F2D;
