//! Flow control by the owner: of whom it takes reliable packets, and how many.
//!
//! What is not taken is not acknowledged, so its sender sends it again, and nothing new once its window is full. But a stock
//! sender gives a peer up when one command has been sent again and again for 5 to 10 s without being acknowledged, whatever
//! else is. So there is a trickle: of each channel the next command in order is taken, as far as a stock sender's window goes
//! in [`TRICKLE_TIME`]. As nothing that is behind it is taken before it, everything in the window has its turn in time.
//!
//! A sender with this engine gives nobody up of whom it hears any acknowledgement. So who is refused everything is told from
//! time to time once more that its last packet has arrived.

use crate::event::PeerHandle;
use crate::host::Host;

/// What a host takes of the reliable packets that a peer sends. Unreliable ones are always taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reception {
    /// All of them.
    #[default]
    Open,
    /// So few, 64 KiB in 2.5 s, that the sender just does not give the connection up. What it does not take is sent again.
    Trickle,
    /// None. A sender with stock ENet gives the connection up after 5 to 30 s, one with this engine does not.
    Closed,
}

/// The reception of one peer, with what has been taken of the trickle.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    pub(crate) reception: Reception,
    /// When as much as possible can be taken at once again, in µs of the host's clock.
    full_at: u64,
    /// When something that was refused was answered last.
    answered_at: u64,
}

/// What a reliable command brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Novelty {
    /// Nothing: it has come before, or is thrown away for its number.
    Nothing,
    /// A part of the packet that its channel waits for, or all of it.
    Next,
    /// What has to wait for something else.
    Ahead,
}

impl Gate {
    /// True when it is time to answer what was refused. Counts as answered then.
    pub(crate) const fn answers(&mut self, now: u64) -> bool {
        let is_due = self.answered_at + ANSWER_TIME <= now;
        if is_due {
            self.answered_at = now;
        }
        is_due
    }

    /// True when a command with a payload of this length may be taken at this time, which counts as taken then.
    pub(crate) fn admits(&mut self, now: u64, novelty: Novelty, len: usize) -> bool {
        match (self.reception, novelty) {
            (Reception::Open, _) | (_, Novelty::Nothing) => true,
            (Reception::Closed, _) | (Reception::Trickle, Novelty::Ahead) => false,
            (Reception::Trickle, Novelty::Next) => {
                let full_at = self.full_at.max(now) + len as u64 * TRICKLE_TIME / TRICKLE_BYTES;
                let fits = full_at <= now + TRICKLE_TIME;
                if fits {
                    self.full_at = full_at;
                }
                fits
            }
        }
    }
}

impl Host {
    /// Sets what is taken of the reliable packets that a peer sends from now on.
    pub fn set_reception(&mut self, peer: PeerHandle, reception: Reception) {
        if let Some(peer) = self.peer_mut(peer) {
            peer.gate.get_or_insert_default().reception = reception;
        }
    }
}

/// The largest window of a stock sender.
const TRICKLE_BYTES: u64 = 64 << 10;

/// In µs. A stock sender that waits twice as long before each repetition sends a command between 2.5 and 5 s after the first
/// time, and once more between 5 and 10 s after it, before it gives up.
const TRICKLE_TIME: u64 = 2_500_000;

/// Between two answers to what was refused, in µs.
const ANSWER_TIME: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn taken(gate: &mut Gate, now: u64) -> usize {
        (0..1000).filter(|_| gate.admits(now, Novelty::Next, 1024)).count()
    }

    #[test]
    fn a_trickle_is_a_window_in_2500_ms() {
        let mut gate = Gate { reception: Reception::Trickle, ..Gate::default() };
        assert_eq!(taken(&mut gate, SECOND), 64);
        assert_eq!(taken(&mut gate, SECOND + TRICKLE_TIME / 4), 16);
        assert_eq!(taken(&mut gate, 60 * SECOND), 64);
        assert!(!gate.admits(120 * SECOND, Novelty::Ahead, 1));
    }

    #[test]
    fn what_has_come_before_is_always_taken() {
        for reception in [Reception::Open, Reception::Trickle, Reception::Closed] {
            let mut gate = Gate { reception, ..Gate::default() };
            assert!((0..1000).all(|_| gate.admits(SECOND, Novelty::Nothing, 1024)));
            assert_eq!(gate.admits(SECOND, Novelty::Next, 1024), reception != Reception::Closed);
        }
    }
}
