//! Host names to addresses, without stopping the caller.
//!
//! 1. Literals and `localhost` are answered at once; what no host name can be fails at once.
//! 2. Everything else goes to the system (`getaddrinfo`) on one of a few threads of the [`lookups`](crate::lookups),
//!    which may take as long as the name servers need.
//! 3. Of several addresses, IPv4 comes first, because there are builds of Godot 3.6 without IPv6. An address
//!    without a route from this machine comes last.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

use crate::address::{Families, plain, scoped};
use crate::lookups::{Found, Lookups, Waiter};

/// Looks up host names, several at once.
pub struct Resolver(Arc<Lookups>);

impl Resolver {
    /// A resolver that asks `lookup`, in up to `threads` threads at once.
    #[must_use]
    pub fn new(
        threads: usize,
        lookup: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Lookups::new(threads, lookup)))
    }

    /// Starts to look up `host`, for a socket that reaches `families`
    /// ([`UdpSocket::families`](crate::UdpSocket::families)).
    #[must_use]
    pub fn resolve(&self, host: &str, families: Families) -> Resolution {
        let answer = match classify(host) {
            Host::Literal(address) => choose(&[address], families, |_| true),
            Host::Loopback => {
                let loopback = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
                choose(&loopback.map(|ip: IpAddr| (ip, 0).into()), families, has_route)
            }
            Host::Nothing => Err(ResolveError::NotFound),
            Host::Name => {
                return Resolution(State::Running { waiter: self.0.find(host), families });
            }
        };
        Resolution(State::Known { answer, at_once: true })
    }
}

/// The search for the address of one host.
///
/// Dropped, it is forgotten: a look-up that has not begun never does, and one that the system works on goes on
/// for whoever else asks for the name meanwhile.
#[derive(Debug)]
pub struct Resolution(State);

impl Resolution {
    /// Starts to look up `host` with the system, as [`Resolver::resolve`]. Go on with [`poll`](Self::poll) or
    /// [`wait`](Self::wait).
    #[must_use]
    pub fn start(host: &str, families: Families) -> Self {
        SYSTEM.resolve(host, families)
    }

    /// The answer, for a host that needed no look-up.
    #[must_use]
    pub fn immediate(&self) -> Option<Result<SocketAddr, ResolveError>> {
        match &self.0 {
            State::Known { answer, at_once: true } => Some(answer.clone()),
            _ => None,
        }
    }

    /// The answer, if it is there. Its port is 0. Once there, it stays.
    pub fn poll(&mut self) -> Option<Result<SocketAddr, ResolveError>> {
        self.wait(Duration::ZERO)
    }

    /// As [`poll`](Self::poll), but waits up to `timeout` for the answer.
    pub fn wait(&mut self, timeout: Duration) -> Option<Result<SocketAddr, ResolveError>> {
        if let State::Running { waiter, families } = &self.0 {
            let answer = match waiter.wait(timeout)? {
                Found::Addresses(addresses) => choose(&addresses, *families, has_route),
                Found::Error(problem) => Err(ResolveError::Lookup(problem)),
            };
            self.0 = State::Known { answer, at_once: false };
        }
        match &self.0 {
            State::Running { .. } => None,
            State::Known { answer, .. } => Some(answer.clone()),
        }
    }
}

/// Why a host has no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResolveError {
    /// Not a host name (give it bare: no port, brackets, blanks or `http://`), or a name without addresses.
    #[error(
        "there is no such host; give a bare host name or IP address, without port, brackets, blanks or \"http://\""
    )]
    NotFound,
    /// The host has addresses, but none of the family that the socket's local address leaves.
    #[error("the host has no address of the IP family that the socket is bound to")]
    WrongFamily,
    /// The system's lookup failed, in its words.
    #[error("{0}")]
    Lookup(String),
}

#[derive(Debug)]
enum State {
    Running { waiter: Waiter, families: Families },
    Known { answer: Result<SocketAddr, ResolveError>, at_once: bool },
}

/// The system's resolver, which is the same for the whole process.
static SYSTEM: LazyLock<Resolver> =
    LazyLock::new(|| Resolver::new(THREADS, |host| (host, 0).to_socket_addrs().map(Iterator::collect)));

/// Names that the system is asked about at once. It may take half a minute for each that no name server answers.
const THREADS: usize = 4;

#[derive(Debug, PartialEq, Eq)]
enum Host {
    Literal(SocketAddr),
    Loopback,
    Name,
    Nothing,
}

fn classify(host: &str) -> Host {
    if let Some(address) = literal(host) {
        return Host::Literal(address);
    }
    // RFC 6761 6.3: always loopback, and no question for a name server.
    if host.strip_suffix('.').unwrap_or(host).eq_ignore_ascii_case("localhost") {
        return Host::Loopback;
    }
    if is_name(host) { Host::Name } else { Host::Nothing }
}

fn literal(host: &str) -> Option<SocketAddr> {
    if let Some(ip) = dotted(host) {
        return Some(SocketAddr::new(ip.into(), 0));
    }
    let (ip, scope) = host.split_once('%').unwrap_or((host, "0"));
    let ip = ip.parse().ok()?;
    // The name of an interface is for the system to translate.
    if !scope.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(scoped(ip, scope.parse().ok()?))
}

/// Four decimal numbers, with leading zeros or without, as in Godot: to getaddrinfo `010` is 8.
fn dotted(host: &str) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = host.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *octet = part.parse().ok()?;
    }
    parts.next().is_none().then(|| octets.into())
}

