//! A foreign ENet host: plain ENet without a guard and without the rules of 3.6, which sends what no session
//! would.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nme_core::channel::Delivery;
use nme_reference::MemorySocket;
use rusty_enet as enet;

/// A foreign ENet host.
pub struct RawPeer {
    host: enet::Host<MemorySocket>,
    clock: Arc<AtomicU64>,
    events: Vec<RawEvent>,
}

/// What a [`RawPeer`] is made from.
#[derive(Clone, Copy, Debug)]
pub struct RawConfig {
    /// Connections at once.
    pub peers: usize,
    /// Channels of a connection that somebody else asks for, at most.
    pub channels: usize,
    /// Compresses with ENet's range coder, inside ENet.
    pub range_coder: bool,
    /// What the random numbers are made from.
    pub seed: u32,
}

impl Default for RawConfig {
    fn default() -> Self {
        Self { peers: 1, channels: 3, range_coder: true, seed: 77 }
    }
}

/// What a [`RawPeer`] has seen. `peer` is the index of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawEvent {
    /// A connection is there, with the value that its CONNECT carried.
    Connected {
        /// Which one.
        peer: usize,
        /// Value of the other side.
        data: u32,
    },
    /// A connection has ended, with the value of its DISCONNECT.
    Disconnected {
        /// Which one.
        peer: usize,
        /// Value of the other side.
        data: u32,
    },
    /// A packet.
    Received {
        /// From whom.
        peer: usize,
        /// On which channel.
        channel: u8,
        /// All of its bytes.
        bytes: Vec<u8>,
    },
}

impl RawPeer {
    pub(crate) fn new(config: RawConfig) -> Self {
        let clock = Arc::new(AtomicU64::new(0));
        let ticks = Arc::clone(&clock);
        let settings = enet::HostSettings {
            peer_limit: config.peers,
            channel_limit: config.channels,
            compressor: config.range_coder.then(|| Box::new(enet::RangeCoder::new()) as Box<_>),
            time: Box::new(move || Duration::from_micros(ticks.load(Ordering::Relaxed))),
            seed: Some(config.seed),
            ..enet::HostSettings::default()
        };
        let host = enet::Host::new(MemorySocket::default(), settings).expect("valid settings of a raw peer");
        Self { host, clock, events: Vec::new() }
    }

    /// Asks for a connection. Do not ask for more channels than the other side has: the engine frees the
    /// array of a smaller grant wrongly.
    pub fn connect(&mut self, to: SocketAddr, channels: usize, data: u32) -> usize {
        self.host.connect(to, channels, data).expect("a free connection").id().0
    }

    /// Queues a packet: exactly these bytes.
    pub fn send(&mut self, peer: usize, channel: u8, bytes: &[u8], delivery: Delivery) {
        let kind = match delivery {
            Delivery::Reliable => enet::PacketKind::Reliable,
            Delivery::Unsequenced => enet::PacketKind::AlwaysUnreliable { sequenced: false },
            Delivery::Sequenced => enet::PacketKind::AlwaysUnreliable { sequenced: true },
        };
        let packet = enet::Packet::new(bytes, kind);
        self.peer(peer).send(channel, &packet).expect("a connection with this channel");
    }

    /// Queues a reliable data packet as 3.6 would, with any source and target.
    pub fn send_data(&mut self, peer: usize, channel: u8, (source, target): (i32, i32), payload: &[u8]) {
        self.send(peer, channel, &data_packet(source, target, payload), Delivery::Reliable);
    }

    /// Disconnects when everything queued has arrived.
    pub fn disconnect_later(&mut self, peer: usize, data: u32) {
        self.peer(peer).disconnect_later(data);
    }

    /// Disconnects with one notice and no waiting.
    pub fn disconnect_now(&mut self, peer: usize, data: u32) {
        self.peer(peer).disconnect_now(data);
    }

    /// True while the connection is there.
    #[must_use]
    pub fn is_connected(&self, peer: usize) -> bool {
        self.host.get_peer(enet::PeerID(peer)).is_some_and(enet::Peer::connected)
    }

    /// Channels of a connection.
    #[must_use]
    pub fn channel_count(&self, peer: usize) -> usize {
        self.host.get_peer(enet::PeerID(peer)).map_or(0, enet::Peer::channel_count)
    }

    /// Everything seen so far.
    #[must_use]
    pub fn events(&self) -> &[RawEvent] {
        &self.events
    }

    /// Everything seen since the last call.
    pub fn take_events(&mut self) -> Vec<RawEvent> {
        std::mem::take(&mut self.events)
    }

    /// The packets seen since the last call, with their channels; other events stay. As a game of 3.6, it passes over system
    /// messages of a kind that it does not know.
    pub fn take_packets(&mut self) -> Vec<(u8, Vec<u8>)> {
        let events = std::mem::take(&mut self.events);
        let mut packets = Vec::new();
        for event in events {
            match event {
                RawEvent::Received { channel: 0, bytes, .. } if !is_of_3_6(&bytes) => {}
                RawEvent::Received { channel, bytes, .. } => packets.push((channel, bytes)),
                other => self.events.push(other),
            }
        }
        packets
    }

    /// Takes what has arrived and answers what it sends.
    pub(crate) fn poll(
        &mut self,
        now: Duration,
        arrived: impl Iterator<Item = (SocketAddr, Vec<u8>)>,
    ) -> Vec<(SocketAddr, Vec<u8>)> {
        // The engine takes 0 for "never".
        let now = now + Duration::from_secs(1);
        self.clock.store(u64::try_from(now.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.host.socket_mut().inbound.extend(arrived);
        loop {
            let Ok(event) = self.host.service();
            let Some(event) = event else {
                if self.host.socket().inbound.is_empty() {
                    break;
                }
                continue;
            };
            self.events.push(match event.no_ref() {
                enet::EventNoRef::Connect { peer, data } => RawEvent::Connected { peer: peer.0, data },
                enet::EventNoRef::Disconnect { peer, data } => RawEvent::Disconnected { peer: peer.0, data },
                enet::EventNoRef::Receive { peer, channel_id, packet } => {
                    RawEvent::Received { peer: peer.0, channel: channel_id, bytes: packet.data().to_vec() }
                }
            });
        }
        self.host.flush();
        std::mem::take(&mut self.host.socket_mut().outbound).into()
    }

    fn peer(&mut self, peer: usize) -> &mut enet::Peer<MemorySocket> {
        self.host.get_peer_mut(enet::PeerID(peer)).expect("the index of a connection")
    }
}

/// The bytes of a data packet of 3.6.
#[must_use]
pub fn data_packet(source: i32, target: i32, payload: &[u8]) -> Vec<u8> {
    [&source.to_le_bytes()[..], &target.to_le_bytes(), payload].concat()
}

/// The bytes of a system message of 3.6: kind 0 is a join, 1 a leave.
#[must_use]
pub fn system_message(kind: u32, id: u32) -> Vec<u8> {
    [kind.to_le_bytes(), id.to_le_bytes()].concat()
}

/// True for a system message of one of 3.6's kinds.
fn is_of_3_6(bytes: &[u8]) -> bool {
    bytes.first_chunk().is_some_and(|kind| u32::from_le_bytes(*kind) <= 1)
}
