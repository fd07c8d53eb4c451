//! How connections end, and that nothing is lost or reported in the wrong order when they do.

use std::time::Duration;

use nme_core::channel::TransferMode;
use nme_core::counters::DroppedPacket;
use nme_core::peer::PeerId;
use nme_core::session::{DisconnectError, Event, PeerError, SendError, Status, TimeoutError};
use nme_netem::Link;
use nme_testing::payload::{number, numbered};
use nme_testing::raw_peer::{RawConfig, RawEvent};
use nme_testing::world::{Entry, FRAME, HostId, Seen, World};

const SECOND: Duration = Duration::from_secs(1);

/// A server with this many clients who know each other, and empty logs.
fn party<const N: usize>(seed: u64) -> (World, HostId, [HostId; N]) {
    let mut world = World::new(seed);
    let server = world.server(8);
    let clients = [(); N].map(|()| world.connect(server));
    world.run(SECOND);
    for host in clients {
        assert_eq!(world.known(host).len(), N);
        world.take_log(host);
    }
    world.take_log(server);
    (world, server, clients)
}

fn send_numbers(world: &mut World, from: HostId, target: i32, count: u32) {
    for index in 0..count {
        let payload = numbered(index, 100);
        world.send(from, target, TransferMode::Reliable, &payload).expect("a connection");
    }
}

/// Numbers of the packets in a log.
fn numbers(log: &[Entry]) -> Vec<u32> {
    log.iter().filter_map(|entry| entry.seen.packet()).map(|packet| number(&packet.bytes)).collect()
}

fn all(count: u32) -> Vec<u32> {
    (0..count).collect()
}

fn gone(world: &World, host: HostId) -> Seen {
    Seen::Event(Event::PeerDisconnected(world.id(host)))
}

#[test]
fn what_a_client_sends_before_it_leaves_is_delivered_before_it_left() {
    let (mut world, server, [client, other]) = party(1);
    send_numbers(&mut world, client, 0, 60);
    world.flush(client);
    world.close(client);
    world.run(SECOND);
    for host in [server, other] {
        let log = world.take_log(host);
        assert_eq!(numbers(&log), all(60));
        assert_eq!(log[60].seen, gone(&world, client));
        assert_eq!(log.len(), 61);
        // The packets are fetched behind the poll that read everything; the next one reports the end.
        let first = log[0].poll;
        assert!(log[..60].iter().all(|entry| entry.poll == first));
        assert_eq!(log[60].poll, first + 1);
    }
}

/// What is beyond that would have to wait for acknowledgements.
#[test]
fn what_is_put_before_the_end_arrives_up_to_64_kib() {
    for (count, everything) in [(60, true), (600, false)] {
        let (mut world, server, [client]) = party(25);
        for index in 0..count {
            world.send(client, 1, TransferMode::Reliable, &numbered(index, 1000)).expect("a connection");
        }
        world.close(client);
        world.run(SECOND);
        let log = world.take_log(server);
        let arrived = numbers(&log);
        assert_eq!(arrived, all(arrived.len() as u32));
        assert!(arrived.len() >= 60, "{}", arrived.len());
        assert_eq!(arrived.len() == count as usize, everything, "{} of {count}", arrived.len());
        assert_eq!(log.last().map(|entry| &entry.seen), Some(&gone(&world, client)));
    }
}

#[test]
fn a_client_that_leaves_without_a_word_before_is_reported_at_once() {
    let (mut world, server, [client, other]) = party(2);
    world.close(client);
    world.step(FRAME);
    assert_eq!(world.take_log(server).last().map(|entry| entry.seen.clone()), Some(gone(&world, client)));
    world.step(FRAME);
    assert_eq!(world.take_log(other).last().map(|entry| entry.seen.clone()), Some(gone(&world, client)));
}

#[test]
fn packets_of_others_do_not_hold_a_departure_back() {
    let (mut world, server, [client, other]) = party(3);
    send_numbers(&mut world, other, 1, 10);
    world.flush(other);
    world.close(client);
    world.step(FRAME);
    let log = world.take_log(server);
    assert_eq!(log[0].seen, gone(&world, client));
    assert_eq!(numbers(&log[1..]), all(10));
    assert!(log.iter().all(|entry| entry.poll == log[0].poll));
}

