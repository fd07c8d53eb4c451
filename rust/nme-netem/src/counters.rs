//! What has happened to datagrams.

use std::ops::AddAssign;

/// What has happened so far, in datagrams.
///
/// At any time `sent + duplicated = lost + lost_in_bursts + too_long + overflowed + delivered + discarded +`
/// what is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Put on their way.
    pub sent: u64,
    /// Lost by chance, each by itself.
    pub lost: u64,
    /// Lost in a burst.
    pub lost_in_bursts: u64,
    /// Dropped because they were longer than what passes.
    pub too_long: u64,
    /// Dropped because a queue was full.
    pub overflowed: u64,
    /// Additional copies.
    pub duplicated: u64,
    /// Held back; whether something overtook them depends on what was sent next.
    pub reordered: u64,
    /// Handed to a receiver.
    pub delivered: u64,
    /// Forgotten on the way, or when they arrived where nobody reads.
    pub discarded: u64,
}

impl Counters {
    /// Nothing has happened.
    pub(crate) const ZERO: Self = Self {
        sent: 0,
        lost: 0,
        lost_in_bursts: 0,
        too_long: 0,
        overflowed: 0,
        duplicated: 0,
        reordered: 0,
        delivered: 0,
        discarded: 0,
    };
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.lost += other.lost;
        self.lost_in_bursts += other.lost_in_bursts;
        self.too_long += other.too_long;
        self.overflowed += other.overflowed;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.delivered += other.delivered;
        self.discarded += other.discarded;
    }
}
