//! A host: all connections over one socket.

mod admission;
mod bandwidth;
mod connect;
mod given_up;
mod receive;
mod timers;
mod transmit;

use std::net::SocketAddr;
use std::time::Duration;

pub use admission::{Admission, ConnectRequest, Verdict};
pub(crate) use connect::{grants, is_sane, refusal};
pub use receive::Screened;
use thiserror::Error;
pub use transmit::Transmit;

use crate::config::{Config, Quotas};
use crate::counts::Traffic;
use crate::event::{DisconnectReason, Event, PeerHandle};
use crate::figures::{ChannelFigures, HostFigures, PeerFigures};
use crate::packet::{Delivery, Packet, PacketPool};
use crate::peer::{DEFAULT_TIMEOUTS, PING_INTERVAL_US, Peer, State, TimeoutSettings};
use crate::receive::rates::PeerRates;
use crate::send::{Pending, Sending};
use crate::shared::{Shared, Stray};
use crate::table::Table;
use crate::wire::{Body, CONTROL_CHANNEL, Command, ThrottleSettings, code};
use bandwidth::Shares;
use given_up::GivenUp;
use timers::Timers;
use transmit::Due;

/// All connections over one socket, as server, client or both.
#[derive(Debug)]
pub struct Host {
    pub(crate) peers: Table,
    pub(crate) shared: Shared,
    timers: Timers,
    due: Due,
    shares: Shares,
    given_up: GivenUp,
    /// State of the generator of connect ids.
    seed: u64,
    /// What peers that are gone have added to [`Host::traffic`].
    past: (Traffic, u64),
}

/// Why a packet was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// The peer is gone, or not connected yet, or is being disconnected.
    #[error("the peer is not connected")]
    NotConnected,
    /// The peer has fewer channels.
    #[error("the peer does not have this channel")]
    Channel,
    /// Longer than the largest packet.
    #[error("the packet is too large")]
    TooLarge,
    /// ENet has no packets without bytes.
    #[error("the packet is empty")]
    Empty,
}

/// Why no connection was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ConnectError {
    /// As many peers as the host may have.
    #[error("the host has no place for one more peer")]
    Full,
    /// A connection has 1 to 255 channels, and not more than the host.
    #[error("a connection has at least one channel, and not more than its host")]
    Channels,
}

