//! How many reliable bytes may be in flight to a peer, and how fast they leave.
//!
//! The window starts at stock ENet's 64 KiB, doubles each round trip until a queue shows, and is then led by losses:
//! it shrinks where they come with a queue, or are many, and not where a link just loses a few packets, as radio does.
//! Behind a loss it goes most of the way back quickly, then feels its way on.

/// The window of one peer. Sizes in bytes, times in µs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    size: u32,
    /// Where doubling ends.
    threshold: u32,
    /// What was too much last.
    target: u32,
    /// How much is added next when the window is beyond `target`.
    step: u32,
    /// The transmission that ends the present round trip, once it is acknowledged.
    round_end: u64,
    /// Of the present round trip.
    acknowledged: u32,
    lost: u32,
    losses: u8,
    shortest: u32,
    was_full: bool,
    shrunk: bool,
    /// A queue showed in the last round trip.
    has_queue: bool,
    /// When what has been sent would have left at an even rate.
    paced_to: u64,
}

/// What is known of the round trips to a peer, in µs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// The shortest of the last seconds.
    pub(crate) shortest: u32,
    /// How much they vary anyway.
    pub(crate) variance: u32,
}

impl Window {
    pub(crate) const fn new(ceiling: u32) -> Self {
        Self {
            size: if ceiling < INITIAL_WINDOW_BYTES { ceiling } else { INITIAL_WINDOW_BYTES },
            threshold: u32::MAX,
            target: 0,
            step: SEGMENT_BYTES,
            round_end: 0,
            acknowledged: 0,
            lost: 0,
            losses: 0,
            shortest: u32::MAX,
            was_full: false,
            shrunk: false,
            has_queue: false,
            paced_to: 0,
        }
    }

    pub(crate) const fn size(&self) -> u32 {
        self.size
    }

    /// Something had to wait for room.
    pub(crate) const fn note_full(&mut self) {
        self.was_full = true;
    }

    /// Something was acknowledged that was sent as `order`; `next_order` is what will be sent next, `ceiling` the largest
    /// window.
    pub(crate) fn acknowledged(
        &mut self,
        bytes: u32,
        order: u64,
        next_order: u64,
        round_trip: u32,
        known: Known,
        ceiling: u32,
    ) {
        self.acknowledged = self.acknowledged.saturating_add(bytes);
        self.shortest = self.shortest.min(round_trip);
        if self.size < self.threshold && self.was_full {
            self.size = self.size.saturating_add(bytes).min(ceiling);
            if self.size == ceiling {
                self.threshold = ceiling;
            }
        }
        if order >= self.round_end {
            self.end_round(known, ceiling);
            self.round_end = next_order;
        }
    }

    /// Something was lost.
    pub(crate) fn lost(&mut self, bytes: u32) {
        self.lost = self.lost.saturating_add(bytes);
        self.losses = self.losses.saturating_add(1);
        // So much that the end of the round trip need not be waited for.
        if !self.shrunk && self.losses >= FEW_LOST_COMMANDS && self.lost > self.size / 10 {
            self.shrink_for_loss();
            self.shrunk = true;
        }
    }

    /// Nothing has been acknowledged for so long that everything has to be sent again.
    pub(crate) fn timed_out(&mut self, next_order: u64) {
        if !self.shrunk {
            let before = self.size;
            self.shrink(1, 2);
            // It can be a receiver that takes nothing but what it waits for, which has to be among what is sent.
            self.keep_lossy(before);
            self.shrunk = true;
            self.round_end = next_order;
        }
    }

    fn end_round(&mut self, Known { shortest: known, variance }: Known, ceiling: u32) {
        let all = self.lost.saturating_add(self.acknowledged).max(1);
        let queue = self.shortest.saturating_sub(known);
        self.has_queue = queue > known / 8 + QUEUE_US + 2 * variance;
        let many = self.losses >= FEW_LOST_COMMANDS
            && u64::from(self.lost) * 100 > u64::from(all) * MANY_LOST_PERCENT;
        if self.losses > 0 && (many || self.has_queue) {
            if !self.shrunk {
                self.shrink_for_loss();
            }
        } else if queue > known + LONG_QUEUE_US {
            self.shrink(17, 20);
        } else if self.size < self.threshold {
            if self.has_queue {
                self.threshold = self.size;
                self.target = self.size;
            }
        } else if self.was_full && queue <= known / 2 + LONG_QUEUE_US / 2 {
            let more = if self.size < self.target {
                ((self.target - self.size) / 4).max(SEGMENT_BYTES)
            } else {
                self.step = (self.step * 2).min(self.size / 8).max(SEGMENT_BYTES);
                self.step
            };
            self.size = self.size.saturating_add(more).min(ceiling);
        }
        (self.acknowledged, self.lost, self.losses, self.shortest) = (0, 0, 0, u32::MAX);
        (self.was_full, self.shrunk) = (false, false);
    }

    fn shrink_for_loss(&mut self) {
        // What was doubled a round trip ago is too large by up to that.
        let (numerator, denominator) = if self.size < self.threshold { (1, 2) } else { (7, 10) };
        let before = self.size;
        self.shrink(numerator, denominator);
        if !self.has_queue {
            // Not what we send is lost, but what anybody sends: with less in flight, no less would be.
            self.keep_lossy(before);
        }
    }

    fn keep_lossy(&mut self, before: u32) {
        self.size = self.size.max(LOSSY_BYTES.min(before));
        self.threshold = self.size;
    }

