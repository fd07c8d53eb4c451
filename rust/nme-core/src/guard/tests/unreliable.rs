//! The model of sequenced unreliable packets.

use super::*;
use DropReason::*;

#[test]
fn packets_at_the_current_number_leave_nothing() {
    let mut bench = Bench::server();
    bench.pass(&[
        unreliable(0, 0, 1, 9),
        unreliable(0, 0, 5, 9),
        unreliable(0, 0, 3, 9),
        unsequenced(0, 1, 9),
    ]);
    assert_eq!(bench.unreliable_state(0), []);
    assert_eq!(bench.model().usage(), &Default::default());
}

#[test]
fn packets_wait_for_their_reliable_number() {
    let mut bench = Bench::server();
    bench.pass(&[
        unreliable(0, 1, 1, 9),
        unreliable(0, 2, 1, 9),
        unreliable(0, 2, 2, 9),
        unreliable(0, 2, 2, 9),
    ]);
    assert_eq!(bench.unreliable_state(0), [(1, 1), (2, 1), (2, 2)]);
    assert_eq!(bench.model().usage().ahead_bytes, 3 * (9 + Quotas::OVERHEAD));
    bench.pass(&[reliable(0, 1, 1)]);
    assert_eq!(bench.unreliable_state(0), [(2, 1), (2, 2)]);
    bench.pass(&[reliable(0, 2, 1)]);
    assert_eq!(bench.unreliable_state(0), []);
    assert_eq!(bench.model().usage(), &Default::default());
    // What depends on the past is thrown away.
    bench.pass(&[unreliable(0, 1, 9, 9), unreliable_fragment(0, 1, 10, 3000, 0)]);
    assert_eq!(bench.unreliable_state(0), []);
}

#[test]
fn a_later_packet_ends_an_incomplete_one() {
    let mut bench = Bench::server();
    bench.pass(&[unreliable_fragment(0, 0, 2, 3000, 0)]);
    bench.pass(&[unreliable(0, 0, 1, 9)]);
    assert_eq!(bench.unreliable_state(0), [(0, 2)]);
    bench.pass(&[unreliable(0, 0, 3, 9)]);
    assert_eq!(bench.unreliable_state(0), []);
    bench.pass(&[unreliable_fragment(0, 0, 2, 3000, 1)]);
    assert_eq!(bench.unreliable_state(0), []);
    assert_eq!(bench.model().usage(), &Default::default());
}

#[test]
fn complete_fragments_are_delivered() {
    let mut bench = Bench::server();
    for number in 0..3 {
        bench.pass(&[unreliable_fragment(0, 0, 1, 3000, number)]);
    }
    assert_eq!(bench.unreliable_state(0), []);
    // Ahead, a complete packet waits like any other.
    for number in 0..3 {
        bench.pass(&[unreliable_fragment(0, 1, 1, 3000, number)]);
    }
    assert_eq!(bench.model().usage().ahead_bytes, 3000 + Quotas::OVERHEAD);
    assert_eq!(bench.model().usage().fragment_packets, 0);
    bench.pass(&[reliable(0, 1, 1)]);
    assert_eq!(bench.model().usage(), &Default::default());
}

#[test]
fn the_engine_keeps_two_incomplete_packets() {
    let mut bench = Bench::server();
    for start in [2, 4, 6] {
        bench.pass(&[unreliable_fragment(0, 0, start, 3000, 0)]);
    }
    assert_eq!(bench.unreliable_state(0), [(0, 4), (0, 6)]);
    bench.refuse(StaleFragment, unreliable_fragment(0, 0, 3, 3000, 0));
    bench.pass(&[unreliable_fragment(0, 0, 5, 3000, 0)]);
    assert_eq!(bench.unreliable_state(0), [(0, 5), (0, 6)]);
    assert_eq!(bench.model().usage().fragment_bytes, 6000);
    // Of those that waited ahead, the newest two remain too.
    for start in 1..=4 {
        bench.pass(&[unreliable_fragment(0, 1, start, 3000, 0)]);
    }
    bench.pass(&[reliable(0, 1, 1)]);
    assert_eq!(bench.unreliable_state(0), [(1, 3), (1, 4)]);
}

#[test]
fn an_unreliable_packet_has_one_size() {
    let mut bench = Bench::server();
    bench.pass(&[unreliable_fragment(0, 0, 1, 3000, 0), unreliable(0, 1, 1, 9)]);
    bench.refuse(Conflict, unreliable_fragment(0, 0, 1, 3001, 1));
    bench.refuse(Conflict, unreliable_fragment(0, 0, 1, 4 * F, 1));
    bench.refuse(Conflict, unreliable_fragment(0, 1, 1, 3000, 0));
}
