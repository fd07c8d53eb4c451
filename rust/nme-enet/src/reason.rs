//! The reasons to drop a datagram or a command.

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $text:literal)*) => {
        /// Why a datagram was dropped, or a command out of one. No honest ENet sends what is dropped, but for what
        /// comes late or repeated.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum DropReason { $($(#[$doc])* $name,)* }

        impl DropReason {
            /// Every reason, in the order of their indices.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$name),*];

            /// A short name for counters and logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    /// Source port 0, where no answer can be sent.
    SourcePort "source_port"
    /// Shorter than its own header.
    TooShort "too_short"
    /// Longer than the MTU.
    TooLong "too_long"
    /// Still marked as compressed.
    Compressed "compressed"
    /// A header without commands.
    Empty "empty"
    /// More commands than ENet puts into one datagram.
    TooManyCommands "too_many_commands"
    /// A command or its payload reaches beyond the end.
    Truncated "truncated"
    /// A command code that ENet never sends.
    UnknownCommand "unknown_command"
    /// A command that asks for an acknowledgement, in a datagram without the sent time that this needs.
    MissingSentTime "missing_sent_time"
    /// A channel that was not negotiated, or that does not belong to the command.
    Channel "channel"
    /// An empty payload, or one that ENet would have sent in fragments.
    PayloadLength "payload_length"
    /// Fragment fields that contradict each other or exceed the largest packet.
    Fragment "fragment"
    /// A connect request that is malformed, not alone, or in the wrong place.
    Connect "connect"
    /// An answer to a connect request that does not fit the request.
    Verify "verify"
    /// No peer with this number at this address.
    UnknownPeer "unknown_peer"
    /// Left over from an earlier session of the same peer, or forged.
    WrongSession "wrong_session"
    /// From a peer whose datagrams are tagged, with a wrong tag or none: forged, or damaged on the way.
    Tag "tag"
    /// Comes before the handshake is complete.
    Unconnected "unconnected"
    /// A connect request that has been answered already.
    Repeated "repeated"
    /// A connect request that the admission ignored or refused.
    Refused "refused"
    /// A connect request while every place is taken.
    Full "full"
    /// A connect request from an address and port with too many connections.
    AddressLimit "address_limit"
    /// Command: ends or changes the connection, with a number that is not its turn.
    Sequence "sequence"
    /// Command: acknowledges what is under way, with a time at which it was not sent.
    Acknowledgement "acknowledgement"
    /// Command: contradicts what the peer has sent before.
    Conflict "conflict"
    /// Command: begins an unreliable packet that newer ones have overtaken.
    StaleFragment "stale_fragment"
    /// Command: too far ahead of the next one in order, by the number on its channel.
    AheadCommands "ahead_commands"
    /// Command: too much waits for an earlier one, by the bytes of its peer.
    AheadBytes "ahead_bytes"
    /// Command: begins a packet while too many of its peer are incomplete, by number or bytes.
    FragmentQuota "fragment_quota"
    /// Of a peer that has exceeded a limit.
    PeerLimit "peer_limit"
    /// Command: the owner does not take what its peer sends, or has too much to take.
    NotTaken "not_taken"
    /// Command: the host keeps back as much as it may, and this peer its share of it.
    HostQuota "host_quota"
}
