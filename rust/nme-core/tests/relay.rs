//! Who gets what: the relay, its system messages, and what it drops.

use std::time::Duration;

use nme_core::channel::{Delivery, TransferMode};
use nme_core::counters::DroppedPacket;
use nme_core::peer::PeerId;
use nme_core::relay::Target;
use nme_core::session::{Event, SendError};
use nme_testing::raw_peer::{RawConfig, RawEvent, data_packet, system_message};
use nme_testing::world::{HostId, Packet, RawId, World};

const SECOND: Duration = Duration::from_secs(1);

/// Id of the foreign client.
const RAW: i32 = 500;

/// An id that nobody has.
const NOBODY: i32 = 499;

/// Channel and bytes.
type RawPacket = (u8, Vec<u8>);

/// A server, two clients, and a foreign client that came last.
struct Party {
    world: World,
    server: HostId,
    a: HostId,
    b: HostId,
    raw: RawId,
}

impl Party {
    fn new(relay: bool) -> Self {
        let mut world = World::new(1);
        let config = world.config().server_relay(relay).channel_count(CHANNELS);
        let server = world.server_with(&config, 8);
        let [a, b] = [(); 2].map(|()| {
            let config = world.config().channel_count(CHANNELS);
            world.connect_with(&config, server)
        });
        let raw = world.raw(RawConfig { channels: CHANNELS.into(), ..RawConfig::default() });
        let to = world.address(server);
        world.raw_mut(raw).connect(to, CHANNELS.into(), RAW as u32);
        world.run(SECOND);
        assert!(world.raw_ref(raw).is_connected(0));
        for host in [server, a, b] {
            world.take_log(host);
        }
        world.raw_mut(raw).take_events();
        Self { world, server, a, b, raw }
    }

    fn id(&self, host: HostId) -> i32 {
        self.world.id(host).get()
    }

    /// Lets everything arrive; who has got what: server, a, b, and the foreign client.
    fn arrived(&mut self) -> ([Vec<Packet>; 3], Vec<RawPacket>) {
        self.world.run(SECOND);
        let sessions = [self.server, self.a, self.b].map(|host| self.world.take_packets(host));
        (sessions, self.world.raw_mut(self.raw).take_packets())
    }

    fn dropped(&self, reason: DroppedPacket) -> u64 {
        self.world.counters(self.server).dropped_packets(reason)
    }
}

const CHANNELS: u8 = 6;

fn packet(from: i32, channel: u8, mode: TransferMode, bytes: &[u8]) -> Packet {
    Packet { from: PeerId::new(from).expect("an id"), channel, mode, bytes: bytes.to_vec() }
}

/// Sends from the foreign client to each target; the expectation names who gets it: server, a, b, sender.
fn check_client_targets(relay: bool, table: impl Fn(&Party) -> Vec<(i32, [bool; 4], Option<DroppedPacket>)>) {
    let mut party = Party::new(relay);
    for (index, (target, expected, dropped)) in table(&party).into_iter().enumerate() {
        let payload = [b"to ", &target.to_le_bytes()[..], &[index as u8; 40]].concat();
        let before = dropped.map_or(0, |reason| party.dropped(reason));
        party.world.raw_mut(party.raw).send_data(0, 3, (RAW, target), &payload);
        let (sessions, raw) = party.arrived();
        for (got, expected) in sessions.iter().zip(expected) {
            let want = expected.then(|| packet(RAW, 3, TransferMode::Reliable, &payload));
            assert_eq!(*got, Vec::from_iter(want), "target {target}, relay {relay}");
        }
        let want = expected[3].then(|| (3, data_packet(RAW, target, &payload)));
        assert_eq!(raw, Vec::from_iter(want), "target {target}, relay {relay}");
        if let Some(reason) = dropped {
            assert_eq!(party.dropped(reason), before + 1, "target {target}, relay {relay}");
        }
    }
}

#[test]
fn client_targets_with_the_relay() {
    check_client_targets(true, |party| {
        let (a, b) = (party.id(party.a), party.id(party.b));
        vec![
            (0, [true, true, true, false], None),
            (1, [true, false, false, false], None),
            (a, [false, true, false, false], None),
            (b, [false, false, true, false], None),
            (-a, [true, false, true, false], None),
            (-b, [true, true, false, false], None),
            (-1, [false, true, true, false], None),
            (NOBODY, [false; 4], Some(DroppedPacket::UnknownTarget)),
            (-NOBODY, [true, true, true, false], None),
            (RAW, [false, false, false, true], None),
            (-RAW, [true, true, true, false], None),
            (i32::MIN, [false; 4], Some(DroppedPacket::Target)),
            (i32::MAX, [false; 4], Some(DroppedPacket::UnknownTarget)),
            (-i32::MAX, [true, true, true, false], None),
        ]
    });
}

