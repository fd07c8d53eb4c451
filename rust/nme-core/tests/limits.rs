//! Bounds on what one peer can cost, and that honest peers do not meet them.
#![expect(clippy::print_stdout, reason = "the figures are worth a look")]

use std::time::Duration;

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::codec::Compression;
use nme_core::counters::Dropped;
use nme_core::relay::Target;
use nme_core::session::{
    Bandwidth, BandwidthError, Config, Event, Limits, MaxClients, MaxClientsError, PeerLimit, SendOptions,
};
use nme_core::session::{DropReason, Quotas};
use nme_netem::Link;
use nme_testing::payload::{number, numbered};
use nme_testing::raw_peer::RawConfig;
use nme_testing::world::{FRAME, HostId, World};

const SECOND: Duration = Duration::from_secs(1);

const MIB: u64 = 1 << 20;

fn unacknowledged(config: Config, limit: u64) -> Config {
    config.limits(Limits { unacknowledged: limit, ..Limits::default() })
}

fn received(world: &World, host: HostId) -> Vec<u32> {
    world.packets(host).iter().map(|packet| number(&packet.bytes)).collect()
}

/// A server with this limit and two clients, one of them behind a link so slow that it acknowledges only a
/// little of what it is sent, but always in time.
fn slow_and_fast(seed: u64, limit: u64) -> (World, HostId, HostId, HostId) {
    let mut world = World::new(seed);
    let config = unacknowledged(world.config(), limit);
    let server = world.server_with(&config, 4);
    let [slow, fast] = [(); 2].map(|()| world.connect(server));
    world.run(SECOND);
    let (one, other) = (world.address(server), world.address(slow));
    world.network().set_both(one, other, Link::delayed(Duration::from_millis(800)));
    world.run(20 * SECOND);
    for host in [server, slow, fast] {
        world.take_log(host);
    }
    (world, server, slow, fast)
}

#[test]
fn a_peer_that_acknowledges_too_little_is_ended_and_no_other() {
    let (mut world, server, slow, fast) = slow_and_fast(1, MIB);
    let id = world.id(slow);
    // About 600 KB a second; the slow link carries 40.
    let mut sent = 0;
    while world.events(server).is_empty() && sent < 400 {
        world.send(server, 0, TransferMode::Reliable, &numbered(sent, 10_000)).expect("somebody");
        sent += 1;
        world.step(FRAME);
    }
    assert_eq!(world.events(server), [Event::PeerDisconnected(id)]);
    // The limit, and what went through meanwhile.
    assert!((105..160).contains(&sent), "{sent} packets");
    for _ in 0..50 {
        world.send(server, 0, TransferMode::Reliable, &numbered(sent, 10_000)).expect("the fast one");
        sent += 1;
        world.step(FRAME);
    }
    world.run(2 * SECOND);
    assert_eq!(world.events(server), [Event::PeerDisconnected(id)]);
    assert_eq!(world.events(fast), [Event::PeerDisconnected(id)]);
    assert_eq!(received(&world, fast), (0..sent).collect::<Vec<_>>());
    assert_eq!(world.events(slow).last(), Some(&Event::ServerDisconnected));
    let got = received(&world, slow);
    assert_eq!(got, (0..got.len() as u32).collect::<Vec<_>>());
}

#[test]
fn many_peers_that_acknowledge_too_little_end_at_once_and_once() {
    let mut world = World::new(13);
    let config = unacknowledged(world.config().compression(Compression::None), MIB);
    let server = world.server_with(&config, 40);
    let clients: Vec<HostId> = (0..31)
        .map(|_| {
            let config = world.config().compression(Compression::None);
            world.connect_with(&config, server)
        })
        .collect();
    world.run(SECOND);
    let (fast, slow) = clients.split_last().expect("clients");
    let to = world.address(server);
    for client in slow {
        // They hear nothing any more, and nobody has noticed yet.
        let from = world.address(*client);
        world.network().set_both(from, to, Link::DOWN);
    }
    world.take_log(server);
    world.take_log(*fast);
    for index in 0..120 {
        world.send(server, 0, TransferMode::Reliable, &numbered(index, 10_000)).expect("somebody");
        world.step(FRAME);
    }
    world.run(SECOND);
    let mut expected: Vec<Event> =
        slow.iter().map(|client| Event::PeerDisconnected(world.id(*client))).collect();
    expected.sort_unstable_by_key(|event| format!("{event:?}"));
    for host in [server, *fast] {
        let mut ended = world.events(host);
        ended.sort_unstable_by_key(|event| format!("{event:?}"));
        assert_eq!(ended, expected);
    }
    assert_eq!(received(&world, *fast), (0..120).collect::<Vec<_>>());
}

