//! Encryption at the endpoint: the layer, and which of its associations are in use.
//!
//! An association begins before ENet's connection and ends behind it: it is closed when the last datagram of the
//! connection has been handed out. The other way round, the end of an association ends its connections, behind what they
//! have sent. Nothing of theirs may be sent any more: behind that address there can be a new association already, of a
//! client that has restarted.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use super::datagrams::Datagrams;
use super::engine::Host;
use super::{Endpoint, Role};
use crate::secure::{SecureCounters, SecureEvent, SecureLayer, SecureOutput, Verdict};

/// The layer with what its endpoint has to know of the associations.
pub(super) struct Associations {
    layer: Box<dyn SecureLayer>,
    /// Every association that has not ended, with its number.
    open: BTreeMap<SocketAddr, u64>,
    /// The new ones, oldest first, and since when: they need a connection soon.
    unused: VecDeque<(Association, Duration)>,
    /// Number of the next one.
    next: u64,
}

/// An association: behind an address there can be one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Association {
    address: SocketAddr,
    number: u64,
}

impl Associations {
    pub(super) fn new(layer: Box<dyn SecureLayer>) -> Self {
        Self { layer, open: BTreeMap::new(), unused: VecDeque::new(), next: 0 }
    }

    fn insert(&mut self, address: SocketAddr) -> Association {
        let number = self.next;
        self.next += 1;
        self.open.insert(address, number);
        Association { address, number }
    }

    fn is_open(&self, association: &Association) -> bool {
        self.open.get(&association.address) == Some(&association.number)
    }

    /// A new association whose time for a connection is over.
    fn next_overdue(&mut self, now: Duration) -> Option<SocketAddr> {
        loop {
            let (association, _) =
                self.unused.pop_front_if(|(_, began)| now.saturating_sub(*began) >= LONGEST_UNUSED)?;
            if self.is_open(&association) {
                return Some(association.address);
            }
        }
    }
}

/// Puts a datagram on the wire, protected when there is a layer.
pub(super) fn post(
    associations: Option<&mut Associations>,
    now: Duration,
    to: SocketAddr,
    datagram: &[u8],
    out: &mut SecureOutput,
) {
    match associations {
        None => out.wire.push(to, datagram),
        Some(associations) => associations.layer.send(now, to, datagram, out),
    }
}

impl Datagrams {
    pub(super) const fn is_encrypted(&self) -> bool {
        self.associations.is_some()
    }

    /// Client: begins the handshake with the server; false when nothing is encrypted.
    pub(super) fn connect(&mut self, now: Duration, server: SocketAddr) -> bool {
        let Some(associations) = &mut self.associations else { return false };
        associations.insert(server);
        associations.layer.connect(now, server, &mut self.out);
        true
    }

    /// The association with an address, for a new connection.
    pub(super) fn association(&mut self, now: Duration, address: SocketAddr) -> Option<Box<Association>> {
        let associations = self.associations.as_mut()?;
        let number = *associations.open.get(&address)?;
        associations.layer.note_use(now, address);
        Some(Box::new(Association { address, number }))
    }

    /// Ends an association whose connection has ended, unless another one uses it.
    pub(super) fn close_association(&mut self, now: Duration, association: &Association, host: &Host) {
        if self.associations.as_ref().is_some_and(|associations| associations.is_open(association)) {
            self.close_unless_used(now, association.address, host);
        }
    }

    /// Ends the association with an address, unless it is the one of another connection.
    pub(super) fn close_unless_used(&mut self, now: Duration, address: SocketAddr, host: &Host) {
        if let Some(associations) = &mut self.associations
            && host.peers_at(address).next().is_none()
            && associations.open.remove(&address).is_some()
        {
            associations.layer.close(now, address, &mut self.out);
        }
    }

    /// Ends every association.
    pub(super) fn close_all(&mut self, now: Duration) {
        let Some(associations) = &mut self.associations else { return };
        while let Some((address, _)) = associations.open.pop_first() {
            associations.layer.close(now, address, &mut self.out);
        }
    }

    /// What the layer has counted.
    pub(super) fn secure_counters(&self) -> Option<SecureCounters> {
        self.associations.as_ref().map(|associations| associations.layer.counters())
    }
}

impl Endpoint {
    pub(super) fn receive_encrypted(&mut self, from: SocketAddr, datagram: &[u8]) {
        let (now, host) = (self.now, &self.host);
        let Some(associations) = &mut self.datagrams.associations else { return };
        let mut judge = || match &mut self.role {
            Role::Server { admission, .. } => admission.judge_hello(now, from, !host.has_vacancy()),
            Role::Client(_) => Verdict::Ignore,
        };
        associations.layer.receive(now, from, datagram, &mut judge, &mut self.datagrams.out);
        self.heed_encryption();
    }

    /// Lets the layer work on the time.
    pub(super) fn tick_encryption(&mut self) {
        let Some(associations) = &mut self.datagrams.associations else { return };
        associations.layer.tick(self.now, &mut self.datagrams.out);
        self.heed_encryption();
        self.close_overdue();
    }

    /// Follows what the layer has brought: datagrams first, then what happened to associations.
    pub(super) fn heed_encryption(&mut self) {
        while !self.datagrams.out.plain.is_empty() {
            let mut plain = std::mem::take(&mut self.datagrams.out.plain);
            for (from, datagram) in plain.iter() {
                self.receive_plain(from, datagram);
            }
            plain.clear();
            if self.datagrams.out.plain.is_empty() {
                self.datagrams.out.plain = plain;
            }
        }
        while let Some(event) = self.datagrams.out.events.pop_front() {
            let Some(associations) = &mut self.datagrams.associations else { return };
            match event {
                SecureEvent::Established(address) => {
                    let association = associations.insert(address);
                    match self.role {
                        Role::Server { .. } => associations.unused.push_back((association, self.now)),
                        Role::Client(_) => self.request_connection(address),
                    }
                }
                SecureEvent::Closed(address) => {
                    associations.open.remove(&address);
                    self.abandon(address);
                }
                SecureEvent::Failed(failure) => {
                    associations.open.clear();
                    self.fail_attempt(failure.into());
                }
            }
        }
    }

    /// The association with an address has ended: so do its connections.
    fn abandon(&mut self, address: SocketAddr) {
        let peers: Vec<_> = self.host.peers_at(address).collect();
        for peer in peers {
            self.host.abandon(peer);
        }
    }

    /// Ends associations whose client has made a handshake and nothing more: they would cost memory for ever.
    fn close_overdue(&mut self) {
        while let Some(associations) = &mut self.datagrams.associations
            && let Some(address) = associations.next_overdue(self.now)
        {
            let is_used = self.host.peers_at(address).any(|peer| self.connections.contains(peer));
            if !is_used {
                self.abandon(address);
                self.datagrams.close_unless_used(self.now, address, &self.host);
            }
        }
    }
}

/// How long a client may take from the end of the handshake to the beginning of its ENet connection.
const LONGEST_UNUSED: Duration = Duration::from_secs(10);
