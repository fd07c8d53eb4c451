//! What a game can ask about a peer, and set for it.

use std::net::SocketAddr;

use nme_enet::PeerHandle;

use super::peer_table::Reach;
use super::{Bandwidth, PeerError, Role, Session, ThrottleError, TimeoutError};
use crate::endpoint::{Command, Link, PeerTimeout, Setting, Throttle};
use crate::peer::PeerId;
use crate::relay::ToldFigures;

impl<L: Link> Session<L> {
    /// The address of a peer with a connection to this side; on a client, also of the server that it connects to.
    ///
    /// # Errors
    /// For an unknown id, for a client behind the relay, and while the server's name is being looked up.
    pub fn peer_address(&self, id: i64) -> Result<SocketAddr, PeerError> {
        match &self.role {
            Role::Client(client) if client.is_trying() && id == SERVER => {
                client.server().ok_or(PeerError::NotResolved)
            }
            _ => self.connected(id).map(|(_, address)| address),
        }
    }

    /// The connection with a peer; `None` when it has just ended.
    ///
    /// # Errors
    /// For an unknown id, and for a client behind the relay.
    pub fn peer_handle(&self, id: i64) -> Result<Option<PeerHandle>, PeerError> {
        self.connected(id).map(|(peer, _)| peer)
    }

    /// Client: what the server has told last of its connection with another client, or with this one, and asks for what is new.
    /// `None` until there is an answer, for who is not there, and where the server gives none, as one of 3.6.
    pub fn told(&mut self, id: i64) -> Option<ToldFigures> {
        let own = i64::from(self.id.get());
        let about = if id == own { self.id } else { self.known(id)? };
        let Role::Client(client) = &self.role else { return None };
        let told = client.told(about);
        self.link.execute(Command::AskFigures(about));
        told
    }

    /// The peers that the game has heard of, by id; on a client also those behind the relay.
    pub fn peers(&self) -> impl Iterator<Item = PeerId> {
        self.peers.ids()
    }

    /// A peer with a connection to this side, or one that the game has not heard of yet that it has lost.
    fn connected(&self, id: i64) -> Result<(Option<PeerHandle>, SocketAddr), PeerError> {
        let peer = self.known(id).ok_or(PeerError::Unknown(id))?;
        let reach = self.peers.reach(peer).ok_or(PeerError::Unknown(id))?;
        Ok((reach.handle(), reach.address().ok_or(PeerError::Relayed(peer))?))
    }

    /// Sets when a peer that does not acknowledge is taken for lost. `minimum` and `maximum` are in ms; `limit`
    /// is a factor of the round-trip time. 0 stands for ENet's own value (32, 5000, 30000).
    ///
    /// On a client that connects, id 1 is the server: the attempt ends after `maximum`, and the connection keeps the
    /// values.
    ///
    /// # Errors
    /// For an unknown id, for a client behind the relay, and for values that are not in order.
    pub fn set_peer_timeout(
        &mut self,
        id: i64,
        limit: i64,
        minimum: i64,
        maximum: i64,
    ) -> Result<(), TimeoutError> {
        let timeout = PeerTimeout::new(limit, minimum, maximum);
        let is_attempt = id == SERVER && matches!(&self.role, Role::Client(client) if client.is_trying());
        let peer = if is_attempt { None } else { self.connected(id)?.0 };
        let timeout = timeout?;
        if is_attempt {
            self.link.execute(Command::SetAttemptTimeout(timeout));
        } else if let Some(peer) = peer {
            self.link.execute(Command::SetTimeout(peer, timeout));
        }
        Ok(())
    }

    /// Sets the same for each peer that connects from now on, as long as nothing else is set for it.
    pub fn set_default_peer_timeout(&mut self, timeout: PeerTimeout) {
        self.set(Setting::DefaultTimeout(timeout));
    }

    /// Sets how fast unreliable packets to a peer are dropped when its link becomes slow, and let through again, here
    /// and on its side. Each round trip in a queue of ours takes `deceleration` thirty-seconds off the share that is
    /// sent, one without adds `acceleration`; one that does not change for a fifth of `interval` ms is the path's.
    /// ENet's own values are 5000, 2 and 2.
    ///
    /// # Errors
    /// For an unknown id, for a client behind the relay, and for values outside 0..=2^32-1.
    pub fn set_peer_throttle(
        &mut self,
        id: i64,
        interval: i64,
        acceleration: i64,
        deceleration: i64,
    ) -> Result<(), ThrottleError> {
        let (peer, _) = self.connected(id)?;
        let (Ok(interval_ms), Ok(acceleration_32nds), Ok(deceleration_32nds)) =
            (u32::try_from(interval), u32::try_from(acceleration), u32::try_from(deceleration))
        else {
            return Err(ThrottleError::Range { interval, acceleration, deceleration });
        };
        if let Some(peer) = peer {
            let throttle = Throttle {
                interval: interval_ms,
                acceleration: acceleration_32nds,
                deceleration: deceleration_32nds,
            };
            self.link.execute(Command::SetThrottle(peer, throttle));
        }
        Ok(())
    }

    /// Sets after how many ms without an acknowledgement a peer is pinged; 0 is ENet's 500.
    ///
    /// # Errors
    /// For an unknown id, and for a client behind the relay.
    pub fn set_ping_interval(&mut self, id: i64, millis: u32) -> Result<(), PeerError> {
        if let (Some(peer), _) = self.connected(id)? {
            self.link.execute(Command::SetPingInterval(peer, millis));
        }
        Ok(())
    }

    /// Sets what all peers together may send to this side, and are sent.
    pub fn set_bandwidth(&mut self, bandwidth: Bandwidth) {
        self.set(Setting::Bandwidth(bandwidth));
    }

    /// Sends a datagram that has nothing to do with any connection: to open a way through a router, or to somebody who is no
    /// ENet at all.
    pub fn send_datagram(&mut self, to: SocketAddr, datagram: &[u8]) {
        self.link.execute(Command::SendDatagram(to, datagram.into()));
    }

    /// The channels that this side and a peer have in common.
    ///
    /// # Errors
    /// For an unknown id, and for a client behind the relay.
    pub fn channels(&self, id: i64) -> Result<u8, PeerError> {
        self.connected(id)?;
        let reach = self.known(id).and_then(|peer| self.peers.reach(peer));
        Ok(match reach {
            Some(Reach::Direct { channels, .. }) => channels,
            _ => 0,
        })
    }

    pub(super) fn known(&self, id: i64) -> Option<PeerId> {
        let peer = PeerId::new(i32::try_from(id).ok()?)?;
        self.peers.contains(peer).then_some(peer)
    }
}

const SERVER: i64 = PeerId::SERVER.get() as i64;
