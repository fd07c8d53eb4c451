//! The class as GDScript sees it: the properties, methods and signals of Godot 3.6.

use std::time::Duration;

use godot::classes::{CryptoKey, MultiplayerPeerExtension, X509Certificate};
use godot::global::Error;
use godot::prelude::*;
use nme_core::channel::{MIN_CHANNELS, TransferChannel, TransferMode};
use nme_core::session::{ConnectionError, FlushMode};
use nme_driver::{Bind, Inline};

use crate::constants::{self, CompressionMode};
use crate::error::{self, Inactive};

/// A server or client that speaks ENet as Godot 3.6 does.
///
/// Brings the class of the same name back from Godot 3.6: create a server or a client, and give it to
/// [member MultiplayerAPI.multiplayer_peer] for RPCs and the other tools of high-level multiplayer. It exchanges
/// packets with real Godot 3.6 games, too ([method PacketPeer.put_packet] and [method PacketPeer.get_packet]; RPCs are
/// encoded differently in Godot 3 and Godot 4).
/// [codeblock]
/// var peer = NetworkedMultiplayerENet.new()
/// peer.create_server(4242)  # or: peer.create_client("example.com", 4242)
/// multiplayer.multiplayer_peer = peer
/// [/codeblock]
/// ENet uses UDP only: a router in front of the server has to forward [i]UDP[/i] on its port.
/// The methods of the base classes ([MultiplayerPeer], [PacketPeer]) work as usual. The relay of
/// [member server_relay] is this class's own, as in Godot 3.6, and clients see each other through
/// [signal MultiplayerPeer.peer_connected].
#[derive(GodotClass)]
#[class(tool, base=MultiplayerPeerExtension)]
pub(crate) struct NetworkedMultiplayerENet {
    /// Keeps packets of [constant MultiplayerPeer.TRANSFER_MODE_UNRELIABLE] in order: one that arrives late is
    /// dropped, as with [constant MultiplayerPeer.TRANSFER_MODE_UNRELIABLE_ORDERED].
    #[export]
    #[var(get = is_always_ordered, set = set_always_ordered)]
    always_ordered: PhantomVar<bool>,
    /// How many channels a connection has, from 3 to 255; the same number belongs on the server and on every
    /// client. A lost reliable packet holds up only the packets behind it on its own channel. Channel 0 is
    /// reserved, 1 and 2 are the defaults for reliable and unreliable packets. Cannot be changed while a connection
    /// is open.
    #[export]
    #[var(get = get_channel_count, set = set_channel_count)]
    channel_count: PhantomVar<i64>,
    /// How datagrams are compressed: one of the [code]COMPRESS_*[/code] constants. Server and clients need the same
    /// mode, otherwise no connection comes about. Read when the server or client is created.
    #[export]
    #[var(get = get_compression_mode, set = set_compression_mode, hint = ENUM,
          hint_string = "None,Range Coder,FastLZ,ZLib,ZStd")]
    compression_mode: PhantomVar<i64>,
    /// On a client with [member use_dtls]: the name that the server's certificate must bear. When empty, it is the
    /// [code]address[/code] given to [method create_client]. Cannot be changed while a connection is open.
    #[export]
    #[var(get = get_dtls_hostname, set = set_dtls_hostname)]
    dtls_hostname: PhantomVar<GString>,
    /// On a client with [member use_dtls]: checks the server's certificate. When off, anybody between client and server
    /// can pretend to be the server and read everything, so switch it off only for tests. Cannot be changed while a
    /// connection is open.
    #[export]
    #[var(get = is_dtls_verify_enabled, set = set_dtls_verify_enabled)]
    dtls_verify: PhantomVar<bool>,
    /// When packets leave: one of the [code]FLUSH_*[/code] constants. By default those of a frame leave together, at its
    /// end at the latest. [method flush] sends what waits at any time.
    #[export]
    #[var(get = get_flush_mode, set = set_flush_mode, hint = ENUM, hint_string = "Per Frame,Each Put")]
    flush_mode: PhantomVar<i64>,
    /// On a server: tells the clients of each other and forwards the packets they send to each other. When off,
    /// clients know and reach only the server. Cannot be changed while a connection is open.
    #[export]
    #[var(get = is_server_relay_enabled, set = set_server_relay_enabled)]
    server_relay: PhantomVar<bool>,
    /// The channel for outgoing packets: from 1 to [member channel_count] - 1, or -1 for the default channel of each
    /// transfer mode (1 for reliable packets, 2 for the others). 0 is reserved. RPCs with a channel of their own use
    /// that one.
    #[export]
    #[var(get = get_transfer_channel, set = set_transfer_channel)]
    transfer_channel: PhantomVar<i64>,
    /// Encrypts everything with DTLS 1.2, as Godot 3.6 does. Server and clients need the same setting. Read when the
    /// server or client is created, and cannot be changed while a connection is open.
    /// A server needs a private key ([method set_dtls_key]) and its certificate ([method set_dtls_certificate]). A client
    /// trusts the certificate given to its [method set_dtls_certificate], or what that one has signed, and without one
    /// what the operating system trusts. See also [member dtls_hostname] and [member dtls_verify], and
    /// [method get_connection_error] for what went wrong.
    /// Make a key and a certificate once, keep the key secret on the server, and give the certificate to the clients:
    /// [codeblock]
    /// var crypto = Crypto.new()
    /// var key = crypto.generate_rsa(2048)
    /// var certificate = crypto.generate_self_signed_certificate(
    ///         key, "CN=game.example.com", "20250101000000", "20350101000000")
    /// key.save("user://server.key")
    /// certificate.save("user://server.crt")
    /// [/codeblock]
    /// Then the server does this:
    /// [codeblock]
    /// var peer = NetworkedMultiplayerENet.new()
    /// peer.use_dtls = true
    /// peer.set_dtls_key(load("user://server.key"))
    /// peer.set_dtls_certificate(load("user://server.crt"))
    /// peer.create_server(4242)
    /// [/codeblock]
    /// And each client:
    /// [codeblock]
    /// var peer = NetworkedMultiplayerENet.new()
    /// peer.use_dtls = true
    /// peer.set_dtls_certificate(load("res://server.crt"))
    /// peer.create_client("game.example.com", 4242)
    /// [/codeblock]
    #[export]
    #[var(get = is_dtls_enabled, set = set_dtls_enabled)]
    use_dtls: PhantomVar<bool>,

    pub(crate) settings: Settings,
    pub(crate) connection: Option<Inline>,
    /// Why the last connection has ended.
    pub(crate) connection_error: Option<ConnectionError>,
    /// Counts connections, so that a poll notices when a signal's handler has replaced the one it works on.
    pub(crate) generation: u64,
    pub(crate) transfer_mode: TransferMode,
    pub(crate) target_peer: i32,
    /// The channel of the virtual `_set_transfer_channel`, which SceneMultiplayer calls before each packet; 0 is the
    /// property's.
    pub(crate) rpc_channel: i32,
    pub(crate) refuse_new_connections: bool,
    pub(crate) last_channel: Option<u8>,
    /// A flush waits for the end of the frame.
    pub(crate) flush_scheduled: bool,
    base: Base<MultiplayerPeerExtension>,
}

