//! Why peers leave: `kick_peer`, and what is told of the end of a connection with a peer.

use godot::global::Error;
use godot::prelude::*;
use nme_core::PeerTimeout;
use nme_core::relay::Kick;
use nme_core::session::KickError;
use thiserror::Error as ThisError;

use crate::class::NetworkedMultiplayerENet;
use crate::error::{self, Code, Inactive};
use crate::shared::Object;

#[godot_api(secondary)]
impl NetworkedMultiplayerENet {
    /// Server: sends the client with this [param id] away, and tells it why before. It first gets everything that was put for it.
    /// Then it gets [signal server_disconnected] with [constant CONNECTION_ERROR_KICKED], and [method get_kick_code] and
    /// [method get_kick_text] return what is given here: [param code], a number of the game's own from -2147483648 to 2147483647, and
    /// [param text] of up to 1024 bytes. On this side, [signal MultiplayerPeer.peer_disconnected] comes when it has left. A client of Godot 3 just
    /// leaves.
    ///
    /// ```gdscript
    /// # On the server.
    /// peer.kick_peer(id, 3, "The round is full.")
    /// ```
    ///
    /// ```gdscript
    /// # On the client.
    /// peer.server_disconnected.connect(func():
    ///       if peer.get_connection_error() == NetworkedMultiplayerENet.CONNECTION_ERROR_KICKED:
    ///           label.text = peer.get_kick_text())
    /// ```
    ///
    /// Returns [constant @GlobalScope.OK], or prints an error and returns [constant @GlobalScope.ERR_INVALID_PARAMETER] for an unknown
    /// id, on a client and for values out of range, and [constant @GlobalScope.ERR_UNCONFIGURED] when no connection is open.
    #[func(gd_self)]
    fn kick_peer(
        this: impl Object,
        id: i64,
        #[opt(default = 0)] code: i64,
        #[opt(default = "")] text: GString,
    ) -> Error {
        let kicked = i32::try_from(code).map_err(|_| KickPeerError::Code(code)).and_then(|code| {
            let kick = Kick { code, text: text.to_string() };
            let done = this.shared().with_connection(|connection| connection.kick_peer(id, kick));
            Ok(done.ok_or(Inactive)??)
        });
        match kicked {
            Ok(()) => Error::OK,
            Err(problem) => error::report("kick_peer", &problem),
        }
    }

    /// Client: the number that the server gave to [method kick_peer], when [method get_connection_error] is
    /// [constant CONNECTION_ERROR_KICKED]; otherwise 0. It stays until the next connection is opened.
    #[func]
    fn get_kick_code(&self) -> i64 {
        self.shared.lock().kick.as_ref().map_or(0, |kick| kick.code.into())
    }

    /// Client: the text that the server gave to [method kick_peer], when [method get_connection_error] is
    /// [constant CONNECTION_ERROR_KICKED]; otherwise empty. It stays until the next connection is opened.
    #[func]
    fn get_kick_text(&self) -> GString {
        let kick = self.shared.lock().kick.clone();
        kick.map_or_else(GString::new, |kick| GString::from(&kick.text))
    }

    /// Returns why the peer of the last [signal MultiplayerPeer.peer_disconnected] has left, as one of the
    /// [code]DISCONNECT_REASON_*[/code] constants. To be called in a handler of that signal.
    ///
    /// ```gdscript
    /// peer.peer_disconnected.connect(func(id: int):
    ///       if peer.get_peer_disconnect_reason() == NetworkedMultiplayerENet.DISCONNECT_REASON_LOST:
    ///           print("Player %d has lost the connection" % id))
    /// ```
    #[func]
    fn get_peer_disconnect_reason(&self) -> i64 {
        self.shared.lock().departure.map_or(0, |departure| departure.number().into())
    }

    /// Sets for each peer that connects from now on what [method set_peer_timeout] sets for one: [param timeout_limit],
    /// [param timeout_min] and [param timeout_max]. It also holds for the next [method create_server] and [method create_client]. The values of a client's attempt are its own: see
    /// [member connect_timeout_msec].
    ///
    /// ```gdscript
    /// peer.set_default_peer_timeout(32, 2000, 10000)  # players who do not answer are gone after 10 seconds at most
    /// peer.create_server(4242)
    /// ```
    ///
    /// For values in a wrong order this prints an error and changes nothing.
    #[func(gd_self)]
    fn set_default_peer_timeout(this: impl Object, timeout_limit: i64, timeout_min: i64, timeout_max: i64) {
        let timeout = match PeerTimeout::new(timeout_limit, timeout_min, timeout_max) {
            Ok(timeout) => timeout,
            Err(problem) => return error::complain("set_default_peer_timeout", problem),
        };
        let shared = this.shared();
        let mut state = shared.lock();
        state.settings.default_timeout = Some(timeout);
        if let Some(connection) = &mut state.connection {
            connection.set_default_peer_timeout(timeout);
        }
    }
}

/// Why a client was not sent away.
#[derive(Debug, ThisError)]
enum KickPeerError {
    #[error(transparent)]
    Inactive(#[from] Inactive),
    #[error("the code {0} is not possible; use a number from -2147483648 to 2147483647")]
    Code(i64),
    #[error(transparent)]
    Session(#[from] KickError),
}

impl Code for KickPeerError {
    fn code(&self) -> Error {
        match self {
            Self::Inactive(problem) => problem.code(),
            Self::Code(_) | Self::Session(_) => Error::ERR_INVALID_PARAMETER,
        }
    }
}
