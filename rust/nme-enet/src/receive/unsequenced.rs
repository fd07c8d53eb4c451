//! Unsequenced packets: each at most once, in whatever order they come.

/// The groups that have come lately, of a peer: nothing before the first one has.
#[derive(Debug, Default)]
pub(crate) struct UnsequencedWindow(Option<Box<Groups>>);

/// The current window.
#[derive(Debug, Default)]
struct Groups {
    /// Its first group.
    start: u16,
    /// One bit for each group.
    seen: [u64; WINDOW_GROUPS as usize / 64],
}

impl UnsequencedWindow {
    /// Notes a group; true when it has not come before and is not too old to tell.
    #[inline]
    pub(crate) fn take(&mut self, group: u16) -> bool {
        let index = group % WINDOW_GROUPS;
        // Numbers below the window's are those behind the wrap, and 32 windows are taken for newer ones.
        let groups = self.0.get_or_insert_default();
        let ahead = (group - index).wrapping_sub(groups.start);
        if ahead >= WINDOWS_AHEAD * WINDOW_GROUPS {
            return false;
        }
        if ahead != 0 {
            **groups = Groups { start: group - index, ..Groups::default() };
        }
        let word = &mut groups.seen[usize::from(index / 64)];
        let bit = 1 << (index % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

/// Groups of one window.
const WINDOW_GROUPS: u16 = 1024;

/// Windows ahead that are taken.
const WINDOWS_AHEAD: u16 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_comes_once() {
        let mut window = UnsequencedWindow::default();
        assert!(window.take(1) && window.take(3) && window.take(2));
        assert!(!window.take(1) && !window.take(3));
        assert!(window.take(1024) && !window.take(1024));
        // What belongs to an earlier window is too old.
        assert!(!window.take(5));
        assert!(window.take(1024 * 32) && !window.take(1025));
    }

    #[test]
    fn groups_wrap_around() {
        // Miri is too slow for all of them.
        let first = if cfg!(miri) { u16::MAX - 2000 } else { 1 };
        let start = first - first % WINDOW_GROUPS;
        let mut window = UnsequencedWindow(Some(Box::new(Groups { start, ..Groups::default() })));
        for group in (first..=u16::MAX).chain(0..3000) {
            assert!(window.take(group), "{group}");
            assert!(!window.take(group), "{group}");
        }
    }
}
