//! Long runs: honest peers on bad networks are neither cut off nor robbed.

use std::collections::BTreeMap;
use std::time::Duration;

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::codec::Compression;
use nme_core::peer::PeerId;
use nme_core::relay::Target;
use nme_core::session::{Config, SendOptions};
use nme_netem::{Bandwidth, Link};
use nme_testing::payload::{number, numbered};
use nme_testing::world::{FRAME, HostId, World};

const SECOND: Duration = Duration::from_secs(1);

const MODES: [TransferMode; 3] =
    [TransferMode::Reliable, TransferMode::Unreliable, TransferMode::UnreliableOrdered];

const CHANNELS: u8 = 5;

/// A stream of packets of one sender to one receiver, in one mode on one channel.
type Stream = (HostId, HostId, u8, u8);

/// Follows what was sent and checks what arrives.
struct Traffic {
    hosts: Vec<HostId>,
    by_id: BTreeMap<PeerId, HostId>,
    sent: BTreeMap<Stream, u32>,
    /// Next number of reliable and ordered streams.
    next: BTreeMap<Stream, u32>,
    /// Numbers that have come in unordered streams.
    seen: BTreeMap<Stream, Vec<bool>>,
    arrived: [u64; 3],
    /// Channels in use.
    channels: usize,
}

impl Traffic {
    fn new(world: &World, hosts: &[HostId]) -> Self {
        Self {
            hosts: hosts.to_vec(),
            by_id: hosts.iter().map(|host| (world.id(*host), *host)).collect(),
            sent: BTreeMap::new(),
            next: BTreeMap::new(),
            seen: BTreeMap::new(),
            arrived: [0; 3],
            channels: usize::from(CHANNELS) - 1,
        }
    }

    /// Sends one packet from a random host to another one.
    fn send(&mut self, world: &mut World, mode: usize, len: usize) {
        let from = *world.random().pick(&self.hosts);
        let others: Vec<HostId> = self.hosts.iter().copied().filter(|host| *host != from).collect();
        let to = *world.random().pick(&others);
        let channel = 1 + world.random().within(0..self.channels) as u8;
        let count = self.sent.entry((from, to, mode as u8, channel)).or_default();
        // The mode cannot be told from a large unreliable packet, so the payload tells it.
        let payload = numbered((*count << 2) | mode as u32, len);
        *count += 1;
        let options = SendOptions {
            target: Target::One(world.id(to)),
            mode: MODES[mode],
            channel: TransferChannel::Fixed(channel),
            always_ordered: false,
        };
        world.session_mut(from).send(options, &payload).expect("everybody is connected");
    }

    fn check(&mut self, world: &mut World) {
        for to in self.hosts.clone() {
            for packet in world.take_packets(to) {
                let from = self.by_id[&packet.from];
                let number = number(&packet.bytes);
                let (number, mode) = (number >> 2, (number & 3) as u8);
                self.arrived[usize::from(mode)] += 1;
                let stream = (from, to, mode, packet.channel);
                assert!(
                    number < self.sent.get(&stream).copied().unwrap_or_default(),
                    "never sent: {packet:?}"
                );
                if mode == 1 {
                    let seen = self.seen.entry(stream).or_default();
                    let index = number as usize;
                    seen.resize(seen.len().max(index + 1), false);
                    assert!(!std::mem::replace(&mut seen[index], true), "doubled: {packet:?}");
                    continue;
                }
                let next = self.next.entry(stream).or_default();
                if mode == 0 {
                    assert_eq!(number, *next, "out of order: {packet:?}");
                } else {
                    assert!(number >= *next, "late or doubled: {packet:?}");
                }
                *next = number + 1;
            }
        }
    }

    fn all_reliable_arrived(&self) -> bool {
        let reliable = self.sent.iter().filter(|((_, _, mode, _), _)| *mode == 0);
        reliable.into_iter().all(|(stream, sent)| self.next.get(stream) == Some(sent))
    }
}

fn plain(config: Config) -> Config {
    config.compression(Compression::None).channel_count(CHANNELS)
}

