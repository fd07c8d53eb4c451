//! An open server or client, as the Godot class sees it.
//!
//! Its endpoint is in the caller's thread ([`Way::Inline`]) or in one of its own ([`Way::Threaded`]); nothing of that shows here.
//! Everything that it answers is a value of its own: nothing is borrowed from below.

use std::net::SocketAddr;
use std::time::Duration;

use nme_core::admission::{AccessChange, AccessList, AddressProof, Question, RateLimit};
use nme_core::channel::TransferMode;
use nme_core::counters::Counters;
use nme_core::peer::PeerId;
use nme_core::query::QueryInfo;
use nme_core::relay::{Kick, ToldFigures};
use nme_core::session::{
    Bandwidth, ConnectionError, Departure, DisconnectError, Event, FlushMode, KickError, MaxBuffered,
    MaxRate, MaxReceived, PeerError, Received, SendError, SendOptions, Session, Status, ThrottleError,
    TimeoutError, Warning,
};
use nme_core::statistics::PeerStatistics;
use nme_core::{Endpoint, PeerTimeout};
use nme_udp::{Options, Resolution, UdpSocket};

use crate::clock::Monotonic;
use crate::driver::Driver;
use crate::error::{ClientError, ServerError};
use crate::farewell::Farewell;
use crate::settings::{ClientSettings, ServerSettings};
use crate::simulations::Simulations;
use crate::simulator::{Simulation, SimulationChange};
use crate::statistics::ConnectionStatistics;
use crate::thread::StallLimit;
use crate::threaded::Threaded;

/// A server or client on a UDP socket, moved by the calls of its owner.
///
/// A poll is [`Connection::begin_poll`], [`Connection::next_event`] until it answers `None`, and
/// [`Connection::end_poll`].
pub struct Connection {
    way: Way,
    local: SocketAddr,
    /// A client's search for its server, and the server's port, until the first poll or flush. Nothing has left before.
    start: Option<(Resolution, u16)>,
    /// When the owner was told to flush at the end of its frame.
    flush_promised: Option<Duration>,
    simulations: Simulations,
}

/// Where the endpoint is.
enum Way {
    Inline(Box<Driver<UdpSocket, Monotonic>>),
    Threaded(Box<Threaded>),
}

/// Does the same with the session, wherever its endpoint is.
macro_rules! with {
    ($way:expr, $session:ident => $call:expr) => {
        match &$way {
            Way::Inline(driver) => {
                let $session = driver.session();
                $call
            }
            Way::Threaded(threaded) => {
                let $session = threaded.session();
                $call
            }
        }
    };
    (mut $way:expr, $session:ident => $call:expr) => {
        match &mut $way {
            Way::Inline(driver) => {
                let $session = driver.session_mut();
                $call
            }
            Way::Threaded(threaded) => {
                let $session = threaded.session_mut();
                $call
            }
        }
    };
}

/// Calls the method of this name, wherever the endpoint is.
macro_rules! call {
    ($way:expr, $($call:tt)+) => {
        match &mut $way {
            Way::Inline(driver) => driver.$($call)+,
            Way::Threaded(threaded) => threaded.$($call)+,
        }
    };
}

/// What is left of a connection that has told its peers of its end.
pub struct ConnectionFarewell(Option<Farewell<UdpSocket, Monotonic>>);

impl ConnectionFarewell {
    /// As [`Farewell::wait`].
    pub fn wait(self, wait: Duration) -> usize {
        self.0.map_or(0, |farewell| farewell.wait(wait))
    }
}

/// What can be asked about a packet before it is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketInfo {
    /// Who sent it.
    pub from: PeerId,
    /// The channel it came on.
    pub channel: u8,
    /// How it was sent.
    pub mode: TransferMode,
}

/// UDP payload bytes since the connection was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes that the socket has taken.
    pub bytes_sent: u64,
    /// Bytes off the socket.
    pub bytes_received: u64,
}

impl Traffic {
    pub(crate) const fn of(counters: &Counters) -> Self {
        Self { bytes_sent: counters.bytes_sent, bytes_received: counters.bytes_received }
    }
}

