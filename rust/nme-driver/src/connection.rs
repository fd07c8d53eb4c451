//! An open server or client, as the Godot class sees it.
//!
//! Everything that it answers is a value of its own: nothing is borrowed from the session below, so that this can also
//! stand in front of a session that lives in another thread.

use std::net::SocketAddr;
use std::time::Duration;

use nme_core::admission::{AccessChange, AccessList, AddressProof, Question, RateLimit};
use nme_core::channel::TransferMode;
use nme_core::peer::PeerId;
use nme_core::session::{
    ConnectionError, DisconnectError, Event, FlushMode, MaxBuffered, MaxRate, MaxReceived, PeerError,
    Received, SendError, SendOptions, Session, Status, ThrottleError, TimeoutError, Warning,
};
use nme_udp::{Options, Resolution, UdpSocket};

use crate::clock::Monotonic;
use crate::driver::Driver;
use crate::error::{ClientError, ServerError};
use crate::farewell::Farewell;
use crate::settings::{ClientSettings, ServerSettings};

/// A server or client on a UDP socket, moved by the calls of its owner.
///
/// A poll is [`Connection::begin_poll`], [`Connection::next_event`] until it answers `None`, and
/// [`Connection::end_poll`].
pub struct Connection {
    driver: Driver<UdpSocket, Monotonic>,
    /// When the owner was told to flush at the end of its frame.
    flush_promised: Option<Duration>,
}

/// What is left of a connection that has told its peers of its end.
pub type ConnectionFarewell = Farewell<UdpSocket, Monotonic>;

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

impl Connection {
    /// Opens a server.
    ///
    /// # Errors
    /// When the socket cannot be bound.
    pub fn server(settings: ServerSettings) -> Result<Self, ServerError> {
        let socket = UdpSocket::bind(Options { bind: settings.bind, port: settings.port.0 })?;
        let session = Session::server(&settings.session, settings.max_clients, settings.secure);
        Ok(Self::new(session, socket))
    }

    /// Opens a client and asks for a connection, or for the server's address first when it is a name. Does not wait.
    ///
    /// # Errors
    /// When the socket cannot be bound, and for a host that is no name and no address of
    /// the socket's IP family. When a name turns out to have no address, the attempt ends in
    /// [`Event::ConnectionFailed`].
    pub fn client(settings: ClientSettings) -> Result<Self, ClientError> {
        let socket = UdpSocket::bind(Options { bind: settings.bind, port: settings.local_port.0 })?;
        let resolution = Resolution::start(&settings.host, socket.families());
        let mut client = Self::new(Session::client(&settings.session, settings.secure), socket);
        client.driver.look_up(resolution, settings.port.0)?;
        Ok(client)
    }

    fn new(session: Session, socket: UdpSocket) -> Self {
        Self { driver: Driver::new(session, socket, Monotonic::new()), flush_promised: None }
    }

    /// Begins a poll.
    pub fn begin_poll(&mut self) {
        self.driver.begin_poll();
    }

    /// As [`Driver::next_event`].
    pub fn next_event(&mut self) -> Option<Event> {
        self.driver.next_event()
    }

    /// Ends a poll: everything that the poll caused leaves.
    pub fn end_poll(&mut self) {
        self.driver.end_poll();
    }

    /// Sends everything that is queued.
    pub fn flush(&mut self) {
        self.driver.flush();
    }

    /// As [`Driver::send`].
    ///
    /// # Errors
    /// As [`Session::send`].
    pub fn send(&mut self, options: SendOptions, payload: &[u8]) -> Result<(), SendError> {
        self.driver.send(options, payload)
    }

    /// True when packets wait and their owner has to call [`Connection::flush`] at the end of its frame. Answers once,
    /// until [`Connection::keep_promise`], or a second later if the owner has forgotten.
    pub fn promise_flush(&mut self) -> bool {
        if !self.driver.session().needs_flush() || self.flush_promised.is_some() {
            return false;
        }
        self.flush_promised = Some(self.driver.now());
        true
    }

    /// The owner flushes now, or never will.
    pub const fn keep_promise(&mut self) {
        self.flush_promised = None;
    }

    /// Forgets a promise that was not kept for a second: what was to keep it is in a queue that nobody works off.
    pub fn forget_promise(&mut self) {
        if let Some(since) = self.flush_promised
            && self.driver.now().saturating_sub(since) > LONGEST_FRAME
        {
            self.flush_promised = None;
        }
    }

    /// Server: disconnects a client.
    ///
    /// # Errors
    /// As [`Session::disconnect_peer`].
    pub fn disconnect_peer(&mut self, id: i64, now: bool) -> Result<Option<Event>, DisconnectError> {
        self.driver.disconnect_peer(id, now)
    }

    /// Client: leaves the server when everything queued has arrived. As [`Session::leave`].
    pub fn leave(&mut self) -> bool {
        let is_leaving = self.driver.session_mut().leave();
        if is_leaving {
            self.driver.flush();
        }
        is_leaving
    }

    /// Tells every peer, and ends the session.
    pub fn close(self) -> ConnectionFarewell {
        self.driver.close()
    }

