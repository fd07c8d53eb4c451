//! Clients that connect as they should. What they do then is another matter.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use nme_core::codec::Compression;
use nme_core::codec::fuzz::Raw;
use nme_enet::wire::{Body, CONTROL_CHANNEL, Command, Commands, Header, NO_PEER, code};

use crate::datagrams::{acknowledge, connect, header};
use crate::pace::Pace;
use crate::sources;

/// A client of the server.
struct Client {
    socket: UdpSocket,
    number: u32,
    /// The server's number for it and the session, once it has answered.
    place: Option<(u16, u8)>,
    asked: Option<Instant>,
    since: Instant,
    bytes: u64,
    /// What it has not acknowledged.
    owed: VecDeque<Command>,
}

impl Client {
    fn new(target: SocketAddr, number: u32) -> io::Result<Self> {
        let socket = sources::bind(number)?;
        socket.connect(target)?;
        Ok(Self {
            socket,
            number,
            place: None,
            asked: None,
            since: Instant::now(),
            bytes: 0,
            owed: VecDeque::new(),
        })
    }

    /// Asks when it is time to, and reads what has come; true when that was the answer.
    fn advance(&mut self, acknowledges: bool, reader: &mut Reader) -> bool {
        if self.place.is_none() && self.asked.is_none_or(|at| at.elapsed() >= RETRY) {
            self.asked = Some(Instant::now());
            let id = self.number.wrapping_mul(524_287) % 2_147_000_000 + 2;
            self.send(&[connect(id ^ 0x5bd1_e995, id)]);
        }
        let mut enters = false;
        while let Ok(len) = self.socket.recv(&mut reader.datagram) {
            self.bytes += len as u64;
            let Some((head, commands)) = reader.read(len) else { continue };
            let mut answers = Vec::new();
            for (command, _) in Commands::new(commands).map_while(Result::ok) {
                if command.wants_acknowledgement() {
                    let answer =
                        acknowledge(command.channel, command.sequence, head.sent_time.unwrap_or_default());
                    if acknowledges || self.place.is_none() {
                        answers.push(answer);
                    } else if self.owed.len() < MOST_OWED {
                        self.owed.push_back(answer);
                    }
                }
                if let Body::Verify { handshake } = command.body
                    && self.place.is_none()
                {
                    self.place = Some((handshake.peer, handshake.outgoing_session));
                    enters = true;
                }
            }
            self.send(&answers);
        }
        enters
    }

    /// Sends so many of the acknowledgements that it owes.
    fn acknowledge_later(&mut self, count: u64) {
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(self.owed.len());
        let commands: Vec<_> = self.owed.drain(..count).collect();
        self.send(&commands);
    }

    fn send(&self, commands: &[Command]) {
        for commands in commands.chunks(16) {
            let (peer, session) = self.place.unwrap_or((NO_PEER, 0));
            let mut datagram = Vec::new();
            header(peer, session, Some(self.since.elapsed().as_millis() as u16), &mut datagram);
            commands.iter().for_each(|command| command.append_to(&mut datagram));
            // What the system refuses is as good as lost on the way; requests are repeated.
            let _ = self.socket.send(&datagram);
        }
    }

    fn leave(&self) {
        let body = Body::Disconnect { data: 0 };
        self.send(&[Command {
            code: code::DISCONNECT_UNSEQUENCED,
            channel: CONTROL_CHANNEL,
            sequence: 0,
            body,
        }]);
    }
}

/// Where datagrams are put and expanded; all clients use the same.
struct Reader {
    coder: Option<Raw>,
    datagram: [u8; 4096],
    expanded: [u8; 4096],
}

impl Reader {
    fn new() -> Self {
        Self { coder: Raw::new(Compression::RangeCoder), datagram: [0; 4096], expanded: [0; 4096] }
    }

