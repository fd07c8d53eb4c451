//! What each peer may send, and how much of it may wait for the game. All of it can be changed at any time.

use nme_enet::{PeerLimit, PeerRates};
use thiserror::Error;

use super::{MAX_PACKET, Session};
use crate::endpoint::{Link, Setting};
use crate::peer::PeerId;

/// How many bytes may wait to be fetched, each packet counting 192 bytes besides its payload: 1 MiB to 4 GiB - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxBuffered(u32);

/// A number of bytes that no inbox can be limited to.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("max_buffered_bytes is {0}; it must be between 1048576 and 4294967295")]
pub struct MaxBufferedError(pub i64);

impl MaxBuffered {
    /// Reads a number of bytes.
    ///
    /// # Errors
    /// When it is not in 1048576..=4294967295.
    pub fn new(bytes: i64) -> Result<Self, MaxBufferedError> {
        match u32::try_from(bytes) {
            Ok(bytes @ MIN_BUFFERED..) => Ok(Self(bytes)),
            _ => Err(MaxBufferedError(bytes)),
        }
    }

    /// The number of bytes.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for MaxBuffered {
    /// 64 MiB: seconds of the fastest game's traffic.
    fn default() -> Self {
        Self(64 << 20)
    }
}

/// How many bytes a packet of a peer may have, 1..=16777216.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxReceived(u32);

/// A number of bytes that packets cannot be limited to.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("max_packet_size is {0}; it must be between 1 and 16777216")]
pub struct MaxReceivedError(pub i64);

impl MaxReceived {
    /// Reads a number of bytes.
    ///
    /// # Errors
    /// When it is not in 1..=16777216.
    pub fn new(bytes: i64) -> Result<Self, MaxReceivedError> {
        match u32::try_from(bytes) {
            Ok(size) if size > 0 && size as usize <= MAX_PACKET => Ok(Self(size)),
            _ => Err(MaxReceivedError(bytes)),
        }
    }

    /// The number of bytes.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for MaxReceived {
    fn default() -> Self {
        Self(MAX_PACKET as u32)
    }
}

/// How much a peer may send in each second, 0 for any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MaxRate(u32);

/// A rate that is none.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{name} is {value}; it must be between 1 and 4294967295, or 0 for no limit")]
pub struct MaxRateError {
    /// Of the setting.
    pub name: &'static str,
    /// What was asked for.
    pub value: i64,
}

impl MaxRate {
    /// Reads the setting with this name.
    ///
    /// # Errors
    /// When the value is not in 0..=4294967295.
    pub fn new(name: &'static str, value: i64) -> Result<Self, MaxRateError> {
        u32::try_from(value).map(Self).map_err(|_| MaxRateError { name, value })
    }

    /// The number in each second.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A peer whose connection has ended because it exceeded a limit.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("peer {peer} was disconnected: {}. This is said once", text(*.limit))]
pub struct CutOff {
    /// Who it was.
    pub peer: PeerId,
    /// Which limit.
    pub limit: PeerLimit,
}

const fn text(limit: PeerLimit) -> &'static str {
    match limit {
        PeerLimit::Unacknowledged => {
            "it takes less than it is sent, and more waited for it than a peer may keep waiting; send less at once"
        }
        PeerLimit::PacketSize => "it sent a packet larger than max_packet_size",
        PeerLimit::Packets => "it sent more packets than max_packets_per_second",
        PeerLimit::Bytes => "it sent more than max_bytes_per_second",
    }
}

impl<L: Link> Session<L> {
    /// Sets how many bytes may wait to be fetched. Beyond that reliable packets are taken so slowly that their senders
    /// wait, too, and the oldest unreliable ones are dropped, as
    /// [`DroppedPacket::NotFetched`](crate::counters::DroppedPacket::NotFetched).
    pub fn set_max_buffered(&mut self, limit: MaxBuffered) {
        self.set(Setting::MaxBuffered(limit.0 as usize));
    }

    /// Sets how large a packet of a peer may be, whoever it is for. The connection with who sends a larger one ends.
    pub fn set_max_received(&mut self, limit: MaxReceived) {
        self.set(Setting::MaxReceived(limit.0 as usize));
    }

    /// Server: sets how many packets and bytes each client may send in a second, on average over ten seconds. The
    /// connection with who sends more ends. Does nothing on a client.
    pub fn set_peer_rates(&mut self, packets: MaxRate, bytes: MaxRate) {
        if self.is_server() {
            let rates = PeerRates { packets_per_second: packets.0, bytes_per_second: bytes.0 };
            self.set(Setting::PeerRates(rates));
        }
    }
}

/// With less, senders would have to wait within a frame of a busy game.
const MIN_BUFFERED: u32 = 1 << 20;