#[test]
fn client_targets_without_the_relay() {
    check_client_targets(false, |party| {
        let a = party.id(party.a);
        vec![
            (0, [true, false, false, false], None),
            (1, [true, false, false, false], None),
            (a, [false; 4], Some(DroppedPacket::Target)),
            (-a, [true, false, false, false], None),
            (-1, [false; 4], Some(DroppedPacket::Target)),
            (NOBODY, [false; 4], Some(DroppedPacket::Target)),
            (-NOBODY, [true, false, false, false], None),
            (RAW, [false; 4], Some(DroppedPacket::Target)),
            (-RAW, [true, false, false, false], None),
            (i32::MIN, [false; 4], Some(DroppedPacket::Target)),
        ]
    });
}

#[test]
fn session_clients_reach_each_other_through_the_relay() {
    let mut party = Party::new(true);
    let (a, b) = (party.id(party.a), party.id(party.b));
    let table = [
        (0, [true, false, true, true]),
        (1, [true, false, false, false]),
        (b, [false, false, true, false]),
        (RAW, [false, false, false, true]),
        (-b, [true, false, false, true]),
        (-1, [false, false, true, true]),
    ];
    for (target, expected) in table {
        let payload = [b"from a to ", &target.to_le_bytes()[..]].concat();
        party.world.send(party.a, target, TransferMode::Reliable, &payload).expect("a known target");
        let (sessions, raw) = party.arrived();
        for (got, expected) in sessions.iter().zip(expected) {
            let want = expected.then(|| packet(a, 1, TransferMode::Reliable, &payload));
            assert_eq!(*got, Vec::from_iter(want), "target {target}");
        }
        let want = expected[3].then(|| (1, data_packet(a, target, &payload)));
        assert_eq!(raw, Vec::from_iter(want), "target {target}");
    }
    for target in [NOBODY, -NOBODY, a, -a] {
        let answer = party.world.send(party.a, target, TransferMode::Reliable, b"?");
        let target = Target::from_number(target).expect("a target");
        assert_eq!(answer, Err(SendError::UnknownTarget(target)));
    }
}

#[test]
fn server_targets_with_and_without_the_relay() {
    for relay in [true, false] {
        let mut party = Party::new(relay);
        let (a, b) = (party.id(party.a), party.id(party.b));
        let table = [
            (0, [false, true, true, true]),
            (a, [false, true, false, false]),
            (-a, [false, false, true, true]),
            (-b, [false, true, false, true]),
            (RAW, [false, false, false, true]),
        ];
        for (target, expected) in table {
            let payload = [b"server to ", &target.to_le_bytes()[..]].concat();
            party.world.send(party.server, target, TransferMode::Reliable, &payload).expect("a known target");
            let (sessions, raw) = party.arrived();
            for (got, expected) in sessions.iter().zip(expected) {
                let want = expected.then(|| packet(1, 1, TransferMode::Reliable, &payload));
                assert_eq!(*got, Vec::from_iter(want), "target {target}, relay {relay}");
            }
            let want = expected[3].then(|| (1, data_packet(1, target, &payload)));
            assert_eq!(raw, Vec::from_iter(want), "target {target}, relay {relay}");
        }
        for target in [1, -1, NOBODY, -NOBODY] {
            let answer = party.world.send(party.server, target, TransferMode::Reliable, b"?");
            let target = Target::from_number(target).expect("a target");
            assert_eq!(answer, Err(SendError::UnknownTarget(target)));
        }
    }
}

#[test]
fn without_the_relay_clients_do_not_know_each_other() {
    let mut party = Party::new(false);
    assert_eq!(party.world.known(party.a).iter().map(|id| id.get()).collect::<Vec<_>>(), [1]);
    let b = party.id(party.b);
    assert!(party.world.send(party.a, b, TransferMode::Reliable, b"?").is_err());
    party.world.close(party.b);
    party.world.raw_mut(party.raw).disconnect_now(0, 0);
    let (_, raw) = party.arrived();
    assert_eq!(raw, []);
    assert_eq!(party.world.events(party.a), []);
}

