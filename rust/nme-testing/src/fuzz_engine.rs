//! The bodies of the fuzz targets of the engine: hosts of `nme-enet` alone, without a session around them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::wire::{CommandList, Header, Writer};
use nme_enet::{
    Config, ConnectRequest, Delivery, Event, Host, Packet, PeerHandle, PeerRates, Quotas, Reception, TAG_LEN,
    TagKey, Verdict,
};

use crate::fuzz::Input;

/// What is read is written again as it was.
///
/// # Panics
/// When it is not.
pub fn wire_round_trip(datagram: &[u8]) {
    let Ok(header) = Header::read(datagram) else { return };
    let Ok(list) = CommandList::read(datagram, &header) else { return };
    let mut bytes = vec![0; datagram.len()];
    let mut out = Writer::new(&mut bytes);
    header.write(&mut out);
    for (command, payload) in list.as_slice() {
        command.write(&mut out);
        out.put(payload);
    }
    assert_eq!(out.room(), 0);
    assert_eq!(bytes, datagram);
}

/// Any datagrams from anybody to a server with a client in each state: it keeps its bounds, and goes on.
///
/// # Panics
/// When it does not.
pub fn engine_server_datagrams(program: &[u8]) {
    let mut stage = Stage::new(program);
    while !stage.input.is_empty() {
        stage.attack(SERVER);
    }
    stage.rest(60);
    assert_eq!(stage.hosts[SERVER].figures().reassembly_bytes, stage.reassembly_bytes(SERVER));
    // Whatever has become of the others, a new client gets a place.
    let leave: Vec<PeerHandle> = stage.hosts[SERVER].peers().collect();
    leave.into_iter().for_each(|peer| stage.hosts[SERVER].disconnect_now(peer, 0));
    assert_eq!(stage.hosts[SERVER].figures().reassembly_bytes, 0);
    // A goodbye that is under way would end a new attempt as well.
    stage.rest(1);
    stage.hosts[NEWCOMER] = Host::new(Config::client(9));
    stage.hosts[NEWCOMER].connect(stage.now, address(SERVER), 3, 0).expect("it is new");
    let before = stage.connected[NEWCOMER];
    stage.rest(6);
    assert!(stage.connected[NEWCOMER] > before, "the server goes on");
}

/// Any datagrams from anybody to clients that ask, are connected, and leave.
///
/// # Panics
/// When a client does not keep its bounds.
pub fn engine_client_datagrams(program: &[u8]) {
    let mut stage = Stage::new(program);
    while !stage.input.is_empty() {
        let to = 1 + usize::from(stage.input.byte()) % (HOSTS - 1);
        stage.attack(to);
    }
    stage.rest(60);
    for host in 1..HOSTS {
        assert_eq!(stage.hosts[host].figures().reassembly_bytes, stage.reassembly_bytes(host));
        let leave: Vec<PeerHandle> = stage.hosts[host].peers().collect();
        leave.into_iter().for_each(|peer| stage.hosts[host].disconnect_now(peer, 0));
        assert_eq!(stage.hosts[host].figures().reassembly_bytes, 0);
    }
}

/// A server and a client that send, wait, leave and come back, over a link that loses, repeats, delays and changes
/// datagrams. Where none is changed, each side gets a beginning of the reliable packets of each channel, in order.
///
/// # Panics
/// When it does not.
pub fn engine_program(program: &[u8]) {
    let mut stage = Stage::new(program);
    let changes = stage.input.byte() % 2 == 1;
    while !stage.input.is_empty() {
        stage.play(changes);
    }
    stage.rest(20);
    if !changes {
        for (sent, received) in stage.streams.values() {
            assert!(sent.starts_with(received), "{sent:?} {received:?}");
        }
    }
}

const RECEPTIONS: [Reception; 3] = [Reception::Open, Reception::Trickle, Reception::Closed];

