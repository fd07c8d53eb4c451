//! Sessions behind a layer that encrypts: what begins and ends with what. The layer is a stand-in for DTLS.

use std::net::SocketAddr;
use std::time::Duration;

use nme_core::channel::TransferMode;
use nme_core::codec::Compression;
use nme_core::peer::PeerId;
use nme_core::secure::SecureFailure;
use nme_core::session::{ConnectionError, Event, Session, Status};
use nme_netem::Link;
use nme_testing::fake_layer::{DTLS_OVERHEAD, FakeLayer, Kind, kind, message};
use nme_testing::payload::{number, numbered};
use nme_testing::world::{Datagram, FRAME, HostId, World};

const SECOND: Duration = Duration::from_secs(1);

fn world(seed: u64) -> World {
    let mut world = World::new(seed);
    world.secure(DTLS_OVERHEAD);
    world.record();
    world
}

/// A server for this many clients, and one client that is connected.
fn pair(seed: u64, max_clients: i64) -> (World, HostId, HostId) {
    let mut world = world(seed);
    let server = world.server(max_clients);
    let client = world.connect(server);
    world.run(SECOND);
    for host in [server, client] {
        world.take_log(host);
    }
    world.take_recorded();
    (world, server, client)
}

/// What was sent from one address to another since the last call, by kind.
fn kinds(recorded: &[Datagram], from: SocketAddr, to: SocketAddr) -> Vec<Option<Kind>> {
    let theirs = recorded.iter().filter(|datagram| datagram.from == from && datagram.to == to);
    theirs.map(|datagram| kind(&datagram.bytes)).collect()
}

/// The number of the association in which a host last sent something.
fn association(recorded: &[Datagram], from: SocketAddr) -> u64 {
    let mut theirs = recorded.iter().rev().filter(|datagram| datagram.from == from);
    let bytes = &theirs.next().expect("a datagram").bytes;
    u64::from_le_bytes(bytes[1..9].try_into().expect("a number"))
}

fn associations(world: &World, host: HostId) -> u32 {
    world.session(host).secure_counters().expect("a layer").established
}

fn assert_talking(world: &mut World, one: HostId, other: HostId) {
    for (from, to) in [(one, other), (other, one)] {
        world.take_packets(to);
        let target = world.id(to).get();
        world.send(from, target, TransferMode::Reliable, b"still there?").expect("a connection");
        world.run(SECOND);
        let packets = world.take_packets(to);
        assert_eq!(packets.iter().map(|packet| &packet.bytes[..]).collect::<Vec<_>>(), [b"still there?"]);
    }
}

#[test]
fn everything_on_the_wire_is_protected() {
    let mut world = world(1);
    let server = world.server_with(&world_config(1), 4);
    let client = world.client_with(&world_config(2), world.address(server));
    world.poll(client);
    world.poll(server);
    // The server has its answer to the hello, and ENet has not begun.
    assert_eq!(associations(&world, server), 1);
    assert_eq!(world.status(client), Status::Connecting);
    world.run(SECOND);
    assert_eq!(world.events(client), [Event::PeerConnected(PeerId::SERVER), Event::ConnectionSucceeded]);
    assert_eq!(world.events(server), [Event::PeerConnected(world.id(client))]);
    let secret = b"nobody may read this on the wire".repeat(100);
    for host in [server, client] {
        world.send(host, 0, TransferMode::Reliable, &secret).expect("a connection");
    }
    world.run(SECOND);
    for host in [server, client] {
        assert_eq!(world.take_packets(host)[0].bytes, secret);
        assert_eq!(world.counters(host).dropped_datagrams(), 0);
    }
    let recorded = world.take_recorded();
    for datagram in &recorded {
        assert!(kind(&datagram.bytes).is_some(), "{:?}", &datagram.bytes[..4]);
        assert!(!datagram.bytes.windows(8).any(|bytes| bytes == &secret[..8]));
        assert!(datagram.bytes.len() <= 1392);
    }
    let (to, from) = (world.address(server), world.address(client));
    assert_eq!(kinds(&recorded, from, to)[..2], [Some(Kind::Hello), Some(Kind::Data)]);
    assert_eq!(kinds(&recorded, to, from)[..2], [Some(Kind::Welcome), Some(Kind::Data)]);
    let (sent, received) = (world.counters(client).datagrams_sent, world.counters(server).datagrams_received);
    assert_eq!(sent, received, "the counters see what the socket sees");
}

