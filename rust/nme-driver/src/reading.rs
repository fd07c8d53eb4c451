//! For how long a poll reads, and how long everything takes.
//!
//! Datagrams may arrive faster than they can be read, and a game has only so much time for a frame. So a poll reads for a
//! share of the time that the game has had for itself since the poll before. A game that was blocked for long reads all
//! that has come meanwhile at once: acknowledgements that stay unread look like peers that are gone.

use std::time::Duration;

/// The time that polls spend on reading. What signal handlers take between two events is not in it.
#[derive(Default)]
pub(crate) struct Reading {
    /// How much of it this poll has.
    limit: Duration,
    spent: Duration,
    since: Duration,
    /// When the last poll ended.
    left_at: Duration,
    /// A poll is under way, and no handler of it.
    is_under_way: bool,
    /// The time of all polls and flushes.
    total: Duration,
}

impl Reading {
    /// A driver begins to live.
    pub(crate) fn new(now: Duration) -> Self {
        Self { left_at: now, ..Self::default() }
    }

    /// A poll begins.
    pub(crate) fn begin(&mut self, now: Duration) {
        let own_time = now.saturating_sub(self.left_at);
        self.limit = (own_time / SHARE).clamp(SHORTEST, LONGEST);
        self.spent = Duration::ZERO;
        self.since = now;
        self.is_under_way = true;
    }

    /// A handler is to be called.
    pub(crate) fn pause(&mut self, now: Duration) {
        let part = now.saturating_sub(self.since);
        self.spent += part;
        self.total += part;
        self.is_under_way = false;
    }

    /// A handler has returned.
    pub(crate) const fn resume(&mut self, now: Duration) {
        self.since = now;
        self.is_under_way = true;
    }

    /// True when this poll has read for long enough.
    pub(crate) fn is_over(&self, now: Duration) -> bool {
        self.spent + now.saturating_sub(self.since) >= self.limit
    }

    /// True when this poll has read for half of its time.
    pub(crate) fn is_half_over(&self, now: Duration) -> bool {
        2 * (self.spent + now.saturating_sub(self.since)) >= self.limit
    }

    /// The poll ends.
    pub(crate) fn end(&mut self, now: Duration) {
        self.left_at = now;
        if self.is_under_way {
            self.pause(now);
        }
    }

    /// Something was done outside of a poll, from `since` to `now`.
    pub(crate) fn add(&mut self, since: Duration, now: Duration) {
        if !self.is_under_way {
            self.total += now.saturating_sub(since);
        }
    }

    /// The time of all polls and flushes so far.
    pub(crate) const fn total(&self) -> Duration {
        self.total
    }
}

/// The part of the game's own time that reading may take.
const SHARE: u32 = 2;

/// What any poll may spend: half a frame.
const SHORTEST: Duration = Duration::from_millis(8);

/// What a poll may spend at most: enough for more than any socket's buffer holds.
const LONGEST: Duration = Duration::from_millis(250);
