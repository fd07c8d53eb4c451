//! When a full server says so: only when a peer that answers is in every slot.

use std::time::Duration;

use nme_core::admission::AddressProof;
use nme_core::channel::TransferMode;
use nme_core::counters::Dropped;
use nme_core::session::{ConnectionError, Event, Session, Status};
use nme_netem::Link;
use nme_testing::fake_layer::DTLS_OVERHEAD;
use nme_testing::world::{FRAME, HostId, World};

const SECOND: Duration = Duration::from_secs(1);
/// A peer that is there is heard from within this time, and the newcomer is told in it.
const TOLD: Duration = Duration::from_millis(700);
/// As long as an attempt lasts.
const ATTEMPT: Duration = Duration::from_secs(31);

fn worlds(seed: u64) -> [World; 2] {
    let mut secure = World::new(seed);
    secure.secure(DTLS_OVERHEAD);
    [World::new(seed), secure]
}

/// A server without free slots, whose clients have been idle for a while.
fn full(world: &mut World, clients: usize) -> (HostId, Vec<HostId>) {
    let server = world.server(clients as i64);
    let clients = (0..clients).map(|_| world.connect(server)).collect();
    world.run(3 * SECOND);
    (server, clients)
}

fn newcomer(world: &mut World, server: HostId) -> HostId {
    let address = world.address(server);
    world.client(address)
}

fn is_refused(world: &World, client: HostId) -> bool {
    world.events(client) == [Event::ConnectionFailed]
        && world.session(client).connection_error() == Some(ConnectionError::Refused)
}

fn is_in(world: &World, client: HostId) -> bool {
    world.status(client) == Status::Connected
}

/// Dead clients are given up after a few seconds, so that the attempt of the stand-in for DTLS outlasts them.
fn give_up_early(world: &mut World, server: HostId) {
    let ids: Vec<_> = world.known(server).iter().map(|id| id.get().into()).collect();
    for id in ids {
        world.session_mut(server).set_peer_timeout(id, 8, 2000, 4000).expect("a client");
    }
}

#[test]
fn a_newcomer_is_told_when_all_have_been_heard_from() {
    for mut world in worlds(1) {
        let (server, _) = full(&mut world, 3);
        let late = newcomer(&mut world, server);
        assert!(world.run_until(TOLD, |world| is_refused(world, late)));
    }
}

#[test]
fn a_newcomer_is_told_within_a_few_frames_when_all_talk() {
    let mut world = World::new(2);
    let (server, clients) = full(&mut world, 3);
    let late = newcomer(&mut world, server);
    for _ in 0..5 {
        for client in &clients {
            world.send(*client, 1, TransferMode::Unreliable, b"here").expect("a connection");
        }
        world.step(FRAME);
    }
    assert!(is_refused(&world, late));
}

#[test]
fn who_was_killed_and_starts_again_gets_in_however_soon() {
    for after in [Duration::ZERO, FRAME, SECOND / 2, SECOND, 3 * SECOND] {
        for mut world in worlds(3) {
            let (server, clients) = full(&mut world, 2);
            give_up_early(&mut world, server);
            world.vanish(clients[0]);
            world.run(after);
            let again = newcomer(&mut world, server);
            let is_over = |world: &World| is_in(world, again) || !world.events(again).is_empty();
            assert!(world.run_until(ATTEMPT, is_over), "{after:?}");
            assert!(is_in(&world, again), "{after:?}: {:?}", world.events(again));
            assert!(is_in(&world, clients[1]));
        }
    }
}

#[test]
fn who_was_killed_and_starts_again_at_the_same_address_gets_in() {
    for mut world in worlds(4) {
        let (server, clients) = full(&mut world, 1);
        give_up_early(&mut world, server);
        let address = world.address(clients[0]);
        world.vanish(clients[0]);
        let config = world.config();
        let layer = world.layer();
        let (now, to) = (world.now(), world.address(server));
        let mut session = Session::client(&config, layer);
        session.connect(now, to);
        let again = world.add_at(address, session);
        let is_over = |world: &World| is_in(world, again) || !world.events(again).is_empty();
        assert!(world.run_until(ATTEMPT, is_over));
        assert!(is_in(&world, again), "{:?}", world.events(again));
    }
}

/// What both of them had sent before waits in the socket, and is read in one poll.
#[test]
fn a_server_that_was_blocked_takes_no_dead_peer_for_a_live_one() {
    let mut world = World::new(5);
    let (server, clients) = full(&mut world, 1);
    world.set_paused(server, true);
    world.run(SECOND);
    world.send(clients[0], 1, TransferMode::Reliable, b"last words").expect("a connection");
    world.run(SECOND);
    world.vanish(clients[0]);
    let again = newcomer(&mut world, server);
    world.run(2 * SECOND);
    world.set_paused(server, false);
    let is_over = |world: &World| is_in(world, again) || !world.events(again).is_empty();
    assert!(world.run_until(ATTEMPT, is_over));
    assert!(is_in(&world, again), "{:?}", world.events(again));
}

#[test]
fn a_server_that_was_blocked_takes_no_live_peer_for_a_dead_one() {
    let mut world = World::new(6);
    let (server, _) = full(&mut world, 2);
    world.set_paused(server, true);
    let late = newcomer(&mut world, server);
    world.run(3 * SECOND);
    world.set_paused(server, false);
    assert!(world.run_until(TOLD, |world| is_refused(world, late)));
}

