//! Connections with network threads, over real sockets.

use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::relay::Target;
use nme_core::secure::{SecureCounters, SecureLayer, SecureOutput, Verdict};
use nme_core::session::{Config, ConnectionError, Event, MaxClients, SendOptions, Status};
use nme_driver::simulator::Simulation;
use nme_driver::{Bind, ClientSettings, Connection, Port, ServerSettings, stop_all};
use nme_testing::fake_layer::{DTLS_OVERHEAD, FakeLayer};

/// Tests that count the threads of the process, or end all of them, cannot run beside others.
static ALONE: Mutex<()> = Mutex::new(());

/// Lets a test run alone. When it ends, all network threads do.
struct Alone {
    _guard: MutexGuard<'static, ()>,
}

impl Drop for Alone {
    fn drop(&mut self) {
        stop_all();
    }
}

fn alone() -> Alone {
    Alone { _guard: ALONE.lock().unwrap_or_else(PoisonError::into_inner) }
}

fn server() -> Connection {
    server_with(None)
}

fn server_with(secure: Option<Box<dyn SecureLayer>>) -> Connection {
    let settings = ServerSettings {
        bind: Bind::Address([127, 0, 0, 1].into()),
        port: Port::new("port", 0).expect("a port"),
        max_clients: MaxClients::new(32).expect("a number"),
        session: Config::new(1),
        secure,
        threaded: true,
        simulation: Simulation::default(),
    };
    Connection::server(settings).expect("a server")
}

fn client(server: &Connection, seed: u64) -> Connection {
    client_with(server, seed, None)
}

fn client_with(server: &Connection, seed: u64, secure: Option<Box<dyn SecureLayer>>) -> Connection {
    let settings = ClientSettings {
        bind: Bind::Address([127, 0, 0, 1].into()),
        local_port: Port::new("port", 0).expect("a port"),
        host: "127.0.0.1".to_owned(),
        port: Port::new("port", server.local_addr().port().into()).expect("a port"),
        session: Config::new(seed << 33),
        secure,
        threaded: true,
        simulation: Simulation::default(),
    };
    Connection::client(settings).expect("a client")
}

fn reliable(target: Target) -> SendOptions {
    let (mode, channel) = (TransferMode::Reliable, TransferChannel::ByMode);
    SendOptions { target, mode, channel, always_ordered: false }
}

fn poll(connection: &mut Connection) -> Vec<Event> {
    connection.begin_poll();
    let events = std::iter::from_fn(|| connection.next_event()).collect();
    connection.end_poll();
    events
}

/// Polls both until this is so.
fn until(
    one: &mut Connection,
    other: &mut Connection,
    mut is_so: impl FnMut(&mut Connection, &mut Connection) -> bool,
) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is_so(one, other) {
        assert!(Instant::now() < end, "not within 30 s");
        poll(one);
        poll(other);
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn pair() -> (Connection, Connection) {
    let server = server();
    let client = client(&server, 5);
    joined(server, client)
}

/// The same two once they are connected. The client has the seed of [`pair`].
fn joined(mut server: Connection, mut client: Connection) -> (Connection, Connection) {
    let mut joined = 0;
    until(&mut server, &mut client, |server, client| {
        joined += poll(server).len();
        client.status() == Status::Connected
    });
    until(&mut server, &mut client, |server, _| {
        server.send(reliable(Target::All), b"hello").is_ok() && server.peer_address(client_id()).is_ok()
    });
    (server, client)
}

/// The id of a client with the seed of [`pair`].
fn client_id() -> i64 {
    i64::from(nme_core::peer::PeerId::from_random(((5_u64 << 33) >> 32) as u32).get())
}

/// Bytes that no compression makes shorter.
fn noise() -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(&mut next).take(1000).collect()
}

/// Network threads of this process; 0 where the system does not tell.
fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.trim_end() == "ENet").count()
}

