//! Objects in Parquet: rows, columns, bounds, and exports in this format.

#![cfg(feature = "parquet")]

mod support;

use bytes::Bytes;
use jiff::Timestamp;
use parquet::{
    file::{reader::FileReader, serialized_reader::SerializedFileReader},
    record::Field,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use sophos_export::{
    Dataset, Finding, Format, Row, StoredRow, StreamId, StreamOutcome, StreamVerification, parquet_columns,
    read_rows,
};
use support::{HOUR, MINUTE, NOW_MS, ScriptedResponse, TENANT, TestEnv, event};

fn row<'r>(id: &'r str, dataset: Dataset, record: &'r str) -> Row<'r> {
    Row {
        id,
        tenant: TENANT,
        dataset,
        source: "siem/v1/events",
        time: Timestamp::from_millisecond(NOW_MS).ok(),
        created_at: None,
        revision: 3,
        record,
    }
}

fn encode<'r>(format: Format, rows: impl IntoIterator<Item = Row<'r>>) -> Vec<u8> {
    let mut encoder = format.encoder();
    rows.into_iter().for_each(|row| encoder.push(&row).expect("a row"));
    encoder.finish().expect("an object")
}

fn open(object: Vec<u8>) -> SerializedFileReader<Bytes> {
    SerializedFileReader::new(Bytes::from(object)).expect("Parquet")
}

