//! Peers that do not answer: given up no sooner than by plain ENet, and told so when they speak again.

use std::time::Duration;

use nme_core::channel::{Delivery, TransferMode};
use nme_testing::network::Link;
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