/// Those sent, and those received.
type Numbers = (Vec<u32>, Vec<u32>);

/// A server, a connected client, one that is half connected, and one that has just left.
struct Stage<'a> {
    input: Input<'a>,
    now: Duration,
    hosts: Vec<Host>,
    /// Datagrams under way: to whom, from whom, what.
    way: Vec<(usize, SocketAddr, Vec<u8>)>,
    /// Datagrams that were sent, in the same form.
    real: Vec<(usize, SocketAddr, Vec<u8>)>,
    connected: [u32; HOSTS],
    /// Numbers of reliable packets sent and received, by sender, connection of the client and channel.
    streams: BTreeMap<(usize, u32, u8), Numbers>,
    number: u32,
}

impl<'a> Stage<'a> {
    fn new(program: &'a [u8]) -> Self {
        let mut input = Input(program);
        let mut server = Config::server(6, 1);
        server.channel_limit = 3;
        server.reassembly_limit = 1 << 20;
        if input.byte() % 2 == 1 {
            server.quotas =
                Quotas { fragment_bytes: 20_000, fragment_packets: 3, ahead_commands: 6, ahead_bytes: 5000 };
            server.in_bandwidth = 60_000;
            server.out_bandwidth = 60_000;
        }
        let limit = if input.byte() % 4 == 1 { 60_000 } else { 0 };
        let clients = (1..HOSTS as u64).map(|seed| {
            let mut client = Config::client(seed + 1);
            (client.in_bandwidth, client.out_bandwidth) = (limit, limit);
            Host::new(client)
        });
        let mut stage = Self {
            input,
            now: Duration::from_secs(1),
            hosts: std::iter::once(Host::new(server)).chain(clients).collect(),
            way: Vec::new(),
            real: Vec::new(),
            connected: [0; HOSTS],
            streams: Default::default(),
            number: 0,
        };
        for host in [CLIENT, LEAVING] {
            stage.hosts[host].connect(stage.now, address(SERVER), 3, 7).expect("a place");
        }
        stage.rest(2);
        for (from, to) in [(CLIENT, SERVER), (SERVER, CLIENT)] {
            for delivery in [Delivery::Reliable, Delivery::Sequenced, Delivery::Unsequenced] {
                stage.send(from, to, 1, delivery, 3000);
            }
        }
        stage.rest(1);
        let leaver = stage.hosts[LEAVING].peers().next().expect("connected");
        stage.hosts[LEAVING].disconnect(leaver, 0);
        stage.hosts[NEWCOMER].connect(stage.now, address(SERVER), 3, 7).expect("a place");
        for host in [LEAVING, NEWCOMER, SERVER] {
            stage.flush(host);
        }
        stage.way.truncate(1);
        stage.deliver_all();
        stage.flush(SERVER);
        stage.way.clear();
        stage
    }

    fn reassembly_bytes(&self, host: usize) -> usize {
        let host = &self.hosts[host];
        host.peers().filter_map(|peer| host.peer_figures(peer)).map(|figures| figures.reassembly_bytes).sum()
    }

