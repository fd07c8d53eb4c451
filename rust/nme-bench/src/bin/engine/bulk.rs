//! Reliable bulk over a long and fast link.

use std::time::Duration;

use nme_enet::Delivery;
use nme_testing::engines::{Kind, Note, address};

use crate::bottleneck::{Bottleneck, Link};
use crate::name;

pub(crate) fn print() {
    println!("\n| reliable bulk, 100 ms round trip, 1 Gbit/s: from | to | loss | frame | MB/s in 10 s |");
    println!("|---|---|---|---|---|");
    for [from, to] in [[Kind::Ours; 2], [Kind::Ours, Kind::Judge], [Kind::Judge; 2]] {
        for loss in [0.0, 0.01] {
            for frame in [1, 16] {
                let rate = rate(from, to, loss, Duration::from_millis(frame));
                println!("| {} | {} | {} % | {frame} ms | {rate:.2} |", name(from), name(to), loss * 100.0);
            }
        }
    }
}

/// In MB/s.
fn rate(from: Kind, to: Kind, loss: f64, frame: Duration) -> f64 {
    let link = Link {
        latency: Duration::from_millis(50),
        loss,
        bytes_per_second: 125e6,
        queue: Duration::from_millis(50),
    };
    let mut world = Bottleneck::new(to, from, 1, link, frame);
    let (mut sent, mut received) = (0, 0);
    let end = world.now + TIME;
    let packet = vec![7; PACKET];
    while world.now < end {
        while sent - received < WAITING && world.hosts[1].send(address(0), 1, &packet, Delivery::Reliable) {
            sent += PACKET;
        }
        world.step(|_, note| {
            if let Note::Received { bytes, .. } = note {
                received += bytes.len();
            }
        });
    }
    received as f64 / TIME.as_secs_f64() / 1e6
}

const TIME: Duration = Duration::from_secs(10);
const PACKET: usize = 16 << 10;

/// Bytes that are sent ahead of what has arrived.
const WAITING: usize = 16 << 20;
