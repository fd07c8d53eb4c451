//! What has gone over the wire: `get_sent_bytes` and `get_received_bytes`.

use godot::prelude::*;
use nme_driver::Traffic;

use crate::class::NetworkedMultiplayerENet;
use crate::error::{self, Inactive};

#[godot_api(secondary)]
impl NetworkedMultiplayerENet {
    /// How many bytes the open connection has sent since it was created, to all peers together; an error and 0 when no
    /// connection is open. These are the payloads of UDP datagrams, as they are on the wire: compressed, encrypted, and
    /// with everything that ENet sends of its own. IP and UDP themselves add 28 bytes to each datagram (48 with IPv6).
    ///
    /// ```gdscript
    /// var before = peer.get_sent_bytes()
    /// await get_tree().create_timer(1.0).timeout
    /// print("%d bytes per second" % (peer.get_sent_bytes() - before))
    /// ```
    #[func]
    fn get_sent_bytes(&self) -> i64 {
        self.count("get_sent_bytes", |traffic| traffic.bytes_sent)
    }

    /// How many bytes the open connection has received since it was created, counted as in [method get_sent_bytes]; an
    /// error and 0 when no connection is open. Datagrams that were dropped, such as those of strangers, count, too.
    #[func]
    fn get_received_bytes(&self) -> i64 {
        self.count("get_received_bytes", |traffic| traffic.bytes_received)
    }
}

impl NetworkedMultiplayerENet {
    fn count(&self, call: &str, which: fn(Traffic) -> u64) -> i64 {
        let state = self.shared.lock();
        let bytes = state.connection.as_ref().map(|connection| which(connection.traffic()));
        drop(state);
        let Some(bytes) = bytes else {
            error::complain(call, Inactive);
            return 0;
        };
        i64::try_from(bytes).unwrap_or(i64::MAX)
    }
}
