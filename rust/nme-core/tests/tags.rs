//! Tags between two ends of this library, and what becomes of forged datagrams.

use std::net::SocketAddr;
use std::time::Duration;

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::counters::Dropped;
use nme_core::relay::Target;
use nme_core::session::{ConnectionError, DropReason, SendOptions, Status};
use nme_enet::wire::{Body, CONTROL_CHANNEL, Command, Header, code};
use nme_testing::raw_peer::{RawConfig, RawEvent};
use nme_testing::world::{HostId, World};

const SECOND: Duration = Duration::from_secs(1);

const OPTIONS: SendOptions = SendOptions {
    target: Target::All,
    mode: TransferMode::Reliable,
    channel: TransferChannel::ByMode,
    always_ordered: false,
};

fn tag_drops(world: &World, host: HostId) -> u64 {
    world.session(host).counters().dropped(Dropped::Enet(DropReason::Tag))
}

fn datagram(header: Header, command: Command) -> Vec<u8> {
    let mut bytes = vec![0; header.len()];
    header.write(&mut nme_enet::wire::Writer::new(&mut bytes));
    command.append_to(&mut bytes);
    bytes.resize(bytes.len() + command.body.payload_len(), 0x66);
    bytes
}

/// Every disconnect and many reliable packets, for each number and session that a peer can have.
fn forge_all(world: &mut World, to: SocketAddr, from: SocketAddr) {
    for (peer, session) in (0..4).flat_map(|peer| (0..4).map(move |session| (peer, session))) {
        let header = Header { peer, session, sent_time: Some(77), compressed: false };
        for sequence in 0..200 {
            let body = Body::Disconnect { data: 1 };
            let command = Command { code: code::DISCONNECT, channel: CONTROL_CHANNEL, sequence, body };
            world.inject(from, to, &datagram(header, command));
            let body = Body::Reliable { len: 20 };
            let command = Command { code: code::RELIABLE, channel: 1, sequence, body };
            world.inject(from, to, &datagram(header, command));
        }
    }
}

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "stock ENet has no tags")]
fn forged_datagrams_do_not_reach_players() {
    let mut world = World::new(1);
    let server = world.server(4);
    let client = world.connect(server);
    world.run(5 * SECOND);
    let (server_address, client_address) = (world.address(server), world.address(client));
    for round in 0..26 {
        for host in [server, client] {
            world.session_mut(host).send(OPTIONS, &[round; 100]).expect("sent");
            world.flush(host);
        }
        forge_all(&mut world, server_address, client_address);
        forge_all(&mut world, client_address, server_address);
        world.run(SECOND / 10);
    }
    for host in [server, client] {
        let packets = world.take_packets(host);
        assert!(packets.iter().map(|packet| packet.bytes[0]).eq(0..26), "every packet, in order");
        assert!(tag_drops(&world, host) > 10_000);
        assert_eq!(world.status(host), Status::Connected);
    }
}

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "stock ENet has no tags")]
fn a_client_of_stock_enet_notices_a_system_message_and_nothing_else() {
    let mut world = World::new(2);
    let server = world.server(4);
    let raw = world.raw_client(RawConfig::default(), server, 77);
    world.run(40 * SECOND);
    let messages = world.raw_events(raw);
    let [RawEvent::Connected { .. }, RawEvent::Received { channel: 0, bytes, .. }] = messages else {
        panic!("{messages:?}");
    };
    // A kind that 3.6 does not know.
    assert!(bytes.len() >= 8 && u32::from_le_bytes(bytes[..4].try_into().expect("a kind")) > 1);
    assert_eq!(tag_drops(&world, server), 0);
}

#[test]
#[cfg_attr(feature = "reference-engine", ignore = "stock ENet has no tags")]
fn who_has_no_tags_has_to_leave_where_they_are_required() {
    let mut world = World::new(3);
    let config = world.config().require_tags(true);
    let server = world.server_with(&config, 4);
    let client = world.connect(server);
    let raw = world.raw_client(RawConfig::default(), server, 77);
    world.run(10 * SECOND);
    assert!(world.raw_events(raw).iter().any(|event| matches!(event, RawEvent::Disconnected { .. })));
    assert_eq!(world.status(client), Status::Connected);
}

#[test]
fn a_client_that_requires_tags_leaves_a_server_of_stock_enet() {
    let mut world = World::new(4);
    let raw = world.raw(RawConfig { peers: 4, ..RawConfig::default() });
    let config = world.config().require_tags(true);
    let client = world.client_with(&config, world.raw_address(raw));
    world.run(3 * SECOND);
    assert_eq!(world.status(client), Status::Connected);
    world.run(5 * SECOND);
    assert_eq!(world.session(client).connection_error(), Some(ConnectionError::Untagged));
}
