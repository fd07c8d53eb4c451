//! A client that comes back on the address and port it had.

mod support;

use nme_core::secure::{SecureEvent, Verdict};
use support::*;

/// Case 34.
#[test]
fn a_restarted_client_gets_in_and_its_old_association_is_reported_closed_first() {
    let mut world = World::new(1);
    let address = world.connected(1);
    world.server().events.clear();
    // Even when the server is full: it has its place already.
    world.server().admits = Verdict::Refuse;
    world.connect(address, client());
    let time = world.run_until(SECOND, |world| {
        world.hosts[&address].events == [SecureEvent::Established(server_address())]
    });
    assert!(time < 100 * MS, "{time:?}");
    assert_eq!(world.server().events, [SecureEvent::Closed(address), SecureEvent::Established(address)]);
    let counters = world.counters();
    assert_eq!((counters.established, counters.half_open, counters.completed), (1, 0, 2));
    world.assert_alive(address);
}

/// Case 34: until the new handshake is complete, the old association is the one that counts.
#[test]
fn the_old_association_lives_while_the_new_handshake_is_in_progress() {
    let mut world = World::new(1);
    let address = world.connected(1);
    // Somebody else's handshake from the same address, as far as it gets without the keys.
    let hello = Hello::new(7);
    let request = world.ask(address, server_address(), &hello.datagram()).remove(0);
    let flight = world.ask(address, server_address(), &hello.with_cookie_of(&request).datagram());
    assert!(flight.iter().map(Vec::len).sum::<usize>() > 1000, "the certificate");
    assert_eq!(world.counters().half_open, 1);
    world.set_copies(|sent| usize::from(sent.bytes[0] == 23));
    world.assert_alive(address);
    world.run(16 * SECOND);
    world.assert_alive(address);
    let counters = world.counters();
    assert_eq!((counters.half_open, counters.established, counters.abandoned), (0, 1, 1));
    assert_eq!(world.server().events, [SecureEvent::Established(address)]);
}

/// Case 30.
#[test]
fn the_old_hellos_of_an_association_do_nothing_to_it() {
    let mut world = World::new(1);
    let address = world.connected(1);
    let hellos: Vec<_> = world
        .sent
        .iter()
        .filter(|sent| sent.from == address)
        .take(2)
        .map(|sent| sent.bytes.clone())
        .collect();
    assert_eq!(world.ask(address, server_address(), &hellos[0]).len(), 1, "the cookie");
    for _ in 0..10 {
        assert!(world.ask(address, server_address(), &hellos[1]).is_empty());
    }
    assert_eq!(world.counters().half_open, 0);
    world.assert_alive(address);

    // After it has ended, a hello is as good as another one; without the client it comes to nothing.
    world.call(address, |layer, now, out| layer.close(now, server_address(), out));
    world.run(SECOND);
    assert!(!world.ask(address, server_address(), &hellos[1]).is_empty());
    world.set_copies(|_| 0);
    world.run(16 * SECOND);
    let counters = world.counters();
    assert_eq!((counters.half_open, counters.established), (0, 0));
}

/// A client that is restarted in the middle of its handshake.
#[test]
fn a_handshake_is_replaced_by_that_of_a_restarted_client() {
    let mut world = World::new(1);
    let address = client_address(1);
    world.connect(address, client());
    world.set_copies(|sent| usize::from(sent.bytes.len() < 400));
    world.run(SECOND);
    assert_eq!(world.counters().half_open, 1);
    world.set_copies(|_| 1);
    world.connect(address, client());
    let time = world.run_until(SECOND, |world| world.is_established(address));
    assert!(time < 100 * MS, "{time:?}");
    let counters = world.counters();
    assert_eq!((counters.completed, counters.half_open, counters.abandoned), (1, 0, 1));
    world.assert_alive(address);
}

/// The old handshake's flights reach the new client, which cannot tell them from its own.
#[test]
fn a_restarted_client_survives_the_flights_of_its_old_handshake() {
    let mut world = World::new(1);
    let address = client_address(1);
    world.connect(address, client());
    world.set_copies(|sent| usize::from(sent.bytes.len() < 300));
    world.run(SECOND);
    let flight: Vec<_> =
        world.sent.iter().filter(|sent| sent.bytes.len() > 300).map(|sent| sent.bytes.clone()).collect();
    assert!(flight.len() >= 4, "it is repeated");

    // Before the cookie they are ignored; with it, they look like what is waited for.
    for cookie in [false, true] {
        world.set_copies(|sent| usize::from(sent.bytes.len() < 300));
        world.connect(address, client());
        if cookie {
            world.run(50 * MS);
        }
        for datagram in &flight {
            world.inject(server_address(), address, datagram);
        }
        world.set_copies(|_| 1);
        let time = world.run_until(5 * SECOND, |world| world.is_established(address));
        assert!(time < if cookie { 2 * SECOND } else { 100 * MS }, "{time:?}");
        assert_eq!(world.host(address).layer.counters().abandoned, u64::from(cookie));
    }
    world.assert_alive(address);
}

/// Case 33.
#[test]
fn records_from_another_address_are_ignored() {
    let mut world = World::new(1);
    let address = world.connected(1);
    let moved = client_address(2);
    world.set_copies(|_| 0);
    world.send(address, server_address(), b"moved");
    let datagram = world.sent.last().unwrap().bytes.clone();
    assert!(world.ask(moved, server_address(), &datagram).is_empty());
    assert!(world.server().plain.is_empty());
    assert_eq!(world.counters().dropped, 1);
    world.set_copies(|_| 1);
    world.assert_alive(address);
}
