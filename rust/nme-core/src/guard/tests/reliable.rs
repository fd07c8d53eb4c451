//! The model of reliable packets.

use super::*;
use DropReason::*;

#[test]
fn in_order_packets_leave_nothing() {
    let mut bench = Bench::server();
    bench.run_to(0, 1..=5);
    bench.pass(&[reliable(1, 1, 1)]);
    assert_eq!(bench.reliable_state(0), (5, vec![]));
    assert_eq!(bench.reliable_state(1), (1, vec![]));
    assert_eq!(bench.model().usage(), &Default::default());
}

#[test]
fn packets_wait_for_an_earlier_one() {
    let mut bench = Bench::server();
    bench.pass(&[reliable(0, 2, 10), reliable(0, 4, 10), reliable(0, 2, 10)]);
    assert_eq!(bench.reliable_state(0), (0, vec![2, 4]));
    assert_eq!(bench.model().usage().ahead_bytes, 2 * (10 + Quotas::OVERHEAD));
    bench.pass(&[reliable(0, 1, 10)]);
    assert_eq!(bench.reliable_state(0), (2, vec![4]));
    bench.pass(&[reliable(0, 3, 10), reliable(0, 1, 10)]);
    assert_eq!(bench.reliable_state(0), (4, vec![]));
    assert_eq!(bench.model().usage(), &Default::default());
}

#[test]
fn numbers_wrap_around() {
    let mut bench = Bench::server();
    bench.run_to(0, 1..=0xfffe);
    bench.pass(&[reliable(0, 1, 1), fragment(0, 2, 2 * F, 1), reliable(0, 0, 1)]);
    assert_eq!(bench.reliable_state(0), (0xfffe, vec![0x1_0000, 0x1_0001, 0x1_0002]));
    bench.pass(&[fragment(0, 2, 2 * F, 0), reliable(0, 0xffff, 1)]);
    assert_eq!(bench.reliable_state(0), (0x1_0003, vec![]));
}

#[test]
fn a_packet_in_fragments_may_span_the_wrap() {
    let mut bench = Bench::server();
    bench.run_to(0, 1..=0xfffd);
    for number in [3, 0, 2] {
        bench.pass(&[fragment(0, 0xfffe, 4 * F, number)]);
    }
    assert_eq!(bench.reliable_state(0), (0xfffd, vec![0xfffe]));
    bench.refuse(Conflict, reliable(0, 1, 1));
    bench.pass(&[fragment(0, 0xfffe, 4 * F, 1)]);
    assert_eq!(bench.reliable_state(0), (0x1_0001, vec![]));
}

#[test]
fn the_engine_looks_seven_windows_ahead() {
    let mut bench = Bench::server();
    bench.pass(&[reliable(0, 0x6fff, 1), reliable(0, 0x7000, 1), fragment(0, 0x7000, 2 * F, 0)]);
    assert_eq!(bench.reliable_state(0), (0, vec![0x6fff]));
    let mut bench = Bench::server();
    bench.run_to(0, 1..=0xa001);
    bench.pass(&[
        reliable(0, 0x0fff, 1),
        reliable(0, 0x1000, 1),
        reliable(0, 0xa001, 1),
        reliable(0, 0xa000, 1),
    ]);
    assert_eq!(bench.reliable_state(0), (0xa001, vec![0x1_0fff]));
}

#[test]
fn fragments_make_one_packet() {
    let mut bench = Bench::server();
    bench.pass(&[fragment(0, 1, 3000, 2), fragment(0, 1, 3000, 2), reliable(0, 4, 8)]);
    bench.pass(&[fragment(0, 1, 3000, 0)]);
    assert_eq!(bench.reliable_state(0), (0, vec![1, 4]));
    assert_eq!((bench.model().usage().fragment_bytes, bench.model().usage().fragment_packets), (3000, 1));
    bench.pass(&[fragment(0, 1, 3000, 1)]);
    assert_eq!(bench.reliable_state(0), (4, vec![]));
    // Repetitions of what is delivered.
    bench.pass(&[fragment(0, 1, 3000, 1)]);
    assert_eq!(bench.model().usage(), &Default::default());
}

#[test]
fn contradictions_are_cut_out() {
    let mut bench = Bench::server();
    bench.pass(&[reliable(0, 1, 1), fragment(0, 5, 3 * F, 0), reliable(0, 10, 1)]);
    let state = bench.reliable_state(0);
    let lies = [
        // Into the numbers of a known packet, whole and in fragments.
        reliable(0, 5, 1),
        reliable(0, 7, 1),
        fragment(0, 6, 2 * F, 0),
        fragment(0, 4, 2 * F, 0),
        fragment(0, 7, 4 * F, 0),
        // Over a whole packet.
        fragment(0, 10, 2 * F, 0),
        fragment(0, 9, 2 * F, 0),
        // Another size for a known packet.
        fragment(0, 5, 3 * F - 1, 1),
        fragment(0, 5, 4 * F, 1),
        // The engine stops reading here.
        fragment(0, 1, 2 * F, 0),
    ];
    for lie in lies {
        bench.refuse(Conflict, lie);
        assert_eq!(bench.reliable_state(0), state);
    }
    assert_eq!(bench.guard.refused(Conflict), 10);
    let passed = bench.send(&[ping(), reliable(0, 7, 9), reliable(0, 2, 1)]).unwrap();
    assert_eq!(passed.len, 4 + 4 + 7);
    assert_eq!(bench.reliable_state(0).0, 2);
    // Right in front of and behind them there is room.
    bench.pass(&[fragment(0, 3, 2 * F, 0), fragment(0, 8, 2 * F, 0)]);
}
