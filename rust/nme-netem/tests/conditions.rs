//! Every condition of a link does what its settings say: frequencies, order, rate and limits, over many datagrams.

use std::time::Duration;

use nme_netem::{Bandwidth, Burst, Counters, Link, Pipe};

const MS: Duration = Duration::from_millis(1);

/// What came out, and when.
type Got = Vec<(Duration, u32)>;

/// Sends numbered datagrams of 100 bytes, one in each `step`, and takes what is due meanwhile and after.
fn run_every(step: Duration, link: Link, seed: u64, count: u32) -> (Got, Counters) {
    let mut pipe = Pipe::new(link, seed).expect("valid settings");
    let mut got = Vec::new();
    for number in 0..count {
        let now = step * number;
        take(&mut pipe, now, &mut got);
        pipe.push(now, number, &[number as u8; 100]);
    }
    take(&mut pipe, Duration::MAX, &mut got);
    let counters = pipe.counters();
    assert_eq!((pipe.on_the_way(), pipe.next_due()), (0, None));
    assert_eq!((counters.sent, counters.delivered), (u64::from(count), got.len() as u64));
    assert_eq!(
        counters.sent + counters.duplicated,
        counters.lost + counters.lost_in_bursts + counters.overflowed + counters.delivered
    );
    (got, counters)
}

/// Like [`run_every`], a datagram in each millisecond.
fn run(link: Link, seed: u64, count: u32) -> (Got, Counters) {
    run_every(MS, link, seed, count)
}

fn take(pipe: &mut Pipe<u32>, until: Duration, got: &mut Got) {
    while let Some(due) = pipe.next_due().filter(|due| *due <= until) {
        let (number, bytes) = pipe.pop(due).expect("what is due");
        assert_eq!(bytes, [number as u8; 100]);
        got.push((due, number));
    }
}

fn numbers(got: &Got) -> Vec<u32> {
    got.iter().map(|(_, number)| *number).collect()
}

/// The delays of what arrived once each, for [`run`].
fn delays(got: &Got) -> Vec<Duration> {
    got.iter().map(|(due, number)| *due - MS * *number).collect()
}

fn assert_share(count: u64, of: u64, expected: f64, within: f64) {
    let share = count as f64 / of as f64;
    assert!((share - expected).abs() < within, "{share}, not {expected}");
}

/// How long the runs of numbers are that did not arrive.
fn gaps(numbers: &[u32]) -> Vec<u32> {
    numbers.windows(2).map(|pair| pair[1] - pair[0] - 1).filter(|gap| *gap > 0).collect()
}

#[test]
fn a_perfect_link_passes_everything_at_once() {
    let (got, counters) = run(Link::PERFECT, 1, 1000);
    assert_eq!(got, (0..1000).map(|number| (MS * number, number)).collect::<Vec<_>>());
    assert_eq!(counters, Counters { sent: 1000, delivered: 1000, ..Counters::default() });
}

#[test]
fn latency_delays_every_datagram_alike() {
    let (got, _) = run(Link::delayed(40 * MS), 1, 1000);
    assert_eq!(got, (0..1000).map(|number| (MS * (number + 40), number)).collect::<Vec<_>>());
}

#[test]
fn nothing_comes_out_before_it_is_due() {
    let mut pipe = Pipe::new(Link::delayed(40 * MS), 1).expect("valid settings");
    assert_eq!((pipe.next_due(), pipe.pop(Duration::MAX)), (None, None));
    pipe.push(2 * MS, 'a', b"first");
    pipe.push(2 * MS, 'b', b"");
    assert_eq!(pipe.next_due(), Some(42 * MS));
    assert_eq!(pipe.pop(42 * MS - Duration::from_nanos(1)), None);
    assert_eq!(pipe.on_the_way(), 2);
    assert_eq!(pipe.pop(42 * MS), Some(('a', &b"first"[..])));
    assert_eq!(pipe.pop(50 * MS), Some(('b', &b""[..])));
    assert_eq!(pipe.pop(50 * MS), None);
}

#[test]
fn jitter_is_spread_evenly() {
    // Far enough apart that none waits for another.
    let (got, _) = run_every(25 * MS, Link { jitter: 20 * MS, ..Link::delayed(30 * MS) }, 11, 20_000);
    let mut quarters = [0_u64; 4];
    for (due, number) in got {
        let extra = due - 25 * MS * number - 30 * MS;
        assert!(extra <= 20 * MS);
        quarters[(extra.as_nanos() * 4 / 20_000_001) as usize] += 1;
    }
    // Five standard deviations are 0.0154.
    quarters.iter().for_each(|quarter| assert_share(*quarter, 20_000, 0.25, 0.0154));
}

