//! A network of many addresses, in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use crate::conditions::Link;
use crate::counters::Counters;
use crate::course::Course;
use crate::passage::{Arrivals, Generators, Passage};

/// A network that carries datagrams between any two addresses, each direction by the rules of a [`Pipe`](crate::Pipe).
///
/// The drive: hosts [`send`](Self::send); the clock goes to [`next_arrival`](Self::next_arrival); each host
/// calls [`receive`](Self::receive) until `None`; then [`discard`](Self::discard) forgets what arrived where
/// nobody reads.
///
/// It takes settings as they are: a chance below 0 or not a number is never, one above 1 is always, and a time
/// beyond the end of time is that end.
#[derive(Debug)]
pub struct Network {
    random: Generators,
    default: Course,
    links: BTreeMap<Route, Link>,
    passages: BTreeMap<Route, Passage>,
    /// What is on its way, by receiver.
    travelling: BTreeMap<SocketAddr, BTreeMap<Arrival, Datagram>>,
    /// When and where everything on its way arrives.
    arrivals: BTreeSet<(Arrival, SocketAddr)>,
    next_number: u64,
}

impl Network {
    /// A network of perfect links.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            random: Generators::new(seed),
            default: Course::new(Link::PERFECT),
            links: BTreeMap::new(),
            passages: BTreeMap::new(),
            travelling: BTreeMap::new(),
            arrivals: BTreeSet::new(),
            next_number: 0,
        }
    }

    /// Sets what holds between addresses without a link of their own, from now on.
    ///
    /// Here and in the other setters, what is on its way is not affected, and later datagrams may overtake
    /// it.
    pub fn set_default(&mut self, link: Link) {
        self.default = Course::new(link);
        for (route, passage) in &mut self.passages {
            if !self.links.contains_key(route) {
                passage.forget_order();
            }
        }
    }

    /// Sets how the links without one of their own change over time. Datagrams keep their order meanwhile.
    pub fn set_course(&mut self, course: Course) {
        self.default = course;
    }

    /// Sets what holds from one address to another, from now on. The way back is a link of its own.
    pub fn set_link(&mut self, from: SocketAddr, to: SocketAddr, link: Link) {
        self.links.insert((from, to), link);
        self.forget_order(from, to);
    }

    /// Sets the links of both directions.
    pub fn set_both(&mut self, one: SocketAddr, other: SocketAddr, link: Link) {
        self.set_link(one, other, link);
        self.set_link(other, one, link);
    }

    /// Takes the link away that [`set_link`](Self::set_link) gave; the default holds again.
    pub fn clear_link(&mut self, from: SocketAddr, to: SocketAddr) {
        self.links.remove(&(from, to));
        self.forget_order(from, to);
    }

    /// Puts one datagram on its way. `now` must not go back.
    pub fn send(&mut self, now: Duration, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let link = self.links.get(&(from, to)).copied().unwrap_or_else(|| self.default.at(now));
        let passage = self.passages.entry((from, to)).or_insert(Passage::new());
        let Some(Arrivals { first, copy }) = passage.send(now, bytes.len(), &link, &mut self.random) else {
            return;
        };
        self.travel(first, from, to, bytes);
        if let Some(copy) = copy {
            self.travel(copy, from, to, bytes);
        }
    }

    /// When the next datagram arrives anywhere; may be in the past, when nobody took it.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Duration> {
        self.arrivals.first().map(|(arrival, _)| arrival.time)
    }

    /// Takes the first datagram that arrived at the address by now, and its sender. Datagrams of one arrival
    /// time come in the order in which they were sent.
    pub fn receive(&mut self, now: Duration, at: SocketAddr) -> Option<(SocketAddr, Vec<u8>)> {
        let queue = self.travelling.get_mut(&at)?;
        let first = queue.first_entry().filter(|entry| entry.key().time <= now)?;
        let (arrival, datagram) = first.remove_entry();
        self.arrivals.remove(&(arrival, at));
        self.count((datagram.from, at), |counters| counters.delivered += 1);
        Some((datagram.from, datagram.bytes))
    }

    /// Forgets everything that arrived by now and was not taken, as for closed sockets; answers how much
    /// that was.
    pub fn discard(&mut self, now: Duration) -> u64 {
        let mut discarded = 0;
        while let Some((arrival, at)) =
            self.arrivals.first().copied().filter(|(arrival, _)| arrival.time <= now)
        {
            self.arrivals.remove(&(arrival, at));
            if let Some(datagram) = self.travelling.get_mut(&at).and_then(|queue| queue.remove(&arrival)) {
                self.count((datagram.from, at), |counters| counters.discarded += 1);
                discarded += 1;
            }
        }
        discarded
    }

    /// How many datagrams have been sent but neither taken, lost nor discarded.
    #[must_use]
    pub fn on_the_way(&self) -> usize {
        self.arrivals.len()
    }

    /// What has happened so far, in all directions together.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let mut total = Counters::ZERO;
        self.passages.values().for_each(|passage| total += passage.counters);
        total
    }

    /// What has happened so far from one address to another.
    #[must_use]
    pub fn counters_of(&self, from: SocketAddr, to: SocketAddr) -> Counters {
        self.passages.get(&(from, to)).map_or(Counters::ZERO, |passage| passage.counters)
    }

    fn travel(&mut self, time: Duration, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let arrival = Arrival { time, number: self.next_number };
        self.next_number += 1;
        self.arrivals.insert((arrival, to));
        self.travelling.entry(to).or_default().insert(arrival, Datagram { from, bytes: bytes.to_vec() });
    }

    fn forget_order(&mut self, from: SocketAddr, to: SocketAddr) {
        if let Some(passage) = self.passages.get_mut(&(from, to)) {
            passage.forget_order();
        }
    }

    fn count(&mut self, route: Route, count: impl FnOnce(&mut Counters)) {
        if let Some(passage) = self.passages.get_mut(&route) {
            count(&mut passage.counters);
        }
    }
}

