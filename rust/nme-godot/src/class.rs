//! The class as GDScript sees it: its properties and signals. Its methods are in `opening`, `packets`, `peers`, `access`,
//! `traffic` and `connection_error`.
//!
//! The editor's help is made from the comments. In those of methods, lines of code are indented by six and ten blanks:
//! the engine takes two off when it shows them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use godot::classes::MultiplayerPeerExtension;
use godot::prelude::*;
use nme_core::channel::{MIN_CHANNELS, TransferChannel};
use nme_core::session::{MaxBuffered, MaxRate, MaxReceived, Mtu};

use crate::connection::DEFAULT_WAIT;
use crate::constants::{self, CompressionMode};
use crate::dispatch;
use crate::drop_in::{self, NetworkedMultiplayerENetHost};
use crate::error;
use crate::shared::{Object, Shared};

/// A server or client for multiplayer games: the ENet class of Godot 3.6, for Godot 4.
///
/// Open a server with [method create_server] or connect to one with [method create_client], and give the object to
/// [member MultiplayerAPI.multiplayer_peer]. From then on RPCs, [MultiplayerSpawner] and [MultiplayerSynchronizer]
/// use it.
///
/// ```gdscript
/// var peer = NetworkedMultiplayerENet.new()
/// if peer.create_server(4242, 16) == OK:  # or: peer.create_client("example.com", 4242)
///     multiplayer.multiplayer_peer = peer
/// ```
///
/// It also works alone, for packets of bytes. Then call [method MultiplayerPeer.poll] in every frame, and do not
/// give it to [member MultiplayerAPI.multiplayer_peer]. [method MultiplayerPeer.set_target_peer] chooses who gets
/// the packets that follow: the id of a peer, 0 for everybody (the default), 1 for the server, or a negative id for
/// everybody but that peer.
///
/// ```gdscript
/// peer.poll()
/// while peer.get_available_packet_count() > 0:
///     var from = peer.get_packet_peer()
///     print(from, " says ", peer.get_packet().get_string_from_utf8())
/// if peer.get_connection_status() == MultiplayerPeer.CONNECTION_CONNECTED:
///     peer.set_target_peer(MultiplayerPeer.TARGET_PEER_BROADCAST)
///     peer.transfer_mode = MultiplayerPeer.TRANSFER_MODE_UNRELIABLE
///     peer.put_packet("I am here".to_utf8_buffer())
/// ```
///
/// The server has the id 1. A client gets another random id, from 2 to 2147483647, with every
/// [method create_client]; see [method MultiplayerPeer.get_unique_id]. [signal MultiplayerPeer.peer_connected] and
/// [signal MultiplayerPeer.peer_disconnected] tell who comes and goes; with [member server_relay] clients hear of
/// each other.
///
/// A packet has up to 16777216 bytes (16 MiB). What does not fit into one datagram, that is more than about 1300
/// bytes, travels in parts.
///
/// Both ends need this class, or Godot 3.6's. Godot 3 and Godot 4 encode RPCs and Variants in different ways; with
/// [Godot3Multiplayer] they call each other's functions all the same. [ENetMultiplayerPeer] sends other packets, and
/// cannot be the other end.
///
/// [b]Note:[/b] ENet uses UDP. A router or firewall in front of the server has to let [i]UDP[/i] through on its
/// port; [UPNP] asks a router for that. On Android, the export needs the INTERNET permission. Browsers have no UDP,
/// so this class is not for exports to the Web.
///
/// [b]Note:[/b] The folder [code]docs[/code] of the addon has more: a quick start, porting from Godot 3.6, channels
/// and transfer modes, compression, DTLS, and what to do about each error.
#[derive(GodotClass)]
#[class(tool, init, base=MultiplayerPeerExtension)]
pub(crate) struct NetworkedMultiplayerENet {
    /// Server: asks the game about each client that wants to connect, once its address is proven. The function is called
    /// during [method MultiplayerPeer.poll] with the client's IP address, its port and the id that it will have. When it
    /// returns [code]true[/code], the client gets its place; otherwise it is told that it is refused. An empty
    /// [Callable], the default, lets everybody in. Can be changed at any time.
    ///
    /// ```gdscript
    /// peer.admission_callback = func(address: String, _port: int, _id: int) -> bool:
    ///     return address != "192.0.2.7"
    /// peer.create_server(4242)
    /// ```
    ///
    /// Who a player is, it cannot tell: that is for [member SceneMultiplayer.auth_callback].
    #[var(get = get_admission_callback, set = set_admission_callback)]
    admission_callback: PhantomVar<Callable>,
    /// Sends packets of [constant MultiplayerPeer.TRANSFER_MODE_UNRELIABLE] like those of
    /// [constant MultiplayerPeer.TRANSFER_MODE_UNRELIABLE_ORDERED]: the receiver drops one that a later one on the
    /// same channel has overtaken. It is about what this side sends, and takes effect with the next packet.
    #[export]
    #[var(get = is_always_ordered, set = set_always_ordered)]
    always_ordered: PhantomVar<bool>,
    /// How many channels a connection has, from 3 to 255. Each channel keeps its own order: a reliable packet that
    /// got lost holds up those behind it on its channel, and none on the others.
    ///
    /// Channel 0 is reserved. 1 is the default for reliable packets, 2 for the others. With 3 channels that is all;
    /// games that want channels of their own ([member transfer_channel], or the number in [code]@rpc[/code]) need more.
    ///
    /// Use the same number on the server and on every client: a connection has as many channels as the side with
    /// fewer. [method PacketPeer.put_packet] returns [constant @GlobalScope.ERR_INVALID_PARAMETER] for a peer whose
    /// connection does not have the packet's channel, with an error that tells both numbers; of a packet for several,
    /// all others get it. What a server cannot pass on to another client for that reason is lost, and the server's log
    /// has one warning. Another number, or any while a connection is open, prints an error and changes nothing. See
    /// [code]docs/channels_and_transfer_modes.md[/code] in the addon.
    #[export]
    #[var(get = get_channel_count, set = set_channel_count)]
    channel_count: PhantomVar<i64>,
    /// How datagrams are compressed before they are sent, as one of the [code]COMPRESS_*[/code] constants. The
    /// server and all of its clients need the same mode. Otherwise the client hears nothing and
    /// [signal connection_failed] comes after about half a minute, with [constant CONNECTION_ERROR_TIMED_OUT].
    ///
    /// Set it before [method create_server] or [method create_client]; an open connection keeps the mode it began
    /// with. See [code]docs/compression.md[/code] in the addon for what each mode costs and saves.
    #[export]
    #[var(get = get_compression_mode, set = set_compression_mode, hint = ENUM,
          hint_string = "None,Range Coder,FastLZ,ZLib,ZStd")]
    compression_mode: PhantomVar<i64>,
    /// Client: after how many milliseconds an attempt to connect fails at the latest, from [method create_client] on, with the search
    /// for the server's address and the handshake of DTLS; up to 4294967295. 0, the default, leaves it to ENet, which gives up after
    /// about half a minute. Takes effect with the next [method create_client].
    ///
    /// ```gdscript
    /// peer.connect_timeout_msec = 5000
    /// peer.create_client("game.example.com", 4242)
    /// ```
    #[export]
    #[var(get = get_connect_timeout_msec, set = set_connect_timeout_msec)]
    connect_timeout_msec: PhantomVar<i64>,
    /// Server: how many connections of one IP address may begin each second; up to ten times as many at once. An
    /// IPv6 address stands for the 64 bits in front of it, which is what one customer has. Who is too early gets no
    /// answer, asks again by itself, and is let in then. From 0 to 1000; 0 is no limit. By default 10, and this
    /// machine's own addresses have no limit; once it is set, they have. Can be changed at any time.
    #[export]
    #[var(get = get_connection_rate_limit, set = set_connection_rate_limit, hint = RANGE, hint_string = "0,1000")]
    connection_rate_limit: PhantomVar<i64>,
    /// Client with [member use_dtls]: the name that the server's certificate has to bear. When empty, that is the
    /// [param address] given to [method create_client]. Set it when clients connect to an IP address. Cannot be
    /// changed while a connection is open.
    #[export]
    #[var(get = get_dtls_hostname, set = set_dtls_hostname)]
    dtls_hostname: PhantomVar<GString>,
    /// Client with [member use_dtls]: whether the server's certificate is checked. When off, the connection is
    /// encrypted, but it may be with anybody, who can read and change everything. Switch it off for tests only.
    /// Cannot be changed while a connection is open.
    #[export]
    #[var(get = is_dtls_verify_enabled, set = set_dtls_verify_enabled)]
    dtls_verify: PhantomVar<bool>,
    /// When packets leave, as one of the [code]FLUSH_*[/code] constants. By default those of a frame share
    /// datagrams and leave at its end at the latest. Can be changed at any time; what waits is sent then.
    /// [method flush] sends what waits, too.
    #[export]
    #[var(get = get_flush_mode, set = set_flush_mode, hint = ENUM, hint_string = "Per Frame,Each Put")]
    flush_mode: PhantomVar<i64>,
    /// For scripts that were written for [ENetMultiplayerPeer]: an object with the methods of [ENetConnection] that they use, or
    /// [code]null[/code] when no connection is open. Cannot be set.
    #[var(get = get_host, no_set)]
    host: PhantomVar<Option<Gd<NetworkedMultiplayerENetHost>>>,
    /// How many bytes of received packets may wait for [method PacketPeer.get_packet], from 1048576 (1 MiB) to 4294967295.
    /// Each packet counts with 192 bytes more than it has. When a game does not fetch its packets, or too slowly, those who
    /// send reliable ones are made to wait, and nothing of theirs is lost. Of the unreliable ones the oldest are dropped.
    ///
    /// Peers share half of this, so that one that floods leaves room for the others. The rest is for reliable packets that
    /// are still taken from who has to wait, up to 26 KB in a second: ENet's connections, those of Godot 3, too, end when
    /// nothing is taken for long. When all is full nothing is taken any more. What [member server_relay] passes on does not
    /// wait, and does not count. Can be changed at any time.
    #[export]
    #[var(get = get_max_buffered_bytes, set = set_max_buffered_bytes)]
    max_buffered_bytes: PhantomVar<i64>,
    /// Server: how many bytes each client may send in a second, up to 4294967295, or 0, the default, for any number. What is
    /// compressed counts as it is before that. It is a limit of the average over ten seconds: more may come at once when
    /// nothing has come before. A client that exceeds it is disconnected, and the server's log has a warning for the first
    /// one. Can be changed at any time.
    #[export]
    #[var(get = get_max_bytes_per_second, set = set_max_bytes_per_second)]
    max_bytes_per_second: PhantomVar<i64>,
    /// Server: how many clients of one IP address may be connected at once, from 0 to 4095; 0, the default, is no limit.
    /// An IPv6 address stands for the 64 bits in front of it. Further ones are told that they are refused. A school, a
    /// LAN party or a mobile network can be behind one address. Can be changed at any time; who is in stays.
    ///
    /// ```gdscript
    /// peer.max_connections_per_address = 8
    /// peer.create_server(4242, 64)
    /// ```
    #[export]
    #[var(get = get_max_connections_per_address, set = set_max_connections_per_address, hint = RANGE,
          hint_string = "0,4095")]
    max_connections_per_address: PhantomVar<i64>,
    /// The largest packet that peers may send to this side, in bytes, from 1 to 16777216, the default. Who sends a larger one
    /// is disconnected as soon as the beginning of it comes, and the log has a warning for the first one. On a server that
    /// counts for what [member server_relay] passes on, too. What this side sends has no other limit than before. Can be
    /// changed at any time.
    #[export]
    #[var(get = get_max_packet_size, set = set_max_packet_size)]
    max_packet_size: PhantomVar<i64>,
    /// Server: how many packets each client may send in a second, up to 4294967295, or 0, the default, for any number. What
    /// ENet repeats counts again. It is a limit of the average over ten seconds, as [member max_bytes_per_second] is.
    ///
    /// ```gdscript
    /// peer.max_packets_per_second = 300  # for clients that send two or three in each frame
    /// peer.max_bytes_per_second = 50000
    /// ```
    #[export]
    #[var(get = get_max_packets_per_second, set = set_max_packets_per_second)]
    max_packets_per_second: PhantomVar<i64>,
    /// With [member threaded]: after how many milliseconds without [method MultiplayerPeer.poll] the network thread stops, too,
    /// up to 4294967295; 0 is no limit. The default are two minutes, which is more than any level takes to load. Without a
    /// limit, players of a game that hangs for good would never find out. Peers then time out as they do without a
    /// thread; what polls again in time goes on. It has no effect in a game that runs under a debugger, as from the editor:
    /// at a breakpoint nobody leaves. Can be changed at any time.
    #[export]
    #[var(get = get_max_stall_msec, set = set_max_stall_msec)]
    max_stall_msec: PhantomVar<i64>,
    /// The longest datagram of a connection, from 576 to 1392 bytes, without the 28 bytes that IP and UDP add with IPv4
    /// (48 with IPv6). What is longer travels in parts. The smaller number of the two sides counts: what a server sets
    /// holds for all of its clients, those of Godot 3, too.
    ///
    /// The default suits nearly every path. With IPv4, routers cut datagrams for a link that is too small for them. Set
    /// a smaller number for a path with such a link and a router or firewall that drops the pieces: there short packets
    /// arrive, long ones do not, and the connection ends with [constant CONNECTION_ERROR_MTU], on a server with a
    /// warning. 1232 fits through every IPv6 link, and most tunnels. No connection can do with less than 576.
    ///
    /// The 4 bytes of a tag ([member require_datagram_tags]) are counted, or with [member use_dtls] the 37 of the
    /// encryption; a number below 580, or 613, is exceeded by them. Another number, or any while a connection is open, prints an error and changes nothing.
    ///
    /// ```gdscript
    /// peer.mtu = 1232
    /// peer.create_server(4242)
    /// ```
    #[export]
    #[var(get = get_mtu, set = set_mtu)]
    mtu: PhantomVar<i64>,
    /// Server: what it says to who asks with an [ENetServerBrowser], without a connection. Empty, the default, for no answer.
    /// The answer also has how many clients there are and may be. The key [code]name[/code] is for a name that players see; all
    /// others are the game's.
    ///
    /// Values and keys are null, bool, int, float, String, Array or Dictionary (a StringName arrives as a String), up to 1024
    /// bytes in all. Anything else prints an error and changes nothing. Anybody can ask, so say nothing that is secret. To
    /// change it, at any time, assign a dictionary anew; what is read here is a copy.
    ///
    /// ```gdscript
    /// peer.query_info = {"name": "Ada's arena", "map": "castle", "version": 3}
    /// peer.create_server(4242, 16)
    /// ```
    #[export]
    #[var(get = get_query_info, set = set_query_info)]
    query_info: PhantomVar<VarDictionary>,
    /// Shows figures of the connection among the monitors of [Performance], which the editor draws in its debugger: as
    /// [code]ENet/peers[/code], [code]ENet/round_trip_msec[/code], [code]ENet/loss_out_percent[/code],
    /// [code]ENet/loss_in_percent[/code] (means over all peers), [code]ENet/wire_bytes_sent_per_second[/code],
    /// [code]ENet/wire_bytes_received_per_second[/code] (with the headers of IP and UDP),
    /// [code]ENet/resends_per_second[/code] and [code]ENet/dropped_datagrams_per_second[/code]. A second connection in the
    /// same game has them below [code]ENet 2[/code]. They are measured when they are asked for, twice a second at most, and
    /// go when the connection is closed. Can be changed at any time.
    ///
    /// ```gdscript
    /// peer.performance_monitors = true
    /// peer.create_server(4242)
    /// await get_tree().create_timer(1.0).timeout
    /// print(Performance.get_custom_monitor("ENet/peers"))
    /// ```
    #[export]
    #[var(get = has_performance_monitors, set = set_performance_monitors)]
    performance_monitors: PhantomVar<bool>,
    /// Server without [member use_dtls]: when a client has to show that it really is where its request to connect
    /// says, as one of the [code]ADDRESS_PROOF_*[/code] constants. Anybody can write requests with invented
    /// addresses, and fill a server with players that do not exist. Clients answer by themselves, those of Godot 3,
    /// too. With DTLS, every client proves its address anyway. Can be changed at any time.
    ///
    /// ```gdscript
    /// peer.require_address_proof = NetworkedMultiplayerENet.ADDRESS_PROOF_ALWAYS
    /// peer.create_server(4242)
    /// ```
    #[export]
    #[var(get = get_require_address_proof, set = set_require_address_proof, hint = ENUM,
          hint_string = "Auto,Always,Never")]
    require_address_proof: PhantomVar<i64>,
    /// Whether peers have to tag their datagrams. A tag is four bytes that only who has seen the beginning of the
    /// connection can make, so that strangers cannot disconnect players or send data in their name. This class tags
    /// them by itself where the other side has this class, too; Godot 3.6 does not. When this is set, peers that do not
    /// tag are disconnected after 5 seconds; a client's reason is then [constant CONNECTION_ERROR_UNTAGGED]. With
    /// [member use_dtls] it makes no difference: everything is authenticated there. Cannot be changed while a connection
    /// is open.
    #[export]
    #[var(get = is_requiring_datagram_tags, set = set_require_datagram_tags)]
    require_datagram_tags: PhantomVar<bool>,
    /// Server: whether it tells its clients of each other, and forwards what they send to each other. When off, a
    /// client knows the server only, and reaches nobody else: [method PacketPeer.put_packet] returns
    /// [constant @GlobalScope.ERR_INVALID_PARAMETER] for another client's id. What a client sets makes no
    /// difference. Cannot be changed while a connection is open.
    #[export]
    #[var(get = is_server_relay_enabled, set = set_server_relay_enabled)]
    server_relay: PhantomVar<bool>,
    /// Whether the connection has a thread of its own for the network. It acknowledges, repeats, forwards and receives while
    /// the game loads a level or stands at a breakpoint, so that nobody loses the connection; and a frame pays for less of it. The game
    /// notices nothing else: signals come from [method MultiplayerPeer.poll], and calls answer as without. Cannot be changed
    /// while a connection is open.
    ///
    /// When the game does not poll, packets wait for it, up to [member max_buffered_bytes]. See also [member max_stall_msec],
    /// and [code]docs/network_thread.md[/code] in the addon for what a thread costs.
    ///
    /// ```gdscript
    /// peer.threaded = true
    /// peer.create_server(4242)
    /// ```
    #[export]
    #[var(get = is_threaded, set = set_threaded)]
    threaded: PhantomVar<bool>,
    /// The channel for the packets that this side sends: from 1 to [member channel_count] - 1, or -1 for the
    /// default channel of each transfer mode, which is 1 for reliable packets and 2 for the others. 0 is reserved:
    /// it and numbers outside this range print an error and change nothing.
    ///
    /// RPCs whose [code]@rpc[/code] names a channel use that one, and the others use this.
    ///
    /// ```gdscript
    /// peer.channel_count = 5  # before create_server and create_client, on both sides
    /// peer.transfer_channel = 4  # for what is sent from now on
    /// ```
    #[export]
    #[var(get = get_transfer_channel, set = set_transfer_channel)]
    transfer_channel: PhantomVar<i64>,
    /// Encrypts everything with DTLS 1.2. The server and all of its clients need the same setting. Costs CPU time, and
    /// up to 37 bytes for each datagram. Cannot be changed while a connection is open.
    ///
    /// A server needs a private key ([method set_dtls_key]) and the certificate made for it
    /// ([method set_dtls_certificate]). A client checks that certificate: see [method set_dtls_certificate],
    /// [member dtls_hostname] and [member dtls_verify]. [method get_connection_error] tells what was wrong.
    ///
    /// Make both once, with [Crypto]. Keep the key secret, on the server; the certificate goes to the clients.
    ///
    /// ```gdscript
    /// var crypto = Crypto.new()
    /// var key = crypto.generate_rsa(2048)
    /// var certificate = crypto.generate_self_signed_certificate(
    ///         key, "CN=game.example.com,O=My Studio,C=DE", "20260101000000", "20360101000000")
    /// key.save("user://server.key")
    /// certificate.save("user://server.crt")
    /// ```
    ///
    /// The server:
    ///
    /// ```gdscript
    /// var peer = NetworkedMultiplayerENet.new()
    /// peer.use_dtls = true
    /// peer.set_dtls_key(load("user://server.key"))
    /// peer.set_dtls_certificate(load("user://server.crt"))
    /// peer.create_server(4242)
    /// ```
    ///
    /// A client:
    ///
    /// ```gdscript
    /// var peer = NetworkedMultiplayerENet.new()
    /// peer.use_dtls = true
    /// peer.set_dtls_certificate(load("res://server.crt"))
    /// peer.create_client("game.example.com", 4242)
    /// ```
    ///
    /// See [code]docs/dtls.md[/code] in the addon, also for certificates of an authority.
    #[export]
    #[var(get = is_dtls_enabled, set = set_dtls_enabled)]
    use_dtls: PhantomVar<bool>,

    pub(crate) shared: Arc<Shared>,
    base: Base<MultiplayerPeerExtension>,
}

