//! The ENet protocol as a state machine: one [`Host`] for all connections of a socket, as server, client or both.
//!
//! It knows no socket, clock, thread or log. It speaks with ENet 1.3.13 to 1.3.18, and is strict: what no ENet sends is
//! dropped whole, for a [`DropReason`] that is counted.
//!
//! # The drive
//! Time comes as a [`Duration`](std::time::Duration) since any fixed moment. In a frame, or whenever a socket or
//! [`Host::poll_timeout`] wakes you:
//!
//! 1. [`Host::handle_datagram`] for everything that the socket has. Where datagrams are compressed, [`Host::screen`] comes
//!    first: it looks at the plain header only, and says how long the plain form can be.
//! 2. [`Host::poll_event`] until there is nothing more.
//! 3. [`Host::handle_timeout`], and the events of that. Not before 1: acknowledgements that wait in the socket would be
//!    missed.
//! 4. [`Host::send`] and the other commands.
//! 5. [`Host::flush`], then [`Host::poll_transmit`] until there is nothing more. Datagrams that need not wait for a flush
//!    (repeats, pings, refusals, goodbyes) are there without one.
//!
//! # The modules
//! - `wire` alone knows where bytes stand, for reading and writing. `rules` says what a command must look like.
//! - `receive` orders and puts together; `send` queues, numbers, repeats and fills datagrams; `round_trip`, `throttle` and
//!   `send::window` judge the link. They are all about one [peer](PeerHandle).
//! - `host` has the peers, handshakes, timers and bandwidth; `table` finds a peer by number or address in one look-up.
//! - What all peers need for a moment only (queued packets, commands under way) lies in `lists`, which they share: an idle
//!   peer keeps none of it, and moving a command from one queue to another takes no memory.
//!
//! # What is done otherwise than in stock ENet
//! - Packets that came before their sender's goodbye are reported; a full or refusing server answers at once.
//! - Up to [`Config::max_window`] bytes are in flight, where the peer named no less. A lost command is sent again about a
//!   round trip after it was, and in thin flows twice.
//! - Channels take turns by bytes when much waits for a peer.
//! - Unreliable packets are dropped for a queue of our own, and not for longer frames, jitter or another path.
//! - Both sides of a simultaneous disconnect acknowledge it.
//! - Between two ends of this engine, datagrams can be tagged (`tag`).
//! - Bandwidth-limit commands are sent only by a host that has a limit.
//!
//! What comes to the same is proven by playing seeded programs through both: `tests/differential.rs`.
#![forbid(unsafe_code)]

mod channels;
mod clock;
mod config;
mod counts;
mod event;
mod figures;
mod host;
pub mod inspect;
mod lists;
mod mac;
mod packet;
mod peer;
pub mod proof;
mod reason;
mod receive;
mod round_trip;
mod rules;
mod send;
mod shared;
mod table;
mod tag;
mod throttle;
pub mod wire;

pub use config::{Config, Quotas};
pub use counts::Traffic;
pub use event::{DisconnectReason, Event, PeerHandle, PeerLimit};
pub use figures::{ChannelFigures, HostFigures, PeerFigures};
pub use host::{Admission, ConnectError, ConnectRequest, Host, Screened, SendError, Transmit, Verdict};
pub use packet::{Delivery, Packet, PacketPool};
pub use reason::DropReason;
pub use receive::rates::PeerRates;
pub use receive::reception::Reception;
pub use send::Sending;
pub use tag::{TAG_LEN, TagKey};
