//! Seeded programs, played by pairs of either engine: what arrives, in which order, and what is reported must be the
//! same. What differs by design:
//!
//! - How much arrives of what was under way when a connection ends without waiting: that depends on when datagrams left.
//!   Reliable packets must be a beginning of those sent.
//! - Stock ENet throws away what it has read but not reported when it reads a disconnect; ours reports it. So unreliable
//!   packets right in front of a careful disconnect may be missing.
//! - The order of packets on different channels.
//! - With loss, which unreliable packets arrive. They must be some of those sent, once each, and the sequenced in order.
//! - The same goes for a throttle that may fall, and for bandwidth limits: what a queue is, and which packets are dropped
//!   then, each engine judges by itself. Only that both sides go on, and all reliable packets arrive, is the same.
//!
//! `NME_PROGRAMS` sets how many programs are played, `NME_SEED` the first.

use std::time::Duration;

use nme_enet::Delivery;
use nme_netem::{Link, Random};
use nme_testing::engines::{Goodbye, Kind, Note, World, address};

#[derive(Clone, Debug)]
enum Step {
    Send {
        from: usize,
        to: usize,
        channel: u8,
        delivery: Delivery,
        len: usize,
    },
    Run {
        millis: u64,
    },
    /// Everything that is under way arrives.
    Settle,
    Disconnect {
        from: usize,
        to: usize,
        goodbye: Goodbye,
    },
    Reconnect {
        client: usize,
    },
    /// The sides agree on how the share of unreliable packets moves: interval in ms, then steps of 32.
    Throttle {
        from: usize,
        to: usize,
        settings: (u32, u32, u32),
    },
}

#[derive(Clone, Debug)]
struct Program {
    seed: u64,
    clients: usize,
    channels: u8,
    link: Link,
    frame: u64,
    /// Bytes/s in and out, of the server and of each client; 0 is no limit.
    bandwidth: [(u32, u32); 2],
    steps: Vec<Step>,
}

impl Program {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let clients = random.within(1..4);
        let channels = *random.pick(&[1, 2, 3, 8]);
        let latency = Duration::from_millis(*random.pick(&[0, 1, 10, 40, 120]));
        let mut link = Link::delayed(latency);
        if random.chance(0.5) {
            link.loss = *random.pick(&[0.01, 0.03, 0.05]);
            link.duplicate = *random.pick(&[0.0, 0.05]);
            link.reorder = *random.pick(&[0.0, 0.1]);
            link.reorder_delay = Duration::from_millis(20);
            link.jitter = Duration::from_millis(*random.pick(&[0, 10]));
        }
        let is_limited = random.chance(0.2);
        let bandwidth = [(); 2].map(|()| {
            let mut limit = || if is_limited { *random.pick(&[0, 100_000, 500_000]) } else { 0 };
            (limit(), limit())
        });
        let mut steps = Vec::new();
        for _ in 0..random.within(5..60) {
            let client = 1 + random.within(0..clients);
            let (from, to) = if random.chance(0.5) { (0, client) } else { (client, 0) };
            steps.push(match random.within(0..100) {
                0..66 => {
                    let len = match random.within(0..20) {
                        0..10 => 8 + random.within(0..200),
                        10..15 => 1300 + random.within(0..200),
                        15..19 => 8 + random.within(0..20_000),
                        _ => 8 + random.within(0..300_000),
                    };
                    let delivery =
                        *random.pick(&[Delivery::Reliable, Delivery::Unsequenced, Delivery::Sequenced]);
                    let channel = random.within(0..channels.into()) as u8;
                    Step::Send { from, to, channel, delivery, len }
                }
                66..70 => {
                    let interval = *random.pick(&[0, 1, 100, 1000, 5000, 60_000]);
                    let acceleration = *random.pick(&[0, 2, 32]);
                    let deceleration = *random.pick(&[0, 0, 0, 2, 32]);
                    Step::Throttle { from, to, settings: (interval, acceleration, deceleration) }
                }
                70..90 => Step::Run { millis: 1 + random.within(0..200) as u64 },
                90..94 => Step::Settle,
                94..97 => {
                    let goodbye = *random.pick(&[Goodbye::Plain, Goodbye::Now, Goodbye::Later]);
                    Step::Disconnect { from, to, goodbye }
                }
                _ => Step::Reconnect { client },
            });
        }
        steps.push(Step::Settle);
        let frame = *random.pick(&[1, 5, 16]);
        Self { seed, clients, channels, link, frame, bandwidth, steps }
    }

    fn is_lossy(&self) -> bool {
        self.link.loss > 0.0
    }

    fn is_limited(&self) -> bool {
        self.bandwidth != [(0, 0); 2]
    }

    /// True when something that is sent in time may be dropped.
    fn drops(&self, way: &Way) -> bool {
        self.is_lossy() || way.is_throttled || self.is_limited()
    }
}