#[test]
fn packets_of_a_game_that_polls_seldom_arrive_in_order() {
    let _alone = alone();
    let (mut server, mut client) = pair();
    let mut next = 0_u32;
    for number in 0..20_000_u32 {
        client
            .send(reliable(Target::One(nme_core::peer::PeerId::SERVER)), &number.to_le_bytes())
            .expect("sent");
        if number % 1000 == 999 {
            client.flush();
            std::thread::sleep(Duration::from_millis(3));
        }
    }
    until(&mut server, &mut client, |server, _| {
        while let Some(received) = server.fetch() {
            assert_eq!(received.payload(), next.to_le_bytes());
            next += 1;
        }
        next == 20_000
    });
}

#[test]
fn nothing_more_comes_of_a_peer_that_is_ignored_not_even_what_was_on_its_way() {
    let _alone = alone();
    let (mut server, mut client) = pair();
    until(&mut server, &mut client, |server, _| {
        while server.fetch().is_some() {}
        server.peers().len() == 1
    });
    let to_server = reliable(Target::One(nme_core::peer::PeerId::SERVER));
    let received = server.traffic().bytes_received;
    client.send(to_server, &noise()).expect("sent");
    client.flush();
    let end = Instant::now() + Duration::from_secs(30);
    // The network thread has it, and the game has not polled.
    while server.traffic().bytes_received < received + 1000 {
        assert!(Instant::now() < end, "it does not come");
        std::thread::sleep(Duration::from_micros(200));
    }
    let id = server.peers()[0];
    server.ignore(id);
    let end = Instant::now() + Duration::from_millis(200);
    while Instant::now() < end {
        poll(&mut server);
        assert_eq!(server.waiting_packets(), 0);
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_waits_leaves_by_itself() {
    let _alone = alone();
    let (mut server, mut client) = pair();
    client.send(reliable(Target::One(nme_core::peer::PeerId::SERVER)), b"and nothing else").expect("sent");
    let end = Instant::now() + Duration::from_secs(10);
    // The client is not called any more.
    while server.waiting_packets() == 0 {
        assert!(Instant::now() < end, "nothing has come");
        poll(&mut server);
    }
    assert_eq!(server.fetch().expect("a packet").payload(), b"and nothing else");
}

#[test]
fn many_open_and_close_at_once() {
    let _alone = alone();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            scope.spawn(move || {
                for round in 0..25 {
                    let mut server = server();
                    let mut clients: Vec<_> = (0..3)
                        .map(|number| client(&server, 10 + 100 * worker + 3 * round + number))
                        .collect();
                    for _ in 0..10 {
                        poll(&mut server);
                        let _ = server.send(reliable(Target::All), b"under load");
                        for client in &mut clients {
                            poll(client);
                            let _ = client.send(reliable(Target::All), b"under load");
                        }
                        std::thread::yield_now();
                    }
                    let began = Instant::now();
                    server.close().wait(Duration::ZERO);
                    clients.into_iter().for_each(|client| drop(client.close()));
                    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
                }
            });
        }
    });
    assert_eq!(threads(), 0);
}

#[test]
fn the_threads_of_connections_that_were_forgotten_can_be_ended() {
    let _alone = alone();
    std::mem::forget(pair());
    // Those of tests before this one may be about to end.
    let end = Instant::now() + Duration::from_secs(10);
    while cfg!(target_os = "linux") && threads() != 2 {
        assert!(Instant::now() < end, "{} threads", threads());
        std::thread::sleep(Duration::from_millis(1));
    }
    stop_all();
    assert_eq!(threads(), 0);
}

