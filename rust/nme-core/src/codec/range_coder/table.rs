//! Counts of the 256 byte values with their running sums, for contexts with many values.

/// Values in a group, and groups.
const GROUP: usize = 16;

/// Where the share of each value starts: the start of its group, and the start in its group. Both can be read, and
/// raised, without a walk. A share is a count and `floor`.
#[derive(Clone)]
pub(super) struct Table {
    groups: [u16; GROUP],
    starts: [[u16; GROUP]; GROUP],
    counts: [u8; 256],
}

/// A value, as its place in a table.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    group: usize,
    lane: usize,
}

impl Slot {
    #[inline(always)]
    pub(super) const fn of(value: u8) -> Self {
        Self { group: value as usize / GROUP, lane: value as usize % GROUP }
    }

    #[inline(always)]
    pub(super) const fn value(self) -> u8 {
        (self.group * GROUP + self.lane) as u8
    }
}

impl Table {
    /// Nothing counted.
    pub(super) const fn new(floor: u16) -> Self {
        Self { groups: ramp(GROUP as u16 * floor), starts: [ramp(floor); GROUP], counts: [0; 256] }
    }

    /// The start of a value's share, and its count.
    #[inline(always)]
    pub(super) fn get(&self, at: Slot) -> (u16, u8) {
        let start = self.groups[at.group] + self.starts[at.group][at.lane];
        (start, self.counts[usize::from(at.value())])
    }

    #[inline(always)]
    pub(super) fn add(&mut self, at: Slot, count: u8) {
        raise_behind(&mut self.groups, at.group, count);
        raise_behind(&mut self.starts[at.group], at.lane, count);
        let old = &mut self.counts[usize::from(at.value())];
        *old = old.wrapping_add(count);
    }

    /// The value in whose share `code` is; some value when it is beyond all of them.
    #[inline(always)]
    pub(super) fn find(&self, code: u16) -> Slot {
        let group = last_from(&self.groups, code);
        let lane = last_from(&self.starts[group], code.wrapping_sub(self.groups[group]));
        Slot { group, lane }
    }

    /// Halves all counts, rounding up, and returns the sum of the shares.
    pub(super) fn halve(&mut self, floor: u16) -> u16 {
        let mut sum = 0;
        let groups = self.groups.iter_mut().zip(&mut self.starts);
        for ((group, starts), counts) in groups.zip(self.counts.as_chunks_mut::<GROUP>().0) {
            *group = sum;
            for (start, count) in starts.iter_mut().zip(counts) {
                *start = sum - *group;
                *count -= *count >> 1;
                sum += u16::from(*count) + floor;
            }
        }
        sum
    }
}

const fn ramp(step: u16) -> [u16; GROUP] {
    let mut starts = [0; GROUP];
    let mut lane = 0;
    while lane < GROUP {
        starts[lane] = lane as u16 * step;
        lane += 1;
    }
    starts
}

/// Raises the starts behind `lane`. All are written, most with nothing added: that is a few vector instructions.
#[inline(always)]
fn raise_behind(starts: &mut [u16; GROUP], lane: usize, count: u8) {
    /// As many zeros, then as many ones: a window on it is a mask.
    static EDGE: [u16; 2 * GROUP] = {
        let mut edge = [u16::MAX; 2 * GROUP];
        let mut lane = 0;
        while lane < GROUP {
            edge[lane] = 0;
            lane += 1;
        }
        edge
    };
    if let Some(masks) = EDGE[GROUP - 1 - lane..].first_chunk::<GROUP>() {
        // A copy, or the compiler does not see that all can be read before any is written.
        let mut raised = [0; GROUP];
        for ((to, start), mask) in raised.iter_mut().zip(&*starts).zip(masks) {
            *to = start.wrapping_add(mask & u16::from(count));
        }
        *starts = raised;
    }
}

/// The last of `starts` that is at most `code`: two choices of one in four, without branches.
#[inline(always)]
fn last_from(starts: &[u16; GROUP], code: u16) -> usize {
    let passed = |at: usize| usize::from(starts[at] <= code);
    let quarter = 4 * (passed(4) + passed(8) + passed(12));
    quarter + passed(quarter + 1) + passed(quarter + 2) + passed(quarter + 3)
}
