//! The driver that works in the caller's thread.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nme_core::MAX_DATAGRAM;
use nme_core::session::{DisconnectError, Event, FlushMode, SendError, SendOptions, Session};
use nme_udp::{Options, Received, Resolution, SendError as SocketError, UdpSocket};

use crate::error::{ClientError, ServerError};
use crate::settings::{ClientSettings, ServerSettings};
use crate::ticks::Ticks;

/// A session with its socket, moved by the calls of its owner.
///
/// A poll is [`Inline::begin_poll`], [`Inline::next_event`] until it answers `None`, and [`Inline::end_poll`].
pub struct Inline {
    session: Session,
    socket: UdpSocket,
    buffer: Box<[u8; MAX_DATAGRAM + 1]>,
    clock: Instant,
    search: Option<Search>,
    /// Reads left in this poll.
    budget: u32,
    /// The socket was empty in this poll.
    dry: bool,
    /// Time has had its turn in this poll.
    is_timeout_done: bool,
    /// There was an event in this poll, and so a handler that may have worked.
    has_emitted: bool,
    ticks: Ticks,
    counters: SocketCounters,
}

/// A server whose address is not known yet.
struct Search {
    resolution: Resolution,
    port: u16,
}

/// What the socket reported. None of it ends a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketCounters {
    /// Errors instead of a datagram, such as a port that nobody listens on.
    pub receive_errors: u64,
    /// Datagrams longer than ENet's.
    pub oversized: u64,
    /// Datagrams that the system did not send.
    pub send_errors: u64,
    /// Polls that stopped reading at their limit, with the socket not yet empty.
    pub polls_cut_short: u64,
}

impl Inline {
    /// Opens a server.
    ///
    /// # Errors
    /// When the socket cannot be bound or the ENet host not made.
    pub fn server(settings: ServerSettings) -> Result<Self, ServerError> {
        let socket = UdpSocket::bind(Options { bind: settings.bind, port: settings.port.0 })?;
        let session = Session::server(&settings.session, settings.max_clients, settings.secure);
        Ok(Self::new(session, socket))
    }

    /// Opens a client and asks for a connection, or for the server's address first when it is a name.
    ///
    /// # Errors
    /// When the socket cannot be bound, the ENet host not made, or when the name is known not to resolve
    /// within 16 ms. Later, the attempt ends in [`Event::ConnectionFailed`].
    pub fn client(settings: ClientSettings) -> Result<Self, ClientError> {
        let socket = UdpSocket::bind(Options { bind: settings.bind, port: settings.local_port.0 })?;
        let mut resolution = Resolution::start(&settings.host, socket.families());
        let found = resolution.wait(RESOLVE_PATIENCE).transpose()?;
        let mut inline = Self::new(Session::client(&settings.session, settings.secure), socket);
        let port = settings.port.0;
        match found {
            Some(address) => inline.connect(address, port),
            None => inline.search = Some(Search { resolution, port }),
        }
        Ok(inline)
    }

    fn new(session: Session, socket: UdpSocket) -> Self {
        Self {
            session,
            socket,
            buffer: Box::new([0; MAX_DATAGRAM + 1]),
            clock: Instant::now(),
            search: None,
            budget: 0,
            dry: true,
            is_timeout_done: true,
            has_emitted: false,
            ticks: Ticks::default(),
            counters: SocketCounters::default(),
        }
    }

    /// The session, for everything that neither sends nor ends it.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// The session, to change its settings and fetch its packets.
    pub const fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    /// What the socket reported.
    #[must_use]
    pub const fn socket_counters(&self) -> SocketCounters {
        self.counters
    }

