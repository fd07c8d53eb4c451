//! Pairs of hosts of either engine connect, exchange packets and disconnect; garbage does no harm.

use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::{Config, ConnectRequest, Delivery, DisconnectReason, Event, Packet, PeerHandle, Verdict};
use nme_netem::Random;

const MS: Duration = Duration::from_millis(1);

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

macro_rules! pair_tests {
    ($name:ident, $server:ty, $client:ty) => {
        mod $name {
            use super::*;

            struct Pair {
                now: Duration,
                server: $server,
                client: $client,
                verdict: Verdict,
                random: Random,
                /// Of 100 datagrams, how many are followed by a damaged copy.
                damage: usize,
                events: [Vec<Event>; 2],
            }

            impl Pair {
                fn new(places: u16) -> Self {
                    Self {
                        now: MS * 1000,
                        server: <$server>::new(Config::server(places, 1)),
                        client: <$client>::new(Config { peer_limit: 4, ..Config::client(2) }),
                        verdict: Verdict::Accept,
                        random: Random::new(7),
                        damage: 0,
                        events: [Vec::new(), Vec::new()],
                    }
                }

                fn run(&mut self, frames: usize) {
                    let verdict = self.verdict;
                    let mut admit = |_: &ConnectRequest| verdict;
                    for _ in 0..frames {
                        self.now += MS * 5;
                        let mut buffer = [0; 1392];
                        macro_rules! pass {
                            ($from:ident, $to:ident, $port:expr, $at:expr) => {
                                self.$from.flush(self.now);
                                while let Some(nme_enet::Transmit { datagram, .. }) = self.$from.poll_transmit(&mut buffer) {
                                    let datagram = datagram.to_vec();
                                    let _ = self.$to.handle_datagram(self.now, address($port), &datagram, &mut admit);
                                    if self.random.within(0..100) < self.damage {
                                        let mut bad = datagram;
                                        for _ in 0..1 + self.random.within(0..3) {
                                            let at = self.random.within(2..bad.len());
                                            bad[at] = self.random.bits() as u8;
                                        }
                                        let _ = self.$to.screen(address($port), &bad);
                                        let _ = self.$to.handle_datagram(self.now, address($port), &bad, &mut admit);
                                        let garbage = self.random.bytes(60);
                                        let _ = self.$to.handle_datagram(self.now, address($port), &garbage, &mut admit);
                                    }
                                }
                                self.$to.handle_timeout(self.now);
                                while let Some(event) = self.$to.poll_event() {
                                    self.events[$at].push(event);
                                }
                            };
                        }
                        pass!(client, server, 2, 0);
                        pass!(server, client, 1, 1);
                    }
                }

                fn connect(&mut self) -> [PeerHandle; 2] {
                    let asked = self.client.connect(self.now, address(1), 3, 9).expect("a free place");
                    self.run(10);
                    let [server, client] = &mut self.events;
                    let Some(Event::Connected { peer, data: 9, .. }) = server.pop() else { panic!("{server:?}") };
                    let connected = client.pop();
                    assert!(
                        matches!(connected, Some(Event::Connected { peer, data: 0, .. }) if peer == asked),
                        "{connected:?}"
                    );
                    [peer, asked]
                }
            }

            #[test]
            fn all_deliveries_arrive() {
                let mut pair = Pair::new(4);
                let [_, client] = pair.connect();
                for delivery in [Delivery::Reliable, Delivery::Sequenced, Delivery::Unsequenced] {
                    pair.client.send(client, 2, &Packet::new(vec![5; 100]), delivery).expect("connected");
                    pair.run(20);
                    let event = pair.events[0].pop();
                    assert!(matches!(event, Some(Event::Received { delivery: how, channel: 2, .. }) if how == delivery));
                }
                pair.client.send(client, 0, &Packet::new(vec![5; 9000]), Delivery::Reliable).expect("connected");
                pair.run(20);
                assert!(matches!(pair.events[0].pop(), Some(Event::Received { packet, .. }) if packet.len() == 9000));
            }

            #[test]
            fn all_goodbyes_are_told_and_kill_the_handle() {
                for form in 0..3 {
                    let mut pair = Pair::new(4);
                    let [server, client] = pair.connect();
                    match form {
                        0 => pair.client.disconnect(client, 7),
                        1 => pair.client.disconnect_now(client, 7),
                        _ => pair.client.disconnect_later(client, 7),
                    }
                    pair.run(200);
                    let reason = DisconnectReason::ByPeer(7);
                    assert_eq!(pair.events[0], [Event::Disconnected { peer: server, reason }]);
                    let reason = DisconnectReason::Requested;
                    let own = (form != 1).then_some(Event::Disconnected { peer: client, reason });
                    assert_eq!(pair.events[1], Vec::from_iter(own));
                    assert_eq!(pair.server.connected_peers(), 0);
                    pair.events = [Vec::new(), Vec::new()];
                    let again = pair.connect();
                    assert_ne!(again, [server, client]);
                    pair.server.disconnect_now(server, 0);
                    assert!(pair.server.send(server, 0, &Packet::new(vec![1]), Delivery::Reliable).is_err());
                    assert_eq!(pair.server.connected_peers(), 1);
                }
            }

            #[test]
            fn who_is_refused_or_finds_no_place_is_told() {
                for is_full in [false, true] {
                    let mut pair = Pair::new(1);
                    if is_full {
                        pair.connect();
                    } else {
                        pair.verdict = Verdict::Refuse;
                    }
                    let peer = pair.client.connect(pair.now, address(1), 3, 0).expect("a free place");
                    pair.run(10);
                    let [Event::Disconnected { peer: told, reason }] = pair.events[1][..] else {
                        panic!("{:?}", pair.events[1]);
                    };
                    assert!(told == peer && matches!(reason, DisconnectReason::ByPeer(_)));
                }
            }

            #[test]
            fn damaged_datagrams_do_not_panic() {
                let mut pair = Pair::new(8);
                pair.damage = 50;
                for _ in 0..20 {
                    let _ = pair.client.connect(pair.now, address(1), 3, 9);
                    for _ in 0..50 {
                        for peer in pair.client.peers().collect::<Vec<_>>() {
                            let _ = pair.client.send(peer, 1, &Packet::new(vec![1; 3000]), Delivery::Reliable);
                            let _ = pair.client.send(peer, 1, &Packet::new(vec![1; 3000]), Delivery::Sequenced);
                        }
                        pair.run(2);
                    }
                }
                assert!(pair.server.figures().datagrams_dropped > 500);
            }
        }
    };
}

pair_tests!(reference, nme_reference::Host, nme_reference::Host);
pair_tests!(reference_server, nme_reference::Host, nme_enet::Host);
pair_tests!(reference_client, nme_enet::Host, nme_reference::Host);