    fn shrink(&mut self, numerator: u32, denominator: u32) {
        self.target = self.size;
        self.size = (u64::from(self.size) * u64::from(numerator) / u64::from(denominator)) as u32;
        self.size = self.size.max(SMALLEST_BYTES.min(self.target));
        self.threshold = self.size;
        self.step = SEGMENT_BYTES;
    }

    /// Begins a flush: what would have left since the last one may leave now.
    pub(crate) fn begin_flush(&mut self, now: u64, last_flush: u64) {
        let credit = now.saturating_sub(last_flush).clamp(LEAST_CREDIT_US, MOST_CREDIT_US);
        self.paced_to = self.paced_to.max(now - credit);
    }

    /// When the next reliable bytes may leave; `None` is at once.
    pub(crate) const fn paced_to(&self, now: u64) -> Option<u64> {
        if self.size <= INITIAL_WINDOW_BYTES || self.paced_to < now {
            None
        } else {
            Some(self.paced_to + LEAST_CREDIT_US)
        }
    }

    /// Reliable bytes have left.
    pub(crate) fn sent(&mut self, bytes: u32, round_trip: u32) {
        // A quarter faster than the window needs; while it doubles, twice as fast.
        let pace = if self.size < self.threshold { 2 * self.size } else { self.size / 4 * 5 };
        self.paced_to += u64::from(bytes) * u64::from(round_trip) / u64::from(pace.max(1));
    }
}

/// What stock ENet has in flight at most, and every peer takes.
pub(crate) const INITIAL_WINDOW_BYTES: u32 = 64 << 10;

/// About one datagram.
const SEGMENT_BYTES: u32 = 1400;

const SMALLEST_BYTES: u32 = 4 * SEGMENT_BYTES;

/// What losses without a queue leave, in bytes. Stock ENet has a third more in flight whatever is lost.
const LOSSY_BYTES: u32 = 48 << 10;

/// Fewer losses in a round trip than this are chance.
const FEW_LOST_COMMANDS: u8 = 4;

/// More lost bytes than this are not.
const MANY_LOST_PERCENT: u64 = 10;

/// Round trips longer by this, an eighth and twice their variance have met a queue, in µs.
const QUEUE_US: u32 = 8000;

/// Round trips of twice the shortest and this show a queue that is much too long, in µs.
const LONG_QUEUE_US: u32 = 100_000;

/// A flush may send what an even rate would have sent in this time, in µs, even if the last flush was just before.
const LEAST_CREDIT_US: u64 = 1000;

/// And not more than in this time: a frame.
const MOST_CREDIT_US: u64 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    const TRIP: u32 = 50_000;
    const CEILING: u32 = 4 << 20;
    const KNOWN: Known = Known { shortest: TRIP, variance: 0 };

    /// A round trip in which the whole window was sent, and this part of it lost.
    fn round(window: &mut Window, order: &mut u64, round_trip: u32, lost: f64) {
        window.note_full();
        let lost = (f64::from(window.size()) * lost) as u32;
        (0..lost / SEGMENT_BYTES).for_each(|_| window.lost(SEGMENT_BYTES));
        *order += 1;
        window.acknowledged(window.size() - lost, *order, *order + 1, round_trip, KNOWN, CEILING);
    }

    fn after(rounds: impl IntoIterator<Item = (u32, f64)>) -> Vec<u32> {
        let (mut window, mut order) = (Window::new(CEILING), 0);
        let sizes = rounds.into_iter().map(|(round_trip, lost)| {
            round(&mut window, &mut order, round_trip, lost);
            window.size()
        });
        sizes.collect()
    }

    #[test]
    fn it_doubles_up_to_its_ceiling() {
        let sizes = after([(TRIP, 0.0); 8]);
        assert_eq!(
            (sizes[0], sizes[1], sizes[7]),
            (2 * INITIAL_WINDOW_BYTES, 4 * INITIAL_WINDOW_BYTES, CEILING)
        );
    }

    #[test]
    fn a_few_losses_without_a_queue_are_the_links() {
        let sizes = after([(TRIP, 0.01); 12]);
        assert!(sizes.is_sorted() && sizes[11] > CEILING / 10 * 9, "{sizes:?}");
    }

    #[test]
    fn losses_with_a_queue_make_it_shrink() {
        let sizes = after([[(TRIP, 0.0); 5].as_slice(), &[(2 * TRIP, 0.02); 3]].concat());
        assert!(sizes[7] < sizes[4] / 2, "{sizes:?}");
    }

    #[test]
    fn many_losses_make_it_shrink_without_a_queue() {
        let sizes = after([[(TRIP, 0.0); 5].as_slice(), &[(TRIP, 0.3)]].concat());
        assert!(sizes[5] < sizes[4], "{sizes:?}");
    }

    #[test]
    fn it_does_not_grow_while_it_is_not_used() {
        let (mut window, mut order) = (Window::new(CEILING), 0);
        for _ in 0..10 {
            order += 1;
            window.acknowledged(1000, order, order + 1, TRIP, KNOWN, CEILING);
        }
        assert_eq!(window.size(), INITIAL_WINDOW_BYTES);
    }

    #[test]
    fn a_configured_ceiling_is_never_exceeded() {
        let mut window = Window::new(10_000);
        let mut order = 0;
        for lost in [0.0, 0.0, 0.5, 0.0, 0.0] {
            window.note_full();
            order += 1;
            (0..(lost * 10.0) as u32).for_each(|_| window.lost(1000));
            window.acknowledged(5000, order, order + 1, TRIP, KNOWN, 10_000);
            assert!(window.size() <= 10_000);
        }
    }
}
