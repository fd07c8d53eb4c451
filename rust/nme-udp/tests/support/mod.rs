//! Loopback sockets for the tests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nme_udp::{Bind, Options, Received, UdpSocket};

pub(crate) const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(crate) const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// Far more than loopback ever needs.
const DEADLINE: Duration = Duration::from_secs(10);

/// A socket on a port of the system's choice.
pub(crate) fn bound(bind: Bind) -> UdpSocket {
    UdpSocket::bind(Options { bind, port: 0 }).unwrap()
}

/// The socket's port on another address of this machine.
pub(crate) fn at(ip: IpAddr, socket: &UdpSocket) -> SocketAddr {
    SocketAddr::new(ip, socket.local_addr().port())
}

/// Waits for something else than `Empty`.
pub(crate) fn receive(socket: &mut UdpSocket, buf: &mut [u8]) -> Received {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match socket.recv_from(buf) {
            Received::Empty => assert!(Instant::now() < deadline, "nothing arrived"),
            received => return received,
        }
        sleep(Duration::from_millis(1));
    }
}

/// Waits for a datagram; answers its sender and its bytes.
pub(crate) fn datagram(socket: &mut UdpSocket) -> (SocketAddr, Vec<u8>) {
    let mut buf = [0; 4097];
    match receive(socket, &mut buf) {
        Received::Datagram { from, len } => (from, buf[..len].to_vec()),
        other => panic!("no datagram: {other:?}"),
    }
}

/// Whether to go on with a test of IPv6.
#[expect(clippy::print_stdout, reason = "a skipped test should be seen")]
pub(crate) fn has_ipv6() -> bool {
    let has_ipv6 = std::net::UdpSocket::bind((V6, 0)).is_ok();
    if !has_ipv6 {
        println!("SKIPPED: this machine has no IPv6 loopback");
    }
    has_ipv6
}