fn world_config(seed: u64) -> nme_core::session::Config {
    nme_core::session::Config::new(seed << 40).compression(Compression::None)
}

#[test]
fn a_failed_handshake_ends_the_attempt_with_its_reason() {
    let failures = [
        (SecureFailure::CertificateExpired, ConnectionError::CertificateExpired),
        (SecureFailure::CertificateNotYetValid, ConnectionError::CertificateNotYetValid),
        (SecureFailure::WrongName, ConnectionError::WrongName),
        (SecureFailure::Untrusted, ConnectionError::Untrusted),
        (SecureFailure::NoDtls, ConnectionError::NoDtls),
        (SecureFailure::Refused, ConnectionError::Refused),
        (SecureFailure::Handshake, ConnectionError::HandshakeFailed),
        (SecureFailure::TimedOut, ConnectionError::HandshakeTimedOut),
    ];
    for (failure, error) in failures {
        let mut world = world(2);
        let server = world.server(4);
        let layer = FakeLayer::new(DTLS_OVERHEAD, 9).that_fails(failure);
        let config = world.config();
        let client = world.client_behind(Some(Box::new(layer)), &config, world.address(server));
        assert_eq!(world.session(client).connection_error(), None);
        world.run(SECOND);
        assert_eq!(world.events(client), [Event::ConnectionFailed], "{failure:?}");
        assert_eq!(world.session(client).connection_error(), Some(error));
        assert_eq!(world.status(client), Status::Disconnected);
        assert_eq!(world.events(server), []);
    }
}

#[test]
fn without_an_answer_the_handshake_is_given_up() {
    let mut world = world(3);
    let nobody = world.new_address();
    let client = world.client(nobody);
    world.run(9 * SECOND);
    assert_eq!((world.events(client), world.status(client)), (vec![], Status::Connecting));
    world.run(2 * SECOND);
    assert_eq!(world.events(client), [Event::ConnectionFailed]);
    assert_eq!(world.session(client).connection_error(), Some(ConnectionError::HandshakeTimedOut));
}

#[test]
fn a_full_or_refusing_server_refuses_the_handshake() {
    let (mut world, server, first) = pair(4, 1);
    let second = world.client(world.address(server));
    world.run(SECOND);
    assert_eq!(world.events(second), [Event::ConnectionFailed]);
    assert_eq!(world.session(second).connection_error(), Some(ConnectionError::Refused));
    assert!(world.session(server).secure_counters().expect("a layer").turned_away > 0);
    world.close(first);
    world.run(SECOND);
    world.session_mut(server).set_refuse_new_connections(true);
    let third = world.client(world.address(server));
    world.run(SECOND);
    // Refused before ENet: unlike without encryption, it never believes to be connected.
    assert_eq!(world.events(third), [Event::ConnectionFailed]);
    assert_eq!(world.session(third).connection_error(), Some(ConnectionError::Refused));
    world.session_mut(server).set_refuse_new_connections(false);
    let fourth = world.connect(server);
    assert_talking(&mut world, server, fourth);
}

#[test]
fn of_two_handshakes_for_one_slot_the_later_connection_is_refused() {
    let mut world = world(5);
    let server = world.server(1);
    let clients = [(); 2].map(|()| world.client(world.address(server)));
    world.run(SECOND);
    assert_eq!(world.session(server).secure_counters().expect("a layer").completed, 2);
    assert_eq!(world.status(clients[0]), Status::Connected);
    assert_eq!(world.events(clients[1]), [Event::ConnectionFailed]);
    assert_eq!(world.session(clients[1]).connection_error(), Some(ConnectionError::Refused));
    assert_eq!(associations(&world, server), 1);
    let (to, from) = (world.address(clients[1]), world.address(server));
    let sent = kinds(&world.take_recorded(), from, to);
    assert_eq!(sent, [Kind::Welcome, Kind::Data, Kind::Close].map(Some));
    assert_talking(&mut world, server, clients[0]);
}

