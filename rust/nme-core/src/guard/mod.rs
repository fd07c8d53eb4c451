//! The guard in front of the engine: no datagram reaches ENet that an ENet could not have sent.
//!
//! The engine trusts what it reads in places, and bounds little of what it keeps. The guard reads every datagram
//! first. It drops what is malformed, foreign or out of place, and follows what the engine will do with the
//! rest, so that it knows at any time what the engine keeps for each peer ([`Quotas`]). It also reads what the
//! engine sends, which tells it the peers, their sessions and what waits for acknowledgement.
//!
//! The model moves exactly as the engine does, or it is worth nothing. Hence three rules:
//! a datagram is checked to its end before any of it counts; nothing counts that the engine would refuse; and
//! what contradicts the model is cut out of its datagram, so that the engine never sees it.
//!
//! # Layout
//! All numbers are big-endian. A datagram is a header and 1 to 32 commands, the MTU at most:
//!
//! | bytes | header |
//! |---|---|
//! | 2 | 0x8000 sent time follows, 0x4000 compressed, 2 bits session, 12 bits peer (the receiver's number for the sender; 0xfff: none yet) |
//! | 2 | with 0x8000 only: the sender's clock in ms, which an acknowledgement returns |
//!
//! Every command begins with its byte, the channel (u8; 0xff: none) and the reliable sequence number (u16). Bit
//! 0x80 of the byte asks for an acknowledgement, 0x40 takes the command out of the sequence.
//!
//! | byte | command | size | behind the first 4 bytes |
//! |---|---|---|---|
//! | 01 | acknowledge | 8 | u16 sequence number, u16 sent time |
//! | 82 | connect | 48 | u16 peer, u8 + u8 sessions, u32 MTU, window, channels, bandwidth in, out, throttle (3), connect id, data |
//! | 83 | verify connect | 44 | the same without data |
//! | 84, 44 | disconnect | 8 | u32 data |
//! | 85 | ping | 4 | |
//! | 86 | reliable | 6 | u16 length; payload |
//! | 07 | unreliable | 8 | u16 unreliable number, u16 length; payload |
//! | 88, 0c | fragment: reliable, unreliable | 24 | u16 start number, u16 length, u32 count, number, total, offset; payload |
//! | 49 | unsequenced | 8 | u16 group, u16 length; payload |
//! | 8a | bandwidth limit | 12 | u32 in, u32 out |
//! | 8b | throttle configure | 16 | u32 interval, acceleration, deceleration |

mod channel;
mod departure;
mod full;
mod given_up;
mod handshake;
mod held;
mod injection;
mod ledger;
mod quota;
mod reason;
mod reliable;
mod rules;
mod silence;
mod slot;
#[cfg(test)]
mod tests;
mod unreliable;
mod wire;

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;

pub(crate) use injection::Injection;
pub(crate) use ledger::packet_cost;
use nme_enet::throttle::{self, ThrottleSettings};
pub use quota::Quotas;
pub use reason::DropReason;
pub(crate) use wire::DISCONNECT_UNSEQUENCED;

use crate::datagram::DatagramBatch;
use full::Newcomers;
use given_up::GivenUp;
use handshake::Handshake;
use ledger::Sent;
use slot::{Phase, Slot};
use wire::{Body, CONTROL_CHANNEL, Command, CommandList, Commands, Header, NO_PEER};

/// What the guard has to know of the host behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuardConfig {
    pub(crate) role: Role,
    /// Peers of the host: a server's limit, 1 for a client.
    pub(crate) slots: u16,
    /// The host's MTU: its largest datagram, in bytes. A connection has this one or its peer's, whichever is smaller.
    pub(crate) mtu: u16,
    /// The smallest and the largest MTU that a peer may have.
    pub(crate) peer_mtu: (u16, u16),
    /// Largest packet, in bytes.
    pub(crate) max_packet: usize,
    pub(crate) quotas: Quotas,
}

/// Which side of a connection the host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Server,
    Client,
}

/// A datagram that may go to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Bytes to hand on; fewer than were given when commands have been cut out.
    pub(crate) len: usize,
    /// Where the first disconnect begins, when other commands stand before it. ENet forgets what it has not
    /// delivered when it reads a disconnect, so the part before it has to be served first.
    pub(crate) disconnect_at: Option<usize>,
    /// True when there is a disconnect anywhere.
    pub(crate) disconnects: bool,
    /// Server: the datagram is a client's first.
    pub(crate) connect: Option<ConnectRequest>,
}

