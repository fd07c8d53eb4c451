//! The bodies of the fuzz targets. Those of the codecs come from `nme-core`. Those about sessions read a program from
//! arbitrary bytes and let a small [`World`] run it.
//!
//! A program is a list of steps: a datagram from somebody to somebody, time that passes, or a call of the game.
//! Datagrams are any bytes, real ones with changes, or commands of the right shape with any numbers in them, so
//! that a program gets deep into the engine without having to guess what a checksum would guess.

use std::net::SocketAddr;
use std::time::Duration;

use nme_core::channel::{TransferChannel, TransferMode};
pub use nme_core::codec::Compression;
pub use nme_core::codec::fuzz::{decode, fastlz_blocks, round_trip};
use nme_core::query::QueryInfo;
pub use nme_core::query::fuzz as query_datagrams;
use nme_core::relay::Target;
use nme_core::session::Quotas;
use nme_core::session::{Config, Limits, SendOptions};
use nme_enet::wire::{
    Body, Command, Fragment, Handshake, Header, NO_PEER, ThrottleSettings, Writer, code, fixed_len,
};
use nme_netem::{Link, Random};

use crate::world::{Datagram, FRAME, HostId, World};

/// Any datagrams from anybody, the peers' own addresses included: nothing may panic, and each host's game sees
/// what makes sense (the world checks that).
pub fn session_datagrams(program: &[u8]) {
    let mut stage = Stage::new(program);
    while !stage.input.is_empty() {
        stage.step(false);
    }
    stage.finish();
}

/// As [`session_datagrams`], but all forged datagrams come from strangers: the connected client must not notice.
///
/// # Panics
/// When it does.
pub fn stranger_datagrams(program: &[u8]) {
    let mut stage = Stage::new(program);
    while !stage.input.is_empty() {
        stage.step(true);
    }
    let Stage { mut world, server, client, .. } = stage;
    for host in [server, client] {
        world.set_paused(host, false);
        world.set_fetching(host, true);
    }
    world.run(10 * FRAME);
    for host in [server, client] {
        world.take_log(host);
        world.send(host, 0, TransferMode::Reliable, b"are you there?").expect("still connected");
    }
    world.run(Duration::from_secs(3));
    for host in [server, client] {
        let arrived = world.packets(host).iter().any(|packet| packet.bytes == b"are you there?");
        assert!(arrived, "{:?}: {:?}", host, world.log(host));
    }
    assert!(world.known(server).contains(&world.id(client)));
}

/// A program from random numbers, for tests.
#[must_use]
pub fn random_program(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let len = random.within(20..1200);
    let mut program = random.bytes(len);
    // Zeros and small numbers are what protocols are made of.
    let density = random.within(0..100) as f64 / 100.0;
    for byte in &mut program {
        if random.chance(density) {
            *byte = random.within(0..6) as u8;
        }
    }
    program
}

/// A server with a client that is connected, one whose handshake is half done, and one that asks nobody.
struct Stage<'a> {
    world: World,
    input: Input<'a>,
    server: HostId,
    client: HostId,
    hosts: Vec<HostId>,
    addresses: Vec<SocketAddr>,
    stranger: SocketAddr,
    real: Vec<Datagram>,
}

impl<'a> Stage<'a> {
    fn new(program: &'a [u8]) -> Self {
        let mut input = Input(program);
        let mut world = World::new(1);
        world.record();
        let kind = input.byte();
        let server_config = config(&mut world, kind);
        let server = world.server_with(&server_config, 3);
        world.session_mut(server).set_query_info(QueryInfo::new(&[]).ok());
        let client_config = config(&mut world, kind);
        let client = world.connect_with(&client_config, server);
        for host in [server, client] {
            world.send(host, 0, TransferMode::Reliable, &[7; 60]).expect("connected");
            world.send(host, 0, TransferMode::Unreliable, &[7; 3000]).expect("connected");
        }
        world.run(2 * FRAME);
        let half_config = config(&mut world, kind);
        let half_open = world.client_with(&half_config, world.address(server));
        let nobody = world.new_address();
        let asking_config = config(&mut world, kind);
        let asking = world.client_with(&asking_config, nobody);
        for host in [half_open, asking] {
            world.poll(host);
        }
        world.poll(server);
        let hosts = vec![server, client, half_open, asking];
        let addresses = hosts.iter().map(|host| world.address(*host)).collect();
        let stranger = world.new_address();
        let real = world.take_recorded();
        Self { world, input, server, client, hosts, addresses, stranger, real }
    }

