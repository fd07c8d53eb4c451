//! The engine-independent core of NetworkedMultiplayerENet: no Godot, no sockets, no threads, no clock.
//! Time, randomness and datagrams come in as values.
//!
//! The way of a packet in: a driver hands a datagram to [`session::Session::receive`] → `endpoint` (encryption,
//! compression, ENet, the relay) → `session` (the rules of 3.6 for the game) → the inbox, or a [`session::Event`].
//!
//! The way of a packet out: [`session::Session::send`] → `relay::wire` (header) → `channel` (channel and delivery) →
//! `endpoint` (ENet, compression, encryption) → [`session::Session::transmit`] → the driver's socket.
#![forbid(unsafe_code)]

pub mod channel;
pub mod codec;
pub mod counters;
pub mod datagram;
mod endpoint;
pub mod peer;
pub mod relay;
pub mod secure;
pub mod session;

pub use endpoint::{MAX_DATAGRAM, admission};
