//! Equal packets to several peers become one.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use nme_core::channel::{Delivery, TransferMode};
use nme_core::session::{Event, SendError};
use nme_testing::raw_peer::{RawConfig, data_packet, system_message};
use nme_testing::world::{HostId, RawId, World};

const SECOND: Duration = Duration::from_secs(1);
const MODES: [TransferMode; 3] =
    [TransferMode::Unreliable, TransferMode::UnreliableOrdered, TransferMode::Reliable];

/// A client of a foreign server, which has announced these peers to it.
fn client_among(others: &[u32]) -> (World, HostId, RawId) {
    let mut world = World::new(3);
    let server = world.raw(RawConfig { peers: 4, ..RawConfig::default() });
    let address = world.raw_address(server);
    let client = world.client(address);
    world.run(SECOND);
    for id in others {
        world.raw_mut(server).send(0, 0, &system_message(0, *id), Delivery::Reliable);
    }
    world.run(SECOND);
    assert_eq!(world.known(client).len(), 1 + others.len());
    world.raw_mut(server).take_events();
    (world, client, server)
}

/// Puts packets of the form (target, payload), and answers what arrives at the server: target, payload.
fn uplink(
    (world, client, server): &mut (World, HostId, RawId),
    mode: TransferMode,
    puts: &[(i32, &str)],
) -> Vec<(i32, String)> {
    for (target, payload) in puts {
        world.send(*client, *target, mode, payload.as_bytes()).unwrap();
    }
    world.run(SECOND);
    let id = world.id(*client).get();
    let packets = world.raw_mut(*server).take_packets();
    packets
        .into_iter()
        .map(|(_, bytes)| {
            assert_eq!(bytes[..4], id.to_le_bytes());
            let target = i32::from_le_bytes(bytes[4..8].try_into().unwrap());
            (target, String::from_utf8(bytes[8..].to_vec()).unwrap())
        })
        .collect()
}

fn puts(list: &[(i32, &str)]) -> Vec<(i32, String)> {
    list.iter().map(|(target, payload)| (*target, (*payload).to_owned())).collect()
}

#[test]
fn a_run_to_everybody_is_one_packet_to_target_0() {
    let mut link = client_among(&[20, 30, 40]);
    for mode in MODES {
        for order in [[1, 20, 30, 40], [40, 1, 30, 20], [30, 20, 40, 1]] {
            let list = order.map(|target| (target, "all"));
            assert_eq!(uplink(&mut link, mode, &list), puts(&[(0, "all")]), "{mode:?} {order:?}");
        }
    }
}

#[test]
fn a_run_to_all_but_one_is_one_packet_to_its_negative_id() {
    let mut link = client_among(&[20, 30, 40]);
    for (order, target) in [([20, 30, 40], -1), ([1, 40, 20], -30), ([30, 1, 20], -40), ([40, 30, 1], -20)] {
        let list = order.map(|target| (target, "most"));
        let got = uplink(&mut link, TransferMode::Reliable, &list);
        assert_eq!(got, puts(&[(target, "most")]), "{order:?}");
    }
}

#[test]
fn other_runs_are_sent_one_by_one() {
    let mut link = client_among(&[20, 30, 40]);
    for list in [&[(20, "two"), (30, "two")][..], &[(1, "x"), (40, "x")], &[(20, "one")], &[(1, "one")]] {
        assert_eq!(uplink(&mut link, TransferMode::Reliable, list), puts(list));
    }
    // With one other peer, a packet for the server is for all but one, too.
    let mut link = client_among(&[20]);
    for list in [&[(1, "a")][..], &[(20, "b")]] {
        assert_eq!(uplink(&mut link, TransferMode::Reliable, list), puts(list));
    }
    assert_eq!(uplink(&mut link, TransferMode::Reliable, &[(20, "c"), (1, "c")]), puts(&[(0, "c")]));
    // And a client without others has nobody to fold.
    let mut link = client_among(&[]);
    assert_eq!(uplink(&mut link, TransferMode::Reliable, &[(1, "d"), (1, "d")]), puts(&[(1, "d"), (1, "d")]));
}

#[test]
fn the_order_of_packets_stays() {
    let mut link = client_among(&[20, 30]);
    let list = [
        (1, "a"),
        (20, "a"),
        (30, "a"),
        (1, "b"),
        (20, "b"),
        (1, "c"),
        (1, "c"),
        (20, "c"),
        (30, "c"),
        (0, "d"),
        (1, "d"),
        (20, "d"),
        (30, "d"),
        (-20, "e"),
    ];
    let expected = [(0, "a"), (-30, "b"), (1, "c"), (0, "c"), (0, "d"), (0, "d"), (-20, "e")];
    assert_eq!(uplink(&mut link, TransferMode::Reliable, &list), puts(&expected));
}

#[test]
fn a_run_is_of_one_mode_and_channel() {
    let (mut world, client, server) = client_among(&[20]);
    world.send(client, 1, TransferMode::Reliable, b"same").unwrap();
    world.send(client, 20, TransferMode::UnreliableOrdered, b"same").unwrap();
    world.send(client, 1, TransferMode::UnreliableOrdered, b"same").unwrap();
    world.send(client, 20, TransferMode::Unreliable, b"same").unwrap();
    world.run(SECOND);
    let id = world.id(client).get();
    let mut got = world.raw_mut(server).take_packets();
    got.sort();
    let packet = |target| data_packet(id, target, b"same");
    assert_eq!(got, [(1, packet(1)), (2, packet(0)), (2, packet(20))]);
}