#[test]
fn unless_told_otherwise_72_mib_may_wait() {
    let mut world = World::new(14);
    let server = world.server(1);
    let client = world.connect(server);
    let (one, other) = (world.address(server), world.address(client));
    world.network().set_both(one, other, Link::DOWN);
    let payload = vec![0; 15 << 20];
    for (packets, is_known) in [(4, true), (1, false)] {
        for _ in 0..packets {
            let _ = world.send(server, 0, TransferMode::Reliable, &payload);
        }
        world.run(FRAME);
        assert_eq!(!world.known(server).is_empty(), is_known);
    }
}

/// A server sends 4 MB a second to two clients, one of them behind a link that carries 40 kB.
#[test]
#[cfg_attr(feature = "reference-engine", ignore = "it has the other limit only")]
fn who_makes_no_progress_is_ended_before_that() {
    let mut world = World::new(15);
    let plain = world.config().compression(Compression::None);
    let server = world.server_with(&plain, 4);
    let [slow, fast] = [(); 2].map(|()| {
        let config = world.config().compression(Compression::None);
        world.connect_with(&config, server)
    });
    let (from, to) = (world.address(server), world.address(slow));
    let narrow = nme_netem::Bandwidth { bytes_per_second: 40_000, queue: 20_000 };
    world.network().set_link(from, to, Link { bandwidth: Some(narrow), ..Link::delayed(FRAME) });
    let mut sent = 0;
    while world.known(server).len() == 2 && sent < 60 * 60 {
        world.send(server, 0, TransferMode::Reliable, &numbered(sent, 64_000)).expect("somebody");
        sent += 1;
        world.step(FRAME);
    }
    let waited = u64::from(sent) * 64_000;
    // Half of 64 MiB, and what comes in five seconds.
    assert!((48 * MIB..56 * MIB).contains(&waited), "{waited} bytes");
    println!("{} MiB were sent to a slow acknowledger", waited / MIB);
    assert_eq!(world.events(server).last(), Some(&Event::PeerDisconnected(world.id(slow))));
    assert_eq!(world.counters(server).peers_cut_off(PeerLimit::Unacknowledged), 1);
    world.run(2 * SECOND);
    assert_eq!(received(&world, fast), (0..sent).collect::<Vec<_>>());
}

#[test]
fn whoever_makes_progress_may_have_64_mib_waiting_for_as_long_as_it_takes() {
    let mut world = World::new(16);
    let plain = world.config().compression(Compression::None);
    let server = world.server_with(&plain, 4);
    let config = world.config().compression(Compression::None);
    let client = world.connect_with(&config, server);
    let narrow = nme_netem::Bandwidth { bytes_per_second: 3_000_000, queue: 100_000 };
    world.set_links(Link { bandwidth: Some(narrow), ..Link::delayed(FRAME) });
    let payload = vec![7; MIB as usize];
    for _ in 0..64 {
        world.send(server, 0, TransferMode::Reliable, &payload).expect("a client");
    }
    for index in 0..1200 {
        // Beside it the game goes on.
        world.send(server, 0, TransferMode::Reliable, &numbered(index, 100)).expect("a client");
        world.step(FRAME);
    }
    assert!(world.run_until(60 * SECOND, |world| world.packets(client).len() == 64 + 1200));
}

#[test]
fn relayed_packets_count_too() {
    let (mut world, server, slow, fast) = slow_and_fast(2, MIB);
    let id = world.id(slow);
    for index in 0..300 {
        let answer = world.send(fast, id.get(), TransferMode::Reliable, &numbered(index, 10_000));
        if answer.is_err() {
            break;
        }
        world.step(FRAME);
    }
    assert_eq!(world.events(server), [Event::PeerDisconnected(id)]);
    assert_eq!(world.events(fast), [Event::PeerDisconnected(id)]);
}

