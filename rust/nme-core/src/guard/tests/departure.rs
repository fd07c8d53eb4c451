//! Ends of connections: whether a peer announced it, and the datagrams that end one from this side.

use super::*;
use crate::guard::departure::Departure;
use DropReason::*;

#[test]
fn a_peer_that_has_disconnected_has_announced_its_departure() {
    for mut bench in [Bench::server(), Bench::client(), Bench::half_open_client()] {
        let (slot, address) = (bench.slot, bench.peer);
        assert_eq!(bench.guard.release(slot + 1), None);
        bench.pass(&[disconnect()]);
        assert_eq!(bench.guard.release(slot), Some(Departure { address, announced: true }));
        assert_eq!(bench.guard.release(slot), None);
    }
    for mut bench in [Bench::server(), Bench::client(), Bench::half_open_client()] {
        let (slot, address) = (bench.slot, bench.peer);
        assert_eq!(bench.guard.release(slot), Some(Departure { address, announced: false }));
    }
}

#[test]
fn only_an_open_connection_counts_as_one() {
    let mut bench = Bench::half_open_server(Quotas::default());
    assert!(!bench.guard.is_connected(bench.peer));
    bench.pass(&[ack(0xff, 1, TIME)]);
    assert!(bench.guard.is_connected(bench.peer));
    assert!(!bench.guard.is_connected(address(1)));
    bench.pass(&[disconnect()]);
    assert!(!bench.guard.is_connected(bench.peer));
}

#[test]
fn a_farewell_is_a_disconnect_of_the_peer() {
    for mut bench in [Bench::server(), Bench::client(), Bench::half_open_client()] {
        let half = bench.model().session().is_none();
        assert_eq!(bench.guard.farewells(address(1)), Vec::<[u8; 10]>::new());
        let farewells = bench.guard.farewells(bench.peer);
        // Before the answer the engine takes any session.
        let session = if half { 0 } else { bench.session };
        let expected = datagram(bench.slot, session, None, &[u32s(command(0x44, 0xff, 0), &[0])]);
        assert_eq!(farewells, [<[u8; 10]>::try_from(expected).unwrap()]);
        assert!(!bench.guard.is_connected(bench.peer));
        assert!(bench.guard.release(bench.slot).unwrap().announced);
    }
}

#[test]
fn a_half_open_client_is_forgotten_at_once() {
    let mut bench = Bench::half_open_server(Quotas::default());
    assert_eq!(bench.guard.farewells(bench.peer).len(), 1);
    assert!(!bench.guard.is_pending(bench.peer, CONNECT_ID));
    bench.refuse(UnknownPeer, ack(0xff, 1, TIME));
}

#[test]
fn every_connection_of_an_address_gets_its_farewell() {
    let mut bench = Bench::server();
    for (slot, port) in [(2, 5000), (3, 5001)] {
        let verify = datagram(0, SESSION_OUT, Some(TIME), &[Hello::answer(slot).verify()]);
        bench.guard.observe_outgoing(address(port), &verify);
    }
    let slots: Vec<u8> = bench.guard.farewells(bench.peer).iter().map(|bytes| bytes[1]).collect();
    assert_eq!(slots, [1, 2]);
    assert!(bench.guard.is_pending(address(5001), CONNECT_ID));
}
