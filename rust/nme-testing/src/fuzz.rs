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
use nme_core::relay::Target;
use nme_core::session::Quotas;
use nme_core::session::{Config, Limits, SendOptions};
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
        let mut bytes = vec![first & 0xb0, peer % 3];
        if first & 8 != 0 && peer > 128 {
            bytes = vec![0x8f, 0xff];
        }
        if bytes[0] & 0x80 != 0 {
            bytes.extend(self.short().to_be_bytes());
        }
        for _ in 0..=self.byte() % 4 {
            self.command(&mut bytes);
        }
        bytes
    }

    fn command(&mut self, bytes: &mut Vec<u8>) {
        let code = CODES[usize::from(self.byte()) % CODES.len()];
        let channel = [0xff, 1, 2, 3, 0, 0xff, 1, 2][usize::from(self.byte() & 7)];
        let sequence = self.number();
        let start = bytes.len();
        bytes.extend([code, channel]);
        bytes.extend(sequence.to_be_bytes());
        match code {
            0x01 | 0x81 => {
                bytes.extend(self.number().to_be_bytes());
                bytes.extend(self.short().to_be_bytes());
            }
            0x82 | 0x83 => {
                bytes.extend([0, self.byte() % 4, 0xff, 0xff]);
                for field in [1392, 65536, 3, 0, 0, 5000, 2, 2] {
                    bytes.extend(u32::to_be_bytes(field));
                }
                bytes.extend([1, 2, 3, self.byte()]);
                if code == 0x82 {
                    bytes.extend([0, 0, 0, self.byte()]);
                }
                self.disturb(&mut bytes[start..]);
            }
            0x84 | 0x44 => bytes.extend([0; 4]),
            0x85 => {}
            0x8a => bytes.extend([[0; 3], [self.byte(); 3]].concat().into_iter().chain([0; 2])),
            0x8b => self.throttle(bytes),
            0x88 | 0x0c => self.fragment(bytes, code, sequence),
            0x86 => self.payload(bytes),
            // Unreliable and unsequenced: a number, then the payload.
            _ => {
                bytes.extend(self.number().to_be_bytes());
                self.payload(bytes);
            }
        }
    }

    fn payload(&mut self, bytes: &mut Vec<u8>) {
        let len = match self.byte() {
            small @ 0..100 => u16::from(small),
            _ => self.short() % 1370,
        };
        bytes.extend(len.to_be_bytes());
        let header = self.take(9.min(len.into())).to_vec();
        let end = bytes.len() + usize::from(len);
        bytes.extend(header);
        bytes.resize(end, 0);
    }

    /// A fragment whose fields fit together, unless some are changed afterwards.
    fn fragment(&mut self, bytes: &mut Vec<u8>, code: u8, sequence: u16) {
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
        let len = FRAGMENT.min(total.saturating_sub(offset));
        let at = bytes.len();
        let first = if code == 0x88 { sequence.wrapping_sub(number as u16) } else { self.number() };
        bytes.extend(first.to_be_bytes());
        bytes.extend((len as u16).to_be_bytes());
        for field in [count, number, total, offset] {
            bytes.extend(field.to_be_bytes());
        }
        self.disturb(&mut bytes[at..]);
        bytes.resize(bytes.len() + len as usize, 0);
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
    fn throttle(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..3 {
            let field = match self.byte() {
                small @ 0..200 => u32::from(small),
                200..250 => u32::from(self.short()),
                _ => u32::MAX - u32::from(self.byte()),
            };
            bytes.extend(field.to_be_bytes());
        }
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
        config = config.limits(Limits { unacknowledged: 400_000, incoming });
    }
    config
}

const MODES: [TransferMode; 3] =
    [TransferMode::Reliable, TransferMode::Unreliable, TransferMode::UnreliableOrdered];

/// Every first byte of a command that ENet or a server that proves addresses sends.
const CODES: [u8; 14] = [0x01, 0x81, 0x82, 0x83, 0x84, 0x44, 0x85, 0x86, 0x07, 0x88, 0x49, 0x8a, 0x8b, 0x0c];

#[cfg(test)]
mod tests {
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
