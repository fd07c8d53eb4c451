//! Asks servers what they say of themselves, over sockets of its own.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use nme_core::query::{Browser, BrowserEvent, QUESTION_LEN, QueryId, Route, Server};
use nme_udp::{Bind, BindError, Families, Options, Received, Resolution, UdpSocket};

use crate::clock::{Clock, Monotonic};
use crate::error::SearchError;

/// Looks for servers, moved by the calls of its owner.
///
/// [`ServerBrowser::poll`], then [`ServerBrowser::next_event`] until it answers `None`.
pub struct ServerBrowser {
    browser: Browser,
    clock: Monotonic,
    /// Open while something is being asked.
    sockets: Vec<(Bind, UdpSocket)>,
    lookups: Vec<Lookup>,
    /// What the game has asked for. A search by broadcast has no host.
    asked: BTreeMap<QueryId, Asked>,
    events: VecDeque<SearchEvent>,
    is_searching: bool,
    buffer: Box<[u8; QUESTION_LEN + 1]>,
}

/// What has come of the questions.
#[derive(Clone, Debug, PartialEq)]
pub enum SearchEvent {
    /// A server has answered.
    Found {
        /// The host as the game has named it, or the address of a server that was found by broadcast.
        host: String,
        /// What it says.
        server: Server,
    },
    /// A server has not answered in time, or its name has no address.
    Failed {
        /// The host as the game has named it.
        host: String,
        /// Its port.
        port: u16,
    },
    /// Nothing is being asked any more.
    Finished,
}

/// How long to wait for answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchTimeout(Duration);

#[derive(Clone, Debug)]
struct Asked {
    host: Option<String>,
    port: u16,
}

/// A host whose address is not known yet.
struct Lookup {
    resolution: Resolution,
    host: String,
    port: u16,
    deadline: Duration,
}

impl SearchTimeout {
    /// Reads a time in ms.
    ///
    /// # Errors
    /// When it is not in 1..=60000.
    pub fn from_millis(value: i64) -> Result<Self, SearchError> {
        let millis = u64::try_from(value).ok().filter(|millis| (1..=LONGEST_TIMEOUT_MS).contains(millis));
        millis.map(|millis| Self(Duration::from_millis(millis))).ok_or(SearchError::Timeout(value))
    }
}