#[test]
fn several_leave_in_one_poll_each_behind_its_packets() {
    let (mut world, server, clients) = party::<4>(4);
    for client in clients {
        send_numbers(&mut world, client, 1, 20);
        world.flush(client);
        world.close(client);
    }
    world.step(FRAME);
    assert_eq!(world.packets(server).len(), 80);
    assert_eq!(world.events(server), []);
    for client in clients {
        // Gone, but the game does not know it yet: sending to it is no error and does nothing.
        let id = world.id(client).get();
        assert_eq!(world.send(server, id, TransferMode::Reliable, b"?"), Ok(()));
        assert_eq!(world.session(server).peer_address(id.into()), Ok(world.address(client)));
    }
    world.step(FRAME);
    assert_eq!(world.events(server).len(), 4);
    for client in clients {
        let id = world.id(client).get();
        assert!(world.send(server, id, TransferMode::Reliable, b"?").is_err());
        let unknown = Err(PeerError::Unknown(id.into()));
        assert_eq!(world.session(server).peer_address(id.into()), unknown);
    }
}

#[test]
fn a_departure_waits_one_poll_even_when_nobody_fetches() {
    let (mut world, server, [client]) = party(5);
    world.set_fetching(server, false);
    send_numbers(&mut world, client, 1, 5);
    world.flush(client);
    world.close(client);
    world.step(FRAME);
    assert_eq!(world.events(server), []);
    assert_eq!(world.session(server).waiting_packets(), 5);
    world.step(FRAME);
    assert_eq!(world.events(server), [Event::PeerDisconnected(world.id(client))]);
}

#[test]
fn what_a_server_sends_before_it_closes_is_delivered_before_it_closed() {
    let (mut world, server, [a, b, c]) = party(6);
    send_numbers(&mut world, server, 0, 60);
    world.flush(server);
    world.close(server);
    world.step(FRAME);
    for host in [a, b, c] {
        // The game does not know yet: everything goes on as if connected.
        assert_eq!(numbers(world.log(host)), all(60));
        assert_eq!(world.events(host), []);
        assert_eq!(world.status(host), Status::Connected);
    }
    world.step(FRAME);
    for host in [a, b, c] {
        let mut others: Vec<PeerId> =
            [a, b, c].into_iter().filter(|other| *other != host).map(|other| world.id(other)).collect();
        others.sort_unstable();
        let mut expected: Vec<Event> = others.into_iter().map(Event::PeerDisconnected).collect();
        expected.extend([Event::PeerDisconnected(PeerId::SERVER), Event::ServerDisconnected]);
        assert_eq!(world.events(host), expected);
        let log = world.log(host);
        assert_eq!(log[60].poll, log[0].poll + 1);
        assert_eq!(world.status(host), Status::Disconnected);
        assert_eq!(world.send(host, 0, TransferMode::Reliable, b"?"), Err(SendError::NotConnected));
    }
}

#[test]
fn a_server_that_closes_with_nothing_to_fetch_is_reported_at_once() {
    let (mut world, server, [a, b]) = party(7);
    world.close(server);
    world.step(FRAME);
    for (host, other) in [(a, b), (b, a)] {
        let mut peers = [world.id(other), PeerId::SERVER];
        peers.sort_unstable_by_key(|id| *id == PeerId::SERVER);
        let mut expected = peers.map(Event::PeerDisconnected).to_vec();
        expected.push(Event::ServerDisconnected);
        assert_eq!(world.events(host), expected);
    }
}

#[test]
fn a_lost_server_waits_one_poll_even_when_nobody_fetches() {
    let (mut world, server, [client]) = party(8);
    world.set_fetching(client, false);
    send_numbers(&mut world, server, 0, 3);
    world.flush(server);
    world.close(server);
    world.step(FRAME);
    assert_eq!(world.events(client), []);
    world.step(FRAME);
    assert_eq!(world.events(client).last(), Some(&Event::ServerDisconnected));
}

