//! The tables of costs and savings.

use std::io;
use std::path::Path;

use nme_core::codec::Compression;

use crate::engine::Engine;
use crate::timing::{Measured, race};
use crate::variants::{self, Kind};
use crate::{MODES, reference};

/// Ours and another way on one kind.
struct Pair {
    mode: Compression,
    against: String,
    ours: Measured,
    theirs: Measured,
}

/// Measures and prints everything; with the engine at `engine` if there is one.
pub(crate) fn print(engine: Option<&Path>) -> io::Result<()> {
    let kinds = variants::all();
    let engine = engine.map(|path| Engine::measure(path, &kinds)).transpose()?;
    println!("{NOTES}\n");
    let mut pairs = Vec::new();
    for (mode, label) in MODES {
        for kind in &kinds {
            measure(mode, label, kind, engine.as_ref(), &mut pairs);
        }
    }
    summary(&pairs);
    Ok(())
}

fn measure(mode: Compression, label: &str, kind: &Kind, engine: Option<&Engine>, pairs: &mut Vec<Pair>) {
    let mut ways: Vec<_> = [reference::ours(mode), reference::other(mode)].into_iter().flatten().collect();
    let results = race(&mut ways, &kind.datagrams);
    let mut others: Vec<(String, &Measured)> =
        ways.iter().map(|way| way.label.to_owned()).zip(&results).skip(1).collect();
    if let Some(engine) = engine {
        let measured = engine.result(&label.to_lowercase(), kind.name);
        others.extend(measured.map(|measured| (engine.label.clone(), measured)));
    }
    let ours = &results[0];
    let len = (kind.bytes() as f64 / kind.datagrams.len() as f64).round();
    let left = format!("| {label} | {} | {len} | {} |", kind.title, columns(ours));
    if pairs.is_empty() {
        println!("{HEAD}");
    }
    if others.is_empty() {
        println!("{left} | | | | | |");
    }
    for (against, theirs) in others {
        let (compress, decompress) = (theirs.compress / ours.compress, theirs.decompress / ours.decompress);
        println!("{left} {against} | {} | {compress:.2}, {decompress:.2} |", columns(theirs));
        pairs.push(Pair { mode, against, ours: ours.clone(), theirs: theirs.clone() });
    }
}

fn columns(measured: &Measured) -> String {
    let allocations = measured.allocations.map_or_else(|| "-".to_owned(), |count| format!("{count:.0}"));
    format!("{:.2} | {:.2} | {:.3} | {allocations}", measured.compress, measured.decompress, measured.ratio)
}

/// How many times faster ours is over all kinds, with what is aimed at.
fn summary(pairs: &[Pair]) {
    println!("\nTimes faster, geometric means over the kinds of payload.\n");
    println!("| mode | against | compress | decompress | both ways | target |");
    println!("|---|---|---|---|---|---|");
    for (mode, label) in MODES {
        let mut against: Vec<&str> =
            pairs.iter().filter(|pair| pair.mode == mode).map(|pair| pair.against.as_str()).collect();
        against.sort_unstable();
        against.dedup();
        for name in against {
            let of = |cost: fn(&Measured) -> f64| {
                let pairs = pairs.iter().filter(|pair| pair.mode == mode && pair.against == name);
                mean(pairs.map(|pair| cost(&pair.theirs) / cost(&pair.ours)))
            };
            println!(
                "| {label} | {name} | {:.2} | {:.2} | {:.2} | {} |",
                of(|measured| measured.compress),
                of(|measured| measured.decompress),
                of(|measured| measured.compress + measured.decompress),
                target(mode)
            );
        }
    }
}

/// The geometric mean.
fn mean(factors: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for factor in factors {
        sum += factor.ln();
        count += 1.0;
    }
    f64::exp(sum / count)
}

/// How many times faster a mode is meant to be.
fn target(mode: Compression) -> &'static str {
    match mode {
        Compression::None => "",
        Compression::RangeCoder => "1.5",
        Compression::FastLz => "1",
        Compression::Zlib => "1",
        Compression::Zstd => "1.4",
    }
}

const NOTES: &str = "\
µs for one datagram, on one core. Each kind is 512 different datagrams, one after the other, many times; of \
every few of them the best time counts. Ours and the crates take turns, the engine comes first. Ratio: \
compressed / plain, before ENet's choice to send the plain form when that is shorter. Allocations: of Rust code, \
for one datagram there and back; those inside of C libraries, such as zstd, are not counted.

\"rusty_enet\" is a translation of ENet's range coder. \"new each time\" makes a context for every datagram, as \
the engine does (but for expanding zstd). \"Godot\" is PackedByteArray.compress and decompress of a real engine, \
less the cost of the loop, of a call and of a new array of one byte. So it makes an array and we do not: below \
0.1 µs that says little. It is the only C FastLZ here.";

const HEAD: &str = "\
| mode | payload | bytes | compress | decompress | ratio | alloc. | against | compress | decompress | ratio | alloc. \
| times faster |
|---|---|---|---|---|---|---|---|---|---|---|---|---|";