impl ServerBrowser {
    /// A browser that asks nothing. `key` is 128 random bits from the operating system.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        Self {
            browser: Browser::new(key),
            clock: Monotonic::new(),
            sockets: Vec::new(),
            lookups: Vec::new(),
            asked: BTreeMap::new(),
            events: VecDeque::new(),
            is_searching: false,
            buffer: Box::new([0; QUESTION_LEN + 1]),
        }
    }

    /// Asks one server, and looks up its name first when it is one. Does not wait.
    ///
    /// # Errors
    /// For port 0, a host that is no name and no address, too many queries, and without a socket.
    pub fn query(&mut self, host: &str, port: i64, timeout: SearchTimeout) -> Result<(), SearchError> {
        let port = search_port(port)?;
        let resolution = Resolution::start(host, Families::Any);
        let deadline = self.clock.now() + timeout.0;
        let lookup = Lookup { resolution, host: host.to_owned(), port, deadline };
        match lookup.resolution.immediate().transpose()? {
            Some(address) => self.ask(lookup, address)?,
            None if self.lookups.len() >= MAX_LOOKUPS => return Err(SearchError::ManyLookups),
            None => self.lookups.push(lookup),
        }
        self.is_searching = true;
        Ok(())
    }

    /// Asks all servers on this port that a broadcast reaches, by way of these addresses of this machine and on the machine
    /// itself. Does not wait.
    ///
    /// # Errors
    /// For port 0, too many queries, and without a socket.
    pub fn discover(
        &mut self,
        interfaces: &[IpAddr],
        port: i64,
        timeout: SearchTimeout,
    ) -> Result<(), SearchError> {
        let port = search_port(port)?;
        let mut routes =
            vec![self.route(Bind::Address(Ipv4Addr::LOCALHOST.into()), Ipv4Addr::LOCALHOST, port)?];
        let addresses = interfaces.iter().filter(|address| address.is_ipv4() && !address.is_loopback());
        // Sent from an address of an interface, it leaves there: the system would choose one otherwise.
        for address in addresses.take(MAX_INTERFACES) {
            // An interface that is gone again.
            let Ok(route) = self.route(Bind::Address(*address), Ipv4Addr::BROADCAST, port) else { continue };
            if !routes.contains(&route) {
                routes.push(route);
            }
        }
        if routes.len() == 1 {
            let any = Bind::Address(Ipv4Addr::UNSPECIFIED.into());
            routes.push(self.route(any, Ipv4Addr::BROADCAST, port)?);
        }
        let now = self.clock.now();
        let id = self.browser.discover(now, routes, timeout.0)?;
        self.asked.insert(id, Asked { host: None, port });
        self.is_searching = true;
        self.send(now);
        Ok(())
    }

    /// Takes what has come, and asks again what has not been answered.
    pub fn poll(&mut self) {
        let now = self.clock.now();
        self.look_at_lookups(now);
        for (_, socket) in &mut self.sockets {
            for _ in 0..MAX_READS_PER_POLL {
                match socket.recv_from(&mut self.buffer[..]) {
                    Received::Datagram { from, len } => self.browser.receive(now, from, &self.buffer[..len]),
                    Received::Empty => break,
                    // Longer than an answer, or a host that is not there: nobody to hear from.
                    Received::Oversized | Received::Error(_) => {}
                }
            }
        }
        self.browser.handle_timeout(now);
        while let Some(event) = self.browser.poll_event() {
            self.translate(event);
        }
        self.send(now);
    }

    /// The next thing that has come of the questions.
    pub fn next_event(&mut self) -> Option<SearchEvent> {
        let event = self.events.pop_front();
        if event.is_some() || !self.is_searching || !self.browser.is_idle() || !self.lookups.is_empty() {
            return event;
        }
        self.stop();
        Some(SearchEvent::Finished)
    }

    /// True from the first question until [`SearchEvent::Finished`] or [`ServerBrowser::stop`].
    #[must_use]
    pub const fn is_searching(&self) -> bool {
        self.is_searching
    }

    /// Forgets everything that is being asked, without events.
    pub fn stop(&mut self) {
        self.browser.stop();
        self.is_searching = false;
        self.sockets = Vec::new();
        self.lookups = Vec::new();
        self.asked = BTreeMap::new();
        self.events = VecDeque::new();
    }

    fn ask(&mut self, lookup: Lookup, address: SocketAddr) -> Result<(), SearchError> {
        let Lookup { host, port, deadline, .. } = lookup;
        let mut to = address;
        to.set_port(port);
        let now = self.clock.now();
        let route = Route { socket: self.socket(Bind::Any)?, to };
        let id = self.browser.query(now, route, deadline.saturating_sub(now))?;
        self.asked.insert(id, Asked { host: Some(host), port });
        self.send(now);
        Ok(())
    }

    fn look_at_lookups(&mut self, now: Duration) {
        for mut lookup in std::mem::take(&mut self.lookups) {
            let answer = lookup.resolution.poll();
            if answer.is_none() && now < lookup.deadline {
                self.lookups.push(lookup);
                continue;
            }
            let (host, port) = (lookup.host.clone(), lookup.port);
            let is_asked = matches!(answer, Some(Ok(address)) if self.ask(lookup, address).is_ok());
            if !is_asked {
                self.events.push_back(SearchEvent::Failed { host, port });
            }
        }
    }

    fn translate(&mut self, event: BrowserEvent) {
        match event {
            BrowserEvent::Found(id, server) => {
                let asked = self.asked.get(&id).and_then(|asked| asked.host.clone());
                let host = match asked {
                    Some(host) => {
                        self.asked.remove(&id);
                        host
                    }
                    None => server.address.ip().to_string(),
                };
                self.events.push_back(SearchEvent::Found { host, server });
            }
            BrowserEvent::Failed(id) => {
                if let Some(Asked { host: Some(host), port }) = self.asked.remove(&id) {
                    self.events.push_back(SearchEvent::Failed { host, port });
                }
            }
        }
    }

    /// Sends the questions that are due. One that the system refuses is lost, as on the way; it is asked again.
    fn send(&mut self, now: Duration) {
        for (route, question) in self.browser.due(now) {
            if let Some((_, socket)) = self.sockets.get_mut(route.socket) {
                let _ = socket.send_to(&question.write(), route.to);
            }
        }
    }

    fn route(&mut self, bind: Bind, to: Ipv4Addr, port: u16) -> Result<Route, BindError> {
        Ok(Route { socket: self.socket(bind)?, to: (to, port).into() })
    }

    /// The number of the socket that is bound there.
    fn socket(&mut self, bind: Bind) -> Result<usize, BindError> {
        if let Some(number) = self.sockets.iter().position(|(bound, _)| *bound == bind) {
            return Ok(number);
        }
        self.sockets.push((bind, UdpSocket::bind(Options { bind, port: 0 })?));
        Ok(self.sockets.len() - 1)
    }
}

fn search_port(port: i64) -> Result<u16, SearchError> {
    u16::try_from(port).ok().filter(|port| *port > 0).ok_or(SearchError::Port(port))
}

/// The longest time for an answer, in ms. Who has a name server that takes longer has no server to play on.
pub(crate) const LONGEST_TIMEOUT_MS: u64 = 60_000;

/// Names that are looked up at once.
const MAX_LOOKUPS: usize = 256;

/// Addresses of this machine that a broadcast is sent from.
const MAX_INTERFACES: usize = 16;

/// Datagrams that one poll reads from a socket, so that a flood does not stop the game.
const MAX_READS_PER_POLL: usize = 512;