#[godot_api]
impl NetworkedMultiplayerENet {
    /// Client: the connection to the server stands, and packets can be sent. Comes right behind
    /// [signal MultiplayerPeer.peer_connected] with the server's id 1.
    #[signal]
    pub(crate) fn connection_succeeded();

    /// The open server or client is closed, in whatever way: by [method close_connection], or because a client's attempt has failed
    /// or its connection has ended. Comes once for each [method create_server] and [method create_client] that has returned
    /// [constant @GlobalScope.OK], behind all other signals; only not when the object itself is freed. A handler may open the next
    /// connection.
    #[signal]
    pub(crate) fn closed();

    /// Client: the attempt that [method create_client] began has failed. [method get_connection_error] tells why.
    /// When nobody answers, this comes after about half a minute. The peer is closed by then, so a handler may call
    /// [method create_client] again.
    #[signal]
    pub(crate) fn connection_failed();

    /// Client: the connection to the server is over. The server has closed it or has disconnected this client, or
    /// it does not answer any more; [method get_connection_error] tells which. Comes behind
    /// [signal MultiplayerPeer.peer_disconnected], which comes once for every peer. The peer is closed by then, so
    /// a handler may call [method create_client] again. Does not come for a client's own [method close_connection].
    #[signal]
    pub(crate) fn server_disconnected();