impl Connection {
    /// Opens a server.
    ///
    /// # Errors
    /// When the socket cannot be bound.
    pub fn server(settings: ServerSettings) -> Result<Self, ServerError> {
        let socket = UdpSocket::bind(Options { bind: settings.bind, port: settings.port.0 })?;
        let local = socket.local_addr();
        let endpoint = Endpoint::server(&settings.session, settings.max_clients, settings.secure);
        let way = if settings.threaded {
            let driver = Driver::new(endpoint, socket, Monotonic::new()).simulating(settings.simulation);
            let threaded = Threaded::new(driver, |remote| Session::server_on(remote, &settings.session));
            Way::Threaded(Box::new(threaded?))
        } else {
            let session = Session::server_on(endpoint, &settings.session);
            let driver = Driver::new(session, socket, Monotonic::new()).simulating(settings.simulation);
            Way::Inline(Box::new(driver))
        };
        let simulations = Simulations::new(settings.simulation);
        Ok(Self { way, local, start: None, flush_promised: None, simulations })
    }

    /// Opens a client. With the first poll or flush it asks for a connection, or for the server's address when it is a name
    /// that has not been found by then. Does not wait.
    ///
    /// # Errors
    /// When the socket cannot be bound, and for a host that is no name and no address of
    /// the socket's IP family. When a name turns out to have no address, the attempt ends in
    /// [`Event::ConnectionFailed`].
    pub fn client(settings: ClientSettings) -> Result<Self, ClientError> {
        let socket = UdpSocket::bind(Options { bind: settings.bind, port: settings.local_port.0 })?;
        let resolution = Resolution::start(&settings.host, socket.families());
        let server = resolution.immediate().transpose()?;
        let local = socket.local_addr();
        let endpoint = Endpoint::client(&settings.session, settings.secure);
        let mut way = if settings.threaded {
            let driver = Driver::new(endpoint, socket, Monotonic::new()).simulating(settings.simulation);
            let threaded = Threaded::new(driver, |remote| Session::client_on(remote, &settings.session));
            Way::Threaded(Box::new(threaded?))
        } else {
            let session = Session::client_on(endpoint, &settings.session);
            let driver = Driver::new(session, socket, Monotonic::new()).simulating(settings.simulation);
            Way::Inline(Box::new(driver))
        };
        let port = settings.port.0;
        if let Some(mut server) = server {
            server.set_port(port);
            with!(mut way, session => session.note_server(server));
        }
        let simulations = Simulations::new(settings.simulation);
        Ok(Self { way, local, start: Some((resolution, port)), flush_promised: None, simulations })
    }

    /// Client: the owner has said everything that is to hold from the first datagram on.
    fn start(&mut self) {
        let Some((resolution, port)) = self.start.take() else { return };
        match &mut self.way {
            // What fails at once has failed when the client was opened.
            Way::Inline(driver) => drop(driver.look_up(resolution, port)),
            Way::Threaded(threaded) => threaded.look_up(resolution, port),
        }
    }