/// What one way of one connection has carried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Way {
    /// Numbers of packets, in the order in which they were sent and received, by channel and delivery.
    sent: Vec<(u8, Delivery, u32)>,
    received: Vec<(u8, Delivery, u32)>,
    /// It was cut while packets were under way.
    was_cut: bool,
    /// Unreliable packets were under way when it was ended with care.
    is_open_end: bool,
    /// Its throttle may fall.
    is_throttled: bool,
}

/// What a program comes to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    /// By client and number of its connection: towards the server and back.
    ways: Vec<((usize, usize), [Way; 2])>,
    /// Of each host: what was connected and disconnected.
    reports: Vec<Vec<String>>,
}

struct Player {
    world: World,
    program: Program,
    /// Number of the connection that each client is in, and whether it is open.
    connection: Vec<(usize, bool)>,
    ways: std::collections::BTreeMap<(usize, usize), [Way; 2]>,
    number: u32,
    /// Who reports the end of its connection only when the other one acknowledges it.
    taken: Vec<usize>,
}

fn payload(connection: usize, number: u32, delivery: Delivery, len: usize) -> Vec<u8> {
    let kind = match delivery {
        Delivery::Reliable => 0,
        Delivery::Unsequenced => 1,
        Delivery::Sequenced => 2,
    };
    let mut bytes = vec![kind, connection as u8, 0, 0];
    bytes.extend(number.to_be_bytes());
    bytes.extend((8..len).map(|place| (place as u32 ^ number) as u8));
    bytes
}

fn read(bytes: &[u8]) -> (usize, u32, Delivery) {
    let delivery = [Delivery::Reliable, Delivery::Unsequenced, Delivery::Sequenced][usize::from(bytes[0])];
    let number = u32::from_be_bytes(bytes[4..8].try_into().expect("4 bytes"));
    for (place, byte) in bytes.iter().enumerate().skip(8) {
        assert_eq!(*byte, (place as u32 ^ number) as u8, "the payload is as it was");
    }
    (bytes[1].into(), number, delivery)
}

impl Player {
    fn new(program: &Program, server: Kind, client: Kind) -> Self {
        let mut world =
            World::limited(server, client, program.clients, program.link, program.seed, program.bandwidth);
        world.frame = Duration::from_millis(program.frame);
        let connection = vec![(0, false); program.clients + 1];
        let taken = vec![0; program.clients + 1];
        Self { world, program: program.clone(), connection, ways: Default::default(), number: 0, taken }
    }

    fn play(mut self) -> Outcome {
        for client in 1..=self.program.clients {
            self.connect(client);
        }
        for step in self.program.steps.clone() {
            match step {
                Step::Send { from, to, channel, delivery, len } => {
                    self.send(from, to, channel, delivery, len);
                }
                Step::Run { millis } => self.world.run(Duration::from_millis(millis)),
                Step::Settle => self.settle(),
                Step::Disconnect { from, to, goodbye } => self.disconnect(from, to, goodbye),
                Step::Throttle { from, to, settings } => self.throttle(from, to, settings),
                Step::Reconnect { client } => {
                    if !self.connection[client].1 {
                        self.connect(client);
                    }
                }
            }
            self.collect();
        }
        let mut outcome = Outcome { ways: self.ways.into_iter().collect(), reports: Vec::new() };
        for (host, notes) in self.world.notes.iter().enumerate() {
            let of_peer = |peer: usize| {
                let address = address(peer);
                notes.iter().filter_map(move |(_, note)| match note {
                    Note::Connected { peer, data } if *peer == address => {
                        Some(format!("{host} connected {data}"))
                    }
                    Note::Disconnected { peer } if *peer == address => Some(format!("{host} disconnected")),
                    _ => None,
                })
            };
            (0..self.world.hosts.len()).for_each(|peer| outcome.reports.push(of_peer(peer).collect()));
        }
        outcome
    }

