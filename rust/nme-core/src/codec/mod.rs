//! The compression stage: it works on what is behind the 2 or 4 header bytes of an ENet datagram.
//!
//! A datagram is sent plain whenever compressing it does not make it smaller, so every mode must also take
//! plain datagrams. The rule in `skip` says when it is not even tried.

mod fastlz;
#[doc(hidden)]
pub mod fuzz;
mod range_coder;
mod skip;
#[cfg(test)]
mod tests;
mod zlib;
mod zstd;

use skip::Skip;

use crate::endpoint::MAX_DATAGRAM;

/// The compression of a host's datagrams. Both sides of a connection must use the same one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Plain datagrams.
    None,
    /// ENet's own order-2 range coder, the default of 3.6.
    #[default]
    RangeCoder,
    /// FastLZ blocks.
    FastLz,
    /// Zlib streams.
    Zlib,
    /// Zstandard frames.
    Zstd,
}

impl Compression {
    /// The length below which compressing is not tried, in bytes: fewer than 1 in 100 of the datagrams that ENet
    /// sends shrink there (`codecs --shortest` of `nme-bench`). For FastLZ it is where 3.6's padding ends.
    const fn shortest(self) -> usize {
        match self {
            Self::None => usize::MAX,
            Self::RangeCoder => 12,
            Self::FastLz => 16,
            Self::Zlib => 18,
            Self::Zstd => 25,
        }
    }
}

/// One compression format. Contexts and tables are made once for a host.
pub(crate) trait Codec: Send {
    /// Compresses `input` into `out`; the bytes written, or `None` when they do not fit.
    fn compress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize>;
    /// Expands `input` into `out`; the bytes written, or `None` when the input is invalid or does not fit.
    fn decompress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize>;
}

/// The codec of a mode; plain datagrams need none.
fn codec(compression: Compression) -> Option<Box<dyn Codec>> {
    Some(match compression {
        Compression::None => return None,
        Compression::RangeCoder => Box::new(range_coder::RangeCoder::new()),
        Compression::FastLz => Box::new(fastlz::FastLz::new()),
        Compression::Zlib => Box::new(zlib::Zlib::new()),
        Compression::Zstd => Box::new(zstd::Zstd::new()),
    })
}

/// Room for an encoder that wants more of it than it uses in the end.
struct Scratch(Box<[u8; SCRATCH_LEN]>);

impl Scratch {
    fn new() -> Self {
        Self(Box::new([0; SCRATCH_LEN]))
    }

    /// Lets `write` fill the scratch, and copies what it wrote if that fits into `out`.
    fn fill(&mut self, out: &mut [u8], write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<usize> {
        let len = write(&mut self.0[..])?;
        out.get_mut(..len)?.copy_from_slice(self.0.get(..len)?);
        Some(len)
    }
}

/// The longest form of the longest datagram, by any encoder.
const SCRATCH_LEN: usize = MAX_DATAGRAM + 128;

/// The compression stage of one host.
pub(crate) struct Stage {
    codec: Box<dyn Codec>,
    skip: Skip,
}

impl Stage {
    /// The stage of a mode; plain datagrams need none.
    pub(crate) fn new(compression: Compression) -> Option<Self> {
        Some(Self { codec: codec(compression)?, skip: Skip::new(compression.shortest()) })
    }

    /// Compresses a datagram's commands into `out`: the bytes written, or `None` when it is to go out plain, as
    /// it would not become smaller or is not worth a try.
    pub(crate) fn compress(&mut self, commands: &[u8], out: &mut [u8]) -> Option<usize> {
        if !self.skip.should_try(commands) {
            return None;
        }
        // Room for less than the input: what would not be smaller does not fit.
        let room = commands.len().saturating_sub(1).min(out.len());
        let len = self.codec.compress(commands, &mut out[..room]);
        self.skip.note(commands, len.is_some());
        len
    }

    /// Expands commands into `out`; the bytes written, or `None` when the input is invalid or does not fit.
    pub(crate) fn decompress(&mut self, input: &[u8], out: &mut [u8]) -> Option<usize> {
        self.codec.decompress(input, out)
    }
}
