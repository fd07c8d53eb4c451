//! ENet's datagrams, read and written from one table. Nothing else knows where a byte stands, in this crate or outside.
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

            #[inline]
            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: Field::read(bytes)?,)* })
            }

            #[inline]
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
        #[expect(missing_docs, reason = "the fields have the names of the protocol")]
        pub enum Body { $($(#[$doc])* $name { $($field: $type),* },)* }

        impl Body {
            /// Takes a command with this code off the front: channel, sequence number and body.
            #[inline]
            fn read(code: u8, bytes: &mut &[u8]) -> Result<(u8, u16, Self), DropReason> {
                match code {
                    $($($code)|+ => {
                        const LEN: usize = 4 $(+ <$type as Field>::LEN)*;
                        // One look at the length; what is known to be there needs none.
                        let (fixed, rest) = bytes.split_first_chunk::<LEN>().ok_or(DropReason::Truncated)?;
                        *bytes = rest;
                        let [_, channel, high, low, fields @ ..] = fixed;
                        let fields = &mut fields.as_slice();
                        let body = Self::$name { $($field: Field::read(fields).ok_or(DropReason::Truncated)?),* };
                        debug_assert!(fields.is_empty(), "the length of a command is that of its fields");
                        Ok((*channel, u16::from_be_bytes([*high, *low]), body))
                    })*
                    // ENet never sends it.
                    _ => Err(DropReason::UnknownCommand),
                }
            }

            /// Appends a command with this code.
            #[inline]
            fn write(&self, code: u8, channel: u8, sequence: u16, out: &mut Writer<'_>) {
                let [high, low] = sequence.to_be_bytes();
                match self {
                    $(Self::$name { $($field),* } => {
                        // One look at the room; what is known to fit needs none.
                        let mut bytes = [0; 4 $(+ <$type as Field>::LEN)*];
                        let mut fields = Writer::new(&mut bytes);
                        fields.put(&[code, channel, high, low]);
                        $($field.write(&mut fields);)*
                        out.put(&bytes);
                    })*
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
    /// A client asks for a connection; `data` is for the application.
    [0x82] Connect { handshake: Handshake, data: u32 }
    /// A server's answer.
    [0x83] Verify { handshake: Handshake }
    /// With and without acknowledgement.
    [0x84 0x44] Disconnect { data: u32 }
    /// Wants nothing but its acknowledgement.
    [0x85] Ping {}
    /// A packet, in order.
    [0x86] Reliable { len: u16 }
    /// A packet that newer ones overtake.
    [0x07] Unreliable { number: u16, len: u16 }
    /// A part of a reliable packet.
    [0x88] Fragment { fragment: Fragment }
    /// A packet in any order.
    [0x49] Unsequenced { group: u16, len: u16 }
    /// Bytes/s that the sender can take and send; 0 is no limit.
    [0x8a] BandwidthLimit { incoming: u32, outgoing: u32 }
    /// How the receiver's throttle is to move.
    [0x8b] ThrottleConfigure { throttle: ThrottleSettings }
    /// A part of an unreliable packet.
    [0x0c] UnreliableFragment { fragment: Fragment }
}

pub mod code {
    //! The codes by name, for who writes commands.
    #![expect(missing_docs, reason = "the table of commands explains them")]

    pub const ACKNOWLEDGE: u8 = 0x01;
    pub const PROBE: u8 = 0x81;
    pub const CONNECT: u8 = 0x82;
    pub const VERIFY: u8 = 0x83;
    pub const DISCONNECT: u8 = 0x84;
    pub const DISCONNECT_UNSEQUENCED: u8 = 0x44;
    pub const PING: u8 = 0x85;
    pub const RELIABLE: u8 = 0x86;
    pub const UNRELIABLE: u8 = 0x07;
    pub const FRAGMENT: u8 = 0x88;
    pub const UNSEQUENCED: u8 = 0x49;
    pub const BANDWIDTH_LIMIT: u8 = 0x8a;
    pub const THROTTLE_CONFIGURE: u8 = 0x8b;
    pub const UNRELIABLE_FRAGMENT: u8 = 0x0c;
}

fields! {
    /// The fields of a connect request and of its answer.
    pub Handshake {
        /// The sender's number for the receiver: what the receiver puts into its headers from now on.
        peer: u16,
        /// Request: the session numbers last used, or 0xff. Answer: the number in headers towards the client.
        incoming_session: u8,
        /// As above, towards the server.
        outgoing_session: u8,
        /// Largest datagram, in bytes.
        mtu: u32,
        /// Unacknowledged bytes that the sender is ready to have in flight.
        window: u32,
        /// Channels that the sender asks for, or grants.
        channels: u32,
        /// Bytes/s that the sender can take; 0 is no limit.
        in_bandwidth: u32,
        /// Bytes/s that the sender can send; 0 is no limit.
        out_bandwidth: u32,
        /// How the throttles of both sides move.
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
    pub Fragment {
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
    #[must_use]
    pub const fn payload_len(&self) -> usize {
        match *self {
            Self::Reliable { len } | Self::Unreliable { len, .. } | Self::Unsequenced { len, .. } => {
                len as usize
            }
            Self::Fragment { fragment } | Self::UnreliableFragment { fragment } => fragment.len as usize,
            _ => 0,
        }
    }

    /// True for a packet, or a part of one.
    pub(crate) const fn is_data(&self) -> bool {
        matches!(
            self,
            Self::Reliable { .. }
                | Self::Unreliable { .. }
                | Self::Fragment { .. }
                | Self::Unsequenced { .. }
                | Self::UnreliableFragment { .. }
        )
    }
}

/// What stands in front of a datagram's commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The receiver's number for the sender, or [`NO_PEER`].
    pub peer: u16,
    /// Two bits that tell the sessions of one peer number apart.
    pub session: u8,
    /// The sender's clock in milliseconds, when one of the commands wants an acknowledgement.
    pub sent_time: Option<u16>,
    /// The commands are compressed.
    pub compressed: bool,
}

impl Header {
    /// Reads the 2 or 4 bytes in front.
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
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "no header is empty")]
    pub const fn len(&self) -> usize {
        if self.sent_time.is_some() { TIMED_HEADER_LEN } else { HEADER_LEN }
    }

    /// Appends it.
    pub fn write(&self, out: &mut Writer<'_>) {
        let mut first = (self.peer & NO_PEER) | u16::from(self.session & 3) << SESSION_SHIFT;
        if self.sent_time.is_some() {
            first |= SENT_TIME;
        }
        if self.compressed {
            first |= COMPRESSED;
        }
        first.write(out);
        if let Some(time) = self.sent_time {
            time.write(out);
        }
    }
}

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// One of [`code`].
    pub code: u8,
    /// The channel, or [`CONTROL_CHANNEL`].
    pub channel: u8,
    /// Reliable sequence number: its own when it is reliable, otherwise the one it must not overtake.
    pub sequence: u16,
    /// The rest.
    pub body: Body,
}

impl Command {
    /// True when the sender waits for an acknowledgement.
    #[must_use]
    pub const fn wants_acknowledgement(&self) -> bool {
        self.code & 0x80 != 0
    }

    /// Appends the command; its payload is [`Writer::put`] behind it.
    #[inline]
    pub fn write(&self, out: &mut Writer<'_>) {
        self.body.write(self.code, self.channel, self.sequence, out);
    }

    /// The same, for who has a vector and no datagram to fill.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        let mut bytes = [0; LONGEST_FIXED_LEN];
        let mut writer = Writer::new(&mut bytes);
        self.write(&mut writer);
        let len = writer.len();
        out.extend_from_slice(&bytes[..len]);
    }

    #[inline]
    fn read(bytes: &mut &[u8]) -> Result<Self, DropReason> {
        let code = *bytes.first().ok_or(DropReason::Truncated)?;
        let (channel, sequence, body) = Body::read(code, bytes)?;
        Ok(Self { code, channel, sequence, body })
    }
}

/// Reads commands one after the other, each with its payload, and ends behind the first that is none.
#[derive(Clone, Debug)]
pub struct Commands<'a>(&'a [u8]);

impl<'a> Commands<'a> {
    /// Reads what is behind a header.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    #[inline]
    fn read_next(&mut self) -> Result<(Command, &'a [u8]), DropReason> {
        let mut bytes = std::mem::take(&mut self.0);
        let command = Command::read(&mut bytes)?;
        let payload = bytes.split_at_checked(command.body.payload_len()).ok_or(DropReason::Truncated)?;
        self.0 = payload.1;
        Ok((command, payload.0))
    }
}

impl<'a> Iterator for Commands<'a> {
    type Item = Result<(Command, &'a [u8]), DropReason>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() { None } else { Some(self.read_next()) }
    }
}

/// All commands of a datagram with their payloads, on the stack.
#[derive(Debug)]
pub struct CommandList<'a> {
    commands: [(Command, &'a [u8]); MAX_COMMANDS],
    len: usize,
}

impl<'a> CommandList<'a> {
    /// Reads to the exact end of the datagram.
    pub fn read(datagram: &'a [u8], header: &Header) -> Result<Self, DropReason> {
        let nothing = Command { code: code::PING, channel: 0, sequence: 0, body: Body::Ping {} };
        let mut list = Self { commands: [(nothing, &[]); MAX_COMMANDS], len: 0 };
        let mut commands = Commands::new(datagram.get(header.len()..).unwrap_or_default());
        while !commands.0.is_empty() {
            let place = list.commands.get_mut(list.len).ok_or(DropReason::TooManyCommands)?;
            *place = commands.read_next()?;
            list.len += 1;
        }
        if list.len == 0 { Err(DropReason::Empty) } else { Ok(list) }
    }

    /// Each command with its payload.
    #[must_use]
    pub fn as_slice(&self) -> &[(Command, &'a [u8])] {
        &self.commands[..self.len]
    }
}

/// Bytes of a command in front of its payload; 0 for a code that ENet never sends.
#[must_use]
pub const fn fixed_len(code: u8) -> usize {
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
#[derive(Debug)]
pub struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Writer<'a> {
    /// Writes from the start of a buffer.
    #[must_use]
    pub const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes written.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub const fn len(&self) -> usize {
        self.at
    }

    /// Bytes that still fit.
    #[must_use]
    pub const fn room(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Appends bytes.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.at..self.at + bytes.len()) {
            place.copy_from_slice(bytes);
            self.at += bytes.len();
        }
    }
}

/// Peer number of a datagram that belongs to no peer yet, and the bits of all peer numbers.
pub const NO_PEER: u16 = 0x0fff;

/// Channel of the commands that belong to no channel.
pub const CONTROL_CHANNEL: u8 = 0xff;

/// Commands that ENet puts into one datagram at most.
pub const MAX_COMMANDS: usize = 32;

/// The smallest MTU that ENet takes: bytes of a datagram, header included.
pub const MIN_MTU: u16 = 576;

/// The largest MTU that ENet takes, in bytes.
pub const MAX_MTU: u16 = 4096;

/// Header without sent time, in bytes.
pub const HEADER_LEN: usize = u16::LEN;

/// Header with sent time, in bytes: the longest.
pub const TIMED_HEADER_LEN: usize = HEADER_LEN + u16::LEN;

/// Fixed part of a fragment command, in bytes: the largest in front of a payload.
pub const FRAGMENT_LEN: usize = fixed_len(code::FRAGMENT);

/// The longest command in front of its payload, in bytes.
const LONGEST_FIXED_LEN: usize = fixed_len(code::CONNECT);

/// A connect request with its header, in bytes.
pub const CONNECT_DATAGRAM_LEN: usize = TIMED_HEADER_LEN + fixed_len(code::CONNECT);

const SESSION_SHIFT: u16 = 12;
const COMPRESSED: u16 = 0x4000;
const SENT_TIME: u16 = 0x8000;

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
