//! Handshakes over a good network: what is agreed on, what is refused, and how it ends.

mod support;

use std::time::Duration;

use nme_core::secure::{SecureEvent, SecureFailure, Verdict};
use nme_dtls::{Identity, Trust};
use support::*;

macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!("data/", $name))
    };
}

/// Case 1, with ourselves on the other side.
#[test]
fn every_key_of_the_engines_makes_an_association_that_carries_datagrams() {
    let engines = [
        (pem!("godot4/rsa_2048.key"), pem!("godot4/rsa_2048.crt")),
        (pem!("godot4/rsa_4096.key"), pem!("godot4/rsa_4096.crt")),
        (pem!("godot3/rsa_2048.key"), pem!("godot3/rsa_2048.crt")),
        (pem!("godot3/rsa_4096.key"), pem!("godot3/rsa_4096.crt")),
    ];
    for (key, certificate) in engines {
        for trust in [Trust::Certificate(certificate.to_owned()), Trust::Anybody] {
            let mut world = World::empty(1);
            world.add(server_address(), server_with(&Identity::from_pem(key, certificate).unwrap()));
            let address = client_address(1);
            world.connect(address, client_of(trust, "localhost"));
            world.run_until(SECOND, |world| world.is_established(address));
            world.assert_alive(address);
        }
    }
}

/// Case 1, for a key that is not RSA.
#[test]
fn a_key_on_p_256_makes_an_association_too() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let mut world = World::empty(1);
    let identity = Identity::from_pem(&key.serialize_pem(), &certificate.pem()).unwrap();
    world.add(server_address(), server_with(&identity));
    let address = client_address(1);
    world.connect(address, client_of(Trust::Certificate(certificate.pem()), "localhost"));
    world.run_until(SECOND, |world| world.is_established(address));
    world.assert_alive(address);
}

/// Case 8, as far as it concerns the layer.
#[test]
fn a_datagram_grows_by_the_overhead_and_no_more() {
    let mut world = World::new(1);
    let address = world.connected(1);
    let overhead = usize::from(world.server().layer.overhead());
    assert_eq!(world.host(address).layer.overhead(), world.server().layer.overhead());
    for len in [1, 10, 1200, 1392, 4000, 16_000] {
        let datagram = vec![len as u8; len];
        world.send(address, server_address(), &datagram);
        // AES-GCM, which both of us like best, has the largest overhead.
        assert_eq!(world.sent.last().unwrap().bytes.len(), len + overhead, "{len}");
        world.run(100 * MS);
        assert_eq!(world.server().plain.pop(), Some((address, datagram)));
    }
}

#[test]
fn no_datagram_of_a_handshake_is_longer_than_1200_bytes() {
    let mut world = World::empty(1);
    let long = Identity::from_pem(pem!("godot4/rsa_4096.key"), pem!("godot4/rsa_4096.crt")).unwrap();
    world.add(server_address(), server_with(&long));
    let address = client_address(1);
    world.connect(address, client_of(Trust::Anybody, "localhost"));
    world.run_until(SECOND, |world| world.is_established(address));
    let longest = world.sent.iter().map(|sent| sent.bytes.len()).max().unwrap();
    assert!((1000..=1200).contains(&longest), "{longest}");
}

/// A nonce that is used twice breaks AES-GCM; and they must not come from where a hello's random number does.
#[test]
fn no_two_records_have_the_same_nonce() {
    let mut world = World::new(1);
    let address = world.connected(1);
    for number in 0..100_u32 {
        world.send(address, server_address(), &number.to_be_bytes());
        world.send(server_address(), address, &number.to_be_bytes());
    }
    let mut nonces: Vec<_> = world
        .sent
        .iter()
        .flat_map(|sent| {
            records(&sent.bytes).into_iter().filter(|record| record.1 == 1).map(|record| (sent.from, record))
        })
        .map(|(from, (_, _, _, body))| (from, body[..8].to_vec()))
        .collect();
    let count = nonces.len();
    assert_eq!(count, 202, "200 datagrams and two Finished");
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), count);
}

