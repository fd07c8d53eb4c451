//! Incomplete unreliable packets that nothing else would end.

use super::*;
use DropReason::*;

fn tight(packets: usize) -> Bench {
    Bench::server_with(Quotas { fragment_packets: packets, ..Quotas::default() })
}

#[test]
fn a_refused_packet_ends_the_stuck_ones_of_another_channel() {
    let mut bench = tight(2);
    bench.run_to(1, 1..=3);
    bench.pass(&[unreliable_fragment(1, 3, 7, 3000, 0)]);
    bench.pass(&[unreliable_fragment(1, 3, 9, 3000, 0)]);
    assert_eq!(bench.guard.next_injection(), None);
    bench.refuse(FragmentQuota, unreliable_fragment(0, 0, 1, 3000, 0));
    let injection = bench.guard.next_injection().unwrap();
    assert_eq!(injection.from, bench.peer);
    let mut packet = unreliable(1, 3, 10, 1);
    packet[8] = 0;
    assert_eq!(injection.datagram[..], datagram(SLOT, SESSION_IN, None, &[packet]));
    assert_eq!(bench.guard.next_injection(), None);
    assert_eq!(bench.unreliable_state(1), []);
    bench.pass(&[unreliable_fragment(0, 0, 2, 3000, 0), unreliable(1, 3, 10, 9), unreliable(1, 3, 11, 9)]);
}

#[test]
fn the_guard_lets_its_own_injection_pass() {
    let mut bench = tight(1);
    bench.pass(&[unreliable_fragment(1, 0, 1, 3000, 0)]);
    bench.refuse(FragmentQuota, fragment(0, 5, 3000, 0));
    let mut injection = bench.guard.next_injection().unwrap();
    assert!(bench.inspect(&mut injection.datagram).is_ok());
}

#[test]
fn the_channel_with_most_is_chosen() {
    let mut bench = tight(3);
    bench.pass(&[unreliable_fragment(0, 0, 1, 3000, 0)]);
    bench.pass(&[unreliable_fragment(1, 0, 1, 5000, 0)]);
    bench.pass(&[unreliable_fragment(2, 0, 1, 4000, 0)]);
    bench.refuse(FragmentQuota, fragment(0, 2, 3000, 0));
    assert_eq!(bench.guard.next_injection().unwrap().datagram[3], 1);
    bench.pass(&[fragment(0, 2, 3000, 0)]);
}

#[test]
fn on_one_channel_the_engine_makes_room_itself() {
    let mut bench = tight(2);
    for start in 1..10 {
        bench.pass(&[unreliable_fragment(0, 0, start, 3000, 0)]);
        assert_eq!(bench.guard.next_injection(), None);
    }
    // But not when the new one would not fit in its place either.
    let mut bench = Bench::server_with(Quotas { fragment_bytes: 6000, ..Quotas::default() });
    bench.pass(&[unreliable_fragment(0, 0, 1, 2000, 0)]);
    bench.pass(&[unreliable_fragment(0, 0, 2, 2000, 0)]);
    bench.refuse(FragmentQuota, unreliable_fragment(0, 0, 3, 5000, 0));
    assert_eq!(bench.unreliable_state(0), [(0, 1), (0, 2)]);
    assert_eq!(bench.model().usage().fragment_bytes, 4000);
}

#[test]
fn what_waits_for_a_reliable_packet_cannot_be_ended() {
    let mut bench = tight(1);
    bench.pass(&[unreliable_fragment(1, 1, 1, 3000, 0)]);
    bench.refuse(FragmentQuota, fragment(0, 5, 3000, 0));
    assert_eq!(bench.guard.next_injection(), None);
    // Nor a packet with the last number there is.
    let mut bench = tight(1);
    bench.pass(&[unreliable_fragment(1, 0, 0xffff, 3000, 0)]);
    bench.refuse(FragmentQuota, fragment(0, 5, 3000, 0));
    assert_eq!(bench.guard.next_injection(), None);
}

#[test]
fn a_slot_that_has_gone_gets_no_injection() {
    let mut bench = tight(1);
    bench.pass(&[unreliable_fragment(1, 0, 1, 3000, 0)]);
    bench.refuse(FragmentQuota, fragment(0, 5, 3000, 0));
    bench.guard.release(SLOT);
    assert_eq!(bench.guard.next_injection(), None);
}
