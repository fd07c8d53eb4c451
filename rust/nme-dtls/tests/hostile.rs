//! What strangers, forgers and broken peers can do: nothing to others, and little to the server.

mod support;

use std::time::Instant;

use nme_core::secure::{SecureEvent, SecureFailure, SecureOutput, Verdict};
use nme_netem::Random;
use support::*;

/// Case 22.
#[test]
fn hellos_without_a_cookie_leave_nothing_behind() {
    const COUNT: u64 = 200_000;
    let mut layer = server();
    let mut out = SecureOutput::default();
    let start = Instant::now();
    for number in 0..COUNT {
        let from = client_address(number as u16);
        layer.receive(SECOND, from, &Hello::new(number).datagram(), &mut || Verdict::Accept, &mut out);
        assert_eq!(out.wire.len(), 1);
        assert_eq!(out.wire.iter().next().map(|(to, bytes)| (to, bytes.len())), Some((from, 48)));
        out.wire.clear();
    }
    let counters = layer.counters();
    assert_eq!((counters.cookies, counters.half_open, counters.turned_away), (COUNT, 0, 0));
    // Some 0.3 s; a key exchange for each would take ten times that and more.
    assert!(start.elapsed() < 20 * SECOND, "{:?}", start.elapsed());
    layer.tick(2 * SECOND, &mut out);
    assert!(out.wire.is_empty());
}

/// Datagrams that are not DTLS, or lie about it.
fn junk(random: &mut Random) -> Vec<Vec<u8>> {
    let mut junk = vec![
        vec![],
        vec![22],
        vec![22, 0xfe, 0xfd],
        vec![0; 13],
        record(22, 0, 0, &[]),
        record(24, 0, 0, &[1; 20]),
        record(22, 0, 5, &[1; 11]),
        record(23, 1, 9, &[1; 10]),
        // ENet: a connect command.
        [&[0x8f, 0xff, 0x12, 0x34, 0x82, 0xff, 0, 1][..], &[0; 40]].concat(),
    ];
    for _ in 0..200 {
        let len = random.within(0..1500);
        junk.push(random.bytes(len));
        let len = random.within(1..300);
        let body = random.bytes(len);
        let mut lie =
            record(20 + random.within(0..4) as u8, random.within(0..3) as u16, random.bits(), &body);
        if random.chance(0.5) {
            let at = random.within(0..13);
            lie[at] ^= 1 << random.within(0..8);
        }
        junk.push(lie);
    }
    junk
}

/// Cases 23 and 31.
#[test]
fn junk_from_strangers_is_not_answered_and_not_kept() {
    let mut world = World::new(1);
    let before = world.sent.len();
    for datagram in junk(&mut Random::new(1)) {
        world.inject(client_address(9), server_address(), &datagram);
    }
    assert_eq!(world.sent.len(), before, "no reply");
    let counters = world.counters();
    assert_eq!((counters.half_open, counters.established, counters.cookies), (0, 0, 0));
    assert_eq!(counters.dropped, 409);
    assert!(world.server().events.is_empty() && world.server().plain.is_empty());
}

/// Case 23.
#[test]
fn junk_under_the_address_of_a_peer_does_not_harm_it() {
    let mut world = World::new(1);
    let address = world.connected(1);
    for datagram in junk(&mut Random::new(2)) {
        world.inject(address, server_address(), &datagram);
        world.inject(server_address(), address, &datagram);
    }
    assert!(world.server().plain.is_empty() && world.host(address).plain.is_empty());
    world.assert_alive(address);
    assert_eq!(world.server().events, [SecureEvent::Established(address)]);
    assert_eq!(world.host(address).events, [SecureEvent::Established(server_address())]);
}

/// Every record that somebody without the keys could try.
fn forgeries() -> Vec<Vec<u8>> {
    let mut forged = Vec::new();
    for epoch in [0, 1, 2, 0xffff] {
        for sequence in [0, 1, 50, 1 << 47] {
            for body in [&[2, 40][..], &[1, 0], &[1], &[2, 0], &[1; 18], &[1; 24], &[1; 25], &[0; 200]] {
                for content in [20, 21, 22, 23] {
                    forged.push(record(content, epoch, sequence, body));
                }
            }
            // Finished, and a key exchange.
            forged.push(record(22, epoch, sequence, &message(20, 3, 12, 0, &[7; 12])));
            forged.push(record(22, epoch, sequence, &message(16, 2, 33, 0, &[32; 33])));
            // Several of them in one datagram.
            let both = [record(20, epoch, sequence, &[1]), record(22, 1, sequence, &[3; 40])].concat();
            forged.push(both);
        }
    }
    forged
}

