//! Telling the engine's own throttle not to act: ours does (see [`nme_enet::throttle`]).

use super::wire::{CONTROL_CHANNEL, plain_header};

/// A datagram as if from the peer: it sets the engine's throttle, so that it only rises, and is not answered.
pub(super) fn datagram(slot: u16, session: u8) -> Vec<u8> {
    let mut bytes = plain_header(slot, session).to_be_bytes().to_vec();
    bytes.extend_from_slice(&[THROTTLE_CONFIGURE, CONTROL_CHANNEL, 0, 0]);
    for field in UPWARDS {
        bytes.extend_from_slice(&field.to_be_bytes());
    }
    bytes
}

/// ENet's interval and acceleration, and no deceleration.
const UPWARDS: [u32; 3] = [5000, 2, 0];

/// Without the bit that asks for an acknowledgement.
const THROTTLE_CONFIGURE: u8 = 0x0b;
