//! A server or a client: the rules of 3.6's class over one ENet host.
//!
//! A driver owns a session and moves bytes and time:
//!
//! 1. [`Session::begin_poll`] with the time;
//! 2. [`Session::receive`] for datagrams off the socket, then [`Session::poll_event`] until it answers `None`,
//!    and again while the socket has more;
//! 3. [`Session::handle_timeout`] once everything is read, and the events of that;
//! 4. [`Session::flush`], and every datagram of [`Session::transmit`] goes to the socket; those that it has taken are
//!    counted with [`Session::note_sent`].
//!
//! Between any two of these calls the game may send, fetch packets and disconnect peers: an event is
//! handed out as it happens on the wire, not after everything else of the same poll. Step 4 follows each
//! call that can produce datagrams.

mod access;
mod admission;
mod backlog;
mod client;
mod config;
mod connection_error;
mod error;
mod event;
mod folding;
mod inbox;
mod outgoing;
mod peer_limits;
mod peer_table;
mod peers;
mod waiting;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

pub use config::{
    Bandwidth, BandwidthError, Config, Limits, MAX_CLIENTS, MAX_PACKET, MaxClients, MaxClientsError, Mtu,
    MtuError,
};
pub use connection_error::ConnectionError;
pub use error::{
    DisconnectError, LongLost, NotForwarded, PeerError, SendError, ThrottleError, TimeoutError, Warning,
};
pub use event::{Event, Status};
use nme_enet::PeerHandle;
pub use nme_enet::{DropReason, PeerLimit, Quotas};
pub use peer_limits::{
    CutOff, MaxBuffered, MaxBufferedError, MaxRate, MaxRateError, MaxReceived, MaxReceivedError,
};
pub use waiting::FlushMode;

use crate::channel::{self, TransferChannel, TransferMode};
use crate::counters::{Counters, DroppedPacket};
use crate::datagram::DatagramBatch;
pub use crate::endpoint::Received;
use crate::endpoint::{Endpoint, Report};
use crate::peer::PeerId;
use crate::relay::Target;
use crate::relay::wire::HEADER_LEN;
use crate::secure::{SecureCounters, SecureLayer};
use client::Client;
use folding::Folding;
use inbox::Inbox;
use peer_table::{PeerTable, Reach};
use waiting::Waiting;

/// A server or a client: the game's side, with the endpoint that it works on.
pub struct Session {
    endpoint: Endpoint,
    role: Role,
    id: PeerId,
    channel_count: u8,
    peers: PeerTable,
    inbox: Inbox,
    folding: Folding,
    waiting: Waiting,
    flush_mode: FlushMode,
    events: VecDeque<Event>,
    /// Peers that have left while the game had packets of theirs to fetch: reported by the next poll.
    leaving: Vec<PeerId>,
}

enum Role {
    Server,
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
    #[must_use]
    pub fn server(config: &Config, max_clients: MaxClients, secure: Option<Box<dyn SecureLayer>>) -> Self {
        let endpoint = Endpoint::server(config, max_clients.0, secure);
        Self::new(config, endpoint, PeerId::SERVER, Role::Server)
    }

    /// A client with a new random id. It has no server before [`Session::connect`]. With a layer, it talks to it only
    /// encrypted.
    #[must_use]
    pub fn client(config: &Config, secure: Option<Box<dyn SecureLayer>>) -> Self {
        let id = PeerId::from_random((config.seed >> 32) as u32);
        Self::new(config, Endpoint::client(config, secure), id, Role::Client(Client::new()))
    }

    fn new(config: &Config, endpoint: Endpoint, id: PeerId, role: Role) -> Self {
        Self {
            endpoint,
            role,
            id,
            channel_count: config.channel_count,
            peers: PeerTable::default(),
            inbox: Inbox::new(MaxBuffered::default().get() as usize),
            folding: Folding::default(),
            waiting: Waiting::new(config.mtu),
            flush_mode: FlushMode::default(),
            events: VecDeque::new(),
            leaving: Vec::new(),
        }
    }

    /// Client: asks the server at `address` for a connection. Further calls do nothing.
    pub fn connect(&mut self, now: Duration, address: SocketAddr) {
        if let Role::Client(client) = &mut self.role
            && client.is_trying()
        {
            client.set_server(address);
            self.endpoint.set_time(now);
            self.endpoint.connect(address, self.id);
        }
    }

