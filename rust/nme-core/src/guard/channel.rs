//! The model of one channel: what the engine has delivered and what it keeps, and what we have sent.

use super::DropReason;
use super::ledger::Ledger;
use super::quota::{Budget, Quotas, Usage};
use super::reliable::Reliable;
use super::unreliable::Unreliable;
use super::wire::{Body, Command};

/// One channel of one peer.
#[derive(Debug, Default)]
pub(super) struct Channel {
    reliable: Reliable,
    unreliable: Unreliable,
    /// Packets that wait for an earlier one.
    waiting: usize,
    /// The other direction.
    pub(super) sent: Ledger,
}

impl Channel {
    /// Follows what the engine will do with a data command; an error means that it must not see it.
    pub(super) fn apply(
        &mut self,
        command: &Command,
        quotas: &Quotas,
        usage: &mut Usage,
    ) -> Result<(), DropReason> {
        let numbered = match command.body {
            Body::Fragment(fragment) => fragment.start,
            _ => command.sequence,
        };
        let mut budget = Budget { quotas, usage, waiting: &mut self.waiting };
        let budget = &mut budget;
        let current = self.reliable.delivered();
        let Some(sequence) = self.reliable.extend(numbered) else {
            return Ok(());
        };
        let moved = match command.body {
            Body::Reliable { len } => self.reliable.single(sequence, len.into(), budget)?,
            Body::Fragment(fragment) => self.reliable.fragment(sequence, &fragment, budget)?,
            Body::Unreliable { sequence: number, len } => {
                return self.unreliable.single((sequence, number), current, len.into(), budget);
            }
            Body::UnreliableFragment(fragment) => {
                return self.unreliable.fragment((sequence, fragment.start), current, &fragment, budget);
            }
            _ => false,
        };
        if moved {
            self.unreliable.advance(self.reliable.delivered(), budget);
        }
        Ok(())
    }

    /// Bytes of incomplete unreliable packets that [`Self::evict`] would set free.
    pub(super) fn stuck(&self) -> usize {
        self.unreliable.stuck(self.reliable.delivered())
    }

    /// Forgets them, and returns the reliable and unreliable numbers of the packet that makes the engine
    /// forget them too.
    pub(super) fn evict(&mut self, quotas: &Quotas, usage: &mut Usage) -> Option<(u16, u16)> {
        let current = self.reliable.delivered();
        let mut budget = Budget { quotas, usage, waiting: &mut self.waiting };
        let number = self.unreliable.evict(current, &mut budget)?;
        Some((current as u16, number))
    }

    #[cfg(test)]
    pub(super) const fn halves(&self) -> (&Reliable, &Unreliable) {
        (&self.reliable, &self.unreliable)
    }
}
