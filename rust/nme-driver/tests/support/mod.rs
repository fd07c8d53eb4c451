//! A socket and a clock whose every move a test decides.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use nme_core::codec::Compression;
use nme_core::session::{Config, MaxClients, Session};
use nme_driver::{Clock, DatagramSocket, Driver};
use nme_udp::{Received, SendError};

/// What a socket is to answer next.
pub(crate) enum Arrival {
    Datagram(SocketAddr, Vec<u8>),
    Oversized,
    Error,
}

/// What a test and its socket and clock share.
#[derive(Default)]
pub(crate) struct Machine {
    pub(crate) now: Cell<Duration>,
    /// What a look at the socket takes.
    pub(crate) reading_takes: Cell<Duration>,
    pub(crate) arrivals: RefCell<VecDeque<Arrival>>,
    /// A stranger's datagram arrives whenever the socket is read.
    pub(crate) flood: Cell<bool>,
    pub(crate) reads: Cell<usize>,
    /// Room in the send queue, in datagrams.
    pub(crate) room: Cell<usize>,
    /// The system refuses to send.
    pub(crate) broken: Cell<bool>,
    pub(crate) sent: RefCell<Vec<(SocketAddr, Vec<u8>)>>,
    pub(crate) connected: Cell<Option<SocketAddr>>,
    /// Room that each sleep makes.
    pub(crate) room_by_sleep: Cell<usize>,
}

#[derive(Clone)]
pub(crate) struct FakeSocket(pub(crate) Rc<Machine>);

#[derive(Clone)]
pub(crate) struct FakeClock(pub(crate) Rc<Machine>);

impl DatagramSocket for FakeSocket {
    fn receive(&mut self, buffer: &mut [u8]) -> Received {
        let Self(machine) = self;
        machine.reads.set(machine.reads.get() + 1);
        machine.now.set(machine.now.get() + machine.reading_takes.get());
        match machine.arrivals.borrow_mut().pop_front() {
            Some(Arrival::Datagram(from, bytes)) => {
                buffer[..bytes.len()].copy_from_slice(&bytes);
                Received::Datagram { from, len: bytes.len() }
            }
            Some(Arrival::Oversized) => Received::Oversized,
            Some(Arrival::Error) => Received::Error(io::ErrorKind::ConnectionRefused.into()),
            None if machine.flood.get() => Received::Datagram { from: address(666), len: 20 },
            None => Received::Empty,
        }
    }

    fn send(&mut self, datagram: &[u8], to: SocketAddr) -> Result<(), SendError> {
        let Self(machine) = self;
        if machine.broken.get() {
            return Err(SendError::Other(io::ErrorKind::NetworkUnreachable.into()));
        }
        let room = machine.room.get().checked_sub(1).ok_or(SendError::QueueFull)?;
        machine.room.set(room);
        machine.sent.borrow_mut().push((to, datagram.to_vec()));
        Ok(())
    }

    fn connect(&mut self, peer: SocketAddr) {
        self.0.connected.set(Some(peer));
    }
}

impl Clock for FakeClock {
    fn now(&mut self) -> Duration {
        self.0.now.get()
    }

    fn sleep(&mut self, time: Duration) {
        self.0.now.set(self.0.now.get() + time);
        self.0.room.set(self.0.room.get() + self.0.room_by_sleep.get());
    }
}

pub(crate) type FakeDriver = Driver<FakeSocket, FakeClock>;

pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 7], port))
}

pub(crate) const SERVER: u16 = 4242;
pub(crate) const CLIENT: u16 = 5000;

/// A driver on a machine of its own, with room for everything.
pub(crate) fn drive(session: Session) -> (FakeDriver, Rc<Machine>) {
    let machine = Rc::new(Machine::default());
    machine.room.set(usize::MAX);
    (Driver::new(session, FakeSocket(Rc::clone(&machine)), FakeClock(Rc::clone(&machine))), machine)
}

fn config(seed: u64) -> Config {
    Config::new(seed).compression(Compression::None)
}

pub(crate) fn server() -> (FakeDriver, Rc<Machine>) {
    let clients = MaxClients::new(8).expect("a number of clients");
    drive(Session::server(&config(1), clients, None))
}

pub(crate) fn client() -> (FakeDriver, Rc<Machine>) {
    drive(Session::client(&config(9 << 32), None))
}

/// Polls once; answers the events.
pub(crate) fn poll(driver: &mut FakeDriver) -> Vec<nme_core::session::Event> {
    driver.begin_poll();
    let events = std::iter::from_fn(|| driver.next_event()).collect();
    driver.end_poll();
    events
}

/// Carries what one machine has sent to another.
pub(crate) fn carry(from: &Machine, sender: u16, to: &Machine) {
    let sent = from.sent.take();
    to.arrivals
        .borrow_mut()
        .extend(sent.into_iter().map(|(_, bytes)| Arrival::Datagram(address(sender), bytes)));
}

/// A server and a client that is connected.
pub(crate) struct Pair {
    pub(crate) server: FakeDriver,
    pub(crate) at_server: Rc<Machine>,
    pub(crate) client: FakeDriver,
    pub(crate) at_client: Rc<Machine>,
}

impl Pair {
    pub(crate) fn connected() -> Self {
        let ((server, at_server), (mut client, at_client)) = (server(), client());
        client.connect(address(SERVER));
        let mut pair = Self { server, at_server, client, at_client };
        for _ in 0..10 {
            pair.frame();
        }
        assert_eq!(pair.client.session().status(), nme_core::session::Status::Connected);
        pair
    }

    pub(crate) fn frame(&mut self) {
        for machine in [&self.at_server, &self.at_client] {
            machine.now.set(machine.now.get() + 16 * MS);
        }
        poll(&mut self.client);
        carry(&self.at_client, CLIENT, &self.at_server);
        poll(&mut self.server);
        carry(&self.at_server, SERVER, &self.at_client);
    }
}
