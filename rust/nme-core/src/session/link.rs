//! The ENet host, with the way of its datagrams.

use std::time::Duration;

use super::backlog::{self, Backlog, Held};
use super::waiting::Waiting;
use crate::channel::{self, Delivery};
use crate::counters::{Counters, DroppedPacket};
use crate::enet::{Host, HostEvent, Packet, Refused, Slot};
use crate::peer::PeerId;
use crate::pipeline::{Opened, Pipeline};

/// The host, with the way of its datagrams.
pub(super) struct HostLink {
    pub(super) host: Box<dyn Host>,
    pub(super) pipeline: Pipeline,
    pub(super) counters: Counters,
    pub(super) waiting: Waiting,
    pub(super) backlog: Backlog,
    pub(super) unacknowledged_limit: u64,
}

/// A packet on its way out.
#[derive(Clone, Copy)]
pub(super) struct Parcel<'a> {
    pub(super) channel: u8,
    pub(super) packet: &'a Packet,
    pub(super) delivery: Delivery,
}

#[derive(PartialEq, Eq)]
pub(super) enum Queued {
    Done,
    /// More than the limit waits for this peer's acknowledgements.
    Overflow,
}

impl HostLink {
    pub(super) fn next_event(&mut self) -> Option<HostEvent> {
        loop {
            let event = self.host.service();
            self.collect();
            if event.is_some() {
                return event;
            }
            // With nothing to report, it has sent everything.
            self.waiting.clear();
            self.pipeline.settle();
            match self.host.inbound().open_more() {
                Opened::Nothing => return None,
                Opened::Datagrams => {}
                Opened::End(address) => self.pipeline.end_connections(address, self.host.as_mut()),
            }
        }
    }

    pub(super) fn set_time(&mut self, now: Duration) {
        self.host.set_time(now);
        self.pipeline.set_time(now);
    }

    pub(super) fn begin_poll(&mut self, now: Duration) {
        self.set_time(now);
        self.pipeline.begin_poll(self.host.millis());
        self.pipeline.tick(self.host.as_mut(), &mut self.counters);
    }

    /// Moves the engine's datagrams through the pipeline. The guard learns from them, so this comes before
    /// the answers to them can.
    pub(super) fn collect(&mut self) {
        self.pipeline.send(self.host.outbound());
    }

    pub(super) fn flush(&mut self) {
        self.feed_all();
        self.host.flush();
        self.collect();
        self.waiting.clear();
    }

    /// Queues a packet that is not a part of a run, and notes it for the next flush.
    pub(super) fn queue_noted(&mut self, slot: Slot, parcel: Parcel<'_>) -> Queued {
        self.waiting.note(slot, parcel.packet.bytes().len(), parcel.delivery);
        self.queue(slot, parcel)
    }

    pub(super) fn queue(&mut self, slot: Slot, parcel: Parcel<'_>) -> Queued {
        let Parcel { channel, packet, delivery } = parcel;
        if !self.pipeline.may_send_on(slot, channel) {
            self.counters.drop_packet(DroppedPacket::NoChannel);
            return Queued::Done;
        }
        if self.backlog.is_leaving(slot) {
            self.counters.drop_packet(DroppedPacket::Unsent);
            return Queued::Done;
        }
        let is_full = || self.is_full(slot);
        let waits = channel != channel::CONFIG && self.backlog.must_wait(slot, channel, delivery, is_full);
        if waits {
            self.backlog.push(slot, Held { channel, packet: packet.clone(), delivery });
            self.feed(slot);
        } else {
            self.hand_over(slot, parcel);
        }
        let is_bounded = waits || delivery == Delivery::Reliable;
        if is_bounded && self.unacknowledged(slot) > self.unacknowledged_limit {
            Queued::Overflow
        } else {
            Queued::Done
        }
    }

    fn unacknowledged(&self, slot: Slot) -> u64 {
        self.pipeline.unacknowledged(slot) + self.backlog.cost(slot)
    }

    /// True when as much is in flight as the window takes.
    fn is_full(&self, slot: Slot) -> bool {
        self.pipeline.in_flight(slot) >= backlog::window(self.pipeline.share(slot))
    }

    /// Gives a packet to ENet, unless the throttle drops it.
    fn hand_over(&mut self, slot: Slot, Parcel { channel, packet, delivery }: Parcel<'_>) {
        if delivery != Delivery::Reliable && !self.pipeline.passes(slot) {
            return;
        }
        match self.host.send(slot, channel, packet) {
            Ok(()) if delivery == Delivery::Reliable => self.pipeline.queued(slot, packet.bytes().len()),
            Ok(()) => {}
            Err(Refused::Channel) => self.counters.drop_packet(DroppedPacket::NoChannel),
            // Not connected any more, or too large.
            Err(_) => self.counters.drop_packet(DroppedPacket::Unsent),
        }
    }

    fn hand_over_held(&mut self, slot: Slot, held: &Held) {
        let &Held { channel, ref packet, delivery } = held;
        self.hand_over(slot, Parcel { channel, packet, delivery });
    }

    /// Gives ENet what waits and what it can send now.
    fn feed(&mut self, slot: Slot) {
        while let Some(held) = self.backlog.next(slot, self.is_full(slot)) {
            self.hand_over_held(slot, &held);
        }
        if self.backlog.finish(slot) {
            self.host.disconnect_later(slot, 0);
        }
    }

    fn feed_all(&mut self) {
        let now = self.host.millis();
        for index in (0..self.backlog.busy().len()).rev() {
            let slot = self.backlog.busy()[index];
            if self.backlog.is_stuck(slot, self.pipeline.in_flight(slot), now) {
                self.pipeline.forget_in_flight(slot);
            }
            self.feed(slot);
        }
    }

    /// Gives ENet all that waits for this peer and comes from a source that has left, so that it arrives before
    /// the notice of that.
    pub(super) fn hurry(&mut self, slot: Slot, source: PeerId) {
        for held in self.backlog.take_from(slot, source) {
            self.hand_over_held(slot, &held);
        }
    }

    /// Disconnects a peer once everything queued has arrived.
    pub(super) fn disconnect_later(&mut self, slot: Slot) {
        self.backlog.leave(slot);
        self.pipeline.leave(slot);
        self.feed(slot);
    }

    pub(super) fn disconnect_now(&mut self, slot: Slot, data: u32) {
        self.host.disconnect_now(slot, data);
        self.collect();
        self.release(slot);
    }

    /// The peer in this slot is gone. True when it had announced that.
    pub(super) fn release(&mut self, slot: Slot) -> bool {
        self.backlog.forget(slot);
        self.pipeline.release(slot)
    }
}
