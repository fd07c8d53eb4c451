//! Hosts whose owner sleeps until a datagram comes or [`Host::poll_timeout`] says so, and what it bounds.

use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::{
    Config, ConnectRequest, Delivery, DropReason, Event, Host, Packet, PeerHandle, SendError, Sending,
    Verdict,
};
use nme_netem::{Bandwidth, Link, Network};

const MS: Duration = Duration::from_millis(1);

fn address(host: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4000 + host as u16))
}

struct Pair {
    now: Duration,
    network: Network,
    hosts: [Host; 2],
    peers: [Option<PeerHandle>; 2],
    received: Vec<Packet>,
    overflows: usize,
    wakes: usize,
}

impl Pair {
    fn new(link: Link, server: Config) -> Self {
        Self::with(link, server, Config::client(2))
    }

    fn with(link: Link, server: Config, client: Config) -> Self {
        let mut network = Network::new(5);
        network.set_default(link);
        let mut pair = Self {
            now: MS * 1000,
            network,
            hosts: [Host::new(server), Host::new(client)],
            peers: [None; 2],
            received: Vec::new(),
            overflows: 0,
            wakes: 0,
        };
        pair.hosts[1].connect(pair.now, address(0), 3, 0).expect("a free place");
        pair.flush(1);
        pair.run(MS * 2000);
        assert!(pair.peers.iter().all(Option::is_some));
        pair
    }

    fn flush(&mut self, host: usize) {
        self.hosts[host].flush(self.now);
        self.transmit(host);
    }

    fn transmit(&mut self, host: usize) {
        let mut buffer = [0; 1392];
        while let Some(nme_enet::Transmit { to, datagram, .. }) = self.hosts[host].poll_transmit(&mut buffer)
        {
            self.network.send(self.now, address(host), to, datagram);
        }
    }

    /// Wakes each host only when something has come for it, or its time has come.
    fn run(&mut self, time: Duration) {
        self.run_with(time, |taken| taken.expect("honest"));
    }

    /// As above, where the hosts have no room for some of it.
    fn run_refusing(&mut self, time: Duration) {
        self.run_with(time, |_| {});
    }

    fn run_with(&mut self, time: Duration, check: impl Fn(Result<(), DropReason>)) {
        let end = self.now + time;
        loop {
            let timeouts = self.hosts.iter().filter_map(Host::poll_timeout);
            let Some(next) = timeouts.chain(self.network.next_arrival()).min() else { break };
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            self.wakes += 1;
            for host in [0, 1] {
                while let Some((from, datagram)) = self.network.receive(self.now, address(host)) {
                    let mut accept = |_: &ConnectRequest| Verdict::Accept;
                    check(self.hosts[host].handle_datagram(self.now, from, &datagram, &mut accept));
                }
                self.hosts[host].handle_timeout(self.now);
                while let Some(event) = self.hosts[host].poll_event() {
                    match event {
                        Event::Connected { peer, .. } => self.peers[host] = Some(peer),
                        Event::Received { packet, .. } => self.received.push(packet),
                        Event::Exceeded { .. } => self.overflows += 1,
                        Event::Disconnected { .. } => self.peers[host] = None,
                    }
                }
                self.flush(host);
            }
        }
        self.now = end;
    }

    fn send(&mut self, packet: &Packet) -> Result<Sending, SendError> {
        let peer = self.peers[0].expect("connected");
        self.hosts[0].send(peer, 1, packet, Delivery::Reliable)
    }
}

#[test]
fn a_transfer_needs_no_frames() {
    let link = Link { loss: 0.02, ..Link::delayed(30 * MS) };
    let mut pair = Pair::new(link, Config::server(4, 1));
    let packet = Packet::new(vec![9; 12 << 20]);
    assert_eq!(pair.send(&packet), Ok(Sending::Queued));
    pair.flush(0);
    pair.run(MS * 4000);
    assert_eq!(pair.received, [packet]);
}

#[test]
fn an_idle_pair_wakes_for_pings_only() {
    let mut pair = Pair::new(Link::delayed(30 * MS), Config::server(4, 1));
    pair.wakes = 0;
    pair.run(MS * 60_000);
    // Two pings and their acknowledgements twice a second, and a timer for each.
    assert!(pair.wakes < 60 * 2 * 10, "{}", pair.wakes);
}

#[test]
fn bulk_leaves_at_an_even_rate_where_there_is_a_timer() {
    let link = Link {
        bandwidth: Some(Bandwidth { bytes_per_second: 20_000_000, queue: 200_000 }),
        ..Link::delayed(40 * MS)
    };
    let mut pair = Pair::new(link, Config::server(4, 1));
    let packet = Packet::new(vec![9; 16 << 20]);
    pair.send(&packet).expect("connected");
    pair.flush(0);
    pair.run(MS * 6000);
    assert_eq!(pair.received.len(), 1);
    let counters = pair.network.counters();
    // Doubling overshoots once; a window at once in each round trip would overflow in every one.
    assert!(counters.overflowed * 15 < counters.sent, "{counters:?}");
}

#[test]
fn a_slow_reader_is_reported_once() {
    let mut config = Config::server(4, 1);
    config.unacknowledged_limit = 1 << 20;
    let mut pair = Pair::new(Link::delayed(30 * MS), config);
    pair.network.set_default(Link::DOWN);
    let packet = Packet::new(vec![1; 100_000]);
    let sent: Vec<_> = (0..20).map(|_| pair.send(&packet)).collect();
    assert_eq!(sent.iter().filter(|sent| **sent == Ok(Sending::Queued)).count(), 10);
    assert_eq!(sent[19], Ok(Sending::Overflow));
    let figures = pair.hosts[0].peer_figures(pair.peers[0].expect("connected")).expect("connected");
    assert_eq!((figures.unacknowledged, figures.waiting), (1_000_000, 1_000_000));
    pair.run(MS * 600);
    assert_eq!(pair.overflows, 1);
    // A tiny packet counts as what it costs.
    let tiny = Packet::new(vec![1]);
    assert_eq!(pair.send(&tiny), Ok(Sending::Queued));
    let figures = pair.hosts[0].peer_figures(pair.peers[0].expect("connected")).expect("connected");
    assert_eq!(figures.unacknowledged, 1_000_256);
}

