//! Connections that have ended because the path loses long datagrams, and what is told of them.
//!
//! A client's game gets [`ConnectionError::LongLost`], whichever side has found out: a server tells its client why. A server
//! has no such error for each of its clients: there is a warning that names the first one.

use nme_enet::{DisconnectReason, PeerHandle};

use super::{Endpoint, Role};
use crate::session::{ConnectionError, LongLost};

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

/// Why a connection has ended that stood, as its client sees it.
pub(super) const fn error_of(reason: DisconnectReason) -> ConnectionError {
    match reason {
        DisconnectReason::LongLost | DisconnectReason::ByPeer(DisconnectReason::LONG_LOST_DATA) => {
            ConnectionError::LongLost
        }
        DisconnectReason::ByPeer(_) => ConnectionError::ClosedByServer,
        DisconnectReason::Requested | DisconnectReason::TimedOut => ConnectionError::Lost,
    }
}
