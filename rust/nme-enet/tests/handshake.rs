//! Who gets a connection, and what is admitted before there is one.

mod raw;

use std::time::Duration;

use nme_enet::DropReason::*;
use nme_enet::wire::{Body, CONTROL_CHANNEL, code};
use nme_enet::{Config, ConnectError, ConnectRequest, DisconnectReason, DropReason, Event, Verdict};
use raw::*;

fn knock(hello: Hello) -> Result<(), DropReason> {
    let mut bench = Bench::server();
    bench.peer = address(1);
    bench.knock(hello)
}

#[test]
fn connect_fields_are_those_of_an_enet() {
    let good = Hello::request();
    let fine = [
        good,
        Hello { peer: 4094, ..good },
        Hello { channels: 1, ..good },
        Hello { channels: 255, ..good },
        Hello { window: 4096, ..good },
        Hello { sessions: [3, 0], ..good },
    ];
    assert!(fine.into_iter().all(|hello| knock(hello).is_ok()));
    let bad = [
        Hello { peer: 4095, ..good },
        Hello { channel: 0, ..good },
        Hello { mtu: 1391, ..good },
        Hello { mtu: 1393, ..good },
        Hello { channels: 0, ..good },
        Hello { channels: 256, ..good },
        Hello { window: 4095, ..good },
        Hello { window: 65537, ..good },
    ];
    assert!(bad.into_iter().all(|hello| knock(hello) == Err(Connect)));
}

#[test]
fn connect_comes_alone_without_session_and_only_to_a_server() {
    let connect = [Hello::request().connect()];
    let mut server = Bench::server();
    assert_eq!(server.receive(&datagram(0xfff, 0, Some(3), &[connect[0].clone(), ping()])), Err(Connect));
    assert_eq!(server.receive(&datagram(0xfff, 0, Some(3), &[ping()])), Err(Connect));
    assert_eq!(server.receive(&datagram(0xfff, 1, Some(3), &connect)), Err(Connect));
    assert_eq!(server.receive(&datagram(0xfff, 0, None, &connect)), Err(MissingSentTime));
    assert_eq!(server.receive(&datagram(3, 0, Some(3), &connect)), Err(UnknownPeer));
    server.refuse(Connect, connect[0].clone());
    server.refuse(Verify, Hello::answer(CONNECT_ID).verify());
    let mut client = Bench::client();
    assert_eq!(client.receive(&datagram(0xfff, 0, Some(3), &connect)), Err(Connect));
}

#[test]
fn a_peer_is_its_number_address_and_session() {
    for mut bench in [Bench::server(), Bench::client()] {
        let (slot, session, peer) = (bench.slot, bench.session, bench.peer);
        bench.session = (session + 1) & 3;
        bench.refuse(WrongSession, ping());
        bench.session = session;
        for wrong in [slot + 1, 4, 4094] {
            bench.slot = wrong;
            bench.refuse(UnknownPeer, ping());
        }
        bench.slot = slot;
        bench.peer = address(peer.port() + 1);
        bench.refuse(UnknownPeer, reliable(0, 1, 1));
        bench.peer = peer;
        assert!(bench.lengths().is_empty());
        bench.pass(&[ping()]);
    }
}

#[test]
fn a_header_is_screened_before_anything_is_decompressed() {
    let mut bench = Bench::server();
    let compressed = |mut bytes: Vec<u8>| {
        bytes[0] |= 0x40;
        bytes
    };
    let plain = datagram(bench.slot, bench.session, Some(5), &[ping()]);
    let handle = bench.handle();
    let screened = bench.host.screen(bench.peer, &compressed(plain.clone())).expect("a peer");
    assert_eq!((screened.max_plain_len, screened.header.len()), (1396, 4));
    assert!(screened.header.compressed && screened.peer == Some(handle));
    let request = datagram(0xfff, 0, Some(3), &[Hello::request().connect()]);
    let screened = bench.host.screen(address(1), &compressed(request)).expect("perhaps a request");
    assert_eq!((screened.max_plain_len, screened.peer), (116, None));
    assert_eq!(bench.host.screen(address(1), &compressed(plain)), Err(UnknownPeer));
    let wrong = datagram(bench.slot, bench.session ^ 1, Some(5), &[ping()]);
    assert_eq!(bench.host.screen(bench.peer, &compressed(wrong)), Err(WrongSession));
    assert_eq!(bench.host.figures().datagrams_dropped, 2);
    let mut client = Bench::client();
    assert_eq!(client.host.screen(client.peer, &[0x4f, 0xff]), Err(Connect));
}

