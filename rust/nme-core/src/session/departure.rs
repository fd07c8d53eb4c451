//! Why a peer has left.

use super::ConnectionError;

/// Why a peer has left, as this side knows it. The numbers are part of the class's interface: they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Departure {
    /// It has ended the connection itself.
    Left = 1,
    /// It did not answer any more.
    Lost = 2,
    /// This side has disconnected it.
    Disconnected = 3,
    /// This side has told it why, and has disconnected it.
    Kicked = 4,
    /// It has sent more than it may, or did not take what it was sent.
    Limit = 5,
    /// It does not tag its datagrams, which this side requires.
    Untagged = 6,
    /// Long datagrams got lost again and again while short ones arrived.
    LongLost = 7,
    /// A client behind the server's relay: the server says that it has left, or the server itself has gone.
    Behind = 8,
}

impl Departure {
    /// Every reason, in the order of the numbers.
    pub const ALL: [Self; 8] = [
        Self::Left,
        Self::Lost,
        Self::Disconnected,
        Self::Kicked,
        Self::Limit,
        Self::Untagged,
        Self::LongLost,
        Self::Behind,
    ];

    /// The number that games see; 0 stands for none.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// What a client tells its game when it is the server that has left.
    pub(crate) const fn error(self) -> ConnectionError {
        match self {
            Self::Left => ConnectionError::ClosedByServer,
            Self::Untagged => ConnectionError::Untagged,
            Self::LongLost => ConnectionError::LongLost,
            Self::Lost | Self::Disconnected | Self::Kicked | Self::Limit | Self::Behind => {
                ConnectionError::Lost
            }
        }
    }
}
