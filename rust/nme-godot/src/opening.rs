//! Methods that open and close a connection, and that choose what the next one is opened with.

use std::time::Duration;

use godot::classes::{CryptoKey, X509Certificate};
use godot::global::Error;
use godot::prelude::*;
use nme_driver::Bind;

use crate::class::NetworkedMultiplayerENet;
use crate::error;
use crate::ffi::Credential;
use crate::open::OpenArguments;
use crate::output::Quoted;
use crate::shared::{Object, Shared};

#[godot_api(secondary)]
impl NetworkedMultiplayerENet {
    /// Opens a server on UDP port [param port], from 0 to 65535. 0 takes any free port, which
    /// [method get_local_port] tells. Ports below 1024 need rights that programs often do not have.
    ///
    /// [param max_clients] is how many clients may be connected at once, from 1 to 4095. Further ones are told that
    /// the server is full ([constant CONNECTION_ERROR_REFUSED]), as soon as all who are connected have been heard from.
    /// While one of them does not answer, newcomers wait: it may be one of them that was started again.
    ///
    /// [param in_bandwidth] and [param out_bandwidth] are what this side can receive and send, in bytes per second,
    /// up to 4294967295; 0 is no limit. To keep to them ENet drops unreliable packets, and lets fewer reliable ones
    /// be on their way at once. More than [param in_bandwidth] can still come.
    ///
    /// The server listens on all addresses of the machine, IPv4 and IPv6, unless [method set_bind_ip] has chosen
    /// one.
    ///
    /// Returns [constant @GlobalScope.OK], or prints an error and returns
    ///
    /// - [constant @GlobalScope.ERR_ALREADY_IN_USE] while a connection is open;
    /// - [constant @GlobalScope.ERR_INVALID_PARAMETER] for a number out of its range, for an address of
    ///   [method set_bind_ip] that this machine does not have, and with [member use_dtls] without a key and the
    ///   certificate made for it;
    /// - [constant @GlobalScope.ERR_CANT_CREATE] when there is no socket to be had, as a rule because the port is
    ///   taken;
    /// - [constant @GlobalScope.ERR_UNAVAILABLE] for [member use_dtls] in a library that was built without DTLS.
    ///
    /// ```gdscript
    /// var peer = NetworkedMultiplayerENet.new()
    /// var error = peer.create_server(4242, 16)
    /// if error == OK:
    ///       multiplayer.multiplayer_peer = peer
    /// else:
    ///       print("No server: ", error_string(error))
    /// ```
    #[func(gd_self)]
    fn create_server(
        this: impl Object,
        port: i64,
        #[opt(default = 32)] max_clients: i64,
        #[opt(default = 0)] in_bandwidth: i64,
        #[opt(default = 0)] out_bandwidth: i64,
    ) -> Error {
        match this.shared().open(OpenArguments::server(port, max_clients, in_bandwidth, out_bandwidth)) {
            Ok(()) => {
                this.shared().announce_beginning("create_server");
                Error::OK
            }
            Err(problem) => error::report("create_server", &problem),
        }
    }

    /// Begins to connect to a server. [param address] is its IPv4 or IPv6 address, or its host name; [param port]
    /// is its UDP port, from 1 to 65535 (0 is no error, but nobody answers there). The outcome comes later, from
    /// [method MultiplayerPeer.poll]: [signal connection_succeeded] or [signal connection_failed].
    ///
    /// A host name is looked up in the background, and this call does not wait for that. A name that turns out to
    /// have no address is a failed connection: [signal connection_failed], with
    /// [constant CONNECTION_ERROR_NOT_RESOLVED].
    ///
    /// [param in_bandwidth] and [param out_bandwidth] are what this side can receive and send, in bytes per second,
    /// up to 4294967295; 0 is no limit. [param client_port] is the local UDP port, which some ways through a NAT
    /// need; 0 takes any free port.
    ///
    /// Returns [constant @GlobalScope.OK] when the attempt has begun, or prints an error and returns
    ///
    /// - [constant @GlobalScope.ERR_ALREADY_IN_USE] while a connection or an attempt is open;
    /// - [constant @GlobalScope.ERR_INVALID_PARAMETER] for a number out of its range, and with [member use_dtls]
    ///   for a certificate that cannot be read and a server's name of more than 255 bytes;
    /// - [constant @GlobalScope.ERR_CANT_RESOLVE] for what can be no host name, and for an IP address of another
    ///   family than that of [method set_bind_ip];
    /// - [constant @GlobalScope.ERR_CANT_CREATE] when there is no socket to be had, as a rule because
    ///   [param client_port] is taken or this machine does not have the address of [method set_bind_ip];
    /// - [constant @GlobalScope.ERR_UNAVAILABLE] for [member use_dtls] in a library that was built without DTLS.
    ///
    /// ```gdscript
    /// var peer = NetworkedMultiplayerENet.new()
    /// if peer.create_client("127.0.0.1", 4242) == OK:
    ///       multiplayer.multiplayer_peer = peer
    ///       multiplayer.connection_failed.connect(func(): print("Nobody answers."))
    /// ```
    #[func(gd_self)]
    fn create_client(
        this: impl Object,
        address: GString,
        port: i64,
        #[opt(default = 0)] in_bandwidth: i64,
        #[opt(default = 0)] out_bandwidth: i64,
        #[opt(default = 0)] client_port: i64,
    ) -> Error {
        let shared = this.shared();
        let arguments =
            OpenArguments::client(address.to_string(), port, in_bandwidth, out_bandwidth, client_port);
        match shared.open(arguments) {
            Ok(()) => {
                // With the rest of the frame it is asked for, unless a poll comes before.
                shared.schedule_flush();
                shared.announce_beginning("create_client");
                Error::OK
            }
            Err(problem) => error::report("create_client", &problem),
        }
    }

