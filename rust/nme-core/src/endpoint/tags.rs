//! Tags behind datagrams, where the other side has this library, too: what a stranger forges is told from what a peer sends.
//!
//! The server announces itself to each new client, with a key; with its next datagram a client of this library shows that it
//! has it. Where everything is encrypted there are no tags.

use std::collections::VecDeque;
use std::time::Duration;

use nme_enet::{Packet, PeerHandle, TagKey};
use siphasher::sip::SipHasher24;

use super::{Endpoint, Role, SYSTEM_MESSAGE};
use crate::relay::announcement::Announcement;
use crate::session::{Config, Departure};

/// The keys of a server's connections, and who has not shown yet that it has its key.
#[derive(Debug)]
pub(super) struct Tags {
    /// What the keys are made from.
    secret: [u8; 16],
    made: u64,
    /// Peers without tags are disconnected.
    are_required: bool,
    /// Until when who has to have shown it, the first one first.
    awaited: VecDeque<(Duration, PeerHandle)>,
}

impl Tags {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            secret: config.tag_secret(),
            made: 0,
            are_required: config.requires_tags,
            awaited: VecDeque::new(),
        }
    }

    fn next_key(&mut self) -> TagKey {
        self.made += 1;
        let half = |which: u64| {
            let mut input = [0; 16];
            input[..8].copy_from_slice(&self.made.to_le_bytes());
            input[8..].copy_from_slice(&which.to_le_bytes());
            u128::from(SipHasher24::new_with_key(&self.secret).hash(&input))
        };
        TagKey::new((half(0) << 64 | half(1)).to_le_bytes())
    }
}

impl Endpoint {
    /// A connection stands. A server tells a client what it can.
    pub(super) fn begin_tags(&mut self, peer: PeerHandle) {
        let is_encrypted = self.datagrams.is_encrypted();
        if self.is_server() {
            let key = self.tags.next_key();
            let tags = (!is_encrypted && self.host.offer_tags(peer, key)).then_some(key);
            // The reference engine has no tags, and is to send no more than stock ENet does.
            if tags.is_some() || is_encrypted {
                let announcement = Announcement { tags, tells_figures: true };
                // Not from the pool, which would keep the memory of one for each client.
                self.send(peer, SYSTEM_MESSAGE, &Packet::new(announcement.encode().to_vec()));
            }
        }
        if self.tags.are_required && !is_encrypted {
            self.tags.awaited.push_back((self.now + LONGEST_WAIT, peer));
        }
    }

    /// Client: the server has told what it can.
    pub(super) fn take_announcement(&mut self, server: PeerHandle, announcement: &Announcement) {
        if let Role::Client(attempt) = &mut self.role {
            attempt.asked.is_possible = announcement.tells_figures;
        }
        if let Some(key) = announcement.tags.filter(|_| !self.datagrams.is_encrypted()) {
            self.host.begin_tags(server, key);
        }
    }

    /// Ends the connections of those who had to have tags by now.
    pub(super) fn drop_untagged(&mut self) {
        while let Some((_, peer)) = self.tags.awaited.pop_front_if(|(until, _)| *until <= self.now) {
            if self.connections.contains(peer) && !self.host.is_tagged(peer) {
                self.host.disconnect_now(peer, 0);
                self.lose(peer, Departure::Untagged);
            }
        }
    }
}

/// As long as a reliable packet takes on a bad link.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
