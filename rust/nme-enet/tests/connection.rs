//! Two hosts over an emulated network: ends of connections, silence, repeats, fairness, limits.

use std::time::Duration;

use nme_enet::Delivery;
use nme_netem::{Bandwidth, Link};
use nme_testing::engines::{Goodbye, Kind, Note, World, address};

const MS: Duration = Duration::from_millis(1);
const PAIRS: [(Kind, Kind); 3] =
    [(Kind::Ours, Kind::Ours), (Kind::Ours, Kind::Judge), (Kind::Judge, Kind::Ours)];

fn connected(server: Kind, client: Kind, clients: usize, link: Link) -> World {
    let mut world = World::new(server, client, clients, link, 3);
    world.connect_all(4);
    world
}

#[test]
fn all_ways_to_disconnect_are_told_to_the_other_side() {
    for (server, client) in PAIRS {
        for from in [0, 1] {
            for goodbye in [Goodbye::Plain, Goodbye::Now, Goodbye::Later] {
                let mut world = connected(server, client, 1, Link::delayed(20 * MS));
                world.hosts[from].send(address(1 - from), 1, &[1; 50_000], Delivery::Reliable);
                world.hosts[from].disconnect(address(1 - from), goodbye, 5);
                world.run(Duration::from_secs(3));
                assert_eq!(world.disconnections(1 - from), 1, "{server:?} {client:?} {from} {goodbye:?}");
                assert_eq!(world.disconnections(from), usize::from(goodbye != Goodbye::Now));
                let arrived = world.received(1 - from).len();
                assert_eq!(arrived, usize::from(goodbye == Goodbye::Later));
            }
        }
    }
}

#[test]
fn who_leaves_later_leaves_when_the_last_acknowledgement_comes() {
    for (server, client) in PAIRS {
        let mut world = connected(server, client, 1, Link::delayed(20 * MS));
        // Nothing else makes the host send something then.
        world.hosts[0].send(address(1), 1, &[1; 10], Delivery::Reliable);
        world.step();
        world.hosts[0].disconnect(address(1), Goodbye::Later, 5);
        world.run(300 * MS);
        assert_eq!([world.disconnections(0), world.disconnections(1)], [1, 1], "{server:?} {client:?}");
    }
}

#[test]
fn both_sides_may_leave_at_once() {
    for (server, client) in PAIRS {
        let mut world = connected(server, client, 1, Link::delayed(20 * MS));
        world.hosts[0].disconnect(address(1), Goodbye::Plain, 1);
        world.hosts[1].disconnect(address(0), Goodbye::Plain, 2);
        world.run(Duration::from_secs(1));
        assert_eq!([world.disconnections(0), world.disconnections(1)], [1, 1]);
    }
}

#[test]
fn an_attempt_that_is_given_up_reports_nothing() {
    let mut world = World::new(Kind::Ours, Kind::Ours, 1, Link::delayed(50 * MS), 1);
    world.hosts[1].connect(world.now, address(0), 1, 0);
    world.run(20 * MS);
    world.hosts[1].disconnect(address(0), Goodbye::Plain, 0);
    world.run(Duration::from_secs(40));
    assert!(world.notes.iter().all(Vec::is_empty), "{:?}", world.notes);
}

#[test]
fn nobody_there_is_found_out_as_soon_as_by_stock_enet() {
    let times = [Kind::Ours, Kind::Judge].map(|kind| {
        let mut world = World::new(kind, kind, 1, Link::delayed(10 * MS), 1);
        world.is_dead[0] = true;
        let start = world.now;
        world.hosts[1].connect(world.now, address(0), 1, 0);
        assert!(world.run_until(Duration::from_secs(60), |world| world.disconnections(1) == 1));
        world.now - start
    });
    assert!(times[0].abs_diff(times[1]) < Duration::from_millis(200), "{times:?}");
}

