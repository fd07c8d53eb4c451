//! The place of encryption: between the codec and the socket.
//!
//! A [`SecureLayer`] turns each plain datagram of the engine into one protected datagram and back, with one
//! association for each remote address. Like the rest of the core it has no socket, no thread and no clock: datagrams
//! and time come in, and what it wants to send, deliver and report comes out in a [`SecureOutput`].

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

pub use nme_enet::Verdict;

use crate::datagram::DatagramBatch;

/// Protects the datagrams of one host.
///
/// Every call may append to `out`; the caller empties it. Nothing the network sends makes a call panic or fail: what
/// is not acceptable is dropped and counted.
pub trait SecureLayer: Send {
    /// By how many bytes a protected datagram is longer than the plain one, at most. The MTU is lowered by as much.
    fn overhead(&self) -> u16;

    /// Client: begins the handshake with the server. [`SecureEvent::Established`] or [`SecureEvent::Failed`] follows.
    fn connect(&mut self, now: Duration, server: SocketAddr, out: &mut SecureOutput);

    /// Takes a datagram off the socket. `judge` tells a server's layer what to do with a client that begins a
    /// handshake; it is asked only then, after the client's address has been proven. One that is ignored gets no answer,
    /// so that it asks again.
    fn receive(
        &mut self,
        now: Duration,
        from: SocketAddr,
        datagram: &[u8],
        judge: &mut dyn FnMut() -> Verdict,
        out: &mut SecureOutput,
    );

    /// Protects a datagram. Without an association with `to` it is dropped.
    fn send(&mut self, now: Duration, to: SocketAddr, datagram: &[u8], out: &mut SecureOutput);

    /// Lets time work: repeats flights, gives up handshakes. To be called at least once a poll.
    fn tick(&mut self, now: Duration, out: &mut SecureOutput);

    /// Server: a connection uses the association with `peer` from now on. Those that none uses are the first that make room
    /// for newcomers, whatever they have carried.
    fn note_use(&mut self, _now: Duration, _peer: SocketAddr) {}

    /// Ends the association with `peer`, which is told. No event follows.
    fn close(&mut self, now: Duration, peer: SocketAddr, out: &mut SecureOutput);

    /// What has been counted so far.
    fn counters(&self) -> SecureCounters;
}

/// What a layer produces. Of one call, the datagrams come before the events.
#[derive(Debug, Default)]
pub struct SecureOutput {
    /// Plain datagrams for the engine, with the address of their sender.
    pub plain: DatagramBatch,
    /// Protected datagrams for the socket.
    pub wire: DatagramBatch,
    /// What happened.
    pub events: VecDeque<SecureEvent>,
}

/// What happened to an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecureEvent {
    /// The handshake with this peer is complete.
    Established(SocketAddr),
    /// The peer has ended its association, or has replaced it by a new one after a restart. Its connection has ended.
    Closed(SocketAddr),
    /// Client: there will be no association.
    Failed(SecureFailure),
}

/// Why a client's handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecureFailure {
    /// The certificate's last day has passed.
    CertificateExpired,
    /// The certificate's first day has not come.
    CertificateNotYetValid,
    /// The certificate is for another name.
    WrongName,
    /// Nobody that is trusted has signed the certificate.
    Untrusted,
    /// The server answers, but not with DTLS.
    NoDtls,
    /// The server has refused the handshake because it takes no more clients.
    Refused,
    /// The handshake went wrong in another way: no common cipher, a broken message, an alert.
    Handshake,
    /// No complete handshake in time.
    TimedOut,
}

/// Counters of a layer since it was made. They only grow, but for the two that say "now".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecureCounters {
    /// First hellos answered with a cookie.
    pub cookies: u64,
    /// Handshakes completed.
    pub completed: u64,
    /// Handshakes given up: too slow, too large, or wrong.
    pub abandoned: u64,
    /// Handshakes not begun, as the server was full, refused, or had too many half-open.
    pub turned_away: u64,
    /// Datagrams that are no DTLS, or not for any association.
    pub dropped: u64,
    /// Handshakes in progress now.
    pub half_open: u32,
    /// Associations now.
    pub established: u32,
}