    /// One step of who forges datagrams for `to`.
    fn attack(&mut self, to: usize) {
        match self.input.byte() % 16 {
            0..10 => {
                let (route, kind) = (self.input.byte(), self.input.byte());
                let mut from = match usize::from(route & 7) {
                    host if host < HOSTS => address(host),
                    _ => SocketAddr::from(([198, 51, 100, 1], u16::from(route))),
                };
                let bytes = match kind % 4 {
                    0 => {
                        let len = self.input.short() % 1600;
                        self.input.take(len.into()).to_vec()
                    }
                    1 => {
                        let which = usize::from(self.input.short()) % self.real.len();
                        let bytes = self.real[which].2.clone();
                        self.input.changed(bytes)
                    }
                    2 => self.input.commands(),
                    _ => {
                        let mut bytes = self.input.commands();
                        // As from somebody who is known.
                        let known: Vec<_> = self.real.iter().filter(|(host, ..)| *host == to).collect();
                        if let Some((_, address, real)) = known.get(usize::from(route) % known.len().max(1)) {
                            from = *address;
                            let known = Header::read(real).expect("a datagram of our own");
                            let own = Header::read(&bytes).expect("commands behind a header");
                            let header = Header { sent_time: own.sent_time, ..known };
                            header.write(&mut Writer::new(&mut bytes));
                        }
                        bytes
                    }
                };
                let _ = self.hosts[to].screen(from, &bytes);
                let _ = self.hosts[to].handle_datagram(self.now, from, &bytes, &mut judge);
                self.report(to);
                assert!(self.hosts[to].figures().reassembly_bytes <= 700 << 20);
            }
            10 | 11 => {
                let millis = u64::from(self.input.byte());
                self.now += Duration::from_millis(millis * millis / 64);
                self.hosts[to].handle_timeout(self.now);
                self.report(to);
            }
            12 => self.flush(to),
            13 => {
                self.way.drain(..self.way.len().saturating_sub(64));
                self.deliver_all();
            }
            _ => self.command(to),
        }
    }

    /// A call of the owner.
    fn command(&mut self, host: usize) {
        let (what, which, len) = (self.input.byte(), self.input.byte(), self.input.short());
        let peers: Vec<PeerHandle> = self.hosts[host].peers().collect();
        let Some(peer) = peers.get(usize::from(which) % peers.len().max(1)).copied() else {
            let (now, server) = (self.now, address(SERVER));
            let _ = self.hosts[host].connect(now, server, 1 + which % 3, 0);
            return;
        };
        let data = len.into();
        match what % 24 {
            0 => self.hosts[host].disconnect(peer, data),
            1 => self.hosts[host].disconnect_now(peer, data),
            2 => self.hosts[host].disconnect_later(peer, data),
            3 => self.hosts[host].set_timeout(peer, which.into(), data, data * 2),
            4 => self.hosts[host].set_throttle(peer, data, which.into(), (what / 16).into()),
            5 => drop(self.hosts[host].connect(self.now, address(SERVER), 1 + which % 3, data)),
            6 => self.hosts[host].set_ping_interval(peer, data),
            7 => self.hosts[host].set_reception(peer, RECEPTIONS[usize::from(which) % RECEPTIONS.len()]),
            8 => drop(self.hosts[host].offer_tags(peer, TagKey::new([which; 16]))),
            9 => drop(self.hosts[host].begin_tags(peer, TagKey::new([which; 16]))),
            10 => self.hosts[host].hurry(peer, |packet| packet.len() % 2 == 0),
            11 => self.hosts[host].abandon(peer),
            12 => self.hosts[host].set_bandwidth(data, which.into()),
            13 => self.hosts[host].set_max_received(len.into()),
            14 => self.hosts[host].set_event_limit(len.into()),
            15 => {
                let (packets_per_second, bytes_per_second) = (which.into(), data);
                self.hosts[host].set_peer_rates(PeerRates { packets_per_second, bytes_per_second });
            }
            _ => {
                let delivery =
                    [Delivery::Reliable, Delivery::Sequenced, Delivery::Unsequenced][usize::from(what) % 3];
                let packet = Packet::new(vec![which; usize::from(len % 6000)]);
                let _ = self.hosts[host].send(peer, which % 4, &packet, delivery);
            }
        }
    }