/// The properties' values.
pub(crate) struct Settings {
    pub(crate) always_ordered: bool,
    pub(crate) bind: Bind,
    pub(crate) channel_count: u8,
    pub(crate) compression_mode: CompressionMode,
    pub(crate) dtls_certificate: Option<Gd<X509Certificate>>,
    pub(crate) dtls_hostname: GString,
    pub(crate) dtls_key: Option<Gd<CryptoKey>>,
    pub(crate) dtls_verify: bool,
    pub(crate) flush_mode: FlushMode,
    pub(crate) server_relay: bool,
    pub(crate) transfer_channel: TransferChannel,
    pub(crate) use_dtls: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            always_ordered: false,
            bind: Bind::Any,
            channel_count: MIN_CHANNELS,
            compression_mode: CompressionMode::RangeCoder,
            dtls_certificate: None,
            dtls_hostname: GString::new(),
            dtls_key: None,
            dtls_verify: true,
            flush_mode: FlushMode::PerFrame,
            server_relay: true,
            transfer_channel: TransferChannel::ByMode,
            use_dtls: false,
        }
    }
}

#[godot_api]
impl NetworkedMultiplayerENet {
    /// Client: the server has taken the connection. Comes right behind [signal MultiplayerPeer.peer_connected] for
    /// the server's id 1.
    #[signal]
    pub(crate) fn connection_succeeded();

