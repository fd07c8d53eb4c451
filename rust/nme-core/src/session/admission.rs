//! Peers that the game authenticates, and peers it sends away.
//!
//! A server that keeps a client apart exchanges packets with it, and its relay does not: the other clients do not hear
//! of it, nor it of them, until it is admitted. A client that keeps the server apart hears of the others behind it
//! when it has admitted it.

use std::collections::BTreeSet;

use super::{Role, Session, Status};
use crate::endpoint::{Command, Credit, Link, Setting};
use crate::peer::PeerId;

impl<L: Link> Session<L> {
    /// Keeps a peer apart until [`Session::admit`]. To be called when its [`super::Event::PeerConnected`] has come,
    /// before anything else.
    pub fn keep_apart(&mut self, id: PeerId) {
        if self.peers.set_apart(id, true) && self.is_server() {
            self.link.execute(Command::KeepApart(id));
        }
    }

    /// Server: whether the relay keeps each new client from the others until the game has heard of it, and has not kept it
    /// apart. For an endpoint in another thread, which does not wait for the game otherwise.
    pub fn set_keeping_apart(&mut self, apart: bool) {
        self.set(Setting::KeepingApart(apart));
    }

    /// The peers that are kept apart.
    #[must_use]
    pub fn apart(&self) -> BTreeSet<PeerId> {
        self.peers.apart()
    }

    /// The game has accepted a peer that was kept apart: the others hear of it, and it of them.
    pub fn admit(&mut self, id: PeerId) {
        if !self.peers.set_apart(id, false) {
            return;
        }
        match &mut self.role {
            Role::Server => self.link.execute(Command::Admit(id)),
            Role::Client(client) => {
                for id in client.take_awaited() {
                    self.add_relayed(id);
                }
            }
        }
    }

    /// Drops what a peer sends from now on. For one that leaves when everything queued has arrived.
    pub fn ignore(&mut self, id: PeerId) {
        if let Some(peer) = self.peers.handle(id) {
            self.peers.ignore(id);
            self.link.execute(Command::Ignore(peer));
        }
    }

    /// Drops the packets of a peer that wait to be fetched.
    pub fn forget_packets(&mut self, id: PeerId) {
        let Self { inbox, link, .. } = self;
        inbox.forget(id, |received| link.credit(Credit::of(received)));
    }

    /// Client: leaves the server when everything queued has arrived. Until the server has confirmed that, this side
    /// counts as connected, and what comes is dropped. Then follow the events of a lost server, without an error.
    /// False on a server and without a connection, where this does nothing.
    pub fn leave(&mut self) -> bool {
        let Role::Client(client) = &mut self.role else { return false };
        if client.status() != Status::Connected {
            return false;
        }
        client.set_leaving();
        self.end_folding();
        self.ignore(PeerId::SERVER);
        if let Some(peer) = self.peers.handle(PeerId::SERVER) {
            self.link.execute(Command::DisconnectLater(peer));
        }
        true
    }
}
