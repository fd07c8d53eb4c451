//! Which share of a peer's unreliable packets is sent: ENet's throttle, with another judgement.
//!
//! ENet drops unreliable packets when a round trip takes longer than those of the last seconds: it takes that for a
//! queue on the way. But round trips also grow because frames do, because the path has become a longer one, or with
//! jitter, and then ENet, and so 3.6, drops packets for seconds and for nothing. And it does not help where it
//! should: a queue that lasts becomes what it compares with, and a queue of seconds stays full for ever.
//!
//! A queue of our own follows what we send; a path does not. So this throttle looks at how round trips *move*:
//!
//! - *Long* is a round trip of more than [`FRAME_TIMES_MS`] above the shortest one: what two frames and a late one can
//!   do. A single short one shows that there is no queue: in a queue, all are long.
//! - A queue of ours goes on growing while we send more than drains. A longer path is longer once, and jitter goes up and
//!   down. So only a level that *rises* again and again lowers the share. Of each millisecond, the part by which
//!   round trips did not grow is what drains: the share falls to a little less than that. A queue that is full
//!   does not grow, but loses: then what is acknowledged tells what drains.
//! - If round trips become shorter then, they follow what we send: the queue is ours, and the share goes on falling until
//!   the queue has gone.
//! - What neither rises nor falls for a second is a path, even if we have lowered the share: the shortest round trip is
//!   counted from anew, and everything is sent.
//! - Behind a queue, the share rises quickly to what was seen to drain, and slowly from there on.
//!
//! The level of a *window* is its shortest round trip. Levels are different when they differ by most of what round trips
//! differ within a window, and by more than what one was seen to be shorter than the one before it: then not jitter, but
//! everything has moved.
//!
//! Bandwidth limits allow a share, too: the smaller one counts.

pub(crate) use crate::wire::ThrottleSettings;

/// The throttle towards one peer. Times are in ms.
#[derive(Debug)]
pub(crate) struct Throttle {
    /// How it moves.
    pub(crate) settings: ThrottleSettings,
    /// What bandwidth limits allow, in thirty-seconds.
    limit: u8,
    /// What is sent, in thirty-seconds.
    share: u32,
    /// What the link was last seen to drain, in thirty-seconds, and when more than that was tried.
    drains: u32,
    raised: u32,
    /// ENet's way to spread what is dropped.
    counter: u8,
    shortest: Option<u16>,
    /// There once a round trip has been long.
    window: Option<Box<Window>>,
    rise: Option<Box<Rise>>,
}

/// Round trips of a short while.
#[derive(Clone, Copy, Debug)]
struct Window {
    start: u32,
    /// When the last round trip was, and how many there were, those of one poll counting as one.
    last: u32,
    polls: u32,
    shortest: Level,
    longest: u16,
    /// The round trip that came last, and by how much one was shorter than the one before, at most: a queue that grows
    /// does not do that, jitter does.
    latest: u16,
    fall: u16,
}

/// A round trip and when it was.
#[derive(Clone, Copy, Debug)]
struct Level {
    round_trip: u16,
    at: u32,
}

/// Long round trips, window after window.
#[derive(Clone, Copy, Debug)]
struct Rise {
    first: Level,
    latest: Level,
    /// What round trips have been seen to vary by, whatever is sent.
    jitter: u16,
    /// How often the level has risen.
    steps: u32,
    /// For how many windows it has neither risen nor fallen.
    still: u32,
    /// Where the share is to fall to, once the level has risen for long enough, and since when.
    target: Option<(u32, u32)>,
    /// What was sent since the beginning and would be acknowledged, and what was.
    sent: u32,
    acknowledged: u32,
}

impl Window {
    const NONE: Self = Self {
        start: 0,
        last: 0,
        polls: 0,
        shortest: Level { round_trip: 0, at: 0 },
        longest: 0,
        latest: 0,
        fall: 0,
    };

