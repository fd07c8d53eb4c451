//! How attempts to connect end without a connection.

use std::time::Duration;

use nme_core::channel::TransferMode;
use nme_core::session::{ConnectionError, Event, PeerError, SendError, Session, Status, TimeoutError};
use nme_testing::world::{FRAME, World};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_attempt_can_be_given_up_before_and_after_it_begins() {
    let mut world = World::new(4);
    let server = world.server(1);
    let address = world.address(server);
    let config = world.config();
    let waiting = world.add(Session::client(&config, None));
    world.run(SECOND);
    assert_eq!(world.status(waiting), Status::Connecting);
    world.session_mut(waiting).fail();
    world.session_mut(waiting).fail();
    world.step(FRAME);
    assert_eq!(world.events(waiting), [Event::ConnectionFailed]);
    assert_eq!(world.status(waiting), Status::Disconnected);
    assert_eq!(world.send(waiting, 0, TransferMode::Reliable, b"?"), Err(SendError::NotConnected));

    let asked = world.client(address);
    world.session_mut(asked).fail();
    world.step(FRAME);
    assert_eq!(world.events(asked), [Event::ConnectionFailed]);
}

#[test]
fn an_attempt_that_nobody_answers_fails_after_half_a_minute() {
    let mut world = World::new(5);
    let nobody = world.new_address();
    let client = world.client(nobody);
    assert!(!world.run_until(30 * SECOND, |world| !world.events(client).is_empty()));
    assert!(world.run_until(4 * SECOND, |world| !world.events(client).is_empty()));
    assert_eq!(world.events(client), [Event::ConnectionFailed]);
    assert_eq!(world.status(client), Status::Disconnected);
}

#[test]
fn the_timeout_of_an_attempt_can_be_set() {
    let mut secure = World::new(22);
    secure.secure(37);
    for mut world in [World::new(22), secure] {
        let nobody = world.new_address();
        let client = world.client(nobody);
        let answer = world.session_mut(client).set_peer_timeout(1, 32, 3000, 2000);
        assert!(matches!(answer, Err(TimeoutError::Order { .. })));
        world.session_mut(client).set_peer_timeout(1, 32, 1000, 2000).expect("the server");
        world.run(SECOND);
        assert_eq!(world.events(client), []);
        world.run(SECOND + 2 * FRAME);
        assert_eq!(world.events(client), [Event::ConnectionFailed]);
        assert_eq!(world.session_mut(client).set_peer_timeout(1, 1, 1, 1), Err(PeerError::Unknown(1).into()));
    }
}

#[test]
fn a_name_that_is_looked_up_for_too_long_is_an_attempt_that_failed() {
    let mut world = World::new(24);
    let config = world.config();
    let client = world.add(Session::client(&config, None));
    assert_eq!(world.session(client).peer_address(1), Err(PeerError::NotResolved));
    world.session_mut(client).set_peer_timeout(1, 32, 1000, 2000).expect("the server");
    world.run(SECOND);
    assert_eq!(world.events(client), []);
    world.run(SECOND + 2 * FRAME);
    assert_eq!(world.events(client), [Event::ConnectionFailed]);
    assert_eq!(world.session(client).connection_error(), Some(ConnectionError::NotResolved));
}

/// Set before the server's address is known, or before the encryption's handshake is complete.
#[test]
fn the_timeout_of_an_attempt_is_that_of_its_connection() {
    let mut secure = World::new(25);
    secure.secure(37);
    for mut world in [World::new(25), secure] {
        let server = world.server(2);
        let address = world.address(server);
        let config = world.config();
        let layer = world.layer();
        let client = world.add(Session::client(&config, layer));
        world.session_mut(client).set_peer_timeout(1, 1, 1000, 1500).expect("the server");
        world.run(SECOND);
        let now = world.now();
        world.session_mut(client).connect(now, address);
        world.run(SECOND);
        assert_eq!(world.status(client), Status::Connected);
        // The time of the attempt is over, and the connection stands.
        world.run(5 * SECOND);
        assert_eq!(world.status(client), Status::Connected);
        world.vanish(server);
        assert!(world.run_until(4 * SECOND, |world| world.status(client) == Status::Disconnected));
        assert_eq!(world.session(client).connection_error(), Some(ConnectionError::Lost));
    }
}
