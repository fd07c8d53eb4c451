//! What each transfer mode promises, on a network that loses, doubles, delays and reorders.

use std::time::Duration;

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::codec::Compression;
use nme_core::relay::Target;
use nme_core::session::{Config, Event, SendError, SendOptions};
use nme_netem::Link;
use nme_testing::payload::{number, numbered};
use nme_testing::world::{FRAME, HostId, World};

const SECOND: Duration = Duration::from_secs(1);

const MESSY: Link = Link {
    latency: Duration::from_millis(30),
    jitter: Duration::from_millis(20),
    loss: 0.1,
    duplicate: 0.1,
    reorder: 0.1,
    reorder_delay: Duration::from_millis(60),
    ..Link::PERFECT
};

const CHANNELS: u8 = 6;

/// How a test sends.
#[derive(Clone, Copy)]
struct Way {
    mode: TransferMode,
    channel: TransferChannel,
    always_ordered: bool,
}

impl Way {
    const fn of(mode: TransferMode) -> Self {
        Self { mode, channel: TransferChannel::ByMode, always_ordered: false }
    }

    const fn on(mode: TransferMode, channel: u8) -> Self {
        Self { mode, channel: TransferChannel::Fixed(channel), always_ordered: false }
    }

    const fn to(self, target: Target) -> SendOptions {
        let Self { mode, channel, always_ordered } = self;
        SendOptions { target, mode, channel, always_ordered }
    }
}

fn config(world: &mut World) -> Config {
    world.config().channel_count(CHANNELS)
}

/// A connected pair: server and client.
fn pair(world: &mut World) -> (HostId, HostId) {
    let settings = config(world);
    let server = world.server_with(&settings, 4);
    let settings = config(world);
    let client = world.connect_with(&settings, server);
    world.run(SECOND);
    (server, client)
}

/// What arrived on a channel, by number.
fn numbers_on(world: &World, host: HostId, channel: u8) -> Vec<u32> {
    let packets = world.packets(host);
    packets.iter().filter(|packet| packet.channel == channel).map(|packet| number(&packet.bytes)).collect()
}

/// Sends `count` numbered packets each way over a messy network, three each frame; what the server and the
/// client got, in order.
fn exchange(seed: u64, way: Way, count: u32, sizes: std::ops::Range<usize>) -> [Vec<u32>; 2] {
    let mut world = World::new(seed);
    let (server, client) = pair(&mut world);
    world.set_links(MESSY);
    // ENet gives up after six losses of one command in five seconds, which is to be expected on such a link.
    for (host, peer) in [(server, world.id(client).get()), (client, 1)] {
        world.session_mut(host).set_peer_timeout(peer.into(), 4096, 20_000, 60_000).expect("the peer");
    }
    for first in (0..count).step_by(3) {
        for index in first..(first + 3).min(count) {
            let len = world.random().within(sizes.clone());
            let payload = numbered(index, len);
            for host in [server, client] {
                world.session_mut(host).send(way.to(Target::All), &payload).expect("a connection");
            }
        }
        world.step(FRAME);
    }
    world.run_in_steps(30 * SECOND, 2 * FRAME);
    let expected_channel = way.channel.number();
    let channel = match way.mode {
        _ if expected_channel > 0 => expected_channel as u8,
        TransferMode::Reliable => 1,
        _ => 2,
    };
    let expected_mode = match way.mode {
        TransferMode::Unreliable if way.always_ordered => TransferMode::UnreliableOrdered,
        mode => mode,
    };
    assert_eq!(world.events(server).len(), 1);
    assert_eq!(world.events(client).len(), 2);
    [server, client].map(|host| {
        let packets = world.packets(host);
        let small = packets.iter().filter(|packet| packet.bytes.len() < 1300);
        assert!(small.clone().all(|packet| packet.mode == expected_mode));
        assert!(packets.iter().all(|packet| packet.channel == channel));
        packets.iter().map(|packet| number(&packet.bytes)).collect()
    })
}

fn is_increasing(numbers: &[u32]) -> bool {
    numbers.windows(2).all(|pair| pair[0] < pair[1])
}

fn has_duplicates(numbers: &[u32]) -> bool {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}

#[test]
fn reliable_packets_arrive_once_and_in_order() {
    for way in [Way::of(TransferMode::Reliable), Way::on(TransferMode::Reliable, 4)] {
        for got in exchange(1, way, 1500, 8..3000) {
            assert_eq!(got, (0..1500).collect::<Vec<_>>());
        }
    }
}

#[test]
fn unreliable_ordered_packets_only_go_forward() {
    for way in [Way::of(TransferMode::UnreliableOrdered), Way::on(TransferMode::UnreliableOrdered, 1)] {
        for got in exchange(2, way, 1500, 8..600) {
            assert!(is_increasing(&got));
            // Some are lost and some are late, but not all.
            assert!((500..1450).contains(&got.len()), "{}", got.len());
        }
    }
}

