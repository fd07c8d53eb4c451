//! In steady state no packet costs an allocation, on either side.

use std::alloc::System;
use std::time::Duration;

use nme_enet::{Config, ConnectRequest, Delivery, Event, Host, Verdict};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn packets_cost_no_allocations_once_there_were_some() {
    let from = |port: u16| std::net::SocketAddr::from(([192, 0, 2, 1], port));
    let mut now = Duration::from_secs(1);
    let mut hosts = [Host::new(Config::server(4, 1)), Host::new(Config::client(2))];
    hosts[1].connect(now, from(1), 3, 0).expect("a free place");
    let mut peer = None;
    let mut received = 0;
    let mut buffer = [0; 1392];
    let mut accept = |_: &ConnectRequest| Verdict::Accept;
    let mut frame = |hosts: &mut [Host; 2], is_sending: bool| {
        now += Duration::from_millis(16);
        for side in [0, 1] {
            let [one, other] = hosts;
            let (sender, receiver) = if side == 0 { (one, other) } else { (other, one) };
            if side == 0
                && is_sending
                && let Some(peer) = peer
            {
                for number in 0..20 {
                    let packet = sender.packets().packet(&[&[number; 100]]);
                    for delivery in [Delivery::Reliable, Delivery::Unsequenced, Delivery::Sequenced] {
                        sender.send(peer, 1, &packet, delivery).expect("connected");
                    }
                }
            }
            sender.handle_timeout(now);
            sender.flush(now);
            while let Some(nme_enet::Transmit { datagram, .. }) = sender.poll_transmit(&mut buffer) {
                receiver.handle_datagram(now, from(1 + side), datagram, &mut accept).expect("honest");
                while let Some(event) = receiver.poll_event() {
                    match event {
                        Event::Connected { peer: who, .. } if side == 1 => peer = Some(who),
                        Event::Received { .. } => received += 1,
                        _ => {}
                    }
                }
            }
        }
    };
    (0..10).for_each(|_| frame(&mut hosts, false));
    (0..200).for_each(|_| frame(&mut hosts, true));
    let region = Region::new(ALLOCATOR);
    (0..1000).for_each(|_| frame(&mut hosts, true));
    let stats = region.change();
    assert_eq!(received, 1200 * 60);
    assert_eq!(stats.allocations + stats.reallocations, 0, "{stats:?}");
}
