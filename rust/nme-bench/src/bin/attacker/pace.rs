//! How many are due by now.

use std::time::{Duration, Instant};

/// A rate that is kept for a time.
pub(crate) struct Pace {
    start: Instant,
    /// A second; 0 is as many as possible.
    rate: u64,
    time: Duration,
    done: u64,
}

impl Pace {
    pub(crate) fn new(rate: u64, time: Duration) -> Self {
        Self { start: Instant::now(), rate, time, done: 0 }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// How many are due, after a wait if there are none; `None` when the time is over.
    pub(crate) fn due(&mut self) -> Option<u64> {
        let elapsed = self.elapsed();
        if elapsed >= self.time {
            return None;
        }
        if self.rate == 0 {
            return Some(BATCH);
        }
        let wanted =
            u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX).saturating_mul(self.rate) / 1_000_000;
        let due = wanted.saturating_sub(self.done);
        self.done = self.done.max(wanted);
        if due == 0 {
            std::thread::sleep(SHORT);
        }
        Some(due)
    }
}

/// Datagrams between two looks at the clock, when there is no rate.
const BATCH: u64 = 64;

const SHORT: Duration = Duration::from_micros(300);