    /// The address the socket is bound to.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.socket.local_addr()
    }

    /// Begins a poll.
    pub fn begin_poll(&mut self) {
        self.flush_overdue();
        self.budget = READS_PER_POLL;
        self.dry = false;
        self.is_timeout_done = false;
        self.has_emitted = false;
        self.session.begin_poll(self.clock.elapsed());
        let Some(search) = &mut self.search else { return };
        let port = search.port;
        match search.resolution.poll() {
            None => {}
            Some(Ok(address)) => {
                self.search = None;
                self.connect(address, port);
            }
            Some(Err(_)) => {
                self.search = None;
                self.session.fail();
            }
        }
    }

    /// The next event, with all that came before it on the wire done; `None` when the socket is empty.
    pub fn next_event(&mut self) -> Option<Event> {
        if self.has_emitted {
            // The handler of the event before may have taken its time.
            self.flush_overdue();
        }
        loop {
            if let Some(event) = self.session.poll_event() {
                self.has_emitted = true;
                return Some(event);
            }
            // Answers go out between two batches: a long queue in front of a peer's datagrams must not
            // make its round-trip time look worse than it is.
            self.transmit();
            if !self.read_batch() {
                if std::mem::replace(&mut self.is_timeout_done, true) {
                    return None;
                }
                self.session.handle_timeout(self.clock.elapsed());
            }
        }
    }

    /// Ends a poll: everything that the poll caused leaves.
    pub fn end_poll(&mut self) {
        self.flush();
    }

    /// Sends everything that is queued.
    pub fn flush(&mut self) {
        self.ticks = Ticks::default();
        self.session.flush(self.clock.elapsed());
        self.transmit();
    }

    /// Queues a packet. It leaves with the next [`Inline::flush`] or poll, or before that when a datagram is full or it
    /// has waited for 5 ms, or at once when the session's [`FlushMode`] says so.
    ///
    /// # Errors
    /// As [`Session::send`].
    pub fn send(&mut self, options: SendOptions, payload: &[u8]) -> Result<(), SendError> {
        if self.session.flush_is_due(&options, payload) {
            self.flush();
        }
        self.session.send(options, payload)?;
        if self.session.flush_mode() == FlushMode::EachPut {
            self.flush();
        } else if self.ticks.have_passed() {
            self.flush_overdue();
        }
        Ok(())
    }

    /// Sends what waits when it has waited for long, because the game works between its calls.
    fn flush_overdue(&mut self) {
        if !self.session.needs_flush() {
            return;
        }
        let now = self.clock.elapsed();
        if self.session.flush_is_overdue(now) {
            self.flush();
        }
    }

    /// Server: disconnects a client.
    ///
    /// # Errors
    /// As [`Session::disconnect_peer`].
    pub fn disconnect_peer(&mut self, id: i64, now: bool) -> Result<Option<Event>, DisconnectError> {
        let event = self.session.disconnect_peer(id, now)?;
        self.flush();
        Ok(event)
    }

    /// Tells every peer, and ends the session. What remains is to wait for the system, if its send queue is full.
    pub fn close(mut self) -> Farewell {
        self.session.close(self.clock.elapsed());
        let mut unsent = Vec::new();
        for (to, datagram) in self.session.transmit().iter() {
            if let Err(SocketError::QueueFull) = self.socket.send_to(datagram, to) {
                unsent.push((to, datagram.into()));
            }
        }
        Farewell { socket: self.socket, unsent }
    }

    fn connect(&mut self, mut address: SocketAddr, port: u16) {
        address.set_port(port);
        // Saves the system a look-up for each datagram and keeps strangers out. It works without, too.
        let _ = self.socket.connect(address);
        self.session.connect(self.clock.elapsed(), address);
        self.flush();
    }

    /// Reads some datagrams; false when there are none, or no more in this poll.
    fn read_batch(&mut self) -> bool {
        let mut read = 0;
        while read < BATCH && self.budget > 0 && !self.dry {
            match self.socket.recv_from(&mut self.buffer[..]) {
                Received::Datagram { from, len } => self.session.receive(from, &self.buffer[..len]),
                Received::Oversized => self.counters.oversized += 1,
                Received::Error(_) => self.counters.receive_errors += 1,
                Received::Empty => {
                    self.dry = true;
                    break;
                }
            }
            read += 1;
            self.budget -= 1;
            self.counters.polls_cut_short += u64::from(self.budget == 0);
        }
        read > 0
    }

    fn transmit(&mut self) {
        let ready = self.session.transmit();
        for (to, datagram) in ready.iter() {
            if self.socket.send_to(datagram, to).is_err() {
                self.counters.send_errors += 1;
            }
        }
        ready.clear();
    }
}

/// What is left of a connection that has told its peers of its end.
pub struct Farewell {
    socket: UdpSocket,
    /// What the system's send queue had no room for.
    unsent: Vec<(SocketAddr, Box<[u8]>)>,
}

impl Farewell {
    /// Waits while the system's send queue is full, for up to `wait` and never longer than a second, and closes the
    /// socket. What the system has taken leaves without this process.
    pub fn wait(mut self, wait: Duration) {
        let end = Instant::now() + wait.min(LONGEST_CLOSE);
        for (to, datagram) in self.unsent {
            while let Err(SocketError::QueueFull) = self.socket.send_to(&datagram, to)
                && Instant::now() < end
            {
                std::thread::sleep(QUEUE_CHECK);
            }
        }
    }
}

/// How long `create_client` waits for a name server: about one frame.
pub(crate) const RESOLVE_PATIENCE: Duration = Duration::from_millis(16);

/// The longest that `close` waits, whatever it is asked for.
const LONGEST_CLOSE: Duration = Duration::from_secs(1);

/// Between two looks at a full send queue.
const QUEUE_CHECK: Duration = Duration::from_micros(100);

/// Datagrams between two looks at what they caused.
const BATCH: u32 = 64;

/// Far more than any socket buffer holds: it only ends a poll during which datagrams arrive faster than they
/// can be read, so that a flood cannot stop the game.
const READS_PER_POLL: u32 = 16_384;
