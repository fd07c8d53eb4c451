//! A non-blocking UDP socket for both IP families.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

use crate::address::{Families, mapped, plain};
use crate::fault;
use crate::waiting::{Waker, Watched};

/// A bound, non-blocking UDP socket.
///
/// Addresses are always plain: an IPv4 host is an IPv4 address, also on a dual-stack socket.
///
/// On Unix no second socket can be bound to its port. On Windows another program that asks for
/// `SO_REUSEADDR` still can: socket2 does not offer `SO_EXCLUSIVEADDRUSE`.
#[derive(Debug)]
pub struct UdpSocket {
    socket: Watched,
    /// What it was opened with, and the port that it got.
    options: Options,
    local: SocketAddr,
    stack: Stack,
    /// The system has ended the socket, and it could not be opened again so far.
    is_lost: bool,
    /// The only host that the socket talks to.
    peer: Option<SocketAddr>,
}

/// Where a socket is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The local address.
    pub bind: Bind,
    /// The local port; 0 lets the system choose one, see [`UdpSocket::local_addr`].
    pub port: u16,
}

/// The local address of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bind {
    /// All addresses of the machine, IPv4 and IPv6; IPv4 only where the system has no IPv6.
    #[default]
    Any,
    /// One address of this machine, which also decides the family. `0.0.0.0` stands for all IPv4
    /// addresses, and `::` for all of both families, as in Godot 3.6.
    Address(IpAddr),
}

/// What [`UdpSocket::recv_from`] found.
#[derive(Debug)]
pub enum Received {
    /// A datagram, in the first `len` bytes of the buffer.
    Datagram {
        /// Who sent it.
        from: SocketAddr,
        /// Its length; may be 0.
        len: usize,
    },
    /// Nothing waits: stop reading.
    Empty,
    /// A datagram that fills the buffer or is longer was taken and is lost. Read on.
    Oversized,
    /// The system reported an error instead of a datagram, as a rule that an earlier datagram did not arrive
    /// (`WSAECONNRESET` and its kin). Count it and read on, but with a limit on how often in one go.
    Error(io::Error),
}

impl UdpSocket {
    /// Opens and binds a socket, with send and receive buffers of up to 4 MiB, as far as the system grants that.
    ///
    /// # Errors
    /// The address is not one of this machine, or the port is taken or not allowed; see [`BindError`].
    pub fn bind(options: Options) -> Result<Self, BindError> {
        Self::bind_with(options, |port| open(Stack::Dual, Ipv6Addr::UNSPECIFIED.into(), port))
    }

    /// [`bind`](Self::bind) with a stand-in for what opens the dual-stack socket of [`Bind::Any`].
    fn bind_with(
        options: Options,
        open_dual: impl FnOnce(u16) -> Result<Socket, OpenError>,
    ) -> Result<Self, BindError> {
        let port = options.port;
        let (socket, stack) = match options.bind {
            Bind::Any => match open_dual(port) {
                Ok(socket) => Ok((socket, Stack::Dual)),
                Err(error) if error.no_ipv6() => {
                    open(Stack::V4, Ipv4Addr::UNSPECIFIED.into(), port).map(|socket| (socket, Stack::V4))
                }
                Err(error) => Err(error),
            }
            .map_err(|error| BindError::Other { port, source: error.into_io() })?,
            Bind::Address(ip) => {
                let ip = ip.to_canonical();
                let stack = match ip {
                    IpAddr::V4(_) => Stack::V4,
                    IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Stack::Dual,
                    IpAddr::V6(_) => Stack::V6,
                };
                (open(stack, ip, port).map_err(|error| error.into_bind_error(ip, port))?, stack)
            }
        };
        let socket = std::net::UdpSocket::from(socket);
        let local = socket.local_addr().map_err(|source| BindError::Other { port, source })?;
        let options = Options { port: local.port(), ..options };
        Ok(Self {
            socket: Watched::new(socket),
            options,
            local: plain(local),
            stack,
            is_lost: false,
            peer: None,
        })
    }

    /// Binds the socket to one other host: datagrams of all others are thrown away by the system, and sending costs it
    /// about a tenth less. From then on a datagram that nobody took is reported, as [`Received::Error`].
    ///
    /// # Errors
    /// The host cannot be reached from the socket's address. The socket stays as it was.
    pub fn connect(&mut self, peer: SocketAddr) -> Result<(), SendError> {
        let peer = plain(peer);
        let to = self.destination(peer)?;
        self.socket.socket().connect(to).map_err(SendError::new)?;
        self.peer = Some(peer);
        Ok(())
    }

