//! A slow, literal account of what the engine does with the data commands of one channel, for comparison: plain
//! lists, 16-bit numbers, and the engine's order of steps.

use std::collections::BTreeSet;

/// A packet in a list of the engine.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// Reliable number, then the unreliable one (0 for reliable packets).
    pub(super) key: (u16, u16),
    /// Fragments of the packet, 0 when it is whole, and those that are missing.
    count: u32,
    missing: BTreeSet<u32>,
}

#[derive(Debug, Default)]
pub(super) struct Engine {
    pub(super) current: u16,
    pub(super) unreliable: u16,
    pub(super) reliable_list: Vec<Waiting>,
    pub(super) unreliable_list: Vec<Waiting>,
}

/// What a data command carries: a whole packet, or a fragment by number and count.
pub(super) type Part = Option<(u32, u32)>;

impl Engine {
    fn looks_at(&self, sequence: u16) -> bool {
        let current = self.current >> 12;
        let mut window = sequence >> 12;
        if sequence < self.current {
            window += 16;
        }
        window >= current && window < current + 7
    }

    fn ahead(&self, sequence: u16) -> u16 {
        sequence.wrapping_sub(self.current)
    }

    /// A reliable packet, or a fragment of one that begins at `start`.
    pub(super) fn reliable(&mut self, start: u16, part: Part) {
        if !self.looks_at(start) || start == self.current {
            return;
        }
        let position = self.reliable_list.iter().position(|waiting| waiting.key.0 == start);
        if position.is_none() || part.is_some() {
            let position = position.unwrap_or_else(|| {
                let (list, ahead) = (&self.reliable_list, self.ahead(start));
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
            self.current = first.key.0.wrapping_add(first.count.saturating_sub(1) as u16);
            self.reliable_list.remove(0);
        }
        if self.current != before {
            self.unreliable = 0;
            self.dispatch();
        }
    }

    /// An unreliable packet, or a fragment of one.
    pub(super) fn unreliable(&mut self, key: (u16, u16), part: Part) {
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

    /// Walks the unreliable list with the engine's two marks: where the run to deliver begins, and up to where
    /// packets are dropped.
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
                    dropped = (0..at).rev().find(|before| !delivered[*before]).unwrap();
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
        let kept = list.into_iter().enumerate().filter(|(place, _)| *place >= dropped && !delivered[*place]);
        self.unreliable_list = kept.map(|(_, waiting)| waiting).collect();
    }
}

fn waiting(key: (u16, u16), part: Part) -> Waiting {
    let count = part.map_or(0, |(_, count)| count);
    Waiting { key, count, missing: (0..count).collect() }
}
