//! The network thread's loop.

use std::sync::Arc;
use std::time::Duration;

use nme_core::{Command, Endpoint, Report};
use nme_udp::UdpSocket;

use super::handover::{Found, Handover, LONGEST_WAIT, Order};
use crate::clock::Monotonic;
use crate::connection::Traffic;
use crate::driver::Driver;

/// An endpoint with its socket.
pub(crate) type NetworkDriver = Driver<UdpSocket, Monotonic, Endpoint>;

/// What the network thread has.
pub(super) struct Network {
    driver: NetworkDriver,
    handover: Arc<Handover>,
    orders: Vec<Order>,
    reports: Vec<Report>,
    /// While the game sends, its orders are looked for often, so that it need not wake this thread for the first one.
    watches_until: Duration,
}

impl Network {
    pub(super) fn new(driver: NetworkDriver, handover: Arc<Handover>) -> Self {
        Self { driver, handover, orders: Vec::new(), reports: Vec::new(), watches_until: Duration::ZERO }
    }

    /// Works until it is told to stop. What is left has to be closed.
    pub(super) fn run(mut self) -> NetworkDriver {
        loop {
            let now = self.driver.now();
            let watches = now < self.watches_until;
            let found = self.handover.take_orders(now, watches, &mut self.orders);
            match found {
                Found::Stop => return self.driver,
                Found::Orders => {
                    self.watches_until = now + WATCH;
                    self.execute_orders();
                }
                Found::OrdersUntil(_) | Found::Nothing => {}
            }
            if self.handover.is_stalled(now) {
                // The peers of a game that hangs are to find out, as they would without this thread.
                std::thread::sleep(STALLED_PAUSE);
                continue;
            }
            self.work();
            self.sleep(found, watches);
        }
    }

    fn execute_orders(&mut self) {
        for order in self.orders.drain(..) {
            match order {
                Order::Command(command) => self.driver.node_mut().execute(command),
                Order::Flush => self.driver.flush(),
            }
        }
    }

    /// Reads what has come, lets time work, sends what is due, and reports.
    fn work(&mut self) {
        self.driver.begin_poll();
        while let Some(report) = self.driver.next_event() {
            self.reports.push(report);
        }
        self.driver.end_poll();
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

    fn sleep(&mut self, found: Found, watches: bool) {
        let now = self.driver.now();
        let mut until = self.driver.poll_timeout(now).min(now + LONGEST_SLEEP);
        if watches {
            until = until.min(now + LONGEST_WAIT);
        }
        if let Found::OrdersUntil(time) = found {
            until = until.min(time);
        }
        if until > now {
            self.driver.socket_mut().wait(until - now);
        }
    }
}

/// For how long orders are looked for often after the last ones: longer than the pause between two frames of any game that is
/// not blocked.
const WATCH: Duration = Duration::from_secs(1);

/// If a wake-up gets lost, that is no more than a hiccup.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Between two looks at a game that hangs.
const STALLED_PAUSE: Duration = Duration::from_millis(10);
