//! What calls on a session can answer, one enum for each operation.

use std::fmt;
use std::net::SocketAddr;

use thiserror::Error;

use super::CutOff;
use crate::peer::PeerId;
use crate::relay::{Kick, Target};

/// Why a packet was not queued.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SendError {
    /// The client has no server yet, or no longer.
    #[error("not connected; wait for connection_succeeded before sending")]
    NotConnected,
    /// Nobody has the target's id.
    #[error("no peer has the id of target {}; use an id from peer_connected, or 0 for everybody", .0.number())]
    UnknownTarget(Target),
    /// The connection has no such channel.
    #[error("channel {channel} does not exist; channel_count is {count}, so use 1 to {}", .count - 1)]
    Channel {
        /// What was asked for.
        channel: u8,
        /// Channels of the connection.
        count: u8,
    },
    /// A connection has fewer channels than this side. Of a packet for several, everybody else gets it.
    #[error(
        "channel {channel} does not reach peer {peer}{}: channel_count is {count} here, and {agreed} with that peer; set the same channel_count on the server and on every client",
        Others(*.others)
    )]
    PeerChannel {
        /// What was asked for.
        channel: u8,
        /// Channels of this side.
        count: u8,
        /// The peer, or the server when it is behind that.
        peer: PeerId,
        /// Channels that this side and that peer have agreed on.
        agreed: u8,
        /// How many more it does not reach.
        others: usize,
    },
    /// Longer than a packet may be.
    #[error("the packet has {len} bytes; a packet may have {max}", max = super::MAX_PACKET)]
    TooLarge {
        /// Length of the packet in bytes.
        len: usize,
    },
}

/// Ends the mention of one peer.
struct Others(usize);

impl fmt::Display for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            1 => f.write_str(" and 1 other"),
            others => write!(f, " and {others} others"),
        }
    }
}

/// What a server could not pass on from one client to another.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "a packet of client {from} on channel {channel} cannot be passed on to client {to}, which has agreed on {agreed} channels; set the same channel_count on every client. This is said once"
)]
pub struct NotForwarded {
    /// The sender.
    pub from: PeerId,
    /// The receiver.
    pub to: PeerId,
    /// The channel.
    pub channel: u8,
    /// Channels of the connection with the receiver.
    pub agreed: u8,
}

/// Why a server has lost a client that was still there.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "the connection with client {peer} ({address}) has ended because long datagrams to it got lost again and again, and short ones did not: set mtu to a smaller number on the server before create_server(), which every client then keeps to. This is said once"
)]
pub struct LongLost {
    /// The client.
    pub peer: PeerId,
    /// Where it was.
    pub address: SocketAddr,
}

/// What a game's developer should know. Of each kind, and of each limit, there is one in a session.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Warning {
    /// Server: a packet could not be passed on for want of a channel.
    #[error(transparent)]
    NotForwarded(#[from] NotForwarded),
    /// Server: a client's connection has ended because long datagrams to it got lost.
    #[error(transparent)]
    LongLost(#[from] LongLost),
    /// A peer has exceeded a limit.
    #[error(transparent)]
    CutOff(#[from] CutOff),
}

/// Why a peer was not disconnected.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DisconnectError {
    /// Only a server can disconnect its clients.
    #[error("only a server can disconnect a peer; a client leaves with close_connection()")]
    NotServer,
    /// Nobody has this id.
    #[error("no client has the id {0}; use an id from peer_connected")]
    UnknownPeer(i64),
}

/// Why a client was not sent away with a reason.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KickError {
    /// It could not be disconnected.
    #[error(transparent)]
    Disconnect(#[from] DisconnectError),
    /// The text is too long.
    #[error("the text has {0} bytes; use one of at most {max}", max = Kick::MAX_TEXT_BYTES)]
    Text(usize),
}

/// Why something about a peer could not be told or set.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PeerError {
    /// Nobody has this id.
    #[error("no peer has the id {0}; use an id from peer_connected")]
    Unknown(i64),
    /// The server's name is being looked up.
    #[error("the server's address is not known yet; its name is being looked up")]
    NotResolved,
    /// The peer is behind the server's relay, without a connection to this client.
    #[error("peer {0} is reached through the server, and a client has a connection only to the server (1)")]
    Relayed(PeerId),
}

/// Timeouts that ENet cannot keep.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TimeoutError {
    /// The peer is not there.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The values are not in order.
    #[error(
        "timeout_limit ({limit}), timeout_min ({minimum}) and timeout_max ({maximum}) must not be negative, and each no larger than the next"
    )]
    Order {
        /// `timeout_limit`, a factor of the round-trip time.
        limit: i64,
        /// `timeout_min` in ms.
        minimum: i64,
        /// `timeout_max` in ms.
        maximum: i64,
    },
}

/// A throttle that ENet cannot have.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ThrottleError {
    /// The peer is not there.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// A value does not fit.
    #[error(
        "interval_msec ({interval}), acceleration ({acceleration}) and deceleration ({deceleration}) must each be from 0 to 4294967295; ENet's own are 5000, 2 and 2"
    )]
    Range {
        /// `interval_msec`, in ms.
        interval: i64,
        /// `acceleration`, in 1/32.
        acceleration: i64,
        /// `deceleration`, in 1/32.
        deceleration: i64,
    },
}
