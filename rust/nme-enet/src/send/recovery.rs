//! What acknowledgements say, and what their absence says.
//!
//! A command is lost when something that left later was acknowledged, and the command has had a round trip and a little
//! more: the little allows for datagrams that overtake each other, and grows when a command turns out to have arrived
//! after all. What nothing was sent behind is repeated by a timer, as stock ENet repeats everything.

use super::{Known, Pending, Sent, Silence, packet_cost};
use crate::clock::{since, wire_time};
use crate::lists::Key;
use crate::peer::{Peer, State};
use crate::reason::DropReason;
use crate::shared::Shared;
use crate::wire::{CONTROL_CHANNEL, code};

/// Why a peer is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// Nothing was acknowledged for too long.
    Silent,
    /// Nothing long was acknowledged for too long.
    LongLost,
}

impl Peer {
    /// Takes an acknowledgement; returns the code of the command that it is about, if it is about any. `measured` is the
    /// time that the last one of the same datagram has shown, since a round trip is to count once.
    ///
    /// One for a command under way, with a time at which that was not sent, is forged. One for no command under way is as a
    /// rule the second of two: its round trip counts, unless it is so long that a stranger may have invented it.
    pub(crate) fn acknowledged(
        &mut self,
        shared: &mut Shared,
        channel: u8,
        sequence: u16,
        sent_time: u16,
        measured: &mut Option<u16>,
    ) -> Result<Option<u8>, DropReason> {
        let now = shared.clock.now();
        let Some(round_trip) = since(now, sent_time) else { return Ok(None) };
        let ring = match channel {
            CONTROL_CHANNEL => Some(&mut self.control),
            _ => self.channels.used_mut(channel).map(|channel| &mut channel.send.ring),
        };
        let mut key = None;
        if let Some(ring) = ring {
            key = ring.find(sequence);
            if key.is_some_and(|key| !shared.sent.get(key).is_some_and(|sent| sent.can_be_of(now, sent_time)))
            {
                return Err(DropReason::Acknowledgement);
            }
            ring.take(sequence);
        }
        self.last_acknowledged = now;
        self.silence = Silence::NONE;
        if key.is_none() {
            self.black_hole.repeated(channel, sent_time);
            if round_trip > self.round_trip.longest_expected() {
                return Ok(None);
            }
        }
        let millis = u16::try_from(round_trip / 1000).unwrap_or(u16::MAX);
        self.throttle.acknowledged((now / 1000) as u32, millis);
        if *measured != Some(sent_time) {
            self.round_trip.measure(now, round_trip);
            *measured = Some(sent_time);
        }
        let Some(key) = key else { return Ok(None) };
        Ok(self.forget_sent(shared, key, |peer, sent, shared| {
            let is_latest = sent_time == wire_time(sent.sent_at);
            peer.black_hole.acknowledged(now, sent, is_latest);
            if sent.repeated && sent_time == sent.first_time {
                peer.outgoing_loss.found();
            }
            if is_latest && sent.order >= peer.newest {
                peer.newest = sent.order;
                peer.newest_trip = u32::try_from(round_trip).unwrap_or(u32::MAX);
            } else if !is_latest && sent.repeated && !sent.copied {
                // An earlier transmission has arrived, so it was too early to repeat it.
                peer.reordering = peer.reordering.saturating_mul(2).min(MOST_REORDERING_PARTS);
            }
            let trip = u32::try_from(round_trip).unwrap_or(u32::MAX);
            let known = Known { shortest: peer.round_trip.shortest(), variance: peer.round_trip.variance() };
            let ceiling = shared.config.max_window;
            peer.window.acknowledged(sent.len.into(), sent.order, shared.next_order, trip, known, ceiling);
        }))
    }

    /// Our connect request has been answered, which acknowledges it.
    pub(crate) fn request_answered(&mut self, shared: &mut Shared) {
        // Nothing else has been sent.
        self.forget_output(shared);
    }

    fn forget_sent(
        &mut self,
        shared: &mut Shared,
        key: Key,
        with: impl FnOnce(&mut Self, &Sent, &Shared),
    ) -> Option<u8> {
        let is_lost = shared.sent.get(key)?.lost;
        let sent = shared.sent.remove(if is_lost { &mut self.lost } else { &mut self.sent }, key)?;
        if !is_lost {
            self.in_flight = self.in_flight.saturating_sub(sent.len.into());
            self.in_flight_commands = self.in_flight_commands.saturating_sub(1);
        }
        let cost = match sent.code {
            code::RELIABLE => packet_cost(sent.len.into()),
            _ => sent.len.into(),
        };
        self.unacknowledged = self.unacknowledged.saturating_sub(cost);
        with(self, &sent, shared);
        Some(sent.code)
    }

    /// Finds out what is lost by what has been acknowledged. To be called behind acknowledgements, and at the time that
    /// it sets.
    pub(crate) fn detect_losses(&mut self, shared: &mut Shared) {
        self.next_loss = u64::MAX;
        let now = shared.clock.now();
        let tolerance = (self.round_trip.shortest() / REORDERING_PART).max(LEAST_REORDERING_US)
            * u32::from(self.reordering);
        let tolerance = tolerance.min(self.round_trip.smoothed().max(LEAST_REORDERING_US));
        let overdue_after = u64::from(self.newest_trip) + u64::from(tolerance);
        loop {
            let key = self.sent.first();
            let Some(sent) = shared.sent.get_mut(key).filter(|sent| sent.order < self.newest) else { break };
            let end = sent.sent_at + overdue_after;
            if end > now {
                self.next_loss = end;
                break;
            }
            let len = u32::from(sent.len);
            self.lose(shared, key);
            self.window.lost(len);
        }
    }

