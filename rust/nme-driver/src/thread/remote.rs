//! The game's end of the handover.

use std::sync::Arc;
use std::time::Duration;

use nme_core::statistics::PeerStatistics;
use nme_core::{Command, Credit, Link, Packet, PacketPool, PeerHandle, Report, ReportQueue};
use nme_udp::{Resolution, Waker};

use super::handover::{Handover, Order};
use crate::clock::{Clock, Monotonic};
use crate::simulator::SimulationChange;
use crate::statistics::Snapshot;

/// The way to an endpoint in another thread.
pub(crate) struct Remote {
    handover: Arc<Handover>,
    waker: Waker,
    clock: Monotonic,
    packets: PacketPool,
    /// What this poll works off.
    reports: ReportQueue,
    /// Credit that was not handed over yet: most packets are fetched in a row.
    credit: Option<Credit>,
    /// The last answer to a question about the connections, and when there was one.
    snapshot: Box<Snapshot>,
    asked_at: Option<Duration>,
}

impl Remote {
    pub(super) fn new(handover: Arc<Handover>, waker: Waker, clock: Monotonic) -> Self {
        Self {
            handover,
            waker,
            clock,
            packets: PacketPool::new(),
            reports: ReportQueue::new(),
            credit: None,
            snapshot: Box::default(),
            asked_at: None,
        }
    }

    pub(crate) fn handover(&self) -> &Handover {
        &self.handover
    }

    pub(crate) fn now(&mut self) -> Duration {
        self.clock.now()
    }

    /// How the connections are. An answer is good for [`FRESH`], and until the next poll: who has got a packet finds it
    /// counted.
    pub(crate) fn snapshot(&mut self) -> &Snapshot {
        let now = self.clock.now();
        if self.asked_at.is_none_or(|time| now >= time + FRESH) {
            let Self { handover, waker, .. } = self;
            if let Some(answer) = handover.ask(PATIENCE, || waker.wake()) {
                self.snapshot = answer;
            }
            self.asked_at = Some(self.clock.now());
        }
        &self.snapshot
    }

    /// How the connection with a peer is; `None` when it has just ended.
    pub(crate) fn peer_statistics(&mut self, peer: PeerHandle) -> Option<PeerStatistics> {
        if self.snapshot().peer(peer).is_none() {
            // It has come since the last answer.
            self.asked_at = None;
        }
        self.snapshot().peer(peer).cloned()
    }

    /// Takes what has happened since the last poll.
    pub(crate) fn begin_poll(&mut self) {
        self.hand_over_credit();
        self.asked_at = None;
        let now = self.clock.now();
        self.handover.take_reports(now, &mut self.reports);
    }

    /// What was ordered leaves now.
    pub(crate) fn flush(&mut self) {
        self.hand_over_credit();
        if self.handover.hurry() {
            self.waker.wake();
        }
    }

    /// What was ordered leaves now, and shares no datagram with what comes.
    pub(crate) fn flush_apart(&mut self) {
        self.order(Order::Flush, true);
    }

    /// Client: the server is to be looked for.
    pub(crate) fn look_up(&mut self, resolution: Resolution, port: u16) {
        self.order(Order::LookUp(Box::new(resolution), port), true);
    }

    /// Makes the network worse, or good again, for what was not ordered yet.
    pub(crate) fn simulate(&mut self, change: SimulationChange) {
        self.order(Order::Simulate(Box::new(change)), true);
    }

    fn hand_over_credit(&mut self) {
        if let Some(credit) = self.credit.take() {
            self.order(Order::Command(Command::Credit(credit)), false);
        }
    }

    fn order(&mut self, order: Order, is_urgent: bool) {
        let clock = &mut self.clock;
        if self.handover.order(order, is_urgent, || clock.now()) {
            self.waker.wake();
        }
    }
}

impl Link for Remote {
    const IS_DIRECT: bool = false;

    fn execute(&mut self, command: Command) {
        let may_wait = matches!(
            command,
            Command::Send { .. }
                | Command::SendToSeveral { .. }
                | Command::NoteDropped(_)
                | Command::AskFigures(_)
        );
        self.order(Order::Command(command), !may_wait);
    }

    fn credit(&mut self, credit: Credit) {
        if !self.credit.as_mut().is_some_and(|before| before.merge(&credit)) {
            self.hand_over_credit();
            self.credit = Some(credit);
        }
    }

    fn replace(&mut self, count: usize, command: Command) {
        self.handover.replace(count, Order::Command(command));
    }

    fn next_report(&mut self) -> Option<Report> {
        self.reports.pop()
    }

    fn packet(&mut self, parts: &[&[u8]]) -> Packet {
        self.packets.packet(parts)
    }
}

/// How long an answer about the connections is taken for the newest: who asks about many peers asks within this time, and the
/// network thread has to be woken once.
const FRESH: Duration = Duration::from_millis(5);

/// How long the game waits for such an answer. A thread that is busier leaves it with the last one.
const PATIENCE: Duration = Duration::from_millis(20);
