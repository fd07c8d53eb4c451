//! Why a client has no connection, without encryption. Reasons of the encryption are in `secure.rs`.

use std::time::Duration;

use nme_core::channel::TransferMode;
use nme_core::session::{ConnectionError, Event, Session};
use nme_netem::Link;
use nme_testing::world::{FRAME, HostId, World};

const SECOND: Duration = Duration::from_secs(1);

fn pair(seed: u64) -> (World, HostId, HostId) {
    let mut world = World::new(seed);
    let server = world.server(1);
    let client = world.connect(server);
    (world, server, client)
}

fn assert_ended(world: &World, client: HostId, error: ConnectionError) {
    let last = world.events(client).last().copied();
    assert!(matches!(last, Some(Event::ConnectionFailed | Event::ServerDisconnected)), "{last:?}");
    assert_eq!(world.session(client).connection_error(), Some(error));
}

#[test]
fn nobody_answers() {
    let mut world = World::new(1);
    let nobody = world.new_address();
    let client = world.client(nobody);
    world.run(10 * SECOND);
    assert_eq!(world.session(client).connection_error(), None);
    world.run(30 * SECOND);
    assert_eq!(world.events(client), [Event::ConnectionFailed]);
    assert_ended(&world, client, ConnectionError::TimedOut);
}

#[test]
fn the_server_is_full() {
    let (mut world, server, _) = pair(2);
    let second = world.client(world.address(server));
    world.run(SECOND);
    assert_eq!(world.events(second), [Event::ConnectionFailed]);
    assert_ended(&world, second, ConnectionError::Refused);
}

#[test]
fn the_server_has_no_address() {
    let mut world = World::new(3);
    let config = world.config();
    let client = world.add(Session::client(&config, None));
    world.session_mut(client).fail();
    world.run(FRAME);
    assert_ended(&world, client, ConnectionError::NotResolved);
}

#[test]
fn the_server_closes() {
    let (mut world, server, client) = pair(4);
    world.close(server);
    world.run(4 * FRAME);
    assert_ended(&world, client, ConnectionError::ClosedByServer);
}

#[test]
fn the_server_disconnects_the_client() {
    for at_once in [true, false] {
        let (mut world, server, client) = pair(5);
        world.kick(server, world.id(client), at_once).expect("a client");
        world.run(SECOND);
        assert_ended(&world, client, ConnectionError::ClosedByServer);
    }
}

#[test]
fn a_server_that_refuses_lets_the_client_in_and_closes() {
    let mut world = World::new(6);
    let server = world.server(2);
    world.session_mut(server).set_refuse_new_connections(true);
    let client = world.client(world.address(server));
    world.run(SECOND);
    assert_eq!(world.events(client).last(), Some(&Event::ServerDisconnected));
    assert_ended(&world, client, ConnectionError::ClosedByServer);
}

#[test]
fn the_server_vanishes() {
    let (mut world, server, client) = pair(7);
    world.vanish(server);
    world.run(60 * SECOND);
    assert_ended(&world, client, ConnectionError::Lost);
}

#[test]
fn the_server_acknowledges_too_little() {
    use nme_core::session::Limits;
    let mut world = World::new(8);
    let server = world.server(1);
    let config = world.config().limits(Limits { unacknowledged: 100_000, ..Limits::default() });
    let client = world.connect_with(&config, server);
    let (one, other) = (world.address(server), world.address(client));
    world.network().set_both(one, other, Link::DOWN);
    for _ in 0..200 {
        let _ = world.send(client, 1, TransferMode::Reliable, &[1; 1000]);
    }
    world.run(FRAME);
    assert_ended(&world, client, ConnectionError::Lost);
}

#[test]
fn what_this_side_ends_is_no_error_and_a_server_has_none() {
    let (mut world, server, client) = pair(9);
    world.close(client);
    world.run(SECOND);
    assert_eq!(world.session(client).connection_error(), None);
    world.close(server);
    assert_eq!(world.session(server).connection_error(), None);
}
