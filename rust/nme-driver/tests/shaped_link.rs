//! A real socket on a link that is slower than the game sends, in a network namespace of this test's own.
//!
//! The system's send queue fills only behind a slow link. The test starts itself again under `unshare`, without any
//! rights on the machine's own network, and shapes the loopback interface there with `tc`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::process::Command;
use std::time::{Duration, Instant};

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::codec::Compression;
use nme_core::peer::PeerId;
use nme_core::relay::Target;
use nme_core::session::{Config, FlushMode, MaxClients, SendOptions, Session, Status};
use nme_driver::{Bind, Driver, Monotonic};
use nme_udp::{Options, UdpSocket};

type UdpDriver = Driver<UdpSocket, Monotonic>;

const DEADLINE: Duration = Duration::from_secs(60);

/// 4 MB/s, with room for 32 MB in front of it: more than the socket's buffer.
const SHAPE: &str =
    "ip link set lo up mtu 1500 && tc qdisc add dev lo root tbf rate 32mbit burst 4kb limit 32mb";

const INSIDE: &str = "NME_SHAPED_LINK";

fn bound() -> UdpSocket {
    let bind = Bind::Address("127.0.0.1".parse().unwrap());
    UdpSocket::bind(Options { bind, port: 0 }).unwrap()
}

fn poll(driver: &mut UdpDriver) {
    driver.begin_poll();
    while driver.next_event().is_some() {}
    driver.end_poll();
}

#[test]
fn everything_arrives_over_a_link_that_is_slower_than_the_game() {
    if std::env::var_os(INSIDE).is_some() {
        return send_more_than_the_link_takes();
    }
    let namespace = |command: &str| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--user", "--map-root-user", "--net", "sh", "-ec", command]);
        unshare
    };
    match namespace(SHAPE).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            return eprintln!("skipped, no shaped namespace: {}", String::from_utf8_lossy(&output.stderr));
        }
        Err(error) => return eprintln!("skipped, no unshare: {error}"),
    }
    let command = format!("{SHAPE}; exec \"$0\" --exact \"$1\" --nocapture");
    let output = namespace(&command)
        .arg(std::env::current_exe().unwrap())
        .arg("everything_arrives_over_a_link_that_is_slower_than_the_game")
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn send_more_than_the_link_takes() {
    let config = |seed| Config::new(seed).compression(Compression::None);
    let socket = bound();
    let address = socket.local_addr();
    let server = Session::server(&config(1), MaxClients::new(1).unwrap(), None);
    let mut server = Driver::new(server, socket, Monotonic::new());
    let client = Session::client(&config(9 << 32), None);
    let mut client = Driver::new(client, bound(), Monotonic::new());
    client.connect(address);
    let deadline = Instant::now() + DEADLINE;
    while client.session().status() != Status::Connected {
        assert!(Instant::now() < deadline, "no connection");
        poll(&mut client);
        poll(&mut server);
    }
    client.session_mut().set_flush_mode(FlushMode::EachPut);
    let options = SendOptions {
        target: Target::One(PeerId::SERVER),
        mode: TransferMode::UnreliableOrdered,
        channel: TransferChannel::ByMode,
        always_ordered: false,
    };
    let mut payload = [0; 1200];
    let mut count = 0_u32;
    while client.socket_counters().waiting < WAITING {
        assert!(count < MOST_PACKETS, "the link is too fast: {:?}", client.socket_counters());
        payload[..4].copy_from_slice(&count.to_be_bytes());
        client.send(options, &payload).unwrap();
        count += 1;
    }
    assert!(client.socket_counters().would_blocks > 0);
    let mut next = 0;
    while next < count {
        assert!(Instant::now() < deadline, "{next} have arrived; {:?}", client.socket_counters());
        poll(&mut client);
        poll(&mut server);
        while let Some(packet) = server.session_mut().fetch() {
            assert_eq!(packet.payload()[..4], u32::to_be_bytes(next), "{:?}", client.socket_counters());
            next += 1;
        }
    }
    let counters = client.socket_counters();
    assert_eq!((counters.waiting, counters.overflowed, counters.send_errors), (0, 0, 0));
}

/// Datagrams that have to wait for room.
const WAITING: usize = 500;

/// More than any socket's send buffer holds.
const MOST_PACKETS: u32 = 15_000;
