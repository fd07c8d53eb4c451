//! A receiver of either engine answers the long datagrams that show whether a path loses what is long, and takes nothing
//! from them.

use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::{Config, ConnectRequest, Delivery, Event, Host, Packet, Verdict};

const MS: Duration = Duration::from_millis(1);
const LONG: usize = 5000;

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

/// True for a datagram that begins with a fragment.
fn has_fragment(datagram: &[u8]) -> bool {
    datagram.len() > 600 && datagram.get(4).is_some_and(|code| code & 0x0f == 8)
}

macro_rules! probe_test {
    ($name:ident, $client:ty) => {
        #[test]
        fn $name() {
            let mut now = MS * 1000;
            let (mut server, mut client) =
                (Host::new(Config::server(1, 1)), <$client>::new(Config::client(2)));
            client.connect(now, address(1), 3, 0).expect("a free place");
            let mut accept = |_: &ConnectRequest| Verdict::Accept;
            let (mut peer, mut got, mut probes, mut fragments) = (None, Vec::new(), 0, 0);
            // Fragments do not get through for 40 s, which is too long for a path that loses them.
            for frame in 0..3000_u32 {
                now += MS * 16;
                if let Some(peer) = peer {
                    if frame == 100 {
                        let long = Packet::new(vec![7; LONG]);
                        server.send(peer, 1, &long, Delivery::Reliable).expect("connected");
                    }
                    if frame % 50 == 0 && frame < 2900 {
                        let short = Packet::new(frame.to_be_bytes().to_vec());
                        server.send(peer, 2, &short, Delivery::Reliable).expect("connected");
                    }
                }
                let mut buffer = [0; 1392];
                client.flush(now);
                while let Some(nme_enet::Transmit { datagram, .. }) = client.poll_transmit(&mut buffer) {
                    server.handle_datagram(now, address(2), datagram, &mut accept).expect("honest");
                }
                server.handle_timeout(now);
                while let Some(event) = server.poll_event() {
                    match event {
                        Event::Connected { peer: connected, .. } => peer = Some(connected),
                        other => panic!("{other:?} in frame {frame}"),
                    }
                }
                server.flush(now);
                while let Some(nme_enet::Transmit { datagram, .. }) = server.poll_transmit(&mut buffer) {
                    if has_fragment(datagram) {
                        fragments += 1;
                        if frame < 2600 {
                            continue;
                        }
                    } else {
                        probes += u32::from(datagram.len() == 1392);
                    }
                    client.handle_datagram(now, address(1), datagram, &mut accept).expect("honest");
                }
                client.handle_timeout(now);
                while let Some(event) = client.poll_event() {
                    match event {
                        Event::Received { packet, .. } => got.push(packet.to_vec()),
                        Event::Connected { .. } => {}
                        other => panic!("{other:?} in frame {frame}"),
                    }
                }
            }
            assert!(probes > 5 && fragments > 20, "{probes} probes, {fragments} fragments");
            let long = got.iter().position(|packet| packet.len() == LONG).expect("it arrives in the end");
            assert_eq!(got.remove(long), vec![7; LONG]);
            let first = u32::from_be_bytes(got[0][..].try_into().expect("a short one"));
            let expected: Vec<_> =
                (first..2900).step_by(50).map(|frame| frame.to_be_bytes().to_vec()).collect();
            assert_eq!(got, expected);
        }
    };
}

probe_test!(our_engine_answers_probes, Host);
probe_test!(stock_enet_answers_probes, nme_reference::Host);
