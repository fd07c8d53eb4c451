//! Packets around the sizes at which ENet cuts them, with the MTU of 3.6 and with the smaller ones that encryption
//! leaves: between sessions, and with foreign hosts, which ask for 1392 in any case.

use std::time::Duration;

use nme_core::channel::{Delivery, TransferMode};
use nme_core::codec::Compression;
use nme_core::peer::PeerId;
use nme_core::session::{ConnectionError, Event, LongLost, Mtu, MtuError, Status};
use nme_netem::Link;
use nme_testing::fake_layer::DTLS_OVERHEAD;
use nme_testing::payload::{number, numbered};
use nme_testing::raw_peer::{RawConfig, RawEvent, data_packet};
use nme_testing::world::{HostId, World};

const SECOND: Duration = Duration::from_secs(1);

/// Bytes of a data packet's header.
const HEADER: usize = 8;

/// Bytes of a tag behind a datagram.
const TAG: u8 = 4;

/// Bytes of a fragment's headers.
const FRAGMENT_HEADER: usize = 28;

/// Payloads whose packets have about one, two and three fragments of a connection with this overhead, by number.
fn payloads(overhead: u8) -> Vec<Vec<u8>> {
    let fragment = 1392 - usize::from(overhead) - FRAGMENT_HEADER;
    let packets =
        (1..=3).flat_map(|count| [-2, -1, 0, 1, 2].map(|more| (count * fragment).strict_add_signed(more)));
    (0..).zip(packets).map(|(index, len)| numbered(index, len - HEADER)).collect()
}

/// A session's settings: nothing shrinks what the sizes are about.
fn plain_config(world: &mut World) -> nme_core::session::Config {
    world.config().compression(Compression::None)
}

fn raw_config(peers: usize) -> RawConfig {
    RawConfig { peers, range_coder: false, ..RawConfig::default() }
}

/// Nothing on the wire was longer than 3.6's longest, and the longest was reached. Only datagrams with something
/// reliable in them have a sent time, of two bytes.
fn assert_sizes(world: &mut World, is_timed: bool, unused: usize) {
    let longest = world.take_recorded().iter().map(|datagram| datagram.bytes.len()).max();
    assert_eq!(longest, Some(if is_timed { 1392 } else { 1390 } - unused));
}

fn assert_clean(world: &World, host: HostId) {
    assert_eq!(world.counters(host).dropped_datagrams(), 0);
    assert_eq!(world.counters(host).ignored_commands, 0);
}

const MODES: [TransferMode; 3] =
    [TransferMode::Reliable, TransferMode::UnreliableOrdered, TransferMode::Unreliable];

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "stock ENet has no tags")]
fn sessions_cut_alike() {
    // With and without encryption, and with layers of different sizes: the smaller MTU counts.
    for (of_server, of_client) in [(0, 0), (DTLS_OVERHEAD, DTLS_OVERHEAD), (20, 90), (90, 20)] {
        for mode in MODES {
            let mut world = World::new(1);
            world.record();
            if of_server > 0 {
                world.secure(of_server);
            }
            let config = plain_config(&mut world);
            let server = world.server_with(&config, 2);
            if of_client > 0 {
                world.secure(of_client);
            }
            let config = plain_config(&mut world);
            let client = world.connect_with(&config, server);
            world.run(SECOND);
            let payloads = payloads(of_server.max(of_client).max(TAG));
            for payload in &payloads {
                for host in [server, client] {
                    world.send(host, 0, mode, payload).expect("a connection");
                }
                world.run(SECOND / 10);
            }
            world.run(SECOND);
            for host in [server, client] {
                let got: Vec<u32> = world.packets(host).iter().map(|packet| number(&packet.bytes)).collect();
                assert_eq!(got, (0..payloads.len() as u32).collect::<Vec<_>>(), "{mode:?}");
                assert_clean(&world, host);
            }
            if of_server == of_client {
                assert_sizes(&mut world, mode == TransferMode::Reliable, 0);
            }
        }
    }
}

