//! How long something takes.

use std::time::{Duration, Instant};

/// The shortest round of many.
#[derive(Clone, Copy)]
pub(crate) struct Best(Duration);

impl Best {
    pub(crate) const fn new() -> Self {
        Self(Duration::MAX)
    }

    /// Measures a round.
    pub(crate) fn time<T>(&mut self, round: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let answer = round();
        self.see(start.elapsed());
        answer
    }

    /// A round that was measured elsewhere.
    pub(crate) fn see(&mut self, round: Duration) {
        self.0 = self.0.min(round);
    }

    /// Microseconds of one of `count` things in a round.
    pub(crate) fn micros(self, count: usize) -> f64 {
        self.0.as_secs_f64() * 1e6 / count as f64
    }
}

/// Repeats rounds for a while.
pub(crate) fn repeat(mut round: impl FnMut()) {
    let start = Instant::now();
    while start.elapsed() < WHILE {
        round();
    }
}

/// How many of something that takes so many microseconds fit into a second, as three digits and zeros.
pub(crate) fn per_second(micros: f64) -> f64 {
    let count = 1e6 / micros;
    let unit = 10_f64.powf(count.log10().floor() - 2.0).max(1.0);
    (count / unit).round() * unit
}

const WHILE: Duration = Duration::from_secs(3);
