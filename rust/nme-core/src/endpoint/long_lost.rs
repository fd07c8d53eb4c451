//! Connections that have ended because the path loses long datagrams, and what is told of them.
//!
//! A client's game gets [`Departure::LongLost`], whichever side has found out: a server tells its client why. A server
//! has no such error for each of its clients: there is a warning that names the first one.

use nme_enet::{DisconnectReason, PeerHandle};

use super::{Endpoint, Role};
use crate::session::{Departure, LongLost};

impl Endpoint {
    /// Notes why a connection has ended, of which the other side has not told.
    pub(super) fn note_long_lost(&mut self, peer: PeerHandle, reason: DisconnectReason) {
        if let (Role::Server { .. }, DisconnectReason::LongLost) = (&self.role, reason)
            && let Some(connection) = self.connections.get(peer)
        {
            self.warn(LongLost { peer: connection.id, address: connection.address });
        }
    }
}

/// Why a connection has ended that stood.
pub(super) const fn departure_of(reason: DisconnectReason) -> Departure {
    match reason {
        DisconnectReason::LongLost | DisconnectReason::ByPeer(DisconnectReason::LONG_LOST_DATA) => {
            Departure::LongLost
        }
        DisconnectReason::ByPeer(_) => Departure::Left,
        DisconnectReason::Requested => Departure::Disconnected,
        DisconnectReason::TimedOut => Departure::Lost,
    }
}
