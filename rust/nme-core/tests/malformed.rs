//! Bytes that no ENet has sent: nothing panics, and strangers do not disturb anybody.

use std::time::Duration;

use nme_core::channel::TransferMode;
use nme_core::codec::Compression;
use nme_core::session::Event;
use nme_testing::payload::{number, numbered};
use nme_testing::world::{Datagram, FRAME, HostId, World};
use proptest::prelude::*;
use proptest::test_runner::{Config as Settings, RngSeed};

const SECOND: Duration = Duration::from_secs(1);

/// Where a bad datagram comes from.
#[derive(Clone, Copy, Debug)]
enum Source {
    Stranger,
    /// Any host that is connected.
    Host(prop::sample::Index),
}

/// What is in it.
#[derive(Clone, Debug)]
enum Content {
    Bytes(Vec<u8>),
    /// A real datagram with changes.
    Real(prop::sample::Index, Vec<Change>),
    /// Commands of ENet's shape with any fields.
    Commands {
        header: [u8; 4],
        commands: Vec<(u8, Vec<u8>)>,
    },
}

#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Truncate(prop::sample::Index),
    Append(Vec<u8>),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    /// A peer number and session of somebody else.
    Header(u16),
}

#[derive(Clone, Debug)]
enum Step {
    Datagram(Source, prop::sample::Index, Content),
    Time(u16),
    Send(prop::sample::Index, usize, u8),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<prop::sample::Index>(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        any::<prop::sample::Index>().prop_map(Change::Truncate),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Change::Append),
        (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        any::<prop::sample::Index>().prop_map(Change::Remove),
        any::<u16>().prop_map(Change::Header),
    ]
}

fn content() -> impl Strategy<Value = Content> {
    let codes = prop::sample::select(vec![
        0x01_u8, 0x81, 0x82, 0x83, 0x84, 0x44, 0x85, 0x86, 0x07, 0x88, 0x49, 0x8a, 0x8b, 0x0c,
    ]);
    let command = (codes, prop::collection::vec(prop_oneof![Just(0), Just(0xff), any::<u8>()], 3..60));
    // Mostly a peer number and session that exist.
    let known = (any::<bool>(), 0..4_u8, 0..3_u8, any::<u16>()).prop_map(|(timed, session, peer, time)| {
        let [high, low] = time.to_be_bytes();
        [u8::from(timed) << 7 | session << 4, peer, high, low]
    });
    let header = prop_oneof![4 => known, 1 => any::<[u8; 4]>()];
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..1500).prop_map(Content::Bytes),
        (any::<prop::sample::Index>(), prop::collection::vec(change(), 0..6))
            .prop_map(|(which, changes)| Content::Real(which, changes)),
        (header, prop::collection::vec(command, 1..8))
            .prop_map(|(header, commands)| Content::Commands { header, commands }),
    ]
}

fn step(source: impl Strategy<Value = Source>) -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (source, any::<prop::sample::Index>(), content())
            .prop_map(|(source, to, content)| Step::Datagram(source, to, content)),
        2 => (0..200_u16).prop_map(Step::Time),
        1 => (any::<prop::sample::Index>(), 1..3000_usize, 0..3_u8)
            .prop_map(|(host, len, mode)| Step::Send(host, len, mode)),
    ]
}