    /// True while nothing has left, and nothing has come.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.traffic() == Traffic::default()
    }

    /// Begins a poll.
    pub fn begin_poll(&mut self) {
        self.start();
        call!(self.way, begin_poll());
    }

    /// As [`Driver::next_event`].
    pub fn next_event(&mut self) -> Option<Event> {
        let event = call!(self.way, next_event());
        self.note_departure(event);
        event
    }

    /// Ends a poll: everything that the poll caused leaves.
    pub fn end_poll(&mut self) {
        call!(self.way, end_poll());
    }

    /// Sends everything that is queued.
    pub fn flush(&mut self) {
        self.start();
        call!(self.way, flush());
    }

    /// As [`Driver::send`].
    ///
    /// # Errors
    /// As [`Session::send`].
    pub fn send(&mut self, options: SendOptions, payload: &[u8]) -> Result<(), SendError> {
        call!(self.way, send(options, payload))
    }

    /// True when packets wait and their owner has to call [`Connection::flush`] at the end of its frame. Answers once,
    /// until [`Connection::keep_promise`], or a second later if the owner has forgotten.
    pub fn promise_flush(&mut self) -> bool {
        if !with!(self.way, session => session.needs_flush()) || self.flush_promised.is_some() {
            return false;
        }
        self.flush_promised = Some(call!(self.way, now()));
        true
    }

    /// The owner flushes now, or never will.
    pub const fn keep_promise(&mut self) {
        self.flush_promised = None;
    }

    /// Forgets a promise that was not kept for a second: what was to keep it is in a queue that nobody works off.
    pub fn forget_promise(&mut self) {
        if let Some(since) = self.flush_promised
            && call!(self.way, now()).saturating_sub(since) > LONGEST_FRAME
        {
            self.flush_promised = None;
        }
    }

    /// Server: disconnects a client.
    ///
    /// # Errors
    /// As [`Session::disconnect_peer`].
    pub fn disconnect_peer(&mut self, id: i64, now: bool) -> Result<Option<Event>, DisconnectError> {
        let event = call!(self.way, disconnect_peer(id, now))?;
        self.note_departure(event);
        Ok(event)
    }

    /// Server: tells a client why, and disconnects it when everything queued has arrived.
    ///
    /// # Errors
    /// As [`Session::kick_peer`].
    pub fn kick_peer(&mut self, id: i64, kick: Kick) -> Result<(), KickError> {
        with!(mut self.way, session => session.kick_peer(id, kick))?;
        call!(self.way, flush());
        Ok(())
    }

    /// As [`Session::departure`].
    #[must_use]
    pub fn departure(&self) -> Option<Departure> {
        with!(self.way, session => session.departure())
    }

    /// As [`Session::kick`].
    #[must_use]
    pub fn kick(&self) -> Option<Kick> {
        with!(self.way, session => session.kick().cloned())
    }

    /// As [`Session::set_default_peer_timeout`].
    pub fn set_default_peer_timeout(&mut self, timeout: PeerTimeout) {
        with!(mut self.way, session => session.set_default_peer_timeout(timeout));
    }

    /// As [`Session::set_ping_interval`].
    ///
    /// # Errors
    /// As there.
    pub fn set_ping_interval(&mut self, id: i64, millis: u32) -> Result<(), PeerError> {
        with!(mut self.way, session => session.set_ping_interval(id, millis))
    }

    /// As [`Session::set_bandwidth`].
    pub fn set_bandwidth(&mut self, bandwidth: Bandwidth) {
        with!(mut self.way, session => session.set_bandwidth(bandwidth));
    }

    /// As [`Session::send_datagram`]. It leaves at once.
    pub fn send_datagram(&mut self, to: SocketAddr, datagram: &[u8]) {
        with!(mut self.way, session => session.send_datagram(to, datagram));
        call!(self.way, flush());
    }

    /// As [`Session::channels`].
    ///
    /// # Errors
    /// As there.
    pub fn channels(&self, id: i64) -> Result<u8, PeerError> {
        with!(self.way, session => session.channels(id))
    }

    /// Client: leaves the server when everything queued has arrived. As [`Session::leave`].
    pub fn leave(&mut self) -> bool {
        let is_leaving = with!(mut self.way, session => session.leave());
        if is_leaving {
            call!(self.way, flush());
        }
        is_leaving
    }

    /// Tells every peer, and ends the session.
    pub fn close(self) -> ConnectionFarewell {
        match self.way {
            Way::Inline(driver) => ConnectionFarewell(Some(driver.close())),
            Way::Threaded(threaded) => ConnectionFarewell(threaded.close()),
        }
    }

    /// The address the socket is bound to.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// How far the connection is.
    #[must_use]
    pub fn status(&self) -> Status {
        with!(self.way, session => session.status())
    }

    /// Client: why the connection has failed or ended.
    #[must_use]
    pub fn connection_error(&self) -> Option<ConnectionError> {
        with!(self.way, session => session.connection_error())
    }

    /// This side's own id: 1 for a server, a random number from 2 for a client.
    #[must_use]
    pub fn id(&self) -> PeerId {
        with!(self.way, session => session.id())
    }

    /// True for a server.
    #[must_use]
    pub fn is_server(&self) -> bool {
        with!(self.way, session => session.is_server())
    }

    /// Packets that wait to be fetched.
    #[must_use]
    pub fn waiting_packets(&self) -> usize {
        with!(self.way, session => session.waiting_packets())
    }

    /// What is known of the packet that [`Connection::fetch`] would fetch.
    #[must_use]
    pub fn next_packet(&self) -> Option<PacketInfo> {
        let received = with!(self.way, session => session.next_packet())?;
        Some(PacketInfo { from: received.from(), channel: received.channel(), mode: received.mode() })
    }

    /// Fetches the next packet.
    pub fn fetch(&mut self) -> Option<Received> {
        with!(mut self.way, session => session.fetch())
    }

    /// Drops the packets of a peer that wait to be fetched.
    pub fn forget_packets(&mut self, id: PeerId) {
        with!(mut self.way, session => session.forget_packets(id));
    }

    /// Drops what a peer sends from now on.
    pub fn ignore(&mut self, id: PeerId) {
        with!(mut self.way, session => session.ignore(id));
    }

    /// As [`Session::peer_address`].
    ///
    /// # Errors
    /// As there.
    pub fn peer_address(&self, id: i64) -> Result<SocketAddr, PeerError> {
        with!(self.way, session => session.peer_address(id))
    }

    /// As [`Session::set_peer_timeout`].
    ///
    /// # Errors
    /// As there.
    pub fn set_peer_timeout(
        &mut self,
        id: i64,
        limit: i64,
        minimum: i64,
        maximum: i64,
    ) -> Result<(), TimeoutError> {
        with!(mut self.way, session => session.set_peer_timeout(id, limit, minimum, maximum))
    }

    /// As [`Session::set_peer_throttle`]. The peer is told at once.
    ///
    /// # Errors
    /// As there.
    pub fn set_peer_throttle(
        &mut self,
        id: i64,
        interval: i64,
        acceleration: i64,
        deceleration: i64,
    ) -> Result<(), ThrottleError> {
        with!(mut self.way, session => session.set_peer_throttle(id, interval, acceleration, deceleration))?;
        call!(self.way, flush());
        Ok(())
    }

    /// Server: turns new clients away, or takes them again.
    pub fn set_refuse_new_connections(&mut self, refuse: bool) {
        with!(mut self.way, session => session.set_refuse_new_connections(refuse));
    }

    /// Server: as [`Session::set_address_proof`].
    pub fn set_address_proof(&mut self, proof: AddressProof) {
        with!(mut self.way, session => session.set_address_proof(proof));
    }

    /// Server: as [`Session::set_max_connections_per_address`].
    pub fn set_max_connections_per_address(&mut self, limit: u16) {
        with!(mut self.way, session => session.set_max_connections_per_address(limit));
    }

    /// Server: as [`Session::set_connection_rate_limit`].
    pub fn set_connection_rate_limit(&mut self, limit: RateLimit) {
        with!(mut self.way, session => session.set_connection_rate_limit(limit));
    }

    /// Server: as [`Session::set_access_list`].
    pub fn set_access_list(&mut self, list: AccessList) {
        with!(mut self.way, session => session.set_access_list(list));
    }

    /// Server: as [`Session::change_access_list`].
    pub fn change_access_list(&mut self, change: AccessChange) {
        with!(mut self.way, session => session.change_access_list(change));
    }

    /// Server: as [`Session::set_asking`].
    pub fn set_asking(&mut self, asks: bool) {
        with!(mut self.way, session => session.set_asking(asks));
    }

    /// Server: as [`Session::set_query_info`].
    pub fn set_query_info(&mut self, info: Option<QueryInfo>) {
        with!(mut self.way, session => session.set_query_info(info));
    }

    /// Server: as [`Session::next_question`].
    pub fn next_question(&mut self) -> Option<Question> {
        with!(mut self.way, session => session.next_question())
    }

    /// Server: as [`Session::answer_question`]. The client is told at once.
    pub fn answer_question(&mut self, number: u64, admit: bool) {
        with!(mut self.way, session => session.answer_question(number, admit));
        call!(self.way, flush());
    }

    /// As [`Session::set_max_buffered`].
    pub fn set_max_buffered(&mut self, limit: MaxBuffered) {
        with!(mut self.way, session => session.set_max_buffered(limit));
    }

    /// As [`Session::set_max_received`].
    pub fn set_max_received(&mut self, limit: MaxReceived) {
        with!(mut self.way, session => session.set_max_received(limit));
    }

    /// As [`Session::set_peer_rates`].
    pub fn set_peer_rates(&mut self, packets: MaxRate, bytes: MaxRate) {
        with!(mut self.way, session => session.set_peer_rates(packets, bytes));
    }

    /// For how long the owner may not poll. Without a thread that makes no difference: nothing happens then in any case.
    pub fn set_stall_limit(&mut self, limit: StallLimit) {
        if let Way::Threaded(threaded) = &self.way {
            threaded.set_stall_limit(limit);
        }
    }

    /// True when the connection has a thread of its own.
    #[must_use]
    pub const fn is_threaded(&self) -> bool {
        matches!(self.way, Way::Threaded(_))
    }

    /// As [`Session::set_keeping_apart`].
    pub fn set_keeping_apart(&mut self, apart: bool) {
        with!(mut self.way, session => session.set_keeping_apart(apart));
    }

    /// Sets when packets are to leave. Those that wait leave now.
    pub fn set_flush_mode(&mut self, mode: FlushMode) {
        with!(mut self.way, session => session.set_flush_mode(mode));
        call!(self.way, flush());
    }

    /// Keeps a peer apart until [`Connection::admit`]. As [`Session::keep_apart`].
    pub fn keep_apart(&mut self, id: PeerId) {
        with!(mut self.way, session => session.keep_apart(id));
    }

    /// True while a peer is kept apart.
    #[must_use]
    pub fn keeps_apart(&self) -> bool {
        !with!(self.way, session => session.apart()).is_empty()
    }

    /// The peers that are kept apart.
    #[must_use]
    pub fn apart(&self) -> Vec<PeerId> {
        with!(self.way, session => session.apart()).iter().copied().collect()
    }

    /// The game has accepted a peer that was kept apart.
    pub fn admit(&mut self, id: PeerId) {
        with!(mut self.way, session => session.admit(id));
    }

    /// As [`Session::take_warning`].
    pub fn take_warning(&mut self) -> Option<Warning> {
        with!(mut self.way, session => session.take_warning())
    }

    /// What is known of the connection. With a network thread, the figures are up to 5 ms old.
    pub fn statistics(&mut self) -> ConnectionStatistics {
        match &mut self.way {
            Way::Inline(driver) => driver.statistics(),
            Way::Threaded(threaded) => threaded.session_mut().link_mut().snapshot().connection.clone(),
        }
    }

    /// What is known of the connection with a peer; `None` when it has just ended. As [`Connection::statistics`].
    ///
    /// # Errors
    /// For an unknown id, and for a client behind the relay.
    pub fn peer_statistics(&mut self, id: i64) -> Result<Option<PeerStatistics>, PeerError> {
        let Some(peer) = with!(self.way, session => session.peer_handle(id))? else { return Ok(None) };
        Ok(match &mut self.way {
            Way::Inline(driver) => driver.session().link().peer_statistics(peer),
            Way::Threaded(threaded) => threaded.session_mut().link_mut().peer_statistics(peer),
        })
    }

    /// As [`Session::told`].
    pub fn told(&mut self, id: i64) -> Option<ToldFigures> {
        with!(mut self.way, session => session.told(id))
    }

    /// The peers that the game has heard of, in ascending order; on a client also those behind the relay.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerId> {
        with!(self.way, session => session.peers().collect())
    }

    /// Makes the network worse, or good again: for one peer, or with the id 0 for all of them, also those that had a network
    /// of their own.
    ///
    /// # Errors
    /// Nobody with a connection to this side has this id.
    pub fn simulate(&mut self, id: i64, simulation: Simulation) -> Result<(), PeerError> {
        let change = if id == 0 {
            self.simulations = Simulations::new(simulation);
            SimulationChange::Everyone(simulation)
        } else {
            let address = self.peer_address(id)?;
            self.simulations.set(id, address, simulation);
            SimulationChange::Peer(address, simulation)
        };
        call!(self.way, simulate(change));
        Ok(())
    }

    /// What the network to a peer is made to be like; with the id 0, that to all who have none of their own.
    ///
    /// # Errors
    /// As [`Connection::simulate`].
    pub fn simulation(&self, id: i64) -> Result<Simulation, PeerError> {
        if id != 0 {
            self.peer_address(id)?;
        }
        Ok(self.simulations.get(id))
    }

    /// Who has gone has no network any more.
    fn note_departure(&mut self, event: Option<Event>) {
        if let Some(Event::PeerDisconnected(id)) = event
            && let Some(address) = self.simulations.forget(id.get().into())
        {
            call!(self.way, simulate(SimulationChange::Forget(address)));
        }
    }

    /// How many bytes have gone over the wire.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        match &self.way {
            Way::Inline(driver) => Traffic::of(driver.session().counters()),
            Way::Threaded(threaded) => threaded.traffic(),
        }
    }
}

/// A frame of a game that works.
const LONGEST_FRAME: Duration = Duration::from_secs(1);
