//! Who may talk, and when.

use super::*;
use DropReason::*;

fn knock(hello: Hello) -> Result<Passed, DropReason> {
    let mut guard = Guard::new(config(Role::Server, Quotas::default()));
    guard.inspect(address(1), &mut datagram(0xfff, 0, Some(3), &[hello.connect()]))
}

#[test]
fn a_server_takes_a_lone_connect() {
    let passed = knock(Hello { peer: 4094, ..Hello::request() }).unwrap();
    assert_eq!((passed.len, passed.disconnects, passed.disconnect_at), (52, false, None));
    let request = passed.connect.unwrap();
    assert_eq!((request.connect_id, request.reply_peer_id, request.data), (CONNECT_ID, 4094, 77));
}

#[test]
fn connect_fields_are_those_of_an_enet() {
    let good = Hello::request();
    let fine = [
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
    let mut server = Guard::new(config(Role::Server, Quotas::default()));
    let mut inspect = |mut bytes: Vec<u8>| server.inspect(address(1), &mut bytes);
    assert_eq!(inspect(datagram(0xfff, 0, Some(3), &[connect[0].clone(), ping()])), Err(Connect));
    assert_eq!(inspect(datagram(0xfff, 0, Some(3), &[ping()])), Err(Connect));
    assert_eq!(inspect(datagram(0xfff, 1, Some(3), &connect)), Err(Connect));
    assert_eq!(inspect(datagram(0xfff, 0, None, &connect)), Err(MissingSentTime));
    assert_eq!(inspect(datagram(0, 0, Some(3), &connect)), Err(UnknownPeer));
    let mut client = Bench::client();
    assert_eq!(client.inspect(&mut datagram(0xfff, 0, Some(3), &connect)), Err(Connect));
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
        assert_eq!(bench.reliable_state(0).0, 0);
        bench.pass(&[ping()]);
        bench.guard.release(slot);
        bench.refuse(UnknownPeer, ping());
    }
}

#[test]
fn a_server_counts_data_only_behind_the_acknowledged_answer() {
    let mut bench = Bench::half_open_server(Quotas::default());
    let early = [reliable(0, 1, 1), ping(), ack(0, 1, TIME), ack(0xff, 2, TIME), ack(0xff, 1, TIME + 1)];
    for command in early {
        bench.refuse(Unconnected, command);
    }
    bench.refuse(Unconnected, [reliable(0, 1, 1), ack(0xff, 1, TIME)].concat());
    bench.pass(&[ack(0xff, 1, TIME), reliable(0, 1, 1)]);
    assert_eq!(bench.reliable_state(0).0, 1);
    bench.pass(&[ack(0xff, 1, TIME)]);
    assert_eq!(bench.reliable_state(0).0, 1);
}

#[test]
fn the_answer_may_be_acknowledged_by_any_of_its_repetitions() {
    for acknowledged in [1000, 2000, 3000] {
        let mut bench = Bench::half_open_server(Quotas::default());
        for time in [2000, 3000] {
            let verify = datagram(0, SESSION_OUT, Some(time), &[Hello::answer(SLOT).verify()]);
            bench.guard.observe_outgoing(bench.peer, &verify);
        }
        bench.pass(&[ack(0xff, 1, acknowledged), reliable(0, 1, 1)]);
    }
}

#[test]
fn a_new_answer_begins_a_new_session_and_a_repeated_one_does_not() {
    let mut bench = Bench::server();
    bench.pass(&[reliable(0, 1, 1)]);
    let answer = Hello::answer(SLOT);
    bench.guard.observe_outgoing(bench.peer, &datagram(0, SESSION_OUT, Some(TIME), &[answer.verify()]));
    assert_eq!(bench.reliable_state(0).0, 1);
    let answer = Hello { connect_id: 5, ..answer };
    bench.guard.observe_outgoing(bench.peer, &datagram(0, SESSION_OUT, Some(TIME), &[answer.verify()]));
    bench.refuse(Unconnected, reliable(0, 2, 1));
    bench.pass(&[ack(0xff, 1, TIME), reliable(0, 1, 1)]);
}

#[test]
fn pending_is_this_attempt_from_this_address() {
    let mut bench = Bench::half_open_server(Quotas::default());
    assert!(bench.guard.is_pending(bench.peer, CONNECT_ID));
    assert!(!bench.guard.is_pending(bench.peer, CONNECT_ID + 1));
    assert!(!bench.guard.is_pending(address(1), CONNECT_ID));
    bench.guard.release(SLOT);
    assert!(!bench.guard.is_pending(bench.peer, CONNECT_ID));
}

#[test]
fn a_client_waits_for_an_answer_or_a_refusal() {
    let mut bench = Bench::half_open_client();
    for command in [ping(), reliable(0, 1, 1), ack(0xff, 1, TIME)] {
        bench.refuse(Unconnected, command);
    }
    // Session bits are not agreed on yet.
    bench.session = 3;
    bench.pass(&[Hello::answer(SLOT).verify(), reliable(0, 1, 1)]);
    assert_eq!(bench.reliable_state(0).0, 1);
    bench.refuse(WrongSession, ping());
    let passed = Bench::half_open_client().send(&[disconnect()]).unwrap();
    assert!(passed.disconnects && passed.disconnect_at.is_none());
}

#[test]
fn fewer_channels_are_kept_from_the_engine() {
    let good = Hello::answer(SLOT);
    let mut bench = Bench::half_open_client();
    let fewer = Hello { channels: CHANNELS - 1, ..good }.verify();
    let mut bytes = datagram(bench.slot, bench.session, Some(5), &[fewer, reliable(0, 1, 1)]);
    assert_eq!(bench.inspect(&mut bytes).map(|passed| passed.len), Ok(bytes.len()));
    let as_asked = datagram(bench.slot, bench.session, Some(5), &[good.verify(), reliable(0, 1, 1)]);
    assert_eq!(bytes, as_asked);
    assert!(bench.guard.may_send_on(0, CHANNELS as u8 - 2));
    assert!(!bench.guard.may_send_on(0, CHANNELS as u8 - 1));
    bench.refuse(Channel, reliable(CHANNELS as u8 - 1, 1, 1));
    bench.pass(&[reliable(CHANNELS as u8 - 2, 1, 1)]);
}

#[test]
fn an_answer_grants_what_was_asked_for() {
    let good = Hello::answer(SLOT);
    let bad = [
        Hello { connect_id: CONNECT_ID ^ 1, ..good },
        Hello { channels: 0, ..good },
        Hello { channels: CHANNELS + 1, ..good },
        Hello { mtu: 576, ..good },
        Hello { peer: 4095, ..good },
        Hello { sessions: [4, 0], ..good },
        Hello { sessions: [0, 0xff], ..good },
        Hello { throttle: [5000, 2, 3], ..good },
        Hello { window: 0, ..good },
    ];
    for hello in bad {
        let mut bench = Bench::half_open_client();
        bench.refuse(Verify, hello.verify());
        bench.pass(&[good.verify()]);
    }
    let mut bench = Bench::half_open_client();
    bench.refuse(Channel, Hello { channel: 0, ..good }.verify());
    bench.peer = address(1);
    bench.refuse(UnknownPeer, good.verify());
    Bench::half_open_client().pass(&[Hello { window: 4096, peer: 4094, ..good }.verify()]);
}