#[test]
fn a_foreign_client_takes_what_the_server_grants() {
    for overhead in [0, DTLS_OVERHEAD] {
        for delivery in [Delivery::Reliable, Delivery::Sequenced, Delivery::Unsequenced] {
            let mut world = World::new(2);
            world.record();
            if overhead > 0 {
                world.secure(overhead);
            }
            let config = plain_config(&mut world);
            let server = world.server_with(&config, 2);
            let raw = world.raw_client(raw_config(1), server, 77);
            world.run(SECOND);
            world.raw_mut(raw).take_events();
            let payloads = payloads(overhead);
            for payload in &payloads {
                world.raw_mut(raw).send(0, 1, &data_packet(77, 0, payload), delivery);
                world.send(server, 77, TransferMode::Reliable, payload).expect("a connection");
                world.run(SECOND / 10);
            }
            world.run(SECOND);
            let got: Vec<u32> = world.packets(server).iter().map(|packet| number(&packet.bytes)).collect();
            assert_eq!(got, (0..payloads.len() as u32).collect::<Vec<_>>(), "{delivery:?}");
            assert_clean(&world, server);
            let packets = world.raw_mut(raw).take_packets();
            let got: Vec<u32> = packets.iter().map(|(_, bytes)| number(&bytes[HEADER..])).collect();
            assert_eq!(got, (0..payloads.len() as u32).collect::<Vec<_>>());
            assert_sizes(&mut world, true, 0);
        }
    }
}

#[test]
fn a_foreign_server_grants_what_the_client_asks_for() {
    for overhead in [0, DTLS_OVERHEAD] {
        let mut world = World::new(3);
        world.record();
        if overhead > 0 {
            world.secure(overhead);
        }
        let raw = world.raw(raw_config(2));
        let config = plain_config(&mut world);
        let client = world.client_with(&config, world.raw_address(raw));
        world.run(SECOND);
        assert_eq!(world.status(client), Status::Connected);
        assert_eq!(world.events(client), [Event::PeerConnected(PeerId::SERVER), Event::ConnectionSucceeded]);
        let id = world.id(client).get();
        assert_eq!(world.raw_events(raw), [RawEvent::Connected { peer: 0, data: id as u32 }]);
        let payloads = payloads(overhead.max(TAG));
        for payload in &payloads {
            world.raw_mut(raw).send_data(0, 1, (1, id), payload);
            world.send(client, 1, TransferMode::Reliable, payload).expect("a connection");
            world.run(SECOND / 10);
        }
        world.run(SECOND);
        let got: Vec<u32> = world.packets(client).iter().map(|packet| number(&packet.bytes)).collect();
        assert_eq!(got, (0..payloads.len() as u32).collect::<Vec<_>>());
        assert_clean(&world, client);
        let packets = world.raw_mut(raw).take_packets();
        let got: Vec<u32> = packets.iter().map(|(_, bytes)| number(&bytes[HEADER..])).collect();
        assert_eq!(got, (0..payloads.len() as u32).collect::<Vec<_>>());
        // Without encryption, the client leaves room for a tag, which this server does not make.
        assert_sizes(&mut world, true, if overhead > 0 { 0 } else { TAG.into() });
    }
}

fn mtu(value: i64) -> Mtu {
    Mtu::new(value).expect("possible")
}

/// A server and a client with these settings, connected; with encryption or without.
fn pair(world: &mut World, overhead: u8, of_server: i64, of_client: i64) -> (HostId, HostId) {
    if overhead > 0 {
        world.secure(overhead);
    }
    let config = plain_config(world).mtu(mtu(of_server));
    let server = world.server_with(&config, 2);
    let config = plain_config(world).mtu(mtu(of_client));
    let client = world.connect_with(&config, server);
    world.run(SECOND);
    assert_eq!(world.status(client), Status::Connected);
    (server, client)
}

#[test]
fn an_mtu_is_one_that_enet_has() {
    for value in [576, 577, 1391, 1392] {
        assert_eq!(Mtu::new(value).map(Mtu::get), Ok(value as u16));
    }
    for value in [i64::MIN, -1, 0, 575, 1393, 65_536 + 1000, i64::MAX] {
        assert_eq!(Mtu::new(value), Err(MtuError(value)));
    }
}

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "stock ENet has no tags")]
fn the_smaller_mtu_of_the_two_sides_counts() {
    for overhead in [0, DTLS_OVERHEAD] {
        for (of_server, of_client) in [(576, 1392), (1392, 800), (900, 901)] {
            let mut world = World::new(4);
            let (server, client) = pair(&mut world, overhead, of_server, of_client);
            world.record();
            let payload = numbered(7, 20_000);
            for host in [server, client] {
                world.send(host, 0, TransferMode::Reliable, &payload).expect("a connection");
            }
            world.run(SECOND);
            for host in [server, client] {
                assert_eq!(world.packets(host)[0].bytes, payload);
                assert_clean(&world, host);
            }
            let longest = world.take_recorded().iter().map(|datagram| datagram.bytes.len()).max();
            // ENet has no MTU below 576, to which the encryption adds, or a tag.
            let smallest = 576 + usize::from(overhead.max(TAG));
            assert_eq!(longest, Some(smallest.max(of_server.min(of_client) as usize)));
        }
    }
}

