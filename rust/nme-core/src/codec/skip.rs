//! When compressing is not even tried. A datagram may always travel plain, so this changes nothing on the wire but
//! the choice that ENet makes anyway.
//!
//! The rule, for each host:
//! 1. A datagram shorter than what the mode was seen to shrink, with rare exceptions, goes out plain.
//! 2. Lengths from one power of two to the next are a class. When [`FAILURES_BEFORE_PAUSE`] tries in a row in a class
//!    have not shrunk anything, the next datagram of the class goes out plain without a try. After each further
//!    failure twice as many do, up to [`LONGEST_PAUSE`]. One success ends this. By class, because a game that sends
//!    snapshots which shrink sends short messages which do not, all the time and between each other.
//! 3. The handshake's datagrams are always tried: they must not get through to a peer with another mode, which
//!    would then be connected without understanding anything.

use nme_enet::wire::code;

/// The memory of one host.
pub(super) struct Skip {
    shortest: usize,
    classes: [Class; CLASSES],
}

/// What the recent tries of one class have come to.
#[derive(Clone, Copy, Default)]
struct Class {
    /// Failures in a row.
    failures: u8,
    /// Datagrams that still go out without a try.
    pause: u8,
}

impl Skip {
    /// `shortest`: the length in bytes below which nothing is tried.
    pub(super) fn new(shortest: usize) -> Self {
        Self { shortest, classes: [Class::default(); CLASSES] }
    }

    /// True when the commands of this datagram are worth a try; then [`Self::note`] must be told how it went.
    pub(super) fn should_try(&mut self, commands: &[u8]) -> bool {
        if is_handshake(commands) {
            return true;
        }
        if commands.len() < self.shortest {
            return false;
        }
        let class = self.class(commands);
        class.pause = match class.pause.checked_sub(1) {
            Some(less) => less,
            None => return true,
        };
        false
    }

    /// Notes whether a try made the datagram smaller.
    pub(super) fn note(&mut self, commands: &[u8], smaller: bool) {
        if is_handshake(commands) {
            return;
        }
        let class = self.class(commands);
        if smaller {
            *class = Class::default();
            return;
        }
        class.failures = class.failures.saturating_add(1);
        if let Some(doublings) = class.failures.checked_sub(FAILURES_BEFORE_PAUSE) {
            class.pause = 1_u8.checked_shl(doublings.into()).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
        }
    }

    fn class(&mut self, commands: &[u8]) -> &mut Class {
        let index = (usize::BITS - commands.len().leading_zeros()) as usize;
        &mut self.classes[index.min(CLASSES - 1)]
    }
}

/// A connect request or its answer, which are alone in their datagram.
fn is_handshake(commands: &[u8]) -> bool {
    matches!(commands.first(), Some(&(code::CONNECT | code::VERIFY)))
}

/// Failures in a row before the first pause.
const FAILURES_BEFORE_PAUSE: u8 = 4;

/// Most datagrams between two tries: at worst 1 in 33 is compressed in vain.
const LONGEST_PAUSE: u8 = 32;

/// One for each length of a length in bits; datagrams are below 2^12 bytes.
const CLASSES: usize = 13;

#[cfg(test)]
mod tests {
    use super::*;

    const SHORTEST: usize = 16;

    fn commands(len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        bytes[0] = 0x86;
        bytes
    }

    /// How many of `count` datagrams are tried when all tries end like this.
    fn tries(skip: &mut Skip, len: usize, count: usize, smaller: bool) -> usize {
        let bytes = commands(len);
        (0..count)
            .filter(|_| {
                let tried = skip.should_try(&bytes);
                if tried {
                    skip.note(&bytes, smaller);
                }
                tried
            })
            .count()
    }

    #[test]
    fn short_ones_are_not_tried() {
        let mut skip = Skip::new(SHORTEST);
        assert_eq!(tries(&mut skip, SHORTEST - 1, 10, true), 0);
        assert_eq!(tries(&mut skip, SHORTEST, 10, true), 10);
    }

    #[test]
    fn what_shrinks_is_always_tried() {
        assert_eq!(tries(&mut Skip::new(SHORTEST), 300, 1000, true), 1000);
    }

    #[test]
    fn failures_make_longer_and_longer_pauses() {
        let mut skip = Skip::new(SHORTEST);
        let tried: Vec<usize> = (0..120).filter(|_| tries(&mut skip, 300, 1, false) == 1).collect();
        assert_eq!(tried, [0, 1, 2, 3, 5, 8, 13, 22, 39, 72, 105]);
        assert_eq!(tries(&mut skip, 300, 33_000, false), 1000);
    }

    #[test]
    fn one_success_ends_it() {
        let mut skip = Skip::new(SHORTEST);
        tries(&mut skip, 300, 10_000, false);
        let waited = (0..100).take_while(|_| tries(&mut skip, 300, 1, true) == 0).count();
        assert!(waited <= LONGEST_PAUSE.into());
        assert_eq!(tries(&mut skip, 300, 100, true), 100);
        assert_eq!(tries(&mut skip, 300, 4, false), 4);
    }

    #[test]
    fn lengths_of_another_class_are_not_affected() {
        let mut skip = Skip::new(SHORTEST);
        tries(&mut skip, 300, 1000, false);
        assert_eq!(tries(&mut skip, 1000, 1, false), 1);
        assert_eq!(tries(&mut skip, 100, 1, false), 1);
        // The same class, 256 to 511.
        assert!(tries(&mut skip, 500, 10, false) <= 1);
    }

    #[test]
    fn some_success_is_enough() {
        let mut skip = Skip::new(SHORTEST);
        for _ in 0..100 {
            assert_eq!(tries(&mut skip, 300, 3, false), 3);
            assert_eq!(tries(&mut skip, 300, 1, true), 1);
        }
    }

    #[test]
    fn the_handshake_is_always_tried() {
        let mut skip = Skip::new(100);
        for code in [0x82, 0x83] {
            let bytes = [code; 48];
            for _ in 0..100 {
                assert!(skip.should_try(&bytes));
                skip.note(&bytes, false);
            }
        }
        assert!(!skip.should_try(&[0x85, 0xff, 0, 1]));
    }

    #[test]
    fn any_length_has_a_class() {
        let mut skip = Skip::new(0);
        assert!(skip.should_try(&[]));
        skip.note(&[], false);
        assert!(skip.should_try(&commands(1 << 20)));
        skip.note(&commands(1 << 20), false);
    }
}
