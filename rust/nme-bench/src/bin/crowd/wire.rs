//! ENet's bytes, as far as a client needs them: what it writes, and how it reads a datagram.
//!
//! Numbers are big-endian. A datagram is a header (u16 peer id, session and flags; u16 sent time when flagged)
//! and commands, each with a command header (u8 command and flags, u8 channel, u16 reliable sequence number).

/// The longest datagram of ENet 1.3.
pub(crate) const MAX_DATAGRAM: usize = 1400;

/// Commands of one datagram, as many as ENet's own sender puts there.
pub(crate) const MAX_COMMANDS: usize = 32;

/// The peer id of somebody who does not know it yet.
pub(crate) const NO_PEER: u16 = 0xfff;

/// The channel of commands that belong to none.
pub(crate) const NO_CHANNEL: u8 = 0xff;

pub(crate) const FLAG_SENT_TIME: u16 = 0x8000;
pub(crate) const FLAG_COMPRESSED: u16 = 0x4000;
const SESSION_SHIFT: u16 = 12;
const SESSION_MASK: u16 = 0x3000;

const FLAG_ACKNOWLEDGE: u8 = 0x80;
const FLAG_UNSEQUENCED: u8 = 0x40;

const ACKNOWLEDGE: u8 = 1;
const CONNECT: u8 = 2;
const VERIFY_CONNECT: u8 = 3;
const DISCONNECT: u8 = 4;
const PING: u8 = 5;
const SEND_RELIABLE: u8 = 6;
const SEND_UNRELIABLE: u8 = 7;
const SEND_FRAGMENT: u8 = 8;
const SEND_UNSEQUENCED: u8 = 9;
const BANDWIDTH_LIMIT: u8 = 10;
const THROTTLE_CONFIGURE: u8 = 11;
const SEND_UNRELIABLE_FRAGMENT: u8 = 12;

/// What a client knows of its connection after the handshake.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) peer: u16,
    pub(crate) session: u8,
}

impl Route {
    /// Before the server has answered.
    pub(crate) const NONE: Self = Self { peer: NO_PEER, session: 0 };

    /// The first two bytes of a datagram.
    pub(crate) const fn header(self, flags: u16) -> [u8; 2] {
        (self.peer | (((self.session as u16) << SESSION_SHIFT) & SESSION_MASK) | flags).to_be_bytes()
    }
}

/// A request that the server acknowledges a command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receipt {
    channel: u8,
    sequence: u16,
    sent_time: u16,
}

/// A command that came in.
#[derive(Debug)]
pub(crate) enum Command<'a> {
    /// The server has taken the connection.
    Verified(Route),
    /// The server has ended it.
    Disconnected,
    /// A packet; `sequence` is that of its channel when it is reliable.
    Packet { channel: u8, sequence: Option<u16>, payload: &'a [u8] },
    /// Nothing that a client of the crowd cares for.
    Other,
}

/// Appends a request for a connection.
pub(crate) fn put_connect(out: &mut Vec<u8>, channels: u32, connect_id: u32, data: u32) {
    out.extend_from_slice(&[CONNECT | FLAG_ACKNOWLEDGE, NO_CHANNEL]);
    out.extend_from_slice(&1_u16.to_be_bytes());
    // The own peer id, and no sessions yet.
    out.extend_from_slice(&[0, 0, 0xff, 0xff]);
    // MTU, window, channels, both bandwidths, and the throttle's interval, acceleration and deceleration.
    for number in [1392, 65_536, channels, 0, 0, 5000, 2, 2, connect_id, data] {
        out.extend_from_slice(&number.to_be_bytes());
    }
}

/// Appends an acknowledgement.
pub(crate) fn put_acknowledge(out: &mut Vec<u8>, receipt: Receipt) {
    out.extend_from_slice(&[ACKNOWLEDGE, receipt.channel]);
    out.extend_from_slice(&receipt.sequence.to_be_bytes());
    out.extend_from_slice(&receipt.sequence.to_be_bytes());
    out.extend_from_slice(&receipt.sent_time.to_be_bytes());
}

/// Appends an unreliable packet of `len` bytes, whose bytes come next; `group` counts up from 1.
pub(crate) fn put_unsequenced(out: &mut Vec<u8>, channel: u8, group: u16, len: u16) {
    out.extend_from_slice(&[SEND_UNSEQUENCED | FLAG_UNSEQUENCED, channel, 0, 0]);
    out.extend_from_slice(&group.to_be_bytes());
    out.extend_from_slice(&len.to_be_bytes());
}

/// The flags and the sent time of a datagram, and what is behind them.
pub(crate) fn split_header(datagram: &[u8]) -> Option<(u16, u16, &[u8])> {
    let (peer, rest) = split_u16(datagram)?;
    let flags = peer & (FLAG_SENT_TIME | FLAG_COMPRESSED);
    if flags & FLAG_SENT_TIME == 0 {
        return Some((flags, 0, rest));
    }
    let (sent_time, rest) = split_u16(rest)?;
    Some((flags, sent_time, rest))
}

