//! The model of one peer of the engine.

use std::net::SocketAddr;

use nme_enet::throttle::{Throttle, ThrottleSettings};

use super::DropReason;
use super::channel::Channel;
use super::handshake::Handshake;
use super::ledger::{Sent, Weight, packet_cost};
use super::quota::{Quotas, Usage};
use super::rules::Rules;
use super::wire::{Body, CONTROL_CHANNEL, Command, DISCONNECT_UNSEQUENCED, Header, plain_header};

/// How far a peer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Server: VERIFY_CONNECT is sent and not acknowledged. Client: CONNECT is sent and not answered.
    Half,
    /// Data flows.
    Open,
    /// A disconnect has come; the engine takes no more data and keeps none.
    Closed,
}

/// One peer of the engine.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) address: SocketAddr,
    pub(super) phase: Phase,
    /// It is to leave once it has got everything.
    pub(super) is_leaving: bool,
    /// The last round of [newcomers](super::full) in which it was heard from.
    pub(super) heard_in: u32,
    /// Server: our VERIFY_CONNECT. Client: our CONNECT.
    pub(super) handshake: Handshake,
    /// The sizes that both sides keep to.
    pub(super) rules: Rules,
    /// Session bits of datagrams from the peer.
    session: u8,
    /// Peer number and session bits of our datagrams to it, once they are known.
    remote: Option<(u16, u8)>,
    /// Sequence number of our handshake command, and the sent times of the datagrams that carried it.
    sequence: u16,
    sent_times: SentTimes,
    /// Channels that both sides have.
    granted: u32,
    channels: Vec<Channel>,
    usage: Usage,
    /// Cost of reliable packets that were queued and are not acknowledged.
    unacknowledged: u64,
    /// Their payload in bytes.
    in_flight: u64,
    pub(super) throttle: Throttle,
    /// The engine's own throttle has been told not to act.
    silent: bool,
}

impl Slot {
    /// A client's slot, from its own CONNECT.
    pub(super) fn connecting(address: SocketAddr, handshake: Handshake, max_packet: usize) -> Self {
        Self::new(address, handshake, max_packet)
    }

    /// A server's slot, from its own VERIFY_CONNECT.
    pub(super) fn answering(
        address: SocketAddr,
        handshake: Handshake,
        max_packet: usize,
        header: &Header,
        sequence: u16,
    ) -> Self {
        Self {
            session: handshake.outgoing_session,
            remote: Some((header.peer, header.session)),
            sequence,
            ..Self::new(address, handshake, max_packet)
        }
    }

    fn new(address: SocketAddr, handshake: Handshake, max_packet: usize) -> Self {
        Self {
            address,
            phase: Phase::Half,
            is_leaving: false,
            heard_in: 0,
            handshake,
            rules: Rules::new(handshake.mtu, max_packet),
            session: 0,
            remote: None,
            sequence: 0,
            sent_times: SentTimes::default(),
            granted: handshake.channels,
            channels: Vec::new(),
            usage: Usage::default(),
            unacknowledged: 0,
            in_flight: 0,
            throttle: Throttle::new(handshake.throttle),
            silent: false,
        }
    }

    /// What tells the peer's attempt from all others.
    pub(super) const fn attempt(&self) -> (SocketAddr, u32) {
        (self.address, self.handshake.connect_id)
    }

    /// Notes one more datagram with our handshake command.
    pub(super) fn handshake_sent(&mut self, header: &Header) {
        if let Some(time) = header.sent_time {
            self.sent_times.push(time);
        }
    }

    /// Session bits that datagrams from the peer carry; `None` while the engine takes any.
    pub(super) fn session(&self) -> Option<u8> {
        self.remote.map(|_| self.session)
    }

    /// Channels that both sides have, and that data commands may name.
    pub(super) const fn channel_count(&self) -> usize {
        self.granted as usize
    }

    /// Checks that the engine would go on behind the first command of a datagram.
    pub(super) fn admits(&self, first: &Command) -> bool {
        match (self.phase, first.body) {
            (Phase::Open | Phase::Closed, _) | (Phase::Half, Body::Disconnect) => true,
            (Phase::Half, Body::Verify) => self.remote.is_none(),
            // The engine ignores an acknowledgement from the future. What it has sent itself is past.
            (Phase::Half, Body::Acknowledge { sequence, sent_time }) => {
                self.remote.is_some()
                    && first.channel == CONTROL_CHANNEL
                    && sequence == self.sequence
                    && self.sent_times.contains(sent_time)
            }
            (Phase::Half, _) => false,
        }
    }

    /// The server has answered with these numbers.
    pub(super) fn verified(&mut self, answer: &Handshake) {
        if self.phase == Phase::Half && self.remote.is_none() {
            self.remote = Some((answer.peer, answer.outgoing_session));
            self.session = answer.incoming_session;
            self.granted = answer.channels;
            self.rules = self.rules.with_mtu(answer.mtu);
            self.open();
        }
    }

    /// Follows what the engine will do with a command; an error means that it must not see it. `clock` is
    /// the latest sent time of our own host.
    pub(super) fn apply(&mut self, command: &Command, clock: u16, quotas: &Quotas) -> Result<(), DropReason> {
        match command.body {
            Body::Acknowledge { sequence, sent_time } => {
                if self.phase == Phase::Half && self.admits(command) {
                    self.open();
                }
                // As the engine ignores an acknowledgement from the future, it must not count here either.
                let is_past = clock.wrapping_sub(sent_time) < LONGEST_ROUND_TRIP;
                if is_past && let Some(channel) = self.channels.get_mut(usize::from(command.channel)) {
                    let weight = channel.sent.acknowledged(sequence);
                    self.unacknowledged = self.unacknowledged.saturating_sub(weight.cost.into());
                    self.in_flight = self.in_flight.saturating_sub(weight.bytes.into());
                }
                Ok(())
            }
            Body::ThrottleConfigure(throttle) => {
                self.throttle_set(throttle);
                Ok(())
            }
            Body::Disconnect => {
                self.close();
                Ok(())
            }
            _ => match self.channels.get_mut(usize::from(command.channel)) {
                Some(channel) => channel.apply(command, quotas, &mut self.usage),
                None => Ok(()),
            },
        }
    }

