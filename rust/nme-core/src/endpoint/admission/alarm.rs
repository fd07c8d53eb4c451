//! When a server begins to ask for proof of address by itself, and when it stops.
//!
//! Proof costs an honest client one round trip, and a forger everything. So the alarm goes off early: a whole tournament that
//! joins at once may set it off, and does not notice.

use std::time::Duration;

/// Whether strangers look like a flood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alarm {
    is_on: bool,
    /// Requests without proof in this second.
    requests: u32,
    /// Its beginning.
    second: Duration,
    /// When there was last a reason for the alarm.
    hot: Duration,
    /// Half-open connections that set it off.
    half_open_limit: usize,
}

impl Alarm {
    pub(super) fn new(places: u16) -> Self {
        let half_open_limit = usize::from(places.div_ceil(PART_OF_PLACES)).min(MAX_HALF_OPEN_PEERS);
        let zero = Duration::ZERO;
        Self { is_on: false, requests: 0, second: zero, hot: zero, half_open_limit }
    }

    pub(super) const fn is_on(&self) -> bool {
        self.is_on
    }

    /// Somebody without proof asks for a place, while so many connections are half-open.
    pub(super) fn note(&mut self, now: Duration, half_open: usize) {
        if now.saturating_sub(self.second) >= SECOND {
            self.second = now;
            self.requests = 0;
        }
        self.requests = self.requests.saturating_add(1);
        let (requests, connections) = if self.is_on {
            (CALM_REQUESTS_PER_SECOND, self.half_open_limit / 2 + 1)
        } else {
            (MOST_REQUESTS_PER_SECOND, self.half_open_limit)
        };
        if self.requests > requests || half_open >= connections {
            self.is_on = true;
            self.hot = now;
        }
    }

    /// Time goes on.
    pub(super) fn tick(&mut self, now: Duration) {
        if self.is_on && now.saturating_sub(self.hot) >= SHORTEST_CALM {
            self.is_on = false;
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// Requests without proof in a second that set the alarm off. Games see some a minute; what comes below this rate meets the
/// other threshold.
const MOST_REQUESTS_PER_SECOND: u32 = 64;

/// While the alarm is on: requests in a second that keep it on.
const CALM_REQUESTS_PER_SECOND: u32 = 16;

/// The part of the places that may be half-open: a connection takes a round trip to complete, a forged one half a minute to
/// be given up.
const PART_OF_PLACES: u16 = 4;

/// Half-open connections that set the alarm off on any server, however large.
const MAX_HALF_OPEN_PEERS: usize = 64;

/// How long it must have been calm. A flood that pauses for less gets no further.
const SHORTEST_CALM: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_sets_it_off_and_calm_ends_it() {
        let mut alarm = Alarm::new(32);
        for millis in 0..64 {
            alarm.note(Duration::from_millis(5000 + millis), 0);
        }
        assert!(!alarm.is_on());
        alarm.note(Duration::from_millis(5065), 0);
        assert!(alarm.is_on());
        // Ten a second do not keep it on, a hundred do.
        for (pause, until, is_on) in [(10, 30_000, true), (100, 41_000, false)] {
            let begin = alarm.hot.as_millis() as u64;
            for millis in (begin..until).step_by(pause) {
                let now = Duration::from_millis(millis);
                alarm.tick(now);
                alarm.note(now, 0);
            }
            assert_eq!(alarm.is_on(), is_on, "{pause}");
        }
    }

    #[test]
    fn half_open_connections_set_it_off() {
        for (places, limit) in [(1, 1), (4, 1), (32, 8), (4095, 64)] {
            let mut alarm = Alarm::new(places);
            alarm.note(Duration::from_secs(5), limit - 1);
            assert!(!alarm.is_on(), "{places}");
            alarm.note(Duration::from_secs(5), limit);
            assert!(alarm.is_on(), "{places}");
            alarm.tick(Duration::from_secs(14));
            assert!(alarm.is_on());
            alarm.tick(Duration::from_secs(15));
            assert!(!alarm.is_on());
        }
    }
}
