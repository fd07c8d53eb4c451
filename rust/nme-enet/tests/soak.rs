//! Hours of virtual time on bad links: nobody is cut off, nothing is lost, and memory stays as it was.

use std::alloc::System;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use nme_enet::{Config, ConnectRequest, Delivery, Event, Host, Packet, PeerHandle, Verdict};
use nme_netem::Random;
use nme_netem::{Link, Network};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MS: Duration = Duration::from_millis(1);
const CLIENTS: usize = 3;

/// A server and clients of which each sends numbered packets of all kinds both ways.
struct Soak {
    now: Duration,
    random: Random,
    network: Network,
    hosts: Vec<Host>,
    peers: BTreeMap<(usize, usize), PeerHandle>,
    /// The next number of each stream: receiver, sender, kind.
    sent: BTreeMap<(usize, usize, u8), u32>,
    next: BTreeMap<(usize, usize, u8), u32>,
    received: u64,
    ended: usize,
}

fn address(host: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4000 + host as u16))
}

const KINDS: [Delivery; 3] = [Delivery::Reliable, Delivery::Unsequenced, Delivery::Sequenced];

impl Soak {
    fn new(link: Link) -> Self {
        let mut network = Network::new(3);
        network.set_default(link);
        let clients = (1..=CLIENTS as u64).map(|seed| Host::new(Config::client(seed)));
        Self {
            // The 16-bit clock wraps in the first second.
            now: MS * 65_000,
            random: Random::new(4),
            network,
            hosts: std::iter::once(Host::new(Config::server(8, 9))).chain(clients).collect(),
            peers: BTreeMap::new(),
            sent: BTreeMap::new(),
            next: BTreeMap::new(),
            received: 0,
            ended: 0,
        }
    }

    fn connect(&mut self, client: usize) {
        for key in [(0, client), (client, 0)] {
            for kind in 0..3 {
                self.sent.remove(&(key.0, key.1, kind));
                self.next.remove(&(key.0, key.1, kind));
            }
        }
        self.hosts[client].connect(self.now, address(0), 3, 0).expect("a place");
        for _ in 0..2000 {
            self.step(10 * MS);
            if self.peers.contains_key(&(client, 0)) && self.peers.contains_key(&(0, client)) {
                return;
            }
        }
        panic!("{client} is connected");
    }

    fn send(&mut self, from: usize, to: usize, kind: usize, len: usize) {
        let number = self.sent.entry((to, from, kind as u8)).or_default();
        let mut bytes = vec![kind as u8; len];
        bytes[1..5].copy_from_slice(&number.to_be_bytes());
        *number += 1;
        let peer = self.peers[&(from, to)];
        self.hosts[from].send(peer, kind as u8, &Packet::new(bytes), KINDS[kind]).expect("connected");
    }

    fn step(&mut self, time: Duration) {
        self.now += time;
        for host in 0..self.hosts.len() {
            while let Some((from, datagram)) = self.network.receive(self.now, address(host)) {
                let mut accept = |_: &ConnectRequest| Verdict::Accept;
                // What comes late from a connection that has ended is dropped.
                let _ = self.hosts[host].handle_datagram(self.now, from, &datagram, &mut accept);
            }
            self.hosts[host].handle_timeout(self.now);
            while let Some(event) = self.hosts[host].poll_event() {
                self.take(host, event);
            }
            self.hosts[host].flush(self.now);
            let mut buffer = [0; 1392];
            while let Some(nme_enet::Transmit { to, datagram, .. }) =
                self.hosts[host].poll_transmit(&mut buffer)
            {
                self.network.send(self.now, address(host), to, datagram);
            }
        }
    }

    fn take(&mut self, host: usize, event: Event) {
        match event {
            Event::Connected { peer, .. } => {
                let at = self.hosts[host].address(peer).expect("it is there");
                self.peers.insert((host, usize::from(at.port() - 4000)), peer);
            }
            Event::Disconnected { peer, .. } => {
                self.peers.retain(|key, known| key.0 != host || *known != peer);
                self.ended += 1;
            }
            Event::Received { peer, packet, .. } => {
                let from = self.peers.iter().find(|(key, known)| key.0 == host && **known == peer);
                let from = from.expect("it is connected").0.1;
                let stream = (host, from, packet[0]);
                let number = u32::from_be_bytes([packet[1], packet[2], packet[3], packet[4]]);
                assert!(number < self.sent[&stream], "{stream:?} {number}");
                let next = self.next.entry(stream).or_default();
                match packet[0] {
                    0 => assert_eq!(number, *next, "{stream:?}"),
                    2 => assert!(number >= *next, "{stream:?}"),
                    _ => {}
                }
                *next = number + 1;
                self.received += 1;
            }
            Event::Exceeded { .. } => panic!("everybody reads"),
        }
    }

