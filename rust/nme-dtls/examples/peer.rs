//! One side of a DTLS association over a real socket, for `scripts/dtls` to play against other implementations.
//!
//! `peer server --key=FILE --certificate=FILE [--port=N]` sends each datagram back to its sender.
//! `peer client --server=ADDRESS --name=NAME --trust=FILE|anybody [--port=N] [--sizes=1,100] [--hold]` sends datagrams of
//! these sizes, one after the other, and compares what comes back. Then it says goodbye, or waits for the server's.
//!
//! Each line of the output is an object of JSON. The end of the input ends the program, with goodbyes.
#![allow(clippy::print_stdout, reason = "the output is what the program is for")]

use std::collections::HashMap;
use std::error::Error;
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

use nme_core::secure::{SecureEvent, SecureLayer, SecureOutput, Verdict};
use nme_dtls::{ClientOptions, Identity, ServerLimits, Trust, Verifier};

/// How long the socket is waited for between two looks at the clock.
const PAUSE: Duration = Duration::from_millis(2);
/// Datagrams are not repeated, and on loopback none is lost.
const ECHO_LIMIT: Duration = Duration::from_secs(5);

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = env::args().skip(1).collect();
    let options = Options::parse(words.get(1..).unwrap_or_default());
    match words.first().map(String::as_str) {
        Some("server") => serve(&options),
        Some("client") => visit(&options),
        _ => Err("usage: peer server|client [--OPTION=VALUE]".into()),
    }
}

// --- Server -------------------------------------------------------------------------------------------------------

