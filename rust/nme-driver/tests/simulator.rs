//! The simulator over a driver, in virtual time: what each setting does to datagrams, in each direction.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "other tests need more of it")]
mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::datagram::DatagramBatch;
use nme_core::peer::PeerId;
use nme_core::relay::Target;
use nme_core::session::{SendOptions, Status};
use nme_driver::simulator::{Simulation, SimulationChange, preset_names};
use nme_driver::{Driver, Node};
use support::{Arrival, FakeClock, FakeSocket, MS, Machine, Pair, address, poll};

const PEER: u16 = 1;

/// The directions, from the driver's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Out,
    In,
}

const WAYS: [Way; 2] = [Way::Out, Way::In];

/// Something to drive that sends what a test gives it and keeps what comes.
struct Wire {
    ready: DatagramBatch,
    machine: Rc<Machine>,
    received: Vec<Passed>,
}

/// A datagram behind the simulator.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Passed {
    at: Duration,
    peer: SocketAddr,
    number: u32,
}

impl Node for Wire {
    type Event = ();
    const CALLS_GAME: bool = false;

    fn poll_timeout(&self) -> Duration {
        Duration::MAX
    }

    fn connect(&mut self, _: Duration, _: SocketAddr) {}

    fn fail(&mut self) {}

    fn begin_poll(&mut self, _: Duration) {}

    fn receive(&mut self, peer: SocketAddr, datagram: &[u8]) {
        self.received.push(Passed { at: self.machine.now.get(), peer, number: number(datagram) });
    }

    fn poll_event(&mut self) -> Option<()> {
        None
    }

    fn hurry(&mut self) {}

    fn handle_timeout(&mut self, _: Duration) {}

    fn flush_is_overdue(&mut self, _: Duration) -> bool {
        false
    }

    fn flush(&mut self, _: Duration) {}

    fn transmit(&mut self) -> &mut DatagramBatch {
        &mut self.ready
    }

    fn note_sent(&mut self, _: u64, _: u64) {}

    fn close(&mut self, _: Duration) {}
}

fn number(datagram: &[u8]) -> u32 {
    u32::from_be_bytes(datagram[..4].try_into().unwrap())
}

/// A driver that is polled whenever it wants to be.
struct Bench {
    driver: Driver<FakeSocket, FakeClock, Wire>,
    machine: Rc<Machine>,
    sent: Vec<Passed>,
}

impl Bench {
    fn new(settings: &str) -> Self {
        let machine = Rc::new(Machine::default());
        machine.room.set(usize::MAX);
        let wire = Wire { ready: DatagramBatch::new(), machine: Rc::clone(&machine), received: Vec::new() };
        let (socket, clock) = (FakeSocket(Rc::clone(&machine)), FakeClock(Rc::clone(&machine)));
        let driver = Driver::new(wire, socket, clock).simulating(read(settings));
        Self { driver, machine, sent: Vec::new() }
    }

    /// Gives it a datagram of some length, at the time that it is.
    fn put(&mut self, way: Way, peer: u16, number: u32, len: usize) {
        let mut datagram = vec![0; len];
        datagram[..4].copy_from_slice(&number.to_be_bytes());
        match way {
            Way::Out => self.driver.node_mut().ready.push(address(peer), &datagram),
            Way::In => {
                self.machine.arrivals.borrow_mut().push_back(Arrival::Datagram(address(peer), datagram));
            }
        }
        self.poll();
    }

    fn poll(&mut self) {
        self.driver.begin_poll();
        while self.driver.next_event().is_some() {}
        self.driver.end_poll();
        self.collect();
    }

    fn collect(&mut self) {
        let at = self.machine.now.get();
        let sent = self.machine.sent.take().into_iter();
        self.sent.extend(sent.map(|(peer, datagram)| Passed { at, peer, number: number(&datagram) }));
    }

    /// Lets time go on, from one time that the driver asks for to the next.
    fn go_to(&mut self, until: Duration) {
        loop {
            let now = self.machine.now.get();
            let next = self.driver.poll_timeout(now);
            if next > until {
                return self.machine.now.set(until);
            }
            self.machine.now.set(next.max(now));
            self.poll();
        }
    }

    fn passed(&self, way: Way) -> &[Passed] {
        match way {
            Way::Out => &self.sent,
            Way::In => &self.driver.node().received,
        }
    }

    fn change(&mut self, settings: &str) {
        self.driver.simulate(SimulationChange::Everyone(read(settings)));
    }
}

fn read(settings: &str) -> Simulation {
    settings.parse().unwrap()
}

