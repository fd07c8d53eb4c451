//! What a session is made from.

use std::time::Duration;

use nme_enet::Quotas;
use siphasher::sip::SipHasher24;
use thiserror::Error;

use crate::channel::MIN_CHANNELS;
use crate::codec::Compression;
use crate::peer::PeerId;

/// Largest packet a game may send, in bytes (16 MiB, as `get_max_packet_size` of 3.6).
pub const MAX_PACKET: usize = 1 << 24;

/// Most clients of one server: the peer ids of ENet's wire format.
pub const MAX_CLIENTS: u16 = 4095;

/// Settings of both roles. Every value of this type is valid.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) channel_count: u8,
    pub(crate) compression: Compression,
    pub(crate) server_relay: bool,
    pub(crate) bandwidth: Bandwidth,
    pub(crate) seed: u64,
    pub(crate) limits: Limits,
    pub(crate) requires_tags: bool,
    pub(crate) mtu: Mtu,
    pub(crate) connect_timeout: Option<Duration>,
    cookie_key: [u8; 16],
}

impl Config {
    /// The defaults of 3.6. `seed` is 64 random bits from the operating system: peer ids and ENet's connect
    /// ids are made from it.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            channel_count: MIN_CHANNELS,
            compression: Compression::default(),
            server_relay: true,
            bandwidth: Bandwidth::default(),
            seed,
            limits: Limits::default(),
            requires_tags: false,
            mtu: Mtu::default(),
            connect_timeout: None,
            cookie_key: key_from(seed),
        }
    }

    /// Server only: 128 random bits from the operating system, which the proofs of addresses are made with. Otherwise they
    /// are made from the seed.
    #[must_use]
    pub const fn with_cookie_key(mut self, key: [u8; 16]) -> Self {
        self.cookie_key = key;
        self
    }

    /// What the keys of tags are made from: nothing that a stranger sees of the other key tells anything of it.
    pub(crate) fn tag_secret(&self) -> [u8; 16] {
        let half = |name: &[u8]| SipHasher24::new_with_key(&self.cookie_key).hash(name);
        (u128::from(half(b"secret of tags, 1")) << 64 | u128::from(half(b"secret of tags, 2"))).to_le_bytes()
    }

    /// What tells a server's answers from those of others, and nothing of its keys.
    pub(crate) fn server_number(&self) -> u64 {
        SipHasher24::new_with_key(&self.cookie_key).hash(b"number of the server")
    }

    /// Disconnects peers that do not tag their datagrams within 5 s: those of 3.6, and whoever forges a whole connection
    /// without seeing what comes back. Says nothing about encrypted connections, which have no tags.
    #[must_use]
    pub const fn require_tags(mut self, require: bool) -> Self {
        self.requires_tags = require;
        self
    }

    /// The random id of a client with this seed.
    pub(crate) const fn client_id(&self) -> PeerId {
        PeerId::from_random((self.seed >> 32) as u32)
    }

    pub(crate) const fn cookie_key(&self) -> [u8; 16] {
        self.cookie_key
    }

    /// Channels of each connection, 3..=255. Fewer than 3 count as 3.
    #[must_use]
    pub fn channel_count(mut self, count: u8) -> Self {
        self.channel_count = count.max(MIN_CHANNELS);
        self
    }

    /// Compression of the datagrams.
    #[must_use]
    pub const fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Server only: tell clients of each other and forward their packets.
    #[must_use]
    pub const fn server_relay(mut self, relay: bool) -> Self {
        self.server_relay = relay;
        self
    }

    /// Bandwidth limits.
    #[must_use]
    pub const fn bandwidth(mut self, bandwidth: Bandwidth) -> Self {
        self.bandwidth = bandwidth;
        self
    }

    /// The longest datagram of each connection; its other side may have a smaller one, which counts then.
    #[must_use]
    pub const fn mtu(mut self, mtu: Mtu) -> Self {
        self.mtu = mtu;
        self
    }

    /// Client: how long the attempt may take in all, from the search for the server's address to the end of ENet's handshake.
    /// Without, it ends when ENet gives up, after about half a minute.
    #[must_use]
    pub const fn connect_timeout(mut self, longest: Option<Duration>) -> Self {
        self.connect_timeout = longest;
        self
    }

    /// Memory limits.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

