//! A server answers those who ask without a connection, as much as it should and not more.

use std::net::SocketAddr;
use std::time::Duration;

use nme_core::admission::{AccessChange, AddressRange};
use nme_core::counters::Dropped;
use nme_core::query::{
    Answer, Browser, BrowserEvent, QUESTION_LEN, QueryInfo, Question, Route, Server, Value, is_query,
};
use nme_netem::{Link, Random};
use nme_testing::world::{HostId, World};

const SECOND: Duration = Duration::from_secs(1);

fn info() -> QueryInfo {
    let text = |text: &str| Value::Text(text.to_owned());
    QueryInfo::new(&[(text("name"), text("The Arena")), (text("round"), Value::Int(3))]).expect("short")
}

/// A server that answers.
fn open_server(world: &mut World, max_clients: i64) -> HostId {
    let server = world.server(max_clients);
    world.session_mut(server).set_query_info(Some(info()));
    server
}

/// Sends a datagram and answers what comes back within a second.
fn send(world: &mut World, from: SocketAddr, server: HostId, datagram: &[u8]) -> Vec<Vec<u8>> {
    let to = world.address(server);
    world.inject(from, to, datagram);
    world.run(SECOND);
    std::iter::from_fn(|| world.receive_at(from)).map(|(_, bytes)| bytes).collect()
}

/// Whether a question is answered.
fn is_answered(world: &mut World, from: SocketAddr, server: HostId) -> bool {
    let question = Question { nonce: 77 };
    let answers = send(world, from, server, &question.write());
    answers.iter().filter_map(|answer| Answer::read(answer)).any(|answer| answer.nonce == 77)
}

/// Asks until there is an event.
fn ask(world: &mut World, server: HostId, timeout: Duration) -> Option<Server> {
    let (here, to) = (world.new_address(), world.address(server));
    let mut browser = Browser::new([3; 16]);
    browser.query(world.now(), Route { socket: 0, to }, timeout).expect("asked");
    loop {
        let now = world.now();
        while let Some((from, bytes)) = world.receive_at(here) {
            browser.receive(now, from, &bytes);
        }
        browser.handle_timeout(now);
        match browser.poll_event() {
            Some(BrowserEvent::Found(_, server)) => return Some(server),
            Some(BrowserEvent::Failed(_)) => return None,
            None => {}
        }
        for (route, question) in browser.due(now) {
            world.inject(here, route.to, &question.write());
        }
        world.step(Duration::from_millis(5));
    }
}

#[test]
fn a_server_tells_who_plays_and_what_the_game_says() {
    let mut world = World::new(1);
    world.set_links(Link { latency: Duration::from_millis(30), ..Link::default() });
    let server = open_server(&mut world, 3);
    let clients = [world.connect(server), world.connect(server)];
    let found = ask(&mut world, server, SECOND).expect("an answer");
    assert_eq!((found.players, found.max_players), (2, 3));
    assert_eq!((found.is_refusing, found.is_encrypted), (false, false));
    assert_eq!((found.address, found.info), (world.address(server), info()));
    assert!((60..100).contains(&found.round_trip.as_millis()), "{:?}", found.round_trip);
    // Nobody has noticed.
    assert_eq!(world.known(server).len(), 2);
    assert_eq!(world.session(server).admission_counters().half_open, 0);
    world.assert_talking(server, clients[0]);

    world.session_mut(server).set_refuse_new_connections(true);
    world.close(clients[1]);
    world.run(SECOND);
    let found = ask(&mut world, server, SECOND).expect("an answer");
    assert_eq!((found.players, found.is_refusing), (1, true));
}

#[test]
fn a_full_server_answers() {
    let mut world = World::new(1);
    let server = open_server(&mut world, 1);
    world.connect(server);
    let found = ask(&mut world, server, SECOND).expect("an answer");
    assert_eq!((found.players, found.max_players), (1, 1));
}

#[test]
fn only_a_server_that_wants_to_answers() {
    let mut world = World::new(1);
    let server = world.server(4);
    let client = world.connect(server);
    let stranger = world.new_address();
    assert!(!is_answered(&mut world, stranger, server));
    assert_eq!(world.counters(server).dropped(Dropped::Query), 1);
    world.session_mut(server).set_query_info(Some(info()));
    world.session_mut(client).set_query_info(Some(info()));
    assert!(is_answered(&mut world, stranger, server));
    assert!(!is_answered(&mut world, stranger, client));
    assert_eq!(world.counters(client).dropped(Dropped::Query), 1);
    world.session_mut(server).set_query_info(None);
    assert!(!is_answered(&mut world, stranger, server));
    assert_eq!(world.counters(server).queries_answered, 1);
}

