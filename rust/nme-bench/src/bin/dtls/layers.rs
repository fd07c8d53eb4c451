//! Layers that talk to each other without sessions.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use nme_core::secure::{SecureLayer, SecureOutput, Verdict};
use nme_dtls::{ClientOptions, ServerLimits, Trust, Verifier};

use crate::keys::Credentials;

/// Where servers are.
pub(crate) const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 7000);

/// The address of the client with this number, each on a host of its own.
pub(crate) fn client_address(number: u32) -> SocketAddr {
    SocketAddr::from((((10 << 24) | number).to_be_bytes(), 50_000))
}

/// DTLS for a server with many places.
pub(crate) fn server_layer(credentials: &Credentials) -> Box<dyn SecureLayer> {
    let layer = nme_dtls::server(&credentials.identity(), ServerLimits::for_clients(1000));
    Box::new(layer.expect("random numbers"))
}

/// DTLS for a client that trusts this server's certificate.
pub(crate) fn client_layer(credentials: &Credentials) -> Box<dyn SecureLayer> {
    let trust = Trust::Certificate(credentials.certificate.to_owned());
    let verifier = Verifier::new(trust).expect("a certificate");
    let options =
        ClientOptions { verifier, host_name: "localhost".to_owned(), unix_time: UNIX_TIME, mtu: 1392 };
    Box::new(nme_dtls::client(options).expect("random numbers"))
}

/// A layer with its output and its address.
pub(crate) struct Party {
    pub(crate) layer: Box<dyn SecureLayer>,
    pub(crate) out: SecureOutput,
    pub(crate) address: SocketAddr,
}

impl Party {
    pub(crate) fn server(credentials: &Credentials) -> Self {
        Self::new(server_layer(credentials), SERVER)
    }

    pub(crate) fn client(credentials: &Credentials, number: u32) -> Self {
        Self::new(client_layer(credentials), client_address(number))
    }

    fn new(layer: Box<dyn SecureLayer>, address: SocketAddr) -> Self {
        Self { layer, out: SecureOutput::default(), address }
    }

    /// Takes everything that `sender` has for the wire.
    pub(crate) fn receive_from(&mut self, sender: &mut Self) {
        for (_, datagram) in sender.out.wire.iter() {
            self.layer.receive(NOW, sender.address, datagram, &mut || Verdict::Accept, &mut self.out);
        }
        sender.out.wire.clear();
    }

    /// Protects a datagram for `receiver`.
    pub(crate) fn send(&mut self, receiver: SocketAddr, datagram: &[u8]) {
        self.layer.send(NOW, receiver, datagram, &mut self.out);
    }

    /// Begins a client's handshake.
    pub(crate) fn connect(&mut self) {
        self.layer.connect(NOW, SERVER, &mut self.out);
    }

    /// Forgets the datagrams for the engine, and the events. Answers how many datagrams there were.
    pub(crate) fn clear(&mut self) -> usize {
        let count = self.out.plain.len();
        self.out.plain.clear();
        self.out.events.clear();
        count
    }
}

/// Completes the handshake of a client that has not begun. Each visit to the server goes through `visit`.
///
/// # Panics
/// When it fails.
pub(crate) fn shake_hands(
    server: &mut Party,
    client: &mut Party,
    mut visit: impl FnMut(&mut Party, &mut Party),
) {
    let before = server.layer.counters().completed;
    client.connect();
    while !client.out.wire.is_empty() {
        visit(server, client);
        client.receive_from(server);
    }
    assert_eq!(client.layer.counters().established, 1, "the client has no association");
    assert_eq!(server.layer.counters().completed, before + 1, "the server has completed no handshake");
    server.clear();
    client.clear();
}

/// A server and a client that are connected.
pub(crate) fn connected(credentials: &Credentials) -> (Party, Party) {
    let (mut server, mut client) = (Party::server(credentials), Party::client(credentials, 0));
    shake_hands(&mut server, &mut client, Party::receive_from);
    (server, client)
}

/// Time stands still: nothing here is ever late.
pub(crate) const NOW: Duration = Duration::from_secs(1);

/// A moment at which the certificates are valid, as time since 1970: the year 2025.
const UNIX_TIME: Duration = Duration::from_secs(1_750_000_000);