#[test]
fn packets_in_front_of_the_end_of_an_association_are_delivered() {
    for is_server in [true, false] {
        let (mut world, server, client) = pair(6, 4);
        let (from, to) = if is_server { (client, server) } else { (server, client) };
        let id = world.id(client);
        for index in 0..5 {
            world.send(from, 0, TransferMode::Reliable, &numbered(index, 3000)).expect("a connection");
        }
        world.flush(from);
        let (sender, receiver) = (world.address(from), world.address(to));
        let number_of_association = association(&world.take_recorded(), sender);
        world.inject(sender, receiver, &message(Kind::Close, number_of_association));
        world.vanish(from);
        world.set_fetching(to, false);
        world.step(FRAME);
        // The game has the packets to fetch first, and hears of the end with the next poll.
        assert_eq!(world.events(to), []);
        world.fetch(to);
        world.run(3 * FRAME);
        let got: Vec<u32> = world.packets(to).iter().map(|packet| number(&packet.bytes)).collect();
        assert_eq!(got, [0, 1, 2, 3, 4]);
        if is_server {
            assert_eq!(world.events(server), [Event::PeerDisconnected(id)]);
            assert_eq!(associations(&world, server), 0);
        } else {
            let lost = [Event::PeerDisconnected(PeerId::SERVER), Event::ServerDisconnected];
            assert_eq!(world.events(client), lost);
            let error = world.session(client).connection_error();
            assert_eq!(error, Some(ConnectionError::ClosedByServer));
        }
        assert_eq!(world.log(to).last().and_then(|entry| entry.seen.packet()), None, "the end comes last");
        // Nothing was sent to where there is nobody any more.
        let sent = kinds(&world.take_recorded(), receiver, sender);
        assert!(sent.iter().all(|kind| *kind == Some(Kind::Data)), "{sent:?}");
    }
}

#[test]
fn a_client_that_gives_up_behind_its_connect_leaves_a_free_slot() {
    let mut world = world(7);
    let server = world.server(1);
    let client = half_open(&mut world, server);
    let (from, to) = (world.address(client), world.address(server));
    let recorded = world.take_recorded();
    assert_eq!(kinds(&recorded, from, to), [Kind::Hello, Kind::Data].map(Some), "hello and CONNECT");
    world.inject(from, to, &message(Kind::Close, association(&recorded, from)));
    world.vanish(client);
    world.poll(server);
    let next = world.client(to);
    world.run(10 * FRAME);
    assert_eq!(world.status(next), Status::Connected);
}

/// A client whose CONNECT waits at the server.
fn half_open(world: &mut World, server: HostId) -> HostId {
    let client = world.client(world.address(server));
    for host in [client, server, client] {
        world.poll(host);
    }
    client
}

/// A client that restarts: another session at the same address, while the server believes in the old one.
fn restart(world: &mut World, server: HostId, client: HostId) -> HostId {
    world.vanish(client);
    let config = world.config();
    let mut session = Session::client(&config, world.layer());
    session.connect(world.now(), world.address(server));
    world.add_at(world.address(client), session)
}

#[test]
fn a_client_that_restarts_at_its_address_replaces_its_old_self() {
    let (mut world, server, client) = pair(8, 2);
    let other = world.connect(server);
    world.take_log(server);
    world.send(client, 0, TransferMode::Reliable, b"last words").expect("a connection");
    world.flush(client);
    let old = world.id(client);
    let client = restart(&mut world, server, client);
    world.run(SECOND);
    let events = world.events(server);
    assert_eq!(events, [Event::PeerDisconnected(old), Event::PeerConnected(world.id(client))]);
    assert_eq!(world.packets(server)[0].bytes, b"last words");
    // Longer than anything of the old connection can last.
    world.run(60 * SECOND);
    assert_eq!(world.status(client), Status::Connected);
    assert_eq!(world.events(server).len(), 2);
    assert_eq!(associations(&world, server), 2);
    for client in [client, other] {
        assert_talking(&mut world, server, client);
    }
}

