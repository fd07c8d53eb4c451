//! The padding of 3.6: an input under 16 bytes is filled with zeros to 16 before it is compressed, so the other
//! side gets those zeros behind the commands. ENet's own parser stops at them. The guard takes nothing but whole
//! commands, so they are cut off here.
//!
//! That a datagram was padded is certain, not guessed: it is 16 bytes long, whole commands fill less than that,
//! and all behind them is zero, which begins no command. Without padding, whole commands fill all of it.
//!
//! 3.6 itself hardly ever sends such a datagram, as ENet takes a compressed form only when it is smaller: 16
//! bytes with at most two repeats come out under 15 only when they are nearly all zero, and commands are not.

use nme_enet::wire::{Commands, fixed_len};

/// Length that 3.6 pads to.
pub(in crate::codec) const PADDED_LEN: usize = 16;

/// The length of `commands` without their padding.
pub(super) fn without(commands: &[u8]) -> usize {
    if commands.len() != PADDED_LEN {
        return commands.len();
    }
    let whole = Commands::new(commands).map_while(Result::ok);
    let end = whole.map(|(command, payload)| fixed_len(command.code) + payload.len()).sum();
    let padding = &commands[end..];
    if end > 0 && padding.iter().all(|byte| *byte == 0) { end } else { commands.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(commands: &[u8]) -> Vec<u8> {
        let mut bytes = commands.to_vec();
        bytes.resize(PADDED_LEN, 0);
        bytes
    }

    const PING: &[u8] = &[0x85, 0xff, 0, 7];
    const ACK: &[u8] = &[0x01, 1, 1, 2, 1, 2, 0x4a, 0x31];
    /// A notice of 8 bytes, with a peer id that ends in zeros.
    const NOTICE: &[u8] = &[0x86, 0, 0, 1, 0, 8, 1, 0, 0, 0, 0, 0, 0, 0];

    #[test]
    fn what_is_behind_whole_commands_is_cut() {
        for commands in [PING, ACK, NOTICE, &[ACK, PING].concat(), &[PING, PING].concat()] {
            assert_eq!(without(&padded(commands)), commands.len());
        }
        let one_byte = [0x86, 1, 0, 3, 0, 9, 0, 0, 0, 2, 1, 0, 0, 0, 0];
        assert_eq!(without(&padded(&one_byte)), 15);
        let ends_in_zeros = [0x8a, 0xff, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(without(&padded(&ends_in_zeros)), 12);
    }

    #[test]
    fn whole_commands_stay_whole() {
        let acks = [ACK, ACK].concat();
        assert_eq!(without(&acks), 16);
        // A payload of zeros to the end.
        let payload = [0x86, 1, 0, 3, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(without(&payload), 16);
    }

    #[test]
    fn other_lengths_and_other_bytes_stay() {
        assert_eq!(without(PING), 4);
        assert_eq!(without(&[&[0x85, 0xff, 0, 7][..], &[0; 13]].concat()), 17);
        assert_eq!(without(&[0; 16]), 16);
        let mut damaged = padded(PING);
        damaged[15] = 1;
        assert_eq!(without(&damaged), 16);
        let mut cut_off = padded(PING);
        cut_off[4] = 0x82;
        assert_eq!(without(&cut_off), 16);
        // Longer than what is there.
        assert_eq!(without(&padded(&[0x86, 0, 0, 1, 0, 90])), 16);
    }
}
