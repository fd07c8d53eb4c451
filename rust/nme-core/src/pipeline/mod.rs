//! The way of a datagram between the socket and the engine.
//!
//! In: [`secure`] (unprotect) → codec (expand) → guard (check, cut) → [`Inbound`] → engine.
//! Out: engine → guard (learn) → codec (compress) → [`secure`] (protect) → the batch that the driver sends.
//! A network simulator has its place between [`secure`] and the socket.

mod inbound;
mod secure;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

pub(crate) use inbound::{Inbound, Opened};
pub(crate) use secure::{mtu, peer_mtu};

use crate::codec::{Compression, Stage};
use crate::counters::{Counters, Dropped};
use crate::datagram::DatagramBatch;
use crate::enet::{Host, Slot};
use crate::guard::{ConnectRequest, DISCONNECT_UNSEQUENCED, DropReason, Guard, GuardConfig, Passed, Role};
use crate::secure::{SecureLayer, SecureOutput};
use secure::Secure;

/// MTU of 3.6's hosts, in bytes of UDP payload.
pub(crate) const MTU: u16 = 1392;

/// The largest datagram that a socket has to take: what ENet can send with any MTU.
pub const MAX_DATAGRAM: usize = 4096;

/// Codec, guard and encryption of one host, with their scratch memory.
pub(crate) struct Pipeline {
    codec: Option<Stage>,
    guard: Guard,
    role: Role,
    /// The server takes no new clients.
    refusing: bool,
    scratch: Box<[u8; MAX_DATAGRAM]>,
    secure: Option<Secure>,
    /// What is on its way. `wire` is for the socket, also without encryption; the rest is empty then.
    out: SecureOutput,
}

impl Pipeline {
    pub(crate) fn new(
        compression: Compression,
        guard: GuardConfig,
        secure: Option<Box<dyn SecureLayer>>,
    ) -> Self {
        Self {
            codec: Stage::new(compression),
            guard: Guard::new(guard),
            role: guard.role,
            refusing: false,
            scratch: Box::new([0; MAX_DATAGRAM]),
            secure: secure.map(Secure::new),
            out: SecureOutput::default(),
        }
    }

    /// Begins a poll at this time of the engine's clock, in ms.
    pub(crate) fn begin_poll(&mut self, now: u32) {
        self.guard.begin_poll(now);
    }

    /// Takes a datagram off the socket, on its way to the engine.
    pub(crate) fn receive(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        host: &mut dyn Host,
        counters: &mut Counters,
    ) {
        counters.datagrams_received += 1;
        counters.bytes_received += datagram.len() as u64;
        if self.secure.is_some() {
            self.receive_protected(from, datagram, host, counters);
        } else {
            self.receive_plain(from, datagram, host, counters);
        }
    }

    fn receive_plain(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        host: &mut dyn Host,
        counters: &mut Counters,
    ) {
        let len = match self.expand(datagram) {
            Ok(len) => len,
            Err(reason) => return counters.drop_datagram(reason),
        };
        let inspected = self.guard.inspect(from, &mut self.scratch[..len]);
        for (from, aside) in self.guard.asides().iter() {
            host.inbound().push(from, aside);
        }
        self.guard.asides().clear();
        match inspected {
            Ok(passed) => self.admit(from, &passed, host, counters),
            Err(reason) => {
                counters.drop_datagram(Dropped::Guard(reason));
                if let Some(goodbye) = self.guard.goodbye(from, &self.scratch[..len], reason, datagram.len())
                {
                    secure::post(self.secure.as_mut(), from, &goodbye, &mut self.out);
                }
            }
        }
        counters.cut_commands = self.guard.cut_commands();
        while let Some((newcomer, request)) = self.guard.next_refusal() {
            self.refuse(newcomer, &request);
        }
        while let Some(injection) = self.guard.next_injection() {
            host.inbound().push(injection.from, &injection.datagram);
        }
    }

    /// Queues the datagram in the scratch buffer for the engine.
    fn admit(&mut self, from: SocketAddr, passed: &Passed, host: &mut dyn Host, counters: &mut Counters) {
        if let Some(request) = &passed.connect
            && !host.has_free_slot()
            && !host.inbound().has_barrier()
            && !self.guard.is_pending(from, request.connect_id)
        {
            counters.drop_datagram(Dropped::ServerFull);
            // It will not be let in whoever leaves.
            if self.refusing {
                self.refuse(from, request);
            } else {
                self.guard.ask(from, *request);
            }
            return;
        }
        let plain = &self.scratch[..passed.len];
        let inbound = host.inbound();
        let (header, commands) = plain.split_at(header_len(plain));
        match passed.disconnect_at {
            Some(at) => {
                inbound.push(from, &plain[..at]);
                inbound.push_barrier(from, header, &plain[at..]);
            }
            None if passed.disconnects => inbound.push_barrier(from, header, commands),
            None => inbound.push(from, plain),
        }
    }

    /// Takes what the engine wants to send.
    pub(crate) fn send(&mut self, outbound: &mut DatagramBatch) {
        if outbound.is_empty() {
            return;
        }
        for (to, datagram) in outbound.iter() {
            self.guard.observe_outgoing(to, datagram);
        }
        if self.codec.is_none() && self.secure.is_none() && self.out.wire.is_empty() {
            std::mem::swap(outbound, &mut self.out.wire);
            return;
        }
        for (to, datagram) in outbound.iter() {
            let datagram = match compress(self.codec.as_mut(), datagram, &mut self.scratch[..]) {
                Some(len) => &self.scratch[..len],
                None => datagram,
            };
            secure::post(self.secure.as_mut(), to, datagram, &mut self.out);
        }
        outbound.clear();
    }

