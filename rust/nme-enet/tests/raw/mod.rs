//! A host, and a peer whose datagrams are made by hand.
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::wire::{
    Body, CONTROL_CHANNEL, Command, Commands, Fragment, Handshake, Header, NO_PEER, ThrottleSettings, Writer,
    code,
};
use nme_enet::{Config, ConnectRequest, Delivery, DropReason, Event, Host, PeerHandle, Quotas, Verdict};

pub(crate) const MTU: u16 = 1392;
/// Largest payload of one command.
pub(crate) const F: u32 = 1364;
pub(crate) const MAX_PACKET: usize = (16 << 20) + 8;
pub(crate) const CHANNELS: u32 = 3;
pub(crate) const CONNECT_ID: u32 = 0xa1b2_c3d4;

pub(crate) fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 7], port))
}

/// A header and commands.
pub(crate) fn datagram(peer: u16, session: u8, sent_time: Option<u16>, commands: &[Vec<u8>]) -> Vec<u8> {
    let header = Header { peer, session, sent_time, compressed: false };
    let mut bytes = vec![0; header.len()];
    header.write(&mut Writer::new(&mut bytes));
    bytes.extend(commands.iter().flatten());
    bytes
}

/// A command, with a payload as long as it says.
pub(crate) fn command(code: u8, channel: u8, sequence: u16, body: Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    Command { code, channel, sequence, body }.append_to(&mut bytes);
    bytes.resize(bytes.len() + body.payload_len(), 0x55);
    bytes
}

pub(crate) fn ack(channel: u8, sequence: u16, time: u16) -> Vec<u8> {
    let body = Body::Acknowledge { sequence, sent_time: time };
    command(code::ACKNOWLEDGE, channel, sequence, body)
}

/// An acknowledgement that asks for one.
pub(crate) fn probe(channel: u8, sequence: u16) -> Vec<u8> {
    command(code::PROBE, channel, sequence, Body::Acknowledge { sequence: 0, sent_time: 0x7fff })
}

pub(crate) fn ping() -> Vec<u8> {
    command(code::PING, CONTROL_CHANNEL, 7, Body::Ping {})
}

pub(crate) fn disconnect() -> Vec<u8> {
    command(code::DISCONNECT, CONTROL_CHANNEL, 9, Body::Disconnect { data: 0 })
}

pub(crate) fn reliable(channel: u8, sequence: u16, len: u16) -> Vec<u8> {
    command(code::RELIABLE, channel, sequence, Body::Reliable { len })
}

pub(crate) fn unreliable(channel: u8, sequence: u16, number: u16, len: u16) -> Vec<u8> {
    command(code::UNRELIABLE, channel, sequence, Body::Unreliable { number, len })
}

pub(crate) fn unsequenced(channel: u8, group: u16, len: u16) -> Vec<u8> {
    command(code::UNSEQUENCED, channel, 0, Body::Unsequenced { group, len })
}

/// The fields of a fragment, as ENet would fill them in.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) code: u8,
    pub(crate) channel: u8,
    pub(crate) sequence: u16,
    pub(crate) start: u16,
    pub(crate) len: u16,
    pub(crate) count: u32,
    pub(crate) number: u32,
    pub(crate) total: u32,
    pub(crate) offset: u32,
}

impl Piece {
    pub(crate) fn reliable(channel: u8, start: u16, total: u32, number: u32) -> Self {
        let offset = number * F;
        let len = F.min(total.saturating_sub(offset)) as u16;
        let sequence = start.wrapping_add(number as u16);
        Self {
            code: code::FRAGMENT,
            channel,
            sequence,
            start,
            len,
            count: total.div_ceil(F),
            number,
            total,
            offset,
        }
    }

    pub(crate) fn unreliable(channel: u8, sequence: u16, start: u16, total: u32, number: u32) -> Self {
        Self { code: code::UNRELIABLE_FRAGMENT, sequence, ..Self::reliable(channel, start, total, number) }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Self { start, len, count, number, total, offset, .. } = *self;
        let fragment = Fragment { start, len, count, number, total, offset };
        // Both kinds have the same fields.
        command(self.code, self.channel, self.sequence, Body::Fragment { fragment })
    }
}

pub(crate) fn fragment(channel: u8, start: u16, total: u32, number: u32) -> Vec<u8> {
    Piece::reliable(channel, start, total, number).bytes()
}

pub(crate) fn unreliable_fragment(
    channel: u8,
    sequence: u16,
    start: u16,
    total: u32,
    number: u32,
) -> Vec<u8> {
    Piece::unreliable(channel, sequence, start, total, number).bytes()
}

