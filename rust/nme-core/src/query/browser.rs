//! The asking side: which questions are open, when each is repeated, and which answers count.
//!
//! An answer counts when it has the nonce of an open question, which only who saw that can know; and where one server was
//! asked, when it comes from there.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use siphasher::sip::SipHasher24;
use thiserror::Error;

use super::value::QueryInfo;
use super::wire::{Answer, Question};

/// Everything that is being asked.
#[derive(Debug)]
pub struct Browser {
    key: [u8; 16],
    /// Queries since the beginning.
    begun: u64,
    /// By nonce, without the number of the attempt in its lowest byte.
    open: BTreeMap<u64, Query>,
    events: VecDeque<BrowserEvent>,
    dropped: u64,
}

/// The name of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(u64);

/// Where a question goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The number that its owner gives to the socket.
    pub socket: usize,
    /// A server, or many by broadcast.
    pub to: SocketAddr,
}

/// What has come of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum BrowserEvent {
    /// A server has answered.
    Found(QueryId, Server),
    /// The server has not answered in time.
    Failed(QueryId),
}

/// A server that has answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Where it is.
    pub address: SocketAddr,
    /// Clients that are connected.
    pub players: u16,
    /// Clients that may be.
    pub max_players: u16,
    /// It takes no new clients.
    pub is_refusing: bool,
    /// Connections to it are encrypted with DTLS.
    pub is_encrypted: bool,
    /// From the question to the answer.
    pub round_trip: Duration,
    /// What the game says.
    pub info: QueryInfo,
}

/// Too much is being asked.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "{MAX_QUERIES} queries are under way, which is all there can be; wait for answers before the next ones"
)]
pub struct BrowserFull;

/// A question that is open.
#[derive(Debug)]
struct Query {
    id: QueryId,
    routes: Vec<Route>,
    /// When it was asked, the first time and again.
    asked: Vec<Duration>,
    /// When it is to be asked next.
    next: Duration,
    deadline: Duration,
    /// With a broadcast: the numbers of the servers that have answered.
    found: Option<BTreeSet<u64>>,
}

impl Browser {
    /// A browser that asks nothing. `key` is 128 random bits from the operating system, which the nonces are made from.
    #[must_use]
    pub const fn new(key: [u8; 16]) -> Self {
        Self { key, begun: 0, open: BTreeMap::new(), events: VecDeque::new(), dropped: 0 }
    }

    /// Asks one server, until it answers or the time is over.
    ///
    /// # Errors
    /// When too much is being asked.
    pub fn query(&mut self, now: Duration, route: Route, timeout: Duration) -> Result<QueryId, BrowserFull> {
        self.begin(now, vec![route], timeout, None)
    }

    /// Asks whoever hears it on these ways, until the time is over. A server that answers on several ways counts once.
    ///
    /// # Errors
    /// When too much is being asked.
    pub fn discover(
        &mut self,
        now: Duration,
        routes: Vec<Route>,
        timeout: Duration,
    ) -> Result<QueryId, BrowserFull> {
        self.begin(now, routes, timeout, Some(BTreeSet::new()))
    }

    fn begin(
        &mut self,
        now: Duration,
        routes: Vec<Route>,
        timeout: Duration,
        found: Option<BTreeSet<u64>>,
    ) -> Result<QueryId, BrowserFull> {
        if self.open.len() >= MAX_QUERIES {
            return Err(BrowserFull);
        }
        let id = QueryId(self.begun);
        let query = Query { id, routes, asked: Vec::new(), next: now, deadline: now + timeout, found };
        loop {
            let nonce = SipHasher24::new_with_key(&self.key).hash(&self.begun.to_le_bytes()) & !ATTEMPT;
            self.begun += 1;
            if let Entry::Vacant(place) = self.open.entry(nonce) {
                place.insert(query);
                return Ok(id);
            }
        }
    }

    /// The questions that are due, each with its way. Each is asked again in longer and longer pauses.
    pub fn due(&mut self, now: Duration) -> Vec<(Route, Question)> {
        let mut due = Vec::new();
        for (nonce, query) in &mut self.open {
            if now < query.next || query.asked.len() >= MAX_ATTEMPTS {
                continue;
            }
            let question = Question { nonce: nonce | query.asked.len() as u64 };
            due.extend(query.routes.iter().map(|route| (*route, question)));
            query.next = now + FIRST_PAUSE * (1 << query.asked.len());
            query.asked.push(now);
        }
        due
    }

