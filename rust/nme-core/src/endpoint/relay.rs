//! The server's part between its clients: it tells them of each other, and passes their packets on.

use std::collections::VecDeque;

use nme_enet::{Packet, PeerHandle};

use super::connections::{Connection, Connections};
use super::{Brought, Endpoint, Received, Role, SYSTEM_MESSAGE};
use crate::channel::{self, Transfer};
use crate::counters::DroppedPacket;
use crate::peer::PeerId;
use crate::relay::figures::decode_question;
use crate::relay::wire::{self, SystemMessage};
use crate::relay::{self, Forward};
use crate::session::NotForwarded;

/// What a relay remembers.
#[derive(Debug)]
pub(super) struct Relay {
    is_on: bool,
    /// New clients are kept apart until they are admitted.
    keeps_apart: bool,
    /// Clients to introduce, the first one first.
    newcomers: VecDeque<PeerHandle>,
    /// Notices queued since the last flush.
    system_messages: usize,
}

impl Relay {
    pub(super) const fn new(is_on: bool) -> Self {
        Self { is_on, keeps_apart: false, newcomers: VecDeque::new(), system_messages: 0 }
    }

    /// Clients know of each other.
    pub(super) const fn is_on(&self) -> bool {
        self.is_on
    }

    /// True while clients wait to be introduced.
    pub(super) fn has_newcomers(&self) -> bool {
        !self.newcomers.is_empty()
    }

    /// Lets newcomers be introduced for as long as a frame has time, once more.
    pub(super) const fn renew_introductions(&mut self) {
        self.system_messages = 0;
    }
}

impl Endpoint {
    /// Server: whether new clients are kept apart until they are admitted one by one.
    pub(super) const fn set_keeping_apart(&mut self, apart: bool) {
        if let Role::Server { relay, .. } = &mut self.role {
            relay.keeps_apart = apart;
        }
    }

    /// Server: what the relay does with a new client.
    pub(super) fn welcome(&mut self, id: PeerId) {
        if matches!(&self.role, Role::Server { relay, .. } if relay.keeps_apart) {
            self.keep_apart(id);
        } else {
            self.introduce(id);
        }
    }

    /// Has a newcomer introduced with the next flush: system messages queued one newcomer at a time would get a datagram each.
    fn introduce(&mut self, id: PeerId) {
        if let Role::Server { relay, .. } = &mut self.role
            && relay.is_on
            && let Some(connection) = self.connections.by_id_mut(id)
        {
            connection.joined = None;
            relay.newcomers.push_back(connection.handle);
        }
    }

    /// Server: exchanges packets with a client and keeps the others from it, until it is admitted.
    pub(super) fn keep_apart(&mut self, id: PeerId) {
        let Some(connection) = self.connections.by_id_mut(id) else { return };
        connection.is_apart = true;
        if let Role::Server { relay, .. } = &mut self.role {
            relay.newcomers.retain(|newcomer| *newcomer != connection.handle);
        }
    }

    /// Server: the others hear of a client that was kept apart, and it of them.
    pub(super) fn admit(&mut self, id: PeerId) {
        if let Some(connection) = self.connections.by_id_mut(id).filter(|connection| connection.is_apart) {
            connection.is_apart = false;
            self.introduce(id);
        }
    }

    /// Introduces newcomers, but not more between two flushes than a frame has time for. A crowd that joins at once
    /// is as many system messages as its square, which would take seconds to send and hundreds of megabytes until they are
    /// acknowledged.
    pub(super) fn introduce_some(&mut self) {
        self.introduce_until(None);
    }

    /// Introduces newcomers in turn, at least until this client is introduced, and further while there is time:
    /// tells the clients of each, and each of them.
    fn introduce_until(&mut self, urgent: Option<PeerHandle>) {
        loop {
            let Role::Server { relay, .. } = &mut self.role else { return };
            let is_waiting = |peer: PeerHandle| {
                self.connections.get(peer).is_some_and(|connection| connection.joined.is_none())
            };
            if relay.system_messages >= MAX_SYSTEM_MESSAGES_PER_FLUSH && !urgent.is_some_and(is_waiting) {
                return;
            }
            let Some(newcomer) = relay.newcomers.pop_front() else { return };
            let Some(id) = self.connections.get(newcomer).map(|connection| connection.id) else { continue };
            let joined = self.packet(&[&SystemMessage::Joined(id).encode()]);
            let mut system_messages = 0;
            for older in self.connections.iter() {
                let Some(system_message) = &older.joined else { continue };
                system_messages += 2;
                // Too much for a peer is an event of its own, and a peer that leaves need not hear of it.
                let _ =
                    self.host.send(older.handle, SYSTEM_MESSAGE.channel, &joined, SYSTEM_MESSAGE.delivery);
                let _ =
                    self.host.send(newcomer, SYSTEM_MESSAGE.channel, system_message, SYSTEM_MESSAGE.delivery);
            }
            if let Role::Server { relay, .. } = &mut self.role {
                relay.system_messages += system_messages;
            }
            if let Some(newcomer) = self.connections.get_mut(newcomer) {
                newcomer.joined = Some(joined);
            }
        }
    }

