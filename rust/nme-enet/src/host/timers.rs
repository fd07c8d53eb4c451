//! When something is to be done for a peer, without a look at the others.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::event::PeerHandle;
use crate::peer::Peer;

/// One timer for each peer. A timer that is put off stays where it is and is looked at too early: acknowledgements put
/// timers off all the time.
#[derive(Debug)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(u64, PeerHandle)>>,
}

impl Timers {
    pub(super) const fn new() -> Self {
        Self { heap: BinaryHeap::new() }
    }

    /// Sets a peer's timer to its deadline.
    pub(super) fn set(&mut self, peer: &mut Peer) {
        self.set_behind(peer, 0);
    }

    /// The same, but later than now: a timer that has just been served does not come back at once.
    pub(super) fn set_behind(&mut self, peer: &mut Peer, now: u64) {
        let deadline = peer.deadline().max(now + 1);
        if deadline < peer.timer {
            peer.timer = deadline;
            if self.heap.len() == self.heap.capacity() {
                // Slower than by doubling: this is what connected clients cost.
                self.heap.reserve_exact(self.heap.len() / 4 + 16);
            }
            self.heap.push(Reverse((deadline, peer.handle)));
        }
    }

    /// When the first timer is, in µs of the host's clock.
    pub(super) fn next(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse((time, _))| *time)
    }

    /// The next timer that is due, and its time; it is unset with that, unless the peer's timer is another one.
    pub(super) fn pop(&mut self, now: u64) -> Option<(u64, PeerHandle)> {
        self.heap.peek().filter(|Reverse((time, _))| *time <= now)?;
        self.heap.pop().map(|Reverse(timer)| timer)
    }
}
