//! One link that several hosts send through, and a way back that is free.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use nme_netem::Random;
use nme_testing::engines::{Engine, Kind, Note, Setup, address};

/// A server, and clients that all send to it through the same link.
pub(crate) struct Bottleneck {
    pub(crate) now: Duration,
    pub(crate) hosts: Vec<Box<dyn Engine>>,
    random: Random,
    link: Link,
    /// When the link has sent everything.
    free_at: Duration,
    /// What is on its way, by receiver.
    travelling: Vec<VecDeque<(Duration, SocketAddr, Vec<u8>)>>,
    frame: Duration,
    /// How long the queue was, at most and in sum over all datagrams.
    pub(crate) longest_queue: Duration,
    pub(crate) queued: Duration,
    pub(crate) datagrams: u32,
    pub(crate) dropped: u32,
}

/// The link to the server; the way back has its latency and loss.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    pub(crate) latency: Duration,
    pub(crate) loss: f64,
    pub(crate) bytes_per_second: f64,
    /// The longest queue.
    pub(crate) queue: Duration,
}

impl Bottleneck {
    pub(crate) fn new(server: Kind, client: Kind, clients: usize, link: Link, frame: Duration) -> Self {
        let kind = |host| if host == 0 { server } else { client };
        let hosts =
            (0..=clients).map(|host| kind(host).host(Setup::new(host == 0, host as u64 + 1))).collect();
        let mut world = Self {
            now: Duration::from_secs(1),
            hosts,
            random: Random::new(7),
            link: Link { loss: 0.0, ..link },
            free_at: Duration::ZERO,
            travelling: vec![VecDeque::new(); clients + 1],
            frame,
            longest_queue: Duration::ZERO,
            queued: Duration::ZERO,
            datagrams: 0,
            dropped: 0,
        };
        for host in 1..=clients {
            world.hosts[host].connect(world.now, address(0), 8, host as u32);
        }
        let end = world.now + Duration::from_secs(2);
        while world.now < end {
            world.step(|_, _| {});
        }
        world.link = link;
        (world.longest_queue, world.queued, world.datagrams) = Default::default();
        world
    }

    /// One frame of every host; what each reports goes to `take`.
    pub(crate) fn step(&mut self, mut take: impl FnMut(usize, Note)) {
        self.now += self.frame;
        for host in 0..self.hosts.len() {
            let mut incoming = Vec::new();
            while self.travelling[host].front().is_some_and(|(time, ..)| *time <= self.now) {
                incoming.extend(self.travelling[host].pop_front().map(|(_, from, bytes)| (from, bytes)));
            }
            self.hosts[host].frame(self.now, incoming).into_iter().for_each(|note| take(host, note));
            for (to, bytes) in self.hosts[host].flush(self.now) {
                self.send(host, usize::from(to.port() - address(0).port()), bytes);
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, bytes: Vec<u8>) {
        let mut departure = self.now;
        if to == 0 {
            let waits = self.free_at.saturating_sub(self.now);
            if waits > self.link.queue {
                self.dropped += 1;
                return;
            }
            self.longest_queue = self.longest_queue.max(waits);
            self.queued += waits;
            self.datagrams += 1;
            let takes = Duration::from_secs_f64(bytes.len() as f64 / self.link.bytes_per_second);
            self.free_at = self.free_at.max(self.now) + takes;
            departure = self.free_at;
        }
        if !self.random.chance(self.link.loss) {
            self.travelling[to].push_back((departure + self.link.latency, address(from), bytes));
        }
    }
}
