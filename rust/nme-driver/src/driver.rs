//! The loop between a session, a socket and a clock.

use std::net::SocketAddr;
use std::time::Duration;

use nme_core::MAX_DATAGRAM;
use nme_core::session::{DisconnectError, Event, FlushMode, SendError, SendOptions, Session};
use nme_udp::{Received, Resolution, ResolveError};

use crate::clock::Clock;
use crate::farewell::Farewell;
use crate::node::{HasEndpoint, Node};
use crate::outbox::Outbox;
use crate::reading::Reading;
use crate::simulator::{Simulation, SimulationChange, Simulator};
use crate::socket::DatagramSocket;
use crate::statistics::ConnectionStatistics;

/// A session, or an endpoint whose session is in another thread, with its socket and its clock, moved by the calls of its
/// owner.
///
/// A poll is [`Driver::begin_poll`], [`Driver::next_event`] until it answers `None`, and [`Driver::end_poll`].
pub struct Driver<S, C, N = Session> {
    node: N,
    socket: S,
    clock: C,
    buffer: Box<[u8; MAX_DATAGRAM + 1]>,
    outbox: Outbox,
    /// Only while it has something to do.
    simulator: Option<Box<Simulator>>,
    search: Option<Search>,
    reading: Reading,
    /// Nothing more is read in this poll.
    has_read: bool,
    /// That was before the socket was empty.
    is_cut_short: bool,
    /// How many datagrams this poll has read.
    datagrams_read: u32,
    /// Time has had its turn in this poll.
    has_timed: bool,
    /// There was an event in this poll, and so a handler that may have worked.
    has_emitted: bool,
    /// The session knows since when something waits for a flush.
    is_timed: bool,
    receive_counters: ReceiveCounters,
    /// When the driver began to live.
    began: Duration,
}

/// A server whose address is not known yet.
struct Search {
    resolution: Resolution,
    port: u16,
    /// When to give up.
    deadline: Duration,
}

#[derive(Clone, Copy, Default)]
struct ReceiveCounters {
    errors: u64,
    oversized: u64,
    polls_cut_short: u64,
}

/// What the socket reported. None of it ends a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketCounters {
    /// Errors instead of a datagram, such as a port that nobody listens on.
    pub receive_errors: u64,
    /// Datagrams longer than ENet's.
    pub oversized: u64,
    /// Datagrams that the system refused to send, whatever room it has.
    pub send_errors: u64,
    /// Times that the system's send queue had no room. The datagram is tried again.
    pub would_blocks: u64,
    /// Datagrams that were dropped because too many waited for room, or they for too long.
    pub overflowed: u64,
    /// Datagrams that wait for room now.
    pub waiting: usize,
    /// Polls that stopped reading when their time was over, with the socket maybe not empty.
    pub polls_cut_short: u64,
}

impl<S: DatagramSocket, C: Clock, N: Node> Driver<S, C, N> {
    /// Drives a node. A client also needs [`Driver::connect`] or [`Driver::look_up`].
    #[must_use]
    pub fn new(node: N, socket: S, mut clock: C) -> Self {
        let began = clock.now();
        let reading = Reading::new(began);
        Self {
            node,
            socket,
            clock,
            buffer: Box::new([0; MAX_DATAGRAM + 1]),
            outbox: Outbox::default(),
            simulator: None,
            search: None,
            reading,
            has_read: true,
            is_cut_short: false,
            datagrams_read: 0,
            has_timed: true,
            has_emitted: false,
            is_timed: false,
            receive_counters: ReceiveCounters::default(),
            began,
        }
    }

    /// Client: asks the server for a connection.
    pub fn connect(&mut self, server: SocketAddr) {
        self.socket.connect(server);
        let now = self.clock.now();
        self.node.connect(now, server);
        self.flush_at(now);
    }

