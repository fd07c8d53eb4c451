//! The client's side of the game: how far its connection is, and the peers behind the server's relay.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use super::peer_table::Reach;
use super::{ConnectionError, Departure, Role, Session, Status};
use crate::counters::DroppedPacket;
use crate::endpoint::{Command, Link, Received};
use crate::peer::PeerId;
use crate::relay::wire::SystemMessage;
use crate::relay::{Kick, ToldFigures};
use crate::session::config::MAX_CLIENTS;
use crate::session::event::Event;

/// What only a client has.
#[derive(Debug)]
pub(super) struct Client {
    state: State,
    /// The server that it connects to, once that is known.
    server: Option<SocketAddr>,
    error: Option<ConnectionError>,
    /// What the server has told of its connections.
    told: BTreeMap<PeerId, ToldFigures>,
    /// Why the server sends it away.
    kick: Option<Kick>,
    /// Packets of peers that the server has not announced yet. Notices have a channel of their own, so a
    /// lost datagram can let a packet overtake its sender's announcement.
    unannounced: VecDeque<Received>,
    /// Peers behind the relay of which the game hears when it has accepted the server, the first one first.
    awaited: Vec<PeerId>,
    /// The game has left; what follows is no error.
    leaving: bool,
    /// The game has heard of the connection in this poll.
    is_new: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Connected,
    /// The server has gone; the game hears of it with the next poll.
    LossWaits,
    Failed,
    Over,
}

impl Client {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Trying,
            server: None,
            error: None,
            told: BTreeMap::new(),
            kick: None,
            unannounced: VecDeque::new(),
            awaited: Vec::new(),
            leaving: false,
            is_new: false,
        }
    }

    /// True while an attempt to connect goes on.
    pub(super) fn is_trying(&self) -> bool {
        self.state == State::Trying
    }

    /// The server that the client connects to, once its name has been looked up.
    pub(super) const fn server(&self) -> Option<SocketAddr> {
        self.server
    }

    pub(super) fn set_server(&mut self, address: SocketAddr) {
        self.server.get_or_insert(address);
    }

    pub(super) const fn status(&self) -> Status {
        match self.state {
            State::Trying | State::Failed => Status::Connecting,
            // Until the game has heard of the loss, it goes on as if connected.
            State::Connected | State::LossWaits => Status::Connected,
            State::Over => Status::Disconnected,
        }
    }

    pub(super) const fn succeed(&mut self) {
        self.state = State::Connected;
        self.is_new = true;
    }

    /// True when the game has heard of the connection in this poll. SceneMultiplayer looks behind each, and would take a
    /// connection that is over by then for one that has failed.
    pub(super) const fn is_new(&self) -> bool {
        self.is_new
    }

    pub(super) const fn begin_poll(&mut self) {
        self.is_new = false;
    }

    /// Ends an attempt; false when there is none.
    pub(super) fn fail(&mut self, error: ConnectionError) -> bool {
        let is_trying = self.is_trying();
        if is_trying {
            self.state = State::Failed;
            self.note(error);
        }
        is_trying
    }

    /// Notes why the connection ends, unless that is known.
    pub(super) fn note(&mut self, error: ConnectionError) {
        let error = if self.kick.is_some() { ConnectionError::Kicked } else { error };
        if !self.leaving {
            self.error.get_or_insert(error);
        }
    }

    pub(super) const fn set_leaving(&mut self) {
        self.leaving = true;
    }

    pub(super) fn take_awaited(&mut self) -> Vec<PeerId> {
        std::mem::take(&mut self.awaited)
    }

    pub(super) const fn error(&self) -> Option<ConnectionError> {
        self.error
    }

    pub(super) fn set_kick(&mut self, kick: Kick) {
        self.kick = Some(kick);
    }

    pub(super) const fn kick(&self) -> Option<&Kick> {
        self.kick.as_ref()
    }

    pub(super) const fn postpone_loss(&mut self) {
        self.state = State::LossWaits;
    }

    /// True when a loss waits for this poll.
    pub(super) fn take_loss(&mut self) -> bool {
        let waits = self.state == State::LossWaits;
        if waits {
            self.state = State::Connected;
        }
        waits
    }

    pub(super) fn end(&mut self) {
        self.state = State::Over;
        self.unannounced.clear();
        self.awaited.clear();
        self.told.clear();
    }

    pub(super) fn set_told(&mut self, about: PeerId, told: ToldFigures) {
        self.told.insert(about, told);
    }

    pub(super) fn told(&self, about: PeerId) -> Option<ToldFigures> {
        self.told.get(&about).copied()
    }

    /// It has left.
    pub(super) fn forget_told(&mut self, about: PeerId) {
        self.told.remove(&about);
    }
}

