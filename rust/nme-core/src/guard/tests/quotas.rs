//! What is cut out at a full quota, and what is not.

use super::*;
use DropReason::*;

fn fragments(bytes: usize, packets: usize) -> Quotas {
    Quotas { fragment_bytes: bytes, fragment_packets: packets, ..Quotas::default() }
}

#[test]
fn commands_ahead_are_counted_by_channel() {
    let mut bench = Bench::server_with(Quotas { ahead_commands: 2, ..Quotas::default() });
    bench.pass(&[reliable(0, 2, 1), unreliable(0, 1, 1, 1)]);
    bench.refuse(AheadCommands, reliable(0, 3, 1));
    bench.refuse(AheadCommands, unreliable(0, 1, 2, 1));
    bench.pass(&[reliable(1, 2, 1), reliable(0, 2, 1)]);
    bench.pass(&[reliable(0, 1, 1), reliable(0, 3, 1), reliable(0, 5, 1), reliable(0, 6, 1)]);
    assert_eq!(bench.guard.refused(AheadCommands), 2);
    assert_eq!(bench.guard.cut_commands(), 2);
}

#[test]
fn bytes_ahead_are_counted_by_peer() {
    let room = 2 * (100 + Quotas::OVERHEAD);
    let mut bench = Bench::server_with(Quotas { ahead_bytes: room, ..Quotas::default() });
    bench.pass(&[reliable(0, 2, 100)]);
    bench.refuse(AheadBytes, reliable(1, 2, 101));
    bench.pass(&[reliable(1, 2, 100)]);
    bench.refuse(AheadBytes, unreliable(2, 1, 1, 1));
    bench.pass(&[reliable(0, 1, 1000), reliable(1, 1, 1000), unreliable(2, 0, 1, 1000)]);
    assert_eq!(bench.model().usage(), &Default::default());
}

#[test]
fn the_rest_of_a_datagram_moves_together() {
    let mut bench = Bench::server_with(Quotas { ahead_commands: 1, ..Quotas::default() });
    let (kept, cut) = ([ping(), reliable(0, 2, 3), unsequenced(2, 1, 4)], reliable(0, 9, 30));
    let mixed = [&cut, &kept[0], &kept[1], &cut, &cut, &kept[2], &cut].map(Clone::clone);
    // The first of the cut ones would still fit, so fill the quota before.
    bench.pass(&[reliable(0, 8, 1)]);
    let mut bytes = datagram(SLOT, SESSION_IN, Some(5), &mixed);
    let passed = bench.inspect(&mut bytes).unwrap();
    let expected = datagram(SLOT, SESSION_IN, Some(5), &[kept[0].clone(), kept[2].clone()]);
    assert_eq!(bytes[..passed.len], expected);
    bench.run_to(0, 1..=1);
    let mut bytes = datagram(SLOT, SESSION_IN, None, &[unreliable(0, 5, 1, 2), ack(0, 1, 1)]);
    let passed = bench.inspect(&mut bytes).unwrap();
    assert_eq!(bytes[..passed.len], datagram(SLOT, SESSION_IN, None, &[ack(0, 1, 1)]));
}

#[test]
fn incomplete_packets_are_counted_by_number_and_bytes() {
    let mut bench = Bench::server_with(fragments(10_000, 2));
    bench.pass(&[fragment(0, 10, 3000, 0), unreliable_fragment(1, 5, 1, 3000, 0)]);
    bench.refuse(FragmentQuota, fragment(0, 20, 3000, 0));
    bench.refuse(FragmentQuota, unreliable_fragment(2, 0, 1, 3000, 0));
    // More of the known ones always comes in.
    bench.pass(&[fragment(0, 10, 3000, 2)]);
    let mut bench = Bench::server_with(fragments(10_000, 9));
    bench.pass(&[fragment(0, 10, 6000, 0)]);
    bench.refuse(FragmentQuota, fragment(1, 10, 4001, 0));
    bench.pass(&[fragment(1, 10, 4000, 0)]);
}

#[test]
fn what_is_next_comes_in_at_a_full_quota() {
    let full = Quotas { fragment_bytes: 4000, fragment_packets: 1, ahead_commands: 1, ahead_bytes: 300 };
    let mut bench = Bench::server_with(full);
    bench.pass(&[fragment(0, 50, 4000, 0), reliable(0, 49, 1)]);
    bench.refuse(AheadCommands, reliable(0, 48, 1));
    bench.pass(&[reliable(0, 1, F as u16), reliable(0, 2, 1)]);
    // Larger than the whole quota, and next.
    for number in 0..16_000 / F + 1 {
        bench.pass(&[fragment(0, 3, 16_000, number)]);
    }
    assert_eq!(bench.reliable_state(0), (14, vec![49, 50]));
    assert_eq!(bench.model().usage().next_bytes, 0);
}

#[test]
fn all_channels_together_exceed_the_quota_once() {
    let mut bench = Bench::server_with(fragments(4000, 1));
    bench.pass(&[fragment(0, 50, 4000, 0)]);
    bench.pass(&[fragment(0, 1, 2000, 0), fragment(1, 1, 2000, 0)]);
    bench.refuse(FragmentQuota, fragment(2, 1, 2000, 0));
    bench.pass(&[fragment(0, 1, 2000, 1)]);
    bench.pass(&[fragment(2, 1, 2000, 0)]);
    let mut bench = Bench::server_with(fragments(4000, 1));
    bench.pass(&[fragment(0, 50, 4000, 0), fragment(0, 1, 9000, 0)]);
    bench.refuse(FragmentQuota, fragment(1, 1, 2000, 0));
}

#[test]
fn complete_packets_ahead_make_room_for_new_ones() {
    let mut bench = Bench::server_with(Quotas { ahead_bytes: 5000, ..fragments(100_000, 1) });
    let complete = |start| [fragment(0, start, 2000, 0), fragment(0, start, 2000, 1)];
    for start in [2, 4, 6] {
        bench.pass(&complete(start));
    }
    // The third found no room ahead, and stays where it was.
    bench.refuse(FragmentQuota, fragment(0, 8, 2000, 0));
    assert_eq!(bench.model().usage().ahead_bytes, 2 * (2000 + Quotas::OVERHEAD));
    bench.pass(&[reliable(0, 1, 1)]);
    assert_eq!(bench.reliable_state(0), (7, vec![]));
    assert_eq!(bench.model().usage(), &super::super::quota::Usage { starved: false, ..Default::default() });
}
