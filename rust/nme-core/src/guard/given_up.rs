//! Clients that a server has given up: who speaks again is told that it has no connection any more.
//!
//! A client that was stopped, or cut off, for longer than the server waited takes itself for connected, and would only
//! find out by a timeout of its own: everything that it sends meanwhile is lost. So a datagram that belongs to such a
//! connection, by address, peer and session, is answered with a disconnect.
//!
//! The answers are never more bytes than what came, and at most one a second for each connection.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::wire::Header;

/// The connections given up last, oldest first.
#[derive(Debug, Default)]
pub(super) struct GivenUp {
    connections: VecDeque<Connection>,
}

#[derive(Debug)]
struct Connection {
    address: SocketAddr,
    /// Peer number and session bits of the client's datagrams.
    peer: u16,
    session: u8,
    /// What it is to be told.
    goodbye: Goodbye,
    since: u32,
    /// Bytes that have come and were not answered.
    unanswered: usize,
    answered: Option<u32>,
}

/// A datagram with one disconnect.
pub(crate) type Goodbye = [u8; 10];

impl GivenUp {
    pub(super) fn remember(
        &mut self,
        now: u32,
        address: SocketAddr,
        (peer, session): (u16, u8),
        goodbye: Goodbye,
    ) {
        if self.connections.len() >= LIMIT {
            self.connections.pop_front();
        }
        self.connections.push_back(Connection {
            address,
            peer,
            session,
            goodbye,
            since: now,
            unanswered: 0,
            answered: None,
        });
    }

    /// Forgets the connections of an address where a new one begins: their answers could be taken for its end.
    pub(super) fn forget(&mut self, address: SocketAddr) {
        self.connections.retain(|connection| connection.address != address);
    }

    /// The answer to a datagram of this length that belongs to no connection.
    pub(super) fn answer(
        &mut self,
        now: u32,
        from: SocketAddr,
        header: &Header,
        len: usize,
    ) -> Option<Goodbye> {
        while self.connections.front().is_some_and(|oldest| now.wrapping_sub(oldest.since) > LONGEST_AGE) {
            self.connections.pop_front();
        }
        let is_its_own = |connection: &&mut Connection| {
            connection.address == from
                && connection.peer == header.peer
                && connection.session == header.session
        };
        let connection = self.connections.iter_mut().find(is_its_own)?;
        connection.unanswered = connection.unanswered.saturating_add(len);
        let is_early = connection.answered.is_some_and(|last| now.wrapping_sub(last) < PAUSE);
        if is_early || connection.unanswered < connection.goodbye.len() {
            return None;
        }
        connection.unanswered = 0;
        connection.answered = Some(now);
        Some(connection.goodbye)
    }
}

/// How many connections are remembered.
const LIMIT: usize = 256;

/// How long, in ms.
const LONGEST_AGE: u32 = 600_000;

/// Between two answers to the same client, in ms.
const PAUSE: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn header(peer: u16, session: u8) -> Header {
        let bytes = super::super::wire::plain_header(peer, session).to_be_bytes();
        Header::read(&bytes).expect("a header")
    }

    #[test]
    fn only_a_connection_that_was_given_up_is_answered() {
        let mut given_up = GivenUp::default();
        given_up.remember(0, address(1), (3, 2), [7; 10]);
        assert_eq!(given_up.answer(1, address(2), &header(3, 2), 99), None);
        assert_eq!(given_up.answer(1, address(1), &header(4, 2), 99), None);
        assert_eq!(given_up.answer(1, address(1), &header(3, 1), 99), None);
        assert_eq!(given_up.answer(1, address(1), &header(3, 2), 99), Some([7; 10]));
        given_up.forget(address(1));
        assert_eq!(given_up.answer(5000, address(1), &header(3, 2), 99), None);
    }

    #[test]
    fn answers_are_few_and_no_longer_than_what_came() {
        let mut given_up = GivenUp::default();
        given_up.remember(0, address(1), (3, 2), [7; 10]);
        assert_eq!(given_up.answer(1, address(1), &header(3, 2), 8), None);
        assert_eq!(given_up.answer(2, address(1), &header(3, 2), 8), Some([7; 10]));
        assert_eq!(given_up.answer(900, address(1), &header(3, 2), 900), None);
        assert_eq!(given_up.answer(1002, address(1), &header(3, 2), 8), Some([7; 10]));
        assert_eq!(given_up.answer(2 + LONGEST_AGE, address(1), &header(3, 2), 99), None);
        assert!(given_up.connections.is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let mut given_up = GivenUp::default();
        for port in 1..=400 {
            given_up.remember(0, address(port), (3, 2), [7; 10]);
        }
        assert_eq!(given_up.connections.len(), LIMIT);
        assert_eq!(given_up.answer(1, address(144), &header(3, 2), 99), None);
        assert_eq!(given_up.answer(1, address(145), &header(3, 2), 99), Some([7; 10]));
    }
}
