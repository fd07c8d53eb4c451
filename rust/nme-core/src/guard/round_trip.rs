//! What the engine compares round-trip times with.
//!
//! ENet drops unreliable packets when a round trip takes longer than those of the last seconds: it takes that for a
//! queue on the way. But a game sends and reads once a frame, on both sides, so up to two frames of waiting are part
//! of every round trip. A host polled 2000 times a second while it connects, and 60 times a second from then on, sees
//! the time grow from 1 ms to 33 ms on an idle link. ENet, and so 3.6, then drops many unreliable packets for seconds:
//! almost half of those of 3.6.2 on loopback. And it does not help where it should: it compares with the times of the last interval
//! of 5 s and their variance, so a queue that lasts longer becomes what it compares with, and then a queue of
//! seconds stays full for ever.
//!
//! So the engine is told what to compare with, by [acknowledgements](super::aside) that only it sees, and its interval
//! stands still from then on:
//!
//! - The *standard* is the shortest round trip so far and a margin of [`FRAME_NOISE`], 50 ms: two frames at 60 Hz and
//!   a late one. No time up to the standard makes ENet drop more packets, and each lets it drop fewer.
//! - What our own frames can explain, when they are longer, is no reason either. ENet takes it for a queue, and takes
//!   that back at once: a second acknowledgement follows that shows the standard.
//! - So it is with long times that come alone, or fewer than five in a row, or within 200 ms. When the next is short
//!   again, it was jitter, and the margin grows to cover it. In a queue, all times are long.
//! - From then on ENet backs off until the queue has gone: within 3 s where reliable packets flow, and 10 s where only
//!   pings measure. It does not for a queue of less than the margin. A link with such a short one bounds the
//!   delay by dropping by itself.
//! - Times that stay long for three intervals are not from our own queue: they make the new standard.
//!
//! All times are true but the few of an aside, so timeouts and repeats are ENet's own.

/// The round trips to one peer. Times are in ms.
#[derive(Debug, Default)]
pub(super) struct RoundTrips {
    shortest: Option<u16>,
    /// What jitter has shown to be normal, beyond [`FRAME_NOISE`].
    jitter: u16,
    /// Short times since the jitter was last covered.
    calm: u16,
    /// What the engine compares with.
    standard: Option<u16>,
    /// When the engine was told last.
    told: Option<u32>,
    run: Option<Run>,
}

/// Long round trips in a row.
#[derive(Clone, Copy, Debug)]
struct Run {
    since: u32,
    /// When the last one was, and how many there were, those of one poll counting as one.
    last: u32,
    polls: u32,
    shortest: u16,
    longest: u16,
}

impl Run {
    const fn lasts(&self, now: u32) -> u32 {
        now.wrapping_sub(self.since)
    }

    /// True for what jitter can be.
    const fn may_be_jitter(&self, now: u32) -> bool {
        self.lasts(now) < CERTAIN || self.polls < CERTAIN_POLLS
    }
}

/// What the engine is to be told behind an acknowledgement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Advice {
    /// What to compare with from now on.
    pub(super) standard: Option<u16>,
    /// A round trip that undoes what the acknowledgement does to the throttle.
    pub(super) amends: Option<u16>,
}

impl RoundTrips {
    /// Judges a round trip. `frames` is what the host's own frames can explain, and `interval` that of the
    /// throttle, in ms.
    pub(super) fn judge(&mut self, now: u32, round_trip: u16, frames: u16, interval: u32) -> Advice {
        let shortest = self.shortest.map_or(round_trip, |shortest| shortest.min(round_trip));
        self.shortest = Some(shortest);
        let limit = self.standard.unwrap_or(shortest + FRAME_NOISE);
        if round_trip <= limit.max(shortest.saturating_add(frames)) {
            self.end_run(now, shortest);
            let standard = self.renew(now, shortest);
            let amends = self.standard.filter(|standard| round_trip > *standard);
            return Advice { standard, amends };
        }
        let new = Run { since: now, last: now, polls: 1, shortest: round_trip, longest: round_trip };
        let mut run = self.run.unwrap_or(new);
        run.polls += u32::from(run.last != now);
        run.last = now;
        run.shortest = run.shortest.min(round_trip);
        run.longest = run.longest.max(round_trip);
        self.run = Some(run);
        if run.may_be_jitter(now) {
            return Advice { standard: self.renew(now, shortest), amends: self.standard };
        }
        if run.lasts(now) <= interval.saturating_mul(LONGEST_QUEUE) {
            return Advice::default();
        }
        *self = Self { shortest: Some(run.shortest), ..Self::default() };
        Advice { standard: self.renew(now, run.shortest), amends: None }
    }

