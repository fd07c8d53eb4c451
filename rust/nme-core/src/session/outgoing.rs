//! From a packet of the game to the endpoint.

use super::peer_table::Reach;
use super::{MAX_PACKET, PeerId, Role, SendError, SendOptions, Session, Status};
use crate::channel::{self, Transfer};
use crate::endpoint::{Command, Link};
use crate::relay::Target;
use crate::relay::wire::{self, HEADER_LEN};

impl<L: Link> Session<L> {
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
        let transfer =
            Transfer { channel, delivery: channel::delivery(options.mode, options.always_ordered) };
        match options.target {
            Target::One(id) => {
                let reach = self.peers.reach(id).ok_or(SendError::UnknownTarget(options.target))?;
                let first_hop = match reach {
                    Reach::Direct { .. } => id,
                    Reach::Relayed => PeerId::SERVER,
                    Reach::Gone { .. } => return Ok(()),
                };
                let Some(Reach::Direct { peer, channels: agreed, .. }) = self.peers.reach(first_hop) else {
                    return Ok(());
                };
                if agreed <= channel {
                    let (count, peer) = (self.channel_count, first_hop);
                    return Err(SendError::PeerChannel { channel, count, peer, agreed, others: 0 });
                }
                self.fold(id, peer, transfer, payload);
            }
            Target::AllExcept(id) if !self.peers.contains(id) => {
                return Err(SendError::UnknownTarget(options.target));
            }
            target @ (Target::All | Target::AllExcept(_)) => {
                let missed = self.check_channel(channel, |peer| target != Target::AllExcept(peer));
                self.send_to_several(target, transfer, payload);
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

    fn send_to_several(&mut self, target: Target, transfer: Transfer, payload: &[u8]) {
        self.end_folding();
        let packet = self.link.packet(&[&wire::header(self.id, target), payload]);
        let len = HEADER_LEN + payload.len();
        self.waiting.note_memory(len);
        let except = match (&self.role, target) {
            (Role::Server, Target::AllExcept(id)) => self.peers.handle(id),
            _ => None,
        };
        let peers = self.peers.everybody();
        if except.is_none() {
            self.waiting.note_for_all(peers.len(), len, transfer.delivery);
        } else {
            for peer in peers.iter().filter(|peer| Some(**peer) != except) {
                self.waiting.note(peer.index(), len, transfer.delivery);
            }
        }
        self.link.execute(Command::SendToSeveral { peers, except, transfer, packet });
    }
}