    fn note(&mut self, now: u32, round_trip: u16) {
        let level = Level { round_trip, at: now };
        if self.polls == 0 {
            let (longest, latest) = (round_trip, round_trip);
            *self = Self { start: now, last: now, polls: 1, shortest: level, longest, latest, fall: 0 };
            return;
        }
        self.fall = self.fall.max(self.latest.saturating_sub(round_trip));
        self.latest = round_trip;
        self.polls += u32::from(self.last != now);
        self.last = now;
        self.longest = self.longest.max(round_trip);
        if round_trip < self.shortest.round_trip {
            self.shortest = level;
        }
    }

    /// True when it says something about all round trips of its time.
    const fn is_full(&self) -> bool {
        let time = self.last.wrapping_sub(self.start);
        (self.polls >= WINDOW_POLLS && time >= WINDOW_MS) || (self.polls >= 2 && time >= LONG_WINDOW_MS)
    }

    /// By how much its level has to differ from another one.
    fn step(&self) -> u16 {
        ((self.longest - self.shortest.round_trip) / 4 * 3).max(SMALLEST_STEP_MS)
    }
}

impl Throttle {
    /// A throttle that lets everything through.
    #[must_use]
    pub(crate) const fn new(settings: ThrottleSettings) -> Self {
        Self {
            settings,
            limit: WHOLE_SHARE as u8,
            share: WHOLE_SHARE,
            drains: WHOLE_SHARE,
            raised: 0,
            counter: 0,
            shortest: None,
            window: None,
            rise: None,
        }
    }

    /// The share of unreliable packets that is sent, in thirty-seconds.
    #[must_use]
    pub(crate) fn share(&self) -> u32 {
        self.share.min(self.limit())
    }

    /// The share that bandwidth limits allow, in thirty-seconds.
    #[must_use]
    pub(crate) const fn limit(&self) -> u32 {
        self.limit as u32
    }

    /// Bandwidth limits allow this share.
    pub(crate) fn set_limit(&mut self, limit: u32) {
        self.limit = limit.clamp(1, WHOLE_SHARE) as u8;
    }

    /// True when the next unreliable packet is to be sent.
    pub(crate) fn passes(&mut self) -> bool {
        // Seven and thirty-two have no common factor: what is dropped is spread evenly.
        self.counter = (self.counter + 7) % WHOLE_SHARE as u8;
        u32::from(self.counter) <= self.share()
    }

    /// Something has been acknowledged, this long after it was sent.
    pub(crate) fn acknowledged(&mut self, now: u32, round_trip: u16) {
        let shortest = self.shortest.map_or(round_trip, |shortest| shortest.min(round_trip));
        self.shortest = Some(shortest);
        if round_trip <= shortest.saturating_add(FRAME_TIMES_MS) {
            self.raise(now);
            if let Some(window) = &mut self.window {
                **window = Window::NONE;
            }
            self.rise = None;
            return;
        }
        let window = self.window.get_or_insert_with(|| Box::new(Window::NONE));
        window.note(now, round_trip);
        if let Some(rise) = &mut self.rise {
            rise.acknowledged += 1;
        }
        if window.is_full() {
            let window = std::mem::replace(&mut **window, Window::NONE);
            self.look_at(now, &window);
        }
        if let Some((target, _)) = self.rise.as_ref().and_then(|rise| rise.target)
            && self.share > target
        {
            let ThrottleSettings { deceleration, .. } = self.settings;
            self.share = self.share.saturating_sub(deceleration).max(target);
        }
    }

    /// Lets more through: quickly up to what the link is known to drain, and slowly from there on.
    fn raise(&mut self, now: u32) {
        let ThrottleSettings { interval, acceleration, .. } = self.settings;
        if self.share < self.drains || now.wrapping_sub(self.raised) >= interval / RAISES_PER_INTERVAL {
            self.share = self.share.saturating_add(acceleration).min(WHOLE_SHARE);
            self.raised = now;
        }
    }

    /// Something that will be acknowledged was sent.
    pub(crate) fn sent(&mut self) {
        if let Some(rise) = &mut self.rise {
            rise.sent += 1;
        }
    }

