//! Filling datagrams.

use std::ops::Range;

use super::black_hole::{LONGEST_SHORT, is_long};
use super::{Pending, Queued, Sent, Turn, packet_cost};
use crate::clock::wire_time;
use crate::config::Config;
use crate::lists::Key;
use crate::packet::{Delivery, Packet};
use crate::peer::{Peer, State};
use crate::shared::Shared;
use crate::tag::TAG_LEN;
use crate::wire::{Body, CONTROL_CHANNEL, Command, MAX_COMMANDS, TIMED_HEADER_LEN, Writer, code, fixed_len};

/// A datagram that is being filled.
pub(super) struct Datagram<'a> {
    out: Writer<'a>,
    commands: usize,
    /// Bytes of commands that more than one have together, at most.
    limit: usize,
    /// Something in it wants an acknowledgement.
    timed: bool,
}

impl Datagram<'_> {
    #[inline]
    fn has_room(&self, len: usize) -> bool {
        self.commands < MAX_COMMANDS
            && len <= self.out.room()
            && (self.commands == 0 || self.out.len() + len <= self.limit)
    }

    #[inline]
    pub(super) fn put(&mut self, command: &Command, payload: &[u8]) {
        command.write(&mut self.out);
        self.out.put(payload);
        self.commands += 1;
        self.timed |= command.wants_acknowledgement();
    }
}

impl Peer {
    /// Writes the next datagram into the buffer and returns where it is; `None` when nothing may leave now.
    pub(crate) fn write_datagram(&mut self, shared: &mut Shared, buffer: &mut [u8]) -> Option<Range<usize>> {
        let tag_room = if self.tags.is_some() { TAG_LEN.into() } else { 0 };
        let end = buffer.len().saturating_sub(tag_room).min(self.mtu.into());
        let (header_place, commands_place) = buffer.get_mut(..end)?.split_at_mut_checked(TIMED_HEADER_LEN)?;
        let limit = if self.black_hole.keeps_short(shared.clock.now()) {
            LONGEST_SHORT - TIMED_HEADER_LEN
        } else {
            usize::MAX
        };
        let mut datagram = Datagram { out: Writer::new(commands_place), commands: 0, limit, timed: false };
        self.window.begin_flush(shared.clock.now(), shared.last_flush);
        self.paced_to = u64::MAX;
        self.put_probe(shared, &mut datagram);
        if datagram.commands == 0 {
            self.put_acknowledgements(shared, &mut datagram);
            self.put_pending(shared, &mut datagram);
            if self.put_lost(shared, &mut datagram) {
                self.put_queued(shared, &mut datagram);
            }
        }
        if self.state == State::Draining && self.is_drained() {
            self.begin_disconnect(shared, self.goodbye);
            self.put_pending(shared, &mut datagram);
        }
        if datagram.commands == 0 {
            return None;
        }
        self.put_copies(shared, &mut datagram);
        let Datagram { out, timed, .. } = datagram;
        shared.next_order += 1;
        let end = TIMED_HEADER_LEN + out.len();
        let header = self.header(timed.then(|| shared.wire_time()));
        let start = TIMED_HEADER_LEN - header.len();
        header.write(&mut Writer::new(&mut header_place[start..]));
        Some(start..self.put_tag(buffer, start..end))
    }

    /// Puts a tag behind a datagram, where there are tags, and returns where it ends.
    fn put_tag(&self, buffer: &mut [u8], datagram: Range<usize>) -> usize {
        let end = datagram.end;
        let Some((datagram, behind)) =
            buffer.get_mut(datagram.start..).and_then(|rest| rest.split_at_mut_checked(datagram.len()))
        else {
            return end;
        };
        let tag = self.tags.as_ref().and_then(|tags| tags.make(datagram));
        match (tag, behind.first_chunk_mut()) {
            (Some(tag), Some(place)) => {
                *place = tag;
                end + tag.len()
            }
            _ => end,
        }
    }

    /// Forgets what waits and says goodbye.
    pub(crate) fn begin_disconnect(&mut self, shared: &mut Shared, data: u32) {
        self.forget_output(shared);
        self.state = State::Disconnecting;
        self.goodbye = data;
        self.pending = Pending::DISCONNECT;
    }

