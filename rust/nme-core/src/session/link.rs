//! The ENet host, with the way of its datagrams.

use std::time::Duration;

use super::waiting::Waiting;
use crate::channel::Delivery;
use crate::counters::{Counters, DroppedPacket};
use crate::enet::{Host, HostEvent, Packet, Refused, Slot};
use crate::pipeline::{Opened, Pipeline};

/// The host, with the way of its datagrams.
pub(super) struct HostLink {
    pub(super) host: Box<dyn Host>,
    pub(super) pipeline: Pipeline,
    pub(super) counters: Counters,
    pub(super) waiting: Waiting,
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
        if !self.pipeline.may_send_on(slot, parcel.channel) {
            // As in 3.6: the peer has fewer channels, and nobody there could receive it.
            self.counters.drop_packet(DroppedPacket::Unsent);
            return Queued::Done;
        }
        match self.host.send(slot, parcel.channel, parcel.packet) {
            Ok(()) if parcel.delivery == Delivery::Reliable => {
                let waiting = self.pipeline.queued(slot, parcel.packet.bytes().len());
                if waiting > self.unacknowledged_limit { Queued::Overflow } else { Queued::Done }
            }
            Ok(()) => Queued::Done,
            Err(Refused::NotConnected | Refused::Channel | Refused::TooLarge) => {
                self.counters.drop_packet(DroppedPacket::Unsent);
                Queued::Done
            }
        }
    }

    pub(super) fn disconnect_now(&mut self, slot: Slot, data: u32) {
        self.host.disconnect_now(slot, data);
        self.collect();
        self.pipeline.release(slot);
    }
}
