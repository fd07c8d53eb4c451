//! The engine-independent core of NetworkedMultiplayerENet: no Godot, no sockets, no threads, no clock.
//! Time, randomness and datagrams come in as values.
//!
//! The way of a packet in: a driver hands a datagram to [`session::Session::receive`] → `endpoint` (encryption,
//! compression, ENet, the relay) → `session` (the rules of 3.6 for the game) → the inbox, or a [`session::Event`].
//!
//! The way of a packet out: [`session::Session::send`] → `relay::wire` (header) → `channel` (channel and delivery) →
//! `endpoint` (ENet, compression, encryption) → [`session::Session::transmit`] → the driver's socket.
//!
//! The two sides of a session, `session` for the game and `endpoint` for the network, speak in [`Command`]s and [`Report`]s only,
//! over a [`Link`]. So the endpoint can live in another thread than the game.
//!
//! # When a packet leaves
//! Two questions, and one place for the answer to each. *When is a flush?* `session::waiting` alone says so. *What may a
//! flush send?* The engine alone, nme-enet, says so. All others carry out or carry on:
//!
//! | who | what |
//! |---|---|
//! | `session::folding` | holds back one packet, if the endpoint is in the same thread, to join equal ones to other peers, until another one is queued, a poll or a flush: it never makes anything wait beyond a flush |
//! | `session::waiting` | a flush comes before the packet that no longer fits into the datagram of one of its receivers; when more than 4 MiB wait; when something has waited for 5 ms; with [`session::FlushMode::EachPut`] behind each packet |
//! | the owner of the driver | a flush comes at the end of each poll, and at the end of a frame in which something was queued |
//! | the driver | asks the session before and behind each packet, and at each event of a poll. Behind a packet, it looks at the clock only when a tick of the coarse clock has passed, or nothing has waited before. It flushes at once behind a connect, a disconnect, and a change of the throttle or of the flush mode |
//! | nme-enet, `host::transmit` | what a flush lets go: every peer that has something queued or to acknowledge. Repeats, pings, and what waited for its pace leave when their time comes; refusals and goodbyes to strangers at once; both without a flush |
//! | nme-enet, `send` | in which order a peer's datagrams are filled: acknowledgements, control commands, lost commands, then queued packets, in the order in which they were queued, or by turns of the channels when more than 64 KiB wait; those that `Host::hurry` names come first |
//! | nme-enet, `send::window` | how many reliable bytes may be in flight, and at which pace they leave; the rest waits in the engine for acknowledgements |
//! | nme-enet, `throttle` and `host::bandwidth` | which share of the unreliable packets is sent; the others are dropped as their turn comes, and never wait for it |
//! | a network thread | takes what the game has left for it when the game's owner flushes, or 5 ms behind the first of it; then there is a flush. What datagrams cause, such as packets that are passed on, has one at once, but not more often than every quarter of a ms |
//! | the driver's simulator, when a game wants one | holds datagrams back on purpose, until a poll or flush behind the time at which they are due |
//! | the driver's outbox | keeps datagrams, in order, that the system's send queue has no room for |
//!
//! `session::waiting` takes the sizes of header and commands from nme-enet's table. It counts what was queued since the last
//! flush, not what the engine holds: that the window lets some of it wait is none of its business.
#![forbid(unsafe_code)]

pub mod channel;
pub mod codec;
pub mod counters;
pub mod datagram;
mod endpoint;
pub mod peer;
pub mod query;
mod queue;
pub mod relay;
pub mod secure;
pub mod session;
pub mod statistics {
    //! What can be asked about an endpoint and its connections.

    pub use nme_enet::{ChannelFigures, PeerFigures, Traffic};

    pub use crate::endpoint::statistics::{
        PeerStatistics, Statistics, WireTraffic, header_bytes, payload_bytes,
    };
}

pub use endpoint::{
    Command, Credit, Endpoint, Link, MAX_DATAGRAM, PeerTimeout, Report, ReportQueue, Setting, Throttle,
    admission,
};
pub use nme_enet::PeerHandle;
pub use nme_enet::{Packet, PacketPool};
