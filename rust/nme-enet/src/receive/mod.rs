//! What comes in on the channels: order, reassembly, and how much of it is kept back.
//!
//! It keeps what a stock receiver keeps, within [`Quotas`](crate::Quotas), and delivers what a stock receiver delivers.

mod assembly;
pub(crate) mod quota;
pub(crate) mod rates;
pub(crate) mod reception;
mod reliable;
mod unreliable;
pub(crate) mod unsequenced;

use std::collections::{BTreeMap, VecDeque};

use crate::config::Quotas;
use crate::counts::Arrivals;
use crate::event::{Event, PeerHandle};
use crate::packet::{Delivery, Packet, PacketPool};
use crate::reason::DropReason;
use crate::wire::{Body, Command};
use assembly::Assembly;
use quota::Budget;
use reception::Novelty;
use unreliable::Key;

/// The receiving half of a channel. Reliable sequence numbers are extended to 64 bits, so that they only grow.
#[derive(Debug, Default)]
pub(crate) struct ReceiveChannel {
    /// Reliable sequence number of the last delivered command.
    delivered: u64,
    /// Unreliable number delivered last, since that reliable number.
    unreliable: u16,
    /// What is kept back. On a link without loss there is none.
    reassembly: Option<Box<Reassembly>>,
    /// For statistics.
    pub(crate) arrivals: Arrivals,
}

/// What a channel keeps back.
#[derive(Debug, Default)]
struct Reassembly {
    /// What is ahead of the next one in order, or is next but incomplete, by its first sequence number.
    reliable: BTreeMap<u64, Entry>,
    unreliable: BTreeMap<Key, Entry>,
    /// Complete packets among them.
    waiting: usize,
}

/// A packet that is kept back.
#[derive(Debug)]
enum Entry {
    /// Waits for its turn.
    Single(Packet),
    /// In fragments, complete or not.
    Group(Assembly),
}

impl Entry {
    const fn is_complete(&self) -> bool {
        match self {
            Self::Single(_) => true,
            Self::Group(group) => group.is_complete(),
        }
    }

    /// Reliable sequence numbers that it takes.
    fn span(&self) -> u64 {
        match self {
            Self::Single(_) => 1,
            Self::Group(group) => group.count().into(),
        }
    }

    fn into_packet(self) -> Packet {
        match self {
            Self::Single(packet) => packet,
            Self::Group(group) => group.into_packet(),
        }
    }
}

/// Where packets of one channel go.
pub(crate) struct Inbox<'a> {
    pub(crate) events: &'a mut VecDeque<Event>,
    /// What the packets among them cost.
    pub(crate) event_bytes: &'a mut usize,
    pub(crate) pool: &'a mut PacketPool,
    pub(crate) peer: PeerHandle,
    pub(crate) channel: u8,
}

impl Inbox<'_> {
    /// A packet of one command.
    #[inline]
    pub(crate) fn deliver_payload(&mut self, payload: &[u8], delivery: Delivery) {
        let packet = self.pool.copy(payload);
        self.deliver(packet, delivery);
    }

    #[inline]
    pub(crate) fn deliver(&mut self, packet: Packet, delivery: Delivery) {
        let (peer, channel) = (self.peer, self.channel);
        *self.event_bytes += packet.len() + Quotas::OVERHEAD;
        self.events.push_back(Event::Received { peer, channel, delivery, packet });
    }
}

impl ReceiveChannel {
    /// Takes a data command; an error means that it is to be ignored, without acknowledgement.
    pub(crate) fn take(
        &mut self,
        command: &Command,
        payload: &[u8],
        budget: &mut Budget<'_>,
        inbox: &mut Inbox<'_>,
    ) -> Result<(), DropReason> {
        let numbered = match command.body {
            Body::Fragment { fragment } => fragment.start,
            _ => command.sequence,
        };
        let Some(sequence) = self.extend(numbered) else {
            return Ok(());
        };
        let moved = match command.body {
            Body::Reliable { .. } => self.reliable_single(sequence, payload, budget, inbox)?,
            Body::Fragment { fragment } => {
                self.reliable_fragment(sequence, &fragment, payload, budget, inbox)?
            }
            Body::Unreliable { number, .. } => {
                return self.unreliable_single((sequence, number), payload, budget, inbox);
            }
            Body::UnreliableFragment { fragment } => {
                return self.unreliable_fragment(
                    (sequence, fragment.start),
                    &fragment,
                    payload,
                    budget,
                    inbox,
                );
            }
            _ => false,
        };
        if moved {
            self.advance_unreliable(budget, inbox);
        }
        Ok(())
    }

    /// The number of the last reliable command that was delivered.
    pub(crate) const fn last(&self) -> u16 {
        self.delivered as u16
    }

    /// What a reliable command brings.
    pub(crate) fn novelty(&self, command: &Command) -> Novelty {
        let (numbered, fragment) = match command.body {
            Body::Fragment { fragment } => (fragment.start, Some(fragment.number)),
            _ => (command.sequence, None),
        };
        let Some(sequence) = self.extend(numbered).filter(|sequence| *sequence > self.delivered) else {
            return Novelty::Nothing;
        };
        let entry = self.reassembly.as_ref().and_then(|reassembly| reassembly.reliable.get(&sequence));
        let has_come = match (entry, fragment) {
            (Some(Entry::Group(group)), Some(number)) => group.has(number),
            (Some(Entry::Single(_)), None) => true,
            _ => false,
        };
        if has_come {
            Novelty::Nothing
        } else if sequence == self.delivered + 1 {
            Novelty::Next
        } else {
            Novelty::Ahead
        }
    }

    /// True when a reliable command with this number is acknowledged: all but those too far ahead, which are sent again.
    pub(crate) const fn acknowledges(&self, sequence: u16) -> bool {
        let window = self.windows_ahead(sequence);
        window < WINDOWS_AHEAD || window > WINDOWS_AHEAD + 1
    }

    /// Bytes of incomplete packets that [`Self::evict`] would set free.
    pub(crate) fn stuck(&self) -> usize {
        self.reassembly.as_ref().map_or(0, |reassembly| reassembly.stuck(self.delivered))
    }

    /// The extended form of a number that is looked at, or `None` for one that is thrown away: the numbers are
    /// divided into 16 windows, and those in the current one and the six behind it are taken.
    const fn extend(&self, sequence: u16) -> Option<u64> {
        let ahead = sequence.wrapping_sub(self.delivered as u16) as u64;
        if self.windows_ahead(sequence) < WINDOWS_AHEAD { Some(self.delivered + ahead) } else { None }
    }

    const fn windows_ahead(&self, sequence: u16) -> u32 {
        let current = self.delivered as u16;
        let ahead = sequence.wrapping_sub(current) as u32;
        (current as u32 + ahead) / WINDOW_NUMBERS - current as u32 / WINDOW_NUMBERS
    }

    fn reassembly(&mut self) -> &mut Reassembly {
        self.reassembly.get_or_insert_default()
    }
}

/// Sequence numbers of one window.
const WINDOW_NUMBERS: u32 = 0x1000;

/// Windows that are looked at.
const WINDOWS_AHEAD: u32 = 7;
