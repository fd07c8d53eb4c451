//! Batches of datagrams: one byte arena and a list of (address, range), reused for ever.

use std::net::SocketAddr;
use std::ops::Range;

/// Datagrams in the order they were pushed, kept in one buffer.
///
/// Clearing keeps the memory, so that a batch that lives as long as its session soon stops allocating. Only what
/// was needed once, such as by a thousand clients that joined together, is given back after a while.
#[derive(Debug, Default)]
pub struct DatagramBatch {
    bytes: Vec<u8>,
    entries: Vec<(SocketAddr, Range<usize>)>,
    /// Loads in a row that took less than a quarter of the memory.
    small_loads: u8,
}

impl DatagramBatch {
    /// An empty batch.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), entries: Vec::new(), small_loads: 0 }
    }

    /// Appends one datagram.
    pub fn push(&mut self, address: SocketAddr, datagram: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(datagram);
        self.entries.push((address, start..self.bytes.len()));
    }

    /// The datagrams, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        self.entries.iter().map(|(address, range)| (*address, &self.bytes[range.clone()]))
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

    /// Forgets the datagrams and keeps the memory, as long as that is in use at times.
    pub fn clear(&mut self) {
        if self.is_empty() {
            return;
        }
        let (bytes, entries) = (self.bytes.capacity(), self.entries.capacity());
        let is_small = self.bytes.len() < bytes / 4 && self.entries.len() < entries / 4;
        let is_large = bytes > KEPT_BYTES || entries > KEPT_ENTRIES;
        self.small_loads = if is_small && is_large { self.small_loads + 1 } else { 0 };
        self.bytes.clear();
        self.entries.clear();
        if self.small_loads == SMALL_LOADS_BEFORE_SHRINKING {
            self.small_loads = 0;
            self.bytes.shrink_to((bytes / 2).max(KEPT_BYTES));
            self.entries.shrink_to((entries / 2).max(KEPT_ENTRIES));
        }
    }
}

/// Memory that is never given back, in bytes.
const KEPT_BYTES: usize = 64 << 10;

/// Datagrams whose places are never given back.
const KEPT_ENTRIES: usize = 64;

/// Small loads behind which half of the memory is given back.
const SMALL_LOADS_BEFORE_SHRINKING: u8 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const TO: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);

    fn load(batch: &mut DatagramBatch, datagrams: usize) {
        for _ in 0..datagrams {
            batch.push(TO, &[7; 1000]);
        }
        assert_eq!(batch.iter().filter(|datagram| *datagram == (TO, &[7; 1000])).count(), datagrams);
        batch.clear();
        assert!(batch.is_empty());
    }

    #[test]
    fn what_one_large_load_took_is_given_back() {
        let mut batch = DatagramBatch::new();
        load(&mut batch, 4000);
        let largest = batch.bytes.capacity();
        for _ in 0..usize::from(SMALL_LOADS_BEFORE_SHRINKING) - 1 {
            load(&mut batch, 10);
        }
        assert_eq!(batch.bytes.capacity(), largest);
        for _ in 0..1000 {
            load(&mut batch, 10);
        }
        assert!(batch.bytes.capacity() <= KEPT_BYTES, "{}", batch.bytes.capacity());
        assert!(batch.entries.capacity() < 100, "{}", batch.entries.capacity());
    }

    #[test]
    fn the_places_of_many_short_datagrams_are_given_back() {
        let mut batch = DatagramBatch::new();
        (0..4000).for_each(|_| batch.push(TO, b"short"));
        batch.clear();
        for _ in 0..1000 {
            batch.push(TO, b"short");
            batch.clear();
        }
        assert!(batch.entries.capacity() <= KEPT_ENTRIES, "{}", batch.entries.capacity());
    }

    #[test]
    fn a_load_that_comes_back_keeps_its_memory() {
        let mut batch = DatagramBatch::new();
        load(&mut batch, 4000);
        let largest = batch.bytes.capacity();
        for _ in 0..100 {
            for _ in 0..20 {
                load(&mut batch, 1);
            }
            load(&mut batch, 4000);
        }
        assert_eq!(batch.bytes.capacity(), largest);
    }
}