#[test]
fn channel_mode_and_bytes_survive_the_relay() {
    let mut party = Party::new(true);
    let to = party.id(party.b);
    for channel in 1..CHANNELS {
        for (delivery, mode) in [
            (Delivery::Reliable, TransferMode::Reliable),
            (Delivery::Sequenced, TransferMode::UnreliableOrdered),
            (Delivery::Unsequenced, TransferMode::Unreliable),
        ] {
            let payload = party.world.random().bytes(33 * usize::from(channel));
            let bytes = data_packet(RAW, to, &payload);
            party.world.raw_mut(party.raw).send(0, channel, &bytes, delivery);
            let (sessions, raw) = party.arrived();
            assert_eq!(sessions, [vec![], vec![], vec![packet(RAW, channel, mode, &payload)]]);
            assert_eq!(raw, []);
        }
    }
}

#[test]
fn a_relayed_packet_is_the_very_same_bytes() {
    let mut party = Party::new(true);
    let other = party.world.raw(RawConfig { channels: CHANNELS.into(), ..RawConfig::default() });
    let to = party.world.address(party.server);
    party.world.raw_mut(other).connect(to, CHANNELS.into(), 600);
    party.arrived();
    let bytes = data_packet(RAW, -1, &party.world.random().bytes(5000));
    party.world.raw_mut(party.raw).send(0, 4, &bytes, Delivery::Reliable);
    party.arrived();
    let packets = party.world.raw_mut(other).take_packets();
    assert_eq!(packets.last(), Some(&(4, bytes)));
}

#[test]
fn system_messages_of_joins_and_leaves() {
    let mut world = World::new(2);
    let server = world.server(8);
    let address = world.address(server);
    let raw_config = RawConfig::default();
    let first = world.raw_client(raw_config, server, 900);
    let second = world.raw_client(raw_config, server, 700);
    let third = world.raw_client(raw_config, server, 800);
    world.run(SECOND);
    // Of the older clients to the newcomer, by their ids; of the newcomer to each older one.
    let joined = |ids: &[u32]| ids.iter().map(|id| (0, system_message(0, *id))).collect::<Vec<_>>();
    assert_eq!(world.raw_mut(first).take_packets(), joined(&[700, 800]));
    assert_eq!(world.raw_mut(second).take_packets(), joined(&[900, 800]));
    assert_eq!(world.raw_mut(third).take_packets(), joined(&[700, 900]));

    let client = world.client(address);
    world.run(SECOND);
    let id = world.id(client);
    let peers = [1, 700, 800, 900].map(|id| Event::PeerConnected(PeerId::new(id).expect("an id")));
    let mut expected = peers.to_vec();
    expected.insert(1, Event::ConnectionSucceeded);
    assert_eq!(world.events(client), expected);
    for raw in [first, second, third] {
        assert_eq!(world.raw_mut(raw).take_packets(), joined(&[id.get() as u32]));
    }

    world.raw_mut(second).disconnect_now(0, 700);
    world.run(SECOND);
    assert_eq!(world.events(client)[5..], [Event::PeerDisconnected(PeerId::new(700).expect("an id"))]);
    world.close(client);
    world.run(SECOND);
    let gone = [(0, system_message(1, 700)), (0, system_message(1, id.get() as u32))];
    assert_eq!(world.raw_mut(first).take_packets(), gone);
    assert_eq!(world.raw_mut(third).take_packets(), gone);
    let ids = [900, 700, 800, id.get()].map(|id| PeerId::new(id).expect("an id"));
    let mut expected = ids.map(Event::PeerConnected).to_vec();
    expected.extend([ids[1], ids[3]].map(Event::PeerDisconnected));
    assert_eq!(world.events(server), expected);
}

