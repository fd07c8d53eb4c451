//! Known peers come before strangers, and encrypted clients are judged as the others are.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use nme_core::admission::{AccessList, Outcome};
use nme_core::channel::TransferMode;
use nme_core::session::{ConnectionError, Session, Status};
use nme_testing::fake_layer::DTLS_OVERHEAD;
use nme_testing::world::{HostId, World};

const SECOND: Duration = Duration::from_secs(1);

fn count(world: &World, server: HostId, outcome: Outcome) -> u64 {
    world.session(server).admission_counters().count(outcome)
}

/// The beginning of a connect request.
fn stranger(number: u32) -> (SocketAddr, [u8; 52]) {
    let mut bytes = [0; 52];
    bytes[..2].copy_from_slice(&[0x8f, 0xff]);
    (SocketAddr::from((Ipv4Addr::from(0xc612_0000 + number), 5000)), bytes)
}

#[test]
fn when_a_poll_has_little_time_left_strangers_wait_and_players_do_not() {
    let mut world = World::new(1);
    let server = world.server(4);
    let player = world.connect(server);
    world.run(SECOND);
    let own = world.address(player);
    world.record();
    world.send(player, 1, TransferMode::Reliable, b"in time").expect("a server");
    world.flush(player);
    let recorded = world.take_recorded();
    let datagram = recorded.iter().find(|datagram| datagram.from == own).expect("a datagram").bytes.clone();
    let now = Duration::from_secs(1000);
    let session: &mut Session = world.session_mut(server);
    session.begin_poll(now);
    for number in 0..100 {
        let (from, bytes) = stranger(number);
        session.receive(from, &bytes);
    }
    session.hurry();
    for number in 0..1000 {
        let (from, bytes) = stranger(number);
        session.receive(from, &bytes);
    }
    session.receive(own, &datagram);
    while session.poll_event().is_some() {}
    assert_eq!(session.waiting_packets(), 1);
    // 256 of them are looked at in any case.
    assert_eq!(session.admission_counters().count(Outcome::Overload), 1100 - 256);
    session.begin_poll(now + SECOND);
    let (from, bytes) = stranger(5000);
    session.receive(from, &bytes);
    assert_eq!(session.admission_counters().count(Outcome::Overload), 1100 - 256, "a poll later");
}

#[test]
fn encrypted_clients_are_judged_when_their_encryption_begins() {
    let mut world = World::new(2);
    world.secure(DTLS_OVERHEAD);
    let server = world.server(8);
    let first = world.connect(server);
    let address = world.address(server);

    world.session_mut(server).set_max_connections_per_address(1);
    let ip = world.address(first).ip();
    let (config, layer) = (world.config(), world.layer());
    let mut session = Session::client(&config, layer);
    session.connect(Duration::ZERO, address);
    let second = world.add_at(SocketAddr::new(ip, 4000), session);
    world.run(SECOND);
    assert_eq!(world.session(second).connection_error(), Some(ConnectionError::Refused));
    assert!(count(&world, server, Outcome::AddressLimit) >= 1);

    let mut list = AccessList::new();
    list.allow("192.0.2.0/24".parse().expect("a range"));
    world.session_mut(server).set_access_list(list);
    let third = world.client(address);
    world.run(SECOND);
    assert_eq!(world.session(third).connection_error(), Some(ConnectionError::Refused));
    assert!(count(&world, server, Outcome::Denied) >= 1);
    assert_eq!(world.status(first), Status::Connected);
}
