//! Compression with gzip.

use std::io::{self, BufRead, Read};

use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};

use super::compressed_lines::Compressor;

/// The level of gzip, which takes more processor time than any other step.
///
/// Measured with events against level 4: level 1 takes 0.4 of the time for 1.57 of the
/// size, level 2 takes 0.6 for 1.17, and level 6 takes 1.1 for 0.94.
pub const GZIP_LEVEL: u32 = 2;

/// A compressor of the format gzip.
pub(crate) type Gzip = GzEncoder<Vec<u8>>;

impl Compressor for Gzip {
    const MEMORY: usize = 320 << 10;

    fn create() -> io::Result<Self> {
        Ok(Self::new(Vec::new(), Compression::new(GZIP_LEVEL)))
    }

    fn compressed(&self) -> &Vec<u8> {
        self.get_ref()
    }

    fn complete(self) -> io::Result<Vec<u8>> {
        self.finish()
    }
}

/// The decompressed text of an object.
pub(super) fn decompress(body: impl BufRead) -> impl Read {
    MultiGzDecoder::new(body)
}
