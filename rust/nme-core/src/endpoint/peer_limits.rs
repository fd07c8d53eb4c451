//! What a peer may send, and what becomes of one that sends too much.

use nme_enet::{PeerHandle, PeerLimit, PeerRates, Reception};

use super::Endpoint;
use crate::relay::wire::HEADER_LEN;
use crate::session::{ConnectionError, CutOff};

impl Endpoint {
    /// Sets what is taken of the reliable packets of a peer.
    pub(crate) fn set_reception(&mut self, peer: PeerHandle, reception: Reception) {
        self.host.set_reception(peer, reception);
    }

    /// Sets how many bytes of packets may wait to be worked on.
    pub(crate) const fn set_event_limit(&mut self, bytes: usize) {
        self.host.set_event_limit(bytes);
    }

    /// Sets how large the payload of a packet may be.
    pub(crate) const fn set_max_received(&mut self, bytes: usize) {
        self.host.set_max_received(bytes + HEADER_LEN);
    }

    /// Sets how much each peer may send.
    pub(crate) const fn set_peer_rates(&mut self, rates: PeerRates) {
        self.host.set_peer_rates(rates);
    }

    /// Ends the connection of a peer that has exceeded a limit.
    pub(super) fn cut_off(&mut self, peer: PeerHandle, limit: PeerLimit) {
        if let Some(connection) = self.connections.get(peer) {
            self.warnings.add(CutOff { peer: connection.id, limit });
        }
        self.counters.cut_off(limit);
        self.host.disconnect_now(peer, 0);
        self.lose(peer, ConnectionError::Lost);
    }
}
