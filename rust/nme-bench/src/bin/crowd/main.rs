//! Many ENet clients in one process, for the benchmarks of servers.
//!
//! A client of the crowd is as light as the wire allows: it connects, acknowledges, counts what it receives, and may
//! send one packet a frame. It never holds packets back, so what does not arrive was lost by the server under test.
//! The clients' frames are spread evenly over a 60th of a second, as those of independent players are. When they send to each
//! other they read all the time, so that the latency is the server's alone.
//!
//! `crowd PORT DIALECT COMPRESSION TRAFFIC SIZE` with a dialect of `networked`, `plain`, `scene`, a compression of
//! `none`, `range_coder`, and a traffic of `none`, `server` (one packet per frame to the server), `all` (to everybody).
//! It obeys lines on its standard input: `grow N` (have N clients), `send` (let the traffic begin), `begin`, `end`
//! (what is sent in between is marked as counting), `stop`. It answers with lines of JSON.
#![allow(clippy::print_stdout, reason = "standard output is how it answers")]

mod client;
mod crowd;
mod dialect;
mod tally;

use std::error::Error;
use std::io::BufRead;
use std::sync::mpsc::{self, Receiver};

use crate::client::Shared;
use crate::crowd::{Crowd, Traffic};
use crate::dialect::{Coder, Dialect};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [port, dialect, compression, traffic, size] = &words[..] else { return Err(USAGE.into()) };
    let dialect = Dialect::parse(dialect).ok_or(USAGE)?;
    let coder = Coder::parse(compression).ok_or(USAGE)?;
    let traffic = Traffic::parse(traffic, size.parse()?).ok_or(USAGE)?;
    let mut crowd = Crowd::new(port.parse()?, traffic, Shared::new(dialect, coder));
    let orders = orders();
    loop {
        match orders.try_recv() {
            Ok(order) => match order.split_whitespace().collect::<Vec<_>>()[..] {
                ["grow", count] => crowd.grow(count.parse()?)?,
                ["send"] => crowd.send(),
                ["begin"] => crowd.set_marking(true),
                ["end"] => crowd.set_marking(false),
                ["stop"] => break,
                _ => return Err(format!("unknown order: {order}").into()),
            },
            Err(mpsc::TryRecvError::Empty) => {}
            // Whoever started the crowd has gone.
            Err(mpsc::TryRecvError::Disconnected) => break,
        }
        crowd.step();
    }
    println!("{}", crowd.report());
    Ok(())
}

/// The lines of the standard input, read by a thread of their own.
fn orders() -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

const USAGE: &str = "usage: crowd PORT networked|plain|scene none|range_coder none|server|all SIZE";
