//! Requests that wait for the proof of their address, and addresses that have given it.
//!
//! Both are tables of fixed size in which the oldest goes, so strangers cannot make them grow. A request that went too soon
//! costs its client half a second: it asks again, and its address is proven by then.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::inspect::CONNECT_LEN;

/// A connect request, as a plain datagram.
pub(super) type RequestBytes = [u8; CONNECT_LEN];

/// Requests without proof, and addresses with it.
#[derive(Debug)]
pub(super) struct HalfOpen {
    requests: Recent<RequestBytes>,
    proven: Recent<()>,
}

impl HalfOpen {
    pub(super) fn new() -> Self {
        Self { requests: Recent::new(MAX_REQUESTS), proven: Recent::new(MAX_PROVEN_ADDRESSES) }
    }

    /// Keeps a request while its address is asked for proof.
    pub(super) fn keep(&mut self, now: Duration, from: SocketAddr, request: RequestBytes) {
        self.requests.insert(now, from, request);
    }

    /// An address has given its proof; returns its request, if it is still there.
    pub(super) fn prove(&mut self, now: Duration, from: SocketAddr) -> Option<RequestBytes> {
        self.proven.insert(now, from, ());
        self.requests.remove(now, from, LONGEST_WAIT)
    }

    /// True for an address that has given its proof lately.
    pub(super) fn is_proven(&self, now: Duration, address: SocketAddr) -> bool {
        self.proven.contains(now, address, PROOF_LASTS)
    }

    /// Forgets what is too old to be of use, and gives its memory back.
    pub(super) fn expire(&mut self, now: Duration) {
        self.requests.expire(now, LONGEST_WAIT);
        self.proven.expire(now, PROOF_LASTS);
    }

    /// A proof has been used.
    pub(super) fn forget(&mut self, now: Duration, address: SocketAddr) {
        self.proven.remove(now, address, PROOF_LASTS);
    }
}

/// What is known of the addresses seen last.
#[derive(Debug)]
struct Recent<T> {
    limit: usize,
    known: HashMap<SocketAddr, Seen<T>>,
    /// In the order of arrival, with the numbers that tell entries of one address apart.
    order: VecDeque<(SocketAddr, u64)>,
    next: u64,
}

#[derive(Debug)]
struct Seen<T> {
    value: T,
    at: Duration,
    number: u64,
}

impl<T> Recent<T> {
    fn new(limit: usize) -> Self {
        Self { limit, known: HashMap::new(), order: VecDeque::new(), next: 0 }
    }

    fn insert(&mut self, at: Duration, address: SocketAddr, value: T) {
        if let Some(seen) = self.known.get_mut(&address) {
            // It keeps its place in the order.
            (seen.value, seen.at) = (value, at);
            return;
        }
        if self.order.len() >= self.limit
            && let Some((oldest, number)) = self.order.pop_front()
            && self.known.get(&oldest).is_some_and(|seen| seen.number == number)
        {
            self.known.remove(&oldest);
        }
        let number = self.next;
        self.next += 1;
        self.known.insert(address, Seen { value, at, number });
        self.order.push_back((address, number));
    }

    fn expire(&mut self, now: Duration, age: Duration) {
        while let Some((address, number)) = self.order.front().copied() {
            match self.known.get(&address).filter(|seen| seen.number == number) {
                Some(seen) if now.saturating_sub(seen.at) <= age => return,
                Some(_) => drop(self.known.remove(&address)),
                None => {}
            }
            self.order.pop_front();
        }
        if self.order.capacity() > 0 {
            // What a crowd or a flood has taken.
            self.order = VecDeque::new();
            self.known = HashMap::new();
        }
    }

    fn contains(&self, now: Duration, address: SocketAddr, age: Duration) -> bool {
        self.known.get(&address).is_some_and(|seen| now.saturating_sub(seen.at) <= age)
    }

    fn remove(&mut self, now: Duration, address: SocketAddr, age: Duration) -> Option<T> {
        let seen = self.known.remove(&address)?;
        (now.saturating_sub(seen.at) <= age).then_some(seen.value)
    }
}

/// Requests that are kept: those of one round trip of 100 ms at 10 000 a second.
const MAX_REQUESTS: usize = 1024;

/// Proven addresses that are kept.
const MAX_PROVEN_ADDRESSES: usize = 1024;

/// How long an address counts as proven: its client repeats the request 0.5, 1.5 and 3.5 s after the first.
const PROOF_LASTS: Duration = Duration::from_secs(8);

/// How long a request is good for: as long as its cookie.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> SocketAddr {
        SocketAddr::from((std::net::Ipv4Addr::from(number), 5000))
    }

    #[test]
    fn the_oldest_request_goes() {
        let mut table = HalfOpen::new();
        let now = Duration::from_secs(1);
        for number in 0..=MAX_REQUESTS as u32 {
            table.keep(now, address(number), [number as u8; CONNECT_LEN]);
        }
        assert_eq!(table.prove(now, address(0)), None);
        assert_eq!(table.prove(now, address(1)), Some([1; CONNECT_LEN]));
        assert!(table.is_proven(now, address(0)) && table.is_proven(now, address(1)));
        assert_eq!(table.prove(now, address(1)), None);
        assert!(!table.is_proven(now + Duration::from_secs(9), address(1)));
        table.forget(now, address(0));
        assert!(!table.is_proven(now, address(0)));
    }

    #[test]
    fn what_is_too_old_takes_no_memory() {
        let mut table = HalfOpen::new();
        for number in 0..500 {
            table.keep(Duration::from_secs(1), address(number), [0; CONNECT_LEN]);
            table.prove(Duration::from_secs(1), address(number));
        }
        table.expire(Duration::from_secs(8));
        assert!(table.is_proven(Duration::from_secs(8), address(499)));
        table.expire(Duration::from_secs(10));
        assert!(!table.is_proven(Duration::from_secs(8), address(499)));
        assert_eq!((table.proven.known.capacity(), table.requests.order.capacity()), (0, 0));
    }

    #[test]
    fn the_tables_do_not_grow() {
        let mut table = HalfOpen::new();
        for number in 0..100_000 {
            let now = Duration::from_millis(number.into());
            table.keep(now, address(number % 3000), [0; CONNECT_LEN]);
            if number % 3 == 0 {
                table.prove(now, address(number % 2500));
            }
            if number % 7 == 0 {
                table.forget(now, address(number % 2500));
            }
            for (known, order) in [
                (table.requests.known.len(), table.requests.order.len()),
                (table.proven.known.len(), table.proven.order.len()),
            ] {
                assert!(known <= MAX_REQUESTS && order <= MAX_REQUESTS && known <= order, "{known} {order}");
            }
        }
    }
}
