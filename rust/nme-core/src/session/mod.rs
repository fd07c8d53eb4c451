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
mod client;
mod config;
mod connection_error;
mod departure;
mod error;
mod event;
mod folding;
mod inbox;
mod outgoing;
mod peer_limits;
mod peer_table;
mod peers;
mod reports;
mod waiting;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

pub use config::{
    Bandwidth, BandwidthError, Config, Limits, MAX_CLIENTS, MAX_PACKET, MaxClients, MaxClientsError, Mtu,
    MtuError,
};
pub use connection_error::ConnectionError;
pub use departure::Departure;
pub use error::{
    DisconnectError, KickError, LongLost, NotForwarded, PeerError, SendError, ThrottleError, TimeoutError,
    Warning,
};
pub use event::{Event, Status};
pub use nme_enet::{DropReason, PeerLimit, Quotas};
pub use peer_limits::{
    CutOff, MaxBuffered, MaxBufferedError, MaxRate, MaxRateError, MaxReceived, MaxReceivedError,
};
pub use waiting::FlushMode;

use crate::admission::Question;
use crate::channel::{self, TransferChannel, TransferMode};
use crate::counters::Counters;
use crate::datagram::DatagramBatch;
pub use crate::endpoint::Received;
use crate::endpoint::{Command, Credit, Endpoint, Link, Setting};
use crate::peer::PeerId;
use crate::relay::wire::HEADER_LEN;
use crate::relay::{Kick, Target};
use crate::secure::{SecureCounters, SecureLayer};
use client::Client;
use folding::Folding;
use inbox::Inbox;
use peer_table::PeerTable;
use waiting::Waiting;

/// A server or a client: the game's side, on an endpoint of its own or one in another thread.
pub struct Session<L = Endpoint> {
    link: L,
    role: Role,
    id: PeerId,
    channel_count: u8,
    peers: PeerTable,
    inbox: Inbox,
    folding: Folding,
    waiting: Waiting,
    flush_mode: FlushMode,
    events: VecDeque<Event>,
    /// Why peers have left of which the game has not heard yet.
    departures: BTreeMap<PeerId, Departure>,
    /// Why the peer of the last [`Event::PeerDisconnected`] has left.
    departure: Option<Departure>,
    /// Peers that have left while the game had packets of theirs to fetch: reported by the next poll.
    leaving: Vec<PeerId>,
    /// The peer whose [`Event::PeerConnected`] was the last event: unless the game keeps it apart, the others hear of it.
    newcomer: Option<PeerId>,
    questions: VecDeque<Question>,
    warnings: VecDeque<Warning>,
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

impl<L: Link> Session<L> {
    /// A server that works on this link.
    #[must_use]
    pub fn server_on(link: L, config: &Config) -> Self {
        Self::new(link, config, PeerId::SERVER, Role::Server)
    }

    /// A client that works on this link.
    #[must_use]
    pub fn client_on(link: L, config: &Config) -> Self {
        Self::new(link, config, config.client_id(), Role::Client(Client::new()))
    }

    fn new(link: L, config: &Config, id: PeerId, role: Role) -> Self {
        Self {
            link,
            role,
            id,
            channel_count: config.channel_count,
            peers: PeerTable::default(),
            inbox: Inbox::new(),
            folding: Folding::default(),
            waiting: Waiting::new(config.mtu, L::IS_DIRECT),
            flush_mode: FlushMode::default(),
            events: VecDeque::new(),
            departures: BTreeMap::new(),
            departure: None,
            leaving: Vec::new(),
            newcomer: None,
            questions: VecDeque::new(),
            warnings: VecDeque::new(),
        }
    }

    /// What the session works on.
    #[must_use]
    pub const fn link(&self) -> &L {
        &self.link
    }

    /// What the session works on, for its owner.
    pub const fn link_mut(&mut self) -> &mut L {
        &mut self.link
    }

    /// Begins the game's part of a poll: departures that had to wait are due.
    pub fn begin_events(&mut self) {
        self.end_folding();
        self.events.extend(self.leaving.drain(..).map(Event::PeerDisconnected));
        if let Role::Client(client) = &mut self.role {
            client.begin_poll();
            if client.take_loss() {
                self.report_lost_server();
            }
        }
    }

    /// The next thing that happened, or `None` when everything received so far has been worked off.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.end_folding();
        self.welcome_newcomer();
        loop {
            if let Some(event) = self.events.pop_front() {
                self.apply(event);
                return Some(event);
            }
            let report = self.link.next_report()?;
            self.take_report(report);
        }
    }

