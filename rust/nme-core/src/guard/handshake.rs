//! CONNECT and its answer VERIFY_CONNECT.

use std::ops::RangeInclusive;

use nme_enet::throttle::ThrottleSettings;

use super::wire::{NO_PEER, throttle_settings, u16_at, u32_at};

/// The fields of a CONNECT or VERIFY_CONNECT command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handshake {
    /// The sender's number for the receiver: what the receiver puts into its headers from now on.
    pub(super) peer: u16,
    /// CONNECT: the session numbers last used, or 0xff. Answer: the number in headers towards the client.
    pub(super) incoming_session: u8,
    /// As above, towards the server.
    pub(super) outgoing_session: u8,
    pub(super) mtu: u32,
    /// Unacknowledged bytes the sender is ready to have in flight.
    pub(super) window: u32,
    pub(super) channels: u32,
    pub(super) throttle: ThrottleSettings,
    /// Random number of this attempt. ENet keeps it in whatever byte order it has; read as big-endian.
    pub(super) connect_id: u32,
}

impl Handshake {
    /// Reads a CONNECT or VERIFY_CONNECT that begins at `start`.
    pub(super) fn read(datagram: &[u8], start: usize) -> Option<Self> {
        let command = datagram.get(start..)?;
        Some(Self {
            peer: u16_at(command, 4)?,
            incoming_session: *command.get(6)?,
            outgoing_session: *command.get(7)?,
            mtu: u32_at(command, 8)?,
            window: u32_at(command, 12)?,
            channels: u32_at(command, 16)?,
            throttle: throttle_settings(command, 28)?,
            connect_id: u32_at(command, 40)?,
        })
    }

    /// True for a connect request with such an MTU that ENet could have written.
    pub(super) fn is_sane(&self, mtus: &RangeInclusive<u32>) -> bool {
        self.peer < NO_PEER
            && mtus.contains(&self.mtu)
            && (MIN_WINDOW..=MAX_WINDOW).contains(&self.window)
            && (1..=MAX_CHANNELS).contains(&self.channels)
    }

    /// True for an answer that grants what `request` asked for, or fewer channels, or an MTU down to the smallest.
    ///
    /// Another throttle or connect id would make the engine give the attempt up, so a stranger could end it.
    pub(super) fn answers(&self, request: &Self, smallest_mtu: u16) -> bool {
        self.is_sane(&(smallest_mtu.into()..=request.mtu))
            && self.incoming_session <= MAX_SESSION
            && self.outgoing_session <= MAX_SESSION
            && self.channels <= request.channels
            && self.throttle == request.throttle
            && self.connect_id == request.connect_id
    }
}

/// Makes the VERIFY_CONNECT that begins at `start` grant this many channels.
pub(super) fn set_channels(datagram: &mut [u8], start: usize, channels: u32) {
    if let Some(field) = datagram.get_mut(start + 16..start + 20) {
        field.copy_from_slice(&channels.to_be_bytes());
    }
}

/// The value for the application that a CONNECT at `start` carries.
pub(super) fn connect_data(datagram: &[u8], start: usize) -> Option<u32> {
    u32_at(datagram.get(start..)?, 44)
}

const MIN_WINDOW: u32 = 4096;
const MAX_WINDOW: u32 = 65536;
const MAX_CHANNELS: u32 = 255;
const MAX_SESSION: u8 = 3;