#[test]
fn a_connection_that_is_dropped_ends_its_thread_and_tells_its_peer() {
    let _alone = alone();
    let (server, mut client) = pair();
    drop(server);
    let end = Instant::now() + Duration::from_secs(10);
    while !poll(&mut client).contains(&Event::ServerDisconnected) {
        assert!(Instant::now() < end, "the client does not hear of it");
        std::thread::sleep(Duration::from_millis(1));
    }
    client.close().wait(Duration::ZERO);
    while threads() > 0 {
        assert!(Instant::now() < end, "the threads go on");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_the_simulator_holds_back_leaves_without_the_game() {
    let _alone = alone();
    let (mut server, mut client) = pair();
    let simulation = "outgoing.delay_msec=100".parse().expect("settings");
    client.simulate(0, simulation).expect("everybody");
    let began = Instant::now();
    client.send(reliable(Target::One(nme_core::peer::PeerId::SERVER)), b"late").expect("sent");
    client.flush();
    // The client is not called any more.
    while server.waiting_packets() == 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "nothing has come");
        poll(&mut server);
    }
    assert!(began.elapsed() >= Duration::from_millis(100), "{:?}", began.elapsed());
    assert_eq!(server.fetch().expect("a packet").payload(), b"late");
}

/// A layer with a bug that shows when it is told to.
struct BuggyLayer {
    inner: FakeLayer,
    is_to_panic: Arc<AtomicBool>,
}

impl BuggyLayer {
    fn boxed(is_to_panic: &Arc<AtomicBool>) -> Box<dyn SecureLayer> {
        Box::new(Self { inner: FakeLayer::new(DTLS_OVERHEAD, 1), is_to_panic: Arc::clone(is_to_panic) })
    }
}

impl SecureLayer for BuggyLayer {
    fn overhead(&self) -> u16 {
        self.inner.overhead()
    }

    fn connect(&mut self, now: Duration, server: SocketAddr, out: &mut SecureOutput) {
        self.inner.connect(now, server, out);
    }

    fn receive(
        &mut self,
        now: Duration,
        from: SocketAddr,
        datagram: &[u8],
        judge: &mut dyn FnMut() -> Verdict,
        out: &mut SecureOutput,
    ) {
        self.inner.receive(now, from, datagram, judge, out);
    }

    fn send(&mut self, now: Duration, to: SocketAddr, datagram: &[u8], out: &mut SecureOutput) {
        self.inner.send(now, to, datagram, out);
    }

    fn tick(&mut self, now: Duration, out: &mut SecureOutput) {
        assert!(!self.is_to_panic.load(Ordering::SeqCst), "the bug that the test has asked for");
        self.inner.tick(now, out);
    }

    fn close(&mut self, now: Duration, peer: SocketAddr, out: &mut SecureOutput) {
        self.inner.close(now, peer, out);
    }

    fn counters(&self) -> SecureCounters {
        self.inner.counters()
    }
}

#[test]
fn a_thread_that_panics_is_the_end_of_its_connections_and_of_nothing_else() {
    let _alone = alone();
    let bugs = [Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false))];
    let server = server_with(Some(BuggyLayer::boxed(&bugs[0])));
    let client = client_with(&server, 5, Some(BuggyLayer::boxed(&bugs[1])));
    let (mut server, mut client) = joined(server, client);
    let until_heard = |connection: &mut Connection, wanted: Event| {
        let end = Instant::now() + Duration::from_secs(10);
        while !poll(connection).contains(&wanted) {
            assert!(Instant::now() < end, "no {wanted:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    bugs[1].store(true, Ordering::SeqCst);
    until_heard(&mut client, Event::ServerDisconnected);
    assert_eq!(client.connection_error(), Some(ConnectionError::Lost));
    assert!(client.send(reliable(Target::All), b"to nobody").is_err());
    bugs[0].store(true, Ordering::SeqCst);
    let id = nme_core::peer::PeerId::new(client_id() as i32).expect("an id");
    until_heard(&mut server, Event::PeerDisconnected(id));
    // What is called on them from now on has no effect, and no panic.
    server.send(reliable(Target::All), b"to nobody").expect("a server with nobody there");
    let begin = Instant::now();
    client.close().wait(Duration::ZERO);
    server.close().wait(Duration::ZERO);
    assert!(begin.elapsed() < Duration::from_secs(5), "closing waits for a thread that is gone");
    // Others go on.
    let (server, client) = pair();
    client.close().wait(Duration::ZERO);
    server.close().wait(Duration::ZERO);
}
