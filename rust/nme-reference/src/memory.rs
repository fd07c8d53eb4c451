//! The engine's socket: two queues in memory, which cannot fail.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;

use rusty_enet as enet;

/// A datagram, and where it is from or goes to.
pub type Datagram = (SocketAddr, Vec<u8>);

/// A socket in memory for `rusty_enet::Host`. Its owner fills one queue and empties the other.
#[derive(Debug, Default)]
pub struct MemorySocket {
    /// What the engine will read, the oldest first. Longer datagrams than it can take are cut.
    pub inbound: VecDeque<Datagram>,
    /// What the engine has sent, the oldest first.
    pub outbound: VecDeque<Datagram>,
}

impl enet::Socket for MemorySocket {
    type Address = SocketAddr;
    type Error = Infallible;

    fn send(&mut self, address: SocketAddr, datagram: &[u8]) -> Result<usize, Infallible> {
        self.outbound.push_back((address, datagram.to_vec()));
        Ok(datagram.len())
    }

    fn receive(
        &mut self,
        buffer: &mut [u8; enet::MTU_MAX],
    ) -> Result<Option<(SocketAddr, enet::PacketReceived)>, Infallible> {
        let Some((from, datagram)) = self.inbound.pop_front() else { return Ok(None) };
        let len = datagram.len().min(buffer.len());
        buffer[..len].copy_from_slice(&datagram[..len]);
        Ok(Some((from, enet::PacketReceived::Complete(len))))
    }
}
