//! An emulated network: datagrams are delayed, lost, doubled, reordered and squeezed through a rate, by settings and a
//! seed.
//!
//! It knows no socket, clock, thread or engine. Time comes in as a [`Duration`](std::time::Duration) since any fixed
//! moment, and the same calls with the same seed always have the same outcome. No setting makes it panic.
//!
//! # One direction
//! A [`Link`] says what one direction is like, and a [`Pipe`] is one direction that behaves so. Whoever wraps a socket
//! holds a pipe for each direction: what is sent goes in, and what is due comes out. Its halves, [`Impairment`] and
//! [`InFlight`], are for who lets several links share one queue.
//!
//! ```
//! use std::time::Duration;
//!
//! use nme_netem::{Bandwidth, Link, LinkError, Pipe};
//!
//! const MS: Duration = Duration::from_millis(1);
//!
//! let link = Link {
//!     latency: 40 * MS,
//!     jitter: 10 * MS,
//!     bandwidth: Some(Bandwidth::queued_for(100_000, 200 * MS)),
//!     ..Link::PERFECT
//! };
//! let mut pipe = Pipe::new(link, 1)?;
//! pipe.push(Duration::ZERO, "server", b"hello");
//!
//! let due = pipe.next_due().expect("nothing is lost here");
//! assert!((40 * MS..51 * MS).contains(&due));
//! assert_eq!(pipe.pop(due - MS), None);
//! assert_eq!(pipe.pop(due), Some(("server", &b"hello"[..])));
//! assert_eq!(pipe.counters().delivered, 1);
//! # Ok::<(), LinkError>(())
//! ```
//!
//! [`Outages`] are about time, not about datagrams: they tell when nothing passes.
//!
//! # Many addresses
//! A [`Network`] carries datagrams between any two addresses, each direction by the rules of a pipe, in virtual time:
//! tests go from one arrival to the next without waiting. A [`Course`] changes its links over time.
//!
//! ```
//! use std::net::SocketAddr;
//! use std::time::Duration;
//!
//! use nme_netem::{Link, Network};
//!
//! let (client, server) = (SocketAddr::from(([192, 0, 2, 1], 1)), SocketAddr::from(([192, 0, 2, 2], 2)));
//! let mut network = Network::new(1);
//! network.set_default(Link::delayed(Duration::from_millis(40)));
//! network.send(Duration::ZERO, client, server, b"hello");
//!
//! let now = network.next_arrival().expect("nothing is lost here");
//! assert_eq!(now, Duration::from_millis(40));
//! assert_eq!(network.receive(now, server), Some((client, b"hello".to_vec())));
//! ```
#![forbid(unsafe_code)]

mod conditions;
mod counters;
mod course;
mod impairment;
mod in_flight;
mod network;
mod outages;
mod passage;
mod pipe;
mod random;

pub use conditions::{Bandwidth, Burst, Link, LinkError};
pub use counters::Counters;
pub use course::Course;
pub use impairment::Impairment;
pub use in_flight::InFlight;
pub use network::Network;
pub use outages::Outages;
pub use passage::Arrivals;
pub use pipe::Pipe;
pub use random::Random;
