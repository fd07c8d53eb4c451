//! Packets with a few bytes changed: taken and refused as by another decoder, written from the description of the protocol alone.
mod common;

use common::{lines, unhex};
use nme_godot3::{DecodeError, Limits, PathCache};

/// Where we are stricter, wherever it happens; and what is not a matter of a packet's bytes.
const fn is_expected(error: DecodeError) -> bool {
    matches!(
        error,
        DecodeError::PathRefused(_)
            | DecodeError::BadUtf8
            | DecodeError::NameTooLong
            | DecodeError::UnknownPath(_)
            | DecodeError::NotAnnounced
    )
}

#[test]
fn verdicts_are_those_of_another_decoder() {
    let (mut taken, mut refused, mut stricter) = (0, 0, 0);
    for columns in lines(include_str!("vectors/godot3_mutated.txt")) {
        let packet = unhex(columns[1]);
        let mut cache = PathCache::new();
        if let [0 | 1, id @ ..] = &packet[..]
            && let Some(id) = id.first_chunk::<4>()
        {
            let announcement = [&[2][..], &id[..], b"Main\0"].concat();
            cache.receive(7, &announcement, &Limits::default()).expect("an announcement");
        }
        match (columns[0], cache.receive(7, &packet, &Limits::default())) {
            // What 3.6 ignores without a message is neither.
            ("taken", Ok(_)) => taken += 1,
            ("refused", Err(_)) => refused += 1,
            ("taken", Err(error)) if is_expected(error) => stricter += 1,
            (verdict, received) => {
                let is_unknown_command = packet[0] > 4;
                assert!(is_unknown_command, "{}: {verdict}, and here {received:?}", columns[1]);
            }
        }
    }
    assert!(taken > 300 && refused > 300 && stricter < 300, "{taken} {refused} {stricter}");
}
