//! A connection as `ENetConnection` has it.

use std::net::{IpAddr, SocketAddr};

use godot::classes::TlsOptions;
use godot::global::Error;
use godot::prelude::*;
use nme_core::session::{Bandwidth, BandwidthError};
use nme_driver::ConnectionStatistics;
use thiserror::Error as ThisError;

use super::{NetworkedMultiplayerENetPeer, Owner};
use crate::connection::DEFAULT_WAIT;
use crate::constants::CompressionMode;
use crate::error::{self, Code, Inactive, OpenError};
use crate::ffi::Credential;
use crate::output::Quoted;
use crate::shared::Settings;

/// An open server or client, with the methods, arguments and numbers of [ENetConnection] that scripts for [ENetMultiplayerPeer] use.
///
/// [member NetworkedMultiplayerENet.host] is it. Such scripts choose compression and encryption behind
/// [method NetworkedMultiplayerENet.create_server]; that works here, too, until the first datagram has left or come: for a client, until
/// the end of the frame.
///
/// ```gdscript
/// var peer = NetworkedMultiplayerENet.new()
/// peer.create_client("127.0.0.1", 4242)
/// peer.host.compress(ENetConnection.COMPRESS_ZSTD)
/// ```
#[derive(GodotClass)]
#[class(no_init, base=RefCounted)]
pub(crate) struct NetworkedMultiplayerENetHost {
    owner: std::cell::RefCell<Owner>,
}

#[godot_api]
impl NetworkedMultiplayerENetHost {
    /// Bytes of UDP that were sent.
    #[constant]
    const HOST_TOTAL_SENT_DATA: i32 = 0;
    /// Datagrams that were sent.
    #[constant]
    const HOST_TOTAL_SENT_PACKETS: i32 = 1;
    /// Bytes of UDP that were received.
    #[constant]
    const HOST_TOTAL_RECEIVED_DATA: i32 = 2;
    /// Datagrams that were received.
    #[constant]
    const HOST_TOTAL_RECEIVED_PACKETS: i32 = 3;

    /// Sets how datagrams are compressed, as one of [code]COMPRESS_*[/code]: the same as
    /// [member NetworkedMultiplayerENet.compression_mode], which has to be set before the connection is opened. The default is not
    /// [constant ENetConnection.COMPRESS_NONE] here. Prints an error when the first datagram has left or come already.
    #[func]
    fn compress(&self, mode: i64) {
        let changed = match CompressionMode::from_number(mode) {
            Some(mode) => self.begin_anew(|settings| settings.compression_mode = mode),
            None => Err(HostError::Compression(mode)),
        };
        if let Err(problem) = changed {
            complain("compress", problem);
        }
    }

    /// Server: encrypts everything with DTLS, with the key and the certificate of [param options], from [method TLSOptions.server]. Returns
    /// [constant @GlobalScope.OK], or prints an error and returns [constant @GlobalScope.ERR_INVALID_PARAMETER] for other options, and
    /// [constant @GlobalScope.ERR_ALREADY_IN_USE] when the first datagram has come already. See [member NetworkedMultiplayerENet.use_dtls].
    #[func]
    fn dtls_server_setup(&self, options: Option<Gd<TlsOptions>>) -> Error {
        let Some(options) = options.filter(|options| options.is_server()) else {
            return told("dtls_server_setup", Err(HostError::ServerOptions));
        };
        let key = options.get_private_key().map(Credential::new);
        let certificate = options.get_own_certificate().map(Credential::new);
        let changed = self.begin_anew(|settings| {
            settings.use_dtls = true;
            settings.dtls_key = key;
            settings.dtls_certificate = certificate;
        });
        told("dtls_server_setup", changed)
    }