    fn put_acknowledgements(&mut self, shared: &mut Shared, datagram: &mut Datagram<'_>) {
        while datagram.has_room(fixed_len(code::ACKNOWLEDGE)) {
            let Some(acknowledgement) = shared.acknowledgements.pop_front(&mut self.acknowledgements) else {
                break;
            };
            let sequence = acknowledgement.sequence;
            let body = Body::Acknowledge { sequence, sent_time: acknowledgement.sent_time };
            let channel = acknowledgement.channel;
            datagram.put(&Command { code: code::ACKNOWLEDGE, channel, sequence, body }, &[]);
        }
    }

    fn put_pending(&mut self, shared: &mut Shared, datagram: &mut Datagram<'_>) {
        while datagram.has_room(fixed_len(code::CONNECT)) {
            let Some(pending) = self.pending.take() else { break };
            let code = match pending {
                Pending::CONNECT => code::CONNECT,
                Pending::VERIFY => code::VERIFY,
                Pending::BANDWIDTH => code::BANDWIDTH_LIMIT,
                Pending::THROTTLE => code::THROTTLE_CONFIGURE,
                Pending::DISCONNECT => code::DISCONNECT,
                _ => code::PING,
            };
            if pending == Pending::PING {
                self.black_hole.pinged();
            }
            let key = self.push_sent(shared, None, 0, 0, code, CONTROL_CHANNEL);
            self.transmit(shared, key, datagram);
        }
    }

    /// Sends lost commands again; true when there is none left.
    fn put_lost(&mut self, shared: &mut Shared, datagram: &mut Datagram<'_>) -> bool {
        let now = shared.clock.now();
        while !self.lost.is_empty() {
            let key = self.lost.first();
            let Some(sent) = shared.sent.get_mut(key) else { break };
            let (len, code) = (sent.len, sent.code);
            if !self.may_send_reliable(shared, len.into())
                || !datagram.has_room(fixed_len(code) + usize::from(len))
            {
                return false;
            }
            if let Some(sent) = shared.sent.get_mut(key) {
                if !sent.repeated {
                    self.outgoing_loss.note(now, 0, 1);
                }
                sent.lost = false;
                sent.repeated = true;
                sent.copied = false;
            }
            shared.sent.move_back(&mut self.lost, key, &mut self.sent);
            self.commands_lost = self.commands_lost.wrapping_add(1);
            self.transmit(shared, key, datagram);
        }
        true
    }

    /// Puts what was sent again lately a third time, if the flow is thin: should the repetition be lost as well, everything
    /// behind it would wait for two more round trips.
    fn put_copies(&mut self, shared: &mut Shared, datagram: &mut Datagram<'_>) {
        if self.in_flight > THIN_FLOW_BYTES || self.commands_lost == 0 {
            return;
        }
        let mut key = self.sent.first();
        for _ in 0..MAX_COMMANDS {
            let Some(sent) = shared.sent.get_mut(key) else { break };
            let has_room = datagram.has_room(fixed_len(sent.code) + usize::from(sent.len));
            if sent.repeated && !sent.copied && sent.order < shared.next_order && has_room {
                sent.copied = true;
                let command = self.command_of(sent, &shared.config);
                datagram.put(&command, sent.payload());
                self.throttle.sent();
            }
            key = shared.sent.next(key);
        }
    }

    fn put_queued(&mut self, shared: &mut Shared, datagram: &mut Datagram<'_>) {
        while self.active.is_some() {
            let may_send_reliable = self.may_send_reliable(shared, self.rules.fragment);
            let Some(turn) = self.next_turn(shared, may_send_reliable) else { return };
            let is_put = match turn {
                Turn::Unsequenced => self.put_unsequenced(shared, datagram),
                Turn::Channel(channel) => self.put_from(shared, channel, datagram),
            };
            if !is_put {
                return;
            }
        }
        while self.put_unsequenced(shared, datagram) {}
    }