/// What a client says when it knocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectRequest {
    /// Random number of the attempt; the bytes on the wire, read as big-endian.
    pub(crate) connect_id: u32,
    /// The client's number for the server: where a refusal is addressed.
    pub(crate) reply_peer_id: u16,
    /// Value for the application.
    pub(crate) data: u32,
}

/// Stands between the network and the engine of one host.
#[derive(Debug)]
pub(crate) struct Guard {
    config: GuardConfig,
    slots: Vec<Option<Box<Slot>>>,
    /// Address and connect id of every slot's peer.
    attempts: BTreeSet<(SocketAddr, u32)>,
    newcomers: Newcomers,
    /// Latest sent time of our own host.
    clock: u16,
    /// The engine's clock in ms, once it has been told.
    now: Option<u32>,
    /// To be read by the engine in front of the datagram that was inspected last.
    asides: DatagramBatch,
    /// Where the receiver of the last outgoing datagram was found. ENet sends in the order of its slots.
    last_receiver: usize,
    given_up: GivenUp,
    /// Slots that were refused a fragmented packet.
    starved: VecDeque<u16>,
    cut: [u64; DropReason::ALL.len()],
    cut_commands: u64,
}

impl Guard {
    pub(crate) fn new(config: GuardConfig) -> Self {
        Self {
            config,
            slots: std::iter::repeat_with(|| None).take(config.slots.into()).collect(),
            attempts: BTreeSet::new(),
            newcomers: Newcomers::default(),
            clock: 0,
            now: None,
            asides: DatagramBatch::new(),
            last_receiver: 0,
            given_up: GivenUp::default(),
            starved: VecDeque::new(),
            cut: [0; DropReason::ALL.len()],
            cut_commands: 0,
        }
    }

    /// Tells the engine's time in ms, at the beginning of a poll.
    pub(crate) fn begin_poll(&mut self, now: u32) {
        self.now = Some(now);
    }

    /// Checks a datagram that has come, cuts out what exceeds a quota, and counts the rest as delivered to
    /// the engine. What passes must reach the engine, once and in this order.
    ///
    /// Call [`Self::next_injection`] until it is empty before the next call, also after an error.
    pub(crate) fn inspect(&mut self, from: SocketAddr, datagram: &mut [u8]) -> Result<Passed, DropReason> {
        if from.port() == 0 {
            return Err(DropReason::SourcePort);
        }
        if datagram.len() > self.config.mtu.into() {
            return Err(DropReason::TooLong);
        }
        let header = Header::read(datagram)?;
        if header.peer == NO_PEER {
            return self.inspect_connect(&header, datagram);
        }
        let slot = self.slots.get_mut(usize::from(header.peer)).and_then(Option::as_deref_mut);
        let slot = slot.filter(|slot| slot.address == from).ok_or(DropReason::UnknownPeer)?;
        if slot.session().is_some_and(|session| session != header.session) {
            return Err(DropReason::WrongSession);
        }
        let list = CommandList::read(datagram, &header)?;
        let commands = list.as_slice();
        for command in commands {
            slot.rules.check(command, &header, slot.channel_count())?;
            if command.body == Body::Verify {
                check_answer(&self.config, slot, datagram, command)?;
            }
        }
        let first = commands.first().filter(|first| slot.admits(first)).ok_or(DropReason::Unconnected)?;
        let gives_up = slot.phase == Phase::Half && first.body == Body::Disconnect;

        if slot.needs_silence() {
            self.asides.push(from, &silence::datagram(header.peer, header.session));
        }

        let mut passed = Passed { len: header.len(), disconnect_at: None, disconnects: false, connect: None };
        let mut last_cut = None;
        for command in commands {
            if command.body == Body::Verify
                && let Some(answer) = Handshake::read(datagram, command.start)
            {
                slot.verified(&answer);
                // Granted fewer channels, the engine would remember that count and free its larger array by
                // it. It keeps the count it asked for; who sends asks `channel_count`.
                handshake::set_channels(datagram, command.start, slot.handshake.channels);
            }
            if let Body::Acknowledge { sent_time, .. } = command.body
                && let Some(now) = self.now
                && let Some(round_trip) = slot::round_trip(now, sent_time)
            {
                slot.throttle.acknowledged(now, round_trip);
            }
            if let Err(reason) = slot.apply(command, self.clock, &self.config.quotas) {
                self.cut[reason as usize] += 1;
                self.cut_commands += 1;
                last_cut = Some(reason);
                continue;
            }
            if command.body == Body::Disconnect {
                if !passed.disconnects && passed.len > header.len() {
                    passed.disconnect_at = Some(passed.len);
                }
                passed.disconnects = true;
            }
            if passed.len < command.start {
                datagram.copy_within(command.start..command.end, passed.len);
            }
            passed.len += command.end - command.start;
        }
        self.newcomers.hear(slot, self.config.slots, self.now.unwrap_or_default());
        if slot.take_starved() && !self.starved.contains(&header.peer) {
            self.starved.push_back(header.peer);
        }
        // The engine frees the slot of a client that gives up half-way, and tells nobody.
        if gives_up && self.config.role == Role::Server {
            self.release(header.peer);
        }
        match last_cut {
            Some(reason) if passed.len == header.len() => Err(reason),
            _ => Ok(passed),
        }
    }