#[test]
fn jitter_keeps_the_order_unless_it_may_not() {
    let keeping = Link { jitter: 20 * MS, ..Link::delayed(30 * MS) };
    let (got, _) = run(keeping, 11, 5000);
    assert_eq!(numbers(&got), (0..5000).collect::<Vec<_>>());

    let (mut got, counters) = run(Link { jitter_reorders: true, ..keeping }, 11, 5000);
    let overtaken = numbers(&got).windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert!(overtaken > 1000, "{overtaken}");
    assert_eq!(counters.reordered, 0, "that counts what is held back");
    assert!(delays(&got).iter().all(|delay| (30 * MS..=50 * MS).contains(delay)));
    let mean = delays(&got).iter().sum::<Duration>() / 5000;
    assert!(mean.abs_diff(40 * MS) < MS / 2, "{mean:?}");
    got.sort_unstable_by_key(|(_, number)| *number);
    assert_eq!(numbers(&got), (0..5000).collect::<Vec<_>>());
}

#[test]
fn what_is_too_long_is_lost_and_nothing_else() {
    for (longest, delivered) in [(None, 3), (Some(1000), 2), (Some(999), 1), (Some(0), 0)] {
        let mut pipe = Pipe::new(Link { longest, ..Link::PERFECT }, 1).expect("valid settings");
        for (number, len) in (0..).zip([10, 1000, 1001]) {
            pipe.push(Duration::ZERO, number, &vec![0; len]);
        }
        while let Some((number, _)) = pipe.pop(Duration::MAX) {
            assert!(number < delivered, "{longest:?}");
        }
        let counters = pipe.counters();
        assert_eq!((counters.delivered, counters.too_long), (delivered, 3 - delivered), "{longest:?}");
    }
}

#[test]
fn loss_is_as_frequent_as_set_and_without_memory() {
    // Five standard deviations of 20000 draws are below 0.018.
    for loss in [0.01, 0.3, 0.8] {
        let (got, counters) = run(Link { loss, ..Link::PERFECT }, 5, 20_000);
        assert_share(counters.lost, 20_000, loss, 0.018);
        let gaps = gaps(&numbers(&got));
        let mean = f64::from(gaps.iter().sum::<u32>()) / gaps.len() as f64;
        assert!((mean * (1.0 - loss) - 1.0).abs() < 0.1, "runs of {mean} at {loss}");
    }
    assert_eq!(run(Link::DOWN, 1, 1000).1.lost, 1000);
}

#[test]
fn bursts_are_as_frequent_and_as_long_as_set() {
    for (loss, length) in [(0.02, 3.0), (0.1, 10.0), (0.3, 25.0)] {
        let burst = Burst::of(loss, length).expect("possible");
        let (got, counters) = run(Link { burst: Some(burst), ..Link::PERFECT }, 9, 400_000);
        assert_eq!(counters.lost, 0);
        assert_share(counters.lost_in_bursts, 400_000, loss, 0.1 * loss);
        let gaps = gaps(&numbers(&got));
        let mean = f64::from(gaps.iter().sum::<u32>()) / gaps.len() as f64;
        assert!((mean / length - 1.0).abs() < 0.1, "{mean}, not {length}");
    }
}

#[test]
fn a_burst_may_let_some_pass_and_comes_on_top_of_loss() {
    // A burst takes half of the datagrams, in the long run.
    let burst = Some(Burst { start: 0.1, end: 0.1, loss: 0.6 });
    let (_, counters) = run(Link { burst, ..Link::PERFECT }, 2, 100_000);
    assert_share(counters.lost_in_bursts, 100_000, 0.3, 0.02);
    let (_, counters) = run(Link { burst, loss: 0.2, ..Link::PERFECT }, 2, 100_000);
    assert_share(counters.lost_in_bursts, 100_000, 0.3, 0.02);
    assert_share(counters.lost, 100_000, 0.7 * 0.2, 0.01);
}

#[test]
fn duplicates_are_as_frequent_as_set() {
    for duplicate in [0.02, 0.3, 0.8] {
        let (got, counters) = run(Link { duplicate, ..Link::PERFECT }, 6, 20_000);
        assert_share(counters.duplicated, 20_000, duplicate, 0.018);
        assert_eq!(got.len() as u64, 20_000 + counters.duplicated);
    }
    let (got, _) = run(Link { duplicate: 1.0, ..Link::delayed(9 * MS) }, 1, 1000);
    assert_eq!(got, (0..2000).map(|copy| (MS * (copy / 2 + 9), copy / 2)).collect::<Vec<_>>());
}

#[test]
fn copies_come_up_to_their_delay_later() {
    let link = Link { duplicate: 1.0, duplicate_delay: 30 * MS, ..Link::delayed(10 * MS) };
    let (got, _) = run(link, 3, 5000);
    let mut arrivals = vec![Vec::new(); 5000];
    got.iter().for_each(|(due, number)| arrivals[*number as usize].push(*due));
    let mut sum = Duration::ZERO;
    for (number, arrivals) in arrivals.iter().enumerate() {
        let [first, copy] = arrivals[..] else { panic!("{arrivals:?}") };
        assert_eq!(first, MS * (number as u32 + 10));
        assert!(copy - first <= 30 * MS);
        sum += copy - first;
    }
    assert!((sum / 5000).abs_diff(15 * MS) < MS, "{:?}", sum / 5000);
}

