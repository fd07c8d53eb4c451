//! The engine-independent core of NetworkedMultiplayerENet: no Godot, no sockets, no threads, no clock.
//! Time, randomness and datagrams come in as values.
//!
//! The way of a packet in: a driver hands a datagram to [`session::Session::receive`] → `pipeline` (encryption, codec,
//! guard) → `enet` (order, resends, reassembly) → `session` (the rules of 3.6) → `relay` (kept, forwarded, or both) →
//! the inbox, or an [`session::Event`].
//!
//! The way of a packet out: [`session::Session::send`] → `relay::wire` (header) → `channel` (channel and flags) →
//! `enet` (queues, fragments) → `pipeline` → [`session::Session::transmit`] → the driver's socket.
#![forbid(unsafe_code)]

pub mod channel;
pub mod codec;
pub mod counters;
pub mod datagram;
mod enet;
pub mod guard;
pub mod peer;
mod pipeline;
pub mod relay;
pub mod secure;
pub mod session;

pub use pipeline::MAX_DATAGRAM;
