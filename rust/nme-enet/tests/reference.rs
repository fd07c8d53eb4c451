//! What a channel delivers and keeps, against a literal account of stock ENet's receiver: plain lists, 16-bit numbers
//! and ENet's order of steps. The traffic is random, of a sender that follows ENet's rules over a link that loses,
//! repeats and reorders.

mod raw;

use std::collections::BTreeSet;

use nme_enet::{Delivery, DropReason, Event, Quotas};
use proptest::prelude::*;
use raw::*;

/// A packet in a list of the account.
#[derive(Clone, Debug)]
struct Waiting {
    /// Reliable number, then the unreliable one (0 for reliable packets).
    key: (u16, u16),
    /// Fragments of the packet, 0 when it is whole, and those that are missing.
    count: u32,
    missing: BTreeSet<u32>,
}

/// What a data command carries: a whole packet, or a fragment by number and count.
type Part = Option<(u32, u32)>;

#[derive(Debug, Default)]
struct Account {
    current: u16,
    unreliable: u16,
    reliable_list: Vec<Waiting>,
    unreliable_list: Vec<Waiting>,
    /// Kind and first number of each packet that was delivered.
    delivered: Vec<(Delivery, (u16, u16))>,
}

impl Account {
    fn looks_at(&self, sequence: u16) -> bool {
        let current = self.current >> 12;
        let window = (sequence >> 12) + if sequence < self.current { 16 } else { 0 };
        (current..current + 7).contains(&window)
    }

    fn ahead(&self, sequence: u16) -> u16 {
        sequence.wrapping_sub(self.current)
    }

    fn reliable(&mut self, start: u16, part: Part) {
        if !self.looks_at(start) || start == self.current {
            return;
        }
        let position = self.reliable_list.iter().position(|waiting| waiting.key.0 == start);
        if position.is_none() || part.is_some() {
            let position = position.unwrap_or_else(|| {
                let ahead = self.ahead(start);
                let list = &self.reliable_list;
                let place = list.iter().filter(|waiting| self.ahead(waiting.key.0) < ahead).count();
                self.reliable_list.insert(place, waiting((start, 0), part));
                place
            });
            if let Some((number, _)) = part {
                self.reliable_list[position].missing.remove(&number);
            }
        }
        let before = self.current;
        while let Some(first) = self.reliable_list.first() {
            if first.key.0 != self.current.wrapping_add(1) || !first.missing.is_empty() {
                break;
            }
            self.delivered.push((Delivery::Reliable, first.key));
            self.current = first.key.0.wrapping_add(first.count.saturating_sub(1) as u16);
            self.reliable_list.remove(0);
        }
        if self.current != before {
            self.unreliable = 0;
            self.dispatch();
        }
    }

    fn unreliable(&mut self, key: (u16, u16), part: Part) {
        if !self.looks_at(key.0) || (key.0 == self.current && key.1 <= self.unreliable) {
            return;
        }
        if let Some(found) = self.unreliable_list.iter_mut().find(|waiting| waiting.key == key) {
            if let Some((number, _)) = part
                && found.missing.remove(&number)
                && found.missing.is_empty()
            {
                self.dispatch();
            }
            return;
        }
        let order = |key: (u16, u16)| (key.0.wrapping_sub(self.current), key.1);
        let place = self.unreliable_list.iter().filter(|waiting| order(waiting.key) < order(key)).count();
        self.unreliable_list.insert(place, waiting(key, part));
        self.dispatch();
        if let Some((number, _)) = part
            && let Some(found) = self.unreliable_list.iter_mut().find(|waiting| waiting.key == key)
        {
            found.missing.remove(&number);
        }
    }

    /// Walks the unreliable list with ENet's two marks: where the run to deliver begins, and up to where packets are
    /// dropped.
    fn dispatch(&mut self) {
        let list = std::mem::take(&mut self.unreliable_list);
        let mut delivered = vec![false; list.len()];
        let (mut start, mut dropped, mut at) = (0, 0, 0);
        while at < list.len() {
            let waiting = &list[at];
            if waiting.key.0 == self.current {
                if waiting.missing.is_empty() {
                    self.unreliable = waiting.key.1;
                    at += 1;
                    continue;
                }
                if start != at {
                    delivered[start..at].fill(true);
                    dropped = at;
                } else if dropped != at {
                    dropped = (0..at).rev().find(|before| !delivered[*before]).unwrap_or(0);
                }
            } else {
                if self.looks_at(waiting.key.0) {
                    break;
                }
                dropped = at + 1;
                delivered[start..at].fill(true);
            }
            at += 1;
            start = at;
        }
        if start != at {
            delivered[start..at].fill(true);
            dropped = at;
        }
        for (place, waiting) in list.into_iter().enumerate() {
            if delivered[place] {
                self.delivered.push((Delivery::Sequenced, waiting.key));
            } else if place >= dropped {
                self.unreliable_list.push(waiting);
            }
        }
    }
}

fn waiting(key: (u16, u16), part: Part) -> Waiting {
    let count = part.map_or(0, |(_, count)| count);
    Waiting { key, count, missing: (0..count).collect() }
}

/// One command on the wire.
#[derive(Clone, Copy, Debug)]
struct Sent {
    is_reliable: bool,
    sequence: u16,
    number: u16,
    part: Part,
}