/// Case 16.
#[test]
fn only_suites_with_authenticated_encryption_are_agreed_on() {
    // What our client offers.
    let mut world = World::new(1);
    world.connected(1);
    let hello = world.sent[0].bytes[13 + 12..].to_vec();
    let count = usize::from(u16::from_be_bytes([hello[36], hello[37]])) / 2;
    let offered: Vec<u16> =
        hello[38..38 + 2 * count].chunks(2).map(|suite| u16::from_be_bytes([suite[0], suite[1]])).collect();
    assert_eq!(offered, [0xc02f, 0xc02b, 0xcca8, 0xcca9]);

    // What our server takes: AES-256-CBC-SHA first is passed over, and alone refused.
    let chosen = |suites: &[u16]| {
        let mut world = World::new(1);
        let mut hello = Hello::new(1);
        hello.suites = suites.to_vec();
        let address = client_address(1);
        let request = world.ask(address, server_address(), &hello.datagram()).remove(0);
        let answer = world.ask(address, server_address(), &hello.with_cookie_of(&request).datagram());
        let (content, _, number, body) = records(&answer[0])[0];
        assert_ne!(number, 0, "the request for the cookie had it, so the client would drop this one");
        (content == 22)
            .then(|| u16::from_be_bytes([body[12 + 35], body[12 + 36]]))
            .ok_or_else(|| body.to_vec())
    };
    assert_eq!(chosen(&[0xc014, 0xcca8, 0xc02f]), Ok(0xcca8));
    assert_eq!(chosen(&[0xc014, 0xc02f]), Ok(0xc02f));
    for refused in [0xc014, 0xc013, 0x002f, 0x00a8, 0xc0ac, 0xc02b] {
        // Fatal: insufficient security.
        assert_eq!(chosen(&[refused]), Err(vec![2, 71]), "{refused:#x}");
    }
}

/// Case 17.
#[test]
fn a_client_that_speaks_dtls_1_0_only_is_told_so() {
    let mut world = World::new(1);
    let mut hello = Hello::new(1);
    hello.version = 0xfeff;
    let answers = world.ask(client_address(1), server_address(), &hello.datagram());
    // Fatal: protocol version, in a record of the version it speaks.
    assert_eq!(answers, [vec![21, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 70]]);
    let counters = world.counters();
    assert_eq!((counters.turned_away, counters.cookies, counters.half_open), (1, 0, 0));
}

/// The library takes the second hello for a repeat of the first then, and would wait for ever.
#[test]
fn a_second_hello_with_the_first_ones_number_begins_nothing() {
    let mut world = World::new(1);
    let address = client_address(1);
    let hello = Hello::new(1);
    let request = world.ask(address, server_address(), &hello.datagram()).remove(0);
    let mut second = hello.with_cookie_of(&request).datagram();
    second[10] = 0;
    assert!(world.ask(address, server_address(), &second).is_empty());
    let counters = world.counters();
    assert_eq!((counters.half_open, counters.abandoned), (0, 1));
}

#[test]
fn a_client_that_resumes_a_session_is_told_that_it_cannot() {
    let mut world = World::new(1);
    let mut hello = Hello::new(1);
    hello.session = vec![7; 32];
    let answers = world.ask(client_address(1), server_address(), &hello.datagram());
    assert_eq!(records(&answers[0]), [(21, 0, 0, &[2, 40][..])]);
}

/// Cases 9 to 12: the reason reaches the game, and it is not waited for.
#[test]
fn a_certificate_that_is_not_trusted_ends_the_attempt_at_once_and_says_why() {
    let pinned = Trust::Certificate(CERTIFICATE.to_owned());
    let cases = [
        (pem!("godot4/rsa_2048_expired.crt"), pinned.clone(), "localhost", SecureFailure::CertificateExpired),
        (
            pem!("godot4/rsa_2048_future.crt"),
            pinned.clone(),
            "localhost",
            SecureFailure::CertificateNotYetValid,
        ),
        (CERTIFICATE, pinned, "other.example.com", SecureFailure::WrongName),
        (
            CERTIFICATE,
            Trust::Certificate(pem!("godot4/rsa_2048_other.crt").to_owned()),
            "localhost",
            SecureFailure::Untrusted,
        ),
    ];
    for (certificate, trust, name, expected) in cases {
        let mut world = World::empty(1);
        world.add(server_address(), server_with(&Identity::from_pem(KEY, certificate).unwrap()));
        let address = client_address(1);
        world.connect(address, client_of(trust, name));
        let time = world.run_until(SECOND, |world| world.failure(address).is_some());
        assert_eq!(world.failure(address), Some(expected));
        assert!(time < 100 * MS, "{time:?}");
        assert_eq!(world.host(address).layer.counters().completed, 0);
        // The server hears of it, and nothing is left of it.
        world.run(16 * SECOND);
        let counters = world.counters();
        assert_eq!((counters.completed, counters.half_open, counters.abandoned), (0, 0, 1));
        assert_eq!(world.host(address).events.len(), 1, "one event and nothing behind it");
    }
}

