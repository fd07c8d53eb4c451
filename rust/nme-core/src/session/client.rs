//! The client's side: the attempt to connect, the server's notices, and packets of peers behind the relay.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::link::HostLink;
use super::{ConnectionError, Role, Session, Status};
use crate::counters::DroppedPacket;
use crate::enet::{Packet, Slot};
use crate::peer::{Link, PeerId};
use crate::relay::wire::{self, Notice};
use crate::session::config::MAX_CLIENTS;
use crate::session::event::Event;
use crate::session::inbox::Received;

/// What only a client has.
pub(super) struct Client {
    state: State,
    attempt: Attempt,
    error: Option<ConnectionError>,
    /// Packets of peers that the server has not announced yet. Notices have a channel of their own, so a
    /// lost datagram can let a packet overtake its sender's announcement.
    unannounced: VecDeque<Received>,
    /// Peers behind the relay of which the game hears when it has accepted the server, the first one first.
    awaited: Vec<PeerId>,
    /// The game has left; what follows is no error.
    leaving: bool,
}

/// What is known of the server before there is a connection.
#[derive(Default)]
struct Attempt {
    /// When the attempt began, in ms of the engine's clock.
    began: Option<u32>,
    address: Option<SocketAddr>,
    slot: Option<Slot>,
    timeout: Option<PeerTimeout>,
}

/// When a peer is taken for lost: a factor of the round-trip time, and two times in ms.
#[derive(Clone, Copy)]
pub(super) struct PeerTimeout {
    pub(super) limit: u32,
    pub(super) minimum: u32,
    pub(super) maximum: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The server's address is not known yet.
    Waiting,
    /// The encryption's handshake with the server goes on.
    Securing,
    Connecting,
    Connected,
    /// The server has gone; the game hears of it with the next poll.
    LossHeld,
    Failed,
    Over,
}

impl Client {
    pub(super) fn new() -> Self {
        Self {
            state: State::Waiting,
            attempt: Attempt::default(),
            error: None,
            unannounced: VecDeque::new(),
            awaited: Vec::new(),
            leaving: false,
        }
    }

    /// The server's address is known. True the first time.
    pub(super) fn begin(&mut self, now: u32, address: SocketAddr) -> bool {
        let is_first = self.state == State::Waiting;
        if is_first {
            self.state = State::Securing;
            self.attempt.address = Some(address);
            self.attempt.began.get_or_insert(now);
        }
        is_first
    }

    /// Asks for an ENet connection, once nothing stands before it; false when the engine does not take it.
    pub(super) fn knock(
        &mut self,
        link: &mut HostLink,
        address: SocketAddr,
        channels: u8,
        id: PeerId,
    ) -> bool {
        if self.state != State::Securing {
            return true;
        }
        self.state = State::Connecting;
        self.attempt.slot = link.host.connect(address, channels, id.get() as u32);
        self.heed_timeout(link);
        self.attempt.slot.is_some()
    }

    /// True while an attempt to connect goes on.
    pub(super) const fn is_trying(&self) -> bool {
        matches!(self.state, State::Waiting | State::Securing | State::Connecting)
    }

    /// The server that the client connects to, once its name has been looked up.
    pub(super) const fn server(&self) -> Option<SocketAddr> {
        self.attempt.address
    }

    /// Sets the timeout of the attempt, and of the connection that it leads to.
    pub(super) fn set_timeout(&mut self, link: &mut HostLink, timeout: PeerTimeout) {
        self.attempt.timeout = Some(timeout);
        self.heed_timeout(link);
    }

    fn heed_timeout(&self, link: &mut HostLink) {
        if let Attempt { slot: Some(slot), timeout: Some(timeout), .. } = self.attempt {
            link.host.set_timeout(slot, timeout.limit, timeout.minimum, timeout.maximum);
        }
    }

    /// What to report of an attempt that has had the longest time that the game has set. The engine would look at that
    /// only when it repeats its request, and not before it has begun.
    pub(super) fn overdue(&mut self, now: u32) -> Option<ConnectionError> {
        let error = match self.state {
            State::Waiting => ConnectionError::NotResolved,
            State::Securing => ConnectionError::HandshakeTimedOut,
            _ => ConnectionError::TimedOut,
        };
        let lasts = now.wrapping_sub(*self.attempt.began.get_or_insert(now));
        let maximum = self.attempt.timeout?.maximum;
        (self.is_trying() && maximum > 0 && lasts >= maximum).then_some(error)
    }

