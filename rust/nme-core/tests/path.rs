//! Paths that change while traffic flows: never fewer unreliable packets arrive than with plain ENet.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use nme_core::channel::{Delivery, TransferMode};
use nme_netem::{Course, Link};
use nme_testing::payload::numbered;
use nme_testing::raw_peer::RawConfig;
use nme_testing::world::World;

const SECOND: Duration = Duration::from_secs(1);

/// How a game runs and what it sends.
#[derive(Clone, Copy, Debug)]
struct Game {
    /// The length of each frame, in turn, each for four seconds.
    frames: &'static [Duration],
    /// Unreliable packets to each side, as many frames apart.
    every: u32,
    /// Reliable ones; 0 is none, so that only pings measure.
    reliable_every: u32,
}

impl Game {
    fn frame(&self, since: Duration) -> Duration {
        self.frames[(since.as_secs() / 4) as usize % self.frames.len()]
    }
}

/// Unreliable packets by the second in which they were sent.
#[derive(Clone, Debug, Default)]
struct Arrived {
    sent: u32,
    total: u32,
}

/// The beginning of a world in which two hosts send to each other, before a course begins.
const WARM_UP: Duration = Duration::from_secs(8);
const LENGTH: Duration = Duration::from_secs(30);

/// The frames of a game: calls `send` where it is to send, and lets the world go on.
fn play(world: &mut World, game: Game, mut send: impl FnMut(&mut World, bool)) {
    let start = world.now();
    let mut frame = 0_u32;
    while world.now() < start + WARM_UP + LENGTH {
        if frame.is_multiple_of(game.every) {
            send(world, false);
        }
        if game.reliable_every > 0 && frame.is_multiple_of(game.reliable_every) {
            send(world, true);
        }
        let time = game.frame(world.now() - start);
        world.step(time);
        frame += 1;
    }
    world.run(2 * SECOND);
}

/// The course of a path, `WARM_UP` after the game has begun.
type Path = fn(Duration) -> Course;

fn ours(path: Path, game: Game, seed: u64) -> Arrived {
    let mut world = World::new(seed);
    world.network().set_course(path(WARM_UP));
    let server = world.server(4);
    let client = world.connect(server);
    let mut arrived = Arrived::default();
    let ends = [(server, world.id(client).get()), (client, 1)];
    play(&mut world, game, |world, reliable| {
        let mode = if reliable { TransferMode::Reliable } else { TransferMode::Unreliable };
        for (from, to) in ends {
            world.send(from, to, mode, &numbered(arrived.sent, 48)).unwrap();
            arrived.sent += u32::from(!reliable);
        }
    });
    for host in [server, client] {
        let packets = world.take_packets(host);
        arrived.total += packets.iter().filter(|packet| packet.mode != TransferMode::Reliable).count() as u32;
    }
    assert_eq!(world.known(server).len(), 1, "still connected");
    arrived
}

fn plain(path: Path, game: Game, seed: u64) -> Arrived {
    let mut world = World::new(seed);
    world.network().set_course(path(WARM_UP));
    let config = RawConfig { range_coder: false, ..RawConfig::default() };
    let server = world.raw(config);
    let client = world.raw(RawConfig { seed: 5, ..config });
    let address = world.raw_address(server);
    world.raw_connect(client, address, 2);
    assert!(world.run_until(5 * SECOND, |world| {
        world.raw_ref(server).is_connected(0) && world.raw_ref(client).is_connected(0)
    }));
    let mut arrived = Arrived::default();
    play(&mut world, game, |world, reliable| {
        // On channels of their own, as the sessions do.
        let (channel, delivery) = if reliable { (2, Delivery::Reliable) } else { (1, Delivery::Unsequenced) };
        for raw in [server, client] {
            world.raw_mut(raw).send(0, channel, &numbered(arrived.sent, 56), delivery);
            arrived.sent += u32::from(!reliable);
        }
    });
    for raw in [server, client] {
        assert!(world.raw_ref(raw).is_connected(0), "still connected");
        arrived.total +=
            world.raw_mut(raw).take_packets().iter().filter(|(channel, _)| *channel == 1).count() as u32;
    }
    arrived
}

const SIXTY: &[Duration] = &[Duration::from_micros(16_667)];
const THIRTY: &[Duration] = &[Duration::from_micros(33_333)];
const FAST: &[Duration] = &[Duration::from_micros(6944)];
const CHANGING: &[Duration] =
    &[Duration::from_micros(16_667), Duration::from_micros(33_333), Duration::from_micros(6944)];