    /// Moves a command to what is to be sent again. The oldest go first: what a receiver waits for must not wait behind what
    /// the receiver has no room for until then. But those that have been tried in vain more often go later.
    fn lose(&mut self, shared: &mut Shared, key: Key) {
        let Some(sent) = shared.sent.get_mut(key) else { return };
        sent.lost = true;
        self.black_hole.lost(sent, self.round_trip.stock_timeout(), &self.timeouts);
        let len = u32::from(sent.len);
        let place = (sent.expired, sent.first_order);
        let is_behind = |other: &Sent| (other.expired, other.first_order) > place;
        shared.sent.move_before(&mut self.sent, key, &mut self.lost, is_behind);
        self.in_flight = self.in_flight.saturating_sub(len);
        self.in_flight_commands = self.in_flight_commands.saturating_sub(1);
    }

    /// Finds out what has not been acknowledged in time.
    pub(crate) fn expire(&mut self, shared: &mut Shared) -> Result<(), Gone> {
        let now = shared.clock.now();
        if self.silence.is_over(now) {
            return Err(Gone::Silent);
        }
        if self.is_open() && self.black_hole.is_certain(now) {
            return Err(Gone::LongLost);
        }
        let longest = match self.state {
            // To an address that may not be real.
            State::Connecting | State::Answering => u64::MAX,
            _ => (4 * self.round_trip.stock_timeout())
                .max(LONGEST_WAIT_US)
                .max(self.silence.lasts(now) / SILENCE_PART),
        };
        let longest = u32::try_from(longest).unwrap_or(u32::MAX);
        let is_long_silent = self.silence.lasts_for_long(now);
        let mut next = u64::MAX;
        let mut key = self.sent.first();
        while let Some(sent) = shared.sent.get_mut(key) {
            // To who may be gone, commands that were sent one by one are repeated together, in fewer datagrams.
            let early = if is_long_silent { sent.timeout / EARLY_PART } else { 0 };
            let end = sent.sent_at + u64::from(sent.timeout);
            let (here, sent_at) = (key, sent.sent_at);
            key = shared.sent.next(here);
            if end - u64::from(early) > now {
                next = next.min(end);
                continue;
            }
            let Some(sent) = shared.sent.get_mut(here) else { break };
            let timeout = self.round_trip.stock_timeout();
            self.silence.note(sent_at, timeout, &self.timeouts);
            sent.expired = sent.expired.saturating_add(1);
            if sent.code == code::VERIFY && sent.expired > MOST_UNASKED_ANSWERS {
                // Its request comes again if it is real; until then nothing more goes there.
                sent.timeout = u32::MAX;
                continue;
            }
            sent.timeout = sent.timeout.saturating_mul(2).min(longest.max(sent.timeout));
            let len = u32::from(sent.len);
            self.lose(shared, here);
            self.window.lost(len);
            if self.last_acknowledged < sent_at {
                self.window.timed_out(shared.next_order);
            }
        }
        self.next_expiry = next;
        Ok(())
    }

    /// Sends our answer to a connect request once more. Either the client goes on as if it were connected, so it has the
    /// answer, and its acknowledgement was lost; or it has sent its request again. Not more often than a client pings that
    /// waits for an acknowledgement.
    pub(crate) fn repeat_answer(&mut self, shared: &mut Shared) {
        let key = self.sent.first();
        if let Some(sent) = shared.sent.get(key).filter(|sent| sent.code == code::VERIFY)
            && sent.sent_at + LEAST_REPEAT_US <= shared.clock.now()
        {
            self.lose(shared, key);
        }
    }

    /// Sends a ping when nothing has been acknowledged for a while, and nothing will be: or nothing but what is long, and
    /// only a short datagram shows whether the peer is there.
    pub(crate) fn ping_when_idle(&mut self, now: u64) {
        if now >= self.next_ping() {
            self.pending.add(Pending::PING);
        }
    }

    /// When a ping is due.
    fn next_ping(&self) -> u64 {
        let waits = self.sent.is_empty() && self.lost.is_empty() && self.pending.is_empty();
        let probes = self.black_hole.is_suspected() && self.control.is_empty() && self.pending.is_empty();
        if self.state == State::Connected && (waits || probes) {
            self.last_acknowledged + u64::from(self.ping_interval)
        } else {
            u64::MAX
        }
    }

    /// When something is to be done, even if nothing comes.
    pub(crate) fn deadline(&self) -> u64 {
        let expiry = if self.sent.is_empty() { u64::MAX } else { self.next_expiry };
        let expiry = expiry.min(self.silence.end());
        expiry.min(self.next_loss).min(self.next_ping()).min(self.paced_to)
    }
}

/// The wait for an acknowledgement doubles up to this, or to four times the first one, in µs. Stock ENet goes on to double
/// it, and gives a peer up that loses six of one command.
const LONGEST_WAIT_US: u64 = 500_000;

/// Or up to this part of a silence: for a peer that is back, that makes little of a long one longer, and one that is gone is
/// sent little.
const SILENCE_PART: u64 = 4;

/// Part of its wait by which a command is repeated early, together with another one, behind a long silence.
const EARLY_PART: u32 = 4;

/// Repetitions of our answer to a connect request that nobody has asked for: the address may be forged, and what goes there
/// is to be little more than what came from it. A client asks again, as long as it waits.
const MOST_UNASKED_ANSWERS: u8 = 1;

/// Between two answers to one client that goes on without having acknowledged the first, in µs.
const LEAST_REPEAT_US: u64 = 250_000;

/// Part of the round trip by which later datagrams may overtake.
const REORDERING_PART: u32 = 8;

/// In µs.
const LEAST_REORDERING_US: u32 = 2000;

/// How often the tolerance is added, at most.
const MOST_REORDERING_PARTS: u8 = 64;
