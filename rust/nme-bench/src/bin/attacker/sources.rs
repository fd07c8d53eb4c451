//! The addresses that datagrams seem to come from.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

/// Sockets with an address each. What is sent back to them is not read, and nobody complains about it.
pub(crate) struct Sources {
    sockets: Vec<UdpSocket>,
    target: SocketAddr,
    sent: u64,
    bytes: u64,
    /// What the system has not taken.
    refused: u64,
}

impl Sources {
    pub(crate) fn open(target: SocketAddr, count: u32) -> io::Result<Self> {
        let sockets = (0..count.max(1)).map(bind).collect::<io::Result<_>>()?;
        Ok(Self { sockets, target, sent: 0, bytes: 0, refused: 0 })
    }

    /// Sends a datagram from one of them, in turns.
    pub(crate) fn send(&mut self, number: u64, datagram: &[u8]) {
        let index = (number % self.sockets.len() as u64) as usize;
        if self.sockets[index].send_to(datagram, self.target).is_ok() {
            self.sent += 1;
            self.bytes += datagram.len() as u64;
        } else {
            self.refused += 1;
        }
    }

    pub(crate) fn report(&self, time: Duration) -> String {
        let Self { sent, bytes, refused, .. } = self;
        let rate = (*sent as f64) / time.as_secs_f64().max(0.001);
        format!(r#"{{"sent":{sent},"bytes":{bytes},"refused":{refused},"rate":{rate:.0}}}"#)
    }
}

/// A socket with the address of this number, out of 10.64.0.0/10.
pub(crate) fn bind(number: u32) -> io::Result<UdpSocket> {
    let address = Ipv4Addr::from(FIRST_ADDRESS + number % ADDRESSES);
    let socket = UdpSocket::bind((address, 0))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// 10.65.0.1
const FIRST_ADDRESS: u32 = 0x0a41_0001;

/// How many there are before they come again.
const ADDRESSES: u32 = 1 << 20;
