//! Batches of datagrams: one byte arena and a list of (address, range), reused for ever.

use std::net::SocketAddr;
use std::ops::Range;

/// Datagrams in the order they were pushed, kept in one buffer.
///
/// Clearing keeps the memory, so that a batch that lives as long as its session stops allocating once it
/// has seen its largest load.
#[derive(Debug, Default)]
pub struct DatagramBatch {
    bytes: Vec<u8>,
    entries: Vec<(SocketAddr, Range<usize>)>,
}

impl DatagramBatch {
    /// An empty batch.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), entries: Vec::new() }
    }

    /// Appends one datagram.
    pub fn push(&mut self, address: SocketAddr, datagram: &[u8]) {
        self.push_with(address, |bytes| bytes.extend_from_slice(datagram));
    }

    /// Appends the datagram that `write` adds behind the bytes it is given.
    pub(crate) fn push_with(&mut self, address: SocketAddr, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.entries.push((address, start..self.bytes.len()));
    }

    /// The datagrams, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        self.entries.iter().map(|(address, range)| (*address, &self.bytes[range.clone()]))
    }

    /// The datagram pushed as number `index`, counted from 0.
    pub(crate) fn get(&self, index: usize) -> Option<(SocketAddr, &[u8])> {
        let (address, range) = self.entries.get(index)?;
        Some((*address, &self.bytes[range.clone()]))
    }

    /// How many datagrams wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when no datagram waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets the datagrams and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }
}
