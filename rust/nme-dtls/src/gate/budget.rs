//! How much of a handshake is taken in before it is complete.

/// What one handshake may still take in.
///
/// The library keeps every fragment it is given, in a list that it walks recursively and whose length it sums up for
/// each new one. So the number of fragments is what costs memory, time and stack, more than their bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    parts: usize,
    bytes: usize,
}

impl Budget {
    /// For what a client sends: a key exchange, a change of cipher and Finished. Even when each repeat of it arrives
    /// twice this is plenty.
    pub(crate) const OF_SERVER: Self = Self { parts: 96, bytes: 16 << 10 };
    /// For what a server sends. A chain of large certificates has some 10 KB, in 10 fragments.
    pub(crate) const OF_CLIENT: Self = Self { parts: 256, bytes: 128 << 10 };

    /// Takes the cost of `parts` messages or fragments, `bytes` together; false when there is not enough left.
    pub(crate) const fn spend(&mut self, parts: usize, bytes: usize) -> bool {
        let enough = self.parts >= parts && self.bytes >= bytes;
        if enough {
            self.parts -= parts;
            self.bytes -= bytes;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_and_bytes_run_out() {
        let mut budget = Budget { parts: 3, bytes: 100 };
        assert!(budget.spend(1, 90));
        assert!(!budget.spend(1, 11), "too many bytes");
        assert!(budget.spend(2, 10), "a refused cost is not taken");
        assert!(!budget.spend(1, 0), "too many parts");
    }
}