    /// A datagram without a peer: the connect request of a client, or nothing.
    fn inspect_connect(&self, header: &Header, datagram: &[u8]) -> Result<Passed, DropReason> {
        let list = CommandList::read(datagram, header)?;
        let [Command { body: Body::Connect, channel: CONTROL_CHANNEL, start, .. }] = *list.as_slice() else {
            return Err(DropReason::Connect);
        };
        if self.config.role != Role::Server || header.session != 0 {
            return Err(DropReason::Connect);
        }
        if header.sent_time.is_none() {
            return Err(DropReason::MissingSentTime);
        }
        let (smallest, largest) = self.config.peer_mtu;
        let mtus = smallest.into()..=largest.into();
        let request = Handshake::read(datagram, start).filter(|request| request.is_sane(&mtus));
        let (Some(request), Some(data)) = (request, handshake::connect_data(datagram, start)) else {
            return Err(DropReason::Connect);
        };
        let connect = ConnectRequest { connect_id: request.connect_id, reply_peer_id: request.peer, data };
        Ok(Passed { len: datagram.len(), disconnect_at: None, disconnects: false, connect: Some(connect) })
    }

    /// Learns from a datagram that our own host sends: its plain form, before the codec.
    pub(crate) fn observe_outgoing(&mut self, to: SocketAddr, datagram: &[u8]) {
        let Ok(header) = Header::read(datagram) else {
            return;
        };
        // ENet gives a datagram its sent time for what wants an acknowledgement, and nothing else matters here.
        let Some(time) = header.sent_time else { return };
        self.clock = time;
        for command in Commands::new(datagram, &header).map_while(Result::ok) {
            match (command.body, self.config.role) {
                (Body::Connect, Role::Client) | (Body::Verify, Role::Server) => {
                    self.learn_peer(to, &header, &command, datagram);
                }
                (Body::Reliable { .. } | Body::Fragment(_) | Body::Ping, _) => {
                    self.learn_sent(to, &header, &command);
                }
                (Body::ThrottleConfigure(throttle), _) => self.learn_throttle(to, &header, throttle),
                _ => {}
            }
        }
    }

    /// A slot of our own host has begun a session, or repeats how it began it.
    fn learn_peer(&mut self, to: SocketAddr, header: &Header, command: &Command, datagram: &[u8]) {
        let Some(handshake) = Handshake::read(datagram, command.start) else {
            return;
        };
        let Some(place) = self.slots.get_mut(usize::from(handshake.peer)) else {
            return;
        };
        self.given_up.forget(to);
        let known = place.take_if(|slot| slot.handshake == handshake && slot.address == to);
        let slot = known.unwrap_or_else(|| {
            // The engine frees the slot of a client that vanishes half-way, and tells nobody.
            if let Some(vanished) = place.take() {
                self.attempts.remove(&vanished.attempt());
            }
            self.newcomers.clear();
            let max_packet = self.config.max_packet;
            Box::new(match self.config.role {
                Role::Client => Slot::connecting(to, handshake, max_packet),
                Role::Server => Slot::answering(to, handshake, max_packet, header, command.sequence),
            })
        });
        self.attempts.insert(slot.attempt());
        place.insert(slot).handshake_sent(header);
    }

    /// Finds the slot that sends a reliable command. Several can fit, when a client has come back from the
    /// same address; the sequence number tells which.
    fn learn_sent(&mut self, to: SocketAddr, header: &Header, command: &Command) {
        let count = self.slots.len();
        for place in (self.last_receiver..count).chain(0..self.last_receiver) {
            let slot = self.slots.get_mut(place).and_then(Option::as_deref_mut);
            if let Some(slot) = slot.filter(|slot| slot.is_receiver(to, header))
                && slot.sent(command) != Sent::Unknown
            {
                self.last_receiver = place;
                return;
            }
        }
    }

    /// Our own game has set a peer's throttle.
    fn learn_throttle(&mut self, to: SocketAddr, header: &Header, throttle: ThrottleSettings) {
        let mut slots = self.slots.iter_mut().flatten();
        if let Some(slot) = slots.find(|slot| slot.is_receiver(to, header)) {
            slot.throttle_set(throttle);
        }
    }

