//! Datagrams that somebody else has written, who knows a peer's address, number and session.

mod raw;

use nme_enet::DropReason::{Acknowledgement, Sequence, Unconnected};
use nme_enet::wire::{Body, CONTROL_CHANNEL, ThrottleSettings, code};
use nme_enet::{Delivery, Event};
use raw::{Bench, ack, command, first_of, reliable};

fn disconnect(code: u8, sequence: u16) -> Vec<u8> {
    command(code, CONTROL_CHANNEL, sequence, Body::Disconnect { data: 0 })
}

fn has_ended(bench: &Bench) -> bool {
    bench.events.iter().any(|event| matches!(event, Event::Disconnected { .. }))
}

#[test]
fn a_disconnect_needs_its_number() {
    for kind in [code::DISCONNECT, code::DISCONNECT_UNSEQUENCED] {
        for mut bench in [Bench::server(), Bench::client()] {
            // The handshake had 1. 64 ahead and behind are possible.
            for sequence in (66..=u16::MAX - 63).step_by(7) {
                bench.refuse(Sequence, disconnect(kind, sequence));
            }
            assert!(!has_ended(&bench));
            bench.pass(&[reliable(0, 1, 10)]);
            assert_eq!(bench.lengths(), [10]);
            bench.pass(&[disconnect(kind, 2)]);
            assert!(has_ended(&bench));
        }
    }
}

#[test]
fn a_refusal_needs_the_number_of_the_request() {
    for kind in [code::DISCONNECT, code::DISCONNECT_UNSEQUENCED] {
        let mut bench = Bench::half_open_client();
        let refusal = |data| command(kind, CONTROL_CHANNEL, 0, Body::Disconnect { data });
        for data in [0, 1, !bench.connect_id, bench.connect_id.swap_bytes()] {
            bench.refuse(Unconnected, refusal(data));
        }
        assert!(!has_ended(&bench));
        bench.pass(&[refusal(bench.connect_id)]);
        assert!(has_ended(&bench));
    }
}

#[test]
fn numbers_go_on_with_every_command_without_a_channel() {
    let mut bench = Bench::server();
    for sequence in (2..=u16::MAX).chain(0..500).step_by(60) {
        bench.pass(&[command(code::PING, CONTROL_CHANNEL, sequence, Body::Ping {})]);
    }
    bench.refuse(Sequence, disconnect(code::DISCONNECT, 2));
    let throttle = ThrottleSettings { interval: 1, acceleration: 0, deceleration: 32 };
    let body = Body::ThrottleConfigure { throttle };
    bench.refuse(Sequence, command(code::THROTTLE_CONFIGURE, CONTROL_CHANNEL, 2, body));
    bench.pass(&[disconnect(code::DISCONNECT, 500)]);
    assert!(has_ended(&bench));
}

#[test]
fn an_acknowledgement_needs_the_time_of_what_it_is_about() {
    let mut bench = Bench::server();
    let (peer, packet) = (bench.handle(), bench.host.packets().packet(&[&[1; 100]]));
    bench.host.send(peer, 1, &packet, Delivery::Reliable).expect("sent");
    let (time, _) = first_of(&bench.transmit()[0].1);
    bench.now += std::time::Duration::from_millis(20);
    let wrong =
        (0..=u16::MAX).filter(|wrong| *wrong != time && time.wrapping_add(20).wrapping_sub(*wrong) < 0x8000);
    for wrong in wrong {
        bench.refuse(Acknowledgement, ack(1, 1, wrong));
    }
    assert_eq!(bench.host.peer_figures(peer).expect("a peer").in_flight, 100);
    bench.pass(&[ack(1, 1, time)]);
    assert_eq!(bench.host.peer_figures(peer).expect("a peer").in_flight, 0);
    // The second one for the same, because one of ours was lost.
    bench.pass(&[ack(1, 1, time)]);
}

#[test]
fn an_acknowledgement_of_any_transmission_counts() {
    for which in [0, 1] {
        let mut bench = Bench::server();
        let (peer, packet) = (bench.handle(), bench.host.packets().packet(&[&[1; 100]]));
        bench.host.send(peer, 1, &packet, Delivery::Reliable).expect("sent");
        let mut times = vec![first_of(&bench.transmit()[0].1).0];
        while times.len() < 2 {
            bench.now += std::time::Duration::from_millis(50);
            bench.host.handle_timeout(bench.now);
            times.extend(bench.transmit().iter().map(|(_, datagram)| first_of(datagram).0));
        }
        bench.refuse(Acknowledgement, ack(1, 1, times[0].wrapping_sub(1)));
        bench.pass(&[ack(1, 1, times[which])]);
        assert_eq!(bench.host.peer_figures(peer).expect("a peer").in_flight, 0, "transmission {which}");
    }
}

#[test]
fn acknowledgements_of_nothing_do_not_make_the_way_longer() {
    let mut bench = Bench::server();
    let (peer, packet) = (bench.handle(), bench.host.packets().packet(&[&[1; 100]]));
    for sequence in 1..=20 {
        bench.host.send(peer, 1, &packet, Delivery::Reliable).expect("sent");
        let (time, _) = first_of(&bench.transmit()[0].1);
        bench.now += std::time::Duration::from_millis(20);
        bench.pass(&[ack(1, sequence, time)]);
    }
    let before = bench.host.peer_figures(peer).expect("a peer").round_trip;
    for age in (1000..0x8000).step_by(50) {
        let now = (bench.now.as_millis() - 8000) as u16;
        bench.pass(&[ack(1, 5, now.wrapping_sub(age))]);
    }
    assert_eq!(bench.host.peer_figures(peer).expect("a peer").round_trip, before);
}
