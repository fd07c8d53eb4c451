//! How connections begin, and who is turned away.

use std::time::Duration;

use nme_core::admission::AddressProof;
use nme_core::channel::TransferMode;
use nme_core::codec::Compression;
use nme_core::counters::Dropped;
use nme_core::peer::PeerId;
use nme_core::session::{Event, PeerError, SendError, Session, Status};
use nme_netem::Link;
use nme_testing::raw_peer::{RawConfig, RawEvent};
use nme_testing::world::{FRAME, HostId, World};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_client_connects() {
    let mut world = World::new(1);
    let server = world.server(4);
    assert_eq!(world.status(server), Status::Connected);
    assert_eq!(world.id(server), PeerId::SERVER);
    let client = world.client(world.address(server));
    let id = world.id(client);
    assert!(id.get() >= 2);
    assert!(world.session(server).is_server() && !world.session(client).is_server());
    assert_eq!(world.status(client), Status::Connecting);
    assert_eq!(world.send(client, 1, TransferMode::Reliable, b"early"), Err(SendError::NotConnected));
    assert_eq!(world.session(client).peer_address(1), Ok(world.address(server)), "while it connects");
    assert_eq!(world.session_mut(client).set_peer_throttle(1, 1, 1, 1), Err(PeerError::Unknown(1).into()));

    world.run(10 * FRAME);
    assert_eq!(world.status(client), Status::Connected);
    assert_eq!(world.events(client), [Event::PeerConnected(PeerId::SERVER), Event::ConnectionSucceeded]);
    assert_eq!(world.events(server), [Event::PeerConnected(id)]);
    assert_eq!(world.session(client).peer_address(1), Ok(world.address(server)));
    assert_eq!(world.session(server).peer_address(id.get().into()), Ok(world.address(client)));
    world.assert_talking(server, client);
    for host in [server, client] {
        assert_eq!(world.counters(host).dropped_datagrams(), 0);
    }
}

#[test]
fn addresses_of_relayed_and_unknown_peers_are_not_known() {
    let mut world = World::new(2);
    let server = world.server(4);
    let [a, b] = [(); 2].map(|()| world.connect(server));
    world.run(SECOND);
    let other = world.id(b);
    let number = other.get().into();
    assert_eq!(world.session(a).peer_address(number), Err(PeerError::Relayed(other)));
    for unknown in [0, -1, 2, i64::MAX, i64::MIN, (1 << 32) + 1] {
        assert_eq!(world.session(a).peer_address(unknown), Err(PeerError::Unknown(unknown)));
    }
    assert_eq!(world.session(server).peer_address(1), Err(PeerError::Unknown(1)));
}

#[test]
fn connect_asks_once() {
    let mut world = World::new(3);
    let [first, second] = [(); 2].map(|()| world.server(1));
    let client = world.client(world.address(first));
    let (now, address) = (world.now(), world.address(second));
    world.session_mut(client).connect(now, address);
    world.run(SECOND);
    assert_eq!(world.session(client).peer_address(1), Ok(world.address(first)));
    assert_eq!(world.events(second), []);
    world.session_mut(client).fail();
    world.run(SECOND);
    assert_eq!(world.status(client), Status::Connected);
    // A server asks nobody.
    world.session_mut(first).connect(now, address);
    world.session_mut(first).fail();
    world.run(SECOND);
    assert_eq!(world.events(first).len(), 1);
}

/// Ids that no client may have. Each sees its connection end, and nobody else hears of it.
#[test]
fn ids_that_no_client_may_have_are_turned_away() {
    let mut world = World::new(6);
    let server = world.server(4);
    let client = world.connect(server);
    for id in [0, 1, 0x8000_0000, 0x8000_0001, u32::MAX] {
        let raw = world.raw(RawConfig::default());
        let to = world.address(server);
        world.raw_mut(raw).connect(to, 3, id);
        world.run(SECOND);
        let expected =
            [RawEvent::Connected { peer: 0, data: 0 }, RawEvent::Disconnected { peer: 0, data: 0 }];
        assert_eq!(world.raw_events(raw), expected, "id {id}");
    }
    assert_eq!(world.events(server).len(), 1);
    assert_eq!(world.events(client).len(), 2);
    world.assert_talking(server, client);
}

#[test]
fn an_id_that_is_taken_is_turned_away() {
    let mut world = World::new(7);
    let server = world.server(4);
    let [owner, other] = [(); 2].map(|()| world.connect(server));
    let id = world.id(owner);
    let raw = world.raw(RawConfig::default());
    let to = world.address(server);
    world.raw_mut(raw).connect(to, 3, id.get() as u32);
    world.run(SECOND);
    let expected = [RawEvent::Connected { peer: 0, data: 0 }, RawEvent::Disconnected { peer: 0, data: 0 }];
    assert_eq!(world.raw_events(raw), expected);
    assert_eq!(world.events(server).len(), 2);
    assert_eq!(world.events(other).len(), 3);
    assert_eq!(world.session(server).peer_address(id.get().into()), Ok(world.address(owner)));
    world.assert_talking(server, owner);
    // With the owner gone, the id is free.
    world.close(owner);
    world.run(SECOND);
    world.raw_client(RawConfig::default(), server, id.get() as u32);
    assert_eq!(world.events(server).last(), Some(&Event::PeerConnected(id)));
}

