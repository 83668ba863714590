//! The formats of Sophos's script for SIEMs, compared with what the script prints.
//! `fixtures/siem_script/regenerate.py` runs the script.

mod support;

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;
use serde::Deserialize;
use sophos_export::{Dataset, Format, Row, read_rows};
use support::TENANT;

const CASES: &str = include_str!("fixtures/siem_script/cases.json");

/// A record, and what the script prints for it. It ends with an error if that is null.
#[derive(Deserialize)]
struct Case {
    dataset: Dataset,
    record: String,
    cef: Option<String>,
    kv: Option<String>,
}

fn row(case: &Case) -> Row<'_> {
    Row {
        id: "a",
        tenant: TENANT,
        dataset: case.dataset,
        source: "siem/v1/events",
        time: None,
        created_at: None,
        revision: 0,
        record: &case.record,
    }
}

/// The decompressed object of these rows.
fn encode(format: Format, cases: &[Case]) -> String {
    let mut encoder = format.encoder();
    cases.iter().for_each(|case| encoder.push(&row(case)).expect("a row"));
    let mut text = String::new();
    let object = encoder.finish().expect("an object");
    GzDecoder::new(object.as_slice()).read_to_string(&mut text).expect("gzip");
    text
}

fn cases() -> Vec<Case> {
    serde_json::from_str(CASES).expect("cases")
}

#[test]
fn compatible_formats_equal_the_script() {
    let cases = cases();
    let printed =
        |text: fn(&Case) -> Option<&String>| cases.iter().filter(|case| text(case).is_some()).count();
    assert!(printed(|case| case.cef.as_ref()) > 60 && printed(|case| case.kv.as_ref()) > 60);
    for case in cases {
        for (format, expected) in
            [(Format::CefCompatibleGzip, &case.cef), (Format::KeyValueCompatibleGzip, &case.kv)]
        {
            let text = encode(format, std::slice::from_ref(&case));
            let line = text.strip_suffix('\n').expect("a line");
            match expected {
                Some(expected) => assert_eq!(line, expected, "{format}: {}", case.record),
                // The export writes what the script fails on.
                None => assert!(!line.is_empty(), "{}", case.record),
            }
        }
    }
}

#[test]
fn corrected_formats_have_one_line_for_each_row() {
    let cases = cases();
    for format in [Format::CefGzip, Format::KeyValueGzip] {
        let text = encode(format, &cases);
        assert_eq!(text.lines().count(), cases.len(), "{format}");
        assert!(!text.contains(|char: char| char.is_control() && char != '\n'), "{format}");
    }
}

#[test]
fn read_rows_rejects_formats_without_the_record() {
    for format in [Format::CefGzip, Format::CefCompatibleGzip, Format::KeyValueGzip] {
        let path = format!("events/a.{format}");
        let error = read_rows(&path, Bytes::new()).expect_err("no record").to_string();
        assert!(error.contains("keeps no record") && error.contains(&path), "{error}");
    }
    let error = read_rows("events/a.gz", Bytes::new()).expect_err("no format").to_string();
    assert!(error.contains("`ndjson.gz`") && error.contains("`kv.gz`"), "{error}");
}