    pub(super) fn status(&self) -> Status {
        match self.state {
            State::Waiting | State::Securing | State::Connecting | State::Failed => Status::Connecting,
            // Until the game has heard of the loss, it goes on as if connected.
            State::Connected | State::LossHeld => Status::Connected,
            State::Over => Status::Disconnected,
        }
    }

    pub(super) fn succeed(&mut self) {
        self.state = State::Connected;
    }

    /// Ends an attempt; false when there is none.
    pub(super) fn fail(&mut self, error: ConnectionError) -> bool {
        let trying = self.is_trying();
        if trying {
            self.state = State::Failed;
            self.note(error);
        }
        trying
    }

    /// Notes why the connection ends, unless that is known.
    pub(super) fn note(&mut self, error: ConnectionError) {
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

    pub(super) fn hold_loss(&mut self) {
        self.state = State::LossHeld;
    }

    pub(super) fn take_held_loss(&mut self) -> bool {
        let held = self.state == State::LossHeld;
        if held {
            self.state = State::Connected;
        }
        held
    }

    pub(super) fn end(&mut self) {
        self.state = State::Over;
        self.unannounced.clear();
        self.awaited.clear();
    }
}

impl Session {
    pub(super) fn on_notice(&mut self, packet: &Packet) {
        let Some(notice) = Notice::decode(packet.bytes()) else {
            return self.link.counters.drop_packet(DroppedPacket::Notice);
        };
        match notice {
            Notice::Joined(id) if self.can_join(id) => match &mut self.role {
                Role::Client(client) if self.peers.is_apart(PeerId::SERVER) => client.awaited.push(id),
                _ => self.add_relayed(id),
            },
            Notice::Left(id) if self.is_awaited(id) => self.forget_awaited(id),
            Notice::Left(id) if self.peers.link(id) == Some(Link::Relayed) => {
                self.peers.mark_gone(id);
                self.report_departure(id);
            }
            Notice::Joined(_) | Notice::Left(_) => self.link.counters.drop_packet(DroppedPacket::Notice),
        }
    }

    pub(super) fn add_relayed(&mut self, id: PeerId) {
        self.peers.insert_relayed(id);
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
            Role::Server(_) => &[],
        }
    }

    fn is_awaited(&self, id: PeerId) -> bool {
        self.awaited().contains(&id)
    }

    /// It has left before the game heard of it.
    fn forget_awaited(&mut self, id: PeerId) {
        let Role::Client(client) = &mut self.role else { return };
        client.awaited.retain(|awaited| *awaited != id);
        client.unannounced.retain(|kept| kept.from != id);
    }

    pub(super) fn on_server_packet(&mut self, channel: u8, packet: Packet) {
        let Some(header) = wire::decode(packet.bytes()) else {
            return self.link.counters.drop_packet(DroppedPacket::Short);
        };
        let Some(from) = PeerId::new(header.source as i32) else {
            return self.link.counters.drop_packet(DroppedPacket::SpoofedSource);
        };
        let received = Received { from, channel, packet };
        match self.peers.link(from) {
            Some(Link::Direct { .. } | Link::Relayed) => self.inbox.push(received),
            // Left already: its packets must not come behind its departure.
            Some(Link::Gone { .. }) => self.link.counters.drop_packet(DroppedPacket::Unannounced),
            None => self.keep_unannounced(received),
        }
    }

    fn keep_unannounced(&mut self, received: Received) {
        let Role::Client(client) = &mut self.role else { return };
        client.unannounced.push_back(received);
        let mut bytes: usize = client.unannounced.iter().map(|kept| kept.packet.bytes().len()).sum();
        while client.unannounced.len() > UNANNOUNCED_PACKETS || bytes > UNANNOUNCED_BYTES {
            let Some(oldest) = client.unannounced.pop_front() else { break };
            bytes -= oldest.packet.bytes().len();
            self.link.counters.drop_packet(DroppedPacket::Unannounced);
        }
    }

    fn deliver_unannounced(&mut self, id: PeerId) {
        let Role::Client(client) = &mut self.role else { return };
        let (theirs, others) = client.unannounced.drain(..).partition(|kept| kept.from == id);
        client.unannounced = others;
        let theirs: VecDeque<Received> = theirs;
        theirs.into_iter().for_each(|received| self.inbox.push(received));
    }
}

/// Kept for peers that are not announced yet. The notice is at most a resend away.
const UNANNOUNCED_PACKETS: usize = 256;
const UNANNOUNCED_BYTES: usize = 1 << 20;