    #[func(gd_self)]
    fn set_admission_callback(this: impl Object, value: Callable) {
        this.shared().set_admission_callback(value);
    }

    #[func]
    fn get_admission_callback(&self) -> Callable {
        self.shared.admission_callback()
    }

    #[func(gd_self)]
    fn set_always_ordered(this: impl Object, value: bool) {
        this.shared().lock().settings.always_ordered = value;
    }

    #[func]
    fn is_always_ordered(&self) -> bool {
        self.shared.lock().settings.always_ordered
    }

    #[func(gd_self)]
    fn set_channel_count(this: impl Object, value: i64) {
        let count = u8::try_from(value).ok().filter(|count| *count >= MIN_CHANNELS);
        let is_possible = this.shared().change("set_channel_count", |settings| {
            settings.channel_count = count.unwrap_or(settings.channel_count);
            count.is_some()
        });
        if is_possible == Some(false) {
            error::complain(
                "set_channel_count",
                format!("{value} channels are not possible; use a number from 3 to 255"),
            );
        }
    }

    #[func]
    fn get_channel_count(&self) -> i64 {
        self.shared.lock().settings.channel_count.into()
    }

    #[func(gd_self)]
    fn set_compression_mode(this: impl Object, value: i64) {
        match CompressionMode::from_number(value) {
            Some(mode) => this.shared().lock().settings.compression_mode = mode,
            None => error::complain(
                "set_compression_mode",
                format!("{value} is no compression mode; use one of the constants COMPRESS_*"),
            ),
        }
    }