    /// Takes one datagram, without waiting. Call it until it answers [`Received::Empty`], or until a limit.
    ///
    /// The longest datagram that can be told from a truncated one is one byte shorter than `buf`: pass 4097
    /// bytes for ENet's 4096.
    #[must_use]
    pub fn recv_from(&mut self, buf: &mut [u8]) -> Received {
        if self.is_lost {
            self.reopen();
        }
        let received = fault::uninterrupted(|| self.socket.socket().recv_from(buf));
        if let Err(error) = &received {
            self.revive_after(error);
        }
        Received::new(received, buf.len())
    }

    /// Makes [`Self::wait`] possible, and answers what ends it from another thread.
    ///
    /// # Errors
    /// The system has no means for that any more.
    pub fn watch(&mut self) -> io::Result<Waker> {
        self.socket.watch()
    }

    /// Sleeps until there is a datagram to read, a [`Waker`] wakes this thread, or the time is over. It may be less. Without
    /// [`Self::watch`], it is the whole time.
    pub fn wait(&mut self, time: Duration) {
        self.socket.wait(time);
    }

    /// Opens the socket again, on the same port, when the system has ended it, as mobile systems do while a game is in the
    /// background. True when it has.
    fn revive_after(&mut self, error: &io::Error) -> bool {
        self.is_lost |= fault::has_died(error);
        self.is_lost && self.reopen()
    }

    /// Tries to open a lost socket again; until that succeeds, each read does.
    fn reopen(&mut self) -> bool {
        // Two cannot have the port, so the old one goes first; meanwhile any other port will do.
        let placeholder = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| {
            socket.set_nonblocking(true)?;
            self.socket.replace(socket)
        });
        if placeholder.is_err() {
            return false;
        }
        let Ok(mut fresh) = Self::bind(self.options) else { return false };
        if self.socket.exchange(&mut fresh.socket).is_err() {
            return false;
        }
        self.is_lost = false;
        self.stack = fresh.stack;
        if let Some(peer) = self.peer.take() {
            let _ = self.connect(peer);
        }
        true
    }

    /// Sends one datagram, without waiting.
    ///
    /// # Errors
    /// The datagram was not sent. The socket stays usable, so the error is there to be counted; ENet repeats
    /// what matters.
    pub fn send_to(&mut self, datagram: &[u8], to: SocketAddr) -> Result<(), SendError> {
        let to = plain(to);
        let is_peer = self.peer == Some(to);
        let to = self.destination(to)?;
        let sent = self.attempt(datagram, to, is_peer);
        let again = |error: io::Error| {
            // What the system reports is the fate of an earlier datagram, or of the socket; this one has not been sent.
            let is_worth_it = (is_peer && fault::earlier(&error)) || self.revive_after(&error);
            if is_worth_it { self.attempt(datagram, to, is_peer) } else { Err(error) }
        };
        sent.or_else(again).map_err(SendError::new)
    }

    fn attempt(&self, datagram: &[u8], to: SocketAddr, is_peer: bool) -> io::Result<()> {
        let socket = self.socket.socket();
        let send = || if is_peer { socket.send(datagram) } else { socket.send_to(datagram, to) };
        fault::uninterrupted(send).map(drop)
    }

    /// An address as the system wants it from this socket.
    fn destination(&self, to: SocketAddr) -> Result<SocketAddr, SendError> {
        if to.port() == 0 {
            return Err(SendError::PortZero);
        }
        if !self.families().reach(to.ip()) {
            return Err(SendError::WrongFamily);
        }
        Ok(if self.stack == Stack::V4 { to } else { mapped(to) })
    }

    /// The address and port that the socket is bound to; the wildcard of a dual-stack socket is `::`.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// True when the socket reaches IPv4 and IPv6.
    #[must_use]
    pub fn is_dual_stack(&self) -> bool {
        self.stack == Stack::Dual
    }

    /// The families that the socket reaches, which is what a host name for it has to have.
    #[must_use]
    pub const fn families(&self) -> Families {
        match self.stack {
            Stack::Dual => Families::Any,
            Stack::V4 => Families::V4,
            Stack::V6 => Families::V6,
        }
    }
}

