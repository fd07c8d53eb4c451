//! What a server's layer keeps for each peer.

use std::time::Duration;

use crate::ALLOCATOR;
use crate::keys::{Credentials, P_256, RSA_2048};
use crate::layers::{NOW, Party, SERVER, connected, shake_hands};

/// Prints the table.
pub(crate) fn print() {
    println!("## Memory of a server's layer\n");
    println!(
        "Bytes for each peer, with its share of the tables: what is asked of the allocator and not given back. Half \
         open: the client has proven its address, and the server has answered with its certificate. Of {HALF_OPEN} \
         such and {ESTABLISHED} associations. Left: after all have timed out or been closed; the table of \
         associations keeps its length.\n"
    );
    println!("| key | half open | left | established | after {PACKETS} packets each way | left |");
    println!("|---|---|---|---|---|---|");
    for credentials in [&RSA_2048, &P_256] {
        let [half, half_left] = half_open(credentials);
        let [fresh, used, left] = established(credentials);
        println!("| {} | {half} | {half_left} | {fresh} | {used} | {left} |", credentials.label);
    }
    println!();
}

/// Bytes that the calls of a server have kept.
#[derive(Default)]
struct Kept(isize);

impl Kept {
    fn by<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let before = allocated();
        let answer = call();
        self.0 += allocated() - before;
        answer
    }

    const fn each(&self, count: u32) -> isize {
        self.0 / count as isize
    }
}

/// Bytes that are allocated now, by everybody.
pub(crate) fn allocated() -> isize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated.cast_signed() - stats.bytes_deallocated.cast_signed()
}

/// A server whose buffers have grown to their size.
fn warm_server(credentials: &Credentials) -> Party {
    let (mut server, mut client) = connected(credentials);
    exchange(&mut server, &mut client, &mut Kept::default());
    server.layer.close(NOW, client.address, &mut server.out);
    server.out.wire.clear();
    server
}

/// A packet each way.
fn exchange(server: &mut Party, client: &mut Party, kept: &mut Kept) {
    client.send(SERVER, &[0x5a; 1200]);
    kept.by(|| server.receive_from(client));
    kept.by(|| server.send(client.address, &[0x5a; 1200]));
    client.receive_from(server);
    assert_eq!((server.clear(), client.clear()), (1, 1), "packets were lost");
}

/// For each handshake in progress, and what is left when all have timed out.
fn half_open(credentials: &Credentials) -> [isize; 2] {
    let mut server = warm_server(credentials);
    let mut kept = Kept::default();
    for number in 1..=HALF_OPEN {
        let mut client = Party::client(credentials, number);
        client.connect();
        kept.by(|| server.receive_from(&mut client));
        client.receive_from(&mut server);
        kept.by(|| server.receive_from(&mut client));
        server.out.wire.clear();
    }
    assert_eq!(server.layer.counters().half_open, HALF_OPEN);
    let full = kept.each(HALF_OPEN);
    kept.by(|| server.layer.tick(NOW + TOO_LATE, &mut server.out));
    assert_eq!(server.layer.counters().half_open, 0);
    [full, kept.each(HALF_OPEN)]
}

/// For each association, for each that has carried packets, and what is left when all have been closed.
fn established(credentials: &Credentials) -> [isize; 3] {
    let mut server = warm_server(credentials);
    let mut kept = Kept::default();
    let mut clients: Vec<Party> =
        (1..=ESTABLISHED).map(|number| Party::client(credentials, number)).collect();
    for client in &mut clients {
        shake_hands(&mut server, client, |server, client| kept.by(|| server.receive_from(client)));
    }
    assert_eq!(server.layer.counters().established, ESTABLISHED);
    let fresh = kept.each(ESTABLISHED);
    for client in &mut clients {
        for _ in 0..PACKETS {
            exchange(&mut server, client, &mut kept);
        }
    }
    let used = kept.each(ESTABLISHED);
    for client in &clients {
        kept.by(|| server.layer.close(NOW, client.address, &mut server.out));
        server.out.wire.clear();
    }
    assert_eq!(server.layer.counters().established, 0);
    [fresh, used, kept.each(ESTABLISHED)]
}

/// As many as there may be at once.
const HALF_OPEN: u32 = 64;
const ESTABLISHED: u32 = 256;
const PACKETS: u32 = 1000;

/// Longer than any handshake may take.
const TOO_LATE: Duration = Duration::from_secs(60);