    fn connect(&mut self, client: usize) {
        let (number, open) = &mut self.connection[client];
        *number += 1;
        *open = true;
        let data = (client * 100 + *number) as u32;
        let (now, channels) = (self.world.now, self.program.channels);
        let before = [0, client].map(|host| self.count(host, client, true));
        self.world.hosts[client].connect(now, address(0), channels, data);
        let is_done = self.world.run_until(Duration::from_secs(29), |world| {
            let count = |host: usize| {
                let peer = address(if host == 0 { client } else { 0 });
                let is = |note: &Note| matches!(note, Note::Connected { peer: who, .. } if *who == peer);
                world.notes[host].iter().filter(|(_, note)| is(note)).count()
            };
            count(0) > before[0] && count(client) > before[1]
        });
        assert!(is_done, "client {client} is connected");
    }

    fn count(&self, host: usize, client: usize, connected: bool) -> usize {
        let other = address(if host == 0 { client } else { 0 });
        let is = |note: &Note| match note {
            Note::Connected { peer, .. } => connected && *peer == other,
            Note::Disconnected { peer } => !connected && *peer == other,
            Note::Received { .. } => false,
        };
        self.world.notes[host].iter().filter(|(_, note)| is(note)).count()
    }

    fn send(&mut self, from: usize, to: usize, channel: u8, delivery: Delivery, len: usize) {
        let client = from.max(to);
        let (connection, is_open) = self.connection[client];
        if !is_open {
            return;
        }
        self.number += 1;
        let bytes = payload(connection, self.number, delivery, len);
        assert!(self.world.hosts[from].send(address(to), channel, &bytes, delivery));
        let way = &mut self.ways.entry((client, connection)).or_default()[usize::from(from == 0)];
        way.sent.push((channel, delivery, self.number));
    }

    fn throttle(&mut self, from: usize, to: usize, settings: (u32, u32, u32)) {
        let client = from.max(to);
        let (connection, is_open) = self.connection[client];
        if is_open {
            self.world.hosts[from].set_throttle(address(to), settings);
            let ways = self.ways.entry((client, connection)).or_default();
            ways.iter_mut().for_each(|way| way.is_throttled |= settings.2 > 0);
        }
    }

    /// Runs until all reliable packets have arrived, and unreliable ones had time to.
    fn settle(&mut self) {
        let end = self.world.now + LONGEST_TRANSFER;
        loop {
            self.world.run(Duration::from_millis(300));
            self.collect();
            if self.is_settled() {
                break;
            }
            assert!(self.world.now < end, "everything arrives");
        }
        self.world.run(Duration::from_millis(700));
        self.collect();
    }

    fn is_settled(&self) -> bool {
        let is_reliable = |(_, delivery, _): &&(u8, Delivery, u32)| *delivery == Delivery::Reliable;
        self.ways.values().flatten().filter(|way| !way.was_cut).all(|way| {
            way.sent.iter().filter(is_reliable).count() == way.received.iter().filter(is_reliable).count()
        })
    }

    fn disconnect(&mut self, from: usize, to: usize, goodbye: Goodbye) {
        let client = from.max(to);
        if !self.connection[client].1 {
            return;
        }
        self.collect();
        self.connection[client].1 = false;
        let key = (client, self.connection[client].0);
        let ways = self.ways.entry(key).or_default();
        for (index, way) in ways.iter_mut().enumerate() {
            // What the one who leaves has queued arrives when it leaves later.
            let is_own = index == usize::from(from == 0);
            let open = way.sent.len() != way.received.len();
            way.was_cut |= open && !(goodbye == Goodbye::Later && is_own);
            way.is_open_end |= open;
        }
        self.world.hosts[from].disconnect(address(to), goodbye, 7);
        let before = [from, to].map(|host| self.count(host, client, false));
        // One notice that may get lost: then the other side finds out by itself.
        let start = self.world.now;
        while self.world.now < start + LONGEST_TRANSFER {
            let now = [from, to].map(|host| self.count(host, client, false));
            if now[1] > before[1] && (goodbye == Goodbye::Now || now[0] > before[0]) {
                break;
            }
            self.world.step();
        }
        self.collect();
        assert!(self.count(to, client, false) > before[1], "{to} is told");
        self.world.run(Duration::from_millis(500));
    }

    /// Sorts what has been received.
    fn collect(&mut self) {
        for host in 0..self.world.hosts.len() {
            let notes = self.world.notes[host][self.taken[host]..].to_vec();
            self.taken[host] = self.world.notes[host].len();
            for (_, note) in notes {
                let Note::Received { peer, channel, bytes } = note else { continue };
                let other = usize::from(peer.port() - 4000);
                let (connection, number, delivery) = read(&bytes);
                let way = self.ways.entry((host.max(other), connection)).or_default();
                way[usize::from(other == 0)].received.push((channel, delivery, number));
            }
        }
    }
}

