//! Who gets a place on a server: each request for a connection is judged here, plain or encrypted, before any memory is
//! taken for it.
//!
//! Anybody can write any address into a datagram. So when requests look like a flood (`alarm`), a stranger is first sent a
//! number (`cookie`) that its client returns if it is really there. Until then nothing is allocated or repeated for it, no
//! place is taken, and what goes there is shorter than what came from there. Its request waits meanwhile (`half_open`).
//! Where it is encrypted, the layer has proven the address already.
//!
//! In this order: the list of addresses (`list`), the proof, connections of the address, rates (`rates`), whether the game
//! takes clients, whether there is a place (`full`), and the game's own opinion (`questions`). Each verdict is counted
//! (`verdict`).

mod alarm;
mod cookie;
mod full;
mod half_open;
mod list;
mod questions;
mod rates;
mod verdict;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::proof::{Answer, Proof};
use nme_enet::{ConnectRequest, Verdict};

use super::connections::Connection;
use alarm::Alarm;
use cookie::Cookies;
use full::FullServer;
use half_open::{HalfOpen, RequestBytes};
pub use list::{AccessChange, AccessList, AddressRange, AddressRangeError};
pub use questions::Question;
use questions::Questions;
pub use rates::RateLimit;
pub(super) use rates::Rates;
pub use verdict::{AdmissionCounters, Outcome};

/// When a client has to prove its address before it gets a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AddressProof {
    /// While more than 64 unproven requests a second come, or a quarter of the places (64 at most) are half-open, and until
    /// it has been calm for 10 s.
    #[default]
    Auto,
    /// Always: each client takes one round trip more to connect.
    Always,
    /// Never: for clients of another ENet that do not answer.
    Never,
}

/// The judge of a server.
#[derive(Debug)]
pub(super) struct Admission {
    /// The game takes no new clients.
    is_refusing: bool,
    proof: AddressProof,
    list: AccessList,
    /// Connections of one address; 0 is no limit.
    address_limit: u16,
    /// The game is asked about each client.
    asks_game: bool,
    alarm: Alarm,
    cookies: Cookies,
    half_open: HalfOpen,
    rates: Rates,
    questions: Questions,
    full: FullServer,
    /// Connections by address.
    connections: BTreeMap<AddressRange, u16>,
    counters: AdmissionCounters,
    /// Datagrams of strangers in this poll.
    strangers: u32,
    /// Known peers wait to be read in this poll.
    hurries: bool,
}

/// What is known of the sender of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// What its datagram says.
    Stranger,
    /// It is where it says.
    Proven,
    /// The same, and it has been judged when its encryption began.
    Encrypted,
    /// The same as proven, and the game wants it.
    Approved,
}

/// What is to happen with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Accept,
    Ignore,
    Refuse,
    /// Its address is asked for proof, and the request waits.
    Challenge(Proof),
    /// The game is asked, and the request waits.
    Ask,
}

impl Decision {
    /// What the engine is to do at once.
    pub(super) const fn verdict(self) -> Verdict {
        match self {
            Self::Accept => Verdict::Accept,
            Self::Refuse => Verdict::Refuse,
            Self::Ignore | Self::Challenge(_) | Self::Ask => Verdict::Ignore,
        }
    }
}

impl Admission {
    pub(super) fn new(places: u16, cookie_key: [u8; 16]) -> Self {
        Self {
            is_refusing: false,
            proof: AddressProof::default(),
            list: AccessList::new(),
            address_limit: 0,
            asks_game: false,
            alarm: Alarm::new(places),
            cookies: Cookies::new(cookie_key),
            half_open: HalfOpen::new(),
            rates: Rates::new(RateLimit::default()),
            questions: Questions::default(),
            full: FullServer::new(places),
            connections: BTreeMap::new(),
            counters: AdmissionCounters::default(),
            strangers: 0,
            hurries: false,
        }
    }

    pub(super) const fn set_refusing(&mut self, refusing: bool) {
        self.is_refusing = refusing;
    }

    pub(super) const fn is_refusing(&self) -> bool {
        self.is_refusing
    }

    pub(super) const fn set_proof(&mut self, proof: AddressProof) {
        self.proof = proof;
    }

    pub(super) const fn set_address_limit(&mut self, limit: u16) {
        self.address_limit = limit;
    }

    pub(super) const fn set_rate_limit(&mut self, limit: RateLimit) {
        self.rates.set(limit);
    }

