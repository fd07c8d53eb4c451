//! Our ENet engine beside rusty_enet, without sockets: how fast, how late, how fair, how large.
//!
//! `cargo run --release -p nme-bench --bin engine` prints the tables. `engine fan-out ours` and `engine fan-out judge` run
//! one broadcast only, for `valgrind --tool=callgrind`; `engine memory` shows the memory of a connected client. The last
//! figures are in `reference/engine.txt`.
#![expect(clippy::print_stdout, reason = "this program prints tables")]

mod bottleneck;
mod broadcast;
mod bulk;
mod latency;
mod sharing;

use std::alloc::System;

use nme_testing::engines::Kind;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Names of the engines in the tables.
const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Ours => "ours",
        Kind::Judge => "rusty_enet",
    }
}

const BOTH: [Kind; 2] = [Kind::Ours, Kind::Judge];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["fan-out", "judge"] => broadcast::run_once(Kind::Judge),
        ["fan-out", ..] => broadcast::run_once(Kind::Ours),
        ["memory"] => broadcast::print_memory(),
        ["bulk"] => bulk::print(),
        ["latency"] => latency::print(),
        ["sharing"] => sharing::print(),
        _ => {
            bulk::print();
            latency::print();
            sharing::print();
            broadcast::print();
            broadcast::print_memory();
        }
    }
}