    /// The header and the commands of the datagram that has come.
    fn read(&mut self, len: usize) -> Option<(Header, &[u8])> {
        let datagram = &self.datagram[..len];
        let header = Header::read(datagram).ok()?;
        let commands = &datagram[header.len()..];
        if !header.compressed {
            return Some((header, commands));
        }
        let len = self.coder.as_mut()?.decompress(commands, &mut self.expanded)?;
        Some((header, &self.expanded[..len]))
    }
}

/// Clients that connect, so many a second, and are never heard of again.
pub(crate) fn vanish(target: SocketAddr, count: u32, rate: u64) -> io::Result<()> {
    let mut reader = Reader::new();
    let mut pace = Pace::new(rate, Duration::MAX);
    let mut clients: Vec<Client> = Vec::new();
    let (mut made, mut entered, mut given_up) = (0, 0, 0);
    while made < count || !clients.is_empty() {
        for _ in 0..pace.due().unwrap_or(0).min(u64::from(count - made)) {
            clients.push(Client::new(target, made)?);
            made += 1;
        }
        clients.retain_mut(|client| {
            let enters = client.advance(true, &mut reader);
            let gives_up = !enters && client.since.elapsed() > LONGEST_WAIT;
            entered += u32::from(enters);
            given_up += u32::from(gives_up);
            !enters && !gives_up
        });
        std::thread::sleep(BETWEEN_LOOKS);
    }
    println!(r#"{{"made":{made},"entered":{entered},"given_up":{given_up}}}"#);
    Ok(())
}

/// Clients that connect at once; how many have entered within a few seconds, and when the last one had. Then they leave.
pub(crate) fn enter(target: SocketAddr, count: u32) -> io::Result<()> {
    let mut reader = Reader::new();
    let start = Instant::now();
    let mut clients =
        (0..count).map(|number| Client::new(target, ENTERING + number)).collect::<io::Result<Vec<_>>>()?;
    let (mut entered, mut last) = (0, Duration::ZERO);
    while entered < count && start.elapsed() < LONGEST_WAIT {
        for client in &mut clients {
            if client.advance(true, &mut reader) {
                entered += 1;
                last = start.elapsed();
            }
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    clients.iter().for_each(Client::leave);
    println!(r#"{{"made":{count},"entered":{entered},"last":{:.3}}}"#, last.as_secs_f64());
    Ok(())
}

/// Clients that connect and go on to read and to send pings, but acknowledge only so many commands a second each.
pub(crate) fn slow(target: SocketAddr, count: u32, rate: u64, time: Duration) -> io::Result<()> {
    let mut reader = Reader::new();
    let start = Instant::now();
    let mut clients =
        (0..count).map(|number| Client::new(target, SLOW + number)).collect::<io::Result<Vec<_>>>()?;
    let (mut entered, mut pinged, mut pings, mut done) = (0, start, 1_u16, 0);
    while start.elapsed() < time {
        let allowed =
            u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_mul(rate) / 1000;
        for client in &mut clients {
            entered += u32::from(client.advance(false, &mut reader));
            client.acknowledge_later(allowed - done);
        }
        done = allowed;
        if pinged.elapsed() >= BETWEEN_PINGS {
            pinged = Instant::now();
            pings = pings.wrapping_add(1);
            let ping =
                Command { code: code::PING, channel: CONTROL_CHANNEL, sequence: pings, body: Body::Ping {} };
            clients.iter().filter(|client| client.place.is_some()).for_each(|client| client.send(&[ping]));
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    let bytes: u64 = clients.iter().map(|client| client.bytes).sum();
    println!(r#"{{"made":{count},"entered":{entered},"received_bytes":{bytes}}}"#);
    Ok(())
}

/// Between two requests of a client.
const RETRY: Duration = Duration::from_millis(500);

/// After which a client gives up.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// Acknowledgements that a client remembers to send.
const MOST_OWED: usize = 1 << 16;

const BETWEEN_PINGS: Duration = Duration::from_millis(500);

/// The numbers of the addresses of `enter` and `slow`, apart from all others.
const ENTERING: u32 = 500_000;
const SLOW: u32 = 600_000;
