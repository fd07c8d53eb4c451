//! What a crowd has seen: counts, and how long marked packets took.

use std::time::Duration;

/// The first byte of a payload that counts; others only keep the line warm.
pub(crate) const MARK: u8 = 1;

/// Bytes of a payload that the crowd writes: the mark, and the time in microseconds.
pub(crate) const STAMP_LEN: usize = 9;

/// Counts of all clients together.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Marked payloads that came.
    pub(crate) marked: u64,
    /// Payloads without a mark.
    pub(crate) unmarked: u64,
    /// Notices that another client has joined.
    pub(crate) joined: u64,
    /// Clients that the server has disconnected.
    pub(crate) disconnected: u64,
    /// Packets that mean nothing in the dialect.
    pub(crate) strange: u64,
    /// Datagrams that the system did not send.
    pub(crate) unsent: u64,
    /// How many marked payloads of other clients took so many tenths of a millisecond.
    latencies: Vec<u64>,
}

impl Tally {
    /// Counts a payload that came at `now`.
    pub(crate) fn receive(&mut self, now: Duration, payload: &[u8]) {
        if payload.first() != Some(&MARK) {
            self.unmarked += 1;
            return;
        }
        self.marked += 1;
        let Some(stamp) = payload.get(1..).and_then(|rest| rest.first_chunk::<8>()) else { return };
        let sent = u64::from_le_bytes(*stamp);
        // Servers leave the stamp empty.
        if sent > 0 {
            let step = (now.as_micros() as u64).saturating_sub(sent) / STEP_USEC;
            let index = (step as usize).min(LONGEST_STEP);
            if self.latencies.len() <= index {
                self.latencies.resize(index + 1, 0);
            }
            self.latencies[index] += 1;
        }
    }

    /// The latency that a share of the packets did not exceed, in ms; `None` when nothing was timed.
    pub(crate) fn latency(&self, share: f64) -> Option<f64> {
        let total: u64 = self.latencies.iter().sum();
        let wanted = (total as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.latencies.iter().enumerate() {
            seen += count;
            if total > 0 && seen >= wanted {
                return Some((index as f64 + 0.5) * STEP_USEC as f64 / 1000.0);
            }
        }
        None
    }
}

/// Writes a stamp over the beginning of a payload.
pub(crate) fn stamp(payload: &mut [u8], marked: bool, now: Duration) {
    payload[0] = if marked { MARK } else { 0 };
    payload[1..STAMP_LEN].copy_from_slice(&(now.as_micros() as u64).to_le_bytes());
}

const STEP_USEC: u64 = 100;

/// Longer ones count as 10 s.
const LONGEST_STEP: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_those_of_marked_packets() {
        let mut tally = Tally::default();
        let mut payload = [0; 48];
        for msec in 1..=100 {
            stamp(&mut payload, msec <= 50, Duration::from_millis(1));
            tally.receive(Duration::from_millis(1 + msec), &payload);
        }
        assert_eq!((tally.marked, tally.unmarked), (50, 50));
        assert_eq!(tally.latency(0.5), Some(25.05));
        assert_eq!(tally.latency(1.0), Some(50.05));
    }

    #[test]
    fn a_payload_without_a_stamp_has_no_latency() {
        let mut tally = Tally::default();
        tally.receive(Duration::from_secs(1), &[MARK; 4]);
        tally.receive(Duration::from_secs(1), &[MARK, 0, 0, 0, 0, 0, 0, 0, 0, 5]);
        assert_eq!((tally.marked, tally.latency(0.5)), (2, None));
    }
}