/// A key that does not give the seed away, from which other numbers are made.
fn key_from(seed: u64) -> [u8; 16] {
    let half = |number: u64| SipHasher24::new_with_keys(seed, number).hash(&number.to_le_bytes());
    (u128::from(half(1)) << 64 | u128::from(half(2))).to_le_bytes()
}

/// ENet's static bandwidth limits in bytes/s; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bandwidth {
    pub(crate) incoming: u32,
    pub(crate) outgoing: u32,
}

/// A bandwidth that is no bandwidth.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{direction} is {value}; give a limit in bytes per second up to 4294967295, or 0 for none")]
pub struct BandwidthError {
    /// Name of the argument.
    pub direction: &'static str,
    /// What was asked for.
    pub value: i64,
}

impl Bandwidth {
    /// Reads the arguments of `create_server` and `create_client`.
    ///
    /// # Errors
    /// When a value is negative or above 2^32-1.
    pub fn new(incoming: i64, outgoing: i64) -> Result<Self, BandwidthError> {
        let parse = |direction, value| u32::try_from(value).map_err(|_| BandwidthError { direction, value });
        Ok(Self { incoming: parse("in_bandwidth", incoming)?, outgoing: parse("out_bandwidth", outgoing)? })
    }
}

/// How many clients a server takes, 1..=4095.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxClients(pub(crate) u16);

/// A number of clients that no server can have.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("max_clients is {0}; it must be between 1 and 4095")]
pub struct MaxClientsError(pub i64);

impl MaxClients {
    /// Reads the argument of `create_server`.
    ///
    /// # Errors
    /// When the value is not in 1..=4095.
    pub fn new(value: i64) -> Result<Self, MaxClientsError> {
        match u16::try_from(value) {
            Ok(count @ 1..=MAX_CLIENTS) => Ok(Self(count)),
            _ => Err(MaxClientsError(value)),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// The longest datagram, encryption included, in bytes of UDP payload: 576..=1392. IP and UDP add 28 with IPv4, 48 with
/// IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mtu(u16);

/// An MTU that ENet does not have.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("an MTU of {0} is not possible; use a number of bytes from {min} to {max}", min = Mtu::MIN.get(), max = Mtu::MAX.get())]
pub struct MtuError(pub i64);

impl Mtu {
    /// ENet's smallest.
    pub const MIN: Self = Self(nme_enet::wire::MIN_MTU);

    /// That of 3.6's hosts: the default.
    pub const MAX: Self = Self(1392);

    /// Reads the value of the property.
    ///
    /// # Errors
    /// When the value is not in 576..=1392.
    pub fn new(value: i64) -> Result<Self, MtuError> {
        match u16::try_from(value) {
            Ok(mtu) if (Self::MIN.0..=Self::MAX.0).contains(&mtu) => Ok(Self(mtu)),
            _ => Err(MtuError(value)),
        }
    }

    /// The number of bytes.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for Mtu {
    fn default() -> Self {
        Self::MAX
    }
}

/// Bounds of the memory that the other side can make a session use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Reliable bytes that may wait for a peer's acknowledgements before it is disconnected: room for 64 MiB put at
    /// once, with its headers and what was on its way.
    pub unacknowledged: u64,
    /// Bytes of them that may wait for long: a peer is disconnected when more wait, and have not become less in any of
    /// five seconds.
    pub stalled: u64,
    /// What a peer may keep incomplete or out of order.
    pub incoming: Quotas,
}

impl Default for Limits {
    fn default() -> Self {
        Self { unacknowledged: 72 << 20, stalled: 32 << 20, incoming: Quotas::default() }
    }
}
