//! The host's clock, which only moves when it is told the time.

use std::time::Duration;

/// Monotonic time in µs, from the times that the owner tells.
///
/// A step of more than [`LONGEST_STEP`] counts as that: a game that has just loaded a level must not lose peers whose
/// acknowledgements wait in the socket.
#[derive(Debug)]
pub(crate) struct Clock {
    told: Option<Duration>,
    micros: u64,
}

impl Clock {
    pub(crate) const fn new() -> Self {
        Self { told: None, micros: START_US }
    }

    /// Takes the owner's time, and returns the host's. Going back is ignored.
    pub(crate) fn tell(&mut self, now: Duration) -> u64 {
        let told = self.told.unwrap_or(now);
        let step = now.saturating_sub(told).min(LONGEST_STEP);
        self.told = Some(told.max(now));
        self.micros += step.as_micros() as u64;
        self.micros
    }

    /// The host's time in µs.
    pub(crate) const fn now(&self) -> u64 {
        self.micros
    }

    /// The owner's time when the host's is `micros`.
    pub(crate) fn owners(&self, micros: u64) -> Duration {
        let told = self.told.unwrap_or_default();
        told + Duration::from_micros(micros.saturating_sub(self.micros))
    }
}

/// The low bits of a time in ms, as they stand in a header.
pub(crate) const fn wire_time(micros: u64) -> u16 {
    (micros / 1000) as u16
}

/// The time since `sent_time` in µs; `None` for what has not been sent yet. What is longer than half a minute is taken
/// for that.
pub(crate) fn since(now: u64, sent_time: u16) -> Option<u64> {
    let millis = wire_time(now).wrapping_sub(sent_time);
    (millis < LONGEST_ROUND_TRIP_MS).then(|| u64::from(millis.max(1)) * 1000)
}

/// Less than the 5 s after which peers begin to be given up.
const LONGEST_STEP: Duration = Duration::from_secs(4);

/// Times of 0 mean "never" in stock ENet.
const START_US: u64 = 1_000_000;

/// In ms; the wire's clock wraps after twice this.
const LONGEST_ROUND_TRIP_MS: u16 = 0x8000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_goes_back_and_never_jumps() {
        let mut clock = Clock::new();
        let start = clock.tell(Duration::from_secs(100));
        assert_eq!(clock.tell(Duration::from_secs(102)) - start, 2_000_000);
        assert_eq!(clock.tell(Duration::from_secs(90)) - start, 2_000_000);
        assert_eq!(clock.tell(Duration::from_secs(103)) - start, 3_000_000);
        assert_eq!(clock.tell(Duration::from_secs(100_000)) - start, 7_000_000);
        assert_eq!(clock.owners(start + 7_500_000), Duration::from_millis(100_000_500));
    }

    #[test]
    fn round_trips_survive_the_wrap_of_the_wire() {
        assert_eq!(since(65_536_000 + 5000, 65_530), Some(11_000));
        assert_eq!(since(5_000_000, 5001), None);
        assert_eq!(since(5_000_000, 5000), Some(1000));
    }
}
