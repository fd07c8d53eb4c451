//! The figures of a connection that are shown while a game runs: by the monitors, and by the editor's tab.

use std::net::SocketAddr;

use nme_core::statistics::PeerStatistics;
use nme_driver::Connection;

use crate::statistics::{millis, wire_header_bytes};

/// The most peers that are looked at: all that somebody can still read, and what takes no time that a frame would notice.
const MAX_PEERS: usize = 500;

/// Counted since the connection was opened.
#[derive(Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) wire_bytes_sent: u64,
    pub(crate) wire_bytes_received: u64,
    pub(crate) resends: u64,
    pub(crate) dropped_datagrams: u64,
}

/// A connection, now.
pub(crate) struct Figures {
    pub(crate) totals: Totals,
    pub(crate) peer_count: usize,
    /// Those with a connection to this side, in ascending order, up to [`MAX_PEERS`].
    pub(crate) peers: Vec<PeerFigures>,
}

/// A peer, now. Times are in ms, loss is from 0 to 1.
pub(crate) struct PeerFigures {
    pub(crate) id: i32,
    pub(crate) address: SocketAddr,
    pub(crate) round_trip: f64,
    pub(crate) jitter: f64,
    pub(crate) loss_out: f64,
    pub(crate) loss_in: f64,
    pub(crate) queued_bytes: u64,
    pub(crate) wire_bytes_sent: u64,
    pub(crate) wire_bytes_received: u64,
    pub(crate) resends: u64,
}

impl Figures {
    pub(crate) fn of(connection: &mut Connection) -> Self {
        let endpoint = connection.statistics().endpoint;
        let header = wire_header_bytes(connection);
        let totals = Totals {
            wire_bytes_sent: endpoint.wire_bytes_sent(header),
            wire_bytes_received: endpoint.wire_bytes_received(header),
            resends: endpoint.resends,
            dropped_datagrams: endpoint.counters.dropped_datagrams(),
        };
        let peers = connection.peers().into_iter().filter_map(|id| {
            let id = id.get();
            // Clients behind the relay have no connection to this side.
            let statistics = connection.peer_statistics(id.into()).ok()??;
            Some(PeerFigures::new(id, &statistics))
        });
        Self { totals, peers: peers.take(MAX_PEERS).collect(), peer_count: endpoint.connections }
    }

    /// The mean of a figure over the peers; 0 without any.
    pub(crate) fn mean(&self, figure: impl Fn(&PeerFigures) -> f64) -> f64 {
        // Nothing would sum up to -0.
        let sum = self.peers.iter().map(figure).fold(0.0, |sum, value| sum + value);
        sum / self.peers.len().max(1) as f64
    }
}

impl PeerFigures {
    fn new(id: i32, statistics: &PeerStatistics) -> Self {
        let figures = &statistics.figures;
        Self {
            id,
            address: statistics.address,
            round_trip: millis(figures.round_trip),
            jitter: millis(figures.jitter),
            loss_out: statistics.loss_outgoing(),
            loss_in: figures.loss_incoming,
            queued_bytes: figures.waiting,
            wire_bytes_sent: statistics.wire_bytes_sent(),
            wire_bytes_received: statistics.wire_bytes_received(),
            resends: figures.commands_lost.into(),
        }
    }
}