impl Host {
    /// A host without peers.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let seed = config.seed;
        Self {
            peers: Table::new(config.peer_limit.min(MAX_PEERS)),
            shared: Shared::new(config),
            timers: Timers::new(),
            due: Due::default(),
            shares: Shares::default(),
            given_up: GivenUp::default(),
            seed,
            past: (Traffic::default(), 0),
        }
    }

    /// What has happened, until there is nothing more. Events of one peer come in the order of the wire.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.shared.events.pop_front();
        if let Some(Event::Received { packet, .. }) = &event {
            let cost = packet.len() + Quotas::OVERHEAD;
            self.shared.event_bytes = self.shared.event_bytes.saturating_sub(cost);
        }
        if event.is_none() && self.shared.events.capacity() > MAX_KEPT_EVENTS {
            self.shared.events.shrink_to(MAX_KEPT_EVENTS);
        }
        event
    }

    /// Where packets can be made that use the memory of earlier ones.
    #[must_use]
    pub const fn packets(&mut self) -> &mut PacketPool {
        &mut self.shared.pool
    }

    /// Queues a packet for a peer; every receiver shares its bytes. It leaves behind the next [`Self::flush`].
    #[inline]
    pub fn send(
        &mut self,
        peer: PeerHandle,
        channel: u8,
        packet: &Packet,
        delivery: Delivery,
    ) -> Result<Sending, SendError> {
        let Self { peers, shared, due, .. } = self;
        let peer = peers.get_mut(peer).filter(|peer| peer.state == State::Connected);
        let peer = peer.ok_or(SendError::NotConnected)?;
        if usize::from(channel) >= peer.channels.len() {
            return Err(SendError::Channel);
        }
        if packet.is_empty() {
            return Err(SendError::Empty);
        }
        if packet.len() > peer.rules.max_packet as usize {
            return Err(SendError::TooLarge);
        }
        let sending = peer.queue(shared, channel, packet, delivery);
        due.add(peer);
        Ok(sending)
    }

    /// Lets the packets that wait for a peer and for which `is_meant` answers true leave before all others, with those in
    /// front of them on their channels. What is queued behind this call leaves behind them.
    pub fn hurry(&mut self, peer: PeerHandle, is_meant: impl Fn(&Packet) -> bool) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.hurry(&self.shared, is_meant);
        }
    }

    /// Ends a connection: what waits is forgotten, and [`Event::Disconnected`] comes when the peer has acknowledged it.
    /// An attempt ends at once, and without event.
    pub fn disconnect(&mut self, peer: PeerHandle, data: u32) {
        let Some(found) = self.peers.get_mut(peer) else { return };
        match found.state {
            State::Connected | State::Draining => {
                found.begin_disconnect(&mut self.shared, data);
                self.due.add(found);
                self.shares.changed();
            }
            State::Disconnecting => {}
            State::Connecting | State::Answering => self.disconnect_now(peer, data),
        }
    }

    /// Ends a connection at once, with one notice to the peer that may get lost. No event follows.
    pub fn disconnect_now(&mut self, peer: PeerHandle, data: u32) {
        let Some(found) = self.peers.get(peer) else { return };
        if found.state != State::Disconnecting {
            let goodbye = disconnect_notice(found, data);
            self.shared.post(goodbye);
        }
        self.remove(peer);
    }

    /// Ends a connection without a word to the peer, whose own end has been learnt in another way, such as by the end of
    /// an encrypted association. [`Event::Disconnected`] comes behind what the peer has sent.
    pub fn abandon(&mut self, peer: PeerHandle) {
        let Some(found) = self.peers.get(peer) else { return };
        if found.state == State::Answering {
            // Nobody has heard of it.
            self.remove(peer);
        } else {
            self.end(peer, DisconnectReason::ByPeer(0));
        }
    }

    /// Ends a connection once everything that waits has arrived. What comes until then is thrown away.
    pub fn disconnect_later(&mut self, peer: PeerHandle, data: u32) {
        let Some(found) = self.peers.get_mut(peer) else { return };
        if found.is_open() && !found.is_drained() {
            found.state = State::Draining;
            found.goodbye = data;
            self.due.add(found);
        } else {
            self.disconnect(peer, data);
        }
    }

    /// Sets when a silent peer is given up, in ms: when nothing was acknowledged for `maximum`, or for `minimum` while
    /// a command has waited `limit` times as long as expected, the wait doubling each time. 0 is stock ENet's value: 32,
    /// 5000 and 30000.
    pub fn set_timeout(&mut self, peer: PeerHandle, limit: u32, minimum: u32, maximum: u32) {
        let or = |value: u32, default: u32| if value == 0 { default } else { value };
        if let Some(peer) = self.peers.get_mut(peer) {
            let settings = TimeoutSettings {
                limit: or(limit, DEFAULT_TIMEOUTS.limit),
                minimum: or(minimum, DEFAULT_TIMEOUTS.minimum),
                maximum: or(maximum, DEFAULT_TIMEOUTS.maximum),
            };
            peer.timeouts = settings;
            peer.silence.set(&settings);
            self.timers.set(peer);
        }
    }

    /// Sets after how many ms without an acknowledgement a peer is pinged; 0 is stock ENet's 500.
    pub fn set_ping_interval(&mut self, peer: PeerHandle, millis: u32) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.ping_interval = if millis == 0 { PING_INTERVAL_US } else { millis.saturating_mul(1000) };
            self.timers.set(peer);
        }
    }

    /// Sets what all peers together may send to this side, and are sent, in bytes/s; 0 is no limit. Those that are connected
    /// are told within a second.
    pub const fn set_bandwidth(&mut self, incoming: u32, outgoing: u32) {
        self.shared.config.in_bandwidth = incoming;
        self.shared.config.out_bandwidth = outgoing;
        self.shares.changed();
    }

    /// Sets how unreliable packets are dropped when the link has a queue, on both sides: by how much of 32 more or
    /// fewer are sent, and how long a queue can last in ms.
    pub fn set_throttle(&mut self, peer: PeerHandle, interval: u32, acceleration: u32, deceleration: u32) {
        if let Some(peer) = self.peers.get_mut(peer).filter(|peer| peer.is_open()) {
            peer.set_throttle(ThrottleSettings { interval, acceleration, deceleration });
            peer.pending.add(Pending::THROTTLE);
            self.due.add(peer);
        }
    }

    /// Sets how many bytes a packet of a peer may have, from now on. Who sends a larger one, or its first fragment, has
    /// [exceeded a limit](Event::Exceeded).
    pub const fn set_max_received(&mut self, bytes: usize) {
        self.shared.max_received = bytes;
    }

    /// Sets [`Config::event_limit`].
    pub const fn set_event_limit(&mut self, bytes: usize) {
        self.shared.config.event_limit = bytes;
    }

    /// Sets [`Config::peer_rates`].
    pub const fn set_peer_rates(&mut self, rates: PeerRates) {
        self.shared.config.peer_rates = rates;
    }

    /// Takes the owner's time, and returns the host's own: it begins at 1 s, never goes back, and a step of more than 4 s
    /// counts as that, since what has come meanwhile is still to be read.
    pub fn advance(&mut self, now: Duration) -> Duration {
        Duration::from_micros(self.shared.clock.tell(now))
    }

    /// True when one more peer can connect.
    #[must_use]
    pub fn has_vacancy(&self) -> bool {
        self.peers.vacancy().is_some()
    }

    /// Peers without a complete handshake.
    #[must_use]
    pub const fn half_open_peers(&self) -> usize {
        self.peers.len().saturating_sub(self.shared.usage.peers)
    }

    /// Where a peer is; `None` once it is gone.
    #[must_use]
    pub fn address(&self, peer: PeerHandle) -> Option<SocketAddr> {
        self.peers.get(peer).map(|peer| peer.address)
    }

    /// The peers at an address, the latest first, connected or not.
    pub fn peers_at(&self, address: SocketAddr) -> impl Iterator<Item = PeerHandle> {
        self.peers.at_address(address).map(|peer| peer.handle)
    }

    /// All peers, connected or not, in no order.
    pub fn peers(&self) -> impl Iterator<Item = PeerHandle> {
        self.peers.iter().map(|peer| peer.handle)
    }

    /// Peers with a complete handshake.
    #[must_use]
    pub const fn connected_peers(&self) -> usize {
        self.shared.usage.peers
    }

    /// How the connection with a peer is.
    #[must_use]
    pub fn peer_figures(&self, peer: PeerHandle) -> Option<PeerFigures> {
        self.peers.get(peer).map(|peer| PeerFigures::of(peer, self.shared.clock.now()))
    }

    /// What is on its way to a peer, by channel. Looks at every packet that waits.
    #[must_use]
    pub fn channel_figures(&self, peer: PeerHandle) -> Vec<ChannelFigures> {
        self.peers.get(peer).map(|peer| ChannelFigures::of(peer, &self.shared)).unwrap_or_default()
    }

    /// What the host has done so far.
    #[must_use]
    pub const fn figures(&self) -> HostFigures {
        let mut figures = self.shared.figures;
        figures.reassembly_bytes = self.shared.usage.memory;
        figures
    }

    /// Packets of all peers, also of those that are gone, and how many reliable commands were sent again.
    #[must_use]
    pub fn traffic(&self) -> (Traffic, u64) {
        let (mut traffic, mut resends) = self.past;
        for peer in self.peers.iter() {
            traffic.add(&peer.traffic);
            resends += u64::from(peer.commands_lost);
        }
        (traffic, resends)
    }

    /// [`HostFigures::commands_ignored`] and [`HostFigures::evictions`], for who asks often.
    #[must_use]
    pub const fn losses_to_quotas(&self) -> (u64, u64) {
        (self.shared.figures.commands_ignored, self.shared.figures.evictions)
    }

    /// The owner's time of the next [`Self::handle_timeout`], if nothing happens before; it may be early.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let next = self.timers.next().into_iter().chain(self.shares.next(&self.peers, &self.shared)).min();
        next.map(|micros| self.shared.clock.owners(micros))
    }

    pub(crate) fn peer_mut(&mut self, peer: PeerHandle) -> Option<&mut Peer> {
        self.peers.get_mut(peer)
    }

    /// Tells the owner that a peer is gone, and forgets it.
    fn end(&mut self, peer: PeerHandle, reason: DisconnectReason) {
        self.remove(peer);
        self.shared.events.push_back(Event::Disconnected { peer, reason });
    }

    /// Forgets a peer.
    fn remove(&mut self, peer: PeerHandle) {
        let Some(mut peer) = self.peers.remove(peer) else { return };
        self.past.0.add(&peer.traffic);
        self.past.1 += u64::from(peer.commands_lost);
        peer.forget_output(&mut self.shared);
        self.shared.usage.forget(peer.handle);
        self.shared.acknowledgements.clear(&mut peer.acknowledgements);
        let usage = &mut self.shared.usage;
        usage.memory = usage.memory.saturating_sub(peer.usage.memory());
        if !matches!(peer.state, State::Connecting | State::Answering) {
            usage.peers = usage.peers.saturating_sub(1);
            self.shares.changed();
        }
    }

    /// Sets the peer's timer to where it belongs, and lets it send if it has something that need not wait for a flush.
    fn settle(&mut self, slot: u16) {
        if let Some(peer) = self.peers.at_mut(slot) {
            self.timers.set(peer);
            if peer.has_output() {
                self.due.add(peer);
            }
        }
    }
}

/// The datagram that tells a peer that it is disconnected, and wants no answer.
fn disconnect_notice(peer: &Peer, data: u32) -> Stray {
    let command = Command {
        code: code::DISCONNECT_UNSEQUENCED,
        channel: CONTROL_CHANNEL,
        sequence: peer.control.next(),
        body: Body::Disconnect { data },
    };
    peer.stray(&command)
}

/// Events whose memory is kept.
const MAX_KEPT_EVENTS: usize = 1024;

/// Peer numbers have 12 bits, and one of them means "none".
const MAX_PEERS: u16 = crate::wire::NO_PEER;