    /// What is ready for the socket.
    pub(crate) fn ready(&mut self) -> &mut DatagramBatch {
        &mut self.out.wire
    }

    /// The engine's peer in this slot is gone, and all it sent is on its way. True when the peer had announced it.
    pub(crate) fn release(&mut self, slot: Slot) -> bool {
        let Some(departure) = self.guard.release(slot.0) else { return false };
        self.close_unless_used(departure.address);
        departure.announced
    }

    /// The peer in this slot is to leave once it has got everything.
    pub(crate) fn leave(&mut self, slot: Slot) {
        self.guard.leave(slot.0);
    }

    /// True unless the peer is known to have fewer channels.
    pub(crate) fn may_send_on(&self, slot: Slot, channel: u8) -> bool {
        self.guard.may_send_on(slot.0, channel)
    }

    /// Channels that both sides of a connection have.
    pub(crate) fn channel_count(&self, slot: Slot) -> usize {
        self.guard.channel_count(slot.0)
    }

    pub(crate) const fn refused_commands(&self, reason: DropReason) -> u64 {
        self.guard.refused(reason)
    }

    /// Notes a reliable packet that was given to the engine.
    pub(crate) fn queued(&mut self, slot: Slot, len: usize) {
        self.guard.queued(slot.0, len);
    }

    /// How much waits for the peer's acknowledgement, in bytes, a packet counting 256 at least.
    pub(crate) fn unacknowledged(&self, slot: Slot) -> u64 {
        self.guard.unacknowledged(slot.0)
    }

    /// The same in bytes of payload, as ENet's window counts them.
    pub(crate) fn in_flight(&self, slot: Slot) -> u64 {
        self.guard.in_flight(slot.0)
    }

    /// The share of the peer's unreliable packets that is sent, in thirty-seconds.
    pub(crate) fn share(&self, slot: Slot) -> u32 {
        self.guard.share(slot.0)
    }

    /// True when the next unreliable packet for the peer is to be sent.
    pub(crate) fn passes(&mut self, slot: Slot) -> bool {
        self.guard.passes(slot.0)
    }

    /// Counts [`Self::in_flight`] from 0 again.
    pub(crate) fn forget_in_flight(&mut self, slot: Slot) {
        self.guard.forget_in_flight(slot.0);
    }

    /// Puts the plain form of `datagram` into the scratch buffer.
    fn expand(&mut self, datagram: &[u8]) -> Result<usize, Dropped> {
        let compressed = datagram.first().is_some_and(|byte| byte & (FLAG_COMPRESSED >> 8) as u8 != 0);
        if !compressed {
            let plain = self.scratch.get_mut(..datagram.len()).ok_or(Dropped::Oversized)?;
            plain.copy_from_slice(datagram);
            return Ok(datagram.len());
        }
        let codec = self.codec.as_mut().ok_or(Dropped::UnexpectedCompression)?;
        // The compressed form is the smaller one, and the plain one an MTU at most: this bounds the codec's time.
        if datagram.len() > MTU.into() {
            return Err(Dropped::Oversized);
        }
        let header_len = header_len(datagram);
        let (header, body) = datagram.split_at_checked(header_len).ok_or(Dropped::BadCompression)?;
        let (start, rest) = self.scratch[..MTU.into()].split_at_mut(header_len);
        start.copy_from_slice(header);
        start[0] &= !((FLAG_COMPRESSED >> 8) as u8);
        let len = codec.decompress(body, rest).ok_or(Dropped::BadCompression)?;
        Ok(header_len + len)
    }

    /// Tells a client that there is no slot for it, which ENet itself would leave it to find out by a timeout of half
    /// a minute. The answer is far smaller than the question and needs no memory.
    fn refuse(&mut self, to: SocketAddr, request: &ConnectRequest) {
        let [high, low] = request.reply_peer_id.to_be_bytes();
        let datagram = [high, low, DISCONNECT_UNSEQUENCED, 0xff, 0, 0, 0, 0, 0, 0];
        secure::post(self.secure.as_mut(), to, &datagram, &mut self.out);
        self.close_unless_used(to);
    }
}

/// The compressed form of a plain datagram in `out`, or `None` when it is to go out plain.
fn compress(codec: Option<&mut Stage>, datagram: &[u8], out: &mut [u8]) -> Option<usize> {
    let codec = codec?;
    let header_len = header_len(datagram);
    let (header, commands) = datagram.split_at_checked(header_len)?;
    let (start, rest) = out.split_at_mut(header_len);
    start.copy_from_slice(header);
    start[0] |= (FLAG_COMPRESSED >> 8) as u8;
    let len = codec.compress(commands, rest)?;
    Some(header_len + len)
}

/// Bytes in front of a datagram's commands: the sent time is there only when its flag is set.
fn header_len(datagram: &[u8]) -> usize {
    match datagram.first() {
        Some(byte) if byte & (FLAG_SENT_TIME >> 8) as u8 != 0 => 4,
        _ => 2,
    }
}

const FLAG_SENT_TIME: u16 = 0x8000;
const FLAG_COMPRESSED: u16 = 0x4000;