    /// Client: asks the server for a connection, at the address that a search finds, and this port. An answer that takes
    /// longer than 30 s counts as none. The answer is the address, if it is known at once.
    ///
    /// # Errors
    /// When there is nothing to search for. What a search finds out later is an [`Event::ConnectionFailed`].
    pub fn look_up(&mut self, resolution: Resolution, port: u16) -> Result<Option<SocketAddr>, ResolveError> {
        match resolution.immediate().transpose()? {
            Some(mut address) => {
                address.set_port(port);
                self.connect(address);
                Ok(Some(address))
            }
            None => {
                let deadline = self.clock.now() + LONGEST_SEARCH;
                self.search = Some(Search { resolution, port, deadline });
                Ok(None)
            }
        }
    }

    /// What is driven.
    #[must_use]
    pub const fn node(&self) -> &N {
        &self.node
    }

    /// What is driven, for everything that neither sends nor ends it.
    pub const fn node_mut(&mut self) -> &mut N {
        &mut self.node
    }

    /// The socket.
    #[must_use]
    pub const fn socket(&self) -> &S {
        &self.socket
    }

    /// The socket, for an owner that carries the datagrams itself.
    pub const fn socket_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// The clock, for an owner that sets it.
    pub const fn clock_mut(&mut self) -> &mut C {
        &mut self.clock
    }

    /// The time of the driver's clock.
    pub fn now(&mut self) -> Duration {
        self.clock.now()
    }

    /// What the socket reported.
    #[must_use]
    pub fn socket_counters(&self) -> SocketCounters {
        let (received, sent) = (self.receive_counters, self.outbox.counters());
        SocketCounters {
            receive_errors: received.errors,
            oversized: received.oversized,
            send_errors: sent.send_errors,
            would_blocks: sent.would_blocks,
            overflowed: sent.overflowed,
            waiting: self.outbox.len(),
            polls_cut_short: received.polls_cut_short,
        }
    }

    /// Begins a poll.
    pub fn begin_poll(&mut self) {
        let now = self.clock.now();
        self.reading.begin(now);
        self.has_read = false;
        self.is_cut_short = false;
        self.datagrams_read = 0;
        self.has_timed = false;
        self.has_emitted = false;
        if self.simulator.as_ref().is_some_and(|simulator| simulator.is_idle()) {
            self.simulator = None;
        }
        self.send_waiting();
        self.flush_overdue(now);
        self.node.begin_poll(now);
        self.look_at_search(now);
    }

    /// The next event, with all that came before it on the wire done; `None` when the socket is empty, or the poll has
    /// read for long enough.
    pub fn next_event(&mut self) -> Option<N::Event> {
        if N::CALLS_GAME && self.has_emitted {
            let now = self.clock.now();
            // The handler of the event before may have taken its time.
            self.flush_overdue(now);
            self.reading.resume(now);
        }
        loop {
            if let Some(event) = self.node.poll_event() {
                if N::CALLS_GAME {
                    self.has_emitted = true;
                    let now = self.clock.now();
                    self.reading.pause(now);
                }
                return Some(event);
            }
            // Refusals, goodbyes and the encryption's answers need not wait for the end of a long poll.
            self.transmit();
            if self.has_read || !self.read_batch() {
                if std::mem::replace(&mut self.has_timed, true) {
                    return None;
                }
                // Not before everything is read: nobody is silent whose datagrams wait in the socket.
                let now = self.clock.now();
                self.node.handle_timeout(now);
            }
        }
    }

    /// When the next poll is due, if nothing arrives before and nothing is queued. It may be early.
    #[must_use]
    pub fn poll_timeout(&self, now: Duration) -> Duration {
        let pause = if self.is_cut_short {
            Duration::ZERO
        } else if !self.outbox.is_empty() {
            QUEUE_PAUSE
        } else if self.search.is_some() {
            SEARCH_PAUSE
        } else {
            return self.next_due();
        };
        self.next_due().min(now + pause)
    }

    /// Ends a poll, but leaves what waits for a flush to the next one.
    pub fn pause_poll(&mut self) {
        let now = self.clock.now();
        self.reading.end(now);
    }

