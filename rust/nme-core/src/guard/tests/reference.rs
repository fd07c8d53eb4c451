//! The model against a literal account of the engine, on random traffic of a sender that follows ENet's rules over
//! a link that loses, repeats and reorders.

use proptest::prelude::*;

use super::engine::{Engine, Part};
use super::*;

/// What a sender does: the kind of its next packet.
#[derive(Clone, Copy, Debug)]
enum Sends {
    Reliable,
    Unreliable,
    Fragments { count: u32 },
    UnreliableFragments { count: u32 },
}

/// One command on the wire.
#[derive(Clone, Copy, Debug)]
struct Sent {
    reliable: bool,
    sequence: u16,
    number: u16,
    part: Part,
}

impl Sent {
    fn bytes(&self) -> Vec<u8> {
        match (self.reliable, self.part) {
            (true, None) => reliable(0, self.sequence, 20),
            (false, None) => unreliable(0, self.sequence, self.number, 20),
            (true, Some((number, count))) => fragment(0, self.sequence, count * F, number),
            (false, Some((number, count))) => {
                unreliable_fragment(0, self.sequence, self.number, count * F, number)
            }
        }
    }
}

/// Numbers packets as ENet does, beginning behind `sequence`.
fn stream(mut sequence: u16, sends: &[Sends]) -> Vec<Sent> {
    let mut number = 0;
    let mut stream = Vec::new();
    for send in sends {
        match *send {
            Sends::Reliable => {
                (sequence, number) = (sequence.wrapping_add(1), 0);
                stream.push(Sent { reliable: true, sequence, number, part: None });
            }
            Sends::Unreliable => {
                number += 1;
                stream.push(Sent { reliable: false, sequence, number, part: None });
            }
            Sends::Fragments { count } => {
                let start = sequence.wrapping_add(1);
                let parts = (0..count).map(|part| Some((part, count)));
                stream.extend(parts.map(|part| Sent { reliable: true, sequence: start, number: 0, part }));
                (sequence, number) = (sequence.wrapping_add(count as u16), 0);
            }
            Sends::UnreliableFragments { count } => {
                number += 1;
                let parts = (0..count).map(|part| Some((part, count)));
                stream.extend(parts.map(|part| Sent { reliable: false, sequence, number, part }));
            }
        }
    }
    stream
}

fn sends() -> impl Strategy<Value = Sends> {
    prop_oneof![
        3 => Just(Sends::Reliable),
        3 => Just(Sends::Unreliable),
        1 => (2u32..5).prop_map(|count| Sends::Fragments { count }),
        2 => (2u32..5).prop_map(|count| Sends::UnreliableFragments { count }),
    ]
}

/// Compares all that is observable of both.
fn compare(bench: &Bench, engine: &Engine) {
    let (delivered, held) = bench.reliable_state(0);
    assert_eq!(delivered as u16, engine.current);
    let held: Vec<_> = held.into_iter().map(|sequence| sequence as u16).collect();
    let expected: Vec<_> = engine.reliable_list.iter().map(|waiting| waiting.key.0).collect();
    assert_eq!(held, expected);
    let held: Vec<_> = bench.unreliable_state(0).into_iter().map(|key| (key.0 as u16, key.1)).collect();
    let expected: Vec<_> = engine.unreliable_list.iter().map(|waiting| waiting.key).collect();
    assert_eq!(held, expected);
}

/// With all reliable packets delivered, only incomplete unreliable ones are left to be charged.
fn check_charges(bench: &Bench) {
    assert_eq!(bench.reliable_state(0).1, []);
    let usage = bench.model().usage();
    assert_eq!((usage.ahead_bytes, usage.next_bytes), (0, 0));
    assert_eq!(usage.fragment_packets, bench.unreliable_state(0).len());
    assert_eq!(usage.fragment_bytes == 0, usage.fragment_packets == 0);
}

/// Feeds a command to both, unless the guard cuts it.
fn feed(bench: &mut Bench, engine: &mut Engine, sent: &Sent) -> Result<(), DropReason> {
    bench.send(&[sent.bytes()])?;
    if sent.reliable {
        engine.reliable(sent.sequence, sent.part);
    } else {
        engine.unreliable((sent.sequence, sent.number), sent.part);
    }
    Ok(())
}

/// Starts a session whose channel 0 has delivered up to `sequence`.
fn begin(sequence: u32, quotas: Quotas) -> (Bench, Engine) {
    let mut bench = Bench::server_with(quotas);
    let mut engine = Engine::default();
    for next in 1..=sequence {
        let sent = Sent { reliable: true, sequence: next as u16, number: 0, part: None };
        feed(&mut bench, &mut engine, &sent).unwrap();
    }
    compare(&bench, &engine);
    (bench, engine)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Each command reaches the guard between no and two times, up to 12 places late; then the reliable ones come
    /// again until all are delivered.
    #[test]
    fn model_follows_the_engine(
        sends in prop::collection::vec(sends(), 1..60),
        fates in prop::collection::vec((0usize..=2, 0usize..12, 0usize..12), 300),
        first in prop_oneof![Just(0u32), Just(4090), Just(65_500)],
    ) {
        let (mut bench, mut engine) = begin(first, Quotas::default());
        let stream = stream(first as u16, &sends);
        let mut arrivals = Vec::new();
        for (place, (sent, fate)) in stream.iter().zip(fates.iter().cycle()).enumerate() {
            arrivals.extend([fate.1, fate.2].iter().take(fate.0).map(|late| (place + late, *sent)));
        }
        arrivals.sort_by_key(|(time, _)| *time);
        for (_, sent) in &arrivals {
            // An unreliable packet that both newer ones have overtaken is the one thing that is cut here.
            let result = feed(&mut bench, &mut engine, sent);
            prop_assert!(matches!(result, Ok(()) | Err(DropReason::StaleFragment)), "{result:?}");
            compare(&bench, &engine);
        }
        for sent in stream.iter().filter(|sent| sent.reliable) {
            prop_assert_eq!(feed(&mut bench, &mut engine, sent), Ok(()));
            compare(&bench, &engine);
        }
        check_charges(&bench);
    }

    /// With tiny quotas commands are cut, but resending alone gets everything through, and then nothing is charged.
    #[test]
    fn tiny_quotas_delay_but_never_block(
        sends in prop::collection::vec(sends(), 1..40),
        order in prop::collection::vec(any::<prop::sample::Index>(), 200),
    ) {
        let quotas =
            Quotas { fragment_bytes: 2000, fragment_packets: 1, ahead_commands: 3, ahead_bytes: 1000 };
        let (mut bench, mut engine) = begin(0, quotas);
        let stream = stream(0, &sends);
        for index in order {
            let _ = feed(&mut bench, &mut engine, index.get(&stream));
            compare(&bench, &engine);
        }
        for sent in stream.iter().filter(|sent| sent.reliable) {
            let _ = feed(&mut bench, &mut engine, sent);
            compare(&bench, &engine);
        }
        check_charges(&bench);
        let reliable = stream.iter().filter(|sent| sent.reliable).count();
        prop_assert_eq!(bench.reliable_state(0).0, reliable as u64);
    }
}