/// Within bandwidth limits, stock ENet has only 4096 bytes in flight at times.
const LONGEST_TRANSFER: Duration = Duration::from_secs(200);

/// What is received of one kind on one channel.
fn of(packets: &[(u8, Delivery, u32)], channel: u8, delivery: Delivery) -> Vec<u32> {
    packets
        .iter()
        .filter(|packet| (packet.0, packet.1) == (channel, delivery))
        .map(|packet| packet.2)
        .collect()
}

/// What must hold whoever plays.
fn check_alone(program: &Program, outcome: &Outcome) {
    for (key, ways) in &outcome.ways {
        for way in ways {
            for channel in 0..program.channels {
                let [sent, received] =
                    [&way.sent, &way.received].map(|it| of(it, channel, Delivery::Reliable));
                if way.was_cut {
                    assert!(sent.starts_with(&received), "{key:?}: reliable packets in order");
                } else {
                    assert_eq!(sent, received, "{key:?}: reliable packets in order");
                }
                for delivery in [Delivery::Unsequenced, Delivery::Sequenced] {
                    let [sent, received] = [&way.sent, &way.received].map(|it| of(it, channel, delivery));
                    let mut sorted = received.clone();
                    sorted.sort_unstable();
                    if delivery == Delivery::Sequenced {
                        assert_eq!(sorted, received, "{key:?}: sequenced packets in order");
                    }
                    sorted.dedup();
                    assert_eq!(sorted.len(), received.len(), "{key:?}: each packet once");
                    assert!(received.iter().all(|number| sent.contains(number)));
                    if !program.drops(way) && !way.is_open_end {
                        assert_eq!(sent, sorted, "{key:?}: nothing is lost on a link without loss");
                    }
                }
            }
        }
    }
}

/// What two pairs must have in common.
fn check_together(program: &Program, ours: &Outcome, judge: &Outcome) {
    assert_eq!(ours.reports, judge.reports, "the same events");
    assert_eq!(ours.ways.len(), judge.ways.len());
    for ((key, ours), (other, judge)) in ours.ways.iter().zip(&judge.ways) {
        assert_eq!(key, other);
        for (ours, judge) in ours.iter().zip(judge) {
            assert_eq!(ours.sent, judge.sent);
            if ours.was_cut || judge.was_cut {
                continue;
            }
            for channel in 0..program.channels {
                let [ours_got, judge_got] = [ours, judge].map(|way| {
                    let packets = way.received.iter();
                    let here = packets.filter(|packet| {
                        let all = !program.drops(ours) && !ours.is_open_end && !judge.is_open_end;
                        packet.0 == channel && (packet.1 == Delivery::Reliable || all)
                    });
                    let on_channel: Vec<_> =
                        here.filter(|packet| packet.1 != Delivery::Unsequenced).collect();
                    on_channel
                });
                assert_eq!(ours_got, judge_got, "{key:?}: the same order on channel {channel}");
            }
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn both_engines_come_to_the_same() {
    let first = number("NME_SEED", 1);
    let programs = number("NME_PROGRAMS", 200);
    let mut skipped = 0;
    for seed in first..first + programs {
        let program = Program::new(seed);
        let play = |server, client| {
            std::panic::catch_unwind(|| {
                let outcome = Player::new(&program, server, client).play();
                check_alone(&program, &outcome);
                outcome
            })
        };
        // On a bad link, or within bandwidth limits, stock ENet itself now and then does not manage what a program
        // asks for.
        let Ok(judge) = play(Kind::Judge, Kind::Judge) else {
            assert!(program.is_lossy() || program.is_limited(), "seed {seed}: {program:?}");
            skipped += 1;
            continue;
        };
        for (server, client) in
            [(Kind::Ours, Kind::Ours), (Kind::Ours, Kind::Judge), (Kind::Judge, Kind::Ours)]
        {
            let outcome = play(server, client);
            let result = outcome
                .map(|outcome| std::panic::catch_unwind(|| check_together(&program, &outcome, &judge)));
            assert!(matches!(result, Ok(Ok(()))), "seed {seed}: {server:?} serves {client:?}: {program:?}");
        }
    }
    assert!(skipped * 50 <= programs, "{skipped} of {programs} were too much for stock ENet");
}