#[test]
fn many_tiny_packets_count_by_what_they_cost() {
    let (mut world, server, slow, _) = slow_and_fast(3, MIB);
    let id = world.id(slow);
    let mut sent = 0;
    while world.events(server).is_empty() && sent < 10_000 {
        for _ in 0..50 {
            let answer = world.send(server, id.get(), TransferMode::Reliable, b"!");
            sent += u32::from(answer.is_ok());
        }
        world.step(FRAME);
    }
    assert_eq!(world.events(server), [Event::PeerDisconnected(id)]);
    assert!((4000..6000).contains(&sent), "{sent}");
}

#[test]
fn unreliable_packets_do_not_count() {
    let (mut world, server, slow, _) = slow_and_fast(4, MIB / 4);
    let id = world.id(slow).get();
    for index in 0..400 {
        let mode = [TransferMode::Unreliable, TransferMode::UnreliableOrdered][index as usize % 2];
        world.send(server, id, mode, &numbered(index, 5000)).expect("a known peer");
        world.step(FRAME);
    }
    assert_eq!(world.events(server), []);
}

#[test]
fn a_client_ends_a_server_that_acknowledges_too_little() {
    let mut world = World::new(5);
    let server = world.server(4);
    let config = unacknowledged(world.config(), MIB);
    let client = world.connect_with(&config, server);
    let id = world.id(client);
    for index in 0..200 {
        if world.send(client, 1, TransferMode::Reliable, &numbered(index, 10_000)).is_err() {
            break;
        }
        // All in one frame: more than the limit at once.
    }
    world.run(SECOND);
    assert_eq!(
        world.events(client)[2..],
        [Event::PeerDisconnected(nme_core::peer::PeerId::SERVER), Event::ServerDisconnected]
    );
    assert_eq!(world.events(server), [Event::PeerConnected(id), Event::PeerDisconnected(id)]);
}

#[test]
fn what_was_acknowledged_counts_no_more() {
    for loss in [0.0, 0.05] {
        let mut world = World::new(6);
        let plain =
            |config: Config| unacknowledged(config.compression(Compression::None).channel_count(5), MIB);
        let config = plain(world.config());
        let server = world.server_with(&config, 4);
        let config = plain(world.config());
        let client = world.connect_with(&config, server);
        world.set_links(Link { loss, ..Link::delayed(Duration::from_millis(10)) });
        // Fifteen times nine tenths of the limit, of all kinds and on all channels.
        let mut sent = [0; 5];
        for round in 0..15 {
            let mut queued = 0;
            while queued < MIB * 9 / 10 {
                let channel = world.random().within(1..5);
                let len = *world.random().pick(&[8, 100, 256, 1300, 1364, 1365, 3000, 40_000, 100_000]);
                let options = SendOptions {
                    target: Target::All,
                    mode: TransferMode::Reliable,
                    channel: TransferChannel::Fixed(channel as u8),
                    always_ordered: false,
                };
                let payload = numbered(sent[channel], len);
                sent[channel] += 1;
                queued += (len as u64 + 8).max(256);
                for host in [server, client] {
                    world.session_mut(host).send(options, &payload).expect("a connection");
                }
            }
            let total = sent.iter().sum::<u32>() as usize;
            let done = world.run_until(120 * SECOND, |world| {
                [server, client].iter().all(|host| world.packets(*host).len() == total)
            });
            assert!(done, "round {round} with loss {loss}: {:?}", world.events(server));
            // What has arrived may not have been acknowledged yet.
            world.run(10 * SECOND);
        }
        for host in [server, client] {
            for (channel, count) in sent.iter().enumerate() {
                let packets = world.packets(host);
                let on_channel = packets.iter().filter(|packet| usize::from(packet.channel) == channel);
                let got: Vec<u32> = on_channel.map(|packet| number(&packet.bytes)).collect();
                assert_eq!(got, (0..*count).collect::<Vec<_>>());
            }
        }
    }
}