    /// Takes a datagram. What is no answer to an open question is counted, and that is all.
    pub fn receive(&mut self, now: Duration, from: SocketAddr, datagram: &[u8]) {
        if self.take(now, from, datagram).is_none() {
            self.dropped += 1;
        }
    }

    fn take(&mut self, now: Duration, from: SocketAddr, datagram: &[u8]) -> Option<()> {
        let answer = Answer::read(datagram)?;
        let nonce = answer.nonce & !ATTEMPT;
        let query = self.open.get_mut(&nonce)?;
        let asked = *query.asked.get((answer.nonce & ATTEMPT) as usize)?;
        let info = QueryInfo::read(answer.info)?;
        let server = Server {
            address: from,
            players: answer.players,
            max_players: answer.max_players,
            is_refusing: answer.is_refusing,
            is_encrypted: answer.is_encrypted,
            round_trip: now.saturating_sub(asked),
            info,
        };
        let id = query.id;
        match &mut query.found {
            Some(found) => {
                // That it answers again, to a repeated question or on another way, is nothing bad.
                if found.len() >= MAX_FOUND || !found.insert(answer.server) {
                    return Some(());
                }
            }
            None => {
                query.routes.iter().find(|route| route.to == from)?;
                self.open.remove(&nonce);
            }
        }
        self.events.push_back(BrowserEvent::Found(id, server));
        Some(())
    }

    /// Ends the queries whose time is over, once everything that has come is received.
    pub fn handle_timeout(&mut self, now: Duration) {
        let over = self.open.extract_if(.., |_, query| now >= query.deadline);
        let failed = over.filter(|(_, query)| query.found.is_none());
        self.events.extend(failed.map(|(_, query)| BrowserEvent::Failed(query.id)));
    }

    /// The next thing that has come of a query.
    pub fn poll_event(&mut self) -> Option<BrowserEvent> {
        self.events.pop_front()
    }

    /// True when nothing is being asked. There may be events still.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Forgets everything that is being asked, without events.
    pub fn stop(&mut self) {
        self.open.clear();
        self.events.clear();
    }

    /// Datagrams that were no answers to open questions: late ones, and those of strangers.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// The most questions that are open at once.
const MAX_QUERIES: usize = 1024;

/// The most servers that one search reports.
const MAX_FOUND: usize = 1024;

/// The bits of a nonce that say how often the question was asked before.
const ATTEMPT: u64 = 0xff;

/// Until a question is asked the second time; each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(300);

/// How often a question is asked. The last pause is longer than any timeout.
const MAX_ATTEMPTS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{QUESTION_LEN, Value};

    const SECOND: Duration = Duration::from_secs(1);

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn route(to: &str) -> Route {
        Route { socket: 0, to: address(to) }
    }

    fn info() -> QueryInfo {
        QueryInfo::new(&[(Value::Text("name".into()), Value::Text("here".into()))]).unwrap()
    }

    fn answer(question: Question, server: u64) -> Vec<u8> {
        let info = info();
        let Question { nonce } = question;
        let (players, max_players, is_refusing, is_encrypted) = (2, 8, false, true);
        Answer { nonce, server, players, max_players, is_refusing, is_encrypted, info: info.bytes() }.write()
    }

    fn events(browser: &mut Browser) -> Vec<BrowserEvent> {
        std::iter::from_fn(|| browser.poll_event()).collect()
    }

    #[test]
    fn a_server_answers_and_the_time_it_took_is_known() {
        let mut browser = Browser::new([1; 16]);
        let id = browser.query(SECOND, route("192.0.2.1:4242"), SECOND).unwrap();
        let asked = browser.due(SECOND);
        assert_eq!(asked[0].0, route("192.0.2.1:4242"));
        assert_eq!(browser.due(SECOND), []);
        let later = SECOND + Duration::from_millis(40);
        browser.receive(later, address("192.0.2.1:4242"), &answer(asked[0].1, 9));
        let server = Server {
            address: address("192.0.2.1:4242"),
            players: 2,
            max_players: 8,
            is_refusing: false,
            is_encrypted: true,
            round_trip: Duration::from_millis(40),
            info: info(),
        };
        assert_eq!(events(&mut browser), [BrowserEvent::Found(id, server)]);
        assert!(browser.is_idle());
    }

