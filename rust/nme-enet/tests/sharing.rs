//! Two reliable flows through one narrow link, in virtual time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::Delivery;
use nme_netem::{Bandwidth, Link, Pipe};
use nme_testing::engines::{Engine, Kind, Note, Setup, address};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// 1 MB/s, 20 ms each way, a queue of 50 ms: what clients send goes through it, what they get does not.
const NARROW: Link = Link {
    bandwidth: Some(Bandwidth { bytes_per_second: 1_000_000, queue: 50_000 }),
    ..Link::delayed(Duration::from_millis(20))
};

#[test]
fn two_flows_share_a_narrow_link_and_use_it() {
    let mut hosts: Vec<Box<dyn Engine>> =
        (0..3).map(|host| Kind::Ours.host(Setup::new(host == 0, host + 1))).collect();
    let mut narrow: Pipe<SocketAddr> = Pipe::new(Link::PERFECT, 5).expect("a link");
    let mut back: VecDeque<(Duration, usize, Vec<u8>)> = VecDeque::new();
    let mut now = SECOND;
    for (host, client) in hosts.iter_mut().enumerate().skip(1) {
        client.connect(now, address(0), 3, host as u32);
    }
    let (mut sent, mut received, mut late) = ([0_usize; 3], [0_usize; 3], [0_usize; 3]);
    while now < 43 * SECOND {
        now += MS;
        if now == 3 * SECOND {
            narrow.set_link(NARROW).expect("a link");
        }
        for host in 1..3 {
            // The second one begins when the first has the link for itself.
            let begins = if host == 1 { 3 * SECOND } else { 8 * SECOND };
            while now >= begins
                && sent[host] < received[host] + (1 << 20)
                && hosts[host].send(address(0), 1, &[7; 1200], Delivery::Reliable)
            {
                sent[host] += 1200;
            }
        }
        for (host, engine) in hosts.iter_mut().enumerate() {
            let mut incoming = Vec::new();
            if host == 0 {
                while let Some((from, bytes)) = narrow.pop(now) {
                    incoming.push((from, bytes.to_vec()));
                }
            } else {
                while let Some((_, _, bytes)) = back.pop_front_if(|(time, to, _)| *time <= now && *to == host)
                {
                    incoming.push((address(0), bytes));
                }
            }
            for note in engine.frame(now, incoming) {
                if let Note::Received { peer, bytes, .. } = note {
                    let from = usize::from(peer.port() - address(0).port());
                    received[from] += bytes.len();
                    late[from] += if now > 23 * SECOND { bytes.len() } else { 0 };
                }
            }
            for (to, bytes) in engine.flush(now) {
                if host == 0 {
                    let to = usize::from(to.port() - address(0).port());
                    back.push_back((now + 20 * MS, to, bytes));
                } else {
                    narrow.push(now, address(host), &bytes);
                }
            }
        }
    }
    let all = late[1] + late[2];
    assert!(all > 17 * 1_000_000, "{all} bytes in 20 s");
    assert!(late[1] > all / 4 && late[2] > all / 4, "{late:?}");
    let counters = narrow.counters();
    assert!(counters.overflowed * 20 < counters.sent, "{counters:?}");
}
