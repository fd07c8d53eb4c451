//! What the engine keeps of a channel's reliable packets.

use std::collections::BTreeMap;

use super::DropReason;
use super::held::{Entry, Group};
use super::quota::Budget;
use super::wire::Fragment;

/// The reliable half of a channel. Sequence numbers are extended to 64 bits, so that they only grow.
#[derive(Debug, Default)]
pub(super) struct Reliable {
    /// Sequence number of the last delivered command.
    delivered: u64,
    /// What is ahead of the next one in order, or is next but incomplete, by its first sequence number.
    held: BTreeMap<u64, Entry>,
}

impl Reliable {
    /// Sequence number of the last delivered command.
    pub(super) const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// The extended form of a number the engine would look at, or `None` for one that it throws away: it
    /// divides the numbers into 16 windows and takes those in the current one and the six behind it.
    pub(super) const fn extend(&self, sequence: u16) -> Option<u64> {
        let current = self.delivered as u16;
        let ahead = sequence.wrapping_sub(current) as u32;
        let window = (current as u32 + ahead) / WINDOW;
        if window < current as u32 / WINDOW + WINDOWS { Some(self.delivered + ahead as u64) } else { None }
    }

    /// A packet of one command. True when the channel has moved on, which it also does without a look at
    /// the map when the packets come in order.
    pub(super) fn single(
        &mut self,
        sequence: u64,
        len: usize,
        budget: &mut Budget<'_>,
    ) -> Result<bool, DropReason> {
        if sequence == self.delivered {
            return Ok(false);
        }
        let is_next = sequence == self.delivered + 1;
        if is_next && self.held.is_empty() {
            self.delivered = sequence;
            return Ok(true);
        }
        if let Some((&start, before)) = self.held.range(..=sequence).next_back() {
            if start == sequence && matches!(before, Entry::Single { .. }) {
                return Ok(false);
            }
            if start + before.span() > sequence {
                return Err(DropReason::Conflict);
            }
        }
        if is_next {
            self.delivered = sequence;
            self.advance(budget);
        } else {
            budget.admit_command(len)?;
            self.held.insert(sequence, Entry::Single { len });
        }
        Ok(is_next)
    }

    /// A fragment of the packet that begins at `start`. True when the channel has moved on.
    pub(super) fn fragment(
        &mut self,
        start: u64,
        fragment: &Fragment,
        budget: &mut Budget<'_>,
    ) -> Result<bool, DropReason> {
        let is_next = start == self.delivered + 1;
        if let Some(entry) = self.held.get_mut(&start) {
            return match entry {
                Entry::Group(group) if group.matches(fragment) => {
                    if !group.add(fragment.number) {
                        return Ok(false);
                    }
                    if is_next {
                        self.advance(budget);
                    } else {
                        budget.promote(group);
                    }
                    Ok(is_next)
                }
                _ => Err(DropReason::Conflict),
            };
        }
        // The engine stops reading at a packet that begins with the number just delivered.
        let meets_earlier = start == self.delivered
            || self
                .held
                .range(..start)
                .next_back()
                .is_some_and(|(&first, entry)| first + entry.span() > start);
        let end = start + u64::from(fragment.count);
        if meets_earlier || self.held.range(start..end).next().is_some() {
            return Err(DropReason::Conflict);
        }
        let bill = budget.admit_group(fragment.total as usize, is_next)?;
        self.held.insert(start, Entry::Group(Group::new(fragment, bill)));
        Ok(false)
    }

    /// Delivers what is complete and next in order.
    fn advance(&mut self, budget: &mut Budget<'_>) {
        while let Some(first) = self.held.first_entry() {
            if *first.key() != self.delivered + 1 || !first.get().is_complete() {
                break;
            }
            let entry = first.remove();
            self.delivered += entry.span();
            budget.release(&entry);
        }
    }

    /// First sequence numbers of what is held.
    #[cfg(test)]
    pub(super) fn held(&self) -> impl Iterator<Item = u64> {
        self.held.keys().copied()
    }
}

/// Sequence numbers of one window.
const WINDOW: u32 = 0x1000;

/// Windows that the engine looks at.
const WINDOWS: u32 = 7;