    #[test]
    fn it_is_asked_again_until_the_time_is_over() {
        let mut browser = Browser::new([1; 16]);
        let id = browser.query(Duration::ZERO, route("192.0.2.1:4242"), 3 * SECOND).unwrap();
        let mut asked = Vec::new();
        for millis in 0..=3000 {
            let now = Duration::from_millis(millis);
            asked.extend(browser.due(now).iter().map(|(_, question)| (millis, question.nonce)));
            browser.handle_timeout(now);
        }
        assert_eq!(asked.iter().map(|(millis, _)| *millis).collect::<Vec<_>>(), [0, 300, 900, 2100]);
        assert_eq!(events(&mut browser), [BrowserEvent::Failed(id)]);
        assert!(browser.is_idle());
    }

    #[test]
    fn an_answer_to_the_repeated_question_has_its_round_trip() {
        let mut browser = Browser::new([1; 16]);
        browser.query(Duration::ZERO, route("192.0.2.1:4242"), 3 * SECOND).unwrap();
        browser.due(Duration::ZERO);
        let again = browser.due(Duration::from_millis(300))[0].1;
        browser.receive(Duration::from_millis(310), address("192.0.2.1:4242"), &answer(again, 1));
        let Some(BrowserEvent::Found(_, server)) = browser.poll_event() else { panic!("not found") };
        assert_eq!(server.round_trip, Duration::from_millis(10));
    }

    #[test]
    fn what_nobody_asked_for_does_not_count() {
        let mut browser = Browser::new([1; 16]);
        let from = address("192.0.2.1:4242");
        browser.query(SECOND, route("192.0.2.1:4242"), SECOND).unwrap();
        let question = browser.due(SECOND)[0].1;
        let good = answer(question, 1);
        // Another nonce, an attempt that has not been, another sender, another version, no dictionary, a question.
        for nonce in [question.nonce ^ (1 << 40), question.nonce + 1, question.nonce + 0xff] {
            browser.receive(SECOND, from, &answer(Question { nonce }, 1));
        }
        browser.receive(SECOND, address("192.0.2.2:4242"), &good);
        browser.receive(SECOND, address("192.0.2.1:4243"), &good);
        browser.receive(SECOND, from, &good[..good.len() - 1]);
        browser.receive(SECOND, from, &question.write());
        browser.receive(SECOND, from, b"");
        assert_eq!((events(&mut browser), browser.dropped()), (Vec::new(), 8));
        browser.receive(SECOND, from, &good);
        browser.receive(SECOND, from, &good);
        assert_eq!((events(&mut browser).len(), browser.dropped()), (1, 9));
    }

    #[test]
    fn a_search_finds_each_server_once() {
        let mut browser = Browser::new([1; 16]);
        let routes = vec![route("255.255.255.255:4242"), Route { socket: 1, to: address("127.0.0.1:4242") }];
        browser.discover(Duration::ZERO, routes.clone(), SECOND).unwrap();
        let asked = browser.due(Duration::ZERO);
        assert_eq!(asked.iter().map(|(route, _)| *route).collect::<Vec<_>>(), routes);
        for (server, from) in [(1, "192.0.2.1:4242"), (2, "192.0.2.2:4242"), (1, "127.0.0.1:4242")] {
            browser.receive(Duration::ZERO, address(from), &answer(asked[0].1, server));
        }
        assert_eq!(events(&mut browser).len(), 2);
        browser.handle_timeout(SECOND);
        assert_eq!(events(&mut browser), []);
        assert!(browser.is_idle());
        assert_eq!(browser.dropped(), 0);
    }

    #[test]
    fn memory_is_bounded() {
        let mut browser = Browser::new([1; 16]);
        browser.discover(Duration::ZERO, vec![route("255.255.255.255:4242")], SECOND).unwrap();
        let question = browser.due(Duration::ZERO)[0].1;
        for server in 0..5000 {
            browser.receive(Duration::ZERO, address("192.0.2.1:4242"), &answer(question, server));
        }
        assert_eq!(events(&mut browser).len(), MAX_FOUND);
        for _ in 1..MAX_QUERIES {
            browser.query(Duration::ZERO, route("192.0.2.1:4242"), SECOND).unwrap();
        }
        let one_more = browser.query(Duration::ZERO, route("192.0.2.1:4242"), SECOND);
        assert_eq!(one_more, Err(BrowserFull));
        browser.stop();
        assert!(browser.is_idle());
        assert!(answer(question, 0).len() < QUESTION_LEN);
    }
}