/// A server and clients who all know each other.
fn party(seed: u64, clients: usize, configure: fn(Config) -> Config) -> (World, Vec<HostId>) {
    let mut world = World::new(seed);
    let config = configure(world.config());
    let mut hosts = vec![world.server_with(&config, 8)];
    for _ in 0..clients {
        let config = configure(world.config());
        let client = world.connect_with(&config, hosts[0]);
        hosts.push(client);
    }
    world.run(SECOND);
    for host in &hosts {
        assert_eq!(world.known(*host).len(), clients);
        world.take_log(*host);
    }
    (world, hosts)
}

fn assert_all_there(world: &World, hosts: &[HostId]) {
    for host in hosts {
        assert_eq!(world.known(*host).len(), hosts.len() - 1, "{:?} at {:?}", world.log(*host), world.now());
    }
}

/// Two hours of a game with three clients, on links that differ and change.
#[test]
fn hours_of_a_game_on_bad_networks() {
    let (mut world, hosts) = party(1, 3, |config| config.channel_count(CHANNELS));
    let mut traffic = Traffic::new(&world, &hosts);
    let addresses: Vec<_> = hosts.iter().map(|host| world.address(*host)).collect();
    for minute in 0..120 {
        for client in &addresses[1..] {
            for (from, to) in [(addresses[0], *client), (*client, addresses[0])] {
                let random = world.random();
                let link = Link {
                    latency: random.part_of(Duration::from_millis(150)),
                    jitter: random.part_of(Duration::from_millis(60)),
                    loss: random.within(0..8) as f64 / 100.0,
                    duplicate: random.within(0..10) as f64 / 100.0,
                    reorder: random.within(0..10) as f64 / 100.0,
                    reorder_delay: random.part_of(Duration::from_millis(120)),
                    ..Link::PERFECT
                };
                world.network().set_link(from, to, link);
            }
        }
        // Ten frames a second are enough for the emulation, one packet in each.
        for _ in 0..600 {
            if world.random().chance(0.4) {
                let mode = world.random().within(0..3);
                let len = match world.random().within(0..100) {
                    0 => 30_000,
                    1..5 => 4000,
                    5..20 => 1300,
                    _ => 60,
                };
                traffic.send(&mut world, mode, len);
            }
            world.step(SECOND / 10);
        }
        traffic.check(&mut world);
        assert!(traffic.arrived.iter().all(|count| *count > 0), "minute {minute}");
        assert_all_there(&world, &hosts);
    }
    world.run_in_steps(60 * SECOND, SECOND / 10);
    traffic.check(&mut world);
    assert!(traffic.all_reliable_arrived());
    let sent: u32 = traffic.sent.values().sum();
    let arrived: u64 = traffic.arrived.iter().sum();
    assert!(sent > 20_000 && arrived * 10 > u64::from(sent) * 7, "{arrived} of {sent}");
}

/// A connection that is used now and then for three days: numbers that wrap around, clocks of 16 bits.
#[test]
fn days_of_little_traffic() {
    let (mut world, hosts) = party(2, 2, plain);
    let mut traffic = Traffic::new(&world, &hosts);
    world.set_links(Link { loss: 0.02, ..Link::delayed(Duration::from_millis(50)) });
    for _ in 0..3 * 24 * 4 {
        for mode in 0..3 {
            for len in [40, 3000] {
                traffic.send(&mut world, mode, len);
            }
        }
        world.run_in_steps(900 * SECOND, SECOND / 4);
        traffic.check(&mut world);
        assert_all_there(&world, &hosts);
    }
    assert!(traffic.all_reliable_arrived());
}

/// More packets than there are sequence numbers, in all modes on one channel.
#[test]
fn sequence_numbers_wrap_around() {
    let (mut world, hosts) = party(3, 1, plain);
    let link = Link {
        loss: 0.01,
        reorder: 0.02,
        reorder_delay: Duration::from_millis(30),
        ..Link::delayed(Duration::from_millis(5))
    };
    world.set_links(link);
    let mut traffic = Traffic::new(&world, &hosts);
    // Two directions and three modes: 70 000 packets of each.
    traffic.channels = 1;
    for _ in 0..4200 {
        for _ in 0..100 {
            let mode = world.random().within(0..3);
            let len = if world.random().chance(0.002) { 5000 } else { 12 };
            traffic.send(&mut world, mode, len);
        }
        world.step(FRAME);
        traffic.check(&mut world);
    }
    world.run(20 * SECOND);
    traffic.check(&mut world);
    assert_all_there(&world, &hosts);
    assert!(traffic.all_reliable_arrived());
}

