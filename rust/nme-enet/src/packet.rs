//! Packets: bytes that are shared, not copied, by all who send or keep them.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// How a packet travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Arrives, and in the order of its channel.
    Reliable,
    /// May be lost or arrive in any order. When it is longer than a datagram it travels as [`Self::Sequenced`], in
    /// unreliable fragments.
    Unsequenced,
    /// May be lost; never arrives behind a later one of its channel.
    Sequenced,
}

/// The bytes of a packet. A clone shares them.
#[derive(Clone, PartialEq, Eq)]
pub struct Packet {
    bytes: Arc<Vec<u8>>,
}

impl Packet {
    /// A packet of these bytes, which are not copied.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes: Arc::new(bytes) }
    }

    /// The packet's bytes.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Deref for Packet {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes()
    }
}

impl From<Vec<u8>> for Packet {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Packet({} bytes)", self.len())
    }
}

/// Makes packets out of the buffers of earlier ones.
///
/// It keeps a share of the buffer of each packet, and goes round them when it needs one: a buffer that only the pool still has
/// is free. So a packet need not find its way back, whatever thread drops it, and there is nothing to lock.
#[derive(Default)]
pub struct PacketPool {
    buffers: Vec<Arc<Vec<u8>>>,
    /// Bytes that they hold together, used and unused.
    capacity: usize,
    /// The buffer that is looked at next: most likely the one that has been in use for longest.
    next: usize,
    /// Buffers in use that may be passed over: one for each that was found free. So packets that stay for long cost little time,
    /// and do not make others allocate for ever.
    passes: usize,
}

impl PacketPool {
    /// A pool without buffers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A packet of all these parts, one behind the other. Allocates only when it is larger than a datagram, or when the
    /// packets that were made first are still there.
    #[must_use]
    pub fn packet(&mut self, parts: &[&[u8]]) -> Packet {
        let len = parts.iter().fold(0, |len, part| len + part.len());
        self.fill(len, |bytes| parts.iter().for_each(|part| bytes.extend_from_slice(part)))
    }

    /// The same for one part.
    #[must_use]
    #[inline]
    pub(crate) fn copy(&mut self, payload: &[u8]) -> Packet {
        self.fill(payload.len(), |bytes| bytes.extend_from_slice(payload))
    }

    #[inline]
    fn fill(&mut self, len: usize, write: impl FnOnce(&mut Vec<u8>)) -> Packet {
        if len <= MAX_REUSED_BYTES
            && let Some(place) = self.unused()
            && let Some(buffer) = self.buffers.get_mut(place)
            && let Some(bytes) = Arc::get_mut(buffer)
        {
            if len <= bytes.capacity() {
                bytes.clear();
                write(bytes);
                return Packet { bytes: Arc::clone(buffer) };
            }
            // A larger one takes its place.
            self.capacity -= bytes.capacity();
            self.buffers.swap_remove(place);
        }
        let mut bytes = Vec::with_capacity(len);
        write(&mut bytes);
        let capacity = self.capacity + bytes.capacity();
        let packet = Packet::new(bytes);
        if len <= MAX_REUSED_BYTES && self.buffers.len() < MAX_BUFFERS && capacity <= MAX_CAPACITY_BYTES {
            self.capacity = capacity;
            self.buffers.push(Arc::clone(&packet.bytes));
        }
        packet
    }

    /// The place of a buffer that no packet has any more.
    #[inline]
    fn unused(&mut self) -> Option<usize> {
        loop {
            let place = if self.next < self.buffers.len() { self.next } else { 0 };
            self.next = place + 1;
            if Arc::strong_count(self.buffers.get(place)?) == 1 {
                self.passes = (self.passes + 1).min(MAX_BUFFERS);
                return Some(place);
            }
            self.passes = self.passes.checked_sub(1)?;
        }
    }
}

impl fmt::Debug for PacketPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PacketPool")
    }
}

/// Bytes of the largest packet whose buffer is used again.
const MAX_REUSED_BYTES: usize = 1500;

/// Buffers that a pool keeps, used and unused.
const MAX_BUFFERS: usize = 4096;

