//! ENet's throttle: nothing is dropped on an idle link, whatever the frames, and a narrow link is not flooded.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use nme_core::channel::TransferMode;
use nme_core::session::{PeerError, ThrottleError};
use nme_netem::{Bandwidth, Link};
use nme_testing::payload::{number, numbered};
use nme_testing::world::{HostId, World};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A server and a client that connect while they are polled once in `step`.
fn pair(latency: Duration, step: Duration) -> (World, HostId, HostId) {
    let mut world = World::new(11);
    world.set_links(Link::delayed(latency));
    let server = world.server(4);
    let address = world.address(server);
    let client = world.client(address);
    for _ in 0..2000 {
        world.step(step);
    }
    assert_eq!(world.known(server).len(), 1);
    assert_eq!(world.known(client).len(), 1);
    (world, server, client)
}

/// The share of unreliable packets that arrive, of two in each frame and direction. Some traffic is reliable, so that
/// there are many round trips to learn from.
fn share(world: &mut World, server: HostId, client: HostId, frame: Duration, time: Duration) -> f64 {
    let ends = [(server, world.id(client).get(), client), (client, 1, server)];
    let end = world.now() + time;
    let (mut sent, mut arrived) = (0, 0);
    while world.now() < end {
        for (from, to, _) in ends {
            for mode in [TransferMode::Unreliable, TransferMode::UnreliableOrdered, TransferMode::Reliable] {
                world.send(from, to, mode, &numbered(sent, 48)).unwrap();
            }
        }
        sent += 4;
        world.step(frame);
    }
    world.run(SECOND);
    for (_, _, at) in ends {
        let packets = world.take_packets(at);
        arrived += packets.iter().filter(|packet| packet.mode != TransferMode::Reliable).count();
    }
    arrived as f64 / f64::from(sent)
}

#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet's throttle takes every longer round trip for a queue"
)]
#[test]
fn an_idle_link_carries_everything_after_the_frame_rate_has_changed() {
    let frames =
        [(MS / 2, 16 * MS), (2 * MS, 33 * MS), (8 * MS, 16 * MS), (16 * MS, 33 * MS), (16 * MS, 50 * MS)];
    for latency in [MS / 10, 60 * MS] {
        for (before, after) in frames {
            let (mut world, server, client) = pair(latency, before);
            let first = share(&mut world, server, client, before, 6 * SECOND);
            let second = share(&mut world, server, client, after, 12 * SECOND);
            let third = share(&mut world, server, client, before, 6 * SECOND);
            for share in [first, second, third] {
                assert!(share >= 0.99, "{share} with {latency:?}, {before:?} to {after:?}");
            }
        }
    }
}

#[test]
fn a_single_long_frame_costs_nothing() {
    let (mut world, server, client) = pair(15 * MS, 16 * MS);
    for pause in [50, 100, 250, 500] {
        share(&mut world, server, client, 16 * MS, 6 * SECOND);
        world.step(pause * MS);
        let share = share(&mut world, server, client, 16 * MS, 5 * SECOND);
        assert!(share >= 0.99, "{share} behind {pause} ms");
    }
}

#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet's throttle takes every longer round trip for a queue"
)]
#[test]
fn a_jittery_link_carries_everything() {
    let (mut world, server, client) = pair(40 * MS, 16 * MS);
    world.set_links(Link { jitter: 25 * MS, ..Link::delayed(40 * MS) });
    let share = share(&mut world, server, client, 16 * MS, 20 * SECOND);
    assert!(share >= 0.99, "{share}");
}

/// What came through a narrow link after its first 20 s.
#[derive(Debug)]
struct Flow {
    /// Bytes/s.
    rate: f64,
    /// How long packets took: the half of them, and all.
    median: Duration,
    longest: Duration,
    /// Datagrams that found the queue full, in all.
    overflowed: u64,
}

/// Two unreliable packets of 900 bytes a frame, 112 kB/s, through a narrow link, and a small reliable one in every few
/// frames, which ENet learns the round-trip time from; with 0, only pings measure.
fn flood(bandwidth: Bandwidth, reliable_every: u32) -> Flow {
    let (mut world, server, client) = pair(20 * MS, 16 * MS);
    let (from, to) = (world.address(server), world.address(client));
    world.network().set_link(from, to, Link { bandwidth: Some(bandwidth), ..Link::delayed(20 * MS) });
    let id = world.id(client).get();
    let payload_of = |index: u32| numbered(index, 900);
    let start = world.now();
    let mut sent_at = Vec::new();
    let (mut arrived, mut late) = (0, Vec::new());
    for index in 0..60 * 62 {
        sent_at.push(world.now());
        for copy in 0..2 {
            world.send(server, id, TransferMode::Unreliable, &payload_of(index * 2 + copy)).unwrap();
        }
        if reliable_every > 0 && index % reliable_every == 0 {
            world.send(server, id, TransferMode::Reliable, &numbered(0, 8)).unwrap();
        }
        world.step(16 * MS);
        for packet in world.take_packets(client) {
            if packet.mode == TransferMode::Unreliable && world.now() > start + 20 * SECOND {
                arrived += 1;
                late.push(world.now() - sent_at[number(&packet.bytes) as usize / 2]);
            }
        }
    }
    assert_eq!(world.known(client).len(), 1);
    let seconds = (world.now() - start - 20 * SECOND).as_secs_f64();
    late.sort_unstable();
    Flow {
        rate: f64::from(arrived) * 916.0 / seconds,
        median: late[late.len() / 2],
        longest: late[late.len() - 1],
        overflowed: world.network().counters().overflowed,
    }
}

