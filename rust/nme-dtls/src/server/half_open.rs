//! The handshakes in progress on a server.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::association::Association;
use crate::gate::budget::Budget;
use crate::gate::hello::RANDOM;

/// Most handshakes in progress at once.
pub(crate) const LIMIT: usize = 64;
/// How long a handshake may take. Longer than any client repeats its flights.
const LIFETIME: Duration = Duration::from_secs(15);
/// How often a new hello may replace the handshake of its address at once. A client that begins anew needs it, as the
/// flights of its old handshake would only confuse it.
const FREE_REPLACEMENTS: u8 = 2;
/// How old a handshake must be to be replaced more often than that: each costs a signature.
const REPLACEABLE: Duration = Duration::from_secs(2);

/// A handshake whose client has proven its address.
pub(crate) struct HalfOpen {
    pub(crate) association: Box<dyn Association>,
    /// The random number of the hello it began with.
    pub(crate) random: [u8; RANDOM],
    pub(crate) budget: Budget,
    began: Duration,
    /// How many handshakes of this address it has replaced, one after the other.
    replaced: u8,
}

/// The handshakes in progress, by address.
#[derive(Default)]
pub(crate) struct HalfOpens(BTreeMap<SocketAddr, HalfOpen>);

impl HalfOpens {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn contains(&self, address: &SocketAddr) -> bool {
        self.0.contains_key(address)
    }

    pub(crate) fn get_mut(&mut self, address: &SocketAddr) -> Option<&mut HalfOpen> {
        self.0.get_mut(address)
    }

    /// Adds a handshake, in the place of the one with this address if there is one; true when there was.
    pub(crate) fn insert(
        &mut self,
        now: Duration,
        address: SocketAddr,
        random: [u8; RANDOM],
        association: Box<dyn Association>,
    ) -> bool {
        let replaced = self.0.get(&address).map_or(0, |half| half.replaced.saturating_add(1));
        let half = HalfOpen { association, random, budget: Budget::OF_SERVER, began: now, replaced };
        self.0.insert(address, half).is_some()
    }

    pub(crate) fn remove(&mut self, address: &SocketAddr) -> Option<HalfOpen> {
        self.0.remove(address)
    }

    /// What to do with a new hello from this address.
    pub(crate) fn judge(&self, now: Duration, from: SocketAddr, random: &[u8; RANDOM]) -> Placement {
        match self.0.get(&from) {
            Some(half) if half.random == *random => Placement::Repeat,
            Some(half)
                if half.replaced >= FREE_REPLACEMENTS && now.saturating_sub(half.began) < REPLACEABLE =>
            {
                Placement::TooSoon
            }
            Some(_) => Placement::Begin,
            None if self.0.len() < LIMIT => Placement::Begin,
            None => self.crowded(from).map_or(Placement::Full, Placement::BeginFor),
        }
    }

    /// The oldest handshake of the host that has most of them, if that is more than the newcomer's host would have.
    /// So one host cannot keep the others out.
    fn crowded(&self, newcomer: SocketAddr) -> Option<SocketAddr> {
        let mut counts: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for address in self.0.keys() {
            *counts.entry(host(address)).or_default() += 1;
        }
        let (most, count) = counts.iter().max_by_key(|(ip, count)| (**count, **ip))?;
        if *count <= counts.get(&host(&newcomer)).map_or(1, |count| count + 1) {
            return None;
        }
        let theirs = self.0.iter().filter(|(address, _)| host(address) == *most);
        theirs.min_by_key(|(address, half)| (half.began, **address)).map(|(address, _)| *address)
    }

    /// Repeats flights; forgets what has taken too long, and answers how many that were.
    pub(crate) fn tick(&mut self, now: Duration, mut send: impl FnMut(SocketAddr, &[u8])) -> u64 {
        let before = self.0.len();
        self.0.retain(|address, half| {
            if now.saturating_sub(half.began) >= LIFETIME {
                return false;
            }
            if half.association.timeout().is_none_or(|due| now < due) {
                return true;
            }
            let goes_on = half.association.handle_timeout(now);
            half.association.poll_transmit(&mut |datagram| send(*address, datagram));
            goes_on
        });
        (before - self.0.len()) as u64
    }
}

/// What becomes of a hello with a valid cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// A handshake can begin. It takes the place of the one with the same address.
    Begin,
    /// A handshake can begin once that of this address has been forgotten.
    BeginFor(SocketAddr),
    /// The hello of the handshake in progress once more. The flight that answers it is repeated by the clock: each
    /// repeat from here would stop the library's clock.
    Repeat,
    /// A handshake from this address has only just begun, and not for the first time.
    TooSoon,
    /// There are too many handshakes.
    Full,
}