    /// Puts the next unsequenced packet, or drops it; false when it does not fit.
    fn put_unsequenced(&mut self, shared: &mut Shared, datagram: &mut Datagram<'_>) -> bool {
        let fits = |first: &Queued| datagram.has_room(fixed_len(code::UNSEQUENCED) + first.packet.len());
        let first = shared.queued.pop_front_if(&mut self.unsequenced, fits);
        let Some(Queued { packet, channel, .. }) = first else { return false };
        self.left_queue(&packet, packet.len());
        if self.throttle.passes() {
            self.unsequenced_out = self.unsequenced_out.wrapping_add(1);
            let body = Body::Unsequenced { group: self.unsequenced_out, len: packet.len() as u16 };
            datagram.put(&Command { code: code::UNSEQUENCED, channel, sequence: 0, body }, &packet);
            self.commands_sent = self.commands_sent.wrapping_add(1);
            self.traffic.sent(packet.len());
        } else {
            self.traffic.packets_throttled += 1;
        }
        true
    }

    /// Puts the next piece of a channel's queue, or drops an unreliable packet; false when it does not fit.
    fn put_from(&mut self, shared: &mut Shared, channel: u8, datagram: &mut Datagram<'_>) -> bool {
        let rules = self.rules;
        let Some(line) = self.channels.get_mut(channel) else { return false };
        let line = &mut line.send;
        let Some(Queued { packet, delivery, .. }) = shared.queued.get(line.queue.first()) else {
            return false;
        };
        let total = packet.len() as u32;
        let offset = line.cut;
        let len = (total - offset).min(rules.fragment);
        let is_whole = total <= rules.fragment;
        // Behind 65535 unreliable packets the number would begin again: stock ENet sends a reliable packet then.
        let is_reliable = *delivery == Delivery::Reliable || (line.unreliable == u16::MAX && offset == 0);
        let code = match (is_reliable, is_whole) {
            (true, true) => code::RELIABLE,
            (true, false) => code::FRAGMENT,
            (false, true) => code::UNRELIABLE,
            (false, false) => code::UNRELIABLE_FRAGMENT,
        };
        if !datagram.has_room(fixed_len(code) + len as usize) {
            return false;
        }
        if is_reliable && *delivery != Delivery::Reliable {
            // It is one from its first fragment to its last.
            if let Some(first) = shared.queued.get_mut(line.queue.first()) {
                first.delivery = Delivery::Reliable;
            }
            return true;
        }
        let is_dropped = !is_reliable && offset == 0 && !self.throttle.passes();
        let packet = packet.clone();
        line.turn += u64::from(len);
        self.turn = line.turn;
        line.cut += len;
        if is_dropped || line.cut >= total {
            line.cut = 0;
            shared.queued.pop_front(&mut line.queue);
        }
        if is_reliable {
            line.unreliable = 0;
        } else if offset == 0 && !is_dropped {
            line.unreliable += 1;
        }
        let number = line.unreliable;
        let sequence = line.ring.next().wrapping_sub(1);
        if line.queue.is_empty() {
            self.deactivate(channel);
        }
        if is_dropped {
            self.traffic.packets_throttled += 1;
            self.left_queue(&packet, packet.len());
            return true;
        }
        if offset + len == total {
            self.traffic.sent(packet.len());
        }
        if is_reliable {
            self.queued = self.queued.saturating_sub(len.into());
            let key = self.push_sent(shared, Some(packet), offset, len as u16, code, channel);
            self.transmit(shared, key, datagram);
            return true;
        }
        let body = if is_whole {
            Body::Unreliable { number, len: len as u16 }
        } else {
            Body::UnreliableFragment { fragment: rules.fragment(number, total, offset) }
        };
        let payload = packet.get(offset as usize..(offset + len) as usize).unwrap_or_default();
        datagram.put(&Command { code, channel, sequence, body }, payload);
        self.commands_sent = self.commands_sent.wrapping_add(1);
        self.queued = self.queued.saturating_sub(len.into());
        if offset + len == total {
            self.unacknowledged = self.unacknowledged.saturating_sub(packet_cost(total as usize));
        }
        true
    }

    /// An unreliable packet has left its queue.
    fn left_queue(&mut self, packet: &Packet, queued: usize) {
        self.queued = self.queued.saturating_sub(queued as u64);
        self.unacknowledged = self.unacknowledged.saturating_sub(packet_cost(packet.len()));
    }

