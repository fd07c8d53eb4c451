//! Large reliable transfers: other packets for the same peer do not wait for them.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::relay::Target;
use nme_core::session::{Event, SendOptions};
use nme_netem::{Bandwidth, Link};
use nme_testing::payload::{number, numbered};
use nme_testing::world::{FRAME, HostId, Packet, World};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

fn options(world: &World, to: HostId, mode: TransferMode, channel: i64) -> SendOptions {
    let target = Target::from_number(world.id(to).get()).unwrap();
    SendOptions { target, mode, channel: TransferChannel::new(channel, 8).unwrap(), always_ordered: false }
}

fn send_on(world: &mut World, from: HostId, to: HostId, mode: TransferMode, channel: i64, bytes: &[u8]) {
    let options = options(world, to, mode, channel);
    world.session_mut(from).send(options, bytes).unwrap();
}

/// Server and clients with 8 channels, over links with this latency.
fn world_of<const N: usize>(latency: Duration) -> (World, HostId, [HostId; N]) {
    let mut world = World::new(77);
    world.set_links(Link::delayed(latency));
    let config = world.config().channel_count(8);
    let server = world.server_with(&config, 8);
    let clients = [(); N].map(|()| {
        let config = world.config().channel_count(8);
        world.connect_with(&config, server)
    });
    world.run(SECOND / 2);
    for host in std::iter::once(server).chain(clients) {
        world.take_log(host);
    }
    (world, server, clients)
}

fn on_channel(packets: &[Packet], channel: u8) -> Vec<u32> {
    packets.iter().filter(|packet| packet.channel == channel).map(|packet| number(&packet.bytes)).collect()
}

/// A stream of 64 MiB in pieces on channel 1, and a small packet per frame on channel 5: how many frames after it was
/// sent each one arrives, and how long the stream takes.
fn delays_beside_a_stream(latency: Duration, piece: usize, is_uplink: bool) -> (Vec<u32>, Duration) {
    const SMALL: u32 = 200;
    let (mut world, server, [client]) = world_of(latency);
    let (from, to) = if is_uplink { (client, server) } else { (server, client) };
    let pieces = (64 * MIB / piece) as u32;
    for index in 0..pieces {
        send_on(&mut world, from, to, TransferMode::Reliable, 1, &numbered(index, piece));
    }
    let start = world.now();
    let (mut delays, mut arrived_pieces) = (Vec::new(), Vec::new());
    for frame in 0.. {
        if frame < SMALL {
            send_on(&mut world, from, to, TransferMode::Reliable, 5, &numbered(frame, 48));
        }
        world.step(FRAME);
        let packets = world.take_packets(to);
        delays.extend(on_channel(&packets, 5).into_iter().map(|sent| frame - sent));
        arrived_pieces.extend(on_channel(&packets, 1));
        if arrived_pieces.len() == pieces as usize && delays.len() == SMALL as usize {
            break;
        }
        assert!(
            world.now() - start < 120 * SECOND,
            "{} pieces, {} small",
            arrived_pieces.len(),
            delays.len()
        );
    }
    assert!(arrived_pieces.iter().copied().eq(0..pieces));
    (delays, world.now() - start)
}

#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet sends whole packets in the order in which they were queued"
)]
#[test]
fn a_stream_of_64_mib_does_not_delay_small_packets_on_other_channels() {
    for is_uplink in [false, true] {
        for latency in [5 * MS, 40 * MS] {
            let (delays, _) = delays_beside_a_stream(latency, 64 * KIB, is_uplink);
            // Up to two windows are in front of the packet: a full one, and a piece that was the last to fit.
            let most = *delays.iter().max().unwrap();
            let round_trip = (2 * latency).as_millis().div_ceil(FRAME.as_millis()) as u32 + 1;
            assert!(most <= 3 * round_trip, "{most} frames with {latency:?}, uplink: {is_uplink}");
        }
    }
}

#[test]
fn a_stream_keeps_its_speed() {
    // A window of 64 KiB for each round trip of two frames is what ENet does.
    let (_, time) = delays_beside_a_stream(5 * MS, 64 * KIB, false);
    assert!(time <= 2 * FRAME * (64 * MIB / (64 * KIB)) as u32 + SECOND, "{time:?}");
}

#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet sends whole packets in the order in which they were queued"
)]
#[test]
fn a_packet_waits_for_one_large_packet_at_most() {
    let (delays, _) = delays_beside_a_stream(5 * MS, MIB, false);
    // A piece of 1 MiB is 16 windows, each a round trip of two frames, and what was in front of it another one.
    let most = *delays.iter().max().unwrap();
    assert!(most <= 2 * 18, "{most} frames");
}

#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet sends whole packets in the order in which they were queued"
)]
#[test]
fn channels_share_what_there_is() {
    let (mut world, server, [client]) = world_of(5 * MS);
    for index in 0..100 {
        send_on(&mut world, server, client, TransferMode::Reliable, 3, &numbered(index, 100 * KIB));
    }
    for index in 0..10_000 {
        send_on(&mut world, server, client, TransferMode::Reliable, 4, &numbered(index, 1000));
    }
    assert!(world.run_until(4 * SECOND, |world| world.packets(client).len() > 4000));
    let packets = world.take_packets(client);
    let [large, small] = [3, 4].map(|channel| {
        let bytes =
            packets.iter().filter(|packet| packet.channel == channel).map(|packet| packet.bytes.len());
        bytes.sum::<usize>()
    });
    assert!(large > 3 * MIB && small > 3 * MIB, "{large} and {small} bytes");
    assert!(large.abs_diff(small) < 200 * KIB, "{large} and {small} bytes");
}