fn apply(change: &Change, bytes: &mut Vec<u8>) {
    match change {
        Change::Append(more) => bytes.extend(more),
        _ if bytes.is_empty() => {}
        Change::Set(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        Change::Flip(at, bit) => {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        Change::Truncate(len) => bytes.truncate(len.index(bytes.len())),
        Change::Insert(at, byte) => bytes.insert(at.index(bytes.len()), *byte),
        Change::Remove(at) => {
            bytes.remove(at.index(bytes.len()));
        }
        Change::Header(header) => {
            for (byte, new) in bytes.iter_mut().zip(header.to_be_bytes()) {
                *byte = new & 0x3f | *byte & 0xc0;
            }
        }
    }
}

fn bytes_of(content: &Content, real: &[Datagram]) -> Vec<u8> {
    match content {
        Content::Bytes(bytes) => bytes.clone(),
        Content::Real(which, changes) => {
            let mut bytes = real[which.index(real.len())].bytes.clone();
            changes.iter().for_each(|change| apply(change, &mut bytes));
            bytes
        }
        Content::Commands { header, commands } => {
            let mut bytes = header.to_vec();
            bytes[0] &= 0x8f;
            if bytes[0] & 0x80 == 0 {
                bytes.truncate(2);
            }
            for (code, fields) in commands {
                bytes.push(*code);
                bytes.extend(fields);
            }
            bytes
        }
    }
}

/// A server with two clients that have talked a while, and every datagram of that.
fn talked(compression: Compression) -> (World, Vec<HostId>, Vec<Datagram>) {
    let mut world = World::new(1);
    world.record();
    let config = world.config().compression(compression);
    let server = world.server_with(&config, 3);
    let mut hosts = vec![server];
    for _ in 0..2 {
        let config = world.config().compression(compression);
        hosts.push(world.connect_with(&config, server));
    }
    for index in 0..6 {
        let mode =
            [TransferMode::Reliable, TransferMode::Unreliable, TransferMode::UnreliableOrdered][index % 3];
        for host in &hosts {
            world.send(*host, 0, mode, &numbered(0, 50 + 900 * index)).expect("a connection");
        }
        world.run(2 * FRAME);
    }
    let real = world.take_recorded();
    for host in &hosts {
        world.take_log(*host);
    }
    (world, hosts, real)
}

fn play(world: &mut World, hosts: &[HostId], real: &[Datagram], steps: &[Step]) {
    let stranger = world.new_address();
    for step in steps {
        match step {
            Step::Datagram(source, to, content) => {
                let from = match source {
                    Source::Stranger => stranger,
                    Source::Host(which) => world.address(hosts[which.index(hosts.len())]),
                };
                let to = world.address(hosts[to.index(hosts.len())]);
                world.inject(from, to, &bytes_of(content, real));
            }
            Step::Time(millis) => world.step(Duration::from_millis((*millis).into())),
            Step::Send(host, len, mode) => {
                let mode =
                    [TransferMode::Reliable, TransferMode::Unreliable, TransferMode::UnreliableOrdered]
                        [usize::from(*mode)];
                // Who has been cut off by a forged datagram cannot send.
                let _ = world.send(hosts[host.index(hosts.len())], 0, mode, &numbered(0, *len));
            }
        }
    }
    world.step(FRAME);
}

fn settings(cases: u32) -> Settings {
    Settings { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(5), ..Settings::default() }
}

proptest! {
    #![proptest_config(settings(192))]

    #[test]
    fn strangers_disturb_nobody(
        steps in prop::collection::vec(step(Just(Source::Stranger)), 1..60),
        range_coder in any::<bool>(),
    ) {
        let compression = if range_coder { Compression::RangeCoder } else { Compression::None };
        let (mut world, hosts, real) = talked(compression);
        play(&mut world, &hosts, &real, &steps);
        for host in &hosts {
            world.take_log(*host);
            world.send(*host, 0, TransferMode::Reliable, &numbered(1, 3000)).expect("still connected");
        }
        world.run(SECOND);
        for host in &hosts {
            let got = world.packets(*host).iter().filter(|packet| number(&packet.bytes) == 1).count();
            prop_assert_eq!(got, 2);
            prop_assert_eq!(world.events(*host), [] as [Event; 0]);
        }
    }

    #[test]
    fn datagrams_forged_with_a_peers_address_crash_nobody(
        steps in prop::collection::vec(
            step(prop_oneof![Just(Source::Stranger), any::<prop::sample::Index>().prop_map(Source::Host)]),
            1..60,
        ),
        range_coder in any::<bool>(),
    ) {
        let compression = if range_coder { Compression::RangeCoder } else { Compression::None };
        let (mut world, hosts, real) = talked(compression);
        play(&mut world, &hosts, &real, &steps);
        // Whatever has become of the connections: the server goes on.
        world.run_in_steps(40 * SECOND, SECOND / 10);
        world.set_links(nme_netem::Link::PERFECT);
        let free = world.known(hosts[0]).len() < 3;
        if free {
            let config = world.config().compression(compression);
            world.connect_with(&config, hosts[0]);
        }
    }

    #[test]
    fn half_open_connections_and_attempts_crash_on_nothing(
        steps in prop::collection::vec(
            step(prop_oneof![Just(Source::Stranger), any::<prop::sample::Index>().prop_map(Source::Host)]),
            1..40,
        ),
        ticks in 0..4_usize,
    ) {
        let (_, _, real) = talked(Compression::None);
        let mut world = World::new(1);
        let config = world.config().compression(Compression::None);
        let server = world.server_with(&config, 3);
        world.set_links(nme_netem::Link::delayed(FRAME));
        let mut hosts = vec![server];
        for _ in 0..2 {
            let config = world.config().compression(Compression::None);
            let client = world.client_with(&config, world.address(server));
            hosts.push(client);
        }
        for _ in 0..ticks {
            world.step(FRAME);
        }
        play(&mut world, &hosts, &real, &steps);
        world.run_in_steps(40 * SECOND, SECOND / 10);
    }
}

/// Every single-byte change of every kind of datagram, from a stranger and from the peer itself.
#[test]
fn each_byte_of_each_datagram_changed() {
    let (mut world, hosts, real) = talked(Compression::None);
    let (stranger, server) = (world.new_address(), world.address(hosts[0]));
    let mut count = 0;
    // A CONNECT may come from anywhere and carry any id; all else needs a connection.
    let is_connect = |datagram: &&Datagram| datagram.bytes[..2] == [0x8f, 0xff];
    assert_eq!(real.iter().filter(is_connect).count(), 2);
    let connected = |datagram: &&Datagram| datagram.to == server && !is_connect(datagram);
    for datagram in real.iter().filter(connected) {
        for at in 0..datagram.bytes.len().min(64) {
            for change in [1, 0x80, 0xff] {
                let mut bytes = datagram.bytes.clone();
                bytes[at] ^= change;
                world.inject(stranger, server, &bytes);
                count += 1;
            }
        }
        world.step(FRAME);
    }
    assert!(count > 1000, "{count}");
    assert_eq!(world.counters(hosts[0]).dropped_datagrams(), count);
    for host in &hosts {
        assert_eq!(world.events(*host), []);
    }
    for datagram in real.iter().filter(|datagram| datagram.to == server) {
        for at in 0..datagram.bytes.len().min(64) {
            let mut bytes = datagram.bytes.clone();
            bytes[at] = !bytes[at];
            world.inject(datagram.from, server, &bytes);
        }
        world.step(FRAME);
    }
    world.run_in_steps(60 * SECOND, SECOND / 10);
}