    /// Client: the attempt that [method create_client] began has failed; [method get_connection_error] tells why. The
    /// peer is closed before this comes, so a handler may call [method create_client] again.
    #[signal]
    pub(crate) fn connection_failed();

    /// Client: the server has closed the connection, or does not answer any more; [method get_connection_error] tells
    /// which. Comes behind [signal MultiplayerPeer.peer_disconnected] for every peer; the peer is closed before this
    /// comes.
    #[signal]
    pub(crate) fn server_disconnected();

    /// Opens a server on UDP port [param port], from 0 (the system chooses) to 65535, for up to [param max_clients]
    /// clients, from 1 to 4095. The bandwidths are in bytes per second, 0 for no limit; ENet drops unreliable packets
    /// and slows reliable ones down to keep to them.
    /// Answers [constant @GlobalScope.OK], [constant @GlobalScope.ERR_ALREADY_IN_USE] when a connection is open,
    /// [constant @GlobalScope.ERR_INVALID_PARAMETER] for a wrong argument, a bind address that this machine does not
    /// have, or [member use_dtls] without a key and the certificate that goes with it,
    /// [constant @GlobalScope.ERR_UNAVAILABLE] for a feature that this library was built without, or
    /// [constant @GlobalScope.ERR_CANT_CREATE], as a rule because the port is taken.
    /// [codeblock]
    /// var peer = NetworkedMultiplayerENet.new()
    /// if peer.create_server(4242, 16) == OK:
    ///     multiplayer.multiplayer_peer = peer
    /// [/codeblock]
    #[func]
    fn create_server(
        &mut self,
        port: i64,
        #[opt(default = 32)] max_clients: i64,
        #[opt(default = 0)] in_bandwidth: i64,
        #[opt(default = 0)] out_bandwidth: i64,
    ) -> Error {
        match self.open_server(port, max_clients, in_bandwidth, out_bandwidth) {
            Ok(connection) => self.open(connection),
            Err(problem) => error::report("create_server", &problem),
        }
    }

    /// Begins to connect to the server at [param address], an IPv4 or IPv6 address or a host name, on its UDP port
    /// [param port]. The outcome comes as [signal connection_succeeded] or [signal connection_failed]. The bandwidths
    /// are in bytes per second, 0 for no limit. [param client_port] is the local port, which some ways through a NAT
    /// need; 0 lets the system choose.
    /// A host name is looked up in the background: this call waits at most 16 ms for it.
    /// Answers [constant @GlobalScope.OK], [constant @GlobalScope.ERR_ALREADY_IN_USE] when a connection is open,
    /// [constant @GlobalScope.ERR_INVALID_PARAMETER] for a wrong argument or a certificate that cannot be read,
    /// [constant @GlobalScope.ERR_CANT_RESOLVE] for a name without an address,
    /// [constant @GlobalScope.ERR_UNAVAILABLE] for a feature that this library was built without, or
    /// [constant @GlobalScope.ERR_CANT_CREATE], as a rule because [param client_port] is taken or this machine does not
    /// have the address of [method set_bind_ip].
    #[func]
    fn create_client(
        &mut self,
        address: GString,
        port: i64,
        #[opt(default = 0)] in_bandwidth: i64,
        #[opt(default = 0)] out_bandwidth: i64,
        #[opt(default = 0)] client_port: i64,
    ) -> Error {
        match self.open_client(&address, port, in_bandwidth, out_bandwidth, client_port) {
            Ok(connection) => self.open(connection),
            Err(problem) => {
                self.note_open_error(&problem);
                error::report("create_client", &problem)
            }
        }
    }

