//! Fuzz body of a server's admission: sequences of datagrams of strangers, of time, and of what the game sets.
//!
//! Some strangers see what the server sends to their addresses, and can answer; most programs also have some that cannot.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use nme_core::admission::{AccessList, AddressProof, RateLimit};
use nme_core::codec::Compression;
use nme_core::session::{Config, MaxClients, Session, Status};
use nme_enet::proof::CHALLENGE_LEN;
use nme_enet::wire::{Body, CONTROL_CHANNEL, Command, CommandList, Handshake, Header, NO_PEER};
use nme_enet::wire::{ThrottleSettings, Writer, code};

use crate::fuzz::Input;

/// Any datagrams of strangers, with time between them.
///
/// # Panics
/// With [`AddressProof::Always`]: when an address that has proven nothing is sent more bytes than came from it, takes a
/// place, or becomes a peer. With any: when somebody new does not get in afterwards.
pub fn admission(program: &[u8]) {
    let mut stage = Stage::new(program);
    while !stage.input.is_empty() {
        stage.step();
        stage.check();
    }
    stage.finish();
}

/// A server, and what has passed between it and the strangers.
struct Stage<'a> {
    input: Input<'a>,
    now: Duration,
    server: Session,
    proof: AddressProof,
    /// Bytes by address, with headers: to the server, and from it.
    bytes: BTreeMap<SocketAddr, (usize, usize)>,
    /// The server's last datagrams to each address.
    seen: BTreeMap<SocketAddr, Vec<Vec<u8>>>,
    /// Addresses from which a challenge was answered that went there, however changed.
    truthful: BTreeSet<SocketAddr>,
    questions: Vec<u64>,
}

impl<'a> Stage<'a> {
    fn new(program: &'a [u8]) -> Self {
        let mut input = Input(program);
        let kind = input.byte();
        let places = [1, 2, 8, 300][usize::from(kind >> 2 & 3)];
        let max_clients = MaxClients::new(places).expect("a number of clients");
        let mut server = Session::server(&config(1), max_clients, None);
        let proof = [AddressProof::Always, AddressProof::Always, AddressProof::Auto, AddressProof::Never]
            [usize::from(kind & 3)];
        server.set_address_proof(proof);
        Self {
            input,
            now: Duration::from_secs(1),
            server,
            proof,
            bytes: BTreeMap::new(),
            seen: BTreeMap::new(),
            truthful: BTreeSet::new(),
            questions: Vec::new(),
        }
    }

    fn step(&mut self) {
        match self.input.byte() % 16 {
            0..4 => {
                let (from, bytes) = (self.stranger(), self.request());
                let bytes = self.input.changed(bytes);
                self.hand(from, &bytes);
            }
            4..8 => self.answer(),
            8 => self.flood(),
            9 => {
                let (from, len) = (self.stranger(), self.input.byte());
                let bytes = self.input.take(len.into()).to_vec();
                self.hand(from, &bytes);
            }
            10 => {
                let (from, bytes) = (self.stranger(), self.input.commands());
                self.hand(from, &bytes);
            }
            11..14 => {
                let millis = u64::from(self.input.byte());
                self.pass(Duration::from_millis(millis * millis / 8));
            }
            14 => self.set(),
            _ => self.decide(),
        }
    }

    /// One of a few addresses.
    fn stranger(&mut self) -> SocketAddr {
        address(u32::from(self.input.byte() % 6))
    }

    fn request(&mut self) -> Vec<u8> {
        let (peer, id, data) = (self.input.byte() % 4, self.input.byte(), self.input.byte() % 8);
        let handshake = Handshake { peer: peer.into(), connect_id: 0x0101_0100 | u32::from(id), ..HANDSHAKE };
        request(handshake, u32::from(data))
    }

    /// A client that sees what comes to its address goes on; or somebody pretends to be at another one.
    fn answer(&mut self) {
        let (to, how) = (self.stranger(), self.input.byte());
        let Some(datagram) = self.seen.get(&to).and_then(|seen| seen.get(usize::from(how >> 6))) else {
            return;
        };
        let Some(mut bytes) = answer_to(datagram) else { return };
        let is_proof = datagram.len() == CHALLENGE_LEN;
        match how & 7 {
            0 => bytes = self.input.changed(bytes),
            1 if is_proof => {
                let request = self.request();
                bytes.extend_from_slice(&request[4..]);
            }
            2 if is_proof => bytes.extend_from_within(2..),
            _ => {}
        }
        let from = if how & 0x38 == 0 { self.stranger() } else { to };
        if from == to {
            self.truthful.insert(from);
        }
        self.hand(from, &bytes);
    }

