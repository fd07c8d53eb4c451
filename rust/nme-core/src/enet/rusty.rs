//! The engine in use: rusty_enet over two queues in memory and a clock that is told the time.
//!
//! Every trap of the engine that can be handled at its doorstep is handled here: its clock is monotonic and
//! never jumps, its socket cannot fail, its limit of waiting data (which leaks) is switched off in favour of
//! the guard's quotas, and nothing that panics on a wrong index is called.

use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusty_enet as enet;
#[cfg(test)]
use rusty_enet::Compressor as _;

use super::{Host, HostConfig, HostEvent, Refused, Slot};
use crate::channel::Delivery;
use crate::datagram::DatagramBatch;
use crate::pipeline::Inbound;

/// A host of the engine.
pub(crate) struct RustyHost {
    host: enet::Host<Wire>,
    clock: Arc<AtomicU64>,
    last_told: Option<Duration>,
    /// Where a free slot was found last.
    free: usize,
    /// No slot was free, and nothing has happened since that frees one.
    full: bool,
}

impl RustyHost {
    /// `None` when the engine refuses the configuration.
    pub(crate) fn new(config: &HostConfig) -> Option<Self> {
        let clock = Arc::new(AtomicU64::new(CLOCK_START.as_micros() as u64));
        let ticks = Arc::clone(&clock);
        let settings = enet::HostSettings {
            peer_limit: config.peer_limit.into(),
            channel_limit: config.channel_limit.into(),
            incoming_bandwidth_limit: (config.in_bandwidth > 0).then_some(config.in_bandwidth),
            outgoing_bandwidth_limit: (config.out_bandwidth > 0).then_some(config.out_bandwidth),
            compressor: None,
            checksum: None,
            time: Box::new(move || Duration::from_micros(ticks.load(Ordering::Relaxed))),
            seed: Some(config.seed),
        };
        let mut host = enet::Host::new(Wire::default(), settings).ok()?;
        host.set_maximum_packet_size(config.max_packet).ok()?;
        host.set_maximum_waiting_data(usize::MAX).ok()?;
        host.set_mtu(config.mtu).ok()?;
        Some(Self { host, clock, last_told: None, free: 0, full: false })
    }

    fn peer(&mut self, slot: Slot) -> Option<&mut enet::Peer<Wire>> {
        self.host.get_peer_mut(enet::PeerID(slot.0.into()))
    }
}

impl Host for RustyHost {
    fn set_time(&mut self, now: Duration) {
        // The engine takes a difference of more than a day for a clock that ran backwards and would never
        // time a peer out again, e.g. after a suspended laptop. And it checks for timeouts before it reads: a
        // game that has just loaded a level must not lose peers whose acknowledgements wait in the socket.
        let last = self.last_told.unwrap_or(now);
        let step = now.saturating_sub(last).min(LONGEST_STEP);
        self.last_told = Some(last.max(now));
        self.clock.fetch_add(step.as_micros() as u64, Ordering::Relaxed);
    }

    fn millis(&self) -> u32 {
        (self.clock.load(Ordering::Relaxed) / 1000) as u32
    }

    fn connect(&mut self, to: SocketAddr, channels: u8, data: u32) -> Option<Slot> {
        let peer = self.host.connect(to, channels.into(), data).ok()?;
        Some(slot_of(peer.id()))
    }

    fn service(&mut self) -> Option<HostEvent> {
        self.full = false;
        let Ok(event) = self.host.service();
        Some(match event?.no_ref() {
            enet::EventNoRef::Connect { peer, data } => HostEvent::Connected { slot: slot_of(peer), data },
            enet::EventNoRef::Disconnect { peer, .. } => HostEvent::Disconnected { slot: slot_of(peer) },
            enet::EventNoRef::Receive { peer, channel_id, packet } => {
                HostEvent::Received { slot: slot_of(peer), channel: channel_id, packet: Packet(packet) }
            }
        })
    }

    fn flush(&mut self) {
        self.host.flush();
    }

