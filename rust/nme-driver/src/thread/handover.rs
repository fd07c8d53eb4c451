//! What the game's thread and the network thread exchange.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nme_core::{Command, ReportQueue};

use crate::connection::Traffic;

/// The place between the two threads. Each lock is held for no longer than it takes to add to a queue or to take it.
#[derive(Default)]
pub(crate) struct Handover {
    to_network: Mutex<ToNetwork>,
    to_game: Mutex<ToGame>,
    /// When the game has polled last, in ms of the clock of both.
    polled_at: AtomicU64,
    /// For how many ms the game may not poll.
    stall_limit: AtomicU64,
    /// The network thread has ended, or never begun.
    has_ended: AtomicBool,
}

/// Something for the network thread to do, in its order.
#[derive(Debug)]
pub(crate) enum Order {
    /// For the endpoint.
    Command(Command),
    /// What was ordered so far leaves, before anything else is queued.
    Flush,
}

/// What the game has left for the network thread.
#[derive(Default)]
struct ToNetwork {
    orders: Vec<Order>,
    /// Since when they wait.
    since: Duration,
    /// They are not to wait any longer.
    is_urgent: bool,
    /// The network thread looks here by itself within [`LONGEST_WAIT`].
    is_watching: bool,
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
    /// The end.
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
        becomes_urgent || (is_first && !to_network.is_watching)
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

    /// Network: takes the orders into `orders`, which is empty, when they have waited for long enough. With `watches`, it will
    /// look again within [`LONGEST_WAIT`].
    pub(crate) fn take_orders(&self, now: Duration, watches: bool, orders: &mut Vec<Order>) -> Found {
        let mut to_network = lock(&self.to_network);
        to_network.is_watching = watches;
        if to_network.stop {
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

    /// Network: what is left, at the end.
    pub(crate) fn take_last_orders(&self) -> Vec<Order> {
        std::mem::take(&mut lock(&self.to_network).orders)
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
pub(crate) const LONGEST_WAIT: Duration = Duration::from_millis(5);

/// Longer than any level takes to load.
pub const MAX_STALL_DEFAULT_MS: u64 = 120_000;
