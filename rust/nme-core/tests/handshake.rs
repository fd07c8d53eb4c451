//! How connections begin, and how attempts fail.

use std::net::SocketAddr;
use std::time::Duration;

use nme_core::admission::AddressProof;
use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::codec::Compression;
use nme_core::counters::{Dropped, DroppedPacket};
use nme_core::peer::PeerId;
use nme_core::relay::Target;
use nme_core::session::DropReason;
use nme_core::session::{
    Config, ConnectionError, Event, NotForwarded, PeerError, SendError, SendOptions, Session, Status,
    TimeoutError,
};
use nme_netem::Link;
use nme_testing::raw_peer::{RawConfig, RawEvent};
use nme_testing::world::{FRAME, HostId, World};

const SECOND: Duration = Duration::from_secs(1);

/// Sends a packet in each direction and sees it arrive.
fn assert_talking(world: &mut World, server: HostId, client: HostId) {
    let id = world.id(client);
    let [before_server, before_client] = [server, client].map(|host| world.packets(host).len());
    world.send(client, 1, TransferMode::Reliable, b"up").expect("a connected client");
    world.send(server, id.get(), TransferMode::Reliable, b"down").expect("a known client");
    world.run(2 * SECOND);
    let up = world.packets(server)[before_server..].iter().any(|up| up.from == id && up.bytes == b"up");
    let down = world.packets(client)[before_client..].iter().any(|down| down.bytes == b"down");
    assert_eq!((up, down), (true, true));
}

#[test]
fn a_client_connects() {
    let mut world = World::new(1);
    let server = world.server(4);
    assert_eq!(world.status(server), Status::Connected);
    assert_eq!(world.id(server), PeerId::SERVER);
    let client = world.client(world.address(server));
    let id = world.id(client);
    assert!(id.get() >= 2);
    assert!(world.session(server).is_server() && !world.session(client).is_server());
    assert_eq!(world.status(client), Status::Connecting);
    assert_eq!(world.send(client, 1, TransferMode::Reliable, b"early"), Err(SendError::NotConnected));
    assert_eq!(world.session(client).peer_address(1), Ok(world.address(server)), "while it connects");
    assert_eq!(world.session_mut(client).set_peer_throttle(1, 1, 1, 1), Err(PeerError::Unknown(1).into()));

    world.run(10 * FRAME);
    assert_eq!(world.status(client), Status::Connected);
    assert_eq!(world.events(client), [Event::PeerConnected(PeerId::SERVER), Event::ConnectionSucceeded]);
    assert_eq!(world.events(server), [Event::PeerConnected(id)]);
    assert_eq!(world.session(client).peer_address(1), Ok(world.address(server)));
    assert_eq!(world.session(server).peer_address(id.get().into()), Ok(world.address(client)));
    assert_talking(&mut world, server, client);
    for host in [server, client] {
        assert_eq!(world.counters(host).dropped_datagrams(), 0);
    }
}

#[test]
fn addresses_of_relayed_and_unknown_peers_are_not_known() {
    let mut world = World::new(2);
    let server = world.server(4);
    let [a, b] = [(); 2].map(|()| world.connect(server));
    world.run(SECOND);
    let other = world.id(b);
    let number = other.get().into();
    assert_eq!(world.session(a).peer_address(number), Err(PeerError::Relayed(other)));
    for unknown in [0, -1, 2, i64::MAX, i64::MIN, (1 << 32) + 1] {
        assert_eq!(world.session(a).peer_address(unknown), Err(PeerError::Unknown(unknown)));
    }
    assert_eq!(world.session(server).peer_address(1), Err(PeerError::Unknown(1)));
}

