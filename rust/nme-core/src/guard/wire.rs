//! Reading ENet datagrams: the header, and commands by their exact first byte. The layouts are in [`super`].

use nme_enet::throttle::ThrottleSettings;

use super::DropReason;

/// Peer number of a datagram that belongs to no peer yet.
pub(super) const NO_PEER: u16 = 0x0fff;

/// Channel of the commands that belong to no channel.
pub(super) const CONTROL_CHANNEL: u8 = 0xff;

/// Byte of a disconnect that asks for no acknowledgement.
pub(crate) const DISCONNECT_UNSEQUENCED: u8 = 0x44;

/// Commands that ENet puts into one datagram at most.
pub(super) const MAX_COMMANDS: usize = 32;

/// Header with sent time, in bytes.
pub(super) const TIMED_HEADER_LEN: usize = 4;

/// Fixed part of a fragment command, in bytes: the largest in front of a payload.
pub(super) const FRAGMENT_LEN: usize = 24;

/// What stands in front of a datagram's commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The receiver's number for the sender, or [`NO_PEER`].
    pub(super) peer: u16,
    /// Two bits that tell the sessions of one peer number apart.
    pub(super) session: u8,
    /// The sender's clock in milliseconds, when one of the commands wants an acknowledgement.
    pub(super) sent_time: Option<u16>,
}

impl Header {
    pub(super) fn read(datagram: &[u8]) -> Result<Self, DropReason> {
        let first = u16_at(datagram, 0).ok_or(DropReason::TooShort)?;
        if first & COMPRESSED != 0 {
            return Err(DropReason::Compressed);
        }
        let sent_time = match first & SENT_TIME {
            0 => None,
            _ => Some(u16_at(datagram, 2).ok_or(DropReason::TooShort)?),
        };
        Ok(Self { peer: first & PEER_MASK, session: (first >> SESSION_SHIFT & 3) as u8, sent_time })
    }

    /// Bytes in front of the first command.
    pub(super) const fn len(&self) -> usize {
        if self.sent_time.is_some() { TIMED_HEADER_LEN } else { 2 }
    }
}

/// One command of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// Where it begins in the datagram.
    pub(super) start: usize,
    /// Where it ends, payload included.
    pub(super) end: usize,
    /// True when the sender waits for an acknowledgement.
    pub(super) acknowledge: bool,
    pub(super) channel: u8,
    /// Reliable sequence number: its own when it is reliable, otherwise the one it must not overtake.
    pub(super) sequence: u16,
    pub(super) body: Body,
}

impl Command {
    const NONE: Self =
        Self { start: 0, end: 0, acknowledge: false, channel: 0, sequence: 0, body: Body::Ping };

    fn read(datagram: &[u8], start: usize) -> Result<Self, DropReason> {
        let code = *datagram.get(start).ok_or(DropReason::Truncated)?;
        let fixed_len = fixed_len(code).ok_or(DropReason::UnknownCommand)?;
        let fixed = datagram.get(start..start + fixed_len).ok_or(DropReason::Truncated)?;
        let mut command = Self::fixed(code, fixed).ok_or(DropReason::Truncated)?;
        command.start = start;
        command.end = start + fixed_len + command.body.payload_len();
        if command.end > datagram.len() {
            return Err(DropReason::Truncated);
        }
        Ok(command)
    }

    /// Reads the part before the payload; `None` only when `fixed` is too short.
    fn fixed(code: u8, fixed: &[u8]) -> Option<Self> {
        let channel = *fixed.get(1)?;
        let sequence = u16_at(fixed, 2)?;
        let body = match code {
            0x01 => Body::Acknowledge { sequence: u16_at(fixed, 4)?, sent_time: u16_at(fixed, 6)? },
            0x82 => Body::Connect,
            0x83 => Body::Verify,
            0x84 | DISCONNECT_UNSEQUENCED => Body::Disconnect,
            0x85 => Body::Ping,
            0x86 => Body::Reliable { len: u16_at(fixed, 4)? },
            0x07 => Body::Unreliable { sequence: u16_at(fixed, 4)?, len: u16_at(fixed, 6)? },
            0x88 => Body::Fragment(Fragment::read(fixed)?),
            0x49 => Body::Unsequenced { len: u16_at(fixed, 6)? },
            0x8a => Body::BandwidthLimit,
            0x8b => Body::ThrottleConfigure(throttle_settings(fixed, 4)?),
            0x0c => Body::UnreliableFragment(Fragment::read(fixed)?),
            _ => return None,
        };
        Some(Self { acknowledge: code & 0x80 != 0, channel, sequence, body, ..Self::NONE })
    }
}

