//! Lines of text that are compressed as they are added.

use std::{
    fmt::Debug,
    io::{self, BufRead, BufReader, Read, Write},
};

use super::ScannedRows;
use crate::encode::{Encoder, Row};

/// The bytes of lines that are buffered before compression. A compressor takes a third
/// of a megabyte or more, and an endpoint with a wrong clock opens many objects.
const MAX_UNCOMPRESSED_LEN: usize = 16 << 10;

/// A compressor of one object, which writes to memory.
pub(crate) trait Compressor: Write + Send + Debug + Sized {
    /// Its memory in bytes, without the compressed bytes.
    const MEMORY: usize;

    fn create() -> io::Result<Self>;

    /// The bytes that are compressed so far.
    fn compressed(&self) -> &Vec<u8>;

    /// Completes the object.
    fn complete(self) -> io::Result<Vec<u8>>;
}

/// Compresses lines.
#[derive(Debug)]
pub(super) struct CompressedLines<C> {
    /// The lines that are not compressed yet.
    uncompressed: Vec<u8>,
    compressor: Option<C>,
}

impl<C> Default for CompressedLines<C> {
    fn default() -> Self {
        Self { uncompressed: Vec::new(), compressor: None }
    }
}

impl<C: Compressor> CompressedLines<C> {
    /// Adds what `write` appends.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        write(&mut self.uncompressed);
        if self.uncompressed.len() > MAX_UNCOMPRESSED_LEN { self.compress() } else { Ok(()) }
    }

    /// Compresses the buffered lines.
    fn compress(&mut self) -> io::Result<()> {
        let compressor = match &mut self.compressor {
            Some(compressor) => compressor,
            none => none.insert(C::create()?),
        };
        compressor.write_all(&self.uncompressed)?;
        self.uncompressed.clear();
        // A single line may have been very large.
        self.uncompressed.shrink_to(2 * MAX_UNCOMPRESSED_LEN);
        Ok(())
    }

    /// The approximate memory in bytes.
    pub(super) fn size(&self) -> usize {
        let compressed = |compressor: &C| C::MEMORY + compressor.compressed().capacity();
        self.uncompressed.capacity() + self.compressor.as_ref().map_or(0, compressed)
    }

    /// The compressed lines.
    pub(super) fn finish(mut self) -> io::Result<Vec<u8>> {
        self.compress()?;
        self.compressor.take().map_or(Ok(Vec::new()), C::complete)
    }
}

/// Compresses the lines that a function makes of rows.
#[derive(Debug)]
pub(super) struct LineEncoder<C> {
    to_line: fn(&Row<'_>) -> String,
    lines: CompressedLines<C>,
}

impl<C: Compressor> LineEncoder<C> {
    pub(super) fn new(to_line: fn(&Row<'_>) -> String) -> Self {
        Self { to_line, lines: CompressedLines::default() }
    }
}

impl<C: Compressor> Encoder for LineEncoder<C> {
    fn push(&mut self, row: &Row<'_>) -> io::Result<()> {
        let line = (self.to_line)(row);
        self.lines.push(|lines| {
            lines.extend_from_slice(line.as_bytes());
            lines.push(b'\n');
        })
    }

    fn size(&self) -> usize {
        self.lines.size()
    }

    fn finish(self: Box<Self>) -> io::Result<Vec<u8>> {
        self.lines.finish()
    }
}

/// Calls `on_line` with each line of a decompressed object, including its line break.
pub(super) fn for_each_line(
    text: impl Read,
    mut on_line: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut reader = BufReader::new(text);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        on_line(&line)?;
    }
}

/// The lines of a decompressed object, each with its line break.
pub(super) fn lines(text: impl Read + Send) -> impl Iterator<Item = io::Result<Vec<u8>>> + Send {
    let mut reader = BufReader::new(text);
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) => Some(Ok(line)),
            Err(error) => Some(Err(error)),
        }
    })
}

/// Counts the lines of a decompressed object. Each is a row.
pub(super) fn count_lines(text: impl Read) -> io::Result<ScannedRows> {
    let mut rows = 0;
    for_each_line(text, |_| {
        rows += 1;
        Ok(())
    })?;
    Ok(ScannedRows { rows: Some(rows), keys: Vec::new() })
}

/// Decompresses an object whose rows may have line breaks.
pub(super) fn ignore_lines(text: impl Read) -> io::Result<ScannedRows> {
    for_each_line(text, |_| Ok(()))?;
    Ok(ScannedRows::default())
}
