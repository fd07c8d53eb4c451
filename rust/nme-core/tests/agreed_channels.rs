//! How many channels the sides of a connection agree on, and what is put on others.

use std::net::SocketAddr;
use std::time::Duration;

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::codec::Compression;
use nme_core::counters::{Dropped, DroppedPacket};
use nme_core::peer::PeerId;
use nme_core::relay::Target;
use nme_core::session::{Config, DropReason, Event, NotForwarded, SendError, SendOptions, Status};
use nme_testing::raw_peer::RawConfig;
use nme_testing::world::{FRAME, HostId, World};

const SECOND: Duration = Duration::from_secs(1);

/// The CONNECT of a client that asks for this many channels.
fn connect_datagram(channels: u32, connect_id: u32, id: u32) -> Vec<u8> {
    let mut bytes = vec![0x8f, 0xff, 0, 1, 0x82, 0xff, 0, 1];
    bytes.extend([0, 0, 0xff, 0xff]);
    for field in [1392, 65536, channels, 0, 0, 5000, 2, 2, connect_id, id] {
        bytes.extend(u32::to_be_bytes(field));
    }
    bytes
}

/// Shakes hands by hand, and answers what the server granted.
fn shake_hands(world: &mut World, server: HostId, from: SocketAddr, channels: u32, id: u32) -> u32 {
    let to = world.address(server);
    world.inject(from, to, &connect_datagram(channels, 0x0102_0304, id));
    world.step(FRAME);
    let (_, answer) = world.receive_at(from).expect("an answer");
    assert_eq!((answer.len(), answer[4]), (48, 0x83), "a VERIFY_CONNECT behind a header with sent time");
    let field = |at: usize| u32::from_be_bytes(answer[at..at + 4].try_into().expect("4 bytes"));
    assert_eq!(field(44), 0x0102_0304);
    let (peer, session) = (u16::from_be_bytes([answer[8], answer[9]]), answer[11]);
    let header = (peer | u16::from(session) << 12).to_be_bytes();
    let acknowledge = [header[0], header[1], 0x01, 0xff, 0, 0, answer[6], answer[7], answer[2], answer[3]];
    world.inject(from, to, &acknowledge);
    world.step(FRAME);
    field(20)
}

#[test]
fn a_foreign_client_is_granted_at_most_what_the_server_has() {
    for (asked, granted) in [(1, 1), (2, 2), (3, 3), (4, 3), (10, 3), (255, 3)] {
        let mut world = World::new(15);
        let config = world.config().compression(Compression::None);
        let server = world.server_with(&config, 4);
        let from = world.new_address();
        assert_eq!(shake_hands(&mut world, server, from, asked, 5), granted, "asked for {asked}");
        let id = PeerId::new(5).expect("an id");
        assert_eq!(world.events(server), [Event::PeerConnected(id)]);
        // On channels that it has not, nothing is sent.
        for channel in [1, 2] {
            let options = SendOptions {
                target: Target::All,
                mode: TransferMode::Reliable,
                channel: TransferChannel::Fixed(channel),
                always_ordered: false,
            };
            let agreed = granted as u8;
            let missed = SendError::PeerChannel { channel, count: 3, peer: id, agreed, others: 0 };
            let expected = if u32::from(channel) < granted { Ok(()) } else { Err(missed) };
            assert_eq!(world.session_mut(server).send(options, b"hello"), expected);
        }
        world.step(FRAME);
        let unsent = world.counters(server).dropped_packets(DroppedPacket::NoChannel);
        assert_eq!(unsent, u64::from(3_u32.saturating_sub(asked)), "asked for {asked}");
        assert_eq!(world.events(server).len(), 1);
    }
}

#[test]
fn a_connect_request_without_channels_gets_no_answer() {
    let mut world = World::new(16);
    let server = world.server(4);
    let (from, to) = (world.new_address(), world.address(server));
    for channels in [0, 256, u32::MAX] {
        world.inject(from, to, &connect_datagram(channels, 1, 5));
    }
    world.run(SECOND);
    assert_eq!(world.receive_at(from), None);
    assert_eq!(world.counters(server).dropped(Dropped::Enet(DropReason::Connect)), 3);
}

