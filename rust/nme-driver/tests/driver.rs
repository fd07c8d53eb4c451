//! The loop between a session and a socket, move by move.
#![allow(clippy::unwrap_used)]

mod support;

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::peer::PeerId;
use nme_core::relay::Target;
use nme_core::session::{ConnectionError, Event, FlushMode, SendOptions};
use nme_driver::MAX_WAITING;
use nme_udp::{Families, Resolution, ResolveError, Resolver};
use support::{Arrival, FakeDriver, MS, Pair, SERVER, address, carry, client, poll, server};

/// Longer than a lookup of a test takes.
const DEADLINE: Duration = Duration::from_secs(60);

const fn options(target: Target, mode: TransferMode) -> SendOptions {
    SendOptions { target, mode, channel: TransferChannel::ByMode, always_ordered: false }
}

const TO_SERVER: SendOptions = options(Target::One(PeerId::SERVER), TransferMode::Unreliable);

/// The last bytes of what the other side has fetched.
fn fetched(driver: &mut FakeDriver) -> Vec<u8> {
    std::iter::from_fn(|| driver.session_mut().fetch())
        .map(|packet| *packet.payload().last().unwrap())
        .collect()
}

#[test]
fn a_poll_reads_until_the_socket_is_empty() {
    let (mut driver, machine) = server();
    for number in 0..200 {
        let arrival = match number % 10 {
            0 => Arrival::Oversized,
            1 => Arrival::Error,
            _ => Arrival::Datagram(address(1), vec![0; 20]),
        };
        machine.arrivals.borrow_mut().push_back(arrival);
    }
    poll(&mut driver);
    assert_eq!(machine.reads.get(), 201);
    assert_eq!(driver.session().counters().datagrams_received, 160);
    let counters = driver.socket_counters();
    assert_eq!((counters.oversized, counters.receive_errors, counters.polls_cut_short), (20, 20, 0));
}

#[test]
fn a_flood_takes_8_ms_of_a_frame() {
    let (mut driver, machine) = server();
    machine.flood.set(true);
    machine.reading_takes.set(MS / 100);
    for cut_short in 1..=3 {
        machine.now.set(machine.now.get() + 4 * MS);
        let began = machine.now.get();
        poll(&mut driver);
        let took = machine.now.get() - began;
        assert!((8 * MS..9 * MS).contains(&took), "{took:?}");
        assert_eq!(driver.socket_counters().polls_cut_short, cut_short);
    }
}

#[test]
fn what_a_poll_left_is_read_by_the_next() {
    let (mut driver, machine) = server();
    machine.reading_takes.set(MS / 100);
    machine.arrivals.borrow_mut().extend((0..1000).map(|_| Arrival::Datagram(address(1), vec![0; 20])));
    poll(&mut driver);
    let first = driver.session().counters().datagrams_received;
    assert!((800..900).contains(&first), "{first}");
    poll(&mut driver);
    assert_eq!(driver.session().counters().datagrams_received, 1000);
}

#[test]
fn a_game_that_was_blocked_reads_all_that_has_come() {
    let (mut driver, machine) = server();
    machine.reading_takes.set(MS / 500);
    machine.arrivals.borrow_mut().extend((0..50_000).map(|_| Arrival::Datagram(address(1), vec![0; 20])));
    machine.now.set(Duration::from_secs(31));
    poll(&mut driver);
    assert_eq!(driver.session().counters().datagrams_received, 50_000);
    assert_eq!(driver.socket_counters().polls_cut_short, 0);
}

#[test]
fn the_time_of_handlers_is_not_that_of_reading() {
    let mut pair = Pair::connected();
    pair.server.session_mut().disconnect_peer(9, true).unwrap();
    pair.server.flush();
    carry(&pair.at_server, SERVER, &pair.at_client);
    pair.at_client.arrivals.borrow_mut().extend((0..200).map(|_| Arrival::Error));
    pair.client.begin_poll();
    assert!(pair.client.next_event().is_some());
    pair.at_client.now.set(pair.at_client.now.get() + 100 * MS);
    while pair.client.next_event().is_some() {}
    assert!(pair.at_client.arrivals.borrow().is_empty());
    assert_eq!(pair.client.socket_counters().polls_cut_short, 0);
}

