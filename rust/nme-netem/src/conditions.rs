//! What one direction is like: the settings.

use std::time::Duration;

use thiserror::Error;

/// What happens between one sender and one receiver, in this direction.
///
/// The default is a perfect link: no delay, no loss, no limit. Chances are 0 (never) to 1 (always); [`validate`] says
/// what else is asked of the values.
///
/// [`validate`]: Self::validate
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Link {
    /// How long every datagram travels.
    pub latency: Duration,
    /// The most that is added to the latency, at random and evenly; keeps the order unless `jitter_reorders`.
    pub jitter: Duration,
    /// Each datagram has its own jitter, whatever came before, so that later ones may overtake it.
    pub jitter_reorders: bool,
    /// The chance that a datagram does not arrive.
    pub loss: f64,
    /// Loss that comes in bursts, on top of `loss`.
    pub burst: Option<Burst>,
    /// The chance that a datagram that is not lost arrives twice.
    pub duplicate: f64,
    /// The most that the second copy comes later than it would anyway, at random and evenly.
    pub duplicate_delay: Duration,
    /// The chance that a datagram is held back by `reorder_delay`.
    pub reorder: f64,
    /// The extra delay of what `reorder` picks.
    pub reorder_delay: Duration,
    /// How much passes in a time.
    pub bandwidth: Option<Bandwidth>,
    /// The longest datagram that passes, in bytes without IP and UDP headers. Longer ones are lost, and nobody is told: a
    /// path with a small MTU that drops fragments.
    pub longest: Option<usize>,
}

/// The limit of a [`Link`]. Counts the bytes of the datagrams, without IP and UDP headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bandwidth {
    /// What passes; with 0 nothing does.
    pub bytes_per_second: u64,
    /// How many bytes wait, at most, the part of the datagram under way that is not sent yet included. What
    /// does not fit is dropped. A datagram that finds the link idle always passes.
    pub queue: u64,
}

/// Loss that comes in bursts: the two-state model of Gilbert and Elliott.
///
/// With each datagram a burst may start, or end if there is one. While it lasts, datagrams are lost with a chance of
/// its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burst {
    /// The chance that a burst starts with a datagram.
    pub start: f64,
    /// The chance that a burst is over with a datagram. With 0 it never is.
    pub end: f64,
    /// The chance that a datagram is lost during a burst.
    pub loss: f64,
}

/// Why settings are not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum LinkError {
    /// A chance that is none.
    #[error("the chance of {what} must be from 0 to 1, and is {value}")]
    Chance {
        /// What has this chance.
        what: &'static str,
        /// The value.
        value: f64,
    },
    /// A time that is too long.
    #[error("the {what} must be {max:?} or less, and is {value:?}", max = Link::MAX_DELAY)]
    Delay {
        /// Which time.
        what: &'static str,
        /// The value.
        value: Duration,
    },
    /// Bursts that cannot be as long as that and have that loss on average.
    #[error("no bursts of {length} datagrams lose {loss} of all datagrams")]
    Burst {
        /// The share of datagrams that are lost.
        loss: f64,
        /// The mean length in datagrams.
        length: f64,
    },
}

impl Link {
    /// The [default](Self::default).
    pub const PERFECT: Self = Self {
        latency: Duration::ZERO,
        jitter: Duration::ZERO,
        jitter_reorders: false,
        loss: 0.0,
        burst: None,
        duplicate: 0.0,
        duplicate_delay: Duration::ZERO,
        reorder: 0.0,
        reorder_delay: Duration::ZERO,
        bandwidth: None,
        longest: None,
    };

    /// A link over which nothing arrives.
    pub const DOWN: Self = Self { loss: 1.0, ..Self::PERFECT };

    /// The longest of each of the delays that [`validate`](Self::validate) accepts.
    pub const MAX_DELAY: Duration = Duration::from_secs(60);

    /// A link that only delays.
    #[must_use]
    pub const fn delayed(latency: Duration) -> Self {
        Self { latency, ..Self::PERFECT }
    }

    /// Whether the values make sense.
    ///
    /// # Errors
    /// A chance is not from 0 to 1, or a delay is longer than [`MAX_DELAY`](Self::MAX_DELAY).
    pub fn validate(&self) -> Result<(), LinkError> {
        let burst = self.burst.unwrap_or(Burst::NONE);
        let chances = [
            ("loss", self.loss),
            ("a burst's start", burst.start),
            ("a burst's end", burst.end),
            ("loss in a burst", burst.loss),
            ("a duplicate", self.duplicate),
            ("reordering", self.reorder),
        ];
        for (what, value) in chances {
            if !(0.0..=1.0).contains(&value) {
                return Err(LinkError::Chance { what, value });
            }
        }
        let delays = [
            ("latency", self.latency),
            ("jitter", self.jitter),
            ("delay of duplicates", self.duplicate_delay),
            ("delay of reordering", self.reorder_delay),
        ];
        for (what, value) in delays {
            if value > Self::MAX_DELAY {
                return Err(LinkError::Delay { what, value });
            }
        }
        Ok(())
    }
}

