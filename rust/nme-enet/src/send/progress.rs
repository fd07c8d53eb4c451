//! Whether a peer keeps up with what it is sent.
//!
//! However much is queued at once for a peer that reads, it becomes less from then on. What waits for one that acknowledges
//! only a little, or nothing, becomes more with each second.

/// What becomes of a large queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Bytes that waited when that was looked at last.
    seen: u64,
    /// When that was, in µs of the host's clock, which wrap: after an hour without a packet, a look may come a second later.
    at: u32,
    /// How often in a row it had not become less.
    stalls: u8,
}

impl Progress {
    /// Looks at what waits in front of a packet that is to be queued. True when that is more than `limit` bytes, and has not
    /// become less in any of five seconds.
    pub(crate) const fn has_stalled(&mut self, now: u64, waiting: u64, limit: u64) -> bool {
        let at = now as u32;
        if waiting <= limit {
            *self = Self { seen: waiting, at, stalls: 0 };
        } else if at.wrapping_sub(self.at) >= PERIOD {
            let stalls = if waiting < self.seen { 0 } else { self.stalls.saturating_add(1) };
            *self = Self { seen: waiting, at, stalls };
        }
        self.stalls >= MOST_STALLS
    }
}

/// Between two looks, in µs.
const PERIOD: u32 = 1_000_000;

/// Periods without progress. A link that is down for that long is given up soon anyway.
const MOST_STALLS: u8 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 1000;

    /// The second in which a queue counts as stalled that has this length in each of them.
    fn stalls_at(lengths: impl IntoIterator<Item = u64>) -> Option<usize> {
        let mut progress = Progress::default();
        let mut times = (0..).step_by(PERIOD as usize);
        lengths
            .into_iter()
            .position(|waiting| progress.has_stalled(times.next().expect("endless"), waiting, LIMIT))
    }

    #[test]
    fn five_seconds_without_progress_are_a_stall() {
        assert_eq!(stalls_at((0..100).map(|second| second * 100)), Some(15));
        assert_eq!(stalls_at([0, 1001, 1001, 1001, 1001, 1001, 1001]), Some(5));
        assert_eq!(stalls_at(std::iter::once(0).chain((0..4000).rev().step_by(7))), None);
        // Four seconds of growth, and one that takes a little of it.
        assert_eq!(stalls_at((0..1000).map(|second| 1100 + 100 * second - second % 5 * 101)), None);
    }

    #[test]
    fn short_queues_never_stall() {
        assert_eq!(stalls_at([LIMIT; 1000]), None);
    }
}