/// Case 21 and 32: nobody answers.
#[test]
fn a_client_gives_up_after_thirty_seconds_of_silence() {
    let mut world = World::empty(1);
    let address = client_address(1);
    world.connect(address, client());
    world.hosts.get_mut(&address).unwrap().admits = Verdict::Refuse;
    let start = world.now;
    while world.failure(address).is_none() {
        world.step();
    }
    assert_eq!(world.failure(address), Some(SecureFailure::TimedOut));
    let time = world.now - start;
    assert!((30 * SECOND..31 * SECOND).contains(&time), "{time:?}");
    let hellos = world.sent.len();
    assert!((40..80).contains(&hellos), "{hellos} hellos");
    world.run(60 * SECOND);
    assert_eq!(world.sent.len(), hellos, "it has given up");
}

/// Case 32: a server that speaks something else.
#[test]
fn a_server_that_answers_without_dtls_is_recognised() {
    let mut world = World::empty(1);
    let address = client_address(1);
    world.connect(address, client());
    let start = world.now;
    let answer = |world: &mut World| world.inject(server_address(), address, &[0x8f, 0xff, 1, 2, 3, 4]);
    answer(&mut world);
    answer(&mut world);
    world.run(4 * SECOND);
    assert_eq!(world.failure(address), None, "two could be forged");
    answer(&mut world);
    world.run(SECOND);
    assert_eq!(world.failure(address), Some(SecureFailure::NoDtls));
    assert!(world.now - start < 6 * SECOND);

    // With fewer, only the deadline decides.
    world.connect(address, client());
    answer(&mut world);
    world.run(31 * SECOND);
    assert_eq!(world.failure(address), Some(SecureFailure::NoDtls));
}

#[test]
fn foreign_datagrams_do_not_end_an_attempt_that_dtls_has_answered() {
    let mut world = World::new(1);
    world.network.set_default(nme_netem::Link::delayed(700 * MS));
    let address = client_address(1);
    world.connect(address, client());
    world.run(2 * SECOND);
    for _ in 0..100 {
        world.inject(server_address(), address, &[0x8f, 0xff, 1, 2, 3, 4]);
    }
    world.run_until(10 * SECOND, |world| world.is_established(address));
}

/// Case 35.
#[test]
fn a_client_ignores_what_does_not_come_from_its_server() {
    let mut world = World::new(1);
    let address = client_address(1);
    let elsewhere = "192.0.2.1:4001".parse().unwrap();
    world.connect(address, client());
    world.set_copies(|_| 0);
    world.run(100 * MS);
    // The server's own answers, from the wrong port.
    let hello = world.sent[0].bytes.clone();
    let request = world.ask(address, server_address(), &hello).remove(0);
    let before = world.sent.len();
    world.inject(elsewhere, address, &request);
    world.inject(elsewhere, address, &record(21, 0, 0, &[2, 49]));
    world.inject(elsewhere, address, b"no DTLS");
    assert_eq!(world.sent.len(), before);
    assert_eq!(world.host(address).layer.counters().dropped, 3);
    // From the right one it is taken.
    world.inject(server_address(), address, &request);
    assert_eq!(world.sent.len(), before + 1);
}

/// Case 36.
#[test]
fn a_goodbye_is_heard_at_once_on_both_sides() {
    let mut world = World::new(1);
    let (first, second) = (world.connected(1), world.connected(2));

    world.call(first, |layer, now, out| layer.close(now, server_address(), out));
    assert_eq!(world.host(first).layer.counters().established, 0);
    world.run(100 * MS);
    assert_eq!(world.server().events.last(), Some(&SecureEvent::Closed(first)));
    assert_eq!(world.counters().established, 1);
    assert!(!world.host(first).events.contains(&SecureEvent::Closed(server_address())), "it knows");

    world.call(server_address(), |layer, now, out| layer.close(now, second, out));
    world.run(100 * MS);
    assert_eq!(world.host(second).events.last(), Some(&SecureEvent::Closed(server_address())));
    assert_eq!(world.counters().established, 0);
    assert_eq!(world.server().events.last(), Some(&SecureEvent::Closed(first)), "no event of its own doing");

    // What is sent now goes nowhere.
    let before = world.sent.len();
    world.send(server_address(), second, b"late");
    world.send(second, server_address(), b"late");
    assert_eq!(world.sent.len(), before);
}

