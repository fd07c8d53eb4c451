//! Sessions and foreign hosts on one emulated network, in virtual time.
//!
//! Each [`World::step`] lets time pass and polls every host once, as a game does with each frame: all that has
//! arrived is received, every event is taken, everything leaves, and the packets are fetched behind the poll.
//! What a host has seen is in its log. The world checks of each host, all the time, what SceneMultiplayer relies
//! on: peers join before they leave, and no packet is fetched from a peer that is not there.

mod host;
mod log;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::counters::Counters;
use nme_core::peer::PeerId;
use nme_core::relay::Target;
use nme_core::secure::{SecureLayer, SecureOutput, Verdict};
use nme_core::session::{
    Config, DisconnectError, Event, MaxClients, SendError, SendOptions, Session, Status,
};
use nme_driver::Driver;
use nme_netem::{Link, Network, Random};

pub use log::{Entry, Packet, Seen};

use crate::fake_layer::FakeLayer;
use crate::memory::{MemorySocket, VirtualClock};
use crate::raw_peer::{RawConfig, RawEvent, RawPeer};
use host::Host;

/// Everything there is.
pub struct World {
    network: Network,
    now: Duration,
    random: Random,
    hosts: Vec<Host>,
    foreign: Vec<Foreign>,
    record: Option<Vec<Datagram>>,
    overhead: Option<u8>,
}

/// A host with a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(usize);

/// A foreign ENet host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RawId(usize);

/// A datagram that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Who sent it.
    pub from: SocketAddr,
    /// Whom it was sent to.
    pub to: SocketAddr,
    /// What was in it.
    pub bytes: Vec<u8>,
}

/// How long [`World::connect`] waits.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// One frame of a game.
pub const FRAME: Duration = Duration::from_millis(16);

/// A port for every host: addresses differ by their IP.
const PORT: u16 = 7000;

