//! Layers over the emulated network, in virtual time, and hellos made by hand.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use nme_core::secure::{SecureCounters, SecureEvent, SecureFailure, SecureLayer, SecureOutput, Verdict};
use nme_dtls::{ClientOptions, Identity, ServerLimits, Trust, Verifier};
use nme_netem::Network;

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// How often hosts poll.
const FRAME: Duration = Duration::from_millis(20);
/// A moment at which the certificates are valid, as time since 1970: the year 2025.
pub(crate) const UNIX_TIME: Duration = Duration::from_secs(1_750_000_000);

pub(crate) const KEY: &str = include_str!("../data/godot4/rsa_2048.key");
pub(crate) const CERTIFICATE: &str = include_str!("../data/godot4/rsa_2048.crt");

pub(crate) fn server_address() -> SocketAddr {
    "192.0.2.1:4000".parse().unwrap()
}

/// Clients on hosts of their own.
pub(crate) fn client_address(number: u16) -> SocketAddr {
    SocketAddr::from(([198, 51, (number >> 8) as u8, number as u8], 50_000))
}

pub(crate) fn identity() -> Identity {
    Identity::from_pem(KEY, CERTIFICATE).unwrap()
}

pub(crate) fn server_with(identity: &Identity) -> Box<dyn SecureLayer> {
    Box::new(nme_dtls::server(identity, ServerLimits::for_clients(32)).unwrap())
}

pub(crate) fn server() -> Box<dyn SecureLayer> {
    server_with(&identity())
}

pub(crate) fn client_of(trust: Trust, name: &str) -> Box<dyn SecureLayer> {
    let verifier = Verifier::new(trust).unwrap();
    let options = ClientOptions { verifier, host_name: name.to_owned(), unix_time: UNIX_TIME, mtu: 1392 };
    Box::new(nme_dtls::client(options).unwrap())
}

/// A client that trusts [`CERTIFICATE`].
pub(crate) fn client() -> Box<dyn SecureLayer> {
    client_of(Trust::Certificate(CERTIFICATE.to_owned()), "localhost")
}

/// A layer, and what has come out of it.
pub(crate) struct Host {
    pub(crate) layer: Box<dyn SecureLayer>,
    pub(crate) events: Vec<SecureEvent>,
    pub(crate) plain: Vec<(SocketAddr, Vec<u8>)>,
    pub(crate) admits: Verdict,
    output: SecureOutput,
}

/// A datagram that a host has sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) at: Duration,
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

/// How often a datagram is put on the network.
type Copies = Box<dyn FnMut(&Sent) -> usize>;

pub(crate) struct World {
    pub(crate) now: Duration,
    pub(crate) network: Network,
    pub(crate) hosts: BTreeMap<SocketAddr, Host>,
    /// Every datagram so far.
    pub(crate) sent: Vec<Sent>,
    copies: Option<Copies>,
}

impl World {
    /// With a server.
    pub(crate) fn new(seed: u64) -> Self {
        let mut world = Self::empty(seed);
        world.add(server_address(), server());
        world
    }

    pub(crate) fn empty(seed: u64) -> Self {
        Self {
            now: SECOND,
            network: Network::new(seed),
            hosts: BTreeMap::new(),
            sent: Vec::new(),
            copies: None,
        }
    }

    pub(crate) fn add(&mut self, address: SocketAddr, layer: Box<dyn SecureLayer>) {
        let host = Host {
            layer,
            events: Vec::new(),
            plain: Vec::new(),
            admits: Verdict::Accept,
            output: SecureOutput::default(),
        };
        self.hosts.insert(address, host);
    }

    /// Adds a client that begins its handshake at once. One that is there already is forgotten without a word.
    pub(crate) fn connect(&mut self, address: SocketAddr, layer: Box<dyn SecureLayer>) {
        self.add(address, layer);
        self.call(address, |layer, now, out| layer.connect(now, server_address(), out));
    }

    /// A client whose handshake is complete.
    pub(crate) fn connected(&mut self, number: u16) -> SocketAddr {
        let address = client_address(number);
        self.connect(address, client());
        self.run_until(5 * SECOND, |world| world.is_established(address));
        address
    }