#[test]
fn a_server_takes_data_only_behind_the_acknowledged_answer() {
    let mut bench = Bench::half_open_server();
    let time = bench.time;
    let early = [reliable(0, 1, 1), ping(), ack(0, 1, time), ack(0xff, 2, time), ack(0xff, 1, time + 1)];
    for command in early {
        bench.refuse(Unconnected, command);
    }
    bench.refuse(Unconnected, [reliable(0, 1, 1), ack(0xff, 1, time)].concat());
    assert!(bench.events.is_empty());
    bench.pass(&[ack(0xff, 1, time), reliable(0, 1, 1)]);
    assert!(matches!(bench.events.remove(0), Event::Connected { data: 77, .. }));
    assert_eq!(bench.lengths(), [1]);
    bench.pass(&[ack(0xff, 1, time)]);
    assert!(bench.events.is_empty());
}

#[test]
fn the_answer_may_be_acknowledged_by_any_of_its_repetitions() {
    for acknowledged in 0..3 {
        let mut bench = Bench::half_open_server();
        let mut times = vec![bench.time];
        while times.len() < 3 {
            bench.now += Duration::from_millis(100);
            bench.host.handle_timeout(bench.now);
            // What nobody asks for is repeated once.
            let _ = bench.knock(Hello::request());
            times.extend(bench.transmit().iter().map(|(_, answer)| first_of(answer).0));
        }
        bench.pass(&[ack(0xff, 1, times[acknowledged]), reliable(0, 1, 1)]);
        assert_eq!(bench.lengths(), [1]);
    }
}

#[test]
fn a_repeated_request_takes_no_second_place() {
    let mut bench = Bench::half_open_server();
    assert_eq!(bench.knock(Hello::request()), Err(Repeated));
    bench.pass(&[ack(0xff, 1, bench.time)]);
    assert_eq!(bench.knock(Hello::request()), Err(Repeated));
    // A client that has crashed and come back has another number, and a place of its own.
    assert_eq!(bench.knock(Hello { connect_id: 5, ..Hello::request() }), Ok(()));
    assert_eq!(bench.host.peers_at(bench.peer).count(), 2);
    bench.pass(&[reliable(0, 1, 1)]);
    assert_eq!(bench.lengths(), [1]);
}

#[test]
fn one_address_gets_few_places() {
    let mut config = Config::server(4095, 1);
    config.channel_limit = 1;
    let mut bench = Bench::server_of(config);
    for connect_id in 1..64 {
        assert_eq!(bench.knock(Hello { connect_id, ..Hello::request() }), Ok(()));
    }
    assert_eq!(bench.knock(Hello { connect_id: 64, ..Hello::request() }), Err(AddressLimit));
}

#[test]
fn every_request_is_judged_before_it_gets_a_place() {
    let mut bench = Bench::server();
    let mut seen = Vec::new();
    for (port, verdict) in [(1, Verdict::Ignore), (2, Verdict::Refuse), (3, Verdict::Accept)] {
        let request = datagram(0xfff, 0, Some(9), &[Hello { peer: port, ..Hello::request() }.connect()]);
        let mut judge = |request: &ConnectRequest| {
            seen.push((request.from, request.peer, request.sent_time, request.data, request.is_full));
            verdict
        };
        let taken = bench.host.handle_datagram(bench.now, address(port), &request, &mut judge);
        assert_eq!(taken.is_ok(), verdict == Verdict::Accept);
        assert_eq!(bench.host.peers_at(address(port)).count(), usize::from(verdict == Verdict::Accept));
    }
    assert_eq!(seen, [1, 2, 3].map(|port| (address(port), port, 9, 77, false)));
    let sent = bench.transmit();
    let to = |port: u16| sent.iter().find(|(to, _)| *to == address(port)).map(|(_, bytes)| bytes.clone());
    assert_eq!(to(1), None);
    assert_eq!(to(2), Some(vec![0, 2, 0x44, 0xff, 0, 0, 0xa1, 0xb2, 0xc3, 0xd4]));
}

#[test]
fn a_full_server_answers_at_once() {
    let mut config = Bench::config(Default::default());
    config.peer_limit = 1;
    let mut bench = Bench::server_of(config);
    bench.transmit();
    bench.peer = address(9);
    assert_eq!(bench.knock(Hello { peer: 7, ..Hello::request() }), Err(Full));
    assert_eq!(bench.transmit(), [(address(9), vec![0, 7, 0x44, 0xff, 0, 0, 0xa1, 0xb2, 0xc3, 0xd4])]);
}

#[test]
fn a_client_waits_for_an_answer_or_a_refusal() {
    let mut bench = Bench::half_open_client();
    let time = bench.time;
    for command in [ping(), reliable(0, 1, 1), ack(0xff, 1, time)] {
        bench.refuse(Unconnected, command);
    }
    // Session bits are not agreed on yet.
    bench.session = 3;
    bench.pass(&[Hello::answer(bench.connect_id).verify(), reliable(0, 1, 1)]);
    assert_eq!(bench.lengths(), [1]);
    bench.refuse(WrongSession, ping());
    let mut bench = Bench::half_open_client();
    let body = Body::Disconnect { data: bench.connect_id };
    bench.pass(&[command(code::DISCONNECT_UNSEQUENCED, CONTROL_CHANNEL, 0, body)]);
    let reason = DisconnectReason::ByPeer(bench.connect_id);
    assert!(matches!(bench.events[..], [Event::Disconnected { reason: told, .. }] if told == reason));
}

