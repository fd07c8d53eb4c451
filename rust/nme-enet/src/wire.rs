//! ENet's datagrams, read and written from one table. Nothing else in this crate knows where a byte stands.
//!
//! All numbers are big-endian. A datagram is a header and 1 to 32 commands, the MTU at most:
//!
//! | bytes | header |
//! |---|---|
//! | 2 | 0x8000 sent time follows, 0x4000 compressed, 2 bits session, 12 bits peer (the receiver's number for the sender; 0xfff: none yet) |
//! | 2 | with 0x8000 only: the sender's clock in ms, which an acknowledgement returns |
//!
//! Every command begins with its code, the channel (u8; 0xff: none) and the reliable sequence number (u16). Bit 0x80 of
//! the code asks for an acknowledgement, 0x40 takes the command out of the sequence. The table below names the rest.

use crate::reason::DropReason;

/// Declares the fields of a structure in the order in which they stand on the wire.
macro_rules! fields {
    ($(#[$doc:meta])* $vis:vis $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis struct $name { $($(#[$field_doc])* $vis $field: $type,)* }

        impl Field for $name {
            const LEN: usize = 0 $(+ <$type as Field>::LEN)*;

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: Field::read(bytes)?,)* })
            }

            fn write(&self, out: &mut Writer<'_>) {
                $(self.$field.write(out);)*
            }
        }
    };
}

