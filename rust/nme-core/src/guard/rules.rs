//! What a single command must look like, whatever came before it.

use super::DropReason;
use super::wire::{Body, CONTROL_CHANNEL, Command, FRAGMENT_LEN, Fragment, Header, TIMED_HEADER_LEN};

/// The sizes that both sides of a session have agreed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Payload of every fragment but the last, and the largest payload that is sent in one piece.
    fragment: u32,
    /// Largest packet in bytes.
    max_packet: u32,
}

impl Rules {
    pub(super) fn new(mtu: u32, max_packet: usize) -> Self {
        Self { fragment: 1, max_packet: u32::try_from(max_packet).unwrap_or(u32::MAX) }.with_mtu(mtu)
    }

    /// The same with an MTU that is no larger.
    pub(super) fn with_mtu(self, mtu: u32) -> Self {
        let fragment = mtu.saturating_sub((TIMED_HEADER_LEN + FRAGMENT_LEN) as u32).max(1);
        let countable = fragment.saturating_mul(MAX_FRAGMENTS);
        Self { fragment, max_packet: self.max_packet.min(countable) }
    }

    /// Checks a command inside a session with this many channels.
    pub(super) fn check(
        &self,
        command: &Command,
        header: &Header,
        channels: usize,
    ) -> Result<(), DropReason> {
        if command.acknowledge && header.sent_time.is_none() {
            return Err(DropReason::MissingSentTime);
        }
        let on_control = command.channel == CONTROL_CHANNEL;
        let on_data = usize::from(command.channel) < channels;
        let channel_fits = match command.body {
            Body::Acknowledge { .. } => on_control || on_data,
            Body::Connect
            | Body::Verify
            | Body::Disconnect
            | Body::Ping
            | Body::BandwidthLimit
            | Body::ThrottleConfigure(_) => on_control,
            Body::Reliable { .. }
            | Body::Unreliable { .. }
            | Body::Unsequenced { .. }
            | Body::Fragment(_)
            | Body::UnreliableFragment(_) => on_data,
        };
        if !channel_fits {
            return Err(DropReason::Channel);
        }
        match command.body {
            Body::Connect => Err(DropReason::Connect),
            Body::Reliable { len } | Body::Unreliable { len, .. } | Body::Unsequenced { len } => {
                let fits = (1..=self.fragment).contains(&u32::from(len));
                if fits { Ok(()) } else { Err(DropReason::PayloadLength) }
            }
            Body::Fragment(fragment) => {
                let own_sequence = fragment.start.wrapping_add(fragment.number as u16);
                let fits = own_sequence == command.sequence && self.is_honest(&fragment);
                if fits { Ok(()) } else { Err(DropReason::Fragment) }
            }
            Body::UnreliableFragment(fragment) if !self.is_honest(&fragment) => Err(DropReason::Fragment),
            _ => Ok(()),
        }
    }

    /// True when the packet had to be cut, and was cut in the one way that ENet cuts.
    fn is_honest(&self, fragment: &Fragment) -> bool {
        let Fragment { len, count, number, total, offset, .. } = *fragment;
        total > self.fragment
            && total <= self.max_packet
            && count == total.div_ceil(self.fragment)
            && number < count
            && offset == number * self.fragment
            && u32::from(len) == self.fragment.min(total - offset)
    }
}

/// The engine takes sequence numbers up to 28 671 ahead; with more fragments than this the numbers of one
/// packet could meet themselves.
const MAX_FRAGMENTS: u32 = 0x8000;
