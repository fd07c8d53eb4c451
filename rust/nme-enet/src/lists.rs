//! Linked lists that share one memory: a list of a peer costs 8 bytes while it is empty, and moving an entry from one
//! list to another allocates nothing.

/// The entries of many lists of one kind.
#[derive(Debug)]
pub(crate) struct Lists<T> {
    nodes: Vec<Node<T>>,
    /// The first of the free nodes.
    free: u32,
    used: usize,
    /// Some have been used since the last [`Lists::trim`].
    is_busy: bool,
}

#[derive(Debug)]
struct Node<T> {
    previous: u32,
    next: u32,
    value: Option<T>,
}

/// One list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct List {
    first: u32,
    last: u32,
}

/// An entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u32);

impl Key {
    /// No entry.
    pub(crate) const NONE: Self = Self(NONE);
}

impl List {
    pub(crate) const EMPTY: Self = Self { first: NONE, last: NONE };

    pub(crate) const fn is_empty(&self) -> bool {
        self.first == NONE
    }

    pub(crate) const fn first(&self) -> Key {
        Key(self.first)
    }
}

impl<T> Lists<T> {
    pub(crate) const fn new() -> Self {
        Self { nodes: Vec::new(), free: NONE, used: 0, is_busy: false }
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        self.nodes.get(key.0 as usize)?.value.as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.nodes.get_mut(key.0 as usize)?.value.as_mut()
    }

    /// The entry behind this one.
    pub(crate) fn next(&self, key: Key) -> Key {
        Key(self.nodes.get(key.0 as usize).map_or(NONE, |node| node.next))
    }

    #[inline]
    pub(crate) fn push_back(&mut self, list: &mut List, value: T) -> Key {
        self.used += 1;
        self.is_busy = true;
        let place = match self.nodes.get_mut(self.free as usize) {
            Some(node) => {
                node.value = Some(value);
                std::mem::replace(&mut self.free, node.next)
            }
            None => {
                // Packets exist in memory, so they are far fewer than 2^32.
                make_room(&mut self.nodes);
                self.nodes.push(Node { previous: NONE, next: NONE, value: Some(value) });
                (self.nodes.len() - 1) as u32
            }
        };
        self.link_back(list, place);
        Key(place)
    }

    #[inline]
    pub(crate) fn pop_front(&mut self, list: &mut List) -> Option<T> {
        self.pop_front_if(list, |_| true)
    }

    /// Takes the first entry out if it is a wanted one.
    #[inline]
    pub(crate) fn pop_front_if(&mut self, list: &mut List, is_wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        let node = self.nodes.get_mut(list.first as usize)?;
        let value = node.value.take_if(|value| is_wanted(value))?;
        let next = std::mem::replace(&mut node.next, self.free);
        self.free = std::mem::replace(&mut list.first, next);
        match self.nodes.get_mut(next as usize) {
            Some(node) => node.previous = NONE,
            None => list.last = NONE,
        }
        self.note_removed();
        Some(value)
    }

    /// Takes an entry of this very list out.
    pub(crate) fn remove(&mut self, list: &mut List, key: Key) -> Option<T> {
        let value = self.nodes.get_mut(key.0 as usize)?.value.take()?;
        self.unlink(list, key.0);
        if let Some(node) = self.nodes.get_mut(key.0 as usize) {
            node.next = std::mem::replace(&mut self.free, key.0);
        }
        self.note_removed();
        Some(value)
    }

    fn note_removed(&mut self) {
        self.used -= 1;
        if self.used == 0 && self.nodes.len() > MANY_NODES {
            self.give_back();
        }
    }

    /// Gives all memory back when no node has been used since the last call. To be called now and then.
    pub(crate) fn trim(&mut self) {
        if !self.is_busy {
            self.give_back();
        }
        self.is_busy = self.used > 0;
    }

    #[cold]
    fn give_back(&mut self) {
        self.nodes = Vec::new();
        self.free = NONE;
    }

    /// Moves an entry to the end of another list.
    pub(crate) fn move_back(&mut self, from: &mut List, key: Key, to: &mut List) {
        if self.get(key).is_some() {
            self.unlink(from, key.0);
            self.link_back(to, key.0);
        }
    }

    /// Moves an entry into another list, in front of the first one that has to be behind it. Only some of the first entries
    /// are looked at; when none of those is, it goes to the end.
    pub(crate) fn move_before(
        &mut self,
        from: &mut List,
        key: Key,
        to: &mut List,
        is_behind: impl Fn(&T) -> bool,
    ) {
        let mut place = to.first;
        for _ in 0..MAX_ENTRIES_LOOKED_AT {
            let Some(node) = self.nodes.get(place as usize) else { break };
            if node.value.as_ref().is_some_and(&is_behind) {
                self.unlink(from, key.0);
                self.link_before(to, key.0, place);
                return;
            }
            place = node.next;
        }
        self.move_back(from, key, to);
    }

