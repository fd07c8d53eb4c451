//! Connections that have ended because the path loses long datagrams, and what is told of them.
//!
//! A client's game gets [`ConnectionError::LongLost`], whichever side has found out: a server tells its client why. A server
//! has no such error for each of its clients, and its log is not to fill up: it names the first one, once.

use nme_enet::{DisconnectReason, PeerHandle};

use super::{Endpoint, Role};
use crate::session::{ConnectionError, LongLost};

/// The first client that was lost for that reason, and whether it has been told.
#[derive(Debug, Default)]
pub(super) struct LongLosses {
    first: Option<LongLost>,
    has_told: bool,
}

impl Endpoint {
    /// Server: the first client whose connection has ended because long datagrams to it got lost. Answers once.
    pub(crate) const fn take_long_lost(&mut self) -> Option<LongLost> {
        let LongLosses { first, has_told } = &mut self.long_losses;
        if *has_told {
            return None;
        }
        *has_told = first.is_some();
        *first
    }

    /// Notes why a connection has ended, of which the other side has not told.
    pub(super) fn note_long_lost(&mut self, peer: PeerHandle, reason: DisconnectReason) {
        if let (Role::Server { .. }, DisconnectReason::LongLost) = (&self.role, reason)
            && let Some(connection) = self.connections.get(peer)
        {
            let lost = LongLost { peer: connection.id, address: connection.address };
            self.long_losses.first.get_or_insert(lost);
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