    #[func]
    fn get_compression_mode(&self) -> i64 {
        self.shared.lock().settings.compression_mode.number()
    }

    #[func(gd_self)]
    fn set_connect_timeout_msec(this: impl Object, value: i64) {
        this.shared().set_connect_timeout(value);
    }

    #[func]
    fn get_connect_timeout_msec(&self) -> i64 {
        let timeout = self.shared.lock().settings.connect_timeout;
        timeout.map_or(0, |timeout| timeout.as_millis() as i64)
    }

    #[func(gd_self)]
    fn set_connection_rate_limit(this: impl Object, value: i64) {
        this.shared().set_connection_rate_limit(value);
    }

    #[func]
    fn get_connection_rate_limit(&self) -> i64 {
        self.shared.lock().settings.connection_rate_limit.per_second().into()
    }

    #[func(gd_self)]
    fn set_dtls_hostname(this: impl Object, value: GString) {
        this.shared().change("set_dtls_hostname", |settings| settings.dtls_hostname = value.to_string());
    }

    #[func]
    fn get_dtls_hostname(&self) -> GString {
        GString::from(&self.shared.lock().settings.dtls_hostname)
    }

    #[func(gd_self)]
    fn set_dtls_verify_enabled(this: impl Object, value: bool) {
        this.shared().change("set_dtls_verify_enabled", |settings| settings.dtls_verify = value);
    }

