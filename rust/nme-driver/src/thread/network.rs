//! The network thread's loop.

use std::sync::Arc;
use std::time::Duration;

use nme_core::channel::Transfer;
use nme_core::{Command, Endpoint, Packet, PeerHandle, Report};
use nme_udp::UdpSocket;

use super::handover::{Found, Handover, Order};
use crate::clock::Monotonic;
use crate::connection::Traffic;
use crate::driver::Driver;
use crate::statistics::Snapshot;

/// An endpoint with its socket.
pub(crate) type NetworkDriver = Driver<UdpSocket, Monotonic, Endpoint>;

/// What the network thread has.
pub(super) struct Network {
    driver: NetworkDriver,
    handover: Arc<Handover>,
    orders: Vec<Order>,
    /// Packets in a row for the same peers.
    packets: Vec<(Transfer, Packet)>,
    reports: Vec<Report>,
    /// When everything that waited has left last.
    flushed_at: Duration,
    /// Something may wait for a flush.
    waits: bool,
}

impl Network {
    pub(super) fn new(driver: NetworkDriver, handover: Arc<Handover>) -> Self {
        Self {
            driver,
            handover,
            orders: Vec::new(),
            packets: Vec::new(),
            reports: Vec::new(),
            flushed_at: Duration::ZERO,
            waits: false,
        }
    }

    /// Works until it is told to stop. What is left has to be closed.
    pub(super) fn run(mut self) -> NetworkDriver {
        loop {
            let now = self.driver.now();
            let found = self.handover.take_orders(now, &mut self.orders);
            match found {
                Found::Stop => {
                    self.execute_orders();
                    return self.driver;
                }
                Found::Orders => self.execute_orders(),
                Found::OrdersUntil(_) | Found::Nothing => {}
            }
            if self.handover.is_stalled(now) {
                // The peers of a game that hangs are to find out, as they would without this thread.
                std::thread::sleep(STALLED_PAUSE);
                continue;
            }
            self.work(found == Found::Orders);
            if self.handover.takes_question() {
                self.handover.answer(Snapshot::of(&mut self.driver));
            }
            self.sleep(found);
        }
    }

    fn execute_orders(&mut self) {
        let Self { driver, orders, packets, .. } = self;
        let mut orders = orders.drain(..).peekable();
        while let Some(order) = orders.next() {
            match order {
                Order::Command(Command::SendToSeveral { peers, except, transfer, packet }) => {
                    packets.push((transfer, packet));
                    while let Some(Order::Command(Command::SendToSeveral { transfer, packet, .. })) =
                        orders.next_if(|order| goes_to(order, &peers, except))
                    {
                        packets.push((transfer, packet));
                    }
                    driver.node_mut().send_to_several(&peers, except, packets);
                    packets.clear();
                }
                Order::Command(command) => driver.node_mut().execute(command),
                // What fails at once has failed when the client was opened.
                Order::LookUp(resolution, port) => drop(driver.look_up(*resolution, port)),
                Order::Flush => driver.flush(),
                Order::Simulate(change) => driver.simulate(*change),
            }
        }
    }

    /// Reads what has come, lets time work, sends what is due, and reports.
    ///
    /// What a single datagram causes, such as a packet that is passed on, leaves at once. When one follows the other, what they
    /// cause shares datagrams: there is a flush every [`FLUSH_PAUSE`], or when many have come together.
    fn work(&mut self, has_orders: bool) {
        self.driver.begin_poll();
        while let Some(report) = self.driver.next_event() {
            self.reports.push(report);
        }
        let now = self.driver.now();
        if has_orders
            || now >= self.flushed_at + FLUSH_PAUSE
            || self.driver.datagrams_read() >= MANY_DATAGRAMS
        {
            self.driver.end_poll();
            self.flushed_at = now;
            self.waits = false;
        } else {
            self.driver.pause_poll();
            self.waits = true;
        }
        let traffic = Traffic::of(self.driver.node().counters());
        let Self { driver, handover, reports, .. } = self;
        handover.report(traffic, |queue| {
            for report in reports.drain(..) {
                if let Some(credit) = queue.push(report) {
                    driver.node_mut().execute(Command::Credit(credit));
                }
            }
        });
    }

    fn sleep(&mut self, found: Found) {
        let now = self.driver.now();
        let mut until = self.driver.poll_timeout(now).min(now + LONGEST_SLEEP);
        if self.waits {
            until = until.min(self.flushed_at + FLUSH_PAUSE);
        }
        if let Found::OrdersUntil(time) = found {
            until = until.min(time);
        }
        if until > now {
            self.driver.socket_mut().wait(until - now);
        }
    }
}

/// True for a packet that goes to just these peers.
fn goes_to(order: &Order, peers: &Arc<[PeerHandle]>, except: Option<PeerHandle>) -> bool {
    matches!(
        order,
        Order::Command(Command::SendToSeveral { peers: theirs, except: not_to, .. })
            if Arc::ptr_eq(theirs, peers) && *not_to == except
    )
}

/// Between two flushes: next to nothing for a packet on its way through a server, and long enough for those of a busy server to
/// share datagrams.
const FLUSH_PAUSE: Duration = Duration::from_micros(250);

/// Datagrams in one go of a sender that waits for acknowledgements to send on.
const MANY_DATAGRAMS: u32 = 8;

/// If a wake-up gets lost, that is no more than a hiccup.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Between two looks at a game that hangs.
const STALLED_PAUSE: Duration = Duration::from_millis(10);
