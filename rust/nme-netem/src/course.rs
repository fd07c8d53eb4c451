//! A path that changes while traffic flows.

use std::time::Duration;

use crate::conditions::Link;

/// What a path is like over time: a link to begin with, and changes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    first: Link,
    changes: Vec<Change>,
}

/// From `start` on the path turns into `link`, evenly in latency and jitter, and is like it at `end`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Change {
    start: Duration,
    end: Duration,
    link: Link,
}

impl Course {
    /// A path that stays as it is.
    #[must_use]
    pub const fn new(link: Link) -> Self {
        Self { first: link, changes: Vec::new() }
    }

    /// Turns the path into another one at a time that is not before the last change.
    #[must_use]
    pub fn step(self, at: Duration, link: Link) -> Self {
        self.ramp(at, at, link)
    }

    /// Moves latency and jitter evenly to those of another link; the rest of it holds from the start.
    #[must_use]
    pub fn ramp(mut self, start: Duration, end: Duration, link: Link) -> Self {
        self.changes.push(Change { start, end, link });
        self
    }

    /// The link at this time.
    #[must_use]
    pub fn at(&self, now: Duration) -> Link {
        let mut link = self.first;
        for change in self.changes.iter().take_while(|change| change.start <= now) {
            let part = if now >= change.end {
                1.0
            } else {
                (now - change.start).as_secs_f64() / (change.end - change.start).as_secs_f64()
            };
            link = Link {
                latency: between(link.latency, change.link.latency, part),
                jitter: between(link.jitter, change.link.jitter, part),
                ..change.link
            };
        }
        link
    }
}

fn between(from: Duration, to: Duration, part: f64) -> Duration {
    let share = |whole: Duration, part: f64| {
        // Beyond the end of time by rounding only.
        Duration::try_from_secs_f64(whole.as_secs_f64() * part).unwrap_or(Duration::MAX)
    };
    share(from, 1.0 - part).saturating_add(share(to, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn steps_and_ramps_follow_each_other() {
        let course = Course::new(Link::delayed(20 * MS))
            .step(100 * MS, Link { loss: 0.5, ..Link::delayed(60 * MS) })
            .ramp(200 * MS, 300 * MS, Link { jitter: 10 * MS, ..Link::delayed(160 * MS) });
        let seen = [0, 99, 100, 199, 250, 300, 9000].map(|at| course.at(at * MS));
        assert_eq!(seen.map(|link| link.latency), [20, 20, 60, 60, 110, 160, 160].map(|ms| ms * MS));
        assert_eq!(seen.map(|link| link.jitter), [0, 0, 0, 0, 5, 10, 10].map(|ms| ms * MS));
        assert_eq!(seen.map(|link| link.loss), [0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.0]);
    }
    #[test]
    fn a_ramp_between_endless_delays_is_endless() {
        let endless = Link { jitter: Duration::MAX, ..Link::delayed(Duration::MAX) };
        let course = Course::new(endless).ramp(Duration::ZERO, 3 * MS, endless);
        for at in 0..5 {
            assert!(course.at(at * MS).latency > Duration::MAX / 2);
        }
    }
}
