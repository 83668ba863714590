//! The formats of objects: one file for each, and their list here.

mod cef;
#[cfg(feature = "parquet")]
mod columns;
mod compressed_lines;
mod gzip;
mod key_value;
mod ndjson;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "parquet")]
mod parquet_buffer;
#[cfg(feature = "parquet")]
mod parquet_reader;
mod selection;
mod siem_script;
#[cfg(feature = "zstd")]
mod zstd;

use std::{fmt, io, str::FromStr};

use bytes::Bytes;
#[cfg(feature = "parquet")]
pub use columns::{ColumnKind, ParquetColumn, parquet_columns};
pub use gzip::GZIP_LEVEL;
pub(crate) use ndjson::NdjsonGzip;
pub use selection::{FormatSelection, InvalidFormatSelection};
#[cfg(feature = "zstd")]
pub use zstd::ZSTD_LEVEL;

use crate::{
    encode::{Encoder, Row, StoredRow},
    error::Error,
};

/// The format of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// One JSON object a line, compressed with gzip. It contains the service's JSON as a
    /// string, byte for byte.
    #[default]
    NdjsonGzip,
    /// The lines of [`NdjsonGzip`](Self::NdjsonGzip), compressed with Zstandard in less
    /// processor time.
    #[cfg(feature = "zstd")]
    NdjsonZstd,
    /// Apache Parquet with typed columns for each dataset, compressed with Zstandard. It
    /// contains the service's JSON as a string, byte for byte.
    #[cfg(feature = "parquet")]
    Parquet,
    /// One row of the Common Event Format a line, compressed with gzip. The fields are
    /// those of Sophos's script for SIEMs.
    CefGzip,
    /// The Common Event Format byte for byte as Sophos's script writes it, with its
    /// defects: a line break within a value is not escaped, and `critical` is 0.
    CefCompatibleGzip,
    /// One row of `key="value";` pairs a line, compressed with gzip. The fields are those
    /// of Sophos's script for SIEMs.
    KeyValueGzip,
    /// The pairs byte for byte as Sophos's script writes them, with its defects: quotes
    /// and line breaks within a value are not escaped.
    KeyValueCompatibleGzip,
}

/// The rows of an object, read one after the other.
type RowIterator = Box<dyn Iterator<Item = io::Result<StoredRow>> + Send>;

/// One format. Each file of this folder has one.
struct FormatSpec {
    /// The name in the configuration, and the extension of an object's name.
    name: &'static str,
    /// Creates the encoder of an object.
    encoder: fn() -> Box<dyn Encoder>,
    /// Counts the rows of an object. With `true` it reads their ids and revisions as well.
    scan: fn(&[u8], bool) -> io::Result<ScannedRows>,
    /// Reads the rows of an object. `None` for a format without the record.
    read: Option<fn(Bytes) -> io::Result<RowIterator>>,
    /// The text of a row. `None` for a format that is not for SIEMs.
    line: Option<fn(&Row<'_>) -> String>,
}

/// The rows of an object.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ScannedRows {
    /// Their number; `None` if the format does not tell where a row ends.
    pub(crate) rows: Option<u64>,
    /// Their ids and revisions, if they were requested and the format has both.
    pub(crate) keys: Vec<(String, u32)>,
}

impl Format {
    /// All formats of this build.
    pub const ALL: &[Self] = &[
        Self::NdjsonGzip,
        #[cfg(feature = "zstd")]
        Self::NdjsonZstd,
        #[cfg(feature = "parquet")]
        Self::Parquet,
        Self::CefGzip,
        Self::CefCompatibleGzip,
        Self::KeyValueGzip,
        Self::KeyValueCompatibleGzip,
    ];