impl Received {
    fn new(result: io::Result<(usize, SocketAddr)>, capacity: usize) -> Self {
        match result {
            Ok((len, _)) if len >= capacity => Self::Oversized,
            Ok((len, from)) => Self::Datagram { from: plain(from), len },
            Err(error) if error.kind() == ErrorKind::WouldBlock => Self::Empty,
            Err(error) if fault::too_long(&error) => Self::Oversized,
            Err(error) => Self::Error(error),
        }
    }
}

/// Why a socket could not be bound.
#[derive(Debug, Error)]
pub enum BindError {
    /// The address cannot be used on this machine.
    #[error(
        "cannot bind to {address}: this machine has no such address; use one of its own, or \"*\" for all of them ({source})"
    )]
    AddressUnavailable {
        /// The address asked for.
        address: IpAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The address is fine, but the port cannot be had, or no socket can.
    #[error("cannot open UDP port {port}: {} ({source})", advice(.source))]
    Other {
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
}

/// Why a datagram was not sent.
#[derive(Debug, Error)]
pub enum SendError {
    /// The system's send queue is full; later datagrams may pass again.
    #[error("the send queue is full")]
    QueueFull,
    /// Port 0 is nobody's.
    #[error("a datagram cannot be sent to port 0")]
    PortZero,
    /// An IPv6 destination on an IPv4 socket, or the reverse.
    #[error("the destination is of an IP family that the socket's local address excludes")]
    WrongFamily,
    /// Longer than a UDP datagram, or than the path allows.
    #[error("the datagram is too long")]
    TooLong,
    /// Anything else: no route, not allowed, interface down.
    #[error("the system refused the datagram: {0}")]
    Other(#[source] io::Error),
}

impl SendError {
    fn new(error: io::Error) -> Self {
        if fault::queue_full(&error) {
            Self::QueueFull
        } else if fault::too_long(&error) {
            Self::TooLong
        } else {
            Self::Other(error)
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stack {
    /// An IPv6 socket that takes IPv4 too.
    Dual,
    V4,
    V6,
}

/// The step at which opening a socket failed.
#[derive(Debug)]
enum OpenError {
    /// There is no socket of this kind at all.
    Create(io::Error),
    Bind(io::Error),
}

impl OpenError {
    /// For a dual-stack socket on the wildcard address: the system has no IPv6, or not both in one.
    ///
    /// A socket that cannot be created for another reason (too many open files) fails for IPv4 too.
    fn no_ipv6(&self) -> bool {
        match self {
            Self::Create(_) => true,
            Self::Bind(error) => fault::address_unavailable(error),
        }
    }

    fn into_bind_error(self, address: IpAddr, port: u16) -> BindError {
        let unavailable = match &self {
            Self::Create(error) => fault::address_unavailable(error),
            Self::Bind(error) => fault::address_unavailable(error) || fault::address_incomplete(error),
        };
        let source = self.into_io();
        if unavailable {
            BindError::AddressUnavailable { address, source }
        } else {
            BindError::Other { port, source }
        }
    }

    fn into_io(self) -> io::Error {
        match self {
            Self::Create(error) | Self::Bind(error) => error,
        }
    }
}

fn open(stack: Stack, ip: IpAddr, port: u16) -> Result<Socket, OpenError> {
    let domain = if stack == Stack::V4 { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP)).map_err(OpenError::Create)?;
    if domain == Domain::IPV6 {
        // OpenBSD refuses this for dual stack.
        socket.set_only_v6(stack == Stack::V6).map_err(OpenError::Create)?;
    }
    socket.set_nonblocking(true).map_err(OpenError::Create)?;
    // The rest makes the socket better, but it is of use without.
    let _ = socket.set_broadcast(true);
    let _ = allow_fragments(&socket);
    raise(|| socket.recv_buffer_size(), |size| socket.set_recv_buffer_size(size));
    raise(|| socket.send_buffer_size(), |size| socket.set_send_buffer_size(size));
    socket.bind(&SocketAddr::new(ip, port).into()).map_err(OpenError::Bind)?;
    Ok(socket)
}

/// Lets routers cut IPv4 datagrams that are too long for the next link, also those of a dual-stack socket. Linux sets the
/// don't-fragment bit otherwise, and a path whose router or firewall does not say what it dropped then loses every long
/// datagram. IPv6 has no such bit: there the system itself cuts datagrams, once it has been told of a short link.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn allow_fragments(socket: &Socket) -> io::Result<()> {
    use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};
    Ok(set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::DONT)?)
}

/// Windows, macOS, iOS and the BSDs set the don't-fragment bit of UDP only when a program asks for it.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[expect(clippy::unnecessary_wraps, reason = "as on Linux")]
const fn allow_fragments(_: &Socket) -> io::Result<()> {
    Ok(())
}

/// Makes a buffer as large as the system lets it be. Linux cuts what is too much; others refuse it, and are asked for
/// less.
fn raise(size: impl Fn() -> io::Result<usize>, set: impl Fn(usize) -> io::Result<()>) {
    let mut wanted = BUFFER_SIZE;
    while wanted >= MIN_BUFFER_SIZE && size().is_ok_and(|size| size < wanted) && set(wanted).is_err() {
        wanted /= 2;
    }
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::AddrInUse => "another socket uses it; close that one, or choose another port",
        ErrorKind::PermissionDenied => {
            "the system does not allow it; choose a port above 1023, or give the program network permission"
        }
        _ => "the system refused it",
    }
}