    /// Client: encrypts everything with DTLS, for a server whose certificate bears this [param hostname], or the name in
    /// [param client_options]. With [code]null[/code], the operating system decides whom to trust. Options of [method TLSOptions.client_unsafe]
    /// switch off every check. Returns as [method dtls_server_setup].
    #[func]
    fn dtls_client_setup(&self, hostname: GString, client_options: Option<Gd<TlsOptions>>) -> Error {
        if client_options.as_ref().is_some_and(|options| options.is_server()) {
            return told("dtls_client_setup", Err(HostError::ClientOptions));
        }
        let mut name = hostname.to_string();
        let mut trust = None;
        if let Some(options) = client_options {
            let certificate = options.get_trusted_ca_chain().map(Credential::new);
            trust = Some((!options.is_unsafe_client(), certificate));
            let other_name = options.get_common_name_override();
            if !other_name.is_empty() {
                name = other_name.to_string();
            }
        }
        let changed = self.begin_anew(|settings| {
            settings.use_dtls = true;
            settings.dtls_hostname = name;
            if let Some((verify, certificate)) = trust {
                settings.dtls_verify = verify;
                settings.dtls_certificate = certificate;
            }
        });
        told("dtls_client_setup", changed)
    }

    /// As [method NetworkedMultiplayerENet.get_local_port].
    #[func]
    fn get_local_port(&self) -> i64 {
        self.owner.borrow().with(|connection| connection.local_addr().port()).map_or(0, i64::from)
    }

    /// Returns one of the [code]HOST_TOTAL_*[/code] figures since the last call for it. [method NetworkedMultiplayerENet.get_statistics] has
    /// more of them, and does not forget them.
    #[func]
    fn pop_statistic(&self, statistic: i64) -> f64 {
        let owner = self.owner.borrow();
        let Some(which) = usize::try_from(statistic).ok().filter(|which| *which < TOTALS) else {
            complain(
                "pop_statistic",
                format!("{statistic} is no figure; use one of the constants HOST_TOTAL_*"),
            );
            return 0.0;
        };
        let Some(statistics) = owner.with(nme_driver::Connection::statistics) else { return 0.0 };
        let total = totals(&statistics)[which];
        let Some(shared) = owner.shared() else { return 0.0 };
        let before = std::mem::replace(&mut shared.lock().popped[which], total);
        total.saturating_sub(before) as f64
    }

    /// Sets how many bytes per second this side can receive and send: see [method NetworkedMultiplayerENet.create_server].
    #[func]
    fn bandwidth_limit(&self, #[opt(default = 0)] in_bandwidth: i64, #[opt(default = 0)] out_bandwidth: i64) {
        let owner = self.owner.borrow();
        match Bandwidth::new(in_bandwidth, out_bandwidth) {
            Ok(bandwidth) => {
                owner.with(|connection| connection.set_bandwidth(bandwidth));
            }
            Err(problem) => complain("bandwidth_limit", HostError::from(problem)),
        }
    }

    /// Returns an object for each peer with a connection to this side: see [method NetworkedMultiplayerENet.get_peer].
    #[func]
    fn get_peers(&self) -> Array<Gd<NetworkedMultiplayerENetPeer>> {
        let owner = self.owner.borrow();
        let direct = owner.with(|connection| {
            let ids = connection.peers().into_iter().map(|id| i64::from(id.get()));
            ids.filter(|id| connection.peer_address(*id).is_ok()).collect::<Vec<_>>()
        });
        direct
            .unwrap_or_default()
            .into_iter()
            .map(|id| NetworkedMultiplayerENetPeer::of(owner.again(), id))
            .collect()
    }

    /// Sends bytes in a datagram of their own, from the port of this server or client, to anybody who need not be a peer: for ways through
    /// routers. [param destination_address] is an IP address.
    #[func]
    fn socket_send(&self, destination_address: GString, destination_port: i64, packet: PackedByteArray) {
        let text = destination_address.to_string();
        let (Ok(address), Ok(port @ 1..)) = (text.parse::<IpAddr>(), u16::try_from(destination_port)) else {
            return complain(
                "socket_send",
                format!(
                    "{}, port {destination_port} is no destination; use an IP address and a port from 1 to 65535",
                    Quoted(&text)
                ),
            );
        };
        if packet.len() > LONGEST_BYTES {
            return complain(
                "socket_send",
                format!("{} bytes are too many; use {LONGEST_BYTES} at most", packet.len()),
            );
        }
        let to = SocketAddr::new(address, port);
        self.owner.borrow().with(|connection| connection.send_datagram(to, packet.as_slice()));
    }

