//! How many connections may begin in a time, from one address and from all; and how many questions are answered.

use std::net::SocketAddr;
use std::time::Duration;

use super::list::AddressRange;

/// How many connections may begin: `burst` at once, and then `per_second` more each second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    per_second: u32,
    burst: u32,
    spares_loopback: bool,
}

impl RateLimit {
    /// No limit.
    pub const NONE: Self = Self { per_second: 0, burst: 0, spares_loopback: true };

    /// A limit for every address, also of this machine. `per_second` 0 is none; `burst` is 1 at least.
    #[must_use]
    pub const fn new(per_second: u32, burst: u32) -> Self {
        let burst = if burst == 0 { 1 } else { burst };
        Self { per_second, burst, spares_loopback: false }
    }

    /// Connections that may begin in each second; 0 is no limit.
    #[must_use]
    pub const fn per_second(self) -> u32 {
        self.per_second
    }

    /// Connections that may begin at once.
    #[must_use]
    pub const fn burst(self) -> u32 {
        self.burst
    }
}

impl Default for RateLimit {
    /// 10 a second and 100 at once: a school or a LAN party behind one address is back at once when its server has
    /// restarted, and a single machine cannot keep others busy with its joins and leaves. Addresses of this machine have no
    /// limit: nobody else has them.
    fn default() -> Self {
        Self { per_second: 10, burst: 100, spares_loopback: true }
    }
}

/// The buckets: fixed memory, whatever strangers do.
#[derive(Debug)]
pub(in crate::endpoint) struct Rates {
    limit: RateLimit,
    total: RateLimit,
    all: Bucket,
    /// Sets of four buckets each; an address has one of its set. Made when it is first needed.
    buckets: Vec<(Option<AddressRange>, Bucket)>,
}

/// When the bucket will be full again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Bucket(Duration);

impl Bucket {
    /// True when there is something in it.
    fn has_any(self, now: Duration, limit: RateLimit) -> bool {
        let each = Duration::from_secs(1) / limit.per_second;
        self.0.saturating_sub(now) + each <= each * limit.burst
    }

    fn take(&mut self, now: Duration, limit: RateLimit) {
        self.0 = self.0.max(now) + Duration::from_secs(1) / limit.per_second;
    }
}

impl Rates {
    pub(super) const fn new(limit: RateLimit) -> Self {
        Self::with_total(limit, ALL_ADDRESSES)
    }

    /// With a limit for each address, and one for all together.
    pub(in crate::endpoint) const fn with_total(limit: RateLimit, total: RateLimit) -> Self {
        Self { limit, total, all: Bucket(Duration::ZERO), buckets: Vec::new() }
    }

    pub(super) const fn set(&mut self, limit: RateLimit) {
        self.limit = limit;
    }

    /// True when one more connection of all may begin.
    pub(in crate::endpoint) fn admits_any(&self, now: Duration) -> bool {
        self.all.has_any(now, self.total)
    }

    /// True when one more connection from this address may begin.
    pub(in crate::endpoint) fn admits(&self, now: Duration, from: SocketAddr) -> bool {
        if !self.counts(from) {
            return true;
        }
        let one = AddressRange::of_one(from);
        let known = self.set_of(&one).iter().find(|(key, _)| *key == Some(one));
        known.is_none_or(|(_, bucket)| bucket.has_any(now, self.limit))
    }

    /// A connection begins.
    pub(in crate::endpoint) fn take(&mut self, now: Duration, from: SocketAddr) {
        self.all.take(now, self.total);
        if !self.counts(from) {
            return;
        }
        if self.buckets.is_empty() {
            self.buckets.resize(BUCKET_SETS * BUCKETS_PER_SET, (None, Bucket::default()));
        }
        let (one, limit) = (AddressRange::of_one(from), self.limit);
        let set = index(&one);
        let set = &mut self.buckets[set..set + BUCKETS_PER_SET];
        // The fullest bucket says the least about its address.
        let place = match set.iter().position(|(key, _)| *key == Some(one)) {
            Some(place) => Some(place),
            None => (0..BUCKETS_PER_SET).min_by_key(|place| set[*place].1),
        };
        if let Some((key, bucket)) = place.and_then(|place| set.get_mut(place)) {
            if *key != Some(one) {
                (*key, *bucket) = (Some(one), Bucket::default());
            }
            bucket.take(now, limit);
        }
    }

    fn counts(&self, from: SocketAddr) -> bool {
        let is_spared = self.limit.spares_loopback && from.ip().to_canonical().is_loopback();
        self.limit.per_second > 0 && !is_spared
    }

    fn set_of(&self, one: &AddressRange) -> &[(Option<AddressRange>, Bucket)] {
        let set = index(one);
        self.buckets.get(set..set + BUCKETS_PER_SET).unwrap_or_default()
    }
}

/// The place of the first bucket of an address's set.
fn index(one: &AddressRange) -> usize {
    let mixed = one.mixed();
    (mixed as usize % BUCKET_SETS) * BUCKETS_PER_SET
}

/// Of all addresses together: all places of the largest server at once, and 1000 a second after that. More is churn, which
/// costs everybody who is in.
const ALL_ADDRESSES: RateLimit = RateLimit { per_second: 1000, burst: 4096, spares_loopback: false };

/// Sets of buckets.
const BUCKET_SETS: usize = 1024;

/// Buckets of a set.
const BUCKETS_PER_SET: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(number: u32) -> SocketAddr {
        SocketAddr::from((std::net::Ipv4Addr::from(0x0a00_0000 + number), 5000))
    }

    fn begin(rates: &mut Rates, now: Duration, from: SocketAddr) -> bool {
        let may = rates.admits(now, from);
        if may {
            rates.take(now, from);
        }
        may
    }

    #[test]
    fn a_burst_and_then_so_many_a_second() {
        let mut rates = Rates::new(RateLimit::new(2, 5));
        let begun = |rates: &mut Rates, now| (0..20).filter(|_| begin(rates, now, address(1))).count();
        assert_eq!(begun(&mut rates, 10 * SECOND), 5);
        assert_eq!(begun(&mut rates, 11 * SECOND), 2);
        assert_eq!(begun(&mut rates, 60 * SECOND), 5);
        assert!(begin(&mut rates, 60 * SECOND, address(2)), "each address has its own");
        rates.set(RateLimit::NONE);
        assert_eq!(begun(&mut rates, 60 * SECOND), 20);
    }

    #[test]
    fn this_machine_has_a_limit_only_when_it_is_asked_for() {
        let here = SocketAddr::from(([127, 0, 0, 1], 5000));
        for (limit, expected) in [(RateLimit::default(), 500), (RateLimit::new(10, 100), 100)] {
            let mut rates = Rates::new(limit);
            assert_eq!((0..500).filter(|_| begin(&mut rates, SECOND, here)).count(), expected);
        }
    }

    #[test]
    fn strangers_take_no_memory() {
        let mut rates = Rates::new(RateLimit::new(1, 3));
        for number in 0..50_000 {
            begin(&mut rates, SECOND, address(number));
        }
        assert_eq!(rates.buckets.len(), BUCKET_SETS * BUCKETS_PER_SET);
    }

    #[test]
    fn all_together_have_a_limit() {
        let mut rates = Rates::new(RateLimit::NONE);
        let begun = (0..10_000).filter(|number| {
            let may = rates.admits_any(SECOND);
            if may {
                rates.take(SECOND, address(*number));
            }
            may
        });
        assert_eq!(begun.count(), 4096);
        assert!(rates.admits_any(2 * SECOND));
    }
}
