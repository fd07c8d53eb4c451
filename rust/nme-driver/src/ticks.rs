//! Whether time may have gone on since the last look at the clock.
//!
//! A look takes some 20 ns, and 60 to 200 on virtual machines: much for each small packet of thousands in a frame. So
//! where the system has a coarse clock, that is asked first: it goes on every 1 to 4 ms, and costs a fraction.

#[cfg(any(target_os = "linux", target_os = "android"))]
use nix::{
    sys::time::TimeSpec,
    time::{ClockId, clock_gettime},
};

/// The ticks of the coarse clock.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[derive(Clone, Default)]
pub(crate) struct Ticks {
    last: Option<TimeSpec>,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Ticks {
    /// True the first time, and when the clock has gone on since the last call.
    pub(crate) fn have_passed(&mut self) -> bool {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE).ok();
        let has_gone_on = now.is_none() || now != self.last;
        self.last = now;
        has_gone_on
    }
}

/// There is no coarse clock.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[derive(Clone, Default)]
pub(crate) struct Ticks;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl Ticks {
    /// True.
    pub(crate) const fn have_passed(&mut self) -> bool {
        true
    }
}
