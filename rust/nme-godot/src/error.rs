//! The one place where errors become Godot's codes, and where they are printed.

use std::fmt::Display;

use godot::global::{Error, godot_error, godot_warn};
use nme_core::channel::ChannelError;
use nme_core::session::{
    BandwidthError, DisconnectError, MaxClientsError, PeerError, SendError, TimeoutError,
};
use nme_driver::simulator::SimulationError;
use nme_driver::{BindError, ClientError, PortError, SearchError, ServerError};
use thiserror::Error as ThisError;

#[cfg(feature = "dtls")]
use crate::dtls::DtlsError;
use crate::output::Quoted;

/// An error with a code that Godot knows.
pub(crate) trait Code: Display {
    fn code(&self) -> Error;
}

/// Prints one error that names the call, and gives the code back.
pub(crate) fn report(call: &str, error: &dyn Code) -> Error {
    report_of("NetworkedMultiplayerENet", call, error)
}

/// Prints one error that names the class and the call, and gives the code back.
pub(crate) fn report_of(class: &str, call: &str, error: &dyn Code) -> Error {
    godot_error!("{class}.{call}: {error}.");
    error.code()
}

/// Prints one error that names the call.
pub(crate) fn complain(call: &str, problem: impl Display) {
    complain_of("NetworkedMultiplayerENet", call, problem);
}

/// The same for another class.
pub(crate) fn complain_of(class: &str, call: &str, problem: impl Display) {
    godot_error!("{class}.{call}: {problem}.");
}

/// Prints one warning that names the call.
pub(crate) fn warn(call: &str, problem: impl Display) {
    godot_warn!("NetworkedMultiplayerENet.{call}: {problem}.");
}

/// Why `create_server` or `create_client` did nothing.
#[derive(Debug, ThisError)]
pub(crate) enum OpenError {
    #[error("a connection is open already; call close_connection() first")]
    AlreadyInUse,
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    MaxClients(#[from] MaxClientsError),
    #[error(transparent)]
    Bandwidth(#[from] BandwidthError),
    #[cfg(feature = "dtls")]
    #[error(transparent)]
    Dtls(#[from] DtlsError),
    #[cfg(not(feature = "dtls"))]
    #[error("use_dtls is on, and this library was built without DTLS; set use_dtls to false")]
    NoDtls,
    #[error("{origin} asks for a network that cannot be simulated: {problem}")]
    Simulation { origin: &'static str, problem: SimulationError },
    #[error("the system has no random numbers: {0}")]
    Random(getrandom::Error),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Client(ClientError),
    #[error("no address for {}: {problem}; check the name, the network and set_bind_ip()", Quoted(.host))]
    Resolve { host: String, problem: ClientError },
}

impl OpenError {
    pub(crate) fn client(problem: ClientError, host: String) -> Self {
        match problem {
            ClientError::Resolve(_) => Self::Resolve { host, problem },
            ClientError::Bind(_) | ClientError::Thread(_) => Self::Client(problem),
        }
    }
}

impl Code for OpenError {
    fn code(&self) -> Error {
        match self {
            Self::AlreadyInUse => Error::ERR_ALREADY_IN_USE,
            Self::Port(_) | Self::MaxClients(_) | Self::Bandwidth(_) | Self::Simulation { .. } => {
                Error::ERR_INVALID_PARAMETER
            }
            #[cfg(feature = "dtls")]
            Self::Dtls(DtlsError::Missing(_) | DtlsError::Credentials(_) | DtlsError::LongName(_)) => {
                Error::ERR_INVALID_PARAMETER
            }
            #[cfg(feature = "dtls")]
            Self::Dtls(DtlsError::SetUp(_)) => Error::ERR_CANT_CREATE,
            #[cfg(not(feature = "dtls"))]
            Self::NoDtls => Error::ERR_UNAVAILABLE,
            Self::Random(_) => Error::ERR_CANT_CREATE,
            Self::Server(ServerError::Bind(BindError::AddressUnavailable { .. })) => {
                Error::ERR_INVALID_PARAMETER
            }
            Self::Server(_) | Self::Client(ClientError::Bind(_) | ClientError::Thread(_)) => {
                Error::ERR_CANT_CREATE
            }
            Self::Client(ClientError::Resolve(_)) | Self::Resolve { .. } => Error::ERR_CANT_RESOLVE,
        }
    }
}

impl Code for SendError {
    fn code(&self) -> Error {
        match self {
            Self::NotConnected => Error::ERR_UNCONFIGURED,
            Self::UnknownTarget(_)
            | Self::Channel { .. }
            | Self::PeerChannel { .. }
            | Self::TooLarge { .. } => Error::ERR_INVALID_PARAMETER,
        }
    }
}

/// A call that needs an open connection, on a peer without one.
#[derive(Debug, ThisError)]
#[error("no connection is open; call create_server() or create_client() first")]
pub(crate) struct Inactive;

impl Code for Inactive {
    fn code(&self) -> Error {
        Error::ERR_UNCONFIGURED
    }
}

/// A setting that cannot change during a connection.
#[derive(Debug, ThisError)]
#[error("this cannot be changed while a connection is open; call close_connection() first")]
pub(crate) struct Active;

/// A packet was asked for, and none is there.
#[derive(Debug, ThisError)]
#[error("no packet is waiting; call this only while get_available_packet_count() is above 0")]
pub(crate) struct NoPacket;

impl Code for NoPacket {
    fn code(&self) -> Error {
        Error::ERR_UNAVAILABLE
    }
}

impl Code for ChannelError {
    fn code(&self) -> Error {
        Error::ERR_INVALID_PARAMETER
    }
}

impl Code for DisconnectError {
    fn code(&self) -> Error {
        Error::ERR_INVALID_PARAMETER
    }
}

impl Code for PeerError {
    fn code(&self) -> Error {
        Error::ERR_INVALID_PARAMETER
    }
}

impl Code for TimeoutError {
    fn code(&self) -> Error {
        Error::ERR_INVALID_PARAMETER
    }
}

impl Code for SearchError {
    fn code(&self) -> Error {
        match self {
            Self::Port(_) | Self::Timeout(_) => Error::ERR_INVALID_PARAMETER,
            Self::Full(_) | Self::ManyLookups => Error::ERR_BUSY,
            Self::Bind(_) => Error::ERR_CANT_CREATE,
            Self::Resolve(_) => Error::ERR_CANT_RESOLVE,
        }
    }
}