/// Case 24. Among them is a change of cipher of epoch 1, which the library would believe.
#[test]
fn forged_records_do_nothing_to_an_association() {
    let mut world = World::new(1);
    let address = world.connected(1);
    for datagram in forgeries() {
        world.inject(address, server_address(), &datagram);
        world.inject(server_address(), address, &datagram);
    }
    world.assert_alive(address);
    assert_eq!(world.server().events, [SecureEvent::Established(address)]);
    assert_eq!(world.host(address).events, [SecureEvent::Established(server_address())]);
    assert_eq!((world.server().plain.len(), world.host(address).plain.len()), (1, 1));
}

/// Each forgery alone, as one may undo what another one does.
#[test]
fn no_single_forged_record_ends_an_association() {
    let mut world = World::new(1);
    let address = world.connected(1);
    for (number, datagram) in forgeries().into_iter().enumerate() {
        world.inject(address, server_address(), &datagram);
        world.inject(server_address(), address, &datagram);
        world.send(address, server_address(), &number.to_be_bytes());
        world.send(server_address(), address, &number.to_be_bytes());
        world.step();
        assert!(world.server().plain.pop().is_some(), "{datagram:02x?} to the server");
        assert!(world.host(address).plain.pop().is_some(), "{datagram:02x?} to the client");
    }
}

/// Case 24, during the handshake.
#[test]
fn a_forged_alert_does_not_end_a_handshake() {
    let mut world = World::new(1);
    world.network.set_default(nme_netem::Link::delayed(100 * MS));
    let address = client_address(1);
    world.connect(address, client());
    while !world.is_established(address) {
        for (from, to) in [(server_address(), address), (address, server_address())] {
            for description in [0, 10, 40, 49, 70, 80] {
                world.inject(from, to, &record(21, 0, 3, &[2, description]));
                world.inject(from, to, &record(21, 0, 3, &[1, description]));
            }
        }
        world.step();
        assert_eq!(world.failure(address), None);
    }
    world.run(5 * SECOND);
    assert_eq!(world.failure(address), None);
    world.assert_alive(address);
    assert_eq!(world.counters().abandoned, 0);
}

/// A true alert is not waited for longer than a moment.
#[test]
fn an_alert_that_nothing_contradicts_ends_the_attempt_after_a_second() {
    for (alert, expected) in [
        ([2, 49], SecureFailure::Refused),
        ([2, 40], SecureFailure::Handshake),
        ([2, 70], SecureFailure::Handshake),
        ([1, 0], SecureFailure::Handshake),
    ] {
        let mut world = World::empty(1);
        let address = client_address(1);
        world.connect(address, client());
        world.inject(server_address(), address, &record(21, 0, 0, &alert));
        let time = world.run_until(2 * SECOND, |world| world.failure(address).is_some());
        assert_eq!(world.failure(address), Some(expected));
        assert!((900 * MS..1100 * MS).contains(&time), "{time:?}");
    }
}

/// Case 25.
#[test]
fn a_replayed_record_is_delivered_once() {
    let mut world = World::new(1);
    let address = world.connected(1);
    let mut datagrams = Vec::new();
    for number in 0..20_u8 {
        world.send(address, server_address(), &[number]);
        datagrams.push(world.sent.last().unwrap().bytes.clone());
    }
    world.run(SECOND);
    for datagram in datagrams.iter().chain(datagrams.iter().rev()) {
        world.inject(address, server_address(), datagram);
    }
    // Two records in one datagram are two datagrams; again, they are none.
    world.set_copies(|_| 0);
    let mut both = Vec::new();
    for number in [20, 21] {
        world.send(address, server_address(), &[number]);
        both.extend_from_slice(&world.sent.last().unwrap().bytes);
    }
    world.inject(address, server_address(), &both);
    world.inject(address, server_address(), &both);
    let got: Vec<_> = world.server().plain.iter().map(|(_, bytes)| bytes[0]).collect();
    assert_eq!(got, (0..22).collect::<Vec<_>>());
    world.set_copies(|_| 1);
    world.assert_alive(address);
}