    /// The engine has to be told the standard again.
    pub(super) const fn forget_standard(&mut self) {
        self.standard = None;
    }

    /// A short time ends a run, and shows what the run was.
    fn end_run(&mut self, now: u32, shortest: u16) {
        match self.run.take() {
            Some(run) if run.may_be_jitter(now) => {
                let excess = (run.longest - shortest).saturating_sub(FRAME_NOISE).min(LARGEST_JITTER);
                self.jitter = self.jitter.max(excess);
                self.calm = 0;
            }
            _ if self.calm >= CALM => {
                self.jitter -= self.jitter / 4;
                self.calm = 0;
            }
            _ => self.calm += 1,
        }
    }

    /// The standard, when the engine has to be told. About right is good enough, as that costs a look at some sixty
    /// acknowledgements. For the same reason, a peer cannot cause it more than once a poll.
    fn renew(&mut self, now: u32, shortest: u16) -> Option<u16> {
        let wanted = shortest + FRAME_NOISE + self.jitter;
        if self.standard.is_some_and(|standard| standard.abs_diff(wanted) <= TOLERANCE) {
            return None;
        }
        if self.told == Some(now) {
            return None;
        }
        self.told = Some(now);
        self.standard = Some(wanted);
        self.standard
    }
}

/// How long the host's own frames are.
#[derive(Debug, Default)]
pub(super) struct Frames {
    last_poll: Option<u32>,
    /// The longest frame of this second and of the one before.
    longest: [u16; 2],
    second: u32,
}

impl Frames {
    /// Notes a poll.
    pub(super) fn poll(&mut self, now: u32) {
        let frame = self.last_poll.map_or(0, |last| now.wrapping_sub(last));
        self.last_poll = Some(now);
        let second = now / 1000;
        if second != self.second {
            let is_next = second == self.second + 1;
            self.longest = [0, if is_next { self.longest[0] } else { 0 }];
            self.second = second;
        }
        let frame = u16::try_from(frame).unwrap_or(LONGEST_FRAME).min(LONGEST_FRAME);
        self.longest[0] = self.longest[0].max(frame);
    }

    /// What frames of this host, and a peer whose frames are as long, can add to a round trip.
    pub(super) fn noise(&self) -> u16 {
        2 * self.longest[0].max(self.longest[1]) + ONE_FRAME
    }
}

/// What frames can add to a round trip in any case.
const FRAME_NOISE: u16 = 50;

/// By how much a standard may be wrong.
const TOLERANCE: u16 = 10;

/// How long round trips are only in a queue all long, in ms.
const CERTAIN: u32 = 200;

/// How many round trips are.
const CERTAIN_POLLS: u32 = 5;

/// More jitter than this is not to be had without a queue.
const LARGEST_JITTER: u16 = 400;

/// Short round trips behind which less jitter is expected.
const CALM: u16 = 200;

/// How long a queue of our own can last, in intervals.
const LONGEST_QUEUE: u32 = 3;

/// One more frame, at 60 Hz.
const ONE_FRAME: u16 = 17;