    /// A window of long round trips only.
    fn look_at(&mut self, now: u32, window: &Window) {
        let level = window.shortest;
        let Some(rise) = &mut self.rise else {
            self.rise = Some(Box::new(Rise::new(level)));
            return;
        };
        let ThrottleSettings { interval, .. } = self.settings;
        if rise.target.is_none() {
            rise.jitter = rise.jitter.max(window.fall);
        }
        let step = window.step().max(rise.jitter);
        rise.still += 1;
        if level.round_trip >= rise.latest.round_trip.saturating_add(step) {
            (rise.latest, rise.still) = (level, 0);
            rise.steps += 1;
            rise.lower(now, self.share);
        } else if level.round_trip.saturating_add(step) <= rise.latest.round_trip {
            (rise.latest, rise.still) = (level, 0);
            match &mut rise.target {
                Some((target, _)) => *target = 0,
                // Whatever it was, it was not for what we send.
                None => (rise.first, rise.steps) = (level, 0),
            }
        } else if rise.still >= 2
            && now.wrapping_sub(rise.latest.at)
                >= (interval / LEVEL_PART_OF_INTERVAL).saturating_add(level.round_trip.into())
        {
            if rise.target.is_none() && rise.is_full() {
                rise.aim(now, self.share * rise.acknowledged / rise.sent);
                (rise.latest.at, rise.still) = (now, 0);
            } else {
                self.shortest = Some(level.round_trip.min(rise.latest.round_trip));
                self.rise = None;
                self.share = WHOLE_SHARE;
                self.drains = WHOLE_SHARE;
                return;
            }
        }
        let ThrottleSettings { deceleration, .. } = self.settings;
        if let Some((target, _)) = rise.target
            && target > 0
            && deceleration > 0
        {
            self.drains = target;
            self.share = self.share.min(target);
        }
    }
}

impl Rise {
    const fn new(level: Level) -> Self {
        Self {
            first: level,
            latest: level,
            jitter: 0,
            steps: 0,
            still: 0,
            target: None,
            sent: 0,
            acknowledged: 0,
        }
    }

    /// True when so much is lost that it can be a queue that is full, and so does not grow.
    const fn is_full(&self) -> bool {
        self.sent >= self.acknowledged + self.acknowledged / 3 + 3
    }

    /// Finds the share that drains, when the level rises as that of a queue does.
    fn lower(&mut self, now: u32, share: u32) {
        let growth = u32::from(self.latest.round_trip - self.first.round_trip);
        let time = self.latest.at.wrapping_sub(self.first.at).max(growth + 1);
        match self.target {
            None if self.steps >= 2 && (growth * STEEP_PART_OF_TIME >= time || growth >= LARGE_QUEUE_MS) => {
                self.aim(now, share * (time - growth) / time);
            }
            // What has been sent since then has arrived, and the queue grows on.
            Some((target, since)) if now.wrapping_sub(since) > self.latest.round_trip.into() => {
                self.target = Some((target / 2, now));
            }
            _ => {}
        }
    }

    /// The share is to fall to a little less than what drains.
    fn aim(&mut self, now: u32, drains: u32) {
        self.target = Some((drains * 7 / 8, now));
    }
}

/// What a peer uses before it is told otherwise.
pub(crate) const DEFAULT_SETTINGS: ThrottleSettings =
    ThrottleSettings { interval: 5000, acceleration: 2, deceleration: 2 };

/// The whole of a share.
pub(crate) const WHOLE_SHARE: u32 = 32;

/// What frames can add to a round trip, in ms.
const FRAME_TIMES_MS: u16 = 50;

/// A window has at least this many polls with acknowledgements, and this length in ms.
const WINDOW_POLLS: u32 = 3;
const WINDOW_MS: u32 = 200;

/// Two polls are enough for one of this length, in ms: pings come that seldom.
const LONG_WINDOW_MS: u32 = 500;

/// Levels that differ by less, in ms, are the same.
const SMALLEST_STEP_MS: u16 = 10;

