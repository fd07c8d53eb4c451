//! What the game's thread and the network thread exchange.

use std::sync::PoisonError;
#[cfg(not(feature = "shuttle"))]
use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
use std::time::Duration;

use nme_core::{Command, ReportQueue};
use nme_udp::Resolution;
#[cfg(feature = "shuttle")]
use shuttle::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::connection::Traffic;
use crate::simulator::SimulationChange;
use crate::statistics::Snapshot;

/// The place between the two threads. Each lock is held for no longer than it takes to add to a queue or to take it.
#[derive(Default)]
pub(crate) struct Handover {
    to_network: Mutex<ToNetwork>,
    to_game: Mutex<ToGame>,
    /// When the game has polled last, in ms of the clock of both.
    polled_at: AtomicU64,
    /// For how many ms the game may not poll.
    stall_limit: AtomicU64,
    /// The game wants to know how the connections are.
    is_asked: AtomicBool,
    /// The answer to that.
    answer: Mutex<Option<Box<Snapshot>>>,
    has_answered: Condvar,
    /// The network thread has ended, or never begun.
    has_ended: AtomicBool,
}

/// Something for the network thread to do, in its order.
#[derive(Debug)]
pub(crate) enum Order {
    /// For the endpoint.
    Command(Command),
    /// Client: look for the server, which has this port, and connect to it.
    LookUp(Box<Resolution>, u16),
    /// What was ordered so far leaves, before anything else is queued.
    Flush,
    /// For the driver's simulator.
    Simulate(Box<SimulationChange>),
}

/// What the game has left for the network thread.
#[derive(Default)]
struct ToNetwork {
    orders: Vec<Order>,
    /// Since when they wait.
    since: Duration,
    /// They are not to wait any longer.
    is_urgent: bool,
    stop: bool,
}

/// What the network thread has left for the game.
#[derive(Default)]
struct ToGame {
    reports: ReportQueue,
    traffic: Traffic,
}

/// What the network thread finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Orders, now taken.
    Orders,
    /// Orders that may wait for more until this time.
    OrdersUntil(Duration),
    /// Nothing.
    Nothing,
    /// The end, with the last orders, now taken.
    Stop,
}

impl Handover {
    /// Game: leaves an order. True when the network thread has to be woken for it.
    pub(crate) fn order(&self, order: Order, is_urgent: bool, now: impl FnOnce() -> Duration) -> bool {
        let mut to_network = lock(&self.to_network);
        let is_first = to_network.orders.is_empty();
        if is_first {
            to_network.since = now();
        }
        to_network.orders.push(order);
        let becomes_urgent = is_urgent && !to_network.is_urgent;
        to_network.is_urgent |= is_urgent;
        is_first || becomes_urgent
    }

    /// Game: leaves a packet in the place of the last ones, if the network thread has not taken one of them.
    pub(crate) fn replace(&self, count: usize, order: Order) {
        let mut to_network = lock(&self.to_network);
        let is_packet = |order: &Order| matches!(order, Order::Command(Command::Send { .. }));
        let Some(first) = to_network.orders.len().checked_sub(count) else { return };
        if to_network.orders[first..].iter().all(is_packet) {
            to_network.orders.truncate(first);
            to_network.orders.push(order);
        }
    }

    /// Game: what was ordered waits no longer. True when the network thread has to be woken.
    pub(crate) fn hurry(&self) -> bool {
        let mut to_network = lock(&self.to_network);
        let is_news = !to_network.orders.is_empty() && !to_network.is_urgent;
        to_network.is_urgent |= is_news;
        is_news
    }

    /// Game: takes all reports. `reports` is empty, and its memory is of use.
    pub(crate) fn take_reports(&self, now: Duration, reports: &mut ReportQueue) {
        self.polled_at.store(now.as_millis() as u64, Ordering::Relaxed);
        reports.clear();
        std::mem::swap(&mut lock(&self.to_game).reports, reports);
    }

    pub(crate) fn traffic(&self) -> Traffic {
        lock(&self.to_game).traffic
    }

    /// Game: how the connections are, with all that was ordered before. `None` when the network thread does not answer within
    /// `patience`. `wake` has to wake it.
    pub(crate) fn ask(&self, patience: Duration, wake: impl FnOnce()) -> Option<Box<Snapshot>> {
        let mut answer = lock(&self.answer);
        *answer = None;
        self.is_asked.store(true, Ordering::Release);
        self.hurry();
        wake();
        let waits = |answer: &mut Option<Box<Snapshot>>| answer.is_none() && !self.has_ended();
        answer = match self.has_answered.wait_timeout_while(answer, patience, waits) {
            Ok((answer, _)) => answer,
            Err(poisoned) => poisoned.into_inner().0,
        };
        answer.take()
    }

    /// Network: true when the game has asked, once.
    pub(crate) fn takes_question(&self) -> bool {
        self.is_asked.swap(false, Ordering::AcqRel)
    }

    /// Network: how the connections are.
    pub(crate) fn answer(&self, snapshot: Snapshot) {
        *lock(&self.answer) = Some(Box::new(snapshot));
        self.has_answered.notify_one();
    }

    /// Game: how long it may not poll before the network thread stops, too.
    pub(crate) fn set_stall_limit(&self, limit: StallLimit) {
        self.stall_limit.store(limit.0, Ordering::Relaxed);
    }

    /// Game: the network thread is to end.
    pub(crate) fn stop(&self) {
        lock(&self.to_network).stop = true;
    }

