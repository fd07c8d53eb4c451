//! Forged requests: nobody who is in notices, who is real gets in, and no address is sent more than came from it.

#![expect(clippy::print_stdout, reason = "the figures of a flood are worth a look")]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use nme_core::admission::{AccessList, AddressProof, Outcome, RateLimit};
use nme_core::channel::TransferMode;
use nme_core::codec::Compression;
use nme_core::session::{ConnectionError, Event, Session, Status};
use nme_netem::{Link, Random};
use nme_testing::raw_peer::RawConfig;
use nme_testing::world::{FRAME, HostId, World};

const SECOND: Duration = Duration::from_secs(1);

/// What IPv4 and UDP add to a datagram, in bytes.
const HEADERS: usize = 28;

/// A connect request of 3.6, not compressed.
fn request(connect_id: u32, sent_time: u16) -> Vec<u8> {
    let mut bytes = vec![0x8f, 0xff];
    bytes.extend(sent_time.to_be_bytes());
    bytes.extend([0x82, 0xff, 0, 1, 0, 0, 0xff, 0xff]);
    for field in [1392, 65536, 3, 0, 0, 5000, 2, 2, connect_id, connect_id | 2] {
        bytes.extend(u32::to_be_bytes(field));
    }
    bytes
}

/// Somebody who writes other addresses into his datagrams.
struct Forger {
    addresses: u32,
    next: u32,
    /// Bytes by address, with headers: to the server, and from it.
    bytes: BTreeMap<SocketAddr, (usize, usize)>,
}

impl Forger {
    fn new(addresses: u32) -> Self {
        Self { addresses, next: 0, bytes: BTreeMap::new() }
    }

    fn address(number: u32) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::from(0xc612_0000 + number / 50_000), 10_000 + (number % 50_000) as u16))
    }

    fn send(&mut self, world: &mut World, server: SocketAddr) {
        let from = Self::address(self.next % self.addresses);
        let bytes = request(0x1000_0000 + self.next, self.next as u16);
        self.bytes.entry(from).or_default().0 += bytes.len() + HEADERS;
        world.inject(from, server, &bytes);
        self.next += 1;
    }

    /// Counts what the server has sent to the addresses.
    fn count(&mut self, world: &mut World, server: SocketAddr) {
        for sent in world.take_recorded() {
            if sent.from == server && sent.to.ip().to_string().starts_with("198.18.") {
                self.bytes.entry(sent.to).or_default().1 += sent.bytes.len() + HEADERS;
            }
        }
    }

    fn sums(&self) -> (usize, usize) {
        self.bytes.values().fold((0, 0), |sum, bytes| (sum.0 + bytes.0, sum.1 + bytes.1))
    }
}

/// Eight players at work on a server.
struct Game {
    world: World,
    server: HostId,
    players: Vec<HostId>,
    sent: u32,
}

impl Game {
    fn new(seed: u64, places: i64, proof: AddressProof) -> Self {
        let mut world = World::new(seed);
        world.set_links(Link::delayed(Duration::from_millis(20)));
        let server = world.server(places);
        world.session_mut(server).set_address_proof(proof);
        let players = (0..8).map(|_| world.connect(server)).collect();
        world.record();
        Self { world, server, players, sent: 0 }
    }

    /// Frames in which every player sends, and a forger this much.
    fn run(&mut self, time: Duration, forger: &mut Forger, rate: u32) {
        self.run_until(time, forger, rate, |_| false);
    }

    fn run_until(
        &mut self,
        time: Duration,
        forger: &mut Forger,
        rate: u32,
        mut is_over: impl FnMut(&World) -> bool,
    ) -> bool {
        let (to, end) = (self.world.address(self.server), self.world.now() + time);
        let mut due = 0;
        while self.world.now() < end {
            if is_over(&self.world) {
                return true;
            }
            due += rate * FRAME.as_millis() as u32;
            for _ in 0..due / 1000 {
                forger.send(&mut self.world, to);
            }
            due %= 1000;
            for player in &self.players {
                self.world
                    .send(*player, 1, TransferMode::Reliable, &self.sent.to_le_bytes())
                    .expect("it is in");
            }
            self.sent += 1;
            self.world.step(FRAME);
            forger.count(&mut self.world, to);
        }
        is_over(&self.world)
    }

    /// Nobody was lost, nor any packet.
    fn check(&mut self) {
        self.world.run(SECOND);
        for player in &self.players {
            assert_eq!(self.world.status(*player), Status::Connected);
        }
        let packets = self.world.take_packets(self.server);
        for player in &self.players {
            let id = self.world.id(*player);
            assert_eq!(packets.iter().filter(|packet| packet.from == id).count(), self.sent as usize);
        }
    }
}

