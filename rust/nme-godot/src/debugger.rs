//! The game's end of the editor's tab "ENet": a profiler of the engine's debugger, which the tab switches on while somebody looks
//! at it. Then a sample of every connection goes to the editor once a second. The other end is `editor` in the addon.

use godot::classes::{EngineDebugger, IEngineProfiler, Time};
use godot::obj::Singleton;
use godot::prelude::*;
use nme_core::session::Status;

use crate::figures::{Figures, PeerFigures};
use crate::open_peers;
use crate::shared::Shared;
use crate::statistics::number as count;

/// The profiler's name, which the editor switches it on by, and what its messages begin with.
const NAME: &str = "networked_multiplayer_enet";
const SAMPLE_INTERVAL_MS: u64 = 1000;

/// Lets the editor ask for samples, in a game that runs under its debugger.
pub(crate) fn register() {
    let mut debugger = EngineDebugger::singleton();
    if debugger.is_active() {
        debugger.register_profiler(NAME, &Sampler::new_gd());
    }
}

/// The library's code may be gone in a moment.
pub(crate) fn unregister() {
    let mut debugger = EngineDebugger::singleton();
    if debugger.has_profiler(NAME) {
        debugger.unregister_profiler(NAME);
    }
}

/// Sends samples while it is switched on. The engine calls it on the main thread.
#[derive(GodotClass)]
#[class(internal, init, base=EngineProfiler)]
struct Sampler {
    /// On the engine's clock.
    next_ms: u64,
}

#[godot_api]
impl IEngineProfiler for Sampler {
    fn toggle(&mut self, _is_on: bool, _options: VarArray) {
        self.next_ms = 0;
    }

    /// Comes in every frame while the profiler is on.
    fn tick(&mut self, _frame: f64, _process: f64, _physics: f64, _physics_frame: f64) {
        let now_ms = Time::singleton().get_ticks_msec();
        if now_ms < self.next_ms {
            return;
        }
        self.next_ms = now_ms + SAMPLE_INTERVAL_MS;
        let connections: Array<VarDictionary> =
            open_peers::all().iter().filter_map(|(number, peer)| sample(*number, peer)).collect();
        EngineDebugger::singleton()
            .send_message(&format!("{NAME}:sample"), &varray![now_ms as i64, &connections]);
    }
}

/// What the tab gets of a connection; `None` if it is closed.
fn sample(number: i64, peer: &Shared) -> Option<VarDictionary> {
    let (figures, is_server, status, id) = peer.with_connection(|connection| {
        (Figures::of(connection), connection.is_server(), connection.status(), connection.id().get())
    })?;
    let Figures { totals, .. } = &figures;
    let queued_bytes = figures.peers.iter().map(|peer| peer.queued_bytes).sum();
    let peers: Array<VarDictionary> = figures.peers.iter().map(of_peer).collect();
    let mut sample = vdict! {
        "number" => number,
        "is_server" => is_server,
        "is_connected" => status == Status::Connected,
        "id" => id,
        "peer_count" => figures.peer_count as i64,
        "peers" => &peers,
        "dropped_datagrams" => count(totals.dropped_datagrams),
        "round_trip_msec" => figures.mean(|peer| peer.round_trip),
        "jitter_msec" => figures.mean(|peer| peer.jitter),
        "loss_out" => figures.mean(|peer| peer.loss_out),
        "loss_in" => figures.mean(|peer| peer.loss_in),
    };
    sample.set("queued_bytes", count(queued_bytes));
    sample.set("wire_bytes_sent", count(totals.wire_bytes_sent));
    sample.set("wire_bytes_received", count(totals.wire_bytes_received));
    sample.set("resends", count(totals.resends));
    Some(sample)
}

fn of_peer(peer: &PeerFigures) -> VarDictionary {
    vdict! {
        "id" => peer.id,
        "address" => peer.address.to_string(),
        "round_trip_msec" => peer.round_trip,
        "jitter_msec" => peer.jitter,
        "loss_out" => peer.loss_out,
        "loss_in" => peer.loss_in,
        "queued_bytes" => count(peer.queued_bytes),
        "wire_bytes_sent" => count(peer.wire_bytes_sent),
        "wire_bytes_received" => count(peer.wire_bytes_received),
        "resends" => count(peer.resends),
    }
}