    /// Client: gives up an attempt whose server's address cannot be found.
    pub fn fail(&mut self) {
        self.endpoint.fail_attempt(ConnectionError::NotResolved);
    }

    /// Begins a poll: time goes on, and departures that had to wait are due.
    pub fn begin_poll(&mut self, now: Duration) {
        self.endpoint.begin_poll(now);
        self.end_folding();
        for (via, reception) in self.inbox.reconsider() {
            self.endpoint.set_reception(via, reception);
        }
        self.events.extend(self.leaving.drain(..).map(Event::PeerDisconnected));
        if let Role::Client(client) = &mut self.role
            && client.take_loss()
        {
            self.report_lost_server();
        }
    }

    /// Takes a datagram off the socket. Its effects come out of [`Session::poll_event`].
    pub fn receive(&mut self, from: SocketAddr, datagram: &[u8]) {
        self.endpoint.receive(from, datagram);
    }

    /// Lets time work, once all that has come is received: repeats, pings, timeouts. What comes of it is in
    /// [`Session::poll_event`].
    pub fn handle_timeout(&mut self, now: Duration) {
        self.endpoint.handle_timeout(now);
    }

    /// The next thing that happened, or `None` when everything received so far has been worked off.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.end_folding();
        loop {
            if let Some(event) = self.events.pop_front() {
                self.apply(event);
                return Some(event);
            }
            match self.endpoint.next_report()? {
                Report::Connected { id, peer, address, channels } => {
                    self.on_connected(id, Reach::Direct { peer, address, channels });
                }
                Report::Disconnected { id, peer, error } => self.on_disconnected(id, peer, error),
                Report::Received(received) => self.on_received(received),
                Report::SystemMessage(system_message) => self.on_system_message(system_message),
                Report::Failed(error) => self.on_failed(error),
            }
        }
    }

    /// Turns all that is queued into datagrams.
    pub fn flush(&mut self, now: Duration) {
        self.end_folding();
        self.endpoint.flush(now);
        self.waiting.clear();
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
        !self.waiting.is_empty()
    }

    /// True when a flush should come before this packet is queued, because a receiver of it has a datagram's worth
    /// waiting already, or because all that waits takes too much memory. The driver then need not wait for the end
    /// of the frame.
    #[must_use]
    pub fn flush_is_due(&self, options: &SendOptions, payload: &[u8]) -> bool {
        let delivery = channel::delivery(options.mode, options.always_ordered);
        let len = HEADER_LEN + payload.len();
        if !self.waiting.is_full(len, delivery) {
            return false;
        }
        match (&self.role, options.target) {
            (Role::Server, Target::One(id)) if !self.waiting.exceeds_memory() => {
                let peer = self.peers.handle(id);
                peer.is_some_and(|peer| self.waiting.is_peer_full(peer.index(), len, delivery))
            }
            _ => true,
        }
    }

    /// True when packets have waited for a flush for 5 ms, in a frame that is longer. To be asked behind each packet,
    /// which begins the wait, and whenever else the driver works.
    #[must_use]
    pub fn flush_is_overdue(&mut self, now: Duration) -> bool {
        self.waiting.is_overdue(now)
    }

    /// The datagrams that are ready for the socket. Take them all and clear the batch; [`Session::note_sent`] is told of
    /// those that the socket has taken.
    pub fn transmit(&mut self) -> &mut DatagramBatch {
        self.endpoint.transmit()
    }

    /// Counts datagrams that the socket has taken, and their bytes.
    pub const fn note_sent(&mut self, datagrams: u64, bytes: u64) {
        self.endpoint.note_sent(datagrams, bytes);
    }

    /// Server: disconnects a client. With `now`, at once, and the event to report is returned: what is queued for it
    /// is sent once if ENet's window lets it, and its packets that were not fetched yet are forgotten. Otherwise it leaves, with an
    /// event of its own, when everything queued has arrived.
    ///
    /// # Errors
    /// On a client, and for an id that no client has.
    pub fn disconnect_peer(&mut self, id: i64, now: bool) -> Result<Option<Event>, DisconnectError> {
        if !self.is_server() {
            return Err(DisconnectError::NotServer);
        }
        let id = self.known(id).ok_or(DisconnectError::UnknownPeer(id))?;
        self.end_folding();
        let peer = self.peers.handle(id);
        if !now {
            if let Some(peer) = peer {
                self.endpoint.disconnect_later(peer);
            }
            return Ok(None);
        }
        if let Some(peer) = peer {
            // What was put before has left already in 3.6, as far as ENet lets it.
            self.endpoint.disconnect_now(peer);
        }
        self.inbox.forget(id);
        self.leaving.retain(|leaving| *leaving != id);
        self.events.retain(|event| *event != Event::PeerDisconnected(id));
        self.peers.remove(id);
        Ok(Some(Event::PeerDisconnected(id)))
    }

    /// Tells every connected peer that this session ends, and ends every association of the encryption. The
    /// datagrams are in [`Session::transmit`]; the session is of no use afterwards.
    pub fn close(&mut self, now: Duration) {
        self.end_folding();
        self.endpoint.close(now, self.id);
    }

    /// Client: why the attempt has failed, or why the connection has ended. It is there before the event that reports
    /// it. Nothing is an error for a server, nor what this side ends itself.
    #[must_use]
    pub const fn connection_error(&self) -> Option<ConnectionError> {
        match &self.role {
            Role::Server => None,
            Role::Client(client) => client.error(),
        }
    }

    /// Everything that the encryption has counted, when there is one.
    #[must_use]
    pub fn secure_counters(&self) -> Option<SecureCounters> {
        self.endpoint.secure_counters()
    }

    /// How far the connection is.
    #[must_use]
    pub fn status(&self) -> Status {
        match &self.role {
            Role::Server => Status::Connected,
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
        matches!(self.role, Role::Server)
    }

    /// Server: turns new clients away, or takes them again.
    pub const fn set_refuse_new_connections(&mut self, refuse: bool) {
        self.endpoint.set_refusing(refuse);
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
        self.endpoint.counters()
    }

    /// Commands that were ignored for this reason, out of datagrams with others that were not.
    #[must_use]
    pub const fn ignored_commands(&self, reason: DropReason) -> u64 {
        self.endpoint.ignored_commands(reason)
    }

    /// The next thing that the game's developer should know, to be looked for behind each poll.
    pub fn take_warning(&mut self) -> Option<Warning> {
        self.endpoint.take_warning()
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

    fn on_connected(&mut self, id: PeerId, reach: Reach) {
        self.peers.insert(id, reach);
        self.events.push_back(Event::PeerConnected(id));
        if let Role::Client(client) = &mut self.role {
            client.succeed();
            self.events.push_back(Event::ConnectionSucceeded);
        }
    }

    fn on_disconnected(&mut self, id: PeerId, peer: PeerHandle, error: ConnectionError) {
        if self.peers.handle(id) != Some(peer) {
            return;
        }
        self.peers.mark_gone(id);
        match &mut self.role {
            Role::Server => self.report_departure(id),
            Role::Client(client) => {
                client.note(error);
                // What is in the inbox would be lost with the session: the game gets one more turn to fetch it.
                if self.inbox.len() > 0 {
                    client.postpone_loss();
                } else {
                    self.report_lost_server();
                }
            }
        }
    }

    /// Keeps a packet that has come over the connection with `first_hop` until the game fetches it.
    fn keep(&mut self, first_hop: PeerId, received: Received) {
        let Some(via) = self.peers.handle(first_hop) else { return };
        let added = self.inbox.push(received, via);
        for _ in 0..added.dropped {
            self.endpoint.note_dropped(DroppedPacket::NotFetched);
        }
        if let Some(reception) = added.reception {
            self.endpoint.set_reception(via, reception);
        }
    }

    fn on_failed(&mut self, error: ConnectionError) {
        if let Role::Client(client) = &mut self.role
            && client.fail(error)
        {
            self.events.push_back(Event::ConnectionFailed);
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

    fn on_received(&mut self, received: Received) {
        match &self.role {
            // When there is no connection, the game may have sent it away meanwhile.
            Role::Server => self.keep(received.from, received),
            Role::Client(_) => self.on_server_packet(received),
        }
    }
}