    pub(super) fn change_list(&mut self, change: AccessChange) {
        self.list.change(change);
    }

    pub(super) fn set_list(&mut self, list: AccessList) {
        self.list = list;
    }

    pub(super) const fn set_asking(&mut self, asks: bool) {
        self.asks_game = asks;
    }

    /// Everything counted so far, with this many half-open connections.
    pub(super) fn counters(&self, half_open: usize) -> AdmissionCounters {
        let mut counters = self.counters;
        (counters.demands_proof, counters.half_open) = (self.demands_proof(), half_open);
        counters
    }

    pub(super) const fn note(&mut self, outcome: Outcome) {
        self.counters.note(outcome);
    }

    /// A poll begins.
    pub(super) fn begin_poll(&mut self, now: Duration) {
        self.strangers = 0;
        self.hurries = false;
        self.alarm.tick(now);
        self.half_open.expire(now);
    }

    /// Much of the poll's time is over: strangers are to wait.
    pub(super) const fn hurry(&mut self) {
        self.hurries = true;
    }

    /// True when one more datagram of a stranger is looked at in this poll.
    pub(super) const fn looks_at_stranger(&mut self) -> bool {
        self.strangers = self.strangers.saturating_add(1);
        let looks = !self.hurries || self.strangers <= MAX_STRANGER_DATAGRAMS;
        if !looks {
            self.note(Outcome::Overload);
        }
        looks
    }

    /// True when no rule about addresses keeps this one out.
    pub(super) fn knows_no_rule_against(&self, from: SocketAddr) -> bool {
        self.list.admits(from.ip())
    }

    /// Judges ENet's request for a connection.
    ///
    /// A server that refuses lets the client in when it has a place, and disconnects it at once: a game of 3.6 expects
    /// `connection_succeeded` and `server_disconnected` then.
    pub(super) fn judge(
        &mut self,
        now: Duration,
        request: &ConnectRequest,
        standing: Standing,
        half_open: usize,
    ) -> Decision {
        let from = request.from;
        let is_proven = standing != Standing::Stranger || self.half_open.is_proven(now, from);
        if !is_proven {
            self.alarm.note(now, half_open);
        }
        if !self.list.admits(from.ip()) {
            self.note(Outcome::Denied);
            return if is_proven || !self.demands_proof() { Decision::Refuse } else { Decision::Ignore };
        }
        if !is_proven && self.needs_proof(now, request, half_open) {
            self.note(Outcome::Challenged);
            return Decision::Challenge(self.cookies.make(now, from));
        }
        if self.has_enough_of(from) {
            self.note(Outcome::AddressLimit);
            return Decision::Refuse;
        }
        if standing != Standing::Encrypted
            && let Some(outcome) = self.exceeded_rate(now, from)
        {
            self.note(outcome);
            return Decision::Ignore;
        }
        let decision = if self.is_refusing && !request.is_full {
            self.note(Outcome::Refusing);
            Decision::Accept
        } else if self.is_refusing || request.is_full {
            self.turn_away(now, from, Some(*request))
        } else if self.asks_game && standing != Standing::Approved {
            if self.questions.has(now, from) { Decision::Ignore } else { Decision::Ask }
        } else {
            self.note(Outcome::Accepted);
            self.forget_newcomers();
            Decision::Accept
        };
        if decision == Decision::Accept {
            self.half_open.forget(now, from);
            if standing != Standing::Encrypted {
                self.rates.take(now, from);
            }
        }
        decision
    }

    /// Judges the beginning of an encrypted connection, whose client has proven its address.
    pub(super) fn judge_hello(&mut self, now: Duration, from: SocketAddr, is_full: bool) -> Verdict {
        if !self.list.admits(from.ip()) {
            self.note(Outcome::Denied);
            Verdict::Refuse
        } else if self.has_enough_of(from) {
            self.note(Outcome::AddressLimit);
            Verdict::Refuse
        } else if let Some(outcome) = self.exceeded_rate(now, from) {
            self.note(outcome);
            Verdict::Ignore
        } else if self.is_refusing || is_full {
            self.turn_away(now, from, None).verdict()
        } else {
            self.forget_newcomers();
            self.rates.take(now, from);
            Verdict::Accept
        }
    }

    /// There is no place, or none for new clients.
    fn turn_away(&mut self, now: Duration, from: SocketAddr, request: Option<ConnectRequest>) -> Decision {
        let (outcome, decision) = if self.is_refusing {
            (Outcome::Refusing, Decision::Refuse)
        } else if self.full.ask(now, from, request) {
            (Outcome::Full, Decision::Refuse)
        } else {
            (Outcome::Waiting, Decision::Ignore)
        };
        self.note(outcome);
        decision
    }

