//! Which of the two protocols a peer speaks: Godot 3.6's, or the one of Godot 4.

use crate::packet::{self, code};

/// A protocol of remote calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `MultiplayerAPI` of Godot 3.6.
    Godot3,
    /// `SceneMultiplayer` of Godot 4.
    Godot4,
}

/// A packet that makes a peer show its dialect; send it reliably.
///
/// Godot 3.6 takes it for the announcement of the empty path and sends [`probe_answer`]. Godot 4.3 and later take it for
/// the confirmation of an unknown id. Neither prints anything.
pub const PROBE: [u8; 6] = [code::ANNOUNCEMENT, 0x01, 0xff, 0xff, 0xff, 0];

/// What Godot 3.6 answers to [`PROBE`].
#[must_use]
pub const fn probe_answer() -> [u8; 2] {
    [code::CONFIRMATION, 0]
}

/// Whether a packet is [`probe_answer`]. It may come after the dialect was decided otherwise.
#[must_use]
pub fn is_probe_answer(packet: &[u8]) -> bool {
    packet == probe_answer()
}

/// Which dialect a first packet of a probed peer shows. `None`: not yet known, and the packet has to wait for the
/// next one, or for a time limit.
#[must_use]
pub fn detect(packet: &[u8]) -> Option<Dialect> {
    let (&first, rest) = packet.split_first()?;
    match first {
        // A call of 3.6 with its path. A call of Godot 4 by id can have the bit, too, but then the offset, in which its
        // number of arguments stands for 65 536 each, lies beyond its end.
        code::CALL | code::SET if packet::path_offset(packet).is_some() => Some(Dialect::Godot3),
        // An announcement of Godot 4: a checksum in hexadecimal digits and NUL, an id, a path.
        code::SET if is_announcement_of_godot_4(rest) => Some(Dialect::Godot4),
        // A confirmation of Godot 4 has exactly 6 bytes.
        code::ANNOUNCEMENT if packet.len() > 4 && packet.len() != 6 => Some(Dialect::Godot3),
        code::CONFIRMATION if is_probe_answer(packet) => Some(Dialect::Godot3),
        // Godot 4 spawns nothing before it has announced the spawner.
        code::RAW if packet.len() > 1 => Some(Dialect::Godot3),
        _ if is_command_of_godot_4(first) => Some(Dialect::Godot4),
        _ => None,
    }
}

/// Despawn, synchronize, system, and calls with any flag. Bit 3 is never set.
const fn is_command_of_godot_4(first: u8) -> bool {
    let (command, flags) = (first & 0x0f, first >> 4);
    match command {
        // The fourth size of a node id does not exist.
        0 => flags != 0 && flags & 3 != 3,
        5 | 7 => flags == 0,
        6 => flags <= 1,
        _ => false,
    }
}

fn is_announcement_of_godot_4(rest: &[u8]) -> bool {
    rest.len() >= CHECKSUM + 1 + 4
        && rest[..CHECKSUM].iter().all(u8::is_ascii_hexdigit)
        && rest[CHECKSUM] == 0
}

/// Bytes of an MD5 sum in hexadecimal digits.
const CHECKSUM: usize = 32;
