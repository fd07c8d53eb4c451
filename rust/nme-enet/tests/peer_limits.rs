//! What the owner of a host allows each peer.

mod raw;

use std::time::Duration;

use nme_enet::DropReason::{NotTaken, PeerLimit as OverLimit};
use nme_enet::{
    Config, ConnectRequest, Delivery, Event, Host, Packet, PeerHandle, PeerLimit, PeerRates, Quotas,
    Reception, Verdict,
};
use raw::*;

const SECOND: Duration = Duration::from_secs(1);

/// How often the owner was told that this limit was exceeded, and nothing else.
fn exceeded(bench: &mut Bench, expected: PeerLimit) -> usize {
    let events = std::mem::take(&mut bench.events);
    let limits = events.iter().filter(|event| match event {
        Event::Exceeded { limit, .. } => {
            assert_eq!(*limit, expected);
            true
        }
        _ => false,
    });
    limits.count()
}

#[test]
fn what_is_not_taken_is_not_acknowledged_and_comes_again() {
    let mut bench = Bench::server();
    let peer = bench.handle();
    bench.pass(&[reliable(0, 1, 11)]);
    bench.transmit();
    bench.host.set_reception(peer, Reception::Closed);
    for command in [reliable(0, 2, 12), reliable(0, 3, 13), fragment(1, 1, 3000, 0)] {
        bench.refuse(NotTaken, command);
    }
    // Only the last packet is acknowledged once more, and once in a second.
    for answers in [1, 0, 1] {
        let sent = bench.transmit();
        assert_eq!(sent.len(), answers);
        for (_, datagram) in sent {
            assert_eq!(datagram[2..], ack(0, 1, 5)[..]);
        }
        bench.now += SECOND / 2;
        bench.refuse(NotTaken, reliable(0, 2, 12));
    }
    bench.transmit();
    // A packet that has come before, and all that is not reliable.
    bench.pass(&[reliable(0, 1, 11), ping(), unreliable(0, 1, 1, 5), unsequenced(0, 1, 6)]);
    assert_eq!(bench.transmit().len(), 1);
    bench.host.set_reception(peer, Reception::Open);
    bench.pass(&[reliable(0, 3, 13), reliable(0, 2, 12)]);
    assert_eq!(bench.lengths(), [11, 5, 6, 12, 13]);
    assert_eq!((bench.reassembly_bytes(), bench.host.figures().dropped(NotTaken)), (0, 6));
}

#[test]
fn a_trickle_keeps_the_order_of_each_channel() {
    let mut bench = Bench::server();
    let peer = bench.handle();
    bench.pass(&[reliable(0, 3, 13)]);
    bench.host.set_reception(peer, Reception::Trickle);
    bench.refuse(NotTaken, reliable(0, 2, 12));
    // It is kept already.
    bench.pass(&[reliable(0, 3, 13)]);
    bench.pass(&[reliable(0, 1, 11), reliable(0, 2, 12), fragment(1, 1, 2 * F, 1), fragment(1, 1, 2 * F, 0)]);
    assert_eq!(bench.lengths(), [11, 12, 13, 2 * F as usize]);
}

#[test]
fn a_trickle_is_64_kib_in_2500_ms() {
    let mut bench = Bench::server();
    let peer = bench.handle();
    bench.host.set_reception(peer, Reception::Trickle);
    let mut next = 1;
    for (wait, expected) in [(0, 64), (1250, 32), (60_000, 64)] {
        bench.now += Duration::from_millis(wait);
        let mut taken = 0;
        while bench.send(&[reliable(0, next, 1024)]).is_ok() {
            next += 1;
            taken += 1;
        }
        assert_eq!(taken, expected);
    }
}

#[test]
fn data_is_not_taken_while_too_many_events_wait() {
    let mut config = Bench::config(Quotas::default());
    config.event_limit = 2 * (100 + Quotas::OVERHEAD);
    let mut bench = Bench::server_of(config);
    let send = |host: &mut Host, command: Vec<u8>| {
        let bytes = datagram(bench.slot, bench.session, Some(5), &[command]);
        host.handle_datagram(bench.now, bench.peer, &bytes, &mut accept)
    };
    assert_eq!(send(&mut bench.host, reliable(0, 1, 100)), Ok(()));
    assert_eq!(send(&mut bench.host, unsequenced(0, 1, 100)), Ok(()));
    for command in [reliable(0, 2, 1), unsequenced(0, 2, 1), unreliable(0, 1, 1, 1)] {
        assert_eq!(send(&mut bench.host, command), Err(NotTaken));
    }
    assert_eq!(send(&mut bench.host, ping()), Ok(()));
    bench.host.poll_event().expect("a packet");
    assert_eq!(send(&mut bench.host, unsequenced(0, 2, 100)), Ok(()));
    assert_eq!(send(&mut bench.host, reliable(0, 2, 1)), Err(NotTaken));
    while bench.host.poll_event().is_some() {}
    assert_eq!(send(&mut bench.host, reliable(0, 2, 1)), Ok(()));
}

