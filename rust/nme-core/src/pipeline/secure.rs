//! Encryption in the pipeline: the layer, and which of its associations are in use.
//!
//! An association begins before ENet's connection and ends behind it: it is closed when the last datagram of the
//! connection has been handed out. The other way round, the end of an association ends its connections, in the order
//! of the wire: see [`Opened::End`](super::Opened::End).

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use super::{MTU, Pipeline};
use crate::counters::Counters;
use crate::enet::Host;
use crate::guard::Role;
use crate::secure::{Admission, SecureCounters, SecureEvent, SecureLayer, SecureOutput};

/// The layer with what its host has to know of the associations.
pub(super) struct Secure {
    layer: Box<dyn SecureLayer>,
    /// The layer's clock. Like the engine's it never jumps: what has come during a long pause waits in the socket, and
    /// nobody must be given up before it is read.
    now: Duration,
    last_told: Option<Duration>,
    /// Every association that has not ended, with the time of its beginning.
    associations: BTreeMap<SocketAddr, Duration>,
    /// The new ones, oldest first: they need a connection soon.
    unused: VecDeque<(SocketAddr, Duration)>,
    orphans: Vec<Orphan>,
}

/// An address whose association has ended before its connections. Nothing of theirs may be sent: behind that address
/// there can be a new association already, of a client that has restarted.
struct Orphan {
    address: SocketAddr,
    /// The engine has been told, with all it has to read.
    told: bool,
}

impl Secure {
    pub(super) fn new(layer: Box<dyn SecureLayer>) -> Self {
        Self {
            layer,
            now: Duration::ZERO,
            last_told: None,
            associations: BTreeMap::new(),
            unused: VecDeque::new(),
            orphans: Vec::new(),
        }
    }

    fn is_orphan(&self, address: SocketAddr) -> bool {
        self.orphans.iter().any(|orphan| orphan.address == address)
    }

    fn close(&mut self, address: SocketAddr, out: &mut SecureOutput) {
        if self.associations.remove(&address).is_some() {
            self.layer.close(self.now, address, out);
        }
    }

    fn end(&mut self, address: SocketAddr, host: &mut dyn Host) {
        self.orphans.push(Orphan { address, told: false });
        host.inbound().push_end(address);
    }

    /// A new association whose time for a connection is over.
    fn next_overdue(&mut self) -> Option<SocketAddr> {
        loop {
            let now = self.now;
            let (address, began) =
                self.unused.pop_front_if(|(_, began)| now.saturating_sub(*began) >= CONNECTION_PATIENCE)?;
            if self.associations.get(&address) == Some(&began) {
                return Some(address);
            }
        }
    }
}

/// Puts a datagram on the wire, protected when there is a layer.
pub(super) fn post(secure: Option<&mut Secure>, to: SocketAddr, datagram: &[u8], out: &mut SecureOutput) {
    match secure {
        None => out.wire.push(to, datagram),
        Some(secure) if secure.is_orphan(to) => {}
        Some(secure) => secure.layer.send(secure.now, to, datagram, out),
    }
}

impl Pipeline {
    /// Time goes on. Going back is ignored.
    pub(crate) fn set_time(&mut self, now: Duration) {
        let Some(secure) = &mut self.secure else { return };
        let last = secure.last_told.unwrap_or(now);
        secure.now += now.saturating_sub(last).min(LONGEST_STEP);
        secure.last_told = Some(last.max(now));
    }

    /// Server: takes no new clients, or takes them again. With encryption, it begins no handshakes.
    pub(crate) const fn set_refusing(&mut self, refusing: bool) {
        self.refusing = refusing;
    }

    /// Client: begins the handshake with the server; false when nothing is encrypted.
    pub(crate) fn connect(&mut self, server: SocketAddr) -> bool {
        let Some(secure) = &mut self.secure else { return false };
        secure.associations.insert(server, secure.now);
        secure.layer.connect(secure.now, server, &mut self.out);
        true
    }

    /// Lets the layer work on the time.
    pub(crate) fn tick(&mut self, host: &mut dyn Host, counters: &mut Counters) {
        let Some(secure) = &mut self.secure else { return };
        secure.layer.tick(secure.now, &mut self.out);
        self.take_plain(host, counters);
        self.close_overdue(host);
    }

    pub(super) fn receive_protected(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        host: &mut dyn Host,
        counters: &mut Counters,
    ) {
        let Some(secure) = &mut self.secure else { return };
        let frees_slot = host.inbound().has_barrier();
        let (refusing, guard) = (self.refusing, &mut self.guard);
        let mut admits = || match refusing {
            false if frees_slot || host.has_free_slot() => Admission::Granted,
            false if !guard.is_refused(from) => Admission::Unanswered,
            _ => Admission::Refused,
        };
        secure.layer.receive(secure.now, from, datagram, &mut admits, &mut self.out);
        self.take_plain(host, counters);
    }

