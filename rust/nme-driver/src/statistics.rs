//! What can be asked about an open connection.

use std::collections::HashMap;
use std::time::Duration;

use nme_core::statistics::{PeerStatistics, Statistics};
use nme_core::{Endpoint, PeerHandle};
use nme_udp::UdpSocket;

use crate::clock::Clock;
use crate::driver::{Driver, SocketCounters};

/// What is known of an open server or client.
#[derive(Clone, Debug, Default)]
pub struct ConnectionStatistics {
    /// Traffic, what was dropped, and who asked for a connection.
    pub endpoint: Statistics,
    /// What the socket reported.
    pub socket: SocketCounters,
    /// How long the driver has worked: reading, sending and all between. Of the game's thread, or of the network thread.
    pub network_time: Duration,
    /// How old the connection is.
    pub age: Duration,
}

/// What a network thread answers: everything at once, so that one question is enough for any number of peers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) connection: ConnectionStatistics,
    pub(crate) peers: HashMap<PeerHandle, PeerStatistics>,
}

impl Snapshot {
    pub(crate) fn of<C: Clock>(driver: &mut Driver<UdpSocket, C, Endpoint>) -> Self {
        Self { connection: driver.statistics(), peers: driver.node().all_peer_statistics().collect() }
    }

    pub(crate) fn peer(&self, peer: PeerHandle) -> Option<&PeerStatistics> {
        self.peers.get(&peer)
    }
}
