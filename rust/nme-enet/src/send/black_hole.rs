//! Paths on which long datagrams get lost, and nobody says so: the black holes of RFC 2923.
//!
//! A link with a small MTU either cuts long datagrams, or sends word of it back. Where a firewall drops the pieces or the
//! word, each repetition of a long command is lost like the first, while everything short arrives. Stock ENet ends such a
//! connection like one whose peer is gone. Here
//! - one long command that has been lost several times is watched;
//! - meanwhile datagrams are kept short: what is short does not get lost with what is long, and pings show whether the peer
//!   is there;
//! - with each ping goes a long datagram that repeats a number which the peer has: every ENet acknowledges it and does nothing
//!   else. If it arrives, the peer has another reason not to acknowledge, such as no room;
//! - when the watched one is not acknowledged for twice as long as a peer may be silent, while short ones are, the
//!   connection ends for this reason. Its channel would wait for ever.

use super::datagram::Datagram;
use super::{Sent, TIMED_HEADER_LEN, silence};
use crate::peer::{Peer, TimeoutSettings};
use crate::shared::Shared;
use crate::wire::{Body, Command, MAX_MTU, code, fixed_len};

/// The long command that is lost again and again, as a rule none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BlackHole(Option<Box<Watched>>);

/// What is known of the command. Times are in µs of the host's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Watched {
    /// When the first transmission that was lost was sent.
    since: u64,
    /// When it is too late for the command, if short ones are acknowledged. While no command is watched: until when
    /// datagrams are kept short.
    end: u64,
    sequence: u16,
    channel: u8,
    /// Transmissions that were lost; 0 while no command is watched.
    lost: u8,
    /// Short commands sent and acknowledged meanwhile.
    short: u8,
    probe: Probe,
}

/// The long datagram that goes with a ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    Unsent,
    Due,
    /// With this time in its header.
    Sent(u16),
}

impl BlackHole {
    /// No command is watched.
    pub(crate) const NONE: Self = Self(None);

    /// True when long datagrams may be what is lost.
    pub(crate) fn is_suspected(&self) -> bool {
        self.0.as_ref().is_some_and(|watched| watched.is_suspected())
    }

    /// True when datagrams are to be short where they can be.
    pub(crate) fn keeps_short(&self, now: u64) -> bool {
        let watched = self.0.as_ref();
        watched.is_some_and(|watched| watched.is_suspected() || (watched.lost == 0 && now < watched.end))
    }

    /// True when there is no other explanation left.
    pub(crate) fn is_certain(&self, now: u64) -> bool {
        let watched = self.0.as_ref().filter(|watched| watched.lost >= CERTAIN);
        watched.is_some_and(|watched| watched.short >= CERTAIN_SHORT && watched.end <= now)
    }

    /// True when the command has not been acknowledged for longer than a burst of losses explains.
    pub(crate) fn lasts_for_long(&self, now: u64) -> bool {
        let suspected = self.0.as_ref().filter(|watched| watched.is_suspected());
        suspected.is_some_and(|watched| silence::is_long(watched.since, now))
    }

    /// A transmission was lost. Stock ENet would wait for `timeout` the first time.
    pub(super) fn lost(&mut self, sent: &Sent, timeout: u64, settings: &TimeoutSettings) {
        match &mut self.0 {
            Some(watched) if watched.is(sent) => {
                if sent.is_long {
                    watched.lost = watched.lost.saturating_add(1);
                } else {
                    // The path loses short ones as well.
                    *self = Self::NONE;
                }
            }
            Some(watched) if watched.lost > 0 => {}
            _ if sent.is_long => {
                let lost = if self.keeps_short(sent.sent_at) { SUSPICIOUS } else { 1 };
                let patience = 2 * (silence::end(sent.sent_at, timeout, settings) - sent.sent_at);
                self.0 = Some(Box::new(Watched {
                    since: sent.sent_at,
                    end: sent.sent_at.saturating_add(patience),
                    sequence: sent.sequence,
                    channel: sent.channel,
                    lost,
                    short: 0,
                    probe: Probe::Unsent,
                }));
            }
            _ => {}
        }
    }

