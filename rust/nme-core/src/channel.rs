//! Transfer modes, and which ENet channel and flags they become.

pub use nme_enet::Delivery;
use thiserror::Error;

/// Channel 0 carries the server's system messages of joins and leaves.
pub(crate) const CONFIG: u8 = 0;
const RELIABLE: u8 = 1;
const UNRELIABLE: u8 = 2;

/// Fewest channels of a connection: the three that 3.6 reserves.
pub const MIN_CHANNELS: u8 = 3;

/// How a game wants a packet to travel. The values are those of both Godot 3 and Godot 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransferMode {
    /// May be lost, doubled never, and may overtake others.
    Unreliable,
    /// May be lost; one that arrives late is dropped.
    UnreliableOrdered,
    /// Arrives, in order.
    Reliable,
}

impl TransferMode {
    /// The mode that a receiver sees.
    #[must_use]
    pub const fn of(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Reliable => Self::Reliable,
            Delivery::Unsequenced => Self::Unreliable,
            Delivery::Sequenced => Self::UnreliableOrdered,
        }
    }
}

/// On which channel a packet travels, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub(crate) channel: u8,
    pub(crate) delivery: Delivery,
}

/// A channel that a game may not use.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ChannelError {
    /// Channel 0 belongs to the class itself.
    #[error("channel 0 is reserved; use -1 for the default channels or 1 to {}", .count - 1)]
    Reserved {
        /// Channels of the connection.
        count: u8,
    },
    /// There is no such channel.
    #[error("channel {channel} is outside -1 and 1 to {}; raise channel_count on the server and on every client first", .count - 1)]
    OutOfRange {
        /// What was asked for.
        channel: i64,
        /// Channels of the connection.
        count: u8,
    },
}

/// The channel a game has chosen: one of its own, or the default of each mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransferChannel {
    /// Channel 1 for reliable packets, channel 2 for the others (-1 in Godot 3.6).
    #[default]
    ByMode,
    /// This channel, never 0.
    Fixed(u8),
}

impl TransferChannel {
    /// Reads Godot 3.6's number.
    ///
    /// # Errors
    /// When the number is neither -1 nor a free channel below `count`.
    pub fn new(channel: i64, count: u8) -> Result<Self, ChannelError> {
        match channel {
            -1 => Ok(Self::ByMode),
            0 => Err(ChannelError::Reserved { count }),
            1.. if channel < i64::from(count) => Ok(Self::Fixed(channel as u8)),
            _ => Err(ChannelError::OutOfRange { channel, count }),
        }
    }

    /// Godot 3.6's number.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::ByMode => -1,
            Self::Fixed(channel) => channel as i64,
        }
    }

    pub(crate) const fn for_mode(self, mode: TransferMode) -> u8 {
        match (self, mode) {
            (Self::Fixed(channel), _) => channel,
            (Self::ByMode, TransferMode::Reliable) => RELIABLE,
            (Self::ByMode, _) => UNRELIABLE,
        }
    }
}

/// `always_ordered` makes unreliable packets ordered, too.
pub(crate) const fn delivery(mode: TransferMode, always_ordered: bool) -> Delivery {
    match mode {
        TransferMode::Reliable => Delivery::Reliable,
        TransferMode::UnreliableOrdered => Delivery::Sequenced,
        TransferMode::Unreliable if always_ordered => Delivery::Sequenced,
        TransferMode::Unreliable => Delivery::Unsequenced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_follow_3_6() {
        assert_eq!(TransferChannel::new(-1, 3), Ok(TransferChannel::ByMode));
        assert_eq!(TransferChannel::new(2, 3), Ok(TransferChannel::Fixed(2)));
        assert_eq!(TransferChannel::new(0, 3), Err(ChannelError::Reserved { count: 3 }));
        for channel in [3, 255, 256, i64::MAX, -2, i64::MIN] {
            assert_eq!(TransferChannel::new(channel, 3), Err(ChannelError::OutOfRange { channel, count: 3 }));
        }
        assert_eq!(TransferChannel::ByMode.for_mode(TransferMode::Reliable), 1);
        assert_eq!(TransferChannel::ByMode.for_mode(TransferMode::Unreliable), 2);
        assert_eq!(TransferChannel::ByMode.for_mode(TransferMode::UnreliableOrdered), 2);
        assert_eq!(TransferChannel::Fixed(4).for_mode(TransferMode::Unreliable), 4);
    }

    #[test]
    fn always_ordered_only_touches_unreliable() {
        assert_eq!(delivery(TransferMode::Unreliable, false), Delivery::Unsequenced);
        assert_eq!(delivery(TransferMode::Unreliable, true), Delivery::Sequenced);
        assert_eq!(delivery(TransferMode::UnreliableOrdered, false), Delivery::Sequenced);
        assert_eq!(delivery(TransferMode::Reliable, true), Delivery::Reliable);
    }
}
