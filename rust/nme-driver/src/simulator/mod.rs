//! The network simulator: it makes a good network bad, between the socket and what a driver drives.
//!
//! ```text
//! socket ── outbox ◄── outgoing ◄── node
//! socket ────────────► incoming ──► node
//! ```
//!
//! Both ends of it are the driver's: datagrams go into a direction, which loses, doubles and delays them, and out of it
//! when they are due. So it sees what is on the wire, encrypted and with all that ENet adds. What is on its way keeps its time
//! when settings change, so that later datagrams may overtake it; only what is cut does not arrive.
//!
//! A driver without it has none, and pays nothing.

mod conditions;
mod lane;
mod presets;
mod simulation;
mod value;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use nme_netem::{Arrivals, InFlight};

pub use conditions::Conditions;
use lane::Lane;
pub use presets::preset_names;
pub use simulation::{Scope, Simulation, SimulationError};
pub use value::Value;

/// Who is to have which network from now on.
#[derive(Clone, Copy, Debug)]
pub enum SimulationChange {
    /// All peers, also those that had one of their own.
    Everyone(Simulation),
    /// The peer at this address has its own.
    Peer(SocketAddr, Simulation),
    /// The peer at this address is gone.
    Forget(SocketAddr),
}

/// Both directions of one socket.
pub(crate) struct Simulator {
    outgoing: Direction,
    incoming: Direction,
}

impl Simulator {
    pub(crate) fn new(now: Duration) -> Self {
        Self { outgoing: Direction::new(now), incoming: Direction::new(now) }
    }

    pub(crate) fn change(&mut self, now: Duration, change: SimulationChange) {
        let (peer, simulation) = match change {
            SimulationChange::Everyone(simulation) => (None, simulation),
            SimulationChange::Peer(peer, simulation) => (Some(peer), simulation),
            SimulationChange::Forget(peer) => {
                self.outgoing.peers.remove(&peer);
                self.incoming.peers.remove(&peer);
                return;
            }
        };
        let seed = simulation.seed.unwrap_or_default().cast_unsigned();
        self.outgoing.set(peer, Lane::new(&simulation.outgoing, seed, 1, now));
        self.incoming.set(peer, Lane::new(&simulation.incoming, seed, 2, now));
    }

    /// Takes a datagram that is to be sent.
    pub(crate) fn send(&mut self, now: Duration, to: SocketAddr, datagram: &[u8]) {
        self.outgoing.push(now, to, datagram);
    }

    /// The next datagram for the socket.
    pub(crate) fn next_outgoing(&mut self, now: Duration) -> Option<(SocketAddr, &[u8])> {
        self.outgoing.pop(now)
    }

    /// Takes a datagram off the socket.
    pub(crate) fn receive(&mut self, now: Duration, from: SocketAddr, datagram: &[u8]) {
        self.incoming.push(now, from, datagram);
    }

    /// The next datagram for what is driven.
    pub(crate) fn next_incoming(&mut self, now: Duration) -> Option<(SocketAddr, &[u8])> {
        self.incoming.pop(now)
    }

    /// When the next datagram is due.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        let dues = [self.outgoing.in_flight.next_due(), self.incoming.in_flight.next_due()];
        dues.into_iter().flatten().min()
    }

    /// Nothing happens to any datagram, and none is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        self.outgoing.is_idle() && self.incoming.is_idle()
    }
}

/// The datagrams of one direction.
struct Direction {
    everyone: Lane,
    /// Those that have rules of their own.
    peers: HashMap<SocketAddr, Lane>,
    /// With the address of the other end.
    in_flight: InFlight<SocketAddr>,
}

impl Direction {
    fn new(now: Duration) -> Self {
        Self {
            everyone: Lane::new(&Conditions::OFF, 0, 0, now),
            peers: HashMap::new(),
            in_flight: InFlight::new(),
        }
    }

    fn set(&mut self, peer: Option<SocketAddr>, lane: Lane) {
        match peer {
            Some(peer) => {
                self.peers.insert(peer, lane);
            }
            None => {
                self.peers.clear();
                self.everyone = lane;
            }
        }
    }

    fn push(&mut self, now: Duration, address: SocketAddr, datagram: &[u8]) {
        let lane = self.peers.get_mut(&address).unwrap_or(&mut self.everyone);
        let Some(Arrivals { first, copy }) = lane.send(now, datagram.len()) else { return };
        for due in [Some(first), copy].into_iter().flatten() {
            // What there is no room for is lost, as in any queue that is full.
            let _ = self.in_flight.push(due, address, datagram);
        }
    }

    fn pop(&mut self, now: Duration) -> Option<(SocketAddr, &[u8])> {
        let Self { everyone, peers, in_flight } = self;
        while let Some((due, address)) = in_flight.peek()
            && due <= now
            && peers.get(address).unwrap_or(everyone).is_cut()
        {
            in_flight.pop(now);
        }
        in_flight.pop(now)
    }

    fn is_idle(&self) -> bool {
        self.everyone.is_off() && self.peers.values().all(Lane::is_off) && self.in_flight.is_empty()
    }
}
