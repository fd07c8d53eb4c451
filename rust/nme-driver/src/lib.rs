//! Drivers: what moves datagrams and time between a UDP socket and a session.
//!
//! [`Inline`] works in the caller's thread, whenever it is polled. Others can drive the same session: all
//! rules are in the session, a driver only carries.
#![forbid(unsafe_code)]

mod error;
mod inline;
mod settings;
mod ticks;

pub use error::{ClientError, PortError, ServerError};
pub use inline::{Farewell, Inline, SocketCounters};
pub use nme_udp::{Bind, BindError};
pub use settings::{ClientSettings, Port, ServerSettings};
