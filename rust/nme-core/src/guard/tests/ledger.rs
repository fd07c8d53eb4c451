//! What waits for acknowledgement.

use super::super::ledger::{Ledger, Sent, Weight};
use super::*;

impl Bench {
    /// Our own host sends commands to the peer.
    fn host_sends(&mut self, time: u16, commands: &[Vec<u8>]) {
        let bytes = datagram(0, SESSION_OUT, Some(time), commands);
        self.guard.observe_outgoing(self.peer, &bytes);
    }

    fn waiting(&self) -> u64 {
        self.guard.unacknowledged(self.slot)
    }

    fn in_flight(&self) -> u64 {
        self.guard.in_flight(self.slot)
    }
}

#[test]
fn packets_cost_256_at_least_until_they_are_acknowledged() {
    let mut bench = Bench::server();
    for len in [8, 256, 257, 1364] {
        bench.guard.queued(SLOT, len);
    }
    assert_eq!(bench.waiting(), 256 + 256 + 257 + 1364);
    assert_eq!(bench.in_flight(), 8 + 256 + 257 + 1364);
    bench.host_sends(2000, &[reliable(0, 1, 8), reliable(0, 2, 256), reliable(0, 3, 257)]);
    bench.host_sends(2000, &[reliable(0, 4, 1364)]);
    bench.pass(&[ack(0, 3, 2000)]);
    assert_eq!(bench.waiting(), 256 + 256 + 1364);
    assert_eq!(bench.in_flight(), 8 + 256 + 1364);
    bench.pass(&[ack(0, 3, 2000), ack(0, 9, 2000), ack(1, 1, 2000), ack(0xff, 2, 2000)]);
    assert_eq!(bench.waiting(), 256 + 256 + 1364);
    bench.pass(&[ack(0, 4, 2000), ack(0, 1, 2000), ack(0, 2, 2000)]);
    assert_eq!((bench.waiting(), bench.in_flight()), (0, 0));
}

#[test]
fn fragments_are_acknowledged_one_by_one() {
    let mut bench = Bench::client();
    bench.guard.queued(0, 3000);
    let header = |commands: &[Vec<u8>]| datagram(SLOT, SESSION_IN, Some(2000), commands);
    for number in 0..3 {
        bench.guard.observe_outgoing(bench.peer, &header(&[fragment(2, 1, 3000, number)]));
    }
    bench.pass(&[ack(2, 2, 2000)]);
    assert_eq!(bench.waiting(), u64::from(3000 - F));
    bench.pass(&[ack(2, 1, 2000), ack(2, 3, 2000)]);
    assert_eq!((bench.waiting(), bench.in_flight()), (0, 0));
}

#[test]
fn repetitions_and_unreliable_packets_add_nothing() {
    let mut bench = Bench::server();
    bench.guard.queued(SLOT, 1000);
    for time in [2000, 3000] {
        bench.host_sends(time, &[reliable(0, 1, 1000), unreliable(0, 1, 1, 9), ping()]);
    }
    bench.pass(&[ack(0, 1, 2000), ack(0, 1, 3000)]);
    assert_eq!(bench.waiting(), 0);
}

#[test]
fn only_acknowledgements_that_the_engine_takes_count() {
    let mut bench = Bench::server();
    bench.guard.queued(SLOT, 1000);
    bench.host_sends(2000, &[reliable(0, 1, 1000)]);
    bench.session ^= 1;
    assert!(bench.send(&[ack(0, 1, 2000)]).is_err());
    bench.session ^= 1;
    // From the future, as the engine sees it.
    bench.pass(&[ack(0, 1, 2001)]);
    assert_eq!(bench.waiting(), 1000);
    bench.pass(&[ack(0, 1, 2000)]);
    assert_eq!(bench.waiting(), 0);
}

#[test]
fn two_sessions_from_one_address_are_told_apart() {
    let mut bench = Bench::server();
    bench.guard.queued(SLOT, 500);
    bench.host_sends(2000, &[reliable(0, 1, 500)]);
    // The same client again, with the same session numbers, in another slot.
    let second = Hello { connect_id: 9, ..Hello::answer(2) };
    bench.host_sends(2000, &[second.verify()]);
    bench.slot = 2;
    bench.pass(&[ack(0xff, 1, 2000)]);
    for slot in [SLOT, 2] {
        bench.guard.queued(slot, 700);
    }
    bench.host_sends(2100, &[reliable(0, 2, 700)]);
    bench.host_sends(2100, &[reliable(1, 1, 700)]);
    bench.slot = SLOT;
    bench.pass(&[ack(0, 1, 2000), ack(0, 2, 2100)]);
    assert_eq!(bench.waiting(), 0);
}

#[test]
fn any_slot_number_is_safe() {
    let mut bench = Bench::server();
    for slot in [0, 3, 4, u16::MAX] {
        bench.guard.queued(slot, 10);
        bench.guard.release(slot);
        assert_eq!(bench.guard.unacknowledged(slot), 0);
    }
}

#[test]
fn the_ledger_wraps_around() {
    let mut ledger = Ledger::default();
    let weight = |number: u32| Weight::packet(300 + (number % 1000) as u16);
    for round in 0..200_000u32 {
        let sequence = (round + 1) as u16;
        assert_eq!(ledger.sent(sequence, weight(round)), Sent::First);
        assert_eq!(ledger.sent(sequence, weight(7)), Sent::Again);
        assert_eq!(ledger.sent(sequence.wrapping_add(2), weight(7)), Sent::Unknown);
        // Acknowledged in pairs, the later one first.
        if round % 2 == 1 {
            assert_eq!(ledger.acknowledged(sequence), weight(round));
            assert_eq!(ledger.acknowledged(sequence), Weight::default());
            assert_eq!(ledger.acknowledged(sequence.wrapping_sub(1)), weight(round - 1));
        }
    }
}