    /// From now on a connection uses the server's association with this client.
    pub(crate) fn note_use(&mut self, client: SocketAddr) {
        let now = self.now;
        self.server().layer.note_use(now, client);
    }

    /// Decides about each datagram that is sent from now on.
    pub(crate) fn set_copies(&mut self, copies: impl FnMut(&Sent) -> usize + 'static) {
        self.copies = Some(Box::new(copies));
    }

    pub(crate) fn host(&mut self, address: SocketAddr) -> &mut Host {
        self.hosts.get_mut(&address).unwrap()
    }

    pub(crate) fn server(&mut self) -> &mut Host {
        self.host(server_address())
    }

    pub(crate) fn counters(&self) -> SecureCounters {
        self.hosts[&server_address()].layer.counters()
    }

    pub(crate) fn call(
        &mut self,
        address: SocketAddr,
        call: impl FnOnce(&mut dyn SecureLayer, Duration, &mut SecureOutput),
    ) {
        let now = self.now;
        let host = self.hosts.get_mut(&address).unwrap();
        call(host.layer.as_mut(), now, &mut host.output);
        self.collect(address);
    }

    pub(crate) fn send(&mut self, from: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        self.call(from, |layer, now, out| layer.send(now, to, datagram, out));
    }

    /// Hands a datagram to a host as if it came from this address.
    pub(crate) fn inject(&mut self, from: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        let admits = self.host(to).admits;
        self.call(to, |layer, now, out| layer.receive(now, from, datagram, &mut || admits, out));
    }

    /// Hands it over, and answers what was sent back at once, which does not get onto the network.
    pub(crate) fn ask(&mut self, from: SocketAddr, to: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let before = self.sent.len();
        let copies = self.copies.replace(Box::new(|_| 0));
        self.inject(from, to, datagram);
        self.copies = copies;
        self.sent[before..].iter().map(|sent| sent.bytes.clone()).collect()
    }

    pub(crate) fn step(&mut self) {
        let next = self.network.next_arrival().unwrap_or(Duration::MAX);
        self.now = next.clamp(self.now, self.now + FRAME).max(self.now + MS / 10);
        let addresses: Vec<_> = self.hosts.keys().copied().collect();
        for address in &addresses {
            self.call(*address, |layer, now, out| layer.tick(now, out));
        }
        // An answer may arrive at the time of its question.
        while addresses.iter().any(|address| self.deliver(*address)) {}
        self.network.discard(self.now);
    }

    fn deliver(&mut self, address: SocketAddr) -> bool {
        let mut any = false;
        while let Some((from, datagram)) = self.network.receive(self.now, address) {
            self.inject(from, address, &datagram);
            any = true;
        }
        any
    }

    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step();
        }
    }

    /// Steps until the condition holds; answers how long that took.
    pub(crate) fn run_until(&mut self, limit: Duration, condition: impl Fn(&Self) -> bool) -> Duration {
        let start = self.now;
        while !condition(self) {
            assert!(self.now - start < limit, "not within {limit:?}; server: {:?}", self.counters());
            self.step();
        }
        self.now - start
    }

    /// True when the client at this address, and the server, have an association with each other.
    pub(crate) fn is_established(&self, client: SocketAddr) -> bool {
        let established = |address, peer| {
            let events = self.hosts[&address].events.iter().rev();
            let last = events.copied().find(|event| {
                matches!(event, SecureEvent::Established(of) | SecureEvent::Closed(of) if *of == peer)
            });
            last == Some(SecureEvent::Established(peer))
        };
        established(client, server_address()) && established(server_address(), client)
    }

    pub(crate) fn failure(&self, client: SocketAddr) -> Option<SecureFailure> {
        self.hosts[&client].events.iter().find_map(|event| match event {
            SecureEvent::Failed(reason) => Some(*reason),
            _ => None,
        })
    }

    /// Sends something in both directions, and sees it arrive once. The network must lose nothing.
    pub(crate) fn assert_alive(&mut self, client: SocketAddr) {
        let server = server_address();
        let question = format!("from {client} at {:?}", self.now).into_bytes();
        let answer = format!("to {client} at {:?}", self.now).into_bytes();
        self.send(client, server, &question);
        self.send(server, client, &answer);
        self.run(SECOND);
        let count = |host: &Host, from, datagram: &[u8]| {
            host.plain.iter().filter(|(sender, bytes)| *sender == from && bytes == datagram).count()
        };
        assert_eq!(count(self.server(), client, &question), 1, "the client is not heard");
        assert_eq!(count(self.host(client), server, &answer), 1, "the server is not heard");
    }

    fn collect(&mut self, address: SocketAddr) {
        let host = self.hosts.get_mut(&address).unwrap();
        host.plain.extend(host.output.plain.iter().map(|(from, bytes)| (from, bytes.to_vec())));
        host.output.plain.clear();
        host.events.extend(host.output.events.drain(..));
        for (to, bytes) in host.output.wire.iter() {
            let sent = Sent { at: self.now, from: address, to, bytes: bytes.to_vec() };
            let copies = self.copies.as_mut().map_or(1, |copies| copies(&sent));
            for _ in 0..copies {
                self.network.send(self.now, address, to, bytes);
            }
            self.sent.push(sent);
        }
        host.output.wire.clear();
    }
}