#[test]
fn what_the_send_queue_has_no_room_for_is_sent_later_in_order() {
    let mut pair = Pair::connected();
    pair.client.session_mut().set_flush_mode(FlushMode::EachPut);
    let before = pair.client.session().counters().clone();
    pair.at_client.room.set(3);
    for number in 0..10 {
        pair.client.send(TO_SERVER, &[number; 100]).unwrap();
    }
    let counters = pair.client.session().counters().clone();
    assert_eq!(pair.at_client.sent.borrow().len(), 3);
    assert_eq!(counters.datagrams_sent - before.datagrams_sent, 3, "what was taken counts");
    assert_eq!(counters.bytes_sent - before.bytes_sent, 3 * pair.at_client.sent.borrow()[0].1.len() as u64);
    let socket = pair.client.socket_counters();
    assert_eq!((socket.waiting, socket.overflowed, socket.send_errors), (7, 0, 0));
    assert!(socket.would_blocks >= 7, "{socket:?}");

    pair.at_client.room.set(4);
    pair.client.flush();
    assert_eq!(pair.client.socket_counters().waiting, 3);
    pair.at_client.room.set(usize::MAX);
    pair.frame();
    assert_eq!(pair.client.socket_counters().waiting, 0);
    assert_eq!(fetched(&mut pair.server), (0..10).collect::<Vec<_>>());
}

#[test]
fn a_put_sends_what_waits_when_time_has_gone_on() {
    let mut pair = Pair::connected();
    pair.at_client.room.set(0);
    pair.client.send(TO_SERVER, b"1").unwrap();
    pair.client.flush();
    assert_eq!(pair.client.socket_counters().waiting, 1);
    pair.at_client.room.set(usize::MAX);
    pair.client.send(TO_SERVER, b"2").unwrap();
    assert_eq!(pair.at_client.sent.borrow().len(), 1);
}

#[test]
fn what_has_waited_for_too_long_is_dropped() {
    let mut pair = Pair::connected();
    pair.client.session_mut().set_flush_mode(FlushMode::EachPut);
    pair.at_client.room.set(0);
    pair.client.send(TO_SERVER, &[1; 100]).unwrap();
    pair.at_client.now.set(pair.at_client.now.get() + 200 * MS);
    pair.client.send(TO_SERVER, &[2; 100]).unwrap();
    assert_eq!(pair.client.socket_counters().waiting, 2);
    pair.at_client.now.set(pair.at_client.now.get() + 100 * MS);
    pair.at_client.room.set(usize::MAX);
    pair.client.flush();
    let counters = pair.client.socket_counters();
    assert_eq!((counters.waiting, counters.overflowed), (0, 1));
    assert_eq!(pair.at_client.sent.borrow().len(), 1, "the second one is in time");
    pair.frame();
    assert_eq!(fetched(&mut pair.server), [2]);
}

#[test]
fn of_too_much_that_waits_the_oldest_is_dropped() {
    let mut pair = Pair::connected();
    pair.client.session_mut().set_flush_mode(FlushMode::EachPut);
    pair.at_client.room.set(0);
    let many = MAX_WAITING / 1000;
    for number in 0..many {
        pair.client.send(TO_SERVER, &[(number % 251) as u8; 1000]).unwrap();
    }
    let counters = pair.client.socket_counters();
    assert!(counters.overflowed > 0 && counters.waiting * 1000 < MAX_WAITING, "{counters:?}");
    assert_eq!(counters.overflowed as usize + counters.waiting, many);
    pair.at_client.room.set(usize::MAX);
    pair.client.flush();
    let sent = pair.at_client.sent.borrow();
    // A tag of four bytes is behind the packet.
    let number = |datagram: &[u8]| usize::from(datagram[datagram.len() - 5]);
    assert_eq!(number(&sent.last().unwrap().1), (many - 1) % 251);
    assert_eq!(number(&sent[0].1), counters.overflowed as usize % 251);
}

#[test]
fn what_the_system_refuses_is_counted_and_gone() {
    let mut pair = Pair::connected();
    pair.at_client.broken.set(true);
    let before = pair.client.session().counters().bytes_sent;
    pair.client.send(TO_SERVER, b"1").unwrap();
    pair.client.flush();
    let counters = pair.client.socket_counters();
    assert_eq!((counters.send_errors, counters.waiting, counters.would_blocks), (1, 0, 0));
    assert_eq!(pair.client.session().counters().bytes_sent, before);
}

