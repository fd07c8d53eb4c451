//! The server's side: joins, leaves, and the relay.

use super::{Parcel, Role, Session};
use crate::channel::{self, Delivery};
use crate::counters::DroppedPacket;
use crate::enet::{self, Packet};
use crate::peer::PeerId;
use crate::relay::wire::{self, Notice};
use crate::relay::{self, Forward};
use crate::session::inbox::Received;

/// What only a server has.
pub(super) struct Server {
    relay: bool,
    refusing: bool,
}

impl Server {
    pub(super) const fn new(relay: bool) -> Self {
        Self { relay, refusing: false }
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

    /// Tells the clients of a newcomer, and the newcomer of them.
    pub(super) fn introduce(&mut self, newcomer: PeerId) {
        if !self.relays() {
            return;
        }
        let older: Vec<PeerId> = self.peers.slots().map(|(id, _)| id).filter(|id| *id != newcomer).collect();
        let joined = notice(Notice::Joined(newcomer));
        for id in older {
            self.queue(newcomer, parcel(&notice(Notice::Joined(id))));
            self.queue(id, parcel(&joined));
        }
    }

    /// Tells every client something about another one, and returns those for whom it was too much (see
    /// `try_others`).
    #[must_use]
    pub(super) fn announce(&mut self, about: Notice) -> Vec<PeerId> {
        if self.relays() { self.try_others(&[], parcel(&notice(about))) } else { Vec::new() }
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