#[test]
fn a_packet_that_is_too_large_is_refused_with_its_first_fragment() {
    for too_large in [
        reliable(0, 2, 1001),
        unreliable(0, 1, 1, 1001),
        unsequenced(0, 1, 1001),
        fragment(0, 2, 16_000, 3),
        unreliable_fragment(0, 1, 1, 3000, 0),
    ] {
        let mut bench = Bench::server();
        bench.host.set_max_received(1000);
        bench.pass(&[reliable(0, 1, 1000)]);
        assert_eq!(bench.lengths(), [1000]);
        bench.refuse(OverLimit, too_large.clone());
        // What comes until the owner has ended the connection is not taken either.
        bench.refuse(OverLimit, too_large);
        bench.refuse(OverLimit, reliable(0, 2, 1));
        assert_eq!(bench.reassembly_bytes(), 0);
        assert_eq!(exceeded(&mut bench, PeerLimit::PacketSize), 1);
    }
}

#[test]
fn too_many_packets_in_a_time_are_too_much() {
    let mut bench = Bench::server();
    bench.host.set_peer_rates(PeerRates { packets_per_second: 100, bytes_per_second: 0 });
    let mut group = 0;
    let mut send = |bench: &mut Bench, count: u32| {
        let mut sent = 0;
        while sent < count && bench.send(&[unsequenced(0, group, 1), ping()]).is_ok() {
            group += 1;
            sent += 1;
        }
        sent
    };
    // A minute at the full rate, and what an outage of ten seconds has held up.
    for _ in 0..60 {
        bench.now += SECOND;
        assert_eq!(send(&mut bench, 100), 100);
    }
    bench.now += 10 * SECOND;
    assert_eq!(send(&mut bench, 1000), 1000);
    assert_eq!(exceeded(&mut bench, PeerLimit::Packets), 0);
    assert_eq!(send(&mut bench, 1000), 1);
    assert_eq!(exceeded(&mut bench, PeerLimit::Packets), 1);
    bench.refuse(OverLimit, reliable(0, 1, 1));
    assert_eq!(exceeded(&mut bench, PeerLimit::Packets), 0);
}

#[test]
fn too_many_bytes_in_a_time_are_too_much_whatever_they_are() {
    let mut bench = Bench::server();
    bench.host.set_peer_rates(PeerRates { packets_per_second: 0, bytes_per_second: 1000 });
    // The fragments of one packet, and acknowledgements of nothing.
    bench.pass(&[fragment(0, 1, 100 * F, 1), fragment(0, 1, 100 * F, 2)]);
    let mut sent = 0;
    while bench.send(&vec![ack(0, 77, 3); 30]).is_ok() {
        sent += 1;
    }
    assert!((25..35).contains(&sent), "{sent} datagrams of 244 bytes");
    assert_eq!(exceeded(&mut bench, PeerLimit::Bytes), 1);
}

/// Two clients of a server that may keep back less than one packet of each. All datagrams arrive at once.
struct Triple {
    now: Duration,
    server: Host,
    clients: [(Host, PeerHandle); 2],
    received: Vec<usize>,
}

impl Triple {
    fn new(reassembly_limit: usize) -> Self {
        let mut config = Config::server(4, 1);
        config.reassembly_limit = reassembly_limit;
        let clients = [2, 3].map(|seed| {
            let mut client = Host::new(Config::client(seed));
            let peer = client.connect(Duration::ZERO, address(1), 3, 0).expect("a place");
            (client, peer)
        });
        Self { now: Duration::ZERO, server: Host::new(config), clients, received: Vec::new() }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        let mut accept = |_: &ConnectRequest| Verdict::Accept;
        let mut buffer = [0; 1392];
        while self.now < end {
            self.now += Duration::from_millis(16);
            self.server.handle_timeout(self.now);
            self.server.flush(self.now);
            while let Some(nme_enet::Transmit { to, datagram, .. }) = self.server.poll_transmit(&mut buffer) {
                let (client, _) = &mut self.clients[usize::from(to.port() - 2)];
                let _ = client.handle_datagram(self.now, address(1), datagram, &mut accept);
            }
            for (from, (client, _)) in (2..).zip(&mut self.clients) {
                client.handle_timeout(self.now);
                while client.poll_event().is_some() {}
                client.flush(self.now);
                while let Some(nme_enet::Transmit { datagram, .. }) = client.poll_transmit(&mut buffer) {
                    let _ = self.server.handle_datagram(self.now, address(from), datagram, &mut accept);
                }
            }
            while let Some(event) = self.server.poll_event() {
                match event {
                    Event::Received { packet, .. } => self.received.push(packet.len()),
                    Event::Connected { .. } => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

#[test]
fn packets_that_fill_the_host_together_are_completed_one_by_one() {
    let mut triple = Triple::new(400_000);
    triple.run(SECOND);
    for (client, peer) in &mut triple.clients {
        client.send(*peer, 1, &Packet::new(vec![1; 1_000_000]), Delivery::Reliable).expect("connected");
    }
    triple.run(20 * SECOND);
    assert_eq!(triple.received, [1_000_000; 2]);
    assert!(triple.server.figures().dropped(nme_enet::DropReason::HostQuota) > 0);
    assert_eq!(triple.server.figures().reassembly_bytes, 0);
}
