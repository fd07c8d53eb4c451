//! A host, and a peer whose datagrams are made by hand.
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::time::Duration;

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
pub(crate) fn datagram(peer: u16, session: u8, time: Option<u16>, commands: &[Vec<u8>]) -> Vec<u8> {
    let flag = if time.is_some() { 0x8000 } else { 0 };
    let mut bytes = (peer | u16::from(session) << 12 | flag).to_be_bytes().to_vec();
    bytes.extend(time.iter().flat_map(|time| time.to_be_bytes()));
    bytes.extend(commands.iter().flatten());
    bytes
}

pub(crate) fn command(code: u8, channel: u8, sequence: u16) -> Vec<u8> {
    let [high, low] = sequence.to_be_bytes();
    vec![code, channel, high, low]
}

pub(crate) fn u16s(mut bytes: Vec<u8>, fields: &[u16]) -> Vec<u8> {
    bytes.extend(fields.iter().flat_map(|field| field.to_be_bytes()));
    bytes
}

pub(crate) fn u32s(mut bytes: Vec<u8>, fields: &[u32]) -> Vec<u8> {
    bytes.extend(fields.iter().flat_map(|field| field.to_be_bytes()));
    bytes
}

fn padded(mut bytes: Vec<u8>, len: u16) -> Vec<u8> {
    bytes.resize(bytes.len() + usize::from(len), 0x55);
    bytes
}

pub(crate) fn ack(channel: u8, sequence: u16, time: u16) -> Vec<u8> {
    u16s(command(0x01, channel, sequence), &[sequence, time])
}

/// An acknowledgement that asks for one.
pub(crate) fn probe(channel: u8, sequence: u16) -> Vec<u8> {
    u16s(command(0x81, channel, sequence), &[0, 0x7fff])
}

pub(crate) fn ping() -> Vec<u8> {
    command(0x85, 0xff, 7)
}

pub(crate) fn disconnect() -> Vec<u8> {
    u32s(command(0x84, 0xff, 9), &[0])
}

pub(crate) fn reliable(channel: u8, sequence: u16, len: u16) -> Vec<u8> {
    padded(u16s(command(0x86, channel, sequence), &[len]), len)
}

pub(crate) fn unreliable(channel: u8, sequence: u16, number: u16, len: u16) -> Vec<u8> {
    padded(u16s(command(0x07, channel, sequence), &[number, len]), len)
}

pub(crate) fn unsequenced(channel: u8, group: u16, len: u16) -> Vec<u8> {
    padded(u16s(command(0x49, channel, 0), &[group, len]), len)
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
        Self { code: 0x88, channel, sequence, start, len, count: total.div_ceil(F), number, total, offset }
    }

    pub(crate) fn unreliable(channel: u8, sequence: u16, start: u16, total: u32, number: u32) -> Self {
        Self { code: 0x0c, sequence, ..Self::reliable(channel, start, total, number) }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let fixed = u16s(command(self.code, self.channel, self.sequence), &[self.start, self.len]);
        padded(u32s(fixed, &[self.count, self.number, self.total, self.offset]), self.len)
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
            channel: 0xff,
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

    fn command(&self, code: u8) -> Vec<u8> {
        let mut bytes = u16s(command(code, self.channel, 1), &[self.peer]);
        bytes.extend(self.sessions);
        let bytes = u32s(bytes, &[self.mtu, self.window, self.channels, 0, 0]);
        let bytes = u32s(bytes, &self.throttle);
        u32s(bytes, &[self.connect_id])
    }

    pub(crate) fn connect(&self) -> Vec<u8> {
        u32s(self.command(0x82), &[77])
    }

    pub(crate) fn verify(&self) -> Vec<u8> {
        self.command(0x83)
    }
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
        let [(_, verify)] = &sent[..] else { panic!("an answer") };
        bench.time = u16::from_be_bytes([verify[2], verify[3]]);
        bench.slot = u16::from_be_bytes([verify[8], verify[9]]);
        bench.session = verify[11];
        bench
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
        let connect = &sent[0].1;
        assert_eq!(connect.len(), 52);
        bench.time = u16::from_be_bytes([connect[2], connect[3]]);
        bench.connect_id = u32::from_be_bytes([connect[44], connect[45], connect[46], connect[47]]);
        bench.session = 1;
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
        self.receive(&datagram(0xfff, 0, Some(3), &[hello.connect()]))
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
        while let Some((to, bytes)) = self.host.poll_transmit(&mut buffer) {
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

    pub(crate) fn held(&self) -> usize {
        self.host.figures().held
    }
}
