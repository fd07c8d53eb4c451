//! DTLS 1.2 for the datagrams of one host, as a layer between the codec and the socket.
//!
//! [`server()`] and [`client()`] make a [`SecureLayer`](nme_core::secure::SecureLayer): datagrams and time go in,
//! datagrams and events come out. Each ENet datagram becomes one DTLS record. There is no socket and no clock; only the
//! system's certificate store is read, on a thread of its own.
//!
//! - `gate` decides which datagrams come near the DTLS library, and answers those that need no memory.
//! - `association` is the library behind a trait.
//! - `server` and `client` are the layers of the two roles.
//! - `credentials` reads keys and certificates, `verify` decides whom a client trusts.
#![forbid(unsafe_code)]

mod association;
mod client;
mod credentials;
#[doc(hidden)]
pub mod fuzz;
mod gate;
mod server;
mod verify;

use thiserror::Error;

pub use client::{ClientLayer, ClientOptions};
pub use credentials::{CredentialsError, Identity};
pub use server::{ServerLayer, ServerLimits};
pub use verify::{Trust, Verifier};

/// No layer can be made.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("DTLS cannot be set up; the operating system gives no random numbers, or the key cannot sign")]
pub struct SetUpError;

/// DTLS for a server that shows this identity.
///
/// # Errors
/// When the operating system has no random numbers.
pub fn server(identity: &Identity, limits: ServerLimits) -> Result<ServerLayer, SetUpError> {
    ServerLayer::new(identity, limits)
}

/// DTLS for a client. The handshake begins with [`connect`](nme_core::secure::SecureLayer::connect).
///
/// # Errors
/// When the operating system has no random numbers.
pub fn client(options: ClientOptions) -> Result<ClientLayer, SetUpError> {
    ClientLayer::new(options)
}
