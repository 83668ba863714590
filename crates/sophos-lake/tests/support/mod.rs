//! An export in memory, a store that fails, and a reader of the lake.

// Each test file is a crate, and uses a part of this module.
#![allow(dead_code)]

pub(crate) mod crashing_store;

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use object_store::{ObjectStore, memory::InMemory};
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::{Field, RowAccessor},
};
use serde_json::{Value, json};
use sophos_export::{Dataset, Format, Row};
use sophos_lake::{LakeLayout, LakeSettings};
use sophos_store::Store;

/// 2026-11-23T10:00:00Z.
pub(crate) const NOW_MS: i64 = 1_795_428_000_000;
pub(crate) const TENANT: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";

pub(crate) fn memory() -> (Arc<InMemory>, Store) {
    let objects = Arc::new(InMemory::new());
    (Arc::clone(&objects), Store::from_object_store(objects))
}

pub(crate) fn store_over(objects: Arc<dyn ObjectStore>) -> Store {
    Store::from_object_store(objects)
}

pub(crate) fn settings() -> LakeSettings {
    LakeSettings::new(LakeLayout::new("sophos", "eu-west-1", "123456789012").expect("a layout"))
}

/// A detection with this id at this time.
pub(crate) fn detection(id: &str, time_ms: i64) -> (String, i64, Value) {
    let record = json!({
        "id": id, "type": "Event::Endpoint::Threat::Detected", "group": "MALWARE", "severity": "high",
        "threat": "EICAR", "location": "WS-0001", "endpoint_id": "ep-1",
    });
    (id.to_owned(), time_ms, record)
}

/// Commits rows to a stream as a run of the export does, with one object.
pub(crate) async fn commit(
    export: &Store,
    dataset: Dataset,
    tenant: &str,
    sequence: u64,
    rows: &[(String, i64, Value)],
) {
    let mut encoder = Format::NdjsonGzip.encoder();
    for (id, time_ms, record) in rows {
        let record = record.to_string();
        let time = Timestamp::from_millisecond(*time_ms).ok();
        let row =
            Row { id, tenant, dataset, source: "-", time, created_at: time, revision: 0, record: &record };
        encoder.push(&row).expect("a row");
    }
    let object = encoder.finish().expect("an object");
    let path = format!("{dataset}/tenant_id={tenant}/day=2026-11-23/{sequence:012}-run-0000.ndjson.gz");
    let bytes = object.len();
    export.write(&path, object).await.expect("an object");
    let record = json!({
        "version": 1, "dataset": dataset, "tenant": tenant, "sequence": sequence, "run_id": "run",
        "committed_at": "2026-11-23T10:00:00.000Z", "rows": rows.len(),
        "objects": [{ "path": path, "bytes": bytes, "sha256": "", "rows": rows.len() }],
    });
    let path = format!("_log/{dataset}/{tenant}/{sequence:012}.json");
    export.write(&path, record.to_string().into_bytes()).await.expect("a log record");
}

/// The objects of the lake, in order.
pub(crate) async fn lake_objects(lake: &Store) -> Vec<String> {
    lake.list_objects("ext").await.expect("a listing").into_iter().map(|object| object.path).collect()
}

/// The `metadata.uid` and `time` of each row of an object, in order.
pub(crate) async fn read_object(lake: &Store, path: &str) -> Vec<(String, i64)> {
    let body = lake.read(path).await.expect("a store").expect(path);
    let reader = SerializedFileReader::new(Bytes::from(body.to_vec())).expect("a Parquet file");
    let rows = reader.get_row_iter(None).expect("rows").map(|row| {
        let row = row.expect("a row");
        let metadata = row.get_group(0).expect("metadata");
        let uid = metadata.get_column_iter().find_map(|(name, field)| match field {
            Field::Str(text) if name == "uid" => Some(text.clone()),
            _ => None,
        });
        (uid.expect("a uid"), row.get_long(1).expect("a time"))
    });
    rows.collect()
}

/// The `metadata.uid` of all rows, sorted.
pub(crate) async fn lake_uids(lake: &Store) -> Vec<String> {
    let mut uids = Vec::new();
    for path in lake_objects(lake).await {
        uids.extend(read_object(lake, &path).await.into_iter().map(|(uid, _)| uid));
    }
    uids.sort();
    uids
}
