//! When packets leave, and in how few datagrams.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use nme_core::admission::AddressProof;
use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::codec::Compression;
use nme_core::relay::Target;
use nme_core::session::{Event, SendOptions};
use nme_testing::world::{FRAME, HostId, World};

const SECOND: Duration = Duration::from_secs(1);

/// A server and connected clients, without compression so that sizes are known.
fn party(clients: usize) -> (World, HostId, Vec<HostId>) {
    let mut world = World::new(2);
    let config = world.config().compression(Compression::None);
    let server = world.server_with(&config, 4095);
    let clients: Vec<HostId> = (0..clients)
        .map(|_| {
            let config = world.config().compression(Compression::None);
            let address = world.address(server);
            world.client_with(&config, address)
        })
        .collect();
    let all = clients.len();
    let joined = |world: &World| clients.iter().all(|client| world.known(*client).len() == all);
    assert!(world.run_until(20 * SECOND, joined));
    world.run(SECOND);
    (world, server, clients)
}

fn options(target: Target, mode: TransferMode) -> SendOptions {
    SendOptions { target, mode, channel: TransferChannel::ByMode, always_ordered: false }
}

/// Puts as a driver does: with a flush where the session wants one.
fn put(world: &mut World, host: HostId, target: i32, payload: &[u8]) {
    let options = options(Target::from_number(target).unwrap(), TransferMode::Unreliable);
    if world.session(host).flush_is_due(&options, payload) {
        world.flush(host);
    }
    world.session_mut(host).send(options, payload).unwrap();
}

#[test]
fn packets_wait_for_a_flush() {
    let (mut world, server, clients) = party(2);
    world.record();
    assert!(!world.session(server).needs_flush());
    for client in &clients {
        let id = world.id(*client).get();
        put(&mut world, server, id, b"one");
        put(&mut world, server, id, b"two");
    }
    assert!(world.session(server).needs_flush());
    assert!(world.take_recorded().is_empty());
    world.flush(server);
    assert!(!world.session(server).needs_flush());
    assert_eq!(world.take_recorded().len(), 2);
    put(&mut world, server, 0, b"three");
    world.poll(server);
    assert!(!world.session(server).needs_flush());
    assert_eq!(world.take_recorded().len(), 2);
}

/// Bytes of a tag behind a datagram.
const TAG: usize = if cfg!(feature = "reference-engine") { 0 } else { 4 };

