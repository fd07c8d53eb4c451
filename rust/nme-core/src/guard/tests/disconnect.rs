//! Where a datagram has to be split, and what a disconnect leaves behind.

use super::*;
use DropReason::*;

#[test]
fn a_disconnect_behind_data_is_where_to_split() {
    let passed = Bench::server().send(&[reliable(0, 1, 1), disconnect(), ping()]).unwrap();
    assert_eq!(
        passed,
        Passed { len: 4 + 7 + 8 + 4, disconnect_at: Some(11), disconnects: true, connect: None }
    );
    let passed = Bench::server().send(&[disconnect(), disconnect()]).unwrap();
    assert_eq!((passed.disconnect_at, passed.disconnects), (None, true));
    let passed = Bench::server().send(&[ping()]).unwrap();
    assert_eq!((passed.disconnect_at, passed.disconnects), (None, false));
}

#[test]
fn what_is_cut_out_does_not_count_for_the_split() {
    let quotas = Quotas { ahead_commands: 0, ..Quotas::default() };
    let passed = Bench::server_with(quotas).send(&[reliable(0, 2, 1), disconnect()]).unwrap();
    assert_eq!((passed.len, passed.disconnect_at), (12, None));
    let passed = Bench::server_with(quotas).send(&[reliable(0, 2, 1), ping(), disconnect()]).unwrap();
    assert_eq!((passed.len, passed.disconnect_at), (16, Some(8)));
}

#[test]
fn nothing_is_kept_after_a_disconnect() {
    let mut bench = Bench::server();
    bench.pass(&[reliable(0, 5, 100), fragment(1, 1, 5000, 0)]);
    bench.pass(&[disconnect(), reliable(0, 6, 100)]);
    assert_eq!(bench.model().usage(), &Default::default());
    // It comes again until it is acknowledged.
    bench.pass(&[disconnect()]);
}

#[test]
fn a_client_that_gives_up_half_way_frees_its_slot() {
    let mut bench = Bench::half_open_server(Quotas::default());
    bench.pass(&[disconnect()]);
    assert!(!bench.guard.is_pending(bench.peer, CONNECT_ID));
    bench.refuse(UnknownPeer, disconnect());
}

#[test]
fn a_refused_client_stays_refused() {
    let mut bench = Bench::half_open_client();
    bench.pass(&[disconnect(), Hello::answer(SLOT).verify()]);
    assert!(bench.model().channel(0).is_none());
}