    /// One step of an honest pair.
    fn play(&mut self, changes: bool) {
        match self.input.byte() % 16 {
            0..6 => {
                let (how, len) = (self.input.byte(), self.input.short());
                let (from, to) = if how & 1 == 0 { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
                let delivery = [Delivery::Reliable, Delivery::Sequenced, Delivery::Unsequenced]
                    [usize::from(how >> 1) % 3];
                self.send(from, to, how >> 4 & 3, delivery, len);
            }
            6..10 => {
                self.now += Duration::from_millis(self.input.byte().into());
                [SERVER, CLIENT].into_iter().for_each(|host| self.flush(host));
                for (to, from, bytes) in std::mem::take(&mut self.way) {
                    let fate = self.input.byte();
                    match fate % 8 {
                        0 => {}
                        1 => self.way.push((to, from, bytes)),
                        2 => (0..2).for_each(|_| self.hand(to, from, &bytes)),
                        3 if changes => {
                            let bytes = self.input.changed(bytes);
                            self.hand(to, from, &bytes);
                        }
                        _ => self.hand(to, from, &bytes),
                    }
                }
            }
            10 | 11 => {
                let millis = u64::from(self.input.byte());
                self.now += Duration::from_millis(millis * millis / 8);
                for host in [SERVER, CLIENT] {
                    self.hosts[host].handle_timeout(self.now);
                    self.report(host);
                }
            }
            12 | 13 => self.rest(1),
            14 => {
                let (host, how) = (usize::from(self.input.byte() & 1), self.input.byte());
                let other = if host == SERVER { CLIENT } else { SERVER };
                let peer = self.hosts[host].peers_at(address(other)).next();
                match (peer, how % 8) {
                    (Some(peer), 0) => self.hosts[host].disconnect(peer, 1),
                    (Some(peer), 1) => self.hosts[host].disconnect_now(peer, 1),
                    (Some(peer), 2) => self.hosts[host].disconnect_later(peer, 1),
                    (Some(peer), 3) => {
                        let reception = RECEPTIONS[usize::from(how / 8) % RECEPTIONS.len()];
                        self.hosts[host].set_reception(peer, reception);
                    }
                    (Some(peer), 4 | 5) => {
                        // The client hears of the key over the connection, so it is later.
                        let key = TagKey::new([7; 16]);
                        let _ = match host {
                            SERVER => self.hosts[host].offer_tags(peer, key),
                            _ => self.hosts[host].begin_tags(peer, key),
                        };
                    }
                    (Some(peer), 6) => self.hosts[host].hurry(peer, |packet| packet.len() % 2 == 0),
                    (Some(peer), _) => {
                        let interval = u32::from(how) * u32::from(how);
                        let steps = [self.input.byte(), self.input.byte()].map(|step| u32::from(step % 40));
                        self.hosts[host].set_throttle(peer, interval, steps[0], steps[1]);
                    }
                    (None, _) if host == CLIENT => {
                        self.hosts[CLIENT].connect(self.now, address(SERVER), 3, 0).expect("a place");
                    }
                    _ => {}
                }
            }
            _ => {
                let (host, limit) = (usize::from(self.input.byte() & 1), self.input.short());
                let peer = self.hosts[host].peers().next();
                peer.into_iter().for_each(|peer| {
                    self.hosts[host].set_timeout(peer, 4, limit.into(), u32::from(limit) * 2);
                });
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, channel: u8, delivery: Delivery, len: u16) {
        let Some(peer) = self.hosts[from].peers_at(address(to)).next() else { return };
        self.number += 1;
        let mut bytes = vec![delivery as u8; usize::from(len % 8000) + 9];
        let connection = self.connected[if from == SERVER { to } else { from }];
        bytes[1..5].copy_from_slice(&self.number.to_be_bytes());
        bytes[5..9].copy_from_slice(&connection.to_be_bytes());
        let is_sent = self.hosts[from].send(peer, channel, &Packet::new(bytes), delivery).is_ok();
        if is_sent && delivery == Delivery::Reliable {
            self.streams.entry((from, connection, channel)).or_default().0.push(self.number);
        }
    }

    fn hand(&mut self, to: usize, from: SocketAddr, bytes: &[u8]) {
        let _ = self.hosts[to].handle_datagram(self.now, from, bytes, &mut judge);
        self.report(to);
    }

    fn deliver_all(&mut self) {
        for (to, from, bytes) in std::mem::take(&mut self.way) {
            self.hand(to, from, &bytes);
        }
    }

    fn report(&mut self, host: usize) {
        while let Some(event) = self.hosts[host].poll_event() {
            match event {
                Event::Connected { .. } => self.connected[host] += 1,
                Event::Received { channel, packet, delivery: Delivery::Reliable, .. }
                    if packet.len() >= 9 =>
                {
                    let word = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|byte| packet[at + byte]));
                    let from = if host == SERVER { CLIENT } else { SERVER };
                    if let Some((_, received)) = self.streams.get_mut(&(from, word(5), channel)) {
                        received.push(word(1));
                    }
                }
                _ => {}
            }
        }
    }

    fn flush(&mut self, host: usize) {
        self.hosts[host].flush(self.now);
        let mut buffer = [0; 1392 + TAG_LEN as usize];
        while let Some(nme_enet::Transmit { to, datagram: bytes, .. }) =
            self.hosts[host].poll_transmit(&mut buffer)
        {
            let header = Header::read(bytes).expect("a datagram of our own");
            let untagged = &bytes[..bytes.len().saturating_sub(TAG_LEN.into())];
            let is_well_formed = |bytes| CommandList::read(bytes, &header).is_ok();
            assert!(is_well_formed(bytes) || is_well_formed(untagged), "{bytes:?}");
            if let Some(to) = (0..HOSTS).find(|host| address(*host) == to) {
                if self.real.len() < 200 {
                    self.real.push((to, address(host), bytes.to_vec()));
                }
                self.way.push((to, address(host), bytes.to_vec()));
            }
        }
    }

    /// Everybody runs for some seconds over a link without loss.
    fn rest(&mut self, seconds: u32) {
        for _ in 0..seconds * 10 {
            self.now += Duration::from_millis(100);
            self.deliver_all();
            for host in 0..HOSTS {
                self.hosts[host].handle_timeout(self.now);
                self.report(host);
                self.flush(host);
            }
        }
    }
}

fn judge(request: &ConnectRequest) -> Verdict {
    match request.data % 16 {
        14 => Verdict::Ignore,
        15 => Verdict::Refuse,
        _ => Verdict::Accept,
    }
}

fn address(host: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4000 + host as u16))
}