    fn step(&mut self, only_strangers: bool) {
        match self.input.byte() % 16 {
            0..9 => self.datagram(only_strangers),
            9 | 10 => {
                let millis = u64::from(self.input.byte());
                self.world.step(Duration::from_millis(millis * millis / 64));
            }
            11 => self.drive(only_strangers),
            12 | 13 => self.send(only_strangers),
            14 => self.real.extend(self.world.take_recorded().into_iter().take(64)),
            _ => self.play(only_strangers),
        }
    }

    fn finish(mut self) {
        for host in &self.hosts {
            self.world.set_paused(*host, false);
            self.world.set_fetching(*host, true);
        }
        self.world.run(4 * FRAME);
        self.world.run_in_steps(Duration::from_secs(40), Duration::from_secs(2));
    }

    fn datagram(&mut self, only_strangers: bool) {
        let (route, kind) = (self.input.byte(), self.input.byte());
        let from = match route & 7 {
            index @ 0..4 if !only_strangers => self.addresses[usize::from(index)],
            _ => {
                let mut stranger = self.stranger;
                stranger.set_port(self.input.byte().into());
                stranger
            }
        };
        let to = self.addresses[usize::from(route >> 3 & 3)];
        let bytes = match kind % 4 {
            0 => {
                let len = self.input.short() % 1600;
                self.input.take(len.into()).to_vec()
            }
            1 => self.changed(),
            _ => self.input.commands(),
        };
        self.world.inject(from, to, &bytes);
    }

    /// A real datagram, with some changes.
    fn changed(&mut self) -> Vec<u8> {
        let which = usize::from(self.input.byte()) % self.real.len();
        self.input.changed(self.real[which].bytes.clone())
    }

    fn send(&mut self, quietly: bool) {
        let (who, how, len) = (self.input.byte(), self.input.byte(), self.input.short());
        let host = self.hosts[usize::from(who & 3)];
        let known: Vec<i32> = self.world.known(host).iter().map(|id| id.get()).collect();
        let id = known.get(usize::from(how >> 5)).copied().unwrap_or(0);
        let target = Target::from_number(if how & 16 != 0 { id } else { -id });
        let Some(target) = target.filter(|_| known.contains(&id) || id == 0) else { return };
        let mode = MODES[usize::from(how) % 3];
        let options = SendOptions {
            target,
            mode,
            channel: TransferChannel::Fixed(1 + (who >> 4) % 3),
            always_ordered: how & 8 != 0,
        };
        // Mostly short: what is long costs much time and shows little.
        let len = if quietly || how & 0xc0 != 0xc0 { len % 500 } else { len };
        // Who is not connected cannot send, and that is fine.
        let _ = self.world.session_mut(host).send(options, &vec![how; len.into()]);
    }

    /// Something a game does that disturbs no other.
    fn play(&mut self, quietly: bool) {
        let (what, who) = (self.input.byte(), self.input.byte());
        let host = self.hosts[usize::from(who & 3)];
        match what % 8 {
            0 => self.world.set_fetching(host, who & 0x80 != 0),
            1 => self.world.fetch(host),
            2 => self.world.flush(host),
            3 => self.world.session_mut(self.server).set_refuse_new_connections(who & 0x80 != 0),
            _ if quietly => {}
            4 => {
                let known: Vec<_> = self.world.known(self.server).iter().copied().collect();
                if let Some(peer) = known.get(usize::from(who & 3)) {
                    self.world.kick(self.server, *peer, who & 0x80 != 0).expect("a peer that the game knows");
                }
            }
            5 => self.world.set_paused(host, who & 0x80 != 0),
            6 => {
                let (minimum, maximum) = (i64::from(who) + 1, i64::from(who) * 100 + 1000);
                // Fails for peers that are not there.
                let _ = self.world.session_mut(host).set_peer_timeout(1, 1, minimum, maximum);
            }
            _ if host == self.server => {}
            _ => self.world.close(host),
        }
    }

    fn drive(&mut self, quietly: bool) {
        match self.input.byte() % 4 {
            0 => self.world.poll(self.server),
            1 => self.world.poll(self.client),
            2 if !quietly => self.world.set_links(Link { loss: 0.3, ..Link::delayed(FRAME) }),
            _ => self.world.set_links(Link::PERFECT),
        }
    }
}

