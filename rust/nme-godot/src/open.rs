//! From the class's properties to a driver with its session.

use std::ops::RangeInclusive;

use nme_core::codec::Compression;
use nme_core::secure::SecureLayer;
use nme_core::session::{Bandwidth, Config, MaxClients};
use nme_driver::{ClientSettings, Connection, Port, ServerSettings};

use crate::constants::CompressionMode;
#[cfg(feature = "dtls")]
use crate::dtls;
use crate::error::{self, OpenError};
use crate::shared::Settings;

/// The arguments of `create_server` or `create_client`, with the random number that the id of the connection is made from.
#[derive(Clone)]
pub(crate) struct OpenArguments {
    seed: Result<u64, getrandom::Error>,
    in_bandwidth: i64,
    out_bandwidth: i64,
    role: Role,
}

#[derive(Clone)]
enum Role {
    Server { port: i64, max_clients: i64 },
    Client { host: String, port: i64, client_port: i64 },
}

impl OpenArguments {
    pub(crate) fn server(port: i64, max_clients: i64, in_bandwidth: i64, out_bandwidth: i64) -> Self {
        warn_of_channel_count("create_server", "max_clients", in_bandwidth, out_bandwidth);
        Self { seed: getrandom::u64(), in_bandwidth, out_bandwidth, role: Role::Server { port, max_clients } }
    }

    pub(crate) fn client(
        host: String,
        port: i64,
        in_bandwidth: i64,
        out_bandwidth: i64,
        client_port: i64,
    ) -> Self {
        warn_of_channel_count("create_client", "port", in_bandwidth, out_bandwidth);
        let role = Role::Client { host, port, client_port };
        Self { seed: getrandom::u64(), in_bandwidth, out_bandwidth, role }
    }

    /// The next connection gets the port that the last one had.
    pub(crate) fn set_local_port(&mut self, local: u16) {
        match &mut self.role {
            Role::Server { port, .. } => *port = local.into(),
            Role::Client { client_port, .. } => *client_port = local.into(),
        }
    }

    /// Opens a connection.
    pub(crate) fn make(&self, settings: &Settings) -> Result<Connection, OpenError> {
        let (bind, threaded) = (settings.bind, settings.threaded);
        let simulation = settings.initial_simulation()?;
        match &self.role {
            Role::Server { port, max_clients } => {
                let port = Port::new("port", *port)?;
                let max_clients = MaxClients::new(*max_clients)?;
                let session = self.session_config(settings)?;
                let secure = if settings.use_dtls { Some(settings.server_layer(max_clients)?) } else { None };
                let settings =
                    ServerSettings { bind, port, max_clients, session, secure, threaded, simulation };
                Ok(Connection::server(settings)?)
            }
            Role::Client { host, port, client_port } => {
                let port = Port::new("port", *port)?;
                let local_port = Port::new("client_port", *client_port)?;
                let session = self.session_config(settings)?;
                let secure = if settings.use_dtls { Some(settings.client_layer(host)?) } else { None };
                let settings = ClientSettings {
                    bind,
                    local_port,
                    host: host.clone(),
                    port,
                    session,
                    secure,
                    threaded,
                    simulation,
                };
                Connection::client(settings).map_err(|problem| OpenError::client(problem, host.clone()))
            }
        }
    }

    fn session_config(&self, settings: &Settings) -> Result<Config, OpenError> {
        let bandwidth = Bandwidth::new(self.in_bandwidth, self.out_bandwidth)?;
        settings.session_config(self.seed.map_err(OpenError::Random)?, bandwidth)
    }
}

impl Settings {
    #[cfg(not(feature = "dtls"))]
    const fn server_layer(&self, _: MaxClients) -> Result<Box<dyn SecureLayer>, OpenError> {
        Err(OpenError::NoDtls)
    }

    #[cfg(not(feature = "dtls"))]
    const fn client_layer(&self, _: &str) -> Result<Box<dyn SecureLayer>, OpenError> {
        Err(OpenError::NoDtls)
    }

    #[cfg(feature = "dtls")]
    fn server_layer(&self, max_clients: MaxClients) -> Result<Box<dyn SecureLayer>, OpenError> {
        Ok(dtls::server(self, max_clients)?)
    }

    #[cfg(feature = "dtls")]
    fn client_layer(&self, host: &str) -> Result<Box<dyn SecureLayer>, OpenError> {
        Ok(dtls::client(self, host)?)
    }

    fn session_config(&self, seed: u64, bandwidth: Bandwidth) -> Result<Config, OpenError> {
        let compression = match self.compression_mode {
            CompressionMode::None => Compression::None,
            CompressionMode::RangeCoder => Compression::RangeCoder,
            CompressionMode::FastLz => Compression::FastLz,
            CompressionMode::Zlib => Compression::Zlib,
            CompressionMode::Zstd => Compression::Zstd,
        };
        let mut cookie_key = [0; 16];
        getrandom::fill(&mut cookie_key).map_err(OpenError::Random)?;
        Ok(Config::new(seed)
            .with_cookie_key(cookie_key)
            .channel_count(self.channel_count)
            .compression(compression)
            .mtu(self.mtu)
            .server_relay(self.server_relay)
            .require_tags(self.require_tags)
            .connect_timeout(self.connect_timeout)
            .bandwidth(bandwidth))
    }
}

/// Warns when a bandwidth is a number of channels, which Godot 4's own class takes in that place: it would let next to
/// nothing through. `before` is the argument in front of the bandwidths.
fn warn_of_channel_count(call: &str, before: &str, in_bandwidth: i64, out_bandwidth: i64) {
    let bandwidths = [("in_bandwidth", in_bandwidth), ("out_bandwidth", out_bandwidth)];
    if let Some((name, value)) = bandwidths.into_iter().find(|(_, value)| CHANNEL_COUNTS.contains(value)) {
        let problem = format!(
            "{name} is {value} bytes per second, which looks like the number of channels that ENetMultiplayerPeer.{call}() \
             takes behind {before}; here, set channel_count = {value} before the call and leave that argument out, so \
             that in_bandwidth comes behind {before}"
        );
        error::warn(call, problem);
    }
}

/// What both classes can have.
const CHANNEL_COUNTS: RangeInclusive<i64> = 1..=255;
