//! Datagrams that come in. Each is checked to its end before any of it counts.

use std::net::SocketAddr;
use std::time::Duration;

use super::connect::answers;
use super::{Admission, Host};
use crate::config::Quotas;
use crate::event::{DisconnectReason, PeerHandle, PeerLimit};
use crate::packet::Delivery;
use crate::peer::{Peer, State};
use crate::proof::LONGEST_ANSWER;
use crate::reason::DropReason;
use crate::receive::Inbox;
use crate::receive::quota::Budget;
use crate::receive::reception::Reception;
use crate::shared::Shared;
use crate::tag::{Checked, TAG_LEN};
use crate::wire::{Body, CONTROL_CHANNEL, Command, CommandList, Header, NO_PEER, code};

/// What the plain header of a datagram allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Screened {
    /// The longest that the datagram can be once it is plain, header included, in bytes.
    pub max_plain_len: usize,
    /// What stands in front of what may be compressed.
    pub header: Header,
    /// The peer that it is from; `None` for a connect request, and for the [proof](crate::proof) of an address.
    pub peer: Option<PeerHandle>,
}

impl Screened {
    /// What another engine's header check has found.
    #[must_use]
    pub const fn new(max_plain_len: usize, header: Header, peer: Option<PeerHandle>) -> Self {
        Self { max_plain_len, header, peer }
    }
}

impl Host {
    /// Looks at the header of a datagram, which is never compressed: call this before anything is decompressed. What
    /// does not pass costs a look-up, and is counted.
    pub fn screen(&mut self, from: SocketAddr, datagram: &[u8]) -> Result<Screened, DropReason> {
        self.screened(from, datagram).inspect_err(|reason| self.note_dropped(*reason))
    }

    /// Takes a plain datagram. What it brings is in [`Self::poll_event`], what it wants answered leaves behind the next
    /// [`Self::flush`]. An error says why it was dropped; it has been counted, and needs no handling.
    pub fn handle_datagram(
        &mut self,
        now: Duration,
        from: SocketAddr,
        datagram: &[u8],
        admission: &mut dyn Admission,
    ) -> Result<(), DropReason> {
        self.shared.clock.tell(now);
        self.shared.figures.datagrams_received += 1;
        self.shared.figures.bytes_received += datagram.len() as u64;
        self.take(from, datagram, admission).inspect_err(|reason| self.note_dropped(*reason))
    }

    const fn note_dropped(&mut self, reason: DropReason) {
        self.shared.figures.note_dropped(reason);
    }

    fn screened(&mut self, from: SocketAddr, datagram: &[u8]) -> Result<Screened, DropReason> {
        let longest = self.longest_datagram();
        if from.port() == 0 {
            return Err(DropReason::SourcePort);
        }
        if datagram.len() > longest {
            return Err(DropReason::TooLong);
        }
        let header = Header::read(datagram)?;
        if header.peer == NO_PEER {
            if !self.shared.config.accepts_connections || header.session != 0 {
                return Err(DropReason::Connect);
            }
            return Ok(Screened { max_plain_len: LONGEST_ANSWER, header, peer: None });
        }
        let sender = self.sender(from, &header).map(|peer| peer.handle);
        let peer = sender.inspect_err(|_| self.answer_given_up(from, &header, datagram.len()))?;
        Ok(Screened { max_plain_len: longest, header, peer: Some(peer) })
    }

    /// Bytes of a datagram with its tag.
    fn longest_datagram(&self) -> usize {
        usize::from(self.shared.config.mtu) + usize::from(TAG_LEN)
    }

