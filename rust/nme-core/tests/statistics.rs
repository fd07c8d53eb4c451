//! Statistics, beside what the emulated network knows.
#![cfg(not(feature = "reference-engine"))]

use std::time::Duration;

use nme_core::channel::{Delivery, TransferMode};
use nme_core::codec::Compression;
use nme_core::counters::DroppedPacket;
use nme_core::statistics::PeerStatistics;
use nme_netem::Link;
use nme_testing::raw_peer::RawConfig;
use nme_testing::world::{HostId, World};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// What `host` knows of its connection with `other`.
fn statistics(world: &World, host: HostId, other: HostId) -> PeerStatistics {
    let session = world.session(host);
    let peer =
        session.peer_handle(world.id(other).get().into()).expect("a known peer").expect("a connection");
    session.link().peer_statistics(peer).expect("a connection")
}

/// Both send `per_frame` packets of each of these modes in each frame.
fn talk(world: &mut World, hosts: [HostId; 2], modes: &[TransferMode], per_frame: usize, time: Duration) {
    talk_every(16 * MS, world, hosts, modes, per_frame, time);
}

fn talk_every(
    frame: Duration,
    world: &mut World,
    hosts: [HostId; 2],
    modes: &[TransferMode],
    per_frame: usize,
    time: Duration,
) {
    let end = world.now() + time;
    let ids = hosts.map(|host| world.id(host).get());
    while world.now() < end {
        for mode in modes {
            for _ in 0..per_frame {
                world.send(hosts[0], ids[1], *mode, &[1; 64]).expect("a known peer");
                world.send(hosts[1], ids[0], *mode, &[2; 64]).expect("a known peer");
            }
        }
        world.step(frame);
    }
}

/// A server with a client over links of these losses, to the client and from it.
fn lossy(seed: u64, loss_down: f64, loss_up: f64, modes: &[TransferMode]) -> (World, [HostId; 2]) {
    let mut world = World::new(seed);
    let link = Link::delayed(20 * MS);
    world.set_links(link);
    let server = world.server(4);
    let client = world.connect(server);
    let (one, other) = (world.address(server), world.address(client));
    // The losses of the handshake do not count.
    talk(&mut world, [server, client], modes, 1, SECOND);
    world.network().set_link(one, other, Link { loss: loss_down, ..link });
    world.network().set_link(other, one, Link { loss: loss_up, ..link });
    // So many datagrams that chance makes no difference.
    talk_every(2 * MS, &mut world, [server, client], modes, 1, 35 * SECOND);
    (world, [server, client])
}

fn assert_loss(world: &World, [server, client]: [HostId; 2], down: f64, up: f64) {
    let (of_server, of_client) = (statistics(world, server, client), statistics(world, client, server));
    for (shown, real, what) in [
        (of_server.loss_outgoing(), down, "to the client, seen by the server"),
        (of_client.figures.loss_incoming, down, "to the client, seen by the client"),
        (of_server.figures.loss_incoming, up, "from the client, seen by the server"),
        (of_client.loss_outgoing(), up, "from the client, seen by the client"),
    ] {
        assert!((shown - real).abs() < 0.01, "{what}: {shown:.3} is shown, and {real} are lost");
    }
}

#[test]
fn ten_percent_of_loss_are_shown_as_ten_percent_on_both_sides() {
    let modes = [TransferMode::Reliable, TransferMode::Unreliable];
    for (down, up) in [(0.1, 0.0), (0.0, 0.1), (0.1, 0.1), (0.02, 0.05)] {
        let (world, hosts) = lossy(1, down, up, &modes);
        assert_loss(&world, hosts, down, up);
    }
}

#[test]
fn each_mode_alone_shows_what_it_loses() {
    for mode in [TransferMode::Reliable, TransferMode::Unreliable, TransferMode::UnreliableOrdered] {
        let (world, [server, client]) = lossy(2, 0.1, 0.0, &[mode]);
        let shown = statistics(&world, client, server).figures.loss_incoming;
        assert!((shown - 0.1).abs() < 0.02, "{mode:?}: {shown:.3}");
    }
}

#[test]
fn a_good_link_shows_no_loss() {
    let (world, hosts) = lossy(3, 0.0, 0.0, &[TransferMode::Reliable, TransferMode::Unreliable]);
    for (host, other) in [(hosts[0], hosts[1]), (hosts[1], hosts[0])] {
        let statistics = statistics(&world, host, other);
        assert_eq!((statistics.loss_outgoing(), statistics.figures.loss_incoming), (0.0, 0.0));
        assert_eq!(statistics.figures.commands_lost, 0);
    }
}

