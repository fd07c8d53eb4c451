//! How late a thin reliable flow arrives on a link that loses.

use std::time::Duration;

use nme_enet::Delivery;
use nme_testing::engines::{Kind, Note, address};

use crate::bottleneck::{Bottleneck, Link};
use crate::{BOTH, name};

pub(crate) fn print() {
    println!(
        "\n| 60 reliable packets of 100 bytes a second, 80 ms round trip, 5 % loss | frame | p50 | p99 | p99.9 |"
    );
    println!("|---|---|---|---|---|");
    for kind in BOTH {
        for frame in [1, 16] {
            let delays = delays(kind, Duration::from_millis(frame));
            let at = |part: f64| delays[((delays.len() - 1) as f64 * part) as usize].as_millis();
            let (p50, p99, p999) = (at(0.5), at(0.99), at(0.999));
            println!("| {} | {frame} ms | {p50} ms | {p99} ms | {p999} ms |", name(kind));
        }
    }
}

/// From the moment of sending to that of reading, sorted.
fn delays(kind: Kind, frame: Duration) -> Vec<Duration> {
    let link = Link {
        latency: Duration::from_millis(40),
        loss: 0.05,
        bytes_per_second: 125e6,
        queue: Duration::from_millis(50),
    };
    let mut world = Bottleneck::new(kind, kind, 1, link, frame);
    let mut delays = Vec::new();
    let mut next = world.now;
    let end = world.now + TIME;
    while world.now < end {
        let now = world.now;
        while next <= now {
            let mut packet = vec![0; 100];
            packet[..8].copy_from_slice(&(now.as_micros() as u64).to_be_bytes());
            world.hosts[1].send(address(0), 1, &packet, Delivery::Reliable);
            next += INTERVAL;
        }
        let read = now + frame;
        world.step(|_, note| {
            if let Note::Received { bytes, .. } = note
                && let Some(sent) = bytes.first_chunk()
            {
                delays.push(read - Duration::from_micros(u64::from_be_bytes(*sent)));
            }
        });
    }
    delays.sort_unstable();
    delays
}

const TIME: Duration = Duration::from_secs(600);
const INTERVAL: Duration = Duration::from_micros(16_667);
