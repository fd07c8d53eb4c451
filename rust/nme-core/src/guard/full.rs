//! When a full server says so.
//!
//! The slot of a client that has died stays taken for seconds, until ENet has given it up. The newcomer that finds the
//! server full may be that very client, started again. So it is told only when each slot has been heard from since
//! the newcomer asked. Until then it gets no answer, as from ENet itself, and goes on to ask until it is let in or told.
//! A peer that is there is heard within half a second and a round trip, as ENet pings.
//!
//! What counts is the order of the datagrams, not their time: what has piled up while the server was blocked makes no
//! dead peer look alive. What does not count:
//! - a client whose handshake is not complete, as its address is not proven;
//! - one that is to leave or has said that it leaves, as its slot is free soon.
//!
//! Slots are followed in rounds: a round is over when each slot has been heard from in it. A newcomer waits for the end
//! of a round that has begun behind its request. So a datagram costs a look at a number, a request a look-up in a small
//! table, and nobody ever looks at all slots.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use super::{ConnectRequest, Guard, Phase, Slot};

/// Those who have asked for a slot when there was none.
#[derive(Debug, Default)]
pub(super) struct Newcomers {
    asking: BTreeMap<SocketAddr, Newcomer>,
    /// The number of this round or of the last one.
    round: u32,
    /// Slots not heard from in this round; 0 when there is none.
    unheard: u16,
    /// To be told that the server is full.
    refused: VecDeque<(SocketAddr, ConnectRequest)>,
}

#[derive(Debug)]
struct Newcomer {
    /// `None` for the first hello of the encryption, which is refused when it comes again.
    request: Option<ConnectRequest>,
    /// The round at whose end the server is known to be full.
    round: u32,
    /// When it asked last, in ms.
    asked: u32,
}

impl Newcomers {
    /// One asks; true when it is known by now that the server is full.
    fn ask(&mut self, from: SocketAddr, request: Option<ConnectRequest>, slots: u16, now: u32) -> bool {
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
        if self.asking.len() >= MOST && !self.asking.contains_key(&from) {
            return false;
        }
        if self.unheard == 0 {
            self.begin(slots);
        }
        self.asking.insert(from, Newcomer { request, round: next, asked: now });
        false
    }

    const fn next_round(&self) -> u32 {
        self.round.wrapping_add(1)
    }

    const fn begin(&mut self, slots: u16) {
        self.round = self.next_round();
        self.unheard = slots;
    }

    /// A datagram of a peer has come.
    pub(super) fn hear(&mut self, slot: &mut Slot, slots: u16, now: u32) {
        if self.unheard == 0 || slot.heard_in == self.round || slot.is_leaving || slot.phase != Phase::Open {
            return;
        }
        slot.heard_in = self.round;
        self.unheard -= 1;
        if self.unheard == 0 {
            self.end(slots, now);
        }
    }

    /// All slots have been heard from.
    fn end(&mut self, slots: u16, now: u32) {
        let Self { asking, round, refused, .. } = self;
        asking.retain(|from, newcomer| match newcomer.request {
            _ if !newcomer.is_fresh(now) => false,
            Some(request) if newcomer.round == *round => {
                refused.push_back((*from, request));
                false
            }
            _ => true,
        });
        let next = self.next_round();
        if self.asking.values().any(|newcomer| newcomer.round == next) {
            self.begin(slots);
        }
    }

    /// A slot is free or soon will be: whoever asks gets it, or begins to wait anew.
    pub(super) fn clear(&mut self) {
        self.asking.clear();
        self.unheard = 0;
    }
}

impl Newcomer {
    const fn is_fresh(&self, now: u32) -> bool {
        now.wrapping_sub(self.asked) < LONGEST_PAUSE
    }
}

impl Guard {
    /// A client asks for a slot, and all are taken. What comes of it is in [`Self::next_refusal`].
    pub(crate) fn ask(&mut self, from: SocketAddr, request: ConnectRequest) {
        if self.newcomers.ask(from, Some(request), self.config.slots, self.now.unwrap_or_default()) {
            self.newcomers.refused.push_back((from, request));
        }
    }

    /// A client begins the handshake of the encryption, and all slots are taken. True when it can be told so; otherwise
    /// it is to get no answer, and asks again.
    pub(crate) fn is_refused(&mut self, from: SocketAddr) -> bool {
        self.newcomers.ask(from, None, self.config.slots, self.now.unwrap_or_default())
    }

    /// Whom to tell that the server is full.
    pub(crate) fn next_refusal(&mut self) -> Option<(SocketAddr, ConnectRequest)> {
        self.newcomers.refused.pop_front()
    }

    /// The peer of this slot is to leave once it has got everything.
    pub(crate) fn leave(&mut self, slot: u16) {
        if let Some(slot) = self.slots.get_mut(usize::from(slot)).and_then(Option::as_deref_mut) {
            slot.is_leaving = true;
            self.newcomers.clear();
        }
    }
}

/// Newcomers that are remembered; further ones get no answer.
const MOST: usize = 256;

/// A newcomer that has not asked for so long, in ms, does not ask any more. ENet repeats its request after 8 s at most,
/// in the time that an attempt has.
const LONGEST_PAUSE: u32 = 10_000;
