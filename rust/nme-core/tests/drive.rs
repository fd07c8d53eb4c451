//! The contract between a session and its driver, and calls of a game from inside a poll.

use std::net::SocketAddr;
use std::time::Duration;

use nme_core::admission::AddressProof;
use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::peer::PeerId;
use nme_core::relay::Target;
use nme_core::session::{Config, Event, MaxClients, SendOptions, Session};
use nme_testing::world::{FRAME, HostId, World};

const SECOND: Duration = Duration::from_secs(1);

const fn reliable(target: Target) -> SendOptions {
    let (mode, channel) = (TransferMode::Reliable, TransferChannel::ByMode);
    SendOptions { target, mode, channel, always_ordered: false }
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 7], port))
}

/// What a session wants to send.
fn sent(session: &mut Session) -> Vec<(SocketAddr, Vec<u8>)> {
    let batch = session.transmit();
    let datagrams: Vec<_> = batch.iter().map(|(to, bytes)| (to, bytes.to_vec())).collect();
    batch.clear();
    for (_, bytes) in &datagrams {
        session.note_sent(1, bytes.len() as u64);
    }
    datagrams
}

#[test]
fn datagrams_appear_with_flush_and_only_once() {
    let server = address(1);
    let mut client = Session::client(&Config::new(9 << 32), None);
    assert_eq!(client.id().get(), 9);
    client.flush(FRAME);
    assert_eq!(sent(&mut client), []);
    client.connect(2 * FRAME, server);
    client.flush(2 * FRAME);
    let first = sent(&mut client);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].0, server);
    client.flush(3 * FRAME);
    assert_eq!(sent(&mut client), []);
    assert_eq!(client.counters().datagrams_sent, 1);
    assert_eq!(client.counters().bytes_sent, first[0].1.len() as u64);
    // Nobody answers: it asks again.
    client.begin_poll(2 * SECOND);
    assert_eq!(client.poll_event(), None);
    client.handle_timeout(2 * SECOND);
    assert_eq!(client.poll_event(), None);
    client.flush(2 * SECOND);
    assert_eq!(sent(&mut client).len(), 1);
}

#[test]
fn what_the_socket_has_not_taken_is_not_counted() {
    let mut client = Session::client(&Config::new(9 << 32), None);
    client.connect(FRAME, address(1));
    client.flush(FRAME);
    assert_eq!(client.transmit().len(), 1);
    assert_eq!((client.counters().datagrams_sent, client.counters().bytes_sent), (0, 0));
    client.note_sent(1, 52);
    assert_eq!((client.counters().datagrams_sent, client.counters().bytes_sent), (1, 52));
}

#[test]
fn everything_that_was_received_is_worked_off_by_the_events_behind_it() {
    let (at_server, at_client) = (address(1), address(2));
    let mut server = Session::server(&Config::new(1), MaxClients::new(2).expect("two"), None);
    let mut client = Session::client(&Config::new(2 << 32), None);
    client.connect(Duration::ZERO, at_server);
    let mut now = Duration::ZERO;
    let mut seen = Vec::new();
    for _ in 0..4 {
        now += FRAME;
        for (host, from, other) in [(0, at_client, true), (1, at_server, false)] {
            // One datagram, then all events; so everything is read in order.
            let (reader, writer) =
                if other { (&mut server, &mut client) } else { (&mut client, &mut server) };
            reader.begin_poll(now);
            writer.flush(now);
            for (_, datagram) in sent(writer) {
                reader.receive(from, &datagram);
                while let Some(event) = reader.poll_event() {
                    seen.push((host, event));
                }
            }
        }
    }
    let id = client.id();
    let expected = [
        (1, Event::PeerConnected(PeerId::SERVER)),
        (1, Event::ConnectionSucceeded),
        (0, Event::PeerConnected(id)),
    ];
    assert_eq!(seen, expected);
    let received = server.counters();
    assert_eq!(received.bytes_received, client.counters().bytes_sent);
    assert_eq!(received.datagrams_received, client.counters().datagrams_sent);
}

/// A server whose next poll reports these clients.
fn about_to_join<const N: usize>(world: &mut World) -> (HostId, [HostId; N]) {
    let server = world.server(8);
    // Or some of them are asked for proof of their address, and come a round trip later.
    world.session_mut(server).set_address_proof(AddressProof::Never);
    let clients = [(); N].map(|()| world.client(world.address(server)));
    for _ in 0..2 {
        world.step(FRAME);
    }
    assert_eq!(world.events(server), []);
    (server, clients)
}

#[test]
fn a_client_greets_from_inside_its_first_event() {
    let mut world = World::new(1);
    let server = world.server(2);
    let client = world.client(world.address(server));
    world.poll(client);
    world.poll(server);
    world.poll_with(client, |session, event| {
        let text = format!("{event:?}");
        session.send(reliable(Target::One(PeerId::SERVER)), text.as_bytes()).expect("connected already");
        None
    });
    world.run(SECOND);
    let got: Vec<String> = world
        .packets(server)
        .iter()
        .map(|packet| String::from_utf8(packet.bytes.clone()).expect("text"))
        .collect();
    assert_eq!(got, ["PeerConnected(PeerId(1))", "ConnectionSucceeded"]);
}

