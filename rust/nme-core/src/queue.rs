//! A queue out of whose middle unreliable packets can be dropped, the oldest of a connection first.

use std::collections::VecDeque;

use nme_enet::PeerHandle;

/// What waits in a [`Queue`].
pub(crate) trait Queued {
    /// The connection of an unreliable packet, which may be dropped; `None` for all else.
    fn droppable_of(&self) -> Option<PeerHandle>;
}

/// Items in the order of their arrival.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    /// `None` where one was dropped. The first one is there.
    places: VecDeque<Option<T>>,
    /// How many were dropped.
    gaps: usize,
    /// By the index of the connection's handle, how far there is nothing unreliable of it.
    searched: Vec<usize>,
    /// How many have been taken off the front since the places were counted anew.
    taken: usize,
}

impl<T: Queued> Queue<T> {
    pub(crate) const fn new() -> Self {
        Self { places: VecDeque::new(), gaps: 0, searched: Vec::new(), taken: 0 }
    }

    pub(crate) fn push(&mut self, item: T) {
        self.places.push_back(Some(item));
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let item = self.places.pop_front()??;
        self.taken += 1;
        self.skip_gaps();
        Some(item)
    }

    pub(crate) fn front(&self) -> Option<&T> {
        self.places.front()?.as_ref()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.gaps
    }

    /// Forgets everything, but keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.places.clear();
        self.close_gaps();
    }

    /// Drops all that are meant, and tells of each.
    pub(crate) fn drop_all(&mut self, is_meant: impl Fn(&T) -> bool, mut on_drop: impl FnMut(T)) {
        for place in &mut self.places {
            if let Some(item) = place.take_if(|item| is_meant(item)) {
                self.gaps += 1;
                on_drop(item);
            }
        }
        self.close_gaps();
    }

    /// Drops the oldest unreliable packet of a connection, if there is one.
    pub(crate) fn drop_oldest(&mut self, via: PeerHandle) -> Option<T> {
        if self.searched.len() <= via.index() {
            self.searched.resize(via.index() + 1, 0);
        }
        let start = self.searched[via.index()].saturating_sub(self.taken);
        let is_meant =
            |place: &Option<T>| place.as_ref().is_some_and(|item| item.droppable_of() == Some(via));
        let found = self.places.iter().skip(start).position(is_meant);
        let place = found.map_or(self.places.len(), |offset| start + offset);
        self.searched[via.index()] = self.taken + place;
        let dropped = self.places.get_mut(place)?.take()?;
        self.gaps += 1;
        if self.gaps > self.len() + MANY_GAPS {
            self.close_gaps();
        } else {
            self.skip_gaps();
        }
        Some(dropped)
    }

    /// Lets the first place be one with an item.
    fn skip_gaps(&mut self) {
        while self.gaps > 0 && self.places.pop_front_if(|place| place.is_none()).is_some() {
            self.gaps -= 1;
            self.taken += 1;
        }
    }

    /// Counts the places anew, without those whose items were dropped.
    fn close_gaps(&mut self) {
        self.places.retain(Option::is_some);
        self.gaps = 0;
        self.taken = 0;
        self.searched.clear();
    }
}

/// Places of dropped items that cost nothing worth mentioning.
const MANY_GAPS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet of the peer with this index.
    #[derive(Debug, PartialEq, Eq)]
    struct Item(u16, bool, u32);

    impl Queued for Item {
        fn droppable_of(&self) -> Option<PeerHandle> {
            (!self.1).then_some(peer(self.0))
        }
    }

    fn peer(index: u16) -> PeerHandle {
        PeerHandle::new(index, 0)
    }

    #[test]
    fn the_oldest_is_dropped_and_there_are_never_more_gaps_than_items() {
        let mut queue = Queue::new();
        queue.push(Item(3, false, 0));
        queue.push(Item(2, true, 1));
        for number in 2..100_000 {
            queue.push(Item(2, false, number));
            if number >= 12 {
                assert_eq!(queue.drop_oldest(peer(2)), Some(Item(2, false, number - 10)));
            }
            assert!(queue.places.len() < 1000);
        }
        assert_eq!(queue.drop_oldest(peer(1)), None);
        let mut expected = vec![Item(3, false, 0), Item(2, true, 1)];
        expected.extend((99_990..100_000).map(|number| Item(2, false, number)));
        assert_eq!(std::iter::from_fn(|| queue.pop()).collect::<Vec<_>>(), expected);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn items_that_are_taken_in_between_are_not_looked_for_again() {
        let mut queue = Queue::new();
        let mut number = 0;
        for round in 0..1000 {
            for _ in 0..7 {
                queue.push(Item(2, false, number));
                queue.push(Item(3, true, number));
                number += 1;
            }
            for _ in 0..round % 12 {
                queue.pop();
            }
            for _ in 0..round % 5 {
                let oldest = queue.iter().position(|item| item.0 == 2);
                let expected = oldest.and_then(|place| queue.iter().nth(place)).map(|item| item.2);
                assert_eq!(queue.drop_oldest(peer(2)).map(|item| item.2), expected);
            }
            if round % 50 == 0 {
                queue.drop_all(|item| item.0 == 3, drop);
            }
            assert_eq!(queue.len(), queue.iter().count());
        }
    }
}
