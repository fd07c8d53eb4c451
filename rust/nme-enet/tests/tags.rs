//! Two ends that put tags behind their datagrams.

mod raw;

use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::DropReason::Tag;
use nme_enet::wire::{Body, CONTROL_CHANNEL, code};
use nme_enet::{Config, Delivery, DisconnectReason, Event, Host, PeerHandle, TAG_LEN, TagKey};
use raw::{Bench, accept, address, command, datagram, ping, reliable};

const KEY: TagKey = TagKey::new(*b"0123456789abcdef");
const STEP: Duration = Duration::from_millis(10);
const SECOND: Duration = Duration::from_secs(1);

/// A server and a client, without a network between them.
struct Pair {
    hosts: [Host; 2],
    now: Duration,
    events: [Vec<Event>; 2],
    /// Every datagram that was sent, with the number of its host.
    sent: Vec<(usize, Vec<u8>)>,
    /// What this host sends is lost.
    mute: Option<usize>,
}

fn address_of(host: usize) -> SocketAddr {
    address(7000 + host as u16)
}

impl Pair {
    fn connected() -> Self {
        let mut pair = Self {
            hosts: [Host::new(Config::server(4, 1)), Host::new(Config::client(2))],
            now: SECOND,
            events: [Vec::new(), Vec::new()],
            sent: Vec::new(),
            mute: None,
        };
        pair.hosts[1].connect(pair.now, address_of(0), 3, 7).expect("a place");
        pair.run(SECOND);
        pair
    }

    /// The same, and the client has got the key.
    fn tagged() -> Self {
        let mut pair = Self::connected();
        let [server, client] = [pair.peer(0), pair.peer(1)];
        assert!(pair.hosts[0].offer_tags(server, KEY));
        assert!(pair.hosts[1].begin_tags(client, KEY));
        pair.run(5 * SECOND);
        pair
    }

    fn peer(&self, host: usize) -> PeerHandle {
        self.hosts[host].peers().next().expect("a peer")
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += STEP;
            for from in [0, 1] {
                self.hosts[from].handle_timeout(self.now);
                self.hosts[from].flush(self.now);
                let mut buffer = [0; 1400];
                while let Some(nme_enet::Transmit { datagram: bytes, .. }) =
                    self.hosts[from].poll_transmit(&mut buffer)
                {
                    self.sent.push((from, bytes.to_vec()));
                    if self.mute != Some(from) {
                        let _ = self.hosts[1 - from].handle_datagram(
                            self.now,
                            address_of(from),
                            bytes,
                            &mut accept,
                        );
                    }
                }
                for host in [0, 1] {
                    self.events[host].extend(std::iter::from_fn(|| self.hosts[host].poll_event()));
                }
            }
        }
    }

    fn put(&mut self, from: usize, bytes: &[u8]) {
        let (peer, packet) = (self.peer(from), self.hosts[from].packets().packet(&[bytes]));
        self.hosts[from].send(peer, 1, &packet, Delivery::Reliable).expect("sent");
    }

    fn received(&self, host: usize) -> usize {
        let packets = self.events[host].iter();
        packets
            .filter_map(
                |event| if let Event::Received { packet, .. } = event { Some(packet.len()) } else { None },
            )
            .sum()
    }

    /// The last datagram of a host.
    fn last(&self, from: usize) -> Vec<u8> {
        self.sent.iter().rfind(|(host, _)| *host == from).expect("a datagram").1.clone()
    }

    fn forge(&mut self, to: usize, bytes: &[u8]) -> Result<(), nme_enet::DropReason> {
        self.hosts[to].handle_datagram(self.now, address_of(1 - to), bytes, &mut accept)
    }
}

#[test]
fn both_sides_tag_all_datagrams_and_take_all_packets() {
    let mut pair = Pair::tagged();
    pair.sent.clear();
    for from in [0, 1] {
        assert!(pair.hosts[from].is_tagged(pair.peer(from)));
        pair.put(from, &[5; 100_000]);
    }
    pair.run(5 * SECOND);
    assert_eq!([pair.received(0), pair.received(1)], [100_000, 100_000]);
    let longest = pair.sent.iter().map(|(_, bytes)| bytes.len()).max();
    assert_eq!(longest, Some(1392 + usize::from(TAG_LEN)));
    assert_eq!(pair.hosts.each_ref().map(|host| host.figures().dropped(Tag)), [0, 0]);
}

