//! A socket in memory and a clock that is set, for drivers without a system.

use std::net::SocketAddr;
use std::time::Duration;

use nme_core::datagram::DatagramBatch;
use nme_driver::{Clock, DatagramSocket};
use nme_udp::{Received, SendError};

/// A socket whose datagrams its owner brings and takes away.
#[derive(Default)]
pub struct MemorySocket {
    arrived: Vec<(SocketAddr, std::ops::Range<usize>)>,
    bytes: Vec<u8>,
    /// How many of those that arrived have been received.
    received: usize,
    sent: DatagramBatch,
}

impl MemorySocket {
    /// Brings a datagram.
    pub fn push(&mut self, from: SocketAddr, datagram: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(datagram);
        self.arrived.push((from, start..self.bytes.len()));
    }

    /// What was sent since [`MemorySocket::clear_sent`], the oldest first.
    pub fn sent(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        self.sent.iter()
    }

    /// Forgets what was sent.
    pub fn clear_sent(&mut self) {
        self.sent.clear();
    }

    /// Forgets what has arrived.
    pub fn clear(&mut self) {
        self.arrived.clear();
        self.bytes.clear();
        self.received = 0;
    }
}

impl DatagramSocket for MemorySocket {
    fn receive(&mut self, buffer: &mut [u8]) -> Received {
        let Some((from, range)) = self.arrived.get(self.received) else {
            self.clear();
            return Received::Empty;
        };
        let (from, datagram) = (*from, &self.bytes[range.clone()]);
        self.received += 1;
        if datagram.len() >= buffer.len() {
            return Received::Oversized;
        }
        buffer[..datagram.len()].copy_from_slice(datagram);
        Received::Datagram { from, len: datagram.len() }
    }

    fn send(&mut self, datagram: &[u8], to: SocketAddr) -> Result<(), SendError> {
        self.sent.push(to, datagram);
        Ok(())
    }
}

/// A clock that shows what it is set to.
#[derive(Clone, Copy, Debug, Default)]
pub struct VirtualClock(pub Duration);

impl Clock for VirtualClock {
    fn now(&mut self) -> Duration {
        self.0
    }

    fn sleep(&mut self, time: Duration) {
        self.0 += time;
    }
}
