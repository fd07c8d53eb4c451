//! Many peers, and much for one of them: what the others notice of it.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use nme_core::channel::TransferMode;
use nme_netem::Link;
use nme_testing::payload::{number, numbered};
use nme_testing::world::{FRAME, HostId, World};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_crowd_that_joins_at_once_is_introduced_over_several_frames() {
    const CLIENTS: usize = 300;
    let mut world = World::new(3);
    let config = world.config().server_relay(true);
    let server = world.server_with(&config, 4095);
    let address = world.address(server);
    let clients: Vec<HostId> = (0..CLIENTS).map(|_| world.client(address)).collect();
    let (mut most, mut sent) = (0, 0);
    let know_each_other = |world: &World| clients.iter().all(|client| world.known(*client).len() == CLIENTS);
    for _ in 0..200 {
        world.step(FRAME);
        let now = world.counters(server).datagrams_sent;
        most = most.max(now - sent);
        sent = now;
        if know_each_other(&world) {
            break;
        }
    }
    assert!(know_each_other(&world));
    // All the system messages together are 2803 full datagrams.
    assert!(most < 1500, "{most} datagrams in a frame");
    assert!(world.known(server).len() == CLIENTS);
}

#[test]
fn a_newcomer_is_introduced_before_its_first_packet_is_forwarded() {
    const CLIENTS: usize = 200;
    let mut world = World::new(4);
    let config = world.config().server_relay(true);
    let server = world.server_with(&config, 4095);
    let address = world.address(server);
    let clients: Vec<HostId> = (0..CLIENTS).map(|_| world.client(address)).collect();
    let last = clients[CLIENTS - 1];
    assert!(world.run_until(SECOND, |world| world.known(last).len() == 1));
    // By now a part of the crowd has been introduced.
    world.send(last, 0, TransferMode::Reliable, b"here I am").unwrap();
    world.run(SECOND);
    let id = world.id(last);
    for client in &clients[..CLIENTS - 1] {
        assert!(world.known(*client).contains(&id));
        let packets = world.take_packets(*client);
        assert_eq!(
            packets.iter().map(|packet| (packet.from, &packet.bytes[..])).collect::<Vec<_>>(),
            [(id, &b"here I am"[..])]
        );
    }
}

#[test]
fn a_stream_of_64_mib_to_one_peer_does_not_delay_the_packets_of_another() {
    let mut world = World::new(5);
    world.set_links(Link::delayed(Duration::from_millis(5)));
    let server = world.server(4);
    let [greedy, other] = [(); 2].map(|()| world.connect(server));
    let (to_greedy, to_other) = (world.id(greedy).get(), world.id(other).get());
    let piece = vec![7; 8 << 20];
    for _ in 0..8 {
        world.send(server, to_greedy, TransferMode::Reliable, &piece).unwrap();
    }
    for index in 0..300 {
        world.send(server, to_other, TransferMode::Reliable, &numbered(index, 48)).unwrap();
        world.send(other, 1, TransferMode::Reliable, &numbered(index, 48)).unwrap();
        world.step(FRAME);
        world.step(FRAME);
        for host in [server, other] {
            let arrived: Vec<u32> =
                world.take_packets(host).iter().map(|packet| number(&packet.bytes)).collect();
            assert_eq!(arrived, [index], "in frame {index}");
        }
    }
    assert!(world.known(server).len() == 2, "the stream goes on");
    let done = world.run_until(60 * SECOND, |world| world.packets(greedy).len() == 8);
    assert!(done, "{} of 8 pieces arrived", world.packets(greedy).len());
    assert!(world.take_packets(greedy).iter().all(|packet| packet.bytes == piece));
}