    fn send(&mut self, slot: Slot, channel: u8, packet: &Packet) -> Result<(), Refused> {
        let peer = self.peer(slot).ok_or(Refused::NotConnected)?;
        peer.send(channel, &packet.0).map_err(|error| match error {
            enet::error::PeerSendError::NotConnected => Refused::NotConnected,
            enet::error::PeerSendError::InvalidChannel => Refused::Channel,
            _ => Refused::TooLarge,
        })
    }

    fn disconnect_later(&mut self, slot: Slot, data: u32) {
        if let Some(peer) = self.peer(slot) {
            peer.disconnect_later(data);
        }
    }

    fn disconnect_now(&mut self, slot: Slot, data: u32) {
        self.full = false;
        if let Some(peer) = self.peer(slot) {
            peer.disconnect_now(data);
        }
    }

    fn set_timeout(&mut self, slot: Slot, limit: u32, minimum: u32, maximum: u32) {
        if let Some(peer) = self.peer(slot) {
            peer.set_timeout(limit, minimum, maximum);
        }
    }

    fn set_throttle(&mut self, slot: Slot, interval: u32, acceleration: u32, deceleration: u32) {
        // On a slot without a peer the engine would queue the command for the next one.
        if let Some(peer) = self.peer(slot)
            && peer.connected()
        {
            peer.set_throttle(interval, acceleration, deceleration);
        }
    }

    fn address(&self, slot: Slot) -> Option<SocketAddr> {
        self.host.get_peer(enet::PeerID(slot.0.into()))?.address()
    }

    fn has_free_slot(&mut self) -> bool {
        if self.full {
            return false;
        }
        // The engine takes the first free slot, so the next one is a few slots on, as a rule.
        let limit = self.host.peer_limit();
        let is_free = |index: &usize| {
            let peer = self.host.get_peer(enet::PeerID(*index));
            peer.is_some_and(|peer| peer.state() == enet::PeerState::Disconnected)
        };
        let found = (self.free..limit).chain(0..self.free).find(is_free);
        self.full = found.is_none();
        self.free = found.unwrap_or(0);
        !self.full
    }

    fn inbound(&mut self) -> &mut Inbound {
        &mut self.host.socket_mut().inbound
    }

    fn outbound(&mut self) -> &mut DatagramBatch {
        &mut self.host.socket_mut().outbound
    }
}

fn slot_of(id: enet::PeerID) -> Slot {
    // The engine numbers peers below 4095.
    Slot(id.0 as u16)
}

/// The engine's socket: two queues in memory, so that no error of the operating system reaches the engine.
#[derive(Default)]
struct Wire {
    inbound: Inbound,
    outbound: DatagramBatch,
}

impl enet::Socket for Wire {
    type Address = SocketAddr;
    type Error = Infallible;

    fn send(&mut self, address: SocketAddr, datagram: &[u8]) -> Result<usize, Infallible> {
        self.outbound.push(address, datagram);
        Ok(datagram.len())
    }

    fn receive(
        &mut self,
        buffer: &mut [u8; enet::MTU_MAX],
    ) -> Result<Option<(SocketAddr, enet::PacketReceived)>, Infallible> {
        let Some((from, datagram)) = self.inbound.next() else { return Ok(None) };
        // The guard passes nothing above the MTU, which is far below the buffer's length.
        let len = datagram.len().min(buffer.len());
        buffer[..len].copy_from_slice(&datagram[..len]);
        Ok(Some((from, enet::PacketReceived::Complete(len))))
    }
}

/// A packet, shared by all queues it waits in.
///
/// The engine declares it `Send`, though its count of owners is not atomic. All copies of a packet stay with the session
/// they were made in, or in the hands of its owner; whoever shares a session between threads has to hold one lock
/// whenever one of them is cloned or dropped.
#[derive(Clone)]
pub(crate) struct Packet(enet::Packet);

impl Packet {
    pub(super) fn new(bytes: Vec<u8>, delivery: Delivery) -> Self {
        let kind = match delivery {
            Delivery::Reliable => enet::PacketKind::Reliable,
            Delivery::Unsequenced => enet::PacketKind::AlwaysUnreliable { sequenced: false },
            Delivery::Sequenced => enet::PacketKind::AlwaysUnreliable { sequenced: true },
        };
        Self(enet::Packet::new(bytes, kind))
    }

