//! The server's side: joins, leaves, and the relay.

use super::{Parcel, Queued, Role, Session};
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
    /// Clients to introduce.
    newcomers: Vec<PeerId>,
}

impl Server {
    pub(super) const fn new(relay: bool) -> Self {
        Self { relay, refusing: false, joined: Vec::new(), newcomers: Vec::new() }
    }

    fn joined(&self, slot: Slot) -> Option<&Packet> {
        self.joined.get(usize::from(slot.0))?.as_ref()
    }

    fn set_joined(&mut self, slot: Slot, notice: Option<Packet>) {
        let index = usize::from(slot.0);
        if self.joined.len() <= index {
            self.joined.resize_with(index + 1, || None);
        }
        self.joined[index] = notice;
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
            server.newcomers.push(newcomer);
        }
    }

    /// Tells the clients of newcomers, and the newcomers of them.
    pub(super) fn introduce_newcomers(&mut self) {
        let Self { role: Role::Server(server), peers, link, .. } = self else { return };
        let mut overflown = Vec::new();
        let mut newcomers = std::mem::take(&mut server.newcomers);
        for newcomer in newcomers.drain(..) {
            let Some(new_slot) = peers.link(newcomer).and_then(Link::slot) else { continue };
            let joined = notice(Notice::Joined(newcomer));
            for (id, slot) in peers.slots() {
                let Some(older) = server.joined(slot) else { continue };
                for (id, slot, notice) in [(id, slot, &joined), (newcomer, new_slot, older)] {
                    if link.queue_noted(slot, parcel(notice)) == Queued::Overflow {
                        overflown.push((id, slot));
                    }
                }
            }
            server.set_joined(new_slot, Some(joined));
        }
        server.newcomers = newcomers;
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
        if let Some(index) = server.newcomers.iter().position(|newcomer| *newcomer == id) {
            // Nobody has heard of it.
            server.newcomers.remove(index);
            return Vec::new();
        }
        let left = notice(Notice::Left(id));
        let mut overflown = Vec::new();
        for (id, slot) in peers.slots().filter(|(_, slot)| server.joined(*slot).is_some()) {
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
        let route = relay::route(target, self.relays());
        if route.forward != Forward::Nobody {
            // Its receivers have to hear of the sender first.
            self.introduce_newcomers();
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
        match to {
            Forward::Nobody => {}
            Forward::One(id) if !self.peers.contains(id) => return Err(DroppedPacket::UnknownTarget),
            Forward::One(id) => self.queue(id, parcel),
            Forward::Others { except: None } => self.queue_to_others(&[sender], parcel),
            Forward::Others { except: Some(id) } => self.queue_to_others(&[sender, id], parcel),
        }
        Ok(())
    }
}

fn notice(notice: Notice) -> Packet {
    enet::packet(notice.encode(), Delivery::Reliable)
}

const fn parcel(notice: &Packet) -> Parcel<'_> {
    Parcel { channel: channel::CONFIG, packet: notice, delivery: Delivery::Reliable }
}