impl Bandwidth {
    /// A limit whose queue is as long as what passes in this time.
    #[must_use]
    pub fn queued_for(bytes_per_second: u64, time: Duration) -> Self {
        let bytes = u128::from(bytes_per_second).saturating_mul(time.as_nanos()) / NANOS_PER_SECOND;
        Self { bytes_per_second, queue: u64::try_from(bytes).unwrap_or(u64::MAX) }
    }
}

impl Burst {
    /// What no burst comes of.
    pub(crate) const NONE: Self = Self { start: 0.0, end: 0.0, loss: 0.0 };

    /// Bursts in which everything is lost, with a mean length in datagrams, so that a share of `loss` of all datagrams
    /// is lost.
    ///
    /// # Errors
    /// `length` is below 1, `loss` is not from 0 to below 1, or the bursts are too short for so much loss.
    pub fn of(loss: f64, length: f64) -> Result<Self, LinkError> {
        // In the long run bursts take start / (start + end) of the datagrams.
        let end = 1.0 / length;
        let start = end * loss / (1.0 - loss);
        let is_possible = length >= 1.0 && length.is_finite() && (0.0..1.0).contains(&loss) && start <= 1.0;
        if is_possible { Ok(Self { start, end, loss: 1.0 }) } else { Err(LinkError::Burst { loss, length }) }
    }
}

pub(crate) const NANOS_PER_SECOND: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_perfect_and_valid() {
        assert_eq!(Link::default(), Link::PERFECT);
        assert_eq!(Link::PERFECT.validate(), Ok(()));
        assert_eq!(Link::DOWN.validate(), Ok(()));
        assert_eq!(Link::delayed(Link::MAX_DELAY).validate(), Ok(()));
    }

    #[test]
    fn what_is_no_chance_is_refused() {
        let burst = Burst { start: 0.5, end: 0.5, loss: 0.5 };
        for value in [-0.1, 1.001, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let links = [
                Link { loss: value, ..Link::PERFECT },
                Link { duplicate: value, ..Link::PERFECT },
                Link { reorder: value, ..Link::PERFECT },
                Link { burst: Some(Burst { start: value, ..burst }), ..Link::PERFECT },
                Link { burst: Some(Burst { end: value, ..burst }), ..Link::PERFECT },
                Link { burst: Some(Burst { loss: value, ..burst }), ..Link::PERFECT },
            ];
            for link in links {
                let refused = link.validate();
                assert!(matches!(refused, Err(LinkError::Chance { .. })), "{link:?}: {refused:?}");
            }
        }
        let error = Link { loss: 5.0, ..Link::PERFECT }.validate().unwrap_err();
        assert_eq!(error.to_string(), "the chance of loss must be from 0 to 1, and is 5");
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let value = Link::MAX_DELAY + Duration::from_nanos(1);
        let links = [
            Link { latency: value, ..Link::PERFECT },
            Link { jitter: value, ..Link::PERFECT },
            Link { duplicate_delay: value, ..Link::PERFECT },
            Link { reorder_delay: value, ..Link::PERFECT },
        ];
        for link in links {
            assert!(matches!(link.validate(), Err(LinkError::Delay { .. })), "{link:?}");
        }
        let error = Link::delayed(Duration::from_secs(61)).validate().unwrap_err();
        assert_eq!(error.to_string(), "the latency must be 60s or less, and is 61s");
    }

    #[test]
    fn bursts_are_made_of_their_mean_values() {
        let Burst { start, end, loss } = Burst::of(0.2, 4.0).unwrap();
        assert!((start - 0.0625).abs() < 1e-12 && end == 0.25 && loss == 1.0, "{start} {end} {loss}");
        assert_eq!(Burst::of(0.0, 1.0), Ok(Burst { start: 0.0, end: 1.0, loss: 1.0 }));
        let impossible = [(1.0, 4.0), (-0.1, 4.0), (0.1, 0.9), (0.1, 0.0), (0.6, 1.0), (0.5, f64::INFINITY)];
        for (loss, length) in impossible {
            assert_eq!(Burst::of(loss, length), Err(LinkError::Burst { loss, length }));
        }
        assert!(Burst::of(f64::NAN, 2.0).is_err());
        assert!(Burst::of(0.1, f64::NAN).is_err());
    }

    #[test]
    fn a_queue_can_be_as_long_as_a_time() {
        let bandwidth = Bandwidth::queued_for(4000, Duration::from_millis(250));
        assert_eq!(bandwidth, Bandwidth { bytes_per_second: 4000, queue: 1000 });
        assert_eq!(Bandwidth::queued_for(u64::MAX, Duration::MAX).queue, u64::MAX);
        assert_eq!(Bandwidth::queued_for(0, Duration::MAX).queue, 0);
    }
}
