//! What both sides know at a point of the datagram.

use super::Share;
use super::contexts::Contexts;
use super::literals::Literals;
use super::table::Slot;

/// With this many nodes the model is full.
const LARGEST_NODES: usize = 4094;

/// All counts.
pub(super) struct Model {
    pub(super) literals: Literals,
    pub(super) contexts: Contexts,
}

/// Where in the model the last bytes have led to.
#[derive(Clone, Copy)]
pub(super) struct Trail {
    /// The last byte, which is also its context.
    pub(super) last: u8,
    /// The context of the last two bytes.
    pub(super) pair: u16,
    /// Values in all contexts, and one for the literals themselves.
    pub(super) nodes: usize,
}

impl Trail {
    #[inline(always)]
    pub(super) fn is_full(self) -> bool {
        self.nodes >= LARGEST_NODES
    }
}

impl Model {
    pub(super) fn new() -> Self {
        Self { literals: Literals::new(), contexts: Contexts::new() }
    }

    /// Forgets everything.
    pub(super) fn forget(&mut self) -> Trail {
        self.literals.forget();
        self.contexts.forget();
        Trail { last: 0, pair: 0, nodes: 1 }
    }

    /// Counts a literal; the share that it had.
    #[inline(always)]
    pub(super) fn literal(&mut self, trail: &mut Trail, at: Slot) -> Share {
        let (share, is_new) = self.literals.count(at);
        if is_new {
            self.open(trail, at);
        }
        share
    }

    /// Opens the context of a literal that is new.
    #[inline(always)]
    pub(super) fn open(&mut self, trail: &mut Trail, at: Slot) {
        trail.nodes += 1;
        self.contexts.open(at.value());
    }

    /// Goes on to the second byte. The context of the first has not counted anything yet.
    ///
    /// The trail by value: an address that goes out would keep it out of the registers.
    #[inline(never)]
    pub(super) fn second(&mut self, mut trail: Trail, value: u8) -> Trail {
        self.contexts.count(trail.last.into(), value);
        trail.nodes += 1;
        self.open_pair(&mut trail, value);
        trail
    }

    /// Goes on to a value that order 1 knew.
    #[inline(always)]
    pub(super) fn follow(&mut self, trail: &mut Trail, value: u8) {
        trail.pair = self.contexts.pair(trail.last, value);
        trail.last = value;
    }

    /// Goes on to a value that is new to order 1.
    #[inline(always)]
    pub(super) fn open_pair(&mut self, trail: &mut Trail, value: u8) {
        trail.pair = self.contexts.open_pair(trail.last, value);
        trail.last = value;
    }
}
