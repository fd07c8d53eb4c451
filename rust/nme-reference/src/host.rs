//! The host.
//!
//! Datagrams are checked as they come and wait in memory, as in a socket, so that the engine reads those of a frame
//! at once, as it would from one. What may change the state of a peer is worked off at once, because the check of the
//! next datagram depends on it.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::inspect::{self, Agreed, Header, Request};
use nme_enet::proof::LONGEST_ANSWER;
use nme_enet::wire::{MAX_MTU, MIN_MTU, NO_PEER};
use nme_enet::{
    Admission, ChannelFigures, Config, ConnectError, ConnectRequest, Delivery, DisconnectReason, DropReason,
    Event, HostFigures, Packet, PacketPool, PeerFigures, PeerHandle, PeerLimit, PeerRates, Reception,
    Screened, SendError, Sending, TagKey, Traffic, Transmit, Verdict,
};
use rusty_enet as enet;

use crate::clock::Clock;
use crate::memory::MemorySocket;
use crate::places::{Peer, Places};
use crate::{debug_text, packet};

/// All connections over one socket, as [`nme_enet::Host`], but by stock ENet. Its methods are documented there.
pub struct Host {
    engine: enet::Host<MemorySocket>,
    config: Config,
    clock: Clock,
    places: Places,
    connected: usize,
    events: VecDeque<Event>,
    pool: PacketPool,
    figures: HostFigures,
}

impl Host {
    /// A host without peers.
    ///
    /// # Panics
    /// Never: what the engine would refuse is brought into its range.
    #[must_use]
    pub fn new(mut config: Config) -> Self {
        config.peer_limit = config.peer_limit.clamp(1, NO_PEER);
        config.channel_limit = config.channel_limit.max(1);
        config.mtu = config.mtu.clamp(MIN_MTU, MAX_MTU);
        let clock = Clock::new();
        let limit = |bandwidth: u32| (bandwidth > 0).then_some(bandwidth);
        let settings = enet::HostSettings {
            peer_limit: config.peer_limit.into(),
            channel_limit: config.channel_limit.into(),
            incoming_bandwidth_limit: limit(config.in_bandwidth),
            outgoing_bandwidth_limit: limit(config.out_bandwidth),
            compressor: None,
            checksum: None,
            time: clock.ticks(),
            seed: Some((config.seed ^ (config.seed >> 32)) as u32),
        };
        let mut engine = enet::Host::new(MemorySocket::default(), settings).expect("limits in range");
        engine.set_maximum_packet_size(config.max_packet.max(1)).expect("not 0");
        // The engine forgets to count down: any limit would cut honest peers off.
        engine.set_maximum_waiting_data(usize::MAX).expect("not 0");
        engine.set_mtu(config.mtu).expect("in range");
        Self {
            engine,
            places: Places::new(config.peer_limit),
            config,
            clock,
            connected: 0,
            events: VecDeque::new(),
            pool: PacketPool::new(),
            figures: HostFigures::new(),
        }
    }

    /// Looks at the header of a datagram. The session is not looked at: the engine does.
    pub fn screen(&mut self, from: SocketAddr, datagram: &[u8]) -> Result<Screened, DropReason> {
        let screened = self.screened(from, datagram).map(|(header, peer)| {
            let longest = if header.peer == NO_PEER { LONGEST_ANSWER } else { self.config.mtu.into() };
            Screened::new(longest, header, peer)
        });
        screened.inspect_err(|reason| self.figures.note_dropped(*reason))
    }

    /// Takes a plain datagram.
    pub fn handle_datagram(
        &mut self,
        now: Duration,
        from: SocketAddr,
        datagram: &[u8],
        admission: &mut dyn Admission,
    ) -> Result<(), DropReason> {
        self.clock.tell(now);
        self.figures.datagrams_received += 1;
        self.figures.bytes_received += datagram.len() as u64;
        self.take(from, datagram, admission).inspect_err(|reason| self.figures.note_dropped(*reason))
    }

