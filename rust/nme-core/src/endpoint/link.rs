//! The seam between the game's side and the network's.

use nme_enet::Packet;

use super::{Command, Credit, Endpoint, Report};

/// What a session works on: an endpoint, or the way to one in another thread.
pub trait Link {
    /// True for an endpoint in the same thread: it sends when the session is flushed, and never before. So the session may hold
    /// a packet back till then, and asks for a flush before one that no longer fits into a datagram.
    const IS_DIRECT: bool;

    /// Hands a command over.
    fn execute(&mut self, command: Command);

    /// Packets that were reported do not wait any more.
    fn credit(&mut self, credit: Credit);

    /// Hands one command over in the place of the last ones, if they are still on their way; otherwise does nothing.
    fn replace(&mut self, _count: usize, _command: Command) {}

    /// The next thing that happened.
    fn next_report(&mut self) -> Option<Report>;

    /// A packet of these parts.
    fn packet(&mut self, parts: &[&[u8]]) -> Packet;
}

impl Link for Endpoint {
    const IS_DIRECT: bool = true;

    #[inline]
    fn execute(&mut self, command: Command) {
        Self::execute(self, command);
    }

    #[inline]
    fn credit(&mut self, credit: Credit) {
        self.take_credit(credit);
    }

    #[inline]
    fn next_report(&mut self) -> Option<Report> {
        Self::next_report(self)
    }

    #[inline]
    fn packet(&mut self, parts: &[&[u8]]) -> Packet {
        Self::packet(self, parts)
    }
}
