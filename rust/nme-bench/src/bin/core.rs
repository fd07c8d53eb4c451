//! What sessions cost without sockets and without an engine: time, allocations, memory.
//!
//! `cargo run --release -p nme-bench --bin core` prints a table. `core fan-out` runs one broadcast case only, for
//! `valgrind --tool=callgrind`, whose instruction counts do not depend on the machine's load; `reference/callgrind.txt`
//! has the command and the last count.
#![expect(clippy::print_stdout, reason = "this program prints a table")]

use std::alloc::System;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::codec::Compression;
use nme_core::relay::Target;
use nme_core::session::{Config, MaxClients, SendOptions, Session};
use nme_driver::Driver;
use nme_testing::memory::{MemorySocket, VirtualClock};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const FRAME: Duration = Duration::from_millis(16);

type MemoryDriver = Driver<MemorySocket, VirtualClock>;

/// A server and clients whose datagrams are handed over in memory.
struct Table {
    now: Duration,
    server: MemoryDriver,
    clients: Vec<MemoryDriver>,
}

impl Table {
    fn new(clients: usize, compression: Compression, relay: bool) -> Self {
        let config = |seed| Config::new(seed).compression(compression).server_relay(relay);
        let max_clients = MaxClients::new(4095).expect("a number of clients");
        let server = Session::server(&config(1), max_clients, None);
        let now = Duration::from_secs(1);
        let drive = |session| Driver::new(session, MemorySocket::default(), VirtualClock(now));
        let mut table = Self { now, server: drive(server), clients: Vec::new() };
        for index in 0..clients as u64 {
            let seed = (index + 2) << 32 | index;
            let mut client = drive(Session::client(&config(seed), None));
            client.connect(address(0));
            table.clients.push(client);
        }
        while table
            .clients
            .iter()
            .any(|client| client.session().status() != nme_core::session::Status::Connected)
        {
            table.frame();
        }
        for _ in 0..60 {
            table.frame();
        }
        table
    }

    /// Polls everybody once; how many packets were fetched.
    fn frame(&mut self) -> usize {
        self.now += FRAME;
        let mut fetched = 0;
        let Self { now, server, clients } = self;
        for (index, client) in clients.iter_mut().enumerate() {
            client.clock_mut().0 = *now;
            client.flush();
            let socket = client.socket_mut();
            socket.sent().for_each(|(_, datagram)| server.socket_mut().push(address(index + 1), datagram));
            socket.clear_sent();
        }
        fetched += poll(server, *now);
        for (to, datagram) in server.socket().sent() {
            clients[usize::from(to.port()) - 1].socket_mut().push(address(0), datagram);
        }
        server.socket_mut().clear_sent();
        for client in clients {
            fetched += poll(client, *now);
        }
        fetched
    }
}

/// Polls once; how many packets were fetched.
fn poll(driver: &mut MemoryDriver, now: Duration) -> usize {
    driver.clock_mut().0 = now;
    driver.begin_poll();
    while driver.next_event().is_some() {}
    let fetched = std::iter::from_fn(|| driver.session_mut().fetch()).count();
    driver.end_poll();
    fetched
}

fn address(port: usize) -> SocketAddr {
    let port = u16::try_from(port).expect("fewer than 65536 clients");
    // Of this machine: from elsewhere, so many connections of one address at once are not taken.
    SocketAddr::from(([127, 0, 0, 1], port.max(if port == 0 { 9000 } else { 1 })))
}

fn to(target: Target, mode: TransferMode) -> SendOptions {
    SendOptions { target, mode, channel: TransferChannel::ByMode, always_ordered: false }
}

/// A case: what is put in each frame.
struct Case {
    name: &'static str,
    clients: usize,
    compression: Compression,
    relay: bool,
    frames: usize,
    put: fn(&mut Table),
}

fn broadcast(table: &mut Table) {
    for number in 0..20 {
        let options = to(Target::All, TransferMode::Unreliable);
        table.server.session_mut().send(options, &[number; 48]).expect("a server");
    }
}

fn one_client(table: &mut Table, mode: TransferMode) {
    for number in 0..20 {
        table.clients[0].session_mut().send(to(Target::All, mode), &[number; 64]).expect("a connection");
    }
}

fn uplink(table: &mut Table) {
    for client in &mut table.clients {
        client.session_mut().send(to(Target::All, TransferMode::Unreliable), &[7; 48]).expect("a connection");
    }
}

const CASES: [Case; 6] = [
    Case {
        name: "1 client sends 20 x 64 B unreliable",
        clients: 1,
        compression: Compression::None,
        relay: false,
        frames: 2000,
        put: |table| one_client(table, TransferMode::Unreliable),
    },
    Case {
        name: "1 client sends 20 x 64 B reliable",
        clients: 1,
        compression: Compression::None,
        relay: false,
        frames: 2000,
        put: |table| one_client(table, TransferMode::Reliable),
    },
    Case {
        name: "broadcast of 20 x 48 B to 100",
        clients: 100,
        compression: Compression::None,
        relay: false,
        frames: 100,
        put: broadcast,
    },
    Case {
        name: "the same with the range coder",
        clients: 100,
        compression: Compression::RangeCoder,
        relay: false,
        frames: 30,
        put: broadcast,
    },
    Case {
        name: "500 clients send 1 x 48 B each",
        clients: 500,
        compression: Compression::None,
        relay: false,
        frames: 100,
        put: uplink,
    },
    Case {
        name: "relay: 32 clients, 1 x 48 B to all",
        clients: 32,
        compression: Compression::None,
        relay: true,
        frames: 200,
        put: uplink,
    },
];

fn run(case: &Case) {
    let mut table = Table::new(case.clients, case.compression, case.relay);
    for _ in 0..10 {
        (case.put)(&mut table);
        table.frame();
    }
    let region = Region::new(ALLOCATOR);
    let start = Instant::now();
    let mut fetched = 0;
    for _ in 0..case.frames {
        (case.put)(&mut table);
        fetched += table.frame();
    }
    let (time, stats) = (start.elapsed(), region.change());
    let packets = fetched.max(1) as f64;
    println!(
        "| {} | {:.0} | {:.2} | {:.2} | {fetched} |",
        case.name,
        time.as_nanos() as f64 / packets,
        stats.allocations as f64 / packets,
        stats.reallocations as f64 / packets,
    );
}

/// Bytes that one more connected client costs the server while it does nothing. What the host keeps for every possible client is not in it.
fn memory_per_client() {
    let grown = |clients| {
        let region = Region::new(ALLOCATOR);
        let mut table = Table::new(clients, Compression::None, false);
        // Until what joining took has been given back: requests wait for the proof of their address for up to 8 s.
        for _ in 0..10_000 / FRAME.as_millis() {
            table.frame();
        }
        // Clients are dropped first, so what is left is the server's.
        let Table { mut server, clients, .. } = table;
        drop(clients);
        // Its queues are in the system, for a real one.
        *server.socket_mut() = MemorySocket::default();
        let stats = region.change();
        drop(server);
        // Both count what reallocations add and give back, too.
        stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
    };
    let (few, many) = (grown(100), grown(1100));
    println!(
        "memory of the server for each connected client: {:.0} bytes, channels of ENet included",
        (many - few) / 1000.0
    );
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("fan-out") => return run(&CASES[2]),
        Some("memory") => return memory_per_client(),
        _ => {}
    }
    println!("| case | ns per packet, both sides | allocations | reallocations | packets |");
    println!("|---|---|---|---|---|");
    CASES.iter().for_each(run);
    memory_per_client();
}
