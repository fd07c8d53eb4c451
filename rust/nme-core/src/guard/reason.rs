//! The reasons to refuse a datagram or a command.

/// Why the guard refused a datagram, or cut a command out of one.
///
/// The last five are about single commands: only when nothing is left of a datagram is it refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// Source port 0, where no answer can be sent.
    SourcePort,
    /// Shorter than its own header.
    TooShort,
    /// Longer than the MTU.
    TooLong,
    /// Still marked as compressed behind the codec.
    Compressed,
    /// A header without commands.
    Empty,
    /// More commands than ENet puts into one datagram.
    TooManyCommands,
    /// A command or its payload reaches beyond the end.
    Truncated,
    /// A command byte that ENet never sends.
    UnknownCommand,
    /// A command that asks for an acknowledgement, in a datagram without the sent time that this needs.
    MissingSentTime,
    /// A channel that was not negotiated, or that does not belong to the command.
    Channel,
    /// An empty payload, or one that ENet would have sent in fragments.
    PayloadLength,
    /// Fragment fields that contradict each other or exceed the largest packet.
    Fragment,
    /// A connect request that is malformed, not alone, or in the wrong place.
    Connect,
    /// An answer to a connect request that does not fit the request.
    Verify,
    /// No peer with this number at this address.
    UnknownPeer,
    /// Left over from an earlier session of the same peer, or forged.
    WrongSession,
    /// Comes before the handshake is complete.
    Unconnected,
    /// Command: contradicts what the peer has sent before.
    Conflict,
    /// Command: begins an unreliable packet that newer ones have overtaken.
    StaleFragment,
    /// Command: too far ahead of the next one in order, by the number on its channel.
    AheadCommands,
    /// Command: too much waits for an earlier one, by the bytes of its peer.
    AheadBytes,
    /// Command: begins a packet while too many of its peer are incomplete, by number or bytes.
    FragmentQuota,
}

impl DropReason {
    /// Every reason, in the order of their indices.
    pub const ALL: [Self; 22] = [
        Self::SourcePort,
        Self::TooShort,
        Self::TooLong,
        Self::Compressed,
        Self::Empty,
        Self::TooManyCommands,
        Self::Truncated,
        Self::UnknownCommand,
        Self::MissingSentTime,
        Self::Channel,
        Self::PayloadLength,
        Self::Fragment,
        Self::Connect,
        Self::Verify,
        Self::UnknownPeer,
        Self::WrongSession,
        Self::Unconnected,
        Self::Conflict,
        Self::StaleFragment,
        Self::AheadCommands,
        Self::AheadBytes,
        Self::FragmentQuota,
    ];

    /// A short name for counters and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SourcePort => "source_port",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::Compressed => "compressed",
            Self::Empty => "empty",
            Self::TooManyCommands => "too_many_commands",
            Self::Truncated => "truncated",
            Self::UnknownCommand => "unknown_command",
            Self::MissingSentTime => "missing_sent_time",
            Self::Channel => "channel",
            Self::PayloadLength => "payload_length",
            Self::Fragment => "fragment",
            Self::Connect => "connect",
            Self::Verify => "verify",
            Self::UnknownPeer => "unknown_peer",
            Self::WrongSession => "wrong_session",
            Self::Unconnected => "unconnected",
            Self::Conflict => "conflict",
            Self::StaleFragment => "stale_fragment",
            Self::AheadCommands => "ahead_commands",
            Self::AheadBytes => "ahead_bytes",
            Self::FragmentQuota => "fragment_quota",
        }
    }
}