    #[func]
    fn is_dtls_verify_enabled(&self) -> bool {
        self.shared.lock().settings.dtls_verify
    }

    #[func(gd_self)]
    fn set_flush_mode(this: impl Object, value: i64) {
        let Some(mode) = constants::flush_mode(value) else {
            let problem = format!("{value} is no flush mode; use one of the constants FLUSH_*");
            return error::complain("set_flush_mode", problem);
        };
        let shared = this.shared();
        let mut state = shared.lock();
        state.settings.flush_mode = mode;
        if let Some(connection) = &mut state.connection {
            connection.set_flush_mode(mode);
        }
    }

    #[func]
    fn get_flush_mode(&self) -> i64 {
        constants::flush_mode_number(self.shared.lock().settings.flush_mode)
    }

    /// Returns [member host].
    #[func]
    fn get_host(&self) -> Option<Gd<NetworkedMultiplayerENetHost>> {
        drop_in::host_of(self)
    }

    #[func(gd_self)]
    fn set_max_buffered_bytes(this: impl Object, value: i64) {
        this.shared().change_peer_limit("set_max_buffered_bytes", |settings| {
            MaxBuffered::new(value).map(|limit| settings.max_buffered = limit)
        });
    }

    #[func]
    fn get_max_buffered_bytes(&self) -> i64 {
        self.shared.lock().settings.max_buffered.get().into()
    }

