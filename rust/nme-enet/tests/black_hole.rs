//! Paths that lose long datagrams and tell nobody: what still arrives, when such a connection ends and why.

use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::{
    Config, ConnectRequest, Delivery, DisconnectReason, Event, Host, Packet, PeerHandle, Verdict,
};
use nme_netem::{Link, Network};

const MS: Duration = Duration::from_millis(1);
const FRAME: Duration = Duration::from_millis(16);

/// Channels of packets that may be long, and of short ones.
const LONG: u8 = 1;
const SHORT: u8 = 2;

const SERVER: usize = 0;
const CLIENT: usize = 1;

fn address(host: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4000 + host as u16))
}

/// A server and a client that play in frames.
struct Pair {
    now: Duration,
    network: Network,
    hosts: [Host; 2],
    peers: [Option<PeerHandle>; 2],
    /// Lengths and channels of what has come, by receiver.
    received: [Vec<(u8, usize)>; 2],
    ends: [Option<(Duration, DisconnectReason)>; 2],
    longest: usize,
}

impl Pair {
    fn new(link: Link, seed: u64, mtus: [u16; 2]) -> Self {
        let mut network = Network::new(seed);
        network.set_default(Link { loss: 0.0, ..link });
        let configs = [Config::server(4, 1), Config::client(2)];
        let mut mtus = mtus.into_iter();
        let hosts = configs.map(|config| {
            let mtu = mtus.next().expect("two");
            Host::new(Config { mtu, peer_mtu: 576..=1392, ..config })
        });
        let received = [Vec::new(), Vec::new()];
        let mut pair =
            Self { now: MS * 1000, network, hosts, peers: [None; 2], received, ends: [None; 2], longest: 0 };
        pair.hosts[CLIENT].connect(pair.now, address(SERVER), 3, 0).expect("a free place");
        pair.run(MS * 2000, |_, _| {});
        assert!(pair.peers.iter().all(Option::is_some));
        pair.network.set_default(link);
        pair
    }

    /// A path on which this is the longest datagram.
    fn over(longest: usize) -> Self {
        Self::new(Link { longest: Some(longest), ..Link::delayed(20 * MS) }, 5, [1392; 2])
    }

    /// Plays frames, in each of which `game` may send, until the time is over or both ends are.
    fn run(&mut self, time: Duration, mut game: impl FnMut(&mut Self, u32)) {
        let end = self.now + time;
        let mut frame = 0;
        while self.now < end && self.ends.iter().any(Option::is_none) {
            self.now += FRAME;
            game(self, frame);
            frame += 1;
            for host in [SERVER, CLIENT] {
                self.frame(host);
            }
        }
    }

    fn frame(&mut self, host: usize) {
        while let Some((from, datagram)) = self.network.receive(self.now, address(host)) {
            let mut accept = |_: &ConnectRequest| Verdict::Accept;
            // What comes behind the end is refused.
            let _ = self.hosts[host].handle_datagram(self.now, from, &datagram, &mut accept);
        }
        self.hosts[host].handle_timeout(self.now);
        while let Some(event) = self.hosts[host].poll_event() {
            match event {
                Event::Connected { peer, .. } => self.peers[host] = Some(peer),
                Event::Received { channel, packet, .. } => self.received[host].push((channel, packet.len())),
                Event::Disconnected { reason, .. } => self.ends[host] = Some((self.now, reason)),
                Event::Exceeded { .. } => panic!("so much was not sent"),
            }
        }
        self.hosts[host].flush(self.now);
        let mut buffer = [0; 1392];
        while let Some(nme_enet::Transmit { to, datagram, .. }) = self.hosts[host].poll_transmit(&mut buffer)
        {
            self.longest = self.longest.max(datagram.len());
            self.network.send(self.now, address(host), to, datagram);
        }
    }

    fn send(&mut self, host: usize, channel: u8, len: usize) {
        let packet = Packet::new(vec![channel; len]);
        let peer = self.peers[host].expect("connected");
        // Its connection may have ended.
        let _ = self.hosts[host].send(peer, channel, &packet, Delivery::Reliable);
    }

    fn received(&self, host: usize, channel: u8) -> usize {
        self.received[host].iter().filter(|(found, _)| *found == channel).count()
    }

