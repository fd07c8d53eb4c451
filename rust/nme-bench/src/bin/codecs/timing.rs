//! How long a call takes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use stats_alloc::Region;

use crate::ALLOCATOR;
use crate::reference::{Call, Way};

/// Cost and result of one way on one kind of datagrams.
#[derive(Clone)]
pub(crate) struct Measured {
    /// Microseconds to compress a datagram.
    pub(crate) compress: f64,
    /// Microseconds to expand a datagram.
    pub(crate) decompress: f64,
    /// Bytes compressed / plain, of all datagrams together.
    pub(crate) ratio: f64,
    /// How often a datagram makes Rust code allocate, there and back. `None` where that is not known.
    pub(crate) allocations: Option<f64>,
}

/// Lets all ways compress and expand all datagrams, in turns, so that all of them get the good moments. Of every few
/// datagrams the best round counts: a whole round without an interruption is rare on a machine that others use.
///
/// # Panics
/// When other bytes come back.
pub(crate) fn race(ways: &mut [Way], datagrams: &[Vec<u8>]) -> Vec<Measured> {
    let mut runners: Vec<Runner<'_>> = ways.iter_mut().map(|way| Runner::new(way, datagrams)).collect();
    let start = Instant::now();
    while start.elapsed() < RACE {
        for runner in &mut runners {
            runner.round(datagrams);
        }
    }
    runners.into_iter().map(|runner| runner.measured(datagrams.len())).collect()
}

struct Runner<'a> {
    way: &'a mut Way,
    compressed: Vec<Vec<u8>>,
    ratio: f64,
    allocations: f64,
    compress: Best,
    decompress: Best,
}

impl<'a> Runner<'a> {
    fn new(way: &'a mut Way, datagrams: &[Vec<u8>]) -> Self {
        let mut compressed = Vec::with_capacity(datagrams.len());
        let (mut out, mut again) = ([0; ROOM], [0; ROOM]);
        for plain in datagrams {
            let len = (way.compress)(plain, &mut out);
            compressed.push(out[..len].to_vec());
            let len = (way.decompress)(&out[..len], &mut again);
            assert!(again[..len] == **plain, "other bytes came back");
        }
        let region = Region::new(ALLOCATOR);
        for (plain, packed) in datagrams.iter().zip(&compressed) {
            (way.compress)(plain, &mut out);
            (way.decompress)(packed, &mut again);
        }
        let change = region.change();
        let sum = |all: &[Vec<u8>]| all.iter().map(Vec::len).sum::<usize>() as f64;
        Self {
            ratio: sum(&compressed) / sum(datagrams),
            allocations: (change.allocations + change.reallocations) as f64 / datagrams.len() as f64,
            way,
            compressed,
            compress: Best::default(),
            decompress: Best::default(),
        }
    }

    fn round(&mut self, datagrams: &[Vec<u8>]) {
        self.compress.round(&mut self.way.compress, datagrams);
        self.decompress.round(&mut self.way.decompress, &self.compressed);
    }

    fn measured(&self, count: usize) -> Measured {
        Measured {
            compress: self.compress.micros(count),
            decompress: self.decompress.micros(count),
            ratio: self.ratio,
            allocations: Some(self.allocations),
        }
    }
}

/// The shortest time that each few inputs have taken.
#[derive(Default)]
struct Best(Vec<Duration>);

impl Best {
    fn round(&mut self, call: &mut Call, inputs: &[Vec<u8>]) {
        let mut out = [0; ROOM];
        let few = inputs.chunks(FEW);
        self.0.resize(few.len(), Duration::MAX);
        for (few, best) in few.zip(&mut self.0) {
            let start = Instant::now();
            for input in few {
                black_box(call(input, black_box(&mut out)));
            }
            *best = start.elapsed().min(*best);
        }
    }

    /// Of one input.
    fn micros(&self, count: usize) -> f64 {
        self.0.iter().sum::<Duration>().as_secs_f64() * 1e6 / count as f64
    }
}

/// Microseconds of one call: the best of several rounds.
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

/// How long all ways together have for one kind of datagrams.
const RACE: Duration = Duration::from_millis(2500);

/// Datagrams between two looks at the clock, which takes some 0.05 µs.
const FEW: usize = 8;

/// Longer than any form of the datagrams.
const ROOM: usize = 4096;