const SERVER: usize = 0;
const CLIENT: usize = 1;
const NEWCOMER: usize = 2;
const LEAVING: usize = 3;
const HOSTS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::random_program;

    #[test]
    fn the_bodies_run() {
        for body in [engine_server_datagrams, engine_client_datagrams, engine_program, wire_round_trip] {
            body(&[]);
            for seed in 0..300 {
                body(&random_program(seed));
            }
        }
    }

    #[test]
    fn forged_datagrams_reach_the_channels_and_end_connections() {
        let (mut ended, mut reassembly_bytes) = (0, 0);
        for seed in 0..200 {
            let program = random_program(seed);
            let mut stage = Stage::new(&program);
            while !stage.input.is_empty() {
                stage.attack(SERVER);
                reassembly_bytes = reassembly_bytes.max(stage.hosts[SERVER].figures().reassembly_bytes);
            }
            ended += u32::from(stage.hosts[SERVER].peers_at(address(CLIENT)).next().is_none());
        }
        assert!(ended > 2 && reassembly_bytes > 1000, "{ended} {reassembly_bytes}");
    }

    #[test]
    fn honest_programs_carry_packets() {
        let mut carried = 0;
        for seed in 0..100 {
            let program = random_program(seed);
            let mut stage = Stage::new(&program);
            while !stage.input.is_empty() {
                stage.play(false);
            }
            carried += stage.streams.values().map(|(_, received)| received.len()).sum::<usize>();
        }
        assert!(carried > 1000, "{carried}");
    }
}
