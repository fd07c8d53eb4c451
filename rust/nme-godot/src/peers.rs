//! Methods about one peer.

use godot::prelude::*;

use crate::class::NetworkedMultiplayerENet;
use crate::error::{self, Inactive};

#[godot_api(secondary)]
impl NetworkedMultiplayerENet {
    /// On a server: disconnects the client [param id]. With [param now], at once: what was put for the client before is
    /// not sent again when it gets lost, packets of it that were not fetched yet are dropped, and
    /// [signal MultiplayerPeer.peer_disconnected] comes during this call. Otherwise the client gets everything that is
    /// queued first, and the signal comes when it has left.
    #[func(rename = disconnect_peer)]
    fn disconnect_client(&mut self, id: i64, #[opt(default = false)] now: bool) {
        self.disconnect(id, now);
    }

    /// The IP address of the peer [param id]; an error and an empty string when there is no such peer. A client knows
    /// only the server's (1).
    #[func]
    fn get_peer_address(&self, id: i64) -> GString {
        self.peer_socket_address("get_peer_address", id)
            .map_or_else(GString::new, |address| GString::from(&address.ip().to_string()))
    }

    /// The UDP port of the peer [param id]; an error and 0 when there is no such peer. A client knows only the
    /// server's (1).
    #[func]
    fn get_peer_port(&self, id: i64) -> i64 {
        self.peer_socket_address("get_peer_port", id).map_or(0, |address| address.port().into())
    }

    /// Sets how fast unreliable packets to the peer [param id] are dropped when its link becomes slow, and let through
    /// again; the peer uses the same values towards this side. Each round trip that takes longer than those of the last
    /// [param interval_msec] ms took takes [param deceleration] thirty-seconds off the share of packets that is sent, and
    /// one that does not adds [param acceleration]. ENet's own values are 5000, 2 and 2; a [param deceleration] of 0 sends
    /// all packets whatever the link.
    #[func]
    fn set_peer_throttle(&mut self, id: i64, interval_msec: i64, acceleration: i64, deceleration: i64) {
        let Some(connection) = &mut self.connection else {
            return error::complain("set_peer_throttle", Inactive);
        };
        let session = connection.session_mut();
        match session.set_peer_throttle(id, interval_msec, acceleration, deceleration) {
            // The peer is told.
            Ok(()) => connection.flush(),
            Err(problem) => error::complain("set_peer_throttle", problem),
        }
    }

    /// Sets when the peer [param id] is taken for lost because it does not acknowledge reliable packets. After
    /// [param timeout_limit] times a value near the round-trip time the wait for an acknowledgement has become too
    /// long, but the peer stays for at least [param timeout_min] ms; after [param timeout_max] ms it is gone in any
    /// case. Each value must be no larger than the next; 0 stands
    /// for ENet's own, which are 32, 5000 and 30000.
    #[func]
    fn set_peer_timeout(&mut self, id: i64, timeout_limit: i64, timeout_min: i64, timeout_max: i64) {
        let Some(connection) = &mut self.connection else {
            return error::complain("set_peer_timeout", Inactive);
        };
        let session = connection.session_mut();
        if let Err(problem) = session.set_peer_timeout(id, timeout_limit, timeout_min, timeout_max) {
            error::complain("set_peer_timeout", problem);
        }
    }
}