/// What is left of a program. Behind its end are zeros.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl Input<'_> {
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    pub(crate) fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// A sequence number: mostly one that is near to the first.
    pub(crate) fn number(&mut self) -> u16 {
        match self.byte() {
            near @ 0..240 => u16::from(near % 40),
            _ => self.short(),
        }
    }

    pub(crate) fn take(&mut self, len: usize) -> &[u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Commands of the right shape.
    pub(crate) fn commands(&mut self) -> Vec<u8> {
        let (first, peer) = (self.byte(), self.byte());
        let (peer, session, is_timed) = if first & 8 != 0 && peer > 128 {
            (NO_PEER, 0, true)
        } else {
            (u16::from(peer % 3), first >> 4 & 3, first >> 7 != 0)
        };
        let sent_time = is_timed.then(|| self.short());
        let header = Header { peer, session, sent_time, compressed: false };
        let mut bytes = vec![0; header.len()];
        header.write(&mut Writer::new(&mut bytes));
        for _ in 0..=self.byte() % 4 {
            self.command(&mut bytes);
        }
        bytes
    }

    fn command(&mut self, bytes: &mut Vec<u8>) {
        let code = CODES[usize::from(self.byte()) % CODES.len()];
        let channel = [0xff, 1, 2, 3, 0, 0xff, 1, 2][usize::from(self.byte() & 7)];
        let sequence = self.number();
        let body = match code {
            code::ACKNOWLEDGE | code::PROBE => {
                Body::Acknowledge { sequence: self.number(), sent_time: self.short() }
            }
            code::CONNECT => Body::Connect { handshake: self.handshake(), data: self.byte().into() },
            code::VERIFY => Body::Verify { handshake: self.handshake() },
            code::DISCONNECT | code::DISCONNECT_UNSEQUENCED => Body::Disconnect { data: 0 },
            code::PING => Body::Ping {},
            code::BANDWIDTH_LIMIT => {
                let limit = u32::from(self.byte());
                Body::BandwidthLimit { incoming: limit, outgoing: limit * 0x0101_0000 }
            }
            code::THROTTLE_CONFIGURE => Body::ThrottleConfigure { throttle: self.throttle() },
            code::FRAGMENT => Body::Fragment { fragment: self.fragment(Some(sequence)) },
            code::UNRELIABLE_FRAGMENT => Body::UnreliableFragment { fragment: self.fragment(None) },
            code::RELIABLE => Body::Reliable { len: self.len() },
            code::UNRELIABLE => Body::Unreliable { number: self.number(), len: self.len() },
            _ => Body::Unsequenced { group: self.number(), len: self.len() },
        };
        let start = bytes.len();
        Command { code, channel, sequence, body }.append_to(bytes);
        let end = bytes.len() + body.payload_len();
        match body {
            Body::Connect { .. } | Body::Verify { .. } => self.disturb(&mut bytes[start..]),
            // Code, channel and sequence number stay.
            Body::Fragment { .. } | Body::UnreliableFragment { .. } => {
                self.disturb(&mut bytes[start + fixed_len(code::PING)..]);
            }
            _ => bytes.extend(self.take(9.min(body.payload_len()))),
        }
        bytes.resize(end, 0);
    }

    fn handshake(&mut self) -> Handshake {
        Handshake {
            peer: (self.byte() % 4).into(),
            incoming_session: 0xff,
            outgoing_session: 0xff,
            mtu: 1392,
            window: 65536,
            channels: 3,
            in_bandwidth: 0,
            out_bandwidth: 0,
            throttle: ThrottleSettings { interval: 5000, acceleration: 2, deceleration: 2 },
            connect_id: u32::from_be_bytes([1, 2, 3, self.byte()]),
        }
    }

    /// Length of a payload.
    fn len(&mut self) -> u16 {
        match self.byte() {
            small @ 0..100 => small.into(),
            _ => self.short() % 1370,
        }
    }

    /// A fragment whose fields fit together: of a reliable packet with this sequence number, or of an unreliable one.
    fn fragment(&mut self, sequence: Option<u16>) -> Fragment {
        const FRAGMENT: u32 = 1364;
        let total = match self.byte() % 4 {
            0 => FRAGMENT + 1 + u32::from(self.byte()),
            1 => u32::from(self.short()) + FRAGMENT + 1,
            2 => (u32::from(self.short()) << 9) + FRAGMENT + 1,
            _ => 2 * FRAGMENT,
        };
        let count = total.div_ceil(FRAGMENT);
        let number = u32::from(self.byte()) % count;
        let offset = number * FRAGMENT;
        let len = FRAGMENT.min(total.saturating_sub(offset)) as u16;
        let start = sequence.map_or_else(|| self.number(), |sequence| sequence.wrapping_sub(number as u16));
        Fragment { start, len, count, number, total, offset }
    }

    /// Changes one byte now and then.
    fn disturb(&mut self, bytes: &mut [u8]) {
        if self.byte() > 200 {
            let (at, value) = (usize::from(self.byte()), self.byte());
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
    }

    /// Settings of a throttle: mostly some that a game could use.
    fn throttle(&mut self) -> ThrottleSettings {
        let mut field = || match self.byte() {
            small @ 0..200 => u32::from(small),
            200..250 => u32::from(self.short()),
            _ => u32::MAX - u32::from(self.byte()),
        };
        ThrottleSettings { interval: field(), acceleration: field(), deceleration: field() }
    }

    /// A datagram with some changes.
    pub(crate) fn changed(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        for _ in 0..self.byte() % 5 {
            let (at, value) = (usize::from(self.byte()), self.byte());
            match bytes.get_mut(at) {
                Some(byte) => *byte = value,
                None => bytes.truncate(bytes.len().saturating_sub(value.into())),
            }
        }
        bytes
    }
}

fn config(world: &mut World, kind: u8) -> Config {
    let compression = if kind % 8 == 7 { Compression::RangeCoder } else { Compression::None };
    let mut config = world.config().compression(compression).channel_count(4).server_relay(kind & 2 == 0);
    if kind & 4 != 0 {
        let incoming =
            Quotas { fragment_bytes: 20_000, fragment_packets: 3, ahead_commands: 6, ahead_bytes: 5000 };
        config = config.limits(Limits { unacknowledged: 400_000, stalled: 200_000, incoming });
    }
    config
}

const MODES: [TransferMode; 3] =
    [TransferMode::Reliable, TransferMode::Unreliable, TransferMode::UnreliableOrdered];

/// Every first byte of a command that ENet or a server that proves addresses sends.
const CODES: [u8; 14] = [
    code::ACKNOWLEDGE,
    code::PROBE,
    code::CONNECT,
    code::VERIFY,
    code::DISCONNECT,
    code::DISCONNECT_UNSEQUENCED,
    code::PING,
    code::RELIABLE,
    code::UNRELIABLE,
    code::FRAGMENT,
    code::UNSEQUENCED,
    code::BANDWIDTH_LIMIT,
    code::THROTTLE_CONFIGURE,
    code::UNRELIABLE_FRAGMENT,
];

#[cfg(test)]
mod tests {
    use nme_core::query::{Answer, Question, Value};

    use super::*;

    #[test]
    fn session_datagrams_runs() {
        session_datagrams(&[]);
        for seed in 0..400 {
            session_datagrams(&random_program(seed));
        }
    }

    #[test]
    fn stranger_datagrams_runs() {
        stranger_datagrams(&[]);
        for seed in 0..300 {
            stranger_datagrams(&random_program(seed));
        }
    }

    #[test]
    fn the_codecs_run() {
        for seed in 0..400 {
            let input = random_program(seed);
            for mode in [Compression::RangeCoder, Compression::FastLz, Compression::Zlib, Compression::Zstd] {
                decode(mode, &input);
                round_trip(mode, &input);
            }
            fastlz_blocks(&input);
        }
    }

    #[test]
    fn query_datagrams_runs() {
        let text = |text: &str| Value::Text(text.to_owned());
        let list = Value::Array(vec![Value::Float(0.1), Value::Bool(true), Value::Null]);
        let info = QueryInfo::new(&[(text("name"), text("x")), (Value::Int(1 << 40), list)]).expect("short");
        let (players, max_players, is_refusing, is_encrypted) = (1, 2, true, false);
        let answer = Answer {
            nonce: 1,
            server: 2,
            players,
            max_players,
            is_refusing,
            is_encrypted,
            info: info.bytes(),
        };
        let samples = [Question { nonce: 3 }.write(), answer.write(), info.bytes().to_vec()];
        let mut random = Random::new(5);
        for _ in 0..20_000 {
            let mut bytes = random.pick(&samples).clone();
            for _ in 0..random.within(0..4) {
                let place = random.within(0..bytes.len());
                bytes[place] = random.bits() as u8;
            }
            bytes.truncate(random.within(0..2 * bytes.len()));
            query_datagrams(&bytes);
        }
    }

    #[test]
    fn programs_reach_the_game() {
        // Without this, the programs could all end at the guard and prove nothing.
        let mut ended = 0;
        for seed in 0..200 {
            let program = random_program(seed);
            let mut stage = Stage::new(&program);
            while !stage.input.is_empty() {
                stage.step(false);
            }
            stage.world.run(2 * FRAME);
            ended += u32::from(!stage.world.known(stage.server).contains(&stage.world.id(stage.client)));
        }
        assert!((2..190).contains(&ended), "{ended} of 200 programs ended the connection");
    }
}
