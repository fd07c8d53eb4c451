//! What many peers make a server keep at once is bounded, and costs nobody else a packet.
//!
//! The tests count the memory of the whole process, so each is to be run alone: they share a lock.
#![expect(clippy::print_stdout, reason = "the figures are worth a look")]

use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nme_core::channel::TransferMode;
use nme_core::codec::Compression;
use nme_testing::payload::numbered;
use nme_testing::raw_peer::RawConfig;
use nme_testing::world::{FRAME, HostId, World};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MIB: usize = 1 << 20;

/// The first fragment of an unreliable packet of 16 MiB of which no more comes, with this number.
fn claim(peer: u8, session: u8, channel: u8, start: u8) -> Vec<u8> {
    const TOTAL: u32 = 16 << 20;
    const FRAGMENT: u16 = 1364;
    // Peer and session, then command, channel, sequence number, start and length.
    let mut datagram = vec![session << 4, peer, 0x0c, channel, 0, 0, start, 1];
    datagram.extend(FRAGMENT.to_be_bytes());
    for field in [TOTAL.div_ceil(FRAGMENT.into()), 0, TOTAL, 0] {
        datagram.extend(field.to_be_bytes());
    }
    datagram.resize(datagram.len() + usize::from(FRAGMENT), 0);
    datagram
}

/// Held by the test that counts.
static COUNTING: Mutex<()> = Mutex::new(());

fn count_alone() -> MutexGuard<'static, ()> {
    COUNTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of memory that were taken since then and not given back.
fn taken(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.bytes_allocated.saturating_sub(change.bytes_deallocated)
}

/// What became of a server that such claims were sent to.
struct Outcome {
    /// How often it dropped claims of a peer for newer ones of that peer.
    evictions: u64,
    /// Bytes of memory that it took for the others.
    taken: usize,
    /// How long a packet of 16 MiB of a well-behaved client took, and in how many datagrams.
    time: Duration,
    datagrams: u64,
}

/// A server with this many hostile clients, each of which claims 16 MiB on each of three channels.
fn claimed_by(hostile: u8, is_claimed: bool) -> Outcome {
    let mut world = World::new(1);
    let config = world.config().compression(Compression::None);
    let server = world.server_with(&config, 64);
    let config = world.config().compression(Compression::None);
    let honest = world.connect_with(&config, server);
    let to = world.address(server);
    let addresses: Vec<_> = (0..hostile)
        .map(|number| {
            let config = RawConfig { range_coder: false, ..RawConfig::default() };
            let raw = world.raw_client(config, server, 1000 + u32::from(number));
            world.raw_address(raw)
        })
        .collect();
    world.run(10 * FRAME);
    let region = Region::new(ALLOCATOR);
    if is_claimed {
        for (peer, from) in (1..).zip(addresses) {
            // Which session a connection has is the server's choice; datagrams of another one are dropped.
            for session in 0..4 {
                (0..3).for_each(|channel| world.inject(from, to, &claim(peer, session, channel, 0)));
            }
        }
    }
    world.run(2 * FRAME);
    let taken = taken(&region);
    let before = world.counters(honest).datagrams_sent;
    let payload = world.random().bytes(16 * MIB - 8);
    let start = world.now();
    world.send(honest, 1, TransferMode::Reliable, &payload).expect("a connection");
    assert!(world.run_until(Duration::from_secs(60), |world| !world.packets(server).is_empty()));
    assert!(world.packets(server)[0].bytes == payload);
    let time = world.now() - start;
    Outcome {
        evictions: world.counters(server).evictions,
        taken,
        time,
        datagrams: world.counters(honest).datagrams_sent - before,
    }
}

/// Two claims fit into the quota of a peer. Those of all peers are more than twice the host's quota of 512 MiB.
#[test]
#[cfg_attr(feature = "reference-engine", ignore = "stock ENet has no quotas")]
fn false_claims_of_many_peers_cost_no_memory_and_no_other_peer_anything() {
    const HOSTILE: u8 = 40;
    let _alone = count_alone();
    let claimed = claimed_by(HOSTILE, true);
    let free = claimed_by(HOSTILE, false);
    assert_eq!((claimed.evictions, free.evictions), (HOSTILE.into(), 0), "for the third claim of each");
    assert!(claimed.taken <= 4 * MIB, "{} bytes", claimed.taken);
    assert_eq!(claimed.time, free.time);
    assert_eq!(claimed.datagrams, free.datagrams);
}

