//! What a session reports.

use crate::peer::PeerId;

/// Something that happened, in the order of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A peer can be sent to: a client, the server (on a client), or another client behind the relay.
    PeerConnected(PeerId),
    /// A peer has left. All its packets have been in the inbox before.
    PeerDisconnected(PeerId),
    /// Client: the server has taken the connection. Comes behind `PeerConnected(1)`.
    ConnectionSucceeded,
    /// Client: the attempt has failed; the session is of no further use.
    ConnectionFailed,
    /// Client: the server has gone; the session is of no further use. Comes behind a `PeerDisconnected` of
    /// every known peer.
    ServerDisconnected,
}

/// How far a session's connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Over, or never begun.
    Disconnected,
    /// A client that waits for its server.
    Connecting,
    /// A server, or a client that its server has taken.
    Connected,
}
