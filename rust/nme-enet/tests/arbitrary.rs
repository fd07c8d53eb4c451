//! Arbitrary datagrams against a host with a live connection: it does not panic, keeps its bounds, and goes on working.
//! `PROPTEST_CASES` sets how many sequences are tried.

mod raw;

use std::time::Duration;

use nme_enet::Event;
use nme_enet::wire::{Body, CONTROL_CHANNEL, ThrottleSettings, code};
use proptest::collection::vec;
use proptest::prelude::*;
use raw::*;

/// Something that arrives, or time that passes.
#[derive(Clone, Debug)]
enum Input {
    Bytes(Vec<u8>),
    Commands(Vec<Vec<u8>>),
    Time(u16),
    Flush,
}

fn any_command() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![0..20_u16, 0x6ff0..0x7010_u16, any::<u16>()];
    let len = prop_oneof![1..50_u16, 1300..1364_u16];
    let channel = 0..4_u8;
    prop_oneof![
        (channel.clone(), number.clone(), len.clone()).prop_map(|(c, n, l)| reliable(c, n, l)),
        (channel.clone(), 0..9_u16, number.clone(), len.clone())
            .prop_map(|(c, s, n, l)| unreliable(c, s, n, l)),
        (channel.clone(), number.clone(), len).prop_map(|(c, n, l)| unsequenced(c, n, l)),
        (channel.clone(), number.clone(), 1365..200_000_u32, 0..150_u32)
            .prop_map(|(c, n, total, at)| fragment(c, n, total, at % total.div_ceil(F))),
        (channel.clone(), 0..9_u16, number.clone(), 1365..200_000_u32, 0..150_u32)
            .prop_map(|(c, s, n, total, at)| unreliable_fragment(c, s, n, total, at % total.div_ceil(F))),
        (prop_oneof![channel, Just(0xff)], number, any::<u16>()).prop_map(|(c, n, time)| ack(c, n, time)),
        Just(ping()),
        (any::<u32>(), any::<u32>())
            .prop_map(|(incoming, outgoing)| Body::BandwidthLimit { incoming, outgoing })
            .prop_map(|body| command(code::BANDWIDTH_LIMIT, CONTROL_CHANNEL, 2, body)),
        any::<[u32; 3]>()
            .prop_map(|[interval, acceleration, deceleration]| Body::ThrottleConfigure {
                throttle: ThrottleSettings { interval, acceleration, deceleration },
            })
            .prop_map(|body| command(code::THROTTLE_CONFIGURE, CONTROL_CHANNEL, 2, body)),
        (prop_oneof![0..4_u8, Just(0xff)], any::<u16>()).prop_map(|(c, n)| probe(c, n)),
        (any::<u32>(), prop_oneof![Just(code::DISCONNECT), Just(code::DISCONNECT_UNSEQUENCED)])
            .prop_map(|(data, code)| command(code, CONTROL_CHANNEL, 3, Body::Disconnect { data })),
        (any::<u32>(), any::<bool>()).prop_map(|(connect_id, is_answer)| {
            let hello = Hello { connect_id, ..Hello::request() };
            if is_answer { hello.verify() } else { hello.connect() }
        }),
        vec(any::<u8>(), 0..60),
    ]
}

fn any_input() -> impl Strategy<Value = Input> {
    prop_oneof![
        2 => vec(any::<u8>(), 0..1400).prop_map(Input::Bytes),
        8 => vec(any_command(), 1..4).prop_map(Input::Commands),
        2 => (0..3000_u16).prop_map(Input::Time),
        1 => Just(Input::Flush),
    ]
}

proptest! {
    #[test]
    fn nothing_breaks_a_host(inputs in vec(any_input(), 1..120)) {
        let mut config = Bench::config(Default::default());
        config.reassembly_limit = 1 << 20;
        let mut bench = Bench::server_of(config);
        let handle = bench.handle();
        let packet = nme_enet::Packet::new(vec![1; 5000]);
        let mut is_open = true;
        for input in inputs {
            match input {
                Input::Bytes(bytes) => drop(bench.receive(&bytes)),
                Input::Commands(commands) => drop(bench.send(&commands)),
                Input::Time(millis) => {
                    bench.now += Duration::from_millis(millis.into());
                    bench.host.handle_timeout(bench.now);
                    while let Some(event) = bench.host.poll_event() {
                        bench.events.push(event);
                    }
                }
                Input::Flush => {
                    let _ = bench.host.send(handle, 1, &packet, nme_enet::Delivery::Reliable);
                    prop_assert!(bench.transmit().len() < 10_000);
                }
            }
            is_open &= !bench.events.iter().any(|event| matches!(event, Event::Disconnected { .. }));
            // The limit, and the share of one peer beyond it.
            prop_assert!(bench.reassembly_bytes() <= 2 << 20);
            prop_assert_eq!(bench.host.address(handle).is_some(), is_open);
        }
        // Somebody else can connect.
        bench.peer = address(77);
        prop_assert_eq!(bench.knock(Hello { connect_id: 1, ..Hello::request() }), Ok(()));
    }
}