#[test]
fn an_encrypted_server_answers_in_plain() {
    let mut world = World::new(1);
    world.secure(37);
    let server = open_server(&mut world, 4);
    let client = world.connect(server);
    let found = ask(&mut world, server, SECOND).expect("an answer");
    assert_eq!((found.players, found.is_encrypted), (1, true));
    world.assert_talking(server, client);
}

#[test]
fn lost_questions_are_asked_again() {
    let mut world = World::new(5);
    world.set_links(Link { loss: 0.5, ..Link::default() });
    let server = open_server(&mut world, 4);
    let answered = (0..50).filter(|_| ask(&mut world, server, 5 * SECOND).is_some()).count();
    // Five questions, of which each has a quarter of a chance.
    assert!(answered > 25, "{answered} of 50");
}

#[test]
fn an_address_gets_so_many_answers_and_all_together_too() {
    let mut world = World::new(1);
    let server = open_server(&mut world, 4);
    let to = world.address(server);
    let question = Question { nonce: 1 }.write();
    let flood = |world: &mut World, from: SocketAddr| {
        (0..200).for_each(|_| world.inject(from, to, &question));
        world.run(SECOND / 20);
        std::iter::from_fn(|| world.receive_at(from)).count()
    };
    world.run(SECOND);
    let strangers: Vec<_> = (0..40).map(|_| world.new_address()).collect();
    let of_one = flood(&mut world, strangers[0]);
    assert!((50..53).contains(&of_one), "{of_one}");
    let of_all: usize = strangers[1..].iter().map(|from| flood(&mut world, *from)).sum();
    // 350 at once that are left, and 200 a second.
    assert!((650..900).contains(&of_all), "{of_all}");
    let (answered, dropped) =
        (world.counters(server).queries_answered, world.counters(server).dropped(Dropped::QueryRate));
    assert_eq!(answered + dropped, 40 * 200);
    world.run(10 * SECOND);
    assert!(is_answered(&mut world, strangers[0], server));
    world.connect(server);
}

#[test]
fn who_is_kept_out_gets_no_answer() {
    let mut world = World::new(1);
    let server = open_server(&mut world, 4);
    let stranger = world.new_address();
    let range: AddressRange = stranger.ip().to_string().parse().expect("an address");
    world.session_mut(server).change_access_list(AccessChange::Deny(range));
    assert!(!is_answered(&mut world, stranger, server));
    world.session_mut(server).change_access_list(AccessChange::Remove(range));
    assert!(is_answered(&mut world, stranger, server));
}

#[test]
fn what_is_no_question_has_no_answer() {
    let mut world = World::new(1);
    let server = open_server(&mut world, 4);
    let client = world.connect(server);
    let stranger = world.new_address();
    let question = Question { nonce: 77 }.write();
    let [answer] = &send(&mut world, stranger, server, &question)[..] else { panic!("one answer") };
    assert!(answer.len() <= QUESTION_LEN);
    let to = world.address(server);
    // An answer is none, so that two servers never talk with each other; nor is what would make the answer longer.
    let mut wrong = vec![answer.clone(), question[..QUESTION_LEN - 1].to_vec(), question[..20].to_vec()];
    let mut random = Random::new(7);
    for _ in 0..2000 {
        let mut bytes = question[..random.within(0..QUESTION_LEN)].to_vec();
        for _ in 0..random.within(0..4) {
            if !bytes.is_empty() {
                let place = random.within(0..bytes.len());
                bytes[place] = random.bits() as u8;
            }
        }
        wrong.push(bytes);
    }
    for bytes in &wrong {
        world.inject(stranger, to, bytes);
        world.step(Duration::from_millis(1));
    }
    world.run(SECOND);
    while let Some((_, bytes)) = world.receive_at(stranger) {
        assert!(!is_query(&bytes));
    }
    assert_eq!(world.counters(server).queries_answered, 1);
    world.assert_talking(server, client);
}
