//! When a peer that acknowledges nothing is given up.
//!
//! The rule is stock ENet's: a command that is not acknowledged in time is sent again, and may take twice as long each time.
//! When it has taken `limit` times as long as at first, and the silence has lasted for `minimum`, the peer is given up; or
//! when the silence has lasted for `maximum`. We repeat commands sooner than stock ENet, so the times at which it would have
//! repeated its command are only counted here: a peer is given up no sooner.

use crate::peer::TimeoutSettings;

/// The silence of a peer since its last acknowledgement, as a rule none.
#[derive(Debug)]
pub(crate) struct Silence(Option<Box<Lasting>>);

/// A silence that has begun. Times are in µs of the host's clock.
#[derive(Debug)]
struct Lasting {
    /// When the oldest command was sent that has not been acknowledged in time.
    since: u64,
    /// How long stock ENet would have waited the first time.
    timeout: u64,
    /// When the peer is given up.
    end: u64,
}

impl Silence {
    /// Everything has been acknowledged in time.
    pub(crate) const NONE: Self = Self(None);

    /// When the peer is given up, if nothing comes.
    pub(crate) fn end(&self) -> u64 {
        self.0.as_ref().map_or(u64::MAX, |lasting| lasting.end)
    }

    /// For how long nothing has been acknowledged that should have been, in µs.
    pub(crate) fn lasts(&self, now: u64) -> u64 {
        self.0.as_ref().map_or(0, |lasting| now.saturating_sub(lasting.since))
    }

    /// True when nothing has been acknowledged for longer than a burst of losses explains.
    pub(crate) fn lasts_for_long(&self, now: u64) -> bool {
        self.0.as_ref().is_some_and(|lasting| is_long(lasting.since, now))
    }

    pub(crate) fn is_over(&self, now: u64) -> bool {
        self.end() <= now
    }

    /// A command that was sent at this time has not been acknowledged in time. Stock ENet would wait for `timeout` the first
    /// time. How often the command was repeated before the silence does not count: we repeat more often.
    pub(crate) fn note(&mut self, sent_at: u64, timeout: u64, settings: &TimeoutSettings) {
        if self.0.as_ref().is_none_or(|lasting| sent_at < lasting.since) {
            let end = end(sent_at, timeout, settings);
            self.0 = Some(Box::new(Lasting { since: sent_at, timeout, end }));
        }
    }

    /// The settings have changed.
    pub(crate) fn set(&mut self, settings: &TimeoutSettings) {
        if let Some(lasting) = &mut self.0 {
            lasting.end = end(lasting.since, lasting.timeout, settings);
        }
    }
}

/// True when a time is longer than a burst of losses explains.
pub(super) const fn is_long(since: u64, now: u64) -> bool {
    now.saturating_sub(since) >= LONG_SILENCE_US
}

/// When a peer is given up that has been silent since then.
pub(super) fn end(since: u64, timeout: u64, settings: &TimeoutSettings) -> u64 {
    let minimum = u64::from(settings.minimum) * 1000;
    let maximum = u64::from(settings.maximum) * 1000;
    let mut wait = timeout.max(1);
    let mut lasts = 0_u64;
    let mut times = 1_u32;
    loop {
        lasts = lasts.saturating_add(wait);
        if lasts >= maximum {
            break;
        }
        if times >= settings.limit && lasts >= minimum {
            lasts += lasts / MARGIN_PART;
            break;
        }
        wait = wait.saturating_mul(2);
        times = times.saturating_mul(2);
    }
    since.saturating_add(lasts)
}

/// The part by which it may take longer than by stock ENet, which looks at its commands late and measures round trips a
/// little differently: nobody is to be given up sooner for that.
const MARGIN_PART: u64 = 10;

/// A long silence, in µs.
const LONG_SILENCE_US: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;
    const STOCK: TimeoutSettings = TimeoutSettings { limit: 32, minimum: 5000, maximum: 30_000 };

    fn time(timeout: u64, settings: TimeoutSettings) -> u64 {
        let mut silence = Silence::NONE;
        silence.note(7 * SECOND, timeout, &settings);
        silence.end() - 7 * SECOND
    }

    const fn with_margin(time: u64) -> u64 {
        time + time / MARGIN_PART
    }

    #[test]
    fn the_wait_doubles_until_both_limits_are_reached() {
        // 100 ms, 200, 400 ... 3200: 6.3 s.
        assert_eq!(time(100_000, STOCK), with_margin(63 * 100_000));
        // 50 ms ... 1600 are 3.15 s, 3200 more are enough.
        assert_eq!(time(50_000, STOCK), with_margin(127 * 50_000));
        // As in stock ENet, it is looked at when the wait is over.
        assert_eq!(time(500_000, STOCK), 63 * 500_000);
        assert_eq!(
            time(100_000, TimeoutSettings { limit: 2, minimum: 100, maximum: 30_000 }),
            with_margin(300_000)
        );
    }

    #[test]
    fn the_oldest_command_counts() {
        let mut silence = Silence::NONE;
        silence.note(7 * SECOND, 100_000, &STOCK);
        let end = silence.end();
        silence.note(8 * SECOND, 10_000, &STOCK);
        assert_eq!(silence.end(), end);
        silence.note(6 * SECOND, 100_000, &STOCK);
        assert_eq!(silence.end(), end - SECOND);
        assert!(!silence.is_over(end - SECOND - 1) && silence.is_over(end - SECOND));
        assert!(!Silence::NONE.is_over(u64::MAX - 1));
    }
}