/// What a command says besides channel and sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Acknowledge { sequence: u16, sent_time: u16 },
    Connect,
    Verify,
    Disconnect,
    Ping,
    Reliable { len: u16 },
    Unreliable { sequence: u16, len: u16 },
    Fragment(Fragment),
    Unsequenced { len: u16 },
    BandwidthLimit,
    ThrottleConfigure(ThrottleSettings),
    UnreliableFragment(Fragment),
}

impl Body {
    fn payload_len(&self) -> usize {
        match *self {
            Self::Reliable { len } | Self::Unreliable { len, .. } | Self::Unsequenced { len } => len.into(),
            Self::Fragment(fragment) | Self::UnreliableFragment(fragment) => fragment.len.into(),
            _ => 0,
        }
    }
}

/// The fields of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    /// Sequence number of the packet's first fragment: a reliable one takes one number for each fragment,
    /// an unreliable one a single unreliable number for all.
    pub(super) start: u16,
    /// Payload bytes here.
    pub(super) len: u16,
    /// Fragments of the packet.
    pub(super) count: u32,
    /// Which of them this is, from 0.
    pub(super) number: u32,
    /// Bytes of the whole packet.
    pub(super) total: u32,
    /// Where this payload belongs in it.
    pub(super) offset: u32,
}

impl Fragment {
    fn read(fixed: &[u8]) -> Option<Self> {
        Some(Self {
            start: u16_at(fixed, 4)?,
            len: u16_at(fixed, 6)?,
            count: u32_at(fixed, 8)?,
            number: u32_at(fixed, 12)?,
            total: u32_at(fixed, 16)?,
            offset: u32_at(fixed, 20)?,
        })
    }
}

/// Reads command after command; an error is the last item.
pub(super) struct Commands<'a> {
    datagram: &'a [u8],
    at: usize,
}

impl<'a> Commands<'a> {
    pub(super) const fn new(datagram: &'a [u8], header: &Header) -> Self {
        Self { datagram, at: header.len() }
    }
}

impl Iterator for Commands<'_> {
    type Item = Result<Command, DropReason>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.datagram.len() {
            return None;
        }
        let command = Command::read(self.datagram, self.at);
        self.at = command.map_or(self.datagram.len(), |command| command.end);
        Some(command)
    }
}

/// All commands of a datagram, on the stack.
pub(super) struct CommandList {
    commands: [Command; MAX_COMMANDS],
    len: usize,
}

impl CommandList {
    /// Reads to the exact end of the datagram.
    pub(super) fn read(datagram: &[u8], header: &Header) -> Result<Self, DropReason> {
        let mut list = Self { commands: [Command::NONE; MAX_COMMANDS], len: 0 };
        for command in Commands::new(datagram, header) {
            let place = list.commands.get_mut(list.len).ok_or(DropReason::TooManyCommands)?;
            *place = command?;
            list.len += 1;
        }
        if list.len == 0 { Err(DropReason::Empty) } else { Ok(list) }
    }

    pub(super) fn as_slice(&self) -> &[Command] {
        &self.commands[..self.len]
    }
}

/// The big-endian number at `at`.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*field))
}

/// The big-endian number at `at`.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*field))
}

/// The three fields of a throttle at `at`.
pub(super) fn throttle_settings(bytes: &[u8], at: usize) -> Option<ThrottleSettings> {
    let (interval, acceleration, deceleration) =
        (u32_at(bytes, at)?, u32_at(bytes, at + 4)?, u32_at(bytes, at + 8)?);
    Some(ThrottleSettings { interval, acceleration, deceleration })
}

/// Bytes of a command before its payload, for the command bytes that ENet sends.
const fn fixed_len(code: u8) -> Option<usize> {
    match code {
        0x85 => Some(4),
        0x86 => Some(6),
        0x01 | 0x84 | DISCONNECT_UNSEQUENCED | 0x07 | 0x49 => Some(8),
        0x8a => Some(12),
        0x8b => Some(16),
        0x88 | 0x0c => Some(FRAGMENT_LEN),
        0x83 => Some(44),
        0x82 => Some(48),
        _ => None,
    }
}

/// The header of a datagram without sent time.
pub(super) const fn plain_header(peer: u16, session: u8) -> u16 {
    (peer & PEER_MASK) | ((session as u16 & 3) << SESSION_SHIFT)
}

const PEER_MASK: u16 = 0x0fff;
const SESSION_SHIFT: u16 = 12;
const COMPRESSED: u16 = 0x4000;
const SENT_TIME: u16 = 0x8000;
