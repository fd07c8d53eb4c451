//! The side of a session that faces the network: ENet, compression, encryption, admission and the relay.
//!
//! It works on time and datagrams, does what [`Command`]s ask for, and tells the game's side of what happens in [`Report`]s.
//! Nothing here asks the game: all that goes between the two sides are plain values.
//!
//! In: socket → [`datagrams`] (encryption, then compression) → ENet → [`relay`] → [`Report`].
//! Out: a packet → ENet → [`datagrams`] (compression, then encryption) → socket.

pub mod admission;
mod attempt;
mod backlog;
mod command;
mod connections;
mod datagrams;
mod engine;
mod link;
mod long_lost;
mod peer_limits;
mod queries;
mod relay;
mod report;
mod report_queue;
mod secure;
pub(crate) mod statistics;
mod strangers;
mod tags;
mod told;
mod warnings;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

pub use attempt::PeerTimeout;
use backlog::Backlog;
pub use backlog::Credit;
pub(crate) use backlog::cost;
pub use command::{Command, Setting};
pub use datagrams::MAX_DATAGRAM;
use engine::Host;
pub use link::Link;
use nme_enet::{DisconnectReason, DropReason, Event, Packet, PeerHandle, SendError};
pub use report::{Received, Report};
pub use report_queue::ReportQueue;

use crate::channel::{Delivery, Transfer};
use crate::counters::{Counters, Dropped, DroppedPacket};
use crate::datagram::DatagramBatch;
use crate::peer::PeerId;
use crate::query;
use crate::relay::announcement::Announcement;
use crate::relay::wire::{HEADER_LEN, SystemMessage};
use crate::relay::{Kick, ToldFigures};
use crate::secure::{SecureCounters, SecureLayer};
use crate::session::{Config, ConnectionError, Departure, MAX_PACKET, MaxBuffered, MaxClients, Mtu};
use admission::{Admission, Outcome};
use attempt::Attempt;
use connections::Connections;
use datagrams::Datagrams;
use queries::Queries;
use relay::Relay;
use tags::Tags;
use warnings::Warnings;

/// One socket's worth of connections.
pub struct Endpoint {
    host: Host,
    datagrams: Datagrams,
    connections: Connections,
    role: Role,
    channel_count: u8,
    counters: Counters,
    reports: VecDeque<Report>,
    backlog: Backlog,
    tags: Tags,
    /// What holds for each new peer.
    default_timeout: Option<PeerTimeout>,
    warnings: Warnings,
    /// The time that the owner told last.
    told: Duration,
    /// The host's time, which never jumps.
    now: Duration,
}

/// How unreliable packets are dropped when a link becomes slow: a time in ms, and two shares in thirty-seconds.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    pub(crate) interval: u32,
    pub(crate) acceleration: u32,
    pub(crate) deceleration: u32,
}

/// What a packet has brought.
#[derive(Debug)]
enum Brought {
    /// A packet for the game.
    Packet(Received),
    /// Client: word of another client.
    SystemMessage(SystemMessage),
}

/// What only a server or only a client has.
enum Role {
    Server { admission: Box<Admission>, queries: Box<Queries>, relay: Relay },
    Client(Attempt),
}

impl Endpoint {
    /// A server of this many clients. With a layer, it talks to nobody without encryption.
    #[must_use]
    pub fn server(config: &Config, clients: MaxClients, secure: Option<Box<dyn SecureLayer>>) -> Self {
        let clients = clients.get();
        let role = Role::Server {
            admission: Box::new(Admission::new(clients, config.cookie_key())),
            queries: Box::new(Queries::new(clients, config.server_number())),
            relay: Relay::new(config.server_relay),
        };
        let mut engine = nme_enet::Config::server(clients, config.seed);
        engine.mtu = datagrams::mtu(config.mtu, secure.as_deref(), true);
        Self::new(engine, role, config, secure)
    }

    /// A client without a server.
    #[must_use]
    pub fn client(config: &Config, secure: Option<Box<dyn SecureLayer>>) -> Self {
        let mut engine = nme_enet::Config::client(config.seed);
        engine.mtu = datagrams::mtu(config.mtu, secure.as_deref(), false);
        Self::new(
            engine,
            Role::Client(Attempt::new(config.client_id(), config.connect_timeout)),
            config,
            secure,
        )
    }

