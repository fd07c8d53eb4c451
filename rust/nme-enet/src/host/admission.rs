//! Who decides whether a connect request gets a place.

use std::net::SocketAddr;

/// A connect request that an ENet could have sent, from a client that has no place yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectRequest {
    /// Where it says that it is from; anybody can write any address there.
    pub from: SocketAddr,
    /// Random number of the attempt; repetitions have the same.
    pub connect_id: u32,
    /// The client's number for us.
    pub peer: u16,
    /// The time in its header.
    pub sent_time: u16,
    /// Channels that it asks for.
    pub channels: u8,
    /// The value for the application.
    pub data: u32,
    /// There is no place for it.
    pub is_full: bool,
}

/// What is to happen with a connect request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It gets a place, and an answer. Without a free place: as [`Self::Refuse`].
    Accept,
    /// Nothing.
    Ignore,
    /// It is told at once that it is refused, by a datagram that is far smaller than its own and needs no memory.
    Refuse,
}

/// Judges connect requests, each before a place or memory is taken for it.
pub trait Admission {
    /// Judges a request. Repetitions of a request that has its place do not come here.
    fn judge(&mut self, request: &ConnectRequest) -> Verdict;
}

impl<F: FnMut(&ConnectRequest) -> Verdict> Admission for F {
    fn judge(&mut self, request: &ConnectRequest) -> Verdict {
        self(request)
    }
}
