//! One JSON object a line, compressed with gzip or Zstandard.

use std::{
    borrow::Cow,
    io::{self, Read},
};

use bytes::Buf;
use serde::Deserialize;

#[cfg(feature = "zstd")]
use super::zstd::{self, Zstd};
use super::{
    FormatSpec, RowIterator, ScannedRows,
    compressed_lines::{CompressedLines, Compressor, for_each_line, lines},
    gzip::{self, Gzip},
};
use crate::{
    dataset::Dataset,
    encode::{Encoder, Row, StoredRow},
    row_json::write_row,
};

pub(super) static GZIP_SPEC: FormatSpec = FormatSpec {
    name: "ndjson.gz",
    encoder: || Box::new(Ndjson::<Gzip>::default()),
    scan: |body, with_keys| scan(gzip::decompress(body), with_keys),
    read: Some(|body| Ok(rows(gzip::decompress(body.reader())))),
    line: None,
};

#[cfg(feature = "zstd")]
pub(super) static ZSTD_SPEC: FormatSpec = FormatSpec {
    name: "ndjson.zst",
    encoder: || Box::new(Ndjson::<Zstd>::default()),
    scan: |body, with_keys| scan(zstd::decompress(body)?, with_keys),
    read: Some(|body| Ok(rows(zstd::decompress(body.reader())?))),
    line: None,
};

#[derive(Debug)]
pub(crate) struct Ndjson<C>(CompressedLines<C>);

/// The format of data objects by default, and of all quarantined records.
pub(crate) type NdjsonGzip = Ndjson<Gzip>;

impl<C> Default for Ndjson<C> {
    fn default() -> Self {
        Self(CompressedLines::default())
    }
}

impl<C: Compressor> Ndjson<C> {
    /// Adds an encoded line, including its line break.
    pub(crate) fn push_line(&mut self, line: &[u8]) -> io::Result<()> {
        self.0.push(|lines| lines.extend_from_slice(line))
    }
}

impl<C: Compressor> Encoder for Ndjson<C> {
    fn push(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.0.push(|lines| write_row(lines, row))
    }

    fn size(&self) -> usize {
        self.0.size()
    }

    fn finish(self: Box<Self>) -> io::Result<Vec<u8>> {
        self.0.finish()
    }
}

/// The members of a row that identify it.
#[derive(Deserialize)]
struct RowKey<'l> {
    #[serde(borrow)]
    id: Cow<'l, str>,
    revision: u32,
}

fn scan(text: impl Read, with_keys: bool) -> io::Result<ScannedRows> {
    let (mut rows, mut keys) = (0, Vec::new());
    for_each_line(text, |line| {
        if with_keys {
            let key: RowKey<'_> = serde_json::from_slice(line)?;
            keys.push((key.id.into_owned(), key.revision));
        }
        rows += 1;
        Ok(())
    })?;
    Ok(ScannedRows { rows: Some(rows), keys })
}

/// A row as it is stored.
#[derive(Deserialize)]
struct Line {
    id: String,
    tenant: String,
    dataset: Dataset,
    source: String,
    time: Option<String>,
    created_at: Option<String>,
    revision: u32,
    record: String,
}

fn rows(text: impl Read + Send + 'static) -> RowIterator {
    Box::new(lines(text).map(|line| parse_row(&line?)))
}

fn parse_row(line: &[u8]) -> io::Result<StoredRow> {
    // The parser's message may quote the record.
    let line: Line = serde_json::from_slice(line)
        .map_err(|error| io::Error::other(format!("a row is invalid at column {}", error.column())))?;
    let time = |text: Option<String>| text.map(|text| text.parse()).transpose().map_err(io::Error::other);
    Ok(StoredRow {
        id: line.id,
        tenant: line.tenant,
        dataset: line.dataset,
        source: line.source,
        time: time(line.time)?,
        created_at: time(line.created_at)?,
        revision: line.revision,
        record: line.record,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::Format;

    /// An object with these records.
    fn encode(format: Format, records: &[String]) -> Vec<u8> {
        let mut encoder = format.encoder();
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
        encoder.finish().expect("an object")
    }

    fn read_all(mut text: impl Read) -> String {
        let mut all = String::new();
        text.read_to_string(&mut all).expect("an object");
        all
    }

    /// The lines of an object with these records.
    fn lines_of(records: &[String]) -> String {
        read_all(gzip::decompress(encode(Format::NdjsonGzip, records).as_slice()))
    }

    #[test]
    fn ndjson_row_keeps_the_record_byte_for_byte() {
        let record = r#"{"b":1.50,"a":null, "a":"twice"}"#.to_owned();
        assert_eq!(
            lines_of(&[record]),
            concat!(
                r#"{"id":"a\"b","tenant":"t","dataset":"events","source":"siem/v1/events","#,
                r#""time":"2020-11-04T09:31:17.546Z","created_at":null,"revision":0,"#,
                r#""record":"{\"b\":1.50,\"a\":null, \"a\":\"twice\"}"}"#,
                "\n"
            )
        );
    }

    #[cfg(feature = "zstd")]
    #[test]
    fn ndjson_zstd_has_the_lines_of_ndjson_gzip() {
        // More than the window and several blocks.
        let records: Vec<_> = (0..5_000)
            .map(|number| format!(r#"{{"id":"{number:x}","name":"{}"}}"#, number * 7_919))
            .collect();
        let object = encode(Format::NdjsonZstd, &records);
        assert_eq!(read_all(zstd::decompress(object.as_slice()).expect("an object")), lines_of(&records));
        assert_eq!(object, encode(Format::NdjsonZstd, &records), "a retry writes the same bytes");
        assert_eq!(Format::NdjsonZstd.scan(&object, false).expect("rows").rows, Some(5_000));
        // A part of the object, and one with another byte.
        let mut changed = object.clone();
        changed[object.len() / 2] ^= 1;
        for damaged in [&object[..object.len() - 1], &object[..object.len() / 2], &changed] {
            Format::NdjsonZstd.scan(damaged, false).expect_err("a damaged object");
        }
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
            let text = lines_of(&records);
            prop_assert_eq!(text.lines().count(), values.len());
            for (line, record) in text.lines().zip(&records) {
                let row: Value = serde_json::from_str(line).expect("a row");
                prop_assert_eq!(&row["record"], record);
            }
        }
    }
}
