//! Peers that do not answer: given up no sooner than by plain ENet, and told so when they speak again.

use std::time::Duration;

use nme_core::channel::{Delivery, TransferMode};
use nme_core::codec::Compression;
use nme_core::session::{ConnectionError, Event, Status};
use nme_netem::Link;
use nme_testing::raw_peer::{RawConfig, RawEvent};
use nme_testing::world::{HostId, RawId, World};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// How a game runs, and what its server sends.
#[derive(Clone, Copy, Debug)]
struct Game {
    latency: Duration,
    jitter: Duration,
    frame: Duration,
    /// Milliseconds between reliable packets to the client; 0 is none.
    reliable: u64,
}

enum Server {
    Ours(HostId, i32),
    Plain(RawId),
}

/// How long after the network has gone dark the server gives its client up. The silence begins at some time between two
/// pings.
fn given_up_after(game: Game, plain: bool, phase: Duration) -> Duration {
    let mut world = World::new(7);
    world.set_links(Link { jitter: game.jitter, ..Link::delayed(game.latency) });
    let server = if plain {
        let config = RawConfig { range_coder: false, ..RawConfig::default() };
        let server = world.raw(config);
        let client = world.raw(RawConfig { seed: 3, ..config });
        let to = world.raw_address(server);
        world.raw_connect(client, to, 2);
        Server::Plain(server)
    } else {
        let server = world.server(2);
        let to = world.address(server);
        let client = world.client(to);
        Server::Ours(server, world.id(client).get())
    };
    let mut sent = Duration::ZERO;
    let mut frame = |world: &mut World| {
        let send = game.reliable > 0 && world.now() >= sent + Duration::from_millis(game.reliable);
        if send {
            sent = world.now();
        }
        match server {
            Server::Ours(server, id) if send && !world.known(server).is_empty() => {
                world.send(server, id, TransferMode::Reliable, b"12345678").expect("a client");
            }
            Server::Plain(server) if send && world.raw_ref(server).is_connected(0) => {
                world.raw_mut(server).send(0, 2, b"1234567812345678", Delivery::Reliable);
            }
            _ => {}
        }
        world.step(game.frame);
    };
    while world.now() < 12 * SECOND + phase {
        frame(&mut world);
    }
    let start = world.now();
    world.set_links(Link::DOWN);
    loop {
        let gone = match server {
            Server::Ours(server, _) => world.known(server).is_empty(),
            Server::Plain(server) => {
                matches!(world.raw_events(server).last(), Some(RawEvent::Disconnected { .. }))
            }
        };
        if gone {
            return world.now() - start;
        }
        assert!(world.now() < start + 60 * SECOND, "never given up");
        frame(&mut world);
    }
}

#[test]
fn nobody_is_given_up_sooner_than_by_plain_enet() {
    for frame in [16 * MS, 33 * MS, 7 * MS] {
        for (latency, jitter) in [(0, 0), (15, 0), (60, 0), (20, 40)] {
            for reliable in [0, 1, 100] {
                let game = Game { latency: latency * MS, jitter: jitter * MS, frame, reliable };
                for phase in 0..6 {
                    let [ours, plain] =
                        [false, true].map(|plain| given_up_after(game, plain, phase * 83 * MS));
                    assert!(ours >= plain, "{ours:?}, but {plain:?} by plain ENet: {game:?}");
                }
            }
        }
    }
}

/// Stops a client until its server has given it up, and lets it go on.
fn outlive(world: &mut World, server: HostId, pause: impl Fn(&mut World, bool)) {
    pause(world, true);
    let given_up = world.run_until(40 * SECOND, |world| world.known(server).is_empty());
    assert!(given_up, "never given up");
    world.run(5 * SECOND);
    pause(world, false);
}

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "who was given up is not told")]
fn a_client_that_wakes_up_is_told_at_once_that_it_was_given_up() {
    for secure in [false, true] {
        for compression in [Compression::None, Compression::RangeCoder] {
            let mut world = World::new(9);
            if secure {
                world.secure(20);
            }
            world.set_links(Link::delayed(20 * MS));
            let config = world.config().compression(compression);
            let server = world.server_with(&config, 4);
            let config = world.config().compression(compression);
            let client = world.connect_with(&config, server);
            world.run(SECOND);
            outlive(&mut world, server, |world, paused| world.set_paused(client, paused));
            world.send(client, 1, TransferMode::Reliable, b"is anybody there?").expect("it believes so");
            world.run(SECOND / 5);
            assert_eq!(world.events(client).last(), Some(&Event::ServerDisconnected));
            let error = world.session(client).connection_error();
            assert_eq!(error, Some(ConnectionError::ClosedByServer));
            // It can come back.
            let config = world.config().compression(compression);
            let again = world.connect_with(&config, server);
            world.run(2 * SECOND);
            assert_eq!(world.status(again), Status::Connected);
        }
    }
}

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "who was given up is not told")]
fn so_is_one_of_3_6() {
    let mut world = World::new(10);
    world.set_links(Link::delayed(20 * MS));
    let server = world.server(4);
    let client = world.raw_client(RawConfig::default(), server, 7);
    world.run(SECOND);
    outlive(&mut world, server, |world, paused| world.set_raw_paused(client, paused));
    world.run(SECOND / 5);
    assert_eq!(world.raw_events(client).last(), Some(&RawEvent::Disconnected { peer: 0, data: 0 }));
}

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "who was given up is not told")]
fn who_was_given_up_gets_few_answers_and_a_stranger_none() {
    let mut world = World::new(11);
    let server = world.server(4);
    let client = world.connect(server);
    world.run(SECOND);
    world.record();
    world.send(client, 1, TransferMode::Reliable, b"hello").expect("a server");
    world.step(16 * MS);
    let (from, to) = (world.address(client), world.address(server));
    let datagram = world.take_recorded().into_iter().find(|datagram| datagram.from == from);
    let datagram = datagram.expect("a datagram of the client").bytes;
    world.vanish(client);
    assert!(world.run_until(40 * SECOND, |world| world.known(server).is_empty()));
    world.take_recorded();
    let stranger = world.new_address();
    for _ in 0..200 {
        for address in [from, stranger] {
            world.inject(address, to, &datagram);
        }
        world.step(16 * MS);
    }
    let answers = world.take_recorded();
    assert!(answers.iter().all(|answer| answer.to == from && answer.bytes.len() <= 14), "{answers:?}");
    assert!((3..=4).contains(&answers.len()), "{}", answers.len());
}
