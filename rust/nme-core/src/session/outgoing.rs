//! From a packet of the game to the queues of ENet.

use super::link::{Parcel, Queued};
use super::run::Lane;
use super::{MAX_PACKET, PeerId, Role, SendError, SendOptions, Session, Status};
use crate::channel;
use crate::enet::{self, Slot};
use crate::peer::Link;
use crate::relay::Target;
use crate::relay::wire;

/// Whom a packet to several peers may reach.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    Everybody,
    /// Not those that the game has not accepted yet.
    Admitted,
}

impl Session {
    /// Queues a packet; [`Session::flush`] sends it.
    ///
    /// # Errors
    /// When there is no connection, no such target or channel, or the packet is too long.
    pub fn send(&mut self, options: SendOptions, payload: &[u8]) -> Result<(), SendError> {
        if self.status() != Status::Connected {
            return Err(SendError::NotConnected);
        }
        let channel = options.channel.for_mode(options.mode);
        if channel >= self.channel_count {
            return Err(SendError::Channel { channel, count: self.channel_count });
        }
        if payload.len() > MAX_PACKET {
            return Err(SendError::TooLarge { len: payload.len() });
        }
        let lane = Lane { channel, delivery: channel::delivery(options.mode, options.always_ordered) };
        match options.target {
            Target::One(id) => {
                let link = self.peers.link(id).ok_or(SendError::UnknownTarget(options.target))?;
                if let Some(slot) = self.first_hop(link) {
                    let peer = if link == Link::Relayed { PeerId::SERVER } else { id };
                    if let Some(Link::Direct { channels: agreed, .. }) = self.peers.link(peer)
                        && agreed <= channel
                    {
                        let count = self.channel_count;
                        return Err(SendError::PeerChannel { channel, count, peer, agreed, others: 0 });
                    }
                    self.hold(id, slot, lane, payload);
                }
            }
            Target::AllExcept(id) if !self.peers.contains(id) => {
                return Err(SendError::UnknownTarget(options.target));
            }
            target @ (Target::All | Target::AllExcept(_)) => {
                let missed = self.check_channel(channel, |peer| target != Target::AllExcept(peer));
                self.send_to_several(target, lane, payload);
                missed?;
            }
        }
        Ok(())
    }

    /// An error when one of these peers has a connection without this channel.
    fn check_channel(&self, channel: u8, is_meant: impl Fn(PeerId) -> bool) -> Result<(), SendError> {
        let mut lacking = self.peers.lacking(channel).filter(|(peer, _)| is_meant(*peer));
        let Some((peer, agreed)) = lacking.next() else { return Ok(()) };
        let others = lacking.count();
        Err(SendError::PeerChannel { channel, count: self.channel_count, peer, agreed, others })
    }

    /// Where a packet for this peer goes first; `None` when the peer has left.
    pub(super) fn first_hop(&self, link: Link) -> Option<Slot> {
        match link {
            Link::Direct { slot, .. } => Some(slot),
            Link::Relayed => self.peers.link(PeerId::SERVER).and_then(Link::slot),
            Link::Gone { .. } => None,
        }
    }

    pub(super) fn send_to_several(
        &mut self,
        target: Target,
        Lane { channel, delivery }: Lane,
        payload: &[u8],
    ) {
        self.release_run();
        let packet = enet::packet(wire::encode(self.id, target, payload), delivery);
        let parcel = Parcel { channel, packet: &packet, delivery };
        self.link.waiting.note_memory(packet.bytes().len());
        match (&self.role, target) {
            (Role::Client(_), _) => self.queue(PeerId::SERVER, parcel),
            (Role::Server(_), Target::One(id)) => self.queue(id, parcel),
            (Role::Server(_), Target::All) => self.queue_to_others(Audience::Everybody, &[], parcel),
            (Role::Server(_), Target::AllExcept(id)) => {
                self.queue_to_others(Audience::Everybody, &[id], parcel);
            }
        }
    }

    /// Queues a packet for one peer with a connection; others are passed over.
    pub(super) fn queue(&mut self, id: PeerId, parcel: Parcel<'_>) {
        let Some(slot) = self.peers.link(id).and_then(Link::slot) else { return };
        if self.link.queue_noted(slot, parcel) == Queued::Overflow {
            self.cut_off(id, slot);
            self.lose(vec![id]);
        }
    }

    /// Queues one packet for every peer of the audience with a connection but `except`.
    pub(super) fn queue_to_others(&mut self, audience: Audience, except: &[PeerId], parcel: Parcel<'_>) {
        let overflown = self.try_others(audience, except, parcel);
        self.lose(overflown);
    }

    /// As above, and returns those for whom it was too much: they have no connection any more, and the game has
    /// to hear of it.
    fn try_others(&mut self, audience: Audience, except: &[PeerId], parcel: Parcel<'_>) -> Vec<PeerId> {
        let mut overflown = Vec::new();
        for (id, slot) in self.peers.slots().filter(|(id, _)| !except.contains(id)) {
            if audience == Audience::Admitted && self.peers.is_apart(id) {
                continue;
            }
            if self.link.queue_noted(slot, parcel) == Queued::Overflow {
                overflown.push((id, slot));
            }
        }
        overflown.iter().for_each(|(id, slot)| self.cut_off(*id, *slot));
        overflown.into_iter().map(|(id, _)| id).collect()
    }

    /// Ends the connections of several peers, as below, and reports it. One that overflows has done so twice, maybe.
    pub(super) fn cut_off_all(&mut self, mut overflown: Vec<(PeerId, Slot)>) {
        overflown.sort_unstable();
        overflown.dedup();
        overflown.iter().for_each(|(id, slot)| self.cut_off(*id, *slot));
        self.lose(overflown.into_iter().map(|(id, _)| id).collect());
    }

    /// Ends the connection of a peer that acknowledges too little of what it is sent: without an end its queue
    /// would grow for ever.
    pub(super) fn cut_off(&mut self, id: PeerId, slot: Slot) {
        self.link.disconnect_now(slot, 0);
        self.peers.mark_gone(id);
    }
}
