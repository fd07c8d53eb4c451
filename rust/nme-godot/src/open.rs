//! From the class's properties to a driver with its session.

use godot::prelude::*;
use nme_core::codec::Compression;
use nme_core::session::{Bandwidth, Config, MaxClients};
use nme_driver::{ClientSettings, Inline, Port, ServerSettings};

use crate::class::NetworkedMultiplayerENet;
use crate::constants::CompressionMode;
use crate::error::OpenError;

impl NetworkedMultiplayerENet {
    pub(crate) fn open_server(
        &self,
        port: i64,
        max_clients: i64,
        in_bandwidth: i64,
        out_bandwidth: i64,
    ) -> Result<Inline, OpenError> {
        self.check_idle()?;
        let port = Port::new("port", port)?;
        let max_clients = MaxClients::new(max_clients)?;
        let bandwidth = Bandwidth::new(in_bandwidth, out_bandwidth)?;
        if self.settings.use_dtls {
            self.check_credentials()?;
        }
        let session = self.session_config(bandwidth)?;
        Ok(Inline::server(&ServerSettings { bind: self.settings.bind, port, max_clients, session })?)
    }

    pub(crate) fn open_client(
        &self,
        host: &GString,
        port: i64,
        in_bandwidth: i64,
        out_bandwidth: i64,
        client_port: i64,
    ) -> Result<Inline, OpenError> {
        self.check_idle()?;
        let port = Port::new("port", port)?;
        let local_port = Port::new("client_port", client_port)?;
        let bandwidth = Bandwidth::new(in_bandwidth, out_bandwidth)?;
        let session = self.session_config(bandwidth)?;
        let (bind, host) = (self.settings.bind, host.to_string());
        let settings = ClientSettings { bind, local_port, host, port, session };
        Inline::client(&settings).map_err(|problem| OpenError::client(problem, settings.host))
    }

    const fn check_idle(&self) -> Result<(), OpenError> {
        if self.connection.is_some() { Err(OpenError::AlreadyInUse) } else { Ok(()) }
    }

    const fn check_credentials(&self) -> Result<(), OpenError> {
        match (&self.settings.dtls_key, &self.settings.dtls_certificate) {
            (None, _) => Err(OpenError::NoCredentials("there is no key")),
            (_, None) => Err(OpenError::NoCredentials("there is no certificate")),
            _ => Ok(()),
        }
    }

    fn session_config(&self, bandwidth: Bandwidth) -> Result<Config, OpenError> {
        if self.settings.use_dtls {
            return Err(OpenError::NoDtls);
        }
        let compression = match self.settings.compression_mode {
            CompressionMode::None => Compression::None,
            CompressionMode::RangeCoder => Compression::RangeCoder,
            CompressionMode::FastLz => Compression::FastLz,
            CompressionMode::Zlib => Compression::Zlib,
            CompressionMode::Zstd => Compression::Zstd,
        };
        let seed = getrandom::u64().map_err(OpenError::Random)?;
        Ok(Config::new(seed)
            .channel_count(self.settings.channel_count)
            .compression(compression)
            .server_relay(self.settings.server_relay)
            .bandwidth(bandwidth))
    }
}
