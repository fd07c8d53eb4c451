//! What the engine keeps of a channel's sequenced unreliable packets.
//!
//! Each packet has a key: the reliable number it must not overtake, then its unreliable number. It waits until
//! that reliable number is the channel's current one. Then complete packets are delivered at once, and all
//! before them are dropped. Of incomplete packets at the current number the engine keeps the newest two.

use std::collections::BTreeMap;

use super::DropReason;
use super::held::{Entry, Group};
use super::quota::Budget;
use super::wire::Fragment;

/// Reliable number (extended) and unreliable number.
pub(super) type Key = (u64, u16);

/// The unreliable half of a channel. `current` is always the reliable half's last delivered number.
#[derive(Debug, Default)]
pub(super) struct Unreliable {
    /// Unreliable number delivered last, since the current reliable number.
    delivered: u16,
    held: BTreeMap<Key, Entry>,
}

impl Unreliable {
    /// A packet of one command.
    pub(super) fn single(
        &mut self,
        key: Key,
        current: u64,
        len: usize,
        budget: &mut Budget<'_>,
    ) -> Result<(), DropReason> {
        if self.is_stale(key, current) {
            return Ok(());
        }
        if key.0 == current && self.held.is_empty() {
            self.delivered = key.1;
            return Ok(());
        }
        // The engine takes it for a repetition, even of a packet in fragments.
        if self.held.contains_key(&key) {
            return Ok(());
        }
        if key.0 == current {
            self.deliver(key, budget);
        } else {
            budget.admit_command(len)?;
            self.held.insert(key, Entry::Single { len });
        }
        Ok(())
    }

    /// A fragment of the packet with this key.
    pub(super) fn fragment(
        &mut self,
        key: Key,
        current: u64,
        fragment: &Fragment,
        budget: &mut Budget<'_>,
    ) -> Result<(), DropReason> {
        if self.is_stale(key, current) {
            return Ok(());
        }
        if let Some(entry) = self.held.get_mut(&key) {
            return match entry {
                Entry::Group(group) if group.matches(fragment) => {
                    if group.add(fragment.number) {
                        if key.0 == current {
                            self.deliver(key, budget);
                        } else {
                            budget.promote(group);
                        }
                    }
                    Ok(())
                }
                _ => Err(DropReason::Conflict),
            };
        }
        let evicted = self.make_room(key, current, budget)?;
        match budget.admit_group(fragment.total as usize, false) {
            Ok(bill) => {
                self.held.insert(key, Entry::Group(Group::new(fragment, bill)));
                Ok(())
            }
            Err(reason) => {
                if let Some((key, entry)) = evicted {
                    budget.charge_again(&entry);
                    self.held.insert(key, entry);
                }
                Err(reason)
            }
        }
    }

    /// To be called when the reliable half has moved on, to `current`.
    pub(super) fn advance(&mut self, current: u64, budget: &mut Budget<'_>) {
        self.delivered = 0;
        if self.held.is_empty() {
            return;
        }
        let mut first_kept = (current + 1, 0);
        let now_current = self.held.range((current, 0)..(current + 1, 0));
        for (incomplete, (&key, entry)) in now_current.rev().enumerate() {
            if entry.is_complete() {
                self.delivered = key.1;
                break;
            }
            if incomplete < KEPT {
                first_kept = key;
            }
        }
        self.drop_before(first_kept, budget);
    }

    /// Bytes of incomplete packets that only a newer packet can end, or 0 when none could be made up.
    pub(super) fn stuck(&self, current: u64) -> usize {
        let mut bytes = 0;
        for (key, entry) in self.held.range((current, 0)..(current + 1, 0)) {
            if key.1 == u16::MAX {
                return 0;
            }
            if let Entry::Group(group) = entry {
                bytes += group.total;
            }
        }
        bytes
    }

    /// Ends all incomplete packets at `current` by a newer one, and returns the number it needs.
    pub(super) fn evict(&mut self, current: u64, budget: &mut Budget<'_>) -> Option<u16> {
        let newest = self.held.range((current, 0)..(current + 1, 0)).next_back()?.0.1;
        let number = newest.checked_add(1)?;
        self.deliver((current, number), budget);
        Some(number)
    }

    /// True for what the engine has delivered, or passed over.
    const fn is_stale(&self, key: Key, current: u64) -> bool {
        key.0 == current && key.1 <= self.delivered
    }

    /// Takes out the packet that the engine drops when it begins to put together the one with this key.
    ///
    /// A packet older than both that it keeps lives on in the engine until it next looks at its list. It has
    /// little hope, so it is refused rather than followed.
    fn make_room(
        &mut self,
        key: Key,
        current: u64,
        budget: &mut Budget<'_>,
    ) -> Result<Option<(Key, Entry)>, DropReason> {
        if key.0 != current {
            return Ok(None);
        }
        let mut kept = self.held.range((current, 0)..(current + 1, 0));
        let (Some((&oldest, _)), Some(_)) = (kept.next(), kept.next()) else {
            return Ok(None);
        };
        if key < oldest {
            return Err(DropReason::StaleFragment);
        }
        let entry = self.held.remove_entry(&oldest);
        if let Some((_, entry)) = &entry {
            budget.release(entry);
        }
        Ok(entry)
    }

    /// Delivers the packet with this key, which drops all before it.
    fn deliver(&mut self, key: Key, budget: &mut Budget<'_>) {
        self.delivered = key.1;
        self.drop_before(key, budget);
        if let Some(entry) = self.held.remove(&key) {
            budget.release(&entry);
        }
    }

    fn drop_before(&mut self, key: Key, budget: &mut Budget<'_>) {
        while let Some(first) = self.held.first_entry() {
            if *first.key() >= key {
                break;
            }
            budget.release(&first.remove());
        }
    }

    /// Keys of what is held.
    #[cfg(test)]
    pub(super) fn held(&self) -> impl Iterator<Item = Key> {
        self.held.keys().copied()
    }
}

/// Incomplete packets that the engine keeps at the current reliable number.
const KEPT: usize = 2;