    /// The network thread has ended.
    pub(crate) fn note_end(&self) {
        self.has_ended.store(true, Ordering::Release);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Network: takes the orders into `orders`, which is empty, when they have waited for long enough, and at the end.
    pub(crate) fn take_orders(&self, now: Duration, orders: &mut Vec<Order>) -> Found {
        let mut to_network = lock(&self.to_network);
        if to_network.stop {
            std::mem::swap(&mut to_network.orders, orders);
            return Found::Stop;
        }
        if to_network.orders.is_empty() {
            return Found::Nothing;
        }
        let until = to_network.since + LONGEST_WAIT;
        if !to_network.is_urgent && now < until {
            return Found::OrdersUntil(until);
        }
        to_network.is_urgent = false;
        std::mem::swap(&mut to_network.orders, orders);
        Found::Orders
    }

    /// Network: gives the game reports with `give`, and tells it what has gone over the wire.
    pub(crate) fn report(&self, traffic: Traffic, give: impl FnOnce(&mut ReportQueue)) {
        let mut to_game = lock(&self.to_game);
        to_game.traffic = traffic;
        give(&mut to_game.reports);
    }

    /// Network: true when the game has not polled for so long that its peers are to find out.
    pub(crate) fn is_stalled(&self, now: Duration) -> bool {
        let polled_at = self.polled_at.load(Ordering::Relaxed);
        (now.as_millis() as u64).saturating_sub(polled_at) > self.stall_limit.load(Ordering::Relaxed)
    }
}

/// How long a game may not poll before its network thread does nothing any more, either, so that its peers give it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StallLimit(u64);

impl StallLimit {
    /// It may be as long as it likes.
    pub const NONE: Self = Self(u64::MAX);

    /// This many ms; 0 is no limit.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        if millis == 0 { Self::NONE } else { Self(millis) }
    }
}

impl Default for StallLimit {
    fn default() -> Self {
        Self::from_millis(MAX_STALL_DEFAULT_MS)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is done under these locks leaves half of something behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For how long orders wait for the end of the game's frame.
const LONGEST_WAIT: Duration = Duration::from_millis(5);

/// Longer than any level takes to load.
pub const MAX_STALL_DEFAULT_MS: u64 = 120_000;

#[cfg(all(test, feature = "shuttle"))]
mod tests {
    use std::sync::Arc;

    use shuttle::thread;

    use super::*;

    /// What the system's waker does: a wake-up is kept until the one who sleeps has had it.
    #[derive(Default)]
    struct Bell {
        rung: Mutex<bool>,
        sound: Condvar,
    }

    impl Bell {
        fn ring(&self) {
            *self.rung.lock().expect("the bell") = true;
            self.sound.notify_one();
        }

        fn wait(&self) {
            let mut rung = self.rung.lock().expect("the bell");
            while !*rung {
                rung = self.sound.wait(rung).expect("the bell");
            }
            *rung = false;
        }
    }

    /// The network thread: answers how many orders it has executed. It sleeps for ever where the real one would for a second.
    fn network(handover: &Handover, bell: &Bell) -> usize {
        let (mut executed, mut orders) = (0, Vec::new());
        for turn in 0.. {
            // A look takes a ms, and no order waits for longer than five.
            let now = Duration::from_millis(turn);
            match handover.take_orders(now, &mut orders) {
                Found::Stop => return executed + orders.len(),
                Found::Orders => executed += orders.drain(..).count(),
                Found::OrdersUntil(_) => thread::yield_now(),
                Found::Nothing => bell.wait(),
            }
        }
        unreachable!("the turns do not end")
    }

    fn check(game: impl Fn(&Handover, &Bell, &dyn Fn()) + Send + Sync + 'static, orders: usize) {
        let game = Arc::new(game);
        shuttle::check_random(
            move || {
                let (handover, bell) = (Arc::new(Handover::default()), Arc::new(Bell::default()));
                let (theirs, game) = (Arc::clone(&handover), Arc::clone(&game));
                let ears = Arc::clone(&bell);
                let thread = thread::spawn(move || network(&theirs, &ears));
                let order = || {
                    if handover.order(Order::Flush, false, || Duration::ZERO) {
                        bell.ring();
                    }
                };
                game(&handover, &bell, &order);
                handover.stop();
                bell.ring();
                assert_eq!(thread.join().expect("no panic"), orders);
            },
            3000,
        );
    }

    #[test]
    fn no_order_is_lost_or_executed_twice() {
        check(
            |handover, bell, order| {
                for number in 0..6 {
                    order();
                    if number % 2 == 1 && handover.hurry() {
                        bell.ring();
                    }
                }
            },
            6,
        );
    }

    /// The game does not say any more, and does not end: what it has ordered is executed all the same.
    #[test]
    fn what_was_ordered_last_does_not_wait_for_the_game() {
        check(
            |handover, _, order| {
                order();
                order();
                while !lock(&handover.to_network).orders.is_empty() {
                    thread::yield_now();
                }
            },
            2,
        );
    }

    #[test]
    fn reports_are_taken_once_and_in_order() {
        shuttle::check_random(
            || {
                let handover = Arc::new(Handover::default());
                let theirs = Arc::clone(&handover);
                let thread = thread::spawn(move || {
                    for number in 0..5_u16 {
                        let report = nme_core::Report::Connecting(([127, 0, 0, 1], number).into());
                        theirs.report(Traffic::default(), |queue| assert!(queue.push(report).is_none()));
                    }
                });
                let (mut taken, mut reports) = (Vec::new(), ReportQueue::new());
                while taken.len() < 5 {
                    handover.take_reports(Duration::ZERO, &mut reports);
                    while let Some(nme_core::Report::Connecting(address)) = reports.pop() {
                        taken.push(address.port());
                    }
                    thread::yield_now();
                }
                assert_eq!(taken, [0, 1, 2, 3, 4]);
                thread.join().expect("no panic");
            },
            3000,
        );
    }
}
