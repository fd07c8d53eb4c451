//! A stranger with many addresses who attacks a server, for `scripts/attacks`. Run it in a network namespace of the
//! test's own: it binds to addresses that belong to somebody else.
//!
//! | words | what |
//! |---|---|
//! | `requests TARGET SOURCES RATE SECONDS` | requests to connect, each with numbers of its own |
//! | `garbage KIND TARGET SOURCES RATE SECONDS` | datagrams that no honest peer sends, see `garbage.rs` |
//! | `forged FROM,FROM TO,TO PEERS RATE SECONDS` | commands in the name of those at FROM, whose numbers are below PEERS |
//! | `hellos TARGET SOURCES RATE SECONDS` | first hellos of DTLS, each with a random number of its own |
//! | `records FROM,FROM TO,TO RATE SECONDS` | records of DTLS in the name of those at FROM |
//! | `handshakes TARGET COUNT RATE` | clients that complete a handshake of DTLS, and are never heard of again |
//! | `blind TARGET SECONDS` | one request from an address where nobody reads, then guesses at what the answer was |
//! | `vanish TARGET COUNT RATE` | clients that connect as they should, and are never heard of again |
//! | `enter TARGET COUNT` | clients that connect as they should, all at once, and leave |
//! | `slow TARGET COUNT ACKS SECONDS` | clients that connect, read, ping, and acknowledge ACKS commands a second each |
//!
//! RATE is datagrams (or clients) a second, 0 as many as the system takes. It ends with a line of JSON that says what was
//! sent.
#![allow(clippy::print_stdout, reason = "standard output is how it answers")]

mod clients;
mod datagrams;
mod forged;
mod garbage;
mod pace;
mod secure;
mod sources;

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use crate::forged::Impostor;
use crate::garbage::Garbage;
use crate::pace::Pace;
use crate::secure::{Hellos, Records};
use crate::sources::Sources;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["requests", target, sources, rate, seconds] => {
            let mut sources = Sources::open(target.parse()?, sources.parse()?)?;
            flood(&mut sources, rate, seconds, datagrams::request)?;
        }
        ["garbage", kind, target, sources, rate, seconds] => {
            let mut sources = Sources::open(target.parse()?, sources.parse()?)?;
            let mut garbage = Garbage::parse(kind).ok_or(USAGE)?;
            flood(&mut sources, rate, seconds, |number, out| garbage.write(number, out))?;
        }
        ["forged", from, to, peers, rate, seconds] => {
            let peers = peers.parse()?;
            forge(from, to, rate, seconds, |number, out| forged::guess(number, peers, out))?;
        }
        ["hellos", target, sources, rate, seconds] => {
            let mut sources = Sources::open(target.parse()?, sources.parse()?)?;
            let hellos = Hellos::new(target.parse()?)?;
            flood(&mut sources, rate, seconds, |number, out| hellos.write(number, out))?;
        }
        ["records", from, to, rate, seconds] => {
            let mut records = Records::new(SocketAddr::from(([0; 4], 0)))?;
            forge(from, to, rate, seconds, |number, out| records.write(number, out))?;
        }
        ["handshakes", target, count, rate] => {
            secure::handshakes(target.parse()?, count.parse()?, rate.parse()?)?;
        }
        ["blind", target, seconds] => blind(target.parse()?, seconds)?,
        ["vanish", target, count, rate] => {
            clients::vanish(target.parse()?, count.parse()?, rate.parse()?)?;
        }
        ["enter", target, count] => clients::enter(target.parse()?, count.parse()?)?,
        ["slow", target, count, rate, seconds] => {
            clients::slow(target.parse()?, count.parse()?, rate.parse()?, seconds_of(seconds)?)?;
        }
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

/// Sends at a rate for a time.
fn flood(
    sources: &mut Sources,
    rate: &str,
    seconds: &str,
    mut write: impl FnMut(u64, &mut Vec<u8>),
) -> Result<(), Box<dyn Error>> {
    let mut number = 0;
    let time = paced(rate, seconds, |datagram| {
        write(number, datagram);
        sources.send(number, datagram);
        number += 1;
    })?;
    println!("{}", sources.report(time));
    Ok(())
}

/// The same in the name of others, each of whom gets all datagrams.
fn forge(
    from: &str,
    to: &str,
    rate: &str,
    seconds: &str,
    mut write: impl FnMut(u64, &mut Vec<u8>),
) -> Result<(), Box<dyn Error>> {
    let mut impostor = Impostor::open(from, to)?;
    let (pairs, mut number) = (impostor.pairs(), 0);
    let time = paced(rate, seconds, |datagram| {
        write(number / pairs, datagram);
        impostor.send(number, datagram);
        number += 1;
    })?;
    println!("{}", impostor.report(time));
    Ok(())
}

/// Calls with an empty buffer at a rate for a time, and answers how long it took.
fn paced(rate: &str, seconds: &str, mut send: impl FnMut(&mut Vec<u8>)) -> Result<Duration, Box<dyn Error>> {
    let mut pace = Pace::new(rate.parse()?, seconds_of(seconds)?);
    let mut datagram = Vec::new();
    while let Some(due) = pace.due() {
        for _ in 0..due {
            datagram.clear();
            send(&mut datagram);
        }
    }
    Ok(pace.elapsed())
}

/// Connects without ever seeing an answer, as who forges an address does, and goes on as if the server had taken it.
fn blind(target: SocketAddr, seconds: &str) -> Result<(), Box<dyn Error>> {
    let mut sources = Sources::open(target, 1)?;
    let mut datagram = Vec::new();
    datagrams::request(1, &mut datagram);
    sources.send(0, &datagram);
    // Gives the server a frame to answer in.
    std::thread::sleep(Duration::from_millis(50));
    for round in 0..BLIND_ROUNDS {
        for peer in 0..BLIND_PEERS {
            for session in 0..4 {
                datagram.clear();
                datagrams::guess(peer, session, round, &mut datagram);
                sources.send(0, &datagram);
            }
        }
    }
    std::thread::sleep(seconds_of(seconds)?);
    println!("{}", sources.report(Duration::from_secs(1)));
    Ok(())
}

fn seconds_of(word: &str) -> Result<Duration, Box<dyn Error>> {
    Ok(Duration::try_from_secs_f64(word.parse()?)?)
}

/// How many numbers of a peer are guessed, each with all four sessions.
const BLIND_PEERS: u16 = 64;

/// How many guesses at the server's clock there are, evenly over all that it can show.
const BLIND_ROUNDS: u16 = 32;

const USAGE: &str = "usage: attacker requests|garbage|forged|..., see the top of its source";