#[test]
fn an_answer_grants_what_was_asked_for() {
    let bad: [fn(&mut Hello); 9] = [
        |hello| hello.connect_id ^= 1,
        |hello| hello.channels = 0,
        |hello| hello.channels = CHANNELS + 1,
        |hello| hello.mtu = 576,
        |hello| hello.peer = 4095,
        |hello| hello.sessions = [4, 0],
        |hello| hello.sessions = [0, 0xff],
        |hello| hello.throttle = [5000, 2, 3],
        |hello| hello.window = 0,
    ];
    for spoil in bad {
        let mut bench = Bench::half_open_client();
        let mut hello = Hello::answer(bench.connect_id);
        spoil(&mut hello);
        bench.refuse(Verify, hello.verify());
        bench.pass(&[Hello::answer(bench.connect_id).verify()]);
    }
    let mut bench = Bench::half_open_client();
    let good = Hello::answer(bench.connect_id);
    bench.refuse(Channel, Hello { channel: 0, ..good }.verify());
    bench.peer = address(1);
    bench.refuse(UnknownPeer, good.verify());
    let mut bench = Bench::half_open_client();
    bench.pass(&[Hello { window: 4096, peer: 4094, ..Hello::answer(bench.connect_id) }.verify()]);
}

#[test]
fn fewer_channels_may_be_granted() {
    let mut bench = Bench::half_open_client();
    bench.pass(&[Hello { channels: 2, ..Hello::answer(bench.connect_id) }.verify(), reliable(1, 1, 1)]);
    bench.refuse(Channel, reliable(2, 1, 1));
    assert_eq!(bench.host.peer_figures(bench.handle()).expect("a peer").channels, 2);
}

#[test]
fn an_answer_that_comes_again_is_acknowledged_again() {
    let mut bench = Bench::client();
    let verify = Hello::answer(bench.connect_id).verify();
    bench.transmit();
    bench.pass(&[verify]);
    assert!(bench.events.is_empty());
    // Peer 1 in session 2, and the acknowledgement of number 1.
    assert_eq!(bench.transmit()[0].1, [0x20, 1, 0x01, 0xff, 0, 1, 0, 1, 0, 5]);
}

#[test]
fn a_proof_of_address_is_answered_while_connecting() {
    let mut bench = Bench::half_open_client();
    let proof = [0x80, 0, 0xbe, 0xef, 0x81, 0xff, 0xc0, 0xdf, 0, 0, 0x7f, 0xff];
    assert_eq!(bench.receive(&proof), Ok(()));
    let answer = vec![0x0f, 0xff, 0x01, 0xff, 0xc0, 0xdf, 0xc0, 0xdf, 0xbe, 0xef];
    assert_eq!(bench.transmit(), [(bench.peer, answer)]);
    // Several in one datagram, in order; on a channel of the client's, not those that look too far ahead.
    bench.pass(&[probe(0xff, 2), probe(3, 0x7000), probe(0, 0x7000), probe(1, 0x8fff), probe(1, 0x9000)]);
    let sent = &bench.transmit()[0].1;
    let numbers: Vec<_> =
        sent[2..].chunks(8).map(|ack| (ack[1], u16::from_be_bytes([ack[2], ack[3]]))).collect();
    assert_eq!(numbers, [(0xff, 2), (3, 0x7000), (1, 0x9000)]);
    // Nothing has come of it: the request is repeated, and can be answered.
    bench.now += Duration::from_millis(510);
    bench.host.handle_timeout(bench.now);
    assert_eq!(bench.transmit()[0].1.len(), 52);
    bench.refuse(UnknownCommand, [probe(0xff, 1), ping()].concat());
    bench.pass(&[Hello::answer(bench.connect_id).verify()]);
    bench.refuse(UnknownCommand, probe(0xff, 1));
}

#[test]
fn a_handle_never_names_another_peer() {
    let mut config = Bench::config(Default::default());
    config.peer_limit = 1;
    let mut bench = Bench::server_of(config);
    let first = bench.handle();
    bench.host.disconnect_now(first, 0);
    assert_eq!(bench.host.address(first), None);
    assert_eq!(bench.knock(Hello { connect_id: 8, ..Hello::request() }), Ok(()));
    let second = bench.handle();
    assert_eq!(second.index(), first.index());
    assert!(second != first && bench.host.address(first).is_none() && bench.host.address(second).is_some());
}

#[test]
fn a_host_has_so_many_places_and_channels() {
    let mut bench = Bench::half_open_client();
    assert_eq!(bench.host.connect(bench.now, address(1), 1, 0), Err(ConnectError::Full));
    let mut bench = Bench::server();
    assert_eq!(bench.host.connect(bench.now, address(1), 0, 0), Err(ConnectError::Channels));
    assert_eq!(bench.host.connect(bench.now, address(1), 4, 0), Err(ConnectError::Channels));
}