#[cfg_attr(
    feature = "reference-engine",
    ignore = "a server that grants fewer channels does not count as an answer"
)]
#[test]
fn sides_with_different_channel_counts_use_what_both_have() {
    let mut world = World::new(17);
    let config = world.config().channel_count(6);
    let server = world.server_with(&config, 4);
    let config = world.config().channel_count(4);
    let fewer = world.connect_with(&config, server);
    let options = |channel| SendOptions {
        target: Target::All,
        mode: TransferMode::Reliable,
        channel: TransferChannel::Fixed(channel),
        always_ordered: false,
    };
    let peer = world.id(fewer);
    for channel in 1..6 {
        let missed = SendError::PeerChannel { channel, count: 6, peer, agreed: 4, others: 0 };
        let expected = if channel < 4 { Ok(()) } else { Err(missed) };
        for target in [Target::All, Target::One(peer)] {
            let options = SendOptions { target, ..options(channel) };
            assert_eq!(world.session_mut(server).send(options, &[channel]), expected);
        }
    }
    world.run(SECOND);
    let channels: Vec<u8> = world.packets(fewer).iter().map(|packet| packet.channel).collect();
    assert_eq!(channels, [1, 1, 2, 2, 3, 3]);
    assert_eq!(world.counters(server).dropped_packets(DroppedPacket::NoChannel), 2);
    for channel in [4, 5, 255] {
        let answer = world.session_mut(fewer).send(options(channel), b"?");
        assert_eq!(answer, Err(SendError::Channel { channel, count: 4 }));
    }

    let config = world.config().channel_count(7);
    let more = world.connect_with(&config, server);
    world.take_log(server);
    for channel in 1..7 {
        let options = SendOptions { target: Target::One(PeerId::SERVER), ..options(channel) };
        let peer = PeerId::SERVER;
        let missed = SendError::PeerChannel { channel, count: 7, peer, agreed: 6, others: 0 };
        let expected = if channel < 6 { Ok(()) } else { Err(missed) };
        assert_eq!(world.session_mut(more).send(options, &[channel]), expected);
    }
    for channel in 1..6 {
        let options = SendOptions { target: Target::One(world.id(more)), ..options(channel) };
        world.session_mut(server).send(options, &[channel]).expect("a channel of the server");
    }
    world.run(SECOND);
    for host in [server, more] {
        let channels: Vec<u8> = world.packets(host).iter().map(|packet| packet.channel).collect();
        assert_eq!(channels, [1, 2, 3, 4, 5]);
    }
    world.close(more);
    world.run(SECOND);
    world.assert_talking(server, fewer);
}

/// Whoever has the channel gets it, and the error names one of the others and counts the rest.
#[test]
fn a_broadcast_reaches_all_that_have_its_channel() {
    let mut world = World::new(20);
    let config = world.config().channel_count(5);
    let server = world.server_with(&config, 4);
    let clients = [5, 3, 5, 4].map(|count| {
        let config = world.config().channel_count(count);
        world.connect_with(&config, server)
    });
    world.run(SECOND);
    let options = |target, channel| SendOptions {
        target,
        mode: TransferMode::Reliable,
        channel: TransferChannel::Fixed(channel),
        always_ordered: false,
    };
    let mut send = |target, channel| world.session_mut(server).send(options(target, channel), b"to all");
    let answer = send(Target::All, 4).expect_err("two have no channel 4");
    assert!(matches!(answer, SendError::PeerChannel { channel: 4, count: 5, others: 1, .. }), "{answer:?}");
    assert_eq!(send(Target::All, 2), Ok(()));
    assert!(matches!(send(Target::All, 3), Err(SendError::PeerChannel { agreed: 3, others: 0, .. })));
    let short = world.id(clients[1]);
    assert_eq!(world.session_mut(server).send(options(Target::AllExcept(short), 3), b"x"), Ok(()));
    world.run(SECOND);
    let arrived = clients.map(|client| world.packets(client).len());
    assert_eq!(arrived, [4, 1, 4, 3]);
}

