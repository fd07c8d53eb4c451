//! What the game's developer should know, each kind once: a log must not fill up because of what peers do.

use super::{Endpoint, Report};
use crate::session::Warning;

/// Which kinds of warnings there have been.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    /// A bit for each kind.
    given: u8,
}

impl Warnings {
    /// True when there has been one about a packet that was not forwarded: it takes a search to make one.
    pub(super) const fn has_had_not_forwarded(&self) -> bool {
        self.has_had(NOT_FORWARDED)
    }

    const fn has_had(&self, kind: u8) -> bool {
        self.given & (1 << kind) != 0
    }
}

impl Endpoint {
    /// Reports a warning, unless there was one of its kind.
    pub(super) fn warn(&mut self, warning: impl Into<Warning>) {
        let warning = warning.into();
        if !self.warnings.has_had(kind(&warning)) {
            self.warnings.given |= 1 << kind(&warning);
            self.reports.push_back(Report::Warning(warning));
        }
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
