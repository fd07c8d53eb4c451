//! Equal packets to one peer after the other, sent as one.
//!
//! SceneMultiplayer never uses target 0: it puts the same bytes once for each peer. Such puts are folded into one until
//! something else is sent, a flush, or a poll, and so never beyond the frame's flush. Then it is known whom all it is for:
//!
//! - On a server, the peers share one packet. Its header names target 0, as 3.6 does when it sends to everybody at
//!   once; receivers do not read it. A packet for one peer keeps its own target.
//! - On a client, what is for all known peers becomes one packet with target 0, and what is for all but n becomes one with
//!   target -n, which the server's relay multiplies. So a call to everybody costs the uplink one packet. For any other
//!   set of peers it becomes a packet for each.
//!
//! Where the endpoint is in another thread, which sends what waits although the game is busy, nothing may be held back: there,
//! each packet is handed over at once. On a server those behind the first one share a packet; on a client the one packet for
//! all replaces those that wait in the handover, if they are still there.
//!
//! The relay also sends such a packet to a peer that it has introduced to this client only just now, so that the
//! client could not name it yet. 3.6 does the same; such a peer can receive a call from before its time.

use nme_enet::{Packet, PeerHandle};

use super::{Role, Session};
use crate::channel::Transfer;
use crate::endpoint::{Command, Link};
use crate::peer::PeerId;
use crate::relay::Target;
use crate::relay::wire::{self, HEADER_LEN};

/// The packet that waits, and whom it is for.
#[derive(Debug, Default)]
pub(super) struct Folding {
    payload: Vec<u8>,
    /// `None` when nothing waits.
    transfer: Option<Transfer>,
    receivers: Vec<(PeerId, PeerHandle)>,
    /// What the receivers behind the first one share, where it is handed over at once.
    shared: Option<Packet>,
    /// Counts foldings: marks the receivers in the table.
    number: u32,
}

impl<L: Link> Session<L> {
    /// Queues a packet for one peer, together with equal ones for others. `first_hop` is where it goes first: on a client,
    /// the server.
    pub(super) fn fold(&mut self, id: PeerId, first_hop: PeerHandle, transfer: Transfer, payload: &[u8]) {
        let len = HEADER_LEN + payload.len();
        let is_equal = self.folding.transfer == Some(transfer) && self.folding.payload == payload;
        let joins = is_equal && self.peers.fold(id, self.folding.number);
        if !joins {
            self.end_folding();
            self.folding.number = self.folding.number.wrapping_add(1);
            self.peers.fold(id, self.folding.number);
            self.folding.transfer = Some(transfer);
            self.folding.payload.clear();
            self.folding.payload.extend_from_slice(payload);
            self.waiting.note_memory(len);
            self.waiting.note(first_hop.index(), len, transfer.delivery);
        } else if self.is_server() {
            self.waiting.note(first_hop.index(), len, transfer.delivery);
        }
        self.folding.receivers.push((id, first_hop));
        if !L::IS_DIRECT {
            self.hand_over(id, first_hop, transfer, payload, joins && self.is_server());
        }
    }

    /// Hands a packet over at once. With `shares`, it is one for several clients.
    fn hand_over(&mut self, id: PeerId, peer: PeerHandle, transfer: Transfer, payload: &[u8], shares: bool) {
        let target = if shares { Target::All } else { Target::One(id) };
        let packet = match self.folding.shared.clone().filter(|_| shares) {
            Some(packet) => packet,
            None => self.link.packet(&[&wire::header(self.id, target), payload]),
        };
        if shares {
            self.folding.shared.get_or_insert_with(|| packet.clone());
        }
        self.link.execute(Command::Send { peer, transfer, packet });
    }

    /// Hands over what is folded. To be called before anything else is queued, and before the peers change.
    pub(super) fn end_folding(&mut self) {
        let Some(transfer) = self.folding.transfer.take() else { return };
        if !L::IS_DIRECT {
            return self.end_handing_over(transfer);
        }
        let mut receivers = std::mem::take(&mut self.folding.receivers);
        let payload = std::mem::take(&mut self.folding.payload);
        match (&self.role, receivers.as_slice()) {
            (_, &[(id, peer)]) => self.send_to_each(Target::One(id), transfer, &payload, &[(id, peer)]),
            (Role::Server, several) => self.send_to_each(Target::All, transfer, &payload, several),
            (Role::Client(_), several) => match self.folded_target(several.len()) {
                Some(target) => self.send_to_each(target, transfer, &payload, &several[..1]),
                None => {
                    for (index, &(id, peer)) in several.iter().enumerate() {
                        if index > 0 {
                            self.waiting.note_memory(HEADER_LEN + payload.len());
                            self.waiting.note(peer.index(), HEADER_LEN + payload.len(), transfer.delivery);
                        }
                        self.send_to_each(Target::One(id), transfer, &payload, &[(id, peer)]);
                    }
                }
            },
        }
        receivers.clear();
        self.folding.receivers = receivers;
        self.folding.payload = payload;
    }

    fn end_handing_over(&mut self, transfer: Transfer) {
        self.folding.shared = None;
        let receivers = std::mem::take(&mut self.folding.receivers);
        if let (Role::Client(_), &[(_, peer), _, ..]) = (&self.role, receivers.as_slice())
            && let Some(target) = self.folded_target(receivers.len())
        {
            let payload = &self.folding.payload;
            let packet = self.link.packet(&[&wire::header(self.id, target), payload]);
            self.link.replace(receivers.len(), Command::Send { peer, transfer, packet });
        }
        self.folding.receivers = receivers;
        self.folding.receivers.clear();
    }

    /// The one target that stands for all receivers, when there is one.
    fn folded_target(&self, count: usize) -> Option<Target> {
        let mut others = self.peers.others(self.folding.number);
        match (others.next(), others.next()) {
            (None, _) => Some(Target::All),
            (Some(other), None) if count > 1 => Some(Target::AllExcept(other)),
            _ => None,
        }
    }

    fn send_to_each(
        &mut self,
        target: Target,
        transfer: Transfer,
        payload: &[u8],
        receivers: &[(PeerId, PeerHandle)],
    ) {
        let packet = self.link.packet(&[&wire::header(self.id, target), payload]);
        let command = match *receivers {
            [(_, peer)] => Command::Send { peer, transfer, packet },
            _ => {
                let everybody = self.peers.everybody();
                let is_for_all = receivers.len() == everybody.len();
                let peers =
                    if is_for_all { everybody } else { receivers.iter().map(|(_, peer)| *peer).collect() };
                Command::SendToSeveral { peers, except: None, transfer, packet }
            }
        };
        self.link.execute(command);
    }
}
