//! What the simulator is to make of one direction, in the names and units of its users.

use std::ops::RangeInclusive;
use std::time::Duration;

use nme_netem::{Bandwidth, Link};

use super::value::Value;
use super::{SimulationError, presets};

/// What happens to datagrams of one direction. All values are within their ranges: [`set`](Self::set) is the only way to
/// change them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    pub(super) delay_msec: f64,
    pub(super) jitter_msec: f64,
    pub(super) loss_percent: f64,
    burst_interval_msec: f64,
    burst_min_msec: f64,
    burst_max_msec: f64,
    duplicate_percent: f64,
    reorder_percent: f64,
    reorder_msec: f64,
    rate_bytes_per_sec: f64,
    queue_msec: f64,
    pub(super) cut: bool,
}

/// A number of [`Conditions`]: from 0 to `max`.
struct Key {
    name: &'static str,
    max: f64,
    field: fn(&mut Conditions) -> &mut f64,
}

impl Conditions {
    /// Nothing happens: what comes with a setting that has not been set only counts together with another one.
    pub const OFF: Self = Self {
        delay_msec: 0.0,
        jitter_msec: 0.0,
        loss_percent: 0.0,
        burst_interval_msec: 0.0,
        burst_min_msec: 0.0,
        burst_max_msec: 1000.0,
        duplicate_percent: 0.0,
        reorder_percent: 0.0,
        reorder_msec: 20.0,
        rate_bytes_per_sec: 0.0,
        queue_msec: 100.0,
        cut: false,
    };

    /// True when nothing happens.
    #[must_use]
    pub fn is_off(&self) -> bool {
        let causes = [
            self.delay_msec,
            self.jitter_msec,
            self.loss_percent,
            self.burst_interval_msec,
            self.duplicate_percent,
            self.reorder_percent,
            self.rate_bytes_per_sec,
        ];
        !self.cut && causes.iter().all(|cause| *cause == 0.0)
    }

    /// Sets one value by its name.
    ///
    /// # Errors
    /// There is no such name, or the value is of another kind, or out of its range.
    pub fn set(&mut self, name: &str, value: &Value) -> Result<(), SimulationError> {
        if name == PRESET {
            *self = presets::find(value)?;
            return Ok(());
        }
        if name == CUT {
            let Value::Bool(cut) = value else { return Err(SimulationError::NoBool(value.clone())) };
            self.cut = *cut;
            return Ok(());
        }
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            return Err(SimulationError::UnknownKey(name.to_owned()));
        };
        match value.number() {
            Some(number) if (0.0..=key.max).contains(&number) => *(key.field)(self) = number,
            _ => return Err(SimulationError::Range { key: key.name, max: key.max, value: value.clone() }),
        }
        Ok(())
    }

    /// All numbers with their names.
    pub fn numbers(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let mut values = *self;
        KEYS.iter().map(move |key| (key.name, *(key.field)(&mut values)))
    }

    /// True when nothing passes.
    #[must_use]
    pub const fn cut(&self) -> bool {
        self.cut
    }

    /// Whether the values go together.
    pub(super) fn check(&self) -> Result<(), SimulationError> {
        if self.burst_min_msec > self.burst_max_msec {
            return Err(SimulationError::BurstOrder { min: self.burst_min_msec, max: self.burst_max_msec });
        }
        Ok(())
    }

    pub(super) fn link(&self) -> Link {
        let (delay, jitter) = (msec(self.delay_msec), msec(self.jitter_msec));
        let shortest = delay.saturating_sub(jitter);
        let rate = self.rate_bytes_per_sec as u64;
        Link {
            latency: shortest,
            jitter: delay + jitter - shortest,
            loss: self.loss_percent / 100.0,
            duplicate: self.duplicate_percent / 100.0,
            reorder: self.reorder_percent / 100.0,
            reorder_delay: msec(self.reorder_msec),
            bandwidth: (rate > 0).then(|| Bandwidth::queued_for(rate, msec(self.queue_msec))),
            ..Link::PERFECT
        }
    }

    /// The mean pause between bursts of loss and their lengths, if there are any.
    pub(super) fn bursts(&self) -> Option<(Duration, RangeInclusive<Duration>)> {
        let lengths = msec(self.burst_min_msec)..=msec(self.burst_max_msec);
        (self.burst_interval_msec > 0.0).then(|| (msec(self.burst_interval_msec), lengths))
    }
}