#[test]
fn a_relayed_peer_leaves_behind_its_packets() {
    let (mut world, _, [a, b]) = party(9);
    let to = world.id(b).get();
    send_numbers(&mut world, a, to, 40);
    world.flush(a);
    world.close(a);
    world.run(SECOND);
    let log = world.take_log(b);
    assert_eq!(numbers(&log), all(40));
    assert_eq!(log[40].seen, gone(&world, a));
    assert_eq!(log[40].poll, log[39].poll + 1);
}

#[test]
fn kick_now() {
    let (mut world, server, [a, b]) = party(10);
    let (id_a, id_b) = (world.id(a), world.id(b));
    // What was put before is sent once, as in 3.6, and what waits to be fetched is of no interest any more.
    world.set_fetching(server, false);
    send_numbers(&mut world, a, 1, 5);
    send_numbers(&mut world, b, 1, 5);
    world.run(4 * FRAME);
    assert_eq!(world.session(server).waiting_packets(), 10);
    send_numbers(&mut world, server, id_a.get(), 5);
    world.kick(server, id_a, true).expect("a known peer");
    assert_eq!(world.events(server), [Event::PeerDisconnected(id_a)]);
    assert_eq!(world.session(server).waiting_packets(), 5);
    assert_eq!(world.kick(server, id_a, true), Err(DisconnectError::UnknownPeer(id_a.get().into())));
    assert_eq!(world.kick(server, id_a, false), Err(DisconnectError::UnknownPeer(id_a.get().into())));
    world.flush(server);
    world.step(FRAME);
    let last = Some(&Event::ServerDisconnected);
    // The loss is reported behind the packets.
    world.step(FRAME);
    assert_eq!((world.events(a).last(), world.packets(a).len()), (last, 5));
    assert_eq!(world.events(b), [Event::PeerDisconnected(id_a)]);
    world.set_fetching(server, true);
    world.run(SECOND);
    assert_eq!(world.events(server), [Event::PeerDisconnected(id_a)]);
    assert_eq!(numbers(world.log(server)), all(5));
    assert!(world.packets(server).iter().all(|packet| packet.from == id_b));
}

#[test]
fn kick_now_a_peer_whose_departure_is_held_back() {
    let (mut world, server, [client]) = party(11);
    world.set_fetching(server, false);
    let id = world.id(client);
    send_numbers(&mut world, client, 1, 3);
    world.flush(client);
    world.close(client);
    world.step(FRAME);
    assert_eq!(world.events(server), []);
    world.kick(server, id, true).expect("a peer that the game knows");
    world.run(SECOND);
    assert_eq!(world.events(server), [Event::PeerDisconnected(id)]);
    assert_eq!(world.session(server).waiting_packets(), 0);
}

#[test]
fn kick_later_delivers_what_is_queued_and_takes_nothing_more() {
    for link in [Link::PERFECT, Link { loss: 0.1, ..Link::delayed(Duration::from_millis(40)) }] {
        let (mut world, server, [a, b]) = party(12);
        world.set_links(link);
        let id = world.id(a);
        let large = numbered(1000, 200_000);
        send_numbers(&mut world, server, id.get(), 50);
        world.send(server, id.get(), TransferMode::Reliable, &large).expect("a known peer");
        send_numbers(&mut world, a, 1, 10);
        world.kick(server, id, false).expect("a known peer");
        // It is still there until everything has arrived, but hears nothing new.
        assert_eq!(world.events(server), []);
        assert!(world.known(server).contains(&id));
        assert_eq!(world.send(server, id.get(), TransferMode::Reliable, b"too late"), Ok(()));
        world.flush(server);
        assert_eq!(world.counters(server).dropped_packets(DroppedPacket::Unsent), 1);
        world.kick(server, id, false).expect("still a known peer");
        world.run(20 * SECOND);
        let mut expected = all(50);
        expected.push(1000);
        assert_eq!(numbers(world.log(a)), expected);
        assert_eq!(world.events(a).last(), Some(&Event::ServerDisconnected));
        assert_eq!(world.events(server), [Event::PeerDisconnected(id)]);
        assert_eq!(world.events(b), [Event::PeerDisconnected(id)]);
        assert_eq!(numbers(world.log(server)), [] as [u32; 0]);
    }
}

