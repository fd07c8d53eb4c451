//! What a single command must look like, whatever came before it, and how packets are cut.

use crate::reason::DropReason;
use crate::wire::{Body, CONTROL_CHANNEL, Command, FRAGMENT_LEN, Fragment, Header, TIMED_HEADER_LEN, code};

/// The sizes that both sides of a connection have agreed on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Payload of every fragment but the last, and the largest payload that is sent in one piece.
    pub(crate) fragment: u32,
    /// Largest packet in bytes.
    pub(crate) max_packet: u32,
}

impl Rules {
    pub(crate) fn new(mtu: u16, max_packet: usize) -> Self {
        Self { fragment: 1, max_packet: u32::try_from(max_packet).unwrap_or(u32::MAX) }.with_mtu(mtu)
    }

    /// The same with an MTU that is no larger.
    pub(crate) fn with_mtu(self, mtu: u16) -> Self {
        let fragment = u32::from(mtu).saturating_sub((TIMED_HEADER_LEN + FRAGMENT_LEN) as u32).max(1);
        let countable = fragment.saturating_mul(MAX_FRAGMENTS);
        Self { fragment, max_packet: self.max_packet.min(countable) }
    }

    /// Checks a command inside a session with this many channels.
    #[inline]
    pub(crate) fn check(
        &self,
        command: &Command,
        header: &Header,
        channels: usize,
    ) -> Result<(), DropReason> {
        if command.wants_acknowledgement() && header.sent_time.is_none() {
            return Err(DropReason::MissingSentTime);
        }
        let on_control = command.channel == CONTROL_CHANNEL;
        let on_data = usize::from(command.channel) < channels;
        let channel_fits = match command.body {
            // An address proof names any channel.
            Body::Acknowledge { .. } => on_control || on_data || command.code == code::PROBE,
            body if body.is_data() => on_data,
            _ => on_control,
        };
        if !channel_fits {
            return Err(DropReason::Channel);
        }
        match command.body {
            Body::Connect { .. } => Err(DropReason::Connect),
            Body::Reliable { len } | Body::Unreliable { len, .. } | Body::Unsequenced { len, .. } => {
                let fits = (1..=self.fragment).contains(&u32::from(len));
                if fits { Ok(()) } else { Err(DropReason::PayloadLength) }
            }
            Body::Fragment { fragment } => {
                let own_sequence = fragment.start.wrapping_add(fragment.number as u16);
                let fits = own_sequence == command.sequence && self.is_honest(&fragment);
                if fits { Ok(()) } else { Err(DropReason::Fragment) }
            }
            Body::UnreliableFragment { fragment } if !self.is_honest(&fragment) => Err(DropReason::Fragment),
            _ => Ok(()),
        }
    }

    /// The fields of the fragment that begins at `offset`, of a packet of `total` bytes.
    pub(crate) fn fragment(&self, start: u16, total: u32, offset: u32) -> Fragment {
        Fragment {
            start,
            // A datagram's payload is far below 65536 bytes.
            len: self.fragment.min(total - offset) as u16,
            count: total.div_ceil(self.fragment),
            number: offset / self.fragment,
            total,
            offset,
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

/// A receiver takes sequence numbers in its current window of 4096 and the six behind it, and moves on only when a
/// packet is whole: more fragments than six windows might never come in.
const MAX_FRAGMENTS: u32 = 6 * 0x1000;