    /// Makes the network worse, or good again.
    pub fn simulate(&mut self, change: SimulationChange) {
        let changes_nothing = match &change {
            SimulationChange::Everyone(simulation) => simulation.is_off(),
            SimulationChange::Peer(..) => false,
            SimulationChange::Forget(_) => true,
        };
        if self.simulator.is_some() || !changes_nothing {
            let now = self.clock.now();
            self.simulator.get_or_insert_with(|| Box::new(Simulator::new(now))).change(now, change);
        }
    }

    /// The same driver over a network that is made worse from the start.
    #[must_use]
    pub fn simulating(mut self, simulation: Simulation) -> Self {
        self.simulate(SimulationChange::Everyone(simulation));
        self
    }

    /// Datagrams that this poll has read.
    #[must_use]
    pub const fn datagrams_read(&self) -> u32 {
        self.datagrams_read
    }

    /// Ends a poll: everything that the poll caused leaves.
    pub fn end_poll(&mut self) {
        let now = self.clock.now();
        self.flush_at(now);
        let now = self.clock.now();
        self.reading.end(now);
    }

    /// Sends everything that is queued.
    pub fn flush(&mut self) {
        let now = self.clock.now();
        self.flush_at(now);
    }

    /// Tells every peer that the session ends. What is left is to read what it knows.
    pub fn end(&mut self) {
        let now = self.clock.now();
        self.node.close(now);
        self.transmit();
        // Nobody is here any more when the rest of it would be due.
        self.release(Duration::MAX);
        self.note_sent();
    }

    /// Tells every peer, and ends the session. What remains is to wait for the system, if its send queue is full.
    pub fn close(mut self) -> Farewell<S, C> {
        self.end();
        Farewell::new(self.socket, self.clock, self.outbox)
    }

    fn next_due(&self) -> Duration {
        let simulated = self.simulator.as_ref().and_then(|simulator| simulator.next_due());
        simulated.into_iter().fold(self.node.poll_timeout(), Duration::min)
    }

    fn look_at_search(&mut self, now: Duration) {
        let Some(search) = &mut self.search else { return };
        let port = search.port;
        match search.resolution.poll() {
            None if now < search.deadline => {}
            Some(Ok(mut address)) => {
                self.search = None;
                address.set_port(port);
                self.connect(address);
            }
            None | Some(Err(_)) => {
                self.search = None;
                self.node.fail();
            }
        }
    }

    fn flush_at(&mut self, now: Duration) {
        self.is_timed = false;
        self.node.flush(now);
        self.transmit();
        let end = self.clock.now();
        self.reading.add(now, end);
    }

    /// Sends what waits when it has waited for long, because the game works between its calls.
    fn flush_overdue(&mut self, now: Duration) {
        if self.node.flush_is_overdue(now) {
            self.flush_at(now);
        }
    }

    /// Reads some datagrams; false when there are none.
    fn read_batch(&mut self) -> bool {
        let mut read = 0;
        let now = self.simulated_now();
        while read < BATCH {
            if self.deliver(now) {
                read += 1;
                continue;
            }
            match self.socket.receive(&mut self.buffer[..]) {
                Received::Datagram { from, len } => match &mut self.simulator {
                    Some(simulator) => simulator.receive(now, from, &self.buffer[..len]),
                    None => {
                        self.datagrams_read += 1;
                        self.node.receive(from, &self.buffer[..len]);
                    }
                },
                Received::Oversized => self.receive_counters.oversized += 1,
                Received::Error(_) => self.receive_counters.errors += 1,
                Received::Empty => {
                    self.has_read = true;
                    return read > 0;
                }
            }
            read += 1;
        }
        let now = self.clock.now();
        if self.reading.is_half_over(now) {
            // What known peers have sent is behind what strangers send.
            self.node.hurry();
        }
        if self.reading.is_over(now) {
            self.has_read = true;
            self.is_cut_short = true;
            self.receive_counters.polls_cut_short += 1;
        }
        true
    }