    /// True when a slot answers this very connect request already, so that it takes no other slot.
    ///
    /// A client that vanished half-way is remembered until its slot is used again.
    pub(crate) fn is_pending(&self, from: SocketAddr, connect_id: u32) -> bool {
        self.attempts.contains(&(from, connect_id))
    }

    /// True when packets may be sent to a slot on this channel, as far as the guard has to know: a server's engine
    /// grants no more channels than it has itself, and refuses others.
    pub(crate) fn may_send_on(&self, slot: u16, channel: u8) -> bool {
        let slot = || self.slots.get(usize::from(slot)).and_then(Option::as_deref);
        self.config.role == Role::Server
            || slot().is_some_and(|slot| usize::from(channel) < slot.channel_count())
    }

    /// Channels that both sides of a connection have.
    pub(crate) fn channel_count(&self, slot: u16) -> usize {
        let slot = self.slots.get(usize::from(slot)).and_then(Option::as_deref);
        slot.map_or(0, Slot::channel_count)
    }

    /// Notes that a reliable packet of `payload_len` bytes was queued for a slot.
    pub(crate) fn queued(&mut self, slot: u16, payload_len: usize) {
        if let Some(slot) = self.slots.get_mut(usize::from(slot)).and_then(Option::as_deref_mut) {
            slot.queued(payload_len);
        }
    }

    /// Bytes of reliable packets queued for a slot and not acknowledged, a packet counting 256 at least.
    pub(crate) fn unacknowledged(&self, slot: u16) -> u64 {
        let slot = self.slots.get(usize::from(slot)).and_then(Option::as_deref);
        slot.map_or(0, Slot::unacknowledged)
    }

    /// Bytes of reliable packets queued for a slot and not acknowledged, as ENet's window counts them.
    pub(crate) fn in_flight(&self, slot: u16) -> u64 {
        let slot = self.slots.get(usize::from(slot)).and_then(Option::as_deref);
        slot.map_or(0, Slot::in_flight)
    }

    /// The share of a slot's unreliable packets that is sent, in thirty-seconds.
    pub(crate) fn share(&self, slot: u16) -> u32 {
        let slot = self.slots.get(usize::from(slot)).and_then(Option::as_deref);
        slot.map_or(throttle::WHOLE, |slot| slot.throttle.share())
    }

    /// True when the next unreliable packet for a slot is to be sent.
    pub(crate) fn passes(&mut self, slot: u16) -> bool {
        let slot = self.slots.get_mut(usize::from(slot)).and_then(Option::as_deref_mut);
        slot.is_none_or(|slot| slot.throttle.passes())
    }

    /// Counts [`Self::in_flight`] from 0 again.
    pub(crate) fn forget_in_flight(&mut self, slot: u16) {
        if let Some(slot) = self.slots.get_mut(usize::from(slot)).and_then(Option::as_deref_mut) {
            slot.forget_in_flight();
        }
    }

    /// A datagram of our own for the engine, as if it came from a peer: to be put behind the datagram that was
    /// inspected last, so that model and engine stay in step.
    pub(crate) fn next_injection(&mut self) -> Option<Injection> {
        while let Some(index) = self.starved.pop_front() {
            let slot = self.slots.get_mut(usize::from(index)).and_then(Option::as_deref_mut);
            if let Some(slot) = slot
                && let Some(session) = slot.session()
                && let Some((channel, reliable, unreliable)) = slot.evict(&self.config.quotas)
            {
                return Some(Injection::new(slot.address, (index, session), channel, reliable, unreliable));
            }
        }
        None
    }

    /// What the engine is to read in front of the datagram that was inspected last, for its throttle. To be cleared.
    pub(crate) const fn asides(&mut self) -> &mut DatagramBatch {
        &mut self.asides
    }

    /// Commands cut out for this reason.
    pub(crate) const fn refused(&self, reason: DropReason) -> u64 {
        self.cut[reason as usize]
    }

    /// Commands cut out for any reason.
    pub(crate) const fn cut_commands(&self) -> u64 {
        self.cut_commands
    }
}

/// Checks a VERIFY_CONNECT, which only a client gets, from the server that it asked.
fn check_answer(
    config: &GuardConfig,
    slot: &Slot,
    datagram: &[u8],
    command: &Command,
) -> Result<(), DropReason> {
    let answer = Handshake::read(datagram, command.start);
    let fits = config.role == Role::Client
        && answer.is_some_and(|answer| answer.answers(&slot.handshake, config.peer_mtu.0));
    if fits { Ok(()) } else { Err(DropReason::Verify) }
}
