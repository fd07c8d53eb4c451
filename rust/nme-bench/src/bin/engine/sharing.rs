//! Two reliable flows through one narrow link.

use std::time::Duration;

use nme_enet::Delivery;
use nme_testing::engines::{Note, address};

use crate::bottleneck::{Bottleneck, Link};
use crate::{BOTH, name};

pub(crate) fn print() {
    println!(
        "\n| two flows, the second 5 s later, 1 MB/s, 40 ms round trip, 50 ms queue | shares of the last 20 s | link used | queue, mean | datagrams dropped |"
    );
    println!("|---|---|---|---|---|");
    for kind in BOTH {
        let link = Link {
            latency: Duration::from_millis(20),
            loss: 0.0,
            bytes_per_second: 1e6,
            queue: Duration::from_millis(50),
        };
        let mut world = Bottleneck::new(kind, kind, 2, link, Duration::from_millis(1));
        let start = world.now;
        let (mut sent, mut received, mut late) = ([0; 3], [0; 3], [0; 3]);
        let packet = vec![7; PACKET];
        while world.now < start + TIME {
            let now = world.now;
            for host in 1..=2 {
                let has_begun = host == 1 || now >= start + LATER;
                while has_begun
                    && sent[host] - received[host] < WAITING
                    && world.hosts[host].send(address(0), 1, &packet, Delivery::Reliable)
                {
                    sent[host] += PACKET;
                }
            }
            world.step(|_, note| {
                if let Note::Received { peer, bytes, .. } = note {
                    let host = usize::from(peer.port() - address(0).port());
                    received[host] += bytes.len();
                    if now >= start + TIME - LAST {
                        late[host] += bytes.len();
                    }
                }
            });
        }
        let all = (late[1] + late[2]).max(1) as f64;
        println!(
            "| {} | {:.0} % : {:.0} % | {:.0} % | {:.1} ms | {:.2} % |",
            name(kind),
            late[1] as f64 / all * 100.0,
            late[2] as f64 / all * 100.0,
            all / LAST.as_secs_f64() / 1e6 * 100.0,
            world.queued.as_secs_f64() * 1e3 / f64::from(world.datagrams),
            f64::from(world.dropped) / f64::from(world.dropped + world.datagrams) * 100.0,
        );
    }
}

const TIME: Duration = Duration::from_secs(60);
const LAST: Duration = Duration::from_secs(20);
const LATER: Duration = Duration::from_secs(5);
const PACKET: usize = 1200;

/// Bytes that are sent ahead of what has arrived.
const WAITING: usize = 1 << 20;