    /// What the handshakes have come to. Ends of associations are queued for the engine on the way.
    pub(crate) fn next_secure_event(&mut self, host: &mut dyn Host) -> Option<SecureEvent> {
        let secure = self.secure.as_mut()?;
        let event = self.out.events.pop_front()?;
        match event {
            SecureEvent::Established(address) => {
                secure.associations.insert(address, secure.now);
                if self.role == Role::Server {
                    secure.unused.push_back((address, secure.now));
                }
            }
            SecureEvent::Closed(address) => {
                secure.associations.remove(&address);
                secure.end(address, host);
            }
            SecureEvent::Failed(_) => secure.associations.clear(),
        }
        Some(event)
    }

    /// All before the end of an association has been dispatched: lets the engine end its connections.
    pub(crate) fn end_connections(&mut self, address: SocketAddr, host: &mut dyn Host) {
        for farewell in self.guard.farewells(address) {
            host.inbound().push_first(address, farewell);
        }
        let mut orphans = self.secure.iter_mut().flat_map(|secure| &mut secure.orphans);
        if let Some(orphan) = orphans.find(|orphan| orphan.address == address && !orphan.told) {
            orphan.told = true;
        }
    }

    /// The engine has nothing left to dispatch: what was to end has ended.
    pub(crate) fn settle(&mut self) {
        if let Some(secure) = &mut self.secure {
            secure.orphans.retain(|orphan| !orphan.told);
        }
    }

    /// Ends the association with an address, unless it is the one of another connection.
    pub(super) fn close_unless_used(&mut self, address: SocketAddr) {
        let Some(secure) = &mut self.secure else { return };
        if !secure.is_orphan(address) && !self.guard.is_connected(address) {
            secure.close(address, &mut self.out);
        }
    }

    /// Ends every association.
    pub(crate) fn close_all(&mut self) {
        let Some(secure) = &mut self.secure else { return };
        while let Some((address, _)) = secure.associations.pop_first() {
            secure.layer.close(secure.now, address, &mut self.out);
        }
    }

    /// What the layer has counted.
    pub(crate) fn secure_counters(&self) -> Option<SecureCounters> {
        self.secure.as_ref().map(|secure| secure.layer.counters())
    }

    /// Ends associations whose client has made a handshake and nothing more: they would cost memory for ever.
    fn close_overdue(&mut self, host: &mut dyn Host) {
        let Some(secure) = &mut self.secure else { return };
        while let Some(address) = secure.next_overdue() {
            if !self.guard.is_connected(address) {
                secure.close(address, &mut self.out);
                secure.end(address, host);
            }
        }
    }

    /// Moves unprotected datagrams on, towards the engine.
    fn take_plain(&mut self, host: &mut dyn Host, counters: &mut Counters) {
        while !self.out.plain.is_empty() {
            let mut plain = std::mem::take(&mut self.out.plain);
            for (from, datagram) in plain.iter() {
                self.receive_plain(from, datagram, host, counters);
            }
            plain.clear();
            if self.out.plain.is_empty() {
                self.out.plain = plain;
            }
        }
    }
}

/// MTU of a host with such a layer: a protected datagram is no longer than a plain one of 3.6.
pub(crate) fn mtu(layer: Option<&dyn SecureLayer>) -> u16 {
    let overhead = layer.map_or(0, SecureLayer::overhead);
    MTU.saturating_sub(overhead).max(SMALLEST_MTU)
}

/// The smallest and the largest MTU that a peer of such a host may have. Without a layer both are that of 3.6. With
/// one, a 3.6 asks for the same, and another version of this library may have a layer of another size.
pub(crate) fn peer_mtu(layer: Option<&dyn SecureLayer>) -> (u16, u16) {
    (if layer.is_some() { mtu(layer).min(MTU - LARGEST_OVERHEAD) } else { MTU }, MTU)
}

/// How long a client may take from the end of the handshake to the beginning of its ENet connection.
const CONNECTION_PATIENCE: Duration = Duration::from_secs(10);

/// The longest pause that the layer sees.
const LONGEST_STEP: Duration = Duration::from_secs(4);

/// What DTLS 1.2 adds at most: 13 bytes of header, 16 of IV, 48 of MAC and 16 of padding, rounded up.
const LARGEST_OVERHEAD: u16 = 96;

/// The smallest that ENet takes.
const SMALLEST_MTU: u16 = 576;
