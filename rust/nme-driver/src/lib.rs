//! Drivers: what moves datagrams and time between a socket, a clock and a session.
//!
//! [`Driver`] is the loop, over any [`DatagramSocket`] and [`Clock`]; it works in the caller's thread, whenever it is
//! polled. [`Connection`] is the product's: over a UDP socket and the system's clock, with everything that a game asks
//! for. All rules are in the session, a driver only carries.
#![forbid(unsafe_code)]

mod clock;
mod connection;
mod driver;
mod error;
mod farewell;
mod node;
mod outbox;
mod reading;
mod settings;
mod socket;
mod ticks;

pub use clock::{Clock, Monotonic};
pub use connection::{Connection, ConnectionFarewell, PacketInfo, Traffic};
pub use driver::{Driver, SocketCounters};
pub use error::{ClientError, PortError, ServerError};
pub use farewell::Farewell;
pub use nme_udp::{Bind, BindError};
pub use node::Node;
pub use outbox::MAX_WAITING;
pub use settings::{ClientSettings, Port, ServerSettings};
pub use socket::DatagramSocket;
