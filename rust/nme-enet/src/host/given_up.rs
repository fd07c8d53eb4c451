//! Peers that were given up: who speaks again is told that it has no connection any more.
//!
//! A client that was stopped, or cut off, for longer than the server waited takes itself for connected, and would only
//! find out by a timeout of its own: everything that it sends meanwhile is lost. So a datagram that belongs to such a
//! connection, by address, peer and session, is answered with a disconnect: never with more bytes than have come, and
//! at most once a second.

use std::collections::VecDeque;

use crate::peer::Peer;
use crate::shared::Stray;
use crate::wire::Header;

/// The connections given up last, oldest first.
#[derive(Debug, Default)]
pub(super) struct GivenUp {
    connections: VecDeque<Connection>,
}

#[derive(Debug)]
struct Connection {
    /// Peer number and session of its datagrams.
    peer: u16,
    session: u8,
    /// What it is to be told, and where.
    goodbye: Stray,
    since: u64,
    /// Bytes that have come and were not answered.
    unanswered: usize,
    answered: Option<u64>,
}

impl GivenUp {
    pub(super) fn remember(&mut self, now: u64, peer: &Peer, goodbye: Stray) {
        if self.connections.len() >= MAX_CONNECTIONS {
            self.connections.pop_front();
        }
        let (peer, session) = (peer.handle.slot, peer.sessions.incoming);
        self.connections.push_back(Connection {
            peer,
            session,
            goodbye,
            since: now,
            unanswered: 0,
            answered: None,
        });
    }

    /// Forgets the connections of an address where a new one begins: their answers could be taken for its end.
    pub(super) fn forget(&mut self, address: std::net::SocketAddr) {
        self.connections.retain(|connection| connection.goodbye.to != address);
    }

    /// The answer to a datagram of this length that belongs to no peer.
    pub(super) fn answer(
        &mut self,
        now: u64,
        from: std::net::SocketAddr,
        header: &Header,
        len: usize,
    ) -> Option<Stray> {
        while self.connections.front().is_some_and(|oldest| oldest.since + LONGEST_AGE_US < now) {
            self.connections.pop_front();
        }
        let connection = self.connections.iter_mut().find(|connection| {
            connection.goodbye.to == from
                && connection.peer == header.peer
                && connection.session == header.session
        })?;
        connection.unanswered = connection.unanswered.saturating_add(len);
        let is_early = connection.answered.is_some_and(|last| last + PAUSE_US > now);
        if is_early || connection.unanswered < connection.goodbye.bytes().len() {
            return None;
        }
        connection.unanswered = 0;
        connection.answered = Some(now);
        Some(connection.goodbye)
    }
}

/// Connections that are remembered.
const MAX_CONNECTIONS: usize = 64;

/// How long, in µs: a client finds out by itself in half a minute.
const LONGEST_AGE_US: u64 = 60_000_000;

/// Between two answers to one connection, in µs.
const PAUSE_US: u64 = 1_000_000;
