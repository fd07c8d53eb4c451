//! Who is silent for long is sent little. Who was given up and speaks again is told so: rarely, and never with more bytes than
//! have come.

mod raw;

use std::time::Duration;

use nme_enet::DropReason::*;
use nme_enet::{Delivery, DisconnectReason, Event};
use raw::*;

/// A server that has given up its client; what the client sends now is not answered in any other way.
fn given_up() -> Bench {
    let mut bench = Bench::server();
    let handle = bench.handle();
    bench.host.set_timeout(handle, 2, 500, 1000);
    bench.transmit();
    for _ in 0..40 {
        bench.now += Duration::from_millis(100);
        bench.host.handle_timeout(bench.now);
        bench.transmit();
        while let Some(event) = bench.host.poll_event() {
            bench.events.push(event);
        }
    }
    assert!(matches!(
        bench.events.pop(),
        Some(Event::Disconnected { reason: DisconnectReason::TimedOut, .. })
    ));
    bench
}

/// A ping has 8 bytes with its header, a goodbye 10.
fn answers(bench: &mut Bench) -> usize {
    bench.refuse(UnknownPeer, ping());
    bench.transmit().len()
}

#[test]
fn answers_are_few_and_no_longer_than_what_came() {
    let mut bench = given_up();
    assert_eq!([answers(&mut bench), answers(&mut bench)], [0, 1]);
    for _ in 0..50 {
        assert_eq!(answers(&mut bench), 0);
    }
    bench.now += Duration::from_millis(1001);
    assert_eq!([answers(&mut bench), answers(&mut bench)], [1, 0]);
    // Longer steps would count as pauses of the game.
    for _ in 0..61 {
        bench.now += Duration::from_secs(1);
        bench.host.handle_timeout(bench.now);
    }
    assert_eq!([answers(&mut bench), answers(&mut bench)], [0, 0]);
}

#[test]
fn only_a_connection_that_was_given_up_is_answered() {
    let mut bench = given_up();
    let (peer, slot, session) = (bench.peer, bench.slot, bench.session);
    let wrong = [(address(1), slot, session), (peer, slot + 1, session), (peer, slot, session ^ 1)];
    for (peer, slot, session) in wrong {
        (bench.peer, bench.slot, bench.session) = (peer, slot, session);
        assert_eq!([answers(&mut bench), answers(&mut bench)], [0, 0]);
    }
    (bench.peer, bench.slot, bench.session) = (peer, slot, session);
    assert_eq!([answers(&mut bench), answers(&mut bench)], [0, 1]);
    // A new connection from there begins: a late answer could end it.
    bench.now += Duration::from_secs(2);
    assert_eq!(bench.knock(Hello { connect_id: 3, ..Hello::request() }), Ok(()));
    bench.transmit();
    let result = bench.send(&[ping()]);
    assert!(result.is_err());
    assert!(bench.transmit().iter().all(|(_, bytes)| bytes[2] != 0x44));
}

#[test]
fn a_peer_that_has_said_goodbye_is_not_answered() {
    let mut bench = Bench::server();
    bench.pass(&[disconnect()]);
    bench.transmit();
    assert_eq!([answers(&mut bench), answers(&mut bench)], [0, 0]);
}

#[test]
fn who_may_be_gone_is_sent_little() {
    let mut bench = Bench::server();
    let (peer, packet) = (bench.handle(), bench.host.packets().packet(&[&[7; 48]]));
    bench.host.set_timeout(peer, 32, 30_000, 30_000);
    let (mut datagrams, mut bytes) = (0, 0);
    for tick in 0..2800 {
        bench.now += Duration::from_millis(10);
        if tick % 10 == 0 {
            bench.host.send(peer, 1, &packet, Delivery::Reliable).expect("room");
        }
        bench.host.handle_timeout(bench.now);
        let sent = bench.transmit();
        datagrams += sent.len();
        bytes += sent.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    }
    // Each of 280 packets leaves at once, and is repeated: the rarer the longer the silence, and with others.
    assert!(datagrams < 4 * 280, "{datagrams} datagrams");
    assert!((3 * 280 * packet.len()..25 * 280 * packet.len()).contains(&bytes), "{bytes} bytes");
}

#[test]
fn who_is_back_does_not_wait_for_longer_than_a_quarter_of_its_silence() {
    let mut bench = Bench::server();
    let (peer, packet) = (bench.handle(), bench.host.packets().packet(&[&[7; 48]]));
    bench.host.set_timeout(peer, 32, 30_000, 30_000);
    bench.host.send(peer, 1, &packet, Delivery::Reliable).expect("room");
    bench.transmit();
    let (began, mut last) = (bench.now, bench.now);
    while bench.now - began < Duration::from_secs(28) {
        bench.now += Duration::from_millis(1);
        bench.host.handle_timeout(bench.now);
        if !bench.transmit().is_empty() {
            let (silence, pause) = (bench.now - began, bench.now - last);
            let longest = Duration::from_millis(500).max(silence / 4) + Duration::from_millis(2);
            assert!(pause <= longest, "{pause:?} without a datagram, {silence:?} after the last answer");
            last = bench.now;
        }
    }
    assert!(bench.now - last <= Duration::from_secs(7), "it is still tried");
}
