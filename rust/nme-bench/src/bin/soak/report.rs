//! The lines that a process prints.

use std::alloc::System;
use std::fs;
use std::time::Duration;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Prints one line.
pub(crate) fn tell(event: &str, since_start: Duration, late_ticks: u64, inside: &str) {
    let seconds = since_start.as_secs_f64();
    println!(
        r#"{{"event":"{event}","seconds":{seconds:.1},"late_ticks":{late_ticks},"rss_kib":{},"live_kib":{},"descriptors":{},{inside}}}"#,
        resident_kib(),
        live_kib(),
        descriptors()
    );
}

/// Memory of this process that is in use, in KiB; 0 where the system does not tell it.
fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// What this process has asked for and not given back, in KiB. Unlike the memory in use it does not depend on how the
/// allocator fills its pages.
fn live_kib() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated) / 1024
}

/// Open files and sockets; 0 where the system does not tell them.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