#[test]
fn jitter_that_reorders_is_not_loss() {
    let mut world = World::new(4);
    world.set_links(Link { jitter: 30 * MS, jitter_reorders: true, ..Link::delayed(60 * MS) });
    let server = world.server(4);
    let client = world.connect(server);
    talk(&mut world, [server, client], &[TransferMode::Reliable, TransferMode::Unreliable], 1, 30 * SECOND);
    let statistics = statistics(&world, client, server);
    assert!(statistics.figures.loss_incoming < 0.01, "{}", statistics.figures.loss_incoming);
    assert!(statistics.figures.jitter > 5 * MS, "{:?}", statistics.figures.jitter);
}

#[test]
fn round_trips_are_those_of_the_path_and_the_frames() {
    let mut world = World::new(5);
    world.set_links(Link::delayed(50 * MS));
    let server = world.server(4);
    let client = world.connect(server);
    talk(&mut world, [server, client], &[TransferMode::Reliable], 1, 5 * SECOND);
    let figures = statistics(&world, server, client).figures;
    // Each side looks once a frame.
    for time in [figures.round_trip, figures.last_round_trip, figures.shortest_round_trip] {
        assert!((100 * MS..140 * MS).contains(&time), "{time:?}");
    }
    assert!(figures.variance < 20 * MS && figures.jitter < 17 * MS, "{figures:?}");
    assert!(figures.silent_for < 20 * MS, "{:?}", figures.silent_for);
    let since = world.now() - figures.age;
    assert!(since < SECOND, "{since:?}");
}

#[test]
fn bytes_are_those_that_the_network_has_carried() {
    for compression in [Compression::None, Compression::RangeCoder] {
        let mut world = World::new(6);
        let config = world.config().compression(compression);
        let server = world.server_with(&config, 4);
        let config = world.config().compression(compression);
        let client = world.connect_with(&config, server);
        let before = statistics(&world, server, client);
        let compressed_before = world.session(server).link().statistics().compressed_bytes_sent;
        world.record();
        talk(&mut world, [server, client], &[TransferMode::Reliable, TransferMode::Unreliable], 3, SECOND);
        let recorded = world.take_recorded();
        let after = statistics(&world, server, client);
        let down: Vec<_> =
            recorded.iter().filter(|datagram| datagram.from == world.address(server)).collect();
        let up: Vec<_> = recorded.iter().filter(|datagram| datagram.to == world.address(server)).collect();
        let bytes = |datagrams: &[&nme_testing::world::Datagram]| -> u64 {
            datagrams.iter().map(|datagram| datagram.bytes.len() as u64).sum()
        };
        assert_eq!(after.wire.datagrams_sent - before.wire.datagrams_sent, down.len() as u64);
        assert_eq!(after.wire.bytes_sent - before.wire.bytes_sent, bytes(&down));
        // The last of the client's are still on their way.
        let received = after.wire.datagrams_received - before.wire.datagrams_received;
        assert!((up.len() as u64 - received) <= 2, "{received} of {}", up.len());
        let headers = 28 * (after.wire.datagrams_sent);
        assert_eq!(after.wire_bytes_sent(), after.wire.bytes_sent + headers);
        let whole = world.session(server).link().statistics();
        assert_eq!(whole.compressed_bytes_sent - compressed_before, bytes(&down));
        let is_smaller = whole.compressed_bytes_sent < whole.plain_bytes_sent;
        assert_eq!(is_smaller, compression != Compression::None);
    }
}

#[test]
fn packets_are_counted_once_and_those_of_who_has_left_stay() {
    let mut world = World::new(7);
    let server = world.server(4);
    let client = world.connect(server);
    let id = world.id(client).get();
    let before = statistics(&world, server, client).figures.traffic;
    world.send(server, id, TransferMode::Reliable, &[1; 5000]).expect("a known peer");
    world.send(server, id, TransferMode::Unreliable, &[1; 100]).expect("a known peer");
    world.send(client, 1, TransferMode::UnreliableOrdered, &[1; 30]).expect("connected");
    world.run(SECOND);
    let after = statistics(&world, server, client).figures.traffic;
    assert_eq!(after.packets_sent - before.packets_sent, 2);
    assert_eq!(after.bytes_sent - before.bytes_sent, 5100 + 2 * 8);
    assert_eq!(after.packets_received - before.packets_received, 1);
    assert_eq!(after.bytes_received - before.bytes_received, 30 + 8);
    world.close(client);
    world.run(SECOND);
    let whole = world.session(server).link().statistics();
    assert_eq!((whole.traffic, whole.connections), (after, 0));
}