/// 100 calls of 14 bytes to each of 8 clients: as many datagrams as there must be, whichever loop is the inner one.
#[test]
fn datagrams_leave_full() {
    let (mut world, server, clients) = party(8);
    let ids: Vec<i32> = clients.iter().map(|client| world.id(*client).get()).collect();
    for peers_inside in [true, false] {
        world.record();
        for outer in 0..if peers_inside { 100 } else { 8 } {
            for inner in 0..if peers_inside { 8 } else { 100 } {
                let (call, peer) = if peers_inside { (outer, inner) } else { (inner, outer) };
                put(&mut world, server, ids[peer], &[call as u8; 14]);
            }
        }
        world.flush(server);
        let datagrams = world.take_recorded();
        let full =
            datagrams.iter().filter(|datagram| datagram.bytes.len() == 2 + 32 * (8 + 8 + 14) + TAG).count();
        assert_eq!((datagrams.len(), full), (32, 24), "peers inside: {peers_inside}");
        world.run(SECOND);
        for client in &clients {
            let calls: Vec<u8> = world.take_packets(*client).iter().map(|packet| packet.bytes[0]).collect();
            assert_eq!(calls, (0..100).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_broadcast_of_a_frame_is_one_datagram_for_each_client() {
    let (mut world, server, clients) = party(20);
    world.record();
    for number in 0..20 {
        put(&mut world, server, 0, &[number; 48]);
    }
    world.flush(server);
    assert_eq!(world.take_recorded().len(), clients.len());
}

#[test]
fn too_much_memory_is_flushed_whoever_it_is_for() {
    let (mut world, server, clients) = party(2);
    let (a, b) = (world.id(clients[0]).get(), world.id(clients[1]).get());
    world.send(server, a, TransferMode::Reliable, &vec![1; 5 << 20]).unwrap();
    let to_b = options(Target::from_number(b).unwrap(), TransferMode::Unreliable);
    world.send(server, b, TransferMode::Unreliable, b"x").unwrap();
    assert!(world.session(server).flush_is_due(&to_b, b"y"));
    world.flush(server);
    assert!(!world.session(server).flush_is_due(&to_b, b"y"));
}

/// A game that puts, works, and puts again in one frame.
#[test]
fn what_has_waited_for_5_ms_is_overdue() {
    const MS: Duration = Duration::from_millis(1);
    let (mut world, server, clients) = party(2);
    let now = world.now();
    assert!(!world.session_mut(server).flush_is_overdue(now));
    let id = world.id(clients[0]).get();
    put(&mut world, server, id, b"first");
    for wait in 0..5 {
        assert!(!world.session_mut(server).flush_is_overdue(now + wait * MS), "{wait} ms");
        put(&mut world, server, id, b"more");
    }
    assert!(world.session_mut(server).flush_is_overdue(now + 5 * MS));
    world.flush(server);
    assert!(!world.session_mut(server).flush_is_overdue(now + 6 * MS));
    // The wait begins anew.
    put(&mut world, server, id, b"second");
    assert!(!world.session_mut(server).flush_is_overdue(now + 7 * MS));
    assert!(!world.session_mut(server).flush_is_overdue(now + 11 * MS));
    assert!(world.session_mut(server).flush_is_overdue(now + 12 * MS));
}

#[test]
fn relayed_packets_leave_with_the_poll_that_received_them() {
    let (mut world, server, clients) = party(32);
    for client in &clients {
        world.send(*client, 0, TransferMode::Unreliable, &[9; 48]).unwrap();
        world.flush(*client);
    }
    world.record();
    world.poll(server);
    let datagrams = world.take_recorded().len();
    assert!((32..=64).contains(&datagrams), "{datagrams}");
    for client in &clients {
        world.poll(*client);
        assert_eq!(world.take_packets(*client).len(), 31);
    }
    assert_eq!(world.take_packets(server).len(), 32);
}

#[test]
fn five_hundred_clients_join_in_one_poll_with_few_datagrams() {
    let mut world = World::new(4);
    let config = world.config().compression(Compression::None);
    let server = world.server_with(&config, 4095);
    // Or some of them are asked for proof of their address, and come a round trip later.
    world.session_mut(server).set_address_proof(AddressProof::Never);
    let address = world.address(server);
    let clients: Vec<HostId> = (0..500)
        .map(|_| {
            let config = world.config().compression(Compression::None);
            world.client_with(&config, address)
        })
        .collect();
    world.record();
    // The server is polled first in each frame: asked, answered, acknowledged.
    let mut frames = 0;
    while world.known(server).len() < 500 {
        world.step(FRAME);
        frames += 1;
        assert!(frames < 10, "{}", world.known(server).len());
    }
    let joins: Vec<u32> = world
        .log(server)
        .iter()
        .filter(|entry| matches!(entry.seen.event(), Some(Event::PeerConnected(_))))
        .map(|entry| entry.poll)
        .collect();
    assert_eq!(joins.len(), 500);
    assert_eq!(joins.first(), joins.last(), "they joined in several polls");
    let everywhere = |world: &World| clients.iter().all(|client| world.known(*client).len() == 500);
    assert!(world.run_until(SECOND, everywhere));
    // 499 system messages for each of 500, 32 in a datagram at most, and their acknowledgements.
    let sent = world.take_recorded().len();
    assert!(sent < 500 * (2 * 499_usize.div_ceil(32) + 12), "{sent}");
}