    /// True while every stranger has to prove its address.
    fn demands_proof(&self) -> bool {
        match self.proof {
            AddressProof::Auto => self.alarm.is_on(),
            AddressProof::Always => true,
            AddressProof::Never => false,
        }
    }

    /// True when this stranger has to. Besides the alarm: where it would cost others something if its address were forged.
    fn needs_proof(&self, now: Duration, request: &ConnectRequest, half_open: usize) -> bool {
        let would_cost = self.asks_game
            || (request.is_full && half_open > 0)
            || self.exceeded_rate(now, request.from).is_some();
        self.demands_proof() || (self.proof == AddressProof::Auto && would_cost)
    }

    fn exceeded_rate(&self, now: Duration, from: SocketAddr) -> Option<Outcome> {
        if !self.rates.admits_any(now) {
            Some(Outcome::Rate)
        } else if !self.rates.admits(now, from) {
            Some(Outcome::AddressRate)
        } else {
            None
        }
    }

    /// Keeps a request whose address is asked for proof.
    pub(super) fn keep(&mut self, now: Duration, from: SocketAddr, request: RequestBytes) {
        self.half_open.keep(now, from, request);
    }

    /// Takes the answer to a challenge. False when it proves nothing; otherwise the request that was kept, if it still is.
    pub(super) fn prove(
        &mut self,
        now: Duration,
        from: SocketAddr,
        answer: &Answer,
    ) -> (bool, Option<RequestBytes>) {
        let is_genuine = |proof: &Proof| self.cookies.is_genuine(now, from, *proof);
        if !answer.proofs().iter().any(is_genuine) {
            self.note(Outcome::WrongProof);
            return (false, None);
        }
        self.note(Outcome::Proven);
        let kept = self.half_open.prove(now, from);
        // What was sent last counts.
        (true, answer.request().copied().or(kept))
    }

    /// True for an address that has given its proof lately.
    pub(super) fn is_proven(&self, now: Duration, address: SocketAddr) -> bool {
        self.half_open.is_proven(now, address)
    }

    /// Asks the game about a client.
    pub(super) fn ask_game(&mut self, now: Duration, from: SocketAddr, id: u32, request: RequestBytes) {
        self.note(Outcome::Asked);
        self.questions.ask(now, from, id, request);
    }

    pub(super) fn next_question(&mut self) -> Option<Question> {
        self.questions.next()
    }

    /// The request that a question was about, unless it is of no interest any more.
    pub(super) fn answered(&mut self, now: Duration, number: u64) -> Option<(SocketAddr, RequestBytes)> {
        self.questions.answer(now, number)
    }

    /// True when an address has as many connections as it may.
    pub(super) fn has_enough_of(&self, address: SocketAddr) -> bool {
        self.address_limit > 0
            && self
                .connections
                .get(&AddressRange::of_one(address))
                .is_some_and(|count| *count >= self.address_limit)
    }

    /// A connection is complete.
    pub(super) fn note_connected(&mut self, address: SocketAddr) {
        *self.connections.entry(AddressRange::of_one(address)).or_default() += 1;
    }

    /// A complete connection has ended.
    pub(super) fn note_gone(&mut self, address: SocketAddr) {
        let one = AddressRange::of_one(address);
        if let Some(count) = self.connections.get_mut(&one) {
            *count -= 1;
            if *count == 0 {
                self.connections.remove(&one);
            }
        }
        self.forget_newcomers();
    }

    /// True while it matters who is heard from.
    pub(super) const fn is_listening(&self) -> bool {
        self.full.is_listening()
    }

    /// A datagram of a peer has come.
    pub(super) fn hear(&mut self, now: Duration, connection: &mut Connection) {
        self.full.hear(now, connection);
    }

    /// Who is to be told that the server is full.
    pub(super) fn next_refused(&mut self) -> Option<ConnectRequest> {
        let refused = self.full.next_refused()?;
        self.note(Outcome::Full);
        Some(refused)
    }

    /// A place is free or soon will be: whoever asks gets it, or begins to wait anew.
    pub(super) fn forget_newcomers(&mut self) {
        self.full.forget_newcomers();
    }
}

/// Datagrams of strangers that a poll looks at when its time is running out.
const MAX_STRANGER_DATAGRAMS: u32 = 256;
