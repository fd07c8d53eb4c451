//! A game that does not fetch its packets: what waits is bounded, and nobody is given up for it.
#![expect(clippy::print_stdout, reason = "the figures are worth a look")]

use std::time::Duration;

use nme_core::channel::{Delivery, TransferMode};
use nme_core::codec::Compression;
use nme_core::counters::{Dropped, DroppedPacket};
use nme_core::session::{DropReason, Event, MaxBuffered};
use nme_netem::Link;
use nme_testing::payload::{number, numbered};
use nme_testing::raw_peer::{RawConfig, RawEvent, data_packet};
use nme_testing::world::{FRAME, HostId, RawId, World};

const SECOND: Duration = Duration::from_secs(1);

const MIB: usize = 1 << 20;

/// Bytes of a packet of who floods.
const LARGE: usize = 10_000;

fn limit(bytes: usize) -> MaxBuffered {
    MaxBuffered::new(bytes as i64).expect("a limit")
}

/// A server without compression.
fn server(world: &mut World) -> HostId {
    let config = world.config().compression(Compression::None);
    world.server_with(&config, 32)
}

fn client(world: &mut World, server: HostId) -> HostId {
    let config = world.config().compression(Compression::None);
    world.connect_with(&config, server)
}

/// A client with stock ENet.
fn stock_client(world: &mut World, server: HostId, id: u32) -> RawId {
    world.raw_client(RawConfig { range_coder: false, ..RawConfig::default() }, server, id)
}

/// The numbers of the packets that a host has got from this peer, in order.
fn numbers(world: &World, host: HostId, from: i32) -> Vec<u32> {
    let packets = world.packets(host);
    packets.iter().filter(|packet| packet.from.get() == from).map(|packet| number(&packet.bytes)).collect()
}

fn assert_nobody_left(world: &World, host: HostId) {
    let events = world.events(host);
    assert!(
        events.iter().all(|event| matches!(event, Event::PeerConnected(_) | Event::ConnectionSucceeded)),
        "{events:?}"
    );
}

/// Who floods in [`flooded`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flooder {
    Ours,
    Stock,
}

/// For a minute, one client sends what it can to a game that does not fetch, and another one a small packet per frame.
/// All arrive once the game fetches.
fn flooded(flooder: Flooder, link: Link) {
    const ID: i32 = 4711;
    let mut world = World::new(5);
    world.set_links(link);
    let server = server(&mut world);
    let quiet = client(&mut world, server);
    let ours = (flooder == Flooder::Ours).then(|| client(&mut world, server));
    let stock = (flooder == Flooder::Stock).then(|| stock_client(&mut world, server, ID as u32));
    world.session_mut(server).set_max_buffered(limit(8 * MIB));
    world.run(SECOND);
    world.set_fetching(server, false);
    let (mut large, mut small, mut most) = (0, 0, 0);
    let end = world.now() + 60 * SECOND;
    while world.now() < end {
        // As fast as it leaves at first, 10 MB in all.
        if large < 1000 {
            for _ in 0..4 {
                let payload = numbered(large, LARGE);
                if let Some(raw) = stock {
                    world.raw_mut(raw).send(0, 1, &data_packet(ID, 1, &payload), Delivery::Reliable);
                } else if let Some(host) = ours {
                    world.send(host, 1, TransferMode::Reliable, &payload).expect("a connection");
                }
                large += 1;
            }
        }
        world.send(quiet, 1, TransferMode::Reliable, &numbered(small, 100)).expect("a connection");
        small += 1;
        world.step(FRAME);
        most = most.max(world.session(server).waiting_bytes());
    }
    assert_nobody_left(&world, server);
    // A quarter of the limit and a window in 2.5 s, besides the other client's packets.
    assert!((3 * MIB..5 * MIB).contains(&most), "{most} bytes");
    let refused = world.session(server).ignored_commands(DropReason::NotTaken)
        + world.counters(server).dropped(Dropped::Enet(DropReason::NotTaken));
    assert!(refused > 0);
    world.set_fetching(server, true);
    let from = ours.map_or(ID, |host| world.id(host).get());
    // At the longest latency a window of stock ENet is 130 kB a second.
    for _ in 0..100 {
        world.run(SECOND);
        if numbers(&world, server, from).len() == large as usize {
            break;
        }
    }
    assert!(numbers(&world, server, from).into_iter().eq(0..large));
    world.run(SECOND);
    let from = world.id(quiet).get();
    assert!(numbers(&world, server, from).into_iter().eq(0..small));
    assert_eq!(world.counters(server).dropped_packets(DroppedPacket::NotFetched), 0);
    if let Some(raw) = stock {
        let is_end = |event: &RawEvent| matches!(event, RawEvent::Disconnected { .. });
        assert!(!world.raw_events(raw).iter().any(is_end));
    }
    println!("{flooder:?} over {:?}: {most} bytes waited", link.latency);
}

#[test]
#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet acknowledges what comes before anybody can refuse it"
)]
fn a_sender_waits_until_the_game_fetches() {
    for latency in [0, 15, 100] {
        flooded(Flooder::Ours, Link::delayed(Duration::from_millis(latency)));
    }
}