/// What a longer frame, such as one that loads a level, has to do with those behind it is little.
const LONGEST_FRAME: u16 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Advice = Advice { standard: None, amends: None };

    fn standard(standard: u16) -> Advice {
        Advice { standard: Some(standard), ..NOTHING }
    }

    fn amends(amends: u16) -> Advice {
        Advice { amends: Some(amends), ..NOTHING }
    }

    /// One each 100 ms.
    fn judge_all(trips: &mut RoundTrips, round_trips: &[u16]) -> Vec<Advice> {
        let times = (0..).step_by(100);
        times.zip(round_trips).map(|(now, round_trip)| trips.judge(now, *round_trip, 50, 5000)).collect()
    }

    #[test]
    fn what_frames_can_explain_is_no_reason() {
        let mut trips = RoundTrips::default();
        let expected = [standard(51), NOTHING, NOTHING, NOTHING, NOTHING];
        assert_eq!(judge_all(&mut trips, &[1, 17, 33, 51, 20]), expected);
    }

    #[test]
    fn five_long_times_in_a_row_are_a_queue() {
        let mut trips = RoundTrips::default();
        trips.judge(0, 10, 50, 5000);
        let expected = [[amends(60); 4].as_slice(), &[NOTHING; 4], &[amends(60)]].concat();
        assert_eq!(judge_all(&mut trips, &[61, 80, 200, 1500, 800, 90, 70, 60, 70]), expected);
        // Not when they come together.
        trips.judge(2000, 20, 50, 5000);
        for now in [3000, 3001, 3150] {
            for _ in 0..20 {
                assert_eq!(trips.judge(now, 61, 50, 5000), amends(60));
            }
        }
    }

    #[test]
    fn jitter_widens_the_margin_until_it_has_gone() {
        let mut trips = RoundTrips::default();
        trips.judge(0, 60, 50, 5000);
        let expected = [amends(110), standard(180), NOTHING, NOTHING, NOTHING];
        assert_eq!(judge_all(&mut trips, &[180, 90, 170, 150, 180]), expected);
        let calm = [70; 2000];
        let advice = judge_all(&mut trips, &calm);
        let last = advice.into_iter().filter_map(|advice| advice.standard).next_back();
        assert!(last.is_some_and(|standard| (110..=130).contains(&standard)), "{last:?}");
    }

    #[test]
    fn a_long_time_becomes_the_standard_in_the_end() {
        let mut trips = RoundTrips::default();
        trips.judge(0, 10, 50, 5000);
        for now in (100..=15_100).step_by(100) {
            let round_trip = 200 + (now % 300) as u16;
            let expected = if now <= 400 { amends(60) } else { NOTHING };
            assert_eq!(trips.judge(now, round_trip, 50, 5000), expected, "{now}");
        }
        assert_eq!(trips.judge(15_200, 300, 50, 5000), standard(250));
        assert_eq!(trips.judge(15_300, 220, 50, 5000), NOTHING);
    }

    #[test]
    fn a_shorter_time_is_the_standard_at_once() {
        let mut trips = RoundTrips::default();
        assert_eq!(judge_all(&mut trips, &[80, 70, 30]), [standard(130), NOTHING, standard(80)]);
        trips.forget_standard();
        assert_eq!(judge_all(&mut trips, &[40, 40]), [standard(80), NOTHING]);
    }

    #[test]
    fn the_engine_is_told_once_a_poll_at_most() {
        let mut trips = RoundTrips::default();
        assert_eq!(trips.judge(7, 80, 50, 5000), standard(130));
        for _ in 0..10 {
            trips.forget_standard();
            assert_eq!(trips.judge(7, 40, 50, 5000), NOTHING);
        }
        assert_eq!(trips.judge(8, 40, 50, 5000), standard(90));
    }

    #[test]
    fn own_long_frames_are_made_up_for() {
        let mut trips = RoundTrips::default();
        trips.judge(0, 10, 50, 5000);
        for round_trip in [120, 227] {
            for now in 0..1000 {
                assert_eq!(trips.judge(now, round_trip, 217, 5000), amends(60));
            }
        }
    }

    #[test]
    fn the_longest_frame_is_remembered_for_a_second() {
        let mut frames = Frames::default();
        assert_eq!(frames.noise(), 17);
        for now in [1000, 1016, 1116, 1132] {
            frames.poll(now);
        }
        assert_eq!(frames.noise(), 217);
        let mut now = 1132;
        while now < 2990 {
            assert_eq!(frames.noise(), 217);
            now += 16;
            frames.poll(now);
        }
        frames.poll(3006);
        assert_eq!(frames.noise(), 49);
        frames.poll(100_000);
        assert_eq!(frames.noise(), 2017);
    }
}
