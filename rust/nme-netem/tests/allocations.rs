//! A pipe takes no memory for datagrams once it has carried some: it runs inside games.

use std::alloc::System;
use std::net::SocketAddr;
use std::time::Duration;

use nme_netem::{Bandwidth, Link, Pipe};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MS: Duration = Duration::from_millis(1);

#[test]
fn datagrams_cost_no_allocations_once_there_were_some() {
    let link = Link {
        jitter: 10 * MS,
        jitter_reorders: true,
        loss: 0.1,
        duplicate: 0.1,
        duplicate_delay: 5 * MS,
        bandwidth: Some(Bandwidth::queued_for(4_000_000, 20 * MS)),
        ..Link::delayed(20 * MS)
    };
    let mut pipe = Pipe::new(link, 1).expect("valid settings");
    let to = SocketAddr::from(([192, 0, 2, 1], 1));
    let mut carry = |milliseconds: std::ops::Range<u32>| {
        let mut bytes = 0;
        for now in milliseconds {
            (0..4).for_each(|_| pipe.push(MS * now, to, &[now as u8; 1200]));
            while let Some((_, datagram)) = pipe.pop(MS * now) {
                bytes += datagram.len();
            }
        }
        bytes
    };
    // Fills the pool for the most that is ever under way.
    carry(0..5000);
    let region = Region::new(ALLOCATOR);
    assert!(carry(5000..10_000) > 10_000_000);
    let change = region.change();
    // The buffers of a crest that was not there before.
    assert!(change.allocations < 20, "{change:?}");
}
