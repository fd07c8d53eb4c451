//! Datagrams that have passed the guard and wait for the engine.

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::datagram::DatagramBatch;

/// A queue with barriers. The engine throws away a peer's undelivered packets as soon as it reads a
/// disconnect, so a datagram with a disconnect is shown to it only when all before it has been dispatched.
/// The same goes for the end of an association.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    batch: DatagramBatch,
    barriers: VecDeque<Barrier>,
    /// To be read before anything else.
    first: VecDeque<(SocketAddr, [u8; 10])>,
    taken: Option<(SocketAddr, [u8; 10])>,
    next: usize,
    open_until: usize,
}

/// A place in the queue that opens when all before it has been dispatched.
#[derive(Debug)]
struct Barrier {
    at: usize,
    /// Not a datagram, but the end of the association with its address.
    is_end: bool,
}

/// What lies behind the part of the queue that has been dispatched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// Nothing.
    Nothing,
    /// More to read.
    Datagrams,
    /// The end of the association with this address. What the engine has to read before the rest can be put in
    /// with [`Inbound::push_first`].
    End(SocketAddr),
}

impl Inbound {
    /// Appends a datagram.
    pub(crate) fn push(&mut self, from: SocketAddr, datagram: &[u8]) {
        if self.open_until == self.batch.len() {
            self.open_until += 1;
        }
        self.batch.push(from, datagram);
    }

    /// Appends a datagram made of two parts, that must not be read before all before it has been dispatched.
    pub(crate) fn push_barrier(&mut self, from: SocketAddr, header: &[u8], commands: &[u8]) {
        self.barriers.push_back(Barrier { at: self.batch.len(), is_end: false });
        self.batch.push_with(from, |bytes| {
            bytes.extend_from_slice(header);
            bytes.extend_from_slice(commands);
        });
    }

    /// Appends the end of an association.
    pub(crate) fn push_end(&mut self, address: SocketAddr) {
        self.barriers.push_back(Barrier { at: self.batch.len(), is_end: true });
        self.batch.push(address, &[]);
    }

    /// Puts a datagram in front of all that has not been read.
    pub(crate) fn push_first(&mut self, from: SocketAddr, datagram: [u8; 10]) {
        self.first.push_back((from, datagram));
    }

    /// True while a disconnect waits to be read, which may free a slot.
    pub(crate) fn has_barrier(&self) -> bool {
        !self.barriers.is_empty()
    }

    /// The next datagram that the engine may read.
    pub(crate) fn next(&mut self) -> Option<(SocketAddr, &[u8])> {
        if let Some(first) = self.first.pop_front() {
            let (from, datagram) = self.taken.insert(first);
            return Some((*from, &datagram[..]));
        }
        if self.next == self.open_until {
            return None;
        }
        self.next += 1;
        self.batch.get(self.next - 1)
    }

    /// To be called when the engine has nothing left to dispatch.
    pub(crate) fn open_more(&mut self) -> Opened {
        if self.next < self.open_until || !self.first.is_empty() {
            return Opened::Datagrams;
        }
        if self.next == self.batch.len() {
            self.batch.clear();
            (self.next, self.open_until) = (0, 0);
            return Opened::Nothing;
        }
        // Lift the barrier at `next`, up to the one behind it. Behind an end there need not be one.
        match self.barriers.pop_front_if(|barrier| barrier.at == self.next) {
            Some(Barrier { is_end: true, .. }) => {
                let ended = self.batch.get(self.next).map(|(address, _)| address);
                self.next += 1;
                self.open_until = self.next;
                ended.map_or(Opened::Datagrams, Opened::End)
            }
            _ => {
                self.open_until = self.barriers.front().map_or(self.batch.len(), |barrier| barrier.at);
                Opened::Datagrams
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(inbound: &mut Inbound) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| inbound.next().map(|(_, bytes)| bytes.to_vec())).collect()
    }

    #[test]
    fn barriers_hold_back_all_behind_them() {
        let from = SocketAddr::from(([127, 0, 0, 1], 9));
        let mut inbound = Inbound::default();
        inbound.push(from, b"a");
        inbound.push(from, b"b");
        inbound.push_barrier(from, b"h", b"bye");
        inbound.push(from, b"c");
        inbound.push_barrier(from, b"", b"bye");
        assert_eq!(drain(&mut inbound), [b"a".to_vec(), b"b".to_vec()]);
        assert_eq!(inbound.open_more(), Opened::Datagrams);
        assert_eq!(drain(&mut inbound), [b"hbye".to_vec(), b"c".to_vec()]);
        assert_eq!(inbound.open_more(), Opened::Datagrams);
        assert_eq!(drain(&mut inbound), [b"bye".to_vec()]);
        assert_eq!(inbound.open_more(), Opened::Nothing);
        inbound.push(from, b"d");
        assert_eq!(drain(&mut inbound), [b"d".to_vec()]);
        assert_eq!(inbound.open_more(), Opened::Nothing);
    }

    #[test]
    fn behind_an_end_comes_first_what_is_put_there() {
        let [one, other] = [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let mut inbound = Inbound::default();
        inbound.push(one, b"a");
        inbound.push_end(one);
        inbound.push(one, b"b");
        inbound.push_barrier(one, b"", b"bye");
        inbound.push_end(other);
        inbound.push_end(one);
        assert!(inbound.has_barrier());
        assert_eq!(drain(&mut inbound), [b"a".to_vec()]);
        assert_eq!(inbound.open_more(), Opened::End(one));
        inbound.push_first(one, *b"0123456789");
        assert_eq!(inbound.open_more(), Opened::Datagrams);
        assert_eq!(drain(&mut inbound), [b"0123456789".to_vec()]);
        assert_eq!(inbound.open_more(), Opened::Datagrams);
        assert_eq!(drain(&mut inbound), [b"b".to_vec()]);
        assert_eq!(inbound.open_more(), Opened::Datagrams);
        assert_eq!(drain(&mut inbound), [b"bye".to_vec()]);
        assert_eq!(inbound.open_more(), Opened::End(other));
        assert_eq!(inbound.open_more(), Opened::End(one));
        inbound.push(one, b"c");
        assert_eq!(inbound.open_more(), Opened::Datagrams);
        assert_eq!(drain(&mut inbound), [b"c".to_vec()]);
        assert_eq!(inbound.open_more(), Opened::Nothing);
        assert!(!inbound.has_barrier());
    }
}
