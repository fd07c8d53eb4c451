//! A UDP socket on a path that loses, doubles and reorders.

use std::net::SocketAddr;

use nme_driver::DatagramSocket;
use nme_udp::{Received, SendError, UdpSocket};

use crate::chance::Chance;

/// A real socket, some of whose datagrams do not arrive, in either direction.
pub(crate) struct UnreliableSocket {
    socket: UdpSocket,
    chance: Chance,
    /// Datagrams of a thousand that are lost, each way.
    lost: u64,
    /// A datagram that the next one overtakes.
    held: Option<(Vec<u8>, SocketAddr)>,
}

impl UnreliableSocket {
    pub(crate) const fn new(socket: UdpSocket, chance: Chance, lost: u64) -> Self {
        Self { socket, chance, lost, held: None }
    }
}

impl DatagramSocket for UnreliableSocket {
    fn receive(&mut self, buffer: &mut [u8]) -> Received {
        loop {
            let received = self.socket.recv_from(buffer);
            if !matches!(received, Received::Datagram { .. }) || !self.chance.permille(self.lost) {
                return received;
            }
        }
    }

    fn send(&mut self, datagram: &[u8], to: SocketAddr) -> Result<(), SendError> {
        if self.chance.permille(self.lost) {
            return Ok(());
        }
        if self.chance.permille(REORDERED) && self.held.is_none() {
            self.held = Some((datagram.to_vec(), to));
            return Ok(());
        }
        self.socket.send_to(datagram, to)?;
        if self.chance.permille(DOUBLED) {
            self.socket.send_to(datagram, to)?;
        }
        match self.held.take() {
            Some((late, to)) => self.socket.send_to(&late, to),
            None => Ok(()),
        }
    }
}

/// Datagrams of a thousand that arrive twice.
const DOUBLED: u64 = 10;

/// Datagrams of a thousand that the next one overtakes.
const REORDERED: u64 = 10;
