//! Settings are changed while traffic flows, and may be anything.

use std::net::SocketAddr;
use std::time::Duration;

use nme_netem::{Bandwidth, Burst, Counters, Course, InFlight, Link, LinkError, Network, Pipe, Random};

const MS: Duration = Duration::from_millis(1);

fn popped(pipe: &mut Pipe<u8>, now: Duration) -> Option<u8> {
    pipe.pop(now).map(|(tag, _)| tag)
}

#[test]
fn what_is_on_its_way_is_not_affected_by_new_settings() {
    let mut pipe = Pipe::new(Link::delayed(100 * MS), 1).expect("valid settings");
    pipe.push(Duration::ZERO, 1, b"slow");
    pipe.set_link(Link::delayed(10 * MS)).expect("valid settings");
    assert_eq!(*pipe.link(), Link::delayed(10 * MS));
    pipe.push(20 * MS, 2, b"fast");
    assert_eq!(popped(&mut pipe, 30 * MS), Some(2));
    assert_eq!(popped(&mut pipe, 99 * MS), None);
    assert_eq!(popped(&mut pipe, 100 * MS), Some(1));
}

#[test]
fn settings_that_are_refused_change_nothing() {
    let mut pipe = Pipe::new(Link::delayed(10 * MS), 1).expect("valid settings");
    let refused = pipe.set_link(Link { loss: 1.5, ..Link::PERFECT });
    assert_eq!(refused, Err(LinkError::Chance { what: "loss", value: 1.5 }));
    assert_eq!(*pipe.link(), Link::delayed(10 * MS));
    pipe.push(Duration::ZERO, 1, b"x");
    assert_eq!(pipe.next_due(), Some(10 * MS));
    assert!(Pipe::<u8>::new(Link::delayed(Duration::MAX), 1).is_err());
}

#[test]
fn the_same_settings_again_keep_the_order() {
    let link = Link { jitter: 50 * MS, ..Link::PERFECT };
    let mut pipe = Pipe::new(link, 1).expect("valid settings");
    for number in 0..100 {
        pipe.set_link(link).expect("valid settings");
        pipe.push(MS * u32::from(number), number, b"x");
    }
    let order: Vec<_> = std::iter::from_fn(|| popped(&mut pipe, Duration::MAX)).collect();
    assert_eq!(order, (0..100).collect::<Vec<_>>());
}

#[test]
fn a_burst_is_over_when_bursts_are_switched_off() {
    let endless = Some(Burst { start: 1.0, end: 0.0, loss: 1.0 });
    let none_starts = Some(Burst { start: 0.0, end: 0.0, loss: 1.0 });
    let mut pipe = Pipe::new(Link { burst: endless, ..Link::PERFECT }, 1).expect("valid settings");
    for (number, burst) in [endless, none_starts, None, none_starts].into_iter().enumerate() {
        pipe.set_link(Link { burst, ..Link::PERFECT }).expect("valid settings");
        pipe.push(MS, number as u8, b"x");
    }
    let arrived: Vec<_> = std::iter::from_fn(|| popped(&mut pipe, MS)).collect();
    assert_eq!(arrived, [2, 3]);
}

#[test]
fn what_is_on_its_way_can_be_forgotten() {
    let mut pipe = Pipe::new(Link::delayed(10 * MS), 1).expect("valid settings");
    (0..3).for_each(|number| pipe.push(Duration::ZERO, number, b"x"));
    assert_eq!(popped(&mut pipe, 10 * MS), Some(0));
    assert_eq!(pipe.clear(), 2);
    assert_eq!(pipe.next_due(), None);
    let expected = Counters { sent: 3, delivered: 1, discarded: 2, ..Counters::default() };
    assert_eq!(pipe.counters(), expected);
}

#[test]
fn a_pipe_holds_no_more_than_its_limit() {
    let mut pipe = Pipe::new(Link::delayed(Link::MAX_DELAY), 1).expect("valid settings");
    let large = vec![0; (1 << 20) - InFlight::<u8>::PER_DATAGRAM];
    let fits = InFlight::<u8>::MAX_HELD >> 20;
    (0..fits + 3).for_each(|_| pipe.push(Duration::ZERO, 0, &large));
    assert_eq!((pipe.on_the_way(), pipe.counters().overflowed), (fits, 3));
    assert_eq!(popped(&mut pipe, Link::MAX_DELAY), Some(0));
    pipe.push(Link::MAX_DELAY, 0, &large);
    assert_eq!((pipe.on_the_way(), pipe.counters().overflowed), (fits, 3));
}

