//! From the endpoint's reports to the game's inbox and events.

use std::net::SocketAddr;

use nme_enet::PeerHandle;

use super::peer_table::Reach;
use super::{ConnectionError, Departure, Event, Role, Session};
use crate::counters::DroppedPacket;
use crate::endpoint::{Command, Credit, Link, Received, Report};
use crate::peer::PeerId;
use crate::relay::{Kick, ToldFigures};

impl<L: Link> Session<L> {
    pub(super) fn take_report(&mut self, report: Report) {
        match report {
            Report::Connecting(server) => self.note_server(server),
            Report::Connected { id, peer, address, channels } => {
                self.on_connected(id, Reach::Direct { peer, address, channels });
            }
            Report::Disconnected { id, peer, departure } => self.on_disconnected(id, peer, departure),
            Report::Told(about, told) => self.on_told(about, told),
            Report::Kicked(kick) => self.on_kicked(kick),
            Report::Received { received, displaces } => {
                if displaces > 0 {
                    let credit = self.inbox.displace(received.via, displaces);
                    self.link.credit(credit);
                }
                self.on_received(received);
            }
            Report::SystemMessage(system_message) => self.on_system_message(system_message),
            Report::Failed(error) => self.on_failed(error),
            Report::Question(question) => self.questions.push_back(question),
            Report::Warning(warning) => self.warnings.push_back(warning),
        }
    }

    /// Client: the address of the server is known.
    pub fn note_server(&mut self, address: SocketAddr) {
        if let Role::Client(client) = &mut self.role {
            client.set_server(address);
        }
    }

    fn on_connected(&mut self, id: PeerId, reach: Reach) {
        self.peers.insert(id, reach);
        self.events.push_back(Event::PeerConnected(id));
        if let Role::Client(client) = &mut self.role {
            client.succeed();
            self.events.push_back(Event::ConnectionSucceeded);
        }
    }

    fn on_told(&mut self, about: PeerId, told: ToldFigures) {
        let is_known = about == self.id || self.peers.contains(about);
        if let Role::Client(client) = &mut self.role
            && is_known
        {
            client.set_told(about, told);
        }
    }

    fn on_kicked(&mut self, kick: Kick) {
        if let Role::Client(client) = &mut self.role {
            client.set_kick(kick);
        }
    }

    fn on_disconnected(&mut self, id: PeerId, peer: PeerHandle, departure: Departure) {
        if self.peers.handle(id) != Some(peer) {
            return;
        }
        self.peers.mark_gone(id);
        match &mut self.role {
            Role::Server => self.report_departure(id, departure),
            Role::Client(client) => {
                client.note(departure.error());
                self.departures.insert(id, departure);
                // What is in the inbox would be lost with the session: the game gets one more turn to fetch it.
                if self.inbox.len() > 0 || client.is_new() {
                    client.postpone_loss();
                } else {
                    self.report_lost_server();
                }
            }
        }
    }

    fn on_received(&mut self, received: Received) {
        match &self.role {
            Role::Server => self.keep(received.from, received),
            Role::Client(_) => self.on_server_packet(received),
        }
    }

    /// Keeps a packet that has come over the connection with `first_hop` until the game fetches it.
    pub(super) fn keep(&mut self, first_hop: PeerId, received: Received) {
        // The game may have sent it away meanwhile, and what comes from another thread may have been on its way.
        if self.peers.listens_to(first_hop, received.via) {
            self.inbox.push(received);
        } else {
            self.let_go(&received);
        }
    }

    /// A packet does not wait any more.
    pub(super) fn let_go(&mut self, received: &Received) {
        self.link.credit(Credit::of(received));
    }

    /// A packet does not wait any more because it was dropped, for a reason that is counted.
    pub(super) fn drop_packet(&mut self, received: &Received, reason: DroppedPacket) {
        self.let_go(received);
        self.link.execute(Command::NoteDropped(reason));
    }

    /// There is no endpoint any more: everybody has left. Does nothing the second time.
    pub fn lose_everything(&mut self) {
        self.on_failed(ConnectionError::Lost);
        for peer in self.peers.everybody().iter() {
            if let Some(id) = self.peers.id_of(*peer) {
                self.on_disconnected(id, *peer, Departure::Lost);
            }
        }
    }

    fn on_failed(&mut self, error: ConnectionError) {
        if let Role::Client(client) = &mut self.role
            && client.fail(error)
        {
            self.events.push_back(Event::ConnectionFailed);
        }
    }

    /// Reports that a peer has left, with the next poll when packets of it wait to be fetched.
    pub(super) fn report_departure(&mut self, id: PeerId, departure: Departure) {
        self.departures.insert(id, departure);
        if self.inbox.has_from(id) {
            self.leaving.push(id);
        } else {
            self.events.push_back(Event::PeerDisconnected(id));
        }
    }

    pub(super) fn report_lost_server(&mut self) {
        self.leaving.clear();
        self.events.clear();
        let others = self.peers.ids().filter(|id| *id != PeerId::SERVER);
        self.events.extend(others.map(Event::PeerDisconnected));
        self.events.push_back(Event::PeerDisconnected(PeerId::SERVER));
        self.events.push_back(Event::ServerDisconnected);
    }
}
