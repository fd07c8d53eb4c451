//! The servers.

use std::collections::HashMap;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};

use nme_core::peer::PeerId;
use nme_core::relay::Target;
use nme_core::session::{Config, Event, MaxClients, Session};
use nme_driver::{Bind, Driver, Monotonic};
use nme_netem::Random;
use nme_udp::{Options, UdpSocket};

use crate::stream::{Findings, Incoming, Kind, Outgoing, due};
use crate::{COMPRESSIONS, Player};

/// One server for each compression.
pub(crate) struct Servers {
    servers: Vec<Server>,
    random: Random,
    findings: Findings,
    joined: u64,
    left: u64,
    kicked: u64,
    packet: Vec<u8>,
}

struct Server {
    driver: Driver<UdpSocket, Monotonic>,
    peers: HashMap<PeerId, Streams>,
}

/// To and from a client.
struct Streams {
    outgoing: Outgoing,
    incoming: Incoming,
    /// Nothing more is sent.
    ends: bool,
}

impl Servers {
    pub(crate) fn open(seed: u64) -> Result<Self, Box<dyn Error>> {
        let mut random = Random::new(seed);
        let mut open = |compression| {
            let config = Config::new(random.bits()).compression(compression);
            let session = Session::server(&config, MaxClients::new(MAX_CLIENTS)?, None);
            let bind = Bind::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));
            let socket = UdpSocket::bind(Options { bind, port: 0 })?;
            let driver = Driver::new(session, socket, Monotonic::new());
            Ok::<_, Box<dyn Error>>(Server { driver, peers: HashMap::new() })
        };
        let servers = COMPRESSIONS.into_iter().map(&mut open).collect::<Result<Vec<_>, _>>()?;
        let findings = Findings::default();
        Ok(Self { servers, random, findings, joined: 0, left: 0, kicked: 0, packet: Vec::new() })
    }

    pub(crate) fn ports(&self) -> Vec<u16> {
        self.servers.iter().map(|server| server.driver.socket().local_addr().port()).collect()
    }

    fn poll(&mut self, index: usize) {
        let Server { driver, peers } = &mut self.servers[index];
        driver.begin_poll();
        while let Some(event) = driver.next_event() {
            // What came before the end of a peer is looked at before it is forgotten.
            while let Some(packet) = driver.session_mut().fetch() {
                if let Some(streams) = peers.get_mut(&packet.from()) {
                    streams.incoming.read(packet.payload(), &mut self.findings);
                }
            }
            match event {
                Event::PeerConnected(id) => {
                    let (outgoing, incoming) = (Outgoing::default(), Incoming::from_the_first());
                    peers.insert(id, Streams { outgoing, incoming, ends: false });
                    self.joined += 1;
                }
                Event::PeerDisconnected(id) => {
                    peers.remove(&id);
                    self.left += 1;
                }
                _ => {}
            }
        }
        driver.end_poll();
        while let Some(packet) = driver.session_mut().fetch() {
            if let Some(streams) = peers.get_mut(&packet.from()) {
                streams.incoming.read(packet.payload(), &mut self.findings);
            }
        }
    }

    fn send(&mut self, index: usize, tick: u64) {
        let Server { driver, peers } = &mut self.servers[index];
        for (&id, streams) in peers.iter_mut().filter(|(_, streams)| !streams.ends) {
            for (kind, len) in due(tick, &mut self.random) {
                streams.outgoing.write(kind, len, &mut self.packet);
                // A peer may have gone since the last poll.
                self.findings.sent +=
                    u64::from(driver.send(kind.options(Target::One(id)), &self.packet).is_ok());
            }
            if tick.is_multiple_of(TICKS_BETWEEN_KICKS) && self.random.chance(KICKED) {
                streams.outgoing.write(Kind::Last, 0, &mut self.packet);
                let told = driver.send(Kind::Last.options(Target::One(id)), &self.packet).is_ok();
                streams.ends = told && driver.disconnect_peer(i64::from(id.get()), false).is_ok();
                self.kicked += u64::from(streams.ends);
            }
        }
        driver.flush();
    }
}

impl Player for Servers {
    fn tick(&mut self, tick: u64) {
        for index in 0..self.servers.len() {
            self.poll(index);
            self.send(index, tick);
        }
    }

    fn report(&self) -> String {
        let peers: usize = self.servers.iter().map(|server| server.peers.len()).sum();
        let Self { joined, left, kicked, findings, .. } = self;
        format!(r#""peers":{peers},"joined":{joined},"left":{left},"kicked":{kicked},{}"#, findings.json())
    }
}

/// Of each server.
const MAX_CLIENTS: i64 = 1000;

/// A second.
const TICKS_BETWEEN_KICKS: u64 = 60;

/// Of a thousand clients, so many are disconnected each time.
const KICKED: f64 = 0.002;