    /// Requests from as many addresses.
    fn flood(&mut self) {
        let (first, count) = (u32::from(self.input.byte()) + 100, u32::from(self.input.byte() % 80));
        let bytes = request(HANDSHAKE, 5);
        (first..first + count).for_each(|number| self.hand(address(number), &bytes));
    }

    /// The game changes its mind.
    fn set(&mut self) {
        let (what, value) = (self.input.byte(), self.input.byte());
        match what % 5 {
            0 => self.server.set_refuse_new_connections(value & 1 != 0),
            1 => self.server.set_asking(value & 1 != 0),
            2 => self.server.set_max_connections_per_address((value % 4).into()),
            3 => {
                let (per_second, burst) = (u32::from(value & 15), u32::from(value >> 4));
                self.server.set_connection_rate_limit(RateLimit::new(per_second, burst));
            }
            _ => {
                let mut list = AccessList::new();
                list.deny(address((value % 6).into()).ip().to_string().parse().expect("an address"));
                self.server.set_access_list(list);
            }
        }
    }

    /// The game has an opinion, or somebody is to go.
    fn decide(&mut self) {
        while let Some(question) = self.server.next_question() {
            self.questions.push(question.number);
        }
        let (what, which) = (self.input.byte(), self.input.byte());
        if what & 1 == 0 && !self.questions.is_empty() {
            let number = self.questions.swap_remove(usize::from(which) % self.questions.len());
            self.server.answer_question(number, what & 2 == 0);
        } else {
            let _ = self.server.disconnect_peer((which % 8).into(), what & 2 == 0);
        }
        self.collect();
    }

    fn hand(&mut self, from: SocketAddr, bytes: &[u8]) {
        self.bytes.entry(from).or_default().0 += bytes.len() + HEADERS;
        self.server.receive(from, bytes);
        self.poll();
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.server.begin_poll(self.now);
        self.server.handle_timeout(self.now);
        self.poll();
    }

    fn poll(&mut self) {
        while self.server.poll_event().is_some() {}
        while self.server.fetch().is_some() {}
        self.server.flush(self.now);
        self.collect();
    }

    fn collect(&mut self) {
        let batch = self.server.transmit();
        for (to, datagram) in batch.iter() {
            self.bytes.entry(to).or_default().1 += datagram.len() + HEADERS;
            let seen = self.seen.entry(to).or_default();
            seen.insert(0, datagram.to_vec());
            seen.truncate(4);
        }
        batch.clear();
    }

    fn check(&self) {
        if self.proof != AddressProof::Always {
            return;
        }
        let half_open = self.server.admission_counters().half_open;
        assert!(half_open <= MOST_ATTEMPTS * self.truthful.len(), "{half_open} of {:?}", self.truthful);
        for (address, (bytes_in, bytes_out)) in &self.bytes {
            assert!(
                self.truthful.contains(address) || bytes_out <= bytes_in,
                "{address}: {bytes_in} {bytes_out}"
            );
        }
        for id in 2..=7 {
            if let Ok(address) = self.server.peer_address(id) {
                assert!(self.truthful.contains(&address), "{id} at {address}");
            }
        }
    }

    /// Once the game takes everybody again and those who are silent are given up, somebody new gets in.
    fn finish(mut self) {
        self.server.set_refuse_new_connections(false);
        self.server.set_asking(false);
        self.server.set_max_connections_per_address(0);
        self.server.set_connection_rate_limit(RateLimit::NONE);
        self.server.set_access_list(AccessList::new());
        for _ in 0..200 {
            self.pass(Duration::from_millis(500));
        }
        self.check();
        let (from, server) = (address(77), SocketAddr::from((Ipv4Addr::LOCALHOST, 9)));
        let mut client = Session::client(&config(77 << 32), None);
        client.connect(self.now, server);
        for _ in 0..300 {
            client.flush(self.now);
            let sent: Vec<Vec<u8>> =
                client.transmit().iter().map(|(_, datagram)| datagram.to_vec()).collect();
            client.transmit().clear();
            sent.iter().for_each(|datagram| self.hand(from, datagram));
            self.pass(Duration::from_millis(16));
            client.begin_poll(self.now);
            for datagram in self.seen.remove(&from).unwrap_or_default().iter().rev() {
                client.receive(server, datagram);
            }
            client.handle_timeout(self.now);
            while client.poll_event().is_some() {}
        }
        assert_eq!(client.status(), Status::Connected, "{:?}", self.server.admission_counters());
    }
}

