//! Bandwidth limits: once a second, what may be sent and received is shared out among the peers, as in stock ENet.
//!
//! A host that has no limit, and whose peers have none, does nothing here.

use super::Host;
use crate::peer::Peer;
use crate::send::Pending;
use crate::shared::Shared;
use crate::table::Table;
use crate::throttle::WHOLE_SHARE;

/// When bandwidth was shared out.
#[derive(Debug, Default)]
pub(super) struct Shares {
    last: u64,
    /// Peers have come or gone.
    has_changed: bool,
}

impl Shares {
    /// A peer has come or gone.
    pub(super) const fn changed(&mut self) {
        self.has_changed = true;
    }

    /// When to share out next; `None` where there is nothing to share.
    pub(super) fn next(&self, peers: &Table, shared: &Shared) -> Option<u64> {
        let is_limited = shared.config.in_bandwidth > 0 || shared.config.out_bandwidth > 0;
        (is_limited && peers.len() > 0).then_some(self.last + INTERVAL_US)
    }
}

impl Host {
    pub(super) fn share_bandwidth(&mut self) {
        let now = self.shared.clock.now();
        if now < self.shares.last + INTERVAL_US {
            return;
        }
        let elapsed = (now - self.shares.last).min(10 * INTERVAL_US);
        self.shares.last = now;
        if self.shared.usage.peers == 0 {
            return;
        }
        let is_limited = self.shared.config.out_bandwidth > 0
            || self.peers.iter().any(|peer| peer.is_open() && peer.in_bandwidth > 0);
        if is_limited {
            self.share_outgoing(elapsed);
        }
        if std::mem::take(&mut self.shares.has_changed) && self.shared.config.in_bandwidth > 0 {
            self.share_incoming();
        }
    }

    /// Limits what each peer is sent: none gets more than it can take, and all together not more than we can send.
    fn share_outgoing(&mut self, elapsed: u64) {
        let in_time = |bandwidth: u32| u64::from(bandwidth) * elapsed / 1_000_000;
        let mut open: Vec<(u16, u64, u64)> = self
            .peers
            .iter()
            .filter(|peer| peer.is_open())
            .map(|peer| (peer.handle.slot, u64::from(peer.outgoing_total), in_time(peer.in_bandwidth)))
            .collect();
        let own = self.shared.config.out_bandwidth;
        let mut left = if own > 0 { in_time(own) } else { u64::MAX };
        let mut total: u64 = open.iter().map(|(_, wanted, _)| wanted).sum();
        let scale = u64::from(WHOLE_SHARE);
        let part = |left: u64, total: u64| {
            if total <= left { scale } else { left.saturating_mul(scale) / total.max(1) }
        };
        // Who can take less than its part leaves more for the others.
        loop {
            let throttle = part(left, total);
            let before = open.len();
            open.retain(|&(slot, wanted, can_take)| {
                if can_take == 0 || throttle * wanted / scale <= can_take {
                    return true;
                }
                set_limit(self.peers.at_mut(slot), (can_take * scale / wanted.max(1)) as u32);
                left = left.saturating_sub(can_take);
                total = total.saturating_sub(can_take);
                false
            });
            if open.len() == before || open.is_empty() {
                break;
            }
        }
        let throttle = part(left, total);
        for (slot, _, _) in open {
            set_limit(self.peers.at_mut(slot), throttle as u32);
        }
    }

    /// Tells each peer how much of what we can take it may send.
    fn share_incoming(&mut self) {
        let mut open: Vec<(u16, u32)> = self
            .peers
            .iter()
            .filter(|peer| peer.is_open())
            .map(|peer| (peer.handle.slot, peer.out_bandwidth))
            .collect();
        let mut left = self.shared.config.in_bandwidth;
        let mut share = left;
        // Who can send less than its part leaves more for the others.
        while !open.is_empty() {
            share = left / open.len() as u32;
            let before = open.len();
            open.retain(|&(slot, can_send)| {
                if can_send == 0 || can_send >= share {
                    return true;
                }
                left = left.saturating_sub(can_send);
                self.grant(slot, can_send);
                false
            });
            if open.len() == before {
                break;
            }
        }
        open.into_iter().for_each(|(slot, _)| self.grant(slot, share));
    }

    fn grant(&mut self, slot: u16, bandwidth: u32) {
        if let Some(peer) = self.peers.at_mut(slot) {
            peer.granted_bandwidth = bandwidth.max(1);
            peer.pending.add(Pending::BANDWIDTH);
            self.due.add(peer);
        }
    }
}

fn set_limit(peer: Option<&mut Peer>, limit: u32) {
    if let Some(peer) = peer {
        peer.throttle.set_limit(limit);
        peer.outgoing_total = 0;
    }
}

/// In µs.
const INTERVAL_US: u64 = 1_000_000;
