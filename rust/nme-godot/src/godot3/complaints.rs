//! Errors about what other peers send: printed, but never in floods.

use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::error;

/// How many errors the log gets within [`PERIOD`].
const ERRORS_PER_PERIOD: u32 = 10;
const PERIOD: Duration = Duration::from_secs(1);

/// Counts errors.
#[derive(Default)]
pub(super) struct Complaints {
    begin: Option<Instant>,
    count: u32,
}

/// What to do with an error.
pub(super) enum Verdict {
    Print,
    /// It is the first one too many.
    PrintLast,
    Silent,
}

impl Complaints {
    /// Takes account of one more error.
    pub(super) fn next(&mut self, now: Instant) -> Verdict {
        if self.begin.is_none_or(|begin| now.duration_since(begin) >= PERIOD) {
            self.begin = Some(now);
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        match self.count {
            ..=ERRORS_PER_PERIOD => Verdict::Print,
            count if count == ERRORS_PER_PERIOD + 1 => Verdict::PrintLast,
            _ => Verdict::Silent,
        }
    }
}

/// Prints an error about what a peer has sent.
pub(super) fn print(verdict: &Verdict, sender: i32, problem: impl Display) {
    match verdict {
        Verdict::Print => {
            error::complain_of("Godot3Multiplayer", "poll", format_args!("peer {sender}: {problem}"));
        }
        Verdict::PrintLast => error::complain_of(
            "Godot3Multiplayer",
            "poll",
            format_args!(
                "more than {ERRORS_PER_PERIOD} errors a second about what peers send; the others are not printed"
            ),
        ),
        Verdict::Silent => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_few_in_each_period() {
        let (mut complaints, now) = (Complaints::default(), Instant::now());
        let mut printed = |at| (0..1000).filter(|_| !matches!(complaints.next(at), Verdict::Silent)).count();
        assert_eq!(printed(now), 11);
        assert_eq!(printed(now + PERIOD / 2), 0);
        assert_eq!(printed(now + PERIOD), 11);
    }
}