/// The fields of a CONNECT or VERIFY_CONNECT.
#[derive(Clone, Copy)]
pub(crate) struct Hello {
    pub(crate) channel: u8,
    pub(crate) peer: u16,
    pub(crate) sessions: [u8; 2],
    pub(crate) mtu: u32,
    pub(crate) window: u32,
    pub(crate) channels: u32,
    pub(crate) throttle: [u32; 3],
    pub(crate) connect_id: u32,
}

impl Hello {
    /// What a client that has just started says.
    pub(crate) const fn request() -> Self {
        Self {
            channel: CONTROL_CHANNEL,
            peer: 0,
            sessions: [0xff, 0xff],
            mtu: MTU as u32,
            window: 65536,
            channels: CHANNELS,
            throttle: [5000, 2, 2],
            connect_id: CONNECT_ID,
        }
    }

    /// What a server answers to an attempt, that has put the client into place 1.
    pub(crate) const fn answer(connect_id: u32) -> Self {
        Self { peer: 1, sessions: [1, 2], connect_id, ..Self::request() }
    }

    fn handshake(&self) -> Handshake {
        let [incoming_session, outgoing_session] = self.sessions;
        let [interval, acceleration, deceleration] = self.throttle;
        Handshake {
            peer: self.peer,
            incoming_session,
            outgoing_session,
            mtu: self.mtu,
            window: self.window,
            channels: self.channels,
            in_bandwidth: 0,
            out_bandwidth: 0,
            throttle: ThrottleSettings { interval, acceleration, deceleration },
            connect_id: self.connect_id,
        }
    }

    pub(crate) fn connect(&self) -> Vec<u8> {
        let body = Body::Connect { handshake: self.handshake(), data: 77 };
        command(code::CONNECT, self.channel, 1, body)
    }

    pub(crate) fn verify(&self) -> Vec<u8> {
        command(code::VERIFY, self.channel, 1, Body::Verify { handshake: self.handshake() })
    }
}

/// Sent time and first command of a datagram.
pub(crate) fn first_of(datagram: &[u8]) -> (u16, Body) {
    let header = Header::read(datagram).expect("a header");
    let first = Commands::new(&datagram[header.len()..]).next().expect("a command");
    (header.sent_time.expect("a sent time"), first.expect("well-formed").0.body)
}

pub(crate) fn accept(_: &ConnectRequest) -> Verdict {
    Verdict::Accept
}

/// A host and one peer that talks to it.
pub(crate) struct Bench {
    pub(crate) host: Host,
    pub(crate) now: Duration,
    pub(crate) peer: SocketAddr,
    pub(crate) slot: u16,
    pub(crate) session: u8,
    /// The time in the header of the host's handshake.
    pub(crate) time: u16,
    pub(crate) connect_id: u32,
    /// What has been reported.
    pub(crate) events: Vec<Event>,
}

impl Bench {
    pub(crate) fn config(quotas: Quotas) -> Config {
        let mut config = Config::server(4, 5);
        config.channel_limit = CHANNELS as u8;
        config.max_packet = MAX_PACKET;
        config.quotas = quotas;
        config
    }

    fn new(config: Config, peer: SocketAddr) -> Self {
        Self {
            host: Host::new(config),
            now: Duration::from_secs(9),
            peer,
            slot: 0,
            session: 0,
            time: 0,
            connect_id: CONNECT_ID,
            events: Vec::new(),
        }
    }

    /// A server that has answered a client, and waits for the acknowledgement.
    pub(crate) fn half_open_server_of(config: Config) -> Self {
        Self::half_open_server_for(config, Hello::request())
    }

    fn half_open_server_for(config: Config, request: Hello) -> Self {
        let mut bench = Self::new(config, address(5000));
        bench.knock(request).expect("a sane request");
        let sent = bench.transmit();
        let [(_, answer)] = &sent[..] else { panic!("an answer") };
        bench.take_place(answer);
        bench
    }

    /// Becomes the client of this answer.
    pub(crate) fn take_place(&mut self, answer: &[u8]) {
        let (time, Body::Verify { handshake }) = first_of(answer) else { panic!("an answer") };
        (self.time, self.slot, self.session) = (time, handshake.peer, handshake.outgoing_session);
    }

    pub(crate) fn half_open_server() -> Self {
        Self::half_open_server_of(Self::config(Quotas::default()))
    }