/// Quotas so small that honest traffic meets them.
fn tight(config: Config) -> Config {
    let incoming =
        Quotas { fragment_bytes: 100_000, fragment_packets: 4, ahead_commands: 16, ahead_bytes: 16_000 };
    config.limits(Limits { incoming, ..Limits::default() })
}

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "stock ENet has no quotas")]
fn full_quotas_delay_and_never_block() {
    let mut world = World::new(7);
    let config = tight(world.config().channel_count(5));
    let server = world.server_with(&config, 4);
    let config = tight(world.config().channel_count(5));
    let client = world.connect_with(&config, server);
    world.set_links(Link {
        loss: 0.05,
        reorder: 0.1,
        reorder_delay: Duration::from_millis(40),
        ..Link::delayed(Duration::from_millis(20))
    });
    let mut sent = [0; 5];
    for _ in 0..120 {
        let channel = world.random().within(1..5);
        let len = *world.random().pick(&[8, 700, 1300, 5000, 19_000, 60_000]);
        let options = SendOptions {
            target: Target::All,
            mode: TransferMode::Reliable,
            channel: TransferChannel::Fixed(channel as u8),
            always_ordered: false,
        };
        let payload = numbered(sent[channel], len);
        sent[channel] += 1;
        for host in [server, client] {
            world.session_mut(host).send(options, &payload).expect("a connection");
        }
        world.run(6 * FRAME);
    }
    let total = sent.iter().sum::<u32>() as usize;
    let done = |world: &World| [server, client].iter().all(|host| world.packets(*host).len() == total);
    let finished = world.run_until(200 * SECOND, done);
    for host in [server, client] {
        assert!(finished, "{} of {total}: {:?}", world.packets(host).len(), world.events(host));
        assert!(world.counters(host).ignored_commands > 0, "the quotas were never full");
        for (channel, count) in sent.iter().enumerate() {
            let packets = world.packets(host);
            let on_channel = packets.iter().filter(|packet| usize::from(packet.channel) == channel);
            let got: Vec<u32> = on_channel.map(|packet| number(&packet.bytes)).collect();
            assert_eq!(got, (0..*count).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_packet_larger_than_the_fragment_quota_arrives() {
    let mut world = World::new(8);
    let config = tight(world.config().compression(Compression::None));
    let server = world.server_with(&config, 4);
    let config = tight(world.config().compression(Compression::None));
    let client = world.connect_with(&config, server);
    let payload = world.random().bytes(2 * MIB as usize);
    for host in [server, client] {
        world.send(host, 0, TransferMode::Reliable, &payload).expect("a connection");
        world.send(host, 0, TransferMode::Reliable, &payload[..70_000]).expect("a connection");
    }
    world.run(30 * SECOND);
    for host in [server, client] {
        let packets = world.take_packets(host);
        assert_eq!(packets.len(), 2);
        assert!(packets[0].bytes == payload && packets[1].bytes == payload[..70_000]);
    }
}

#[test]
fn one_peers_full_quota_is_not_anothers() {
    let mut world = World::new(9);
    let config = tight(world.config().compression(Compression::None));
    let server = world.server_with(&config, 4);
    let config = world.config().compression(Compression::None);
    let honest = world.connect_with(&config, server);
    let raw_config = RawConfig { range_coder: false, ..RawConfig::default() };
    let hostile = world.raw_client(raw_config, server, 66);
    // First fragments of unreliable packets that never become whole. The peer number is 1, the session 0 or 1.
    let (from, to) = (world.raw_address(hostile), world.address(server));
    for session in 0..4 {
        for start in 1..200_u16 {
            let mut datagram = vec![session << 4, 1, 0x0c, 2, 0, 0];
            datagram.extend(start.to_be_bytes());
            datagram.extend(1364_u16.to_be_bytes());
            for field in [8_u32, 0, 10_000, 0] {
                datagram.extend(field.to_be_bytes());
            }
            datagram.resize(datagram.len() + 1364, 0);
            world.inject(from, to, &datagram);
        }
    }
    let payload = world.random().bytes(15_000);
    for _ in 0..20 {
        world.send(honest, 1, TransferMode::Unreliable, &payload).expect("a connection");
        world.run(4 * FRAME);
    }
    assert_eq!(world.packets(server).len(), 20);
    assert!(world.packets(server).iter().all(|packet| packet.bytes == payload));
    assert_eq!(world.counters(honest).ignored_commands, 0);
}

#[test]
fn datagrams_without_a_connection_cost_nothing_but_a_count() {
    let mut world = World::new(10);
    let server = world.server(4);
    let client = world.connect(server);
    let (stranger, to) = (world.new_address(), world.address(server));
    for peer in [0, 1, 3, 4, 4094] {
        world.inject(stranger, to, &[(peer >> 8) as u8, peer as u8, 0x05 | 0x80, 0xff, 0, 1]);
    }
    let mut nobody = stranger;
    nobody.set_port(0);
    world.inject(nobody, to, &[0, 0, 0x85, 0xff, 0, 1]);
    world.inject(stranger, to, &[0; 1397]);
    world.inject(stranger, to, &[0; 5000]);
    world.inject(stranger, to, &[0]);
    world.inject(stranger, to, &[]);
    world.run(SECOND);
    let counters = world.counters(server);
    for (reason, count) in [
        (Dropped::Enet(DropReason::UnknownPeer), 5),
        (Dropped::Enet(DropReason::SourcePort), 1),
        (Dropped::Enet(DropReason::TooLong), 1),
        (Dropped::Oversized, 1),
        (Dropped::Enet(DropReason::TooShort), 2),
    ] {
        assert_eq!(counters.dropped(reason), count, "{reason:?}");
    }
    assert_eq!(counters.dropped_datagrams(), 10);
    assert_eq!(world.receive_at(stranger), None);
    assert_eq!(world.counters(client).dropped_datagrams(), 0);
    assert_eq!(world.events(client).len(), 2);
}

#[test]
fn numbers_that_no_server_can_have_are_errors() {
    for valid in [1, 2, 4094, 4095] {
        assert!(MaxClients::new(valid).is_ok());
    }
    for invalid in [0, -1, 4096, i64::MAX, i64::MIN, 1 << 16] {
        assert_eq!(MaxClients::new(invalid), Err(MaxClientsError(invalid)));
    }
    assert!(Bandwidth::new(0, 4_294_967_295).is_ok());
    let error = |direction, value| Err(BandwidthError { direction, value });
    assert_eq!(Bandwidth::new(-1, 0), error("in_bandwidth", -1));
    assert_eq!(Bandwidth::new(0, 1 << 32), error("out_bandwidth", 1 << 32));
}

#[test]
fn a_bandwidth_limit_slows_a_server_down() {
    let time = |bandwidth: Bandwidth| {
        let mut world = World::new(11);
        let config = world.config().bandwidth(bandwidth).compression(Compression::None);
        let server = world.server_with(&config, 4);
        let config = world.config().compression(Compression::None);
        let client = world.connect_with(&config, server);
        world.run(5 * SECOND);
        let payload = world.random().bytes(400_000);
        world.send(server, 0, TransferMode::Reliable, &payload).expect("a client");
        let start = world.now();
        assert!(world.run_until(300 * SECOND, |world| !world.packets(client).is_empty()));
        assert!(world.take_packets(client)[0].bytes == payload);
        world.now() - start
    };
    let free = time(Bandwidth::default());
    let limited = time(Bandwidth::new(0, 40_000).expect("a bandwidth"));
    assert!(limited > 3 * free, "{limited:?} {free:?}");
}

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "stock ENet sends more than the bandwidth limits allow")]
fn a_bandwidth_limit_drops_unreliable_packets() {
    let arrived = |seen_by_server: Bandwidth, seen_by_client: Bandwidth| {
        let mut world = World::new(12);
        let config = world.config().bandwidth(seen_by_server).compression(Compression::None);
        let server = world.server_with(&config, 4);
        let config = world.config().bandwidth(seen_by_client).compression(Compression::None);
        let client = world.connect_with(&config, server);
        // The first second is ENet's to notice how much there is.
        for frame in 0..600 {
            if frame == 120 {
                world.take_packets(client);
            }
            let _ = world.send(server, 0, TransferMode::Unreliable, &numbered(frame, 1000));
            world.step(FRAME);
        }
        world.take_packets(client).len()
    };
    let free = Bandwidth::default();
    let narrow = |incoming, outgoing| Bandwidth::new(incoming, outgoing).expect("a bandwidth");
    assert!(arrived(free, free) >= 479);
    // A third of what is sent, whoever has the limit. Stock ENet sends 371 of 480 to a peer that can take 160.
    for (server, client) in [(narrow(0, 20_000), free), (free, narrow(20_000, 0))] {
        let third = arrived(server, client);
        assert!((140..200).contains(&third), "{third}");
    }
}

#[test]
fn the_largest_server_takes_every_client_number() {
    let mut world = World::new(12);
    let server = world.server(4095);
    let client = world.connect(server);
    world.send(client, 1, TransferMode::Reliable, b"hello").expect("a connection");
    world.run(SECOND);
    assert_eq!(world.packets(server).len(), 1);
}
