//! A server or a client: the rules of 3.6's class over one ENet host.
//!
//! A driver owns a session and moves bytes and time:
//!
//! 1. [`Session::begin_poll`] with the time;
//! 2. [`Session::receive`] for datagrams off the socket, then [`Session::poll_event`] until it answers `None`,
//!    and again while the socket has more;
//! 3. [`Session::flush`], and every datagram of [`Session::transmit`] goes to the socket; those that it has taken are
//!    counted with [`Session::note_sent`].
//!
//! Between any two of these calls the game may send, fetch packets and disconnect peers: an event is
//! handed out as it happens on the wire, not after everything else of the same poll. Step 3 follows each
//! call that can produce datagrams.

mod admission;
mod backlog;
mod client;
mod config;
mod connection_error;
mod error;
mod event;
mod handshake;
mod inbox;
mod link;
mod outgoing;
mod peers;
mod run;
mod server;
mod waiting;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

pub use config::{
    Bandwidth, BandwidthError, Config, Limits, MAX_CLIENTS, MAX_PACKET, MaxClients, MaxClientsError,
};
pub use connection_error::ConnectionError;
pub use error::{
    CreateError, DisconnectError, NotForwarded, PeerError, SendError, ThrottleError, TimeoutError,
};
pub use event::{Event, Status};
pub use inbox::Received;
pub use waiting::FlushMode;

use crate::channel::{self, TransferChannel, TransferMode};
use crate::counters::{Counters, DroppedPacket};
use crate::datagram::DatagramBatch;
use crate::enet::{HostConfig, HostEvent, Packet, RustyHost, Slot};
use crate::guard::{DropReason, GuardConfig, Role as GuardRole};
use crate::peer::{Link, PeerId, PeerTable};
use crate::pipeline::{self, Pipeline};
use crate::relay::Target;
use crate::relay::wire::HEADER_LEN;
use crate::secure::SecureLayer;
use backlog::Backlog;
use client::Client;
use inbox::Inbox;
use link::HostLink;
use run::Run;
use server::Server;
use waiting::Waiting;

/// A server or a client.
pub struct Session {
    link: HostLink,
    role: Role,
    id: PeerId,
    channel_count: u8,
    peers: PeerTable,
    inbox: Inbox,
    run: Run,
    flush_mode: FlushMode,
    events: VecDeque<Event>,
    /// Peers that have left while the game had packets of theirs to fetch: reported by the next poll.
    leaving: Vec<PeerId>,
}

enum Role {
    Server(Server),
    Client(Client),
}

/// How to send a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendOptions {
    /// Whom it is for.
    pub target: Target,
    /// How it travels.
    pub mode: TransferMode,
    /// On which channel.
    pub channel: TransferChannel,
    /// Keeps unreliable packets in order, too.
    pub always_ordered: bool,
}

impl Session {
    /// A server. It is connected from the start. With a layer, it talks to nobody without encryption.
    ///
    /// # Errors
    /// When the ENet host cannot be made.
    pub fn server(
        config: &Config,
        max_clients: MaxClients,
        secure: Option<Box<dyn SecureLayer>>,
    ) -> Result<Self, CreateError> {
        let server = Server::new(config.server_relay);
        Self::new(config, max_clients.0, GuardRole::Server, PeerId::SERVER, Role::Server(server), secure)
    }

    /// A client with a new random id. It has no server before [`Session::connect`]. With a layer, it talks to it only
    /// encrypted.
    ///
    /// # Errors
    /// When the ENet host cannot be made.
    pub fn client(config: &Config, secure: Option<Box<dyn SecureLayer>>) -> Result<Self, CreateError> {
        let id = PeerId::from_random((config.seed >> 32) as u32);
        Self::new(config, 1, GuardRole::Client, id, Role::Client(Client::new()), secure)
    }

