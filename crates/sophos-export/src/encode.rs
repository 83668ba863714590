//! How rows become the bytes of an object.

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

/// One record, with what a reader wants to know without reading it.
#[derive(Debug, Clone)]
pub struct Row<'r> {
    /// The record's id.
    pub id: &'r str,
    /// The tenant it belongs to.
    pub tenant: &'r str,
    /// What it is.
    pub dataset: Dataset,
    /// The operation that it was read from, such as `siem/v1/events`.
    pub source: &'static str,
    /// When it happened, by the endpoint's clock.
    pub time: Option<Timestamp>,
    /// When the service took it in.
    pub created_at: Option<Timestamp>,
    /// 0 for the first row of its id. A record that comes again with other content
    /// is written again, with the next number: the highest is the latest.
    pub revision: u32,
    /// The service's own JSON.
    pub record: &'r str,
}

/// How objects are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// One JSON object a line, compressed with gzip. The service's own JSON is a
    /// string in it, byte for byte.
    #[default]
    NdjsonGzip,
}

impl Format {
    /// The end of an object's name.
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

/// The name of no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no format; there is ndjson.gz")]
pub struct UnknownFormat(String);

/// Turns rows into the bytes of one object.
pub trait Encoder: Send + fmt::Debug {
    /// Adds a row.
    ///
    /// # Errors
    /// When it cannot be encoded; the object is spoilt then.
    fn push(&mut self, row: &Row<'_>) -> io::Result<()>;

    /// Adds a line that is already encoded, with its line break.
    ///
    /// # Errors
    /// When it cannot be added; the object is spoilt then.
    fn push_line(&mut self, line: &[u8]) -> io::Result<()>;

    /// About how many bytes of memory it takes.
    fn size(&self) -> usize;

    /// The object.
    ///
    /// # Errors
    /// When it cannot be completed.
    fn finish(self: Box<Self>) -> io::Result<Vec<u8>>;
}

/// A record that is not JSON, kept as its bytes.
#[derive(Debug, Clone)]
pub(crate) struct QuarantinedRecord<'r> {
    /// The SHA-256 of the bytes, in hexadecimal.
    pub(crate) sha256: &'r str,
    pub(crate) tenant: &'r str,
    pub(crate) dataset: Dataset,
    pub(crate) source: &'static str,
    /// When it was read, by the service's clock.
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
    /// For people; bytes that are not UTF-8 are replaced.
    text: std::borrow::Cow<'r, str>,
    /// In Base64.
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

/// Lines that an object has before they are compressed: a compressor takes a
/// third of a megabyte, and an endpoint with a wrong clock opens many objects.
/// Later lines are compressed as many at a time.
const MAX_UNCOMPRESSED_LEN: usize = 16 << 10;

/// What a compressor takes by itself.
const COMPRESSOR_MEMORY: usize = 320 << 10;

/// The level of gzip, which takes more of the processor's time than any other step.
///
/// Measured over events: level 1 takes 0.4 of the time of level 4 and makes objects
/// 1.57 times as large, level 2 takes 0.6 and makes them 1.17 times as large; level 6
/// takes 1.1 and makes them 0.94 times as large.
pub const GZIP_LEVEL: u32 = 2;

#[derive(Debug, Default)]
struct NdjsonGzip {
    /// Lines that are not compressed yet.
    uncompressed: Vec<u8>,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

impl NdjsonGzip {
    /// Compresses what was not yet.
    fn compress(&mut self) -> io::Result<()> {
        let new = || GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
        self.gzip.get_or_insert_with(new).write_all(&self.uncompressed)?;
        self.uncompressed.clear();
        // One line may have been far larger than most.
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

/// RFC 3339 with milliseconds, in UTC: one form for all rows.
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
