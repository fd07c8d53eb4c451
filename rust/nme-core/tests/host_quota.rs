//! Fragments are paid for as they come: what many peers claim together costs no memory, and nobody else a packet.

use std::alloc::System;
use std::time::Duration;

use nme_core::channel::TransferMode;
use nme_core::codec::Compression;
use nme_testing::raw_peer::RawConfig;
use nme_testing::world::{FRAME, World};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MIB: usize = 1 << 20;

/// The first fragment of an unreliable packet of 16 MiB of which no more comes.
fn claim(peer: u8, session: u8, channel: u8) -> Vec<u8> {
    const TOTAL: u32 = 16 << 20;
    const FRAGMENT: u16 = 1364;
    // Peer and session, then command, channel, sequence number, start and length.
    let mut datagram = vec![session << 4, peer, 0x0c, channel, 0, 0, 0, 1];
    datagram.extend(FRAGMENT.to_be_bytes());
    for field in [TOTAL.div_ceil(FRAGMENT.into()), 0, TOTAL, 0] {
        datagram.extend(field.to_be_bytes());
    }
    datagram.resize(datagram.len() + usize::from(FRAGMENT), 0);
    datagram
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
                (0..3).for_each(|channel| world.inject(from, to, &claim(peer, session, channel)));
            }
        }
    }
    world.run(2 * FRAME);
    let change = region.change();
    let taken = change.bytes_allocated.saturating_sub(change.bytes_deallocated);
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
    let claimed = claimed_by(HOSTILE, true);
    let free = claimed_by(HOSTILE, false);
    assert_eq!((claimed.evictions, free.evictions), (HOSTILE.into(), 0), "for the third claim of each");
    assert!(claimed.taken <= 4 * MIB, "{} bytes", claimed.taken);
    assert_eq!(claimed.time, free.time);
    assert_eq!(claimed.datagrams, free.datagrams);
}