/// Declares all commands: the codes that ENet sends, and the fields behind the first 4 bytes.
macro_rules! commands {
    ($($(#[$doc:meta])* [$($code:literal)+] $name:ident { $($field:ident: $type:ty),* })*) => {
        /// What a command says besides channel and sequence number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Body { $($(#[$doc])* $name { $($field: $type),* },)* }

        impl Body {
            /// Reads the fields of a command with this code; `None` for a code that ENet never sends.
            fn read(code: u8, bytes: &mut &[u8]) -> Option<Self> {
                match code {
                    $($($code)|+ => Some(Self::$name { $($field: Field::read(bytes)?),* }),)*
                    _ => None,
                }
            }

            fn write(&self, out: &mut Writer<'_>) {
                match self {
                    $(Self::$name { $($field),* } => { $($field.write(out);)* })*
                }
            }

            /// Bytes of a command with this code in front of its payload.
            const fn fixed_len(code: u8) -> Option<usize> {
                match code {
                    $($($code)|+ => Some(4 $(+ <$type as Field>::LEN)*),)*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    /// The second code asks for an acknowledgement of the acknowledgement: a server's way to see whether an address
    /// is real.
    [0x01 0x81] Acknowledge { sequence: u16, sent_time: u16 }
    [0x82] Connect { handshake: Handshake, data: u32 }
    [0x83] Verify { handshake: Handshake }
    /// With and without acknowledgement.
    [0x84 0x44] Disconnect { data: u32 }
    [0x85] Ping {}
    [0x86] Reliable { len: u16 }
    [0x07] Unreliable { number: u16, len: u16 }
    [0x88] Fragment { fragment: Fragment }
    [0x49] Unsequenced { group: u16, len: u16 }
    [0x8a] BandwidthLimit { incoming: u32, outgoing: u32 }
    [0x8b] ThrottleConfigure { throttle: ThrottleSettings }
    [0x0c] UnreliableFragment { fragment: Fragment }
}

pub(crate) mod code {
    //! The codes by name, for who writes commands.
    pub(crate) const ACKNOWLEDGE: u8 = 0x01;
    pub(crate) const PROBE: u8 = 0x81;
    pub(crate) const CONNECT: u8 = 0x82;
    pub(crate) const VERIFY: u8 = 0x83;
    pub(crate) const DISCONNECT: u8 = 0x84;
    pub(crate) const DISCONNECT_UNSEQUENCED: u8 = 0x44;
    pub(crate) const PING: u8 = 0x85;
    pub(crate) const RELIABLE: u8 = 0x86;
    pub(crate) const UNRELIABLE: u8 = 0x07;
    pub(crate) const FRAGMENT: u8 = 0x88;
    pub(crate) const UNSEQUENCED: u8 = 0x49;
    pub(crate) const BANDWIDTH_LIMIT: u8 = 0x8a;
    pub(crate) const THROTTLE_CONFIGURE: u8 = 0x8b;
    pub(crate) const UNRELIABLE_FRAGMENT: u8 = 0x0c;
}

fields! {
    /// The fields of a connect request and of its answer.
    pub(crate) Handshake {
        /// The sender's number for the receiver: what the receiver puts into its headers from now on.
        peer: u16,
        /// Request: the session numbers last used, or 0xff. Answer: the number in headers towards the client.
        incoming_session: u8,
        /// As above, towards the server.
        outgoing_session: u8,
        mtu: u32,
        /// Unacknowledged bytes that the sender is ready to have in flight.
        window: u32,
        channels: u32,
        /// Bytes/s that the sender can take; 0 is no limit.
        in_bandwidth: u32,
        /// Bytes/s that the sender can send; 0 is no limit.
        out_bandwidth: u32,
        throttle: ThrottleSettings,
        /// Random number of this attempt.
        connect_id: u32,
    }
}

fields! {
    /// How a throttle moves. Both sides of a connection have the same.
    pub ThrottleSettings {
        /// Over how long it judges, in ms.
        interval: u32,
        /// By how much the share rises, in thirty-seconds.
        acceleration: u32,
        /// By how much it falls, in thirty-seconds.
        deceleration: u32,
    }
}

fields! {
    /// The fields of a fragment.
    pub(crate) Fragment {
        /// Sequence number of the packet's first fragment: a reliable one takes one number for each fragment, an
        /// unreliable one a single unreliable number for all.
        start: u16,
        /// Payload bytes here.
        len: u16,
        /// Fragments of the packet.
        count: u32,
        /// Which of them this is, from 0.
        number: u32,
        /// Bytes of the whole packet.
        total: u32,
        /// Where this payload belongs in it.
        offset: u32,
    }
}

impl Body {
    /// Bytes of payload behind the command.
    pub(crate) const fn payload_len(&self) -> usize {
        match *self {
            Self::Reliable { len } | Self::Unreliable { len, .. } | Self::Unsequenced { len, .. } => {
                len as usize
            }
            Self::Fragment { fragment } | Self::UnreliableFragment { fragment } => fragment.len as usize,
            _ => 0,
        }
    }
}

/// What stands in front of a datagram's commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The receiver's number for the sender; 0xfff when there is none yet.
    pub peer: u16,
    /// Two bits that tell the sessions of one peer number apart.
    pub session: u8,
    /// The sender's clock in milliseconds, when one of the commands wants an acknowledgement.
    pub sent_time: Option<u16>,
    /// The commands are compressed.
    pub compressed: bool,
}

impl Header {
    /// Reads the header of a datagram.
    pub fn read(datagram: &[u8]) -> Result<Self, DropReason> {
        let mut bytes = datagram;
        let first = u16::read(&mut bytes).ok_or(DropReason::TooShort)?;
        let sent_time = match first & SENT_TIME {
            0 => None,
            _ => Some(u16::read(&mut bytes).ok_or(DropReason::TooShort)?),
        };
        Ok(Self {
            peer: first & NO_PEER,
            session: (first >> SESSION_SHIFT & 3) as u8,
            sent_time,
            compressed: first & COMPRESSED != 0,
        })
    }

    /// Bytes in front of the first command.
    #[expect(clippy::len_without_is_empty, reason = "no header is empty")]
    #[must_use]
    pub const fn len(&self) -> usize {
        if self.sent_time.is_some() { TIMED_HEADER_LEN } else { TIMED_HEADER_LEN - 2 }
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        let mut first = (self.peer & NO_PEER) | u16::from(self.session & 3) << SESSION_SHIFT;
        if self.sent_time.is_some() {
            first |= SENT_TIME;
        }
        first.write(out);
        if let Some(time) = self.sent_time {
            time.write(out);
        }
    }
}

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) code: u8,
    pub(crate) channel: u8,
    /// Reliable sequence number: its own when it is reliable, otherwise the one it must not overtake.
    pub(crate) sequence: u16,
    pub(crate) body: Body,
}

impl Command {
    /// True when the sender waits for an acknowledgement.
    pub(crate) const fn wants_acknowledgement(&self) -> bool {
        self.code & 0x80 != 0
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        self.code.write(out);
        self.channel.write(out);
        self.sequence.write(out);
        self.body.write(out);
    }

    fn read(bytes: &mut &[u8]) -> Result<Self, DropReason> {
        let code = *bytes.first().ok_or(DropReason::Truncated)?;
        let len = Body::fixed_len(code).ok_or(DropReason::UnknownCommand)?;
        let (mut fixed, rest) = bytes.split_at_checked(len).ok_or(DropReason::Truncated)?;
        *bytes = rest;
        let fields = &mut fixed;
        Self::read_fixed(fields).ok_or(DropReason::Truncated)
    }

    fn read_fixed(bytes: &mut &[u8]) -> Option<Self> {
        let code = u8::read(bytes)?;
        let channel = u8::read(bytes)?;
        let sequence = u16::read(bytes)?;
        Some(Self { code, channel, sequence, body: Body::read(code, bytes)? })
    }
}

/// All commands of a datagram with their payloads, on the stack.
pub(crate) struct CommandList<'a> {
    commands: [(Command, &'a [u8]); MAX_COMMANDS],
    len: usize,
}

impl<'a> CommandList<'a> {
    /// Reads to the exact end of the datagram.
    pub(crate) fn read(datagram: &'a [u8], header: &Header) -> Result<Self, DropReason> {
        let nothing = Command { code: code::PING, channel: 0, sequence: 0, body: Body::Ping {} };
        let mut list = Self { commands: [(nothing, &[]); MAX_COMMANDS], len: 0 };
        let mut bytes = datagram.get(header.len()..).unwrap_or_default();
        while !bytes.is_empty() {
            let place = list.commands.get_mut(list.len).ok_or(DropReason::TooManyCommands)?;
            let command = Command::read(&mut bytes)?;
            let payload = bytes.split_at_checked(command.body.payload_len()).ok_or(DropReason::Truncated)?;
            *place = (command, payload.0);
            bytes = payload.1;
            list.len += 1;
        }
        if list.len == 0 { Err(DropReason::Empty) } else { Ok(list) }
    }

    pub(crate) fn as_slice(&self) -> &[(Command, &'a [u8])] {
        &self.commands[..self.len]
    }
}

/// Bytes of a command in front of its payload; 0 for a code that ENet never sends.
pub(crate) const fn fixed_len(code: u8) -> usize {
    match Body::fixed_len(code) {
        Some(len) => len,
        None => 0,
    }
}

/// Something with a fixed number of bytes.
trait Field: Sized {
    const LEN: usize;

    /// Takes it off the front; `None` when the bytes end before it does.
    fn read(bytes: &mut &[u8]) -> Option<Self>;
    fn write(&self, out: &mut Writer<'_>);
}

macro_rules! number {
    ($($type:ty)+) => {$(
        impl Field for $type {
            const LEN: usize = size_of::<Self>();

            #[inline]
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                let (field, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Some(Self::from_be_bytes(*field))
            }

            #[inline]
            fn write(&self, out: &mut Writer<'_>) {
                out.put(&self.to_be_bytes());
            }
        }
    )+};
}

number!(u8 u16 u32);

/// Writes into a datagram; what does not fit is left out, so who writes looks at [`Self::room`] first.
pub(crate) struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Writer<'a> {
    pub(crate) const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes written.
    pub(crate) const fn len(&self) -> usize {
        self.at
    }

    /// Bytes that still fit.
    pub(crate) const fn room(&self) -> usize {
        self.bytes.len() - self.at
    }

    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.at..self.at + bytes.len()) {
            place.copy_from_slice(bytes);
            self.at += bytes.len();
        }
    }
}

/// Peer number of a datagram that belongs to no peer yet, and the bits of all peer numbers.
pub(crate) const NO_PEER: u16 = 0x0fff;

/// Channel of the commands that belong to no channel.
pub(crate) const CONTROL_CHANNEL: u8 = 0xff;

/// Commands that ENet puts into one datagram at most.
pub(crate) const MAX_COMMANDS: usize = 32;

/// Header with sent time, in bytes.
pub(crate) const TIMED_HEADER_LEN: usize = 4;

/// Fixed part of a fragment command, in bytes: the largest in front of a payload.
pub(crate) const FRAGMENT_LEN: usize = fixed_len(code::FRAGMENT);

/// A connect request with its header, in bytes.
pub(crate) const CONNECT_DATAGRAM_LEN: usize = TIMED_HEADER_LEN + fixed_len(code::CONNECT);

const SESSION_SHIFT: u16 = 12;
const COMPRESSED: u16 = 0x4000;
const SENT_TIME: u16 = 0x8000;

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