    /// True when the engine's throttle is to be told not to act; once, and again when it was told otherwise.
    pub(super) fn needs_silence(&mut self) -> bool {
        self.phase == Phase::Open && !std::mem::replace(&mut self.silent, true)
    }

    /// One of the sides has set the throttle, and the engine uses it.
    pub(super) const fn throttle_set(&mut self, settings: ThrottleSettings) {
        self.throttle.settings = settings;
        self.silent = false;
    }

    /// True when our datagrams with this header go to this peer.
    pub(super) fn is_receiver(&self, to: SocketAddr, header: &Header) -> bool {
        self.remote == Some((header.peer, header.session)) && self.address == to
    }

    /// Notes a reliable command of our own.
    pub(super) fn sent(&mut self, command: &Command) -> Sent {
        if command.body == Body::Ping {
            self.throttle.sent();
            return Sent::First;
        }
        let Some(channel) = self.channels.get_mut(usize::from(command.channel)) else {
            return Sent::Unknown;
        };
        let weight = match command.body {
            Body::Reliable { len } => Weight::packet(len),
            Body::Fragment(fragment) => Weight::fragment(fragment.len),
            _ => return Sent::Unknown,
        };
        let sent = channel.sent.sent(command.sequence, weight);
        if sent != Sent::Unknown {
            self.throttle.sent();
        }
        sent
    }

    pub(super) const fn queued(&mut self, len: usize) {
        self.unacknowledged = self.unacknowledged.saturating_add(packet_cost(len));
        self.in_flight = self.in_flight.saturating_add(len as u64);
    }

    pub(super) const fn unacknowledged(&self) -> u64 {
        self.unacknowledged
    }

    pub(super) const fn in_flight(&self) -> u64 {
        self.in_flight
    }

    pub(super) const fn forget_in_flight(&mut self) {
        self.in_flight = 0;
    }

    /// True once after a fragmented packet was refused.
    pub(super) const fn take_starved(&mut self) -> bool {
        std::mem::replace(&mut self.usage.starved, false)
    }

    /// Forgets the incomplete unreliable packets of the channel that has most of them, and returns the
    /// channel with the numbers of the packet that makes the engine do the same.
    pub(super) fn evict(&mut self, quotas: &Quotas) -> Option<(u8, u16, u16)> {
        let sizes = self.channels.iter().map(Channel::stuck).enumerate();
        let (index, _) = sizes.filter(|(_, bytes)| *bytes > 0).max_by_key(|(_, bytes)| *bytes)?;
        let (reliable, unreliable) = self.channels.get_mut(index)?.evict(quotas, &mut self.usage)?;
        Some((u8::try_from(index).ok()?, reliable, unreliable))
    }

    /// A datagram that makes the engine believe that this peer has disconnected.
    pub(super) fn farewell(&self, index: u16) -> [u8; 10] {
        disconnect(index, self.session)
    }

    /// A datagram that tells the peer that it is disconnected.
    pub(super) fn goodbye(&self) -> Option<[u8; 10]> {
        self.remote.map(|(peer, session)| disconnect(peer, session))
    }

    /// Follows the engine, which forgets what it keeps for a peer that disconnects.
    pub(super) fn close(&mut self) {
        self.phase = Phase::Closed;
        self.channels = Vec::new();
        self.usage = Usage::default();
    }

    fn open(&mut self) {
        self.phase = Phase::Open;
        let count = self.channel_count();
        self.channels.reserve_exact(count);
        self.channels.resize_with(count, Channel::default);
    }

    #[cfg(test)]
    pub(super) const fn usage(&self) -> &Usage {
        &self.usage
    }

    #[cfg(test)]
    pub(super) fn channel(&self, index: u8) -> Option<&Channel> {
        self.channels.get(usize::from(index))
    }
}

fn disconnect(peer: u16, session: u8) -> [u8; 10] {
    let [h0, h1] = plain_header(peer, session).to_be_bytes();
    [h0, h1, DISCONNECT_UNSEQUENCED, CONTROL_CHANNEL, 0, 0, 0, 0, 0, 0]
}

/// The time since `sent_time`, in ms; `None` for what the engine ignores as not sent yet.
pub(super) fn round_trip(now: u32, sent_time: u16) -> Option<u16> {
    let round_trip = (now as u16).wrapping_sub(sent_time);
    (round_trip < LONGEST_ROUND_TRIP).then_some(round_trip)
}

/// The latest sent times of a command; ENet repeats one seven times before it gives up.
#[derive(Debug, Default)]
struct SentTimes {
    times: [u16; 8],
    pushed: usize,
}

impl SentTimes {
    const fn push(&mut self, time: u16) {
        self.times[self.pushed % self.times.len()] = time;
        self.pushed += 1;
    }

    fn contains(&self, time: u16) -> bool {
        self.times.iter().take(self.pushed).any(|known| *known == time)
    }
}

/// In milliseconds. The clock's 16 bits cannot tell more than twice this from the future.
const LONGEST_ROUND_TRIP: u16 = 0x4000;