#[test]
fn kick_later_then_now() {
    let (mut world, server, [client]) = party(13);
    let id = world.id(client);
    send_numbers(&mut world, server, id.get(), 5);
    world.kick(server, id, false).expect("a known peer");
    world.kick(server, id, true).expect("still a known peer");
    assert_eq!(world.events(server), [Event::PeerDisconnected(id)]);
    world.run(SECOND);
    assert_eq!(world.events(server), [Event::PeerDisconnected(id)]);
    assert_eq!(world.events(client).last(), Some(&Event::ServerDisconnected));
    // The slot is free for somebody else.
    world.connect(server);
}

#[test]
fn only_a_server_kicks_and_only_whom_it_knows() {
    let (mut world, server, [client, other]) = party(14);
    let id = world.id(other);
    assert_eq!(world.kick(client, id, true), Err(DisconnectError::NotServer));
    assert_eq!(world.kick(client, PeerId::SERVER, false), Err(DisconnectError::NotServer));
    for unknown in [0, 1, -1, 12, i64::MAX, i64::from(id.get()) + (1 << 32)] {
        let answer = world.session_mut(server).disconnect_peer(unknown, true);
        assert_eq!(answer, Err(DisconnectError::UnknownPeer(unknown)));
    }
    world.run(SECOND);
    assert_eq!(world.known(server).len(), 2);
}

#[test]
fn the_other_side_reads_the_disconnect_data_of_3_6() {
    let mut world = World::new(15);
    let raw = world.raw(RawConfig { peers: 4, ..RawConfig::default() });
    let client = world.client(world.raw_address(raw));
    world.run(SECOND);
    let id = world.id(client).get() as u32;
    world.close(client);
    world.run(SECOND);
    assert_eq!(world.raw_events(raw).last(), Some(&RawEvent::Disconnected { peer: 0, data: id }));

    let server = world.server(4);
    let [kicked_now, kicked_later, left] =
        [10, 11, 12].map(|id| world.raw_client(RawConfig::default(), server, id));
    world.kick(server, PeerId::new(10).expect("an id"), true).expect("a known peer");
    world.kick(server, PeerId::new(11).expect("an id"), false).expect("a known peer");
    world.run(SECOND);
    world.close(server);
    world.run(SECOND);
    for (raw, data) in [(kicked_now, 0), (kicked_later, 0), (left, 1)] {
        assert_eq!(world.raw_events(raw).last(), Some(&RawEvent::Disconnected { peer: 0, data }));
    }
}

#[test]
fn a_foreign_client_may_leave_in_either_way() {
    for later in [false, true] {
        let mut world = World::new(16);
        let server = world.server(4);
        let raw = world.raw_client(RawConfig::default(), server, 10);
        for index in 0..30 {
            world.raw_mut(raw).send_data(0, 1, (10, 1), &numbered(index, 60));
        }
        if later {
            world.raw_mut(raw).disconnect_later(0, 10);
        } else {
            world.step(FRAME);
            world.raw_mut(raw).disconnect_now(0, 10);
        }
        world.run(SECOND);
        assert_eq!(numbers(world.log(server)), all(30));
        let id = PeerId::new(10).expect("an id");
        assert_eq!(world.events(server), [Event::PeerConnected(id), Event::PeerDisconnected(id)]);
        assert!(!world.raw_ref(raw).is_connected(0));
    }
}

#[test]
fn a_client_that_closes_while_it_connects_is_never_seen() {
    for steps in 0..2 {
        let mut world = World::new(17);
        let server = world.server(1);
        world.set_links(Link::delayed(20 * FRAME));
        let client = world.client(world.address(server));
        for _ in 0..=steps * 20 {
            world.step(FRAME);
        }
        assert_eq!(world.status(client), Status::Connecting);
        world.close(client);
        world.run_in_steps(60 * SECOND, SECOND / 20);
        assert_eq!(world.events(server), [], "closed after {steps} trips");
        // And its slot is free again.
        world.set_links(Link::PERFECT);
        world.connect(server);
    }
}

