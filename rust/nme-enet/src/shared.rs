//! What all peers of a host share.

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::clock::{Clock, wire_time};
use crate::config::Config;
use crate::event::Event;
use crate::figures::HostFigures;
use crate::lists::Lists;
use crate::packet::PacketPool;
use crate::peer::Acknowledgement;
use crate::receive::quota::HostUsage;
use crate::send::{Queued, Sent};
use crate::tag::Tags;
use crate::wire::{Command, Header, Writer};

/// What all peers of a host share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) events: VecDeque<Event>,
    /// What the packets among them cost, in bytes.
    pub(crate) event_bytes: usize,
    /// Bytes of the largest packet that is taken.
    pub(crate) max_received: usize,
    pub(crate) pool: PacketPool,
    pub(crate) queued: Lists<Queued>,
    pub(crate) sent: Lists<Sent>,
    pub(crate) acknowledgements: Lists<Acknowledgement>,
    pub(crate) strays: VecDeque<Stray>,
    pub(crate) usage: HostUsage,
    pub(crate) last_flush: u64,
    pub(crate) this_flush: u64,
    last_trim: u64,
    /// Number of the next packet that is queued.
    pub(crate) next_queued: u64,
    /// Number of the next datagram that is sent.
    pub(crate) next_order: u64,
    pub(crate) figures: HostFigures,
}

/// A small datagram that belongs to no peer, or to one that is gone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stray {
    pub(crate) to: SocketAddr,
    bytes: [u8; 16],
    len: u8,
}

impl Stray {
    /// A datagram of this one command, which has no payload and is short.
    pub(crate) fn new(to: SocketAddr, header: &Header, command: &Command) -> Self {
        let mut bytes = [0; 16];
        let mut out = Writer::new(&mut bytes);
        header.write(&mut out);
        command.write(&mut out);
        let len = out.len() as u8;
        Self { to, bytes, len }
    }

    /// The same with a tag behind it, where there are tags.
    pub(crate) fn tagged(mut self, tags: Option<&Tags>) -> Self {
        let tag = tags.and_then(|tags| tags.make(self.bytes()));
        if let Some(tag) = tag {
            let end = usize::from(self.len) + tag.len();
            self.bytes[self.len.into()..end].copy_from_slice(&tag);
            self.len = end as u8;
        }
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl Shared {
    pub(crate) fn new(config: Config) -> Self {
        let usage = HostUsage { memory: 0, limit: config.reassembly_limit, peers: 0, exempt: None };
        Self {
            config,
            clock: Clock::new(),
            events: VecDeque::new(),
            event_bytes: 0,
            max_received: usize::MAX,
            pool: PacketPool::new(),
            queued: Lists::new(),
            sent: Lists::new(),
            acknowledgements: Lists::new(),
            strays: VecDeque::new(),
            usage,
            last_flush: 0,
            this_flush: 0,
            last_trim: 0,
            next_queued: 0,
            next_order: 1,
            figures: HostFigures::new(),
        }
    }

    /// Lets a stray leave, unless too many wait: strangers cause them.
    pub(crate) fn post(&mut self, stray: Stray) {
        if self.strays.len() < MAX_STRAYS {
            self.strays.push_back(stray);
        }
    }

    /// Gives back, once in a while, what lists took for more than is queued or under way now.
    pub(crate) fn trim(&mut self) {
        let now = self.clock.now();
        if now >= self.last_trim + TRIM_INTERVAL_US {
            self.last_trim = now;
            self.queued.trim();
            self.sent.trim();
            self.acknowledgements.trim();
        }
    }

    /// The host's clock as it stands in headers.
    pub(crate) const fn wire_time(&self) -> u16 {
        wire_time(self.clock.now())
    }
}

/// Memory that has not been used for this long is given back, in µs.
const TRIM_INTERVAL_US: u64 = 1_000_000;

/// Strays that wait to leave, at most.
const MAX_STRAYS: usize = 4096;
