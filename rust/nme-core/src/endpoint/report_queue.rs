//! Reports on their way to a game in another thread.

use nme_enet::PeerHandle;

use super::{Credit, Report};
use crate::queue::{Queue, Queued};

/// Reports in their order. An unreliable packet that displaces older ones does so here already, if they are still here: a game
/// that does not poll keeps no more waiting than one that does not fetch.
#[derive(Debug)]
pub struct ReportQueue(Queue<Report>);

impl Queued for Report {
    fn droppable_of(&self) -> Option<PeerHandle> {
        match self {
            Self::Received { received, .. } => received.droppable_of(),
            _ => None,
        }
    }
}

impl ReportQueue {
    /// An empty queue.
    #[must_use]
    pub const fn new() -> Self {
        Self(Queue::new())
    }

    /// Adds a report. The credit is for packets that were dropped for it.
    pub fn push(&mut self, mut report: Report) -> Option<Credit> {
        let credit = match &mut report {
            Report::Received { received, displaces } if *displaces > 0 => {
                self.displace(received.via, displaces)
            }
            _ => None,
        };
        self.0.push(report);
        credit
    }

    /// The first report.
    pub fn pop(&mut self) -> Option<Report> {
        self.0.pop()
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// Forgets everything, but keeps the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Drops what is to be displaced. What is not here stays to be displaced elsewhere.
    fn displace(&mut self, via: PeerHandle, displaces: &mut usize) -> Option<Credit> {
        let mut credit = Credit::displaced(via, *displaces);
        while credit.bytes < 0
            && let Some(Report::Received { received, displaces }) = self.0.drop_oldest(via)
        {
            credit.drop(&received);
            credit.merge(&Credit::displaced(via, displaces));
        }
        *displaces = usize::try_from(-credit.bytes).unwrap_or_default();
        // What is left of that is not here, and counted by who finds it.
        credit.merge(&Credit { bytes: *displaces as i64, droppable: *displaces as i64, via, dropped: 0 });
        (credit.dropped > 0).then_some(credit)
    }
}

impl Default for ReportQueue {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use nme_enet::{Packet, Quotas};

    use super::*;
    use crate::channel::Delivery;
    use crate::endpoint::Received;
    use crate::peer::PeerId;

    const COST: usize = 1000;

    fn via() -> PeerHandle {
        PeerHandle::new(4, 0)
    }

    fn report(number: u8, displaces: usize) -> Report {
        let packet = Packet::new(vec![number; COST - Quotas::OVERHEAD]);
        let (from, delivery) = (PeerId::SERVER, Delivery::Unsequenced);
        Report::Received { received: Received { from, via: via(), channel: 1, delivery, packet }, displaces }
    }

    fn left(queue: &mut ReportQueue) -> Vec<(u8, usize)> {
        std::iter::from_fn(|| queue.pop())
            .map(|report| match report {
                Report::Received { received, displaces } => (received.packet[0], displaces),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn what_is_here_makes_room_here() {
        let mut queue = ReportQueue::new();
        (0..5).for_each(|number| assert_eq!(queue.push(report(number, 0)), None));
        let credit = queue.push(report(5, COST + 300)).expect("two are dropped");
        assert_eq!((credit.bytes, credit.dropped), (700, 2));
        assert_eq!(left(&mut queue), [(2, 0), (3, 0), (4, 0), (5, 0)]);
    }

    #[test]
    fn what_is_not_here_is_displaced_by_the_next_one() {
        let mut queue = ReportQueue::new();
        assert_eq!(queue.push(report(0, 2500)), None, "nothing is here");
        // The first one goes, and what it was to displace is now for the second one.
        let credit = queue.push(report(1, 500)).expect("one is dropped");
        assert_eq!((credit.bytes, credit.droppable, credit.dropped), (0, 0, 1));
        assert_eq!(left(&mut queue), [(1, 2000)]);
    }
}
