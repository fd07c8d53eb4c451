//! The server's side: joins, leaves, and the relay.

use std::collections::VecDeque;

use super::link::{Parcel, Queued};
use super::outgoing::Audience;
use super::{NotForwarded, Role, Session};
use crate::channel::{self, Delivery};
use crate::counters::DroppedPacket;
use crate::enet::{self, Packet, Slot};
use crate::peer::{Link, PeerId};
use crate::relay::wire::{self, Notice};
use crate::relay::{self, Forward};
use crate::session::inbox::Received;

/// What only a server has.
pub(super) struct Server {
    relay: bool,
    refusing: bool,
    /// By slot, the notice that its client is there: one packet for all who hear of it, now and later. `None` for
    /// a client that has not been introduced.
    joined: Vec<Option<Packet>>,
    /// Clients to introduce, the first one first.
    newcomers: VecDeque<PeerId>,
    /// Notices queued since the last flush.
    notices: usize,
    /// The first packet that could not be passed on, and whether that has been told.
    not_forwarded: Option<NotForwarded>,
    has_told: bool,
}

impl Server {
    pub(super) const fn new(relay: bool) -> Self {
        Self {
            relay,
            refusing: false,
            joined: Vec::new(),
            newcomers: VecDeque::new(),
            notices: 0,
            not_forwarded: None,
            has_told: false,
        }
    }

    fn joined(&self, slot: Slot) -> Option<&Packet> {
        self.joined.get(usize::from(slot.0))?.as_ref()
    }

    /// Takes a newcomer back that waits to be introduced.
    pub(super) fn withdraw(&mut self, id: PeerId) {
        self.newcomers.retain(|newcomer| *newcomer != id);
    }

    fn set_joined(&mut self, slot: Slot, notice: Option<Packet>) {
        let index = usize::from(slot.0);
        if self.joined.len() <= index {
            self.joined.resize_with(index + 1, || None);
        }
        self.joined[index] = notice;
    }

    pub(super) const fn take_not_forwarded(&mut self) -> Option<NotForwarded> {
        if self.has_told {
            return None;
        }
        self.has_told = self.not_forwarded.is_some();
        self.not_forwarded
    }

    pub(super) const fn set_refusing(&mut self, refusing: bool) {
        self.refusing = refusing;
    }

    pub(super) const fn is_refusing(&self) -> bool {
        self.refusing
    }
}

impl Session {
    fn relays(&self) -> bool {
        matches!(&self.role, Role::Server(server) if server.relay)
    }

    /// Has a newcomer introduced with the next flush: the engine reports one newcomer at a time and sends all that is
    /// queued before it reports the next, so that notices queued at once would get a datagram each.
    pub(super) fn introduce(&mut self, newcomer: PeerId) {
        let Some(slot) = self.peers.link(newcomer).and_then(Link::slot) else { return };
        if let Role::Server(server) = &mut self.role
            && server.relay
        {
            server.set_joined(slot, None);
            server.newcomers.push_back(newcomer);
        }
    }

    /// Introduces newcomers, but not more between two flushes than a frame has time for. A crowd that joins at once
    /// is as many notices as its square, which would take seconds to send and hundreds of megabytes until they are
    /// acknowledged.
    pub(super) fn introduce_some(&mut self) {
        self.introduce_until(None);
    }

    /// Lets newcomers be introduced for as long as a frame has time, once more.
    pub(super) const fn renew_introductions(&mut self) {
        if let Role::Server(server) = &mut self.role {
            server.notices = 0;
        }
    }

    /// Introduces newcomers in turn, at least until this client is introduced, and further while there is time:
    /// tells the clients of each, and each of them.
    fn introduce_until(&mut self, urgent: Option<Slot>) {
        let Self { role: Role::Server(server), peers, link, .. } = self else { return };
        let mut overflown = Vec::new();
        let mut notices = server.notices;
        while (notices < NOTICES_PER_FLUSH || urgent.is_some_and(|slot| server.joined(slot).is_none()))
            && let Some(newcomer) = server.newcomers.pop_front()
        {
            let Some(new_slot) = peers.link(newcomer).and_then(Link::slot) else { continue };
            let joined = notice(Notice::Joined(newcomer));
            for (id, slot) in peers.slots() {
                let Some(older) = server.joined(slot) else { continue };
                for (id, slot, notice) in [(id, slot, &joined), (newcomer, new_slot, older)] {
                    notices += 1;
                    if link.queue_noted(slot, parcel(notice)) == Queued::Overflow {
                        overflown.push((id, slot));
                    }
                }
            }
            server.set_joined(new_slot, Some(joined));
        }
        server.notices = notices;
        self.cut_off_all(overflown);
    }