impl Default for Conditions {
    fn default() -> Self {
        Self::OFF
    }
}

/// All names, for an error.
pub(super) fn key_names() -> String {
    let names = KEYS.iter().map(|key| key.name).chain([CUT, PRESET, "seed", "incoming", "outgoing"]);
    names.collect::<Vec<_>>().join(", ")
}

fn msec(number: f64) -> Duration {
    Duration::from_secs_f64(number / 1000.0)
}

/// The name of the only value that is no number.
pub(super) const CUT: &str = "cut";

/// The name of what sets all values.
pub(super) const PRESET: &str = "preset";

const KEYS: [Key; 11] = [
    Key { name: "delay_msec", max: MAX_DELAY_MSEC, field: |all| &mut all.delay_msec },
    Key { name: "jitter_msec", max: MAX_DELAY_MSEC, field: |all| &mut all.jitter_msec },
    Key { name: "loss_percent", max: 100.0, field: |all| &mut all.loss_percent },
    Key { name: "burst_interval_msec", max: 3_600_000.0, field: |all| &mut all.burst_interval_msec },
    Key { name: "burst_min_msec", max: MAX_BURST_MSEC, field: |all| &mut all.burst_min_msec },
    Key { name: "burst_max_msec", max: MAX_BURST_MSEC, field: |all| &mut all.burst_max_msec },
    Key { name: "duplicate_percent", max: 100.0, field: |all| &mut all.duplicate_percent },
    Key { name: "reorder_percent", max: 100.0, field: |all| &mut all.reorder_percent },
    Key { name: "reorder_msec", max: MAX_DELAY_MSEC, field: |all| &mut all.reorder_msec },
    Key { name: "rate_bytes_per_sec", max: u32::MAX as f64, field: |all| &mut all.rate_bytes_per_sec },
    Key { name: "queue_msec", max: MAX_DELAY_MSEC, field: |all| &mut all.queue_msec },
];

/// Longer than any path of a game's.
const MAX_DELAY_MSEC: f64 = 10_000.0;

/// Longer than any connection survives without being told to.
const MAX_BURST_MSEC: f64 = 60_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_within_its_range_makes_a_valid_link() {
        for delay in [0.0, MAX_DELAY_MSEC] {
            let mut conditions = Conditions::OFF;
            KEYS.iter().for_each(|key| *(key.field)(&mut conditions) = key.max);
            conditions.delay_msec = delay;
            assert_eq!(conditions.link().validate(), Ok(()));
        }
    }

    #[test]
    fn jitter_is_around_the_delay_and_never_below_none() {
        let link = |delay_msec, jitter_msec| {
            let link = Conditions { delay_msec, jitter_msec, ..Conditions::OFF }.link();
            (link.latency.as_millis(), link.jitter.as_millis())
        };
        assert_eq!(link(100.0, 20.0), (80, 40));
        assert_eq!(link(50.0, 50.0), (0, 100));
        assert_eq!(link(10.0, 50.0), (0, 60));
    }

    #[test]
    fn off_makes_a_perfect_link_and_each_cause_is_on() {
        assert!(Conditions::OFF.is_off());
        assert!(Conditions::OFF.bursts().is_none());
        assert_eq!(Conditions::OFF.link(), Link { reorder_delay: msec(20.0), ..Link::PERFECT });
        let causes =
            ["delay_msec", "jitter_msec", "loss_percent", "burst_interval_msec", "duplicate_percent"];
        for cause in causes.into_iter().chain(["reorder_percent", "rate_bytes_per_sec"]) {
            let mut conditions = Conditions::OFF;
            conditions.set(cause, &Value::Integer(1)).expect("a value");
            assert!(!conditions.is_off(), "{cause}");
        }
        let mut conditions = Conditions::OFF;
        conditions.set(CUT, &Value::Bool(true)).expect("a value");
        assert!(!conditions.is_off());
    }
}