    /// A command was acknowledged, with its latest transmission or an earlier one.
    pub(super) fn acknowledged(&mut self, now: u64, sent: &Sent, is_latest: bool) {
        let Some(watched) = &mut self.0 else { return };
        if watched.is(sent) {
            // In a short one it has got through, and was long before only by what was beside it.
            if watched.is_suspected() && is_latest && !sent.is_long {
                **watched = Watched { lost: 0, end: now + KEPT_SHORT, probe: Probe::Unsent, ..**watched };
            } else {
                *self = Self::NONE;
            }
        } else if watched.lost > 0 && is_latest && !sent.is_long && sent.sent_at >= watched.since {
            watched.short = watched.short.saturating_add(1);
        }
    }

    /// Something was acknowledged once more, or a probe: then it is not the path that loses what is long.
    pub(super) fn repeated(&mut self, channel: u8, sent_time: u16) {
        let is_probe =
            |watched: &Watched| watched.channel == channel && watched.probe == Probe::Sent(sent_time);
        if self.0.as_deref().is_some_and(is_probe) {
            *self = Self::NONE;
        }
    }

    /// A ping leaves.
    pub(super) fn pinged(&mut self) {
        if let Some(watched) = self.0.as_mut().filter(|watched| watched.is_suspected()) {
            watched.probe = Probe::Due;
        }
    }
}

impl Watched {
    const fn is_suspected(&self) -> bool {
        self.lost >= SUSPICIOUS
    }

    /// True for the command that is watched.
    const fn is(&self, sent: &Sent) -> bool {
        self.lost > 0 && self.sequence == sent.sequence && self.channel == sent.channel
    }
}

impl Peer {
    /// Puts the probe when it is due, into a datagram of its own, which is as long as any.
    pub(super) fn put_probe(&mut self, shared: &Shared, datagram: &mut Datagram<'_>) {
        let Some(watched) = self.black_hole.0.as_mut().filter(|watched| watched.probe == Probe::Due) else {
            return;
        };
        watched.probe = Probe::Unsent;
        let channel = watched.channel;
        let Some(ring) = self.channels.used(channel).map(|line| &line.send.ring) else { return };
        let Some(first) = shared.sent.get(ring.first()) else { return };
        if first.offset > 0 {
            // The number before it is of a packet that the peer has not got, and would be taken for a packet.
            return;
        }
        let sequence = ring.acknowledged();
        // The second one is as long as a fragment's head is longer than the first one's.
        for len in [self.rules.fragment as usize, fixed_len(code::FRAGMENT) - 2 * fixed_len(code::RELIABLE)] {
            let Some(payload) = NOTHING.get(..len) else { return };
            let body = Body::Reliable { len: len as u16 };
            datagram.put(&Command { code: code::RELIABLE, channel, sequence, body }, payload);
        }
        watched.probe = Probe::Sent(shared.wire_time());
    }
}

/// What a probe carries, which nobody reads.
static NOTHING: [u8; MAX_MTU as usize] = [0; MAX_MTU as usize];

/// True when a datagram is long that has this command behind so many bytes of others.
pub(super) fn is_long(bytes_before: usize, sent: &Sent) -> bool {
    TIMED_HEADER_LEN + bytes_before + fixed_len(sent.code) + usize::from(sent.len) > LONGEST_SHORT
}

/// Bytes of the longest datagram that every path has to take whole: 576 with the longest IPv4 header, 60, and that of UDP,
/// 8. With what DTLS adds it still fits behind an IPv4 header as it is, 20.
pub(super) const LONGEST_SHORT: usize = 576 - 60 - 8;

/// How long datagrams are kept short, in µs, where that has helped. Then it is seen whether the path has changed, which can
/// delay something by a few round trips.
const KEPT_SHORT: u64 = 60_000_000;

/// Transmissions of one command that may get lost on a bad path: of 100 commands at 30 % loss, 3 are.
const SUSPICIOUS: u8 = 3;