    /// Takes the tag off a datagram, where there is one.
    fn untag<'a>(&mut self, slot: u16, datagram: &'a [u8]) -> Result<&'a [u8], DropReason> {
        let now = self.shared.clock.now();
        let Some(peer) = self.peers.at_mut(slot) else { return Ok(datagram) };
        match peer.tags.as_mut().map(|tags| tags.check(now, datagram)) {
            Some(Checked::Tagged) => Ok(&datagram[..datagram.len() - usize::from(TAG_LEN)]),
            Some(Checked::Forged) => Err(DropReason::Tag),
            Some(Checked::Stock) => {
                peer.tags = None;
                Ok(datagram)
            }
            Some(Checked::Untagged) | None => Ok(datagram),
        }
    }

    /// The peer that a header names, if that is where it says, and in this session.
    fn sender(&self, from: SocketAddr, header: &Header) -> Result<&Peer, DropReason> {
        let peer = self.peers.at(header.peer).filter(|peer| peer.address == from);
        let peer = peer.ok_or(DropReason::UnknownPeer)?;
        if peer.remote != NO_PEER && peer.sessions.incoming != header.session {
            return Err(DropReason::WrongSession);
        }
        Ok(peer)
    }

    /// Repeats our answer to a client that takes itself for connected, or has asked again.
    pub(super) fn repeat_answer(&mut self, slot: u16) {
        if let Some(peer) = self.peers.at_mut(slot).filter(|peer| peer.state == State::Answering) {
            peer.repeat_answer(&mut self.shared);
            self.settle(slot);
        }
    }

    /// Tells a peer that was given up, if that is who sends what belongs to nobody.
    fn answer_given_up(&mut self, from: SocketAddr, header: &Header, len: usize) {
        let now = self.shared.clock.now();
        if let Some(goodbye) = self.given_up.answer(now, from, header, len) {
            self.shared.post(goodbye);
        }
    }

    fn take(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        admission: &mut dyn Admission,
    ) -> Result<(), DropReason> {
        if from.port() == 0 {
            return Err(DropReason::SourcePort);
        }
        if datagram.len() > self.longest_datagram() {
            return Err(DropReason::TooLong);
        }
        let header = Header::read(datagram)?;
        if header.compressed {
            return Err(DropReason::Compressed);
        }
        if header.peer == NO_PEER {
            return self.handle_connect(from, &header, datagram, admission);
        }
        if let Err(reason) = self.sender(from, &header) {
            self.answer_given_up(from, &header, datagram.len());
            return Err(reason);
        }
        let datagram = self.untag(header.peer, datagram)?;
        if datagram.len() > self.shared.config.mtu.into() {
            return Err(DropReason::TooLong);
        }
        let peer = self.peers.at(header.peer).ok_or(DropReason::UnknownPeer)?;
        let list = CommandList::read(datagram, &header)?;
        if let Err(reason) = self.check(peer, &header, list.as_slice()) {
            if reason == DropReason::Unconnected {
                self.repeat_answer(header.peer);
            }
            return Err(reason);
        }
        self.measure(header.peer, list.as_slice(), datagram.len())?;
        if let Some(peer) = self.peers.at_mut(header.peer) {
            peer.incoming_loss.begin(header.sent_time);
        }
        let mut measured = None;
        let mut last_refused = None;
        let mut is_any_taken = false;
        for (command, payload) in list.as_slice() {
            match self.apply(&header, command, payload, &mut measured) {
                Ok(Step::Next) => is_any_taken = true,
                // The rest is from somebody who has gone.
                Ok(Step::Ended) => return Ok(()),
                Err(reason) => {
                    self.shared.figures.dropped[reason as usize] += 1;
                    self.shared.figures.commands_ignored += 1;
                    last_refused = Some(reason);
                }
            }
        }
        if let Some(peer) = self.peers.at_mut(header.peer) {
            peer.heard_at = self.shared.clock.now();
            if measured.is_some() {
                peer.detect_losses(&mut self.shared);
            }
        }
        self.settle(header.peer);
        match last_refused.filter(|_| !is_any_taken) {
            Some(reason) => {
                // It is counted already.
                self.shared.figures.dropped[reason as usize] -= 1;
                Err(reason)
            }
            None => Ok(()),
        }
    }

    /// Counts what a peer sends, if there is a limit of that.
    fn measure(&mut self, slot: u16, commands: &[(Command, &[u8])], len: usize) -> Result<(), DropReason> {
        let Self { peers, shared, .. } = self;
        let rates = shared.config.peer_rates;
        if !rates.is_any() {
            return Ok(());
        }
        let Some(peer) = peers.at_mut(slot).filter(|peer| peer.is_open()) else { return Ok(()) };
        match peer.meter.get_or_insert_default().take(shared.clock.now(), &rates, commands, len) {
            Ok(()) => Ok(()),
            Err(limit) => {
                peer.exceed(shared, limit);
                Err(DropReason::PeerLimit)
            }
        }
    }

    /// Checks everything that can be checked before anything counts.
    fn check(&self, peer: &Peer, header: &Header, commands: &[(Command, &[u8])]) -> Result<(), DropReason> {
        let is_proof = peer.state == State::Connecting
            && commands.iter().all(|(command, _)| command.code == code::PROBE);
        for (command, _) in commands {
            if command.code == code::PROBE && !is_proof {
                return Err(DropReason::UnknownCommand);
            }
            peer.rules.check(command, header, peer.channels.len())?;
            if let Body::Verify { handshake } = command.body
                && !answers(peer, &handshake, &self.shared)
            {
                return Err(DropReason::Verify);
            }
        }
        let first = commands.first().map(|(command, _)| command);
        if is_proof || first.is_some_and(|first| admits(peer, first)) {
            Ok(())
        } else {
            Err(DropReason::Unconnected)
        }
    }

    /// Does what a command says. An error means that it is ignored, and not acknowledged.
    fn apply(
        &mut self,
        header: &Header,
        command: &Command,
        payload: &[u8],
        measured: &mut Option<u16>,
    ) -> Result<Step, DropReason> {
        if !command.body.is_data() {
            return self.apply_control(header, command, measured);
        }
        let Self { peers, shared, .. } = self;
        let Some(peer) = peers.at_mut(header.peer) else { return Ok(Step::Ended) };
        if peer.state == State::Connected {
            count_data(peer, shared, command, payload)
                .inspect_err(|reason| reassure(peer, shared, header, command, *reason))?;
        }
        if command.wants_acknowledgement()
            && peer.is_open()
            && peer.channels.acknowledges(command.channel, command.sequence)
        {
            acknowledge(peer, shared, header, command);
        }
        Ok(Step::Next)
    }

    fn apply_control(
        &mut self,
        header: &Header,
        command: &Command,
        measured: &mut Option<u16>,
    ) -> Result<Step, DropReason> {
        let slot = header.peer;
        let Self { peers, shared, .. } = self;
        let Some(peer) = peers.at_mut(slot) else { return Ok(Step::Ended) };
        if is_numbered_control(&command.body) && peer.remote != NO_PEER {
            peer.note_control(command.sequence)?;
        }
        match command.body {
            Body::Acknowledge { .. } if command.code == code::PROBE => {
                answer_proof(peer, shared, header, command);
            }
            Body::Acknowledge { sequence, sent_time } => {
                return self.apply_acknowledgement(slot, command.channel, sequence, sent_time, measured);
            }
            Body::Verify { handshake } => {
                let is_first = peer.state == State::Connecting;
                if is_first {
                    peer.request_answered(shared);
                    peer.verified(&handshake);
                }
                acknowledge(peer, shared, header, command);
                if is_first {
                    self.opened(slot, 0);
                }
            }
            Body::Disconnect { data } => {
                self.apply_disconnect(slot, header, command, data);
                return Ok(Step::Ended);
            }
            Body::BandwidthLimit { incoming, outgoing } if peer.is_open() => {
                peer.in_bandwidth = incoming;
                peer.out_bandwidth = outgoing;
                peer.window_limit = crate::peer::window_for(shared.config.out_bandwidth, incoming);
                acknowledge(peer, shared, header, command);
            }
            Body::ThrottleConfigure { throttle } if peer.is_open() => {
                peer.set_throttle(throttle);
                acknowledge(peer, shared, header, command);
            }
            Body::Ping {} if peer.is_open() => acknowledge(peer, shared, header, command),
            _ => {}
        }
        Ok(Step::Next)
    }

    fn apply_acknowledgement(
        &mut self,
        slot: u16,
        channel: u8,
        sequence: u16,
        sent_time: u16,
        measured: &mut Option<u16>,
    ) -> Result<Step, DropReason> {
        let Self { peers, shared, .. } = self;
        let Some(peer) = peers.at_mut(slot) else { return Ok(Step::Ended) };
        let handle = peer.handle;
        match (peer.acknowledged(shared, channel, sequence, sent_time, measured)?, peer.state) {
            (Some(code::VERIFY), State::Answering) => {
                let data = peer.half.as_ref().map_or(0, |half| half.data);
                peer.open();
                self.opened(slot, data);
            }
            (Some(code::DISCONNECT), State::Disconnecting) => {
                self.end(handle, DisconnectReason::Requested);
                return Ok(Step::Ended);
            }
            _ => {}
        }
        Ok(Step::Next)
    }

    /// The peer is gone. What it sent before has been delivered.
    fn apply_disconnect(&mut self, slot: u16, header: &Header, command: &Command, data: u32) {
        let Some(peer) = self.peers.at_mut(slot) else { return };
        let (handle, state) = (peer.handle, peer.state);
        if let Some(sent_time) = header.sent_time.filter(|_| command.wants_acknowledgement())
            && peer.remote != NO_PEER
        {
            let sequence = command.sequence;
            let body = Body::Acknowledge { sequence, sent_time };
            let answer = Command { code: code::ACKNOWLEDGE, channel: command.channel, sequence, body };
            let stray = peer.stray(&answer);
            self.shared.post(stray);
        }
        match state {
            // Nobody has heard of it.
            State::Answering => self.remove(handle),
            _ => self.end(handle, DisconnectReason::ByPeer(data)),
        }
    }
}

