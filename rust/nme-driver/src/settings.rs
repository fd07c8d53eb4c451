//! What servers and clients are made from.

use nme_core::secure::SecureLayer;
use nme_core::session::{Config, MaxClients};
use nme_udp::Bind;

use crate::error::PortError;
use crate::simulator::Simulation;

/// A UDP port as Godot writes it: 0 lets the system choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port(pub(crate) u16);

impl Port {
    /// Reads an argument called `name`.
    ///
    /// # Errors
    /// When the value is not in 0..=65535.
    pub fn new(name: &'static str, value: i64) -> Result<Self, PortError> {
        u16::try_from(value).map(Self).map_err(|_| PortError { name, value })
    }
}

/// A server to be.
pub struct ServerSettings {
    /// The local address.
    pub bind: Bind,
    /// The port to listen on.
    pub port: Port,
    /// How many clients it takes.
    pub max_clients: MaxClients,
    /// The session's settings.
    pub session: Config,
    /// Encryption of everything that is sent and received.
    pub secure: Option<Box<dyn SecureLayer>>,
    /// A thread of its own takes care of the network.
    pub threaded: bool,
    /// What the network is made to be like.
    pub simulation: Simulation,
}

/// A client to be.
pub struct ClientSettings {
    /// The local address.
    pub bind: Bind,
    /// The local port.
    pub local_port: Port,
    /// The server: an IP address or a host name.
    pub host: String,
    /// The server's port.
    pub port: Port,
    /// The session's settings.
    pub session: Config,
    /// Encryption of everything that is sent and received.
    pub secure: Option<Box<dyn SecureLayer>>,
    /// A thread of its own takes care of the network.
    pub threaded: bool,
    /// What the network is made to be like.
    pub simulation: Simulation,
}