    fn transmit(&mut self) {
        if !self.outbox.is_empty() {
            self.outbox.send_waiting(&mut self.socket, self.clock.now());
        }
        let now = self.simulated_now();
        let ready = self.node.transmit();
        for (to, datagram) in ready.iter() {
            match &mut self.simulator {
                Some(simulator) => simulator.send(now, to, datagram),
                None => self.outbox.send(&mut self.socket, || self.clock.now(), to, datagram),
            }
        }
        ready.clear();
        self.release(now);
        self.note_sent();
    }

    /// Sends what the simulator has held back until now.
    fn release(&mut self, now: Duration) {
        let Some(simulator) = &mut self.simulator else { return };
        while let Some((to, datagram)) = simulator.next_outgoing(now) {
            self.outbox.send(&mut self.socket, || now, to, datagram);
        }
    }

    /// Hands over a datagram that the simulator has held back until now; false when there is none.
    fn deliver(&mut self, now: Duration) -> bool {
        let Some(simulator) = &mut self.simulator else { return false };
        let Some((from, datagram)) = simulator.next_incoming(now) else { return false };
        self.datagrams_read += 1;
        self.node.receive(from, datagram);
        true
    }

    /// The time for the simulator; without one, nobody needs it.
    fn simulated_now(&mut self) -> Duration {
        if self.simulator.is_some() { self.clock.now() } else { Duration::ZERO }
    }

    fn send_waiting(&mut self) {
        if !self.outbox.is_empty() {
            self.outbox.send_waiting(&mut self.socket, self.clock.now());
            self.note_sent();
        }
    }

    fn note_sent(&mut self) {
        let taken = self.outbox.take_taken();
        self.node.note_sent(taken.datagrams, taken.bytes);
    }
}

impl<S: DatagramSocket, C: Clock, N: Node + HasEndpoint> Driver<S, C, N> {
    /// What is known of the connection.
    pub(crate) fn statistics(&mut self) -> ConnectionStatistics {
        let now = self.clock.now();
        ConnectionStatistics {
            endpoint: self.node.endpoint().statistics(),
            socket: self.socket_counters(),
            network_time: self.reading.total(),
            age: now.saturating_sub(self.began),
        }
    }
}

impl<S: DatagramSocket, C: Clock> Driver<S, C> {
    /// The session, for everything that neither sends nor ends it.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.node
    }

    /// The session, to change its settings and fetch its packets.
    pub const fn session_mut(&mut self) -> &mut Session {
        &mut self.node
    }

    /// Queues a packet. It leaves with the next [`Driver::flush`] or poll, or before that when a datagram is full or it
    /// has waited for 5 ms, or at once when the session's [`FlushMode`] says so.
    ///
    /// # Errors
    /// As [`Session::send`].
    pub fn send(&mut self, options: SendOptions, payload: &[u8]) -> Result<(), SendError> {
        if self.node.flush_is_due(&options, payload) {
            self.flush();
        }
        self.node.send(options, payload)?;
        if self.node.flush_mode() == FlushMode::EachPut {
            self.flush();
        } else if self.clock.has_ticked() || !self.is_timed {
            self.is_timed = true;
            self.send_waiting();
            let now = self.clock.now();
            self.flush_overdue(now);
        }
        Ok(())
    }

    /// Server: disconnects a client.
    ///
    /// # Errors
    /// As [`Session::disconnect_peer`].
    pub fn disconnect_peer(&mut self, id: i64, now: bool) -> Result<Option<Event>, DisconnectError> {
        let event = self.node.disconnect_peer(id, now)?;
        self.flush();
        Ok(event)
    }
}

/// How long the search for a server's address may take.
const LONGEST_SEARCH: Duration = Duration::from_secs(30);

/// Between two looks at a full send queue.
const QUEUE_PAUSE: Duration = Duration::from_millis(1);

/// Between two looks at a search for a server's address.
const SEARCH_PAUSE: Duration = Duration::from_millis(10);

/// Datagrams between two looks at what they caused, and at the clock.
const BATCH: u32 = 64;
