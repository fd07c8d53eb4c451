//! Handshakes over networks that lose, repeat and reorder datagrams.

mod support;

use std::cell::Cell;
use std::rc::Rc;

use nme_core::secure::SecureFailure;
use nme_dtls::{Identity, Trust};
use nme_netem::Link;
use support::*;

const SEEDS: u64 = 16;

fn bad_network(loss: f64) -> Link {
    Link {
        latency: 25 * MS,
        jitter: 10 * MS,
        loss,
        duplicate: 0.05,
        reorder: 0.05,
        reorder_delay: 60 * MS,
        ..Link::PERFECT
    }
}

/// Connects over this network; answers how long that took. Then both sides hear each other.
fn connects(world: &mut World, link: Link, trust: Trust) -> std::time::Duration {
    world.network.set_default(link);
    let address = client_address(1);
    world.connect(address, client_of(trust, "localhost"));
    let time = world.run_until(31 * SECOND, |world| {
        assert_eq!(world.failure(address), None, "after {:?}", world.now);
        world.is_established(address)
    });
    world.network.set_default(Link::PERFECT);
    world.run(SECOND);
    world.assert_alive(address);
    time
}

/// Case 18.
#[test]
fn handshakes_complete_over_a_network_that_loses_a_fifth() {
    for seed in 0..SEEDS {
        let time =
            connects(&mut World::new(seed), bad_network(0.2), Trust::Certificate(CERTIFICATE.to_owned()));
        assert!(time < 15 * SECOND, "seed {seed}: {time:?}");
    }
}

/// Case 18.
#[test]
fn handshakes_complete_over_a_network_that_loses_a_third() {
    for seed in 100..100 + SEEDS {
        connects(&mut World::new(seed), bad_network(0.3), Trust::Anybody);
    }
}

/// Case 18, with a certificate that fills several datagrams.
#[test]
fn handshakes_with_large_certificates_complete_over_a_bad_network() {
    let certificate = include_str!("data/godot4/rsa_4096.crt");
    let identity = Identity::from_pem(include_str!("data/godot4/rsa_4096.key"), certificate).unwrap();
    for seed in 200..206 {
        let mut world = World::empty(seed);
        world.add(server_address(), server_with(&identity));
        connects(&mut world, bad_network(0.25), Trust::Certificate(certificate.to_owned()));
    }
}

/// Case 19. The last of a server's datagrams among them: its Finished.
#[test]
fn any_single_datagram_of_a_handshake_may_be_lost() {
    for from_client in [true, false] {
        let mut lost = 0;
        for number in 0..20 {
            let mut world = World::new(1);
            let seen = Rc::new(Cell::new(0));
            let counter = seen.clone();
            world.set_copies(move |sent| {
                if (sent.to == server_address()) != from_client {
                    return 1;
                }
                counter.set(counter.get() + 1);
                usize::from(counter.get() != number + 1)
            });
            let address = client_address(1);
            world.connect(address, client());
            let time = world.run_until(5 * SECOND, |world| world.is_established(address));
            let was_lost = seen.get() > number;
            lost += u32::from(was_lost);
            assert_eq!(time > 400 * MS, was_lost, "number {number}: {time:?}");
            assert!(time < 1200 * MS, "number {number}: {time:?}");
            assert_eq!(world.host(address).layer.counters().abandoned, 0, "the first attempt");
            world.set_copies(|_| 1);
            world.assert_alive(address);
        }
        // Two hellos and Finished; the request for the cookie, two datagrams of certificate, and Finished.
        assert_eq!(lost, if from_client { 3 } else { 4 });
    }
}

/// Case 19: whole flights, the first time they are sent.
#[test]
fn each_flight_may_be_lost_as_a_whole() {
    for first in 0..7 {
        let mut world = World::new(1);
        // A flight is what one host sends at one time.
        let mut number = 0;
        let mut last = None;
        world.set_copies(move |sent| {
            let flight = (sent.from, sent.at);
            number += u32::from(last.replace(flight).is_some_and(|last| last != flight));
            usize::from(number != first)
        });
        let address = client_address(1);
        world.connect(address, client());
        world.run_until(5 * SECOND, |world| world.is_established(address));
        world.set_copies(|_| 1);
        world.assert_alive(address);
    }
}

/// Case 20.
#[test]
fn every_datagram_may_arrive_twice() {
    for copies in [2, 3] {
        let mut world = World::new(1);
        world.set_copies(move |_| copies);
        let address = client_address(1);
        world.connect(address, client());
        let time = world.run_until(5 * SECOND, |world| world.is_established(address));
        assert!(time < 100 * MS, "{time:?}");
        world.assert_alive(address);
        let counters = world.counters();
        assert_eq!((counters.completed, counters.half_open, counters.abandoned), (1, 0, 0));
    }
}

/// Case 20, with repeats that come late.
#[test]
fn every_datagram_may_come_again_later() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        let link = Link {
            latency: 20 * MS,
            jitter: 400 * MS,
            duplicate: 1.0,
            reorder: 0.3,
            reorder_delay: 300 * MS,
            ..Link::PERFECT
        };
        connects(&mut world, link, Trust::Anybody);
    }
}

/// Case 21.
#[test]
fn a_handshake_that_stands_still_is_given_up_on_both_sides() {
    let mut world = World::new(1);
    // Nothing of the server arrives once it has asked for the cookie.
    world.set_copies(|sent| usize::from(sent.to == server_address() || sent.bytes.len() == 48));
    let address = client_address(1);
    world.connect(address, client());
    let start = world.now;
    world.run_until(31 * SECOND, |world| world.failure(address).is_some());
    assert_eq!(world.failure(address), Some(SecureFailure::TimedOut));
    let time = world.now - start;
    assert!((30 * SECOND..31 * SECOND).contains(&time), "{time:?}");
    world.run(16 * SECOND);
    let counters = world.counters();
    assert_eq!((counters.half_open, counters.completed, counters.established), (0, 0, 0));
    let sent = world.sent.len();
    world.run(60 * SECOND);
    assert_eq!(world.sent.len(), sent, "both are quiet");
}

/// A network that is down for a while, at each moment of a handshake.
#[test]
fn a_handshake_survives_seconds_without_a_network() {
    for start in 0..8 {
        let mut world = World::new(1);
        world.network.set_default(Link::delayed(30 * MS));
        let address = client_address(1);
        world.connect(address, client());
        world.run(start * 30 * MS);
        world.network.set_default(Link::DOWN);
        world.run(6 * SECOND);
        world.network.set_default(Link::delayed(30 * MS));
        let limit = 12 * SECOND;
        world.run_until(limit, |world| world.is_established(address));
        world.assert_alive(address);
    }
}
