//! Times in which nothing passes.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::random::Random;

/// Outages that come and go with time, however much is sent: a phone that changes its cell, a train in a tunnel.
///
/// The times depend on the settings, the seed and the beginning alone, so that directions that share them are out together.
///
/// ```
/// use std::time::Duration;
///
/// use nme_netem::Outages;
///
/// let second = Duration::from_secs(1);
/// let mut outages = Outages::new(30 * second, second..=5 * second, 1, Duration::ZERO);
/// let out = (0..1000).filter(|at| outages.is_out(*at * second)).count();
/// assert!((50..150).contains(&out));
/// ```
#[derive(Debug, Clone)]
pub struct Outages {
    mean_pause: Duration,
    shortest: Duration,
    longest: Duration,
    random: Random,
    /// Of the outage that is on, or comes next.
    start: Duration,
    end: Duration,
}

impl Outages {
    /// Outages of random lengths, evenly from the shortest to the longest. The pauses between them are random around their
    /// mean, so that nobody can tell when the next one comes (a Poisson process).
    #[must_use]
    pub fn new(mean_pause: Duration, lengths: RangeInclusive<Duration>, seed: u64, now: Duration) -> Self {
        let (shortest, longest) = lengths.into_inner();
        let mut outages =
            Self { mean_pause, shortest, longest, random: Random::new(seed), start: now, end: now };
        outages.find_next();
        outages
    }

    /// True when nothing passes now. `now` must not go back.
    pub fn is_out(&mut self, now: Duration) -> bool {
        while now >= self.end {
            self.find_next();
        }
        now >= self.start
    }

    fn find_next(&mut self) {
        let pause = self.random.exponential(self.mean_pause).max(SHORTEST_PAUSE);
        self.start = self.end.saturating_add(pause);
        let spread = self.longest.saturating_sub(self.shortest);
        self.end = self.start.saturating_add(self.shortest).saturating_add(self.random.part_of(spread));
    }
}

/// Lets time go on, whatever the settings.
const SHORTEST_PAUSE: Duration = Duration::from_micros(1);

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn pauses_are_random_around_their_mean_and_lengths_within_their_range() {
        let (shortest, longest) = (0.1, 0.3);
        let mut outages = Outages::new(1000 * MS, 100 * MS..=300 * MS, 7, Duration::ZERO);
        let (mut pauses, mut lengths, mut before) = (Vec::new(), Vec::new(), Duration::ZERO);
        for _ in 0..20_000 {
            pauses.push((outages.start - before).as_secs_f64());
            lengths.push((outages.end - outages.start).as_secs_f64());
            before = outages.end;
            outages.find_next();
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        // The standard errors of the means are 0.7 % and 0.2 %, and that of the share 0.35 %.
        assert!((mean(&pauses) - 1.0).abs() < 0.03, "{}", mean(&pauses));
        assert!((mean(&lengths) / 0.2 - 1.0).abs() < 0.01, "{}", mean(&lengths));
        assert!(lengths.iter().all(|length| (shortest..=longest).contains(length)));
        // Of an exponential distribution, 1 - 1/e is below the mean.
        let short = pauses.iter().filter(|pause| **pause < 1.0).count() as f64 / pauses.len() as f64;
        assert!((short - 0.632).abs() < 0.015, "{short}");
    }

    #[test]
    fn the_same_seed_is_out_at_the_same_times_however_often_it_is_asked() {
        let make = || Outages::new(50 * MS, MS..=20 * MS, 3, 5 * MS);
        let (mut often, mut rarely) = (make(), make());
        for at in 5..20_000_u32 {
            let is_out = often.is_out(at * MS);
            if at % 97 == 0 {
                assert_eq!(rarely.is_out(at * MS), is_out, "{at}");
            }
        }
    }

    #[test]
    fn no_settings_stop_time() {
        for (pause, longest) in
            [(Duration::ZERO, Duration::ZERO), (Duration::MAX, Duration::MAX), (MS, Duration::MAX)]
        {
            let mut outages = Outages::new(pause, Duration::ZERO..=longest, 1, Duration::ZERO);
            assert!((0..100).filter(|at| outages.is_out(*at * MS)).count() <= 100);
        }
    }
}
