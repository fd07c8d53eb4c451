//! How long a game with a network thread may hang: `max_stall_msec`.

use godot::classes::EngineDebugger;
use godot::obj::Singleton;
use nme_driver::{MAX_STALL_DEFAULT_MS, StallLimit};

use crate::error;
use crate::shared::Shared;

/// The value of the property, in ms; 0 is no limit.
#[derive(Clone, Copy)]
pub(crate) struct MaxStall(u32);

impl MaxStall {
    pub(crate) fn number(self) -> i64 {
        self.0.into()
    }

    /// The limit for the network thread. It rests while the game runs under a debugger: that stops the main thread only, for as
    /// long as somebody looks at a breakpoint, and nobody could tell this from a game that hangs.
    pub(crate) fn limit(self) -> StallLimit {
        if EngineDebugger::singleton().is_active() {
            StallLimit::NONE
        } else {
            StallLimit::from_millis(self.0.into())
        }
    }
}

impl Default for MaxStall {
    fn default() -> Self {
        Self(MAX_STALL_DEFAULT_MS as u32)
    }
}

impl Shared {
    pub(crate) fn set_max_stall(&self, value: i64) {
        let Ok(millis) = u32::try_from(value) else {
            let problem =
                format!("{value} ms are not possible; use a number up to 4294967295, or 0 for no limit");
            return error::complain("set_max_stall_msec", problem);
        };
        let max_stall = MaxStall(millis);
        let limit = max_stall.limit();
        let mut state = self.lock();
        state.settings.max_stall = max_stall;
        if let Some(connection) = &mut state.connection {
            connection.set_stall_limit(limit);
        }
    }
}
