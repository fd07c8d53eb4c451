//! The ends of connections: what is known of a peer that has gone, and how to make the engine let go of one.

use std::net::SocketAddr;

use super::given_up::Goodbye;
use super::slot::Phase;
use super::wire::Header;
use super::{DropReason, Guard, Role};

/// What is known of a peer that has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Departure {
    /// Where it was.
    pub(crate) address: SocketAddr,
    /// It has disconnected, rather than fallen silent.
    pub(crate) announced: bool,
}

impl Guard {
    /// The engine's peer of this slot is gone. To be called before the engine is served again.
    pub(crate) fn release(&mut self, slot: u16) -> Option<Departure> {
        let gone = self.slots.get_mut(usize::from(slot))?.take()?;
        self.attempts.remove(&gone.attempt());
        self.newcomers.clear();
        if self.config.role == Role::Server
            && gone.phase == Phase::Open
            && let Some((session, goodbye)) = gone.session().zip(gone.goodbye())
        {
            let now = self.now.unwrap_or_default();
            self.given_up.remember(now, gone.address, (slot, session), goodbye);
        }
        Some(Departure { address: gone.address, announced: gone.phase == Phase::Closed })
    }

    /// What to tell the sender of a datagram that was not let pass, when it is a client that does not know yet that it
    /// was given up. `len` is the datagram's length as it came.
    pub(crate) fn goodbye(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        reason: DropReason,
        len: usize,
    ) -> Option<Goodbye> {
        if !matches!(reason, DropReason::UnknownPeer | DropReason::WrongSession) {
            return None;
        }
        let header = Header::read(datagram).ok()?;
        self.given_up.answer(self.now?, from, &header, len)
    }

    /// True while a connection with this address is open.
    pub(crate) fn is_connected(&self, address: SocketAddr) -> bool {
        let mut slots = self.slots.iter().flatten();
        slots.any(|slot| slot.address == address && slot.phase == Phase::Open)
    }

    /// Datagrams that make the engine believe that every peer at this address has disconnected, half-open ones
    /// included. They must reach the engine before anything that has not been inspected yet.
    pub(crate) fn farewells(&mut self, address: SocketAddr) -> Vec<[u8; 10]> {
        let mut farewells = Vec::new();
        for (index, place) in (0..).zip(&mut self.slots) {
            let Some(slot) = place.as_deref_mut().filter(|slot| slot.address == address) else { continue };
            farewells.push(slot.farewell(index));
            // The engine frees a server's half-open slot and tells nobody.
            let is_silent = slot.phase == Phase::Half && self.config.role == Role::Server;
            slot.close();
            if is_silent {
                self.attempts.remove(&slot.attempt());
                self.newcomers.clear();
                *place = None;
            }
        }
        farewells
    }
}
