//! Stock ENet behind the interface of [`nme_enet::Host`], for who wants to rule out our engine as the cause of a bug.
//!
//! The engine is rusty_enet, a translation of the C code. It is *not hardened*: malformed datagrams are kept from it, and
//! nothing else. There are no quotas on what a peer makes it hold back, and its work grows with the number of places.
//! What is otherwise different from [`nme_enet::Host`]:
//!
//! - It does what stock ENet does: its throttle takes every longer round trip for a queue and drops unreliable packets
//!   then, but more of them than bandwidth limits allow are sent; packets leave whole and in the order in which they were
//!   queued, so that small ones wait behind a large one; a packet that came in the same datagram as its sender's goodbye
//!   is lost; and 64 KiB at most are in flight.
//! - A server that grants fewer channels than were asked for does not count as an answer: the engine would free memory
//!   with the wrong size.
//! - Address and peer number of a datagram are looked at before it is expanded; the session number only by the engine.
//! - Answers may leave before the next flush, and [`Host::poll_timeout`] asks to be called every few milliseconds.
//! - Who was given up is not told when it speaks again.
//! - The answer to a connect request is repeated until it is acknowledged, and a place that waits for that goes to nobody else: a
//!   flood of forged requests fills a server until the alarm is on.
//! - Of the figures, `reassembly_bytes` is always 0, `waiting` is an estimate, and commands are counted for the last seconds only.
//!
//! `cargo test -p nme-core --features reference-engine` runs the core's tests over it; each that is ignored then names one of
//! these differences. The library is built over it with `cargo build -p nme-godot --features reference-engine`. All suites
//! in Godot pass then but `connection_errors.test_a_client_that_wakes_up_too_late`: stock ENet does not tell a peer that it
//! was given up.
//!
//! So do all scenarios of `scripts/tests/test_interop.py` but `channel_limits`, in which a client asks for more channels than
//! its server grants.
#![forbid(unsafe_code)]

mod clock;
mod debug_text;
mod host;
mod memory;
mod packet;
mod places;

pub use host::Host;
pub use memory::{Datagram, MemorySocket};
