//! The engine's clock, which only moves when it is told the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Monotonic time. A step of more than [`LONGEST_STEP`] counts as that: the engine looks for timeouts before it reads, and
/// takes a jump of a day for a clock that ran backwards.
#[derive(Debug)]
pub(crate) struct Clock {
    told: Option<Duration>,
    micros: Arc<AtomicU64>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { told: None, micros: Arc::new(AtomicU64::new(START)) }
    }

    /// What the engine calls.
    pub(crate) fn ticks(&self) -> Box<dyn Fn() -> Duration> {
        let micros = Arc::clone(&self.micros);
        Box::new(move || Duration::from_micros(micros.load(Ordering::Relaxed)))
    }

    /// Takes the owner's time. Going back is ignored.
    pub(crate) fn tell(&mut self, now: Duration) {
        let told = self.told.unwrap_or(now);
        let step = now.saturating_sub(told).min(LONGEST_STEP);
        self.told = Some(told.max(now));
        self.micros.fetch_add(step.as_micros() as u64, Ordering::Relaxed);
    }

    /// The engine's time.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }

    /// The last time that the owner told.
    pub(crate) fn told(&self) -> Duration {
        self.told.unwrap_or_default()
    }
}

/// Less than the 5 s after which peers begin to be given up.
const LONGEST_STEP: Duration = Duration::from_secs(4);

/// In µs. Times of 0 mean "never" to the engine.
const START: u64 = 1_000_000;