    /// The server has given up, by itself and in time, and the client has been told.
    fn assert_long_lost(&self) {
        let [Some((at, server)), Some((_, client))] = self.ends else { panic!("{:?}", self.ends) };
        let told = DisconnectReason::ByPeer(DisconnectReason::LONG_LOST_DATA);
        assert_eq!((server, client), (DisconnectReason::LongLost, told));
        // Stock ENet gives up a single command after 5 to 20 seconds, too.
        assert!((MS * 5000..MS * 25_000).contains(&(at - MS * 3000)), "{at:?}");
    }
}

#[test]
fn a_connection_with_long_packets_only_ends_for_that_reason() {
    let mut pair = Pair::over(548);
    pair.run(MS * 60_000, |pair, frame| {
        if frame % 60 == 0 {
            pair.send(SERVER, LONG, 1300);
        }
    });
    pair.assert_long_lost();
}

#[test]
fn short_packets_arrive_until_a_connection_ends_that_loses_long_ones() {
    for longest in [548, 800, 1391] {
        let mut pair = Pair::over(longest);
        let mut sent = 0;
        pair.run(MS * 60_000, |pair, frame| {
            if frame == 20 {
                pair.send(SERVER, LONG, 20_000);
            }
            if pair.ends[SERVER].is_none() && frame % 6 == 0 {
                pair.send(SERVER, SHORT, 40);
                pair.send(CLIENT, SHORT, 40);
                sent += 1;
            }
        });
        pair.assert_long_lost();
        assert_eq!(pair.received(CLIENT, LONG), 0);
        // The last ones may be on their way.
        let received = [SERVER, CLIENT].map(|host| pair.received(host, SHORT));
        assert!(received.iter().all(|received| *received + 2 >= sent), "{received:?} of {sent}");
    }
}

#[test]
fn many_short_packets_need_no_long_datagrams() {
    let mut pair = Pair::over(548);
    let mut sent = 0;
    pair.run(MS * 30_000, |pair, _| {
        for _ in 0..25 {
            pair.send(SERVER, SHORT, 40);
            sent += 1;
        }
    });
    pair.run(MS * 1000, |_, _| {});
    assert_eq!((pair.ends, pair.received(CLIENT, SHORT)), ([None; 2], sent));
}

#[test]
fn a_smaller_mtu_on_either_side_fits_through() {
    for mtus in [[772, 1392], [1392, 772], [576, 772]] {
        let link = Link { longest: Some(772), ..Link::delayed(20 * MS) };
        let mut pair = Pair::new(link, 5, mtus);
        let mut sent = 0;
        pair.run(MS * 20_000, |pair, frame| {
            if frame % 10 == 0 {
                pair.send(SERVER, LONG, 5000);
                pair.send(CLIENT, LONG, 5000);
                sent += 1;
            }
        });
        pair.run(MS * 1000, |_, _| {});
        assert_eq!((pair.ends, pair.longest), ([None; 2], mtus[0].min(mtus[1]).into()));
        assert_eq!([SERVER, CLIENT].map(|host| pair.received(host, LONG)), [sent; 2]);
    }
}

#[test]
fn loss_by_chance_is_not_taken_for_lost_long_datagrams() {
    for seed in 0..30 {
        let mut pair = Pair::new(Link { loss: 0.3, ..Link::delayed(40 * MS) }, seed, [1392; 2]);
        pair.run(MS * 60_000, |pair, frame| {
            if frame % 10 == 0 {
                pair.send(SERVER, LONG, 3000);
                pair.send(SERVER, SHORT, 40);
            }
        });
        assert!(!pair.ends.iter().flatten().any(|(_, reason)| *reason == DisconnectReason::LongLost));
    }
}

#[test]
fn a_peer_that_is_gone_is_given_up_as_before() {
    let ends = [1300, 40].map(|len| {
        let mut pair = Pair::new(Link::delayed(20 * MS), 5, [1392; 2]);
        pair.network.set_default(Link::DOWN);
        pair.run(MS * 60_000, |pair, frame| {
            if frame % 60 == 0 {
                pair.send(SERVER, LONG, len);
            }
        });
        pair.ends[SERVER]
    });
    assert_eq!(ends[0], ends[1]);
    assert!(matches!(ends[0], Some((_, DisconnectReason::TimedOut))), "{ends:?}");
}
