//! Sequenced unreliable packets of a channel.
//!
//! Such a packet belongs to the reliable number that was sent last before it, and waits for that. At the current number
//! a packet is delivered at once, and ends all before it; the newest two that are incomplete are kept.

use super::assembly::Assembly;
use super::quota::Budget;
use super::{Entry, Inbox, Reassembly, ReceiveChannel};
use crate::packet::Delivery;
use crate::reason::DropReason;
use crate::wire::Fragment;

/// Reliable number (extended) and unreliable number.
pub(super) type Key = (u64, u16);

impl ReceiveChannel {
    /// A packet of one command.
    pub(super) fn unreliable_single(
        &mut self,
        key: Key,
        payload: &[u8],
        budget: &mut Budget<'_>,
        inbox: &mut Inbox<'_>,
    ) -> Result<(), DropReason> {
        if self.is_stale(key) {
            return Ok(());
        }
        let is_current = key.0 == self.delivered;
        if let Some(reassembly) = &mut self.reassembly {
            // A repetition, even of a packet in fragments.
            if reassembly.unreliable.contains_key(&key) {
                return Ok(());
            }
            if is_current {
                reassembly.drop_before(key, budget);
            }
        }
        if is_current {
            self.unreliable = key.1;
            inbox.deliver_payload(payload, Delivery::Sequenced);
        } else {
            let reassembly = self.reassembly();
            budget.admit_command(payload.len(), reassembly.waiting)?;
            reassembly.waiting += 1;
            reassembly.unreliable.insert(key, Entry::Single(inbox.pool.copy(payload)));
        }
        Ok(())
    }

    /// A fragment of the packet with this key.
    pub(super) fn unreliable_fragment(
        &mut self,
        key: Key,
        fragment: &Fragment,
        payload: &[u8],
        budget: &mut Budget<'_>,
        inbox: &mut Inbox<'_>,
    ) -> Result<(), DropReason> {
        if self.is_stale(key) {
            return Ok(());
        }
        let current = self.delivered;
        let reassembly = self.reassembly();
        if let Some(entry) = reassembly.unreliable.get_mut(&key) {
            let Entry::Group(group) = entry else { return Err(DropReason::Conflict) };
            if !group.matches(fragment) {
                return Err(DropReason::Conflict);
            }
            if group.has(fragment.number) {
                return Ok(());
            }
            budget.admit_fragment(payload.len(), group, false)?;
            if group.add(fragment.number, payload, inbox.pool) {
                if key.0 != current {
                    reassembly.waiting += usize::from(budget.promote(group, reassembly.waiting));
                } else if let Some(entry) = reassembly.unreliable.remove(&key) {
                    reassembly.waiting -= usize::from(budget.release(&entry));
                    reassembly.drop_before(key, budget);
                    self.unreliable = key.1;
                    inbox.deliver(entry.into_packet(), Delivery::Sequenced);
                }
            }
            return Ok(());
        }
        let replaced = reassembly.oldest_to_replace(key, current)?;
        let freed = replaced.and_then(|key| reassembly.unreliable.get(&key)).map_or(0, |entry| match entry {
            Entry::Group(group) => group.total(),
            Entry::Single(_) => 0,
        });
        if fragment.total as usize > freed.saturating_add(budget.fragment_room()) {
            return Err(DropReason::FragmentQuota);
        }
        if let Some(entry) = replaced.and_then(|key| reassembly.unreliable.remove(&key)) {
            reassembly.waiting -= usize::from(budget.release(&entry));
        }
        let bill = budget.admit_group(fragment.total as usize, false)?;
        let mut group = Assembly::new(fragment, bill);
        if let Err(reason) = budget.admit_fragment(payload.len(), &mut group, false) {
            budget.release(&Entry::Group(group));
            return Err(reason);
        }
        group.add(fragment.number, payload, inbox.pool);
        reassembly.unreliable.insert(key, Entry::Group(group));
        Ok(())
    }

    /// To be called when the reliable number has moved on.
    pub(super) fn advance_unreliable(&mut self, budget: &mut Budget<'_>, inbox: &mut Inbox<'_>) {
        self.unreliable = 0;
        let current = self.delivered;
        let Some(reassembly) =
            self.reassembly.as_deref_mut().filter(|reassembly| !reassembly.unreliable.is_empty())
        else {
            return;
        };
        reassembly.drop_before((current, 0), budget);
        let mut kept = Vec::new();
        while let Some(first) = reassembly.unreliable.first_entry() {
            let key = *first.key();
            if key.0 != current {
                break;
            }
            let entry = first.remove();
            if entry.is_complete() {
                kept.drain(..)
                    .for_each(|(_, entry)| reassembly.waiting -= usize::from(budget.release(&entry)));
                reassembly.waiting -= usize::from(budget.release(&entry));
                self.unreliable = key.1;
                inbox.deliver(entry.into_packet(), Delivery::Sequenced);
            } else {
                kept.push((key, entry));
            }
        }
        let surplus = kept.len().saturating_sub(MAX_INCOMPLETE_PACKETS);
        kept.drain(..surplus)
            .for_each(|(_, entry)| reassembly.waiting -= usize::from(budget.release(&entry)));
        reassembly.unreliable.extend(kept);
    }

    /// Ends all incomplete packets at the current number: a newer one might never come.
    pub(crate) fn evict(&mut self, budget: &mut Budget<'_>) {
        let current = self.delivered;
        let Some(reassembly) = &mut self.reassembly else { return };
        if let Some((&key, _)) = reassembly.unreliable.range((current, 0)..(current + 1, 0)).next_back() {
            self.unreliable = key.1;
            reassembly.drop_before((current + 1, 0), budget);
        }
    }

    /// True for what has been delivered, or passed over.
    const fn is_stale(&self, key: Key) -> bool {
        key.0 == self.delivered && key.1 <= self.unreliable
    }
}

impl Reassembly {
    /// Bytes of incomplete packets that only a newer packet can end.
    pub(super) fn stuck(&self, current: u64) -> usize {
        let here = self.unreliable.range((current, 0)..(current + 1, 0));
        here.map(|(_, entry)| if let Entry::Group(group) = entry { group.total() } else { 0 }).sum()
    }

    /// The packet that has to go when the one with this key begins. What is older than all that are kept has little
    /// hope, and is refused.
    fn oldest_to_replace(&self, key: Key, current: u64) -> Result<Option<Key>, DropReason> {
        if key.0 != current {
            return Ok(None);
        }
        let mut kept = self.unreliable.range((current, 0)..(current + 1, 0));
        match (kept.next(), kept.next()) {
            (Some((&oldest, _)), Some(_)) if key < oldest => Err(DropReason::StaleFragment),
            (Some((&oldest, _)), Some(_)) => Ok(Some(oldest)),
            _ => Ok(None),
        }
    }

    fn drop_before(&mut self, key: Key, budget: &mut Budget<'_>) {
        while let Some(first) = self.unreliable.first_entry() {
            if *first.key() >= key {
                break;
            }
            let entry = first.remove();
            self.waiting -= usize::from(budget.release(&entry));
        }
    }
}

/// Incomplete packets that are kept at the current reliable number.
const MAX_INCOMPLETE_PACKETS: usize = 2;
