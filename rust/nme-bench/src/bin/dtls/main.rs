//! What DTLS costs, as Markdown: time of packets and handshakes, memory of peers, and what strangers can make a server
//! do.
#![allow(clippy::print_stdout, reason = "the tables are what this program is for")]

mod handshakes;
mod hellos;
mod keys;
mod layers;
mod memory;
mod records;
mod sessions;
mod timing;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts what Rust code allocates. The cryptography in C has its state on the stack or in memory of Rust.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    println!("{NOTES}\n");
    sessions::print();
    records::print();
    handshakes::print();
    memory::print();
    hellos::print();
}

const NOTES: &str = "\
On one core, without sockets: datagrams go from one side to the other in memory. Of many short rounds the best one \
counts, as others use the machine, too. DTLS is 1.2 with ECDHE and AES-128-GCM.";