    /// The packet's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.data()
    }

    /// How the packet was sent.
    ///
    /// The engine's own `kind` of 0.4.1 answers "reliable" for every packet, so the flags are read from where
    /// they can be seen. Costs about 0.1 µs: ask only when the answer is needed.
    pub(crate) fn delivery(&self) -> Delivery {
        let flags = FlagReader::read(&self.0);
        if flags & FLAG_RELIABLE != 0 {
            Delivery::Reliable
        } else if flags & FLAG_UNSEQUENCED != 0 {
            Delivery::Unsequenced
        } else {
            Delivery::Sequenced
        }
    }
}

/// Takes the number behind "flags:" out of the engine's debug text and stops the formatting there.
#[derive(Default)]
struct FlagReader {
    in_flags: bool,
    flags: Option<u32>,
}

impl FlagReader {
    fn read(packet: &enet::Packet) -> u32 {
        let mut reader = Self::default();
        // An error is how the reader says that it has seen enough.
        let _ = write!(reader, "{packet:?}");
        reader.flags.unwrap_or_default()
    }
}

impl fmt::Write for FlagReader {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.in_flags
            && let Ok(number) = text.parse()
        {
            self.flags = Some(number);
            return Err(fmt::Error);
        }
        self.in_flags |= text == "flags";
        Ok(())
    }
}

/// The engine's own range coder, which the codec is compared with.
#[cfg(test)]
pub(crate) struct RangeCoder(enet::RangeCoder);

#[cfg(test)]
impl RangeCoder {
    pub(crate) fn new() -> Self {
        Self(enet::RangeCoder::new())
    }

    /// Bytes written to `out`, 0 when the result does not fit.
    pub(crate) fn compress(&mut self, input: &[u8], out: &mut [u8]) -> usize {
        self.0.compress(&[input], input.len(), out)
    }

    /// Bytes written to `out`, 0 when the input is not valid or the result does not fit.
    pub(crate) fn decompress(&mut self, input: &[u8], out: &mut [u8]) -> usize {
        self.0.decompress(input, out)
    }
}

/// The engine takes 0 for "never": its clock starts later.
const CLOCK_START: Duration = Duration::from_secs(1);

/// The longest pause the engine sees: less than the 5 s after which it begins to give peers up.
const LONGEST_STEP: Duration = Duration::from_secs(4);

const FLAG_RELIABLE: u32 = 1;
const FLAG_UNSEQUENCED: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> RustyHost {
        RustyHost::new(&HostConfig {
            peer_limit: 2,
            channel_limit: 3,
            in_bandwidth: 0,
            out_bandwidth: 0,
            max_packet: 1 << 24,
            mtu: 1392,
            seed: 1,
        })
        .expect("a valid configuration")
    }

    fn millis(host: &RustyHost) -> u64 {
        host.clock.load(Ordering::Relaxed) / 1000
    }

    #[test]
    fn the_clock_never_goes_back_and_never_jumps_by_a_day() {
        let mut host = host();
        host.set_time(Duration::from_secs(5));
        let start = millis(&host);
        host.set_time(Duration::from_secs(7));
        assert_eq!(millis(&host) - start, 2000);
        host.set_time(Duration::from_secs(6));
        assert_eq!(millis(&host) - start, 2000);
        host.set_time(Duration::from_secs(60 * 60 * 48));
        assert_eq!(millis(&host) - start, 6000);
        host.set_time(Duration::from_secs(60 * 60 * 48) + Duration::from_millis(16));
        assert_eq!(millis(&host) - start, 6016);
    }

    #[test]
    fn the_delivery_of_a_packet_can_be_read_back() {
        for delivery in [Delivery::Reliable, Delivery::Unsequenced, Delivery::Sequenced] {
            assert_eq!(Packet::new(vec![1, 2, 3], delivery).delivery(), delivery);
        }
    }
}