fn serve(options: &Options) -> Result<(), Failure> {
    let identity = Identity::from_pem(&options.file("key")?, &options.file("certificate")?)?;
    let mut host = Host::new(Box::new(nme_dtls::server(&identity, ServerLimits::for_clients(32))?), options)?;
    println!(r#"{{"event":"listening","port":{}}}"#, host.socket.local_addr()?.port());
    let ended = input_ended();
    let mut clients: Vec<SocketAddr> = Vec::new();
    while !ended.load(Ordering::Relaxed) {
        host.poll()?;
        for event in host.events() {
            let (word, client) = match event {
                SecureEvent::Established(client) => ("established", client),
                SecureEvent::Closed(client) => ("closed", client),
                SecureEvent::Failed(_) => continue,
            };
            clients.retain(|known| *known != client);
            if word == "established" {
                clients.push(client);
            }
            println!(r#"{{"event":"{word}","peer":{},"cipher":"{}"}}"#, client.port(), host.cipher(client));
        }
        for (client, datagram) in host.plain() {
            host.call(|layer, now, out| layer.send(now, client, &datagram, out))?;
        }
    }
    for client in clients {
        host.call(|layer, now, out| layer.close(now, client, out))?;
    }
    let counters = host.layer.counters();
    println!(
        r#"{{"event":"counters","cookies":{},"completed":{},"abandoned":{},"turned_away":{},"dropped":{}}}"#,
        counters.cookies, counters.completed, counters.abandoned, counters.turned_away, counters.dropped
    );
    Ok(())
}

// --- Client -------------------------------------------------------------------------------------------------------

fn visit(options: &Options) -> Result<(), Failure> {
    let server: SocketAddr = options.value("server")?.parse()?;
    let trust = match options.value("trust")? {
        "anybody" => Trust::Anybody,
        _ => Trust::Certificate(options.file("trust")?),
    };
    let client = ClientOptions {
        verifier: Verifier::new(trust)?,
        host_name: options.value("name")?.to_owned(),
        unix_time: SystemTime::now().duration_since(UNIX_EPOCH)?,
        mtu: 1392,
    };
    let mut host = Host::new(Box::new(nme_dtls::client(client)?), options)?;
    host.call(|layer, now, out| layer.connect(now, server, out))?;
    let ended = input_ended();
    while !ended.load(Ordering::Relaxed) {
        host.poll()?;
        for event in host.events() {
            match event {
                SecureEvent::Established(_) => {
                    println!(r#"{{"event":"established","cipher":"{}"}}"#, host.cipher(server));
                    let sizes = options.sizes()?;
                    let echoes = sizes.iter().take_while(|size| is_echoed(&mut host, server, **size)).count();
                    println!(r#"{{"event":"echoes","count":{echoes}}}"#);
                    if !options.has("hold") {
                        return host.call(|layer, now, out| layer.close(now, server, out));
                    }
                }
                SecureEvent::Closed(_) => {
                    println!(r#"{{"event":"closed"}}"#);
                    return Ok(());
                }
                SecureEvent::Failed(reason) => {
                    println!(r#"{{"event":"failed","reason":"{reason:?}"}}"#);
                    return Ok(());
                }
            }
        }
    }
    host.call(|layer, now, out| layer.close(now, server, out))
}

/// Whether a datagram comes back as it was sent.
fn is_echoed(host: &mut Host, server: SocketAddr, size: usize) -> bool {
    let sent: Vec<u8> = (0..size).map(|i| (i * 7 + size) as u8).collect();
    let limit = Instant::now() + ECHO_LIMIT;
    let mut result = host.call(|layer, now, out| layer.send(now, server, &sent, out));
    while result.is_ok() && Instant::now() < limit {
        result = host.poll();
        if let Some((_, datagram)) = host.plain().into_iter().next() {
            return datagram == sent;
        }
    }
    false
}

// --- Layer and socket ---------------------------------------------------------------------------------------------

struct Host {
    layer: Box<dyn SecureLayer>,
    socket: UdpSocket,
    began: Instant,
    output: SecureOutput,
    /// The cipher suites that servers have chosen, by the other side's address.
    ciphers: HashMap<SocketAddr, u16>,
    is_server: bool,
}

impl Host {
    fn new(layer: Box<dyn SecureLayer>, options: &Options) -> Result<Self, Failure> {
        let port: u16 = options.value("port").unwrap_or("0").parse()?;
        let socket = UdpSocket::bind(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(PAUSE))?;
        Ok(Self {
            layer,
            socket,
            began: Instant::now(),
            output: SecureOutput::default(),
            ciphers: HashMap::new(),
            is_server: options.has("key"),
        })
    }

    /// Waits a short while for one datagram; lets time work.
    fn poll(&mut self) -> Result<(), Failure> {
        let mut buffer = [0; 1 << 16];
        match self.socket.recv_from(&mut buffer) {
            Ok((length, from)) => {
                let datagram = &buffer[..length];
                if !self.is_server {
                    self.note_cipher(from, datagram);
                }
                self.call(|layer, now, out| {
                    layer.receive(now, from, datagram, &mut || Verdict::Accept, out);
                })?;
            }
            Err(error) if is_harmless(error.kind()) => {}
            Err(error) => return Err(error.into()),
        }
        self.call(|layer, now, out| layer.tick(now, out))
    }

    /// Calls the layer and sends what it wants to be sent.
    fn call(
        &mut self,
        call: impl FnOnce(&mut dyn SecureLayer, Duration, &mut SecureOutput),
    ) -> Result<(), Failure> {
        call(self.layer.as_mut(), self.began.elapsed(), &mut self.output);
        let wire: Vec<_> = self.output.wire.iter().map(|(to, datagram)| (to, datagram.to_vec())).collect();
        self.output.wire.clear();
        for (to, datagram) in wire {
            if self.is_server {
                self.note_cipher(to, &datagram);
            }
            match self.socket.send_to(&datagram, to) {
                Err(error) if !is_harmless(error.kind()) => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    fn events(&mut self) -> Vec<SecureEvent> {
        self.output.events.drain(..).collect()
    }

    fn plain(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        let plain = self.output.plain.iter().map(|(from, bytes)| (from, bytes.to_vec())).collect();
        self.output.plain.clear();
        plain
    }

    /// Looks for a ServerHello, which is plaintext.
    fn note_cipher(&mut self, peer: SocketAddr, datagram: &[u8]) {
        const HELLO: usize = 13 + 12;
        const SESSION: usize = HELLO + 2 + 32;
        if datagram.first() == Some(&22)
            && datagram.get(3..5) == Some(&[0, 0])
            && datagram.get(13) == Some(&2)
        {
            let Some(session) = datagram.get(SESSION) else { return };
            let at = SESSION + 1 + usize::from(*session);
            if let Some(&[high, low]) = datagram.get(at..at + 2) {
                self.ciphers.insert(peer, u16::from_be_bytes([high, low]));
            }
        }
    }

    fn cipher(&self, peer: SocketAddr) -> String {
        self.ciphers.get(&peer).map_or_else(String::new, |cipher| format!("{cipher:04x}"))
    }
}

/// Nothing to read; or nobody at the other end any more, which some systems report.
fn is_harmless(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WouldBlock
            | ErrorKind::TimedOut
            | ErrorKind::Interrupted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
    )
}

/// Becomes true when whoever started the program has closed its input, or has died.
fn input_ended() -> Arc<AtomicBool> {
    let ended = Arc::new(AtomicBool::new(false));
    let flag = ended.clone();
    thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        flag.store(true, Ordering::Relaxed);
    });
    ended
}

// --- Options ------------------------------------------------------------------------------------------------------

struct Options(HashMap<String, String>);

impl Options {
    fn parse(words: &[String]) -> Self {
        let pairs = words.iter().map(|word| word.split_once('=').unwrap_or((word, "")));
        Self(pairs.map(|(name, value)| (name.trim_start_matches('-').to_owned(), value.to_owned())).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn value(&self, name: &str) -> Result<&str, Failure> {
        self.0.get(name).map(String::as_str).ok_or_else(|| format!("--{name} is missing").into())
    }

    /// The text of the file with this name.
    fn file(&self, name: &str) -> Result<String, Failure> {
        let path = self.value(name)?;
        fs::read_to_string(path).map_err(|error| format!("{path}: {error}").into())
    }

    fn sizes(&self) -> Result<Vec<usize>, Failure> {
        let Ok(text) = self.value("sizes") else { return Ok(Vec::new()) };
        text.split(',').map(|size| size.parse().map_err(Into::into)).collect()
    }
}
