//! How much a peer may send in a time.

use crate::event::PeerLimit;
use crate::wire::{Body, Command};

/// How much each peer may send, on average over ten seconds: what has waited for a lost datagram, or for the end of an
/// outage, comes at once. 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerRates {
    /// Packets that begin, in each second. Repetitions count, too.
    pub packets_per_second: u32,
    /// Bytes of datagrams, once they are plain, in each second.
    pub bytes_per_second: u32,
}

/// What one peer has sent lately: when it may send as much as possible at once again, in ns of the host's clock.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    packets: u64,
    bytes: u64,
}

impl PeerRates {
    /// True when there is any limit.
    pub(crate) const fn is_any(&self) -> bool {
        self.packets_per_second > 0 || self.bytes_per_second > 0
    }
}

impl Meter {
    /// Counts a datagram of these commands, at this time in µs. The limit that this exceeds, if any.
    pub(crate) fn take(
        &mut self,
        micros: u64,
        rates: &PeerRates,
        commands: &[(Command, &[u8])],
        len: usize,
    ) -> Result<(), PeerLimit> {
        let now = micros.saturating_mul(1000);
        if rates.packets_per_second > 0 {
            let begun = commands.iter().filter(|(command, _)| begins_packet(command)).count();
            take(&mut self.packets, now, rates.packets_per_second, begun).ok_or(PeerLimit::Packets)?;
        }
        if rates.bytes_per_second > 0 {
            take(&mut self.bytes, now, rates.bytes_per_second, len).ok_or(PeerLimit::Bytes)?;
        }
        Ok(())
    }
}

/// Takes so many out of a bucket; `None` when there was nothing left in it.
fn take(full_at: &mut u64, now: u64, per_second: u32, count: usize) -> Option<()> {
    let start = (*full_at).max(now);
    if count > 0 && start > now + BURST {
        return None;
    }
    *full_at = start + count as u64 * SECOND / u64::from(per_second);
    Some(())
}

const fn begins_packet(command: &Command) -> bool {
    match command.body {
        Body::Reliable { .. } | Body::Unreliable { .. } | Body::Unsequenced { .. } => true,
        Body::Fragment { fragment } | Body::UnreliableFragment { fragment } => fragment.number == 0,
        _ => false,
    }
}

/// In ns.
const SECOND: u64 = 1_000_000_000;

/// How long a peer may have sent nothing to send all of it at once, in ns.
const BURST: u64 = 10 * SECOND;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_seconds_at_once_and_then_so_much_a_second() {
        let mut full_at = 0;
        let mut taken = |now: u64| (0..10_000).filter(|_| take(&mut full_at, now, 100, 1).is_some()).count();
        assert_eq!(taken(20 * SECOND), 1001);
        assert_eq!(taken(21 * SECOND), 100);
        assert_eq!(taken(100 * SECOND), 1001);
    }

    #[test]
    fn the_steady_rate_is_never_too_much() {
        let mut full_at = 0;
        for second in 0..100_000 {
            assert!(take(&mut full_at, second * SECOND, 1000, 1000).is_some());
        }
    }

    #[test]
    fn what_is_not_counted_is_never_too_much() {
        let mut full_at = u64::MAX;
        assert!(take(&mut full_at, SECOND, 1, 0).is_some());
    }
}