/// What becomes of so many datagrams of 100 bytes, one every `pause`: the delay of each that passed, and its number.
fn run(settings: &str, way: Way, count: u32, pause: Duration) -> Vec<(f64, u32)> {
    let mut bench = Bench::new(&format!("seed=7,{settings}"));
    for number in 0..count {
        bench.go_to(pause * number);
        bench.put(way, PEER, number, 100);
    }
    bench.go_to(pause * count + Duration::from_secs(100));
    let delay = |passed: &Passed| (passed.at - pause * passed.number).as_secs_f64() * 1000.0;
    bench.passed(way).iter().map(|passed| (delay(passed), passed.number)).collect()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

fn assert_near(got: f64, wanted: f64, tolerance: f64, what: &str) {
    assert!((got - wanted).abs() <= tolerance, "{what}: {got}, not {wanted} within {tolerance}");
}

#[test]
fn a_delay_is_exact_and_to_the_time_that_the_driver_asks_for() {
    for way in WAYS {
        let passed = run("delay_msec=37.5", way, 100, 5 * MS);
        assert_eq!(passed, (0..100).map(|number| (37.5, number)).collect::<Vec<_>>(), "{way:?}");
    }
}

#[test]
fn jitter_is_even_around_the_delay() {
    for way in WAYS {
        // Wider apart than the jitter: nothing waits for what came before.
        let passed = run("delay_msec=100,jitter_msec=20", way, 20_000, 41 * MS);
        let delays = || passed.iter().map(|(delay, _)| *delay);
        assert!(delays().all(|delay| (80.0..=120.0).contains(&delay)));
        // The standard deviation of an even distribution is its width by the root of 12; that of the mean of 20000 values is
        // 0.08 ms, and that of a quarter's share is 0.3 %.
        assert_near(mean(delays()), 100.0, 0.4, "the mean");
        let spread =
            mean(delays().map(|delay| (delay - 100.0).powi(2)).collect::<Vec<_>>().into_iter()).sqrt();
        assert_near(spread, 40.0 / 12_f64.sqrt(), 0.3, "the standard deviation");
        for quarter in 0..4 {
            let from = 80.0 + 10.0 * f64::from(quarter);
            let share =
                delays().filter(|delay| (from..from + 10.0).contains(delay)).count() as f64 / 20_000.0;
            assert_near(share, 0.25, 0.0155, "a quarter");
        }
    }
}

#[test]
fn jitter_keeps_the_order() {
    let passed = run("delay_msec=100,jitter_msec=90", Way::Out, 5000, MS);
    assert!(passed.is_sorted_by_key(|(_, number)| *number) && passed.len() == 5000);
}

#[test]
fn loss_is_as_frequent_as_set_and_without_memory() {
    for way in WAYS {
        for percent in [1.0, 7.0, 50.0] {
            let passed = run(&format!("loss_percent={percent}"), way, 20_000, MS);
            let lost = 1.0 - passed.len() as f64 / 20_000.0;
            // Five standard deviations of 20000 draws.
            let chance: f64 = percent / 100.0;
            assert_near(lost, chance, 5.0 * (chance * (1.0 - chance) / 20_000.0).sqrt(), "the loss");
            let pairs = passed.windows(2).filter(|pair| pair[1].1 > pair[0].1 + 1).count();
            // A run of losses begins behind what passes with the chance of any loss.
            assert_near(pairs as f64 / passed.len() as f64, chance, 0.02, "losses behind what passed");
        }
    }
}

#[test]
fn bursts_lose_everything_for_as_long_and_as_often_as_set() {
    for way in WAYS {
        let settings = "burst_interval_msec=2000,burst_min_msec=100,burst_max_msec=300";
        let passed = run(settings, way, 2_000_000, MS);
        let gaps = passed.windows(2).map(|pair| f64::from(pair[1].1 - pair[0].1 - 1));
        let gaps: Vec<f64> = gaps.filter(|gap| *gap > 0.0).collect();
        // About 900 bursts of 200 ms, with standard errors of 3.3 % of their number and 1 % of their length.
        assert_near(gaps.len() as f64, 2_000_000.0 / 2200.0, 130.0, "bursts");
        assert_near(mean(gaps.iter().copied()), 200.0, 10.0, "their length in ms");
        assert!(gaps.iter().filter(|gap| !(99.0..=301.0).contains(*gap)).count() <= 3, "{gaps:?}");
    }
}

#[test]
fn bursts_with_the_same_settings_come_in_both_directions_at_once() {
    let settings = "burst_interval_msec=500,burst_max_msec=400";
    let numbers =
        |way| run(settings, way, 20_000, MS).into_iter().map(|(_, number)| number).collect::<Vec<_>>();
    assert_eq!(numbers(Way::Out), numbers(Way::In));
}

#[test]
fn duplicates_are_as_frequent_as_set() {
    for way in WAYS {
        let passed = run("delay_msec=10,jitter_msec=5,duplicate_percent=30", way, 20_000, MS);
        // Five standard deviations.
        assert_near(passed.len() as f64 / 20_000.0 - 1.0, 0.3, 0.0162, "copies");
        let mut copies = BTreeMap::new();
        passed.iter().for_each(|(_, number)| *copies.entry(*number).or_insert(0) += 1);
        assert!(copies.len() == 20_000 && copies.values().all(|count| *count <= 2));
    }
}

#[test]
fn what_is_reordered_comes_later_by_its_time_and_is_overtaken() {
    for way in WAYS {
        let passed = run("delay_msec=50,reorder_percent=10,reorder_msec=15", way, 20_000, 10 * MS);
        let held = passed.iter().filter(|(delay, _)| *delay == 65.0).count();
        assert_near(held as f64 / 20_000.0, 0.1, 0.0107, "the share, within five standard deviations");
        assert_eq!(passed.iter().filter(|(delay, _)| *delay == 50.0).count(), 20_000 - held);
        let overtaken = passed.windows(2).filter(|pair| pair[0].1 > pair[1].1).count();
        // By the next one, unless that is held back, too.
        assert_near(overtaken as f64 / 20_000.0, 0.09, 0.012, "overtaken");
    }
}

#[test]
fn a_rate_lets_so_many_bytes_pass_and_a_queue_fills_up() {
    for way in WAYS {
        // 100 bytes each ms are ten times the rate.
        let passed = run("rate_bytes_per_sec=10000,queue_msec=200", way, 10_000, MS);
        assert_near(passed.len() as f64, 1000.0 + 20.0, 2.0, "10 s of 10000 bytes, and what waited");
        let longest = passed.iter().map(|(delay, _)| *delay).fold(0.0, f64::max);
        assert_near(longest, 200.0, 11.0, "the wait in a full queue");
        let slow = run("rate_bytes_per_sec=10000,queue_msec=200", way, 1000, 20 * MS);
        assert!(slow.len() == 1000 && slow.iter().all(|(delay, _)| *delay == 10.0), "within the rate");
    }
}

#[test]
fn presets_delay_and_lose_what_they_say() {
    for name in preset_names() {
        let simulation = read(name);
        let numbers: BTreeMap<_, _> = simulation.outgoing.numbers().collect();
        let passed = run(name, Way::In, 2000, 200 * MS);
        let delay = numbers["delay_msec"];
        let jitter = numbers["jitter_msec"];
        let range = (delay - jitter - 0.001)..=(delay + jitter + 0.001);
        assert!(passed.iter().all(|(delay, _)| range.contains(delay)), "{name}");
        assert_near(mean(passed.iter().map(|(delay, _)| *delay)), delay, 0.08 * jitter + 0.001, name);
        let lost = 100.0 - passed.len() as f64 / 20.0;
        assert_near(lost, numbers["loss_percent"], 3.0, name);
    }
}

#[test]
fn directions_are_set_apart() {
    let mut bench = Bench::new("outgoing.delay_msec=30,incoming.cut=true");
    bench.put(Way::Out, PEER, 1, 100);
    bench.put(Way::In, PEER, 2, 100);
    bench.go_to(100 * MS);
    assert_eq!(bench.passed(Way::In), []);
    assert_eq!(bench.passed(Way::Out), [Passed { at: 30 * MS, peer: address(PEER), number: 1 }]);
}

#[test]
fn a_peer_can_have_a_network_of_its_own() {
    let mut bench = Bench::new("delay_msec=10");
    let slow = SimulationChange::Peer(address(2), read("delay_msec=70"));
    bench.driver.simulate(slow);
    let numbers_at = |bench: &mut Bench, number: u32| {
        for (peer, way) in [(1, Way::Out), (2, Way::Out), (1, Way::In), (2, Way::In)] {
            bench.put(way, peer, number, 100);
        }
        let began = bench.machine.now.get();
        bench.go_to(began + 100 * MS);
        let of_peer = |way, peer| {
            let last = bench.passed(way).iter().rfind(|passed| passed.peer == address(peer));
            last.unwrap().at - began
        };
        WAYS.map(|way| [of_peer(way, 1), of_peer(way, 2)])
    };
    assert_eq!(numbers_at(&mut bench, 1), [[10 * MS, 70 * MS]; 2]);
    bench.driver.simulate(SimulationChange::Forget(address(2)));
    assert_eq!(numbers_at(&mut bench, 2), [[10 * MS; 2]; 2], "who is forgotten has the network of all");
    bench.driver.simulate(slow);
    bench.change("delay_msec=20");
    assert_eq!(numbers_at(&mut bench, 3), [[20 * MS; 2]; 2], "what is for everyone is for all");
}

#[test]
fn what_is_on_its_way_keeps_its_time_when_settings_change() {
    for way in WAYS {
        let mut bench = Bench::new("delay_msec=100");
        bench.put(way, PEER, 1, 100);
        bench.go_to(20 * MS);
        bench.change("off");
        bench.put(way, PEER, 2, 100);
        bench.go_to(200 * MS);
        let at = |at, number| Passed { at, peer: address(PEER), number };
        assert_eq!(bench.passed(way), [at(20 * MS, 2), at(100 * MS, 1)]);
    }
}

#[test]
fn a_cut_also_takes_what_is_on_its_way() {
    for way in WAYS {
        let mut bench = Bench::new("delay_msec=100");
        bench.put(way, PEER, 1, 100);
        bench.go_to(50 * MS);
        bench.change("cut=true");
        bench.put(way, PEER, 2, 100);
        bench.go_to(150 * MS);
        bench.change("off");
        bench.put(way, PEER, 3, 100);
        bench.go_to(300 * MS);
        assert_eq!(bench.passed(way).iter().map(|passed| passed.number).collect::<Vec<_>>(), [3], "{way:?}");
    }
}

#[test]
fn at_the_end_everything_leaves_that_was_not_lost() {
    let mut bench = Bench::new("delay_msec=100,jitter_msec=50");
    for number in 0..50 {
        bench.put(Way::Out, PEER, number, 100);
    }
    bench.driver.end();
    bench.collect();
    assert_eq!(
        bench.sent.iter().map(|passed| passed.number).collect::<Vec<_>>(),
        (0..50).collect::<Vec<_>>()
    );
}

#[test]
fn the_same_seed_loses_the_same_datagrams_and_another_one_others() {
    let lost = |seed: &str| run(&format!("loss_percent=20,seed={seed}"), Way::Out, 500, MS);
    assert_eq!(lost("1"), lost("1"));
    assert_ne!(lost("1"), lost("2"));
    let incoming = run("loss_percent=20,seed=1", Way::In, 500, MS);
    assert_ne!(lost("1"), incoming, "each direction has a generator of its own");
}

#[test]
fn a_flood_is_held_within_bounds_and_does_not_hold_up_a_poll() {
    let mut bench = Bench::new("incoming.delay_msec=10000");
    bench
        .machine
        .arrivals
        .borrow_mut()
        .extend((0..60_000).map(|_| Arrival::Datagram(address(PEER), vec![0; 1400])));
    while !bench.machine.arrivals.borrow().is_empty() {
        bench.poll();
    }
    bench.machine.reading_takes.set(MS / 100);
    bench.machine.now.set(Duration::from_secs(20));
    bench.go_to(Duration::from_secs(21));
    let held = bench.passed(Way::In).len();
    assert!((40_000..50_000).contains(&held), "{held} datagrams in 64 MiB");
}

#[test]
fn a_session_connects_and_gets_every_reliable_packet_over_a_bad_network() {
    let mut pair = Pair::connected();
    let bad = read("mobile_4g,loss_percent=20,duplicate_percent=10,reorder_percent=10,seed=3");
    pair.client.simulate(SimulationChange::Everyone(bad));
    pair.server.simulate(SimulationChange::Everyone(bad));
    let options = SendOptions {
        target: Target::One(PeerId::SERVER),
        mode: TransferMode::Reliable,
        channel: TransferChannel::ByMode,
        always_ordered: false,
    };
    let mut got = Vec::new();
    for frame in 0..2000_u32 {
        if frame < 200 {
            pair.client.send(options, &frame.to_be_bytes()).unwrap();
        }
        pair.frame();
        got.extend(
            std::iter::from_fn(|| pair.server.session_mut().fetch()).map(|packet| number(packet.payload())),
        );
    }
    assert_eq!(got, (0..200).collect::<Vec<_>>());
    assert_eq!(pair.client.session().status(), Status::Connected);
    assert!(poll(&mut pair.server).is_empty());
}