/// Case 26: the main thread of Windows has such a stack.
fn with_small_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).expect("a thread").join().expect("no panic");
}

/// One-byte fragments of one long message, last one first, one to a record and many to a record.
fn fragments(kind: u8, sequence: u16, length: usize) -> Vec<Vec<u8>> {
    let one_each = (0..60_000).map(|number| {
        let offset = length - 1 - number % length;
        record(22, 0, 1000 + number as u64, &message(kind, sequence, length, offset, b"x"))
    });
    let many = (0..60_u64).map(|number| {
        let parts: Vec<u8> =
            (0..80).flat_map(|part| message(kind, sequence, length, length - 1 - part, b"x")).collect();
        record(22, 0, 100_000 + number, &parts)
    });
    let datagrams = (0..600_u64).map(|number| {
        let records = (0..50).map(|part| {
            let number = number * 50 + part;
            record(22, 0, 200_000 + number, &message(kind, sequence, length, number as usize % length, b"x"))
        });
        records.flatten().collect()
    });
    one_each.chain(many).chain(datagrams).collect()
}

/// Case 26.
#[test]
fn a_client_that_sends_thousands_of_fragments_is_given_up() {
    with_small_stack(|| {
        let mut world = World::new(1);
        let alive = world.connected(1);
        let stranger = client_address(2);
        let hello = Hello::new(1);
        let request = world.ask(stranger, server_address(), &hello.datagram()).remove(0);
        world.ask(stranger, server_address(), &hello.with_cookie_of(&request).datagram());
        assert_eq!(world.counters().half_open, 1);
        let start = Instant::now();
        for (kind, length) in [(16, 60_000), (16, 500), (20, 500)] {
            for datagram in fragments(kind, 2, length) {
                world.inject(stranger, server_address(), &datagram);
            }
        }
        assert!(start.elapsed() < 10 * SECOND, "{:?}", start.elapsed());
        let counters = world.counters();
        assert_eq!((counters.half_open, counters.abandoned, counters.established), (0, 1, 1));
        world.assert_alive(alive);
    });
}

/// Case 26, from under the addresses of both sides of an association.
#[test]
fn thousands_of_forged_fragments_do_not_reach_an_association() {
    with_small_stack(|| {
        let mut world = World::new(1);
        let address = world.connected(1);
        let start = Instant::now();
        for datagram in fragments(20, 4, 60_000) {
            world.inject(address, server_address(), &datagram);
            world.inject(server_address(), address, &datagram);
        }
        assert!(start.elapsed() < 10 * SECOND, "{:?}", start.elapsed());
        world.assert_alive(address);
    });
}

/// Case 26, from the server that a client connects to.
#[test]
fn thousands_of_fragments_from_a_server_only_cost_the_client_its_attempts() {
    with_small_stack(|| {
        let mut world = World::empty(1);
        let address = client_address(1);
        world.connect(address, client());
        let start = Instant::now();
        for (kind, length) in [(11, 60_000), (11, 30_000)] {
            for datagram in fragments(kind, 0, length) {
                world.inject(server_address(), address, &datagram);
            }
        }
        assert!(start.elapsed() < 20 * SECOND, "{:?}", start.elapsed());
        world.run(31 * SECOND);
        assert!(world.failure(address).is_some());
    });
}

/// Case 27.
#[test]
fn protected_records_before_the_handshake_are_kept_in_small_number_only() {
    let mut world = World::new(1);
    let stranger = client_address(2);
    let hello = Hello::new(1);
    let request = world.ask(stranger, server_address(), &hello.datagram()).remove(0);
    world.ask(stranger, server_address(), &hello.with_cookie_of(&request).datagram());
    let dropped = world.counters().dropped;
    for number in 0..10_000 {
        world.inject(stranger, server_address(), &record(23, 1, number, &[1; 1200]));
        world.inject(stranger, server_address(), &record(22, 1, number, &[1; 1200]));
    }
    assert_eq!(world.counters().dropped, dropped + 20_000, "too long to be Finished");
    assert_eq!(world.counters().half_open, 1);
    for number in 0..1000 {
        world.inject(stranger, server_address(), &record(22, 1, number, &[1; 40]));
    }
    let counters = world.counters();
    assert_eq!((counters.half_open, counters.abandoned), (0, 1));
    assert_eq!(counters.dropped, dropped + 20_000 + 1000 - 97);
}