#[test]
fn wrong_sends_are_refused() {
    let mut config = Config::server(4, 1);
    config.max_packet = 10_000;
    let mut pair = Pair::new(Link::delayed(MS), config);
    let peer = pair.peers[0].expect("connected");
    let mut send =
        |channel, len| pair.hosts[0].send(peer, channel, &Packet::new(vec![0; len]), Delivery::Sequenced);
    assert_eq!(send(3, 10), Err(SendError::Channel));
    assert_eq!(send(0, 0), Err(SendError::Empty));
    assert_eq!(send(0, 10_001), Err(SendError::TooLarge));
    assert_eq!(send(0, 10_000), Ok(Sending::Queued));
    pair.hosts[0].disconnect(peer, 0);
    assert_eq!(
        pair.hosts[0].send(peer, 0, &Packet::new(vec![1]), Delivery::Reliable),
        Err(SendError::NotConnected)
    );
}

#[test]
fn a_large_window_does_not_leave_at_once() {
    let mut pair = Pair::new(Link::delayed(40 * MS), Config::server(4, 1));
    let packet = Packet::new(vec![9; 16 << 20]);
    pair.send(&packet).expect("connected");
    pair.flush(0);
    pair.run(MS * 3000);
    let peer = pair.peers[0].expect("connected");
    assert!(pair.hosts[0].peer_figures(peer).expect("connected").window > 3 << 20);
    let before = pair.network.counters().sent;
    let packet = Packet::new(vec![8; 3 << 20]);
    pair.send(&packet).expect("connected");
    pair.flush(0);
    let at_once = (pair.network.counters().sent - before) * 1392;
    assert!(at_once < 3 << 19, "{at_once}");
    pair.run(MS * 300);
    assert_eq!(pair.received.last(), Some(&packet));
}

/// Packets of two sources wait on one channel, and both are to leave before a later packet on another one.
#[test]
fn what_hurries_goes_on_to_hurry_when_something_earlier_does() {
    let mut pair = Pair::new(Link::delayed(30 * MS), Config::server(4, 1));
    let peer = pair.peers[0].expect("connected");
    let [early, late] = [1, 2].map(|source| Packet::new(vec![source; 200_000]));
    for packet in [&early, &late, &late] {
        pair.hosts[0].send(peer, 1, packet, Delivery::Reliable).expect("connected");
    }
    for source in [2, 1] {
        pair.hosts[0].hurry(peer, |packet| packet[0] == source);
    }
    let last = Packet::new(vec![3; 8]);
    pair.hosts[0].send(peer, 0, &last, Delivery::Reliable).expect("connected");
    pair.flush(0);
    pair.run(MS * 3000);
    assert_eq!(pair.received, [early, late.clone(), late, last]);
}

/// How long after everything is lost the server gives its client up.
fn given_up_after(mut pair: Pair, while_silent: impl FnOnce(&mut Host, PeerHandle)) -> Duration {
    pair.network.set_default(Link::DOWN);
    pair.send(&Packet::new(vec![1])).expect("connected");
    pair.flush(0);
    let start = pair.now;
    pair.run(MS * 2000);
    let peer = pair.peers[0].expect("connected");
    while_silent(&mut pair.hosts[0], peer);
    while pair.peers[0].is_some() {
        assert!(pair.now < start + MS * 200_000, "never");
        pair.run(MS * 100);
    }
    pair.now - start
}

#[test]
fn new_timeouts_count_for_a_silence_that_lasts() {
    let pair = || Pair::new(Link::delayed(30 * MS), Config::server(4, 1));
    let usual = given_up_after(pair(), |_, _| {});
    assert!(usual > MS * 5000, "{usual:?}");
    let shorter = given_up_after(pair(), |host, peer| host.set_timeout(peer, 1, 100, 3000));
    assert!(shorter <= MS * 3500, "{shorter:?}");
    let longer = given_up_after(pair(), |host, peer| host.set_timeout(peer, 1_000_000, 20_000, 40_000));
    assert!((MS * 40_000..MS * 80_000).contains(&longer), "{longer:?}");
}

/// The client has no room for a large packet, so its fragments are repeated for as long as small ones are acknowledged.
#[test]
fn what_was_repeated_before_a_silence_does_not_prolong_it() {
    let mut client = Config::client(2);
    client.reassembly_limit = 0;
    let mut pair = Pair::with(Link::delayed(30 * MS), Config::server(4, 1), client);
    let peer = pair.peers[0].expect("connected");
    pair.hosts[0].send(peer, 0, &Packet::new(vec![7; 5000]), Delivery::Reliable).expect("connected");
    for _ in 0..20 {
        pair.send(&Packet::new(vec![1])).expect("connected");
        pair.flush(0);
        pair.run_refusing(MS * 2000);
    }
    assert_eq!(pair.received.len(), 20);
    let figures = pair.hosts[0].peer_figures(peer).expect("connected");
    assert!(figures.unacknowledged > 0 && figures.commands_lost > 40, "{figures:?}");
    let time = given_up_after(pair, |_, _| {});
    assert!(time < MS * 40_000, "{time:?}");
}
