//! ENet's range coder, the default of 3.6: bit for bit what ENet's own writes and reads.
//!
//! # The format
//! A datagram is one number, written as a binary fraction. An interval of numbers starts as all of them and is
//! narrowed to one share of itself for each step ([`interval`]); likely steps have large shares and so cost few
//! bits. Any number in the last interval would do: the encoder writes its low end without the zeros at the end,
//! and the decoder reads zeros where the input has ended.
//!
//! What is likely follows from the bytes before, which both sides count alike:
//! - A *context* holds how often each byte came after the last two bytes (order 2), or after the last one
//!   (order 1). It hands out shares in the order of the byte values, and in front of them one for the *escape*:
//!   "none of those that I know". A context that has counted nothing yet is passed over at no cost.
//! - A byte goes to order 2, with an escape from there to order 1, and with another to the *literals* (order 0),
//!   where all 256 values have a share from the start. The escape of the literals is the end of the datagram. No
//!   encoder writes it: the low end of an interval lies in the escapes of all orders.
//! - The contexts that were asked count the byte: 2 for the byte, and if it is new there 5 for the escape. The
//!   literals count 3. Before a count can pass 255 the context halves all of its numbers.
//! - Every byte that is new to a context is a node. With 4094 of them all is forgotten, and the next two bytes
//!   have no context but the literals.
//!
//! # The work
//! ENet walks a binary tree per context, and that walk is most of its time: it cannot be predicted. Here
//! a context is two words that hold up to eight bytes and their counts, searched and summed without branches;
//! larger contexts and the literals are tables of running sums in two levels of 16 ([`contexts`], [`table`]).
//!
//! Expanding is a chain in which each step needs the one before, and that limits it. On a line of chat (`codecs` of
//! `nme-bench`) it is 1.4 to 1.5 times as fast as ENet's; on snapshots and noise it is 2 times, and compressing 2.3
//! times and more. Of 105 bytes of chat 79 are literals, behind 99 escapes. About a quarter of the samples of a
//! profile are in the search for a literal: four looks into a table, of which each needs the one before. Vector
//! compares, as far as safe Rust gets them, and contexts without a case for "empty" were tried, and were slower.
//!
//! Nothing is allocated for a datagram: a coder has 180 KiB, and room for as much as 360 KiB of tables that only
//! datagrams of several KiB come to use. Forgetting costs the same however much there is to forget.
//!
//! # Where it differs
//! In one point the decoder is stricter. A number beyond the last share of a context comes from no encoder, and
//! both refuse it. Beyond the last share of the literals ENet's wraps the byte value around, which spoils the
//! order of its tree, and goes on; ours refuses that too. Of damaged datagrams this is about two in five.

mod contexts;
mod decoder;
mod encoder;
mod interval;
mod literals;
mod model;
mod table;
#[cfg(test)]
mod tests;

use super::Codec;
use model::Model;

/// ENet's range coder. Its tables are made once and reused for every datagram.
pub(super) struct RangeCoder {
    model: Model,
}

impl RangeCoder {
    pub(super) fn new() -> Self {
        Self { model: Model::new() }
    }
}

impl Codec for RangeCoder {
    fn compress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        encoder::compress(&mut self.model, input, out)
    }

    fn decompress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        decoder::decompress(&mut self.model, input, out).ok()
    }
}

/// A part of `total`: what an interval is narrowed to.
#[derive(Clone, Copy)]
struct Share {
    start: u32,
    size: u32,
    total: u32,
}

/// A total that is larger makes a context halve its numbers, so that a share never gets too small to tell apart.
const LARGEST_TOTAL: u16 = u16::MAX - 0xff;
