//! Connections of two MTUs: each has the smaller one.

mod raw;

use nme_enet::Config;
use nme_enet::DropReason::*;
use raw::*;

/// MTU of the host.
const OWN: u16 = 1355;
const SMALLEST: u16 = 1296;

fn secured(mut config: Config) -> Config {
    config.mtu = OWN;
    config.peer_mtu = SMALLEST..=MTU;
    config.max_packet = MAX_PACKET;
    config
}

fn server() -> Config {
    secured(Bench::config(Default::default()))
}

/// A client that has been granted this MTU.
fn client(granted: u32) -> (Bench, Result<(), nme_enet::DropReason>) {
    let mut bench = Bench::half_open_client_of(secured(Config::client(6)));
    let answer = Hello { mtu: granted, ..Hello::answer(bench.connect_id) };
    let result = bench.send(&[answer.verify()]);
    bench.events.clear();
    (bench, result)
}

/// Payloads of the largest single packet and of fragments are those of this MTU.
fn assert_cuts(mut bench: Bench, mtu: u16) {
    assert_eq!(bench.host.peer_figures(bench.handle()).expect("a peer").mtu, mtu);
    let largest = mtu - 28;
    bench.refuse(PayloadLength, reliable(0, 1, largest + 1));
    bench.pass(&[reliable(0, 1, largest)]);
    let total = u32::from(largest) + 1;
    let piece = Piece { len: largest, count: 2, total, ..Piece::reliable(0, 2, 2 * F, 0) };
    bench.refuse(Fragment, Piece { len: largest - 1, ..piece }.bytes());
    bench.pass(&[piece.bytes()]);
    bench.pass(&[Piece { sequence: 3, len: 1, number: 1, offset: largest.into(), ..piece }.bytes()]);
    assert_eq!(bench.lengths(), [largest.into(), total as usize]);
    bench.pass(&[reliable(0, 4, 1)]);
    assert_eq!(bench.lengths(), [1]);
}

#[test]
fn a_server_takes_any_mtu_that_a_layer_can_leave() {
    for (asked, fits) in
        [(1392, true), (1355, true), (1296, true), (1295, false), (1393, false), (576, false)]
    {
        let mut bench = Bench::server_of(server());
        bench.peer = address(1);
        let result = bench.knock(Hello { mtu: asked, ..Hello::request() });
        assert_eq!(result, if fits { Ok(()) } else { Err(Connect) }, "{asked}");
    }
}

#[test]
fn a_client_is_granted_what_it_asked_for_or_less() {
    for (granted, fits) in
        [(1355, true), (1300, true), (1296, true), (1295, false), (1356, false), (1392, false)]
    {
        assert_eq!(client(granted).1, if fits { Ok(()) } else { Err(Verify) }, "{granted}");
    }
}

#[test]
fn packets_are_cut_by_the_granted_mtu() {
    for granted in [1355, 1300] {
        assert_cuts(client(granted).0, granted as u16);
        let hello = Hello { mtu: granted, ..Hello::request() };
        assert_cuts(Bench::server_for(server(), hello), granted as u16);
    }
    // A larger one is not granted.
    assert_cuts(Bench::server_of(server()), OWN);
}

#[test]
fn no_datagram_is_longer_than_the_own_mtu() {
    let mut bench = Bench::server_of(server());
    let filler = OWN - 4 - 6 - 1000 - 8;
    bench.pass(&[reliable(0, 1, 1000), unsequenced(0, 1, filler)]);
    assert_eq!(bench.send(&[reliable(0, 2, 1000), unsequenced(0, 2, filler + 1)]), Err(TooLong));
}
