//! What one direction does to the datagrams of a peer, or of all peers without settings of their own.

use std::time::Duration;

use nme_netem::{Arrivals, Impairment, Outages};

use super::conditions::Conditions;

/// The rules for some datagrams of one direction. They share its rate and its order.
pub(super) struct Lane {
    cut: bool,
    bursts: Option<Outages>,
    impairment: Impairment,
    is_off: bool,
}

impl Lane {
    /// Rules that hold from now on. Bursts depend on the seed alone: directions that share it lose everything at the same
    /// times. All else depends on the direction's number, too.
    pub(super) fn new(conditions: &Conditions, seed: u64, direction: u64, now: Duration) -> Self {
        let bursts = conditions.bursts().map(|(pause, lengths)| Outages::new(pause, lengths, seed, now));
        let seed = seed.wrapping_add(direction);
        // The values of conditions are within their ranges, which links accept; a test tries the largest.
        let impairment = Impairment::new(conditions.link(), seed).expect("ranges that a link accepts");
        Self { cut: conditions.cut(), bursts, impairment, is_off: conditions.is_off() }
    }

    /// When a datagram that is sent now arrives; `None` when it does not.
    pub(super) fn send(&mut self, now: Duration, len: usize) -> Option<Arrivals> {
        let is_lost = self.cut || self.bursts.as_mut().is_some_and(|bursts| bursts.is_out(now));
        if is_lost { None } else { self.impairment.send(now, len) }
    }

    /// Nothing passes, and nothing that is on its way arrives.
    pub(super) const fn is_cut(&self) -> bool {
        self.cut
    }

    pub(super) const fn is_off(&self) -> bool {
        self.is_off
    }
}