    /// The address the socket is bound to.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.driver.socket().local_addr()
    }

    /// How far the connection is.
    #[must_use]
    pub fn status(&self) -> Status {
        self.driver.session().status()
    }

    /// Client: why the connection has failed or ended.
    #[must_use]
    pub fn connection_error(&self) -> Option<ConnectionError> {
        self.driver.session().connection_error()
    }

    /// This side's own id: 1 for a server, a random number from 2 for a client.
    #[must_use]
    pub const fn id(&self) -> PeerId {
        self.driver.session().id()
    }

    /// True for a server.
    #[must_use]
    pub const fn is_server(&self) -> bool {
        self.driver.session().is_server()
    }

    /// Packets that wait to be fetched.
    #[must_use]
    pub fn waiting_packets(&self) -> usize {
        self.driver.session().waiting_packets()
    }

    /// What is known of the packet that [`Connection::fetch`] would fetch.
    #[must_use]
    pub fn next_packet(&self) -> Option<PacketInfo> {
        let received = self.driver.session().next_packet()?;
        Some(PacketInfo { from: received.from(), channel: received.channel(), mode: received.mode() })
    }

    /// Fetches the next packet.
    pub fn fetch(&mut self) -> Option<Received> {
        self.driver.session_mut().fetch()
    }

    /// Drops the packets of a peer that wait to be fetched.
    pub fn forget_packets(&mut self, id: PeerId) {
        self.driver.session_mut().forget_packets(id);
    }

    /// Drops what a peer sends from now on.
    pub fn ignore(&mut self, id: PeerId) {
        self.driver.session_mut().ignore(id);
    }

    /// As [`Session::peer_address`].
    ///
    /// # Errors
    /// As there.
    pub fn peer_address(&self, id: i64) -> Result<SocketAddr, PeerError> {
        self.driver.session().peer_address(id)
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
        self.driver.session_mut().set_peer_timeout(id, limit, minimum, maximum)
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
        self.driver.session_mut().set_peer_throttle(id, interval, acceleration, deceleration)?;
        self.driver.flush();
        Ok(())
    }

    /// Server: turns new clients away, or takes them again.
    pub fn set_refuse_new_connections(&mut self, refuse: bool) {
        self.driver.session_mut().set_refuse_new_connections(refuse);
    }

    /// Server: as [`Session::set_address_proof`].
    pub fn set_address_proof(&mut self, proof: AddressProof) {
        self.driver.session_mut().set_address_proof(proof);
    }

    /// Server: as [`Session::set_max_connections_per_address`].
    pub fn set_max_connections_per_address(&mut self, limit: u16) {
        self.driver.session_mut().set_max_connections_per_address(limit);
    }

    /// Server: as [`Session::set_connection_rate_limit`].
    pub fn set_connection_rate_limit(&mut self, limit: RateLimit) {
        self.driver.session_mut().set_connection_rate_limit(limit);
    }

    /// Server: as [`Session::set_access_list`].
    pub fn set_access_list(&mut self, list: AccessList) {
        self.driver.session_mut().set_access_list(list);
    }

    /// Server: as [`Session::change_access_list`].
    pub fn change_access_list(&mut self, change: AccessChange) {
        self.driver.session_mut().change_access_list(change);
    }

    /// Server: as [`Session::set_asking`].
    pub fn set_asking(&mut self, asks: bool) {
        self.driver.session_mut().set_asking(asks);
    }

    /// Server: as [`Session::next_question`].
    pub fn next_question(&mut self) -> Option<Question> {
        self.driver.session_mut().next_question()
    }

    /// Server: as [`Session::answer_question`]. The client is told at once.
    pub fn answer_question(&mut self, number: u64, admit: bool) {
        self.driver.session_mut().answer_question(number, admit);
        self.driver.flush();
    }

    /// As [`Session::set_max_buffered`].
    pub fn set_max_buffered(&mut self, limit: MaxBuffered) {
        self.driver.session_mut().set_max_buffered(limit);
    }

    /// As [`Session::set_max_received`].
    pub fn set_max_received(&mut self, limit: MaxReceived) {
        self.driver.session_mut().set_max_received(limit);
    }

    /// As [`Session::set_peer_rates`].
    pub fn set_peer_rates(&mut self, packets: MaxRate, bytes: MaxRate) {
        self.driver.session_mut().set_peer_rates(packets, bytes);
    }

    /// Sets when packets are to leave. Those that wait leave now.
    pub fn set_flush_mode(&mut self, mode: FlushMode) {
        self.driver.session_mut().set_flush_mode(mode);
        self.driver.flush();
    }

    /// Keeps a peer apart until [`Connection::admit`]. As [`Session::keep_apart`].
    pub fn keep_apart(&mut self, id: PeerId) {
        self.driver.session_mut().keep_apart(id);
    }

    /// True while a peer is kept apart.
    #[must_use]
    pub fn keeps_apart(&self) -> bool {
        !self.driver.session().apart().is_empty()
    }

    /// The peers that are kept apart.
    #[must_use]
    pub fn apart(&self) -> Vec<PeerId> {
        self.driver.session().apart().iter().copied().collect()
    }

    /// The game has accepted a peer that was kept apart.
    pub fn admit(&mut self, id: PeerId) {
        self.driver.session_mut().admit(id);
    }

    /// As [`Session::take_warning`].
    pub fn take_warning(&mut self) -> Option<Warning> {
        self.driver.session_mut().take_warning()
    }

    /// How many bytes have gone over the wire.
    #[must_use]
    pub const fn traffic(&self) -> Traffic {
        let counters = self.driver.session().counters();
        Traffic { bytes_sent: counters.bytes_sent, bytes_received: counters.bytes_received }
    }
}

/// A frame of a game that works.
const LONGEST_FRAME: Duration = Duration::from_secs(1);