    /// What has happened, until there is nothing more.
    pub fn poll_event(&mut self) -> Option<Event> {
        if self.events.is_empty() {
            self.catch_up();
        }
        self.events.pop_front()
    }

    /// Does what is due at this time.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.clock.tell(now);
        self.work(None);
    }

    /// The owner's time of the next [`Self::handle_timeout`]: the engine does not tell, so it is soon.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.peers().next().map(|_| self.clock.told() + PAUSE)
    }

    /// Queues a packet for a peer.
    pub fn send(
        &mut self,
        peer: PeerHandle,
        channel: u8,
        packet: &Packet,
        delivery: Delivery,
    ) -> Result<Sending, SendError> {
        self.catch_up();
        if self.state(peer) != enet::PeerState::Connected {
            return Err(SendError::NotConnected);
        }
        let Some(found) = self.places.at_mut(slot_of(peer)) else { return Err(SendError::NotConnected) };
        let Some(to) = self.engine.get_peer_mut(enet::PeerID(peer.index())) else {
            return Err(SendError::NotConnected);
        };
        if usize::from(channel) >= to.channel_count() {
            return Err(SendError::Channel);
        }
        if packet.is_empty() {
            return Err(SendError::Empty);
        }
        if packet.len() > self.config.max_packet {
            return Err(SendError::TooLarge);
        }
        if found.unacknowledged.bytes().saturating_add(packet::cost(packet))
            > self.config.unacknowledged_limit
        {
            if !std::mem::replace(&mut found.has_overflowed, true) {
                self.events.push_back(Event::Exceeded { peer, limit: PeerLimit::Unacknowledged });
            }
            return Ok(Sending::Overflow);
        }
        match to.send(channel, &packet::to_engine(packet, delivery, &found.unacknowledged)) {
            Ok(()) => Ok(Sending::Queued),
            Err(enet::error::PeerSendError::NotConnected) => Err(SendError::NotConnected),
            Err(enet::error::PeerSendError::InvalidChannel) => Err(SendError::Channel),
            Err(_) => Err(SendError::TooLarge),
        }
    }

    /// Lets everything leave that is queued.
    pub fn flush(&mut self, now: Duration) {
        self.clock.tell(now);
        self.catch_up();
        self.engine.flush();
    }

    /// Writes the next datagram that may leave into `buffer`, which must hold the host's MTU.
    pub fn poll_transmit<'a>(&mut self, buffer: &'a mut [u8]) -> Option<Transmit<'a>> {
        let (to, datagram) = self.engine.socket_mut().outbound.pop_front()?;
        let place = buffer.get_mut(..datagram.len())?;
        place.copy_from_slice(&datagram);
        self.figures.datagrams_sent += 1;
        self.figures.bytes_sent += datagram.len() as u64;
        let peer = self.peers_at(to).next();
        Some(Transmit { to, peer, datagram: place })
    }

    /// Asks for a connection.
    pub fn connect(
        &mut self,
        now: Duration,
        address: SocketAddr,
        channels: u8,
        data: u32,
    ) -> Result<PeerHandle, ConnectError> {
        self.clock.tell(now);
        self.catch_up();
        if !(1..=self.config.channel_limit).contains(&channels) {
            return Err(ConnectError::Channels);
        }
        let peer = self.engine.connect(address, channels.into(), data).map_err(|_| ConnectError::Full)?;
        let slot = number(peer.id());
        // The request is in what leaves now, and says what its answer must look like.
        let before = self.engine.socket().outbound.len();
        self.engine.flush();
        let sent = self.engine.socket().outbound.iter().skip(before);
        let request = sent.filter(|(to, _)| *to == address).find_map(|(_, datagram)| {
            let header = Header::read(datagram).ok().filter(|header| header.peer == NO_PEER)?;
            let request = Request::read(datagram, &header).ok()?;
            (request.describe(address, false).peer == slot).then_some(request)
        });
        Ok(self.places.insert(slot, address, channels, request, true))
    }

    /// Ends a connection: what waits is forgotten.
    pub fn disconnect(&mut self, peer: PeerHandle, data: u32) {
        self.command(peer, |peer| peer.disconnect(data));
    }

    /// Ends a connection at once, with one notice to the peer. No event follows.
    pub fn disconnect_now(&mut self, peer: PeerHandle, data: u32) {
        self.command(peer, |peer| peer.disconnect_now(data));
    }

    /// Ends a connection without a word to the peer.
    pub fn abandon(&mut self, peer: PeerHandle) {
        let reason = DisconnectReason::ByPeer(0);
        let is_known = self.get(peer).is_some_and(|found| found.is_connected || found.has_asked);
        self.command(peer, enet::Peer::reset);
        if is_known {
            self.events.push_back(Event::Disconnected { peer, reason });
        }
    }

    /// Stock ENet has no tags.
    pub const fn offer_tags(&mut self, _peer: PeerHandle, _key: TagKey) -> bool {
        false
    }

    /// Stock ENet has no tags.
    pub const fn begin_tags(&mut self, _peer: PeerHandle, _key: TagKey) -> bool {
        false
    }

    /// Stock ENet has no tags.
    pub const fn is_tagged(&self, _peer: PeerHandle) -> bool {
        false
    }

    /// Does nothing: packets leave in the order in which they were queued.
    pub fn hurry(&mut self, _peer: PeerHandle, _is_meant: impl Fn(&Packet) -> bool) {}

    /// Does nothing: the engine acknowledges what comes before anybody can refuse it.
    pub const fn set_reception(&mut self, _: PeerHandle, _: Reception) {}

    /// Does nothing: the engine has one limit, which was set when it was made.
    pub const fn set_max_received(&mut self, _: usize) {}

    /// Does nothing.
    pub const fn set_event_limit(&mut self, _: usize) {}

    /// Does nothing.
    pub const fn set_peer_rates(&mut self, _: PeerRates) {}

    /// Tells the sender of a request that was ignored that it is refused.
    pub fn refuse(&mut self, request: &ConnectRequest) {
        self.post_refusal(request.from, inspect::refusal(request.peer, request.connect_id));
    }

    /// Ends a connection once everything that waits has arrived.
    pub fn disconnect_later(&mut self, peer: PeerHandle, data: u32) {
        self.command(peer, |peer| peer.disconnect_later(data));
    }

    /// Sets when a silent peer is given up, in ms.
    pub fn set_timeout(&mut self, peer: PeerHandle, limit: u32, minimum: u32, maximum: u32) {
        self.command(peer, |peer| peer.set_timeout(limit, minimum, maximum));
    }

    /// Sets how unreliable packets are dropped, on both sides.
    pub fn set_throttle(&mut self, peer: PeerHandle, interval: u32, acceleration: u32, deceleration: u32) {
        self.command(peer, |peer| {
            if is_open(peer.state()) {
                peer.set_throttle(interval, acceleration, deceleration);
            }
        });
    }

    /// Takes the owner's time, and returns the host's own.
    pub fn advance(&mut self, now: Duration) -> Duration {
        self.clock.tell(now);
        self.clock.now()
    }

    /// True when one more peer can connect.
    #[must_use]
    pub fn has_vacancy(&self) -> bool {
        self.vacancy().is_some()
    }

    /// Peers without a complete handshake.
    #[must_use]
    pub fn half_open_peers(&self) -> usize {
        self.live().filter(|peer| !peer.is_connected).count()
    }

    /// The engine gives nobody up before his time.
    pub const fn give_up_half_open(&mut self, _: Duration) -> bool {
        false
    }

    fn vacancy(&self) -> Option<u16> {
        (0..self.config.peer_limit).find(|slot| self.state_at(*slot) == enet::PeerState::Disconnected)
    }

    /// Where a peer is; `None` once it is gone.
    #[must_use]
    pub fn address(&self, peer: PeerHandle) -> Option<SocketAddr> {
        self.get(peer).map(|peer| peer.address)
    }

    /// The peers at an address, the latest first, connected or not.
    pub fn peers_at(&self, address: SocketAddr) -> impl Iterator<Item = PeerHandle> {
        let mut found: Vec<_> = self.live().filter(|peer| peer.address == address).collect();
        found.sort_unstable_by_key(|peer| std::cmp::Reverse(peer.order));
        found.into_iter().map(|peer| peer.handle)
    }

    /// All peers, connected or not, in no order.
    pub fn peers(&self) -> impl Iterator<Item = PeerHandle> {
        self.live().map(|peer| peer.handle)
    }

    /// Peers with a complete handshake.
    #[must_use]
    pub const fn connected_peers(&self) -> usize {
        self.connected
    }

    /// How the connection with a peer is.
    #[must_use]
    pub fn peer_figures(&self, peer: PeerHandle) -> Option<PeerFigures> {
        let found = self.get(peer)?;
        let peer = self.engine.get_peer(enet::PeerID(peer.index()))?;
        let [throttle, shortest, window, in_flight] = debug_text::numbers(
            peer,
            ["packetThrottle", "lowestRoundTripTime", "windowSize", "reliableDataInTransit"],
        );
        let unacknowledged = found.unacknowledged.bytes();
        Some(PeerFigures {
            round_trip: peer.round_trip_time(),
            variance: peer.round_trip_time_variance(),
            shortest_round_trip: Duration::from_millis(shortest.into()),
            throttle,
            window,
            in_flight,
            waiting: unacknowledged.saturating_sub(in_flight.into()),
            unacknowledged,
            reassembly_bytes: 0,
            throttle_settings: [0; 3],
            last_round_trip: peer.round_trip_time(),
            jitter: peer.round_trip_time_variance(),
            commands_sent: peer.packets_sent(),
            commands_lost: peer.packets_lost(),
            channels: peer.channel_count(),
            mtu: peer.mtu(),
            loss_unacknowledged: 0.0,
            loss_incoming: 0.0,
            silent_for: Duration::ZERO,
            age: Duration::ZERO,
            traffic: Traffic::default(),
        })
    }

    /// What the host has done so far.
    #[must_use]
    pub const fn figures(&self) -> HostFigures {
        self.figures
    }

    /// Sets after how many ms without an acknowledgement a peer is pinged.
    pub fn set_ping_interval(&mut self, peer: PeerHandle, millis: u32) {
        self.command(peer, |peer| peer.set_ping_interval(millis));
    }

    /// Sets what all peers together may send and are sent, in bytes/s.
    pub fn set_bandwidth(&mut self, incoming: u32, outgoing: u32) {
        let limit = |bytes: u32| (bytes > 0).then_some(bytes);
        let _ = self.engine.set_bandwidth_limit(limit(incoming), limit(outgoing));
    }

    /// Nothing of a single peer is counted.
    #[must_use]
    pub const fn traffic(&self) -> (Traffic, u64) {
        (
            Traffic {
                packets_sent: 0,
                bytes_sent: 0,
                packets_throttled: 0,
                packets_received: 0,
                bytes_received: 0,
            },
            0,
        )
    }

    /// The engine does not show its queues.
    #[must_use]
    pub const fn channel_figures(&self, _peer: PeerHandle) -> Vec<ChannelFigures> {
        Vec::new()
    }

    /// There are no quotas.
    #[must_use]
    pub const fn losses_to_quotas(&self) -> (u64, u64) {
        (0, 0)
    }

    /// Where packets can be made that use the memory of earlier ones.
    #[must_use]
    pub const fn packets(&mut self) -> &mut PacketPool {
        &mut self.pool
    }

    fn state_at(&self, slot: u16) -> enet::PeerState {
        let peer = self.engine.get_peer(enet::PeerID(slot.into()));
        peer.map_or(enet::PeerState::Disconnected, enet::Peer::state)
    }

    fn state(&self, peer: PeerHandle) -> enet::PeerState {
        self.get(peer).map_or(enet::PeerState::Disconnected, |peer| self.state_at(slot_of(peer.handle)))
    }

    /// The peers that are there. The engine forgets half-open ones without a word.
    fn live(&self) -> impl Iterator<Item = &Peer> {
        let is_there = |peer: &&Peer| self.state_at(slot_of(peer.handle)) != enet::PeerState::Disconnected;
        self.places.iter().filter(is_there)
    }

    fn at(&self, slot: u16) -> Option<&Peer> {
        self.places.at(slot).filter(|_| self.state_at(slot) != enet::PeerState::Disconnected)
    }

    fn get(&self, peer: PeerHandle) -> Option<&Peer> {
        self.at(slot_of(peer)).filter(|found| found.handle == peer)
    }

    /// Lets the engine do something with a peer that is there, and forgets it if it is gone then.
    fn command(&mut self, peer: PeerHandle, what: impl FnOnce(&mut enet::Peer<MemorySocket>)) {
        self.catch_up();
        if self.get(peer).is_none() {
            return;
        }
        let slot = slot_of(peer);
        if let Some(peer) = self.engine.get_peer_mut(enet::PeerID(slot.into())) {
            what(peer);
        }
        if self.state_at(slot) == enet::PeerState::Disconnected {
            self.forget(slot);
        }
    }

    fn forget(&mut self, slot: u16) -> Option<Peer> {
        let peer = self.places.remove(slot)?;
        self.connected -= usize::from(peer.is_connected);
        Some(peer)
    }

    fn screened(
        &self,
        from: SocketAddr,
        datagram: &[u8],
    ) -> Result<(Header, Option<PeerHandle>), DropReason> {
        if from.port() == 0 {
            return Err(DropReason::SourcePort);
        }
        if datagram.len() > self.config.mtu.into() {
            return Err(DropReason::TooLong);
        }
        let header = Header::read(datagram)?;
        if header.peer == NO_PEER {
            let is_fine = self.config.accepts_connections && header.session == 0;
            return if is_fine { Ok((header, None)) } else { Err(DropReason::Connect) };
        }
        let peer = self.at(header.peer).filter(|peer| peer.address == from);
        Ok((header, Some(peer.ok_or(DropReason::UnknownPeer)?.handle)))
    }

    fn take(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        admission: &mut dyn Admission,
    ) -> Result<(), DropReason> {
        let (header, peer) = self.screened(from, datagram)?;
        if header.compressed {
            return Err(DropReason::Compressed);
        }
        let Some(peer) = peer else { return self.take_request(from, &header, datagram, admission) };
        let state = self.state(peer);
        let found = self.get(peer).ok_or(DropReason::UnknownPeer)?;
        let mtu = self.engine.get_peer(enet::PeerID(peer.index())).map_or(self.config.mtu, enet::Peer::mtu);
        let asked = found.request.as_ref().filter(|_| state == enet::PeerState::Connecting);
        let agreed = Agreed { mtu, max_packet: self.config.max_packet, channels: found.channels, asked };
        let goodbye = inspect::check(datagram, &header, &agreed)?;
        if goodbye.is_some() {
            // The engine forgets what it has not reported when it reads one.
            self.catch_up();
        }
        self.queue(from, datagram);
        if !is_open(state) || goodbye.is_some() {
            // The end of a connection in this datagram is a goodbye, or the answer to ours.
            let reason = goodbye.map_or(DisconnectReason::Requested, DisconnectReason::ByPeer);
            self.work(Some((slot_of(peer), reason)));
        }
        Ok(())
    }

    fn take_request(
        &mut self,
        from: SocketAddr,
        header: &Header,
        datagram: &[u8],
        admission: &mut dyn Admission,
    ) -> Result<(), DropReason> {
        let request = Request::read(datagram, header)?;
        request.check(&self.config)?;
        self.catch_up();
        let connect_id = |request: &Request| request.describe(from, false).connect_id;
        let is_known = |peer: &Peer| {
            peer.address == from
                && !peer.has_asked
                && peer.request.as_ref().map(connect_id) == Some(connect_id(&request))
        };
        if self.live().any(is_known) {
            return Err(DropReason::Repeated);
        }
        let vacancy = self.vacancy();
        let described = request.describe(from, vacancy.is_none());
        match (admission.judge(&described), vacancy) {
            (Verdict::Accept, Some(slot)) => {
                let channels = described.channels.min(self.config.channel_limit);
                self.places.insert(slot, from, channels, Some(request), false);
                self.queue(from, datagram);
                self.work(None);
                Ok(())
            }
            (Verdict::Ignore, _) => Err(DropReason::Refused),
            (verdict, _) => {
                self.post_refusal(from, request.refusal());
                Err(if verdict == Verdict::Accept { DropReason::Full } else { DropReason::Refused })
            }
        }
    }

    fn post_refusal(&mut self, to: SocketAddr, refusal: [u8; inspect::REFUSAL_LEN]) {
        let outbound = &mut self.engine.socket_mut().outbound;
        // Strangers cause them.
        if outbound.len() < MANY_DATAGRAMS {
            outbound.push_back((to, refusal.to_vec()));
        }
    }

    fn queue(&mut self, from: SocketAddr, datagram: &[u8]) {
        self.engine.socket_mut().inbound.push_back((from, datagram.to_vec()));
    }

    /// Lets the engine read what has come.
    fn catch_up(&mut self) {
        if !self.engine.socket().inbound.is_empty() {
            self.work(None);
        }
    }

    /// Lets the engine work on time and input until it has nothing more to report. When that ends the connection of this
    /// place, it is for this reason, and otherwise because nothing came for too long.
    fn work(&mut self, cause: Option<(u16, DisconnectReason)>) {
        loop {
            let Ok(event) = self.engine.service();
            match event.map(enet::Event::no_ref) {
                Some(event) => self.report(event, cause),
                // It reads 256 datagrams at most.
                None if self.engine.socket().inbound.is_empty() => return,
                None => {}
            }
        }
    }

    fn report(&mut self, event: enet::EventNoRef, cause: Option<(u16, DisconnectReason)>) {
        match event {
            enet::EventNoRef::Connect { peer, data } => {
                let Some(found) = self.places.at_mut(number(peer)) else { return };
                self.connected += usize::from(!std::mem::replace(&mut found.is_connected, true));
                let (peer, address, channels) = (found.handle, found.address, found.channels);
                self.events.push_back(Event::Connected { peer, address, channels, data });
            }
            enet::EventNoRef::Disconnect { peer, .. } => {
                let slot = number(peer);
                let cause = cause.filter(|(at, _)| *at == slot);
                let reason = cause.map_or(DisconnectReason::TimedOut, |(_, reason)| reason);
                if let Some(Peer { handle: peer, .. }) = self.forget(slot) {
                    self.events.push_back(Event::Disconnected { peer, reason });
                }
            }
            enet::EventNoRef::Receive { peer, channel_id: channel, packet } => {
                let Some(&Peer { handle: peer, .. }) = self.places.at(number(peer)) else { return };
                let delivery = packet::delivery(&packet);
                let packet = self.pool.packet(&[packet.data()]);
                self.events.push_back(Event::Received { peer, channel, delivery, packet });
            }
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Host").field("places", &self.places).finish_non_exhaustive()
    }
}

/// True when data comes and goes.
fn is_open(state: enet::PeerState) -> bool {
    matches!(state, enet::PeerState::Connected | enet::PeerState::DisconnectLater)
}

/// Places are below [`NO_PEER`].
const fn slot_of(peer: PeerHandle) -> u16 {
    peer.index() as u16
}

const fn number(peer: enet::PeerID) -> u16 {
    peer.0 as u16
}

/// Between two calls of [`Host::handle_timeout`].
const PAUSE: Duration = Duration::from_millis(10);

/// Datagrams that may wait to leave when one more answer to a stranger is added.
const MANY_DATAGRAMS: usize = 4096;
