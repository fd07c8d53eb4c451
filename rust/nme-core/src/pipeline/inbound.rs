//! Datagrams that have passed the guard and wait for the engine.

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::datagram::DatagramBatch;

/// A queue with barriers. The engine throws away a peer's undelivered packets as soon as it reads a
/// disconnect, so a datagram with a disconnect is shown to it only when all before it has been dispatched.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    batch: DatagramBatch,
    barriers: VecDeque<usize>,
    next: usize,
    open_until: usize,
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
        self.barriers.push_back(self.batch.len());
        self.batch.push_with(from, |bytes| {
            bytes.extend_from_slice(header);
            bytes.extend_from_slice(commands);
        });
    }

    /// True while a disconnect waits to be read, which may free a slot.
    pub(crate) fn has_barrier(&self) -> bool {
        !self.barriers.is_empty()
    }

    /// The next datagram that the engine may read.
    pub(crate) fn next(&mut self) -> Option<(SocketAddr, &[u8])> {
        if self.next == self.open_until {
            return None;
        }
        self.next += 1;
        self.batch.get(self.next - 1)
    }

    /// To be called when the engine has nothing left to dispatch: true when there is more for it to read.
    pub(crate) fn open_more(&mut self) -> bool {
        if self.next < self.open_until {
            return true;
        }
        if self.next == self.batch.len() {
            self.batch.clear();
            (self.next, self.open_until) = (0, 0);
            return false;
        }
        // The datagram at `next` is a barrier: lift it, up to the one behind it.
        self.barriers.pop_front();
        self.open_until = self.barriers.front().copied().unwrap_or_else(|| self.batch.len());
        true
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
        assert!(inbound.open_more());
        assert_eq!(drain(&mut inbound), [b"hbye".to_vec(), b"c".to_vec()]);
        assert!(inbound.open_more());
        assert_eq!(drain(&mut inbound), [b"bye".to_vec()]);
        assert!(!inbound.open_more());
        inbound.push(from, b"d");
        assert_eq!(drain(&mut inbound), [b"d".to_vec()]);
        assert!(!inbound.open_more());
    }
}