#[test]
#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet acknowledges what comes before anybody can refuse it"
)]
fn a_sender_with_stock_enet_waits_until_the_game_fetches() {
    for latency in [0, 15, 40, 100, 250] {
        flooded(Flooder::Stock, Link::delayed(Duration::from_millis(latency)));
    }
    flooded(Flooder::Stock, Link { loss: 0.02, ..Link::delayed(Duration::from_millis(30)) });
}

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "stock ENet's throttle drops some")]
fn of_unreliable_packets_the_newest_wait() {
    let mut world = World::new(6);
    let server = server(&mut world);
    let (flooder, quiet) = (client(&mut world, server), client(&mut world, server));
    world.session_mut(server).set_max_buffered(limit(MIB));
    world.run(SECOND);
    world.set_fetching(server, false);
    let mut sent = 0;
    for frame in 0..300 {
        for _ in 0..10 {
            world.send(flooder, 1, TransferMode::Unreliable, &numbered(sent, 1000)).expect("a connection");
            sent += 1;
        }
        world.send(quiet, 1, TransferMode::Unreliable, &numbered(frame, 100)).expect("a connection");
        world.step(FRAME);
        assert!(world.session(server).waiting_bytes() < MIB / 2);
    }
    world.run(SECOND);
    world.fetch(server);
    let got = numbers(&world, server, world.id(flooder).get());
    assert!((150..300).contains(&got.len()), "{} packets", got.len());
    let first = sent - got.len() as u32;
    assert!(got.iter().copied().eq(first..sent), "{got:?}");
    assert_eq!(world.counters(server).dropped_packets(DroppedPacket::NotFetched), u64::from(first));
    assert!(numbers(&world, server, world.id(quiet).get()).into_iter().eq(0..300));
    assert_nobody_left(&world, server);
}

#[test]
#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet acknowledges what comes before anybody can refuse it"
)]
fn a_client_that_does_not_fetch_slows_the_server_for_itself_only() {
    let mut world = World::new(7);
    world.set_links(Link::delayed(Duration::from_millis(20)));
    let server = server(&mut world);
    let (slow, fast) = (client(&mut world, server), client(&mut world, server));
    world.session_mut(slow).set_max_buffered(limit(MIB));
    world.run(SECOND);
    world.set_fetching(slow, false);
    for index in 0..400 {
        world.send(server, 0, TransferMode::Reliable, &numbered(index, LARGE)).expect("two clients");
        world.step(FRAME);
    }
    // Longer than ENet waits for an acknowledgement: nothing at all is taken for most of it.
    world.run(120 * SECOND);
    assert!((MIB..MIB + 2 * LARGE).contains(&world.session(slow).waiting_bytes()));
    assert!(numbers(&world, fast, 1).into_iter().eq(0..400));
    world.set_fetching(slow, true);
    world.run(20 * SECOND);
    assert!(numbers(&world, slow, 1).into_iter().eq(0..400));
    for host in [server, slow, fast] {
        assert_nobody_left(&world, host);
    }
}

#[test]
fn relayed_packets_do_not_wait_for_the_servers_game() {
    let mut world = World::new(8);
    let server = server(&mut world);
    let [flooder, one, other] = [(); 3].map(|()| client(&mut world, server));
    world.session_mut(server).set_max_buffered(limit(MIB));
    world.run(SECOND);
    world.set_fetching(server, false);
    let to = world.id(other).get();
    for index in 0..300 {
        world.send(flooder, 1, TransferMode::Reliable, &numbered(index, LARGE)).expect("a connection");
        world.send(one, to, TransferMode::Reliable, &numbered(index, LARGE)).expect("a connection");
        world.step(FRAME);
        assert!(numbers(&world, other, world.id(one).get()).len() as u32 + 3 > index);
    }
}

#[test]
#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet acknowledges what comes before anybody can refuse it"
)]
fn a_limit_that_is_raised_counts_at_once() {
    let mut world = World::new(9);
    let server = server(&mut world);
    let client = client(&mut world, server);
    world.session_mut(server).set_max_buffered(limit(MIB));
    world.run(SECOND);
    world.set_fetching(server, false);
    for index in 0..400 {
        world.send(client, 1, TransferMode::Reliable, &numbered(index, LARGE)).expect("a connection");
    }
    world.run(3 * SECOND);
    assert!(world.session(server).waiting_bytes() < MIB);
    world.session_mut(server).set_max_buffered(limit(16 * MIB));
    world.run(5 * SECOND);
    assert!(world.session(server).waiting_bytes() > 400 * LARGE);
}

#[test]
fn limits_have_a_range() {
    for valid in [1 << 20, 1 << 26, 4_294_967_295] {
        assert!(MaxBuffered::new(valid).is_ok());
    }
    for invalid in [0, -1, (1 << 20) - 1, 1 << 32, i64::MAX] {
        assert!(MaxBuffered::new(invalid).is_err());
    }
    assert_eq!(MaxBuffered::default().get(), 64 << 20);
}
