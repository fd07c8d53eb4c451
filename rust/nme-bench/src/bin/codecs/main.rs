//! What the compression modes cost and save, as Markdown.
//!
//! `codecs` compares them with rusty_enet's range coder and with the engine's way, a new context for each datagram;
//! `codecs --engine PATH` with what a real Godot 4 does, too.
//! `codecs --shortest` looks for the shortest datagrams that shrink, `codecs --hostile [SECONDS]` for those that
//! take longest to read. `codecs --encode FILE` compresses lines of "NAME HEX" for `scripts/codec_vectors`.
#![allow(clippy::print_stdout, reason = "the tables are what this program is for")]

mod comparison;
mod engine;
mod hostile;
mod payloads;
mod reference;
mod shortest;
mod timing;
mod variants;

use std::alloc::System;
use std::error::Error;
use std::path::Path;

use nme_core::codec::Compression;
use nme_core::codec::fuzz::Raw;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts what Rust code allocates. C libraries have their own `malloc`.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => comparison::print(None)?,
        ["--engine", path] => comparison::print(Some(Path::new(path)))?,
        ["--shortest"] => shortest::print(),
        ["--hostile"] => hostile::print(10),
        ["--hostile", seconds] => hostile::print(seconds.parse()?),
        ["--encode", file] => encode(&std::fs::read_to_string(file)?),
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

/// Lines of "MODE NAME PLAIN_HEX COMPRESSED_HEX", however long the compressed form is.
fn encode(text: &str) {
    for (name, plain) in payloads::parse(text) {
        for (mode, label) in
            [(Compression::FastLz, "fastlz"), (Compression::Zlib, "zlib"), (Compression::Zstd, "zstd")]
        {
            let mut out = vec![0; 2 * plain.len() + 64];
            if let Some(len) = Raw::new(mode).and_then(|mut codec| codec.compress(&plain, &mut out)) {
                println!("{label} {name} {} {}", payloads::hex(&plain), payloads::hex(&out[..len]));
            }
        }
    }
}

const USAGE: &str = "usage: codecs [--engine PATH | --shortest | --hostile [SECONDS] | --encode FILE]";

/// The modes that compress.
const MODES: [(Compression, &str); 4] = [
    (Compression::RangeCoder, "RANGE_CODER"),
    (Compression::FastLz, "FASTLZ"),
    (Compression::Zlib, "ZLIB"),
    (Compression::Zstd, "ZSTD"),
];