    fn spec(self) -> &'static FormatSpec {
        match self {
            Self::NdjsonGzip => &ndjson::GZIP_SPEC,
            #[cfg(feature = "zstd")]
            Self::NdjsonZstd => &ndjson::ZSTD_SPEC,
            #[cfg(feature = "parquet")]
            Self::Parquet => &parquet::SPEC,
            Self::CefGzip => &cef::SPEC,
            Self::CefCompatibleGzip => &cef::COMPATIBLE_SPEC,
            Self::KeyValueGzip => &key_value::SPEC,
            Self::KeyValueCompatibleGzip => &key_value::COMPATIBLE_SPEC,
        }
    }

    /// The extension of an object's name, which is the name in the configuration as well.
    pub fn extension(self) -> &'static str {
        self.spec().name
    }

    /// The format of an object with this path; `None` for an unknown extension.
    pub fn from_path(path: &str) -> Option<Self> {
        let has_extension =
            |format: &&Self| path.strip_suffix(format.extension()).is_some_and(|rest| rest.ends_with('.'));
        Self::ALL.iter().find(has_extension).copied()
    }

    /// An encoder for one object.
    pub fn encoder(self) -> Box<dyn Encoder> {
        (self.spec().encoder)()
    }

    /// The text of a row in a format for SIEMs, without a line break at its end; `None`
    /// for other formats.
    pub fn to_line(self, row: &Row<'_>) -> Option<String> {
        self.spec().line.map(|line| line(row))
    }

    /// Counts the rows of an object. With `with_keys` it reads their ids and revisions.
    pub(crate) fn scan(self, body: &[u8], with_keys: bool) -> io::Result<ScannedRows> {
        (self.spec().scan)(body, with_keys)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let name = text.trim();
        let found = Self::ALL.iter().find(|format| format.extension() == name);
        found.copied().ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// An unknown name of a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format \"{0}\": expected {expected}", expected = expected())]
pub struct UnknownFormat(String);

/// The names of all formats, as an error lists them.
fn expected() -> String {
    let names: Vec<_> = Format::ALL.iter().map(|format| format!("`{format}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// The rows of a data object, in order. Of Parquet it holds one row group in memory, of
/// other formats one row.
///
/// A damaged object ends with [`Error::InvalidObject`].
pub struct StoredRows {
    path: String,
    rows: RowIterator,
    has_failed: bool,
}

impl fmt::Debug for StoredRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredRows").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Iterator for StoredRows {
    type Item = Result<StoredRow, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let row = self.rows.next()?;
        self.has_failed = row.is_err();
        Some(row.map_err(|error| Error::InvalidObject { path: self.path.clone(), reason: error.to_string() }))
    }
}

/// Reads the rows of a data object. The extension of its path tells the format.
///
/// # Errors
/// [`Error::InvalidObject`] when the extension is unknown, the format keeps no record, or
/// the object is damaged.
///
/// # Examples
/// ```
/// use sophos_export::{Dataset, Error, Format, Row, read_rows};
///
/// # fn main() -> Result<(), Error> {
/// let mut encoder = Format::NdjsonGzip.encoder();
/// encoder.push(&Row {
///     id: "e-1",
///     tenant: "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f",
///     dataset: Dataset::Events,
///     source: "siem/v1/events",
///     time: None,
///     created_at: None,
///     revision: 0,
///     record: r#"{"id":"e-1"}"#,
/// })?;
/// let object = encoder.finish()?;
/// for row in read_rows("events/day=2026-11-23/000000000001-0000.ndjson.gz", object.into())? {
///     let row = row?;
///     assert_eq!((row.id.as_str(), row.record.as_str()), ("e-1", r#"{"id":"e-1"}"#));
/// }
/// # Ok(())
/// # }
/// ```
pub fn read_rows(path: &str, body: Bytes) -> Result<StoredRows, Error> {
    let invalid = |reason: String| Error::InvalidObject { path: path.to_owned(), reason };
    let format = Format::from_path(path)
        .ok_or_else(|| invalid(format!("its extension is of no format: expected {}", expected())))?;
    let read = format.spec().read.ok_or_else(|| {
        invalid(format!("the format {format} keeps no record; export the dataset as `ndjson.gz` as well"))
    })?;
    let rows = read(body).map_err(|error| invalid(error.to_string()))?;
    Ok(StoredRows { path: path.to_owned(), rows, has_failed: false })
}