impl Sent {
    /// Each payload begins with the numbers of its packet.
    fn bytes(&self) -> Vec<u8> {
        let (mut bytes, head) = match (self.is_reliable, self.part) {
            (true, None) => (reliable(0, self.sequence, 20), 6),
            (false, None) => (unreliable(0, self.sequence, self.number, 20), 8),
            (true, Some((number, count))) => (fragment(0, self.sequence, count * F, number), 24),
            (false, Some((number, count))) => {
                (unreliable_fragment(0, self.sequence, self.number, count * F, number), 24)
            }
        };
        bytes[head..head + 2].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[head + 2..head + 4].copy_from_slice(&self.number.to_be_bytes());
        bytes
    }
}

/// What a sender does: the kind of its next packet, and its fragments if there are several.
type Sends = (bool, Option<u32>);

/// Numbers packets as ENet does, beginning behind `sequence`.
fn stream(mut sequence: u16, sends: &[Sends]) -> Vec<Sent> {
    let mut number = 0;
    let mut stream = Vec::new();
    for (is_reliable, count) in sends {
        let parts: Vec<Part> = match count {
            Some(count) => (0..*count).map(|part| Some((part, *count))).collect(),
            None => vec![None],
        };
        if *is_reliable {
            let start = sequence.wrapping_add(1);
            stream.extend(parts.iter().map(|part| Sent {
                is_reliable: true,
                sequence: start,
                number: 0,
                part: *part,
            }));
            (sequence, number) = (sequence.wrapping_add(parts.len() as u16), 0);
        } else {
            number += 1;
            stream.extend(parts.iter().map(|part| Sent {
                is_reliable: false,
                sequence,
                number,
                part: *part,
            }));
        }
    }
    stream
}

fn sends() -> impl Strategy<Value = Sends> {
    (any::<bool>(), prop_oneof![2 => Just(None), 1 => (2_u32..5).prop_map(Some)])
}

struct Both {
    bench: Bench,
    account: Account,
}

impl Both {
    /// A session whose channel 0 has delivered up to `sequence`.
    fn new(sequence: u32, quotas: Quotas) -> Self {
        let mut both = Self { bench: Bench::server_with(quotas), account: Account::default() };
        for next in 1..=sequence {
            let sent = Sent { is_reliable: true, sequence: next as u16, number: 0, part: None };
            both.feed(&sent).expect("in order");
            if next % 64 == 0 {
                both.bench.transmit();
            }
        }
        both
    }

    /// Feeds a command to both, unless the host ignores it, and compares what they deliver.
    fn feed(&mut self, sent: &Sent) -> Result<(), DropReason> {
        self.bench.send(&[sent.bytes()])?;
        if sent.is_reliable {
            self.account.reliable(sent.sequence, sent.part);
        } else {
            self.account.unreliable((sent.sequence, sent.number), sent.part);
        }
        let word = |bytes: &[u8], at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let got: Vec<_> = std::mem::take(&mut self.bench.events)
            .into_iter()
            .filter_map(|event| match event {
                Event::Received { packet, delivery, .. } => {
                    Some((delivery, (word(&packet, 0), word(&packet, 2))))
                }
                _ => None,
            })
            .collect();
        assert_eq!(got, std::mem::take(&mut self.account.delivered));
        let account = &self.account;
        let nothing = account.reliable_list.is_empty() && account.unreliable_list.is_empty();
        assert_eq!(self.bench.reassembly_bytes() == 0, nothing, "{account:?}");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Each command comes between no and two times, up to 12 places late; then the reliable ones come again until all
    /// are delivered.
    #[test]
    fn a_channel_delivers_what_stock_enet_delivers(
        sends in prop::collection::vec(sends(), 1..60),
        fates in prop::collection::vec((0_usize..=2, 0_usize..12, 0_usize..12), 300),
        first in prop_oneof![8 => Just(0_u32), 4 => Just(4090), 1 => Just(65_500)],
    ) {
        let mut both = Both::new(first, Quotas::default());
        let stream = stream(first as u16, &sends);
        let mut arrivals = Vec::new();
        for (place, (sent, fate)) in stream.iter().zip(fates.iter().cycle()).enumerate() {
            arrivals.extend([fate.1, fate.2].iter().take(fate.0).map(|late| (place + late, *sent)));
        }
        arrivals.sort_by_key(|(time, _)| *time);
        for (_, sent) in &arrivals {
            // An unreliable packet that two newer ones have overtaken is the one thing that is ignored here.
            let result = both.feed(sent);
            prop_assert!(matches!(result, Ok(()) | Err(DropReason::StaleFragment)), "{result:?}");
        }
        for sent in stream.iter().filter(|sent| sent.is_reliable) {
            prop_assert_eq!(both.feed(sent), Ok(()));
        }
        prop_assert!(both.account.reliable_list.is_empty());
    }

    /// With tiny quotas commands are ignored, but resending alone gets everything through.
    #[test]
    fn tiny_quotas_delay_but_never_block(
        sends in prop::collection::vec(sends(), 1..40),
        order in prop::collection::vec(any::<prop::sample::Index>(), 200),
    ) {
        let quotas =
            Quotas { fragment_bytes: 2000, fragment_packets: 1, ahead_commands: 3, ahead_bytes: 1000 };
        let mut both = Both::new(0, quotas);
        let stream = stream(0, &sends);
        for index in order {
            let _ = both.feed(index.get(&stream));
        }
        for sent in stream.iter().filter(|sent| sent.is_reliable) {
            let _ = both.feed(sent);
        }
        let reliable = stream.iter().filter(|sent| sent.is_reliable).count();
        prop_assert_eq!(both.account.current, reliable as u16);
        prop_assert!(both.account.reliable_list.is_empty());
    }
}
