//! A client's attempt to reach its server, and what comes from it afterwards.

use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::{Packet, PeerHandle};

use super::told::Asked;
use super::{Brought, Endpoint, Received, Report, Role};
use crate::channel::{self, Transfer};
use crate::counters::DroppedPacket;
use crate::peer::PeerId;
use crate::relay::wire::{self, SystemMessage};
use crate::session::{ConnectionError, TimeoutError};

/// The attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    stage: Stage,
    /// When it began, by the host's clock.
    began: Option<Duration>,
    /// The client's id, which the server is told.
    id: PeerId,
    server: Option<PeerHandle>,
    timeout: Option<PeerTimeout>,
    /// How long it may take in all.
    longest: Option<Duration>,
    /// What the server was asked once the attempt had succeeded.
    pub(super) asked: Asked,
}

/// How far the attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The server's address is not known yet.
    Resolving,
    /// The encryption's handshake with the server goes on.
    Securing,
    /// ENet's handshake goes on.
    Connecting,
    /// The attempt has come to a connection, or to nothing.
    Over,
}

/// When a peer is taken for lost: a factor of the round-trip time, and two times in ms. 0 stands for ENet's own value (32, 5000,
/// 30000).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerTimeout {
    pub(crate) limit: u32,
    pub(crate) minimum: u32,
    pub(crate) maximum: u32,
}

impl PeerTimeout {
    /// Checks the values.
    ///
    /// # Errors
    /// When they are not in order.
    pub fn new(limit: i64, minimum: i64, maximum: i64) -> Result<Self, TimeoutError> {
        let order = TimeoutError::Order { limit, minimum, maximum };
        if limit < 0 || limit > minimum || minimum > maximum {
            return Err(order);
        }
        match (u32::try_from(limit), u32::try_from(minimum), u32::try_from(maximum)) {
            (Ok(limit), Ok(minimum), Ok(maximum)) => Ok(Self { limit, minimum, maximum }),
            _ => Err(order),
        }
    }
}

impl Attempt {
    pub(super) fn new(id: PeerId, longest: Option<Duration>) -> Self {
        Self {
            stage: Stage::Resolving,
            began: None,
            id,
            server: None,
            timeout: None,
            longest,
            asked: Asked::default(),
        }
    }

    /// True until the attempt has come to something.
    pub(super) fn goes_on(&self) -> bool {
        self.stage != Stage::Over
    }

    pub(super) const fn id(&self) -> PeerId {
        self.id
    }

    pub(super) const fn succeed(&mut self) {
        self.stage = Stage::Over;
    }
}

impl Endpoint {
    /// Client: asks the server at `address` for a connection. Further calls do nothing.
    pub fn connect(&mut self, now: Duration, address: SocketAddr) {
        self.set_time(now);
        let Role::Client(attempt) = &mut self.role else { return };
        if attempt.stage != Stage::Resolving {
            return;
        }
        attempt.stage = Stage::Securing;
        attempt.began.get_or_insert(self.now);
        self.reports.push_back(Report::Connecting(address));
        if !self.datagrams.connect(self.now, address) {
            self.request_connection(address);
        }
    }

    /// Client: nothing stands before ENet's handshake any more.
    pub(super) fn request_connection(&mut self, address: SocketAddr) {
        let Role::Client(attempt) = &mut self.role else { return };
        if attempt.stage != Stage::Securing {
            return;
        }
        attempt.stage = Stage::Connecting;
        let data = attempt.id.get() as u32;
        attempt.server = self.host.connect(self.told, address, self.channel_count, data).ok();
        match (attempt.server, attempt.timeout) {
            (None, _) => self.fail_attempt(ConnectionError::TimedOut),
            (Some(server), Some(timeout)) => self.set_timeout(server, timeout),
            (Some(_), None) => {}
        }
    }

    /// Client: sets the timeout of the attempt, and of the connection that it leads to.
    pub(super) fn set_attempt_timeout(&mut self, timeout: PeerTimeout) {
        let Role::Client(attempt) = &mut self.role else { return };
        attempt.timeout = Some(timeout);
        if let Some(server) = attempt.server {
            self.set_timeout(server, timeout);
        }
    }

    /// Client: a timeout that was set for the attempt goes before the one of each new peer.
    pub(super) fn set_own_timeout(&mut self, server: PeerHandle) {
        if let Role::Client(Attempt { timeout: Some(timeout), .. }) = self.role {
            self.set_timeout(server, timeout);
        }
    }

    /// Client: gives up an attempt that has had the longest time that the game has set. ENet would look at that only when
    /// it repeats its request, and not before the attempt has got that far.
    pub(super) fn heed_deadline(&mut self) {
        let Role::Client(attempt) = &mut self.role else { return };
        let error = match attempt.stage {
            Stage::Resolving => ConnectionError::NotResolved,
            Stage::Securing => ConnectionError::HandshakeTimedOut,
            Stage::Connecting => ConnectionError::TimedOut,
            Stage::Over => return,
        };
        let lasts = self.now.saturating_sub(*attempt.began.get_or_insert(self.now));
        let maximum = attempt.timeout.map(|timeout| timeout.maximum).filter(|maximum| *maximum > 0);
        let maximum = maximum.map(|maximum| Duration::from_millis(maximum.into()));
        if maximum.into_iter().chain(attempt.longest).any(|longest| lasts >= longest) {
            self.fail_attempt(error);
        }
    }

    /// Client: gives up an attempt whose server's address cannot be found.
    pub fn fail(&mut self) {
        self.fail_attempt(ConnectionError::NotResolved);
    }

    /// Client: the attempt has come to nothing. Does nothing when there is none.
    pub(super) fn fail_attempt(&mut self, error: ConnectionError) {
        if let Role::Client(attempt) = &mut self.role
            && attempt.stage != Stage::Over
        {
            attempt.stage = Stage::Over;
            self.reports.push_back(Report::Failed(error));
        }
    }
}

/// What a packet of the server says.
pub(super) fn read_server_packet(
    server: PeerHandle,
    transfer: Transfer,
    packet: Packet,
) -> Result<Brought, DroppedPacket> {
    if transfer.channel == channel::CONFIG {
        return SystemMessage::decode(&packet)
            .map(Brought::SystemMessage)
            .ok_or(DroppedPacket::SystemMessage);
    }
    let header = wire::decode(&packet).ok_or(DroppedPacket::Short)?;
    let from = PeerId::new(header.source as i32).ok_or(DroppedPacket::SpoofedSource)?;
    let Transfer { channel, delivery } = transfer;
    Ok(Brought::Packet(Received { from, via: server, channel, delivery, packet }))
}
