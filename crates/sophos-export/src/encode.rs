//! Rows, and the encoder of an object.

use std::{fmt, io};

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use serde::Serialize;

use crate::dataset::Dataset;

/// A record with its metadata.
#[derive(Debug, Clone)]
pub struct Row<'r> {
    /// The record's id.
    pub id: &'r str,
    /// The tenant's id.
    pub tenant: &'r str,
    /// The dataset.
    pub dataset: Dataset,
    /// The operation that returned it, such as `siem/v1/events`.
    pub source: &'r str,
    /// The time of the record by the endpoint's clock.
    pub time: Option<Timestamp>,
    /// The creation time by the service's clock.
    pub created_at: Option<Timestamp>,
    /// 0 for the first row of an id. A repeated record with other content is written with
    /// the next number: the highest is the latest.
    pub revision: u32,
    /// The service's own JSON.
    pub record: &'r str,
}

/// A row of a stored object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredRow {
    /// The record's id.
    pub id: String,
    /// The tenant's id.
    pub tenant: String,
    /// The dataset.
    pub dataset: Dataset,
    /// The operation that returned it, such as `siem/v1/events`.
    pub source: String,
    /// The time of the record by the endpoint's clock, in milliseconds.
    pub time: Option<Timestamp>,
    /// The creation time by the service's clock, in milliseconds.
    pub created_at: Option<Timestamp>,
    /// 0 for the first row of an id; the highest is the latest.
    pub revision: u32,
    /// The service's own JSON, byte for byte.
    pub record: String,
}

impl<'r> From<&'r StoredRow> for Row<'r> {
    fn from(row: &'r StoredRow) -> Self {
        Self {
            id: &row.id,
            tenant: &row.tenant,
            dataset: row.dataset,
            source: &row.source,
            time: row.time,
            created_at: row.created_at,
            revision: row.revision,
            record: &row.record,
        }
    }
}

/// Encodes rows as one object.
///
/// # Examples
/// ```
/// # fn main() -> std::io::Result<()> {
/// use sophos_export::{Dataset, Encoder, Format, Row};
///
/// let mut encoder: Box<dyn Encoder> = Format::NdjsonGzip.encoder();
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
/// assert!(encoder.finish()?.starts_with(&[0x1f, 0x8b]), "the object is gzip");
/// # Ok(())
/// # }
/// ```
pub trait Encoder: Send + fmt::Debug {
    /// Adds a row.
    ///
    /// # Errors
    /// When encoding fails; the object is unusable then.
    fn push(&mut self, row: &Row<'_>) -> io::Result<()>;

    /// Compresses the buffered rows, if there are enough of them, so that
    /// [`size`](Self::size) decreases. The writer calls it at its memory limit.
    ///
    /// # Errors
    /// When encoding fails; the object is unusable then.
    fn compact(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// The approximate memory in bytes.
    fn size(&self) -> usize;

    /// Completes the object and returns its bytes.
    ///
    /// # Errors
    /// When encoding fails.
    fn finish(self: Box<Self>) -> io::Result<Vec<u8>>;
}

/// A record that is not JSON, as its bytes.
#[derive(Debug, Clone)]
pub(crate) struct QuarantinedRecord<'r> {
    /// The SHA-256 of the bytes, in hexadecimal.
    pub(crate) sha256: &'r str,
    pub(crate) tenant: &'r str,
    pub(crate) dataset: Dataset,
    pub(crate) source: &'static str,
    /// The time of the read by the service's clock.
    pub(crate) read_at: Timestamp,
    pub(crate) reason: &'r str,
    pub(crate) bytes: &'r [u8],
}

#[derive(Serialize)]
struct QuarantineLine<'r> {
    sha256: &'r str,
    tenant: &'r str,
    dataset: Dataset,
    source: &'static str,
    read_at: String,
    reason: &'r str,
    /// The bytes as text; invalid UTF-8 is replaced.
    text: std::borrow::Cow<'r, str>,
    /// The bytes in Base64.
    bytes: String,
}

impl QuarantinedRecord<'_> {
    /// One line of a quarantine object.
    pub(crate) fn to_line(&self) -> io::Result<Vec<u8>> {
        let line = QuarantineLine {
            sha256: self.sha256,
            tenant: self.tenant,
            dataset: self.dataset,
            source: self.source,
            read_at: to_rfc3339_millis(self.read_at),
            reason: self.reason,
            text: String::from_utf8_lossy(self.bytes),
            bytes: BASE64_STANDARD.encode(self.bytes),
        };
        let mut line = serde_json::to_vec(&line)?;
        line.push(b'\n');
        Ok(line)
    }
}

/// Formats a time as RFC 3339 with milliseconds in UTC, the same for all rows.
pub(crate) fn to_rfc3339_millis(time: Timestamp) -> String {
    format!("{time:.3}")
}