#[test]
fn who_has_not_the_key_is_not_heard() {
    let mut pair = Pair::tagged();
    for to in [0, 1] {
        pair.put(1 - to, b"genuine");
        pair.run(SECOND);
        let genuine = pair.last(1 - to);
        let header = nme_enet::wire::Header::read(&genuine).expect("a header");
        for sequence in 0..200 {
            let body = Body::Disconnect { data: 0 };
            let commands = [command(code::DISCONNECT, CONTROL_CHANNEL, sequence, body)];
            let mut forged = datagram(header.peer, header.session, Some(5), &commands);
            assert_eq!(pair.forge(to, &forged), Err(Tag));
            forged.extend([1, 2, 3, 4]);
            assert_eq!(pair.forge(to, &forged), Err(Tag));
        }
        for (index, bit) in (2..genuine.len()).flat_map(|index| [(index, 1), (index, 0x80)]) {
            let mut damaged = genuine.clone();
            damaged[index] ^= bit;
            assert_eq!(pair.forge(to, &damaged), Err(Tag), "byte {index}");
        }
    }
    pair.run(SECOND);
    for host in [0, 1] {
        assert!(!pair.events[host].iter().any(|event| matches!(event, Event::Disconnected { .. })));
        assert_eq!(pair.received(host), 7);
    }
}

#[test]
fn every_kind_of_end_is_believed() {
    for from in [0, 1] {
        for end in [Host::disconnect, Host::disconnect_now, Host::disconnect_later] {
            let mut pair = Pair::tagged();
            let peer = pair.peer(from);
            end(&mut pair.hosts[from], peer, 9);
            pair.run(SECOND);
            let ended = DisconnectReason::ByPeer(9);
            let has_ended =
                |event: &Event| matches!(event, Event::Disconnected { reason, .. } if *reason == ended);
            assert!(pair.events[1 - from].iter().any(has_ended), "by host {from}");
            assert_eq!(pair.hosts.each_ref().map(|host| host.peers().count()), [0, 0]);
        }
    }
}

#[test]
fn a_client_that_was_given_up_is_told() {
    let mut pair = Pair::tagged();
    pair.mute = Some(1);
    pair.put(0, b"to nobody");
    while pair.hosts[0].peers().next().is_some() {
        pair.run(STEP);
    }
    pair.mute = None;
    pair.run(2 * SECOND);
    assert_eq!(pair.hosts[1].peers().count(), 0);
    assert_eq!(pair.hosts[1].figures().dropped(Tag), 0);
}

#[test]
fn a_stock_enet_goes_on_without_tags() {
    let mut bench = Bench::server();
    let peer = bench.handle();
    assert!(bench.host.offer_tags(peer, KEY));
    for sequence in 1..=80 {
        bench.now += SECOND / 2;
        bench.pass(&[reliable(0, sequence, 10)]);
        assert!(bench.transmit().iter().all(|(_, bytes)| bytes.len() == 10), "an acknowledgement");
    }
    assert!(!bench.host.is_tagged(peer));
    assert_eq!(bench.lengths().len(), 80);
}

#[test]
fn what_left_before_the_first_tag_may_come_behind_it() {
    let mut pair = Pair::connected();
    pair.put(1, b"before");
    pair.mute = Some(1);
    pair.run(STEP);
    let before = pair.last(1);
    pair.mute = None;
    let [server, client] = [pair.peer(0), pair.peer(1)];
    pair.hosts[0].offer_tags(server, KEY);
    pair.hosts[1].begin_tags(client, KEY);
    pair.run(SECOND);
    assert!(pair.hosts[0].is_tagged(server));
    assert_eq!(pair.forge(0, &before), Ok(()));
    pair.run(2 * SECOND);
    assert_eq!(pair.forge(0, &before), Err(Tag));
    // A ping of somebody else, in time or not.
    let header = nme_enet::wire::Header::read(&before).expect("a header");
    assert_eq!(pair.forge(0, &datagram(header.peer, header.session, Some(5), &[ping()])), Err(Tag));
    assert_eq!(pair.received(0), 6);
}
