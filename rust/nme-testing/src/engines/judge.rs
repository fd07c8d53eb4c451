//! rusty_enet, which behaves as stock ENet does.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nme_enet::Delivery;
use nme_reference::MemorySocket;
use rusty_enet as enet;

use super::{Engine, Goodbye, Note, Setup};

/// A host of rusty_enet.
pub struct Judge {
    host: enet::Host<MemorySocket>,
    clock: Arc<AtomicU64>,
    peers: HashMap<SocketAddr, enet::PeerID>,
    addresses: HashMap<enet::PeerID, SocketAddr>,
}

impl Judge {
    /// A host without peers.
    ///
    /// # Panics
    /// When the engine refuses the setup.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let clock = Arc::new(AtomicU64::new(1_000_000));
        let ticks = Arc::clone(&clock);
        let limit = |bandwidth: u32| (bandwidth > 0).then_some(bandwidth);
        let settings = enet::HostSettings {
            peer_limit: setup.peers.into(),
            channel_limit: setup.channels.into(),
            incoming_bandwidth_limit: limit(setup.bandwidth.0),
            outgoing_bandwidth_limit: limit(setup.bandwidth.1),
            compressor: None,
            checksum: None,
            time: Box::new(move || Duration::from_micros(ticks.load(Ordering::Relaxed))),
            seed: Some(setup.seed as u32),
        };
        let mut host = enet::Host::new(MemorySocket::default(), settings).expect("a valid configuration");
        host.set_maximum_waiting_data(usize::MAX).expect("a valid limit");
        Self { host, clock, peers: HashMap::new(), addresses: HashMap::new() }
    }

    fn peer(&mut self, address: SocketAddr) -> Option<&mut enet::Peer<MemorySocket>> {
        let id = *self.peers.get(&address)?;
        self.host.get_peer_mut(id)
    }
}

impl Engine for Judge {
    fn frame(&mut self, now: Duration, incoming: Vec<(SocketAddr, Vec<u8>)>) -> Vec<Note> {
        self.clock.store(now.as_micros() as u64, Ordering::Relaxed);
        self.host.socket_mut().inbound.extend(incoming);
        let mut notes = Vec::new();
        let Self { host, peers, addresses, .. } = self;
        while let Ok(Some(event)) = host.service() {
            match event.no_ref() {
                enet::EventNoRef::Connect { peer, data } => {
                    let address = host.get_peer(peer).and_then(enet::Peer::address).expect("connected");
                    peers.insert(address, peer);
                    addresses.insert(peer, address);
                    // Its throttle drops unreliable packets on any link where round trips vary.
                    if let Some(peer) = host.get_peer_mut(peer) {
                        peer.set_throttle(5000, 32, 0);
                    }
                    notes.push(Note::Connected { peer: address, data });
                }
                enet::EventNoRef::Disconnect { peer, .. } => {
                    notes.push(Note::Disconnected { peer: addresses[&peer] });
                }
                enet::EventNoRef::Receive { peer, channel_id, packet } => {
                    let (peer, bytes) = (addresses[&peer], packet.data().to_vec());
                    notes.push(Note::Received { peer, channel: channel_id, bytes });
                }
            }
        }
        notes
    }

    fn flush(&mut self, now: Duration) -> Vec<(SocketAddr, Vec<u8>)> {
        self.clock.store(now.as_micros() as u64, Ordering::Relaxed);
        self.host.flush();
        std::mem::take(&mut self.host.socket_mut().outbound).into()
    }

    fn connect(&mut self, now: Duration, to: SocketAddr, channels: u8, data: u32) {
        self.clock.store(now.as_micros() as u64, Ordering::Relaxed);
        let peer = self.host.connect(to, channels.into(), data).expect("a free place").id();
        self.peers.insert(to, peer);
        self.addresses.insert(peer, to);
    }

    fn send(&mut self, to: SocketAddr, channel: u8, bytes: &[u8], delivery: Delivery) -> bool {
        let kind = match delivery {
            Delivery::Reliable => enet::PacketKind::Reliable,
            Delivery::Unsequenced => enet::PacketKind::AlwaysUnreliable { sequenced: false },
            Delivery::Sequenced => enet::PacketKind::AlwaysUnreliable { sequenced: true },
        };
        let packet = enet::Packet::new(bytes.to_vec(), kind);
        self.peer(to).is_some_and(|peer| peer.send(channel, &packet).is_ok())
    }

    fn disconnect(&mut self, from: SocketAddr, goodbye: Goodbye, data: u32) {
        let Some(peer) = self.peer(from) else { return };
        match goodbye {
            Goodbye::Plain => peer.disconnect(data),
            Goodbye::Now => peer.disconnect_now(data),
            Goodbye::Later => peer.disconnect_later(data),
        }
    }

    fn set_timeout(&mut self, peer: SocketAddr, limit: u32, minimum: u32, maximum: u32) {
        if let Some(peer) = self.peer(peer) {
            peer.set_timeout(limit, minimum, maximum);
        }
    }

    fn set_throttle(&mut self, peer: SocketAddr, (interval, acceleration, deceleration): (u32, u32, u32)) {
        if let Some(peer) = self.peer(peer) {
            peer.set_throttle(interval, acceleration, deceleration);
        }
    }

    fn link(&self, peer: SocketAddr) -> Option<(u32, u32)> {
        let peer = self.host.get_peer(*self.peers.get(&peer)?)?;
        Some((peer.round_trip_time().as_millis() as u32, 32))
    }
}
