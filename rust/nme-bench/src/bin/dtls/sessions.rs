//! The whole path of a packet, ENet and DTLS, beside that without DTLS.

use std::net::SocketAddr;
use std::time::Duration;

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::codec::Compression;
use nme_core::peer::PeerId;
use nme_core::relay::Target;
use nme_core::secure::SecureLayer;
use nme_core::session::{Config, MaxClients, SendOptions, Session, Status};
use nme_driver::Driver;
use nme_testing::memory::{MemorySocket, VirtualClock};

use crate::keys::RSA_2048;
use crate::layers::{SERVER, client_address, client_layer, server_layer};
use crate::timing::{Best, per_second, repeat};

/// Prints the table.
pub(crate) fn print() {
    println!("## Packets\n");
    println!(
        "From the sender's `send` to the receiver's `fetch`, both sides together, with the acknowledgements. {BYTES} \
         bytes a packet, {COUNT} packets a poll, no compression. Packets/s: through both sides on one core.\n"
    );
    println!("| way | packets | plain, µs | DTLS, µs | more, µs | plain, packets/s | DTLS, packets/s |");
    println!("|---|---|---|---|---|---|---|");
    let mut plain = Sessions::connect(None, None);
    let mut secure = Sessions::connect(Some(server_layer(&RSA_2048)), Some(client_layer(&RSA_2048)));
    for (way, to_server) in [("client to server", true), ("server to client", false)] {
        for (packets, mode) in
            [("unreliable", TransferMode::Unreliable), ("reliable", TransferMode::Reliable)]
        {
            let (mut without, mut with) = (Best::new(), Best::new());
            repeat(|| {
                without.time(|| plain.round(to_server, mode));
                with.time(|| secure.round(to_server, mode));
            });
            let (without, with) = (without.micros(COUNT), with.micros(COUNT));
            println!(
                "| {way} | {packets} | {without:.2} | {with:.2} | {:.2} | {} | {} |",
                with - without,
                per_second(without),
                per_second(with)
            );
        }
    }
    println!();
}

/// Without compression: the default would take longer than everything else.
fn config(seed: u64) -> Config {
    Config::new(seed).compression(Compression::None)
}

/// A session without a system.
pub(crate) type MemoryDriver = Driver<MemorySocket, VirtualClock>;

/// A server with this layer.
pub(crate) fn server(layer: Option<Box<dyn SecureLayer>>) -> MemoryDriver {
    let clients = MaxClients::new(32).expect("a number of clients");
    drive(Session::server(&config(1), clients, layer))
}

fn drive(session: Session) -> MemoryDriver {
    Driver::new(session, MemorySocket::default(), VirtualClock(Duration::from_secs(1)))
}

/// A server and a client that is connected.
struct Sessions {
    server: Host,
    client: Host,
    now: Duration,
}

struct Host {
    driver: MemoryDriver,
    address: SocketAddr,
}

impl Sessions {
    fn connect(
        server_layer: Option<Box<dyn SecureLayer>>,
        client_layer: Option<Box<dyn SecureLayer>>,
    ) -> Self {
        let client = Session::client(&config(2 << 32), client_layer);
        let mut sessions = Self {
            server: Host { driver: server(server_layer), address: SERVER },
            client: Host { driver: drive(client), address: client_address(0) },
            now: Duration::from_secs(1),
        };
        sessions.client.driver.connect(SERVER);
        for _ in 0..CONNECT_ROUNDS {
            sessions.now += FRAME;
            sessions.client.flush(sessions.now);
            sessions.server.receive_from(&mut sessions.client, sessions.now);
            sessions.server.flush(sessions.now);
            sessions.client.receive_from(&mut sessions.server, sessions.now);
        }
        let id = sessions.client.driver.session().id();
        assert_eq!(
            sessions.client.driver.session().status(),
            Status::Connected,
            "the client is not connected"
        );
        assert!(
            sessions.server.driver.session().peer_address(id.get().into()).is_ok(),
            "the server has no client"
        );
        sessions
    }

    /// Packets from one side to the other, and what is answered.
    fn round(&mut self, to_server: bool, mode: TransferMode) {
        let client = self.client.driver.session().id();
        let (sender, receiver, target) = if to_server {
            (&mut self.client, &mut self.server, PeerId::SERVER)
        } else {
            (&mut self.server, &mut self.client, client)
        };
        let target = Target::One(target);
        let options = SendOptions { target, mode, channel: TransferChannel::ByMode, always_ordered: false };
        self.now += FRAME;
        for _ in 0..COUNT {
            sender.driver.session_mut().send(options, &[0x5a; BYTES]).expect("a connection");
        }
        sender.flush(self.now);
        let bytes = receiver.driver.session().counters().bytes_received;
        assert_eq!(receiver.receive_from(sender, self.now), COUNT, "packets were lost");
        let bytes = receiver.driver.session().counters().bytes_received - bytes;
        assert!(bytes > (COUNT * BYTES) as u64, "packets were compressed");
        receiver.flush(self.now);
        sender.receive_from(receiver, self.now);
    }
}

impl Host {
    /// One poll that receives what `sender` has sent. Answers how many packets there were.
    fn receive_from(&mut self, sender: &mut Self, now: Duration) -> usize {
        for (_, datagram) in sender.driver.socket().sent() {
            self.driver.socket_mut().push(sender.address, datagram);
        }
        sender.driver.socket_mut().clear_sent();
        self.driver.clock_mut().0 = now;
        self.driver.begin_poll();
        while self.driver.next_event().is_some() {}
        let mut packets = 0;
        while let Some(packet) = self.driver.session_mut().fetch() {
            assert_eq!(packet.payload().len(), BYTES, "a packet has changed");
            packets += 1;
        }
        packets
    }

    fn flush(&mut self, now: Duration) {
        self.driver.clock_mut().0 = now;
        self.driver.flush();
    }
}

const BYTES: usize = 1200;

/// Packets of a round.
const COUNT: usize = 16;

/// Time between two rounds.
const FRAME: Duration = Duration::from_millis(1);

/// Rounds within which sessions connect.
const CONNECT_ROUNDS: usize = 1000;
