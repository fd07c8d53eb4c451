//! How many unreliable packets are dropped before they are sent, because the link has a queue of ours.
//!
//! ENet drops unreliable packets when a round trip takes longer than those of the last seconds: it takes that for a
//! queue on the way. But a game sends and reads once a frame, on both sides, so up to two frames of waiting are part of
//! every round trip, and longer frames or a changed path are no queue either. And it compares with the times of the
//! last seconds, so a queue that lasts longer becomes what it compares with. Hence:
//!
//! - The *standard* is the shortest round trip so far and a margin of [`FRAME_NOISE`]. No time up to it drops packets.
//! - What our own frames can explain, when they are longer, is no reason either. Nor are long times that come alone, or
//!   fewer than five in a row, or within 200 ms: when the next is short again, it was jitter, and the margin grows to
//!   cover it. In a queue, all times are long.
//! - From then on packets are dropped until the queue has gone.
//! - Times that stay long for three intervals are not from our own queue: they make the new standard.

use crate::wire::ThrottleSettings;

/// The throttle of one peer. Times are in ms.
#[derive(Debug)]
pub(crate) struct Throttle {
    pub(crate) settings: ThrottleSettings,
    /// Of [`SCALE`] packets, how many are sent.
    value: u8,
    /// What bandwidth limits allow of it.
    limit: u8,
    counter: u8,
    shortest: Option<u16>,
    /// What jitter has shown to be normal, beyond [`FRAME_NOISE`].
    jitter: u16,
    /// Short times since the jitter was last covered.
    calm: u16,
    run: Option<Run>,
}

/// Long round trips in a row.
#[derive(Clone, Copy, Debug)]
struct Run {
    since: u32,
    /// When the last one was, and how many there were, those of one moment counting as one.
    last: u32,
    moments: u32,
    shortest: u16,
    longest: u16,
}

impl Run {
    const fn lasts(&self, now: u32) -> u32 {
        now.wrapping_sub(self.since)
    }

    /// True for what jitter can be.
    const fn may_be_jitter(&self, now: u32) -> bool {
        self.lasts(now) < CERTAIN || self.moments < CERTAIN_MOMENTS
    }
}

impl Throttle {
    pub(crate) const fn new(settings: ThrottleSettings) -> Self {
        Self {
            settings,
            value: SCALE,
            limit: SCALE,
            counter: 0,
            shortest: None,
            jitter: 0,
            calm: 0,
            run: None,
        }
    }

    /// Of 32 unreliable packets, how many are sent.
    pub(crate) const fn value(&self) -> u8 {
        self.value
    }

    /// Of 32 parts of the window, how many bandwidth limits allow.
    pub(crate) const fn limit(&self) -> u8 {
        self.limit
    }

    /// Bandwidth limits allow this much, of 32.
    pub(crate) fn set_limit(&mut self, limit: u8) {
        self.limit = limit.clamp(1, SCALE);
        self.value = self.value.min(self.limit);
    }

    /// True when the next unreliable packet is to be sent.
    pub(crate) const fn admits(&mut self) -> bool {
        self.counter = (self.counter + STEP) % SCALE;
        self.counter <= self.value
    }

    /// Takes a measured round trip. `frames` is what our own frames can explain.
    pub(crate) fn measure(&mut self, now: u32, round_trip: u16, frames: u16) {
        let (up, down) = (self.settings.acceleration, self.settings.deceleration);
        match self.judge(now, round_trip, frames) {
            Verdict::Fine => self.value = u32::from(self.value).saturating_add(up).min(self.limit.into()) as u8,
            Verdict::Unclear => {}
            Verdict::Queue => self.value = u32::from(self.value).saturating_sub(down) as u8,
        }
    }

    fn judge(&mut self, now: u32, round_trip: u16, frames: u16) -> Verdict {
        let shortest = self.shortest.map_or(round_trip, |shortest| shortest.min(round_trip));
        self.shortest = Some(shortest);
        let standard = shortest.saturating_add(FRAME_NOISE + self.jitter);
        if round_trip <= standard.max(shortest.saturating_add(frames)) {
            self.end_run(now, shortest);
            return Verdict::Fine;
        }
        let new = Run { since: now, last: now, moments: 1, shortest: round_trip, longest: round_trip };
        let mut run = self.run.unwrap_or(new);
        run.moments += u32::from(run.last != now);
        run.last = now;
        run.shortest = run.shortest.min(round_trip);
        run.longest = run.longest.max(round_trip);
        self.run = Some(run);
        if run.may_be_jitter(now) {
            Verdict::Unclear
        } else if run.lasts(now) <= self.settings.interval.saturating_mul(LONGEST_QUEUE) {
            Verdict::Queue
        } else {
            (self.shortest, self.jitter, self.run) = (Some(run.shortest), 0, None);
            Verdict::Fine
        }
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
}

/// What a round trip says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Fine,
    Unclear,
    Queue,
}

/// How long the host's own frames are.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    last: Option<u32>,
    /// The longest frame of this second and of the one before.
    longest: [u16; 2],
    second: u32,
}

impl Frames {
    /// Notes that the host is at work, in ms.
    pub(crate) fn note(&mut self, now: u32) {
        let frame = self.last.map_or(0, |last| now.wrapping_sub(last));
        self.last = Some(now);
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
    pub(crate) fn noise(&self) -> u16 {
        2 * self.longest[0].max(self.longest[1]) + ONE_FRAME
    }
}

/// The throttle when nothing is dropped.
pub(crate) const SCALE: u8 = 32;

/// What a peer uses before it is told otherwise.
pub(crate) const DEFAULT_SETTINGS: ThrottleSettings =
    ThrottleSettings { interval: 5000, acceleration: 2, deceleration: 2 };

/// Spreads the packets that are dropped.
const STEP: u8 = 7;

/// What frames can add to a round trip in any case.
const FRAME_NOISE: u16 = 50;

/// How long round trips are only in a queue all long, in ms.
const CERTAIN: u32 = 200;

/// How many round trips are.
const CERTAIN_MOMENTS: u32 = 5;

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