#[test]
fn a_server_that_closes_while_a_client_connects() {
    let mut world = World::new(18);
    let server = world.server(1);
    let client = world.client(world.address(server));
    world.step(FRAME);
    world.close(server);
    world.run_in_steps(60 * SECOND, SECOND / 20);
    // It had been let in, as far as it knows, or not: it ends in any case.
    assert!(matches!(world.events(client).last(), Some(Event::ConnectionFailed | Event::ServerDisconnected)));
    assert_eq!(world.status(client), Status::Disconnected);
}

/// How long it takes until the other side of `host` is reported as lost.
fn time_to_notice(world: &mut World, host: HostId) -> Duration {
    let start = world.now();
    let end = [Event::ServerDisconnected, Event::ConnectionFailed];
    let noticed = world.run_until(120 * SECOND, |world| {
        world
            .events(host)
            .iter()
            .any(|event| end.contains(event) || matches!(event, Event::PeerDisconnected(_)))
    });
    assert!(noticed, "nobody noticed");
    world.now() - start
}

#[test]
fn who_falls_silent_is_lost_after_a_while() {
    let (mut world, server, [client]) = party(19);
    world.vanish(client);
    let time = time_to_notice(&mut world, server);
    assert!((5 * SECOND..32 * SECOND).contains(&time), "{time:?}");

    let (mut world, server, [client]) = party(20);
    world.vanish(server);
    let time = time_to_notice(&mut world, client);
    assert!((5 * SECOND..32 * SECOND).contains(&time), "{time:?}");
    assert_eq!(world.events(client).last(), Some(&Event::ServerDisconnected));
}

#[test]
fn set_peer_timeout_changes_how_long_that_takes() {
    let (mut world, server, [client]) = party(21);
    let id = world.id(client).get().into();
    world.session_mut(server).set_peer_timeout(id, 1, 1000, 1500).expect("a known peer");
    world.vanish(client);
    let time = time_to_notice(&mut world, server);
    assert!((SECOND..3 * SECOND).contains(&time), "{time:?}");

    let (mut world, server, [client]) = party(22);
    world.session_mut(client).set_peer_timeout(1, 1, 1000, 1500).expect("the server");
    world.vanish(server);
    let time = time_to_notice(&mut world, client);
    assert!((SECOND..3 * SECOND).contains(&time), "{time:?}");

    let (mut world, server, [client]) = party(23);
    let id = world.id(client).get().into();
    world.session_mut(server).set_peer_timeout(id, 100, 40_000, 50_000).expect("a known peer");
    world.vanish(client);
    let time = time_to_notice(&mut world, server);
    assert!(time > 38 * SECOND, "{time:?}");
}

#[test]
fn a_timeout_of_0_is_enets_own() {
    let times = [None, Some(0)].map(|value| {
        let (mut world, server, [client]) = party(26);
        let id = world.id(client).get().into();
        if let Some(value) = value {
            let session = world.session_mut(server);
            session.set_peer_timeout(id, 1, 1000, 1500).expect("a known peer");
            session.set_peer_timeout(id, value, value, value).expect("a known peer");
        }
        world.vanish(client);
        time_to_notice(&mut world, server)
    });
    assert_eq!(times[0], times[1]);
}

#[test]
fn timeouts_that_make_no_sense_are_errors() {
    let (mut world, server, [client, other]) = party(24);
    let id = world.id(client).get().into();
    for (limit, minimum, maximum) in
        [(-1, 5, 6), (5, 4, 0), (3, 2, 4), (1, 5, 4), (1, 1, i64::MAX), (1 << 32, 1 << 32, 1 << 32)]
    {
        let answer = world.session_mut(server).set_peer_timeout(id, limit, minimum, maximum);
        assert_eq!(answer, Err(TimeoutError::Order { limit, minimum, maximum }));
    }
    let answer = world.session_mut(server).set_peer_timeout(99, 32, 5000, 30_000);
    assert_eq!(answer, Err(TimeoutError::Peer(PeerError::Unknown(99))));
    let relayed = world.id(other);
    let answer = world.session_mut(client).set_peer_timeout(relayed.get().into(), 32, 5000, 30_000);
    assert_eq!(answer, Err(TimeoutError::Peer(PeerError::Relayed(relayed))));
    assert_eq!(world.session_mut(server).set_peer_timeout(id, 1, 1, 1), Ok(()));
    assert_eq!(world.session_mut(server).set_peer_timeout(id, 0, 0, 0), Ok(()));
}