    #[func(gd_self)]
    fn set_max_bytes_per_second(this: impl Object, value: i64) {
        this.shared().change_peer_limit("set_max_bytes_per_second", |settings| {
            MaxRate::new("max_bytes_per_second", value).map(|limit| settings.max_byte_rate = limit)
        });
    }

    #[func]
    fn get_max_bytes_per_second(&self) -> i64 {
        self.shared.lock().settings.max_byte_rate.get().into()
    }

    #[func(gd_self)]
    fn set_max_packet_size(this: impl Object, value: i64) {
        this.shared().change_peer_limit("set_max_packet_size", |settings| {
            MaxReceived::new(value).map(|limit| settings.max_received = limit)
        });
    }

    #[func]
    fn get_max_packet_size(&self) -> i64 {
        self.shared.lock().settings.max_received.get().into()
    }

    #[func(gd_self)]
    fn set_max_packets_per_second(this: impl Object, value: i64) {
        this.shared().change_peer_limit("set_max_packets_per_second", |settings| {
            MaxRate::new("max_packets_per_second", value).map(|limit| settings.max_packet_rate = limit)
        });
    }

    #[func]
    fn get_max_packets_per_second(&self) -> i64 {
        self.shared.lock().settings.max_packet_rate.get().into()
    }

    #[func(gd_self)]
    fn set_max_stall_msec(this: impl Object, value: i64) {
        this.shared().set_max_stall(value);
    }

