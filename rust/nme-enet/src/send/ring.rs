//! The reliable commands of a channel that are not acknowledged, by sequence number.

use std::collections::VecDeque;

use crate::lists::Key;

/// Unacknowledged commands of one channel, oldest first.
#[derive(Debug)]
pub(crate) struct Ring {
    /// Sequence number of the first one.
    base: u16,
    /// The only one: as a rule a channel that is used little has one command under way. `NONE` with `several`.
    single: Key,
    /// All of them once there have been several, `NONE` for what has been acknowledged out of order.
    #[expect(clippy::box_collection, reason = "a queue would make every idle channel larger")]
    several: Option<Box<VecDeque<Key>>>,
}

impl Ring {
    pub(crate) const fn new() -> Self {
        // ENet numbers reliable commands from 1.
        Self { base: 1, single: Key::NONE, several: None }
    }

    /// Forgets what is under way: the commands are gone, their numbers stay used.
    pub(crate) fn forget(&mut self) {
        *self = Self { base: self.next(), ..Self::new() };
    }

    /// True when everything has been acknowledged.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first command that has not been acknowledged.
    pub(crate) fn first(&self) -> Key {
        match &self.several {
            None => self.single,
            Some(keys) => keys.front().copied().unwrap_or(Key::NONE),
        }
    }

    /// The last number of those that have been acknowledged without a gap; 0, which no command has, before there is one.
    pub(crate) const fn acknowledged(&self) -> u16 {
        self.base.wrapping_sub(1)
    }

    fn len(&self) -> u16 {
        match &self.several {
            None => (self.single != Key::NONE).into(),
            // At most 7 windows of 4096.
            Some(keys) => keys.len() as u16,
        }
    }

    /// The sequence number of the next command.
    pub(crate) fn next(&self) -> u16 {
        self.base.wrapping_add(self.len())
    }

    /// True when the receiver is sure to look at the next command: it takes numbers in the window of the last one that it
    /// has delivered, and in the six behind.
    pub(crate) fn has_room(&self) -> bool {
        let delivered = u32::from(self.base.wrapping_sub(1));
        let ahead = u32::from(self.len()) + 1;
        (delivered % WINDOW_NUMBERS + ahead) / WINDOW_NUMBERS < WINDOWS_AHEAD
    }

    /// Appends a command, which has the number [`Self::next`].
    pub(crate) fn push(&mut self, key: Key) {
        match &mut self.several {
            Some(keys) => keys.push_back(key),
            None if self.single == Key::NONE => self.single = key,
            None => {
                let first = std::mem::replace(&mut self.single, Key::NONE);
                self.several = Some(Box::new(VecDeque::from([first, key])));
            }
        }
    }

    /// The command with this number; `None` when there is none under way.
    pub(crate) fn find(&self, sequence: u16) -> Option<Key> {
        let key = match (&self.several, usize::from(sequence.wrapping_sub(self.base))) {
            (Some(keys), place) => *keys.get(place)?,
            (None, 0) => self.single,
            (None, _) => Key::NONE,
        };
        (key != Key::NONE).then_some(key)
    }

    /// Takes out what an acknowledgement is about; `None` when it is about nothing.
    pub(crate) fn take(&mut self, sequence: u16) -> Option<Key> {
        let key = self.find(sequence)?;
        let Some(keys) = &mut self.several else {
            self.single = Key::NONE;
            self.base = self.base.wrapping_add(1);
            return Some(key);
        };
        *keys.get_mut(usize::from(sequence.wrapping_sub(self.base)))? = Key::NONE;
        while keys.front() == Some(&Key::NONE) {
            keys.pop_front();
            self.base = self.base.wrapping_add(1);
        }
        Some(key)
    }
}

/// Sequence numbers of one window.
const WINDOW_NUMBERS: u32 = 0x1000;

/// Windows that a receiver looks at.
const WINDOWS_AHEAD: u32 = 7;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lists::{List, Lists};

    fn filled(count: usize) -> (Ring, Vec<Key>) {
        let (mut lists, mut list, mut ring) = (Lists::new(), List::EMPTY, Ring::new());
        let keys: Vec<Key> = (0..count).map(|value| lists.push_back(&mut list, value)).collect();
        keys.iter().for_each(|key| ring.push(*key));
        (ring, keys)
    }

    #[test]
    fn acknowledgements_come_in_any_order_and_count_once() {
        let (mut ring, keys) = filled(3);
        assert_eq!(ring.take(2), Some(keys[1]));
        assert_eq!((ring.take(2), ring.take(0), ring.take(4)), (None, None, None));
        assert_eq!(ring.take(1), Some(keys[0]));
        assert_eq!((ring.base, ring.next()), (3, 4));
    }

    #[test]
    fn what_is_forgotten_is_not_found_and_not_numbered_again() {
        let (mut ring, _) = filled(3);
        ring.forget();
        assert_eq!((ring.take(1), ring.take(3), ring.next()), (None, None, 4));
    }

    #[test]
    fn the_receivers_windows_are_kept() {
        let (mut ring, _) = filled(0x6fff);
        assert!(!ring.has_room());
        for sequence in 1..0xfff {
            ring.take(sequence);
        }
        assert!(!ring.has_room());
        ring.take(0xfff);
        ring.take(0x1000);
        assert!(ring.has_room());
    }

    #[test]
    fn numbers_wrap_around() {
        let (mut ring, _) = filled(0);
        for sequence in (1..=u16::MAX).chain(0..10) {
            assert_eq!(ring.next(), sequence);
            ring.push(filled(1).1[0]);
            assert!(ring.take(sequence).is_some());
        }
    }
}