#[test]
fn a_slot_whose_peer_is_to_leave_is_waited_for() {
    let mut world = World::new(7);
    let (server, clients) = full(&mut world, 1);
    let leaver = world.id(clients[0]);
    let [here, there] = [server, clients[0]].map(|host| world.address(host));
    world.network().set_both(here, there, Link::delayed(Duration::from_millis(100)));
    for _ in 0..4 {
        world.send(server, leaver.get(), TransferMode::Reliable, &[7; 50_000]).expect("a client");
    }
    // One asks before it is to leave, the other behind that.
    let first = newcomer(&mut world, server);
    world.step(FRAME);
    world.kick(server, leaver, false).expect("a client");
    let second = newcomer(&mut world, server);
    assert!(world.run_until(ATTEMPT, |world| is_in(world, first) || is_in(world, second)));
    assert_eq!(world.packets(clients[0]).len(), 4, "it got everything");
    let (inside, outside) = if is_in(&world, first) { (first, second) } else { (second, first) };
    assert_eq!(world.events(outside), [], "nobody has been told while it was leaving");
    assert!(world.run_until(9 * SECOND, |world| is_refused(world, outside)));
    assert!(is_in(&world, inside));
}

#[test]
fn a_slot_whose_handshake_is_not_complete_is_no_reason() {
    let mut world = World::new(8);
    let server = world.server(1);
    world.session_mut(server).set_address_proof(AddressProof::Never);
    let half = newcomer(&mut world, server);
    world.step(FRAME);
    world.vanish(half);
    let late = newcomer(&mut world, server);
    world.run(20 * SECOND);
    assert_eq!(world.events(late), []);
    assert_eq!(world.status(late), Status::Connecting);
}

#[test]
#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet repeats its answer to a request that may be forged, and gives its place to nobody else"
)]
fn a_slot_whose_handshake_is_not_complete_goes_to_who_is_really_there() {
    let mut world = World::new(8);
    let server = world.server(1);
    let half = newcomer(&mut world, server);
    world.step(FRAME);
    world.vanish(half);
    let late = newcomer(&mut world, server);
    assert!(world.run_until(2 * SECOND, |world| is_in(world, late)));
}

#[test]
fn of_two_for_one_slot_the_second_is_told_once_the_first_is_in() {
    let mut world = World::new(9);
    let server = world.server(1);
    let first = newcomer(&mut world, server);
    let second = newcomer(&mut world, server);
    world.run(TOLD + SECOND / 2);
    assert!(is_in(&world, first));
    assert!(is_refused(&world, second));
}

#[test]
fn a_full_server_that_refuses_says_so_at_once() {
    for mut world in worlds(10) {
        let (server, clients) = full(&mut world, 1);
        world.vanish(clients[0]);
        world.session_mut(server).set_refuse_new_connections(true);
        let late = newcomer(&mut world, server);
        world.run(4 * FRAME);
        assert!(is_refused(&world, late));
    }
}

/// A refused client's slot is free again before the next one asks.
#[test]
fn clients_that_are_turned_away_take_no_slot() {
    let mut world = World::new(11);
    let (server, _) = full(&mut world, 1);
    let server_address = world.address(server);
    let open = world.server(1);
    world.session_mut(open).set_refuse_new_connections(true);
    for _ in 0..4 {
        let address = world.address(open);
        let refused = world.client(address);
        assert!(world.run_until(SECOND, |world| world.status(refused) == Status::Disconnected));
        assert_eq!(world.session(refused).connection_error(), Some(ConnectionError::ClosedByServer));
    }
    world.session_mut(open).set_refuse_new_connections(false);
    world.connect(open);
    let late = world.client(server_address);
    assert!(world.run_until(TOLD, |world| is_refused(world, late)));
}

#[test]
fn peers_on_a_slow_and_lossy_path_answer_too() {
    let mut world = World::new(12);
    world.set_links(Link { loss: 0.1, ..Link::delayed(Duration::from_millis(150)) });
    let (server, _) = full(&mut world, 4);
    let late = newcomer(&mut world, server);
    assert!(world.run_until(8 * SECOND, |world| is_refused(world, late)));
}

/// Nobody gets more than one answer, and only some are remembered.
#[test]
fn a_flood_of_requests_is_answered_once_each_at_most() {
    let mut world = World::new(13);
    let (server, clients) = full(&mut world, 2);
    world.session_mut(server).set_address_proof(AddressProof::Never);
    world.record();
    let (from, to) = (world.address(clients[0]), world.address(server));
    let stranger = newcomer(&mut world, server);
    let source = world.address(stranger);
    world.step(FRAME);
    let request = world.take_recorded().into_iter().find(|sent| sent.from == source && sent.to == to);
    let request = request.expect("its request").bytes;
    world.vanish(stranger);
    world.run(2 * SECOND);
    world.take_recorded();
    let before = world.counters(server).dropped(Dropped::ServerFull);
    let mut flood = source;
    for port in 20_000..24_000 {
        flood.set_port(port);
        world.inject(flood, to, &request);
        world.inject(flood, to, &request);
    }
    world.run(5 * SECOND);
    assert_eq!(world.counters(server).dropped(Dropped::ServerFull) - before, 8000);
    let sent = world.take_recorded();
    let answers = sent.iter().filter(|sent| sent.from == to && sent.to.ip() == flood.ip() && sent.to != from);
    assert!((1..=256).contains(&answers.count()));
    // The next one is told again.
    let late = newcomer(&mut world, server);
    assert!(world.run_until(TOLD, |world| is_refused(world, late)));
}