#[test]
fn nothing_for_the_old_connection_goes_out_in_the_new_association() {
    let (mut world, server, client) = pair(9, 4);
    let old = world.id(client);
    // This one's last message of ENet's handshake waits at the server in front of the restart.
    let newcomer = half_open(&mut world, server);
    world.poll(server);
    world.poll(newcomer);
    let restarted = restart(&mut world, server, client);
    world.poll(restarted);
    world.take_recorded();
    let mut kicked = 0;
    world.poll_with(server, |session, event| {
        if event == Event::PeerDisconnected(old) {
            return None;
        }
        kicked += 1;
        session.disconnect_peer(old.get().into(), true).expect("the old one is still there")
    });
    assert_eq!(kicked, 1);
    let sent = kinds(&world.take_recorded(), world.address(server), world.address(restarted));
    assert_eq!(sent, [Some(Kind::Welcome)]);
    world.run(SECOND);
    assert_eq!(world.status(restarted), Status::Connected);
    assert_talking(&mut world, server, restarted);
    assert_talking(&mut world, server, newcomer);
}

#[test]
fn closing_ends_the_connections_and_then_the_associations() {
    let (mut world, server, first) = pair(10, 4);
    let second = world.connect(server);
    // This one has shaken hands and no more.
    let half = half_open(&mut world, server);
    world.take_recorded();
    world.close(server);
    let recorded = world.take_recorded();
    let from = world.address(server);
    for client in [first, second] {
        let sent = kinds(&recorded, from, world.address(client));
        assert_eq!(sent[sent.len() - 2..], [Kind::Data, Kind::Close].map(Some));
        let closes = sent.iter().filter(|kind| **kind == Some(Kind::Close)).count();
        assert_eq!(closes, 1);
    }
    assert_eq!(kinds(&recorded, from, world.address(half)), [Some(Kind::Close)]);
    world.run(2 * FRAME);
    for client in [first, second] {
        assert_eq!(world.events(client).last(), Some(&Event::ServerDisconnected));
        let error = world.session(client).connection_error();
        assert_eq!(error, Some(ConnectionError::ClosedByServer));
    }
    assert_eq!(world.events(half), [Event::ConnectionFailed]);
    assert_eq!(world.session(half).connection_error(), Some(ConnectionError::Refused));
}

#[test]
fn a_client_that_closes_says_so_on_both_layers() {
    let (mut world, server, client) = pair(11, 4);
    world.close(client);
    let sent = kinds(&world.take_recorded(), world.address(client), world.address(server));
    assert_eq!(sent[sent.len() - 2..], [Kind::Data, Kind::Close].map(Some));
    assert_eq!(world.session(client).connection_error(), None);
    world.run(2 * FRAME);
    assert_eq!(world.events(server), [Event::PeerDisconnected(world.id(client))]);
    assert_eq!(associations(&world, server), 0);
    // During the handshake, too.
    let client = half_open(&mut world, server);
    assert_eq!(associations(&world, server), 1);
    world.close(client);
    world.run(2 * FRAME);
    assert_eq!(associations(&world, server), 0);
}

#[test]
fn an_association_ends_when_the_goodbyes_of_its_connection_are_done() {
    for at_once in [true, false] {
        let (mut world, server, client) = pair(12, 4);
        world.set_links(Link::delayed(30 * Duration::from_millis(1)));
        let id = world.id(client);
        world.send(server, id.get(), TransferMode::Reliable, b"bye").expect("a connection");
        world.kick(server, id, at_once).expect("a client");
        world.flush(server);
        world.run(SECOND);
        assert_eq!(world.events(server), [Event::PeerDisconnected(id)]);
        assert_eq!(world.events(client).last(), Some(&Event::ServerDisconnected));
        let error = world.session(client).connection_error();
        assert_eq!(error, Some(ConnectionError::ClosedByServer));
        // What was put before has left before, as in 3.6.
        assert_eq!(world.packets(client).len(), 1);
        assert_eq!((associations(&world, server), associations(&world, client)), (0, 0));
        let (from, to) = (world.address(server), world.address(client));
        let recorded = world.take_recorded();
        // At once, the server is the one who closes. Otherwise the client is, when it has acknowledged.
        let (last_of_server, last_of_client) = (kinds(&recorded, from, to), kinds(&recorded, to, from));
        let closing = if at_once { last_of_server } else { last_of_client };
        assert_eq!(closing[closing.len() - 2..], [Kind::Data, Kind::Close].map(Some));
    }
}

