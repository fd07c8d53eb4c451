//! One link, and the clients behind it.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use nme_netem::{Link, Pipe};

/// What comes to one address, and goes on to a server.
pub(crate) struct Entry {
    front: UdpSocket,
    target: SocketAddr,
    /// Each client has a socket of its own towards the server.
    clients: Vec<(SocketAddr, UdpSocket)>,
    /// Towards the server; with the index of a client, as below.
    pub(crate) up: Pipe<usize>,
    pub(crate) down: Pipe<usize>,
}

impl Entry {
    pub(crate) fn open(listen: SocketAddr, target: SocketAddr, index: u64) -> Result<Self, Box<dyn Error>> {
        let front = UdpSocket::bind(listen)?;
        front.set_nonblocking(true)?;
        let (up, down) = (Pipe::new(Link::PERFECT, 2 * index)?, Pipe::new(Link::PERFECT, 2 * index + 1)?);
        Ok(Self { front, target, clients: Vec::new(), up, down })
    }

    /// Takes what has come, and passes on what is due.
    pub(crate) fn carry(&mut self, now: Duration) {
        let mut buffer = [0; LONGEST];
        while let Ok((len, from)) = self.front.recv_from(&mut buffer) {
            if let Some(index) = self.client(from) {
                self.up.push(now, index, &buffer[..len]);
            }
        }
        for (index, (_, back)) in self.clients.iter().enumerate() {
            while let Ok(len) = back.recv(&mut buffer) {
                self.down.push(now, index, &buffer[..len]);
            }
        }
        // What the system refuses is lost, as on any link.
        while let Some((index, datagram)) = self.up.pop(now) {
            let _ = self.clients[index].1.send(datagram);
        }
        while let Some((index, datagram)) = self.down.pop(now) {
            let _ = self.front.send_to(datagram, self.clients[index].0);
        }
    }

    /// The client with this address, a new one perhaps; none when there is no socket for it.
    fn client(&mut self, address: SocketAddr) -> Option<usize> {
        if let Some(index) = self.clients.iter().position(|(known, _)| *known == address) {
            return Some(index);
        }
        let back = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        back.connect(self.target).ok()?;
        back.set_nonblocking(true).ok()?;
        self.clients.push((address, back));
        Some(self.clients.len() - 1)
    }
}

const LONGEST: usize = 65_536;