    /// Tells every client that one has left, and returns those for whom it was too much: they have no connection
    /// any more, and the game has to hear of it.
    #[must_use]
    pub(super) fn announce_departure(&mut self, id: PeerId) -> Vec<PeerId> {
        let Self { role: Role::Server(server), peers, link, .. } = self else { return Vec::new() };
        if !server.relay {
            return Vec::new();
        }
        if peers.is_apart(id) {
            // Nobody has heard of it.
            return Vec::new();
        }
        if let Some(index) = server.newcomers.iter().position(|newcomer| *newcomer == id) {
            server.newcomers.remove(index);
            return Vec::new();
        }
        let left = notice(Notice::Left(id));
        let mut overflown = Vec::new();
        let leaver = id;
        for (id, slot) in peers.slots().filter(|(_, slot)| server.joined(*slot).is_some()) {
            link.hurry(slot, leaver);
            if link.queue_noted(slot, parcel(&left)) == Queued::Overflow {
                overflown.push((id, slot));
            }
        }
        overflown.iter().for_each(|(id, slot)| self.cut_off(*id, *slot));
        overflown.into_iter().map(|(id, _)| id).collect()
    }

    pub(super) fn on_client_packet(&mut self, sender: PeerId, channel: u8, packet: Packet) {
        match self.route_client_packet(sender, channel, packet) {
            Ok(()) => {}
            Err(reason) => self.link.counters.drop_packet(reason),
        }
    }

    fn route_client_packet(
        &mut self,
        sender: PeerId,
        channel: u8,
        packet: Packet,
    ) -> Result<(), DroppedPacket> {
        if channel == channel::CONFIG {
            // Only the server sends notices.
            return Err(DroppedPacket::Notice);
        }
        let header = wire::decode(packet.bytes()).ok_or(DroppedPacket::Short)?;
        if header.source != sender.get() as u32 {
            return Err(DroppedPacket::SpoofedSource);
        }
        let target = header.target.ok_or(DroppedPacket::Target)?;
        let route = relay::route(target, self.relays() && !self.peers.is_apart(sender));
        if route.forward != Forward::Nobody {
            // Its receivers have to hear of the sender first.
            self.introduce_until(self.peers.link(sender).and_then(Link::slot));
            let delivery = packet.delivery();
            self.forward(sender, route.forward, Parcel { channel, packet: &packet, delivery })?;
        } else if !route.keep {
            return Err(DroppedPacket::Target);
        }
        if route.keep {
            self.inbox.push(Received { from: sender, channel, packet });
        }
        Ok(())
    }

    /// Sends a client's packet on as it is: header, channel and flags stay.
    fn forward(&mut self, sender: PeerId, to: Forward, parcel: Parcel<'_>) -> Result<(), DroppedPacket> {
        self.note_not_forwarded(sender, to, parcel.channel);
        match to {
            Forward::Nobody => {}
            Forward::One(id) if !self.peers.contains(id) || self.peers.is_apart(id) => {
                return Err(DroppedPacket::UnknownTarget);
            }
            Forward::One(id) => self.queue(id, parcel),
            Forward::Others { except: None } => {
                self.queue_to_others(Audience::Admitted, &[sender], parcel);
            }
            Forward::Others { except: Some(id) } => {
                self.queue_to_others(Audience::Admitted, &[sender, id], parcel);
            }
        }
        Ok(())
    }

    fn note_not_forwarded(&mut self, from: PeerId, to: Forward, channel: u8) {
        let Self { role: Role::Server(server), peers, .. } = self else { return };
        if server.not_forwarded.is_some() {
            return;
        }
        let mut lacking = peers.lacking(channel).filter(|(peer, _)| match to {
            Forward::Nobody => false,
            Forward::One(id) => *peer == id,
            Forward::Others { except } => *peer != from && Some(*peer) != except,
        });
        let found = lacking.next();
        server.not_forwarded = found.map(|(to, agreed)| NotForwarded { from, to, channel, agreed });
    }
}

fn notice(notice: Notice) -> Packet {
    enet::packet(notice.encode(), Delivery::Reliable)
}

const fn parcel(notice: &Packet) -> Parcel<'_> {
    Parcel { channel: channel::CONFIG, packet: notice, delivery: Delivery::Reliable }
}

/// What takes about half of a frame at 60 Hz.
const NOTICES_PER_FLUSH: usize = 1 << 14;