#[test]
fn a_lost_goodbye_does_not_keep_a_connection() {
    let (mut world, server, client) = pair(13, 4);
    let (from, to) = (world.address(client), world.address(server));
    // The acknowledgement of the disconnect is lost, and the end of the association as well.
    world.network().set_link(from, to, Link::DOWN);
    world.kick(server, world.id(client), false).expect("a client");
    world.run(40 * SECOND);
    assert_eq!(world.events(server), [Event::PeerDisconnected(world.id(client))]);
    assert_eq!(associations(&world, server), 0);
    assert_eq!(world.session(client).connection_error(), Some(ConnectionError::ClosedByServer));
}

#[test]
fn a_connection_that_times_out_takes_its_association_along() {
    let (mut world, server, client) = pair(14, 4);
    let (one, other) = (world.address(client), world.address(server));
    world.network().set_both(one, other, Link::DOWN);
    world.run(60 * SECOND);
    assert_eq!(world.events(server), [Event::PeerDisconnected(world.id(client))]);
    assert_eq!(world.session(client).connection_error(), Some(ConnectionError::Lost));
    assert_eq!((associations(&world, server), associations(&world, client)), (0, 0));
}

#[test]
fn a_handshake_without_a_connection_behind_it_is_undone() {
    let (mut world, server, client) = pair(15, 4);
    let stranger = world.new_address();
    world.inject(stranger, world.address(server), &message(Kind::Hello, 7));
    world.run(5 * SECOND);
    assert_eq!(associations(&world, server), 2);
    world.run(6 * SECOND);
    assert_eq!(associations(&world, server), 1);
    let heard: Vec<_> =
        std::iter::from_fn(|| world.receive_at(stranger)).map(|(_, bytes)| kind(&bytes)).collect();
    assert_eq!(heard, [Kind::Welcome, Kind::Close].map(Some));
    assert_talking(&mut world, server, client);
}

#[test]
fn a_long_pause_gives_nobody_up() {
    let mut world = world(18);
    let server = world.server(4);
    let client = half_open(&mut world, server);
    // The server's game loads something, and the CONNECT waits in its socket.
    world.step(60 * SECOND);
    world.run(SECOND);
    assert_eq!(world.status(client), Status::Connected);
    // So does a client's, while the answer to its hello waits.
    let client = world.client(world.address(server));
    world.poll(client);
    world.poll(server);
    world.step(60 * SECOND);
    world.run(SECOND);
    assert_eq!(world.status(client), Status::Connected);
}

#[test]
fn a_lossy_network_delays_the_handshake_and_no_more() {
    let mut world = world(16);
    world.set_links(Link { loss: 0.3, ..Link::delayed(Duration::from_millis(40)) });
    let server = world.server(10);
    let clients: Vec<HostId> = (0..8).map(|_| world.connect(server)).collect();
    world.set_links(Link::PERFECT);
    world.run(5 * SECOND);
    for client in clients {
        assert_talking(&mut world, server, client);
    }
}

#[test]
fn large_packets_pass_in_every_compression_mode_with_loss() {
    const MIB: usize = 1 << 20;
    let modes = [
        Compression::None,
        Compression::RangeCoder,
        Compression::FastLz,
        Compression::Zlib,
        Compression::Zstd,
    ];
    for mode in modes {
        let mut world = world(17);
        let config = world.config().compression(mode);
        let server = world.server_with(&config, 4);
        let config = world.config().compression(mode);
        let client = world.connect_with(&config, server);
        world.run(SECOND);
        world.set_links(Link { loss: 0.02, ..Link::delayed(Duration::from_millis(5)) });
        for host in [server, client] {
            world.send(host, 0, TransferMode::Reliable, &numbered(1, MIB)).expect("a connection");
            world.send(host, 0, TransferMode::Reliable, &vec![7; MIB]).expect("a connection");
        }
        let arrived = world.run_until(120 * SECOND, |world| {
            [server, client].into_iter().all(|host| world.packets(host).len() == 2)
        });
        assert!(arrived, "{mode:?}");
        for host in [server, client] {
            let packets = world.take_packets(host);
            assert_eq!(number(&packets[0].bytes), 1);
            assert!(packets[1].bytes == vec![7; MIB], "{mode:?}");
        }
        let longest = world.take_recorded().iter().map(|datagram| datagram.bytes.len()).max();
        assert_eq!(longest, Some(1392), "{mode:?}");
    }
}
