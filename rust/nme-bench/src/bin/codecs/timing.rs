//! How long a call takes.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Microseconds of one call: the best of several rounds, as others use this machine too.
pub(crate) fn micros<T>(mut call: impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    let mut calls = 0_u32;
    while start.elapsed() < WARM_UP {
        black_box(call());
        calls += 1;
    }
    let calls = calls.max(1);
    (0..ROUNDS).map(|_| round(&mut call, calls)).fold(f64::MAX, f64::min)
}

/// Microseconds of one call, from few of them: for a search.
pub(crate) fn quick_micros<T>(mut call: impl FnMut() -> T) -> f64 {
    (0..4).map(|_| round(&mut call, 1)).fold(f64::MAX, f64::min)
}

fn round<T>(call: &mut impl FnMut() -> T, calls: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        black_box(call());
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
}

const WARM_UP: Duration = Duration::from_millis(15);
const ROUNDS: usize = 12;