#[test]
fn a_silent_peer_is_given_up_by_the_rules_of_stock_enet() {
    for settings in [None, Some((4, 1000, 20_000)), Some((1000, 1000, 3000))] {
        let times = [Kind::Ours, Kind::Judge].map(|kind| {
            let mut world = connected(kind, kind, 1, Link::delayed(40 * MS));
            if let Some((limit, minimum, maximum)) = settings {
                world.hosts[0].set_timeout(address(1), limit, minimum, maximum);
            }
            world.run(Duration::from_secs(2));
            world.is_dead[1] = true;
            let start = world.now;
            world.hosts[0].send(address(1), 0, &[1; 100], Delivery::Reliable);
            assert!(world.run_until(Duration::from_secs(60), |world| world.disconnections(0) == 1));
            world.now - start
        });
        // A wait more or less, as round trips are measured.
        assert!(times[0] * 2 + 600 * MS > times[1] && times[0] < times[1] * 2, "{settings:?}: {times:?}");
        let minimum = settings.map_or(5000, |(_, minimum, _)| minimum);
        assert!(times[0] >= MS * minimum, "{settings:?}: {times:?}");
    }
}

#[test]
fn a_client_that_has_crashed_comes_back_from_the_same_port() {
    for server in [Kind::Ours, Kind::Judge] {
        let mut world = connected(server, Kind::Ours, 1, Link::delayed(10 * MS));
        world.hosts[1] = Kind::Ours.host(nme_testing::engines::Setup::new(false, 99));
        world.hosts[1].connect(world.now, address(0), 4, 55);
        world.run(Duration::from_secs(1));
        assert_eq!([world.connections(0), world.connections(1)], [2, 2]);
        world.hosts[0].send(address(1), 1, b"to the new one", Delivery::Reliable);
        world.run(Duration::from_secs(40));
        assert_eq!(world.received(1), [(1, b"to the new one".to_vec())]);
        // The old one is given up.
        assert_eq!([world.disconnections(0), world.disconnections(1)], [1, 0]);
    }
}

#[test]
fn idle_links_are_kept_alive_by_pings() {
    for (server, client) in PAIRS {
        let mut world = connected(server, client, 2, Link::delayed(30 * MS));
        world.run(Duration::from_secs(60));
        assert!((0..3).all(|host| world.disconnections(host) == 0));
        // Both sides ping twice a second, and acknowledge.
        let sent = world.network.counters().sent;
        assert!((2 * 4 * 90..2 * 4 * 130).contains(&sent), "{sent}");
    }
}

#[test]
fn a_lost_packet_is_sent_again_after_about_a_round_trip() {
    let mut world = connected(Kind::Ours, Kind::Judge, 1, Link::delayed(50 * MS));
    world.frame = MS;
    world.run(Duration::from_secs(2));
    for number in 0..40_u8 {
        let lost = number == 10;
        if lost {
            world.network.set_link(address(0), address(1), Link::DOWN);
        }
        world.hosts[0].send(address(1), 1, &[number; 100], Delivery::Reliable);
        world.step();
        if lost {
            world.network.set_link(address(0), address(1), Link::delayed(50 * MS));
        }
        world.run(9 * MS);
    }
    world.run(Duration::from_secs(1));
    let start = world.notes[1].iter().find_map(|(time, note)| match note {
        Note::Received { bytes, .. } if bytes[0] == 9 => Some(*time),
        _ => None,
    });
    let lost = world.notes[1].iter().find_map(|(time, note)| match note {
        Note::Received { bytes, .. } if bytes[0] == 10 => Some(*time),
        _ => None,
    });
    let late = lost.expect("arrives") - start.expect("arrives");
    assert!(late < 140 * MS, "{late:?}");
    assert_eq!(world.received(1).len(), 40);
}

#[test]
fn datagrams_that_overtake_each_other_are_not_sent_again_for_long() {
    let link = Link { reorder: 0.2, reorder_delay: 15 * MS, ..Link::delayed(40 * MS) };
    let mut world = connected(Kind::Ours, Kind::Ours, 1, link);
    let before = world.network.counters().sent;
    for _ in 0..2000 {
        world.hosts[0].send(address(1), 1, &[1; 1200], Delivery::Reliable);
        world.run(5 * MS);
    }
    world.run(Duration::from_secs(1));
    let sent = world.network.counters().sent - before;
    assert_eq!(world.received(1).len(), 2000);
    // A datagram each, and an acknowledgement for each.
    assert!(sent < 2 * 2000 + 600, "{sent}");
}