#[test]
fn packets_leave_with_the_flush_or_5_ms_later_or_at_once() {
    let mut pair = Pair::connected();
    pair.client.send(TO_SERVER, b"1").unwrap();
    assert!(pair.at_client.sent.borrow().is_empty());
    pair.client.flush();
    assert_eq!(pair.at_client.sent.borrow().len(), 1);

    pair.client.send(TO_SERVER, b"2").unwrap();
    pair.at_client.now.set(pair.at_client.now.get() + 5 * MS);
    assert_eq!(pair.at_client.sent.borrow().len(), 1);
    pair.client.send(TO_SERVER, b"3").unwrap();
    assert_eq!(pair.at_client.sent.borrow().len(), 2, "both in one");

    pair.client.session_mut().set_flush_mode(FlushMode::EachPut);
    pair.client.send(TO_SERVER, b"4").unwrap();
    assert_eq!(pair.at_client.sent.borrow().len(), 3);
}

#[test]
fn a_farewell_waits_while_the_send_queue_is_full() {
    for (wait, room_by_sleep, unsent) in [(MS, 1, 0), (MS, 0, 1), (Duration::ZERO, 1, 1)] {
        let mut pair = Pair::connected();
        let at_client = pair.at_client.clone();
        at_client.room.set(0);
        at_client.room_by_sleep.set(room_by_sleep);
        let began = at_client.now.get();
        assert_eq!(pair.client.close().wait(wait), unsent);
        assert!(at_client.now.get() - began <= 2 * MS);
        carry(&at_client, support::CLIENT, &pair.at_server);
        let left = poll(&mut pair.server).contains(&Event::PeerDisconnected(PeerId::client(9).unwrap()));
        assert_eq!(left, unsent == 0);
    }
    // Never longer than a second.
    let pair = Pair::connected();
    pair.at_client.room.set(0);
    let (at_client, began) = (pair.at_client.clone(), pair.at_client.now.get());
    assert_eq!(pair.client.close().wait(DEADLINE), 1);
    assert!(at_client.now.get() - began < Duration::from_millis(1001));
}

#[test]
fn a_known_address_is_asked_at_once() {
    let (mut driver, machine) = client();
    driver.look_up(Resolution::start("192.0.2.7", Families::Any), SERVER).unwrap();
    assert_eq!(machine.connected.get(), Some(address(SERVER)));
    assert_eq!(machine.sent.borrow()[0].0, address(SERVER));

    let (mut driver, _) = client();
    let nothing = Resolution::start("no name", Families::Any);
    assert_eq!(driver.look_up(nothing, SERVER), Err(ResolveError::NotFound));
}

/// Polls until the search has ended, and answers the events of that poll and those before.
fn poll_until(driver: &mut FakeDriver, ended: impl Fn(&[Event]) -> bool) -> Vec<Event> {
    let deadline = std::time::Instant::now() + DEADLINE;
    let mut events = Vec::new();
    while !ended(&events) {
        assert!(std::time::Instant::now() < deadline, "{events:?}");
        events.extend(poll(driver));
        std::thread::yield_now();
    }
    events
}

#[test]
fn a_name_is_asked_for_in_the_background() {
    let found = |_: &str| Ok::<_, io::Error>(vec![SocketAddr::from(([192, 0, 2, 7], 0))]);
    let (mut driver, machine) = client();
    driver.look_up(Resolver::new(1, found).resolve("a.example", Families::Any), SERVER).unwrap();
    assert!(machine.sent.borrow().is_empty(), "however fast the answer is");
    poll_until(&mut driver, |_| !machine.sent.borrow().is_empty());
    assert_eq!(machine.connected.get(), Some(address(SERVER)));

    let (mut driver, _) = client();
    let unknown = Resolver::new(1, |_: &str| Err(io::Error::other("unknown")));
    driver.look_up(unknown.resolve("a.example", Families::Any), SERVER).unwrap();
    let events = poll_until(&mut driver, |events| !events.is_empty());
    assert_eq!(events, [Event::ConnectionFailed]);
    assert_eq!(driver.session().connection_error(), Some(ConnectionError::NotResolved));
}

#[test]
fn a_name_that_nobody_answers_fails_after_30_s() {
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let stuck = Resolver::new(1, move |_: &str| {
        let _ = released.lock().unwrap().recv();
        Err(io::Error::other("late"))
    });
    let (mut driver, machine) = client();
    driver.look_up(stuck.resolve("a.example", Families::Any), SERVER).unwrap();
    machine.now.set(Duration::from_millis(29_999));
    assert_eq!(poll(&mut driver), []);
    machine.now.set(Duration::from_secs(30));
    assert_eq!(poll(&mut driver), [Event::ConnectionFailed]);
    assert_eq!(driver.session().connection_error(), Some(ConnectionError::NotResolved));
    drop(release);
}
