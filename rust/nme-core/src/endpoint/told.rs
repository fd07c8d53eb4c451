//! What a server tells its clients of its own connections, when they ask.

use std::collections::BTreeSet;

use nme_enet::{Packet, PeerHandle};

use super::statistics::loss_outgoing;
use super::{Endpoint, Report, Role, SYSTEM_MESSAGE};
use crate::peer::PeerId;
use crate::relay::figures::{ToldFigures, encode_question};

/// Client: whom the server was asked about without an answer yet.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The server has announced that it answers.
    pub(super) is_possible: bool,
    about: BTreeSet<PeerId>,
}

impl Endpoint {
    /// Client: asks the server about its connection with a client, unless that was asked already and there is no answer, or the
    /// server gives none.
    pub(super) fn ask_figures(&mut self, about: PeerId) {
        let Role::Client(attempt) = &mut self.role else { return };
        let asked = &mut attempt.asked;
        if asked.is_possible && asked.about.insert(about) {
            let server = self.connections.handle(PeerId::SERVER);
            let question = Packet::new(encode_question(about).to_vec());
            server.into_iter().for_each(|server| self.send(server, SYSTEM_MESSAGE, &question));
        }
    }

    /// Client: the server has answered.
    pub(super) fn take_figures(&mut self, about: PeerId, told: ToldFigures) -> Option<Report> {
        let Role::Client(attempt) = &mut self.role else { return None };
        attempt.asked.about.remove(&about).then_some(Report::Told(about, told))
    }

    /// Server: a client asks about itself, or about another one that it knows of.
    pub(super) fn tell_figures(&mut self, asker: PeerHandle, about: PeerId) {
        let Role::Server { relay, .. } = &self.role else { return };
        let Some(asking) = self.connections.get(asker) else { return };
        let Some(other) = self.connections.by_id(about) else { return };
        let is_known = relay.is_on() && asking.joined.is_some() && other.joined.is_some();
        if asking.id != about && !is_known {
            return;
        }
        // Without a look at what waits for it, which can be long: anybody may ask as often as it likes.
        let Some(figures) = self.host.peer_figures(other.handle) else { return };
        let told = ToldFigures::new(
            figures.round_trip,
            figures.variance,
            figures.jitter,
            loss_outgoing(&figures),
            figures.loss_incoming,
        );
        self.send(asker, SYSTEM_MESSAGE, &Packet::new(told.encode(about).to_vec()));
    }
}
