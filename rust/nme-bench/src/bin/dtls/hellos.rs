//! Hellos without a cookie, from everywhere: what anybody can send with a forged address.

use std::time::Duration;

use nme_core::secure::{SecureCounters, Verdict};

use crate::ALLOCATOR;
use crate::keys::RSA_2048;
use crate::layers::{NOW, Party, client_address, server_layer};
use crate::memory::allocated;
use crate::sessions::{self, MemoryDriver};
use crate::timing::{Best, per_second};

/// Prints the table.
pub(crate) fn print() {
    println!("## {HELLOS} hellos without a cookie\n");
    println!(
        "Each from an address of its own. First and last: the best {BATCH} hellos of the first and of the last \
         quarter.\n"
    );
    println!(
        "| | bytes in | out | first, µs | last, µs | hellos/s | allocations each | memory growth, bytes |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut server = Party::server(&RSA_2048);
    row("layer", |hello, number| {
        server.layer.receive(NOW, client_address(number), hello, &mut || Verdict::Accept, &mut server.out);
        let answered = server.out.wire.iter().map(|(_, bytes)| bytes.len()).sum();
        server.out.wire.clear();
        answered
    });
    check(server.layer.counters());
    let mut driver = sessions::server(Some(server_layer(&RSA_2048)));
    let mut now = NOW;
    row("server session, a poll each", |hello, number| poll(&mut driver, &mut now, hello, number));
    check(driver.session().secure_counters().expect("a layer"));
    println!();
}

/// One poll of a server that finds a hello. Answers how many bytes it sends.
fn poll(driver: &mut MemoryDriver, now: &mut Duration, hello: &[u8], number: u32) -> usize {
    *now += Duration::from_micros(10);
    driver.clock_mut().0 = *now;
    driver.socket_mut().push(client_address(number), hello);
    driver.begin_poll();
    while driver.next_event().is_some() {}
    driver.end_poll();
    let answered = driver.socket().sent().map(|(_, bytes)| bytes.len()).sum();
    driver.socket_mut().clear_sent();
    answered
}

/// Sends all hellos and prints what they cost. `receive` takes a hello of the client with this number, and answers how
/// many bytes go back.
fn row(name: &str, mut receive: impl FnMut(&[u8], u32) -> usize) {
    let mut hello = first_hello();
    let mut send = |number: u32| {
        hello[RANDOM..RANDOM + 4].copy_from_slice(&number.to_be_bytes());
        receive(&hello, number)
    };
    // Buffers grow to their size.
    let answer = send(HELLOS);
    let (allocations, bytes) = (ALLOCATOR.stats().allocations, allocated());
    let mut quarters = [Best::new(); 4];
    let mut answered = 0;
    for first in (0..HELLOS).step_by(BATCH) {
        let quarter = &mut quarters[(first * 4 / HELLOS) as usize];
        answered += quarter.time(|| (first..first + BATCH as u32).map(&mut send).sum::<usize>());
    }
    let allocations = ALLOCATOR.stats().allocations - allocations;
    let growth = allocated() - bytes;
    assert_eq!(answered, answer * HELLOS as usize, "not every hello was answered");
    let [early, _, _, late] = quarters.map(|best| best.micros(BATCH));
    println!(
        "| {name} | {} | {answer} | {early:.2} | {late:.2} | {} | {:.2} | {growth} |",
        hello.len(),
        per_second(late),
        allocations as f64 / f64::from(HELLOS),
    );
}

/// Every hello was answered with a cookie, and nothing was begun.
fn check(counters: SecureCounters) {
    assert_eq!(counters.cookies, u64::from(HELLOS) + 1);
    assert_eq!((counters.half_open, counters.established, counters.dropped), (0, 0, 0));
}

/// What a client sends first.
fn first_hello() -> Vec<u8> {
    let mut client = Party::client(&RSA_2048, 0);
    client.connect();
    let (_, hello) = client.out.wire.iter().next().expect("a hello");
    hello.to_vec()
}

const HELLOS: u32 = 200_000;

/// Hellos between two looks at the clock.
const BATCH: usize = 100;

/// Where the client's random number begins: behind the headers of record and message, and the version.
const RANDOM: usize = 13 + 12 + 2;
