//! Packets on their way into the engine and out of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nme_enet::{Delivery, Packet};
use rusty_enet as enet;

use crate::debug_text;

/// What waits for one peer to be sent or acknowledged, in bytes; a packet counts [`MIN_COST`] at least.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unacknowledged(Arc<AtomicU64>);

impl Unacknowledged {
    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

pub(crate) fn cost(packet: &Packet) -> u64 {
    packet.len().max(MIN_COST) as u64
}

/// Shares its bytes with the engine, which drops it once it has been acknowledged, sent or forgotten.
struct Queued {
    packet: Packet,
    unacknowledged: Unacknowledged,
}

impl AsRef<[u8]> for Queued {
    fn as_ref(&self) -> &[u8] {
        self.packet.bytes()
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.unacknowledged.0.fetch_sub(cost(&self.packet), Ordering::Relaxed);
    }
}

/// The engine's packet of the same bytes. It counts as unacknowledged until the engine has dropped it.
pub(crate) fn to_engine(
    packet: &Packet,
    delivery: Delivery,
    unacknowledged: &Unacknowledged,
) -> enet::Packet {
    let kind = match delivery {
        Delivery::Reliable => enet::PacketKind::Reliable,
        Delivery::Unsequenced => enet::PacketKind::AlwaysUnreliable { sequenced: false },
        Delivery::Sequenced => enet::PacketKind::AlwaysUnreliable { sequenced: true },
    };
    unacknowledged.0.fetch_add(cost(packet), Ordering::Relaxed);
    enet::Packet::new(
        Box::new(Queued { packet: packet.clone(), unacknowledged: unacknowledged.clone() }),
        kind,
    )
}

/// How a packet has come. The engine's own answer is "reliable" for every packet.
pub(crate) fn delivery(packet: &enet::Packet) -> Delivery {
    let [flags] = debug_text::numbers(packet, ["flags"]);
    if flags & FLAG_RELIABLE != 0 {
        Delivery::Reliable
    } else if flags & FLAG_UNSEQUENCED != 0 {
        Delivery::Unsequenced
    } else {
        Delivery::Sequenced
    }
}

/// A tiny packet costs more memory than its payload.
const MIN_COST: usize = 256;
const FLAG_RELIABLE: u32 = 1;
const FLAG_UNSEQUENCED: u32 = 2;