    /// Closes the server, or leaves it. Every connected peer is told, and gets what has been put for it and was not
    /// held up by a lost packet, up to 64 KiB of reliable packets. On this side there is no other signal than [signal closed].
    /// Does nothing when no connection is open.
    ///
    /// The system takes what is to be sent at once, as a rule. Only while its send queue is full does this call wait:
    /// for up to [param wait_usec] microseconds, and never longer than a second.
    ///
    /// Reliable packets are not sent again after this. A server that wants its clients to get everything calls
    /// [method disconnect_peer] for each of them, waits until they have left, and then closes.
    #[func(gd_self)]
    fn close_connection(this: Gd<Self>, #[opt(default = 100)] wait_usec: i64) {
        let wait = Duration::from_micros(u64::try_from(wait_usec).unwrap_or_default());
        this.shared().shut(wait, || this);
    }

    /// Chooses the local address for the next [method create_server] or [method create_client]. [param ip] is an
    /// IPv4 or IPv6 address of this machine, or [code]*[/code], the default, for all of them. What is no IP address
    /// prints an error and changes nothing; whether the machine has the address shows when the server or client is
    /// created.
    ///
    /// ```gdscript
    /// peer.set_bind_ip("127.0.0.1")  # only programs on this machine can connect
    /// peer.create_server(4242)
    /// ```
    #[func(gd_self)]
    fn set_bind_ip(this: impl Object, ip: GString) {
        let text = ip.to_string();
        let bind = match text.parse() {
            _ if text == "*" => Bind::Any,
            Ok(address) => Bind::Address(address),
            Err(_) => {
                return error::complain(
                    "set_bind_ip",
                    format!(
                        "{} is not an IP address; use one such as \"192.168.1.1\" or \"::1\", or \"*\" for all",
                        Quoted(&text)
                    ),
                );
            }
        };
        this.shared().lock().settings.bind = bind;
    }

    /// Sets the [param certificate] for [member use_dtls]. Cannot be changed while a connection is open.
    ///
    /// - Server: its own certificate. Those that lead to an authority may follow in the same file.
    /// - Client: the certificate to trust, the server's own or the one that has signed it. Without this call (or
    ///   with [code]null[/code]) the operating system decides whom to trust, as for web sites.
    #[func(gd_self)]
    fn set_dtls_certificate(this: impl Object, certificate: Option<Gd<X509Certificate>>) {
        let certificate = certificate.map(Credential::new);
        this.shared().change("set_dtls_certificate", |settings| {
            std::mem::replace(&mut settings.dtls_certificate, certificate)
        });
    }

    /// Sets the private [param key] of a server's certificate, for [member use_dtls]: RSA of 2048 to 4096 bits, or
    /// ECDSA on the curve P-256. Clients need none. Cannot be changed while a connection is open.
    #[func(gd_self)]
    fn set_dtls_key(this: impl Object, key: Option<Gd<CryptoKey>>) {
        let key = key.map(Credential::new);
        this.shared().change("set_dtls_key", |settings| std::mem::replace(&mut settings.dtls_key, key));
    }
}

impl Shared {
    pub(crate) fn set_connect_timeout(&self, value: i64) {
        match u32::try_from(value) {
            Ok(millis) => {
                let timeout = (millis > 0).then(|| Duration::from_millis(millis.into()));
                self.lock().settings.connect_timeout = timeout;
            }
            Err(_) => error::complain(
                "set_connect_timeout_msec",
                format!("{value} ms are not possible; use a number up to 4294967295, or 0 for ENet's own"),
            ),
        }
    }
}
