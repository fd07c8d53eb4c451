//! Packets: bytes that are shared, not copied, by all who send or keep them.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

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
#[derive(Clone)]
pub struct Packet {
    /// `None` only while it is dropped.
    buffer: Option<Arc<Buffer>>,
}

struct Buffer {
    bytes: Vec<u8>,
    /// Where the buffer goes when nobody uses it any more.
    home: Option<Arc<Shelf>>,
}

type Shelf = Mutex<Vec<Arc<Buffer>>>;

impl Packet {
    /// A packet of these bytes, which are not copied.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { buffer: Some(Arc::new(Buffer { bytes, home: None })) }
    }

    /// The packet's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.buffer.as_ref().map_or(&[], |buffer| &buffer.bytes)
    }
}

impl Deref for Packet {
    type Target = [u8];

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

impl PartialEq for Packet {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Packet {}

impl Drop for Packet {
    fn drop(&mut self) {
        // When two threads drop the last two clones at once, neither may see itself as the last: then the buffer is
        // freed, which is correct, too.
        if let Some(mut buffer) = self.buffer.take()
            // Cheaper than to be told by the next line.
            && Arc::strong_count(&buffer) == 1
            && let Some(unused) = Arc::get_mut(&mut buffer)
            && let Some(home) = unused.home.take()
        {
            let mut shelf = home.lock().unwrap_or_else(PoisonError::into_inner);
            if shelf.len() < MAX_UNUSED_BUFFERS {
                shelf.push(buffer);
            }
        }
    }
}

/// Makes packets out of the buffers of earlier ones. A clone shares the buffers.
#[derive(Clone, Default)]
pub struct PacketPool {
    shelf: Arc<Shelf>,
}

impl PacketPool {
    /// A pool without buffers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A packet of all these parts, one behind the other. Allocates only when it is larger than a datagram, or when
    /// no earlier packet has been dropped.
    #[must_use]
    pub fn packet(&self, parts: &[&[u8]]) -> Packet {
        let len = parts.iter().fold(0, |len, part| len + part.len());
        if len > MAX_REUSED_BYTES {
            return Packet::new(parts.concat());
        }
        let used = self.shelf.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = used.unwrap_or_else(|| Arc::new(Buffer { bytes: Vec::new(), home: None }));
        if let Some(unused) = Arc::get_mut(&mut buffer) {
            unused.home = Some(Arc::clone(&self.shelf));
            unused.bytes.clear();
            parts.iter().for_each(|part| unused.bytes.extend_from_slice(part));
        }
        Packet { buffer: Some(buffer) }
    }
}

impl fmt::Debug for PacketPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PacketPool")
    }
}

/// Bytes of the largest packet whose buffer is used again.
const MAX_REUSED_BYTES: usize = 1500;

/// Buffers that wait to be used again, at most.
const MAX_UNUSED_BUFFERS: usize = 4096;

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
        let pool = PacketPool::new();
        let packet = pool.packet(&[&[1; 100]]);
        let place = packet.bytes().as_ptr();
        let clone = packet.clone();
        drop(packet);
        assert_ne!(pool.packet(&[&[2; 100]]).bytes().as_ptr(), place);
        assert_eq!(clone.bytes(), [1; 100]);
        drop(clone);
        assert_eq!(pool.packet(&[&[3; 50]]).bytes().as_ptr(), place);
    }

    #[test]
    fn a_large_packet_keeps_no_buffer() {
        let pool = PacketPool::new();
        drop(pool.packet(&[&[1; MAX_REUSED_BYTES + 1]]));
        assert!(pool.shelf.lock().expect("no panic").is_empty());
    }
}
