//! Peers that the game authenticates are kept apart; those it sends away are not listened to.

use std::time::Duration;

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::counters::DroppedPacket;
use nme_core::peer::PeerId;
use nme_core::relay::Target;
use nme_core::session::{Event, SendOptions, Status};
use nme_testing::world::{HostId, World};

const SECOND: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(10);

/// Runs the world while this host keeps everybody apart who connects to it.
fn run_keeping_apart(world: &mut World, host: HostId) {
    for _ in 0..50 {
        world.set_paused(host, true);
        world.step(STEP);
        world.set_paused(host, false);
        world.poll_with(host, |session, event| {
            if let Event::PeerConnected(id) = event {
                session.keep_apart(id);
            }
            None
        });
    }
}

fn send(world: &mut World, from: HostId, target: i32, bytes: &[u8]) {
    let target = Target::from_number(target).expect("a target");
    let (mode, channel) = (TransferMode::Reliable, TransferChannel::ByMode);
    let options = SendOptions { target, mode, channel, always_ordered: false };
    world.session_mut(from).send(options, bytes).expect("sent");
    world.flush(from);
    world.run(SECOND);
}

fn received(world: &mut World, host: HostId) -> Vec<Vec<u8>> {
    world.take_packets(host).into_iter().map(|packet| packet.bytes).collect()
}

#[test]
fn nobody_hears_of_a_client_before_it_is_admitted() {
    let mut world = World::new(1);
    let server = world.server(4);
    let inside = world.connect(server);
    let outside = world.client(world.address(server));
    run_keeping_apart(&mut world, server);
    let (inside_id, outside_id) = (world.id(inside), world.id(outside));
    assert_eq!(world.status(outside), Status::Connected);
    assert_eq!(world.session(server).apart().iter().copied().collect::<Vec<_>>(), [outside_id]);
    assert!(!world.known(inside).contains(&outside_id));
    assert!(!world.known(outside).contains(&inside_id));

    // The server talks with it, and the relay does not.
    send(&mut world, outside, 0, b"to all");
    send(&mut world, inside, 0, b"to all that are in");
    send(&mut world, server, outside_id.get(), b"who are you");
    assert_eq!(received(&mut world, server), [b"to all".to_vec(), b"to all that are in".to_vec()]);
    assert_eq!(received(&mut world, inside), [] as [Vec<u8>; 0]);
    assert_eq!(received(&mut world, outside), [b"who are you"]);

    world.session_mut(server).admit(outside_id);
    world.run(SECOND);
    assert!(world.session(server).apart().is_empty());
    assert!(world.known(inside).contains(&outside_id));
    assert!(world.known(outside).contains(&inside_id));
    send(&mut world, outside, inside_id.get(), b"hello");
    send(&mut world, inside, 0, b"welcome");
    assert_eq!(received(&mut world, inside), [b"hello"]);
    assert_eq!(received(&mut world, outside), [b"welcome"]);
}

#[test]
fn nobody_hears_of_the_end_of_a_client_that_was_never_admitted() {
    for at_once in [false, true] {
        let mut world = World::new(2);
        let server = world.server(4);
        let inside = world.connect(server);
        let outside = world.client(world.address(server));
        run_keeping_apart(&mut world, server);
        let id = world.id(outside);
        world.take_log(inside);
        world.kick(server, id, at_once).expect("it is there");
        world.run(SECOND);
        assert_eq!(world.events(inside), []);
        assert!(world.session(server).apart().is_empty());
        assert_eq!(world.status(outside), Status::Disconnected);
    }
}

#[test]
fn a_client_hears_of_the_others_when_it_has_admitted_the_server() {
    let mut world = World::new(3);
    let server = world.server(4);
    let [first, second] = [(); 2].map(|()| world.connect(server));
    let late = world.client(world.address(server));
    run_keeping_apart(&mut world, late);
    let (first_id, second_id) = (world.id(first), world.id(second));
    assert_eq!(world.events(late), [Event::PeerConnected(PeerId::SERVER), Event::ConnectionSucceeded]);
    // Who leaves meanwhile never was there.
    world.close(first);
    let late_id = world.id(late).get();
    send(&mut world, second, late_id, b"hello");
    assert_eq!(received(&mut world, late), [] as [Vec<u8>; 0]);
    world.take_log(late);
    world.session_mut(late).admit(PeerId::SERVER);
    world.run(SECOND);
    assert_eq!(world.events(late), [Event::PeerConnected(second_id)]);
    assert_eq!(received(&mut world, late), [b"hello"]);
    assert!(!world.known(late).contains(&first_id));
}

#[test]
fn a_client_leaves_with_the_events_of_a_lost_server_and_without_an_error() {
    let mut world = World::new(4);
    let server = world.server(4);
    let client = world.connect(server);
    let id = world.id(client);
    world.take_log(client);
    assert!(!world.session_mut(server).leave());
    assert!(world.session_mut(client).leave());
    assert_eq!(world.status(client), Status::Connected);
    send(&mut world, client, 1, b"too late");
    assert_eq!(world.events(client), [Event::PeerDisconnected(PeerId::SERVER), Event::ServerDisconnected]);
    assert_eq!(world.session(client).connection_error(), None);
    assert_eq!(world.status(client), Status::Disconnected);
    assert!(!world.session_mut(client).leave());
    assert!(!world.known(server).contains(&id));
    assert_eq!(received(&mut world, server), [] as [Vec<u8>; 0]);
}

#[test]
fn a_peer_that_is_ignored_is_not_heard_any_more() {
    let mut world = World::new(5);
    let server = world.server(4);
    let client = world.connect(server);
    let id = world.id(client);
    world.set_fetching(server, false);
    send(&mut world, client, 1, b"before");
    world.session_mut(server).ignore(id);
    send(&mut world, client, 1, b"hello");
    assert_eq!(world.session(server).waiting_packets(), 1);
    world.session_mut(server).forget_packets(id);
    assert_eq!(world.session(server).waiting_packets(), 0);
    assert_eq!(world.counters(server).dropped_packets(DroppedPacket::Ignored), 1);
}