    /// Numbers a new reliable command and appends it to what is sent.
    fn push_sent(
        &mut self,
        shared: &mut Shared,
        packet: Option<Packet>,
        offset: u32,
        len: u16,
        code: u8,
        channel: u8,
    ) -> Key {
        let ring = match self.channels.get_mut(channel).filter(|_| channel != CONTROL_CHANNEL) {
            Some(line) => &mut line.send.ring,
            None => &mut self.control,
        };
        let sequence = ring.next();
        let sent = Sent {
            packet,
            offset,
            len,
            sequence,
            code,
            channel,
            expired: 0,
            first_time: shared.wire_time(),
            repeated: false,
            lost: false,
            is_long: false,
            copied: false,
            first_order: shared.next_order,
            order: 0,
            sent_at: 0,
            timeout: u32::try_from(self.round_trip.timeout()).unwrap_or(u32::MAX),
        };
        let key = shared.sent.push_back(&mut self.sent, sent);
        ring.push(key);
        key
    }

    /// Puts a reliable command, the last in the list of what is sent.
    fn transmit(&mut self, shared: &mut Shared, key: Key, datagram: &mut Datagram<'_>) {
        let now = shared.clock.now();
        let Some(sent) = shared.sent.get_mut(key) else { return };
        sent.order = shared.next_order;
        sent.sent_at = now;
        sent.is_long = is_long(datagram.out.len(), sent);
        self.next_expiry = self.next_expiry.min(now + u64::from(sent.timeout));
        self.in_flight += u32::from(sent.len);
        self.in_flight_commands += 1;
        self.commands_sent = self.commands_sent.wrapping_add(1);
        if !sent.repeated {
            // Later transmissions are copied at times, and do not show which one of the two has arrived.
            self.outgoing_loss.note(now, 1, 0);
        }
        self.window.sent(sent.len.into(), self.round_trip.smoothed());
        self.throttle.sent();
        if let Some(half) = &mut self.half {
            half.note_sent(wire_time(now));
        }
        if let Some(sent) = shared.sent.get(key) {
            datagram.put(&self.command_of(sent, &shared.config), sent.payload());
        }
    }

    fn command_of(&self, sent: &Sent, config: &Config) -> Command {
        let body = match (sent.code, &sent.packet) {
            (code::RELIABLE, _) => Body::Reliable { len: sent.len },
            (code::FRAGMENT, Some(packet)) => {
                let mut fragment = self.rules.fragment(0, packet.len() as u32, sent.offset);
                fragment.start = sent.sequence.wrapping_sub(fragment.number as u16);
                Body::Fragment { fragment }
            }
            (code, _) => self.control_body(code, config),
        };
        Command { code: sent.code, channel: sent.channel, sequence: sent.sequence, body }
    }

    /// The body of a command without a channel: what it says is known when it is sent, the first time or again.
    fn control_body(&self, code: u8, config: &Config) -> Body {
        match (code, &self.half) {
            (code::CONNECT, Some(half)) => Body::Connect { handshake: half.handshake, data: half.data },
            (code::VERIFY, Some(half)) => Body::Verify { handshake: half.handshake },
            (code::DISCONNECT, _) => Body::Disconnect { data: self.goodbye },
            (code::BANDWIDTH_LIMIT, _) => {
                Body::BandwidthLimit { incoming: self.granted_bandwidth, outgoing: config.out_bandwidth }
            }
            (code::THROTTLE_CONFIGURE, _) => Body::ThrottleConfigure { throttle: self.throttle.settings },
            _ => Body::Ping {},
        }
    }

    /// True when this many reliable bytes may leave now. Notes why not.
    fn may_send_reliable(&mut self, shared: &Shared, len: u32) -> bool {
        let allowed = self.allowed_in_flight(shared.clock.now(), shared.config.out_bandwidth);
        if let Some(time) = self.window.paced_to(shared.clock.now()) {
            self.paced_to = time;
            // At an even rate, what is allowed is never quite used.
            if self.in_flight >= allowed / 2 {
                self.window.note_full();
            }
            return false;
        }
        let fits = self.in_flight == 0
            || (self.in_flight.saturating_add(len) <= allowed
                && self.in_flight_commands < MAX_COMMANDS_IN_FLIGHT);
        if !fits {
            self.window.note_full();
        }
        fits
    }
}

/// Commands in flight to one peer at most: a receiver pays for each, however small.
const MAX_COMMANDS_IN_FLIGHT: u32 = 16_384;

/// Bytes in flight of a flow that costs little, whatever is sent twice.
const THIN_FLOW_BYTES: u32 = 16 << 10;
