//! Nothing that comes from the network, or from the engine, makes the guard panic.

use proptest::prelude::*;

use super::*;

/// Commands with mostly small numbers, so that they meet.
fn some_command() -> impl Strategy<Value = Vec<u8>> {
    let sequence = prop_oneof![0u16..12, any::<u16>()];
    let total = prop_oneof![F + 1..5 * F, Just(MAX_PACKET as u32)];
    (0usize..9, 0u8..4, sequence.clone(), sequence, total, 0u32..6, 0u16..9).prop_map(
        |(kind, channel, sequence, number, total, part, len)| match kind {
            0 => reliable(channel, sequence, len),
            1 => unreliable(channel, sequence, number, len),
            2 => unsequenced(channel, number, len),
            3 => fragment(channel, sequence, total, part),
            4 => unreliable_fragment(channel, sequence, number, total, part),
            5 => ack(channel, sequence, number),
            6 => ping(),
            7 => ack(0xff, 1, TIME),
            _ => disconnect(),
        },
    )
}

fn benches() -> [Bench; 4] {
    let small = Quotas { fragment_bytes: 9000, fragment_packets: 3, ahead_commands: 5, ahead_bytes: 1500 };
    [
        Bench::server_with(small),
        Bench::half_open_server(Quotas::default()),
        Bench::client(),
        Bench::half_open_client(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..20)) {
        for mut bench in benches() {
            for bytes in &datagrams {
                let _ = bench.inspect(&mut bytes.clone());
                // The same behind a header that fits.
                let _ = bench.send(std::slice::from_ref(bytes));
                bench.guard.observe_outgoing(bench.peer, bytes);
                while bench.guard.next_injection().is_some() {}
            }
        }
    }

    /// What passes is whole commands, in their order, and never more than was given.
    #[test]
    fn any_commands(datagrams in prop::collection::vec(prop::collection::vec(some_command(), 1..5), 1..40)) {
        for mut bench in benches() {
            for commands in &datagrams {
                let mut bytes = datagram(bench.slot, bench.session, Some(5), commands);
                if let Ok(passed) = bench.inspect(&mut bytes) {
                    prop_assert!(passed.len <= bytes.len());
                    let mut rest = &bytes[4..passed.len];
                    let mut kept = commands.iter();
                    while !rest.is_empty() {
                        let next = kept.find(|command| rest.starts_with(command));
                        prop_assert!(next.is_some());
                        rest = &rest[next.map_or(0, Vec::len)..];
                    }
                }
                while bench.guard.next_injection().is_some() {}
            }
        }
    }
}
