//! One JSON object a line, compressed with gzip.

use std::{borrow::Cow, io};

use bytes::Bytes;
use serde::Deserialize;

use super::{
    FormatSpec, RowIterator, ScannedRows,
    gzip_lines::{GzipLines, for_each_line, lines},
};
use crate::{
    dataset::Dataset,
    encode::{Encoder, Row, StoredRow},
    row_json::write_row,
};

pub(super) static SPEC: FormatSpec = FormatSpec {
    name: "ndjson.gz",
    encoder: || Box::new(NdjsonGzip::default()),
    scan,
    read: Some(read),
    line: None,
};

#[derive(Debug, Default)]
pub(crate) struct NdjsonGzip(GzipLines);

impl NdjsonGzip {
    /// Adds an encoded line, including its line break.
    pub(crate) fn push_line(&mut self, line: &[u8]) -> io::Result<()> {
        self.0.push(|lines| lines.extend_from_slice(line))
    }
}

impl Encoder for NdjsonGzip {
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

fn scan(body: &[u8], with_keys: bool) -> io::Result<ScannedRows> {
    let (mut rows, mut keys) = (0, Vec::new());
    for_each_line(body, |line| {
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

fn read(body: Bytes) -> io::Result<RowIterator> {
    Ok(Box::new(lines(body).map(|line| parse_row(&line?))))
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
    use std::io::Read;

    use flate2::read::GzDecoder;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::Format;

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