#[test]
fn a_peer_that_is_kicked_or_vanishes_leaves_for_everybody() {
    let mut world = World::new(3);
    let server = world.server(8);
    let [a, b, c] = [(); 3].map(|()| world.connect(server));
    world.run(SECOND);
    let [id_a, id_b, id_c] = [a, b, c].map(|host| world.id(host));
    world.kick(server, id_a, true).expect("a known peer");
    world.run(SECOND);
    assert_eq!(world.events(a).last(), Some(&Event::ServerDisconnected));
    assert_eq!(world.events(b).last(), Some(&Event::PeerDisconnected(id_a)));
    assert_eq!(world.known(c).iter().copied().collect::<Vec<_>>(), {
        let mut ids = vec![PeerId::SERVER, id_b];
        ids.sort_unstable();
        ids
    });
    world.vanish(b);
    world.run_in_steps(40 * SECOND, SECOND / 10);
    assert_eq!(world.events(server).last(), Some(&Event::PeerDisconnected(id_b)));
    assert_eq!(world.events(c).last(), Some(&Event::PeerDisconnected(id_b)));
    assert!(world.known(server).contains(&id_c));
}

#[test]
fn a_spoofed_source_is_dropped() {
    let mut party = Party::new(true);
    let a = party.id(party.a);
    for (count, source) in [a, 1, 0, -1, -RAW, NOBODY, i32::MIN, i32::MAX].into_iter().enumerate() {
        for target in [0, 1, party.id(party.b)] {
            party.world.raw_mut(party.raw).send_data(0, 1, (source, target), b"I am somebody else");
        }
        let (sessions, raw) = party.arrived();
        assert_eq!((sessions, raw), ([vec![], vec![], vec![]], vec![]), "source {source}");
        assert_eq!(party.dropped(DroppedPacket::SpoofedSource), 3 * (count as u64 + 1));
    }
}

#[test]
fn packets_without_a_payload_are_dropped() {
    let mut party = Party::new(true);
    let header = data_packet(RAW, 0, b"");
    for len in 1..=8 {
        party.world.raw_mut(party.raw).send(0, 1, &header[..len], Delivery::Reliable);
    }
    let (sessions, raw) = party.arrived();
    assert_eq!((sessions, raw), ([vec![], vec![], vec![]], vec![]));
    assert_eq!(party.dropped(DroppedPacket::Short), 8);

    // ENet takes packets of no bytes, but 3.6 never sends them: the guard drops them.
    let before = party.world.counters(party.server).dropped_datagrams();
    party.world.raw_mut(party.raw).send(0, 1, b"", Delivery::Sequenced);
    party.world.raw_mut(party.raw).send_data(0, 1, (RAW, 1), b"still here");
    let (sessions, _) = party.arrived();
    assert_eq!(sessions[0], [packet(RAW, 1, TransferMode::Reliable, b"still here")]);
    assert!(party.world.counters(party.server).dropped_datagrams() > before);
}

#[test]
fn a_client_has_no_say_on_the_config_channel() {
    let mut party = Party::new(true);
    let a = party.id(party.a) as u32;
    for bytes in [system_message(1, a), system_message(0, 4242), data_packet(RAW, 0, b"data"), vec![0]] {
        party.world.raw_mut(party.raw).send(0, 0, &bytes, Delivery::Reliable);
    }
    let (sessions, raw) = party.arrived();
    assert_eq!((sessions, raw), ([vec![], vec![], vec![]], vec![]));
    assert_eq!(party.dropped(DroppedPacket::SystemMessage), 4);
    assert_eq!(party.world.known(party.server).len(), 3);
    for host in [party.server, party.a, party.b] {
        assert_eq!(party.world.events(host), []);
    }
}

/// A client of a foreign server.
fn client_of_raw(world: &mut World) -> (HostId, RawId, usize) {
    let raw = world.raw(RawConfig { peers: 4, ..RawConfig::default() });
    let client = world.client(world.raw_address(raw));
    world.run(SECOND);
    let [RawEvent::Connected { peer, data }] = *world.raw_mut(raw).take_events() else {
        panic!("one connection")
    };
    assert_eq!(data, world.id(client).get() as u32);
    assert_eq!(world.events(client), [Event::PeerConnected(PeerId::SERVER), Event::ConnectionSucceeded]);
    world.take_log(client);
    (client, raw, peer)
}

