//! Equal packets to one peer after the other, sent as one.
//!
//! SceneMultiplayer never uses target 0: it puts the same bytes once for each peer. A run of such puts is held back
//! until something else is sent, a flush, or a poll, and so never beyond the frame's flush. Then it is known whom all
//! it is for:
//!
//! - On a server, the peers share one packet. Its header names target 0, as 3.6 does when it sends to everybody at
//!   once; receivers do not read it. A run of one keeps its own target.
//! - On a client, a run for all known peers becomes one packet with target 0, and one for all but n becomes one with
//!   target -n, which the server's relay multiplies. So a call to everybody costs the uplink one packet. Any other
//!   run becomes a packet for each peer.
//!
//! The relay also sends such a packet to a peer that it has introduced to this client only just now, so that the
//! client could not name it yet. 3.6 does the same; such a peer can receive a call from before its time.

use super::link::{Parcel, Queued};
use super::{Role, Session};
use crate::channel::Delivery;
use crate::enet::{self, Slot};
use crate::peer::PeerId;
use crate::relay::Target;
use crate::relay::wire;

/// The packet held back, and whom it is for.
#[derive(Default)]
pub(super) struct Run {
    /// Header and payload; the header's target is written when the run is over.
    bytes: Vec<u8>,
    lane: Option<Lane>,
    targets: Vec<(PeerId, Slot)>,
    /// Counts runs: marks the peers of the current one in the table.
    number: u32,
}

/// The way a packet travels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) channel: u8,
    pub(super) delivery: Delivery,
}

impl Run {
    fn holds(&self, lane: Lane, payload: &[u8]) -> bool {
        self.lane == Some(lane) && wire::payload(&self.bytes) == payload
    }
}

impl Session {
    /// Holds a packet for one peer back. `slot` is where it goes first: on a client, the server's.
    pub(super) fn hold(&mut self, id: PeerId, slot: Slot, lane: Lane, payload: &[u8]) {
        if !self.run.holds(lane, payload) || !self.peers.mark(id, self.run.number) {
            self.release_run();
            self.run.number = self.run.number.wrapping_add(1);
            self.peers.mark(id, self.run.number);
            self.run.lane = Some(lane);
            self.run.bytes = wire::encode(self.id, Target::All, payload);
            self.link.waiting.note_memory(self.run.bytes.len());
            self.link.waiting.note(slot, self.run.bytes.len(), lane.delivery);
        } else if self.is_server() {
            self.link.waiting.note(slot, self.run.bytes.len(), lane.delivery);
        }
        self.run.targets.push((id, slot));
    }

    /// Queues what is held back. To be called before anything else is queued, and before the peers change.
    pub(super) fn release_run(&mut self) {
        let Some(lane) = self.run.lane.take() else { return };
        let mut targets = std::mem::take(&mut self.run.targets);
        let mut bytes = std::mem::take(&mut self.run.bytes);
        let overflown = match (&self.role, targets.as_slice()) {
            (_, [(id, slot)]) => {
                wire::set_target(&mut bytes, Target::One(*id));
                self.queue_shared(bytes, lane, &[(*id, *slot)])
            }
            (Role::Server(_), several) => self.queue_shared(bytes, lane, several),
            (Role::Client(_), several) => match self.folded(several.len()) {
                Some(target) => {
                    wire::set_target(&mut bytes, target);
                    self.queue_shared(bytes, lane, &several[..1])
                }
                None => self.queue_each(&bytes, lane, several),
            },
        };
        targets.clear();
        self.run.targets = targets;
        self.lose(overflown);
    }

    /// The one target that stands for all peers of the run, when there is one.
    fn folded(&self, count: usize) -> Option<Target> {
        let mut others = self.peers.unmarked(self.run.number);
        match (others.next(), others.next()) {
            (None, _) => Some(Target::All),
            (Some(other), None) if count > 1 => Some(Target::AllExcept(other)),
            _ => None,
        }
    }

    fn queue_shared(&mut self, bytes: Vec<u8>, lane: Lane, targets: &[(PeerId, Slot)]) -> Vec<PeerId> {
        let packet = enet::packet(bytes, lane.delivery);
        let parcel = Parcel { channel: lane.channel, packet: &packet, delivery: lane.delivery };
        let mut overflown = Vec::new();
        for (id, slot) in targets {
            if self.link.queue(*slot, parcel) == Queued::Overflow {
                overflown.push(self.cut_off_by(*id, *slot));
            }
        }
        overflown
    }

    /// A client's packets, all to the server.
    fn queue_each(&mut self, bytes: &[u8], lane: Lane, targets: &[(PeerId, Slot)]) -> Vec<PeerId> {
        let mut overflown = Vec::new();
        for (index, (id, slot)) in targets.iter().enumerate() {
            let mut bytes = bytes.to_vec();
            wire::set_target(&mut bytes, Target::One(*id));
            if index > 0 {
                self.link.waiting.note_memory(bytes.len());
                self.link.waiting.note(*slot, bytes.len(), lane.delivery);
            }
            overflown = self.queue_shared(bytes, lane, &[(*id, *slot)]);
            if !overflown.is_empty() {
                break;
            }
        }
        overflown
    }

    /// Cuts the connection to a peer off whose packets take this slot, and answers whose connection that was.
    fn cut_off_by(&mut self, id: PeerId, slot: Slot) -> PeerId {
        let owner = if self.is_server() { id } else { PeerId::SERVER };
        self.cut_off(owner, slot);
        owner
    }
}