#[test]
fn unreliable_packets_arrive_at_most_once_in_any_order() {
    for way in [Way::of(TransferMode::Unreliable), Way::on(TransferMode::Unreliable, 5)] {
        for got in exchange(3, way, 1500, 8..600) {
            assert!(!has_duplicates(&got));
            assert!(!is_increasing(&got), "nothing overtook anything");
            assert!((500..1450).contains(&got.len()), "{}", got.len());
        }
    }
}

#[test]
fn always_ordered_makes_unreliable_packets_go_forward() {
    let way = Way { always_ordered: true, ..Way::of(TransferMode::Unreliable) };
    for got in exchange(4, way, 1500, 8..600) {
        assert!(is_increasing(&got));
        assert!((500..1450).contains(&got.len()), "{}", got.len());
    }
}

#[test]
fn unreliable_packets_in_fragments_are_whole_and_never_doubled() {
    for mode in [TransferMode::Unreliable, TransferMode::UnreliableOrdered] {
        for got in exchange(5, Way::of(mode), 600, 1000..6000) {
            assert!(!has_duplicates(&got));
            assert!((100..590).contains(&got.len()), "{}", got.len());
        }
    }
}

#[test]
fn a_perfect_network_loses_nothing_and_keeps_the_order() {
    for mode in [TransferMode::Reliable, TransferMode::Unreliable, TransferMode::UnreliableOrdered] {
        let mut world = World::new(6);
        let (server, client) = pair(&mut world);
        for index in 0..2000 {
            let payload = numbered(index, 8 + index as usize % 1000);
            for host in [server, client] {
                world.session_mut(host).send(Way::of(mode).to(Target::All), &payload).expect("a connection");
            }
            if index % 4 == 3 {
                world.step(FRAME);
            }
        }
        world.run(5 * SECOND);
        let channel = if mode == TransferMode::Reliable { 1 } else { 2 };
        for host in [server, client] {
            assert_eq!(numbers_on(&world, host, channel), (0..2000).collect::<Vec<_>>(), "{mode:?}");
            assert_eq!(world.counters(host).dropped_datagrams(), 0);
        }
    }
}

#[test]
fn channels_do_not_wait_for_each_other() {
    let mut world = World::new(7);
    let (server, client) = pair(&mut world);
    world.set_links(MESSY);
    let count = 1200;
    for index in 0..count {
        let channel = 1 + (index % 5) as u8;
        let way = Way::on(TransferMode::Reliable, channel);
        let payload = numbered(index, 8 + index as usize % 400);
        world
            .session_mut(client)
            .send(way.to(Target::One(nme_core::peer::PeerId::SERVER)), &payload)
            .expect("sent");
        if index % 5 == 4 {
            world.step(FRAME);
        }
    }
    world.run(20 * SECOND);
    for channel in 1..CHANNELS {
        let expected: Vec<u32> = (0..count).filter(|index| 1 + (index % 5) as u8 == channel).collect();
        assert_eq!(numbers_on(&world, server, channel), expected, "channel {channel}");
    }
    let all: Vec<u32> = world.packets(server).iter().map(|packet| number(&packet.bytes)).collect();
    assert!(!is_increasing(&all), "the channels waited for each other");
}

#[test]
fn a_stuck_channel_does_not_stop_the_others() {
    let mut world = World::new(8);
    let (server, client) = pair(&mut world);
    let [up, down] = [(client, server), (server, client)].map(|(a, b)| (world.address(a), world.address(b)));
    // The first packet of channel 3 is lost; the others pass before it is sent again.
    world.network().set_link(up.0, up.1, Link::DOWN);
    let to = Target::One(nme_core::peer::PeerId::SERVER);
    world
        .session_mut(client)
        .send(Way::on(TransferMode::Reliable, 3).to(to), &numbered(0, 50))
        .expect("sent");
    world.step(FRAME);
    world.network().clear_link(up.0, up.1);
    world.network().set_link(down.0, down.1, Link::PERFECT);
    for (index, channel) in [(1, 3), (2, 4), (3, 5)] {
        let way = Way::on(TransferMode::Reliable, channel);
        world.session_mut(client).send(way.to(to), &numbered(index, 50)).expect("sent");
    }
    world.step(FRAME);
    world.step(FRAME);
    assert_eq!(world.packets(server).iter().map(|packet| packet.channel).collect::<Vec<_>>(), [4, 5]);
    world.run(5 * SECOND);
    assert_eq!(numbers_on(&world, server, 3), [0, 1]);
}

/// Sizes around everything that is a limit somewhere.
fn sizes() -> Vec<usize> {
    // A fragment carries 1364 bytes, 8 of them the header.
    let mut sizes = vec![1, 2, 7, 8, 9, 500, 1000, 4000, 65_535, 65_536, 65_537, 1 << 20];
    sizes.extend(1340..=1400);
    sizes.extend([2 * 1364 - 9, 2 * 1364 - 8, 2 * 1364 - 7]);
    sizes
}