/// The numbers of one mode, several times around.
#[test]
fn each_modes_numbers_around_and_around() {
    for mode in MODES {
        let (mut world, hosts) = party(4, 1, plain);
        let (server, client) = (hosts[0], hosts[1]);
        let loss = if mode == TransferMode::Reliable { 0.002 } else { 0.0 };
        world.set_links(Link { loss, ..Link::delayed(Duration::from_millis(2)) });
        let (mut sent, mut next, mut missing) = (0, 0, 0);
        while next < 200_000 {
            // Never so far ahead that the queue grows without end.
            while sent < next + 400 {
                let payload = numbered(sent, 8);
                world.send(client, 1, mode, &payload).expect("a connection");
                sent += 1;
            }
            world.step(FRAME / 2);
            for packet in world.take_packets(server) {
                let number = number(&packet.bytes);
                assert!(number >= next, "{number} behind {next}");
                missing += number - next;
                next = number + 1;
            }
            assert!(world.now() < 3600 * SECOND, "{next} of {sent}");
        }
        assert_eq!(missing, 0, "{mode:?}");
        assert_all_there(&world, &hosts);
    }
}

/// 20 000 packets of every kind: the guard takes every datagram of them.
#[test]
fn the_guard_drops_nothing_of_honest_peers() {
    let (mut world, hosts) = party(5, 2, plain);
    let mut traffic = Traffic::new(&world, &hosts);
    let sizes = [8, 9, 20, 100, 500, 1000, 1355, 1356, 1357, 1364, 1365, 2720, 2721, 5000];
    for sent in 0..20_000 {
        let mode = world.random().within(0..3);
        let len = match sent % 500 {
            0 => 70_000,
            _ => *world.random().pick(&sizes),
        };
        traffic.send(&mut world, mode, len);
        if sent % 6 == 0 {
            world.step(FRAME);
        }
        if sent % 1000 == 0 {
            traffic.check(&mut world);
        }
    }
    world.run(10 * SECOND);
    traffic.check(&mut world);
    assert!(traffic.all_reliable_arrived());
    assert_all_there(&world, &hosts);
    for host in &hosts {
        let counters = world.counters(*host);
        assert_eq!(counters.dropped_datagrams(), 0);
        assert_eq!(counters.ignored_commands, 0);
        assert!(counters.datagrams_received > 1000);
    }
    assert_eq!(traffic.arrived.iter().sum::<u64>(), 20_000);
}

/// Incomplete unreliable packets pile up while the link loses fragments, and are given up.
#[test]
fn large_unreliable_packets_get_through_again_after_losses() {
    for mode in [TransferMode::Unreliable, TransferMode::UnreliableOrdered] {
        let (mut world, hosts) = party(6, 1, plain);
        let (server, client) = (hosts[0], hosts[1]);
        world.set_links(Link { loss: 0.1, ..Link::delayed(Duration::from_millis(20)) });
        let sizes = [64 << 10, 200 << 10, 1 << 20];
        for index in 0..240 {
            for (from, to) in [(server, client), (client, server)] {
                let to = world.id(to).get();
                let len = sizes[index as usize % 3];
                world.send(from, to, mode, &numbered(index, len)).expect("a connection");
            }
            world.run_in_steps(SECOND / 2, SECOND / 20);
        }
        for host in [server, client] {
            world.take_packets(host);
        }
        world.set_links(Link::delayed(Duration::from_millis(20)));
        world.run_in_steps(60 * SECOND, SECOND / 20);
        for index in 1000..1010 {
            for (from, to) in [(server, client), (client, server)] {
                let to = world.id(to).get();
                world.send(from, to, mode, &numbered(index, 1 << 20)).expect("a connection");
            }
            world.run_in_steps(2 * SECOND, SECOND / 20);
        }
        for host in [server, client] {
            let got: Vec<u32> = world.take_packets(host).iter().map(|packet| number(&packet.bytes)).collect();
            assert!(got.ends_with(&(1002..1010).collect::<Vec<_>>()), "{mode:?}: {got:?}");
        }
        assert_all_there(&world, &hosts);
    }
}