fn is_in(world: &World, client: HostId) -> bool {
    world.status(client) == Status::Connected
}

fn count(world: &World, server: HostId, outcome: Outcome) -> u64 {
    world.session(server).admission_counters().count(outcome)
}

/// A flood for 30 s: players, newcomers of both engines, bytes, and the places behind it.
fn flood(seed: u64, places: i64, addresses: u32, rate: u32, proof: AddressProof) {
    let what = format!("{places} places, {addresses} addresses, {rate}/s, {proof:?}");
    let mut game = Game::new(seed, places, proof);
    let mut forger = Forger::new(addresses);
    game.run(5 * SECOND, &mut forger, rate);
    let to = game.world.address(game.server);
    let ours = game.world.client(to);
    assert!(game.run_until(5 * SECOND, &mut forger, rate, |world| is_in(world, ours)), "{what}");
    let stock = game.world.raw(RawConfig::default());
    game.world.raw_connect(stock, to, 4321);
    let is_stock_in = |world: &World| world.raw_ref(stock).is_connected(0);
    assert!(game.run_until(5 * SECOND, &mut forger, rate, is_stock_in), "{what}");
    game.run(15 * SECOND, &mut forger, rate);
    let counters = game.world.session(game.server).admission_counters();
    assert!(counters.demands_proof, "{what}");
    let (bytes_in, bytes_out) = forger.sums();
    println!("{what}: {bytes_in} bytes in, {bytes_out} out; {counters:?}");
    assert!(bytes_out <= bytes_in, "{what}");
    if proof == AddressProof::Always {
        assert!(forger.bytes.values().all(|(bytes_in, bytes_out)| bytes_out <= bytes_in), "{what}");
        assert_eq!(counters.half_open, 0, "{what}");
    }
    game.check();
    assert!(game.world.raw_ref(stock).is_connected(0));
    // The places are free at once.
    let free = places.min(60) - 10;
    let late: Vec<_> = (0..free).map(|_| game.world.client(to)).collect();
    assert!(
        game.world.run_until(5 * SECOND, |world| late.iter().all(|client| is_in(world, *client))),
        "{what}"
    );
}

#[test]
#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet repeats its answer to a request that may be forged, and gives its place to nobody else"
)]
fn a_flood_from_one_address_keeps_nobody_out() {
    flood(1, 32, 1, 1000, AddressProof::Auto);
    flood(2, 4095, 1, 1000, AddressProof::Always);
}

#[test]
#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet repeats its answer to a request that may be forged, and gives its place to nobody else"
)]
fn a_flood_from_thousands_of_addresses_keeps_nobody_out() {
    flood(3, 32, 5000, 1000, AddressProof::Always);
    flood(4, 32, 5000, 1000, AddressProof::Auto);
    flood(5, 4095, 5000, 1000, AddressProof::Auto);
}

#[test]
#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet repeats its answer to a request that may be forged, and gives its place to nobody else"
)]
fn a_large_flood_keeps_nobody_out() {
    flood(6, 32, 100_000, 10_000, AddressProof::Auto);
    flood(7, 4095, 1, 10_000, AddressProof::Auto);
}

#[test]
#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet repeats its answer to a request that may be forged, and gives its place to nobody else"
)]
fn a_trickle_keeps_nobody_out() {
    let mut game = Game::new(8, 32, AddressProof::Auto);
    let mut forger = Forger::new(5000);
    game.run(60 * SECOND, &mut forger, 1);
    let to = game.world.address(game.server);
    let (bytes_in, bytes_out) = forger.sums();
    println!("a trickle: {bytes_in} bytes in, {bytes_out} out");
    assert!(bytes_out <= bytes_in);
    let late: Vec<_> = (0..24).map(|_| game.world.client(to)).collect();
    let all_in = |world: &World| late.iter().all(|client| is_in(world, *client));
    assert!(game.run_until(5 * SECOND, &mut forger, 1, all_in));
    game.check();
}

/// An address that never answers: two answers to one request at most, and never more than twice its bytes.
#[test]
#[cfg_attr(
    feature = "reference-engine",
    ignore = "stock ENet repeats its answer to a request that may be forged, and gives its place to nobody else"
)]
fn an_unanswered_handshake_is_no_amplifier() {
    for compression in [Compression::None, Compression::RangeCoder] {
        let mut world = World::new(9);
        let config = world.config().compression(compression);
        let server = world.server_with(&config, 32);
        world.session_mut(server).set_address_proof(AddressProof::Never);
        let to = world.address(server);
        world.record();
        let mut client = Session::client(&config, None);
        client.connect(world.now(), to);
        client.flush(world.now());
        let request = client.transmit().iter().next().expect("a request").1.to_vec();
        let from = Forger::address(0);
        world.inject(from, to, &request);
        world.run(40 * SECOND);
        let answers: Vec<_> = world.take_recorded().into_iter().filter(|sent| sent.to == from).collect();
        let bytes_in = request.len() + HEADERS;
        let bytes_out: usize = answers.iter().map(|sent| sent.bytes.len() + HEADERS).sum();
        println!("{compression:?}: {bytes_in} bytes in, {bytes_out} out");
        assert_eq!(answers.len(), 2);
        assert!(bytes_out <= bytes_in * 21 / 10, "{bytes_in} {bytes_out}");
    }
}