/// A queue grows by more than this part of the time; what grows more slowly can as well be a path.
const STEEP_PART_OF_TIME: u32 = 16;

/// A queue of this length, in ms, is one even if it has grown slowly.
const LARGE_QUEUE_MS: u32 = 200;

/// How long a level stays before it is that of the path: this part of an interval, and a round trip.
const LEVEL_PART_OF_INTERVAL: u32 = 5;

/// How often in an interval more is tried than what the link is known to drain.
const RAISES_PER_INTERVAL: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: ThrottleSettings = DEFAULT_SETTINGS;

    /// A throttle that knows a path of 40 ms, from then on told one round trip each 50 ms; the shares it came to.
    fn shares(settings: ThrottleSettings, round_trips: impl IntoIterator<Item = u16>) -> Vec<u32> {
        let mut throttle = Throttle::new(settings);
        throttle.acknowledged(0, 40);
        let tell = |(now, round_trip)| {
            throttle.sent();
            throttle.acknowledged(now, round_trip);
            throttle.share()
        };
        (50..).step_by(50).zip(round_trips).map(tell).collect()
    }

    fn all_pass(round_trips: impl IntoIterator<Item = u16>) {
        assert_eq!(shares(SETTINGS, round_trips).iter().min(), Some(&WHOLE_SHARE));
    }

    #[test]
    fn a_path_that_changes_costs_nothing() {
        all_pass([60, 90, 41, 80]);
        all_pass([140; 400]);
        all_pass([[140; 30], [240; 30], [40; 30], [1000; 30]].concat());
        all_pass((0..400).map(|time| 300 + time * 97 % 200));
        all_pass((0..240).map(|time| 40 + time));
    }

    #[test]
    fn a_queue_that_grows_is_drained() {
        // Of each 50 ms, 25 are growth: half of what is sent drains.
        let growth = (0..16).map(|step| 100 + step * 25);
        let shares = shares(SETTINGS, growth.chain((0..14).map(|step| 470 - step * 30)).chain([40; 100]));
        assert_eq!(shares[..10], [WHOLE_SHARE; 10]);
        assert!((12..=14).contains(&shares[15]), "{shares:?}");
        // It becomes shorter with what we send: so it is ours.
        assert!(shares[28] <= 4, "{shares:?}");
        // Quickly up to what drains, and slowly from there on.
        assert!((14..=16).contains(&shares[40]), "{shares:?}");
        assert_eq!(shares.last(), Some(&WHOLE_SHARE));
    }

    #[test]
    fn a_ramp_ends_what_it_has_lowered() {
        let shares = shares(SETTINGS, (0..20).map(|step| 100 + step * 25).chain([600; 60]));
        assert!(shares[19] < WHOLE_SHARE, "{shares:?}");
        assert_eq!(shares.last(), Some(&WHOLE_SHARE));
    }

    #[test]
    fn a_full_queue_is_seen_by_what_it_loses() {
        let mut throttle = Throttle::new(SETTINGS);
        throttle.acknowledged(0, 40);
        for now in (50..10_000).step_by(50) {
            throttle.sent();
            if now % 150 == 0 {
                throttle.acknowledged(now, 800);
            }
            if throttle.share() < WHOLE_SHARE {
                assert!((8..=10).contains(&throttle.share()), "{}", throttle.share());
                return;
            }
        }
        panic!("nothing was dropped");
    }

    #[test]
    fn nothing_is_dropped_without_deceleration() {
        let shares =
            shares(ThrottleSettings { deceleration: 0, ..SETTINGS }, (0..400).map(|step| 100 + step * 25));
        assert_eq!(shares.iter().min(), Some(&WHOLE_SHARE));
    }

    #[test]
    fn a_share_is_spread_evenly() {
        let mut throttle = Throttle::new(SETTINGS);
        assert!((0..64).all(|_| throttle.passes()));
        throttle.share = 15;
        assert_eq!((0..64).filter(|_| throttle.passes()).count(), 32);
    }
}
