//! Making the engine give up packets that will never be complete.
//!
//! At the current reliable number the engine keeps the newest two incomplete unreliable packets of a channel
//! until a newer one is whole. When the peer then sends nothing more on that channel, they stay for as long
//! as the session lasts, and hold quota that its other channels need. The way to end them from outside is the
//! newer packet itself.

use std::net::SocketAddr;

use super::wire::plain_header;

/// A datagram with one unreliable packet of one byte, which sessions drop as too short for their header.
///
/// The packet takes the unreliable number behind the newest incomplete one. Should the peer have sent a packet
/// of that number which is still on its way, the engine drops that: one loss more on a link that loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Injection {
    /// The peer's address.
    pub(crate) from: SocketAddr,
    pub(crate) datagram: [u8; 11],
}

impl Injection {
    pub(super) fn new(
        from: SocketAddr,
        (slot, session): (u16, u8),
        channel: u8,
        reliable: u16,
        unreliable: u16,
    ) -> Self {
        let [h0, h1] = plain_header(slot, session).to_be_bytes();
        let [r0, r1] = reliable.to_be_bytes();
        let [u0, u1] = unreliable.to_be_bytes();
        Self { from, datagram: [h0, h1, UNRELIABLE, channel, r0, r1, u0, u1, 0, 1, 0] }
    }
}

const UNRELIABLE: u8 = 0x07;