    /// Closes the connection: tells every connected peer, and waits [param wait_usec] microseconds for that to leave.
    /// Emits no signals. Does nothing when no connection is open. Packets that ENet has not sent yet because earlier
    /// ones are not acknowledged are lost: a server that wants its clients to get everything disconnects them with
    /// [method disconnect_peer] first.
    #[func]
    fn close_connection(&mut self, #[opt(default = 100)] wait_usec: i64) {
        self.shut(Duration::from_micros(u64::try_from(wait_usec).unwrap_or_default()));
    }

    /// Sends all packets that wait for the end of the frame (see [member flush_mode]). Only a program that works for
    /// long between putting a packet and the end of the frame needs this.
    #[func]
    fn flush(&mut self) {
        match &mut self.connection {
            Some(connection) => connection.flush(),
            None => error::complain("flush", Inactive),
        }
    }

    /// The channel of the packet that was fetched last with [method PacketPeer.get_packet]; an error and -1 when there
    /// was none.
    #[func]
    fn get_last_packet_channel(&self) -> i64 {
        match (&self.connection, self.last_channel) {
            (Some(_), Some(channel)) => channel.into(),
            _ => {
                error::complain(
                    "get_last_packet_channel",
                    "no packet has been fetched with get_packet() yet",
                );
                -1
            }
        }
    }

    /// The channel of the packet that [method PacketPeer.get_packet] fetches next; an error and -1 when none is
    /// waiting.
    #[func]
    fn get_packet_channel(&self) -> i64 {
        self.next_packet("get_packet_channel").map_or(-1, |received| received.channel().into())
    }

    /// The local IP address of the next server or client: an IPv4 or IPv6 address of this machine, or
    /// [code]"*"[/code], the default, for all of them.
    #[func]
    fn set_bind_ip(&mut self, ip: GString) {
        let text = ip.to_string();
        match text.parse() {
            _ if text == "*" => self.settings.bind = Bind::Any,
            Ok(address) => self.settings.bind = Bind::Address(address),
            Err(_) => error::complain(
                "set_bind_ip",
                format!(
                    "\"{text}\" is not an IP address; use one such as \"192.168.1.1\" or \"::1\", or \"*\" for all"
                ),
            ),
        }
    }

    /// The certificate for [member use_dtls]: the server's own, behind which those of its issuers may follow in the same
    /// file, or the one a client trusts. Cannot be changed while a connection is open.
    #[func]
    fn set_dtls_certificate(&mut self, certificate: Option<Gd<X509Certificate>>) {
        if self.may_change("set_dtls_certificate") {
            self.settings.dtls_certificate = certificate;
        }
    }

    /// The private key of a server's certificate, for [member use_dtls]: RSA of 2048 to 4096 bits, or ECDSA on the curve
    /// P-256. Cannot be changed while a connection is open.
    #[func]
    fn set_dtls_key(&mut self, key: Option<Gd<CryptoKey>>) {
        if self.may_change("set_dtls_key") {
            self.settings.dtls_key = key;
        }
    }

    #[func]
    fn set_always_ordered(&mut self, value: bool) {
        self.settings.always_ordered = value;
    }

    #[func]
    fn is_always_ordered(&self) -> bool {
        self.settings.always_ordered
    }