#[test]
fn a_channel_keeps_its_order_in_all_modes_that_have_one() {
    let (mut world, server, [client]) = world_of(5 * MS);
    let mut sent = Vec::new();
    for index in 0..400 {
        let (mode, len) = match index % 4 {
            0 => (TransferMode::Reliable, 10 * KIB),
            1 | 2 => (TransferMode::UnreliableOrdered, 100),
            _ => (TransferMode::Reliable, 100),
        };
        send_on(&mut world, server, client, mode, 6, &numbered(index, len));
        sent.push(index);
    }
    send_on(&mut world, server, client, TransferMode::Unreliable, 6, &numbered(1000, 48));
    world.step(FRAME);
    world.step(FRAME);
    // One without an order waits for nothing.
    let mut arrived = on_channel(&world.take_packets(client), 6);
    assert!(arrived.contains(&1000) && arrived.len() < 100, "{arrived:?}");
    arrived.retain(|number| *number != 1000);
    world.run(10 * SECOND);
    arrived.extend(on_channel(&world.take_packets(client), 6));
    assert_eq!(arrived, sent);
}

#[test]
fn a_client_that_is_disconnected_gets_everything_first() {
    let (mut world, server, [client, other]) = world_of(5 * MS);
    for index in 0..40 {
        send_on(&mut world, server, client, TransferMode::Reliable, 1, &numbered(index, 50 * KIB));
    }
    let id = world.id(client);
    world.kick(server, id, false).unwrap();
    // What is put later is for nobody.
    send_on(&mut world, server, client, TransferMode::Reliable, 2, &numbered(99, 48));
    assert!(world.run_until(20 * SECOND, |world| !world.known(server).contains(&id)));
    let packets = world.take_packets(client);
    assert!(on_channel(&packets, 1).into_iter().eq(0..40));
    assert_eq!(on_channel(&packets, 2), []);
    assert_eq!(world.events(client).last(), Some(&Event::ServerDisconnected));
    assert!(world.known(server).contains(&world.id(other)));
}

#[test]
fn a_newcomer_in_the_same_slot_gets_nothing_of_what_waited() {
    let mut world = World::new(3);
    world.set_links(Link::delayed(5 * MS));
    let server = world.server(1);
    let first = world.connect(server);
    for index in 0..40 {
        send_on(&mut world, server, first, TransferMode::Reliable, 1, &numbered(index, 50 * KIB));
    }
    world.step(FRAME);
    let id = world.id(first);
    world.kick(server, id, true).unwrap();
    let second = world.connect(server);
    send_on(&mut world, server, second, TransferMode::Reliable, 1, &numbered(7, 48));
    world.run(5 * SECOND);
    assert_eq!(on_channel(&world.take_packets(second), 1), [7]);
}

#[test]
fn what_a_client_has_sent_through_the_relay_arrives_before_it_is_reported_gone() {
    let (mut world, server, [sender, receiver]) = world_of(5 * MS);
    // The link to the receiver is slow, so that packets of the sender wait on the server.
    let (from, to) = (world.address(server), world.address(receiver));
    let slow = Link {
        bandwidth: Some(Bandwidth { bytes_per_second: 300_000, queue: 1 << 20 }),
        ..Link::delayed(5 * MS)
    };
    world.network().set_link(from, to, slow);
    for index in 0..20 {
        send_on(&mut world, sender, receiver, TransferMode::Reliable, 1, &numbered(index, 50 * KIB));
        send_on(&mut world, server, receiver, TransferMode::Reliable, 3, &numbered(index, 50 * KIB));
    }
    assert!(world.run_until(20 * SECOND, |world| world.counters(server).bytes_received > 1_000_000));
    world.run(SECOND / 4);
    let id = world.id(sender);
    world.close(sender);
    assert!(world.run_until(60 * SECOND, |world| !world.known(receiver).contains(&id)));
    // The world itself checks that no packet comes from a peer that is gone.
    let from_sender = world.packets(receiver).iter().filter(|packet| packet.from == id).count();
    assert_eq!(from_sender, 20);
    assert!(world.run_until(60 * SECOND, |world| world.packets(receiver).len() == 40));
}

#[test]
fn a_transfer_survives_an_outage() {
    let (mut world, server, [client]) = world_of(5 * MS);
    for index in 0..60 {
        send_on(&mut world, server, client, TransferMode::Reliable, 1, &numbered(index, 50 * KIB));
    }
    world.run(SECOND / 4);
    world.set_paused(client, true);
    world.run(3 * SECOND);
    world.set_paused(client, false);
    world.run(20 * SECOND);
    assert!(on_channel(&world.take_packets(client), 1).into_iter().eq(0..60));
    assert_eq!(world.known(server).len(), 1);
}