#[test]
fn every_size_arrives_unchanged_in_every_mode() {
    for mode in [TransferMode::Reliable, TransferMode::Unreliable, TransferMode::UnreliableOrdered] {
        let mut world = World::new(9);
        let (server, client) = pair(&mut world);
        for len in sizes() {
            let payload = world.random().bytes(len);
            for host in [server, client] {
                world.session_mut(host).send(Way::of(mode).to(Target::All), &payload).expect("a connection");
            }
            let arrived = world.run_until(5 * SECOND, |world| {
                [server, client].iter().all(|host| !world.packets(*host).is_empty())
            });
            assert!(arrived, "{len} bytes, {mode:?}");
            for host in [server, client] {
                let packets = world.take_packets(host);
                assert_eq!(packets.len(), 1);
                assert!(packets[0].bytes == payload, "{len} bytes changed, {mode:?}");
            }
        }
        for host in [server, client] {
            assert_eq!(world.counters(host).dropped_datagrams(), 0);
            assert_eq!(world.counters(host).ignored_commands, 0);
        }
    }
}

#[test]
fn the_largest_packet_arrives_and_one_byte_more_is_an_error() {
    const MAX: usize = 16 << 20;
    let mut world = World::new(10);
    // Plain: the range coder takes seconds for so many random bytes.
    let settings = config(&mut world).compression(Compression::None);
    let server = world.server_with(&settings, 4);
    let [client, other] = [(); 2].map(|()| {
        let settings = config(&mut world).compression(Compression::None);
        world.connect_with(&settings, server)
    });
    let payload = world.random().bytes(MAX + 1);
    for mode in [TransferMode::Reliable, TransferMode::Unreliable] {
        let way = Way::of(mode).to(Target::All);
        for host in [server, client] {
            let answer = world.session_mut(host).send(way, &payload);
            assert_eq!(answer, Err(SendError::TooLarge { len: MAX + 1 }));
        }
    }
    // To the server and through it.
    let way = Way::of(TransferMode::Reliable).to(Target::All);
    world.session_mut(client).send(way, &payload[..MAX]).expect("the largest packet");
    let arrived = world
        .run_until(60 * SECOND, |world| [server, other].iter().all(|host| !world.packets(*host).is_empty()));
    assert!(arrived);
    for host in [server, other] {
        let packets = world.take_packets(host);
        assert!(packets[0].bytes == payload[..MAX]);
    }
    // Unreliable: one lost fragment loses it all, and here none is lost.
    let way = Way::of(TransferMode::Unreliable).to(Target::All);
    world.session_mut(server).send(way, &payload[..MAX]).expect("the largest packet");
    assert!(world.run_until(60 * SECOND, |world| !world.packets(client).is_empty()));
    assert!(world.take_packets(client)[0].bytes == payload[..MAX]);
}

#[test]
fn a_large_reliable_packet_arrives_over_a_bad_network() {
    let mut world = World::new(11);
    let (server, client) = pair(&mut world);
    world.set_links(MESSY);
    let payload = world.random().bytes(2 << 20);
    for host in [server, client] {
        let way = Way::of(TransferMode::Reliable).to(Target::All);
        world.session_mut(host).send(way, &payload).expect("a connection");
        world.session_mut(host).send(way, b"behind it").expect("a connection");
    }
    let done = |world: &World| [server, client].iter().all(|host| world.packets(*host).len() == 2);
    assert!(
        world.run_until(300 * SECOND, done),
        "{:?}",
        [server, client].map(|host| world.packets(host).len())
    );
    for host in [server, client] {
        let packets = world.take_packets(host);
        assert!(packets[0].bytes == payload);
        assert_eq!(packets[1].bytes, b"behind it");
    }
}

#[test]
fn an_empty_payload_reaches_nobody_and_harms_nobody() {
    let mut world = World::new(12);
    let (server, client) = pair(&mut world);
    for mode in [TransferMode::Reliable, TransferMode::Unreliable, TransferMode::UnreliableOrdered] {
        for host in [server, client] {
            world.session_mut(host).send(Way::of(mode).to(Target::All), b"").expect("a connection");
            world.session_mut(host).send(Way::of(mode).to(Target::All), b"x").expect("a connection");
        }
    }
    world.run(2 * SECOND);
    for host in [server, client] {
        let payloads: Vec<&[u8]> = world.packets(host).iter().map(|packet| &packet.bytes[..]).collect();
        assert_eq!(payloads, [b"x"; 3]);
        assert_eq!(world.counters(host).dropped_datagrams(), 0);
    }
    assert_eq!(world.events(client).last(), Some(&Event::ConnectionSucceeded));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let way = Way::of(TransferMode::Unreliable);
    assert_eq!(exchange(13, way, 300, 8..3000), exchange(13, way, 300, 8..3000));
    assert_ne!(exchange(13, way, 300, 8..3000), exchange(14, way, 300, 8..3000));
}
