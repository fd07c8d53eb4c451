//! The ENet engine behind a small trait of our own, so that it can be replaced or compared.
//!
//! [`rusty`] is the only module of the library that names the engine in use. Tests and benchmarks name it, too: there
//! it plays the foreign host and the coder to compare with.

mod rusty;

use std::net::SocketAddr;
use std::time::Duration;

#[cfg(test)]
pub(crate) use rusty::RangeCoder;
pub(crate) use rusty::{Packet, RustyHost};

use crate::channel::Delivery;
use crate::datagram::DatagramBatch;
use crate::pipeline::Inbound;

/// Index of an ENet peer in its host, 0 up to the host's peer limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Slot(pub(crate) u16);

/// What a host is made from.
pub(crate) struct HostConfig {
    /// Peers at once, 1..=4095.
    pub(crate) peer_limit: u16,
    /// Channels of each peer, 1..=255.
    pub(crate) channel_limit: u8,
    /// Bytes/s this host can take; 0 is no limit.
    pub(crate) in_bandwidth: u32,
    /// Bytes/s this host can send; 0 is no limit.
    pub(crate) out_bandwidth: u32,
    /// Largest packet sent or received, in bytes.
    pub(crate) max_packet: usize,
    /// Largest datagram, in bytes: 576..=4096.
    pub(crate) mtu: u16,
    /// Random bits from the operating system.
    pub(crate) seed: u32,
}

/// What the engine reports, in the order of the wire.
pub(crate) enum HostEvent {
    /// The handshake with a peer is complete; `data` is the value its CONNECT carried.
    Connected { slot: Slot, data: u32 },
    /// A peer has left, timed out, or could not be reached.
    Disconnected { slot: Slot },
    /// A whole packet.
    Received { slot: Slot, channel: u8, packet: Packet },
}

/// Why the engine did not take a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The peer is not connected any more.
    NotConnected,
    /// The peer has fewer channels.
    Channel,
    /// Longer than the host's largest packet, or out of memory.
    TooLarge,
}

/// One ENet host over memory: datagrams come in through [`Host::inbound`] and leave through [`Host::outbound`].
pub(crate) trait Host: Send {
    /// Tells the time, as a duration since any fixed moment. Going back is ignored.
    fn set_time(&mut self, now: Duration);
    /// The engine's clock in ms, from which it takes the sent times in datagrams.
    fn millis(&self) -> u32;
    /// Asks `to` for a connection; `data` travels in the CONNECT.
    fn connect(&mut self, to: SocketAddr, channels: u8, data: u32) -> Option<Slot>;
    /// Lets the engine work on time and input until it has something to report.
    fn service(&mut self) -> Option<HostEvent>;
    /// Turns everything that is queued into datagrams.
    fn flush(&mut self);
    /// Queues a packet.
    fn send(&mut self, slot: Slot, channel: u8, packet: &Packet) -> Result<(), Refused>;
    /// Disconnects once everything queued has arrived.
    fn disconnect_later(&mut self, slot: Slot, data: u32);
    /// Disconnects without waiting, with one notice to the peer. No event follows.
    fn disconnect_now(&mut self, slot: Slot, data: u32);
    /// Sets how long acknowledgements may stay out, in ms (see the session's `set_peer_timeout`).
    fn set_timeout(&mut self, slot: Slot, limit: u32, minimum: u32, maximum: u32);
    /// Configures how unreliable packets are dropped on a slow link, on both sides (see the session's
    /// `set_peer_throttle`).
    fn set_throttle(&mut self, slot: Slot, interval: u32, acceleration: u32, deceleration: u32);
    /// Where the peer in this slot is.
    fn address(&self, slot: Slot) -> Option<SocketAddr>;
    /// True when one more peer can connect.
    fn has_free_slot(&mut self) -> bool;
    /// Datagrams for the engine.
    fn inbound(&mut self) -> &mut Inbound;
    /// Datagrams from the engine.
    fn outbound(&mut self) -> &mut DatagramBatch;
}

/// Makes a packet of `bytes` that travels as `delivery` says.
pub(crate) fn packet(bytes: Vec<u8>, delivery: Delivery) -> Packet {
    Packet::new(bytes, delivery)
}
