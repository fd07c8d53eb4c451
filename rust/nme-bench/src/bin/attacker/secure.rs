//! What strangers can send to a server with DTLS, and to its players.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use nme_core::secure::{SecureEvent, SecureLayer, SecureOutput, Verdict};
use nme_dtls::{ClientLayer, ClientOptions, SetUpError, Trust, Verifier};
use nme_netem::Random;

use crate::datagrams::request;
use crate::pace::Pace;
use crate::sources;

/// A client's first hello; each has a random number of its own.
pub(crate) struct Hellos(Vec<u8>);

impl Hellos {
    pub(crate) fn new(target: SocketAddr) -> Result<Self, SetUpError> {
        let (mut layer, mut out) = (layer()?, SecureOutput::default());
        layer.connect(Duration::ZERO, target, &mut out);
        let hello = out.wire.iter().next().map(|(_, hello)| hello.to_vec());
        Ok(Self(hello.unwrap_or_default()))
    }

    pub(crate) fn write(&self, number: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
        if let Some(random) = out.get_mut(RANDOM..RANDOM + 8) {
            random.copy_from_slice(&number.to_be_bytes());
        }
    }
}

/// Records in the name of somebody who has an association, one kind after the other.
pub(crate) struct Records {
    hellos: Hellos,
    random: Random,
}

impl Records {
    pub(crate) fn new(target: SocketAddr) -> Result<Self, SetUpError> {
        Ok(Self { hellos: Hellos::new(target)?, random: Random::new(1) })
    }

    pub(crate) fn write(&mut self, number: u64, out: &mut Vec<u8>) {
        let (low, any) = (number / KINDS, self.random.bits() & 0xffff_ffff_ffff);
        let len = 17 + self.random.bits() as usize % 1200;
        match number % KINDS {
            // An alert that ends it, and a goodbye, as plaintext and as if they were protected.
            0 => self.record(ALERT, 0, low, &[2, 40], out),
            1 => self.record(ALERT, 0, any, &[1, 0], out),
            2 => self.protected(ALERT, low, 26, out),
            3 => self.protected(APPLICATION_DATA, low, len, out),
            4 => self.protected(APPLICATION_DATA, any, len, out),
            5 => self.protected(HANDSHAKE, low, 40, out),
            6 => self.protected(HANDSHAKE, any, len, out),
            7 => self.record(CHANGE_CIPHER_SPEC, (number / KINDS % 3) as u16, any, &[1], out),
            8 => self.record(APPLICATION_DATA, 2 + (any % 3) as u16, low, &[FILLING; 100], out),
            9 => self.hellos.write(number, out),
            // Messages of a handshake that is not going on, of every kind.
            10 => {
                let mut message = vec![(low % 21) as u8, 0, 0, 100, 0, (low % 4) as u8, 0, 0, 0, 0, 0, 100];
                message.resize(112, FILLING);
                self.record(HANDSHAKE, 0, low, &message, out);
            }
            // Several records in a datagram, of which the last is too short.
            11 => {
                self.protected(APPLICATION_DATA, low, 60, out);
                self.protected(ALERT, any, 26, out);
                self.protected(HANDSHAKE, low, 40, out);
                let len = out.len() - 1 - any as usize % 20;
                out.truncate(len);
            }
            12 => out.extend((0..len).map(|_| self.random.bits() as u8)),
            _ => request(number, out),
        }
    }

    fn protected(&mut self, content: u8, sequence: u64, len: usize, out: &mut Vec<u8>) {
        let body: Vec<u8> = (0..len).map(|_| self.random.bits() as u8).collect();
        self.record(content, 1, sequence, &body, out);
    }

    #[expect(clippy::unused_self, reason = "is called as `protected` is")]
    fn record(&self, content: u8, epoch: u16, sequence: u64, body: &[u8], out: &mut Vec<u8>) {
        out.extend([content, 0xfe, 0xfd]);
        out.extend(epoch.to_be_bytes());
        out.extend(&sequence.to_be_bytes()[2..]);
        out.extend((body.len() as u16).to_be_bytes());
        out.extend(body);
    }
}

/// Clients that complete a handshake, so many a second, and are never heard of again.
pub(crate) fn handshakes(
    target: SocketAddr,
    count: u32,
    rate: u64,
) -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let mut pace = Pace::new(rate, Duration::MAX);
    let mut clients: Vec<Client> = Vec::new();
    let (mut made, mut entered, mut refused) = (0, 0, 0);
    let mut buffer = [0; 4096];
    while made < count || !clients.is_empty() {
        for _ in 0..pace.due().unwrap_or(0).min(u64::from(count - made)) {
            clients.push(Client::new(target, made, start.elapsed())?);
            made += 1;
        }
        let now = start.elapsed();
        clients.retain_mut(|client| match client.advance(now, &mut buffer) {
            Some(true) => {
                entered += 1;
                false
            }
            Some(false) => {
                refused += 1;
                false
            }
            None => true,
        });
        std::thread::sleep(BETWEEN_LOOKS);
    }
    println!(r#"{{"made":{made},"entered":{entered},"given_up":{refused}}}"#);
    Ok(())
}

struct Client {
    socket: UdpSocket,
    target: SocketAddr,
    layer: ClientLayer,
    out: SecureOutput,
    since: Duration,
}

impl Client {
    fn new(target: SocketAddr, number: u32, now: Duration) -> Result<Self, Box<dyn std::error::Error>> {
        let socket = sources::bind(FIRST + number)?;
        socket.connect(target)?;
        let mut client = Self { socket, target, layer: layer()?, out: SecureOutput::default(), since: now };
        client.layer.connect(now, target, &mut client.out);
        client.send();
        Ok(client)
    }

    /// Goes on with the handshake; whether it has been completed, once that is clear.
    fn advance(&mut self, now: Duration, buffer: &mut [u8]) -> Option<bool> {
        while let Ok(len) = self.socket.recv(buffer) {
            self.layer.receive(now, self.target, &buffer[..len], &mut || Verdict::Accept, &mut self.out);
        }
        self.layer.tick(now, &mut self.out);
        self.send();
        if now.saturating_sub(self.since) > LONGEST_WAIT {
            return Some(false);
        }
        match self.out.events.pop_front() {
            Some(SecureEvent::Established(_)) => Some(true),
            Some(_) => Some(false),
            None => None,
        }
    }

    fn send(&mut self) {
        for (_, datagram) in self.out.wire.iter() {
            // What the system refuses is as good as lost on the way, and repeated.
            let _: io::Result<usize> = self.socket.send(datagram);
        }
        self.out.wire.clear();
    }
}

/// DTLS of a client that trusts anybody.
fn layer() -> Result<ClientLayer, SetUpError> {
    let verifier = Verifier::new(Trust::Anybody).map_err(|_| SetUpError)?;
    let options =
        ClientOptions { verifier, host_name: "localhost".to_owned(), unix_time: Duration::ZERO, mtu: 1392 };
    nme_dtls::client(options)
}

/// Where a hello's random number begins: behind the headers of record and message, and the version.
const RANDOM: usize = 13 + 12 + 2;

/// Records that `Records` writes.
const KINDS: u64 = 14;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

const FILLING: u8 = 0x66;

/// After which a client gives up.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// The numbers of the addresses, apart from those of other clients.
const FIRST: u32 = 700_000;
