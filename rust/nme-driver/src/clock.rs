//! The time of a driver. Nothing else of the library looks at a clock for its network.

use std::time::{Duration, Instant};

use crate::ticks::Ticks;

/// A clock that never goes back.
pub trait Clock {
    /// The time since some moment in the past, which stays the same.
    fn now(&mut self) -> Duration;

    /// False when time has not gone on by more than a few ms since the last call. For clocks that can tell this for less
    /// than it costs to tell the time.
    fn has_ticked(&mut self) -> bool {
        true
    }

    /// Waits, for about this time.
    fn sleep(&mut self, time: Duration);
}

/// The system's monotonic clock. Clones tell the same time.
#[derive(Clone)]
pub struct Monotonic {
    start: Instant,
    ticks: Ticks,
}

impl Monotonic {
    /// A clock that stands at zero.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now(), ticks: Ticks::default() }
    }
}

impl Default for Monotonic {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for Monotonic {
    fn now(&mut self) -> Duration {
        self.start.elapsed()
    }

    fn has_ticked(&mut self) -> bool {
        self.ticks.have_passed()
    }

    fn sleep(&mut self, time: Duration) {
        std::thread::sleep(time);
    }
}