/// A client knows its own agreement with the server only. What the server cannot pass on is counted, and told once.
#[cfg_attr(
    feature = "reference-engine",
    ignore = "a server that grants fewer channels does not count as an answer"
)]
#[test]
fn what_the_relay_cannot_pass_on_is_counted_and_told_once() {
    let mut world = World::new(21);
    let config = world.config().channel_count(5);
    let server = world.server_with(&config, 4);
    let config = world.config().channel_count(5);
    let sender = world.connect_with(&config, server);
    let config = world.config().channel_count(3);
    let short = world.connect_with(&config, server);
    world.run(SECOND);
    let (from, to) = (world.id(sender), world.id(short));
    for target in [Target::One(to), Target::All, Target::AllExcept(PeerId::SERVER)] {
        let options = SendOptions {
            target,
            mode: TransferMode::Reliable,
            channel: TransferChannel::Fixed(4),
            always_ordered: false,
        };
        assert_eq!(world.session_mut(sender).send(options, b"across"), Ok(()));
        world.session_mut(sender).send(options, b"across").expect("as before");
    }
    assert_eq!(world.session_mut(server).take_warning(), None);
    world.run(SECOND);
    assert_eq!(world.packets(short).len(), 0);
    assert_eq!(world.counters(server).dropped_packets(DroppedPacket::NoChannel), 6);
    let told = world.session_mut(server).take_warning();
    assert_eq!(told, Some(NotForwarded { from, to, channel: 4, agreed: 3 }.into()));
    assert_eq!(world.session_mut(server).take_warning(), None);
    // A client whose server has fewer hears of it when it puts a packet for another client.
    let config = world.config().channel_count(9);
    let more = world.connect_with(&config, server);
    world.run(SECOND);
    let options = SendOptions {
        target: Target::One(to),
        mode: TransferMode::Reliable,
        channel: TransferChannel::Fixed(7),
        always_ordered: false,
    };
    let answer = world.session_mut(more).send(options, b"?");
    let peer = PeerId::SERVER;
    assert_eq!(answer, Err(SendError::PeerChannel { channel: 7, count: 9, peer, agreed: 5, others: 0 }));
}

#[cfg_attr(
    feature = "reference-engine",
    ignore = "a server that grants fewer channels does not count as an answer"
)]
#[test]
fn a_foreign_server_may_grant_fewer_channels() {
    for (channels, granted) in [(1, 1), (2, 2), (3, 3), (9, 3)] {
        let mut world = World::new(18);
        let raw = world.raw(RawConfig { channels, ..RawConfig::default() });
        let client = world.client(world.raw_address(raw));
        world.run(SECOND);
        assert_eq!(world.status(client), Status::Connected);
        assert_eq!(world.raw_ref(raw).channel_count(0), granted);
        world.raw_mut(raw).take_events();
        for (channel, mode) in [(1, TransferMode::Reliable), (2, TransferMode::Unreliable)] {
            let sent = world.send(client, 1, mode, b"up");
            assert_eq!(sent.is_ok(), channel < granted, "{channel} of {granted}");
        }
        world.run(SECOND);
        let arrived: Vec<u8> =
            world.raw_mut(raw).take_packets().iter().map(|(channel, _)| *channel).collect();
        let expected: Vec<u8> =
            [1, 2].into_iter().filter(|channel| usize::from(*channel) < granted).collect();
        assert_eq!(arrived, expected);
        if granted > 1 {
            world.raw_mut(raw).send_data(0, granted as u8 - 1, (1, 0), b"back");
            world.run(SECOND);
            assert_eq!(world.packets(client).len(), 1);
        }
        world.close(client);
    }
}

#[test]
fn channel_counts_below_three_count_as_three() {
    let mut world = World::new(19);
    let server = world.server(4);
    let config: Config = world.config().channel_count(0);
    let client = world.connect_with(&config, server);
    world.assert_talking(server, client);
    let config = world.config().channel_count(255);
    let server = world.server_with(&config, 4);
    let config = world.config().channel_count(255);
    let client = world.connect_with(&config, server);
    world.assert_talking(server, client);
}