/// Transmissions of one command that do not get lost by chance: of 15 000 commands at 30 % loss, 1 is, and has time left.
const CERTAIN: u8 = 8;

/// Short commands that must have been acknowledged.
const CERTAIN_SHORT: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::code;

    const SECOND: u64 = 1_000_000;
    const STOCK: TimeoutSettings = TimeoutSettings { limit: 32, minimum: 5000, maximum: 30_000 };

    const fn sent(sequence: u16, sent_at: u64, is_long: bool) -> Sent {
        Sent {
            packet: None,
            offset: 0,
            len: 0,
            sequence,
            code: code::RELIABLE,
            channel: 1,
            expired: 0,
            first_time: 0,
            repeated: false,
            copied: false,
            lost: false,
            is_long,
            first_order: 0,
            order: 0,
            sent_at,
            timeout: 0,
        }
    }

    /// A long command that has been lost so often, a second apart.
    fn watching(lost: u64) -> BlackHole {
        let mut black_hole = BlackHole::NONE;
        for time in 0..lost {
            black_hole.lost(&sent(7, time * SECOND, true), 100_000, &STOCK);
        }
        black_hole
    }

    fn acknowledge(black_hole: &mut BlackHole, sequence: u16, is_long: bool) {
        black_hole.acknowledged(6 * SECOND, &sent(sequence, 5 * SECOND, is_long), true);
    }

    #[test]
    fn it_takes_many_losses_short_ones_that_arrive_and_time() {
        let mut black_hole = watching(8);
        assert!(black_hole.is_suspected() && !black_hole.is_certain(u64::MAX));
        (0..3).for_each(|sequence| acknowledge(&mut black_hole, sequence, false));
        // Twice 6.93 s: 63 times the first wait, and a tenth.
        assert!(!black_hole.is_certain(13_859_999) && black_hole.is_certain(13_860_000));
        let mut black_hole = watching(7);
        (0..3).for_each(|sequence| acknowledge(&mut black_hole, sequence, false));
        assert!(!black_hole.is_certain(u64::MAX));
    }

    #[test]
    fn only_what_is_short_shows_that_short_ones_arrive() {
        let mut black_hole = watching(8);
        (0..3).for_each(|sequence| acknowledge(&mut black_hole, sequence, true));
        assert!(!black_hole.is_certain(u64::MAX));
        black_hole.acknowledged(6 * SECOND, &sent(9, 5 * SECOND, false), false);
        assert_eq!(black_hole.0.map(|watched| watched.short), Some(0));
    }

    #[test]
    fn a_command_that_arrives_after_all_was_lost_by_chance() {
        let mut black_hole = watching(8);
        acknowledge(&mut black_hole, 7, true);
        assert_eq!(black_hole, BlackHole::NONE);
    }

    #[test]
    fn a_command_that_is_lost_alone_was_not_lost_for_its_length() {
        let mut black_hole = watching(8);
        black_hole.lost(&sent(7, 9 * SECOND, false), 100_000, &STOCK);
        assert_eq!(black_hole, BlackHole::NONE);
    }

    #[test]
    fn where_short_datagrams_help_they_are_kept_for_a_while() {
        let mut black_hole = watching(3);
        assert!(black_hole.keeps_short(5 * SECOND));
        acknowledge(&mut black_hole, 7, false);
        assert!(!black_hole.is_suspected());
        assert!(black_hole.keeps_short(66 * SECOND - 1) && !black_hole.keeps_short(66 * SECOND));
        black_hole.lost(&sent(8, 7 * SECOND, true), 100_000, &STOCK);
        assert!(black_hole.is_suspected() && black_hole.keeps_short(100 * SECOND));
    }

    #[test]
    fn one_is_watched_at_a_time() {
        let mut black_hole = watching(2);
        black_hole.lost(&sent(8, 3 * SECOND, true), 100_000, &STOCK);
        assert_eq!(black_hole.0.map(|watched| (watched.sequence, watched.lost)), Some((7, 2)));
    }
}
