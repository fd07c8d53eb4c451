//! Sessions on real sockets for as long as somebody wants: churn, all modes, compression, and loss on the way.
//!
//! `soak server SEED` prints its ports, one for each compression. `soak clients SEED COUNT SECONDS PORT...` plays clients of
//! these servers, of whom none stays for longer than SECONDS. Both print a line of JSON every few seconds, and end when their standard input does; the last line has
//! everything. `scripts/soak` starts both and judges the lines.
#![allow(clippy::print_stdout, reason = "standard output is how it answers")]

mod clients;
mod report;
mod server;
mod stream;
mod unreliable_socket;

use std::error::Error;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nme_core::codec::Compression;

use crate::clients::Clients;
use crate::server::Servers;

/// What moves in ticks and can be looked at.
trait Player {
    /// Does what is due.
    fn tick(&mut self, tick: u64);
    /// What is to be told of it, as the inside of a JSON object.
    fn report(&self) -> String;
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["server", seed] => {
            let servers = Servers::open(seed.parse()?)?;
            println!(r#"{{"event":"ready","ports":{:?}}}"#, servers.ports());
            play(servers);
        }
        ["clients", seed, count, seconds, ref ports @ ..] if ports.len() == COMPRESSIONS.len() => {
            let ports = ports.iter().map(|port| port.parse()).collect::<Result<Vec<u16>, _>>()?;
            play(Clients::new(seed.parse()?, count.parse()?, seconds.parse()?, ports));
        }
        _ => return Err("usage: soak server SEED | soak clients SEED COUNT SECONDS PORT PORT PORT".into()),
    }
    Ok(())
}

/// Ticks until the standard input ends.
fn play(mut player: impl Player) {
    let ended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        // An error is an end, too.
        let _ = std::io::stdin().read_to_end(&mut rest);
        flag.store(true, Ordering::Relaxed);
    });
    let start = Instant::now();
    let (mut tick, mut late_ticks) = (0_u64, 0_u64);
    while !ended.load(Ordering::Relaxed) {
        player.tick(tick);
        tick += 1;
        if tick.is_multiple_of(TICKS_PER_REPORT) {
            report::tell("sample", start.elapsed(), late_ticks, &player.report());
        }
        let due = TICK * u32::try_from(tick + late_ticks).unwrap_or(u32::MAX);
        match due.checked_sub(start.elapsed()) {
            Some(wait) => std::thread::sleep(wait),
            // A machine that is busy elsewhere makes for fewer ticks, not for a burst of them.
            None => {
                let past = u64::try_from(start.elapsed().as_nanos() / TICK.as_nanos()).unwrap_or(u64::MAX);
                late_ticks = past.saturating_sub(tick);
            }
        }
    }
    report::tell("end", start.elapsed(), late_ticks, &player.report());
}

/// What the servers compress with, one server each.
const COMPRESSIONS: [Compression; 3] = [Compression::None, Compression::RangeCoder, Compression::Zstd];

/// A frame of 60 Hz.
const TICK: Duration = Duration::from_micros(16_667);

/// Ten seconds.
const TICKS_PER_REPORT: u64 = 600;
