//! When a full server says so.
//!
//! The place of a client that has died stays taken for seconds, until ENet has given it up. The newcomer that finds the
//! server full may be that very client, started again. So it is told only when each peer has been heard from since the
//! newcomer asked. Until then it gets no answer, as from ENet itself, and goes on to ask until it is let in or told.
//! A peer that is there is heard within half a second and a round trip, as ENet pings.
//!
//! What counts is the order of the datagrams, not their time: what has piled up while the server was blocked makes no
//! dead peer look alive. What does not count:
//! - a client whose handshake is not complete, as its address is not proven;
//! - one that is to leave or has said that it leaves, as its place is free soon.
//!
//! Peers are followed in rounds: a round is over when each has been heard from in it. A newcomer waits for the end of a
//! round that has begun behind its request. So a datagram costs a look at a number, a request a look-up in a small table,
//! and nobody ever looks at all places.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::ConnectRequest;

use crate::endpoint::connections::Connection;

/// Those who have asked for a place when there was none, and what is known of the peers in the places.
#[derive(Debug)]
pub(super) struct FullServer {
    /// Clients that the server takes.
    places: u16,
    /// Those who have asked for a place when there was none.
    asking: BTreeMap<SocketAddr, Newcomer>,
    /// The number of this round or of the last one.
    round: u32,
    /// Peers not heard from in this round; 0 when there is none.
    unheard: u16,
    /// To be told that the server is full.
    refused: VecDeque<ConnectRequest>,
}

#[derive(Debug)]
struct Newcomer {
    /// `None` for the first hello of the encryption, which is refused when it comes again.
    request: Option<ConnectRequest>,
    /// The round at whose end the server is known to be full.
    round: u32,
    /// When it asked last.
    asked: Duration,
}

impl FullServer {
    pub(super) const fn new(places: u16) -> Self {
        Self { places, asking: BTreeMap::new(), round: 0, unheard: 0, refused: VecDeque::new() }
    }

    /// True when it is known by now that the server is full.
    pub(super) fn ask(&mut self, now: Duration, from: SocketAddr, request: Option<ConnectRequest>) -> bool {
        let next = self.next_round();
        if let Some(known) = self.asking.get_mut(&from)
            && known.request.map(|known| known.connect_id) == request.map(|request| request.connect_id)
            && known.is_fresh(now)
        {
            known.asked = now;
            let waits = known.round == next || (known.round == self.round && self.unheard > 0);
            if !waits {
                self.asking.remove(&from);
            }
            return !waits;
        }
        if self.asking.len() >= MAX_NEWCOMERS && !self.asking.contains_key(&from) {
            return false;
        }
        if self.unheard == 0 {
            self.begin_round();
        }
        self.asking.insert(from, Newcomer { request, round: next, asked: now });
        false
    }

    const fn next_round(&self) -> u32 {
        self.round.wrapping_add(1)
    }

    const fn begin_round(&mut self) {
        self.round = self.next_round();
        self.unheard = self.places;
    }

    /// True while it matters who is heard from.
    pub(super) const fn is_listening(&self) -> bool {
        self.unheard > 0
    }

    /// A datagram of a peer has come.
    pub(super) fn hear(&mut self, now: Duration, connection: &mut Connection) {
        if !self.is_listening() || connection.heard_in == self.round || connection.is_leaving {
            return;
        }
        connection.heard_in = self.round;
        self.unheard -= 1;
        if self.unheard == 0 {
            self.end_round(now);
        }
    }

    /// All peers have been heard from.
    fn end_round(&mut self, now: Duration) {
        let Self { asking, round, refused, .. } = self;
        asking.retain(|_, newcomer| match newcomer.request {
            _ if !newcomer.is_fresh(now) => false,
            Some(request) if newcomer.round == *round => {
                refused.push_back(request);
                false
            }
            _ => true,
        });
        let next = self.next_round();
        if self.asking.values().any(|newcomer| newcomer.round == next) {
            self.begin_round();
        }
    }

    /// Who is to be told that the server is full.
    pub(super) fn next_refused(&mut self) -> Option<ConnectRequest> {
        self.refused.pop_front()
    }

    /// A place is free or soon will be: whoever asks gets it, or begins to wait anew.
    pub(super) fn forget_newcomers(&mut self) {
        self.asking.clear();
        self.unheard = 0;
    }
}

impl Newcomer {
    fn is_fresh(&self, now: Duration) -> bool {
        now.saturating_sub(self.asked) < LONGEST_PAUSE
    }
}

/// Newcomers that are remembered; further ones get no answer.
const MAX_NEWCOMERS: usize = 256;

/// A newcomer that has not asked for so long does not ask any more. ENet repeats its request after 8 s at most, in the
/// time that an attempt has.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
