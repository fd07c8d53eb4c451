//! ENet's range coder.

use super::Codec;
use crate::enet;

pub(super) struct RangeCoder(enet::RangeCoder);

impl RangeCoder {
    pub(super) fn new() -> Self {
        Self(enet::RangeCoder::new())
    }
}

impl Codec for RangeCoder {
    fn compress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        match self.0.compress(input, out) {
            0 => None,
            len => Some(len),
        }
    }

    fn decompress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        match self.0.decompress(input, out) {
            0 => None,
            len if len <= out.len() => Some(len),
            _ => None,
        }
    }
}
