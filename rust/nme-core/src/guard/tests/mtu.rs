//! Connections of two MTUs: each has the smaller one.

use super::*;
use DropReason::*;

/// MTU of the guard's host.
const OWN: u16 = 1355;
const SMALLEST: u16 = 1296;

fn secured(role: Role) -> Guard {
    let plain = config(role, Quotas::default());
    Guard::new(GuardConfig { mtu: OWN, peer_mtu: (SMALLEST, MTU), ..plain })
}

/// A server with a client that was granted `mtu`.
fn server_granting(mtu: u32) -> Bench {
    let mut guard = secured(Role::Server);
    let verify = Hello { mtu, ..Hello::answer(SLOT) }.verify();
    guard.observe_outgoing(address(5000), &datagram(0, SESSION_OUT, Some(TIME), &[verify]));
    let mut bench = Bench { guard, peer: address(5000), slot: SLOT, session: SESSION_IN };
    bench.pass(&[ack(0xff, 1, TIME)]);
    bench
}

/// A client that has asked for its own MTU.
fn client() -> Bench {
    let mut guard = secured(Role::Client);
    let connect = Hello { mtu: OWN.into(), ..Hello::request() }.connect();
    guard.observe_outgoing(address(6000), &datagram(0xfff, 0, Some(TIME), &[connect]));
    Bench { guard, peer: address(6000), slot: 0, session: SESSION_OUT }
}

/// Payloads of the largest single packet and of fragments are those of this MTU.
fn assert_cuts(mut bench: Bench, mtu: u16) {
    let largest = mtu - 28;
    bench.refuse(PayloadLength, reliable(0, 1, largest + 1));
    bench.pass(&[reliable(0, 1, largest)]);
    let total = u32::from(largest) + 1;
    let piece = Piece { len: largest, count: 2, total, ..Piece::reliable(0, 2, 2 * F, 0) };
    bench.refuse(Fragment, Piece { len: largest - 1, ..piece }.bytes());
    bench.pass(&[piece.bytes()]);
    bench.pass(&[Piece { sequence: 3, len: 1, number: 1, offset: largest.into(), ..piece }.bytes()]);
    assert_eq!(bench.reliable_state(0), (3, vec![]));
}

#[test]
fn a_server_takes_any_mtu_that_a_layer_can_leave() {
    for (asked, fits) in
        [(1392, true), (1355, true), (1296, true), (1295, false), (1393, false), (576, false)]
    {
        let mut request = datagram(0xfff, 0, Some(3), &[Hello { mtu: asked, ..Hello::request() }.connect()]);
        let passed = secured(Role::Server).inspect(address(1), &mut request);
        assert_eq!(passed.is_ok(), fits, "{asked}");
    }
}

#[test]
fn a_client_is_granted_what_it_asked_for_or_less() {
    for (granted, fits) in
        [(1355, true), (1300, true), (1296, true), (1295, false), (1356, false), (1392, false)]
    {
        let answer = Hello { mtu: granted, ..Hello::answer(SLOT) }.verify();
        assert_eq!(client().send(&[answer]).is_ok(), fits, "{granted}");
    }
}

#[test]
fn packets_are_cut_by_the_granted_mtu() {
    for granted in [1355, 1300] {
        assert_cuts(server_granting(granted), granted as u16);
        let mut bench = client();
        bench.pass(&[Hello { mtu: granted, ..Hello::answer(SLOT) }.verify()]);
        assert_cuts(bench, granted as u16);
    }
}

#[test]
fn no_datagram_is_longer_than_the_own_mtu() {
    let mut bench = server_granting(OWN.into());
    let filler = OWN - 4 - 6 - 1000 - 8;
    bench.pass(&[reliable(0, 1, 1000), unsequenced(0, 1, filler)]);
    assert_eq!(bench.send(&[reliable(0, 2, 1000), unsequenced(0, 2, filler + 1)]), Err(TooLong));
}