/// The typed values of the only row, without nulls.
fn values(dataset: Dataset, record: &Value) -> Vec<(String, Field)> {
    let record = record.to_string();
    let file = open(encode(Format::Parquet, [row("a", dataset, &record)]));
    let row = file.get_row_iter(None).expect("rows").next().expect("a row").expect("a row");
    let typed = row.get_column_iter().filter(|(name, value)| {
        parquet_columns(dataset).iter().any(|column| column.name == *name) && **value != Field::Null
    });
    typed.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn text(name: &str, value: &str) -> (String, Field) {
    (name.to_owned(), Field::Str(value.to_owned()))
}

#[test]
fn parquet_has_typed_columns_of_an_event() {
    let record = json!({
        "type": "Event::Endpoint::Threat::Detected", "severity": "high", "group": "MALWARE",
        "name": "n", "location": "DC01", "endpoint_id": "e", "endpoint_type": "server",
        "source_info": { "ip": "10.0.0.1" }, "source": "EXAMPLE\\ann", "threat": null, "origin": 7,
        "core_remedy_items": { "items": [] },
    });
    assert_eq!(
        values(Dataset::Events, &record),
        [
            text("type", "Event::Endpoint::Threat::Detected"),
            text("severity", "high"),
            text("event_group", "MALWARE"),
            text("name", "n"),
            text("location", "DC01"),
            text("endpoint_id", "e"),
            text("endpoint_type", "server"),
            text("source_ip", "10.0.0.1"),
            text("user_name", "EXAMPLE\\ann"),
            text("core_remedy_items", r#"{"items":[]}"#),
        ]
    );
}

#[test]
fn parquet_has_typed_columns_of_an_endpoint() {
    let record = json!({
        "hostname": "DC01", "os": { "isServer": true, "majorVersion": 10, "name": "Windows Server 2022" },
        "health": { "overall": "good", "threats": {} }, "lastSeenAt": "2026-11-23T10:00:00.5Z",
        "isolation": { "status": "notIsolated" }, "tamperProtectionEnabled": "yes",
        "ipv4Addresses": ["10.0.0.1"], "online": false,
    });
    assert_eq!(
        values(Dataset::Endpoints, &record),
        [
            text("hostname", "DC01"),
            text("os_name", "Windows Server 2022"),
            ("os_is_server".into(), Field::Bool(true)),
            ("os_major_version".into(), Field::Long(10)),
            text("health_overall", "good"),
            ("online".into(), Field::Bool(false)),
            ("last_seen_at".into(), Field::TimestampMillis(NOW_MS + 500)),
            text("isolation_status", "notIsolated"),
            text("ipv4_addresses", r#"["10.0.0.1"]"#),
        ]
    );
}

#[test]
fn parquet_joins_both_sources_of_alerts() {
    let feed = json!({ "data": { "endpoint_id": "e", "endpoint_type": "computer" } });
    let common = json!({ "managedAgent": { "id": "e", "type": "computer" } });
    assert_eq!(values(Dataset::Alerts, &feed), [text("endpoint_id", "e"), text("endpoint_type", "computer")]);
    assert_eq!(values(Dataset::Alerts, &feed), values(Dataset::Alerts, &common));
}

#[test]
fn parquet_names_dataset_and_schema_version() {
    for dataset in Dataset::ALL {
        let file = open(encode(Format::Parquet, [row("a", dataset, "{}")]));
        let metadata = file.metadata().file_metadata();
        let pairs: Vec<_> = metadata
            .key_value_metadata()
            .into_iter()
            .flatten()
            .map(|pair| (pair.key.as_str(), pair.value.as_deref().unwrap_or_default()))
            .collect();
        assert_eq!(pairs, [("sophos.schema_version", "1"), ("sophos.dataset", dataset.name())]);
        let columns = metadata.schema_descr().columns();
        assert_eq!(columns.len(), 8 + parquet_columns(dataset).len());
        assert_eq!(columns.last().map(|column| column.name()), Some("record"));
    }
}

#[test]
fn parquet_bounds_pages_and_row_groups() {
    // 40 MiB that hardly compress.
    let mut seed = 1_u64;
    let mut noise = |length: usize| {
        let mut text = String::with_capacity(length);
        while text.len() < length {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(&format!("{:016x}", seed >> 3));
        }
        text
    };
    let records: Vec<_> = (0..20_000)
        .map(|index| {
            let length = if index % 500 == 0 { 300_000 } else { 1_400 };
            json!({ "id": index.to_string(), "type": noise(16), "name": noise(length) }).to_string()
        })
        .collect();
    let rows = || records.iter().map(|record| row("id", Dataset::Events, record));
    let mut encoder = Format::Parquet.encoder();
    let mut largest = 0;
    for row in rows() {
        encoder.push(&row).expect("a row");
        largest = largest.max(encoder.size());
    }
    let object = encoder.finish().expect("an object");
    assert!(largest < object.len() + (24 << 20), "{largest} bytes for an object of {}", object.len());
    assert_eq!(object, encode(Format::Parquet, rows()), "the same rows are the same bytes");
    let file = open(object);
    assert!(file.num_row_groups() > 1);
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group).expect("a row group");
        assert!(group.metadata().total_byte_size() <= 16 << 20);
        for column in 0..group.num_columns() {
            for page in group.get_column_page_reader(column).expect("pages") {
                let page = page.expect("a page");
                assert!(page.buffer().len() <= 1 << 20, "{} bytes", page.buffer().len());
            }
        }
    }
}

#[test]
fn parquet_compacts_its_buffer_on_demand() {
    let record = json!({ "name": "x".repeat(2_000) }).to_string();
    let mut encoder = Format::Parquet.encoder();
    for _ in 0..20 {
        encoder.push(&row("a", Dataset::Events, &record)).expect("a row");
    }
    let few = encoder.size();
    encoder.compact().expect("too few rows for a row group");
    assert_eq!(encoder.size(), few);
    for _ in 0..980 {
        encoder.push(&row("a", Dataset::Events, &record)).expect("a row");
    }
    let many = encoder.size();
    assert!(many > 4_000_000, "name and record count: {many}");
    encoder.compact().expect("a row group");
    assert!(encoder.size() < many / 10, "{} of {many}", encoder.size());
    let rows = all_rows("a.parquet", encoder.finish().expect("an object"));
    assert_eq!(rows.len(), 1_000);
    assert!(rows.iter().all(|row| row.record == record));
}

/// All rows of an object.
fn all_rows(path: &str, body: impl Into<Bytes>) -> Vec<StoredRow> {
    read_rows(path, body.into()).expect("an object").collect::<Result<_, _>>().expect("rows")
}

fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        Just("1e400".to_owned()),
        Just(r#""\ud800""#.to_owned()),
        ".{0,20}".prop_map(|text| Value::from(text).to_string()),
    ];
    let key = prop_oneof![
        prop::sample::select(vec![
            "type",
            "severity",
            "source_info",
            "ip",
            "name",
            "data",
            "endpoint_id",
            "os"
        ]),
        Just("\u{e9}"),
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(" ,"))),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|members| {
                let members: Vec<_> =
                    members.into_iter().map(|(key, value)| format!("\"{key}\" : {value}")).collect();
                format!("{{{}}}", members.join(",\n"))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a record has, each format with the record returns the same rows.
    #[test]
    fn read_rows_returns_what_was_pushed(
        records in prop::collection::vec(json_text(), 1..20),
        dataset in prop::sample::select(Dataset::ALL.to_vec()),
        millis in prop::option::of(-60_000_000_000_000_i64..250_000_000_000_000),
        revision in 0..=i32::MAX as u32,
    ) {
        let time = millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
        let rows = || records.iter().map(|record| Row { time, created_at: time, revision, ..row("i\u{e9}", dataset, record) });
        let [ndjson, parquet]: [Vec<StoredRow>; 2] = [Format::NdjsonGzip, Format::Parquet].map(|format| {
            all_rows(&format!("x/y.{format}"), encode(format, rows()))
        });
        prop_assert_eq!(&ndjson, &parquet);
        prop_assert_eq!(parquet.len(), records.len());
        for (row, record) in parquet.iter().zip(&records) {
            prop_assert_eq!(&row.record, record);
            prop_assert_eq!((row.time, row.revision, row.dataset), (time, revision, dataset));
        }
    }
}

#[test]
fn read_rows_rejects_a_damaged_object() {
    let object = encode(Format::Parquet, [row("a", Dataset::Events, "{}")]);
    for body in [&b""[..], b"PAR1", &object[..object.len() - 1]] {
        let error = read_rows("a.parquet", body.to_vec().into()).expect_err("damaged").to_string();
        assert!(error.starts_with("invalid object a.parquet: "), "{error}");
    }
}

