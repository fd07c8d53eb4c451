//! Paths that lose much of what is sent: who is still there is not given up.
#![cfg(not(feature = "reference-engine"))]

use std::time::Duration;

use nme_core::channel::{Delivery, TransferMode};
use nme_netem::Link;
use nme_testing::raw_peer::RawConfig;
use nme_testing::world::World;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Players of a server.
const PLAYERS: usize = 8;

/// How long the path is bad.
const LOSS_LASTS: Duration = Duration::from_secs(25);

/// Whether the clients are of plain ENet, how long a datagram travels, and whether reliable packets go both ways.
type Case = (bool, Duration, bool);

/// How many of the players a server has given up after so much loss, over several runs.
fn given_up(case: Case, loss: f64, runs: u64) -> usize {
    let (plain, latency, busy) = case;
    let mut given_up = 0;
    for seed in 0..runs {
        let mut world = World::new(seed);
        world.set_links(Link::delayed(latency));
        let server = world.server(PLAYERS as i64);
        let (mut own, mut raw) = (Vec::new(), Vec::new());
        for number in 0..PLAYERS {
            if plain {
                let config = RawConfig { seed: number as u32 + 1, ..RawConfig::default() };
                raw.push(world.raw_client(config, server, number as u32 + 2));
            } else {
                own.push(world.connect(server));
            }
        }
        world.run(5 * SECOND);
        assert_eq!(world.known(server).len(), PLAYERS);
        world.set_links(Link { loss, ..Link::delayed(latency) });
        let end = world.now() + LOSS_LASTS;
        let mut sent = world.now();
        while world.now() < end {
            if busy && world.now() >= sent + 100 * MS {
                sent = world.now();
                let known: Vec<i32> = world.known(server).iter().map(|id| id.get()).collect();
                for id in known {
                    world
                        .send(server, id, TransferMode::Reliable, b"from the server")
                        .expect("a known client");
                }
                for &client in &own {
                    // Refused when the client has been told that it was given up.
                    let _ = world.send(client, 1, TransferMode::Reliable, b"from a client");
                }
                for &client in &raw {
                    if world.raw_ref(client).is_connected(0) {
                        world.raw_mut(client).send(0, 1, b"1234567812345678", Delivery::Reliable);
                    }
                }
            }
            world.step(16 * MS);
        }
        let told = raw.iter().filter(|&&client| !world.raw_ref(client).is_connected(0)).count();
        given_up += told.max(PLAYERS - world.known(server).len());
    }
    given_up
}

/// Of each case, with seeds of their own.
const RUNS: u64 = 8;

fn each_case(plain: bool, most: usize) {
    for latency in [MS, 15 * MS, 60 * MS] {
        for busy in [false, true] {
            let lost = given_up((plain, latency, busy), 0.3, RUNS);
            let all = PLAYERS * RUNS as usize;
            assert!(lost <= most, "{lost} of {all} at {latency:?}, busy: {busy}");
        }
    }
}

#[test]
fn at_most_one_of_eight_is_lost_to_30_percent_of_loss() {
    each_case(false, RUNS as usize);
}

/// Plain ENet repeats a command after twice the time each time, and gives up after six in vain: 12 to 18 of these 64.
#[test]
fn fewer_than_a_third_of_the_clients_of_plain_enet_are_lost_to_30_percent_of_loss() {
    each_case(true, PLAYERS * RUNS as usize / 3);
}
