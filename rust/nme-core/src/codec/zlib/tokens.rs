//! A datagram as literals and repeats, ready to be coded.

use super::LONGEST;
use super::symbols::{DISTANCES, END, LENGTHS, LITLENS, MIN_MATCH};

/// The tokens of a datagram, and how often each symbol is in them.
pub(super) struct Tokens {
    list: Box<[Token; LONGEST]>,
    count: usize,
    pub(super) litlens: [u16; LITLENS],
    pub(super) distances: [u16; DISTANCES],
}

/// A literal or a repeat: what is to be written for it, so that writing needs no branches.
#[derive(Clone, Copy, Default)]
pub(super) struct Token {
    /// The byte, or the symbol of the length.
    pub(super) litlen: u16,
    /// The symbol of the distance, or [`NO_DISTANCE`].
    pub(super) distance: u8,
    /// What is left of the length beyond its symbol, and of the distance.
    pub(super) length_rest: u8,
    pub(super) distance_rest: u16,
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self {
            list: Box::new([Token::default(); LONGEST]),
            count: 0,
            litlens: [0; LITLENS],
            distances: [0; DISTANCES],
        }
    }

    /// Starts a datagram. Its end is counted already.
    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.litlens.fill(0);
        self.distances.fill(0);
        self.litlens[END] = 1;
    }

    pub(super) fn as_slice(&self) -> &[Token] {
        &self.list[..self.count]
    }

    #[inline(always)]
    pub(super) fn literal(&mut self, byte: u8) {
        self.litlens[usize::from(byte)] += 1;
        self.push(Token { litlen: byte.into(), distance: NO_DISTANCE, ..Token::default() });
    }

    /// A repeat of 3 to 258 bytes, from 1 to 32 768 bytes back.
    #[inline(always)]
    pub(super) fn repeat(&mut self, len: usize, distance: usize) {
        let symbol = LENGTH_SYMBOLS[len - MIN_MATCH];
        let length_rest = len as u16 - LENGTHS[usize::from(symbol)].base;
        let litlen = END as u16 + 1 + u16::from(symbol);
        let (distance, distance_rest) = distance_symbol(distance as u16 - 1);
        self.litlens[usize::from(litlen)] += 1;
        self.distances[usize::from(distance)] += 1;
        self.push(Token { litlen, distance, length_rest: length_rest as u8, distance_rest });
    }

    #[inline(always)]
    fn push(&mut self, token: Token) {
        self.list[self.count % LONGEST] = token;
        self.count += 1;
    }
}

/// Symbol and rest of a distance less one. The symbol says how many bits are below the upper two, and the second
/// of these.
#[inline(always)]
fn distance_symbol(less: u16) -> (u8, u16) {
    let Some(rest_bits) = less.checked_ilog2().and_then(|log| log.checked_sub(1)) else {
        return (less as u8, 0);
    };
    (2 * rest_bits as u8 + (less >> rest_bits) as u8, less & ((1 << rest_bits) - 1))
}

/// The distance of a literal: its code is empty.
pub(super) const NO_DISTANCE: u8 = DISTANCES as u8;

/// The symbol of each length, counted from the first one and from the shortest length.
const LENGTH_SYMBOLS: [u8; 256] = {
    let mut symbols = [0; 256];
    let mut symbol = 0;
    while symbol < LENGTHS.len() {
        let mut len = LENGTHS[symbol].base as usize - MIN_MATCH;
        while len < symbols.len() {
            symbols[len] = symbol as u8;
            len += 1;
        }
        symbol += 1;
    }
    symbols
};
