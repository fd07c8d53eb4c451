//! A server's gate between a client that means well and a network that does not.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::LazyLock;
use std::time::Duration;

use nme_core::secure::{SecureEvent, SecureLayer, SecureOutput, Verdict};

use crate::server::ServerLimits;
use crate::{ClientOptions, Identity, Trust, Verifier};

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 4000);
const CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 5000);
const STRANGER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 3)), 6000);

/// The kind whose handshake costs least.
static IDENTITY: LazyLock<Identity> = LazyLock::new(|| {
    let key = include_str!("../../tests/data/openssl/p256_sec1.key");
    let certificate = include_str!("../../tests/data/openssl/p256.crt");
    Identity::from_pem(key, certificate).expect("a key of the tests")
});

/// Any datagrams while a handshake is in progress. Nothing of it reaches the game, and it may fail, but only this one.
///
/// # Panics
/// When the server keeps more than it may, or lets somebody in who has no keys.
pub fn half_open(input: &[u8]) {
    let mut pair = Pair::new();
    pair.exchange();
    pair.exchange();
    assert_eq!(pair.server.counters().half_open, 1, "the second hello has been answered");
    pair.attack(input);
    assert_eq!(pair.server.counters().established, 0, "the client has sent no Finished yet");
    assert!(pair.delivered.is_empty(), "nobody can have sent anything");
    pair.check_bounds();
    for _ in 0..3 {
        pair.exchange();
    }
    pair.check_bounds();
}

/// Any datagrams once there is an association: it goes on, since nobody has its keys.
///
/// # Panics
/// When the association has been harmed, or something is delivered that the client has not sent.
pub fn established(input: &[u8]) {
    let mut pair = Pair::new();
    for _ in 0..3 {
        pair.exchange();
    }
    assert_eq!(pair.server.counters().established, 1, "nothing was lost");
    pair.say(b"before");
    pair.attack(input);
    pair.say(b"after");
    pair.check_bounds();
    assert_eq!(pair.delivered, [b"before".to_vec(), b"after".to_vec()]);
    assert_eq!(pair.closed, 0, "the client is still there");
}

struct Pair {
    now: Duration,
    server: Box<dyn SecureLayer>,
    client: Box<dyn SecureLayer>,
    from_server: SecureOutput,
    from_client: SecureOutput,
    /// What the client has sent so far.
    heard: Vec<Vec<u8>>,
    delivered: Vec<Vec<u8>>,
    closed: usize,
}

impl Pair {
    fn new() -> Self {
        let verifier = Verifier::new(Trust::Anybody).expect("it needs no certificate");
        let options = ClientOptions {
            verifier,
            host_name: "localhost".to_owned(),
            unix_time: Duration::ZERO,
            mtu: 1392,
        };
        let mut client = crate::client(options).expect("random numbers");
        let mut from_client = SecureOutput::default();
        client.connect(Duration::ZERO, SERVER, &mut from_client);
        Self {
            now: Duration::ZERO,
            server: Box::new(crate::server(&IDENTITY, ServerLimits::for_clients(1)).expect("random numbers")),
            client: Box::new(client),
            from_server: SecureOutput::default(),
            from_client,
            heard: Vec::new(),
            delivered: Vec::new(),
            closed: 0,
        }
    }

    /// What the client has to say, and the server's answers.
    fn exchange(&mut self) {
        let sent: Vec<_> = self.from_client.wire.iter().map(|(_, datagram)| datagram.to_vec()).collect();
        self.from_client.wire.clear();
        for datagram in sent {
            self.receive(CLIENT, &datagram);
            self.heard.push(datagram);
        }
        for (to, datagram) in self.from_server.wire.iter() {
            if to == CLIENT {
                self.client.receive(
                    self.now,
                    SERVER,
                    datagram,
                    &mut || Verdict::Accept,
                    &mut self.from_client,
                );
            }
        }
        self.from_server.wire.clear();
    }

    fn say(&mut self, text: &[u8]) {
        self.client.send(self.now, SERVER, text, &mut self.from_client);
        self.exchange();
    }

    fn receive(&mut self, from: SocketAddr, datagram: &[u8]) {
        self.server.receive(self.now, from, datagram, &mut || Verdict::Accept, &mut self.from_server);
        self.delivered.extend(self.from_server.plain.iter().map(|(_, datagram)| datagram.to_vec()));
        self.from_server.plain.clear();
        let closed = self.from_server.events.drain(..).filter(|event| *event == SecureEvent::Closed(CLIENT));
        self.closed += closed.count();
    }

    /// Plays what the input says, one operation after the other.
    fn attack(&mut self, input: &[u8]) {
        let mut input = Input(input);
        while let Some(operation) = input.byte() {
            let from = if operation & 0x80 == 0 { CLIENT } else { STRANGER };
            match operation % 4 {
                0 => {
                    let len = usize::from(input.word());
                    let datagram = input.take(len);
                    self.receive(from, datagram);
                }
                // Something that the client has sent, from somebody else or changed.
                1 | 2 => {
                    let which = usize::from(input.word()) % self.heard.len().max(1);
                    let Some(mut datagram) = self.heard.get(which).cloned() else { continue };
                    let changes = if operation % 4 == 1 { 0 } else { 1 + input.word() % 8 };
                    for _ in 0..changes {
                        let at = usize::from(input.word()) % datagram.len();
                        datagram[at] ^= input.byte().unwrap_or(1);
                    }
                    let keep = if operation & 0x40 == 0 { datagram.len() } else { usize::from(input.word()) };
                    datagram.truncate(keep);
                    self.receive(from, &datagram);
                }
                _ => {
                    self.now += Duration::from_millis(u64::from(input.word() % 1000));
                    self.server.tick(self.now, &mut self.from_server);
                }
            }
        }
        // The client hears none of the answers.
        self.from_server.wire.clear();
    }

    fn check_bounds(&self) {
        let counters = self.server.counters();
        assert!(counters.half_open <= 64 && counters.established <= 1, "{counters:?}");
    }
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn word(&mut self) -> u16 {
        let low = self.byte().unwrap_or(0);
        u16::from_be_bytes([self.byte().unwrap_or(0), low])
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that look random; small numbers are frequent, as lengths are.
    fn inputs() -> impl Iterator<Item = Vec<u8>> {
        (0_u32..200).map(|seed| {
            let mut state = seed.wrapping_mul(2_654_435_761) | 1;
            let mut next = move || {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                let byte = state.to_be_bytes()[0];
                if byte & 1 == 0 { byte >> 4 } else { byte }
            };
            (0..600).map(|_| next()).collect()
        })
    }

    #[test]
    fn a_handshake_under_attack_lets_nobody_in() {
        inputs().for_each(|input| half_open(&input));
    }

    #[test]
    fn an_association_under_attack_goes_on() {
        inputs().for_each(|input| established(&input));
    }
}
