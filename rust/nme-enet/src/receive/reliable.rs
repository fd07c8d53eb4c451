//! Reliable packets of a channel, in order.

use super::assembly::Assembly;
use super::quota::Budget;
use super::{Entry, Inbox, Reassembly, ReceiveChannel};
use crate::packet::Delivery;
use crate::reason::DropReason;
use crate::wire::Fragment;

impl ReceiveChannel {
    /// A packet of one command. True when the channel has moved on, which it also does without a look at the map when
    /// the packets come in order.
    pub(super) fn reliable_single(
        &mut self,
        sequence: u64,
        payload: &[u8],
        budget: &mut Budget<'_>,
        inbox: &mut Inbox<'_>,
    ) -> Result<bool, DropReason> {
        if sequence == self.delivered {
            return Ok(false);
        }
        let is_next = sequence == self.delivered + 1;
        let reassembly = self.reassembly.as_ref();
        if let Some((&start, before)) =
            reassembly.and_then(|reassembly| reassembly.reliable.range(..=sequence).next_back())
        {
            if start == sequence && matches!(before, Entry::Single(_)) {
                return Ok(false);
            }
            if start + before.span() > sequence {
                return Err(DropReason::Conflict);
            }
        }
        if is_next {
            self.delivered = sequence;
            inbox.deliver_payload(payload, Delivery::Reliable);
            self.advance_reliable(budget, inbox);
        } else {
            let reassembly = self.reassembly();
            budget.admit_command(payload.len(), reassembly.waiting)?;
            reassembly.waiting += 1;
            reassembly.reliable.insert(sequence, Entry::Single(inbox.pool.copy(payload)));
        }
        Ok(is_next)
    }

    /// A fragment of the packet that begins at `start`. True when the channel has moved on.
    pub(super) fn reliable_fragment(
        &mut self,
        start: u64,
        fragment: &Fragment,
        payload: &[u8],
        budget: &mut Budget<'_>,
        inbox: &mut Inbox<'_>,
    ) -> Result<bool, DropReason> {
        let is_next = start == self.delivered + 1;
        let is_delivered = start == self.delivered;
        let Reassembly { reliable, waiting, .. } = self.reassembly();
        if let Some(entry) = reliable.get_mut(&start) {
            let Entry::Group(group) = entry else { return Err(DropReason::Conflict) };
            if !group.matches(fragment) {
                return Err(DropReason::Conflict);
            }
            if group.has(fragment.number) {
                return Ok(false);
            }
            budget.admit_fragment(payload.len(), group, is_next)?;
            if !group.add(fragment.number, payload, inbox.pool) {
                return Ok(false);
            }
            if is_next {
                self.advance_reliable(budget, inbox);
            } else if budget.promote(group, *waiting) {
                *waiting += 1;
            }
            return Ok(is_next);
        }
        // Nothing can begin with the number that was delivered last.
        let before = reliable.range(..start).next_back();
        let meets_earlier =
            is_delivered || before.is_some_and(|(&first, entry)| first + entry.span() > start);
        let end = start + u64::from(fragment.count);
        if meets_earlier || reliable.range(start..end).next().is_some() {
            return Err(DropReason::Conflict);
        }
        let bill = budget.admit_group(fragment.total as usize, is_next)?;
        let mut group = Assembly::new(fragment, bill);
        if let Err(reason) = budget.admit_fragment(payload.len(), &mut group, is_next) {
            budget.release(&Entry::Group(group));
            return Err(reason);
        }
        group.add(fragment.number, payload, inbox.pool);
        reliable.insert(start, Entry::Group(group));
        Ok(false)
    }

    /// Delivers what is complete and next in order.
    fn advance_reliable(&mut self, budget: &mut Budget<'_>, inbox: &mut Inbox<'_>) {
        let Some(reassembly) = &mut self.reassembly else { return };
        while let Some(first) = reassembly.reliable.first_entry() {
            if *first.key() != self.delivered + 1 || !first.get().is_complete() {
                break;
            }
            let entry = first.remove();
            self.delivered += entry.span();
            reassembly.waiting -= usize::from(budget.release(&entry));
            inbox.deliver(entry.into_packet(), Delivery::Reliable);
        }
    }
}