#[test]
fn connect_asks_once() {
    let mut world = World::new(3);
    let [first, second] = [(); 2].map(|()| world.server(1));
    let client = world.client(world.address(first));
    let (now, address) = (world.now(), world.address(second));
    world.session_mut(client).connect(now, address);
    world.run(SECOND);
    assert_eq!(world.session(client).peer_address(1), Ok(world.address(first)));
    assert_eq!(world.events(second), []);
    world.session_mut(client).fail();
    world.run(SECOND);
    assert_eq!(world.status(client), Status::Connected);
    // A server asks nobody.
    world.session_mut(first).connect(now, address);
    world.session_mut(first).fail();
    world.run(SECOND);
    assert_eq!(world.events(first).len(), 1);
}

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

/// Ids that no client may have. Each sees its connection end, and nobody else hears of it.
#[test]
fn ids_that_no_client_may_have_are_turned_away() {
    let mut world = World::new(6);
    let server = world.server(4);
    let client = world.connect(server);
    for id in [0, 1, 0x8000_0000, 0x8000_0001, u32::MAX] {
        let raw = world.raw(RawConfig::default());
        let to = world.address(server);
        world.raw_mut(raw).connect(to, 3, id);
        world.run(SECOND);
        let expected =
            [RawEvent::Connected { peer: 0, data: 0 }, RawEvent::Disconnected { peer: 0, data: 0 }];
        assert_eq!(world.raw_events(raw), expected, "id {id}");
    }
    assert_eq!(world.events(server).len(), 1);
    assert_eq!(world.events(client).len(), 2);
    assert_talking(&mut world, server, client);
}

#[test]
fn an_id_that_is_taken_is_turned_away() {
    let mut world = World::new(7);
    let server = world.server(4);
    let [owner, other] = [(); 2].map(|()| world.connect(server));
    let id = world.id(owner);
    let raw = world.raw(RawConfig::default());
    let to = world.address(server);
    world.raw_mut(raw).connect(to, 3, id.get() as u32);
    world.run(SECOND);
    let expected = [RawEvent::Connected { peer: 0, data: 0 }, RawEvent::Disconnected { peer: 0, data: 0 }];
    assert_eq!(world.raw_events(raw), expected);
    assert_eq!(world.events(server).len(), 2);
    assert_eq!(world.events(other).len(), 3);
    assert_eq!(world.session(server).peer_address(id.get().into()), Ok(world.address(owner)));
    assert_talking(&mut world, server, owner);
    // With the owner gone, the id is free.
    world.close(owner);
    world.run(SECOND);
    world.raw_client(RawConfig::default(), server, id.get() as u32);
    assert_eq!(world.events(server).last(), Some(&Event::PeerConnected(id)));
}

#[test]
fn a_server_that_refuses_new_connections_keeps_the_old() {
    let mut world = World::new(8);
    let server = world.server(4);
    let old = world.connect(server);
    world.session_mut(server).set_refuse_new_connections(true);
    let refused = world.client(world.address(server));
    world.run(SECOND);
    // It is told at once. ENet has let it in before, as in 3.6.
    assert_eq!(world.events(refused).last(), Some(&Event::ServerDisconnected));
    assert_eq!(world.status(refused), Status::Disconnected);
    assert_eq!(world.events(server).len(), 1);
    assert_eq!(world.events(old).len(), 2);
    assert_talking(&mut world, server, old);
    world.session_mut(server).set_refuse_new_connections(false);
    let welcome = world.connect(server);
    assert_talking(&mut world, server, welcome);
}

#[test]
fn a_full_server_says_so() {
    for compression in [Compression::None, Compression::RangeCoder] {
        let mut world = World::new(9);
        let config = world.config().compression(compression);
        let server = world.server_with(&config, 1);
        let config = world.config().compression(compression);
        let first = world.connect_with(&config, server);
        let config = world.config().compression(compression);
        let second = world.client_with(&config, world.address(server));
        world.run(SECOND);
        assert_eq!(world.events(second), [Event::ConnectionFailed], "{compression:?}");
        assert!(world.counters(server).dropped(Dropped::ServerFull) > 0);
        assert_talking(&mut world, server, first);
        // The place is free again when its owner leaves.
        world.close(first);
        world.run(SECOND);
        let config = world.config().compression(compression);
        let third = world.connect_with(&config, server);
        assert_talking(&mut world, server, third);
    }
}