impl World {
    /// An empty world with perfect links.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            network: Network::new(seed),
            now: Duration::ZERO,
            random: Random::new(!seed),
            hosts: Vec::new(),
            foreign: Vec::new(),
            record: None,
            overhead: None,
        }
    }

    /// Gives all hosts that are opened from now on a [`FakeLayer`] with this overhead, foreign ones too.
    pub const fn secure(&mut self, overhead: u8) {
        self.overhead = Some(overhead);
    }

    /// The next layer of this world, when it is [secure](Self::secure).
    pub fn layer(&mut self) -> Option<Box<dyn SecureLayer>> {
        let layer = FakeLayer::new(self.overhead?, self.random.bits());
        Some(Box::new(layer))
    }

    /// The default configuration with the next random seed.
    pub fn config(&mut self) -> Config {
        Config::new(self.random.bits())
    }

    /// Opens a server with the default configuration.
    pub fn server(&mut self, max_clients: i64) -> HostId {
        let config = self.config();
        self.server_with(&config, max_clients)
    }

    /// Opens a server.
    pub fn server_with(&mut self, config: &Config, max_clients: i64) -> HostId {
        let max_clients = MaxClients::new(max_clients).expect("a valid number of clients");
        let layer = self.layer();
        self.add(Session::server(config, max_clients, layer))
    }

    /// Opens a client that begins to connect.
    pub fn client(&mut self, server: SocketAddr) -> HostId {
        let config = self.config();
        self.client_with(&config, server)
    }

    /// Opens a client that begins to connect.
    pub fn client_with(&mut self, config: &Config, server: SocketAddr) -> HostId {
        let layer = self.layer();
        self.client_behind(layer, config, server)
    }

    /// Opens a client with this layer that begins to connect.
    ///
    /// # Panics
    /// When there can be no such client.
    pub fn client_behind(
        &mut self,
        layer: Option<Box<dyn SecureLayer>>,
        config: &Config,
        server: SocketAddr,
    ) -> HostId {
        let mut session = Session::client(config, layer);
        session.connect(self.now, server);
        self.add(session)
    }

    /// Opens a client and runs frames until it is connected, at most for [`CONNECT_TIMEOUT`].
    ///
    /// # Panics
    /// When that does not happen.
    pub fn connect(&mut self, server: HostId) -> HostId {
        let config = self.config();
        self.connect_with(&config, server)
    }

    /// As [`World::connect`], with a configuration.
    ///
    /// # Panics
    /// When the client is not connected in time.
    pub fn connect_with(&mut self, config: &Config, server: HostId) -> HostId {
        let client = self.client_with(config, self.address(server));
        let id = self.id(client);
        let connected = self.run_until(CONNECT_TIMEOUT, |world| {
            world.known(client).contains(&PeerId::SERVER) && world.known(server).contains(&id)
        });
        assert!(connected, "{client:?} did not connect: {:?}", self.events(client));
        client
    }

    /// Adds any session at a new address.
    pub fn add(&mut self, session: Session) -> HostId {
        let address = self.new_address();
        self.add_at(address, session)
    }

    /// Adds any session at an address whose last host is over.
    ///
    /// # Panics
    /// When a host is there.
    pub fn add_at(&mut self, address: SocketAddr, session: Session) -> HostId {
        assert!(self.hosts.iter().all(|host| host.over || host.address != address), "{address} is taken");
        self.hosts.push(Host::new(address, session, self.now));
        HostId(self.hosts.len() - 1)
    }

    /// Adds a foreign ENet host.
    pub fn raw(&mut self, config: RawConfig) -> RawId {
        let address = self.new_address();
        let secure = self.layer();
        self.foreign.push(Foreign { address, peer: RawPeer::new(config), secure, paused: false });
        RawId(self.foreign.len() - 1)
    }

    /// Adds a foreign ENet host and connects it with this id on three channels.
    ///
    /// # Panics
    /// When it is not connected within [`CONNECT_TIMEOUT`].
    pub fn raw_client(&mut self, config: RawConfig, server: HostId, id: u32) -> RawId {
        let raw = self.raw(config);
        let to = self.address(server);
        self.raw_connect(raw, to, id);
        let connected = self.run_until(CONNECT_TIMEOUT, |world| {
            world.raw_ref(raw).is_connected(0)
                && PeerId::client(id).is_none_or(|id| world.known(server).contains(&id))
        });
        assert!(connected, "{raw:?} did not connect");
        raw
    }

    /// Lets a foreign host ask for a connection with this id on three channels.
    pub fn raw_connect(&mut self, raw: RawId, to: SocketAddr, id: u32) {
        let Foreign { address, peer, secure, .. } = &mut self.foreign[raw.0];
        peer.connect(to, 3, id);
        if let Some(layer) = secure {
            let mut out = SecureOutput::default();
            layer.connect(self.now, to, &mut out);
            out.wire.iter().for_each(|(to, bytes)| self.network.send(self.now, *address, to, bytes));
        }
    }

    /// Lets time pass and polls every host.
    pub fn step(&mut self, time: Duration) {
        self.now += time;
        for index in 0..self.hosts.len() {
            self.poll(HostId(index));
        }
        for index in 0..self.foreign.len() {
            self.poll_raw(RawId(index));
        }
        // What arrived at hosts that were polled before its sender waits for their next poll.
        for host in &mut self.hosts {
            host.take_arrived(&mut self.network, self.now);
        }
    }

    /// Runs frames of [`FRAME`].
    pub fn run(&mut self, time: Duration) {
        self.run_in_steps(time, FRAME);
    }

    /// Runs steps of any length.
    pub fn run_in_steps(&mut self, time: Duration, step: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step(step);
        }
    }

    /// Runs frames until the condition holds; false when it did not within the time.
    pub fn run_until(&mut self, timeout: Duration, mut condition: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + timeout;
        while !condition(self) {
            if self.now >= end {
                return false;
            }
            self.step(FRAME);
        }
        true
    }

    /// Polls one host and fetches its packets.
    pub fn poll(&mut self, id: HostId) {
        self.poll_with(id, |_, _| None);
    }

    /// Polls one host. The handler is called with each event, as a signal's handler would be; what it answers is
    /// an event that a call on the session has reported at once.
    pub fn poll_with(&mut self, id: HostId, mut handler: impl FnMut(&mut Session, Event) -> Option<Event>) {
        let host = &mut self.hosts[id.0];
        host.take_arrived(&mut self.network, self.now);
        if host.over || host.paused {
            return;
        }
        host.polls += 1;
        host.driver.clock_mut().0 = self.now;
        host.driver.begin_poll();
        while let Some(event) = host.driver.next_event() {
            host.see_event(event, self.now);
            if let Some(event) = handler(host.driver.session_mut(), event) {
                host.see_event(event, self.now);
            }
        }
        if host.fetching {
            host.fetch_all(self.now);
        }
        host.driver.end_poll();
        self.transmit(id);
    }

    /// Fetches the packets of a host whose [fetching](Self::set_fetching) is off.
    pub fn fetch(&mut self, host: HostId) {
        self.hosts[host.0].fetch_all(self.now);
    }

    /// Sends a packet in each direction and sees it arrive within two seconds.
    ///
    /// # Panics
    /// When one does not.
    pub fn assert_talking(&mut self, server: HostId, client: HostId) {
        let id = self.id(client);
        let [before_server, before_client] = [server, client].map(|host| self.packets(host).len());
        self.send(client, 1, TransferMode::Reliable, b"up").expect("a connected client");
        self.send(server, id.get(), TransferMode::Reliable, b"down").expect("a known client");
        self.run(Duration::from_secs(2));
        let up = self.packets(server)[before_server..].iter().any(|up| up.from == id && up.bytes == b"up");
        let down = self.packets(client)[before_client..].iter().any(|down| down.bytes == b"down");
        assert_eq!((up, down), (true, true));
    }

    /// Queues a packet on the default channel of its mode. The next poll sends it.
    ///
    /// # Errors
    /// Those of [`Session::send`].
    ///
    /// # Panics
    /// For the one number that is no target.
    pub fn send(
        &mut self,
        host: HostId,
        target: i32,
        mode: TransferMode,
        payload: &[u8],
    ) -> Result<(), SendError> {
        let target = Target::from_number(target).expect("a target");
        let options = SendOptions { target, mode, channel: TransferChannel::ByMode, always_ordered: false };
        self.session_mut(host).send(options, payload)
    }

    /// Flushes one host now.
    pub fn flush(&mut self, host: HostId) {
        self.driver_mut(host).flush();
        self.transmit(host);
    }

    /// Disconnects a client, and notes the event that this reports at once.
    ///
    /// # Errors
    /// Those of [`Session::disconnect_peer`].
    pub fn kick(&mut self, host: HostId, peer: PeerId, at_once: bool) -> Result<(), DisconnectError> {
        let (now, host) = (self.now, &mut self.hosts[host.0]);
        if let Some(event) = host.driver.session_mut().disconnect_peer(peer.get().into(), at_once)? {
            host.see_event(event, now);
        }
        Ok(())
    }

    /// Closes a host: it says goodbye and is not polled any more.
    pub fn close(&mut self, host: HostId) {
        self.driver_mut(host).end();
        self.transmit(host);
        self.vanish(host);
    }

    /// Ends a host without a word.
    pub fn vanish(&mut self, host: HostId) {
        let host = &mut self.hosts[host.0];
        host.over = true;
        host.driver.socket_mut().clear();
    }

    /// Stops polling a host, or begins again. Its socket keeps what arrives.
    pub fn set_paused(&mut self, host: HostId, paused: bool) {
        self.hosts[host.0].paused = paused;
    }

    /// Stops polling a foreign host, or begins again. Its socket keeps what arrives.
    pub fn set_raw_paused(&mut self, raw: RawId, paused: bool) {
        self.foreign[raw.0].paused = paused;
    }

    /// Sets whether the packets of a host are fetched behind each poll (they are).
    pub fn set_fetching(&mut self, host: HostId, fetching: bool) {
        let host = &mut self.hosts[host.0];
        host.fetching = fetching;
        host.has_lagged |= !fetching;
    }

    /// Sends a datagram from any address.
    pub fn inject(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        self.network.send(self.now, from, to, bytes);
    }

    /// Begins to record the datagrams that hosts send.
    pub fn record(&mut self) {
        self.record = Some(Vec::new());
    }

    /// What was recorded since the last call.
    pub fn take_recorded(&mut self) -> Vec<Datagram> {
        self.record.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Takes a datagram that arrived at an address without a host.
    pub fn receive_at(&mut self, address: SocketAddr) -> Option<(SocketAddr, Vec<u8>)> {
        self.network.receive(self.now, address)
    }

    /// An address that no host has had.
    pub fn new_address(&mut self) -> SocketAddr {
        let number = self.random.bits();
        let [a, b, c, ..] = number.to_be_bytes();
        let count = (self.hosts.len() + self.foreign.len()) as u16;
        let [high, low] = count.to_be_bytes();
        SocketAddr::from(([10, high, low, a | 1], PORT + u16::from_be_bytes([b, c]) % 20_000))
    }

    /// The time.
    #[must_use]
    pub const fn now(&self) -> Duration {
        self.now
    }

    /// The random numbers of this world.
    pub const fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// The network.
    pub const fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// Sets all links that have no setting of their own.
    pub fn set_links(&mut self, link: Link) {
        self.network.set_default(link);
    }

    /// A host's session.
    #[must_use]
    pub fn session(&self, host: HostId) -> &Session {
        self.hosts[host.0].driver.session()
    }

    /// A host's session, to do what the world does not.
    pub fn session_mut(&mut self, host: HostId) -> &mut Session {
        self.hosts[host.0].driver.session_mut()
    }

    /// A host's driver, whose clock shows the time.
    pub fn driver_mut(&mut self, host: HostId) -> &mut Driver<MemorySocket, VirtualClock> {
        let driver = &mut self.hosts[host.0].driver;
        driver.clock_mut().0 = self.now;
        driver
    }

    /// A foreign host.
    #[must_use]
    pub fn raw_ref(&self, raw: RawId) -> &RawPeer {
        &self.foreign[raw.0].peer
    }

    /// A foreign host.
    pub fn raw_mut(&mut self, raw: RawId) -> &mut RawPeer {
        &mut self.foreign[raw.0].peer
    }

    /// What a foreign host has seen.
    #[must_use]
    pub fn raw_events(&self, raw: RawId) -> &[RawEvent] {
        self.raw_ref(raw).events()
    }

    /// Where a host is.
    #[must_use]
    pub fn address(&self, host: HostId) -> SocketAddr {
        self.hosts[host.0].address
    }

    /// Where a foreign host is.
    #[must_use]
    pub fn raw_address(&self, raw: RawId) -> SocketAddr {
        self.foreign[raw.0].address
    }

    /// A host's own id.
    #[must_use]
    pub fn id(&self, host: HostId) -> PeerId {
        self.session(host).id()
    }

    /// How far a host's connection is.
    #[must_use]
    pub fn status(&self, host: HostId) -> Status {
        self.session(host).status()
    }

    /// A host's counters.
    #[must_use]
    pub fn counters(&self, host: HostId) -> &Counters {
        self.session(host).counters()
    }

    /// The peers that a host's game knows.
    #[must_use]
    pub fn known(&self, host: HostId) -> &BTreeSet<PeerId> {
        &self.hosts[host.0].known
    }

    /// Everything a host has seen, in order.
    #[must_use]
    pub fn log(&self, host: HostId) -> &[Entry] {
        &self.hosts[host.0].log
    }

    /// Forgets a host's log and answers it.
    pub fn take_log(&mut self, host: HostId) -> Vec<Entry> {
        std::mem::take(&mut self.hosts[host.0].log)
    }

    /// The events in a host's log.
    #[must_use]
    pub fn events(&self, host: HostId) -> Vec<Event> {
        self.log(host).iter().filter_map(|entry| entry.seen.event()).collect()
    }

    /// The packets in a host's log.
    #[must_use]
    pub fn packets(&self, host: HostId) -> Vec<&Packet> {
        self.log(host).iter().filter_map(|entry| entry.seen.packet()).collect()
    }

    /// Takes the packets out of a host's log.
    pub fn take_packets(&mut self, host: HostId) -> Vec<Packet> {
        let mut packets = Vec::new();
        for entry in std::mem::take(&mut self.hosts[host.0].log) {
            match entry.seen {
                Seen::Packet(packet) => packets.push(packet),
                Seen::Event(_) => self.hosts[host.0].log.push(entry),
            }
        }
        packets
    }

    fn transmit(&mut self, id: HostId) {
        let host = &mut self.hosts[id.0];
        for (to, bytes) in host.driver.socket().sent() {
            if let Some(record) = &mut self.record {
                record.push(Datagram { from: host.address, to, bytes: bytes.to_vec() });
            }
            self.network.send(self.now, host.address, to, bytes);
        }
        host.driver.socket_mut().clear_sent();
    }

    fn poll_raw(&mut self, id: RawId) {
        let (now, Foreign { address, peer, secure, paused }) = (self.now, &mut self.foreign[id.0]);
        if *paused {
            return;
        }
        let mut arrived: Vec<_> = std::iter::from_fn(|| self.network.receive(now, *address)).collect();
        let mut out = SecureOutput::default();
        if let Some(layer) = secure {
            layer.tick(now, &mut out);
            for (from, bytes) in arrived.drain(..) {
                layer.receive(now, from, &bytes, &mut || Verdict::Accept, &mut out);
            }
            arrived.extend(out.plain.iter().map(|(from, bytes)| (from, bytes.to_vec())));
        }
        for (to, bytes) in peer.poll(now, arrived.into_iter()) {
            match secure {
                Some(layer) => layer.send(now, to, &bytes, &mut out),
                None => out.wire.push(to, &bytes),
            }
        }
        for (to, bytes) in out.wire.iter() {
            if let Some(record) = &mut self.record {
                record.push(Datagram { from: *address, to, bytes: bytes.to_vec() });
            }
            self.network.send(now, *address, to, bytes);
        }
    }
}

struct Foreign {
    address: SocketAddr,
    peer: RawPeer,
    /// What it has heard of its associations does not matter: its ENet finds out.
    secure: Option<Box<dyn SecureLayer>>,
    paused: bool,
}