    /// As [method NetworkedMultiplayerENet.flush].
    #[func]
    fn flush(&self) {
        self.owner.borrow().with(nme_driver::Connection::flush);
    }

    /// As [method NetworkedMultiplayerENet.close_connection].
    #[func]
    fn destroy(&self) {
        let owner = self.owner.borrow();
        if let (Some(object), Some(shared)) = (owner.object(), owner.shared()) {
            shared.shut(DEFAULT_WAIT, || object);
        }
    }

    /// Server: turns new clients away, as [member MultiplayerPeer.refuse_new_connections] does.
    #[func]
    fn refuse_new_connections(&self, refuse: bool) {
        if let Some(mut object) = self.owner.borrow().object() {
            object.set_refuse_new_connections(refuse);
        }
    }

    /// Returns how many channels connections have at most: see [member NetworkedMultiplayerENet.channel_count].
    #[func]
    fn get_max_channels(&self) -> i64 {
        let shared = self.owner.borrow().shared();
        shared.map_or(0, |shared| shared.lock().settings.channel_count.into())
    }
}

impl NetworkedMultiplayerENetHost {
    pub(super) fn of(owner: Owner) -> Gd<Self> {
        Gd::from_object(Self { owner: std::cell::RefCell::new(owner) })
    }

    /// Opens the same server or client once more, with other settings. Nobody can tell, as long as nothing has left or come.
    fn begin_anew(&self, change: impl FnOnce(&mut Settings)) -> Result<(), HostError> {
        let shared = self.owner.borrow().shared().ok_or(Inactive)?;
        shared.begin_anew(change)?;
        self.owner.borrow_mut().generation = shared.lock().generation;
        Ok(())
    }
}

fn totals(statistics: &ConnectionStatistics) -> [u64; TOTALS] {
    let counters = &statistics.endpoint.counters;
    [counters.bytes_sent, counters.datagrams_sent, counters.bytes_received, counters.datagrams_received]
}

fn told(call: &str, done: Result<(), HostError>) -> Error {
    match done {
        Ok(()) => Error::OK,
        Err(problem) => {
            complain(call, &problem);
            problem.code()
        }
    }
}

fn complain(call: &str, problem: impl std::fmt::Display) {
    error::complain_of("NetworkedMultiplayerENetHost", call, problem);
}

/// Why the host did nothing.
#[derive(Debug, ThisError)]
pub(crate) enum HostError {
    #[error(transparent)]
    Inactive(#[from] Inactive),
    #[error(
        "it is too late: the first datagram has left or come; call it in the same frame, right behind create_server() or \
         create_client(), or set the property of NetworkedMultiplayerENet before that"
    )]
    Begun,
    #[error("{0} is no compression; use one of the constants COMPRESS_*")]
    Compression(i64),
    #[error("these are no options of a server; use TLSOptions.server()")]
    ServerOptions,
    #[error("these are options of a server; use TLSOptions.client()")]
    ClientOptions,
    #[error(transparent)]
    Bandwidth(#[from] BandwidthError),
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl Code for HostError {
    fn code(&self) -> Error {
        match self {
            Self::Inactive(problem) => problem.code(),
            Self::Begun => Error::ERR_ALREADY_IN_USE,
            Self::Compression(_) | Self::ServerOptions | Self::ClientOptions | Self::Bandwidth(_) => {
                Error::ERR_INVALID_PARAMETER
            }
            Self::Open(problem) => problem.code(),
        }
    }
}

const TOTALS: usize = 4;

/// What fits into a datagram of UDP.
const LONGEST_BYTES: usize = 65_507;