    #[func]
    fn get_max_stall_msec(&self) -> i64 {
        self.shared.lock().settings.max_stall.number()
    }

    #[func(gd_self)]
    fn set_threaded(this: impl Object, value: bool) {
        this.shared().change("set_threaded", |settings| settings.threaded = value);
    }

    #[func]
    fn is_threaded(&self) -> bool {
        self.shared.lock().settings.threaded
    }

    #[func(gd_self)]
    fn set_max_connections_per_address(this: impl Object, value: i64) {
        this.shared().set_max_connections_per_address(value);
    }

    #[func]
    fn get_max_connections_per_address(&self) -> i64 {
        self.shared.lock().settings.max_connections_per_address.into()
    }

    #[func(gd_self)]
    fn set_mtu(this: impl Object, value: i64) {
        let mtu = Mtu::new(value);
        let refused = this.shared().change("set_mtu", |settings| match mtu {
            Ok(mtu) => {
                settings.mtu = mtu;
                None
            }
            Err(problem) => Some(problem),
        });
        if let Some(problem) = refused.flatten() {
            error::complain("set_mtu", problem);
        }
    }

    #[func]
    fn get_mtu(&self) -> i64 {
        self.shared.lock().settings.mtu.get().into()
    }

    #[func(gd_self)]
    fn set_query_info(this: impl Object, value: VarDictionary) {
        this.shared().set_query_info(&value);
    }

