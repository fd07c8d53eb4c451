//! Methods about one peer.

use godot::prelude::*;

use crate::class::NetworkedMultiplayerENet;
use crate::error::{self, Inactive};
use crate::shared::Object;

#[godot_api(secondary)]
impl NetworkedMultiplayerENet {
    /// Server: disconnects the client with this [param id]. The client gets [signal server_disconnected], with
    /// [constant CONNECTION_ERROR_CLOSED_BY_SERVER].
    ///
    /// When [param now] is false, the client first gets everything that was put for it, and
    /// [signal MultiplayerPeer.peer_disconnected] comes when it has left. When it is true, the signal comes during
    /// this call, what was lost on the way is not sent again, and packets of the client that were not fetched yet
    /// are dropped.
    ///
    /// ```gdscript
    /// say_why.rpc_id(id, "The round is over.")
    /// peer.disconnect_peer(id)  # behind the RPC
    /// ```
    ///
    /// For an unknown id, on a client, and without a connection this prints an error and does nothing. A client leaves
    /// with [method close_connection]. (Called on a variable of type [MultiplayerPeer], the engine's own method of this
    /// name runs: with the id 1 a client leaves by it, and a server does not listen any more to whom it disconnects.)
    #[func(gd_self, rename = disconnect_peer)]
    fn disconnect_client(this: Gd<Self>, id: i64, #[opt(default = false)] now: bool) {
        this.shared().disconnect(id, now, || this);
    }

    /// Returns the IP address of the peer with this [param id], such as [code]192.168.1.7[/code] or
    /// [code]fe80::1[/code]. A client knows only the server's (1), also while it connects; other clients are behind it.
    /// Prints an error and returns an empty string for those, for an id that nobody has, and while the server's name is
    /// being looked up.
    #[func]
    fn get_peer_address(&self, id: i64) -> GString {
        self.shared
            .peer_socket_address("get_peer_address", id)
            .map_or_else(GString::new, |address| GString::from(&address.ip().to_string()))
    }

    /// Returns the local UDP port of the open server or client. After [method create_server] with port 0, this is the
    /// port that clients need. Prints an error and returns 0 when no connection is open.
    ///
    /// ```gdscript
    /// peer.create_server(0)
    /// print("The server listens on port %d" % peer.get_local_port())
    /// ```
    #[func]
    fn get_local_port(&self) -> i64 {
        let port = self.shared.with_connection(|connection| connection.local_addr().port());
        port.map_or_else(
            || {
                error::complain("get_local_port", Inactive);
                0
            },
            i64::from,
        )
    }

    /// Returns the UDP port of the peer with this [param id], as this side sees it: behind a router, that is the
    /// router's. A client knows only the server's (1), also while it connects. Prints an error and returns 0 for other
    /// clients, for an id that nobody has, and while the server's name is being looked up.
    #[func]
    fn get_peer_port(&self, id: i64) -> i64 {
        self.shared.peer_socket_address("get_peer_port", id).map_or(0, |address| address.port().into())
    }

    /// Sets how ENet's throttle for the peer with this [param id] moves. The throttle is the share of unreliable
    /// packets that is sent, in thirty-seconds; the others are dropped before they leave, so that a slow link does
    /// not get slower. It looks at the round-trip time: while that grows because more is sent than the link carries,
    /// the share falls, by [param deceleration] with each acknowledgement until the link has caught up; then it rises
    /// by [param acceleration]. A round-trip time that stays as it is for a fifth of [param interval_msec] is taken
    /// for the link's own. The peer uses the same values towards this side.
    ///
    /// Each value is from 0 to 4294967295. ENet's own are 5000, 2 and 2. A client can set it for the server (1)
    /// only, once it is connected. Reliable packets are never dropped. For an unknown id and for values out of range
    /// this prints an error and changes nothing.
    ///
    /// ```gdscript
    /// peer.set_peer_throttle(id, 5000, 2, 0)  # send everything, whatever the link
    /// ```
    #[func(gd_self)]
    fn set_peer_throttle(
        this: impl Object,
        id: i64,
        interval_msec: i64,
        acceleration: i64,
        deceleration: i64,
    ) {
        let done = this.shared().with_connection(|connection| {
            connection.set_peer_throttle(id, interval_msec, acceleration, deceleration)
        });
        match done {
            Some(Ok(())) => {}
            Some(Err(problem)) => error::complain("set_peer_throttle", problem),
            None => error::complain("set_peer_throttle", Inactive),
        }
    }

    /// Sets when the peer with this [param id] is taken for lost because it does not acknowledge reliable packets.
    /// Idle connections send such packets, too, so this finds out about every peer that is gone. A client can set
    /// it for the server (1) only. Right behind [method create_client] it is for the attempt, which then fails after
    /// [param timeout_max] ms, and for the connection.
    ///
    /// Each time a packet stays without an answer, the wait for it doubles. When the wait has grown
    /// [param timeout_limit]-fold and at least [param timeout_min] ms have passed, the peer is gone; after
    /// [param timeout_max] ms it is gone in any case. The values may not be negative, and each no larger than the
    /// next. 0 stands for ENet's own, which are 32, 5000 and 30000.
    ///
    /// ```gdscript
    /// peer.set_peer_timeout(id, 32, 2000, 5000)  # after 5 seconds at most
    /// ```
    ///
    /// Short times also disconnect players whose game hangs for a moment, for instance while it loads a level. For
    /// an unknown id and for values in a wrong order this prints an error and changes nothing.
    #[func(gd_self)]
    fn set_peer_timeout(this: impl Object, id: i64, timeout_limit: i64, timeout_min: i64, timeout_max: i64) {
        let done = this.shared().with_connection(|connection| {
            connection.set_peer_timeout(id, timeout_limit, timeout_min, timeout_max)
        });
        match done {
            Some(Ok(())) => {}
            Some(Err(problem)) => error::complain("set_peer_timeout", problem),
            None => error::complain("set_peer_timeout", Inactive),
        }
    }
}
