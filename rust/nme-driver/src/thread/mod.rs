//! A thread that runs an endpoint, so that it goes on while the game is busy.
//!
//! ```text
//! game's thread                                        network thread
//! Session ── Remote ── commands ──► Handover ──────►  Driver<Endpoint> ── socket
//!    ▲          ◄───── reports ────  Handover  ◄──────      │
//! ```
//!
//! The game's thread has the session: inbox, events, and everything that a call can be wrong about. The network thread has the
//! socket, the encryption, ENet, the relay and the admission, and sleeps until a datagram comes, something is to be repeated,
//! or the game wakes it. Between them is a [`Handover`]: commands one way, reports the other, a batch at a time. The thread
//! touches nothing of the game's.

mod handover;
mod network;
mod remote;
mod running;

pub use handover::{MAX_STALL_DEFAULT_MS, StallLimit};
pub(crate) use network::NetworkDriver;
pub(crate) use remote::Remote;
pub use running::stop_all;
pub(crate) use running::{Running, spawn};