#[test]
fn a_large_packet_does_not_hold_up_other_channels() {
    for client in [Kind::Ours, Kind::Judge] {
        let link = Link {
            bandwidth: Some(Bandwidth { bytes_per_second: 500_000, queue: 50_000 }),
            ..Link::delayed(20 * MS)
        };
        let mut world = connected(Kind::Ours, client, 1, link);
        world.hosts[0].send(address(1), 1, &vec![9; 8 << 20], Delivery::Reliable);
        world.run(Duration::from_secs(3));
        let mut longest = Duration::ZERO;
        for number in 0..20_u8 {
            let start = world.now;
            let before = world.received(1).len();
            world.hosts[0].send(address(1), 2, &[number; 50], Delivery::Reliable);
            assert!(world.run_until(Duration::from_secs(5), |world| world.received(1).len() > before));
            longest = longest.max(world.now - start);
        }
        assert!(longest < 500 * MS, "{client:?}: {longest:?}");
    }
}

#[test]
fn channels_share_a_link_by_bytes() {
    let link = Link {
        bandwidth: Some(Bandwidth { bytes_per_second: 1_000_000, queue: 50_000 }),
        ..Link::delayed(20 * MS)
    };
    let mut world = connected(Kind::Ours, Kind::Ours, 1, link);
    for _ in 0..3 {
        world.hosts[0].send(address(1), 1, &vec![1; 4 << 20], Delivery::Reliable);
    }
    for _ in 0..10_000 {
        world.hosts[0].send(address(1), 2, &[2; 400], Delivery::Reliable);
    }
    world.run(Duration::from_secs(5));
    let small: usize =
        world.received(1).iter().filter(|(channel, _)| *channel == 2).map(|(_, bytes)| bytes.len()).sum();
    // Half of 5 MB, less what commands cost.
    assert!((1_900_000..2_700_000).contains(&small), "{small}");
}

#[test]
fn sequence_numbers_wrap_with_loss() {
    for (server, client) in PAIRS {
        let link = Link { loss: 0.02, duplicate: 0.02, ..Link::delayed(5 * MS) };
        let mut world = connected(server, client, 1, link);
        let mut sent = 0_u32;
        while sent < 70_000 {
            for _ in 0..250 {
                world.hosts[0].send(address(1), 1, &sent.to_be_bytes(), Delivery::Reliable);
                sent += 1;
            }
            world.run(40 * MS);
        }
        let is_done = world.run_until(Duration::from_secs(600), |world| world.notes[1].len() as u32 > sent);
        assert!(is_done);
        let numbers = world
            .received(1)
            .into_iter()
            .map(|(_, bytes)| u32::from_be_bytes(bytes.try_into().expect("4 bytes")));
        assert!(numbers.eq(0..sent), "{server:?} {client:?}");
    }
}

#[test]
fn unsequenced_and_sequenced_numbers_wrap() {
    for (server, client) in PAIRS {
        let mut world = connected(server, client, 1, Link::delayed(2 * MS));
        for round in 0..1400_u32 {
            for number in 0..50 {
                let bytes = (round * 50 + number).to_be_bytes();
                world.hosts[0].send(address(1), 1, &bytes, Delivery::Unsequenced);
                world.hosts[0].send(address(1), 2, &bytes, Delivery::Sequenced);
            }
            world.run(5 * MS);
        }
        world.run(Duration::from_secs(1));
        for wanted in [1, 2] {
            let got = world.received(1).into_iter().filter(|(channel, _)| *channel == wanted);
            let numbers = got.map(|(_, bytes)| u32::from_be_bytes(bytes.try_into().expect("4 bytes")));
            assert!(numbers.eq(0..70_000), "{server:?} {client:?} {wanted}");
        }
    }
}

#[test]
fn a_named_bandwidth_is_kept() {
    // Stock ENet itself takes its limit back after a second, where the other side has named none.
    for (server, client) in [(Kind::Ours, Kind::Ours), (Kind::Judge, Kind::Ours)] {
        let mut world = World::new(server, client, 0, Link::delayed(20 * MS), 3);
        let setup = nme_testing::engines::Setup {
            bandwidth: (50_000, 0),
            ..nme_testing::engines::Setup::new(false, 8)
        };
        world.hosts.push(client.host(setup));
        world.notes.push(Vec::new());
        world.is_dead.push(false);
        world.connect_all(2);
        world.run(Duration::from_secs(2));
        for _ in 0..2000 {
            world.hosts[0].send(address(1), 1, &[1; 1000], Delivery::Reliable);
        }
        world.run(Duration::from_secs(10));
        let arrived = world.received(1).len() as u32 * 1000 / 10;
        assert!((20_000..200_000).contains(&arrived), "{server:?} {client:?}: {arrived} bytes a second");
    }
}

