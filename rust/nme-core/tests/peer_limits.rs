//! What each peer may send: who sends more is ended, and nobody else notices.
#![cfg(not(feature = "reference-engine"))]

use std::time::Duration;

use nme_core::channel::TransferMode;
use nme_core::codec::Compression;
use nme_core::session::{CutOff, Event, MaxRate, MaxReceived, PeerLimit, Status};
use nme_testing::payload::{number, numbered};
use nme_testing::world::{FRAME, HostId, World};

const SECOND: Duration = Duration::from_secs(1);

fn plain<const N: usize>(seed: u64) -> (World, HostId, [HostId; N]) {
    let mut world = World::new(seed);
    let config = world.config().compression(Compression::None);
    let server = world.server_with(&config, 64);
    let clients = [(); N].map(|()| {
        let config = world.config().compression(Compression::None);
        world.connect_with(&config, server)
    });
    world.run(SECOND);
    for host in std::iter::once(server).chain(clients) {
        world.take_log(host);
    }
    (world, server, clients)
}

fn rate(value: i64) -> MaxRate {
    MaxRate::new("a rate", value).expect("a rate")
}

fn size(bytes: i64) -> MaxReceived {
    MaxReceived::new(bytes).expect("a size")
}

/// The first client has been ended for this, and the second one has gone on all the time.
fn assert_ended_alone(mut world: World, server: HostId, [bad, good]: [HostId; 2], limit: PeerLimit) {
    let id = world.id(bad);
    assert_eq!(world.events(server), [Event::PeerDisconnected(id)]);
    assert_eq!(world.counters(server).peers_cut_off(limit), 1);
    assert_eq!(world.session_mut(server).take_warning(), Some(CutOff { peer: id, limit }.into()));
    assert_eq!(world.session_mut(server).take_warning(), None);
    assert_eq!(world.events(good), [Event::PeerDisconnected(id)]);
    world.run(SECOND);
    assert_eq!(world.events(bad).last(), Some(&Event::ServerDisconnected));
    assert_eq!(world.status(bad), Status::Disconnected);
    world.assert_talking(server, good);
}

#[test]
fn a_packet_may_be_as_large_as_the_limit_and_no_larger() {
    for (largest, mode) in [
        (100, TransferMode::Reliable),
        (100, TransferMode::Unreliable),
        (50_000, TransferMode::Reliable),
        (50_000, TransferMode::UnreliableOrdered),
    ] {
        let (mut world, server, clients) = plain(1);
        world.session_mut(server).set_max_received(size(largest));
        for len in [largest, largest + 1] {
            world.send(clients[0], 1, mode, &vec![1; len as usize]).expect("a connection");
            world.run(SECOND);
            assert_eq!(world.packets(server).len(), 1);
        }
        assert_ended_alone(world, server, clients, PeerLimit::PacketSize);
    }
}

#[test]
fn a_packet_that_is_too_large_is_refused_before_it_has_come() {
    let (mut world, server, clients) = plain(2);
    world.session_mut(server).set_max_received(size(1_000_000));
    let payload = vec![1; 16 << 20];
    // It is for another client.
    let to = world.id(clients[1]).get();
    world.send(clients[0], to, TransferMode::Reliable, &payload).expect("a connection");
    let before = world.counters(server).bytes_received;
    world.run(3 * FRAME);
    assert!(world.counters(server).bytes_received - before < 100_000);
    assert_ended_alone(world, server, clients, PeerLimit::PacketSize);
}

#[test]
fn a_client_leaves_a_server_that_sends_too_large_packets() {
    let (mut world, server, [client, other]) = plain(3);
    world.session_mut(client).set_max_received(size(1));
    // System messages are no packets of the game.
    let config = world.config().compression(Compression::None);
    world.connect_with(&config, server);
    world.send(server, 0, TransferMode::Reliable, b"1").expect("clients");
    world.run(SECOND);
    assert_eq!(world.packets(client).len(), 1);
    world.send(server, 0, TransferMode::Reliable, b"12").expect("clients");
    world.run(SECOND);
    assert_eq!(world.events(client).last(), Some(&Event::ServerDisconnected));
    assert_eq!(world.counters(client).peers_cut_off(PeerLimit::PacketSize), 1);
    assert_eq!(world.packets(other).len(), 2);
}

#[test]
fn a_client_may_send_so_many_packets_a_second() {
    for mode in [TransferMode::Reliable, TransferMode::Unreliable] {
        let (mut world, server, clients) = plain(4);
        world.session_mut(server).set_peer_rates(rate(130), rate(0));
        for frame in 0..1000 {
            for (client, packets) in clients.into_iter().zip([4, 2]) {
                for _ in 0..packets {
                    let _ = world.send(client, 1, mode, &numbered(frame, 50));
                }
            }
            world.step(FRAME);
        }
        assert_ended_alone(world, server, clients, PeerLimit::Packets);
    }
}

#[test]
fn a_client_may_send_so_many_bytes_a_second() {
    let (mut world, server, clients) = plain(5);
    world.session_mut(server).set_peer_rates(rate(0), rate(50_000));
    for frame in 0..1000 {
        for (client, len) in clients.into_iter().zip([3000, 500]) {
            let _ = world.send(client, 1, TransferMode::Reliable, &numbered(frame, len));
        }
        world.step(FRAME);
    }
    // 188 kB a second, until ten seconds' worth is exceeded.
    let from_bad = world.packets(server).iter().filter(|packet| packet.bytes.len() == 3000).count();
    assert!((160..260).contains(&from_bad), "{from_bad}");
    assert_ended_alone(world, server, clients, PeerLimit::Bytes);
}

#[test]
fn what_an_outage_has_held_up_may_come_at_once() {
    let (mut world, server, [client]) = plain(6);
    world.session_mut(server).set_peer_rates(rate(70), rate(10_000));
    let (from, to) = (world.address(client), world.address(server));
    for round in 0..6 {
        let link = if round % 2 == 0 { nme_netem::Link::DOWN } else { nme_netem::Link::PERFECT };
        world.network().set_both(from, to, link);
        for frame in 0..250 {
            let index = round * 250 + frame;
            world.send(client, 1, TransferMode::Reliable, &numbered(index, 50)).expect("a connection");
            world.step(FRAME);
        }
    }
    world.run(SECOND);
    let got: Vec<u32> = world.packets(server).iter().map(|packet| number(&packet.bytes)).collect();
    assert!(got.into_iter().eq(0..1500));
}

#[test]
fn a_server_may_send_its_client_any_number() {
    let (mut world, server, [client]) = plain(7);
    world.session_mut(client).set_peer_rates(rate(1), rate(1));
    for index in 0..100 {
        world.send(server, 0, TransferMode::Reliable, &numbered(index, 1000)).expect("a client");
    }
    world.run(SECOND);
    assert_eq!((world.packets(client).len(), world.events(client)), (100, vec![]));
}

#[test]
fn settings_have_a_range() {
    for valid in [1, 16_777_216] {
        assert_eq!(MaxReceived::new(valid).map(|size| i64::from(size.get())), Ok(valid));
    }
    for invalid in [0, -1, 16_777_217, i64::MAX] {
        assert!(MaxReceived::new(invalid).is_err());
    }
    for valid in [0, 4_294_967_295] {
        assert_eq!(MaxRate::new("it", valid).map(|rate| i64::from(rate.get())), Ok(valid));
    }
    for invalid in [-1, 1 << 32] {
        assert!(MaxRate::new("it", invalid).is_err());
    }
}