#[test]
fn nonsense_system_messages_of_a_server_are_dropped() {
    let mut world = World::new(4);
    let (client, raw, peer) = client_of_raw(&mut world);
    let own = world.id(client).get() as u32;
    let nonsense = [
        system_message(0, own),
        system_message(1, own),
        system_message(0, 0),
        system_message(0, 1),
        system_message(1, 1),
        system_message(0, 0x8000_0000),
        system_message(0, u32::MAX),
        system_message(1, 77),
        system_message(2, 77),
        system_message(u32::MAX, 77),
        system_message(0, 77)[..7].to_vec(),
        vec![0],
    ];
    for bytes in &nonsense {
        world.raw_mut(raw).send(peer, 0, bytes, Delivery::Reliable);
    }
    world.run(SECOND);
    assert_eq!(world.events(client), []);
    let dropped = |world: &World| world.counters(client).dropped_packets(DroppedPacket::SystemMessage);
    assert_eq!(dropped(&world), nonsense.len() as u64);

    // Joined twice and left twice: the second time counts for nothing.
    for kind in [0, 0, 1, 1, 0] {
        world.raw_mut(raw).send(peer, 0, &system_message(kind, 77), Delivery::Reliable);
    }
    world.run(SECOND);
    let id = PeerId::new(77).expect("an id");
    let expected = [Event::PeerConnected(id), Event::PeerDisconnected(id), Event::PeerConnected(id)];
    assert_eq!(world.events(client), expected);
    assert_eq!(dropped(&world), nonsense.len() as u64 + 2);
}

#[test]
fn a_server_can_announce_no_more_peers_than_a_server_has() {
    let mut world = World::new(5);
    let (client, raw, peer) = client_of_raw(&mut world);
    for id in 2..5000 {
        world.raw_mut(raw).send(peer, 0, &system_message(0, id), Delivery::Reliable);
    }
    world.run(5 * SECOND);
    let others = world.known(client).len() - 1;
    assert!((4094..=4095).contains(&others), "{others}");
}

#[test]
fn packets_that_overtake_their_senders_system_message_wait_for_it() {
    let mut world = World::new(6);
    let (client, raw, peer) = client_of_raw(&mut world);
    let own = world.id(client).get();
    for number in 0..3 {
        world.raw_mut(raw).send_data(peer, 1, (77, own), &[number]);
        world.raw_mut(raw).send_data(peer, 1, (78, own), &[number]);
    }
    world.raw_mut(raw).send_data(peer, 1, (1, own), b"of the server");
    world.run(SECOND);
    assert_eq!(world.take_packets(client), [packet(1, 1, TransferMode::Reliable, b"of the server")]);
    world.raw_mut(raw).send(peer, 0, &system_message(0, 77), Delivery::Reliable);
    world.run(SECOND);
    let expected = [0, 1, 2].map(|number| packet(77, 1, TransferMode::Reliable, &[number]));
    assert_eq!(world.take_packets(client), expected);

    // Who has left is a stranger again, and what it sent before it left does not come behind that.
    world.raw_mut(raw).send(peer, 0, &system_message(1, 77), Delivery::Reliable);
    world.raw_mut(raw).send_data(peer, 1, (77, own), b"late");
    world.run(SECOND);
    assert_eq!(world.take_packets(client), []);
    let dropped = world.counters(client).dropped_packets(DroppedPacket::Unannounced);
    assert!(dropped <= 1);

    // Nobody's packets are kept without end: the newest 256 of them.
    for number in 0..400_u16 {
        world.raw_mut(raw).send_data(peer, 1, (79, own), &number.to_be_bytes());
    }
    world.run(5 * SECOND);
    let before = world.counters(client).dropped_packets(DroppedPacket::Unannounced);
    assert!(before >= 400 - 256, "{before}");
    world.raw_mut(raw).send(peer, 0, &system_message(0, 79), Delivery::Reliable);
    world.run(SECOND);
    let got: Vec<u16> = world
        .take_packets(client)
        .iter()
        .map(|packet| u16::from_be_bytes(packet.bytes[..].try_into().expect("2 bytes")))
        .collect();
    assert_eq!(got, (144..400).collect::<Vec<_>>());
}

#[test]
fn sources_that_are_nobody_are_dropped_by_a_client() {
    let mut world = World::new(7);
    let (client, raw, peer) = client_of_raw(&mut world);
    for source in [0, -1, i32::MIN] {
        world.raw_mut(raw).send_data(peer, 1, (source, 0), b"nobody");
    }
    world.raw_mut(raw).send(peer, 1, &data_packet(1, 0, b"")[..8], Delivery::Reliable);
    world.run(SECOND);
    assert_eq!(world.packets(client), [] as [&Packet; 0]);
    assert_eq!(world.counters(client).dropped_packets(DroppedPacket::SpoofedSource), 3);
    assert_eq!(world.counters(client).dropped_packets(DroppedPacket::Short), 1);
}
