//! The clients, which come and go.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use nme_core::peer::PeerId;
use nme_core::relay::Target;
use nme_core::session::{Config, Event, Session, Status};
use nme_driver::{Bind, Driver, Monotonic};
use nme_netem::Random;
use nme_udp::{Options, UdpSocket};

use crate::stream::{Findings, Incoming, Kind, Outgoing, due};
use crate::unreliable_socket::UnreliableSocket;
use crate::{COMPRESSIONS, Player};

/// All clients.
pub(crate) struct Clients {
    ports: Vec<u16>,
    /// In ticks.
    longest_life: usize,
    random: Random,
    places: Vec<Place>,
    tally: Tally,
    packet: Vec<u8>,
}

/// What all clients have seen together.
#[derive(Default)]
struct Tally {
    findings: Findings,
    connected: u64,
    /// Attempts that have failed.
    failed: u64,
    /// Ends by the server that were none of its kicks.
    given_up: u64,
    vanished: u64,
    /// Sockets that could not be opened.
    unopened: u64,
}

/// A client, or nobody until a tick.
enum Place {
    Empty { until: u64 },
    Taken(Box<Client>),
}

struct Client {
    driver: Driver<UnreliableSocket, Monotonic>,
    outgoing: Outgoing,
    incoming: Incoming,
    others: HashMap<PeerId, Incoming>,
    /// When it leaves.
    ends: u64,
    is_leaving: bool,
    /// The server has said that it disconnects this client.
    is_kicked: bool,
}

impl Clients {
    /// `longest_life` is in seconds, above 5.
    pub(crate) fn new(seed: u64, count: usize, longest_life: usize, ports: Vec<u16>) -> Self {
        let mut random = Random::new(seed ^ CLIENTS);
        let places =
            (0..count).map(|_| Place::Empty { until: random.within(0..LONGEST_GAP) as u64 }).collect();
        let longest_life = TICKS_PER_SECOND as usize * longest_life.max(6);
        Self { ports, longest_life, random, places, tally: Tally::default(), packet: Vec::new() }
    }

    fn open(&mut self, index: usize, tick: u64) -> Option<Box<Client>> {
        let server = index % COMPRESSIONS.len();
        let config = Config::new(self.random.bits()).compression(COMPRESSIONS[server]);
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let socket = UdpSocket::bind(Options { bind: Bind::Address(localhost), port: 0 }).ok()?;
        let loss = if self.random.chance(0.1) { MUCH_LOSS } else { LOSS };
        let socket = UnreliableSocket::new(socket, Random::new(self.random.bits()), loss);
        let mut driver = Driver::new(Session::client(&config, None), socket, Monotonic::new());
        driver.connect(SocketAddr::new(localhost, self.ports[server]));
        let ends = tick + self.random.within(SHORTEST_LIFE..self.longest_life) as u64;
        Some(Box::new(Client {
            driver,
            outgoing: Outgoing::default(),
            incoming: Incoming::from_the_first(),
            others: HashMap::new(),
            ends,
            is_leaving: false,
            is_kicked: false,
        }))
    }
}

impl Player for Clients {
    fn tick(&mut self, tick: u64) {
        for index in 0..self.places.len() {
            let stays = match &mut self.places[index] {
                Place::Empty { until } if *until > tick => true,
                Place::Empty { .. } => match self.open(index, tick) {
                    Some(client) => {
                        self.places[index] = Place::Taken(client);
                        true
                    }
                    None => {
                        self.tally.unopened += 1;
                        false
                    }
                },
                // Not all in one tick.
                Place::Taken(client) => {
                    let tick_of_client = tick + index as u64;
                    client.tick(tick, tick_of_client, &mut self.random, &mut self.tally, &mut self.packet)
                }
            };
            if !stays {
                self.places[index] = Place::Empty { until: tick + self.random.within(0..LONGEST_GAP) as u64 };
            }
        }
    }