    /// Tells every client that knows of it that one has left.
    pub(super) fn announce_departure(&mut self, leaver: &Connection) {
        let Role::Server { relay, .. } = &mut self.role else { return };
        relay.newcomers.retain(|newcomer| *newcomer != leaver.handle);
        if leaver.joined.is_none() {
            // Nobody has heard of it.
            return;
        }
        let left = self.packet(&[&SystemMessage::Left(leaver.id).encode()]);
        for other in self.connections.iter().filter(|other| other.joined.is_some()) {
            self.host.hurry(other.handle, |packet| {
                wire::decode(packet).is_some_and(|header| header.source == leaver.id.get() as u32)
            });
            let _ = self.host.send(other.handle, SYSTEM_MESSAGE.channel, &left, SYSTEM_MESSAGE.delivery);
        }
    }

    /// What comes of a client's packet: what is for the game is answered, the rest passed on.
    pub(super) fn route(
        &mut self,
        peer: PeerHandle,
        transfer: Transfer,
        packet: Packet,
    ) -> Result<Option<Brought>, DroppedPacket> {
        if transfer.channel == channel::CONFIG {
            if let Some(about) = decode_question(&packet) {
                self.tell_figures(peer, about);
                return Ok(None);
            }
            // Only the server sends system messages.
            return Err(DroppedPacket::SystemMessage);
        }
        let Some(sender) = self.connections.get(peer) else { return Ok(None) };
        let (from, is_apart) = (sender.id, sender.is_apart);
        let header = wire::decode(&packet).ok_or(DroppedPacket::Short)?;
        if header.source != from.get() as u32 {
            return Err(DroppedPacket::SpoofedSource);
        }
        let target = header.target.ok_or(DroppedPacket::Target)?;
        let is_relayed = matches!(&self.role, Role::Server { relay, .. } if relay.is_on) && !is_apart;
        let route = relay::route(target, is_relayed);
        if route.forward != Forward::Nobody {
            // Its receivers have to hear of the sender first.
            self.introduce_until(Some(peer));
            self.forward(from, route.forward, transfer, &packet)?;
        } else if !route.keep {
            return Err(DroppedPacket::Target);
        }
        let Transfer { channel, delivery } = transfer;
        Ok(route.keep.then_some(Brought::Packet(Received { from, via: peer, channel, delivery, packet })))
    }

    /// Sends a client's packet on as it is: header, channel and flags stay.
    fn forward(
        &mut self,
        from: PeerId,
        to: Forward,
        transfer: Transfer,
        packet: &Packet,
    ) -> Result<(), DroppedPacket> {
        if self.connections.may_lack(transfer.channel)
            && !self.warnings.has_had_not_forwarded()
            && let Some(not_forwarded) = not_forwarded(&self.connections, from, to, transfer.channel)
        {
            self.warn(not_forwarded);
        }
        let except = match to {
            Forward::Nobody => return Ok(()),
            Forward::One(id) => {
                let receiver = self.connections.by_id(id).filter(|receiver| !receiver.is_apart);
                let receiver = receiver.ok_or(DroppedPacket::UnknownTarget)?.handle;
                self.send(receiver, transfer, packet);
                return Ok(());
            }
            Forward::Others { except } => except,
        };
        let Self { host, connections, counters, .. } = self;
        let others = connections
            .iter()
            .filter(|other| other.id != from && Some(other.id) != except && !other.is_apart);
        for other in others {
            super::send(host, counters, other.handle, transfer, packet);
        }
        Ok(())
    }
}

/// The first receiver of a packet that has not agreed on its channel.
fn not_forwarded(connections: &Connections, from: PeerId, to: Forward, channel: u8) -> Option<NotForwarded> {
    let mut lacking = connections.iter().filter(|connection| {
        connection.channels <= channel
            && match to {
                Forward::Nobody => false,
                Forward::One(id) => connection.id == id,
                Forward::Others { except } => connection.id != from && Some(connection.id) != except,
            }
    });
    lacking.next().map(|to| NotForwarded { from, to: to.id, channel, agreed: to.channels })
}

/// What takes about half of a frame at 60 Hz.
const MAX_SYSTEM_MESSAGES_PER_FLUSH: usize = 1 << 14;