    /// Traffic of everybody for so many steps, then a rest in which all that is reliable arrives.
    fn play(&mut self, steps: usize, pause: Duration) {
        for _ in 0..steps {
            for client in 1..=CLIENTS {
                let len = if self.random.chance(0.02) { 6000 } else { 20 };
                let (from, to) = if self.random.chance(0.5) { (client, 0) } else { (0, client) };
                let kind = self.random.within(0..3);
                self.send(from, to, kind, len);
            }
            self.step(pause);
        }
        for _ in 0..2000 {
            self.step(20 * MS);
            let is_done = |(stream, sent): (&(usize, usize, u8), &u32)| {
                stream.2 != 0 || self.next.get(stream) == Some(sent)
            };
            if self.sent.iter().all(is_done) {
                break;
            }
        }
        (0..200).for_each(|_| self.step(20 * MS));
        self.check_rest();
    }

    fn check_rest(&self) {
        for ((to, from, kind), sent) in &self.sent {
            if *kind == 0 {
                assert_eq!(self.next.get(&(*to, *from, 0)), Some(sent));
            }
        }
        for (host, index) in self.hosts.iter().zip(0..) {
            for peer in host.peers() {
                let figures = host.peer_figures(peer).expect("a peer");
                assert_eq!((figures.waiting, figures.unacknowledged), (0, 0), "{index}: {figures:?}");
                assert!(figures.in_flight == 0 && figures.throttle == 32, "{index}: {figures:?}");
            }
        }
    }
}

fn bad_link() -> Link {
    Link {
        loss: 0.05,
        duplicate: 0.03,
        reorder: 0.05,
        reorder_delay: 40 * MS,
        jitter: 15 * MS,
        ..Link::delayed(30 * MS)
    }
}

/// The allocator counts for all threads, so the tests run one after the other.
static TURN: Mutex<()> = Mutex::new(());

#[test]
fn hours_on_a_bad_link_lose_nothing_and_leave_nothing() {
    let _turn = TURN.lock();
    let mut soak = Soak::new(bad_link());
    (1..=CLIENTS).for_each(|client| soak.connect(client));
    let mut memory = Vec::new();
    // 3 hours and more; clients come and go, and the 16-bit clock wraps every minute.
    for round in 0..40 {
        soak.play(300, 900 * MS);
        let stats = ALLOCATOR.stats();
        memory.push(stats.bytes_allocated as i64 - stats.bytes_deallocated as i64);
        let client = 1 + round % CLIENTS;
        let (host, other) = if round % 2 == 0 { (0, client) } else { (client, 0) };
        let peer = soak.peers[&(host, other)];
        soak.hosts[host].disconnect(peer, 0);
        while soak.peers.contains_key(&(0, client)) || soak.peers.contains_key(&(client, 0)) {
            soak.step(20 * MS);
        }
        soak.connect(client);
    }
    assert_eq!(soak.ended, 2 * 40);
    assert!(soak.now > Duration::from_secs(3 * 3600), "{:?}", soak.now);
    // The first rounds may still find a longer queue than before.
    let (first, last) = (memory[10], memory[39]);
    assert!(last < first + 64 * 1024, "{memory:?}");
    for client in 1..=CLIENTS {
        let peer = soak.peers[&(0, client)];
        soak.hosts[0].disconnect_now(peer, 0);
    }
    (0..200).for_each(|_| soak.step(20 * MS));
    for host in &soak.hosts {
        assert_eq!(
            (host.figures().reassembly_bytes, host.peers().count(), host.connected_peers()),
            (0, 0, 0)
        );
    }
}

#[test]
fn a_connection_outlives_the_wrap_of_all_its_numbers() {
    let _turn = TURN.lock();
    let mut soak = Soak::new(Link { loss: 0.01, ..Link::delayed(5 * MS) });
    (1..=CLIENTS).for_each(|client| soak.connect(client));
    for _ in 0..700 {
        for kind in 0..3 {
            (0..100).for_each(|_| soak.send(1, 0, kind, 5));
        }
        soak.step(20 * MS);
    }
    soak.play(10, 20 * MS);
    assert!(soak.sent.values().filter(|sent| **sent >= 70_000).count() == 3);
    assert_eq!(soak.ended, 0);
    assert_eq!(soak.hosts[0].figures().reassembly_bytes, 0);
}
