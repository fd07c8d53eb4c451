//! What a broadcast costs: instructions, time, allocations; and what a connected client costs: memory.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nme_enet::{Config, ConnectRequest, Delivery, Event, Host, PeerHandle, Verdict};
use nme_reference::MemorySocket;
use nme_testing::engines::Kind;
use rusty_enet as enet;
use stats_alloc::Region;

use crate::{ALLOCATOR, BOTH, name};

const FRAME: Duration = Duration::from_millis(16);
const CLIENTS: usize = 100;
const PACKETS: u8 = 20;
const FRAMES: usize = 100;

/// A server and its clients, whose datagrams are handed over in memory.
trait Table {
    /// Polls everybody once; how many packets came.
    fn frame(&mut self) -> usize;
    /// Queues the packets of a frame for everybody.
    fn broadcast(&mut self);
}

fn table(kind: Kind, clients: usize) -> Box<dyn Table> {
    let mut table: Box<dyn Table> = match kind {
        Kind::Ours => Box::new(Ours::new(clients)),
        Kind::Judge => Box::new(Judge::new(clients)),
    };
    for _ in 0..60 {
        table.frame();
    }
    table
}

pub(crate) fn run_once(kind: Kind) {
    let mut table = table(kind, CLIENTS);
    for _ in 0..10 {
        table.broadcast();
        table.frame();
    }
    let region = Region::new(ALLOCATOR);
    let start = Instant::now();
    let mut fetched = 0;
    for _ in 0..FRAMES {
        table.broadcast();
        fetched += table.frame();
    }
    let (time, stats) = (start.elapsed(), region.change());
    let packets = fetched.max(1) as f64;
    println!(
        "| {} | {:.0} | {:.3} | {fetched} |",
        name(kind),
        time.as_nanos() as f64 / packets,
        (stats.allocations + stats.reallocations) as f64 / packets,
    );
}

pub(crate) fn print() {
    println!(
        "\n| broadcast of {PACKETS} x 56 B unreliable to {CLIENTS} | ns per packet, both sides | allocations per packet | packets |"
    );
    println!("|---|---|---|---|");
    BOTH.into_iter().for_each(run_once);
}

/// Bytes that one more connected client costs the server.
pub(crate) fn print_memory() {
    println!("\n| memory of the server for each connected client | bytes |");
    println!("|---|---|");
    let grown = |clients| {
        let region = Region::new(ALLOCATOR);
        let mut table = Ours::new(clients);
        for _ in 0..60 {
            table.frame();
        }
        (table.clients, table.peers) = (Vec::new(), Vec::new());
        let stats = region.change();
        // Both count what reallocations add and give back, too.
        stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
    };
    let (few, many) = (grown(100), grown(1100));
    println!("| ours, 3 channels | {:.0} |", (many - few) / 1000.0);
}

fn address(index: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 1 + index as u16))
}

struct Ours {
    now: Duration,
    server: Host,
    peers: Vec<PeerHandle>,
    clients: Vec<Host>,
}

impl Ours {
    fn new(clients: usize) -> Self {
        let now = Duration::from_secs(1);
        let mut hosts = Vec::new();
        for index in 0..clients {
            let mut host = Host::new(Config::client(index as u64));
            host.connect(now, address(clients), 3, 0).expect("a free place");
            hosts.push(host);
        }
        Self { now, server: Host::new(Config::server(4095, 1)), peers: Vec::new(), clients: hosts }
    }
}

impl Table for Ours {
    fn frame(&mut self) -> usize {
        self.now += FRAME;
        let Self { now, server, peers, clients } = self;
        let mut buffer = [0; 1392];
        let mut accept = |_: &ConnectRequest| Verdict::Accept;
        let mut fetched = 0;
        for (index, client) in clients.iter_mut().enumerate() {
            client.handle_timeout(*now);
            client.flush(*now);
            while let Some(nme_enet::Transmit { datagram, .. }) = client.poll_transmit(&mut buffer) {
                let _ = server.handle_datagram(*now, address(index), datagram, &mut accept);
            }
            while let Some(event) = server.poll_event() {
                if let Event::Connected { peer, .. } = event {
                    peers.push(peer);
                }
            }
        }
        server.handle_timeout(*now);
        server.flush(*now);
        let from = address(clients.len());
        while let Some(nme_enet::Transmit { to, datagram, .. }) = server.poll_transmit(&mut buffer) {
            let client = &mut clients[usize::from(to.port()) - 1];
            let _ = client.handle_datagram(*now, from, datagram, &mut accept);
            while let Some(event) = client.poll_event() {
                fetched += usize::from(matches!(event, Event::Received { .. }));
            }
        }
        fetched
    }

    fn broadcast(&mut self) {
        for number in 0..PACKETS {
            let packet = self.server.packets().packet(&[&[number; 56]]);
            for peer in &self.peers {
                let _ = self.server.send(*peer, 1, &packet, Delivery::Unsequenced);
            }
        }
    }
}

struct Judge {
    now: Arc<AtomicU64>,
    server: enet::Host<MemorySocket>,
    clients: Vec<enet::Host<MemorySocket>>,
    peers: HashMap<enet::PeerID, ()>,
}

impl Judge {
    fn new(clients: usize) -> Self {
        let now = Arc::new(AtomicU64::new(1_000_000));
        let host = |peers: usize, seed: u32| {
            let clock = Arc::clone(&now);
            let settings = enet::HostSettings {
                peer_limit: peers,
                channel_limit: 3,
                incoming_bandwidth_limit: None,
                outgoing_bandwidth_limit: None,
                compressor: None,
                checksum: None,
                time: Box::new(move || Duration::from_micros(clock.load(Ordering::Relaxed))),
                seed: Some(seed),
            };
            enet::Host::new(MemorySocket::default(), settings).expect("a valid configuration")
        };
        let server = host(4095, 1);
        let mut hosts: Vec<_> = (0..clients).map(|index| host(1, index as u32 + 2)).collect();
        for client in &mut hosts {
            client.connect(address(clients), 3, 0).expect("a free place");
        }
        Self { now, server, clients: hosts, peers: HashMap::new() }
    }
}

impl Table for Judge {
    fn frame(&mut self) -> usize {
        self.now.fetch_add(FRAME.as_micros() as u64, Ordering::Relaxed);
        let mut fetched = 0;
        for (index, client) in self.clients.iter_mut().enumerate() {
            while let Ok(Some(event)) = client.service() {
                fetched += usize::from(matches!(event.no_ref(), enet::EventNoRef::Receive { .. }));
            }
            client.flush();
            for (_, datagram) in client.socket_mut().outbound.drain(..) {
                self.server.socket_mut().inbound.push_back((address(index), datagram));
            }
        }
        while let Ok(Some(event)) = self.server.service() {
            if let enet::EventNoRef::Connect { peer, .. } = event.no_ref() {
                self.peers.insert(peer, ());
            }
        }
        self.server.flush();
        let from = address(self.clients.len());
        for (to, datagram) in self.server.socket_mut().outbound.drain(..) {
            let client = &mut self.clients[usize::from(to.port()) - 1];
            client.socket_mut().inbound.push_back((from, datagram));
        }
        fetched
    }

    fn broadcast(&mut self) {
        for number in 0..PACKETS {
            let kind = enet::PacketKind::AlwaysUnreliable { sequenced: false };
            let packet = enet::Packet::new(&[number; 56][..], kind);
            for peer in self.peers.keys() {
                if let Some(peer) = self.server.get_peer_mut(*peer) {
                    let _ = peer.send(1, &packet);
                }
            }
        }
    }
}