#[test]
fn a_full_server_tells_a_foreign_client_too() {
    let mut world = World::new(10);
    let server = world.server(1);
    let first = world.connect(server);
    let raw = world.raw(RawConfig::default());
    let to = world.address(server);
    world.raw_mut(raw).connect(to, 3, 1234);
    world.run(SECOND);
    assert_eq!(world.raw_events(raw), [RawEvent::Disconnected { peer: 0, data: 0 }]);
    assert_talking(&mut world, server, first);
}

#[test]
fn two_clients_for_one_place_in_the_same_poll() {
    let mut world = World::new(11);
    let server = world.server(1);
    let clients = [(); 2].map(|()| world.client(world.address(server)));
    world.run(3 * SECOND);
    let mut ends = clients.map(|client| world.events(client).last().copied());
    ends.sort_unstable_by_key(|event| *event == Some(Event::ConnectionFailed));
    assert_eq!(ends, [Some(Event::ConnectionSucceeded), Some(Event::ConnectionFailed)]);
    assert_eq!(world.events(server).len(), 1);
}

#[test]
fn five_hundred_clients_connect_in_one_poll() {
    for relay in [false, true] {
        let mut world = World::new(12);
        let config = world.config().server_relay(relay);
        let server = world.server_with(&config, 500);
        // Or some of them are asked for proof of their address, and come a round trip later.
        world.session_mut(server).set_address_proof(AddressProof::Never);
        let address = world.address(server);
        let clients: Vec<HostId> = (0..500).map(|_| world.client(address)).collect();
        // The clients ask; the server answers; the clients answer that; the server is told.
        world.step(FRAME);
        world.step(FRAME);
        assert_eq!(world.events(server), []);
        world.step(FRAME);
        let mut joined = world.events(server);
        assert!(world.log(server).iter().all(|entry| entry.poll == 3));
        let mut expected: Vec<Event> =
            clients.iter().map(|client| Event::PeerConnected(world.id(*client))).collect();
        for events in [&mut joined, &mut expected] {
            events.sort_unstable_by_key(|event| match event {
                Event::PeerConnected(id) => id.get(),
                _ => 0,
            });
        }
        assert_eq!(joined, expected);
        world.run(SECOND);
        for client in clients {
            let known = if relay { 500 } else { 1 };
            assert_eq!(world.known(client).len(), known);
        }
        assert_eq!(world.counters(server).dropped_datagrams(), 0);
    }
}

#[test]
fn handshakes_survive_a_bad_network() {
    let mut world = World::new(13);
    world.set_links(Link {
        latency: Duration::from_millis(60),
        jitter: Duration::from_millis(60),
        loss: 0.15,
        duplicate: 0.3,
        reorder: 0.3,
        reorder_delay: Duration::from_millis(100),
        ..Link::PERFECT
    });
    let server = world.server(30);
    let address = world.address(server);
    let clients: Vec<HostId> = (0..30).map(|_| world.client(address)).collect();
    world.run(25 * SECOND);
    for client in clients {
        let expected = [Event::PeerConnected(PeerId::SERVER), Event::ConnectionSucceeded];
        assert_eq!(world.events(client)[..2], expected);
        assert_eq!(world.known(client).len(), 30);
    }
    assert_eq!(world.known(server).len(), 30);
    assert_eq!(world.events(server).len(), 30);
}

