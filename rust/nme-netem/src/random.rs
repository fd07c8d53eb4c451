//! Random numbers that depend on their seed alone.

use std::ops::Range;
use std::time::Duration;

/// SplitMix64: small, seedable, and the same everywhere and for ever.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// True with this chance, 0 (never) to 1 (always).
    pub fn chance(&mut self, chance: f64) -> bool {
        self.unit() < chance
    }

    /// Evenly from 0 to just below 1.
    fn unit(&mut self) -> f64 {
        // 53 bits.
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The time to the next of events that are independent of each other, with this mean.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        let seconds = -mean.as_secs_f64() * (1.0 - self.unit()).ln();
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// Evenly from nothing to all of it; 584 years at most.
    pub fn part_of(&mut self, whole: Duration) -> Duration {
        let drawn = u128::from(self.bits());
        let whole = u64::try_from(whole.as_nanos()).unwrap_or(u64::MAX);
        let nanos = (drawn * (u128::from(whole) + 1)) >> 64;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Evenly from a range; its start when it is empty.
    pub fn within(&mut self, range: Range<usize>) -> usize {
        let span = range.end.saturating_sub(range.start) as u128;
        let drawn = (u128::from(self.bits()) * span) >> 64;
        range.start + usize::try_from(drawn).unwrap_or_default()
    }

    /// One of the items.
    ///
    /// # Panics
    /// There is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.within(0..items.len())]
    }

    /// This many random bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            bytes.extend_from_slice(&self.bits().to_le_bytes());
        }
        bytes.truncate(len);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_random_numbers_are_splitmix64() {
        // The first values of the reference implementation for the seed 1234567.
        let mut random = Random::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.bits(), random.bits(), random.bits()], expected);
    }

    #[test]
    fn ranges_are_covered_and_kept() {
        let mut random = Random::new(1);
        let mut seen = [0; 5];
        for _ in 0..1000 {
            seen[random.within(3..8) - 3] += 1;
        }
        assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
        assert_eq!(random.within(4..4), 4);
        assert_eq!([0, 1, 7, 8, 9].map(|len| random.bytes(len).len()), [0, 1, 7, 8, 9]);
    }
    #[test]
    fn a_part_is_at_most_the_whole_however_long() {
        let mut random = Random::new(3);
        for whole in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(1), Duration::MAX] {
            let parts: Vec<_> = (0..100).map(|_| random.part_of(whole)).collect();
            assert!(parts.iter().all(|part| *part <= whole));
            assert!(parts.iter().any(|part| *part >= whole.min(Duration::from_secs(1 << 32)) / 2));
        }
    }

    #[test]
    fn a_chance_that_is_no_number_is_none() {
        let mut random = Random::new(4);
        assert!((0..100).all(|_| !random.chance(f64::NAN) && !random.chance(-1.0) && random.chance(1.0)));
    }
}