/// Takes one command off `bytes`; `None` at the end, or at bytes that are no command.
pub(crate) fn next_command<'a>(
    bytes: &mut &'a [u8],
    sent_time: u16,
) -> Option<(Command<'a>, Option<Receipt>)> {
    let (&[command, channel, high, low], body) = bytes.split_first_chunk::<4>()?;
    let sequence = u16::from_be_bytes([high, low]);
    let receipt = (command & FLAG_ACKNOWLEDGE != 0).then_some(Receipt { channel, sequence, sent_time });
    let kind = command & 0x0f;
    let fixed = match kind {
        ACKNOWLEDGE | DISCONNECT => 4,
        CONNECT => 44,
        VERIFY_CONNECT => 40,
        PING => 0,
        SEND_RELIABLE => 2,
        SEND_UNRELIABLE | SEND_UNSEQUENCED => 4,
        SEND_FRAGMENT | SEND_UNRELIABLE_FRAGMENT => 20,
        BANDWIDTH_LIMIT => 8,
        THROTTLE_CONFIGURE => 12,
        _ => return None,
    };
    let (fields, rest) = body.split_at_checked(fixed)?;
    let len = match kind {
        SEND_RELIABLE => u16_at(fields, 0)?,
        SEND_UNRELIABLE | SEND_UNSEQUENCED | SEND_FRAGMENT | SEND_UNRELIABLE_FRAGMENT => u16_at(fields, 2)?,
        _ => 0,
    };
    let (payload, rest) = rest.split_at_checked(len.into())?;
    *bytes = rest;
    let command = match kind {
        VERIFY_CONNECT => Command::Verified(Route { peer: u16_at(fields, 0)?, session: fields[3] }),
        DISCONNECT => Command::Disconnected,
        SEND_RELIABLE => Command::Packet { channel, sequence: Some(sequence), payload },
        SEND_UNRELIABLE | SEND_UNSEQUENCED => Command::Packet { channel, sequence: None, payload },
        // No scenario has packets that are longer than a datagram.
        _ => Command::Other,
    };
    Some((command, receipt))
}

fn split_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*number), rest))
}

fn u16_at(bytes: &[u8], index: usize) -> Option<u16> {
    Some(split_u16(bytes.get(index..)?)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_read_command_by_command() {
        let mut bytes = vec![0x80, 0x00, 0x12, 0x34];
        bytes.extend_from_slice(&[PING | FLAG_ACKNOWLEDGE, NO_CHANNEL, 0, 7]);
        bytes.extend_from_slice(&[SEND_RELIABLE | FLAG_ACKNOWLEDGE, 1, 0, 9, 0, 2, b'h', b'i']);
        put_unsequenced(&mut bytes, 2, 1, 3);
        bytes.extend_from_slice(b"you");

        let (flags, sent_time, mut rest) = split_header(&bytes).expect("a header");
        assert_eq!((flags, sent_time), (FLAG_SENT_TIME, 0x1234));
        let (command, receipt) = next_command(&mut rest, sent_time).expect("a ping");
        assert!(matches!(command, Command::Other));
        assert!(matches!(receipt, Some(Receipt { channel: NO_CHANNEL, sequence: 7, sent_time: 0x1234 })));
        let (command, receipt) = next_command(&mut rest, sent_time).expect("a reliable packet");
        assert!(matches!(command, Command::Packet { channel: 1, sequence: Some(9), payload: b"hi" }));
        assert!(receipt.is_some());
        let (command, receipt) = next_command(&mut rest, sent_time).expect("an unreliable packet");
        assert!(matches!(command, Command::Packet { channel: 2, sequence: None, payload: b"you" }));
        assert!(receipt.is_none());
        assert!(next_command(&mut rest, sent_time).is_none());
    }

    #[test]
    fn the_commands_of_a_client_have_enets_lengths() {
        let mut out = Vec::new();
        put_connect(&mut out, 3, 4, 5);
        assert_eq!(out.len(), 48);
        out.clear();
        put_acknowledge(&mut out, Receipt { channel: 1, sequence: 2, sent_time: 3 });
        assert_eq!(out, [1, 1, 0, 2, 0, 2, 0, 3]);
    }

    #[test]
    fn cut_off_commands_are_not_read() {
        let whole = [SEND_RELIABLE | FLAG_ACKNOWLEDGE, 1, 0, 9, 0, 2, b'h', b'i'];
        for len in 0..whole.len() {
            assert!(next_command(&mut &whole[..len], 0).is_none(), "{len} bytes");
        }
    }

    #[test]
    fn the_header_carries_peer_session_and_flags() {
        assert_eq!(Route { peer: 0x123, session: 2 }.header(FLAG_SENT_TIME), [0xa1, 0x23]);
        assert_eq!(Route::NONE.header(0), [0x0f, 0xff]);
    }
}
