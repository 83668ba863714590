//! Compression with Zstandard.

use std::{
    fmt,
    io::{self, BufRead, Read, Write},
};

use zstd::stream::{read::Decoder, write::Encoder};

use super::compressed_lines::Compressor;

/// The level of Zstandard.
///
/// Measured with events against level 1: level -1 takes 0.74 of the time for 1.36 of the
/// size, and level -5 takes 0.67 for 1.53.
pub const ZSTD_LEVEL: i32 = -1;

/// The logarithm of the window, which compression keeps in memory. A window of twice the
/// size makes objects 2 % smaller.
const WINDOW_LOG: u32 = 18;

/// A compressor of the format Zstandard.
pub(super) struct Zstd(Encoder<'static, Vec<u8>>);

impl fmt::Debug for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Zstd").finish_non_exhaustive()
    }
}

impl Write for Zstd {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Compressor for Zstd {
    const MEMORY: usize = 1100 << 10;

    fn create() -> io::Result<Self> {
        let mut encoder = Encoder::new(Vec::new(), ZSTD_LEVEL)?;
        encoder.window_log(WINDOW_LOG)?;
        encoder.include_checksum(true)?;
        Ok(Self(encoder))
    }

    fn compressed(&self) -> &Vec<u8> {
        self.0.get_ref()
    }

    fn complete(self) -> io::Result<Vec<u8>> {
        self.0.finish()
    }
}

/// The decompressed text of an object.
pub(super) fn decompress(body: impl BufRead) -> io::Result<impl Read> {
    Decoder::with_buffer(body)
}