    fn new(
        config: &Config,
        slots: u16,
        guard_role: GuardRole,
        id: PeerId,
        role: Role,
        secure: Option<Box<dyn SecureLayer>>,
    ) -> Result<Self, CreateError> {
        let max_packet = MAX_PACKET + HEADER_LEN;
        let mtu = pipeline::mtu(secure.as_deref());
        let peer_mtu = pipeline::peer_mtu(secure.as_deref());
        let host = RustyHost::new(&HostConfig {
            peer_limit: slots,
            channel_limit: config.channel_count,
            in_bandwidth: config.bandwidth.incoming,
            out_bandwidth: config.bandwidth.outgoing,
            max_packet,
            mtu,
            seed: config.seed as u32,
        })
        .ok_or(CreateError::Host)?;
        let quotas = config.limits.incoming;
        let guard = GuardConfig { role: guard_role, slots, mtu, peer_mtu, max_packet, quotas };
        Ok(Self {
            link: HostLink {
                host: Box::new(host),
                pipeline: Pipeline::new(config.compression, guard, secure),
                counters: Counters::default(),
                waiting: Waiting::new(mtu),
                backlog: Backlog::default(),
                unacknowledged_limit: config.limits.unacknowledged,
            },
            role,
            id,
            channel_count: config.channel_count,
            peers: PeerTable::default(),
            inbox: Inbox::default(),
            run: Run::default(),
            flush_mode: FlushMode::default(),
            events: VecDeque::new(),
            leaving: Vec::new(),
        })
    }

    /// Client: asks the server at `address` for a connection. Further calls do nothing.
    pub fn connect(&mut self, now: Duration, address: SocketAddr) {
        self.link.set_time(now);
        self.begin_connection(address);
    }

    /// Client: gives up an attempt whose server's address cannot be found.
    pub fn fail(&mut self) {
        self.fail_attempt(ConnectionError::NotResolved);
    }

    /// Begins a poll: time goes on, and departures that were held back are due.
    pub fn begin_poll(&mut self, now: Duration) {
        self.link.begin_poll(now);
        self.release_run();
        self.events.extend(self.leaving.drain(..).map(Event::PeerDisconnected));
        if let Role::Client(client) = &mut self.role
            && client.take_held_loss()
        {
            self.report_lost_server();
        }
        self.heed_handshakes();
        self.heed_deadline();
    }

    /// Takes a datagram off the socket. Its effects come out of [`Session::poll_event`].
    pub fn receive(&mut self, from: SocketAddr, datagram: &[u8]) {
        let link = &mut self.link;
        link.pipeline.receive(from, datagram, link.host.as_mut(), &mut link.counters);
        self.heed_handshakes();
    }