    #[func]
    fn get_query_info(&self) -> VarDictionary {
        self.shared.query_info()
    }

    #[func(gd_self)]
    fn set_performance_monitors(this: impl Object, value: bool) {
        this.shared().set_performance_monitors(value);
    }

    #[func]
    fn has_performance_monitors(&self) -> bool {
        self.shared.lock().settings.performance_monitors
    }

    #[func(gd_self)]
    fn set_require_address_proof(this: impl Object, value: i64) {
        this.shared().set_address_proof(value);
    }

    #[func]
    fn get_require_address_proof(&self) -> i64 {
        constants::address_proof_number(self.shared.lock().settings.address_proof)
    }

    #[func(gd_self)]
    fn set_require_datagram_tags(this: impl Object, value: bool) {
        this.shared().change("set_require_datagram_tags", |settings| settings.require_tags = value);
    }

    #[func]
    fn is_requiring_datagram_tags(&self) -> bool {
        self.shared.lock().settings.require_tags
    }

    #[func(gd_self)]
    fn set_server_relay_enabled(this: impl Object, value: bool) {
        this.shared().change("set_server_relay_enabled", |settings| settings.server_relay = value);
    }

    #[func]
    fn is_server_relay_enabled(&self) -> bool {
        self.shared.lock().settings.server_relay
    }

    #[func(gd_self)]
    fn set_transfer_channel(this: impl Object, value: i64) {
        let shared = this.shared();
        let mut state = shared.lock();
        match TransferChannel::new(value, state.settings.channel_count) {
            Ok(channel) => {
                state.settings.transfer_channel = channel;
                state.rpc_channel = 0;
            }
            Err(problem) => {
                drop(state);
                error::complain("set_transfer_channel", problem);
            }
        }
    }

    #[func]
    fn get_transfer_channel(&self) -> i64 {
        self.shared.lock().settings.transfer_channel.number()
    }

    #[func(gd_self)]
    fn set_dtls_enabled(this: impl Object, value: bool) {
        this.shared().change("set_dtls_enabled", |settings| settings.use_dtls = value);
    }

    #[func]
    fn is_dtls_enabled(&self) -> bool {
        self.shared.lock().settings.use_dtls
    }
}

impl Drop for NetworkedMultiplayerENet {
    fn drop(&mut self) {
        // gdext catches no panic here, and one would end the game.
        let shared = AssertUnwindSafe(&self.shared);
        let _ = std::panic::catch_unwind(move || shared.end(DEFAULT_WAIT));
        dispatch::forget();
    }
}