#[test]
fn an_idle_connection_stays() {
    let (mut world, server, [client, _]) = party(25);
    world.run_in_steps(600 * SECOND, SECOND / 10);
    assert_eq!(world.events(server), []);
    assert_eq!(world.events(client), []);
}

#[test]
fn a_short_freeze_is_survived_and_nothing_is_lost() {
    let (mut world, server, [client, other]) = party(26);
    for frozen in [server, client] {
        world.set_paused(frozen, true);
        send_numbers(&mut world, other, 0, 30);
        world.run(4 * SECOND);
        world.set_paused(frozen, false);
        world.run(2 * SECOND);
        for host in [server, client] {
            assert_eq!(numbers(&world.take_log(host)), all(30));
        }
    }
}

#[test]
fn a_clock_that_jumps_ends_nobody() {
    const DAY: Duration = Duration::from_secs(86_400);
    let (mut world, server, [client, other]) = party(27);
    for jump in [40 * SECOND, 3 * DAY, 60 * DAY] {
        send_numbers(&mut world, client, 0, 5);
        // Everybody sleeps, then wakes up.
        world.step(jump);
        world.run(2 * SECOND);
        for host in [server, other] {
            assert_eq!(numbers(&world.take_log(host)), all(5), "after {jump:?}");
        }
        assert_eq!(world.events(client), []);
    }
    // Timeouts still work.
    world.vanish(client);
    let time = time_to_notice(&mut world, server);
    assert!(time < 35 * SECOND, "{time:?}");
}

#[test]
fn acknowledgements_that_wait_in_the_socket_count_after_a_long_pause() {
    let (mut world, server, [client, _]) = party(30);
    send_numbers(&mut world, server, 0, 3);
    world.flush(server);
    // The client answers, and then everybody loads a level before the server has read the answer.
    world.set_paused(server, true);
    world.run(SECOND / 10);
    world.set_paused(server, false);
    world.step(40 * SECOND);
    world.run(2 * SECOND);
    assert_eq!(world.events(server), []);
    assert_eq!(numbers(&world.take_log(client)), all(3));
}

#[test]
fn a_clock_that_jumps_while_acknowledgements_are_out_does_not_switch_timeouts_off() {
    let (mut world, server, [client, other]) = party(29);
    world.vanish(client);
    send_numbers(&mut world, server, 0, 3);
    // The other one's acknowledgements are in by then.
    world.run(4 * FRAME);
    world.step(Duration::from_secs(3 * 86_400));
    let time = time_to_notice(&mut world, server);
    assert!(time < 65 * SECOND, "{time:?}");
    assert_eq!(world.events(server), [Event::PeerDisconnected(world.id(client))]);
    assert_eq!(numbers(world.log(other)), all(3));
}

#[test]
fn a_lost_disconnect_ends_in_a_timeout() {
    let (mut world, server, [client]) = party(28);
    let (from, to) = (world.address(client), world.address(server));
    world.network().set_link(from, to, Link::DOWN);
    world.close(client);
    world.step(FRAME);
    assert_eq!(world.events(server), []);
    time_to_notice(&mut world, server);
    assert_eq!(world.events(server), [Event::PeerDisconnected(world.id(client))]);
}

/// Its acknowledgement, its packet and its goodbye are all in the socket when the server is polled next.
#[test]
fn a_client_that_leaves_at_once_has_been_there() {
    let mut world = World::new(71);
    let server = world.server(2);
    let client = world.client(world.address(server));
    assert!(world.run_until(SECOND, |world| world.status(client) == Status::Connected));
    world.set_paused(server, true);
    let id = world.id(client);
    world.send(client, 1, TransferMode::Reliable, b"hello").expect("a connection");
    world.flush(client);
    world.close(client);
    world.run(4 * FRAME);
    assert_eq!(world.events(server), []);
    world.set_paused(server, false);
    world.run(4 * FRAME);
    assert_eq!(world.events(server), [Event::PeerConnected(id), Event::PeerDisconnected(id)]);
    assert_eq!(world.packets(server).len(), 1);
}
