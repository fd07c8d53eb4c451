//! What is counted of one connection, and what its numbers say about loss.

/// What has gone over a connection since it began. Counters only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Packets whose last byte has left; one that was sent again counts once.
    pub packets_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Unreliable packets that the throttle has thrown away.
    pub packets_throttled: u64,
    /// Packets that have come in completely.
    pub packets_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
}

impl Traffic {
    pub(crate) const fn add(&mut self, other: &Self) {
        self.packets_sent += other.packets_sent;
        self.bytes_sent += other.bytes_sent;
        self.packets_throttled += other.packets_throttled;
        self.packets_received += other.packets_received;
        self.bytes_received += other.bytes_received;
    }

    pub(crate) const fn sent(&mut self, bytes: usize) {
        self.packets_sent += 1;
        self.bytes_sent += bytes as u64;
    }

    pub(crate) const fn received(&mut self, packets: usize, bytes: usize) {
        self.packets_received += packets as u64;
        self.bytes_received += bytes as u64;
    }
}

/// How many of those that were sent got lost, lately.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LossMeter {
    /// Of this period, and of the one before.
    sent: [u32; 2],
    lost: [u32; 2],
    /// When this period ends, in µs.
    end: u64,
}

impl LossMeter {
    /// Counts something that was sent, maybe lost, at this time.
    #[inline]
    pub(crate) fn note(&mut self, now: u64, sent: u32, lost: u32) {
        if now >= self.end {
            self.begin_period(now);
        }
        self.sent[0] = self.sent[0].saturating_add(sent);
        self.lost[0] = self.lost[0].saturating_add(lost);
    }

    #[cold]
    fn begin_period(&mut self, now: u64) {
        let is_next = now < self.end + PERIOD_US;
        self.sent = [0, if is_next { self.sent[0] } else { 0 }];
        self.lost = [0, if is_next { self.lost[0] } else { 0 }];
        self.end = now + PERIOD_US;
    }

    /// One that counts as lost has arrived after all.
    pub(crate) const fn found(&mut self) {
        self.lost[0] = self.lost[0].saturating_sub(1);
    }

    /// The part that got lost, 0 to 1.
    pub(crate) fn share(&self) -> f64 {
        let [sent, lost] =
            [self.sent, self.lost].map(|counts| counts.iter().copied().map(u64::from).sum::<u64>());
        if sent == 0 { 0.0 } else { lost.min(sent) as f64 / sent as f64 }
    }
}

/// The newest of numbers that come in order and wrap around.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Newest(u16);

/// What a number says about those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is new, and so many before it have not come.
    Ahead(u16),
    /// It is the newest once more.
    Again,
    /// It comes late.
    Behind,
}

impl Newest {
    pub(crate) const fn take(&mut self, number: u16) -> Step {
        let ahead = number.wrapping_sub(self.0) as i16;
        if ahead == 0 {
            return Step::Again;
        }
        if ahead < 0 {
            return Step::Behind;
        }
        self.0 = number;
        // What lies further ahead was not lost: something else has happened.
        Step::Ahead(if ahead <= LONGEST_GAP { (ahead - 1) as u16 } else { 0 })
    }
}

/// The numbers of one channel that have come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arrivals {
    reliable: Newest,
    /// The reliable number that the unreliable ones belong to.
    epoch: Newest,
    unreliable: Newest,
}

impl Arrivals {
    pub(crate) const fn reliable(&mut self, sequence: u16) -> Step {
        self.reliable.take(sequence)
    }

    /// Unreliable numbers begin anew behind each reliable one.
    pub(crate) const fn unreliable(&mut self, sequence: u16, number: u16) -> Step {
        match self.epoch.take(sequence) {
            Step::Ahead(_) => self.unreliable = Newest(0),
            Step::Behind => return Step::Again,
            Step::Again => {}
        }
        self.unreliable.take(number)
    }
}

/// Loss of what comes in, as far as the numbers show it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IncomingLoss {
    pub(crate) meter: LossMeter,
    pub(crate) unsequenced: Newest,
    /// The latest time in a header.
    sent: Newest,
    /// Later datagrams have overtaken this one.
    is_late: bool,
}

impl IncomingLoss {
    /// A datagram has come that left at this time, as its header says.
    pub(crate) fn begin(&mut self, sent_time: Option<u16>) {
        self.is_late = sent_time.is_some_and(|time| self.sent.take(time) == Step::Behind);
    }

    /// Takes what the number of an unreliable packet says.
    pub(crate) fn unreliable(&mut self, now: u64, step: Step) {
        match step {
            Step::Ahead(missing) => self.meter.note(now, u32::from(missing) + 1, missing.into()),
            Step::Behind => self.meter.found(),
            Step::Again => {}
        }
    }

    /// Takes what the number of a reliable command says. One that fills a gap was overtaken, or has been sent again: then its
    /// datagram is a new one.
    pub(crate) fn reliable(&mut self, now: u64, step: Step) {
        if step != Step::Behind || self.is_late {
            self.unreliable(now, step);
        }
    }
}

/// The figures are of the last 10 to 20 s; stock ENet's of the last 10.
const PERIOD_US: u64 = 10_000_000;

/// Numbers that can be missing in a row.
const LONGEST_GAP: i16 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_that_of_the_last_seconds() {
        let mut meter = LossMeter::default();
        assert_eq!(meter.share(), 0.0);
        meter.note(0, 100, 50);
        assert_eq!(meter.share(), 0.5);
        meter.note(PERIOD_US, 100, 0);
        assert_eq!(meter.share(), 0.25);
        meter.note(2 * PERIOD_US, 100, 0);
        assert_eq!(meter.share(), 0.0);
        meter.note(3 * PERIOD_US, 100, 100);
        meter.note(9 * PERIOD_US, 100, 10);
        assert_eq!(meter.share(), 0.1);
    }

    #[test]
    fn numbers_wrap_around() {
        let mut newest = Newest(65_534);
        assert_eq!(newest.take(65_535), Step::Ahead(0));
        assert_eq!(newest.take(2), Step::Ahead(2));
        assert_eq!((newest.take(2), newest.take(1)), (Step::Again, Step::Behind));
        assert_eq!(newest.take(20_000), Step::Ahead(0));
    }

    #[test]
    fn what_was_overtaken_is_not_lost_and_what_was_repeated_is() {
        let mut loss = IncomingLoss::default();
        let mut arrivals = Arrivals::default();
        let mut come = |sent_time, sequence| {
            loss.begin(Some(sent_time));
            loss.reliable(0, arrivals.reliable(sequence));
            loss.meter.share()
        };
        come(10, 1);
        assert_eq!(come(30, 3), 1.0 / 3.0);
        assert_eq!(come(20, 2), 0.0);
        come(50, 5);
        assert_eq!(come(90, 4), 1.0 / 5.0);
    }

    #[test]
    fn unreliable_numbers_begin_anew_behind_a_reliable_one() {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.unreliable(0, 1), Step::Ahead(0));
        assert_eq!(arrivals.unreliable(0, 3), Step::Ahead(1));
        assert_eq!(arrivals.unreliable(1, 1), Step::Ahead(0));
        assert_eq!(arrivals.unreliable(0, 4), Step::Again);
        assert_eq!(arrivals.unreliable(1, 3), Step::Ahead(1));
    }
}
