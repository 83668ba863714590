//! Readers of other projects, on objects in each format.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use end_to_end::package_dir;
use serde_json::{Value, json};
use sophos_export::{ColumnKind, Dataset, Format, Row, parquet_columns, read_rows};

const TENANT: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";
const READERS: [&str; 3] = ["pyarrow", "duckdb", "polars"];
/// 2026-11-23T10:00:00.123Z.
const TIME_MS: i64 = 1_795_428_000_123;

/// The output of a script in `readers`.
fn run(script: &str, arguments: &[&Path]) -> Value {
    let python = env::var_os("READERS_PYTHON").expect("READERS_PYTHON is set");
    let script = package_dir().join("readers").join(script);
    let output = Command::new(python).arg(script).args(arguments).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Writes an object with these records.
fn write_object(path: &Path, format: Format, dataset: Dataset, records: &[String]) {
    let mut encoder = format.encoder();
    for (index, record) in records.iter().enumerate() {
        let time = jiff::Timestamp::from_millisecond(TIME_MS + index as i64).ok();
        let row = Row {
            id: &format!("{index}-\u{e9}"),
            tenant: TENANT,
            dataset,
            source: "siem/v1/events",
            time: time.filter(|_| index % 3 != 1),
            created_at: time.filter(|_| index % 3 != 2),
            revision: index as u32,
            record,
        };
        encoder.push(&row).expect("a row");
    }
    fs::write(path, encoder.finish().expect("an object")).expect("a write");
}

fn hex(text: &str) -> Value {
    text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// Records with a value in every column, with odd values, and many rows.
fn records(dataset: Dataset) -> Vec<String> {
    let value = |kind| match kind {
        ColumnKind::Text => json!("t\u{e9}xt \u{1f600}"),
        ColumnKind::Boolean => json!(true),
        ColumnKind::Integer => json!(i64::MIN),
        ColumnKind::Time => json!("1969-12-31T23:59:59.999Z"),
        _ => json!([1, { "a": null }]),
    };
    let mut full = json!({});
    for column in parquet_columns(dataset) {
        let mut member = &mut full;
        for name in column.paths[0].split('.') {
            if member[name].is_null() {
                member[name] = json!({});
            }
            member = &mut member[name];
        }
        // A member may be a column, and have members that are columns.
        if *member == json!({}) {
            *member = value(column.kind);
        }
    }
    let mut records = vec![
        full.to_string(),
        "{}".into(),
        "null".into(),
        r#"{"name":"x","name":"\ud800","a":1e400}"#.into(),
    ];
    records.extend((0..3_000).map(|number| {
        json!({ "name": format!("name {}", number % 7), "type": "T", "severity": number, "x": "y".repeat(900) })
            .to_string()
    }));
    records
}

#[test]
#[ignore = "needs Python with readers of rows: `cargo xtask test` runs it"]
fn parquet_readers_agree_on_rows_and_types() {
    let folder = tempfile::tempdir().expect("a folder");
    let paths: Vec<_> =
        Dataset::ALL.iter().map(|dataset| folder.path().join(format!("{dataset}.parquet"))).collect();
    for (dataset, path) in Dataset::ALL.into_iter().zip(&paths) {
        write_object(path, Format::Parquet, dataset, &records(dataset));
    }
    let objects = run("parquet_rows.py", &paths.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    for ((dataset, path), object) in
        Dataset::ALL.into_iter().zip(&paths).zip(objects.as_array().expect("objects"))
    {
        assert_eq!(object["metadata"], json!({ "sophos.schema_version": "1", "sophos.dataset": dataset }));
        let common = [
            ("id", "text"),
            ("tenant", "text"),
            ("dataset", "text"),
            ("source", "text"),
            ("time", "time"),
            ("created_at", "time"),
            ("revision", "int32"),
        ];
        let typed = parquet_columns(dataset).iter().map(|column| {
            let kind = match column.kind {
                ColumnKind::Boolean => "boolean",
                ColumnKind::Integer => "int64",
                ColumnKind::Time => "time",
                _ => "text",
            };
            (column.name, kind)
        });
        let columns: Vec<_> = common
            .into_iter()
            .chain(typed)
            .chain([("record", "text")])
            .map(|(name, kind)| json!([name, kind]))
            .collect();
        let first = &object["readers"][READERS[0]];
        for reader in READERS {
            assert_eq!(
                object["readers"][reader]["columns"],
                Value::from(columns.clone()),
                "{dataset}: {reader}"
            );
            assert!(object["readers"][reader]["rows"] == first["rows"], "{dataset}: {reader} has other rows");
        }
        let records = records(dataset);
        let rows = first["rows"].as_array().expect("rows");
        assert_eq!(rows.len(), records.len());
        for (row, record) in rows.iter().zip(&records) {
            assert_eq!(row.as_array().and_then(|row| row.last()), Some(&hex(record)));
        }
        // Of the first record, every column has a value of its kind.
        let values = rows[0].as_array().expect("a row");
        for (column, value) in parquet_columns(dataset).iter().zip(&values[7..]) {
            match column.kind {
                ColumnKind::Text => {
                    assert!(*value == hex("t\u{e9}xt \u{1f600}"), "{dataset}.{}: {value}", column.name)
                }
                ColumnKind::Boolean => assert_eq!(*value, json!(true), "{dataset}.{}", column.name),
                ColumnKind::Integer => assert_eq!(*value, json!(i64::MIN), "{dataset}.{}", column.name),
                ColumnKind::Time => assert_eq!(*value, json!(-1), "{dataset}.{}", column.name),
                _ => assert!(value.is_string(), "{dataset}.{}: {value}", column.name),
            }
        }
        let own =
            read_rows(&path.to_string_lossy(), fs::read(path).expect("an object").into()).expect("rows");
        for (row, own) in rows.iter().zip(own) {
            let own = own.expect("a row");
            let millis = |time: Option<jiff::Timestamp>| time.map(jiff::Timestamp::as_millisecond);
            assert_eq!(row[0], hex(&own.id));
            assert_eq!((&row[4], &row[5]), (&json!(millis(own.time)), &json!(millis(own.created_at))));
            assert_eq!(row[6], json!(own.revision));
        }
    }
}

#[test]
#[ignore = "needs Python with readers of rows: `cargo xtask test` runs it"]
fn cef_reader_returns_the_values_of_each_row() {
    let records = [
        json!({ "type": "Event::Endpoint::Threat::Detected", "severity": "critical",
            "name": "Malware: 'Mal/A' at 'C:\\x=1.exe'", "source_info": { "ip": "10.0.0.1" }, "origin": null }),
        json!({ "type": "T", "severity": "low", "name": "Failed", "note": "a = b\nc \\ d", "location": "Ann's PC" }),
        json!({}),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.cef.gz");
    write_object(&path, Format::CefGzip, Dataset::Events, &records.map(|record| record.to_string()));
    let rows = run("cef_rows.py", &[path.as_path()]);
    let expected = [
        json!({
            "DeviceVendor": "sophos", "DeviceProduct": "sophos central", "DeviceVersion": "1.0",
            "DeviceEventClassID": "Event::Endpoint::Threat::Detected", "Name": "Mal/A", "Severity": "10",
            "detection_identity_name": "Mal/A", "filePath": "C:\\x=1.exe", "source_info_ip": "10.0.0.1",
            "datastream": "event", "end": "2026-11-23T10:00:00.123Z", "rt": "2026-11-23T10:00:00.123Z",
        }),
        json!({
            "DeviceEventClassID": "T", "Name": "Failed", "Severity": "1", "note": "a = b\nc \\ d",
            "dhost": "ann-s-pc", "revision": "1",
        }),
        json!({ "DeviceEventClassID": "NA", "Name": "NA", "Severity": "0", "datastream": "event" }),
    ];
    assert_eq!(rows.as_array().map(Vec::len), Some(expected.len()));
    for (index, expected) in expected.iter().enumerate() {
        for (name, value) in expected.as_object().expect("members") {
            assert_eq!(&rows[index][name], value, "{index}.{name}: {}", rows[index]);
        }
    }
}
