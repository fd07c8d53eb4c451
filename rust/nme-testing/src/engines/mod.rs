//! Two engines behind one face, and a network between hosts of either.

mod judge;
mod ours;

use std::net::SocketAddr;
use std::time::Duration;

pub use judge::Judge;
use nme_enet::Delivery;
use nme_netem::{Link, Network};
pub use ours::Ours;

/// What a host has reported. Peers are named by their address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The handshake is complete.
    Connected {
        /// Who.
        peer: SocketAddr,
        /// The value of the connect request.
        data: u32,
    },
    /// The connection, or the attempt, is over.
    Disconnected {
        /// Who it was.
        peer: SocketAddr,
    },
    /// A packet.
    Received {
        /// From whom.
        peer: SocketAddr,
        /// On which channel.
        channel: u8,
        /// What is in it.
        bytes: Vec<u8>,
    },
}

/// How to disconnect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goodbye {
    /// What waits is forgotten; the peer acknowledges.
    Plain,
    /// With one notice.
    Now,
    /// What waits arrives before.
    Later,
}

/// What a host is made from.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Takes connect requests.
    pub is_server: bool,
    /// Peers at once.
    pub peers: u16,
    /// Channels of a peer.
    pub channels: u8,
    /// Bytes/s in and out; 0 is no limit.
    pub bandwidth: (u32, u32),
    /// For connect ids.
    pub seed: u64,
}

impl Setup {
    /// Eight peers with eight channels each, without limits.
    #[must_use]
    pub const fn new(is_server: bool, seed: u64) -> Self {
        Self { is_server, peers: 8, channels: 8, bandwidth: (0, 0), seed }
    }
}

/// A host of either engine.
pub trait Engine {
    /// Datagrams that have come, then whatever is due.
    fn frame(&mut self, now: Duration, incoming: Vec<(SocketAddr, Vec<u8>)>) -> Vec<Note>;
    /// Everything that wants to leave.
    fn flush(&mut self, now: Duration) -> Vec<(SocketAddr, Vec<u8>)>;
    /// Asks for a connection.
    fn connect(&mut self, now: Duration, to: SocketAddr, channels: u8, data: u32);
    /// Queues a packet; false when the engine refuses.
    fn send(&mut self, to: SocketAddr, channel: u8, bytes: &[u8], delivery: Delivery) -> bool;
    /// Ends a connection.
    fn disconnect(&mut self, from: SocketAddr, goodbye: Goodbye, data: u32);
    /// Sets when a silent peer is given up, in ms.
    fn set_timeout(&mut self, peer: SocketAddr, limit: u32, minimum: u32, maximum: u32);
    /// Sets how the share of unreliable packets moves, on both sides: interval in ms, then by how many of 32 it rises and
    /// falls.
    fn set_throttle(&mut self, peer: SocketAddr, settings: (u32, u32, u32));
    /// Round trip in ms and the throttle, of 32; the judge's throttle is not to be seen.
    fn link(&self, peer: SocketAddr) -> Option<(u32, u32)>;
}

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ours.
    Ours,
    /// rusty_enet.
    Judge,
}

impl Kind {
    /// A host.
    #[must_use]
    pub fn host(self, setup: Setup) -> Box<dyn Engine> {
        match self {
            Self::Ours => Box::new(Ours::new(setup)),
            Self::Judge => Box::new(Judge::new(setup)),
        }
    }
}

/// Hosts over a network, in virtual time.
pub struct World {
    /// The time.
    pub now: Duration,
    /// The network.
    pub network: Network,
    /// The hosts, the server first.
    pub hosts: Vec<Box<dyn Engine>>,
    /// What each host has reported.
    pub notes: Vec<Vec<(Duration, Note)>>,
    /// How often hosts read and send.
    pub frame: Duration,
    /// A host that is not there: what is sent to it is lost.
    pub is_dead: Vec<bool>,
}

/// Address of a host in a world: the server is 0.
#[must_use]
pub fn address(host: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4000 + host as u16))
}

impl World {
    /// A server and clients, not connected.
    #[must_use]
    pub fn new(server: Kind, client: Kind, clients: usize, link: Link, seed: u64) -> Self {
        Self::limited(server, client, clients, link, seed, [(0, 0); 2])
    }

    /// As [`Self::new`]; the server, and each client, can take and send this many bytes/s. 0 is no limit.
    #[must_use]
    pub fn limited(
        server: Kind,
        client: Kind,
        clients: usize,
        link: Link,
        seed: u64,
        bandwidth: [(u32, u32); 2],
    ) -> Self {
        let mut network = Network::new(seed);
        network.set_default(link);
        let hosts: Vec<_> = (0..=clients)
            .map(|host| {
                let kind = if host == 0 { server } else { client };
                let bandwidth = bandwidth[usize::from(host > 0)];
                kind.host(Setup { bandwidth, ..Setup::new(host == 0, seed * 100 + host as u64) })
            })
            .collect();
        Self {
            now: Duration::from_secs(1),
            network,
            notes: vec![Vec::new(); hosts.len()],
            is_dead: vec![false; hosts.len()],
            hosts,
            frame: Duration::from_millis(5),
        }
    }

    /// One frame of every host.
    pub fn step(&mut self) {
        self.now += self.frame;
        for (host, engine) in self.hosts.iter_mut().enumerate() {
            let mut incoming = Vec::new();
            while let Some(datagram) = self.network.receive(self.now, address(host)) {
                incoming.push(datagram);
            }
            if self.is_dead[host] {
                continue;
            }
            for note in engine.frame(self.now, incoming) {
                self.notes[host].push((self.now, note));
            }
            for (to, datagram) in engine.flush(self.now) {
                self.network.send(self.now, address(host), to, &datagram);
            }
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step();
        }
    }

    /// Steps until it is true; false when that takes too long.
    pub fn run_until(&mut self, limit: Duration, mut until: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + limit;
        while self.now < end {
            if until(self) {
                return true;
            }
            self.step();
        }
        until(self)
    }

    /// All clients ask, and are connected.
    ///
    /// # Panics
    /// When that takes too long.
    pub fn connect_all(&mut self, channels: u8) {
        for host in 1..self.hosts.len() {
            self.hosts[host].connect(self.now, address(0), channels, host as u32);
        }
        let clients = self.hosts.len() - 1;
        assert!(self.run_until(Duration::from_secs(30), |world| world.connections(0) == clients));
        self.run(Duration::from_millis(100));
    }

    /// How many connections a host has reported.
    #[must_use]
    pub fn connections(&self, host: usize) -> usize {
        self.notes[host].iter().filter(|(_, note)| matches!(note, Note::Connected { .. })).count()
    }

    /// How many ends of connections a host has reported.
    #[must_use]
    pub fn disconnections(&self, host: usize) -> usize {
        self.notes[host].iter().filter(|(_, note)| matches!(note, Note::Disconnected { .. })).count()
    }

    /// Packets that a host has got, with the channel.
    #[must_use]
    pub fn received(&self, host: usize) -> Vec<(u8, Vec<u8>)> {
        let notes = self.notes[host].iter();
        notes
            .filter_map(|(_, note)| match note {
                Note::Received { channel, bytes, .. } => Some((*channel, bytes.clone())),
                _ => None,
            })
            .collect()
    }
}
