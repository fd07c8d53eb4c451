//! Huffman codes: the shortest for given frequencies, with a limit to the length of a code.

use super::symbols::{MAX_BITS, MOST_SYMBOLS};

/// Makes the code of one alphabet, again and again.
pub(super) struct CodeBuilder {
    /// The symbols that are used, in their order.
    used: [u16; ROOM],
    count: usize,
    /// Frequency (upper half) and symbol (lower half) of each; in the end sorted.
    keys: [u32; ROOM],
    /// Code lengths of the used symbols.
    lengths: [u8; MOST_SYMBOLS],
    /// The first code of each length.
    first: [u16; MAX_BITS + 1],
    /// Weights of the inner nodes of the tree in the order in which they are made; later their depths.
    nodes: [u32; ROOM],
    /// The node above each of them.
    parents: [u16; ROOM],
}

/// A code: its bits in the order they are written, and their number.
#[derive(Clone, Copy)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) len: u8,
    /// How many further bits follow.
    pub(super) extra: u8,
}

impl Code {
    /// The code of a symbol that is not used.
    pub(super) const fn unused(extra: u8) -> Self {
        Self { bits: 0, len: 0, extra }
    }
}

impl CodeBuilder {
    pub(super) fn new() -> Self {
        Self {
            used: [0; ROOM],
            count: 0,
            keys: [0; ROOM],
            lengths: [0; MOST_SYMBOLS],
            first: [0; MAX_BITS + 1],
            nodes: [0; ROOM],
            parents: [0; ROOM],
        }
    }

    /// The codes of lengths that are given.
    pub(super) fn assign(lengths: &[u8], codes: &mut [Code]) {
        let mut builder = Self::new();
        let mut counts = [0; MAX_BITS + 1];
        for (symbol, len) in lengths.iter().enumerate() {
            builder.used[symbol] = symbol as u16;
            builder.lengths[symbol] = *len;
            counts[usize::from(*len)] += 1;
        }
        builder.count = lengths.len();
        builder.set_first(&counts);
        builder.codes(codes);
    }

    /// Takes the frequencies of all symbols: in total fewer than `u16::MAX`.
    pub(super) fn count(&mut self, frequencies: &[u16]) {
        let mut count = 0;
        for (symbol, frequency) in frequencies.iter().enumerate() {
            // Overwritten by the next one if it is not used: a branch would be a random one.
            self.used[count % ROOM] = symbol as u16;
            self.keys[count % ROOM] = u32::from(*frequency) << 16 | symbol as u32;
            count += usize::from(*frequency != 0);
        }
        self.count = count;
    }

    /// How many symbols are used.
    pub(super) fn used(&self) -> usize {
        self.count
    }

    /// Symbols and frequencies of what is used.
    pub(super) fn frequencies(&self) -> impl Iterator<Item = (usize, usize)> {
        self.keys[..self.count].iter().map(|key| (symbol(*key), (key >> 16) as usize))
    }

    /// Symbols and code lengths of what is used, in the order of the symbols.
    pub(super) fn lengths(&self) -> impl DoubleEndedIterator<Item = (u16, u8)> {
        self.used[..self.count].iter().map(|symbol| (*symbol, self.lengths[usize::from(*symbol)]))
    }

    /// Makes the code lengths, of at most `limit` bits: how many bits all symbols take with them.
    ///
    /// A symbol that is alone has a code of one bit.
    pub(super) fn build(&mut self, limit: usize) -> usize {
        self.keys[..self.count].sort_unstable();
        let counts = self.count_lengths(limit);
        self.set_first(&counts);
        // Rare symbols have long codes.
        let mut bits = 0;
        let mut keys = self.keys[..self.count].iter();
        for len in (1..=limit).rev() {
            for key in keys.by_ref().take(counts[len].into()) {
                self.lengths[symbol(*key)] = len as u8;
                bits += (key >> 16) as usize * len;
            }
        }
        bits
    }

    /// How many codes of each length there are.
    fn count_lengths(&mut self, limit: usize) -> [u16; MAX_BITS + 1] {
        let mut counts = [0; MAX_BITS + 1];
        let Some(root) = self.count.checked_sub(2) else {
            counts[1] = self.count as u16;
            return counts;
        };
        self.join(root);
        // From the root down, each node takes the place of one leaf and has two below.
        counts[1] = 2;
        self.nodes[root] = 0;
        for node in (0..root).rev() {
            let depth = self.nodes[usize::from(self.parents[node]) % ROOM] + 1;
            self.nodes[node] = depth;
            let mut at = depth as usize;
            // Too deep: of the leaves with room below, the deepest one is split instead.
            if at >= limit {
                at = (1..limit).rev().find(|len| counts[*len] != 0).unwrap_or(1);
            }
            counts[at] -= 1;
            counts[at + 1] += 2;
        }
        counts
    }

    /// Joins the two lightest until one is left, the `root`. New nodes never get lighter, so the lightest is
    /// always the first leaf or the first node that is not joined yet.
    fn join(&mut self, root: usize) {
        self.keys[self.count] = u32::MAX;
        self.keys[self.count + 1] = u32::MAX;
        let (mut leaf, mut node) = (0, 0);
        for new in 0..=root {
            // There is no such node yet.
            self.nodes[new] = u32::MAX;
            let mut weight = 0;
            for _ in 0..2 {
                let (leaf_weight, node_weight) = (self.keys[leaf % ROOM] >> 16, self.nodes[node % ROOM]);
                let is_node = node_weight < leaf_weight;
                weight += leaf_weight.min(node_weight);
                // Overwritten if it is the leaf.
                self.parents[node % ROOM] = new as u16;
                node += usize::from(is_node);
                leaf += usize::from(!is_node);
            }
            self.nodes[new] = weight;
        }
    }

    fn set_first(&mut self, counts: &[u16; MAX_BITS + 1]) {
        for len in 1..=MAX_BITS {
            self.first[len] = (self.first[len - 1] + counts[len - 1]) << 1;
        }
    }

    /// Sets the codes of the used symbols.
    pub(super) fn codes(&self, codes: &mut [Code]) {
        let mut next = self.first;
        for (symbol, len) in self.lengths() {
            let next = &mut next[usize::from(len)];
            let code = &mut codes[usize::from(symbol)];
            code.bits = next.reverse_bits() >> (16 - u32::from(len));
            code.len = len;
            *next += 1;
        }
    }
}

fn symbol(key: u32) -> usize {
    (key & 0xffff) as usize
}

/// A power of two that has room for all symbols: indexes are cut to it instead of checked.
const ROOM: usize = 512;
const _: () = assert!(ROOM > MOST_SYMBOLS + 1);