    fn report(&self) -> String {
        let Tally { findings, connected, failed, given_up, vanished, unopened } = &self.tally;
        format!(
            r#""connected":{connected},"failed":{failed},"given_up":{given_up},"vanished":{vanished},"unopened":{unopened},{}"#,
            findings.json()
        )
    }
}

impl Client {
    /// A frame; false when the client has gone.
    fn tick(
        &mut self,
        tick: u64,
        own_tick: u64,
        random: &mut Random,
        tally: &mut Tally,
        packet: &mut Vec<u8>,
    ) -> bool {
        let stays = self.poll(tally);
        if !stays || self.is_leaving || self.driver.session().status() != Status::Connected {
            return stays;
        }
        if tick >= self.ends {
            return self.end(random, tally, packet);
        }
        for (kind, len) in due(own_tick, random) {
            self.send(kind, len, tally, packet);
        }
        if own_tick.is_multiple_of(TICKS_BETWEEN_RELAYED) {
            self.send(Kind::Relayed, random.within(10..300), tally, packet);
        }
        self.driver.flush();
        true
    }

    fn send(&mut self, kind: Kind, len: usize, tally: &mut Tally, packet: &mut Vec<u8>) {
        let target = if kind == Kind::Relayed { Target::All } else { Target::One(PeerId::SERVER) };
        self.outgoing.write(kind, len, packet);
        tally.findings.sent += u64::from(self.driver.send(kind.options(target), packet).is_ok());
    }

    /// Leaves in one of the ways that players have.
    fn end(&mut self, random: &mut Random, tally: &mut Tally, packet: &mut Vec<u8>) -> bool {
        match random.within(0..3) {
            0 => {
                self.send(Kind::Last, 0, tally, packet);
                self.is_leaving = self.driver.session_mut().leave();
                self.driver.flush();
                self.is_leaving
            }
            1 => {
                self.driver.end();
                false
            }
            _ => {
                tally.vanished += 1;
                false
            }
        }
    }

    /// Reads everything; false when the connection is over.
    fn poll(&mut self, tally: &mut Tally) -> bool {
        let mut stays = true;
        self.driver.begin_poll();
        while let Some(event) = self.driver.next_event() {
            self.read(tally);
            match event {
                Event::ConnectionSucceeded => tally.connected += 1,
                Event::ConnectionFailed => {
                    tally.failed += 1;
                    stays = false;
                }
                Event::ServerDisconnected => {
                    tally.given_up += u64::from(!self.is_leaving && !self.is_kicked);
                    stays = false;
                }
                // An id that comes again is somebody else.
                Event::PeerDisconnected(id) => drop(self.others.remove(&id)),
                Event::PeerConnected(_) => {}
            }
        }
        self.driver.end_poll();
        self.read(tally);
        stays
    }

    fn read(&mut self, tally: &mut Tally) {
        while let Some(packet) = self.driver.session_mut().fetch() {
            if packet.from() == PeerId::SERVER {
                let kind = self.incoming.read(packet.payload(), &mut tally.findings);
                self.is_kicked |= kind == Some(Kind::Last);
            } else {
                self.others.entry(packet.from()).or_default().read(packet.payload(), &mut tally.findings);
            }
        }
    }
}

/// Keeps the clients' random numbers apart from those of the servers.
const CLIENTS: u64 = 0x0c11_e275;

/// The share of datagrams that is lost, each way: of most clients, and of a tenth of them.
const LOSS: f64 = 0.02;
const MUCH_LOSS: f64 = 0.1;

const TICKS_PER_SECOND: u64 = 60;

/// Ticks of a client: 5 s.
const SHORTEST_LIFE: usize = 300;

/// Ticks until somebody else takes the place of a client: 2 s.
const LONGEST_GAP: usize = 120;

/// 4 s.
const TICKS_BETWEEN_RELAYED: u64 = 240;
