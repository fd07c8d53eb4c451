//! Tests of the guard by topic, against command streams made by hand.

mod bytes;
mod commands;
mod departure;
mod disconnect;
mod engine;
mod eviction;
mod fuzz;
mod handshake;
mod ledger;
mod mtu;
mod quotas;
mod reference;
mod reliable;
mod unreliable;

use std::net::SocketAddr;

use super::slot::Slot;
use super::{DropReason, Guard, GuardConfig, Passed, Quotas, Role};

const MTU: u16 = 1392;
/// Largest payload of one command.
const F: u32 = 1364;
const MAX_PACKET: usize = (16 << 20) + 8;
const CHANNELS: u32 = 3;
const CONNECT_ID: u32 = 0xa1b2_c3d4;
/// The peer's session bits in headers towards the guard's host, and those of the host.
const SESSION_IN: u8 = 2;
const SESSION_OUT: u8 = 1;
/// Slot of the peer that [`Bench`] opens.
const SLOT: u16 = 1;

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 7], port))
}

fn config(role: Role, quotas: Quotas) -> GuardConfig {
    let slots = if role == Role::Server { 4 } else { 1 };
    GuardConfig { role, slots, mtu: MTU, peer_mtu: (MTU, MTU), max_packet: MAX_PACKET, quotas }
}

/// A header and commands.
fn datagram(peer: u16, session: u8, time: Option<u16>, commands: &[Vec<u8>]) -> Vec<u8> {
    let flag = if time.is_some() { 0x8000 } else { 0 };
    let mut bytes = (peer | u16::from(session) << 12 | flag).to_be_bytes().to_vec();
    bytes.extend(time.iter().flat_map(|time| time.to_be_bytes()));
    bytes.extend(commands.iter().flatten());
    bytes
}

fn command(code: u8, channel: u8, sequence: u16) -> Vec<u8> {
    let [high, low] = sequence.to_be_bytes();
    vec![code, channel, high, low]
}

fn u16s(mut bytes: Vec<u8>, fields: &[u16]) -> Vec<u8> {
    bytes.extend(fields.iter().flat_map(|field| field.to_be_bytes()));
    bytes
}

fn u32s(mut bytes: Vec<u8>, fields: &[u32]) -> Vec<u8> {
    bytes.extend(fields.iter().flat_map(|field| field.to_be_bytes()));
    bytes
}

fn padded(mut bytes: Vec<u8>, len: u16) -> Vec<u8> {
    bytes.resize(bytes.len() + usize::from(len), 0x55);
    bytes
}

fn ack(channel: u8, sequence: u16, time: u16) -> Vec<u8> {
    u16s(command(0x01, channel, sequence), &[sequence, time])
}

fn ping() -> Vec<u8> {
    command(0x85, 0xff, 7)
}

fn disconnect() -> Vec<u8> {
    u32s(command(0x84, 0xff, 9), &[0])
}

fn reliable(channel: u8, sequence: u16, len: u16) -> Vec<u8> {
    padded(u16s(command(0x86, channel, sequence), &[len]), len)
}

fn unreliable(channel: u8, sequence: u16, number: u16, len: u16) -> Vec<u8> {
    padded(u16s(command(0x07, channel, sequence), &[number, len]), len)
}

fn unsequenced(channel: u8, group: u16, len: u16) -> Vec<u8> {
    padded(u16s(command(0x49, channel, 0), &[group, len]), len)
}

/// The fields of a fragment, as ENet would fill them in.
#[derive(Clone, Copy)]
struct Piece {
    code: u8,
    channel: u8,
    sequence: u16,
    start: u16,
    len: u16,
    count: u32,
    number: u32,
    total: u32,
    offset: u32,
}

impl Piece {
    fn reliable(channel: u8, start: u16, total: u32, number: u32) -> Self {
        let offset = number * F;
        let len = F.min(total.saturating_sub(offset)) as u16;
        let sequence = start.wrapping_add(number as u16);
        Self { code: 0x88, channel, sequence, start, len, count: total.div_ceil(F), number, total, offset }
    }

    fn unreliable(channel: u8, sequence: u16, start: u16, total: u32, number: u32) -> Self {
        Self { code: 0x0c, sequence, ..Self::reliable(channel, start, total, number) }
    }

    fn bytes(&self) -> Vec<u8> {
        let fixed = u16s(command(self.code, self.channel, self.sequence), &[self.start, self.len]);
        padded(u32s(fixed, &[self.count, self.number, self.total, self.offset]), self.len)
    }
}

fn fragment(channel: u8, start: u16, total: u32, number: u32) -> Vec<u8> {
    Piece::reliable(channel, start, total, number).bytes()
}

fn unreliable_fragment(channel: u8, sequence: u16, start: u16, total: u32, number: u32) -> Vec<u8> {
    Piece::unreliable(channel, sequence, start, total, number).bytes()
}

