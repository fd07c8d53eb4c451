//! What a packet costs in memory while it is read, also if its counts are lies.
mod common;

use std::alloc::System;

use common::{call_with, packets_of_godot_3};
use nme_godot3::{DecodeError, Limits, PathCache};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes of memory for each byte of a packet, at most, all that is taken together: a Nil has 4 bytes in a packet and
/// 56 in memory, and arrays grow by doubling.
const PER_BYTE: usize = 32;
/// Bytes of memory for counts that turn out to be lies: 16 pairs on each of 128 levels.
const CLAIMED: usize = 256 << 10;

fn taken(packet: &[u8]) -> usize {
    let mut cache = PathCache::new();
    let limits = Limits { objects: true, ..Limits::default() };
    let region = Region::new(ALLOCATOR);
    let _ = cache.receive(7, packet, &limits);
    let change = region.change();
    change.bytes_allocated + usize::try_from(change.bytes_reallocated).unwrap_or_default()
}

// One test: the allocator counts for all threads of the process.
#[test]
fn memory_is_bounded_by_the_length_of_the_packet_and_the_limits() {
    for (name, mut packet) in packets_of_godot_3() {
        let step = packet.len() / 200 + 1;
        for at in (0..packet.len()).step_by(step) {
            let right = packet[at];
            for wrong in [right, 0x7f, 0xff] {
                packet[at] = wrong;
                let taken = taken(&packet);
                assert!(taken <= PER_BYTE * packet.len() + CLAIMED, "{name}: {taken} for {}", packet.len());
            }
            packet[at] = right;
        }
    }
    // Each array says that it has as many members as there are words behind it.
    for code in [18, 19] {
        let words = 100_000;
        let mut argument = Vec::new();
        for level in 0..128 {
            argument.extend_from_slice(&u32::to_le_bytes(code));
            argument.extend_from_slice(&u32::to_le_bytes((words - 2 * level) / 1024));
        }
        argument.resize(4 * words as usize, 0xff);
        let packet = call_with(&argument);
        assert_eq!(
            PathCache::new().receive(7, &packet, &Limits::default()),
            Err(DecodeError::UnknownType(0xff)),
            "as deep as it goes"
        );
        let taken = taken(&packet);
        assert!(taken <= CLAIMED, "{taken}");
    }
    // Refused before anything is kept.
    let million = [&19_u32.to_le_bytes()[..], &1_000_000_u32.to_le_bytes(), &vec![0; 4_000_000]].concat();
    assert!(taken(&call_with(&million)) < 1024);
}