/// True for what is worth asking the system about.
fn is_name(host: &str) -> bool {
    if host.chars().any(|char| char.is_whitespace() || char.is_control() || "[]/@".contains(char)) {
        return false;
    }
    if host.contains(':') {
        // A link-local address with the name of its interface; anything else is a port or a URL.
        return host
            .split_once('%')
            .is_some_and(|(ip, scope)| ip.parse::<Ipv6Addr>().is_ok() && !scope.is_empty());
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    name.len() <= MAX_NAME && name.split('.').all(|label| (1..=MAX_LABEL).contains(&label.len()))
}

fn choose(
    addresses: &[SocketAddr],
    families: Families,
    has_route: impl Fn(SocketAddr) -> bool,
) -> Result<SocketAddr, ResolveError> {
    if addresses.is_empty() {
        return Err(ResolveError::NotFound);
    }
    let mut usable: Vec<SocketAddr> = addresses
        .iter()
        .map(|address| match plain(*address) {
            SocketAddr::V4(v4) => SocketAddr::new((*v4.ip()).into(), 0),
            SocketAddr::V6(v6) => scoped(*v6.ip(), v6.scope_id()),
        })
        .filter(|address| families.reach(address.ip()))
        .collect();
    usable.sort_by_key(SocketAddr::is_ipv6);
    // Without any route the network may be about to come up, and ENet keeps trying for a while.
    let routed = usable.iter().find(|address| has_route(**address));
    routed.or_else(|| usable.first()).copied().ok_or(ResolveError::WrongFamily)
}

/// Asks the routing table: connecting a UDP socket sends nothing.
fn has_route(mut address: SocketAddr) -> bool {
    // Any port but 0, which some systems refuse.
    address.set_port(9);
    Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))
        .and_then(|socket| socket.connect(&address.into()))
        .is_ok()
}

/// RFC 1035 2.3.4, without the dot at the end.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect()
    }

    fn chosen(texts: &[&str], families: Families, routed: fn(SocketAddr) -> bool) -> Option<String> {
        choose(&addresses(texts), families, routed).ok().map(|address| address.ip().to_string())
    }

    #[test]
    fn hosts_are_classified() {
        let literals = [
            ("192.0.2.7", "192.0.2.7:0"),
            ("192.000.002.010", "192.0.2.10:0"),
            ("::1", "[::1]:0"),
            ("::ffff:192.0.2.7", "192.0.2.7:0"),
            ("fe80::1%3", "[fe80::1%3]:0"),
            ("fe80::1", "[fe80::1]:0"),
            ("2001:db8::1%3", "[2001:db8::1]:0"),
        ];
        for (host, address) in literals {
            assert_eq!(classify(host), Host::Literal(address.parse().unwrap()), "{host}");
        }
        for host in ["localhost", "LocalHost", "localhost."] {
            assert_eq!(classify(host), Host::Loopback, "{host}");
        }
        for host in ["example.com", "example.com.", "my_pc", "fe80::1%eth0", "bücher.example", "127.1"] {
            assert_eq!(classify(host), Host::Name, "{host}");
        }
        let long_label = "a".repeat(64);
        let long_name = ["abc"; 64].join(".");
        assert_eq!(long_name.len(), 255);
        for host in [
            "",
            ".",
            "..",
            "a..b",
            " ",
            "a b",
            "a\0",
            "\0",
            "a\n",
            "[::1]",
            "[127.0.0.1]",
            "::1%",
            "example.com:4242",
            "127.0.0.1:4242",
            "http://example.com",
            "::g",
            &long_label,
            &long_name,
            "u@h",
        ] {
            assert_eq!(classify(host), Host::Nothing, "{host:?}");
        }
        assert_eq!(classify(&["abc"; 63].join(".")), Host::Name);
    }

    #[test]
    fn ipv4_comes_first_unless_only_ipv6_has_a_route() {
        let both = ["2001:db8::1", "2001:db8::2", "192.0.2.7", "192.0.2.8"];
        assert_eq!(chosen(&both, Families::Any, |_| true).unwrap(), "192.0.2.7");
        assert_eq!(chosen(&both, Families::Any, |address| address.is_ipv6()).unwrap(), "2001:db8::1");
        let second = |address: SocketAddr| address.ip().to_string() == "192.0.2.8";
        assert_eq!(chosen(&both, Families::Any, second).unwrap(), "192.0.2.8");
        assert_eq!(chosen(&both, Families::Any, |_| false).unwrap(), "192.0.2.7");
    }

    #[test]
    fn families_exclude() {
        let both = ["2001:db8::1", "192.0.2.7"];
        assert_eq!(chosen(&both, Families::V6, |_| true).unwrap(), "2001:db8::1");
        assert_eq!(chosen(&both, Families::V4, |_| true).unwrap(), "192.0.2.7");
        // A mapped address is an IPv4 one.
        let mapped = addresses(&["::ffff:192.0.2.7"]);
        assert_eq!(choose(&mapped, Families::V4, |_| true), Ok("192.0.2.7:0".parse().unwrap()));
        assert_eq!(choose(&mapped, Families::V6, |_| true), Err(ResolveError::WrongFamily));
        assert_eq!(choose(&[], Families::Any, |_| true), Err(ResolveError::NotFound));
    }

    #[test]
    fn loopback_has_a_route() {
        assert!(has_route(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
    }
}
