//! Peers whose dialect is not known yet: they are asked, and what they send is kept until it shows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use nme_godot3::{Dialect, detect};

use super::link::Arrival;

/// After how long without an answer a peer is taken for one of Godot 4: those of 3.6 answer at once, and the question is repeated by
/// the peer below until it has arrived.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many packets, and how many bytes of them, are kept of each peer. More of Godot 4 would not fit its own dialect either: the first
/// packet tells.
const KEPT_PACKETS: usize = 256;
const KEPT_BYTES: usize = 256 * 1024;

/// The peers that have been asked.
#[derive(Default)]
pub(super) struct Detection {
    asked: BTreeMap<i32, Asked>,
}

struct Asked {
    since: Instant,
    kept: Vec<Arrival>,
    bytes: usize,
    dialect: Option<Dialect>,
}

/// A peer whose dialect is known now.
pub(super) struct Detected {
    pub(super) id: i32,
    pub(super) dialect: Dialect,
    /// What it has sent meanwhile.
    pub(super) kept: Vec<Arrival>,
}

impl Detection {
    pub(super) fn begin(&mut self, id: i32, now: Instant) {
        self.asked.insert(id, Asked { since: now, kept: Vec::new(), bytes: 0, dialect: None });
    }

    pub(super) fn contains(&self, id: i32) -> bool {
        self.asked.contains_key(&id)
    }

    pub(super) fn remove(&mut self, id: i32) -> bool {
        self.asked.remove(&id).is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.asked.clear();
    }

    /// The game knows better.
    pub(super) fn decide(&mut self, id: i32, dialect: Dialect) {
        if let Some(asked) = self.asked.get_mut(&id) {
            asked.dialect = Some(dialect);
        }
    }

    /// Keeps a packet of a peer that was asked, which may show its dialect. Answers false when it has sent too much, and shows none.
    pub(super) fn keep(&mut self, arrival: Arrival) -> bool {
        let Some(asked) = self.asked.get_mut(&arrival.sender) else { return true };
        asked.dialect = asked.dialect.or_else(|| detect(&arrival.packet));
        if asked.kept.len() == KEPT_PACKETS || asked.bytes + arrival.packet.len() > KEPT_BYTES {
            return false;
        }
        asked.bytes += arrival.packet.len();
        asked.kept.push(arrival);
        true
    }

    /// Takes out a peer whose dialect is known, or that has been silent for too long.
    pub(super) fn next(&mut self, now: Instant) -> Option<Detected> {
        let is_due = |asked: &Asked| asked.dialect.is_some() || now.duration_since(asked.since) >= PATIENCE;
        let id = *self.asked.iter().find(|(_, asked)| is_due(asked))?.0;
        let asked = self.asked.remove(&id)?;
        Some(Detected { id, dialect: asked.dialect.unwrap_or(Dialect::Godot4), kept: asked.kept })
    }
}

#[cfg(test)]
mod tests {
    use godot::classes::multiplayer_peer::TransferMode;
    use nme_godot3::probe_answer;

    use super::*;

    fn arrival(packet: &[u8]) -> Arrival {
        Arrival { sender: 7, mode: TransferMode::RELIABLE, channel: 0, packet: packet.to_vec() }
    }

    #[test]
    fn an_answer_shows_godot_3_and_what_came_before_is_kept() {
        let (mut detection, now) = (Detection::default(), Instant::now());
        detection.begin(7, now);
        assert!(detection.keep(arrival(&[3, b'x', 0])));
        assert!(detection.next(now).is_none());
        assert!(detection.keep(arrival(&probe_answer())));
        let detected = detection.next(now).expect("it has answered");
        assert_eq!((detected.id, detected.dialect, detected.kept.len()), (7, Dialect::Godot3, 2));
        assert!(detection.is_empty());
    }

    #[test]
    fn who_stays_silent_is_of_godot_4() {
        let (mut detection, now) = (Detection::default(), Instant::now());
        detection.begin(7, now);
        assert!(detection.next(now + PATIENCE / 2).is_none());
        assert_eq!(detection.next(now + PATIENCE).map(|detected| detected.dialect), Some(Dialect::Godot4));
    }

    #[test]
    fn what_is_kept_has_bounds() {
        let (mut detection, now) = (Detection::default(), Instant::now());
        detection.begin(7, now);
        assert!((0..KEPT_PACKETS).all(|_| detection.keep(arrival(&[3, b'x', 0]))));
        assert!(!detection.keep(arrival(&[3, b'x', 0])));
        detection.begin(7, now);
        assert!(!detection.keep(arrival(&vec![3; KEPT_BYTES + 1])));
    }
}