    pub(crate) fn server_of(config: Config) -> Self {
        Self::server_for(config, Hello::request())
    }

    /// A server with one client in session that has asked in this way.
    pub(crate) fn server_for(config: Config, request: Hello) -> Self {
        let mut bench = Self::half_open_server_for(config, request);
        bench.pass(&[ack(0xff, 1, bench.time)]);
        assert!(matches!(bench.events.pop(), Some(Event::Connected { data: 77, .. })));
        bench
    }

    pub(crate) fn server_with(quotas: Quotas) -> Self {
        Self::server_of(Self::config(quotas))
    }

    /// A server with one client in session.
    pub(crate) fn server() -> Self {
        Self::server_with(Quotas::default())
    }

    /// A client that has sent its CONNECT.
    pub(crate) fn half_open_client() -> Self {
        let mut config = Config::client(6);
        config.max_packet = MAX_PACKET;
        Self::half_open_client_of(config)
    }

    pub(crate) fn half_open_client_of(config: Config) -> Self {
        let mut bench = Self::new(config, address(6000));
        bench.host.connect(bench.now, bench.peer, CHANNELS as u8, 3).expect("a free place");
        let sent = bench.transmit();
        let (time, Body::Connect { handshake, .. }) = first_of(&sent[0].1) else { panic!("a request") };
        (bench.time, bench.connect_id, bench.session) = (time, handshake.connect_id, 1);
        bench
    }

    /// A client in session.
    pub(crate) fn client() -> Self {
        let mut bench = Self::half_open_client();
        bench.pass(&[Hello::answer(bench.connect_id).verify()]);
        assert!(matches!(bench.events.pop(), Some(Event::Connected { .. })));
        bench
    }

    pub(crate) fn handle(&self) -> PeerHandle {
        self.host.peers().next().expect("a peer")
    }

    /// A connect request from the peer.
    pub(crate) fn knock(&mut self, hello: Hello) -> Result<(), DropReason> {
        self.receive(&datagram(NO_PEER, 0, Some(3), &[hello.connect()]))
    }

    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<(), DropReason> {
        let result = self.host.handle_datagram(self.now, self.peer, bytes, &mut accept);
        while let Some(event) = self.host.poll_event() {
            self.events.push(event);
        }
        result
    }

    /// Sends commands as the peer.
    pub(crate) fn send(&mut self, commands: &[Vec<u8>]) -> Result<(), DropReason> {
        self.receive(&datagram(self.slot, self.session, Some(5), commands))
    }

    /// Sends commands that must pass, in one datagram if they fit.
    pub(crate) fn pass(&mut self, commands: &[Vec<u8>]) {
        let len = 4 + commands.iter().map(Vec::len).sum::<usize>();
        if len > usize::from(MTU) && commands.len() > 1 {
            commands.iter().for_each(|command| self.pass(std::slice::from_ref(command)));
        } else {
            assert_eq!(self.send(commands), Ok(()));
        }
    }

    /// Sends one command that must be refused.
    pub(crate) fn refuse(&mut self, reason: DropReason, command: Vec<u8>) {
        assert_eq!(self.send(&[command]), Err(reason));
    }

    /// Sends reliable packets of one byte in order, with these numbers.
    pub(crate) fn run_to(&mut self, channel: u8, sequences: std::ops::RangeInclusive<u32>) {
        for sequence in sequences {
            self.pass(&[reliable(channel, sequence as u16, 1)]);
        }
        self.transmit();
    }

    /// What the host sends.
    pub(crate) fn transmit(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        self.host.flush(self.now);
        let mut buffer = [0; MTU as usize];
        let mut sent = Vec::new();
        while let Some(nme_enet::Transmit { to, datagram: bytes, .. }) = self.host.poll_transmit(&mut buffer)
        {
            sent.push((to, bytes.to_vec()));
        }
        sent
    }

    /// Lengths and kinds of the packets that have come since the last call.
    pub(crate) fn got(&mut self) -> Vec<(usize, Delivery)> {
        let events = std::mem::take(&mut self.events);
        let packets = events.into_iter().filter_map(|event| match event {
            Event::Received { packet, delivery, .. } => Some((packet.len(), delivery)),
            _ => None,
        });
        packets.collect()
    }

    /// Lengths of the packets that have come.
    pub(crate) fn lengths(&mut self) -> Vec<usize> {
        self.got().into_iter().map(|(len, _)| len).collect()
    }

    pub(crate) fn reassembly_bytes(&self) -> usize {
        self.host.figures().reassembly_bytes
    }
}