/// What to do behind a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Next,
    Ended,
}

/// True for a command without a channel that may come while the connection stands.
const fn is_numbered_control(body: &Body) -> bool {
    matches!(
        body,
        Body::Disconnect { .. }
            | Body::BandwidthLimit { .. }
            | Body::ThrottleConfigure { .. }
            | Body::Ping {}
    )
}

/// True when a datagram may begin with this command, as far as the connection is.
fn admits(peer: &Peer, first: &Command) -> bool {
    match (peer.state, first.body) {
        (State::Connected | State::Draining | State::Disconnecting, _) => true,
        (State::Connecting, Body::Verify { .. }) | (State::Answering, Body::Disconnect { .. }) => true,
        // No stock server says goodbye to a client whose connection does not stand.
        (State::Connecting, Body::Disconnect { data }) => data == peer.connect_id,
        (State::Answering, Body::Acknowledge { sequence, sent_time }) => {
            // Our answer is the first command of its connection.
            first.channel == CONTROL_CHANNEL
                && sequence == 1
                && peer.half.as_ref().is_some_and(|half| half.was_sent_at(sent_time))
        }
        _ => false,
    }
}

/// Takes a packet, or a part of one, and counts what that brings.
#[inline]
fn count_data(
    peer: &mut Peer,
    shared: &mut Shared,
    command: &Command,
    payload: &[u8],
) -> Result<(), DropReason> {
    let before = (shared.events.len(), shared.event_bytes);
    take_data(peer, shared, command, payload)?;
    let packets = shared.events.len().saturating_sub(before.0);
    let cost = shared.event_bytes.saturating_sub(before.1);
    peer.traffic.received(packets, cost.saturating_sub(packets * Quotas::OVERHEAD));
    let (now, loss) = (shared.clock.now(), &mut peer.incoming_loss);
    if let Body::Unsequenced { group, .. } = command.body {
        let step = loss.unsequenced.take(group);
        loss.unreliable(now, step);
        return Ok(());
    }
    let Some(channel) = peer.channels.used_mut(command.channel) else { return Ok(()) };
    let arrivals = &mut channel.receive.arrivals;
    match command.body {
        Body::Unreliable { number, .. } => {
            loss.unreliable(now, arrivals.unreliable(command.sequence, number));
        }
        Body::Reliable { .. } | Body::Fragment { .. } => {
            loss.reliable(now, arrivals.reliable(command.sequence));
        }
        _ => {}
    }
    Ok(())
}

