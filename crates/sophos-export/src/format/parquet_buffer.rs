//! The rows of a column before they are written.

use std::{io, mem, ops::Range};

use bytes::Bytes;
use parquet::{column::writer::ColumnWriter, data_type::ByteArray};

/// The maximum bytes of a batch of texts. Data pages are cut between batches.
const MAX_BATCH_LEN: usize = 128 << 10;

/// The maximum values of a batch.
const MAX_BATCH_ROWS: usize = 1_024;

/// The values of a column, without nulls.
#[derive(Debug)]
pub(super) enum Buffer {
    /// The texts one after the other, and the end of each.
    Text(Vec<u8>, Vec<usize>),
    Boolean(Vec<bool>),
    Int(Vec<i32>),
    Long(Vec<i64>),
}

/// The values of a column, with nulls.
#[derive(Debug)]
pub(super) struct ColumnBuffer {
    values: Buffer,
    /// 1 for a value and 0 for a null; `None` for a column without nulls.
    levels: Option<Vec<i16>>,
}

impl Buffer {
    pub(super) const fn text() -> Self {
        Self::Text(Vec::new(), Vec::new())
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(_, ends) => ends.len(),
            Self::Boolean(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Long(values) => values.len(),
        }
    }

    /// An empty buffer of the same kind.
    const fn empty(&self) -> Self {
        match self {
            Self::Text(..) => Self::text(),
            Self::Boolean(_) => Self::Boolean(Vec::new()),
            Self::Int(_) => Self::Int(Vec::new()),
            Self::Long(_) => Self::Long(Vec::new()),
        }
    }
}

impl ColumnBuffer {
    pub(super) const fn new(values: Buffer, has_nulls: bool) -> Self {
        Self { values, levels: if has_nulls { Some(Vec::new()) } else { None } }
    }

    /// The buffered rows. The buffer is empty then.
    pub(super) fn take(&mut self) -> Self {
        let empty = Self::new(self.values.empty(), self.levels.is_some());
        mem::replace(self, empty)
    }

    /// The number of rows.
    fn rows(&self) -> usize {
        self.levels.as_ref().map_or(self.values.len(), Vec::len)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    /// The memory in bytes.
    pub(super) fn memory(&self) -> usize {
        let values = match &self.values {
            Buffer::Text(texts, ends) => texts.capacity() + ends.capacity() * size_of::<usize>(),
            Buffer::Boolean(values) => values.capacity(),
            Buffer::Int(values) => values.capacity() * size_of::<i32>(),
            Buffer::Long(values) => values.capacity() * size_of::<i64>(),
        };
        let levels = self.levels.as_ref().map_or(0, |levels| levels.capacity() * size_of::<i16>());
        size_of::<Self>() + values + levels
    }

    /// Adds a text or a null.
    pub(super) fn push_text(&mut self, text: Option<&str>) -> io::Result<()> {
        let Buffer::Text(texts, ends) = &mut self.values else { return Err(mismatch()) };
        if let Some(text) = text {
            texts.extend_from_slice(text.as_bytes());
            ends.push(texts.len());
        }
        self.push_level(text.is_some())
    }

    /// Adds a Boolean or a null.
    pub(super) fn push_boolean(&mut self, value: Option<bool>) -> io::Result<()> {
        let Buffer::Boolean(values) = &mut self.values else { return Err(mismatch()) };
        values.extend(value);
        self.push_level(value.is_some())
    }

    /// Adds an integer of 64 bits or a null.
    pub(super) fn push_long(&mut self, value: Option<i64>) -> io::Result<()> {
        let Buffer::Long(values) = &mut self.values else { return Err(mismatch()) };
        values.extend(value);
        self.push_level(value.is_some())
    }

    /// Adds an integer of 32 bits.
    pub(super) fn push_int(&mut self, value: i32) -> io::Result<()> {
        let Buffer::Int(values) = &mut self.values else { return Err(mismatch()) };
        values.push(value);
        self.push_level(true)
    }

    fn push_level(&mut self, is_value: bool) -> io::Result<()> {
        match &mut self.levels {
            Some(levels) => levels.push(i16::from(is_value)),
            None if is_value => {}
            None => return Err(io::Error::other("a required column has no value")),
        }
        Ok(())
    }

    /// Writes all rows in batches.
    pub(super) fn write(self, column: &mut ColumnWriter<'_>) -> io::Result<()> {
        let rows = self.rows();
        let levels = self.levels;
        match (self.values, column) {
            (Buffer::Text(texts, ends), ColumnWriter::ByteArrayColumnWriter(writer)) => {
                let texts = Bytes::from(texts);
                let start = |value: usize| if value == 0 { 0 } else { ends[value - 1] };
                let batch_end = |from: usize, most: usize| {
                    let full = |value: &usize| ends[*value] - start(from) > MAX_BATCH_LEN;
                    // At least one value, however large it is.
                    (from + 1..most).find(full).unwrap_or(most)
                };
                for_each_batch(rows, levels.as_deref(), ends.len(), batch_end, |values, levels| {
                    let values: Vec<ByteArray> =
                        values.map(|value| texts.slice(start(value)..ends[value]).into()).collect();
                    writer.write_batch(&values, levels, None)
                })
            }
            (Buffer::Boolean(all), ColumnWriter::BoolColumnWriter(writer)) => for_each_batch(
                rows,
                levels.as_deref(),
                all.len(),
                |_, most| most,
                |values, levels| writer.write_batch(&all[values], levels, None),
            ),
            (Buffer::Int(all), ColumnWriter::Int32ColumnWriter(writer)) => for_each_batch(
                rows,
                levels.as_deref(),
                all.len(),
                |_, most| most,
                |values, levels| writer.write_batch(&all[values], levels, None),
            ),
            (Buffer::Long(all), ColumnWriter::Int64ColumnWriter(writer)) => for_each_batch(
                rows,
                levels.as_deref(),
                all.len(),
                |_, most| most,
                |values, levels| writer.write_batch(&all[values], levels, None),
            ),
            _ => Err(mismatch()),
        }
    }
}

/// Calls `write` with batches of rows: the range of their values, and their levels.
/// `batch_end` returns the end of a batch of values that begins at the first number and
/// ends at the second at the latest.
fn for_each_batch(
    rows: usize,
    levels: Option<&[i16]>,
    value_count: usize,
    batch_end: impl Fn(usize, usize) -> usize,
    mut write: impl FnMut(Range<usize>, Option<&[i16]>) -> parquet::errors::Result<usize>,
) -> io::Result<()> {
    let (mut row, mut value) = (0, 0);
    while row < rows {
        let most = (value + MAX_BATCH_ROWS).min(value_count);
        let end = if value < most { batch_end(value, most) } else { most };
        let row_end = match levels {
            None => row + (end - value),
            // Up to the row of the last value; the nulls after the last value belong to it.
            Some(levels) => {
                let mut left = end - value;
                let rest = levels[row..].iter().take(MAX_BATCH_ROWS);
                row + rest
                    .take_while(|level| {
                        let fits = **level == 0 || left > 0;
                        left -= usize::from(fits && **level == 1);
                        fits
                    })
                    .count()
            }
        };
        let found = levels
            .map_or(end - value, |levels| levels[row..row_end].iter().filter(|level| **level == 1).count());
        write(value..value + found, levels.map(|levels| &levels[row..row_end]))?;
        (row, value) = (row_end, value + found);
    }
    Ok(())
}

fn mismatch() -> io::Error {
    io::Error::other("a column has a value of another type")
}
