//! The two places where NetworkedMultiplayerENet meets the operating system: UDP sockets and host names.
//!
//! - [`UdpSocket`] is non-blocking. Nothing that arrives from the network, and no destination it is given,
//!   ends it or panics: every failure is a value to count. A thread can sleep on it, and be woken by a [`Waker`].
//! - [`Resolution`] turns a host name into an address, on one of a few threads, so that a slow name server never
//!   stops the game.
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
mod fault;
mod lookups;
mod resolver;
mod socket;
mod waiting;

pub use address::Families;
pub use resolver::{Resolution, ResolveError, Resolver};
pub use socket::{Bind, BindError, Options, Received, SendError, UdpSocket};
pub use waiting::Waker;