#[test]
fn a_foreign_client_keeps_to_the_servers_mtu_and_a_foreign_server_to_the_clients() {
    let mut world = World::new(5);
    let config = plain_config(&mut world).mtu(mtu(576));
    let server = world.server_with(&config, 2);
    let raw_client = world.raw_client(raw_config(1), server, 77);
    let raw_server = world.raw(raw_config(2));
    let client = world.client_with(&config, world.raw_address(raw_server));
    world.run(SECOND);
    assert_eq!(world.status(client), Status::Connected);
    world.record();
    let (payload, id) = (numbered(7, 20_000), world.id(client).get());
    world.raw_mut(raw_client).send(0, 1, &data_packet(77, 0, &payload), Delivery::Reliable);
    world.raw_mut(raw_server).send_data(0, 1, (1, id), &payload);
    world.send(server, 77, TransferMode::Reliable, &payload).expect("a connection");
    world.send(client, 1, TransferMode::Reliable, &payload).expect("a connection");
    world.run(SECOND);
    for host in [server, client] {
        assert_eq!(world.packets(host)[0].bytes, payload);
        assert_clean(&world, host);
    }
    for raw in [raw_client, raw_server] {
        assert_eq!(world.raw_mut(raw).take_packets()[0].1[HEADER..], payload);
    }
    let longest = world.take_recorded().iter().map(|datagram| datagram.bytes.len()).max();
    assert_eq!(longest, Some(576));
}

/// A path on which 548 bytes are the longest datagram: an MTU of 576, fragments dropped, nobody told.
fn black_hole() -> Link {
    Link { longest: Some(548), ..Link::delayed(Duration::from_millis(10)) }
}

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "stock ENet does not tell a path from a peer")]
fn who_sends_what_a_path_loses_is_told_and_tells_the_other_side() {
    for overhead in [0, DTLS_OVERHEAD] {
        for client_sends in [false, true] {
            let mut world = World::new(6);
            let (server, client) = pair(&mut world, overhead, 1392, 1392);
            world.set_links(black_hole());
            let (host, to) = if client_sends { (client, 1) } else { (server, 0) };
            let until = world.run_until(30 * SECOND, |world| world.status(client) != Status::Connected);
            assert!(!until, "short datagrams keep a connection");
            world.send(host, to, TransferMode::Reliable, &numbered(7, 5000)).expect("a connection");
            let ended = world.run_until(30 * SECOND, |world| world.status(client) != Status::Connected);
            assert!(ended);
            assert_eq!(world.session(client).connection_error(), Some(ConnectionError::LongLost));
            world.run(SECOND);
            let id = world.id(client);
            assert!(world.events(server).contains(&Event::PeerDisconnected(id)));
            let lost = LongLost { peer: id, address: world.address(client) };
            let told = world.session_mut(server).take_warning();
            assert_eq!(told, (!client_sends).then_some(lost.into()));
            assert_eq!(world.session_mut(server).take_warning(), None, "it is said once");
        }
    }
}

#[test]
fn a_smaller_mtu_than_the_paths_needs_nothing_else() {
    for overhead in [0, DTLS_OVERHEAD] {
        let mut world = World::new(7);
        let (server, client) = pair(&mut world, overhead, 772, 1392);
        world.set_links(Link { longest: Some(772), ..black_hole() });
        for index in 0..100 {
            for host in [server, client] {
                world.send(host, 0, TransferMode::Reliable, &numbered(index, 3000)).expect("a connection");
            }
            world.run(SECOND / 5);
        }
        world.run(SECOND);
        for host in [server, client] {
            let got: Vec<u32> = world.packets(host).iter().map(|packet| number(&packet.bytes)).collect();
            assert_eq!(got, (0..100).collect::<Vec<_>>());
        }
    }
}