    /// The next thing that happened, or `None` when everything received so far has been worked off.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.release_run();
        loop {
            if let Some(event) = self.events.pop_front() {
                self.apply(event);
                return Some(event);
            }
            let happened = self.link.next_event()?;
            match happened {
                HostEvent::Connected { slot, data } => self.on_connected(slot, data),
                HostEvent::Disconnected { slot } => self.on_disconnected(slot),
                HostEvent::Received { slot, channel, packet } => self.on_received(slot, channel, packet),
            }
        }
    }

    /// Turns all that is queued into datagrams.
    pub fn flush(&mut self, now: Duration) {
        self.link.set_time(now);
        self.release_run();
        self.introduce_some();
        self.link.flush();
        self.renew_introductions();
    }

    /// When packets are to leave; the driver keeps to it with [`Session::flush_is_due`] before each packet,
    /// [`Session::flush_is_overdue`] and [`Session::needs_flush`] behind it, and a flush at the end of the frame.
    #[must_use]
    pub const fn flush_mode(&self) -> FlushMode {
        self.flush_mode
    }

    /// Sets when packets are to leave.
    pub const fn set_flush_mode(&mut self, mode: FlushMode) {
        self.flush_mode = mode;
    }

    /// True when packets wait for a flush.
    #[must_use]
    pub const fn needs_flush(&self) -> bool {
        !self.waiting().is_empty()
    }

    /// True when a flush should come before this packet is queued, because a receiver of it has a datagram's worth
    /// waiting already, or because all that waits takes too much memory. The driver then need not wait for the end
    /// of the frame.
    #[must_use]
    pub fn flush_is_due(&self, options: &SendOptions, payload: &[u8]) -> bool {
        let delivery = channel::delivery(options.mode, options.always_ordered);
        let len = HEADER_LEN + payload.len();
        if !self.waiting().is_full(len, delivery) {
            return false;
        }
        match (&self.role, options.target) {
            (Role::Server(_), Target::One(id)) if !self.waiting().exceeds_memory() => {
                let slot = self.peers.link(id).and_then(Link::slot);
                slot.is_some_and(|slot| self.waiting().is_slot_full(slot, len, delivery))
            }
            _ => true,
        }
    }

    /// True when packets have waited for a flush for 5 ms, in a frame that is longer. To be asked behind each packet,
    /// which begins the wait, and whenever else the driver works.
    #[must_use]
    pub fn flush_is_overdue(&mut self, now: Duration) -> bool {
        self.link.waiting.is_overdue(now)
    }

    const fn waiting(&self) -> &Waiting {
        &self.link.waiting
    }

    /// The datagrams that are ready for the socket. Take them all and clear the batch; [`Session::note_sent`] is told of
    /// those that the socket has taken.
    pub fn transmit(&mut self) -> &mut DatagramBatch {
        self.link.collect();
        self.link.pipeline.ready()
    }

    /// Counts datagrams that the socket has taken, and their bytes.
    pub const fn note_sent(&mut self, datagrams: u64, bytes: u64) {
        self.link.counters.datagrams_sent += datagrams;
        self.link.counters.bytes_sent += bytes;
    }

    /// Server: disconnects a client. With `now`, at once, and the event to report is returned: what is queued for it
    /// is sent once if ENet's window lets it, and its packets that were not fetched yet are forgotten. Otherwise it leaves, with an
    /// event of its own, when everything queued has arrived.
    ///
    /// # Errors
    /// On a client, and for an id that no client has.
    pub fn disconnect_peer(&mut self, id: i64, now: bool) -> Result<Option<Event>, DisconnectError> {
        let Role::Server(_) = &self.role else { return Err(DisconnectError::NotServer) };
        let peer = self.known(id).ok_or(DisconnectError::UnknownPeer(id))?;
        self.release_run();
        let slot = self.peers.link(peer).and_then(Link::slot);
        if !now {
            if let Some(slot) = slot {
                self.link.disconnect_later(slot);
            }
            return Ok(None);
        }
        if let Some(slot) = slot {
            // What was put before has left already in 3.6, as far as ENet lets it.
            self.link.flush();
            self.link.disconnect_now(slot, 0);
            self.peers.mark_gone(peer);
            let overflown = self.announce_departure(peer);
            self.lose(overflown);
        }
        self.inbox.forget(peer);
        self.leaving.retain(|leaving| *leaving != peer);
        self.events.retain(|event| *event != Event::PeerDisconnected(peer));
        self.peers.remove(peer);
        Ok(Some(Event::PeerDisconnected(peer)))
    }

    /// Tells every connected peer that this session ends, and ends every association of the encryption. The
    /// datagrams are in [`Session::transmit`]; the session is of no use afterwards.
    pub fn close(&mut self, now: Duration) {
        self.flush(now);
        let slots: Vec<Slot> = self.peers.slots().map(|(_, slot)| slot).collect();
        for slot in slots {
            self.link.disconnect_now(slot, self.id.get() as u32);
        }
        self.link.flush();
        self.link.pipeline.close_all();
    }

    /// How far the connection is.
    #[must_use]
    pub fn status(&self) -> Status {
        match &self.role {
            Role::Server(_) => Status::Connected,
            Role::Client(client) => client.status(),
        }
    }

    /// This side's own id: 1 for a server, a random number from 2 for a client.
    #[must_use]
    pub const fn id(&self) -> PeerId {
        self.id
    }

    /// True for a server.
    #[must_use]
    pub const fn is_server(&self) -> bool {
        matches!(self.role, Role::Server(_))
    }

    /// Server: turns new clients away, or takes them again.
    pub fn set_refuse_new_connections(&mut self, refuse: bool) {
        if let Role::Server(server) = &mut self.role {
            server.set_refusing(refuse);
            self.link.pipeline.set_refusing(refuse);
        }
    }

    /// Packets that wait to be fetched.
    #[must_use]
    pub fn waiting_packets(&self) -> usize {
        self.inbox.len()
    }

    /// The packet that [`Session::fetch`] would fetch.
    #[must_use]
    pub fn next_packet(&self) -> Option<&Received> {
        self.inbox.next()
    }

    /// Fetches the next packet.
    pub fn fetch(&mut self) -> Option<Received> {
        self.inbox.fetch()
    }

    /// Everything counted so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.link.counters
    }

    /// Commands that the guard has cut out of datagrams for one of the reasons that concern single commands.
    #[must_use]
    pub const fn refused_commands(&self, reason: DropReason) -> u64 {
        self.link.pipeline.refused_commands(reason)
    }

    /// Server: the first packet that could not be passed on for want of a channel. Answers once.
    pub const fn take_not_forwarded(&mut self) -> Option<NotForwarded> {
        match &mut self.role {
            Role::Server(server) => server.take_not_forwarded(),
            Role::Client(_) => None,
        }
    }

    /// Brings the peer table to where the game sees it when it hears of `event`.
    fn apply(&mut self, event: Event) {
        match event {
            Event::PeerDisconnected(id) => self.peers.remove(id),
            Event::ServerDisconnected | Event::ConnectionFailed => {
                if let Role::Client(client) = &mut self.role {
                    client.end();
                }
            }
            Event::PeerConnected(_) | Event::ConnectionSucceeded => {}
        }
    }

    fn on_connected(&mut self, slot: Slot, data: u32) {
        let Some(address) = self.link.host.address(slot) else { return };
        let agreed = self.link.pipeline.channel_count(slot).min(self.channel_count.into()) as u8;
        match &mut self.role {
            Role::Server(server) => {
                let newcomer = PeerId::client(data).filter(|id| !self.peers.contains(*id));
                let Some(id) = newcomer.filter(|_| !server.is_refusing()) else {
                    // The client is told, so that it need not find out by a timeout.
                    self.link.disconnect_now(slot, 0);
                    return;
                };
                self.peers.insert_direct(id, slot, address, agreed);
                self.events.push_back(Event::PeerConnected(id));
                self.introduce(id);
            }
            Role::Client(client) => {
                client.succeed();
                self.peers.insert_direct(PeerId::SERVER, slot, address, agreed);
                self.events.push_back(Event::PeerConnected(PeerId::SERVER));
                self.events.push_back(Event::ConnectionSucceeded);
            }
        }
    }

    fn on_disconnected(&mut self, slot: Slot) {
        let announced = self.link.release(slot);
        let Some(id) = self.peers.at(slot) else {
            let error = if announced { ConnectionError::Refused } else { ConnectionError::TimedOut };
            return self.fail_attempt(error);
        };
        if let Role::Client(client) = &mut self.role
            && announced
        {
            client.note(ConnectionError::ClosedByServer);
        }
        self.lose(vec![id]);
    }

    /// Peers with a connection have gone. Telling the others can be too much for some of those: they go, too.
    fn lose(&mut self, ids: Vec<PeerId>) {
        let mut ids = VecDeque::from(ids);
        while let Some(id) = ids.pop_front() {
            self.peers.mark_gone(id);
            if let Role::Client(client) = &mut self.role {
                client.note(ConnectionError::Lost);
            }
            match &mut self.role {
                Role::Server(_) => {
                    ids.extend(self.announce_departure(id));
                    self.report_departure(id);
                }
                // What is in the inbox would be lost with the session: the game gets one more turn to fetch it.
                Role::Client(client) if self.inbox.len() > 0 => client.hold_loss(),
                Role::Client(_) => self.report_lost_server(),
            }
        }
    }

    /// Reports that a peer has left, with the next poll when packets of it wait to be fetched.
    fn report_departure(&mut self, id: PeerId) {
        if self.inbox.has_from(id) {
            self.leaving.push(id);
        } else {
            self.events.push_back(Event::PeerDisconnected(id));
        }
    }

    fn report_lost_server(&mut self) {
        self.leaving.clear();
        self.events.clear();
        let others = self.peers.ids().filter(|id| *id != PeerId::SERVER);
        self.events.extend(others.map(Event::PeerDisconnected));
        self.events.push_back(Event::PeerDisconnected(PeerId::SERVER));
        self.events.push_back(Event::ServerDisconnected);
    }

    fn on_received(&mut self, slot: Slot, channel: u8, packet: Packet) {
        let Some(sender) = self.peers.at(slot) else { return };
        if self.peers.is_ignored(sender) {
            return self.link.counters.drop_packet(DroppedPacket::Ignored);
        }
        match &self.role {
            Role::Server(_) => self.on_client_packet(sender, channel, packet),
            Role::Client(_) if channel == channel::CONFIG => self.on_notice(&packet),
            Role::Client(_) => self.on_server_packet(channel, packet),
        }
    }
}
