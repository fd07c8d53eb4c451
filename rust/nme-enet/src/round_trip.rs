//! How long the way to a peer and back takes, and what that says about when to repeat.

/// The round trip to one peer, as ENet smooths it. Times are in µs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoundTrip {
    smoothed: u32,
    variance: u32,
    /// The shortest of this period and of the one before.
    shortest: [u32; 2],
    period_end: u64,
    /// The last one, and how much one differs from the next, smoothed.
    last: u32,
    jitter: u32,
}

impl RoundTrip {
    pub(crate) const fn new() -> Self {
        Self { smoothed: UNKNOWN_US, variance: 0, shortest: [u32::MAX; 2], period_end: 0, last: 0, jitter: 0 }
    }

    /// Takes a measured time.
    pub(crate) fn measure(&mut self, now: u64, sample: u64) {
        let sample = u32::try_from(sample).unwrap_or(u32::MAX);
        if self.is_measured() {
            // As RTP does it (RFC 3550, 6.4.1).
            self.jitter = self.jitter - self.jitter / 16 + sample.abs_diff(self.last) / 16;
            let off = sample.abs_diff(self.smoothed);
            self.variance = self.variance - self.variance / 4 + off / 4;
            if sample >= self.smoothed {
                self.smoothed += off / 8;
            } else {
                self.smoothed -= off / 8;
            }
        } else {
            self.smoothed = sample;
            self.variance = sample / 2;
        }
        self.last = sample;
        if now >= self.period_end {
            self.shortest = [sample, self.shortest[0]];
            self.period_end = now + PERIOD_US;
        } else {
            self.shortest[0] = self.shortest[0].min(sample);
        }
    }

    pub(crate) const fn is_measured(&self) -> bool {
        self.shortest[0] != u32::MAX
    }

    pub(crate) const fn smoothed(&self) -> u32 {
        self.smoothed
    }

    pub(crate) const fn variance(&self) -> u32 {
        self.variance
    }

    pub(crate) const fn last(&self) -> u32 {
        self.last
    }

    pub(crate) const fn jitter(&self) -> u32 {
        self.jitter
    }

    /// What is beyond all that is known of the way, in µs.
    pub(crate) fn longest_expected(&self) -> u64 {
        2 * u64::from(self.smoothed) + 8 * u64::from(self.variance)
    }

    /// The shortest of the last seconds.
    pub(crate) fn shortest(&self) -> u32 {
        self.shortest[0].min(self.shortest[1]).min(self.smoothed)
    }

    /// How long stock ENet would wait at most. It counts in whole ms, and takes a quarter of the variance off each time:
    /// 3 ms always remain. And where round trips vary, it may have seen longer ones than we have last.
    pub(crate) fn stock_timeout(&self) -> u64 {
        let variance = if self.is_measured() { self.variance.max(STOCK_VARIANCE_US) } else { self.variance };
        u64::from(self.smoothed) + 4 * u64::from(variance) + 4 * u64::from(self.variance)
    }

    /// How long a command may stay unacknowledged before it is sent a second time.
    pub(crate) fn timeout(&self) -> u64 {
        if self.is_measured() {
            u64::from(self.smoothed) + u64::from(self.variance.saturating_mul(4).max(LEAST_MARGIN_US))
        } else {
            u64::from(UNKNOWN_US)
        }
    }
}

/// What is assumed before the first measurement.
const UNKNOWN_US: u32 = 500_000;

/// What stock ENet's variance does not fall below.
const STOCK_VARIANCE_US: u32 = 3000;

/// How long the shortest time counts, at least.
const PERIOD_US: u64 = 10_000_000;

/// Peers answer once a frame, so that even a steady link varies by this much.
const LEAST_MARGIN_US: u32 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_the_first_measurement_it_is_half_a_second() {
        let mut trip = RoundTrip::new();
        assert_eq!(trip.timeout(), 500_000);
        trip.measure(0, 80_000);
        assert_eq!((trip.smoothed(), trip.variance(), trip.timeout()), (80_000, 40_000, 240_000));
    }

    #[test]
    fn a_steady_link_is_repeated_on_soon() {
        let mut trip = RoundTrip::new();
        (0..100).for_each(|time| trip.measure(time, 80_000));
        assert_eq!((trip.smoothed(), trip.timeout()), (80_000, 100_000));
    }

    #[test]
    fn the_shortest_time_is_forgotten() {
        let mut trip = RoundTrip::new();
        trip.measure(0, 10_000);
        for second in 1..=9 {
            trip.measure(second * 1_000_000, 50_000);
            assert_eq!(trip.shortest(), 10_000);
        }
        for second in 10..=21 {
            trip.measure(second * 1_000_000, 50_000);
        }
        assert!(trip.shortest() > 40_000);
    }
}