    fn new(
        mut engine: nme_enet::Config,
        role: Role,
        config: &Config,
        secure: Option<Box<dyn SecureLayer>>,
    ) -> Self {
        engine.channel_limit = config.channel_count;
        engine.in_bandwidth = config.bandwidth.incoming;
        engine.out_bandwidth = config.bandwidth.outgoing;
        engine.max_packet = MAX_PACKET + HEADER_LEN;
        // 3.6 asks for the largest; others may have been told of a path, or have a layer that leaves less.
        engine.peer_mtu = Mtu::MIN.get()..=Mtu::MAX.get();
        engine.quotas = config.limits.incoming;
        engine.unacknowledged_limit = config.limits.unacknowledged;
        engine.stalled_limit = config.limits.stalled;
        Self {
            host: Host::new(engine),
            datagrams: Datagrams::new(config.compression, secure),
            connections: Connections::default(),
            role,
            channel_count: config.channel_count,
            counters: Counters::default(),
            reports: VecDeque::new(),
            backlog: Backlog::new(MaxBuffered::default().get() as usize),
            tags: Tags::new(config),
            default_timeout: None,
            warnings: Warnings::default(),
            told: Duration::ZERO,
            now: Duration::ZERO,
        }
    }

    /// Time goes on. Going back is ignored.
    fn set_time(&mut self, now: Duration) {
        self.told = now;
        self.now = self.host.advance(now);
    }

    /// Begins a poll: time goes on, before anything is read.
    pub fn begin_poll(&mut self, now: Duration) {
        self.set_time(now);
        if let Role::Server { admission, .. } = &mut self.role {
            admission.begin_poll(self.now);
        }
        self.reconsider_reception();
        self.tick_encryption();
        self.heed_deadline();
    }

    /// Takes a datagram off the socket. Its effects come out of [`Self::next_report`].
    pub fn receive(&mut self, from: SocketAddr, datagram: &[u8]) {
        self.counters.datagrams_received += 1;
        self.counters.bytes_received += datagram.len() as u64;
        if query::is_query(datagram) {
            self.receive_query(from, datagram);
        } else if self.datagrams.is_encrypted() {
            self.receive_encrypted(from, datagram);
        } else {
            self.receive_plain(from, datagram);
        }
    }