/// Sender and receiver.
type Route = (SocketAddr, SocketAddr);

/// When a datagram arrives; the number settles ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Arrival {
    time: Duration,
    number: u64,
}

#[derive(Debug)]
struct Datagram {
    from: SocketAddr,
    bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conditions::{Bandwidth, Burst};

    const MS: Duration = Duration::from_millis(1);

    fn host(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    /// Sends numbered datagrams of 4 bytes from host 1 to host 2, one a millisecond from `start` on.
    fn send_numbers(network: &mut Network, start: Duration, numbers: std::ops::Range<u32>) {
        for (step, number) in numbers.enumerate() {
            network.send(start + MS * step as u32, host(1), host(2), &number.to_be_bytes());
        }
    }

    /// Lets time pass until nothing is on its way; what host 2 got, and when.
    fn drain(network: &mut Network) -> Vec<(Duration, u32)> {
        let mut got = Vec::new();
        while let Some(now) = network.next_arrival() {
            while let Some((from, bytes)) = network.receive(now, host(2)) {
                assert_eq!(from, host(1));
                got.push((now, u32::from_be_bytes(bytes.try_into().expect("4 bytes"))));
            }
        }
        got
    }

    fn numbers(got: &[(Duration, u32)]) -> Vec<u32> {
        got.iter().map(|(_, number)| *number).collect()
    }

    const MESSY: Link = Link {
        latency: Duration::from_millis(40),
        jitter: Duration::from_millis(25),
        loss: 0.1,
        duplicate: 0.05,
        reorder: 0.2,
        reorder_delay: Duration::from_millis(10),
        bandwidth: Some(Bandwidth { bytes_per_second: 3900, queue: 40 }),
        ..Link::PERFECT
    };

    fn run(seed: u64, link: Link, count: u32) -> (Vec<(Duration, u32)>, Counters) {
        let mut network = Network::new(seed);
        network.set_default(link);
        send_numbers(&mut network, Duration::ZERO, 0..count);
        let got = drain(&mut network);
        let counters = network.counters();
        assert_eq!(network.on_the_way(), 0);
        assert_eq!(
            counters.sent + counters.duplicated,
            counters.lost
                + counters.lost_in_bursts
                + counters.too_long
                + counters.overflowed
                + counters.delivered
                + counters.discarded
        );
        assert_eq!(counters.delivered, got.len() as u64);
        (got, counters)
    }

    #[test]
    fn the_seed_decides_everything() {
        let first = run(7, MESSY, 2000);
        assert_eq!(first, run(7, MESSY, 2000));
        assert_ne!(first.0, run(8, MESSY, 2000).0);
        let Counters { sent, lost, overflowed, duplicated, reordered, delivered, discarded, .. } = first.1;
        assert_eq!((sent, discarded), (2000, 0));
        for count in [lost, overflowed, duplicated, reordered, delivered] {
            assert!(count > 0, "{:?}", first.1);
        }
    }

    #[test]
    fn what_a_seed_means_stays_as_it_is() {
        // The tests of other crates are about what happens with their seeds.
        let (got, _) = run(7, MESSY, 2000);
        let fingerprint = got.iter().fold(0_u64, |sum, (time, number)| {
            sum.wrapping_mul(31)
                .wrapping_add(time.as_nanos() as u64)
                .wrapping_mul(31)
                .wrapping_add(u64::from(*number))
        });
        assert_eq!((got.len(), fingerprint), (1862, 6_512_661_772_469_864_446));
    }

    #[test]
    fn a_perfect_link_delivers_at_once_and_in_order() {
        let (got, counters) = run(1, Link::PERFECT, 100);
        assert_eq!(got, (0..100).map(|number| (MS * number, number)).collect::<Vec<_>>());
        assert_eq!(counters, Counters { sent: 100, delivered: 100, ..Counters::default() });
        assert_eq!(Link::PERFECT, Link::default());
    }

    #[test]
    fn nothing_arrives_before_its_time() {
        let mut network = Network::new(1);
        network.set_default(Link::delayed(50 * MS));
        network.send(10 * MS, host(1), host(2), b"x");
        assert_eq!(network.next_arrival(), Some(60 * MS));
        assert_eq!(network.receive(59 * MS, host(2)), None);
        assert_eq!(network.receive(60 * MS, host(1)), None);
        assert_eq!(network.receive(60 * MS, host(2)), Some((host(1), b"x".to_vec())));
        assert_eq!(network.next_arrival(), None);
    }

    #[test]
    fn ties_come_in_the_order_of_sending() {
        let mut network = Network::new(1);
        for sender in [3, 1, 2, 1, 3] {
            network.send(MS, host(sender), host(9), &[]);
        }
        let senders: Vec<_> =
            std::iter::from_fn(|| network.receive(MS, host(9))).map(|(from, _)| from.port()).collect();
        assert_eq!(senders, [3, 1, 2, 1, 3]);
    }

    #[test]
    fn loss_and_duplicates_are_as_frequent_as_set() {
        // Five standard deviations of 20000 draws are below 0.018.
        for chance in [0.02, 0.3, 0.8] {
            let (_, counters) = run(5, Link { loss: chance, ..Link::PERFECT }, 20_000);
            assert!((counters.lost as f64 / 20_000.0 - chance).abs() < 0.018, "{counters:?}");
            let (_, counters) = run(6, Link { duplicate: chance, ..Link::PERFECT }, 20_000);
            assert!((counters.duplicated as f64 / 20_000.0 - chance).abs() < 0.018, "{counters:?}");
            let (_, counters) = run(7, Link { reorder: chance, ..Link::PERFECT }, 20_000);
            assert!((counters.reordered as f64 / 20_000.0 - chance).abs() < 0.018, "{counters:?}");
        }
    }

    #[test]
    fn never_and_always() {
        let (got, counters) = run(1, Link::DOWN, 1000);
        assert!(got.is_empty());
        assert_eq!(counters.lost, 1000);
        let (got, _) = run(1, Link { duplicate: 1.0, ..Link::PERFECT }, 1000);
        assert_eq!(numbers(&got), (0..1000).flat_map(|number| [number, number]).collect::<Vec<_>>());
    }

    #[test]
    fn one_setting_does_not_change_what_another_does() {
        let (clean, _) = run(3, Link { loss: 0.2, ..Link::PERFECT }, 1000);
        let (late, _) = run(3, Link { loss: 0.2, latency: 5 * MS, jitter: 3 * MS, ..Link::PERFECT }, 1000);
        assert_eq!(numbers(&clean), numbers(&late));
    }

    #[test]
    fn jitter_spreads_the_delay_and_keeps_the_order() {
        let mut network = Network::new(11);
        let (latency, jitter) = (30 * MS, 20 * MS);
        network.set_default(Link { latency, jitter, ..Link::PERFECT });
        // Far apart, so that no datagram waits for the one before.
        let mut delays = Vec::new();
        for number in 0..10_000 {
            let sent = MS * 100 * number;
            network.send(sent, host(1), host(2), &number.to_be_bytes());
            let [(arrival, _)] = drain(&mut network)[..] else { panic!("one datagram") };
            delays.push(arrival - sent);
        }
        assert!(delays.iter().all(|delay| (latency..=latency + jitter).contains(delay)));
        let mean = delays.iter().sum::<Duration>() / 10_000;
        assert!(mean.abs_diff(latency + jitter / 2) < MS / 2, "{mean:?}");

        let (got, _) = run(11, Link { latency, jitter, ..Link::PERFECT }, 1000);
        assert_eq!(numbers(&got), (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_held_back_is_overtaken() {
        let link = Link { latency: 5 * MS, reorder: 0.1, reorder_delay: 3 * MS, ..Link::PERFECT };
        let (got, counters) = run(2, link, 1000);
        let overtaken = numbers(&got).windows(2).filter(|pair| pair[0] > pair[1]).count();
        assert!(overtaken > 50 && overtaken as u64 <= counters.reordered, "{overtaken} {counters:?}");
        let mut sorted = numbers(&got);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<_>>());
        assert!(got.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    }

    #[test]
    fn bandwidth_spaces_datagrams_and_its_queue_is_limited() {
        let mut network = Network::new(1);
        let bandwidth = Some(Bandwidth { bytes_per_second: 1000, queue: 300 });
        network.set_default(Link { latency: 5 * MS, bandwidth, ..Link::PERFECT });
        for _ in 0..5 {
            network.send(Duration::ZERO, host(1), host(2), &[0; 100]);
        }
        // One on the wire and two behind it are 300 bytes; the others find no place.
        assert_eq!(network.counters().overflowed, 2);
        // Half of the first has gone at 50 ms: not enough place. At 100 ms it has gone.
        network.send(50 * MS, host(1), host(2), &[0; 100]);
        assert_eq!(network.counters().overflowed, 3);
        network.send(100 * MS, host(1), host(2), &[0; 100]);
        assert_eq!(network.counters().overflowed, 3);
        let mut arrivals = Vec::new();
        while let Some(now) = network.next_arrival() {
            while network.receive(now, host(2)).is_some() {
                arrivals.push(now.as_millis());
            }
        }
        assert_eq!(arrivals, [105, 205, 305, 405]);

        // Idle again: even what is longer than the queue passes.
        network.send(1000 * MS, host(1), host(2), &[0; 1000]);
        assert_eq!(network.next_arrival(), Some(2005 * MS));
        // Another direction is another link.
        network.send(1000 * MS, host(2), host(1), &[0; 100]);
        assert_eq!(network.next_arrival(), Some(1105 * MS));
    }

    #[test]
    fn a_long_run_gets_the_bandwidth_it_was_given() {
        let bandwidth = Some(Bandwidth { bytes_per_second: 2000, queue: 400 });
        // 4000 bytes a second for 10 s.
        let (got, counters) = run(1, Link { bandwidth, ..Link::PERFECT }, 10_000);
        let bytes = 4 * got.len();
        assert!((20_000..=20_404).contains(&bytes), "{bytes}");
        assert_eq!(counters.overflowed, 10_000 - counters.delivered);
        let (got, _) =
            run(1, Link { bandwidth: Some(Bandwidth { bytes_per_second: 0, queue: 9 }), ..Link::PERFECT }, 9);
        assert!(got.is_empty());
    }

    #[test]
    fn links_are_set_by_direction_and_at_any_time() {
        let mut network = Network::new(1);
        network.set_default(Link::delayed(10 * MS));
        network.set_link(host(1), host(2), Link::delayed(70 * MS));
        network.send(Duration::ZERO, host(1), host(2), b"there");
        network.send(Duration::ZERO, host(2), host(1), b"back");
        assert_eq!(network.receive(10 * MS, host(1)), Some((host(2), b"back".to_vec())));
        assert_eq!(network.next_arrival(), Some(70 * MS));

        // A faster link: what is sent now overtakes.
        network.set_both(host(1), host(2), Link::PERFECT);
        network.send(20 * MS, host(1), host(2), b"fast");
        assert_eq!(network.receive(20 * MS, host(2)), Some((host(1), b"fast".to_vec())));

        network.set_link(host(1), host(2), Link::DOWN);
        network.send(30 * MS, host(1), host(2), b"lost");
        network.clear_link(host(1), host(2));
        network.set_default(Link::PERFECT);
        network.send(40 * MS, host(1), host(2), b"default");
        assert_eq!(network.receive(40 * MS, host(2)), Some((host(1), b"default".to_vec())));
        assert_eq!(network.receive(70 * MS, host(2)), Some((host(1), b"there".to_vec())));
        assert_eq!(network.next_arrival(), None);
        assert_eq!(network.counters().lost, 1);
    }

    #[test]
    fn what_nobody_takes_can_be_discarded() {
        let mut network = Network::new(1);
        network.set_default(Link::delayed(10 * MS));
        network.send(Duration::ZERO, host(1), host(2), b"a");
        network.send(Duration::ZERO, host(1), host(3), b"b");
        network.send(5 * MS, host(1), host(2), b"c");
        assert_eq!(network.discard(9 * MS), 0);
        assert_eq!(network.discard(10 * MS), 2);
        assert_eq!(network.receive(10 * MS, host(2)), None);
        assert_eq!(network.receive(15 * MS, host(2)), Some((host(1), b"c".to_vec())));
        let expected = Counters { sent: 3, delivered: 1, discarded: 2, ..Counters::default() };
        assert_eq!(network.counters(), expected);
    }
    #[test]
    fn each_direction_is_counted_by_itself() {
        let mut network = Network::new(1);
        network.set_link(host(2), host(1), Link::DOWN);
        network.set_link(host(1), host(3), Link { duplicate: 1.0, ..Link::PERFECT });
        for (from, to) in [(1, 2), (1, 2), (2, 1), (1, 3)] {
            network.send(MS, host(from), host(to), b"x");
        }
        assert!(network.receive(MS, host(2)).is_some());
        assert!(network.receive(MS, host(3)).is_some());
        network.discard(MS);
        let zero = Counters::default();
        let there = Counters { sent: 2, delivered: 1, discarded: 1, ..zero };
        let back = Counters { sent: 1, lost: 1, ..zero };
        let doubled = Counters { sent: 1, duplicated: 1, delivered: 1, discarded: 1, ..zero };
        assert_eq!(network.counters_of(host(1), host(2)), there);
        assert_eq!(network.counters_of(host(2), host(1)), back);
        assert_eq!(network.counters_of(host(1), host(3)), doubled);
        assert_eq!(network.counters_of(host(3), host(1)), zero);
        let total = Counters { sent: 4, lost: 1, duplicated: 1, delivered: 2, discarded: 2, ..zero };
        assert_eq!(network.counters(), total);
    }

    #[test]
    fn a_direction_is_in_a_burst_by_itself() {
        let burst = Some(Burst { start: 1.0, end: 0.0, loss: 1.0 });
        let mut network = Network::new(1);
        network.set_link(host(1), host(2), Link { burst, ..Link::PERFECT });
        send_numbers(&mut network, Duration::ZERO, 0..10);
        network.send(MS, host(2), host(1), b"back");
        assert!(network.receive(MS, host(1)).is_some());
        assert_eq!(network.counters_of(host(1), host(2)).lost_in_bursts, 10);
        // Without bursts there is none to be in.
        network.set_link(host(1), host(2), Link::PERFECT);
        send_numbers(&mut network, MS, 10..12);
        assert_eq!(numbers(&drain(&mut network)), [10, 11]);
    }
}
