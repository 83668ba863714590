//! The encoding of rows as objects.

use std::{
    fmt,
    io::{self, Write},
    str::FromStr,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use serde::Serialize;

use crate::{dataset::Dataset, row_json::write_row};

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
    pub source: &'static str,
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

/// The format of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// One JSON object a line, compressed with gzip. It contains the service's JSON as a
    /// string, byte for byte.
    #[default]
    NdjsonGzip,
}

impl Format {
    /// The extension of an object's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::NdjsonGzip => "ndjson.gz",
        }
    }

    /// An encoder for one object.
    pub fn encoder(self) -> Box<dyn Encoder> {
        match self {
            Self::NdjsonGzip => Box::new(NdjsonGzip::default()),
        }
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text.trim() {
            "ndjson.gz" => Ok(Self::NdjsonGzip),
            other => Err(UnknownFormat(other.to_owned())),
        }
    }
}

/// An unknown name of a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format \"{0}\": expected `ndjson.gz`")]
pub struct UnknownFormat(String);

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

    /// Adds an encoded line, including its line break.
    ///
    /// # Errors
    /// When encoding fails; the object is unusable then.
    fn push_line(&mut self, line: &[u8]) -> io::Result<()>;

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

/// The bytes of lines that are buffered before compression. A compressor takes a third
/// of a megabyte, and an endpoint with a wrong clock opens many objects.
const MAX_UNCOMPRESSED_LEN: usize = 16 << 10;

/// The memory of a compressor in bytes.
const COMPRESSOR_MEMORY: usize = 320 << 10;

/// The level of gzip, which takes more processor time than any other step.
///
/// Measured with events against level 4: level 1 takes 0.4 of the time for 1.57 of the
/// size, level 2 takes 0.6 for 1.17, and level 6 takes 1.1 for 0.94.
pub const GZIP_LEVEL: u32 = 2;

#[derive(Debug, Default)]
struct NdjsonGzip {
    /// The lines that are not compressed yet.
    uncompressed: Vec<u8>,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

impl NdjsonGzip {
    /// Compresses the buffered lines.
    fn compress(&mut self) -> io::Result<()> {
        let new = || GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
        self.gzip.get_or_insert_with(new).write_all(&self.uncompressed)?;
        self.uncompressed.clear();
        // A single line may have been very large.
        self.uncompressed.shrink_to(2 * MAX_UNCOMPRESSED_LEN);
        Ok(())
    }

    fn compress_if_full(&mut self) -> io::Result<()> {
        if self.uncompressed.len() > MAX_UNCOMPRESSED_LEN { self.compress() } else { Ok(()) }
    }
}

impl Encoder for NdjsonGzip {
    fn push(&mut self, row: &Row<'_>) -> io::Result<()> {
        write_row(&mut self.uncompressed, row);
        self.compress_if_full()
    }

    fn push_line(&mut self, line: &[u8]) -> io::Result<()> {
        self.uncompressed.extend_from_slice(line);
        self.compress_if_full()
    }

    fn size(&self) -> usize {
        let compressed = |gzip: &GzEncoder<Vec<u8>>| COMPRESSOR_MEMORY + gzip.get_ref().capacity();
        self.uncompressed.capacity() + self.gzip.as_ref().map_or(0, compressed)
    }

    fn finish(mut self: Box<Self>) -> io::Result<Vec<u8>> {
        self.compress()?;
        self.gzip.take().map_or(Ok(Vec::new()), GzEncoder::finish)
    }
}

/// Formats a time as RFC 3339 with milliseconds in UTC, the same for all rows.
pub(crate) fn to_rfc3339_millis(time: Timestamp) -> String {
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use proptest::prelude::*;
    use serde_json::Value;
    use std::io::Read;

    fn encode(records: &[String]) -> String {
        let mut encoder = Format::NdjsonGzip.encoder();
        for record in records {
            let row = Row {
                id: "a\"b",
                tenant: "t",
                dataset: Dataset::Events,
                source: "siem/v1/events",
                time: Timestamp::from_millisecond(1_604_482_277_546).ok(),
                created_at: None,
                revision: 0,
                record,
            };
            encoder.push(&row).expect("a row");
        }
        let mut text = String::new();
        let object = encoder.finish().expect("an object");
        GzDecoder::new(object.as_slice()).read_to_string(&mut text).expect("gzip");
        text
    }

    #[test]
    fn ndjson_row_keeps_the_record_byte_for_byte() {
        let record = r#"{"b":1.50,"a":null, "a":"twice"}"#.to_owned();
        assert_eq!(
            encode(&[record]),
            concat!(
                r#"{"id":"a\"b","tenant":"t","dataset":"events","source":"siem/v1/events","#,
                r#""time":"2020-11-04T09:31:17.546Z","created_at":null,"revision":0,"#,
                r#""record":"{\"b\":1.50,\"a\":null, \"a\":\"twice\"}"}"#,
                "\n"
            )
        );
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(".*", inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        /// However the service lays its JSON out, a record is one line and stays
        /// as it is, byte for byte.
        #[test]
        fn ndjson_row_is_one_line_for_any_record(values in prop::collection::vec(json(), 1..8), pretty in any::<bool>()) {
            let records: Vec<_> = values
                .iter()
                .map(|value| if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) })
                .map(|text| text.expect("JSON").replace('\n', "\r\n"))
                .collect();
            let text = encode(&records);
            prop_assert_eq!(text.lines().count(), values.len());
            for (line, record) in text.lines().zip(&records) {
                let row: Value = serde_json::from_str(line).expect("a row");
                prop_assert_eq!(&row["record"], record);
            }
        }
    }
}
