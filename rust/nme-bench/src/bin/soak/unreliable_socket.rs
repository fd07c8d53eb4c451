//! A UDP socket on a path that loses, doubles and reorders.

use std::net::SocketAddr;

use nme_driver::DatagramSocket;
use nme_netem::Random;
use nme_udp::{Received, SendError, UdpSocket};

/// A real socket, some of whose datagrams do not arrive, in either direction.
pub(crate) struct UnreliableSocket {
    socket: UdpSocket,
    random: Random,
    /// The share of datagrams that is lost, each way.
    loss: f64,
    /// A datagram that the next one overtakes.
    held: Option<(Vec<u8>, SocketAddr)>,
}

impl UnreliableSocket {
    pub(crate) const fn new(socket: UdpSocket, random: Random, loss: f64) -> Self {
        Self { socket, random, loss, held: None }
    }
}

impl DatagramSocket for UnreliableSocket {
    fn receive(&mut self, buffer: &mut [u8]) -> Received {
        loop {
            let received = self.socket.recv_from(buffer);
            if !matches!(received, Received::Datagram { .. }) || !self.random.chance(self.loss) {
                return received;
            }
        }
    }

    fn send(&mut self, datagram: &[u8], to: SocketAddr) -> Result<(), SendError> {
        if self.random.chance(self.loss) {
            return Ok(());
        }
        if self.random.chance(REORDERED) && self.held.is_none() {
            self.held = Some((datagram.to_vec(), to));
            return Ok(());
        }
        self.socket.send_to(datagram, to)?;
        if self.random.chance(DOUBLED) {
            self.socket.send_to(datagram, to)?;
        }
        match self.held.take() {
            Some((late, to)) => self.socket.send_to(&late, to),
            None => Ok(()),
        }
    }
}

/// The share of datagrams that arrives twice.
const DOUBLED: f64 = 0.01;

/// The share of datagrams that the next one overtakes.
const REORDERED: f64 = 0.01;