/// The parts of a hello that tests vary.
#[derive(Clone)]
pub(crate) struct Hello {
    pub(crate) version: u16,
    pub(crate) random: [u8; 32],
    pub(crate) session: Vec<u8>,
    pub(crate) cookie: Vec<u8>,
    pub(crate) suites: Vec<u16>,
}

impl Hello {
    /// Acceptable, and different for each number.
    pub(crate) fn new(number: u64) -> Self {
        let mut random = [0x5a; 32];
        random[..8].copy_from_slice(&number.to_be_bytes());
        Self {
            version: 0xfefd,
            random,
            session: Vec::new(),
            cookie: Vec::new(),
            suites: vec![0xc02f, 0xcca8],
        }
    }

    /// With the cookie in this answer of a server.
    pub(crate) fn with_cookie_of(mut self, verify_request: &[u8]) -> Self {
        assert_eq!(verify_request.len(), 48, "{verify_request:02x?}");
        self.cookie = verify_request[28..].to_vec();
        self
    }

    pub(crate) fn datagram(&self) -> Vec<u8> {
        let mut body = self.version.to_be_bytes().to_vec();
        body.extend_from_slice(&self.random);
        body.push(self.session.len() as u8);
        body.extend_from_slice(&self.session);
        body.push(self.cookie.len() as u8);
        body.extend_from_slice(&self.cookie);
        body.extend_from_slice(&(self.suites.len() as u16 * 2).to_be_bytes());
        body.extend(self.suites.iter().flat_map(|suite| suite.to_be_bytes()));
        body.extend_from_slice(&[1, 0]);
        // Curves: X25519 and P-256.
        body.extend_from_slice(&[0, 10, 0, 10, 0, 6, 0, 4, 0, 29, 0, 23]);
        let second = u16::from(!self.cookie.is_empty());
        record(22, 0, u64::from(second), &message(1, second, body.len(), 0, &body))
    }
}

/// A record with this header.
pub(crate) fn record(content: u8, epoch: u16, sequence: u64, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![content, 0xfe, 0xfd];
    bytes.extend_from_slice(&epoch.to_be_bytes());
    bytes.extend_from_slice(&sequence.to_be_bytes()[2..]);
    bytes.extend_from_slice(&(body.len() as u16).to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// A fragment of a handshake message of `length` bytes.
pub(crate) fn message(kind: u8, sequence: u16, length: usize, offset: usize, fragment: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&(length as u32).to_be_bytes()[1..]);
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&(offset as u32).to_be_bytes()[1..]);
    bytes.extend_from_slice(&(fragment.len() as u32).to_be_bytes()[1..]);
    bytes.extend_from_slice(fragment);
    bytes
}

/// Content, epoch, sequence number and body of each record.
pub(crate) fn records(mut datagram: &[u8]) -> Vec<(u8, u16, u64, &[u8])> {
    let mut records = Vec::new();
    while let Some((header, rest)) = datagram.split_at_checked(13) {
        let number = |range: std::ops::Range<usize>| {
            header[range].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        let (body, rest) = rest.split_at(number(11..13) as usize);
        records.push((header[0], number(3..5) as u16, number(5..11), body));
        datagram = rest;
    }
    records
}