/// Somebody who sees none of the server's datagrams, and guesses.
#[test]
fn a_blind_connection_never_becomes_a_peer() {
    let mut game = Game::new(10, 32, AddressProof::Always);
    let (to, mut random) = (game.world.address(game.server), Random::new(5));
    for number in 0..200 {
        let from = Forger::address(number);
        game.world.inject(from, to, &request(number + 1, 0));
        for _ in 0..50 {
            let [a, b, c, d, e, f, ..] = random.bits().to_be_bytes();
            let proof = [0x0f, 0xff, 1, 0xff, a, b, a, b, e, f, 1, 0xff, c, d, c, d, e, f];
            game.world.inject(from, to, &proof);
            // The acknowledgement of an answer to the request, which never left.
            game.world.inject(from, to, &[0, (number % 32) as u8, 1, 0xff, 0, 1, 0, 1, e, f]);
        }
        game.world.step(FRAME);
    }
    game.world.run(SECOND);
    assert_eq!(game.world.known(game.server).len(), 8);
    assert_eq!(count(&game.world, game.server, Outcome::WrongProof), 10_000);
    assert_eq!(count(&game.world, game.server, Outcome::Challenged), 200 + 8);
    assert_eq!(game.world.session(game.server).admission_counters().half_open, 0);
    game.check();
}

/// What a client answers, changed in any way.
#[test]
fn mangled_answers_are_no_answers() {
    let mut game = Game::new(11, 32, AddressProof::Always);
    let (to, mut random) = (game.world.address(game.server), Random::new(6));
    let good = [0x0f, 0xff, 1, 0xff, 2, 3, 2, 3, 8, 9, 1, 0xff, 4, 5, 4, 5, 8, 9];
    for number in 0..20_000_u32 {
        let mut bytes = good.to_vec();
        for _ in 0..=random.bits() % 4 {
            let [choice, at, value, ..] = random.bits().to_be_bytes();
            let at = usize::from(at) % bytes.len().max(1);
            match choice % 6 {
                0 => bytes.truncate(at),
                1 => bytes.extend_from_slice(&good[2..]),
                2 => bytes.extend(request(number, 5)),
                3 => bytes.insert(at, value),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = value),
            }
            if bytes.is_empty() {
                bytes.push(0x0f);
            }
        }
        game.world.inject(Forger::address(number), to, &bytes);
        if number % 50 == 0 {
            game.world.step(FRAME);
        }
    }
    game.world.run(SECOND);
    assert_eq!(count(&game.world, game.server, Outcome::Proven), 8);
    game.check();
}

#[test]
fn who_is_asked_for_proof_is_in_one_round_trip_later() {
    for proof in [AddressProof::Never, AddressProof::Always] {
        let mut world = World::new(12);
        world.set_links(Link::delayed(Duration::from_millis(50)));
        let server = world.server(4);
        world.session_mut(server).set_address_proof(proof);
        let begin = world.now();
        let client = world.connect(server);
        let took = world.now() - begin;
        let trips = if proof == AddressProof::Never { 2 } else { 3 };
        assert!(took < trips * Duration::from_millis(100) + 6 * FRAME, "{proof:?}: {took:?}");
        let id = world.id(client);
        assert_eq!(world.known(server).iter().collect::<Vec<_>>(), [&id]);
    }
}

#[test]
fn a_lost_challenge_costs_a_repetition() {
    let mut world = World::new(13);
    world.set_links(Link { loss: 0.1, ..Link::delayed(Duration::from_millis(20)) });
    let server = world.server(64);
    world.session_mut(server).set_address_proof(AddressProof::Always);
    for _ in 0..20 {
        world.connect(server);
    }
}

