//! The property `performance_monitors`: figures of a connection among the monitors of `Performance`.
//!
//! The engine asks for them once a second while the editor debugs the game, and scripts ask when they like. Nothing is
//! worked out before somebody asks.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use godot::classes::{Performance, Time};
use godot::init::is_main_thread;
use godot::obj::Singleton;
use godot::prelude::*;

use crate::figures::{Figures, Totals};
use crate::shared::{Shared, State};

/// What the monitors of a connection are called, behind the category, and which figure each of them is.
const MONITORS: [(&str, fn(&Reading) -> f64); 8] = [
    ("peers", |reading| reading.peers),
    ("round_trip_msec", |reading| reading.round_trip_msec),
    ("loss_out_percent", |reading| reading.loss_out_percent),
    ("loss_in_percent", |reading| reading.loss_in_percent),
    ("wire_bytes_sent_per_second", |reading| reading.wire_bytes_sent),
    ("wire_bytes_received_per_second", |reading| reading.wire_bytes_received),
    ("resends_per_second", |reading| reading.resends),
    ("dropped_datagrams_per_second", |reading| reading.dropped_datagrams),
];

/// A reading is taken for the present one for so long, in ms: the monitors are asked for one after the other, and rates need a
/// while to be measured.
const READING_AGE_MS: u64 = 500;

/// The monitors of an open connection. They go with this.
pub(crate) struct Monitors {
    category: String,
}

impl Shared {
    pub(crate) fn set_performance_monitors(self: &Arc<Self>, value: bool) {
        let mut state = self.lock();
        state.settings.performance_monitors = value;
        let monitors = if value { None } else { state.monitors.take() };
        drop(state);
        drop(monitors);
        self.add_monitors();
    }

    /// Adds the monitors, if the game wants them, and there is a connection.
    pub(crate) fn add_monitors(self: &Arc<Self>) {
        if self.lock().misses_monitors() {
            let shared = Arc::clone(self);
            on_main_thread(move || shared.add_monitors_now());
        }
    }

    /// At the library's end.
    pub(crate) fn remove_monitors(&self) {
        let monitors = self.lock().monitors.take();
        drop(monitors);
    }

    /// On the main thread, which alone adds and removes: so a name that is free stays so.
    fn add_monitors_now(self: &Arc<Self>) {
        if !self.lock().misses_monitors() {
            return;
        }
        let monitors = Monitors::new(self);
        let mut state = self.lock();
        // Another thread may have closed the connection; then the monitors go at once.
        let monitors =
            if state.misses_monitors() { state.monitors.replace(monitors) } else { Some(monitors) };
        drop(state);
        drop(monitors);
    }
}

impl State {
    const fn misses_monitors(&self) -> bool {
        self.settings.performance_monitors && self.connection.is_some() && self.monitors.is_none()
    }
}

impl Monitors {
    fn new(shared: &Arc<Shared>) -> Self {
        let mut performance = Performance::singleton();
        let mut category = CATEGORY.to_owned();
        let mut number = 1;
        while performance.has_custom_monitor(&id(&category, MONITORS[0].0)) {
            number += 1;
            category = format!("{CATEGORY} {number}");
        }
        let meter = Arc::new(Mutex::new(Meter::default()));
        for (name, figure) in MONITORS {
            let (shared, meter) = (Arc::downgrade(shared), Arc::clone(&meter));
            let read = move |_: &[&Variant]| figure(&read(&shared, &meter));
            let callable = Callable::from_sync_fn("NetworkedMultiplayerENet.monitor", read);
            performance.add_custom_monitor(&id(&category, name), &callable);
        }
        Self { category }
    }
}

impl Drop for Monitors {
    fn drop(&mut self) {
        let category = std::mem::take(&mut self.category);
        on_main_thread(move || {
            let mut performance = Performance::singleton();
            for (name, _) in MONITORS {
                performance.remove_custom_monitor(&id(&category, name));
            }
        });
    }
}

fn id(category: &str, name: &str) -> StringName {
    StringName::from(&format!("{category}/{name}"))
}

/// Does something now, or at the end of the frame when this is another thread.
fn on_main_thread(what: impl FnOnce() + Send + Sync + 'static) {
    if is_main_thread() {
        return what();
    }
    let mut what = Some(what);
    Callable::from_sync_fn("NetworkedMultiplayerENet.monitors", move |_| {
        if let Some(what) = what.take() {
            what();
        }
    })
    .call_deferred(&[]);
}

/// What the monitors show.
#[derive(Clone, Copy, Default)]
struct Reading {
    peers: f64,
    /// The mean over the peers, as the two that follow.
    round_trip_msec: f64,
    loss_out_percent: f64,
    loss_in_percent: f64,
    /// In a second, as what follows.
    wire_bytes_sent: f64,
    wire_bytes_received: f64,
    resends: f64,
    dropped_datagrams: f64,
}

/// Keeps the last reading, and what the next one is compared with.
#[derive(Default)]
struct Meter {
    last: Option<(u64, Totals)>,
    reading: Reading,
}

impl Meter {
    fn is_due(&self, now_ms: u64) -> bool {
        self.last.is_none_or(|(before_ms, _)| now_ms >= before_ms + READING_AGE_MS)
    }

    fn update(&mut self, now_ms: u64, figures: &Figures) {
        let totals = figures.totals;
        let (before_ms, before) = self.last.replace((now_ms, totals)).unwrap_or((now_ms, totals));
        let seconds = (now_ms - before_ms) as f64 / 1000.0;
        let rate = |count: fn(&Totals) -> u64| {
            let more = count(&totals).saturating_sub(count(&before));
            if seconds > 0.0 { more as f64 / seconds } else { 0.0 }
        };
        self.reading = Reading {
            peers: figures.peer_count as f64,
            round_trip_msec: figures.mean(|peer| peer.round_trip),
            loss_out_percent: 100.0 * figures.mean(|peer| peer.loss_out),
            loss_in_percent: 100.0 * figures.mean(|peer| peer.loss_in),
            wire_bytes_sent: rate(|totals| totals.wire_bytes_sent),
            wire_bytes_received: rate(|totals| totals.wire_bytes_received),
            resends: rate(|totals| totals.resends),
            dropped_datagrams: rate(|totals| totals.dropped_datagrams),
        };
    }
}

fn read(shared: &Weak<Shared>, meter: &Mutex<Meter>) -> Reading {
    let now_ms = Time::singleton().get_ticks_msec();
    let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
    if meter.is_due(now_ms)
        && let Some(shared) = shared.upgrade()
        && let Some(figures) = shared.with_connection(Figures::of)
    {
        meter.update(now_ms, &figures);
    }
    meter.reading
}

/// Of the first connection; others have a number behind it.
const CATEGORY: &str = "ENet";