/// Room for what 4000 clients send between two frames.
const BUFFER_SIZE: usize = 4 << 20;

/// ENet's own size, below which it is not worth asking.
const MIN_BUFFER_SIZE: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use socket2::SockRef;

    use super::*;

    const ANY: Options = Options { bind: Bind::Any, port: 0 };

    #[cfg(unix)]
    const NO_FAMILY: i32 = libc::EAFNOSUPPORT;
    #[cfg(windows)]
    const NO_FAMILY: i32 = 10047;

    fn without_ipv6() -> UdpSocket {
        let no_ipv6 = |_| Err(OpenError::Create(io::Error::from_raw_os_error(NO_FAMILY)));
        UdpSocket::bind_with(ANY, no_ipv6).unwrap()
    }

    /// What iOS and Android do to the sockets of a game in the background, as far as Linux lets a test do it.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn a_socket_that_the_system_has_ended_is_opened_again_on_the_same_port() {
        for is_watched in [false, true] {
            let loopback = Options { bind: Bind::Address(Ipv4Addr::LOCALHOST.into()), port: 0 };
            let mut socket = UdpSocket::bind(loopback).unwrap();
            let mut peer = UdpSocket::bind(loopback).unwrap();
            socket.connect(peer.local_addr()).unwrap();
            if is_watched {
                socket.watch().unwrap();
            }
            let port = socket.local_addr().port();
            SockRef::from(socket.socket.socket()).shutdown(std::net::Shutdown::Both).unwrap();
            socket.send_to(b"still there", peer.local_addr()).unwrap();
            peer.watch().unwrap();
            peer.wait(Duration::from_secs(10));
            let mut buffer = [0; 100];
            let Received::Datagram { from, len: 11 } = peer.recv_from(&mut buffer) else {
                panic!("nothing came");
            };
            assert_eq!(from.port(), port);
            peer.send_to(b"yes", from).unwrap();
            socket.watch().unwrap();
            socket.wait(Duration::from_secs(10));
            assert!(matches!(socket.recv_from(&mut buffer), Received::Datagram { len: 3, .. }));
        }
    }

    /// Who has the port meanwhile goes away, and the socket is there again.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn a_lost_socket_is_opened_again_as_soon_as_its_port_can_be_had() {
        let loopback = Options { bind: Bind::Address(Ipv4Addr::LOCALHOST.into()), port: 0 };
        let mut socket = UdpSocket::bind(loopback).unwrap();
        let mut peer = UdpSocket::bind(loopback).unwrap();
        let other = UdpSocket::bind(loopback).unwrap();
        socket.connect(peer.local_addr()).unwrap();
        SockRef::from(socket.socket.socket()).shutdown(std::net::Shutdown::Both).unwrap();
        socket.options.port = other.local_addr().port();
        assert!(socket.send_to(b"too early", peer.local_addr()).is_err());
        assert!(matches!(socket.recv_from(&mut [0; 10]), Received::Empty), "and nobody waits for it");
        drop(other);
        assert!(matches!(socket.recv_from(&mut [0; 10]), Received::Empty));
        socket.send_to(b"again", peer.local_addr()).unwrap();
        peer.watch().unwrap();
        peer.wait(Duration::from_secs(10));
        assert!(
            matches!(peer.recv_from(&mut [0; 10]), Received::Datagram { from, .. } if from.port() == socket.options.port)
        );
    }

    #[test]
    fn a_thread_that_waits_is_woken_by_a_datagram_by_another_thread_and_by_time() {
        let mut socket = without_ipv6();
        let waker = socket.watch().unwrap();
        let long = Duration::from_secs(100);
        std::thread::spawn(move || waker.wake());
        socket.wait(long);
        without_ipv6().send_to(b"1", (Ipv4Addr::LOCALHOST, socket.local_addr().port()).into()).unwrap();
        socket.wait(long);
        assert!(matches!(socket.recv_from(&mut [0; 10]), Received::Datagram { len: 1, .. }));
        socket.wait(Duration::from_millis(1));
        assert!(matches!(socket.recv_from(&mut [0; 10]), Received::Empty));
    }

    #[test]
    fn a_system_without_ipv6_gets_an_ipv4_socket() {
        let mut socket = without_ipv6();
        assert!(!socket.is_dual_stack());
        assert_eq!(socket.families(), Families::V4);
        assert_eq!(socket.local_addr().ip(), Ipv4Addr::UNSPECIFIED);

        let mut other = without_ipv6();
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, other.local_addr().port()));
        socket.send_to(b"four", to).unwrap();
        // A mapped destination is an IPv4 host here too.
        socket.send_to(b"mapped", mapped(to)).unwrap();
        assert!(matches!(
            socket.send_to(b"six", SocketAddr::from((Ipv6Addr::LOCALHOST, 9))),
            Err(SendError::WrongFamily)
        ));

        let mut buf = [0; 64];
        for expected in [&b"four"[..], b"mapped"] {
            let deadline = std::time::Instant::now() + Duration::from_secs(5);
            let (from, len) = loop {
                match other.recv_from(&mut buf) {
                    Received::Datagram { from, len } => break (from, len),
                    other => assert!(std::time::Instant::now() < deadline, "{other:?}"),
                }
            };
            assert_eq!(&buf[..len], expected);
            assert_eq!(from, SocketAddr::from((Ipv4Addr::LOCALHOST, socket.local_addr().port())));
        }
    }

    #[test]
    fn an_unavailable_ipv6_wildcard_falls_back_but_a_taken_port_does_not() {
        let unavailable = |_| Err(OpenError::Bind(ErrorKind::AddrNotAvailable.into()));
        assert!(!UdpSocket::bind_with(ANY, unavailable).unwrap().is_dual_stack());

        let taken = |_| Err(OpenError::Bind(ErrorKind::AddrInUse.into()));
        let error = UdpSocket::bind_with(ANY, taken).unwrap_err();
        assert!(
            matches!(&error, BindError::Other { source, .. } if source.kind() == ErrorKind::AddrInUse),
            "{error:?}"
        );
    }

    #[test]
    fn an_address_without_its_family_is_unavailable() {
        let ip = IpAddr::V6(Ipv6Addr::LOCALHOST);
        for error in [
            OpenError::Create(io::Error::from_raw_os_error(NO_FAMILY)),
            OpenError::Bind(ErrorKind::AddrNotAvailable.into()),
            OpenError::Bind(ErrorKind::InvalidInput.into()),
        ] {
            let error = error.into_bind_error(ip, 9);
            assert!(
                matches!(error, BindError::AddressUnavailable { address, .. } if address == ip),
                "{error:?}"
            );
        }
    }

    #[test]
    fn options_are_set() {
        let socket = UdpSocket::bind(ANY).unwrap();
        let fresh = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
        let socket = SockRef::from(socket.socket.socket());
        assert!(socket.broadcast().unwrap());
        assert!(!socket.reuse_address().unwrap());
        assert!(socket.recv_buffer_size().unwrap() >= fresh.recv_buffer_size().unwrap());
        assert!(socket.send_buffer_size().unwrap() >= fresh.send_buffer_size().unwrap());
        #[cfg(unix)]
        assert!(socket.nonblocking().unwrap());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn ipv4_datagrams_may_be_fragmented() {
        use rustix::net::sockopt::{Ipv4PathMtuDiscovery, ip_mtu_discover};
        let v4 = Options { bind: Bind::Address(Ipv4Addr::LOCALHOST.into()), port: 0 };
        for options in [ANY, v4] {
            let socket = UdpSocket::bind(options).unwrap();
            assert_eq!(
                ip_mtu_discover(socket.socket.socket()).unwrap(),
                Ipv4PathMtuDiscovery::DONT,
                "{options:?}"
            );
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn buffers_are_as_large_as_the_system_lets_them() {
        let limit = |name: &str| -> usize {
            let text = std::fs::read_to_string(format!("/proc/sys/net/core/{name}")).unwrap();
            text.trim().parse().unwrap()
        };
        let socket = UdpSocket::bind(ANY).unwrap();
        let socket = SockRef::from(socket.socket.socket());
        // Linux answers twice what was set.
        assert_eq!(socket.recv_buffer_size().unwrap(), 2 * BUFFER_SIZE.min(limit("rmem_max")));
        assert_eq!(socket.send_buffer_size().unwrap(), 2 * BUFFER_SIZE.min(limit("wmem_max")));
    }

    #[test]
    fn a_refused_buffer_size_is_halved_until_it_is_granted() {
        for (limit, granted) in [(usize::MAX, BUFFER_SIZE), (600_000, 512 << 10), (100_000, 4096)] {
            let size = std::cell::Cell::new(4096);
            let set = |wanted| {
                if wanted > limit {
                    return Err(ErrorKind::InvalidInput.into());
                }
                size.set(wanted);
                Ok(())
            };
            raise(|| Ok(size.get()), set);
            assert_eq!(size.get(), granted);
        }
    }

    #[test]
    fn transient_errors_are_counted_not_fatal() {
        for kind in [
            ErrorKind::ConnectionRefused,
            ErrorKind::ConnectionReset,
            ErrorKind::HostUnreachable,
            ErrorKind::NetworkUnreachable,
            ErrorKind::PermissionDenied,
        ] {
            let received = Received::new(Err(kind.into()), 64);
            assert!(matches!(&received, Received::Error(error) if error.kind() == kind), "{received:?}");
        }
        assert!(matches!(Received::new(Err(ErrorKind::WouldBlock.into()), 64), Received::Empty));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_refused_datagram_is_one_error_and_then_reading_goes_on() {
        let closed = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        let mut socket = UdpSocket::bind(Options { bind: Bind::Address(closed.ip()), port: 0 }).unwrap();
        // Only a connected socket hears of it on Linux; on Windows every one does.
        socket.connect(closed).unwrap();
        socket.send_to(b"anyone?", closed).unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(5);
        let error = loop {
            match socket.recv_from(&mut [0; 64]) {
                Received::Error(error) => break error,
                other => assert!(std::time::Instant::now() < deadline, "{other:?}"),
            }
        };
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert!(matches!(socket.recv_from(&mut [0; 64]), Received::Empty));
    }

    #[test]
    fn a_datagram_that_fills_the_buffer_is_oversized() {
        let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        assert!(matches!(Received::new(Ok((63, from)), 64), Received::Datagram { len: 63, .. }));
        assert!(matches!(Received::new(Ok((64, from)), 64), Received::Oversized));
        #[cfg(unix)]
        let too_long = libc::EMSGSIZE;
        #[cfg(windows)]
        let too_long = 10040;
        let error = io::Error::from_raw_os_error(too_long);
        assert!(matches!(Received::new(Err(error), 64), Received::Oversized));
    }

    #[test]
    fn send_errors_are_told_apart() {
        assert!(matches!(SendError::new(ErrorKind::WouldBlock.into()), SendError::QueueFull));
        assert!(matches!(SendError::new(ErrorKind::NetworkUnreachable.into()), SendError::Other(_)));
        #[cfg(unix)]
        {
            let error = io::Error::from_raw_os_error;
            assert!(matches!(SendError::new(error(libc::ENOBUFS)), SendError::QueueFull));
            assert!(matches!(SendError::new(error(libc::EMSGSIZE)), SendError::TooLong));
            assert!(matches!(SendError::new(error(libc::EPERM)), SendError::Other(_)));
        }
    }

    #[test]
    fn messages_say_what_to_do() {
        let taken = BindError::Other { port: 4242, source: ErrorKind::AddrInUse.into() };
        assert!(taken.to_string().contains("4242"), "{taken}");
        assert!(taken.to_string().contains("choose another port"), "{taken}");
        let low = BindError::Other { port: 80, source: ErrorKind::PermissionDenied.into() };
        assert!(low.to_string().contains("above 1023"), "{low}");
    }
}
