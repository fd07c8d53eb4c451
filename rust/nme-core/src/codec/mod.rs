//! The compression stage: it works on what is behind the 2 or 4 header bytes of an ENet datagram.
//!
//! A datagram is sent plain whenever compressing it does not make it smaller, so every mode must also take
//! plain datagrams.

mod range_coder;

/// The compression of a host's datagrams. Both sides of a connection must use the same one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Plain datagrams.
    None,
    /// ENet's own order-2 range coder, the default of 3.6.
    #[default]
    RangeCoder,
}

/// One compression format. Contexts and tables are made once for a host.
pub(crate) trait Codec: Send {
    /// Compresses `input` into `out`; the bytes written, or `None` when they do not fit.
    fn compress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize>;
    /// Expands `input` into `out`; the bytes written, or `None` when the input is invalid or does not fit.
    fn decompress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize>;
}

/// The codec of a mode; plain datagrams need none.
pub(crate) fn codec(compression: Compression) -> Option<Box<dyn Codec>> {
    match compression {
        Compression::None => None,
        Compression::RangeCoder => Some(Box::new(range_coder::RangeCoder::new())),
    }
}