#[test]
fn unreliable_packets_back_off_on_a_narrow_link_and_not_on_a_long_one() {
    let flow = |link: Link, changed: Link| {
        let mut world = connected(Kind::Ours, Kind::Ours, 1, link);
        world.run(Duration::from_secs(3));
        world.network.set_both(address(0), address(1), changed);
        let mut least = 32;
        for _ in 0..1000 {
            for _ in 0..4 {
                world.hosts[0].send(address(1), 1, &[1; 1000], Delivery::Unsequenced);
            }
            world.hosts[0].send(address(1), 2, &[1; 20], Delivery::Reliable);
            world.run(20 * MS);
            least = least.min(world.hosts[0].link(address(1)).expect("connected").1);
        }
        least
    };
    let short = Link::delayed(20 * MS);
    assert_eq!(flow(short, Link::delayed(150 * MS)), 32);
    assert_eq!(flow(short, Link { jitter: 60 * MS, ..short }), 32);
    let narrow = Bandwidth { bytes_per_second: 100_000, queue: 100_000 };
    let least = flow(short, Link { bandwidth: Some(narrow), ..short });
    assert!(least <= 20, "{least}");
}

#[test]
fn many_channels_at_once_all_get_through_in_their_order() {
    let link = Link { loss: 0.05, ..Link::delayed(10 * MS) };
    let mut world = World::new(Kind::Ours, Kind::Ours, 1, link, 4);
    world.connect_all(8);
    for number in 0..4000_u32 {
        let channel = (number * 7 % 8) as u8;
        let len = if number % 50 == 0 { 20_000 } else { 40 };
        let mut bytes = vec![0; len];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        world.hosts[0].send(address(1), channel, &bytes, Delivery::Reliable);
        if number % 10 == 0 {
            world.step();
        }
    }
    assert!(world.run_until(Duration::from_secs(60), |world| world.received(1).len() == 4000));
    for wanted in 0..8 {
        let got = world.received(1).into_iter().filter(|(channel, _)| *channel == wanted);
        let numbers: Vec<u32> =
            got.map(|(_, bytes)| u32::from_be_bytes(bytes[..4].try_into().expect("4 bytes"))).collect();
        assert_eq!(numbers.len(), 500);
        assert!(numbers.is_sorted());
    }
}

#[test]
fn a_client_that_was_given_up_is_told_when_it_speaks_again() {
    for client in [Kind::Ours, Kind::Judge] {
        let mut world = connected(Kind::Ours, client, 1, Link::delayed(20 * MS));
        world.hosts[0].set_timeout(address(1), 4, 500, 1000);
        world.network.set_both(address(0), address(1), Link::DOWN);
        assert!(world.run_until(Duration::from_secs(5), |world| world.disconnections(0) == 1));
        assert_eq!(world.disconnections(1), 0);
        world.network.set_both(address(0), address(1), Link::delayed(20 * MS));
        assert!(world.run_until(Duration::from_secs(3), |world| world.disconnections(1) == 1), "{client:?}");
    }
}

#[test]
fn a_thin_flow_is_late_by_one_repetition_at_most() {
    let link = Link { loss: 0.05, ..Link::delayed(40 * MS) };
    let mut world = connected(Kind::Ours, Kind::Judge, 1, link);
    world.run(Duration::from_secs(2));
    let start = world.now;
    for number in 0..6000_u32 {
        world.hosts[0].send(address(1), 1, &number.to_be_bytes(), Delivery::Reliable);
        world.run(15 * MS);
    }
    world.run(Duration::from_secs(2));
    let mut late: Vec<Duration> = Vec::new();
    for (time, note) in &world.notes[1] {
        if let Note::Received { bytes, .. } = note {
            let number = u32::from_be_bytes(bytes[..4].try_into().expect("4 bytes"));
            late.push(*time - start - 15 * MS * number);
        }
    }
    late.sort_unstable();
    assert_eq!(late.len(), 6000);
    assert!(late[5940] < 180 * MS && late[5988] < 220 * MS, "{:?} {:?}", late[5940], late[5988]);
}
