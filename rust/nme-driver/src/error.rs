//! Why a server or client could not be made, or a server not be asked.

use std::io;

use nme_core::query::BrowserFull;
use nme_udp::{BindError, ResolveError};
use thiserror::Error;

use crate::browser::LONGEST_TIMEOUT_MS;

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

/// Why no server was asked.
#[derive(Debug, Error)]
pub enum SearchError {
    /// The port.
    #[error("port is {0}; the port of a server is a number from 1 to 65535")]
    Port(i64),
    /// The time for the answer.
    #[error("timeout_msec is {0}; use a time from 1 to {LONGEST_TIMEOUT_MS} ms")]
    Timeout(i64),
    /// Too much is asked already.
    #[error(transparent)]
    Full(#[from] BrowserFull),
    /// Too many names are looked up already.
    #[error("too many host names are being looked up; wait for answers before the next ones")]
    ManyLookups,
    /// The socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The server's name is known not to resolve.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
}