/// What they may hold together, in bytes: thousands of short packets, or the long ones of some windows. It fills up within minutes,
/// whatever the packets are, so that a server's memory does not seem to grow for hours.
const MAX_CAPACITY_BYTES: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_can_be_sent_and_shared() {
        fn is_shared<T: Send + Sync>() {}
        is_shared::<Packet>();
        is_shared::<PacketPool>();
        let packet = PacketPool::new().packet(&[b"ab", b"", b"c"]);
        let clone = packet.clone();
        let bytes = std::thread::spawn(move || clone.bytes().to_vec()).join().expect("no panic");
        assert_eq!(bytes, packet.bytes());
    }

    #[test]
    fn buffers_are_used_again_once_nobody_has_them() {
        let mut pool = PacketPool::new();
        let packet = pool.packet(&[&[1; 100]]);
        let place = packet.bytes().as_ptr();
        let clone = packet.clone();
        drop(packet);
        assert_ne!(pool.packet(&[&[2; 100]]).bytes().as_ptr(), place);
        assert_eq!(clone.bytes(), [1; 100]);
        drop(clone);
        let places = [3, 4].map(|number| pool.packet(&[&[number; 50]]).bytes().as_ptr());
        assert!(places.contains(&place));
    }

    #[test]
    fn packets_that_are_kept_do_not_make_others_allocate_for_ever() {
        let mut pool = PacketPool::new();
        let kept: Vec<Packet> = (0..100).map(|number| pool.packet(&[&[number; 100]])).collect();
        let mut buffers = 0;
        for number in 0..2000 {
            assert_eq!(pool.packet(&[&[number as u8; 10]]).bytes(), [number as u8; 10]);
            if number == 300 {
                buffers = pool.buffers.len();
            }
        }
        assert!(buffers <= 210 && pool.buffers.len() == buffers, "{buffers} {}", pool.buffers.len());
        assert!((0..).zip(&kept).all(|(number, packet)| packet.bytes() == [number; 100]));
    }

    #[test]
    fn a_pool_keeps_no_more_than_its_share() {
        let mut pool = PacketPool::new();
        let kept: Vec<Packet> = (0..2 * MAX_BUFFERS).map(|_| pool.packet(&[b"abc"])).collect();
        assert_eq!((kept.len(), pool.buffers.len()), (2 * MAX_BUFFERS, MAX_BUFFERS));
    }

    #[test]
    fn a_pool_does_not_grow_with_what_it_has_seen() {
        let mut pool = PacketPool::new();
        let mut state = 7_usize;
        for _ in 0..200_000 {
            let lengths = std::iter::repeat_with(|| {
                state = state.wrapping_mul(25_214_903_917).wrapping_add(11) % (1 << 48);
                (state >> 20) % MAX_REUSED_BYTES
            });
            let packets: Vec<Packet> = lengths.take(9).map(|len| pool.packet(&[&[1; 1500][..len]])).collect();
            drop(packets);
        }
        let kept: usize = pool.buffers.iter().map(|buffer| buffer.capacity()).sum();
        assert_eq!(kept, pool.capacity);
        assert!(kept <= MAX_CAPACITY_BYTES && pool.buffers.len() < 100, "{kept} {}", pool.buffers.len());
    }

    #[test]
    fn many_long_packets_take_the_places_of_short_ones() {
        let mut pool = PacketPool::new();
        drop((0..MAX_BUFFERS).map(|_| pool.packet(&[&[1; 200]])).collect::<Vec<_>>());
        for _ in 0..20 {
            drop((0..150).map(|_| pool.packet(&[&[2; 1400]])).collect::<Vec<_>>());
            assert!(pool.capacity <= MAX_CAPACITY_BYTES);
        }
        let long = pool.buffers.iter().filter(|buffer| buffer.capacity() >= 1400).count();
        assert!(long >= 150, "{long}");
    }

    #[test]
    fn a_large_packet_keeps_no_buffer() {
        let mut pool = PacketPool::new();
        drop(pool.packet(&[&[1; MAX_REUSED_BYTES + 1]]));
        assert!(pool.buffers.is_empty());
    }
}