    #[func]
    fn set_channel_count(&mut self, value: i64) {
        if !self.may_change("set_channel_count") {
            return;
        }
        match u8::try_from(value) {
            Ok(count) if count >= MIN_CHANNELS => self.settings.channel_count = count,
            _ => error::complain(
                "set_channel_count",
                format!("{value} channels are not possible; use a number from 3 to 255"),
            ),
        }
    }

    #[func]
    fn get_channel_count(&self) -> i64 {
        self.settings.channel_count.into()
    }

    #[func]
    fn set_compression_mode(&mut self, value: i64) {
        match CompressionMode::from_number(value) {
            Some(mode) => self.settings.compression_mode = mode,
            None => error::complain(
                "set_compression_mode",
                format!("{value} is no compression mode; use one of the constants COMPRESS_*"),
            ),
        }
    }

    #[func]
    fn get_compression_mode(&self) -> i64 {
        self.settings.compression_mode.number()
    }

    #[func]
    fn set_dtls_hostname(&mut self, value: GString) {
        if self.may_change("set_dtls_hostname") {
            self.settings.dtls_hostname = value;
        }
    }

    #[func]
    fn get_dtls_hostname(&self) -> GString {
        self.settings.dtls_hostname.clone()
    }

    #[func]
    fn set_dtls_verify_enabled(&mut self, value: bool) {
        if self.may_change("set_dtls_verify_enabled") {
            self.settings.dtls_verify = value;
        }
    }

    #[func]
    fn is_dtls_verify_enabled(&self) -> bool {
        self.settings.dtls_verify
    }

    #[func]
    fn set_flush_mode(&mut self, value: i64) {
        let Some(mode) = constants::flush_mode(value) else {
            let problem = format!("{value} is no flush mode; use one of the constants FLUSH_*");
            return error::complain("set_flush_mode", problem);
        };
        self.settings.flush_mode = mode;
        if let Some(connection) = &mut self.connection {
            connection.session_mut().set_flush_mode(mode);
            connection.flush();
        }
    }

    #[func]
    fn get_flush_mode(&self) -> i64 {
        constants::flush_mode_number(self.settings.flush_mode)
    }

    #[func]
    fn set_server_relay_enabled(&mut self, value: bool) {
        if self.may_change("set_server_relay_enabled") {
            self.settings.server_relay = value;
        }
    }

    #[func]
    fn is_server_relay_enabled(&self) -> bool {
        self.settings.server_relay
    }

    #[func]
    fn set_transfer_channel(&mut self, value: i64) {
        match TransferChannel::new(value, self.settings.channel_count) {
            Ok(channel) => {
                self.settings.transfer_channel = channel;
                self.rpc_channel = 0;
            }
            Err(problem) => error::complain("set_transfer_channel", problem),
        }
    }

    #[func]
    fn get_transfer_channel(&self) -> i64 {
        self.settings.transfer_channel.number()
    }

    #[func]
    fn set_dtls_enabled(&mut self, value: bool) {
        if self.may_change("set_dtls_enabled") {
            self.settings.use_dtls = value;
        }
    }

    #[func]
    fn is_dtls_enabled(&self) -> bool {
        self.settings.use_dtls
    }
}

impl NetworkedMultiplayerENet {
    pub(crate) fn with_settings(base: Base<MultiplayerPeerExtension>, settings: Settings) -> Self {
        Self {
            always_ordered: PhantomVar::default(),
            channel_count: PhantomVar::default(),
            compression_mode: PhantomVar::default(),
            dtls_hostname: PhantomVar::default(),
            dtls_verify: PhantomVar::default(),
            flush_mode: PhantomVar::default(),
            server_relay: PhantomVar::default(),
            transfer_channel: PhantomVar::default(),
            use_dtls: PhantomVar::default(),
            settings,
            connection: None,
            connection_error: None,
            generation: 0,
            transfer_mode: TransferMode::Reliable,
            target_peer: 0,
            rpc_channel: 0,
            refuse_new_connections: false,
            last_channel: None,
            flush_scheduled: false,
            base,
        }
    }
}
