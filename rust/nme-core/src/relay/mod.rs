//! Who receives a packet: the rules of the 3.6 server, as one pure function.

pub(crate) mod announcement;
pub(crate) mod figures;
pub(crate) mod kick;
pub(crate) mod wire;

pub use figures::ToldFigures;
pub use kick::Kick;

use crate::peer::PeerId;

/// Whom a packet is for, as in `set_target_peer` and in the packet's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Everybody (0).
    All,
    /// One peer (its id).
    One(PeerId),
    /// Everybody but one (its negative id).
    AllExcept(PeerId),
}

impl Target {
    /// Reads the signed number of the header. `None` for the one number that is no peer's negative.
    #[must_use]
    pub const fn from_number(number: i32) -> Option<Self> {
        if number == 0 {
            return Some(Self::All);
        }
        let Some(magnitude) = number.checked_abs() else { return None };
        match PeerId::new(magnitude) {
            Some(id) if number > 0 => Some(Self::One(id)),
            Some(id) => Some(Self::AllExcept(id)),
            None => None,
        }
    }

    /// The signed number of the header.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::All => 0,
            Self::One(id) => id.get(),
            Self::AllExcept(id) => -id.get(),
        }
    }
}

/// Where the server sends a client's packet on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forward {
    Nobody,
    /// One client, if it is there.
    One(PeerId),
    /// Every client but the sender and, when given, one more.
    Others {
        except: Option<PeerId>,
    },
}

/// What the server does with a client's packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The server's own game gets it.
    pub(crate) keep: bool,
    pub(crate) forward: Forward,
}

/// Routes a client's packet. `relay` is the server's `server_relay`.
///
/// With the relay off, the server still takes what is addressed to it among others, and drops the rest.
pub(crate) const fn route(target: Target, relay: bool) -> Route {
    let keep = match target {
        Target::All => true,
        Target::One(id) => id.get() == PeerId::SERVER.get(),
        Target::AllExcept(id) => id.get() != PeerId::SERVER.get(),
    };
    let forward = match target {
        _ if !relay => Forward::Nobody,
        Target::All => Forward::Others { except: None },
        Target::AllExcept(id) => Forward::Others { except: Some(id) },
        Target::One(_) if keep => Forward::Nobody,
        Target::One(id) => Forward::One(id),
    };
    Route { keep, forward }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(id: i32) -> PeerId {
        PeerId::new(id).expect("a positive id")
    }

    #[test]
    fn numbers_become_targets_and_back() {
        for number in [0, 1, -1, 2, -2, i32::MAX, -i32::MAX] {
            assert_eq!(Target::from_number(number).map(Target::number), Some(number));
        }
        assert_eq!(Target::from_number(i32::MIN), None);
    }

    #[test]
    fn the_relay_table_of_3_6() {
        let server = PeerId::SERVER;
        let others = |except| Forward::Others { except };
        let table = [
            // target, relay on: kept and forwarded, relay off: kept
            (Target::One(server), (true, Forward::Nobody), true),
            (Target::All, (true, others(None)), true),
            (Target::AllExcept(peer(7)), (true, others(Some(peer(7)))), true),
            (Target::AllExcept(server), (false, others(Some(server))), false),
            (Target::One(peer(7)), (false, Forward::One(peer(7))), false),
        ];
        for (target, (keep, forward), keep_without_relay) in table {
            assert_eq!(route(target, true), Route { keep, forward }, "{target:?} with the relay");
            let without = Route { keep: keep_without_relay, forward: Forward::Nobody };
            assert_eq!(route(target, false), without, "{target:?} without the relay");
        }
    }
}