#[test]
fn many_small_datagrams_take_no_more_memory_than_large_ones() {
    let mut pipe = Pipe::new(Link::delayed(Link::MAX_DELAY), 1).expect("valid settings");
    (0..600_000).for_each(|_| pipe.push(Duration::ZERO, 0, &[0]));
    assert_eq!(pipe.on_the_way(), InFlight::<u8>::MAX_HELD / (1 + InFlight::<u8>::PER_DATAGRAM));
}

/// Any settings, half of them beyond what makes sense.
fn any_link(random: &mut Random) -> Link {
    let chance = |random: &mut Random| {
        let some = random.within(0..1000) as f64 / 1000.0;
        *random.pick(&[0.0, 1.0, some, some, -1.0, 7.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN])
    };
    let time = |random: &mut Random| {
        let some = random.part_of(Duration::from_secs(1));
        *random.pick(&[
            Duration::ZERO,
            some,
            some,
            Link::MAX_DELAY,
            Duration::from_secs(1 << 40),
            Duration::MAX,
        ])
    };
    let number = |random: &mut Random| {
        let some = random.bits() >> random.within(0..64);
        *random.pick(&[0, 1, some, some, u64::MAX])
    };
    Link {
        latency: time(random),
        jitter: time(random),
        jitter_reorders: random.chance(0.5),
        loss: chance(random),
        burst: random.chance(0.5).then(|| Burst {
            start: chance(random),
            end: chance(random),
            loss: chance(random),
        }),
        duplicate: chance(random),
        duplicate_delay: time(random),
        reorder: chance(random),
        reorder_delay: time(random),
        bandwidth: random
            .chance(0.5)
            .then(|| Bandwidth { bytes_per_second: number(random), queue: number(random) }),
        longest: None,
    }
}

/// Any time, which may even go back.
fn any_time(random: &mut Random) -> Duration {
    let some = random.part_of(Duration::from_secs(100));
    *random.pick(&[Duration::ZERO, some, some, some, Duration::from_secs(1 << 50), Duration::MAX])
}

#[test]
fn no_settings_and_no_times_make_a_pipe_panic() {
    let mut random = Random::new(1);
    let mut accepted = 0;
    for seed in 0..3000 {
        let link = any_link(&mut random);
        assert_eq!(Pipe::<u8>::new(link, seed).is_ok(), link.validate().is_ok());
        let mut pipe = Pipe::new(Link::PERFECT, seed).expect("valid settings");
        for _ in 0..20 {
            accepted += usize::from(pipe.set_link(any_link(&mut random)).is_ok());
            pipe.push(any_time(&mut random), 1, &[0; 50]);
            pipe.pop(any_time(&mut random));
        }
        let on_the_way = pipe.on_the_way() as u64;
        let counters = pipe.counters();
        assert_eq!(counters.sent, 20);
        assert_eq!(
            20 + counters.duplicated,
            counters.lost + counters.lost_in_bursts + counters.overflowed + counters.delivered + on_the_way
        );
    }
    assert!(accepted > 100, "{accepted}");
}

#[test]
fn no_settings_and_no_times_make_a_network_panic() {
    let mut random = Random::new(2);
    let host = |port| SocketAddr::from(([192, 0, 2, 1], port));
    for seed in 0..3000 {
        let mut network = Network::new(seed);
        network.set_course(
            Course::new(any_link(&mut random))
                .ramp(any_time(&mut random), any_time(&mut random), any_link(&mut random))
                .ramp(any_time(&mut random), any_time(&mut random), any_link(&mut random)),
        );
        for _ in 0..20 {
            network.send(any_time(&mut random), host(1), host(2), &[0; 50]);
            network.send(any_time(&mut random), host(2), host(1), &[0; 50]);
            network.receive(any_time(&mut random), host(2));
            network.set_link(host(1), host(2), any_link(&mut random));
        }
        let counters = network.counters();
        assert_eq!(counters.sent, 40);
        let on_the_way = network.on_the_way() as u64;
        assert_eq!(
            40 + counters.duplicated,
            counters.lost + counters.lost_in_bursts + counters.overflowed + counters.delivered + on_the_way
        );
        network.discard(Duration::MAX);
        assert_eq!(network.on_the_way(), 0);
    }
}