#[test]
fn a_server_that_refuses_new_connections_keeps_the_old() {
    let mut world = World::new(8);
    let server = world.server(4);
    let old = world.connect(server);
    world.session_mut(server).set_refuse_new_connections(true);
    let refused = world.client(world.address(server));
    world.run(SECOND);
    // It is told at once. ENet has let it in before, as in 3.6.
    assert_eq!(world.events(refused).last(), Some(&Event::ServerDisconnected));
    assert_eq!(world.status(refused), Status::Disconnected);
    assert_eq!(world.events(server).len(), 1);
    assert_eq!(world.events(old).len(), 2);
    world.assert_talking(server, old);
    world.session_mut(server).set_refuse_new_connections(false);
    let welcome = world.connect(server);
    world.assert_talking(server, welcome);
}

#[test]
fn a_full_server_says_so() {
    for compression in [Compression::None, Compression::RangeCoder] {
        let mut world = World::new(9);
        let config = world.config().compression(compression);
        let server = world.server_with(&config, 1);
        let config = world.config().compression(compression);
        let first = world.connect_with(&config, server);
        let config = world.config().compression(compression);
        let second = world.client_with(&config, world.address(server));
        world.run(SECOND);
        assert_eq!(world.events(second), [Event::ConnectionFailed], "{compression:?}");
        assert!(world.counters(server).dropped(Dropped::ServerFull) > 0);
        world.assert_talking(server, first);
        // The place is free again when its owner leaves.
        world.close(first);
        world.run(SECOND);
        let config = world.config().compression(compression);
        let third = world.connect_with(&config, server);
        world.assert_talking(server, third);
    }
}

#[test]
fn a_full_server_tells_a_foreign_client_too() {
    let mut world = World::new(10);
    let server = world.server(1);
    let first = world.connect(server);
    let raw = world.raw(RawConfig::default());
    let to = world.address(server);
    world.raw_mut(raw).connect(to, 3, 1234);
    world.run(SECOND);
    assert!(matches!(world.raw_events(raw)[..], [RawEvent::Disconnected { peer: 0, .. }]));
    world.assert_talking(server, first);
}

#[test]
fn two_clients_for_one_place_in_the_same_poll() {
    let mut world = World::new(11);
    let server = world.server(1);
    let clients = [(); 2].map(|()| world.client(world.address(server)));
    world.run(3 * SECOND);
    let mut ends = clients.map(|client| world.events(client).last().copied());
    ends.sort_unstable_by_key(|event| *event == Some(Event::ConnectionFailed));
    assert_eq!(ends, [Some(Event::ConnectionSucceeded), Some(Event::ConnectionFailed)]);
    assert_eq!(world.events(server).len(), 1);
}

#[test]
fn five_hundred_clients_connect_in_one_poll() {
    for relay in [false, true] {
        let mut world = World::new(12);
        let config = world.config().server_relay(relay);
        let server = world.server_with(&config, 500);
        // Or some of them are asked for proof of their address, and come a round trip later.
        world.session_mut(server).set_address_proof(AddressProof::Never);
        let address = world.address(server);
        let clients: Vec<HostId> = (0..500).map(|_| world.client(address)).collect();
        // The clients ask; the server answers; the clients answer that; the server is told.
        world.step(FRAME);
        world.step(FRAME);
        assert_eq!(world.events(server), []);
        world.step(FRAME);
        let mut joined = world.events(server);
        assert!(world.log(server).iter().all(|entry| entry.poll == 3));
        let mut expected: Vec<Event> =
            clients.iter().map(|client| Event::PeerConnected(world.id(*client))).collect();
        for events in [&mut joined, &mut expected] {
            events.sort_unstable_by_key(|event| match event {
                Event::PeerConnected(id) => id.get(),
                _ => 0,
            });
        }
        assert_eq!(joined, expected);
        world.run(SECOND);
        for client in clients {
            let known = if relay { 500 } else { 1 };
            assert_eq!(world.known(client).len(), known);
        }
        assert_eq!(world.counters(server).dropped_datagrams(), 0);
    }
}

#[test]
fn handshakes_survive_a_bad_network() {
    let mut world = World::new(13);
    world.set_links(Link {
        latency: Duration::from_millis(60),
        jitter: Duration::from_millis(60),
        loss: 0.15,
        duplicate: 0.3,
        reorder: 0.3,
        reorder_delay: Duration::from_millis(100),
        ..Link::PERFECT
    });
    let server = world.server(30);
    let address = world.address(server);
    let clients: Vec<HostId> = (0..30).map(|_| world.client(address)).collect();
    world.run(25 * SECOND);
    for client in clients {
        let expected = [Event::PeerConnected(PeerId::SERVER), Event::ConnectionSucceeded];
        assert_eq!(world.events(client)[..2], expected);
        assert_eq!(world.known(client).len(), 30);
    }
    assert_eq!(world.known(server).len(), 30);
    assert_eq!(world.events(server).len(), 30);
}

#[test]
fn a_client_that_comes_back_from_the_same_address() {
    let mut world = World::new(14);
    let server = world.server(4);
    let first = world.connect(server);
    let address = world.address(first);
    let old = world.id(first);
    world.vanish(first);
    let config = world.config();
    let mut session = Session::client(&config, None);
    session.connect(world.now(), world.address(server));
    let second = world.add_at(address, session);
    world.run(2 * SECOND);
    assert_eq!(world.status(second), Status::Connected);
    world.assert_talking(server, second);
    world.run_in_steps(40 * SECOND, SECOND / 20);
    assert!(world.events(server).contains(&Event::PeerDisconnected(old)));
    world.assert_talking(server, second);
}
