//! The ENet protocol as a state machine.
#![forbid(unsafe_code)]

mod channels;
mod clock;
mod config;
mod event;
mod figures;
mod host;
mod lists;
mod packet;
mod peer;
mod reason;
mod receive;
mod round_trip;
mod rules;
mod send;
mod shared;
mod table;
mod throttle;
mod wire;

pub use config::{Config, Quotas};
pub use event::{DisconnectReason, Event, PeerHandle};
pub use figures::{HostFigures, PeerFigures};
pub use host::{Admission, ConnectError, ConnectRequest, Host, Screened, SendError, Verdict};
pub use packet::{Delivery, Packet, PacketPool};
pub use reason::DropReason;
pub use send::Sending;

#[cfg(test)]
mod sizes {
    #[test]
    fn print() {
        println!(
            "peer {} channel {} recv {} send {} sent {} queued {} throttle {} window {} usage {}",
            size_of::<crate::peer::Peer>(),
            size_of::<crate::channels::Channel>(),
            size_of::<crate::receive::ReceiveChannel>(),
            size_of::<crate::send::SendChannel>(),
            size_of::<crate::send::Sent>(),
            size_of::<crate::send::Queued>(),
            size_of::<crate::throttle::Throttle>(),
            size_of::<crate::send::Window>(),
            size_of::<crate::receive::quota::Usage>()
        );
    }
}
