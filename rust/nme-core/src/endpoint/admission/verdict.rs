//! What has become of those who asked for a connection, counted by reason.

macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident $text:literal)*) => {
        /// What has become of a request for a connection, or of a step on the way to it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Outcome { $($(#[$doc])* $name,)* }

        impl Outcome {
            /// Every outcome, in the order of their indices.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$name),*];

            /// A short name for counters and logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

outcomes! {
    /// It has a place; the handshake is to follow.
    Accepted "accepted"
    /// It was asked to prove its address.
    Challenged "challenged"
    /// Its address was proven.
    Proven "proven"
    /// What came in place of a proof was wrong, or late.
    WrongProof "wrong_proof"
    /// Its address is not to connect.
    Denied "denied"
    /// Too many connections from its address begin at once; it may ask again.
    AddressRate "address_rate"
    /// Too many connections begin at once; it may ask again.
    Rate "rate"
    /// Its address has as many connections as it may.
    AddressLimit "address_limit"
    /// The game takes no new clients.
    Refusing "refusing"
    /// There was no place, but that is not certain yet; it may ask again.
    Waiting "waiting"
    /// Every place has a peer that answers.
    Full "full"
    /// The handshake was complete, and the id is none or somebody else's.
    IdTaken "id_taken"
    /// The game was asked about it.
    Asked "asked"
    /// The game does not want it.
    GameRefused "game_refused"
    /// Too many strangers in one poll, which had known peers to listen to; not looked at.
    Overload "overload"
    /// Half-open connections given up for somebody with a proven address.
    GivenUp "given_up"
}

/// How often each [`Outcome`] was, since the server began, and how things stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdmissionCounters {
    counts: [u64; Outcome::ALL.len()],
    /// Strangers have to prove their address now.
    pub demands_proof: bool,
    /// Connections whose handshake is not complete.
    pub half_open: usize,
}

impl AdmissionCounters {
    /// How often this was.
    #[must_use]
    pub const fn count(&self, outcome: Outcome) -> u64 {
        self.counts[outcome as usize]
    }

    pub(super) const fn note(&mut self, outcome: Outcome) {
        self.counts[outcome as usize] += 1;
    }
}