#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet's throttle takes every longer round trip for a queue"
)]
#[test]
fn a_narrow_link_is_not_flooded() {
    // A queue of 1.5 s. Most of the link is used, and its queue is almost never full: ENet by itself keeps it full for
    // ever.
    let flow = flood(Bandwidth { bytes_per_second: 40_000, queue: 60_000 }, 6);
    assert!(flow.rate > 25_000.0, "{flow:?}");
    assert!(flow.median < 800 * MS && flow.longest < 1400 * MS, "{flow:?}");
    assert!(flow.overflowed < 200, "{flow:?}");
}

#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet's throttle takes every longer round trip for a queue"
)]
#[test]
fn queues_of_any_size_drain() {
    // Bytes/s, the queue in ms, how often a reliable packet measures, and the largest median.
    let links = [
        (40_000, 4000, 1, 250),
        (40_000, 4000, 6, 250),
        (40_000, 4000, 20, 600),
        (90_000, 4000, 0, 600),
        (90_000, 4000, 6, 150),
        (90_000, 1000, 20, 350),
        (105_000, 2000, 0, 500),
        (105_000, 2000, 6, 200),
        (20_000, 2000, 6, 400),
        (60_000, 300, 6, 200),
    ];
    for (bytes_per_second, queue, reliable_every, median) in links {
        let queue = bytes_per_second * queue / 1000;
        let flow = flood(Bandwidth { bytes_per_second, queue }, reliable_every);
        let used = flow.rate / bytes_per_second as f64;
        assert!(used > 0.75 && flow.median < median * MS, "{used} of {bytes_per_second}, {queue}: {flow:?}");
    }
}

#[test]
fn the_throttle_can_be_set() {
    let (mut world, server, client) = pair(20 * MS, 16 * MS);
    let id = i64::from(world.id(client).get());
    let session = world.session_mut(server);
    assert_eq!(session.set_peer_throttle(3, 1, 1, 1), Err(ThrottleError::Peer(PeerError::Unknown(3))));
    for (interval, acceleration, deceleration) in [(-1, 0, 0), (0, 1 << 32, 0), (0, 0, -1)] {
        let error = ThrottleError::Range { interval, acceleration, deceleration };
        assert_eq!(session.set_peer_throttle(id, interval, acceleration, deceleration), Err(error));
    }
    session.set_peer_throttle(id, 1000, 32, 0).unwrap();
    let before = world.counters(client).datagrams_received;
    world.run(SECOND / 10);
    // The other side takes it, and acknowledges it: nothing is repeated.
    assert!(world.counters(client).datagrams_received > before);
    for host in [server, client] {
        assert_eq!(world.counters(host).dropped_datagrams(), 0);
    }
    // With no deceleration, nothing is held back, even on a link that fills up.
    let (from, to) = (world.address(server), world.address(client));
    let bandwidth = Some(Bandwidth { bytes_per_second: 40_000, queue: 600_000 });
    world.network().set_link(from, to, Link { bandwidth, ..Link::delayed(20 * MS) });
    world.record();
    for index in 0..300 {
        world.send(server, id as i32, TransferMode::Unreliable, &numbered(index, 900)).unwrap();
        world.send(server, id as i32, TransferMode::Reliable, &numbered(index, 8)).unwrap();
        world.step(16 * MS);
    }
    let datagrams = world.take_recorded();
    let large = datagrams.iter().filter(|datagram| datagram.bytes.len() > 700 && datagram.from == from);
    assert!(large.count() >= 300);
}

#[test]
fn the_other_side_takes_the_same_values() {
    let arrived = [false, true].map(|is_set| {
        let (mut world, server, client) = pair(20 * MS, 16 * MS);
        let id = i64::from(world.id(client).get());
        if is_set {
            world.session_mut(server).set_peer_throttle(id, 5000, 2, 0).unwrap();
            world.run(SECOND / 10);
        }
        let (from, to) = (world.address(client), world.address(server));
        let bandwidth = Some(Bandwidth { bytes_per_second: 40_000, queue: 600_000 });
        world.network().set_link(from, to, Link { bandwidth, ..Link::delayed(20 * MS) });
        for index in 0..300 {
            world.send(client, 1, TransferMode::Unreliable, &numbered(index, 900)).unwrap();
            world.send(client, 1, TransferMode::Reliable, &numbered(index, 8)).unwrap();
            world.step(16 * MS);
        }
        world.run(20 * SECOND);
        let packets = world.take_packets(server);
        packets.iter().filter(|packet| packet.mode == TransferMode::Unreliable).count()
    });
    assert!(arrived[0] < 290, "{arrived:?}");
    assert_eq!(arrived[1], 300, "{arrived:?}");
}