#[test]
fn a_client_that_comes_back_from_the_same_address() {
    let mut world = World::new(14);
    let server = world.server(4);
    let first = world.connect(server);
    let address = world.address(first);
    let old = world.id(first);
    world.vanish(first);
    let config = world.config();
    let mut session = Session::client(&config, None);
    session.connect(world.now(), world.address(server));
    let second = world.add_at(address, session);
    world.run(2 * SECOND);
    assert_eq!(world.status(second), Status::Connected);
    assert_talking(&mut world, server, second);
    world.run_in_steps(40 * SECOND, SECOND / 20);
    assert!(world.events(server).contains(&Event::PeerDisconnected(old)));
    assert_talking(&mut world, server, second);
}

/// The CONNECT of a client that asks for this many channels.
fn connect_datagram(channels: u32, connect_id: u32, id: u32) -> Vec<u8> {
    let mut bytes = vec![0x8f, 0xff, 0, 1, 0x82, 0xff, 0, 1];
    bytes.extend([0, 0, 0xff, 0xff]);
    for field in [1392, 65536, channels, 0, 0, 5000, 2, 2, connect_id, id] {
        bytes.extend(u32::to_be_bytes(field));
    }
    bytes
}

/// Shakes hands by hand, and answers what the server granted.
fn shake_hands(world: &mut World, server: HostId, from: SocketAddr, channels: u32, id: u32) -> u32 {
    let to = world.address(server);
    world.inject(from, to, &connect_datagram(channels, 0x0102_0304, id));
    world.step(FRAME);
    let (_, answer) = world.receive_at(from).expect("an answer");
    assert_eq!((answer.len(), answer[4]), (48, 0x83), "a VERIFY_CONNECT behind a header with sent time");
    let field = |at: usize| u32::from_be_bytes(answer[at..at + 4].try_into().expect("4 bytes"));
    assert_eq!(field(44), 0x0102_0304);
    let (peer, session) = (u16::from_be_bytes([answer[8], answer[9]]), answer[11]);
    let header = (peer | u16::from(session) << 12).to_be_bytes();
    let acknowledge = [header[0], header[1], 0x01, 0xff, 0, 0, answer[6], answer[7], answer[2], answer[3]];
    world.inject(from, to, &acknowledge);
    world.step(FRAME);
    field(20)
}

#[test]
fn a_foreign_client_is_granted_at_most_what_the_server_has() {
    for (asked, granted) in [(1, 1), (2, 2), (3, 3), (4, 3), (10, 3), (255, 3)] {
        let mut world = World::new(15);
        let config = world.config().compression(Compression::None);
        let server = world.server_with(&config, 4);
        let from = world.new_address();
        assert_eq!(shake_hands(&mut world, server, from, asked, 5), granted, "asked for {asked}");
        let id = PeerId::new(5).expect("an id");
        assert_eq!(world.events(server), [Event::PeerConnected(id)]);
        // On channels that it has not, nothing is sent.
        for channel in [1, 2] {
            let options = SendOptions {
                target: Target::All,
                mode: TransferMode::Reliable,
                channel: TransferChannel::Fixed(channel),
                always_ordered: false,
            };
            let agreed = granted as u8;
            let missed = SendError::PeerChannel { channel, count: 3, peer: id, agreed, others: 0 };
            let expected = if u32::from(channel) < granted { Ok(()) } else { Err(missed) };
            assert_eq!(world.session_mut(server).send(options, b"hello"), expected);
        }
        world.step(FRAME);
        let unsent = world.counters(server).dropped_packets(DroppedPacket::NoChannel);
        assert_eq!(unsent, u64::from(3_u32.saturating_sub(asked)), "asked for {asked}");
        assert_eq!(world.events(server).len(), 1);
    }
}

#[test]
fn a_connect_request_without_channels_gets_no_answer() {
    let mut world = World::new(16);
    let server = world.server(4);
    let (from, to) = (world.new_address(), world.address(server));
    for channels in [0, 256, u32::MAX] {
        world.inject(from, to, &connect_datagram(channels, 1, 5));
    }
    world.run(SECOND);
    assert_eq!(world.receive_at(from), None);
    assert_eq!(world.counters(server).dropped(Dropped::Enet(DropReason::Connect)), 3);
}

