//! The engine's socket: two queues in memory, which cannot fail.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;

use rusty_enet as enet;

/// A datagram, and where it is from or goes to.
pub(crate) type Datagram = (SocketAddr, Vec<u8>);

#[derive(Debug, Default)]
pub(crate) struct Wire {
    pub(crate) inbound: VecDeque<Datagram>,
    pub(crate) outbound: VecDeque<Datagram>,
}

impl enet::Socket for Wire {
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
        // The host passes nothing above the MTU.
        let len = datagram.len().min(buffer.len());
        buffer[..len].copy_from_slice(&datagram[..len]);
        Ok(Some((from, enet::PacketReceived::Complete(len))))
    }
}