#[test]
fn a_flush_and_a_poll_end_a_run() {
    let (mut world, client, server) = client_among(&[20]);
    world.send(client, 1, TransferMode::Reliable, b"run").unwrap();
    world.flush(client);
    world.send(client, 20, TransferMode::Reliable, b"run").unwrap();
    world.poll(client);
    world.send(client, 1, TransferMode::Reliable, b"run").unwrap();
    world.run(SECOND);
    let id = world.id(client).get();
    let packets = world.raw_mut(server).take_packets();
    assert_eq!(packets, [1, 20, 1].map(|target| (1, data_packet(id, target, b"run"))));
}

#[test]
fn wrong_targets_are_refused_at_once_and_do_not_end_a_run() {
    let mut link = client_among(&[20]);
    let (world, client, _) = &mut link;
    world.send(*client, 20, TransferMode::Reliable, b"run").unwrap();
    let result = world.send(*client, 77, TransferMode::Reliable, b"run");
    assert!(matches!(result, Err(SendError::UnknownTarget(_))));
    assert_eq!(uplink(&mut link, TransferMode::Reliable, &[(1, "run")]), puts(&[(0, "run")]));
}

#[test]
fn a_peer_that_left_is_not_in_the_way() {
    let (mut world, client, server) = client_among(&[20, 30]);
    world.raw_mut(server).send(0, 0, &system_message(1, 30), Delivery::Reliable);
    world.run(SECOND);
    for target in [1, 20] {
        world.send(client, target, TransferMode::Reliable, b"rest").unwrap();
    }
    world.run(SECOND);
    let id = world.id(client).get();
    assert_eq!(world.raw_mut(server).take_packets(), [(1, data_packet(id, 0, b"rest"))]);
}

/// A server with foreign clients 20, 30 and 40.
fn server_of_three() -> (World, HostId, [RawId; 3]) {
    let mut world = World::new(5);
    let server = world.server(4);
    let raws = [20, 30, 40].map(|id| world.raw_client(RawConfig::default(), server, id));
    world.run(SECOND);
    for raw in raws {
        world.raw_mut(raw).take_events();
    }
    (world, server, raws)
}

#[test]
fn on_a_server_each_peer_gets_its_packets_in_order() {
    let (mut world, server, raws) = server_of_three();
    for mode in MODES {
        let list = [
            (20, "a"),
            (30, "a"),
            (40, "a"),
            (30, "b"),
            (30, "c"),
            (20, "c"),
            (20, "c"),
            (0, "d"),
            (-20, "e"),
        ];
        for (target, payload) in list {
            world.send(server, target, mode, payload.as_bytes()).unwrap();
        }
        world.run(SECOND);
        // Runs name everybody, as 3.6 does when it sends to all at once.
        let expected = [
            vec![(0, "a"), (0, "c"), (20, "c"), (0, "d")],
            vec![(0, "a"), (30, "b"), (0, "c"), (0, "d"), (-20, "e")],
            vec![(0, "a"), (0, "d"), (-20, "e")],
        ];
        for (raw, expected) in raws.into_iter().zip(expected) {
            let got: Vec<Vec<u8>> =
                world.raw_mut(raw).take_packets().into_iter().map(|(_, bytes)| bytes).collect();
            let expected: Vec<Vec<u8>> = expected
                .into_iter()
                .map(|(target, payload)| data_packet(1, target, payload.as_bytes()))
                .collect();
            assert_eq!(got, expected, "{mode:?}");
        }
    }
}

#[test]
fn what_was_put_leaves_before_a_disconnect_at_once() {
    let mut world = World::new(8);
    let server = world.server(4);
    let clients = [(); 3].map(|()| world.connect(server));
    world.run(SECOND);
    let ids = clients.map(|client| world.id(client));
    for id in ids {
        world.send(server, id.get(), TransferMode::Reliable, b"last words").unwrap();
    }
    world.kick(server, ids[0], true).unwrap();
    world.run(SECOND);
    for client in clients {
        let packets = world.take_packets(client);
        assert_eq!(packets.iter().map(|packet| &packet.bytes[..]).collect::<Vec<_>>(), [b"last words"]);
    }
    assert!(world.events(server).contains(&Event::PeerDisconnected(ids[0])));
    assert!(world.events(clients[0]).contains(&Event::ServerDisconnected));
    for id in &ids[1..] {
        world.send(server, id.get(), TransferMode::Reliable, b"the end").unwrap();
    }
    world.close(server);
    world.run(SECOND);
    for client in &clients[1..] {
        assert_eq!(world.take_packets(*client)[0].bytes, b"the end");
        assert!(world.events(*client).contains(&Event::ServerDisconnected));
    }
}

#[test]
fn a_call_of_one_client_to_31_others_is_one_packet_uplink() {
    let mut world = World::new(6);
    let server = world.server(32);
    let clients: Vec<HostId> = (0..32).map(|_| world.connect(server)).collect();
    world.run(SECOND);
    let caller = clients[7];
    let targets: Vec<i32> = world.known(caller).iter().map(|id| id.get()).collect();
    assert_eq!(targets.len(), 32);
    world.run(SECOND);
    for host in clients.iter().chain([&server]) {
        world.take_packets(*host);
    }
    world.record();
    for target in targets {
        world.send(caller, target, TransferMode::Unreliable, &[7; 48]).unwrap();
    }
    world.flush(caller);
    let sent = world.take_recorded();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].bytes.len() < 80, "{}", sent[0].bytes.len());
    world.run(SECOND);
    for host in clients.into_iter().chain([server]).filter(|host| *host != caller) {
        let packets = world.take_packets(host);
        assert_eq!(packets.len(), 1, "{host:?}");
        assert_eq!((packets[0].from, &packets[0].bytes[..]), (world.id(caller), &[7; 48][..]));
    }
    assert_eq!(world.take_packets(caller), []);
}
