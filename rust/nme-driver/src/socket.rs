//! What a driver needs of a socket.

use std::net::SocketAddr;

use nme_udp::{Received, SendError, UdpSocket};

/// Sends and receives datagrams without waiting. No failure ends it.
pub trait DatagramSocket {
    /// Takes one datagram into the buffer, which is one byte longer than the longest datagram.
    fn receive(&mut self, buffer: &mut [u8]) -> Received;

    /// Sends one datagram.
    ///
    /// # Errors
    /// The datagram was not sent. Behind [`SendError::QueueFull`] it may be tried again later.
    fn send(&mut self, datagram: &[u8], to: SocketAddr) -> Result<(), SendError>;

    /// There is one other host from now on. A socket need not care.
    fn connect(&mut self, _peer: SocketAddr) {}
}

impl DatagramSocket for UdpSocket {
    fn receive(&mut self, buffer: &mut [u8]) -> Received {
        self.recv_from(buffer)
    }

    fn send(&mut self, datagram: &[u8], to: SocketAddr) -> Result<(), SendError> {
        self.send_to(datagram, to)
    }

    fn connect(&mut self, peer: SocketAddr) {
        // Saves the system a look-up for each datagram and keeps strangers out. It works without, too.
        let _ = Self::connect(self, peer);
    }
}
