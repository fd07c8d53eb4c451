//! What a peer may send, and what becomes of one that sends too much.

use nme_enet::{PeerHandle, PeerLimit, PeerRates};

use super::backlog::Credit;
use super::{Endpoint, Received};
use crate::channel::Delivery;
use crate::counters::DroppedPacket;
use crate::relay::wire::HEADER_LEN;
use crate::session::{CutOff, Departure};

impl Endpoint {
    /// Counts a packet for the game among what waits. How many bytes of older ones are to be dropped for it; `None` when there
    /// is no room.
    pub(super) fn admit_packet(&mut self, received: &Received) -> Option<usize> {
        let is_reliable = received.delivery == Delivery::Reliable;
        let displaces = self.backlog.make_room(received.via, &received.packet, is_reliable)?;
        if let Some(reception) = self.backlog.add(received.via, &received.packet, is_reliable) {
            self.host.set_reception(received.via, reception);
        }
        Some(displaces)
    }

    /// Packets that have been reported do not wait any more.
    pub(super) fn take_credit(&mut self, credit: Credit) {
        self.backlog.take_credit(credit);
        self.counters.drop_packets(DroppedPacket::NotFetched, credit.dropped);
    }

    /// Takes everything of connections again whose packets the game has fetched.
    pub(super) fn reconsider_reception(&mut self) {
        for (peer, reception) in self.backlog.reconsider() {
            self.host.set_reception(peer, reception);
        }
    }

    /// Sets how many bytes of packets may wait for the game, and to be worked on.
    pub(super) const fn set_max_buffered(&mut self, bytes: usize) {
        self.backlog.set_limit(bytes);
        self.host.set_event_limit(bytes);
    }

    /// Sets how large the payload of a packet may be.
    pub(super) const fn set_max_received(&mut self, bytes: usize) {
        self.host.set_max_received(bytes + HEADER_LEN);
    }

    /// Sets how much each peer may send.
    pub(super) const fn set_peer_rates(&mut self, rates: PeerRates) {
        self.host.set_peer_rates(rates);
    }

    /// Ends the connection of a peer that has exceeded a limit.
    #[cold]
    pub(super) fn cut_off(&mut self, peer: PeerHandle, limit: PeerLimit) {
        if let Some(connection) = self.connections.get(peer) {
            self.warn(CutOff { peer: connection.id, limit });
        }
        self.counters.cut_off(limit);
        self.host.disconnect_now(peer, 0);
        self.lose(peer, Departure::Limit);
    }
}
