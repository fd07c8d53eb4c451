//! Which networks a connection's peers have been given, as its owner knows them.

use std::net::SocketAddr;

use crate::simulator::Simulation;

/// What the simulator was told, by the ids of peers.
pub(crate) struct Simulations {
    everyone: Simulation,
    /// Few, as a rule one.
    peers: Vec<Peer>,
}

struct Peer {
    id: i64,
    address: SocketAddr,
    simulation: Simulation,
}

impl Simulations {
    pub(crate) const fn new(everyone: Simulation) -> Self {
        Self { everyone, peers: Vec::new() }
    }

    pub(crate) fn set(&mut self, id: i64, address: SocketAddr, simulation: Simulation) {
        self.peers.retain(|peer| peer.id != id);
        self.peers.push(Peer { id, address, simulation });
    }

    pub(crate) fn get(&self, id: i64) -> Simulation {
        self.peers.iter().find(|peer| peer.id == id).map_or(self.everyone, |peer| peer.simulation)
    }

    /// Answers the address when this peer had a network of its own.
    pub(crate) fn forget(&mut self, id: i64) -> Option<SocketAddr> {
        let index = self.peers.iter().position(|peer| peer.id == id)?;
        Some(self.peers.swap_remove(index).address)
    }
}