#[test]
fn every_verdict_is_counted_by_its_reason() {
    let mut world = World::new(14);
    let server = world.server(4);
    let to = world.address(server);
    let told = |world: &mut World| {
        let late = world.client(to);
        world.run(SECOND);
        world.session(late).connection_error() == Some(ConnectionError::Refused)
    };
    world.connect(server);
    assert_eq!(count(&world, server, Outcome::Accepted), 1);
    let mut list = AccessList::new();
    list.deny("10.0.0.0/8".parse().expect("a range"));
    world.session_mut(server).set_access_list(list);
    assert!(told(&mut world));
    assert_eq!(count(&world, server, Outcome::Denied), 1);
    world.session_mut(server).set_access_list(AccessList::new());
    world.session_mut(server).set_refuse_new_connections(true);
    let late = world.client(to);
    world.run(SECOND);
    assert_eq!(world.session(late).connection_error(), Some(ConnectionError::ClosedByServer));
    assert_eq!(count(&world, server, Outcome::Refusing), 1);
    world.session_mut(server).set_refuse_new_connections(false);
    world.raw(RawConfig::default());
    let raw = world.raw(RawConfig::default());
    world.raw_connect(raw, to, 0);
    world.run(SECOND);
    assert_eq!(count(&world, server, Outcome::IdTaken), 1);
    for _ in 0..3 {
        world.connect(server);
    }
    assert!(told(&mut world));
    assert!(count(&world, server, Outcome::Waiting) > 0 && count(&world, server, Outcome::Full) > 0);
}

/// Several clients behind one address, as each has a port of its own.
fn behind(world: &mut World, server: HostId, address: SocketAddr, port: u16) -> HostId {
    let config = world.config();
    let mut session = Session::client(&config, None);
    let (now, to) = (world.now(), world.address(server));
    session.connect(now, to);
    world.add_at(SocketAddr::new(address.ip(), port), session)
}

#[test]
fn an_address_has_so_many_connections() {
    let mut world = World::new(15);
    let server = world.server(32);
    world.session_mut(server).set_max_connections_per_address(2);
    let home = world.new_address();
    let clients: Vec<_> = (1..=3).map(|port| behind(&mut world, server, home, port)).collect();
    world.run(SECOND);
    let inside: Vec<_> = clients.iter().filter(|client| is_in(&world, **client)).collect();
    assert_eq!(inside.len(), 2);
    let late = behind(&mut world, server, home, 9);
    world.run(SECOND);
    assert_eq!(world.session(late).connection_error(), Some(ConnectionError::Refused));
    world.close(*inside[0]);
    world.run(SECOND);
    let next = behind(&mut world, server, home, 10);
    world.run(SECOND);
    assert!(is_in(&world, next));
    world.connect(server);
}

#[test]
fn an_address_begins_so_many_connections_and_the_others_a_little_later() {
    let mut world = World::new(16);
    let server = world.server(64);
    world.session_mut(server).set_connection_rate_limit(RateLimit::new(4, 8));
    let home = world.new_address();
    let clients: Vec<_> = (1..=12).map(|port| behind(&mut world, server, home, port)).collect();
    world.run(SECOND / 4);
    assert_eq!(clients.iter().filter(|client| is_in(&world, **client)).count(), 8);
    world.connect(server);
    world.run(4 * SECOND);
    assert!(clients.iter().all(|client| is_in(&world, *client)));
    assert!(count(&world, server, Outcome::AddressRate) > 0);
}

/// Forged requests in somebody's name do not use up what that somebody may do.
#[test]
fn nobody_else_can_use_up_the_rate_of_an_address() {
    let mut world = World::new(17);
    let server = world.server(64);
    world.session_mut(server).set_connection_rate_limit(RateLimit::new(1, 4));
    let (home, to) = (world.new_address(), world.address(server));
    for port in 1..20 {
        world.inject(SocketAddr::new(home.ip(), 100 + port), to, &request(port.into(), 0));
    }
    world.run(2 * SECOND);
    let client = behind(&mut world, server, home, 7);
    world.run(SECOND);
    assert!(is_in(&world, client));
}

#[test]
fn the_game_is_asked_about_proven_addresses() {
    let mut world = World::new(18);
    let server = world.server(4);
    world.session_mut(server).set_asking(true);
    let to = world.address(server);
    world.inject(Forger::address(1), to, &request(7, 0));
    let (wanted, unwanted) = (world.client(to), world.client(to));
    world.run(2 * SECOND);
    let mut ids = BTreeMap::new();
    while let Some(question) = world.session_mut(server).next_question() {
        ids.insert(question.address, question);
    }
    assert_eq!(ids.keys().copied().collect::<Vec<_>>().len(), 2);
    for client in [wanted, unwanted] {
        let question = ids[&world.address(client)];
        assert_eq!(question.id, world.id(client).get() as u32);
        world.session_mut(server).answer_question(question.number, client == wanted);
    }
    world.run(SECOND);
    assert!(is_in(&world, wanted));
    assert_eq!(world.events(unwanted), [Event::ConnectionFailed]);
    assert_eq!(world.session(unwanted).connection_error(), Some(ConnectionError::Refused));
    assert_eq!((count(&world, server, Outcome::Asked), count(&world, server, Outcome::GameRefused)), (2, 1));
}
