//! Order, reassembly and bounds of what comes in.

mod raw;

use nme_enet::DropReason::*;
use nme_enet::wire::{Body, CONTROL_CHANNEL, code};
use nme_enet::{DisconnectReason, Event, Quotas};
use raw::*;

fn fragments(bytes: usize, packets: usize) -> Quotas {
    Quotas { fragment_bytes: bytes, fragment_packets: packets, ..Quotas::default() }
}

#[test]
fn packets_wait_for_an_earlier_one() {
    let mut bench = Bench::server();
    bench.pass(&[reliable(0, 2, 12), reliable(0, 4, 14), reliable(0, 2, 12)]);
    assert!(bench.lengths().is_empty());
    assert_eq!(bench.reassembly_bytes(), 12 + 14 + 2 * Quotas::OVERHEAD);
    bench.pass(&[reliable(0, 1, 11)]);
    assert_eq!(bench.lengths(), [11, 12]);
    bench.pass(&[reliable(0, 3, 13), reliable(0, 1, 11)]);
    assert_eq!(bench.lengths(), [13, 14]);
    assert_eq!(bench.reassembly_bytes(), 0);
}

#[test]
fn numbers_wrap_around() {
    let mut bench = Bench::server();
    bench.run_to(0, 1..=0xfffe);
    bench.lengths();
    bench.pass(&[reliable(0, 1, 3), fragment(0, 2, 2 * F, 1), reliable(0, 0, 2)]);
    assert!(bench.lengths().is_empty());
    bench.pass(&[fragment(0, 2, 2 * F, 0), reliable(0, 0xffff, 1)]);
    assert_eq!(bench.lengths(), [1, 2, 3, 2 * F as usize]);
}

#[test]
fn a_packet_in_fragments_may_span_the_wrap() {
    let mut bench = Bench::server();
    bench.run_to(0, 1..=0xfffd);
    bench.lengths();
    for number in [3, 0, 2] {
        bench.pass(&[fragment(0, 0xfffe, 4 * F, number)]);
    }
    bench.refuse(Conflict, reliable(0, 1, 1));
    bench.pass(&[fragment(0, 0xfffe, 4 * F, 1)]);
    assert_eq!(bench.lengths(), [4 * F as usize]);
}

#[test]
fn seven_windows_are_looked_at() {
    let mut bench = Bench::server();
    bench.pass(&[reliable(0, 0x6fff, 1), reliable(0, 0x7000, 1), fragment(0, 0x7000, 2 * F, 0)]);
    assert_eq!(bench.reassembly_bytes(), 1 + Quotas::OVERHEAD);
    // What is too far ahead is not acknowledged, so it comes again.
    assert_eq!(bench.transmit()[0].1.len(), 2 + 8);
    bench.run_to(0, 1..=1);
    // What has been delivered is.
    bench.pass(&[reliable(0, 1, 1)]);
    assert_eq!(bench.transmit()[0].1.len(), 2 + 8);
}

#[test]
fn unreliable_packets_wait_for_their_reliable_number() {
    let mut bench = Bench::server();
    bench.pass(&[
        unreliable(0, 1, 1, 11),
        unreliable(0, 2, 1, 21),
        unreliable(0, 2, 2, 22),
        unreliable(0, 2, 2, 22),
    ]);
    assert_eq!(bench.reassembly_bytes(), 11 + 21 + 22 + 3 * Quotas::OVERHEAD);
    bench.pass(&[reliable(0, 1, 1)]);
    assert_eq!(bench.lengths(), [1, 11]);
    bench.pass(&[reliable(0, 2, 2)]);
    assert_eq!(bench.lengths(), [2, 21, 22]);
    // What depends on the past is thrown away.
    bench.pass(&[unreliable(0, 1, 9, 9), unreliable_fragment(0, 1, 10, 3000, 0)]);
    assert_eq!((bench.lengths(), bench.reassembly_bytes()), (vec![], 0));
}

#[test]
fn a_later_unreliable_packet_ends_an_incomplete_one() {
    let mut bench = Bench::server();
    bench.pass(&[unreliable_fragment(0, 0, 2, 3000, 0), unreliable(0, 0, 1, 9)]);
    assert!(bench.reassembly_bytes() > 0);
    bench.pass(&[unreliable(0, 0, 3, 8), unreliable_fragment(0, 0, 2, 3000, 1)]);
    assert_eq!((bench.lengths(), bench.reassembly_bytes()), (vec![9, 8], 0));
}

#[test]
fn two_incomplete_unreliable_packets_are_kept() {
    let mut bench = Bench::server();
    for start in [2, 4, 6] {
        bench.pass(&[unreliable_fragment(0, 0, start, 2000, 0)]);
    }
    bench.refuse(StaleFragment, unreliable_fragment(0, 0, 3, 2000, 0));
    bench.pass(&[unreliable_fragment(0, 0, 4, 2000, 1), unreliable_fragment(0, 0, 6, 2000, 1)]);
    assert_eq!(bench.lengths(), [2000, 2000]);
    assert_eq!(bench.reassembly_bytes(), 0);
}