/// Case 37.
#[test]
fn a_full_server_turns_a_client_away_before_any_handshake() {
    let mut world = World::new(1);
    let there = world.connected(1);
    world.server().admits = Verdict::Refuse;
    let address = client_address(2);
    world.connect(address, client());
    let time = world.run_until(5 * SECOND, |world| world.failure(address).is_some());
    assert_eq!(world.failure(address), Some(SecureFailure::Refused));
    assert!(time < 1200 * MS, "{time:?}");
    let counters = world.counters();
    assert_eq!((counters.completed, counters.half_open, counters.abandoned), (1, 0, 0));
    assert!((1..=3).contains(&counters.turned_away), "once a hello: {counters:?}");
    // No answer is longer than its question, and none is a flight.
    let answers: Vec<_> =
        world.sent.iter().filter(|sent| sent.to == address).map(|sent| sent.bytes.len()).collect();
    assert!(answers.iter().all(|len| *len <= 48), "{answers:?}");
    world.assert_alive(there);

    // It is not asked before the address is proven.
    let asked = std::cell::Cell::new(0);
    let mut admits = || {
        asked.set(asked.get() + 1);
        Verdict::Refuse
    };
    let hello = Hello::new(1);
    let mut out = nme_core::secure::SecureOutput::default();
    let from = client_address(3);
    world.server().layer.receive(Duration::from_secs(60), from, &hello.datagram(), &mut admits, &mut out);
    assert_eq!(asked.get(), 0);
    let request = out.wire.iter().next().unwrap().1.to_vec();
    let second = hello.with_cookie_of(&request).datagram();
    world.server().layer.receive(Duration::from_secs(60), from, &second, &mut admits, &mut out);
    assert_eq!(asked.get(), 1);
}

/// A place that becomes free within the second in which a refusal could be a forgery is taken.
#[test]
fn a_refusal_that_is_withdrawn_is_forgotten() {
    let mut world = World::new(1);
    world.server().admits = Verdict::Refuse;
    let address = client_address(1);
    world.connect(address, client());
    world.run(300 * MS);
    assert_eq!(world.failure(address), None);
    world.server().admits = Verdict::Accept;
    world.run_until(SECOND, |world| world.is_established(address));
    world.run(5 * SECOND);
    assert_eq!(world.failure(address), None);
    world.assert_alive(address);
}

/// Certificates travel in pieces, of both sides' own MTU.
#[test]
fn no_datagram_of_a_handshake_is_longer_than_the_mtu() {
    for (mtu, longest) in [(576, 576), (700, 700), (1392, 1200)] {
        let mut world = World::empty(1);
        let limits = nme_dtls::ServerLimits::for_clients(1).with_mtu(mtu);
        world.add(server_address(), Box::new(nme_dtls::server(&identity(), limits).unwrap()));
        let address = client_address(1);
        let verifier = nme_dtls::Verifier::new(Trust::Anybody).unwrap();
        let options = nme_dtls::ClientOptions {
            verifier,
            host_name: "localhost".to_owned(),
            unix_time: UNIX_TIME,
            mtu,
        };
        world.connect(address, Box::new(nme_dtls::client(options).unwrap()));
        world.run_until(SECOND, |world| world.is_established(address));
        let found = world.sent.iter().map(|sent| sent.bytes.len()).max().unwrap();
        assert!(found <= longest && found > 500, "{found} bytes with {mtu}");
    }
}

/// Every association's place is taken: the newcomer gets the one that has been silent for longest.
#[test]
fn silent_associations_make_room_and_live_ones_do_not() {
    let mut world = full_world();
    let newcomer = client_address(100);
    (1..=65).for_each(|number| world.note_use(client_address(number)));
    world.run(SECOND);
    world.connect(newcomer, client());
    world.run_until(3 * SECOND, |world| world.failure(newcomer).is_some());
    assert_eq!(world.failure(newcomer), Some(SecureFailure::Refused));

    world.run(20 * SECOND);
    let alive = client_address(1);
    world.assert_alive(alive);
    world.run(10 * SECOND);
    let newcomer = world.connected(101);
    assert_eq!(world.counters().established, 65);
    assert!(world.server().events.contains(&SecureEvent::Closed(client_address(2))));
    world.assert_alive(newcomer);
    world.assert_alive(alive);
}

/// What a client sends that goes no further does not keep its place.
#[test]
fn associations_without_a_connection_make_room_at_once() {
    let mut world = full_world();
    let used = client_address(1);
    world.note_use(used);
    for round in 0..40 {
        (2..=65).for_each(|number| world.send(client_address(number), server_address(), b"still here"));
        world.run(SECOND / 10);
        let newcomer = world.connected(100 + round);
        assert!(world.is_established(newcomer));
    }
    assert_eq!(world.counters().established, 65);
    assert!(world.server().events.contains(&SecureEvent::Closed(client_address(2))));
    world.assert_alive(used);
}

/// With a server for one client, and as many associations as it takes.
fn full_world() -> World {
    let mut world = World::empty(1);
    let limits = nme_dtls::ServerLimits::for_clients(1);
    world.add(server_address(), Box::new(nme_dtls::server(&identity(), limits).expect("a layer")));
    for number in 1..=65 {
        world.connected(number);
    }
    assert_eq!(world.counters().established, 65);
    world
}