/// Takes a packet, or a part of one; an error means that it is to be ignored, without acknowledgement.
#[inline]
fn take_data(
    peer: &mut Peer,
    shared: &mut Shared,
    command: &Command,
    payload: &[u8],
) -> Result<(), DropReason> {
    if peer.has_exceeded {
        return Err(DropReason::PeerLimit);
    }
    let len = match command.body {
        Body::Fragment { fragment } | Body::UnreliableFragment { fragment } => fragment.total as usize,
        _ => payload.len(),
    };
    if len > shared.max_received {
        peer.exceed(shared, PeerLimit::PacketSize);
        return Err(DropReason::PeerLimit);
    }
    if shared.event_bytes >= shared.config.event_limit {
        return Err(DropReason::NotTaken);
    }
    let Body::Unsequenced { group, .. } = command.body else {
        return take_numbered(peer, shared, command, payload);
    };
    if peer.unsequenced_in.take(group) {
        let Shared { events, event_bytes, pool, .. } = shared;
        let mut inbox = Inbox { events, event_bytes, pool, peer: peer.handle, channel: command.channel };
        inbox.deliver_payload(payload, Delivery::Unsequenced);
    }
    Ok(())
}

/// The same for all that has a place in the order of its channel.
fn take_numbered(
    peer: &mut Peer,
    shared: &mut Shared,
    command: &Command,
    payload: &[u8],
) -> Result<(), DropReason> {
    let Shared { config, usage: host, events, event_bytes, pool, figures, clock, .. } = shared;
    let now = clock.now();
    let mut inbox = Inbox { events, event_bytes, pool, peer: peer.handle, channel: command.channel };
    let Some(channel) = peer.channels.get_mut(command.channel) else { return Ok(()) };
    if matches!(command.body, Body::Reliable { .. } | Body::Fragment { .. })
        && let Some(gate) = peer.gate.as_mut().filter(|gate| gate.reception != Reception::Open)
        && !gate.admits(now, channel.receive.novelty(command), payload.len())
    {
        return Err(DropReason::NotTaken);
    }
    let (quotas, usage) = (&config.quotas, &mut peer.usage);
    let mut budget = Budget { quotas, usage, host, peer: peer.handle, now };
    let refused = match channel.receive.take(command, payload, &mut budget, &mut inbox) {
        Err(DropReason::FragmentQuota) => DropReason::FragmentQuota,
        other => return other,
    };
    // Unreliable packets that are stuck on another channel must not keep new ones out.
    let Some(channel) = peer.channels.most_stuck() else { return Err(refused) };
    channel.receive.evict(&mut budget);
    figures.evictions += 1;
    match peer.channels.get_mut(command.channel) {
        Some(channel) => channel.receive.take(command, payload, &mut budget, &mut inbox),
        None => Ok(()),
    }
}