#[test]
fn sides_with_different_channel_counts_use_what_both_have() {
    let mut world = World::new(17);
    let config = world.config().channel_count(6);
    let server = world.server_with(&config, 4);
    let config = world.config().channel_count(4);
    let fewer = world.connect_with(&config, server);
    let options = |channel| SendOptions {
        target: Target::All,
        mode: TransferMode::Reliable,
        channel: TransferChannel::Fixed(channel),
        always_ordered: false,
    };
    let peer = world.id(fewer);
    for channel in 1..6 {
        let missed = SendError::PeerChannel { channel, count: 6, peer, agreed: 4, others: 0 };
        let expected = if channel < 4 { Ok(()) } else { Err(missed) };
        for target in [Target::All, Target::One(peer)] {
            let options = SendOptions { target, ..options(channel) };
            assert_eq!(world.session_mut(server).send(options, &[channel]), expected);
        }
    }
    world.run(SECOND);
    let channels: Vec<u8> = world.packets(fewer).iter().map(|packet| packet.channel).collect();
    assert_eq!(channels, [1, 1, 2, 2, 3, 3]);
    assert_eq!(world.counters(server).dropped_packets(DroppedPacket::NoChannel), 2);
    for channel in [4, 5, 255] {
        let answer = world.session_mut(fewer).send(options(channel), b"?");
        assert_eq!(answer, Err(SendError::Channel { channel, count: 4 }));
    }

    let config = world.config().channel_count(7);
    let more = world.connect_with(&config, server);
    world.take_log(server);
    for channel in 1..7 {
        let options = SendOptions { target: Target::One(PeerId::SERVER), ..options(channel) };
        let peer = PeerId::SERVER;
        let missed = SendError::PeerChannel { channel, count: 7, peer, agreed: 6, others: 0 };
        let expected = if channel < 6 { Ok(()) } else { Err(missed) };
        assert_eq!(world.session_mut(more).send(options, &[channel]), expected);
    }
    for channel in 1..6 {
        let options = SendOptions { target: Target::One(world.id(more)), ..options(channel) };
        world.session_mut(server).send(options, &[channel]).expect("a channel of the server");
    }
    world.run(SECOND);
    for host in [server, more] {
        let channels: Vec<u8> = world.packets(host).iter().map(|packet| packet.channel).collect();
        assert_eq!(channels, [1, 2, 3, 4, 5]);
    }
    world.close(more);
    world.run(SECOND);
    assert_talking(&mut world, server, fewer);
}

/// Whoever has the channel gets it, and the error names one of the others and counts the rest.
#[test]
fn a_broadcast_reaches_all_that_have_its_channel() {
    let mut world = World::new(20);
    let config = world.config().channel_count(5);
    let server = world.server_with(&config, 4);
    let clients = [5, 3, 5, 4].map(|count| {
        let config = world.config().channel_count(count);
        world.connect_with(&config, server)
    });
    world.run(SECOND);
    let options = |target, channel| SendOptions {
        target,
        mode: TransferMode::Reliable,
        channel: TransferChannel::Fixed(channel),
        always_ordered: false,
    };
    let mut send = |target, channel| world.session_mut(server).send(options(target, channel), b"to all");
    let answer = send(Target::All, 4).expect_err("two have no channel 4");
    assert!(matches!(answer, SendError::PeerChannel { channel: 4, count: 5, others: 1, .. }), "{answer:?}");
    assert_eq!(send(Target::All, 2), Ok(()));
    assert!(matches!(send(Target::All, 3), Err(SendError::PeerChannel { agreed: 3, others: 0, .. })));
    let short = world.id(clients[1]);
    assert_eq!(world.session_mut(server).send(options(Target::AllExcept(short), 3), b"x"), Ok(()));
    world.run(SECOND);
    let arrived = clients.map(|client| world.packets(client).len());
    assert_eq!(arrived, [4, 1, 4, 3]);
}

