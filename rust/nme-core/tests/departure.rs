//! Why peers leave, and what is told of it.

use std::time::Duration;

use nme_core::PeerTimeout;
use nme_core::channel::{Delivery, TransferMode};
use nme_core::relay::Kick;
use nme_core::session::{ConnectionError, Departure, DisconnectError, Event, KickError};
use nme_netem::Link;
use nme_testing::raw_peer::{RawConfig, RawEvent};
use nme_testing::world::{HostId, World};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn kick() -> Kick {
    Kick { code: -7, text: "No shouting, please".to_owned() }
}

/// Why the peer of whom the host has heard last has left.
fn last_departure(world: &World, host: HostId) -> Option<Departure> {
    world.session(host).departure()
}

#[test]
fn a_client_hears_why_it_is_kicked_behind_what_it_was_sent() {
    // Stock ENet gives a peer up that loses so much.
    let most = if cfg!(feature = "reference-engine") { 0.0 } else { 0.3 };
    for loss in [0.0, most] {
        let mut world = World::new(1);
        let server = world.server(4);
        let client = world.connect(server);
        let id = world.id(client);
        world.set_links(Link { loss, ..Link::delayed(40 * MS) });
        world.send(server, id.get(), TransferMode::Reliable, &[1; 20_000]).expect("a known client");
        world.session_mut(server).kick_peer(id.get().into(), kick()).expect("a known client");
        assert_eq!(world.known(server).len(), 1, "it leaves when it has got everything");
        assert!(world.run_until(30 * SECOND, |world| world.known(server).is_empty()));
        world.run(SECOND);
        assert_eq!(world.packets(client).len(), 1);
        assert_eq!(world.session(client).kick(), Some(&kick()));
        assert_eq!(world.session(client).connection_error(), Some(ConnectionError::Kicked));
        assert_eq!(world.events(client).last(), Some(&Event::ServerDisconnected));
        assert_eq!(last_departure(&world, server), Some(Departure::Kicked));
    }
}

#[test]
fn a_stock_client_just_leaves() {
    let mut world = World::new(2);
    let server = world.server(4);
    let raw = world.raw_client(RawConfig::default(), server, 77);
    world.session_mut(server).kick_peer(77, kick()).expect("a known client");
    assert!(world.run_until(5 * SECOND, |world| world.known(server).is_empty()));
    assert!(world.raw_events(raw).iter().any(|event| matches!(event, RawEvent::Disconnected { .. })));
}

#[test]
fn what_cannot_be_done_is_an_error() {
    let mut world = World::new(3);
    let server = world.server(4);
    let client = world.connect(server);
    let id = i64::from(world.id(client).get());
    assert_eq!(
        world.session_mut(client).kick_peer(1, kick()),
        Err(KickError::Disconnect(DisconnectError::NotServer))
    );
    assert_eq!(
        world.session_mut(server).kick_peer(12, kick()),
        Err(KickError::Disconnect(DisconnectError::UnknownPeer(12)))
    );
    let long = Kick { code: 0, text: "x".repeat(Kick::MAX_TEXT_BYTES + 1) };
    assert_eq!(world.session_mut(server).kick_peer(id, long), Err(KickError::Text(1025)));
    world.assert_talking(server, client);
}

#[test]
fn no_client_can_say_that_another_is_kicked() {
    let mut world = World::new(4);
    let server = world.server(4);
    let client = world.connect(server);
    let raw = world.raw_client(RawConfig::default(), server, 77);
    // The channel of the system messages, as the server's own would come.
    world.raw_mut(raw).send(0, 0, b"XENK\0\0\0\0bye", Delivery::Reliable);
    world.run(SECOND);
    assert_eq!(world.session(client).kick(), None);
    world.assert_talking(server, client);
}

#[test]
fn each_way_to_leave_has_its_reason() {
    let mut world = World::new(5);
    let server = world.server(8);
    let clients: Vec<HostId> = (0..4).map(|_| world.connect(server)).collect();
    world.run(SECOND);
    let ids: Vec<_> = clients.iter().map(|client| world.id(*client)).collect();

    world.close(clients[0]);
    world.run(SECOND);
    assert_eq!(last_departure(&world, clients[3]), Some(Departure::Behind));
    assert_eq!(last_departure(&world, server), Some(Departure::Left));

    world.kick(server, ids[1], false).expect("a known client");
    assert!(world.run_until(5 * SECOND, |world| !world.known(server).contains(&ids[1])));
    assert_eq!(last_departure(&world, server), Some(Departure::Disconnected));
    assert_eq!(world.session(clients[1]).connection_error(), Some(ConnectionError::ClosedByServer));
    assert_eq!(last_departure(&world, clients[1]), Some(Departure::Left));

    world.vanish(clients[2]);
    assert!(world.run_until(60 * SECOND, |world| !world.known(server).contains(&ids[2])));
    assert_eq!(last_departure(&world, server), Some(Departure::Lost));

    world.kick(server, ids[3], true).expect("a known client");
    assert_eq!(last_departure(&world, server), Some(Departure::Disconnected));
}

#[test]
fn an_attempt_takes_no_longer_than_it_may() {
    let mut world = World::new(6);
    let nobody = world.new_address();
    let config = world.config().connect_timeout(Some(3 * SECOND));
    let client = world.client_with(&config, nobody);
    let began = world.now();
    assert!(world.run_until(10 * SECOND, |world| world.events(client) == [Event::ConnectionFailed]));
    let took = world.now() - began;
    assert!((3 * SECOND..4 * SECOND).contains(&took), "{took:?}");
    assert_eq!(world.session(client).connection_error(), Some(ConnectionError::TimedOut));
}

#[test]
fn a_timeout_for_all_holds_for_who_comes_later_and_can_be_replaced() {
    let mut world = World::new(7);
    let server = world.server(4);
    world.session_mut(server).set_default_peer_timeout(PeerTimeout::new(32, 1000, 2000).expect("in order"));
    let [short, long] = [world.connect(server), world.connect(server)];
    let [short_id, long_id] = [short, long].map(|client| world.id(client));
    world.session_mut(server).set_peer_timeout(long_id.get().into(), 32, 10_000, 20_000).expect("in order");
    [short, long].into_iter().for_each(|client| world.vanish(client));
    assert!(world.run_until(4 * SECOND, |world| !world.known(server).contains(&short_id)));
    assert!(world.known(server).contains(&long_id));
    assert!(PeerTimeout::new(2, 1, 3).is_err() && PeerTimeout::new(0, 0, 1 << 32).is_err());
}
