//! Our engine.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::{Config, ConnectRequest, Delivery, Event, Host, Packet, PeerHandle, Sending, Verdict};

use super::{Engine, Goodbye, Note, Setup};

/// A host of our engine.
#[derive(Debug)]
pub struct Ours {
    /// The engine itself.
    pub host: Host,
    peers: HashMap<SocketAddr, PeerHandle>,
    addresses: HashMap<PeerHandle, SocketAddr>,
}

fn config(setup: Setup) -> Config {
    let mut config = Config::server(setup.peers, setup.seed);
    config.accepts_connections = setup.is_server;
    config.channel_limit = setup.channels;
    (config.in_bandwidth, config.out_bandwidth) = setup.bandwidth;
    config
}

impl Ours {
    /// A host without peers.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self { host: Host::new(config(setup)), peers: HashMap::new(), addresses: HashMap::new() }
    }

    fn notes(&mut self, notes: &mut Vec<Note>) {
        while let Some(event) = self.host.poll_event() {
            match event {
                Event::Connected { peer, address, data, .. } => {
                    self.peers.insert(address, peer);
                    self.addresses.insert(peer, address);
                    notes.push(Note::Connected { peer: address, data });
                }
                Event::Disconnected { peer, .. } => {
                    let peer = self.addresses[&peer];
                    notes.push(Note::Disconnected { peer });
                }
                Event::Received { peer, channel, packet, .. } => {
                    let peer = self.addresses[&peer];
                    notes.push(Note::Received { peer, channel, bytes: packet.to_vec() });
                }
                Event::Exceeded { .. } => {}
            }
        }
    }
}

impl Engine for Ours {
    fn frame(&mut self, now: Duration, incoming: Vec<(SocketAddr, Vec<u8>)>) -> Vec<Note> {
        let mut notes = Vec::new();
        let mut accept = |_: &ConnectRequest| Verdict::Accept;
        for (from, datagram) in incoming {
            // What is dropped is counted.
            let _ = self.host.handle_datagram(now, from, &datagram, &mut accept);
            self.notes(&mut notes);
        }
        self.host.handle_timeout(now);
        self.notes(&mut notes);
        notes
    }

    fn flush(&mut self, now: Duration) -> Vec<(SocketAddr, Vec<u8>)> {
        self.host.flush(now);
        let mut buffer = [0; 1392];
        let mut datagrams = Vec::new();
        while let Some(nme_enet::Transmit { to, datagram, .. }) = self.host.poll_transmit(&mut buffer) {
            datagrams.push((to, datagram.to_vec()));
        }
        datagrams
    }

    fn connect(&mut self, now: Duration, to: SocketAddr, channels: u8, data: u32) {
        let peer = self.host.connect(now, to, channels, data).expect("a free place");
        self.peers.insert(to, peer);
        self.addresses.insert(peer, to);
    }

    fn send(&mut self, to: SocketAddr, channel: u8, bytes: &[u8], delivery: Delivery) -> bool {
        let Some(peer) = self.peers.get(&to) else { return false };
        self.host.send(*peer, channel, &Packet::new(bytes.to_vec()), delivery) == Ok(Sending::Queued)
    }

    fn disconnect(&mut self, from: SocketAddr, goodbye: Goodbye, data: u32) {
        let Some(peer) = self.peers.get(&from) else { return };
        match goodbye {
            Goodbye::Plain => self.host.disconnect(*peer, data),
            Goodbye::Now => self.host.disconnect_now(*peer, data),
            Goodbye::Later => self.host.disconnect_later(*peer, data),
        }
    }

    fn set_timeout(&mut self, peer: SocketAddr, limit: u32, minimum: u32, maximum: u32) {
        if let Some(peer) = self.peers.get(&peer) {
            self.host.set_timeout(*peer, limit, minimum, maximum);
        }
    }

    fn set_throttle(&mut self, peer: SocketAddr, (interval, acceleration, deceleration): (u32, u32, u32)) {
        if let Some(peer) = self.peers.get(&peer) {
            self.host.set_throttle(*peer, interval, acceleration, deceleration);
        }
    }

    fn link(&self, peer: SocketAddr) -> Option<(u32, u32)> {
        let figures = self.host.peer_figures(*self.peers.get(&peer)?)?;
        Some((figures.round_trip.as_millis() as u32, figures.throttle))
    }
}
