//! What can be asked about an endpoint and its connections. Nothing of it is put together before.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use nme_enet::{ChannelFigures, PeerFigures, PeerHandle, Traffic};

use super::Endpoint;
use super::admission::AdmissionCounters;
use super::connections::Connection;
use crate::counters::Counters;
use crate::relay::wire::HEADER_LEN;
use crate::secure::SecureCounters;

/// Datagrams of one connection, with whatever compression and encryption make of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WireTraffic {
    /// Datagrams to the peer.
    pub datagrams_sent: u64,
    /// Their bytes: the payload of UDP.
    pub bytes_sent: u64,
    /// Datagrams from the peer.
    pub datagrams_received: u64,
    /// Their bytes: the payload of UDP.
    pub bytes_received: u64,
}

impl WireTraffic {
    pub(super) const fn sent(&mut self, bytes: usize) {
        self.datagrams_sent += 1;
        self.bytes_sent += bytes as u64;
    }

    pub(super) const fn received(&mut self, bytes: usize) {
        self.datagrams_received += 1;
        self.bytes_received += bytes as u64;
    }
}

/// Bytes of the headers of IP and UDP in front of a datagram to or from this address.
#[must_use]
pub const fn header_bytes(address: SocketAddr) -> u64 {
    match address.ip().to_canonical() {
        IpAddr::V4(_) => IPV4_HEADER_BYTES + UDP_HEADER_BYTES,
        IpAddr::V6(_) => IPV6_HEADER_BYTES + UDP_HEADER_BYTES,
    }
}

/// What is known of one connection.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerStatistics {
    /// Where the peer is.
    pub address: SocketAddr,
    /// What the engine knows.
    pub figures: PeerFigures,
    /// What is on its way, by channel: those that have been used.
    pub channels: Vec<ChannelFigures>,
    /// Datagrams.
    pub wire: WireTraffic,
}

impl PeerStatistics {
    /// Of the datagrams to the peer, the part that gets lost, 0 to 1. What is not acknowledged is lost itself, or its
    /// acknowledgement is; the loss of what comes in, if there is anything that shows it, tells one from the other.
    #[must_use]
    pub fn loss_outgoing(&self) -> f64 {
        loss_outgoing(&self.figures)
    }

    /// How long a packet that is queued now will wait about: for what waits to be sent before it, at a window in each round
    /// trip.
    #[must_use]
    pub fn queue_time(&self) -> Duration {
        let windows = self.figures.waiting as f64 / f64::from(self.figures.window.max(1));
        Duration::try_from_secs_f64(self.figures.round_trip.as_secs_f64() * windows).unwrap_or(Duration::MAX)
    }

    /// Bytes to the peer, with the headers of IP and UDP.
    #[must_use]
    pub const fn wire_bytes_sent(&self) -> u64 {
        self.wire.bytes_sent + self.wire.datagrams_sent * header_bytes(self.address)
    }

    /// Bytes from the peer, with the headers of IP and UDP.
    #[must_use]
    pub const fn wire_bytes_received(&self) -> u64 {
        self.wire.bytes_received + self.wire.datagrams_received * header_bytes(self.address)
    }
}

pub(super) fn loss_outgoing(figures: &PeerFigures) -> f64 {
    let arrives = 1.0 - figures.loss_incoming;
    if arrives <= 0.0 {
        return figures.loss_unacknowledged;
    }
    (1.0 - (1.0 - figures.loss_unacknowledged) / arrives).clamp(0.0, 1.0)
}

/// Bytes of the game in these packets.
#[must_use]
pub const fn payload_bytes(packets: u64, bytes: u64) -> u64 {
    bytes.saturating_sub(packets * HEADER_LEN as u64)
}

/// What is known of an endpoint.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Datagrams, and what was dropped.
    pub counters: Counters,
    /// What has become of those who asked for a connection.
    pub admission: AdmissionCounters,
    /// What the encryption has counted, when there is one.
    pub secure: Option<SecureCounters>,
    /// Packets of all connections, also of those that have ended.
    pub traffic: Traffic,
    /// Reliable commands that were sent again, of all connections.
    pub resends: u64,
    /// Bytes of datagrams before compression, of those that were sent.
    pub plain_bytes_sent: u64,
    /// The same bytes after compression.
    pub compressed_bytes_sent: u64,
    /// Bytes that wait for the game to fetch them.
    pub waiting_bytes: usize,
    /// Connections with a complete handshake.
    pub connections: usize,
}

impl Statistics {
    /// Bytes that were sent, with headers of IP and UDP of this length.
    #[must_use]
    pub const fn wire_bytes_sent(&self, header_bytes: u64) -> u64 {
        self.counters.bytes_sent + self.counters.datagrams_sent * header_bytes
    }

    /// Bytes that were received, with headers of IP and UDP of this length.
    #[must_use]
    pub const fn wire_bytes_received(&self, header_bytes: u64) -> u64 {
        self.counters.bytes_received + self.counters.datagrams_received * header_bytes
    }
}

impl Endpoint {
    /// What is known of a connection; `None` once it has ended.
    #[must_use]
    pub fn peer_statistics(&self, peer: PeerHandle) -> Option<PeerStatistics> {
        self.statistics_of(self.connections.get(peer)?)
    }

    /// The same for every connection.
    pub fn all_peer_statistics(&self) -> impl Iterator<Item = (PeerHandle, PeerStatistics)> {
        let all = self.connections.iter();
        all.filter_map(|connection| Some((connection.handle, self.statistics_of(connection)?)))
    }

    fn statistics_of(&self, connection: &Connection) -> Option<PeerStatistics> {
        let figures = self.host.peer_figures(connection.handle)?;
        let channels = self.host.channel_figures(connection.handle);
        Some(PeerStatistics { address: connection.address, figures, channels, wire: connection.wire })
    }

    /// What is known of the endpoint.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let (traffic, resends) = self.host.traffic();
        let (plain_bytes_sent, compressed_bytes_sent) = self.datagrams.bytes_collected();
        Statistics {
            counters: self.counters.clone(),
            admission: self.admission_counters(),
            secure: self.secure_counters(),
            traffic,
            resends,
            plain_bytes_sent,
            compressed_bytes_sent,
            waiting_bytes: self.backlog.bytes(),
            connections: self.connections.iter().count(),
        }
    }
}

const IPV4_HEADER_BYTES: u64 = 20;
const IPV6_HEADER_BYTES: u64 = 40;
const UDP_HEADER_BYTES: u64 = 8;