#[test]
fn what_waits_is_shown_by_channel() {
    let mut world = World::new(8);
    world.set_links(Link::delayed(100 * MS));
    let server = world.server(4);
    let client = world.connect(server);
    let id = world.id(client).get();
    assert_eq!(statistics(&world, server, client).queue_time(), Duration::ZERO);
    world.send(server, id, TransferMode::Reliable, &vec![1; 1_000_000]).expect("a known peer");
    world.flush(server);
    let statistics = statistics(&world, server, client);
    let [reliable] = statistics.channels.iter().filter(|channel| channel.waiting > 0).collect::<Vec<_>>()[..]
    else {
        panic!("{:?}", statistics.channels)
    };
    assert_eq!(reliable.waiting, statistics.figures.waiting);
    assert_eq!(reliable.waiting + reliable.unacknowledged, 1_000_008);
    let in_flight: u64 = statistics.channels.iter().map(|channel| channel.unacknowledged).sum();
    assert_eq!(in_flight, u64::from(statistics.figures.in_flight));
    assert!(statistics.queue_time() > SECOND, "{:?}", statistics.queue_time());
}

#[test]
fn a_server_tells_its_clients_of_its_connections() {
    for overhead in [None, Some(20)] {
        let mut world = World::new(9);
        overhead.into_iter().for_each(|overhead| world.secure(overhead));
        world.set_links(Link::delayed(30 * MS));
        let server = world.server(4);
        let [one, other] = [world.connect(server), world.connect(server)];
        world.run(SECOND);
        let other_id = i64::from(world.id(other).get());
        let own_id = i64::from(world.id(one).get());
        for id in [other_id, own_id] {
            assert_eq!(world.session_mut(one).told(id), None);
        }
        world.run(SECOND);
        let of_server = statistics(&world, server, other).figures;
        let told = world.session_mut(one).told(other_id).expect("an answer");
        assert!(told.round_trip.abs_diff(of_server.round_trip) < 10 * MS, "{told:?}");
        let own = world.session_mut(one).told(own_id).expect("an answer");
        assert!(own.round_trip > 50 * MS, "{own:?}");
        assert_eq!(world.session_mut(one).told(12), None);
        world.close(other);
        world.run(SECOND);
        assert_eq!(world.session_mut(one).told(other_id), None);
        assert_eq!(world.counters(server).dropped_packets(DroppedPacket::SystemMessage), 0);
    }
}

#[test]
fn a_server_does_not_tell_of_clients_that_are_not_known() {
    let mut world = World::new(10);
    let config = world.config().server_relay(false);
    let server = world.server_with(&config, 4);
    let stranger = world.raw_client(RawConfig::default(), server, 77);
    let client = world.connect(server);
    world.run(SECOND);
    let about = world.id(client).get().to_le_bytes();
    let before = world.raw_events(stranger).len();
    world.raw_mut(stranger).send(0, 0, &[b"XENF".as_slice(), &about].concat(), Delivery::Reliable);
    world.run(SECOND);
    assert_eq!(world.raw_events(stranger).len(), before, "no answer");
    world.raw_mut(stranger).send(0, 0, b"XENF\x4d\0\0\0", Delivery::Reliable);
    world.run(SECOND);
    assert_eq!(world.raw_events(stranger).len(), before + 1, "an answer about itself");
}

#[test]
fn silence_is_as_long_as_nothing_comes() {
    let mut world = World::new(11);
    let server = world.server(4);
    let client = world.connect(server);
    talk(&mut world, [server, client], &[TransferMode::Reliable], 1, SECOND);
    world.set_links(Link { loss: 1.0, ..Link::PERFECT });
    world.run(3 * SECOND);
    let shown = statistics(&world, server, client).figures.silent_for;
    assert!(shown.abs_diff(3 * SECOND) < 40 * MS, "{shown:?}");
}

#[test]
fn what_was_sent_again_is_what_was_lost() {
    let mut world = World::new(12);
    world.set_links(Link::delayed(20 * MS));
    let server = world.server(4);
    let client = world.connect(server);
    let (one, other) = (world.address(server), world.address(client));
    world.network().set_link(one, other, Link { loss: 0.05, ..Link::delayed(20 * MS) });
    let lost_before = world.network().counters_of(one, other).lost;
    // One command in each datagram that matters, and the acknowledgements of what comes are not repeated.
    let id = world.id(client).get();
    for _ in 0..5000 {
        world.send(server, id, TransferMode::Reliable, &[1; 64]).expect("a known peer");
        world.step(4 * MS);
    }
    world.run(SECOND);
    let lost = world.network().counters_of(one, other).lost - lost_before;
    let resends = u64::from(statistics(&world, server, client).figures.commands_lost);
    // What is sent again shares a datagram with what is new, and both can be lost.
    assert!(lost > 200 && (lost..lost + lost / 5).contains(&resends), "{resends} again, {lost} lost");
}