/// As above on many channels at once, so that their sum is what fills the quota.
#[test]
#[cfg_attr(feature = "reference-engine", ignore = "stock ENet has no quotas")]
fn large_unreliable_packets_on_many_channels() {
    let (mut world, hosts) = party(7, 1, |config| config.compression(Compression::None).channel_count(60));
    let (server, client) = (hosts[0], hosts[1]);
    world.set_links(Link { loss: 0.1, ..Link::delayed(Duration::from_millis(20)) });
    let options = |channel| SendOptions {
        target: Target::All,
        mode: TransferMode::UnreliableOrdered,
        channel: TransferChannel::Fixed(channel),
        always_ordered: false,
    };
    for round in 0..3 {
        for channel in 1..60 {
            let payload = numbered(round, 700_000);
            world.session_mut(client).send(options(channel), &payload).expect("a connection");
            world.run_in_steps(SECOND / 2, SECOND / 20);
        }
    }
    world.take_packets(server);
    world.set_links(Link::delayed(Duration::from_millis(20)));
    world.run_in_steps(60 * SECOND, SECOND / 20);
    assert!(world.counters(server).evictions > 0, "the quota was never full");
    for lost in [12, 0] {
        for channel in 1..60 {
            world.session_mut(client).send(options(channel), &numbered(9, 700_000)).expect("a connection");
            world.run_in_steps(SECOND, SECOND / 20);
        }
        let got: Vec<u8> = world.take_packets(server).iter().map(|packet| packet.channel).collect();
        assert!(got.len() + lost >= 59, "{got:?}");
    }
    assert_all_there(&world, &hosts);
}

/// A megabyte a second over a link that loses a fifth of it.
#[test]
fn a_fast_reliable_stream_over_a_lossy_link() {
    let (mut world, hosts) = party(8, 1, plain);
    let (server, client) = (hosts[0], hosts[1]);
    let (from, to) = (world.address(client), world.address(server));
    world.network().set_link(from, to, Link { loss: 0.2, ..Link::delayed(Duration::from_millis(5)) });
    world.network().set_link(to, from, Link::delayed(Duration::from_millis(5)));
    // ENet gives up after six losses of one command in five seconds, which among so many is to be expected.
    world.session_mut(client).set_peer_timeout(1, 4096, 20_000, 60_000).expect("the server");
    let count = 20 * 1024;
    let mut sent = 0;
    while world.packets(server).len() < count as usize {
        for _ in 0..16 {
            if sent < count {
                world.send(client, 1, TransferMode::Reliable, &numbered(sent, 1024)).expect("a connection");
                sent += 1;
            }
        }
        world.step(FRAME);
        assert!(world.now() < 600 * SECOND, "{}", world.packets(server).len());
    }
    let got: Vec<u32> = world.take_packets(server).iter().map(|packet| number(&packet.bytes)).collect();
    assert_eq!(got, (0..count).collect::<Vec<_>>());
    assert_all_there(&world, &hosts);
}

/// A slow link with a long queue: the round-trip time grows to more than a second, and nobody gives up.
#[test]
fn a_narrow_link_carries_what_it_can() {
    let (mut world, hosts) = party(9, 1, plain);
    let (server, client) = (hosts[0], hosts[1]);
    let bandwidth = Some(Bandwidth { bytes_per_second: 60_000, queue: 100_000 });
    world.set_links(Link { bandwidth, ..Link::delayed(Duration::from_millis(30)) });
    let payload = world.random().bytes(600_000);
    world.send(client, 1, TransferMode::Reliable, &payload).expect("a connection");
    let mut unreliable = 0;
    for index in 0..3000 {
        world.send(client, 1, TransferMode::Unreliable, &numbered(index, 60)).expect("a connection");
        world.step(FRAME);
        for packet in world.take_packets(server) {
            match packet.mode {
                TransferMode::Reliable => assert!(packet.bytes == payload),
                _ => unreliable += 1,
            }
        }
    }
    assert!(unreliable > 300, "{unreliable}");
    assert_all_there(&world, &hosts);
}