fn config(seed: u64) -> Config {
    Config::new(seed).compression(Compression::None)
}

fn address(number: u32) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::from(0xc612_0000 + number), 5000))
}

fn request(handshake: Handshake, data: u32) -> Vec<u8> {
    let mut bytes = vec![0x8f, 0xff, 0, 1];
    let body = Body::Connect { handshake, data };
    Command { code: code::CONNECT, channel: CONTROL_CHANNEL, sequence: 1, body }.append_to(&mut bytes);
    bytes
}

/// What a client answers to a challenge, or to the server's answer to its request.
fn answer_to(datagram: &[u8]) -> Option<Vec<u8>> {
    let header = Header::read(datagram).ok()?;
    let sent_time = header.sent_time?;
    let list = CommandList::read(datagram, &header).ok()?;
    let is_challenge = list.as_slice().iter().all(|(command, _)| command.code == code::PROBE);
    let peer = list.as_slice().iter().find_map(|(command, _)| match command.body {
        Body::Verify { handshake } => Some((handshake.peer, handshake.outgoing_session)),
        _ => None,
    });
    let (peer, session) = if is_challenge { (NO_PEER, 0) } else { peer? };
    let mut start = [0; 2];
    Header { peer, session, sent_time: None, compressed: false }.write(&mut Writer::new(&mut start));
    let mut bytes = start.to_vec();
    for (command, _) in list.as_slice().iter().filter(|(command, _)| command.wants_acknowledgement()) {
        let sequence = command.sequence;
        let body = Body::Acknowledge { sequence, sent_time };
        Command { code: code::ACKNOWLEDGE, channel: command.channel, sequence, body }.append_to(&mut bytes);
    }
    Some(bytes)
}

const HANDSHAKE: Handshake = Handshake {
    peer: 0,
    incoming_session: 0xff,
    outgoing_session: 0xff,
    mtu: 1392,
    window: 65536,
    channels: 3,
    in_bandwidth: 0,
    out_bandwidth: 0,
    throttle: ThrottleSettings { interval: 5000, acceleration: 2, deceleration: 2 },
    connect_id: 0x0101_0101,
};

/// What IPv4 and UDP add to a datagram, in bytes.
const HEADERS: usize = 28;

/// Connections that can begin at one address at once.
const MOST_ATTEMPTS: usize = 64;

#[cfg(test)]
mod tests {
    use nme_core::admission::Outcome;

    use super::*;
    use crate::fuzz::random_program;

    #[test]
    fn the_body_runs() {
        admission(&[]);
        for seed in 0..300 {
            admission(&random_program(seed));
        }
    }

    #[test]
    fn programs_reach_every_stage() {
        let (mut challenged, mut half_open, mut connected) = (0, 0, 0);
        for seed in 0..400 {
            let mut program = random_program(seed);
            program.iter_mut().take(1).for_each(|kind| *kind &= 0xfc);
            let mut stage = Stage::new(&program);
            let mut most = (0, 0);
            while !stage.input.is_empty() {
                stage.step();
                stage.check();
                let peers = (2..=7).filter(|id| stage.server.peer_address(*id).is_ok()).count();
                most = (most.0.max(stage.server.admission_counters().half_open), most.1.max(peers));
            }
            challenged += u32::from(!stage.seen.is_empty());
            half_open += u32::from(most.0 > 0);
            connected += u32::from(most.1 > 0);
        }
        assert!(challenged > 200 && half_open > 20 && connected > 5, "{challenged} {half_open} {connected}");
    }

    #[test]
    fn an_answer_that_is_read_elsewhere_proves_nothing() {
        let mut stage = Stage::new(&[0]);
        let victim = address(1);
        stage.hand(victim, &request(HANDSHAKE, 5));
        let bytes = answer_to(&stage.seen[&victim][0]).expect("a challenge");
        stage.hand(address(2), &bytes);
        assert_eq!(stage.server.admission_counters().count(Outcome::WrongProof), 1);
        stage.hand(victim, &bytes);
        assert_eq!(stage.server.admission_counters().half_open, 1);
        let bytes = answer_to(&stage.seen[&victim][0]).expect("the server's answer");
        stage.hand(victim, &bytes);
        assert_eq!(stage.server.peer_address(5), Ok(victim), "{:x?} {:?}", bytes, stage.seen[&victim]);
    }
}
