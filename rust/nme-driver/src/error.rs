//! Why a server or client could not be made.

use std::io;

use nme_udp::{BindError, ResolveError};
use thiserror::Error;

/// A port that is no port.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{name} is {value}; a port is a number from 0 to 65535")]
pub struct PortError {
    /// Name of the argument.
    pub name: &'static str,
    /// What was asked for.
    pub value: i64,
}

/// Why there is no server.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The thread.
    #[error(transparent)]
    Thread(#[from] ThreadError),
}

/// Why there is no thread for the network.
#[derive(Debug, Error)]
#[error("there is no thread to be had; set threaded = false, or find out why the system refuses it ({0})")]
pub struct ThreadError(#[from] io::Error);

/// Why there is no client.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The server's name is known not to resolve.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The thread.
    #[error(transparent)]
    Thread(#[from] ThreadError),
}