    /// Everything put so far is on its way: its owner flushes the endpoint.
    pub fn end_waiting(&mut self) {
        self.end_folding();
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
                self.link.execute(Command::DisconnectLater(peer));
            }
            return Ok(None);
        }
        if let Some(peer) = peer {
            // What was put before has left already in 3.6, as far as ENet lets it.
            self.link.execute(Command::DisconnectNow(peer));
        }
        self.forget_packets(id);
        self.leaving.retain(|leaving| *leaving != id);
        self.events.retain(|event| *event != Event::PeerDisconnected(id));
        self.peers.remove(id);
        self.departures.remove(&id);
        self.departure = Some(Departure::Disconnected);
        Ok(Some(Event::PeerDisconnected(id)))
    }

    /// Server: disconnects a client when everything queued has arrived, and tells it why before. Clients of 3.6 just leave.
    ///
    /// # Errors
    /// As [`Session::disconnect_peer`], and for a text of more than [`Kick::MAX_TEXT_BYTES`].
    pub fn kick_peer(&mut self, id: i64, kick: Kick) -> Result<(), KickError> {
        if kick.text.len() > Kick::MAX_TEXT_BYTES {
            return Err(KickError::Text(kick.text.len()));
        }
        if !self.is_server() {
            return Err(DisconnectError::NotServer.into());
        }
        let id = self.known(id).ok_or(DisconnectError::UnknownPeer(id))?;
        self.end_folding();
        if let Some(peer) = self.peers.handle(id) {
            self.link.execute(Command::Kick(peer, kick));
        }
        Ok(())
    }

    /// Why the peer of the last [`Event::PeerDisconnected`] has left.
    #[must_use]
    pub const fn departure(&self) -> Option<Departure> {
        self.departure
    }

    /// Client: why the server has sent it away, if the server has said so.
    #[must_use]
    pub const fn kick(&self) -> Option<&Kick> {
        match &self.role {
            Role::Server => None,
            Role::Client(client) => client.kick(),
        }
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
    pub fn set_refuse_new_connections(&mut self, refuse: bool) {
        self.set(Setting::Refusing(refuse));
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
        let received = self.inbox.fetch()?;
        self.link.credit(Credit::of(&received));
        Some(received)
    }

    /// Bytes that wait to be fetched, each packet counting 192 bytes besides its payload.
    #[must_use]
    pub const fn waiting_bytes(&self) -> usize {
        self.inbox.bytes()
    }

    /// The next thing that the game's developer should know, to be looked for behind each poll.
    pub fn take_warning(&mut self) -> Option<Warning> {
        self.warnings.pop_front()
    }

    /// Changes a setting of the endpoint.
    fn set(&mut self, setting: Setting) {
        self.link.execute(Command::Set(setting));
    }

    /// Brings the peer table to where the game sees it when it hears of `event`.
    fn apply(&mut self, event: Event) {
        match event {
            Event::PeerConnected(id) => self.newcomer = Some(id),
            Event::PeerDisconnected(id) => {
                self.peers.remove(id);
                if let Role::Client(client) = &mut self.role {
                    client.forget_told(id);
                }
                // Of those behind a server that has gone, nothing else is known.
                self.departure = Some(self.departures.remove(&id).unwrap_or(Departure::Behind));
            }
            Event::ServerDisconnected | Event::ConnectionFailed => {
                if let Role::Client(client) = &mut self.role {
                    client.end();
                }
            }
            Event::ConnectionSucceeded => {}
        }
    }

    /// The game has heard of a client, and does not keep it apart.
    fn welcome_newcomer(&mut self) {
        if let Some(id) = self.newcomer.take()
            && self.is_server()
            && !self.peers.is_apart(id)
        {
            self.link.execute(Command::Admit(id));
        }
    }
}

impl Session {
    /// A server. It is connected from the start. With a layer, it talks to nobody without encryption.
    #[must_use]
    pub fn server(config: &Config, max_clients: MaxClients, secure: Option<Box<dyn SecureLayer>>) -> Self {
        Self::server_on(Endpoint::server(config, max_clients, secure), config)
    }

    /// A client with a new random id. It has no server before [`Session::connect`]. With a layer, it talks to it only
    /// encrypted.
    #[must_use]
    pub fn client(config: &Config, secure: Option<Box<dyn SecureLayer>>) -> Self {
        Self::client_on(Endpoint::client(config, secure), config)
    }

    /// Client: asks the server at `address` for a connection. Further calls do nothing.
    pub fn connect(&mut self, now: Duration, address: SocketAddr) {
        self.note_server(address);
        self.link.connect(now, address);
    }

    /// Client: gives up an attempt whose server's address cannot be found.
    pub fn fail(&mut self) {
        self.link.fail();
    }

    /// Begins a poll: time goes on, and departures that had to wait are due.
    pub fn begin_poll(&mut self, now: Duration) {
        self.link.begin_poll(now);
        self.begin_events();
    }

    /// When the next poll is due, if nothing happens before. It may be early.
    #[must_use]
    pub fn poll_timeout(&self) -> Duration {
        self.link.poll_timeout()
    }

    /// Takes a datagram off the socket. Its effects come out of [`Session::poll_event`].
    pub fn receive(&mut self, from: SocketAddr, datagram: &[u8]) {
        self.link.receive(from, datagram);
    }

    /// Lets time work, once all that has come is received: repeats, pings, timeouts. What comes of it is in
    /// [`Session::poll_event`].
    pub fn handle_timeout(&mut self, now: Duration) {
        self.link.handle_timeout(now);
    }

    /// Turns all that is queued into datagrams.
    pub fn flush(&mut self, now: Duration) {
        self.end_waiting();
        self.link.flush(now);
    }

    /// The datagrams that are ready for the socket. Take them all and clear the batch; [`Session::note_sent`] is told of
    /// those that the socket has taken.
    pub fn transmit(&mut self) -> &mut DatagramBatch {
        self.link.transmit()
    }

    /// Counts datagrams that the socket has taken, and their bytes.
    pub const fn note_sent(&mut self, datagrams: u64, bytes: u64) {
        self.link.note_sent(datagrams, bytes);
    }

    /// Tells every connected peer that this session ends, and ends every association of the encryption. The
    /// datagrams are in [`Session::transmit`]; the session is of no use afterwards.
    pub fn close(&mut self, now: Duration) {
        self.end_folding();
        self.link.close(now);
    }

    /// Everything that the encryption has counted, when there is one.
    #[must_use]
    pub fn secure_counters(&self) -> Option<SecureCounters> {
        self.link.secure_counters()
    }

    /// Everything counted so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        self.link.counters()
    }

    /// Commands that were ignored for this reason, out of datagrams with others that were not.
    #[must_use]
    pub const fn ignored_commands(&self, reason: DropReason) -> u64 {
        self.link.ignored_commands(reason)
    }
}
