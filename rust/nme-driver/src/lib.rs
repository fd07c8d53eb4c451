//! Drivers: what moves datagrams and time between a socket, a clock and a session.
//!
//! [`Driver`] is the loop, over any [`DatagramSocket`] and [`Clock`]. It works in the caller's thread, whenever it is polled, and
//! drives a session; or in a thread of its own, and drives an endpoint whose session is in the caller's. [`Connection`] is the
//! product's, of either kind: over a UDP socket and the system's clock, with everything that a game asks for. All rules are in
//! session and endpoint, a driver only carries; on request over a network that a [`simulator`] makes worse. [`ServerBrowser`] does the same for questions to servers without a connection.
#![forbid(unsafe_code)]

mod browser;
mod clock;
mod connection;
mod driver;
mod error;
mod farewell;
mod node;
mod outbox;
mod reading;
mod settings;
mod simulations;
pub mod simulator;
mod socket;
mod statistics;
mod thread;
mod threaded;
mod ticks;

pub use browser::{SearchEvent, SearchTimeout, ServerBrowser};
pub use clock::{Clock, Monotonic};
pub use connection::{Connection, ConnectionFarewell, PacketInfo, Traffic};
pub use driver::{Driver, SocketCounters};
pub use error::{ClientError, PortError, SearchError, ServerError, ThreadError};
pub use farewell::Farewell;
pub use nme_udp::{Bind, BindError};
pub use node::Node;
pub use outbox::MAX_WAITING;
pub use settings::{ClientSettings, Port, ServerSettings};
pub use socket::DatagramSocket;
pub use statistics::ConnectionStatistics;
pub use thread::{MAX_STALL_DEFAULT_MS, StallLimit, stop_all};