/// A client knows its own agreement with the server only. What the server cannot pass on is counted, and told once.
#[test]
fn what_the_relay_cannot_pass_on_is_counted_and_told_once() {
    let mut world = World::new(21);
    let config = world.config().channel_count(5);
    let server = world.server_with(&config, 4);
    let config = world.config().channel_count(5);
    let sender = world.connect_with(&config, server);
    let config = world.config().channel_count(3);
    let short = world.connect_with(&config, server);
    world.run(SECOND);
    let (from, to) = (world.id(sender), world.id(short));
    for target in [Target::One(to), Target::All, Target::AllExcept(PeerId::SERVER)] {
        let options = SendOptions {
            target,
            mode: TransferMode::Reliable,
            channel: TransferChannel::Fixed(4),
            always_ordered: false,
        };
        assert_eq!(world.session_mut(sender).send(options, b"across"), Ok(()));
        world.session_mut(sender).send(options, b"across").expect("as before");
    }
    assert_eq!(world.session_mut(server).take_not_forwarded(), None);
    world.run(SECOND);
    assert_eq!(world.packets(short).len(), 0);
    assert_eq!(world.counters(server).dropped_packets(DroppedPacket::NoChannel), 6);
    let told = world.session_mut(server).take_not_forwarded();
    assert_eq!(told, Some(NotForwarded { from, to, channel: 4, agreed: 3 }));
    assert_eq!(world.session_mut(server).take_not_forwarded(), None);
    // A client whose server has fewer hears of it when it puts a packet for another client.
    let config = world.config().channel_count(9);
    let more = world.connect_with(&config, server);
    world.run(SECOND);
    let options = SendOptions {
        target: Target::One(to),
        mode: TransferMode::Reliable,
        channel: TransferChannel::Fixed(7),
        always_ordered: false,
    };
    let answer = world.session_mut(more).send(options, b"?");
    let peer = PeerId::SERVER;
    assert_eq!(answer, Err(SendError::PeerChannel { channel: 7, count: 9, peer, agreed: 5, others: 0 }));
}

#[test]
fn a_foreign_server_may_grant_fewer_channels() {
    for (channels, granted) in [(1, 1), (2, 2), (3, 3), (9, 3)] {
        let mut world = World::new(18);
        let raw = world.raw(RawConfig { channels, ..RawConfig::default() });
        let client = world.client(world.raw_address(raw));
        world.run(SECOND);
        assert_eq!(world.status(client), Status::Connected);
        assert_eq!(world.raw_ref(raw).channel_count(0), granted);
        world.raw_mut(raw).take_events();
        for (channel, mode) in [(1, TransferMode::Reliable), (2, TransferMode::Unreliable)] {
            let sent = world.send(client, 1, mode, b"up");
            assert_eq!(sent.is_ok(), channel < granted, "{channel} of {granted}");
        }
        world.run(SECOND);
        let arrived: Vec<u8> =
            world.raw_mut(raw).take_packets().iter().map(|(channel, _)| *channel).collect();
        let expected: Vec<u8> =
            [1, 2].into_iter().filter(|channel| usize::from(*channel) < granted).collect();
        assert_eq!(arrived, expected);
        if granted > 1 {
            world.raw_mut(raw).send_data(0, granted as u8 - 1, (1, 0), b"back");
            world.run(SECOND);
            assert_eq!(world.packets(client).len(), 1);
        }
        world.close(client);
    }
}

#[test]
fn channel_counts_below_three_count_as_three() {
    let mut world = World::new(19);
    let server = world.server(4);
    let config: Config = world.config().channel_count(0);
    let client = world.connect_with(&config, server);
    assert_talking(&mut world, server, client);
    let config = world.config().channel_count(255);
    let server = world.server_with(&config, 4);
    let config = world.config().channel_count(255);
    let client = world.connect_with(&config, server);
    assert_talking(&mut world, server, client);
}