#[test]
fn a_claim_of_megabytes_costs_what_has_come() {
    let mut bench = Bench::server();
    bench.pass(&[fragment(0, 1, MAX_PACKET as u32, 12_000)]);
    assert!(bench.reassembly_bytes() < 2000);
}

#[test]
fn commands_ahead_are_counted_by_channel() {
    let mut bench = Bench::server_with(Quotas { ahead_commands: 2, ..Quotas::default() });
    bench.pass(&[reliable(0, 2, 1), unreliable(0, 1, 1, 1)]);
    bench.refuse(AheadCommands, reliable(0, 3, 1));
    bench.refuse(AheadCommands, unreliable(0, 1, 2, 1));
    bench.pass(&[reliable(1, 2, 1), reliable(0, 2, 1)]);
    bench.pass(&[reliable(0, 1, 1), reliable(0, 3, 1), reliable(0, 5, 1), reliable(0, 6, 1)]);
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
    assert_eq!(bench.reassembly_bytes(), 0);
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
    assert_eq!(bench.lengths(), [F as usize, 1, 16_000]);
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
    for start in [2, 4, 6] {
        bench.pass(&[fragment(0, start, 2000, 0), fragment(0, start, 2000, 1)]);
    }
    // The third found no room ahead, and stays where it was.
    bench.refuse(FragmentQuota, fragment(0, 8, 2000, 0));
    bench.pass(&[reliable(0, 1, 1)]);
    assert_eq!((bench.lengths(), bench.reassembly_bytes()), (vec![1, 2000, 2000, 2000], 0));
}

#[test]
fn stuck_unreliable_packets_make_room_on_other_channels() {
    let mut bench = Bench::server_with(fragments(1 << 20, 2));
    bench.pass(&[unreliable_fragment(1, 0, 7, 3000, 0), unreliable_fragment(1, 0, 9, 3000, 0)]);
    bench.pass(&[unreliable_fragment(0, 0, 1, 2000, 0), unreliable_fragment(0, 0, 1, 2000, 1)]);
    bench.pass(&[unreliable(1, 0, 9, 5), unreliable(1, 0, 10, 6)]);
    assert_eq!((bench.lengths(), bench.reassembly_bytes()), (vec![2000, 6], 0));
}

#[test]
fn a_host_bounds_what_it_keeps_for_all() {
    let mut config = Bench::config(Quotas::default());
    config.reassembly_limit = 10_000;
    let mut bench = Bench::server_of(config);
    for number in 0..6 {
        bench.pass(&[fragment(0, 10, 100 * F, number)]);
    }
    bench.refuse(HostQuota, fragment(0, 10, 100 * F, 6));
    bench.refuse(HostQuota, reliable(1, 2, 1000));
    bench.pass(&[reliable(1, 1, 1000)]);
    // A second peer has its share, and the first one none any more.
    let first = (bench.peer, bench.slot, bench.session);
    bench.peer = address(8);
    bench.transmit();
    assert_eq!(bench.knock(Hello { connect_id: 9, ..Hello::request() }), Ok(()));
    let answer = bench.transmit().remove(0).1;
    bench.take_place(&answer);
    bench.pass(&[ack(0xff, 1, bench.time), reliable(0, 2, 1000), reliable(0, 3, 1000)]);
    assert!(bench.reassembly_bytes() > 10_000 && bench.reassembly_bytes() <= 20_000);
    // Its memory goes with a peer.
    (bench.peer, bench.slot, bench.session) = first;
    bench.pass(&[disconnect()]);
    assert_eq!(bench.reassembly_bytes(), 2000 + 2 * Quotas::OVERHEAD);
}

#[test]
fn data_comes_before_its_senders_goodbye() {
    let mut bench = Bench::server();
    bench.pass(&[reliable(0, 2, 9), reliable(0, 1, 1), unsequenced(1, 1, 2), disconnect(), ping()]);
    assert!(matches!(
        bench.events.pop(),
        Some(Event::Disconnected { reason: DisconnectReason::ByPeer(0), .. })
    ));
    assert_eq!(bench.lengths(), [1, 9, 2]);
    // It is acknowledged, though the peer is forgotten.
    let sent = bench.transmit();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].1[2..], [0x01, 0xff, 0, 9, 0, 9, 0, 5]);
    bench.refuse(UnknownPeer, disconnect());
}

#[test]
fn a_client_that_gives_up_half_way_is_forgotten() {
    let mut bench = Bench::half_open_server();
    bench.pass(&[disconnect()]);
    assert!(bench.events.is_empty());
    assert_eq!(bench.host.peers().count(), 0);
    bench.refuse(UnknownPeer, disconnect());
}