/// An environment that exports Parquet.
fn parquet_env() -> TestEnv {
    TestEnv::with_settings(|settings| settings.formats = Format::Parquet.into())
}

async fn verify(env: &TestEnv) -> StreamVerification {
    let stream = StreamId::new(Dataset::Events, TENANT).expect("a stream");
    StreamVerification::run(&env.store, &stream, true, |_| {}).await.expect("a verification")
}

#[tokio::test]
async fn export_may_change_its_format_between_runs() {
    let mut env = TestEnv::new();
    let first = [event("a", NOW_MS - 2 * HOUR), event("b", NOW_MS - HOUR)];
    env.run_events([ScriptedResponse::page(&first, false, Some("c1"))]).await;
    env.change_settings(|settings| settings.formats = Format::Parquet.into());
    env.service.advance(5 * MINUTE);
    // With a revision of a row in the other format, and a record that is not JSON.
    let revised = json!({ "id": "b", "created_at": support::format_time(NOW_MS - HOUR), "type": "other" });
    let body = format!(
        r#"{{"has_more":false,"next_cursor":"c2","items":[{},{revised},{{"id":"x","name":"{}"}}]}}"#,
        event("c", NOW_MS),
        "\u{1}"
    );
    let report = env.run_events([ScriptedResponse::bytes(body)]).await;
    assert_eq!((report.outcome, report.rows, report.revised), (StreamOutcome::Committed, 2, 1), "{report:?}");
    assert_eq!(report.quarantined, 1);
    let verification = verify(&env).await;
    assert!(verification.is_sound(), "{verification:?}");
    assert_eq!((verification.rows, verification.verified_objects), (4, 3));
    let mut rows = Vec::new();
    for record in env.log(Dataset::Events).await {
        for object in record.objects {
            rows.extend(all_rows(&object.path, env.read_object(&object.path).await));
        }
        assert!(record.quarantine_objects.iter().all(|object| object.path.ends_with(".ndjson.gz")));
    }
    let keys: Vec<_> = rows.iter().map(|row| (row.id.as_str(), row.revision)).collect();
    assert_eq!(keys, [("a", 0), ("b", 0), ("c", 0), ("b", 1)]);
    assert_eq!(rows[3].record, revised.to_string());
}

#[tokio::test]
async fn verification_reads_the_rows_of_parquet() {
    let env = parquet_env();
    env.run_events([ScriptedResponse::page(&[event("a", NOW_MS - HOUR)], false, Some("c1"))]).await;
    env.service.advance(5 * MINUTE);
    env.run_events([ScriptedResponse::page(&[event("b", NOW_MS)], false, Some("c2"))]).await;
    assert!(verify(&env).await.is_sound());
    let log = env.log(Dataset::Events).await;
    let (first, second) = (&log[0].objects[0], &log[1].objects[0]);
    assert!(first.path.ends_with(".parquet"), "{}", first.path);

    // The second object with other bytes, and a log that names these.
    let replace = async |body: &[u8]| {
        env.store.write(&second.path, body.to_vec()).await.expect("a write");
        let path = format!("_log/events/{TENANT}/000000000002.json");
        let mut record: Value = serde_json::from_slice(&env.read_object(&path).await).expect("JSON");
        record["objects"][0]["bytes"] = json!(body.len());
        record["objects"][0]["sha256"] = json!(support::sha256(body));
        env.store.write(&path, record.to_string().into_bytes()).await.expect("a write");
        verify(&env).await.findings
    };
    let path = second.path.clone();
    let repeated = replace(&env.read_object(&first.path).await).await;
    assert_eq!(repeated, [Finding::RowRepeated { path: path.clone(), id: "a".into(), revision: 0 }]);
    let two = encode(Format::Parquet, ["x", "y"].map(|id| row(id, Dataset::Events, "{}")));
    assert_eq!(replace(&two).await, [Finding::RowsDiffer { path: path.clone(), expected: 1, found: 2 }]);
    let damaged = replace(b"PAR1 no Parquet PAR1").await;
    assert!(
        matches!(&damaged[..], [Finding::Unreadable { path: found, .. }] if *found == path),
        "{damaged:?}"
    );
}

#[tokio::test]
async fn verification_counts_rows_of_lines() {
    for format in [Format::CefGzip, Format::KeyValueGzip, Format::CefCompatibleGzip] {
        let env = TestEnv::with_settings(|settings| settings.formats = format.into());
        let item =
            json!({ "id": "a", "created_at": support::format_time(NOW_MS), "type": "T", "name": "a\nb" });
        env.run_events([ScriptedResponse::page(&[item], false, Some("c1"))]).await;
        let verification = verify(&env).await;
        assert!(verification.is_sound(), "{format}: {verification:?}");
        assert_eq!((verification.rows, verification.verified_objects), (1, 1));
    }
}
