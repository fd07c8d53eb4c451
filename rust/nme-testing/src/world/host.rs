//! A host of the world, with the checks that its game relies on.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use nme_core::MAX_DATAGRAM;
use nme_core::peer::PeerId;
use nme_core::session::{Event, Session};
use nme_driver::Driver;
use nme_netem::Network;

use super::log::{Entry, Packet, Seen};
use crate::memory::{MemorySocket, VirtualClock};

/// A session with its driver, and what is around it.
pub(super) struct Host {
    pub(super) address: SocketAddr,
    pub(super) driver: Driver<MemorySocket, VirtualClock>,
    pub(super) log: Vec<Entry>,
    pub(super) known: BTreeSet<PeerId>,
    pub(super) polls: u32,
    pub(super) fetching: bool,
    /// Fetching was off: packets may have stayed longer than their senders.
    pub(super) has_lagged: bool,
    pub(super) paused: bool,
    pub(super) over: bool,
}

impl Host {
    pub(super) fn new(address: SocketAddr, session: Session, now: Duration) -> Self {
        Self {
            address,
            driver: Driver::new(session, MemorySocket::default(), VirtualClock(now)),
            log: Vec::new(),
            known: BTreeSet::new(),
            polls: 0,
            fetching: true,
            has_lagged: false,
            paused: false,
            over: false,
        }
    }

    pub(super) fn take_arrived(&mut self, network: &mut Network, now: Duration) {
        if !self.over {
            while let Some((from, bytes)) = network.receive(now, self.address) {
                if bytes.len() > MAX_DATAGRAM {
                    // A socket would not tell who has sent it; a session has to drop it all the same.
                    self.driver.session_mut().receive(from, &bytes);
                } else {
                    self.driver.socket_mut().push(from, &bytes);
                }
            }
        }
    }

    pub(super) fn see_event(&mut self, event: Event, now: Duration) {
        match event {
            Event::PeerConnected(id) => assert!(self.known.insert(id), "{id} joined twice"),
            Event::PeerDisconnected(id) => {
                assert!(self.known.remove(&id), "{id} left without having joined");
                // SceneMultiplayer throws away what it fetches from a peer that this poll has reported gone.
                let waits = self.driver.session().next_packet().is_some_and(|packet| packet.from() == id);
                assert!(self.has_lagged || !waits, "{id} left while a packet of it waits");
            }
            Event::ConnectionSucceeded => assert!(self.known.contains(&PeerId::SERVER)),
            Event::ConnectionFailed | Event::ServerDisconnected => {
                assert!(self.known.is_empty(), "over, but {:?} have not left", self.known);
                let waiting = self.driver.session().waiting_packets();
                assert!(self.has_lagged || waiting == 0, "{waiting} packets are lost with the session");
                self.over = true;
            }
        }
        self.log.push(Entry { poll: self.polls, time: now, seen: Seen::Event(event) });
    }

    pub(super) fn fetch_all(&mut self, now: Duration) {
        while let Some(received) = self.driver.session_mut().fetch() {
            let packet = Packet {
                from: received.from(),
                channel: received.channel(),
                mode: received.mode(),
                bytes: received.payload().to_vec(),
            };
            let is_known = self.has_lagged || self.known.contains(&packet.from);
            assert!(is_known, "a packet of a stranger: {packet:?}");
            self.log.push(Entry { poll: self.polls, time: now, seen: Seen::Packet(packet) });
        }
    }
}