const GAMES: &[Game] = &[
    Game { frames: SIXTY, every: 1, reliable_every: 0 },
    Game { frames: SIXTY, every: 1, reliable_every: 1 },
    Game { frames: SIXTY, every: 1, reliable_every: 12 },
    Game { frames: SIXTY, every: 30, reliable_every: 0 },
    Game { frames: THIRTY, every: 1, reliable_every: 0 },
    Game { frames: THIRTY, every: 1, reliable_every: 3 },
    Game { frames: FAST, every: 1, reliable_every: 0 },
    Game { frames: FAST, every: 2, reliable_every: 4 },
    Game { frames: CHANGING, every: 1, reliable_every: 5 },
];

fn delayed(ms: u64) -> Link {
    Link::delayed(Duration::from_millis(ms))
}

fn jittery(from: u64, to: u64) -> Link {
    Link { jitter: Duration::from_millis(to - from), ..delayed(from) }
}

/// Name, and the course of each direction.
const PATHS: &[(&str, Path)] = &[
    ("nothing happens", |_| Course::new(delayed(20))),
    ("60 ms more", |at| Course::new(delayed(15)).step(at, delayed(45))),
    ("0 to 100 ms", |at| Course::new(delayed(0)).step(at, delayed(50))),
    ("20 to 60 ms", |at| Course::new(delayed(10)).step(at, delayed(30))),
    ("20 to 60 ms one way", |at| Course::new(delayed(20)).step(at, delayed(60))),
    ("300 ± 100 ms", |at| Course::new(delayed(10)).step(at, jittery(100, 200))),
    ("300 ± 100 ms one way", |at| Course::new(delayed(1)).step(at, jittery(200, 400))),
    ("jitter alone", |at| Course::new(delayed(30)).step(at, jittery(30, 90))),
    ("jitter from the start", |_| Course::new(jittery(20, 120))),
    ("jitter that comes and goes", |at| {
        Course::new(delayed(30))
            .step(at, jittery(30, 130))
            .step(at + 6 * SECOND, delayed(30))
            .step(at + 12 * SECOND, jittery(30, 80))
    }),
    ("several steps", |at| {
        Course::new(delayed(5))
            .step(at, delayed(35))
            .step(at + 2 * SECOND, delayed(75))
            .step(at + 4 * SECOND, delayed(120))
            .step(at + 11 * SECOND, delayed(200))
    }),
    ("quick steps", |at| {
        Course::new(delayed(5))
            .step(at, delayed(35))
            .step(at + SECOND / 4, delayed(75))
            .step(at + SECOND / 2, delayed(110))
            .step(at + SECOND, delayed(150))
    }),
    ("down and up", |at| Course::new(delayed(100)).step(at, delayed(20)).step(at + 7 * SECOND, delayed(100))),
    ("up and down and up", |at| {
        Course::new(delayed(20))
            .step(at, delayed(100))
            .step(at + 3 * SECOND, delayed(20))
            .step(at + 5 * SECOND, delayed(100))
            .step(at + 15 * SECOND, delayed(20))
    }),
    ("a slow ramp", |at| Course::new(delayed(10)).ramp(at, at + 20 * SECOND, delayed(70))),
    ("a very slow ramp", |at| Course::new(delayed(10)).ramp(at, at + 28 * SECOND, delayed(45))),
    ("a ramp", |at| Course::new(delayed(10)).ramp(at, at + 4 * SECOND, delayed(90))),
    ("a quick ramp", |at| Course::new(delayed(10)).ramp(at, at + SECOND, delayed(120))),
    ("a ramp up and down", |at| {
        Course::new(delayed(10)).ramp(at, at + 5 * SECOND, delayed(90)).ramp(
            at + 5 * SECOND,
            at + 10 * SECOND,
            delayed(10),
        )
    }),
    ("a step with loss", |at| Course::new(delayed(10)).step(at, Link { loss: 0.02, ..delayed(80) })),
    ("a step with much loss", |at| Course::new(delayed(10)).step(at, Link { loss: 0.08, ..delayed(80) })),
];

#[test]
fn never_fewer_arrive_than_with_plain_enet() {
    let mut problems = Vec::new();
    for (name, path) in PATHS {
        for game in GAMES {
            let (ours, plain) = (ours(*path, *game, 3), plain(*path, *game, 3));
            assert_eq!(ours.sent, plain.sent);
            let (own, other) =
                [ours.total, plain.total].map(|total| f64::from(total) / f64::from(ours.sent)).into();
            // What chance can do where the path loses; nothing, where it does not.
            let loss = path(WARM_UP).at(WARM_UP + LENGTH).loss;
            let chance = 3.0 * (f64::from(ours.sent) * loss * (1.0 - loss)).sqrt();
            if f64::from(ours.total) + chance < f64::from(plain.total) {
                problems.push(format!("{name}, {game:?}: {own:.4} of ours, {other:.4} of plain ENet's"));
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}
