//! Server: answers to those who ask without a connection.
//!
//! An answer costs no place and no memory, and goes out plain, also where connections are encrypted. It is never longer than
//! the question, so that nobody gains anything by writing another one's address into it; and there are only so many, for each
//! address and for all together.

use std::net::SocketAddr;
use std::time::Duration;

use super::admission::{RateLimit, Rates};
use super::{Endpoint, Role};
use crate::counters::Dropped;
use crate::query::{Answer, QueryInfo, Question};

/// What a server says to those who ask.
#[derive(Debug)]
pub(super) struct Queries {
    /// `None`: it does not answer.
    info: Option<QueryInfo>,
    /// The server's number in its answers.
    number: u64,
    max_clients: u16,
    rates: Rates,
}

impl Queries {
    pub(super) const fn new(max_clients: u16, number: u64) -> Self {
        Self { info: None, number, max_clients, rates: Rates::with_total(EACH_ADDRESS, ALL_ADDRESSES) }
    }

    /// What the game says, when this address gets one more answer.
    fn admit(&mut self, now: Duration, from: SocketAddr) -> Result<&QueryInfo, Dropped> {
        let info = self.info.as_ref().ok_or(Dropped::Query)?;
        if !self.rates.admits_any(now) || !self.rates.admits(now, from) {
            return Err(Dropped::QueryRate);
        }
        self.rates.take(now, from);
        Ok(info)
    }
}

impl Endpoint {
    /// Takes a datagram that is for no ENet.
    pub(super) fn receive_query(&mut self, from: SocketAddr, datagram: &[u8]) {
        match self.answer_query(from, datagram) {
            Ok(()) => self.counters.queries_answered += 1,
            Err(reason) => self.counters.drop_datagram(reason),
        }
    }

    fn answer_query(&mut self, from: SocketAddr, datagram: &[u8]) -> Result<(), Dropped> {
        let Role::Server { admission, queries, .. } = &mut self.role else { return Err(Dropped::Query) };
        if !admission.looks_at_stranger() {
            return Err(Dropped::Overload);
        }
        let Question { nonce } = Question::read(datagram).ok_or(Dropped::Query)?;
        if !admission.knows_no_rule_against(from) {
            return Err(Dropped::Query);
        }
        let players = self.connections.len().try_into().unwrap_or(u16::MAX);
        let (server, max_players) = (queries.number, queries.max_clients);
        let is_refusing = admission.is_refusing();
        let is_encrypted = self.datagrams.is_encrypted();
        let info = queries.admit(self.now, from)?.bytes();
        let answer = Answer { nonce, server, players, max_players, is_refusing, is_encrypted, info };
        // As it is, past compression and encryption: who asks knows of neither.
        self.datagrams.out.wire.push(from, &answer.write());
        Ok(())
    }

    /// Server: what it says to those who ask; with `None` it does not answer.
    pub(super) fn set_query_info(&mut self, info: Option<QueryInfo>) {
        if let Role::Server { queries, .. } = &mut self.role {
            queries.info = info;
        }
    }
}

/// Answers to one address. A player's browser asks a few times; behind an address there can be a school.
const EACH_ADDRESS: RateLimit = RateLimit::new(10, 50);

/// Answers to all: 200 KB a second at most, and as a rule a tenth of that.
const ALL_ADDRESSES: RateLimit = RateLimit::new(200, 400);