/// A server and clients without compression.
fn plain<const N: usize>(seed: u64) -> (World, HostId, [HostId; N]) {
    let mut world = World::new(seed);
    let config = world.config().compression(Compression::None);
    let server = world.server_with(&config, 64);
    let clients = [(); N].map(|()| {
        let config = world.config().compression(Compression::None);
        world.connect_with(&config, server)
    });
    world.run(10 * FRAME);
    (world, server, clients)
}

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "stock ENet has no quotas")]
fn false_claims_cost_what_their_datagrams_do() {
    let _alone = count_alone();
    let (mut world, server, []) = plain(2);
    let to = world.address(server);
    let addresses: Vec<_> = (0..32)
        .map(|number| {
            let config = RawConfig { range_coder: false, ..RawConfig::default() };
            let raw = world.raw_client(config, server, 1000 + number);
            world.raw_address(raw)
        })
        .collect();
    world.run(10 * FRAME);
    let region = Region::new(ALLOCATOR);
    let before = world.counters(server).bytes_received;
    for (peer, from) in (0..).zip(addresses) {
        for session in 0..4 {
            for number in 0..9 {
                world.inject(from, to, &claim(peer, session, number % 3, number / 3 * 80));
            }
        }
    }
    world.run(2 * FRAME);
    // Those of the right session, a quarter, are 288 claims in 400 kB.
    let (came, taken) = (world.counters(server).bytes_received - before, taken(&region));
    println!("{taken} bytes for {} bytes of claims", came / 4);
    assert!(came / 4 > 380_000 && taken <= 4 * MIB, "{taken} bytes");
}

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "stock ENet's throttle drops most of it")]
fn a_flood_that_is_not_fetched_takes_no_more_than_it_may() {
    let _alone = count_alone();
    let (mut world, server, [client]) = plain(3);
    world.set_fetching(server, false);
    let region = Region::new(ALLOCATOR);
    let mut most = 0;
    // 18 MB a second for 20 s.
    for frame in 0..1250 {
        for part in 0..250 {
            let payload = numbered(frame * 250 + part, 1200);
            world.send(client, 1, TransferMode::Unreliable, &payload).expect("a connection");
            if part % 50 == 0 {
                world.flush(client);
            }
        }
        world.step(FRAME);
        most = most.max(taken(&region));
    }
    assert!(world.counters(server).bytes_received > 300_000_000, "no flood");
    println!("{} MiB for a flood of {} MB", most / MIB, world.counters(server).bytes_received / 1_000_000);
    assert!(most <= 64 * MIB, "{most} bytes");
}

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "stock ENet has no quotas")]
fn packets_of_16_mib_of_32_peers_at_once_come_within_the_quota_and_disturb_nobody() {
    let _alone = count_alone();
    let (mut world, server, clients) = plain::<33>(4);
    let (quiet, large) = clients.split_last().expect("clients");
    let payload = vec![7; 16 * MIB - 8];
    for client in large {
        world.send(*client, 1, TransferMode::Reliable, &payload).expect("a connection");
    }
    world.set_fetching(server, false);
    // The clients' own copies do not count.
    world.step(FRAME);
    let region = Region::new(ALLOCATOR);
    let (mut arrived, mut small, mut most) = (0, 0, 0);
    for frame in 0..2000 {
        world.send(*quiet, 1, TransferMode::Reliable, &numbered(frame, 100)).expect("a connection");
        world.step(FRAME);
        most = most.max(taken(&region));
        // As the game does behind each poll, without a copy for the log.
        while let Some(received) = world.session_mut(server).fetch() {
            if received.from() == world.id(*quiet) {
                small += 1;
            } else {
                assert!(received.payload() == payload);
                arrived += 1;
            }
        }
        assert!(small + 1 >= frame, "{small} of {frame} small packets");
        if arrived == large.len() {
            break;
        }
    }
    println!("{} MiB for 32 packets of 16 MiB", most / MIB);
    assert_eq!(arrived, 32);
    // The quota of a host, and what is on its way.
    assert!(most < 640 * MIB, "{} MiB", most / MIB);
}
