//! The table of costs and savings.

use nme_core::codec::Compression;
use nme_core::codec::fuzz::Raw;

use crate::MODES;
use crate::payloads;
use crate::reference::{self, Reference};
use crate::timing::micros;

/// Cost and result of one way on one payload.
struct Measured {
    compress: f64,
    decompress: f64,
    len: usize,
}

pub(crate) fn print() {
    println!(
        "µs for one datagram, on one core; the best of several rounds. Ratio: compressed / plain, before ENet's"
    );
    println!(
        "choice to send the plain form when that is shorter. The engine's FastLZ is C code that has no context;"
    );
    println!("there is no well-kept crate of it, so it is not measured here.\n");
    println!(
        "| mode | payload | bytes | compress | decompress | ratio | against | compress | decompress | ratio | times faster |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let all = payloads::all();
    for (mode, label) in MODES {
        for (name, title) in KINDS {
            let Some((_, plain)) = all.iter().find(|(known, _)| known == name) else { continue };
            let Some(ours) = measure_ours(mode, plain) else { continue };
            print!("| {label} | {title} | {} | {} |", plain.len(), columns(&ours, plain.len()));
            match other(mode) {
                Some(other) => {
                    let against = other.label;
                    let theirs = measure(other, plain);
                    let speeds = (theirs.compress / ours.compress, theirs.decompress / ours.decompress);
                    println!(
                        " {against} | {} | {:.1}, {:.1} |",
                        columns(&theirs, plain.len()),
                        speeds.0,
                        speeds.1
                    );
                }
                None => println!(" | | | | |"),
            }
        }
    }
}

fn other(mode: Compression) -> Option<Reference> {
    match mode {
        Compression::RangeCoder => Some(reference::range_coder()),
        Compression::Zlib => Some(reference::zlib()),
        Compression::Zstd => Some(reference::zstd()),
        Compression::None | Compression::FastLz => None,
    }
}

fn measure_ours(mode: Compression, plain: &[u8]) -> Option<Measured> {
    let (mut encoder, mut decoder) = (Raw::new(mode)?, Raw::new(mode)?);
    Some(measure(
        Reference {
            label: "",
            compress: Box::new(move |input, out| encoder.compress(input, out).unwrap_or(0)),
            decompress: Box::new(move |input, out| decoder.decompress(input, out).unwrap_or(0)),
        },
        plain,
    ))
}

fn measure(mut way: Reference, plain: &[u8]) -> Measured {
    let (mut compressed, mut again) = ([0; 4096], [0; 4096]);
    let compress = micros(|| (way.compress)(plain, &mut compressed));
    let len = (way.compress)(plain, &mut compressed);
    let decompress = micros(|| (way.decompress)(&compressed[..len], &mut again));
    assert_eq!(again[..plain.len()], *plain, "other bytes came back");
    Measured { compress, decompress, len }
}

fn columns(measured: &Measured, plain: usize) -> String {
    let ratio = measured.len as f64 / plain as f64;
    format!("{:.2} | {:.2} | {ratio:.3}", measured.compress, measured.decompress)
}

/// Payloads and their titles.
const KINDS: [(&str, &str); 7] = [
    ("entities_20", "20 entities"),
    ("entities_90", "90 entities"),
    ("chat_107", "chat JSON"),
    ("random_256", "random"),
    ("acks_16", "16 acknowledgements"),
    ("many_commands", "18 small packets"),
    ("connect", "CONNECT"),
];