#[test]
fn an_acknowledgement_that_comes_late_touches_nobody_else() {
    let mut bench = Bench::server();
    let first = (bench.peer, bench.slot, bench.session);
    let handle = bench.handle();
    bench.transmit();
    // A ping is under way when the host leaves.
    bench.now += std::time::Duration::from_millis(510);
    bench.host.handle_timeout(bench.now);
    let ping = bench.transmit().remove(0).1;
    let (time, _) = first_of(&ping);
    assert_eq!(ping[4..8], [0x85, 0xff, 0, 2]);
    bench.peer = address(8);
    assert_eq!(bench.knock(Hello { connect_id: 9, ..Hello::request() }), Ok(()));
    bench.host.disconnect(handle, 0);
    bench.transmit();
    (bench.peer, bench.slot, bench.session) = first;
    bench.pass(&[ack(0xff, 2, time)]);
    // The answer to the second client is still repeated.
    bench.now += std::time::Duration::from_millis(510);
    bench.host.handle_timeout(bench.now);
    let sent = bench.transmit();
    assert!(sent.iter().any(|(to, bytes)| *to == address(8) && bytes[4] == 0x83), "{sent:?}");
}

#[test]
fn windows_are_looked_at_across_the_wrap() {
    let mut bench = Bench::server();
    bench.run_to(0, 1..=0xa001);
    bench.lengths();
    // The first is in the last window that is looked at; then one ahead of it, and two of the past.
    bench.pass(&[
        reliable(0, 0x0fff, 1),
        reliable(0, 0x1000, 1),
        reliable(0, 0xa001, 1),
        reliable(0, 0xa000, 1),
    ]);
    assert_eq!((bench.lengths(), bench.reassembly_bytes()), (vec![], 1 + Quotas::OVERHEAD));
}

#[test]
fn what_is_beyond_a_quota_is_ignored_alone_and_not_acknowledged() {
    let mut bench = Bench::server_with(Quotas { ahead_commands: 1, ..Quotas::default() });
    bench.pass(&[reliable(0, 8, 1)]);
    bench.transmit();
    let beyond = reliable(0, 9, 30);
    bench.pass(&[beyond.clone(), ping(), reliable(0, 2, 3), beyond.clone(), unsequenced(2, 1, 4), beyond]);
    assert_eq!(bench.lengths(), [4]);
    // The acknowledgement of the ping, and no other.
    assert_eq!(bench.transmit()[0].1[2..], [0x01, 0xff, 0, 7, 0, 7, 0, 5]);
    assert_eq!(bench.host.figures().dropped(AheadCommands), 4);
}

#[test]
fn the_channel_with_most_that_is_stuck_makes_room() {
    let mut bench = Bench::server_with(fragments(1 << 20, 3));
    for (channel, total) in [(0, 3000), (1, 5000), (2, 4000)] {
        bench.pass(&[unreliable_fragment(channel, 0, 1, total, 0)]);
    }
    bench.pass(&[fragment(0, 2, 3000, 0)]);
    // Of channel 1 nothing is left: the rest of its packet comes too late.
    for (channel, total) in [(0, 3000_u32), (1, 5000), (2, 4000)] {
        for number in 1..total.div_ceil(F) {
            bench.pass(&[unreliable_fragment(channel, 0, 1, total, number)]);
        }
    }
    assert_eq!(bench.lengths(), [3000, 4000]);
}

#[test]
fn on_one_channel_newer_packets_replace_stuck_ones() {
    let mut bench = Bench::server_with(fragments(1 << 20, 2));
    for start in 1..10 {
        bench.pass(&[unreliable_fragment(0, 0, start, 3000, 0)]);
    }
    bench.pass(&[unreliable_fragment(0, 0, 9, 3000, 1), unreliable_fragment(0, 0, 9, 3000, 2)]);
    assert_eq!((bench.lengths(), bench.reassembly_bytes()), (vec![3000], 0));
}

#[test]
fn what_waits_for_a_reliable_packet_makes_no_room() {
    let mut bench = Bench::server_with(fragments(1 << 20, 1));
    bench.pass(&[unreliable_fragment(1, 1, 1, 2000, 0)]);
    bench.refuse(FragmentQuota, fragment(0, 5, 3000, 0));
    bench.pass(&[unreliable_fragment(1, 1, 1, 2000, 1), reliable(1, 1, 4)]);
    assert_eq!((bench.lengths(), bench.reassembly_bytes()), (vec![4, 2000], 0));
}

#[test]
fn of_those_that_waited_ahead_the_newest_two_remain() {
    let mut bench = Bench::server();
    for start in 1..=4 {
        bench.pass(&[unreliable_fragment(0, 1, start, 2000, 0)]);
    }
    bench.pass(&[reliable(0, 1, 1)]);
    assert_eq!(bench.reassembly_bytes(), 2 * (F as usize + Quotas::OVERHEAD));
    for start in 3..=4 {
        bench.pass(&[unreliable_fragment(0, 1, start, 2000, 1)]);
    }
    assert_eq!((bench.lengths(), bench.reassembly_bytes()), (vec![1, 2000, 2000], 0));
}

#[test]
fn a_refused_client_stays_refused() {
    let mut bench = Bench::half_open_client();
    let body = Body::Disconnect { data: bench.connect_id };
    let refusal = command(code::DISCONNECT_UNSEQUENCED, CONTROL_CHANNEL, 0, body);
    bench.pass(&[refusal, Hello::answer(bench.connect_id).verify()]);
    assert!(matches!(bench.events[..], [Event::Disconnected { reason: DisconnectReason::ByPeer(_), .. }]));
    assert_eq!(bench.host.peers().count(), 0);
}