#[test]
fn what_is_held_back_is_overtaken() {
    let link = Link { reorder: 0.1, reorder_delay: 5 * MS + MS / 2, ..Link::delayed(20 * MS) };
    let (got, counters) = run(link, 2, 20_000);
    assert_share(counters.reordered, 20_000, 0.1, 0.011);
    let delays = delays(&got);
    let held_back = delays.iter().filter(|delay| **delay == 25 * MS + MS / 2).count();
    assert_eq!(held_back as u64, counters.reordered);
    assert_eq!(delays.iter().filter(|delay| **delay == 20 * MS).count(), 20_000 - held_back);
    let (always, _) = run(Link { reorder: 1.0, ..link }, 2, 1000);
    assert_eq!(numbers(&always), (0..1000).collect::<Vec<_>>(), "all are held back alike");
}

#[test]
fn a_rate_spaces_datagrams() {
    let bandwidth = Some(Bandwidth { bytes_per_second: 10_000, queue: 1000 });
    let mut pipe = Pipe::new(Link { bandwidth, ..Link::delayed(5 * MS) }, 1).expect("valid settings");
    // Ten fit: one is sent, nine wait.
    (0..15).for_each(|number| pipe.push(Duration::ZERO, number, &[number as u8; 100]));
    assert_eq!(pipe.counters().overflowed, 5);
    let mut got = Vec::new();
    take(&mut pipe, Duration::MAX, &mut got);
    assert_eq!(got, (0..10).map(|number| (MS * (10 * number + 15), number)).collect::<Vec<_>>());
}

#[test]
fn what_finds_no_place_in_the_queue_is_dropped_at_its_end() {
    let bandwidth = Some(Bandwidth::queued_for(10_000, 50 * MS));
    // Ten times what passes.
    let (got, counters) = run(Link { bandwidth, ..Link::PERFECT }, 1, 10_000);
    assert!((1000..=1006).contains(&got.len()), "{}", got.len());
    assert_eq!(counters.overflowed, 10_000 - got.len() as u64);
    assert_eq!(counters.lost, 0);
    // Nobody waits longer than the queue is, and once it is full nobody waits much shorter.
    let delays = delays(&got);
    assert!(delays.iter().all(|delay| *delay <= 50 * MS));
    assert!(delays[10..].iter().all(|delay| *delay > 38 * MS));
    assert!(numbers(&got).is_sorted());
}

#[test]
fn a_rate_is_used_fully_and_a_slow_sender_does_not_notice_it() {
    let bandwidth = Some(Bandwidth { bytes_per_second: 200_000, queue: 1000 });
    let (got, counters) = run(Link { bandwidth, ..Link::PERFECT }, 1, 1000);
    assert_eq!((got.len(), counters.overflowed), (1000, 0));
    assert!(delays(&got).iter().all(|delay| *delay == MS / 2));
    let nothing = Some(Bandwidth { bytes_per_second: 0, queue: 1000 });
    assert_eq!(run(Link { bandwidth: nothing, ..Link::PERFECT }, 1, 10).1.overflowed, 10);
}

/// Every condition at once.
fn messy() -> Link {
    Link {
        latency: 40 * MS,
        jitter: 25 * MS,
        jitter_reorders: true,
        loss: 0.1,
        burst: Some(Burst::of(0.05, 4.0).expect("possible")),
        duplicate: 0.05,
        duplicate_delay: 20 * MS,
        reorder: 0.2,
        reorder_delay: 10 * MS,
        bandwidth: Some(Bandwidth { bytes_per_second: 95_000, queue: 1000 }),
        longest: None,
    }
}

#[test]
fn the_seed_decides_everything() {
    let first = run(messy(), 7, 5000);
    assert_eq!(first, run(messy(), 7, 5000));
    assert_ne!(first.0, run(messy(), 8, 5000).0);
    let Counters { lost, lost_in_bursts, overflowed, duplicated, reordered, delivered, .. } = first.1;
    for count in [lost, lost_in_bursts, overflowed, duplicated, reordered, delivered] {
        assert!(count > 0, "{:?}", first.1);
    }
}

#[test]
fn one_setting_does_not_change_what_another_does() {
    let lossy = Link { loss: 0.2, ..Link::PERFECT };
    let (got, _) = run(lossy, 3, 1000);
    let arrived = numbers(&got);
    for link in [
        Link { latency: 5 * MS, jitter: 3 * MS, ..lossy },
        Link { duplicate_delay: 9 * MS, reorder_delay: 9 * MS, ..lossy },
        Link { burst: Some(Burst { start: 0.5, end: 0.5, loss: 0.0 }), ..lossy },
    ] {
        assert_eq!(numbers(&run(link, 3, 1000).0), arrived, "{link:?}");
    }
    let late = Link { reorder: 0.3, reorder_delay: 9 * MS, duplicate: 0.5, jitter: 3 * MS, ..lossy };
    let mut others = numbers(&run(late, 3, 1000).0);
    others.sort_unstable();
    others.dedup();
    assert_eq!(others, arrived);
}