/// Case 28.
#[test]
fn half_open_handshakes_are_few_and_expire() {
    let mut world = World::new(1);
    let alive = world.connected(1);
    // All from one host: it gets what there is, and no more.
    let attacker = |number: u16| std::net::SocketAddr::from(([203, 0, 113, 1], 1000 + number));
    for number in 0..500 {
        let hello = Hello::new(number.into());
        let request = world.ask(attacker(number), server_address(), &hello.datagram()).remove(0);
        let answer =
            world.ask(attacker(number), server_address(), &hello.with_cookie_of(&request).datagram());
        assert_eq!(!answer.is_empty(), number < 64, "number {number}");
    }
    let counters = world.counters();
    assert_eq!((counters.half_open, counters.turned_away, counters.established), (64, 436, 1));
    world.assert_alive(alive);

    // Others still get in.
    let newcomer = client_address(5);
    world.connect(newcomer, client());
    world.run_until(SECOND, |world| world.is_established(newcomer));

    world.run(16 * SECOND);
    let counters = world.counters();
    assert_eq!((counters.half_open, counters.abandoned, counters.established), (0, 64, 2));
    world.assert_alive(alive);
    world.assert_alive(newcomer);
}

/// Case 29.
#[test]
fn a_cookie_from_another_address_is_answered_with_a_new_one() {
    let mut world = World::new(1);
    let (honest, spoofed) = (client_address(1), client_address(2));
    let hello = Hello::new(1);
    let request = world.ask(honest, server_address(), &hello.datagram()).remove(0);
    let second = hello.with_cookie_of(&request).datagram();
    let answer = world.ask(spoofed, server_address(), &second);
    assert_eq!(answer.len(), 1);
    assert_eq!(answer[0].len(), 48);
    assert_ne!(answer[0], request);
    assert_eq!(world.counters().half_open, 0);
    world.ask(honest, server_address(), &second);
    assert_eq!(world.counters().half_open, 1);
}

/// Whatever arrives in a handshake, changed in any way: no panic, and a handshake afterwards.
#[test]
fn handshakes_with_changed_bytes_harm_nobody() {
    for seed in 0..60 {
        let mut world = World::new(seed);
        let mut random = Random::new(seed);
        let alive = world.connected(1);
        let address = client_address(2);
        world.connect(address, client());
        // Each datagram arrives as it is, or with a few changes behind its record headers.
        for _ in 0..40 {
            world.set_copies(|_| 0);
            let start = world.sent.len();
            world.step();
            let sent: Vec<_> = world.sent[start..].to_vec();
            for sent in sent {
                let mut bytes = sent.bytes.clone();
                if random.chance(0.5) {
                    for _ in 0..random.within(1..4) {
                        let at = random.within(0..bytes.len());
                        bytes[at] = random.bits() as u8;
                    }
                }
                world.network.send(world.now, sent.from, sent.to, &bytes);
            }
            world.now += 50 * MS;
        }
        world.set_copies(|_| 1);
        world.assert_alive(alive);
    }
}

/// A server whose messages are broken: the client does not try for ever.
#[test]
fn a_server_that_sends_nonsense_is_given_up_soon() {
    let mut world = World::new(1);
    let address = client_address(1);
    world.connect(address, client());
    let hello_done = record(22, 0, 1, &message(14, 3, 0, 0, b""));
    let server_hello = |suite: [u8; 2]| {
        let body = [&[0xfe, 0xfd][..], &[9; 32], &[0], &suite, &[0, 0, 0]].concat();
        record(22, 0, 0, &message(2, 0, body.len(), 0, &body))
    };
    let certificate = record(22, 0, 2, &message(11, 1, 3, 0, &[0, 0, 0]));
    let exchange = record(22, 0, 3, &message(12, 2, 8, 0, &[3, 0, 23, 0, 4, 1, 0, 0]));
    let flight = [server_hello([0xc0, 0x14]), certificate, exchange, hello_done].concat();
    world.set_copies(|_| 0);
    let start = world.now;
    while world.failure(address).is_none() {
        world.inject(server_address(), address, &flight);
        world.step();
    }
    assert_eq!(world.failure(address), Some(SecureFailure::Handshake));
    let time = world.now - start;
    assert!((3 * SECOND..4 * SECOND).contains(&time), "{time:?}");
}
