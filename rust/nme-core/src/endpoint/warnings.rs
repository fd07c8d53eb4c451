//! What the game's developer should know, each kind once: a log must not fill up because of what peers do.

use std::collections::VecDeque;

use super::Endpoint;
use crate::session::Warning;

/// Warnings that nobody has taken, and which kinds there have been.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    waiting: VecDeque<Warning>,
    /// A bit for each kind.
    given: u8,
}

impl Warnings {
    /// Adds a warning, unless there was one of its kind.
    pub(super) fn add(&mut self, warning: impl Into<Warning>) {
        let warning = warning.into();
        if !self.has_had(kind(&warning)) {
            self.given |= 1 << kind(&warning);
            self.waiting.push_back(warning);
        }
    }

    /// True when there has been one about a packet that was not forwarded: it takes a search to make one.
    pub(super) const fn has_had_not_forwarded(&self) -> bool {
        self.has_had(NOT_FORWARDED)
    }

    const fn has_had(&self, kind: u8) -> bool {
        self.given & (1 << kind) != 0
    }
}

impl Endpoint {
    /// The next warning.
    pub(crate) fn take_warning(&mut self) -> Option<Warning> {
        self.warnings.waiting.pop_front()
    }
}

const fn kind(warning: &Warning) -> u8 {
    match warning {
        Warning::NotForwarded(_) => NOT_FORWARDED,
        Warning::LongLost(_) => NOT_FORWARDED + 1,
        Warning::CutOff(cut_off) => NOT_FORWARDED + 2 + cut_off.limit as u8,
    }
}

const NOT_FORWARDED: u8 = 0;