/// The fields of a CONNECT or VERIFY_CONNECT.
#[derive(Clone, Copy)]
struct Hello {
    channel: u8,
    peer: u16,
    sessions: [u8; 2],
    mtu: u32,
    window: u32,
    channels: u32,
    throttle: [u32; 3],
    connect_id: u32,
}

impl Hello {
    /// What a client that has just started says.
    const fn request() -> Self {
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

    /// What a server answers that has put the client into `slot`.
    const fn answer(slot: u16) -> Self {
        Self { peer: slot, sessions: [SESSION_OUT, SESSION_IN], ..Self::request() }
    }

    fn command(&self, code: u8) -> Vec<u8> {
        let mut bytes = u16s(command(code, self.channel, 1), &[self.peer]);
        bytes.extend(self.sessions);
        let bytes = u32s(bytes, &[self.mtu, self.window, self.channels, 0, 0]);
        let bytes = u32s(bytes, &self.throttle);
        u32s(bytes, &[self.connect_id])
    }

    fn connect(&self) -> Vec<u8> {
        u32s(self.command(0x82), &[77])
    }

    fn verify(&self) -> Vec<u8> {
        self.command(0x83)
    }
}

/// A guard and one peer that talks to it.
struct Bench {
    guard: Guard,
    peer: SocketAddr,
    slot: u16,
    session: u8,
}

/// Clock of the guard's own host while [`Bench`] shakes hands.
const TIME: u16 = 1000;

impl Bench {
    /// A server whose host has answered a client, and waits for the acknowledgement.
    fn half_open_server(quotas: Quotas) -> Self {
        let mut guard = Guard::new(config(Role::Server, quotas));
        let verify = datagram(0, SESSION_OUT, Some(TIME), &[Hello::answer(SLOT).verify()]);
        guard.observe_outgoing(address(5000), &verify);
        Self { guard, peer: address(5000), slot: SLOT, session: SESSION_IN }
    }

    fn server_with(quotas: Quotas) -> Self {
        let mut bench = Self::half_open_server(quotas);
        bench.pass(&[ack(0xff, 1, TIME)]);
        bench
    }

    /// A server with one client in session.
    fn server() -> Self {
        Self::server_with(Quotas::default())
    }

    /// A client that has sent its CONNECT.
    fn half_open_client() -> Self {
        let mut guard = Guard::new(config(Role::Client, Quotas::default()));
        guard.observe_outgoing(address(6000), &datagram(0xfff, 0, Some(TIME), &[Hello::request().connect()]));
        Self { guard, peer: address(6000), slot: 0, session: SESSION_OUT }
    }

    /// A client in session.
    fn client() -> Self {
        let mut bench = Self::half_open_client();
        bench.pass(&[Hello::answer(SLOT).verify()]);
        bench
    }

    fn inspect(&mut self, bytes: &mut [u8]) -> Result<Passed, DropReason> {
        self.guard.inspect(self.peer, bytes)
    }

    /// Sends commands as the peer.
    fn send(&mut self, commands: &[Vec<u8>]) -> Result<Passed, DropReason> {
        self.inspect(&mut datagram(self.slot, self.session, Some(5), commands))
    }

    /// Sends commands that must pass whole, in one datagram if they fit.
    fn pass(&mut self, commands: &[Vec<u8>]) {
        let len = 4 + commands.iter().map(Vec::len).sum::<usize>();
        if len > usize::from(MTU) && commands.len() > 1 {
            commands.iter().for_each(|command| self.pass(std::slice::from_ref(command)));
        } else {
            assert_eq!(self.send(commands).map(|passed| passed.len), Ok(len));
        }
    }

    /// Sends one command that must be refused.
    fn refuse(&mut self, reason: DropReason, command: Vec<u8>) {
        assert_eq!(self.send(&[command]), Err(reason));
    }

    /// Sends reliable packets of one byte in order, up to and with this number.
    fn run_to(&mut self, channel: u8, sequences: std::ops::RangeInclusive<u32>) {
        for sequence in sequences {
            self.pass(&[reliable(channel, sequence as u16, 1)]);
        }
    }

    fn model(&self) -> &Slot {
        self.guard.slots[usize::from(self.slot)].as_deref().unwrap()
    }

    /// Last delivered reliable number and what is ahead of it.
    fn reliable_state(&self, channel: u8) -> (u64, Vec<u64>) {
        let (reliable, _) = self.model().channel(channel).unwrap().halves();
        (reliable.delivered(), reliable.held().collect())
    }

    /// Keys of the unreliable packets that are kept.
    fn unreliable_state(&self, channel: u8) -> Vec<(u64, u16)> {
        self.model().channel(channel).unwrap().halves().1.held().collect()
    }
}
