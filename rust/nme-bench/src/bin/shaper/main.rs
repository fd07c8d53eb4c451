//! Carries datagrams between clients and servers as a bad link does, for `scripts/attacks`.
//!
//! `shaper LISTEN=TARGET ...`: what comes to each address LISTEN goes on to TARGET, and the answers back. The
//! clients of one entry share its link. Lines on the standard input change a link, of both directions or of one:
//! `INDEX both|up|down NAME=VALUE ...` with `loss`, `duplicate`, `reorder` (chances), `latency`, `jitter`,
//! `reorder_delay` (milliseconds) and `rate` (bytes a second, with a queue of a tenth of a second); what is not named is
//! perfect. It ends when the input does.
#![allow(clippy::print_stdout, reason = "standard output is how it answers")]

mod entry;

use std::error::Error;
use std::io::BufRead;
use std::sync::mpsc::{self, TryRecvError};
use std::time::{Duration, Instant};

use nme_netem::{Bandwidth, Link};

use crate::entry::Entry;

fn main() -> Result<(), Box<dyn Error>> {
    let mut entries = Vec::new();
    for (index, word) in std::env::args().skip(1).enumerate() {
        let (listen, target) = word.split_once('=').ok_or("usage: shaper LISTEN=TARGET ...")?;
        entries.push(Entry::open(listen.parse()?, target.parse()?, index as u64)?);
    }
    let (sender, orders) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    println!("ready");
    let start = Instant::now();
    loop {
        match orders.try_recv() {
            Ok(line) => obey(&line, &mut entries)?,
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return Ok(()),
        }
        let now = start.elapsed();
        entries.iter_mut().for_each(|entry| entry.carry(now));
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

fn obey(line: &str, entries: &mut [Entry]) -> Result<(), Box<dyn Error>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [index, direction, settings @ ..] = &words[..] else { return Err("an order is too short".into()) };
    let entry = entries.get_mut(index.parse::<usize>()?).ok_or("there is no such entry")?;
    let link = link(settings)?;
    if matches!(*direction, "both" | "up") {
        entry.up.set_link(link)?;
    }
    if matches!(*direction, "both" | "down") {
        entry.down.set_link(link)?;
    }
    Ok(())
}

fn link(settings: &[&str]) -> Result<Link, Box<dyn Error>> {
    let mut link = Link::PERFECT;
    for setting in settings {
        let (name, value) = setting.split_once('=').ok_or("a setting is NAME=VALUE")?;
        let value: f64 = value.parse()?;
        let time = || Duration::try_from_secs_f64(value / 1000.0);
        match name {
            "loss" => link.loss = value,
            "duplicate" => link.duplicate = value,
            "reorder" => link.reorder = value,
            "latency" => link.latency = time()?,
            "jitter" => link.jitter = time()?,
            "reorder_delay" => link.reorder_delay = time()?,
            "rate" => link.bandwidth = Some(Bandwidth::queued_for(value as u64, QUEUE)),
            _ => return Err(format!("there is no setting {name}").into()),
        }
    }
    Ok(link)
}

const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

const QUEUE: Duration = Duration::from_millis(100);
