//! Real datagrams, each byte of each changed, from strangers and with the peer's own address.

mod raw;

use nme_enet::{Config, ConnectRequest, Delivery, Event, Host, Packet, Verdict};
use raw::*;

/// Every datagram that a client sends in a short life, but its connect request, which may come from anywhere.
fn captured() -> (Host, Vec<Vec<u8>>, std::time::Duration) {
    let mut now = std::time::Duration::from_secs(5);
    let mut hosts = [Host::new(Config::server(4, 1)), Host::new(Config::client(2))];
    let peer = hosts[1].connect(now, address(1), 3, 0).expect("a place");
    let mut captured = Vec::new();
    let mut buffer = [0; MTU as usize];
    for round in 0..60 {
        now += std::time::Duration::from_millis(20);
        if round >= 10 && round % 10 == 0 {
            for delivery in [Delivery::Reliable, Delivery::Sequenced, Delivery::Unsequenced] {
                let packet = Packet::new(vec![7; 200 * round]);
                hosts[1].send(peer, 1, &packet, delivery).expect("connected");
            }
            hosts[1].set_throttle(peer, 1000, 2, 2);
        }
        for from in [1, 0] {
            hosts[from].handle_timeout(now);
            hosts[from].flush(now);
            let mut sent = Vec::new();
            while let Some(nme_enet::Transmit { datagram: bytes, .. }) =
                hosts[from].poll_transmit(&mut buffer)
            {
                sent.push(bytes.to_vec());
            }
            for bytes in sent {
                let mut accept = |_: &ConnectRequest| Verdict::Accept;
                let sender = address(from as u16 * 1000 + 1);
                hosts[1 - from].handle_datagram(now, sender, &bytes, &mut accept).expect("honest");
                if from == 1 && bytes[..2] != [0x8f, 0xff] {
                    captured.push(bytes);
                }
            }
        }
    }
    let [server, _] = hosts;
    (server, captured, now)
}

#[test]
fn strangers_change_nothing() {
    let (mut server, captured, now) = captured();
    while server.poll_event().is_some() {}
    let (mut count, before) = (0, server.figures().datagrams_dropped);
    for datagram in &captured {
        for at in 0..datagram.len().min(64) {
            for change in [0, 1, 0x80, 0xff] {
                let mut bytes = datagram.clone();
                bytes[at] ^= change;
                assert!(server.handle_datagram(now, address(2), &bytes, &mut accept).is_err());
                count += 1;
            }
        }
    }
    assert!(count > 2000, "{count}");
    assert_eq!(server.figures().datagrams_dropped - before, count);
    assert_eq!((server.poll_event(), server.connected_peers()), (None, 1));
    server.flush(now);
    let mut buffer = [0; MTU as usize];
    while let Some(nme_enet::Transmit { to, .. }) = server.poll_transmit(&mut buffer) {
        assert_eq!(to, address(1001));
    }
}

#[test]
fn changes_with_the_peers_address_keep_the_bounds() {
    let (_, datagrams, _) = captured();
    for datagram in &datagrams {
        for at in 0..datagram.len().min(64) {
            for change in [1, 0x80, 0xff] {
                let (mut server, _, now) = (Bench::server().host, (), std::time::Duration::from_secs(9));
                let mut bytes = datagram.clone();
                bytes[at] ^= change;
                let _ = server.handle_datagram(now, address(5000), &bytes, &mut accept);
                let mut reported = 0;
                while let Some(event) = server.poll_event() {
                    assert!(matches!(event, Event::Received { .. } | Event::Disconnected { .. }));
                    reported += 1;
                }
                assert!(
                    reported <= 32 && server.figures().reassembly_bytes < 2 * usize::from(MTU) + 32 * 200
                );
            }
        }
    }
}
