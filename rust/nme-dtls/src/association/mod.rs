//! One association: the state that two hosts share once they have begun a handshake.
//!
//! The rest of the crate knows [`Association`] alone; the DTLS library behind it is named in [`rtc`] only (and in the
//! type of a server's certificate).

pub(crate) mod rtc;

use std::time::Duration;

/// An association with one peer, in either role.
///
/// Calls may leave datagrams behind for [`poll_transmit`](Self::poll_transmit).
pub(crate) trait Association: Send {
    /// Takes records that have passed the gate, and hands out the application data in them.
    fn read(&mut self, now: Duration, records: &[u8], deliver: &mut dyn FnMut(&[u8])) -> Read;

    /// Protects one datagram; false when the association has no sequence numbers left. Only after [`Read::Completed`].
    fn write(&mut self, now: Duration, datagram: &[u8]) -> bool;

    /// Gives out what is to be sent.
    fn poll_transmit(&mut self, send: &mut dyn FnMut(&[u8]));

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    fn timeout(&self) -> Option<Duration>;

    /// Repeats the last flight; false when that has been done often enough and the handshake is over.
    fn handle_timeout(&mut self, now: Duration) -> bool;

    /// Says goodbye.
    fn close(&mut self, now: Duration);
}

/// What reading has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// Nothing that matters to others.
    Open,
    /// The handshake is complete.
    Completed,
    /// The peer has said goodbye.
    Closed,
    /// The association cannot go on. An alert may be left to be sent.
    Failed,
}