    /// Lets time work, once everything that has come is read: repeats, pings, timeouts.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.set_time(now);
        self.host.handle_timeout(now);
        self.drop_untagged();
    }

    /// The owner's time by which the next poll is due, if nothing happens before. It may be early.
    #[must_use]
    pub fn poll_timeout(&self) -> Duration {
        let (has_newcomers, is_trying) = match &self.role {
            Role::Server { relay, .. } => (relay.has_newcomers(), false),
            Role::Client(attempt) => (false, attempt.goes_on()),
        };
        let is_securing = self.secure_counters().is_some_and(|counters| counters.half_open > 0);
        let pause = if has_newcomers {
            Duration::ZERO
        } else if is_trying || is_securing || self.backlog.slows_some() {
            SHORT_PAUSE
        } else {
            LONG_PAUSE
        };
        let latest = self.told + pause;
        self.host.poll_timeout().map_or(latest, |time| time.min(latest))
    }

    /// The next thing that happened; each is worked on when it is asked for.
    pub fn next_report(&mut self) -> Option<Report> {
        loop {
            if let Some(report) = self.reports.pop_front() {
                return Some(report);
            }
            let Some(event) = self.host.poll_event() else {
                return self.next_question().map(Report::Question);
            };
            match event {
                Event::Connected { peer, address, channels, data } => {
                    self.on_connected(peer, address, channels, data);
                }
                Event::Disconnected { peer, reason } => self.on_disconnected(peer, reason),
                Event::Received { peer, channel, delivery, packet } => {
                    let report = self.on_received(peer, Transfer { channel, delivery }, packet);
                    if report.is_some() {
                        return report;
                    }
                }
                Event::Exceeded { peer, limit } => self.cut_off(peer, limit),
            }
        }
    }

    /// Turns everything that waits into datagrams.
    pub fn flush(&mut self, now: Duration) {
        self.set_time(now);
        self.introduce_some();
        self.host.flush(now);
        self.collect();
        if let Role::Server { relay, .. } = &mut self.role {
            relay.renew_introductions();
        }
    }

    /// The datagrams that are ready for the socket. Take them all and clear the batch.
    pub fn transmit(&mut self) -> &mut DatagramBatch {
        self.collect();
        self.datagrams.ready()
    }

    /// Counts datagrams that the socket has taken, and their bytes.
    pub const fn note_sent(&mut self, datagrams: u64, bytes: u64) {
        self.counters.datagrams_sent += datagrams;
        self.counters.bytes_sent += bytes;
    }

    /// A packet of these parts, to be sent to any number of peers.
    pub(crate) fn packet(&mut self, parts: &[&[u8]]) -> Packet {
        self.host.packets().packet(parts)
    }

    /// Queues a packet. A peer that has gone meanwhile is passed over.
    fn send(&mut self, peer: PeerHandle, transfer: Transfer, packet: &Packet) {
        send(&mut self.host, &mut self.counters, peer, transfer, packet);
    }

    /// Ends a connection at once. What waits for the peer is sent once, as far as ENet's window lets it.
    fn disconnect_now(&mut self, peer: PeerHandle) {
        self.introduce_some();
        self.host.flush(self.told);
        self.collect();
        self.host.disconnect_now(peer, 0);
        self.forget(peer);
    }

    /// Ends a connection when everything that waits has arrived.
    fn disconnect_later(&mut self, peer: PeerHandle) {
        self.host.disconnect_later(peer, 0);
        if let Some(connection) = self.connections.get_mut(peer) {
            connection.is_leaving = true;
        }
        self.note_vacancy();
    }

    /// Sends a datagram that has nothing to do with any connection, such as one that opens a way through a router.
    fn send_datagram(&mut self, to: SocketAddr, datagram: &[u8]) {
        self.datagrams.ready().push(to, datagram);
    }

    /// Ends a connection when everything that waits has arrived, and the reason, which is the last.
    fn kick(&mut self, peer: PeerHandle, kick: &Kick) {
        // Not from the pool, which would keep the memory.
        self.send(peer, SYSTEM_MESSAGE, &Packet::new(kick.encode()));
        if let Some(connection) = self.connections.get_mut(peer) {
            connection.is_kicked = true;
        }
        self.disconnect_later(peer);
    }

    /// Tells all connected peers that this side ends, with its id.
    pub fn close(&mut self, now: Duration) {
        self.flush(now);
        let id = match &self.role {
            Role::Server { .. } => PeerId::SERVER,
            Role::Client(attempt) => attempt.id(),
        };
        let id = id.get() as u32;
        let peers: Vec<PeerHandle> = self.connections.iter().map(|connection| connection.handle).collect();
        for peer in peers {
            self.host.disconnect_now(peer, id);
        }
        self.collect();
        self.datagrams.close_all(self.now);
    }

    /// Sets when a silent peer is given up; see [`crate::session::Session::set_peer_timeout`].
    fn set_timeout(&mut self, peer: PeerHandle, timeout: PeerTimeout) {
        self.host.set_timeout(peer, timeout.limit, timeout.minimum, timeout.maximum);
    }

    /// Sets how unreliable packets are dropped; see [`crate::session::Session::set_peer_throttle`].
    fn set_throttle(&mut self, peer: PeerHandle, throttle: Throttle) {
        let Throttle { interval, acceleration, deceleration } = throttle;
        self.host.set_throttle(peer, interval, acceleration, deceleration);
    }

    /// Drops what a peer sends from now on.
    fn ignore(&mut self, peer: PeerHandle) {
        if let Some(connection) = self.connections.get_mut(peer) {
            connection.is_ignored = true;
        }
    }

    /// Server: turns new clients away, or takes them again.
    const fn set_refusing(&mut self, refusing: bool) {
        if let Role::Server { admission, .. } = &mut self.role {
            admission.set_refusing(refusing);
        }
    }

    /// Everything counted so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts a packet that the game's side has dropped.
    const fn note_dropped(&mut self, reason: DroppedPacket) {
        self.counters.drop_packet(reason);
    }

    /// Commands that were ignored for this reason.
    pub(crate) const fn ignored_commands(&self, reason: DropReason) -> u64 {
        let dropped = self.counters.dropped(Dropped::Enet(reason));
        self.host.figures().dropped(reason).saturating_sub(dropped)
    }

    /// What the encryption has counted, when there is one.
    pub(crate) fn secure_counters(&self) -> Option<SecureCounters> {
        self.datagrams.secure_counters()
    }

    #[cold]
    fn on_connected(&mut self, peer: PeerHandle, address: SocketAddr, channels: u8, data: u32) {
        let id = match &mut self.role {
            Role::Server { admission, .. } => {
                let id = PeerId::client(data).filter(|id| !self.connections.has(*id));
                if id.is_none() {
                    admission.note(Outcome::IdTaken);
                }
                let is_welcome = !admission.is_refusing() && !admission.has_enough_of(address);
                let Some(id) = id.filter(|_| is_welcome) else {
                    // The client is told, so that it need not find out by a timeout.
                    self.host.disconnect_now(peer, 0);
                    self.collect();
                    self.datagrams.close_unless_used(self.now, address, &self.host);
                    return;
                };
                admission.note_connected(address);
                id
            }
            Role::Client(attempt) => {
                attempt.succeed();
                PeerId::SERVER
            }
        };
        // When the connection has ended already, behind that address there can be another one.
        let is_alive = self.host.address(peer).is_some();
        let association = if is_alive { self.datagrams.association(self.now, address) } else { None };
        self.connections.insert(id, peer, address, channels, association);
        self.begin_tags(peer);
        if let Some(timeout) = self.default_timeout {
            self.set_timeout(peer, timeout);
        }
        self.set_own_timeout(peer);
        self.welcome(id);
        self.reports.push_back(Report::Connected { id, peer, address, channels });
    }

    #[cold]
    fn on_disconnected(&mut self, peer: PeerHandle, reason: DisconnectReason) {
        let was_told = matches!(reason, DisconnectReason::ByPeer(_));
        if !self.connections.contains(peer) {
            let error = if was_told { ConnectionError::Refused } else { ConnectionError::TimedOut };
            return self.fail_attempt(error);
        }
        self.note_long_lost(peer, reason);
        self.lose(peer, long_lost::departure_of(reason));
    }

    fn lose(&mut self, peer: PeerHandle, departure: Departure) {
        let is_kicked = self.connections.get(peer).is_some_and(|connection| connection.is_kicked);
        let departure =
            if is_kicked && departure == Departure::Disconnected { Departure::Kicked } else { departure };
        if let Some(id) = self.forget(peer) {
            self.reports.push_back(Report::Disconnected { id, peer, departure });
        }
    }

    /// A connection has ended: forgets it, and tells those who know of it.
    fn forget(&mut self, peer: PeerHandle) -> Option<PeerId> {
        let connection = self.connections.remove(peer)?;
        if let Role::Server { admission, .. } = &mut self.role {
            admission.note_gone(connection.address);
        }
        self.announce_departure(&connection);
        if let Some(association) = connection.association {
            // Its last datagrams come before the end of the encryption.
            self.collect();
            self.datagrams.close_association(self.now, &association, &self.host);
        }
        Some(connection.id)
    }

    /// What the game's side has to know of a packet. Nothing else waits to be reported then.
    fn on_received(&mut self, peer: PeerHandle, transfer: Transfer, packet: Packet) -> Option<Report> {
        if transfer.channel == crate::channel::CONFIG
            && matches!(self.role, Role::Client(_))
            && let Some(taken) = self.take_server_message(peer, &packet)
        {
            return taken;
        }
        let brought = if self.connections.get(peer)?.is_ignored {
            Err(DroppedPacket::Ignored)
        } else {
            match self.role {
                Role::Server { .. } => self.route(peer, transfer, packet),
                Role::Client(_) => attempt::read_server_packet(peer, transfer, packet).map(Some),
            }
        };
        match brought {
            Ok(Some(Brought::Packet(received))) => {
                if let Some(displaces) = self.admit_packet(&received) {
                    return Some(Report::Received { received, displaces });
                }
                self.counters.drop_packet(DroppedPacket::NotFetched);
            }
            Ok(Some(Brought::SystemMessage(message))) => return Some(Report::SystemMessage(message)),
            Ok(None) => {}
            Err(reason) => self.counters.drop_packet(reason),
        }
        None
    }

    /// Client: takes what a server of this project tells its clients only; `None` for everything else.
    #[cold]
    fn take_server_message(&mut self, peer: PeerHandle, packet: &Packet) -> Option<Option<Report>> {
        if let Some(announcement) = Announcement::decode(packet) {
            self.take_announcement(peer, &announcement);
            Some(None)
        } else if let Some((about, told)) = ToldFigures::decode(packet) {
            Some(self.take_figures(about, told))
        } else {
            Kick::decode(packet).map(|kick| Some(Report::Kicked(kick)))
        }
    }

    const fn is_server(&self) -> bool {
        matches!(self.role, Role::Server { .. })
    }

    /// A place is free, or will be.
    fn note_vacancy(&mut self) {
        if let Role::Server { admission, .. } = &mut self.role {
            admission.forget_newcomers();
        }
    }
}

fn send(host: &mut Host, counters: &mut Counters, peer: PeerHandle, transfer: Transfer, packet: &Packet) {
    match host.send(peer, transfer.channel, packet, transfer.delivery) {
        // Too much for a peer is an event of its own.
        Ok(_) => {}
        Err(SendError::Channel) => counters.drop_packet(DroppedPacket::NoChannel),
        Err(_) => counters.drop_packet(DroppedPacket::Unsent),
    }
}

/// How the server's system messages travel.
const SYSTEM_MESSAGE: Transfer = Transfer { channel: crate::channel::CONFIG, delivery: Delivery::Reliable };

/// Between two looks at what has no timer of its own: handshakes of the encryption, and senders that are slowed down.
const SHORT_PAUSE: Duration = Duration::from_millis(10);

/// The same for deadlines of seconds.
const LONG_PAUSE: Duration = Duration::from_millis(250);