/// Acknowledges the last packet of a channel once more, now and then, when a command was refused that will be taken later.
fn reassure(peer: &mut Peer, shared: &mut Shared, header: &Header, command: &Command, reason: DropReason) {
    if matches!(reason, DropReason::NotTaken | DropReason::HostQuota)
        && command.wants_acknowledgement()
        && let Some(sent_time) = header.sent_time
        && peer.gate.get_or_insert_default().answers(shared.clock.now())
    {
        let last = peer.channels.used(command.channel).map_or(0, |channel| channel.receive.last());
        peer.queue_acknowledgement(shared, command.channel, last, sent_time);
    }
}

/// Queues the acknowledgement of a command, in a datagram that has been checked to have a sent time.
fn acknowledge(peer: &mut Peer, shared: &mut Shared, header: &Header, command: &Command) {
    if let Some(sent_time) = header.sent_time {
        peer.queue_acknowledgement(shared, command.channel, command.sequence, sent_time);
    }
}

/// Answers a server that wants to see whether our address is real: an acknowledgement that asks for one. As in stock
/// ENet, nothing else comes of it, and numbers that look too far ahead on a channel of ours get no answer.
fn answer_proof(peer: &mut Peer, shared: &mut Shared, header: &Header, command: &Command) {
    if peer.channels.acknowledges(command.channel, command.sequence) {
        acknowledge(peer, shared, header, command);
    }
}
