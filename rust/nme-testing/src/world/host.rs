//! A host of the world, with the checks that its game relies on.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use nme_core::peer::PeerId;
use nme_core::session::{Event, Session};
use nme_netem::Network;

use super::log::{Entry, Packet, Seen};

/// A session, and what is around it.
pub(super) struct Host {
    pub(super) address: SocketAddr,
    pub(super) session: Session,
    pub(super) socket: VecDeque<(SocketAddr, Vec<u8>)>,
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
    pub(super) const fn new(address: SocketAddr, session: Session) -> Self {
        Self {
            address,
            session,
            socket: VecDeque::new(),
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
            self.socket.extend(std::iter::from_fn(|| network.receive(now, self.address)));
        }
    }

    pub(super) fn see_event(&mut self, event: Event, now: Duration) {
        match event {
            Event::PeerConnected(id) => assert!(self.known.insert(id), "{id} joined twice"),
            Event::PeerDisconnected(id) => {
                assert!(self.known.remove(&id), "{id} left without having joined");
                // SceneMultiplayer throws away what it fetches from a peer that this poll has reported gone.
                let waits = self.session.next_packet().is_some_and(|packet| packet.from() == id);
                assert!(self.has_lagged || !waits, "{id} left while a packet of it waits");
            }
            Event::ConnectionSucceeded => assert!(self.known.contains(&PeerId::SERVER)),
            Event::ConnectionFailed | Event::ServerDisconnected => {
                assert!(self.known.is_empty(), "over, but {:?} have not left", self.known);
                let waiting = self.session.waiting_packets();
                assert!(self.has_lagged || waiting == 0, "{waiting} packets are lost with the session");
                self.over = true;
            }
        }
        self.log.push(Entry { poll: self.polls, time: now, seen: Seen::Event(event) });
    }

    pub(super) fn fetch_all(&mut self, now: Duration) {
        while let Some(received) = self.session.fetch() {
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
