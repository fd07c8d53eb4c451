//! Datagrams for the engine's throttle, as if from the peer: it reads times and settings out of them, and answers
//! nothing (see [`super::round_trip`]).

use super::wire::{CONTROL_CHANNEL, Throttle, plain_header};

/// The peer that the engine is to see as the sender, and something that this peer has just acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acknowledged {
    pub(super) slot: u16,
    pub(super) session: u8,
    pub(super) channel: u8,
    pub(super) sequence: u16,
    /// The engine's clock.
    pub(super) clock: u16,
}

impl Acknowledged {
    /// Appends a datagram that acknowledges it once more, behind this round trip: all that the engine takes of it is
    /// the time.
    pub(super) fn again(self, round_trip: u16, bytes: &mut Vec<u8>) {
        self.header(bytes);
        self.acknowledge(round_trip, 1, bytes);
    }

    /// Appends a datagram that makes `standard` what the engine compares round trips with, from now on.
    ///
    /// The engine's averages move by an eighth, and not at all by less than 8 ms: they are led to the standard
    /// from above, so that they do not stay below it. With an interval of 0, each step is what the next is compared
    /// with; then the interval stands still. At last the averages are led back to the true round trip, with some variance,
    /// because they also decide when a packet is repeated.
    pub(super) fn set_standard(
        self,
        standard: u16,
        round_trip: u16,
        [_, acceleration, deceleration]: Throttle,
        bytes: &mut Vec<u8>,
    ) {
        self.header(bytes);
        throttle([0, acceleration, 0], bytes);
        self.acknowledge(standard + ABOVE, 8, bytes);
        self.acknowledge(standard, STEPS, bytes);
        throttle([u32::MAX, acceleration, 0], bytes);
        self.acknowledge(round_trip, STEPS, bytes);
        self.acknowledge(round_trip + ABOVE, 1, bytes);
        throttle([u32::MAX, acceleration, deceleration], bytes);
    }

    fn header(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&plain_header(self.slot, self.session).to_be_bytes());
    }

    fn acknowledge(self, round_trip: u16, times: u16, bytes: &mut Vec<u8>) {
        for _ in 0..times {
            bytes.extend_from_slice(&[ACKNOWLEDGE, self.channel]);
            for field in [self.sequence, self.sequence, self.clock.wrapping_sub(round_trip)] {
                bytes.extend_from_slice(&field.to_be_bytes());
            }
        }
    }
}

fn throttle(throttle: Throttle, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&[THROTTLE_CONFIGURE, CONTROL_CHANNEL, 0, 0]);
    for field in throttle {
        bytes.extend_from_slice(&field.to_be_bytes());
    }
}

const ACKNOWLEDGE: u8 = 0x01;
/// Without the bit that asks for an acknowledgement.
const THROTTLE_CONFIGURE: u8 = 0x0b;

/// In ms.
const ABOVE: u16 = 100;

/// Enough for averages of several seconds.
const STEPS: u16 = 40;
