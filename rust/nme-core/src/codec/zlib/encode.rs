//! Writes one block: of the three kinds the one that takes the fewest bits.

use super::bits::BitWriter;
use super::header::Header;
use super::huffman::{Code, CodeBuilder};
use super::matcher::Matcher;
use super::symbols::{DISTANCE_RANGES, END, FIXED_DISTANCES, FIXED_LITLENS, LENGTHS, MAX_BITS, MOST_SYMBOLS};
use super::tokens::Token;
use super::{LONGEST, Window, new_window};

/// The encoder. All it needs is made once.
pub(super) struct Encoder {
    matcher: Matcher,
    litlens: CodeBuilder,
    distances: CodeBuilder,
    header: Header,
    fixed: Codes,
    own: Codes,
    /// `n * log2(n)`, in 64ths.
    weights: Box<[u32; LONGEST + 2]>,
    scratch: Box<Window>,
}

impl Encoder {
    pub(super) fn new() -> Self {
        let mut fixed = Codes::new();
        CodeBuilder::assign(&FIXED_LITLENS, &mut fixed.litlens[..MOST_SYMBOLS]);
        CodeBuilder::assign(&FIXED_DISTANCES[..DISTANCE_RANGES.len()], &mut fixed.distances);
        let weight = |n: f64| if n == 0.0 { 0 } else { (n * n.log2() * 64.0) as u32 };
        Self {
            matcher: Matcher::new(),
            litlens: CodeBuilder::new(),
            distances: CodeBuilder::new(),
            header: Header::new(),
            fixed,
            own: Codes::new(),
            weights: Box::new(std::array::from_fn(|n| weight(n as f64))),
            scratch: new_window(),
        }
    }

    /// Writes `input` to `out` as one block: the bytes written, or `None` when they do not fit or the input is
    /// longer than a datagram.
    pub(super) fn encode(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        let tokens = self.matcher.tokens(input)?;
        self.litlens.count(&tokens.litlens);
        self.distances.count(&tokens.distances);
        let stored_bits = 8 * (STORED_HEADER + input.len());
        let fixed_bits = 3 + self.fixed.bits(&self.litlens, &self.distances);
        let extra_bits = self.own.extra_bits(&self.litlens, &self.distances);
        let mut own_bits = usize::MAX;
        let estimate = extra_bits + estimate(&self.weights[..], &self.litlens, &self.distances);
        if estimate < fixed_bits.min(stored_bits) {
            own_bits = 3 + extra_bits + self.litlens.build(MAX_BITS) + self.distances.build(MAX_BITS);
            own_bits += self.header.plan(&self.litlens, &self.distances);
        }
        let bits = stored_bits.min(fixed_bits).min(own_bits);
        if bits.div_ceil(8) > out.len() {
            return None;
        }
        if bits == stored_bits {
            return store(input, out);
        }
        let mut writer = BitWriter::new(&mut self.scratch);
        writer.put(LAST, 1);
        if bits == fixed_bits {
            writer.put(FIXED, 2);
            self.fixed.write(tokens.as_slice(), &mut writer);
        } else {
            writer.put(OWN, 2);
            self.header.write(&mut writer);
            self.litlens.codes(&mut self.own.litlens);
            self.distances.codes(&mut self.own.distances);
            self.own.write(tokens.as_slice(), &mut writer);
        }
        let len = writer.finish();
        out[..len].copy_from_slice(&self.scratch[..len]);
        Some(len)
    }
}

/// About as many bits as own codes and their description take, seldom more: often it shows that there is no use
/// in making them.
fn estimate(weights: &[u32], litlens: &CodeBuilder, distances: &CodeBuilder) -> usize {
    let entropy = |builder: &CodeBuilder| {
        let (mut total, mut sum) = (0, 0);
        for (_, frequency) in builder.frequencies() {
            total += frequency;
            sum += weights[frequency];
        }
        (weights[total] - sum) as usize / 64
    };
    // Measured: descriptions of game data and text take this and more, of noise hardly less.
    let description = 50 + 3 * (litlens.used() + distances.used());
    entropy(litlens) + entropy(distances) + description
}

/// A block of plain bytes, of fewer than 64 KiB.
fn store(input: &[u8], out: &mut [u8]) -> Option<usize> {
    let (header, rest) = out.split_first_chunk_mut::<STORED_HEADER>()?;
    let [low, high] = (input.len() as u16).to_le_bytes();
    *header = [(LAST | STORED << 1) as u8, low, high, !low, !high];
    rest.get_mut(..input.len())?.copy_from_slice(input);
    Some(STORED_HEADER + input.len())
}

/// The codes of a block. Symbols that are not in it may have any.
struct Codes {
    litlens: [Code; 512],
    /// The last ones are for literals: empty.
    distances: [Code; 32],
}

impl Codes {
    fn new() -> Self {
        let mut codes = Self { litlens: [Code::unused(0); 512], distances: [Code::unused(0); 32] };
        for (code, range) in codes.litlens[END + 1..].iter_mut().zip(LENGTHS) {
            code.extra = range.extra;
        }
        for (code, range) in codes.distances.iter_mut().zip(DISTANCE_RANGES) {
            code.extra = range.extra;
        }
        codes
    }

    /// The bits of all tokens.
    fn bits(&self, litlens: &CodeBuilder, distances: &CodeBuilder) -> usize {
        let bits = |codes: &[Code], builder: &CodeBuilder| -> usize {
            builder.frequencies().map(|(symbol, count)| count * usize::from(codes[symbol].len)).sum()
        };
        let codes = bits(&self.litlens, litlens) + bits(&self.distances, distances);
        codes + self.extra_bits(litlens, distances)
    }

    /// The bits that do not depend on the codes.
    fn extra_bits(&self, litlens: &CodeBuilder, distances: &CodeBuilder) -> usize {
        let bits = |codes: &[Code], builder: &CodeBuilder| -> usize {
            builder.frequencies().map(|(symbol, count)| count * usize::from(codes[symbol].extra)).sum()
        };
        bits(&self.litlens, litlens) + bits(&self.distances, distances)
    }

    fn write(&self, tokens: &[Token], writer: &mut BitWriter<'_>) {
        for token in tokens {
            let litlen = self.litlens[usize::from(token.litlen) % 512];
            let distance = self.distances[usize::from(token.distance) % 32];
            // At most 15 + 5 and 15 + 13 bits.
            let length = u64::from(litlen.bits) | u64::from(token.length_rest) << litlen.len;
            let length_bits = litlen.len + litlen.extra;
            let back = u64::from(distance.bits) | u64::from(token.distance_rest) << distance.len;
            writer.put(length | back << length_bits, length_bits + distance.len + distance.extra);
        }
        let end = self.litlens[END];
        writer.put(end.bits.into(), end.len);
    }
}

/// Says that no block follows.
const LAST: u64 = 1;

/// The kinds of blocks.
const STORED: u64 = 0;
const FIXED: u64 = 1;
const OWN: u64 = 2;

/// Kind, length and inverted length.
const STORED_HEADER: usize = 5;