impl<L: Link> Session<L> {
    pub(super) fn on_system_message(&mut self, system_message: SystemMessage) {
        match system_message {
            SystemMessage::Joined(id) if self.can_join(id) => match &mut self.role {
                Role::Client(client) if self.peers.is_apart(PeerId::SERVER) => client.awaited.push(id),
                _ => self.add_relayed(id),
            },
            SystemMessage::Left(id) if self.is_awaited(id) => self.forget_awaited(id),
            SystemMessage::Left(id) if self.peers.reach(id) == Some(Reach::Relayed) => {
                self.peers.mark_gone(id);
                self.report_departure(id, Departure::Behind);
            }
            SystemMessage::Joined(_) | SystemMessage::Left(_) => {
                self.link.execute(Command::NoteDropped(DroppedPacket::SystemMessage));
            }
        }
    }

    pub(super) fn add_relayed(&mut self, id: PeerId) {
        self.peers.insert(id, Reach::Relayed);
        self.events.push_back(Event::PeerConnected(id));
        self.deliver_unannounced(id);
    }

    fn can_join(&self, id: PeerId) -> bool {
        let is_new = id != self.id && !self.peers.contains(id) && !self.is_awaited(id);
        is_new && self.peers.len() + self.awaited().len() <= usize::from(MAX_CLIENTS)
    }

    fn awaited(&self) -> &[PeerId] {
        match &self.role {
            Role::Client(client) => &client.awaited,
            Role::Server => &[],
        }
    }

    fn is_awaited(&self, id: PeerId) -> bool {
        self.awaited().contains(&id)
    }

    /// It has left before the game heard of it.
    fn forget_awaited(&mut self, id: PeerId) {
        let Role::Client(client) = &mut self.role else { return };
        client.awaited.retain(|awaited| *awaited != id);
        for received in self.take_unannounced(id) {
            self.let_go(&received);
        }
    }

    /// A packet of the server or of a peer behind it.
    pub(super) fn on_server_packet(&mut self, received: Received) {
        match self.peers.is_there(received.from) {
            Some(true) => self.keep(PeerId::SERVER, received),
            // Left already: its packets must not come behind its departure.
            Some(false) => self.drop_packet(&received, DroppedPacket::Unannounced),
            None => self.keep_unannounced(received),
        }
    }

    fn keep_unannounced(&mut self, received: Received) {
        let Role::Client(client) = &mut self.role else { return };
        client.unannounced.push_back(received);
        let mut dropped = Vec::new();
        let mut bytes: usize = client.unannounced.iter().map(|kept| kept.packet.len()).sum();
        while client.unannounced.len() > MAX_UNANNOUNCED_PACKETS || bytes > MAX_UNANNOUNCED_BYTES {
            let Some(oldest) = client.unannounced.pop_front() else { break };
            bytes -= oldest.packet.len();
            dropped.push(oldest);
        }
        for received in dropped {
            self.drop_packet(&received, DroppedPacket::Unannounced);
        }
    }

    fn deliver_unannounced(&mut self, id: PeerId) {
        for received in self.take_unannounced(id) {
            self.keep(PeerId::SERVER, received);
        }
    }

    fn take_unannounced(&mut self, id: PeerId) -> VecDeque<Received> {
        let Role::Client(client) = &mut self.role else { return VecDeque::new() };
        let (theirs, others) = client.unannounced.drain(..).partition(|kept| kept.from == id);
        client.unannounced = others;
        theirs
    }
}

/// Kept for peers that are not announced yet. The system message is at most a resend away.
const MAX_UNANNOUNCED_PACKETS: usize = 256;
const MAX_UNANNOUNCED_BYTES: usize = 1 << 20;
