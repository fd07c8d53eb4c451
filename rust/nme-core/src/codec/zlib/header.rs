//! How a block describes its codes: the code lengths of all symbols up to the last used one, with steps for runs
//! of the same, and the steps in a Huffman code of their own.

use super::bits::BitWriter;
use super::huffman::{Code, CodeBuilder};
use super::symbols::{
    CODE_LENGTH_ORDER, CODE_LENGTHS, MANY_ZEROS, MAX_CODE_LENGTH_BITS, REPEAT_BITS, SAME, ZEROS,
};

/// The description of a block's codes.
pub(super) struct Header {
    litlens: u16,
    distances: u16,
    steps: [Step; ROOM],
    count: usize,
    frequencies: [u16; CODE_LENGTHS],
    builder: CodeBuilder,
    /// By symbol; 32 for the sake of indexes that need no check.
    codes: [Code; 32],
    /// How many lengths of the code for steps are given.
    given: usize,
}

/// A code length or a run.
#[derive(Clone, Copy, Default)]
struct Step {
    symbol: u8,
    /// How much longer the run is than the shortest.
    more: u8,
}

impl Header {
    pub(super) fn new() -> Self {
        let mut codes = [Code::unused(0); 32];
        for (code, extra) in codes[SAME.into()..].iter_mut().zip(REPEAT_BITS) {
            code.extra = extra;
        }
        Self {
            litlens: 0,
            distances: 0,
            steps: [Step::default(); ROOM],
            count: 0,
            frequencies: [0; CODE_LENGTHS],
            builder: CodeBuilder::new(),
            codes,
            given: 0,
        }
    }

    /// Describes the codes: the bits it takes.
    pub(super) fn plan(&mut self, litlens: &CodeBuilder, distances: &CodeBuilder) -> usize {
        self.count = 0;
        self.frequencies = [0; CODE_LENGTHS];
        self.litlens = self.steps_for(litlens, 0);
        let end = self.steps_for(distances, self.litlens);
        self.distances = end - self.litlens;
        // One distance is always described.
        if self.distances == 0 {
            self.zeros(1);
            self.distances = 1;
        }
        self.plan_code()
    }

    /// Adds the steps for one alphabet, which begins at `start` of all; where it ends.
    fn steps_for(&mut self, builder: &CodeBuilder, start: u16) -> u16 {
        let (mut end, mut last, mut repeats) = (start, 0, 0);
        for (symbol, len) in builder.lengths() {
            let unused = start + symbol - end;
            self.zeros(unused.into());
            end = start + symbol + 1;
            repeats = if unused == 0 && len == last { repeats + 1 } else { 0 };
            last = len;
            match repeats {
                0..=2 => self.push(Step { symbol: len, more: 0 }, 1),
                // The last two were pushed already.
                3 => {
                    self.count -= 2;
                    self.frequencies[usize::from(len)] -= 2;
                    self.push(Step { symbol: SAME as u8, more: 0 }, 1);
                }
                _ => {
                    self.steps[self.count - 1].more += 1;
                    if repeats == 6 {
                        repeats = 0;
                    }
                }
            }
        }
        end
    }

    /// Symbols that are not used.
    #[inline(always)]
    fn zeros(&mut self, mut count: usize) {
        while count >= ZERO_STEPS.len() {
            self.push(ZERO_STEPS[ZERO_STEPS.len() - 1].0, 1);
            count -= ZERO_STEPS.len() - 1;
        }
        let (step, times) = ZERO_STEPS[count];
        self.push(step, times);
    }

    /// Adds a step none, one or two times, without a branch.
    #[inline(always)]
    fn push(&mut self, step: Step, times: u16) {
        self.steps[self.count % ROOM] = step;
        self.steps[(self.count + 1) % ROOM] = step;
        self.count += usize::from(times);
        self.frequencies[usize::from(step.symbol)] += times;
    }

    /// Makes the code for the steps; the bits of the whole description.
    fn plan_code(&mut self) -> usize {
        self.builder.count(&self.frequencies);
        if self.builder.used() == 1 {
            // zlib takes no code for steps that is not complete.
            let other = usize::from(self.frequencies[0] != 0);
            self.frequencies[other] = 1;
            self.builder.count(&self.frequencies);
        }
        let bits = self.builder.build(MAX_CODE_LENGTH_BITS);
        for code in &mut self.codes {
            code.len = 0;
        }
        self.builder.codes(&mut self.codes);
        let is_used = |symbol: &u8| self.codes[usize::from(*symbol)].len != 0;
        self.given = CODE_LENGTH_ORDER.iter().rposition(is_used).map_or(4, |last| (last + 1).max(4));
        let runs = self.frequencies[SAME.into()..].iter().zip(REPEAT_BITS);
        let run_bits: usize = runs.map(|(count, bits)| usize::from(*count) * usize::from(bits)).sum();
        5 + 5 + 4 + 3 * self.given + bits + run_bits
    }

    pub(super) fn write(&self, writer: &mut BitWriter<'_>) {
        writer.put((self.litlens - 257).into(), 5);
        writer.put((self.distances - 1).into(), 5);
        writer.put(self.given as u64 - 4, 4);
        for symbol in &CODE_LENGTH_ORDER[..self.given] {
            writer.put(self.codes[usize::from(*symbol)].len.into(), 3);
        }
        for step in &self.steps[..self.count] {
            let code = self.codes[usize::from(step.symbol) % 32];
            writer.put(u64::from(code.bits) | u64::from(step.more) << code.len, code.len + code.extra);
        }
    }
}

/// The steps for up to 138 zeros, and how many of them.
static ZERO_STEPS: [(Step, u16); 139] = {
    let mut steps = [(Step { symbol: 0, more: 0 }, 0); 139];
    let mut count = 1;
    while count < steps.len() {
        steps[count] = match count {
            1 | 2 => (Step { symbol: 0, more: 0 }, count as u16),
            3..=10 => (Step { symbol: ZEROS as u8, more: count as u8 - 3 }, 1),
            _ => (Step { symbol: MANY_ZEROS as u8, more: count as u8 - 11 }, 1),
        };
        count += 1;
    }
    steps
};

/// A power of two that has room for the steps of all symbols: indexes are cut to it instead of checked.
const ROOM: usize = 512;