#[test]
fn a_server_greets_each_newcomer() {
    let mut world = World::new(2);
    let (server, clients) = about_to_join::<3>(&mut world);
    world.poll_with(server, |session, event| {
        let Event::PeerConnected(id) = event else { panic!("{event:?}") };
        session.send(reliable(Target::One(id)), b"welcome").expect("a known peer");
        session.send(reliable(Target::AllExcept(id)), b"somebody came").expect("a known peer");
        None
    });
    world.run(SECOND);
    let heard = clients.map(|client| {
        let packets = world.packets(client);
        packets.iter().map(|packet| packet.bytes.len()).collect::<Vec<_>>()
    });
    let (welcome, somebody) = (b"welcome".len(), b"somebody came".len());
    let mut lengths: Vec<_> = heard.to_vec();
    lengths.sort_unstable_by_key(Vec::len);
    assert_eq!(lengths, [vec![welcome], vec![welcome, somebody], vec![welcome, somebody, somebody]]);
}

#[test]
fn a_server_kicks_a_newcomer_from_inside_its_event() {
    let mut world = World::new(3);
    let (server, clients) = about_to_join::<3>(&mut world);
    let mut kicked = None;
    world.poll_with(server, |session, event| match event {
        Event::PeerConnected(id) if kicked.is_none() => {
            kicked = Some(id);
            let gone = session.disconnect_peer(id.get().into(), true).expect("a known peer");
            assert_eq!(gone, Some(Event::PeerDisconnected(id)));
            assert!(session.send(reliable(Target::One(id)), b"?").is_err());
            gone
        }
        _ => None,
    });
    let kicked = kicked.expect("somebody");
    world.run(SECOND);
    assert_eq!(world.events(server).len(), 4);
    for client in clients {
        if world.id(client) == kicked {
            assert_eq!(world.events(client).last(), Some(&Event::ServerDisconnected));
        } else {
            // They never hear of somebody who was not there when they came.
            assert!(!world.events(client).contains(&Event::PeerConnected(kicked)));
            assert_eq!(world.known(client).len(), 2);
        }
    }
}

#[test]
fn a_server_kicks_one_that_is_about_to_be_reported_gone() {
    let mut world = World::new(4);
    let server = world.server(4);
    let [a, b] = [(); 2].map(|()| world.connect(server));
    world.run(SECOND);
    let ids = [a, b].map(|host| world.id(host));
    for host in [a, b] {
        world.send(host, 1, TransferMode::Reliable, b"last words").expect("a connection");
        world.flush(host);
        world.close(host);
    }
    world.step(FRAME);
    assert_eq!(world.known(server).len(), 2);
    // Both are due. The first event's handler kicks the other one, which must not leave twice.
    world.poll_with(server, |session, event| {
        let Event::PeerDisconnected(gone) = event else { panic!("{event:?}") };
        let other = ids.into_iter().find(|id| *id != gone).expect("two");
        session.disconnect_peer(other.get().into(), true).ok().flatten()
    });
    world.run(SECOND);
    assert!(world.known(server).is_empty());
    assert_eq!(world.events(server).len(), 4);
}

#[test]
fn a_server_that_closes_from_inside_an_event() {
    let mut world = World::new(5);
    let (server, clients) = about_to_join::<2>(&mut world);
    let now = world.now();
    let mut closed = false;
    world.poll_with(server, |session, _| {
        // As the class does: nothing happens to a closed session any more.
        if !std::mem::replace(&mut closed, true) {
            session.close(now);
        }
        None
    });
    world.vanish(server);
    world.run_in_steps(60 * SECOND, SECOND / 20);
    for client in clients {
        assert_eq!(world.events(client).last(), Some(&Event::ServerDisconnected));
    }
}

#[test]
fn the_current_packet_stays_until_the_next() {
    let mut world = World::new(6);
    let server = world.server(2);
    let client = world.connect(server);
    world.set_fetching(server, false);
    for text in ["one", "two", "three"] {
        world.send(client, 1, TransferMode::Reliable, text.as_bytes()).expect("a connection");
    }
    world.run(SECOND);
    let id = world.id(client);
    let session = world.session_mut(server);
    for (waiting, text) in [(3, "one"), (2, "two"), (1, "three")] {
        assert_eq!(session.waiting_packets(), waiting);
        let next = session.next_packet().expect("a packet");
        assert_eq!((next.from(), next.channel(), next.payload()), (id, 1, text.as_bytes()));
        let fetched = session.fetch().expect("a packet");
        assert_eq!((fetched.from(), fetched.channel(), fetched.payload()), (id, 1, text.as_bytes()));
        assert_eq!(fetched.mode(), TransferMode::Reliable);
    }
    assert_eq!(session.waiting_packets(), 0);
    assert!(session.next_packet().is_none());
    assert!(session.fetch().is_none());
}

#[test]
fn time_that_goes_back_does_no_harm() {
    let mut world = World::new(7);
    let server = world.server(2);
    let client = world.connect(server);
    let now = world.now();
    for moment in [now + SECOND, now, Duration::ZERO, now + SECOND] {
        world.session_mut(server).begin_poll(moment);
        assert_eq!(world.session_mut(server).poll_event(), None);
        world.session_mut(server).flush(moment);
    }
    world.send(client, 1, TransferMode::Reliable, b"hello").expect("a connection");
    world.run(2 * SECOND);
    assert_eq!(world.packets(server).len(), 1);
}