    fn link_before(&mut self, list: &mut List, place: u32, next: u32) {
        let previous = match self.nodes.get_mut(next as usize) {
            Some(node) => std::mem::replace(&mut node.previous, place),
            None => return,
        };
        match self.nodes.get_mut(previous as usize) {
            Some(node) => node.next = place,
            None => list.first = place,
        }
        if let Some(node) = self.nodes.get_mut(place as usize) {
            (node.previous, node.next) = (previous, next);
        }
    }

    pub(crate) fn clear(&mut self, list: &mut List) {
        while self.pop_front(list).is_some() {}
    }

    fn unlink(&mut self, list: &mut List, place: u32) {
        let Some(Node { previous, next, .. }) = self.nodes.get(place as usize) else { return };
        let (previous, next) = (*previous, *next);
        match self.nodes.get_mut(previous as usize) {
            Some(node) => node.next = next,
            None => list.first = next,
        }
        match self.nodes.get_mut(next as usize) {
            Some(node) => node.previous = previous,
            None => list.last = previous,
        }
    }

    fn link_back(&mut self, list: &mut List, place: u32) {
        if let Some(node) = self.nodes.get_mut(place as usize) {
            node.previous = list.last;
            node.next = NONE;
        }
        match self.nodes.get_mut(list.last as usize) {
            Some(node) => node.next = place,
            None => list.first = place,
        }
        list.last = place;
    }
}

/// Makes room for one more entry. Grows more slowly than by doubling: this is what connected clients cost.
#[inline]
pub(crate) fn make_room<T>(entries: &mut Vec<T>) {
    if entries.len() == entries.capacity() {
        entries.reserve_exact(entries.len() / 4 + 16);
    }
}

const NONE: u32 = u32::MAX;

/// Entries of a list that [`Lists::move_before`] looks at.
const MAX_ENTRIES_LOOKED_AT: usize = 64;

/// Nodes whose memory is given back at once when none of them is used.
const MANY_NODES: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_can_be_put_in_front_of_later_ones() {
        let (mut lists, mut from, mut to) = (Lists::new(), List::EMPTY, List::EMPTY);
        for number in [5, 2, 9, 7, 1] {
            let key = lists.push_back(&mut from, number);
            lists.move_before(&mut from, key, &mut to, |other| *other > number);
        }
        assert!(from.is_empty());
        let sorted: Vec<_> = std::iter::from_fn(|| lists.pop_front(&mut to)).collect();
        assert_eq!(sorted, [1, 2, 5, 7, 9]);
        assert!(to.is_empty());
    }

    #[test]
    fn memory_is_given_back_once_nothing_has_been_used_for_a_while() {
        let (mut lists, mut list) = (Lists::new(), List::EMPTY);
        for value in 0..100 {
            lists.push_back(&mut list, value);
        }
        lists.trim();
        lists.trim();
        assert_eq!((values(&lists, &list).len(), lists.nodes.len()), (100, 100));
        lists.clear(&mut list);
        lists.trim();
        assert_eq!(lists.nodes.len(), 100);
        lists.trim();
        assert_eq!(lists.nodes.capacity(), 0);
        let key = lists.push_back(&mut list, 7);
        assert_eq!(lists.remove(&mut list, key), Some(7));
    }

    fn values(lists: &Lists<u8>, list: &List) -> Vec<u8> {
        let mut key = list.first();
        let mut values = Vec::new();
        while let Some(value) = lists.get(key) {
            values.push(*value);
            key = lists.next(key);
        }
        values
    }

    #[test]
    fn entries_move_between_lists_without_new_nodes() {
        let mut lists = Lists::new();
        let (mut one, mut other) = (List::EMPTY, List::EMPTY);
        let keys: Vec<Key> = (0..4).map(|value| lists.push_back(&mut one, value)).collect();
        lists.move_back(&mut one, keys[1], &mut other);
        lists.move_back(&mut one, keys[3], &mut other);
        assert_eq!((values(&lists, &one), values(&lists, &other)), (vec![0, 2], vec![1, 3]));
        assert_eq!(lists.remove(&mut other, keys[1]), Some(1));
        assert_eq!(lists.remove(&mut other, keys[1]), None);
        lists.push_back(&mut one, 9);
        assert_eq!((values(&lists, &one), values(&lists, &other)), (vec![0, 2, 9], vec![3]));
        assert_eq!(lists.nodes.len(), 4);
        lists.clear(&mut one);
        assert!(one.is_empty() && one == List::EMPTY);
        assert_eq!(lists.pop_front(&mut other), Some(3));
        assert!(other.is_empty());
    }
}