/// Who stands behind an address: with IPv6, whoever has the network of 64 bits.
fn host(address: &SocketAddr) -> IpAddr {
    match address.ip().to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        ip @ IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::association::Read;

    struct Idle;

    impl Association for Idle {
        fn read(&mut self, _: Duration, _: &[u8], _: &mut dyn FnMut(&[u8])) -> Read {
            Read::Open
        }
        fn write(&mut self, _: Duration, _: &[u8]) -> bool {
            false
        }
        fn poll_transmit(&mut self, _: &mut dyn FnMut(&[u8])) {}
        fn timeout(&self) -> Option<Duration> {
            None
        }
        fn handle_timeout(&mut self, _: Duration) -> bool {
            false
        }
        fn close(&mut self, _: Duration) {}
    }

    const SECOND: Duration = Duration::from_secs(1);
    const RANDOM_A: [u8; RANDOM] = [1; RANDOM];
    const RANDOM_B: [u8; RANDOM] = [2; RANDOM];

    fn address(ip: &str, port: u16) -> SocketAddr {
        SocketAddr::new(ip.parse().unwrap(), port)
    }

    /// All from one host, one a millisecond.
    fn full(ip: &str) -> HalfOpens {
        let mut table = HalfOpens::default();
        for port in 1..=LIMIT as u16 {
            let now = Duration::from_millis(u64::from(port));
            table.insert(now, address(ip, port), RANDOM_A, Box::new(Idle));
        }
        table
    }

    #[test]
    fn a_host_that_fills_the_table_yields_to_others_but_not_to_itself() {
        let mut table = full("192.0.2.1");
        let newcomer = address("192.0.2.2", 7);
        assert_eq!(table.judge(SECOND, address("192.0.2.1", 5000), &RANDOM_A), Placement::Full);
        // The oldest goes first, until both have as many.
        for other in 0..LIMIT as u16 / 2 {
            let oldest = address("192.0.2.1", other + 1);
            let newcomer = address("192.0.2.2", other);
            assert_eq!(table.judge(SECOND, newcomer, &RANDOM_A), Placement::BeginFor(oldest), "{other}");
            table.remove(&oldest);
            table.insert(SECOND, newcomer, RANDOM_A, Box::new(Idle));
        }
        assert_eq!(table.judge(SECOND, address("192.0.2.2", 99), &RANDOM_A), Placement::Full);
        assert_eq!(table.judge(SECOND, newcomer, &RANDOM_A), Placement::Repeat);
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_host() {
        let table = full("2001:db8:0:1::1");
        assert_eq!(table.judge(SECOND, address("2001:db8:0:1::2", 1), &RANDOM_A), Placement::Full);
        let other = table.judge(SECOND, address("2001:db8:0:2::1", 1), &RANDOM_A);
        assert_eq!(other, Placement::BeginFor(address("2001:db8:0:1::1", 1)));
    }

    #[test]
    fn a_new_hello_replaces_a_handshake_at_once_but_not_for_ever() {
        let mut table = HalfOpens::default();
        let client = address("192.0.2.1", 1);
        assert_eq!(table.judge(SECOND, client, &RANDOM_A), Placement::Begin);
        assert!(!table.insert(SECOND, client, RANDOM_A, Box::new(Idle)));
        assert_eq!(table.judge(SECOND, client, &RANDOM_A), Placement::Repeat);
        for _ in 0..FREE_REPLACEMENTS {
            assert_eq!(table.judge(SECOND, client, &RANDOM_B), Placement::Begin);
            assert!(table.insert(SECOND, client, RANDOM_A, Box::new(Idle)));
        }
        assert_eq!(table.judge(2 * SECOND, client, &RANDOM_B), Placement::TooSoon);
        assert_eq!(table.judge(3 * SECOND, client, &RANDOM_B), Placement::Begin);
        assert_eq!(table.judge(3 * SECOND, client, &RANDOM_A), Placement::Repeat);
    }

    #[test]
    fn a_handshake_that_takes_too_long_is_forgotten() {
        let mut table = full("192.0.2.1");
        assert_eq!(table.tick(LIFETIME, |_, _| {}), 0);
        assert_eq!(table.tick(LIFETIME + Duration::from_millis(10), |_, _| {}), 10);
        assert_eq!(table.tick(LIFETIME + SECOND, |_, _| {}), 54);
        assert_eq!(table.len(), 0);
    }
}
