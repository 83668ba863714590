//! Stored objects as this release writes them. Later releases must read the same
//! files: a change of a fixture is a change of the stored format.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use sophos_export::{ContentHash, Dataset, LogRecord, StreamOutcome, TenantInventory};
use support::{MINUTE, NOW_MS, ScriptedResponse, TENANT, TestEnv};

const LOG_RECORD: &str = include_str!("fixtures/stored/log_record.json");
/// The same record of a log whose contents are hashed with XXH3.
const XXH3_LOG_RECORD: &str = include_str!("fixtures/stored/xxh3_log_record.json");
const FIRST_LOG_RECORD: &str = include_str!("fixtures/stored/first_log_record.json");
const SNAPSHOT_LOG_RECORD: &str = include_str!("fixtures/stored/snapshot_log_record.json");
const PARTIAL_SNAPSHOT: &str = include_str!("fixtures/stored/partial_snapshot.json");
const WRITE_AHEAD_RECORD: &str = include_str!("fixtures/stored/write_ahead_record.wal");
const TENANT_INVENTORY: &str = include_str!("fixtures/stored/tenant_inventory.json");
const QUARANTINE_LINE: &str = include_str!("fixtures/stored/quarantine_line.json");
const ROW: &str = include_str!("fixtures/stored/row.json");

/// A known id without a known content.
const UUID: &str = "5ac55058-622d-4929-8e5d-8ff554f312fe";

fn parse(json: &str) -> Value {
    serde_json::from_str(json).expect("JSON")
}

fn alert(severity: &str) -> Value {
    let time = "2026-11-23T09:30:00.000Z";
    json!({
        "id": "a", "when": time, "created_at": time, "type": "Event::Endpoint::Test", "severity": severity,
    })
}

/// An environment whose alerts were exported up to this log record.
async fn env_with_log(record: &str) -> TestEnv {
    let env = TestEnv::new();
    let folder = format!("_log/alerts/{TENANT}");
    env.store.write(&format!("{folder}/000000000007.json"), record.into()).await.expect("a write");
    env.store.write(&format!("{folder}/_from"), b"1".to_vec()).await.expect("a write");
    env
}

#[test]
fn log_record_keeps_its_stored_form() {
    for text in [LOG_RECORD, XXH3_LOG_RECORD, FIRST_LOG_RECORD, SNAPSHOT_LOG_RECORD] {
        let record: LogRecord = serde_json::from_str(text).expect("a log record");
        assert_eq!(serde_json::to_string_pretty(&record).expect("JSON"), text);
    }
    let record: LogRecord = serde_json::from_str(LOG_RECORD).expect("a log record");
    assert_eq!((record.sequence, record.dataset, record.tenant.as_str()), (7, Dataset::Alerts, TENANT));
    let checkpoint = &record.checkpoint_after;
    assert_eq!(checkpoint.cursor.as_deref(), Some("cursor-7"));
    assert_eq!(checkpoint.high_watermark_ms, NOW_MS - 60 * MINUTE);
    assert_eq!(checkpoint.backlog_watermark_ms, Some(NOW_MS - 70 * MINUTE));
    assert_eq!(checkpoint.exported_before_ms, Some(NOW_MS - 360 * MINUTE));
    assert_eq!(record.pending_backfills[0].next_key.as_deref(), Some("key-2"));
    assert_eq!(record.gaps[0].seconds(), 5.0 * 3_600.0);
    assert_eq!((record.objects[0].rows, record.quarantine_objects[0].rows), (3, 1));
    assert_eq!(record.snapshot, None, "of a feed");
    let record: LogRecord = serde_json::from_str(SNAPSHOT_LOG_RECORD).expect("a log record");
    assert_eq!(record.snapshot.expect("a snapshot").sources[0].records, 2);
}

#[tokio::test]
async fn run_continues_a_stored_partial_snapshot() {
    let env = TestEnv::new();
    let folder = format!("_log/endpoints/{TENANT}");
    let record = format!("{folder}/000000000003.json");
    env.store.write(&record, SNAPSHOT_LOG_RECORD.into()).await.expect("a write");
    env.store.write(&format!("{folder}/_partial"), PARTIAL_SNAPSHOT.into()).await.expect("a write");
    let page = json!({ "items": [support::endpoint(1), support::endpoint(2)], "pages": {} });
    env.service.respond_with([ScriptedResponse::bytes(page.to_string())]);
    let report = env.run(Dataset::Endpoints).await;
    assert_eq!((report.outcome, report.rows, report.duplicates), (StreamOutcome::Committed, 2, 1));
    assert_eq!(env.service.take_requests()[0].page_key.as_deref(), Some("10"));
    let record = env.last_record(Dataset::Endpoints).await;
    assert_eq!(record.snapshot.expect("a snapshot").taken_at, "2026-11-23T09:59:00.000Z");
    assert_eq!(record.objects[0].path, parse(PARTIAL_SNAPSHOT)["objects"][0]["path"]);
    assert_eq!((record.sequence, record.objects.len()), (4, 2));
    assert!(!env.object_names().await.contains(&format!("{folder}/_partial")));
}

#[tokio::test]
async fn run_continues_from_a_stored_log_record() {
    check_continuation(LOG_RECORD, ContentHash::Fnv1a).await;
    check_continuation(XXH3_LOG_RECORD, ContentHash::Xxh3).await;
}

/// A run after this log record recognizes its contents, and keeps its hash function.
async fn check_continuation(record: &str, hash: ContentHash) {
    let env = env_with_log(record).await;
    env.service.route(|request| match request.path.as_str() {
        "/siem/v1/alerts" => {
            let known = json!({ "id": UUID, "created_at": "2026-11-23T09:31:00.000Z" });
            let new = json!({ "id": "c", "created_at": "2026-11-23T09:32:00.000Z" });
            let exported = json!({ "id": "old", "created_at": "2026-11-23T03:59:00.000Z" });
            let items = [alert("low"), alert("high"), alert("none"), known, new, exported];
            ScriptedResponse::page(&items, false, Some("end"))
        }
        _ => ScriptedResponse::bytes(br#"{"items":[{"id":"d"}],"pages":{}}"#.to_vec()),
    });
    let report = env.run(Dataset::Alerts).await;
    assert_eq!(report.outcome, StreamOutcome::Committed, "{report:?}");
    assert_eq!((report.rows, report.revised, report.backfilled), (3, 1, 1), "{report:?}");
    // Both known versions, the known id, the record from before the export, and the repeated
    // alert of the second backfill.
    assert_eq!((report.duplicates, report.gaps.len()), (5, 0), "{report:?}");
    let requests = env.service.take_requests();
    assert_eq!(requests[0].cursor.as_deref(), Some("cursor-7"));
    assert_eq!(requests.len(), 3, "the feed and both backfills");

    let stored: LogRecord = serde_json::from_str(record).expect("a log record");
    let record = env.last_record(Dataset::Alerts).await;
    assert_eq!((record.sequence, record.checkpoint_before), (8, Some(stored.checkpoint_after)));
    assert!(record.pending_backfills.is_empty());
    let rows = env.lines(&record.objects).await;
    let revised = rows.iter().find(|row| row["id"] == "a").expect("the revised alert");
    assert_eq!(revised["revision"], 2);
    assert_eq!(record.recent_digest_hash, hash);
}

#[tokio::test]
async fn run_obeys_a_stored_write_ahead_record() {
    let env = env_with_log(LOG_RECORD).await;
    let record = parse(WRITE_AHEAD_RECORD);
    let run = record["run_id"].as_str().expect("a run");
    let objects: Vec<_> =
        record["objects"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for object in &objects {
        env.store.write(object, b"left".to_vec()).await.expect("a write");
    }
    let path = format!("_log/alerts/{TENANT}/000000000007.{run}.wal");
    env.store.write(&path, WRITE_AHEAD_RECORD.into()).await.expect("a write");
    env.service.route(|request| match request.path.as_str() {
        "/siem/v1/alerts" => ScriptedResponse::page(&[], false, Some("end")),
        _ => ScriptedResponse::bytes(br#"{"items":[],"pages":{}}"#.to_vec()),
    });
    let report = env.run(Dataset::Alerts).await;
    assert_eq!((objects.len(), report.garbage_removed), (2, 2), "{report:?}");
    let names = env.object_names().await;
    assert!(objects.iter().all(|object| !names.iter().any(|name| name == object)), "{names:?}");
    assert!(!names.contains(&path), "{names:?}");
}

#[tokio::test]
async fn tenant_inventory_keeps_its_stored_form() {
    let inventory: TenantInventory = serde_json::from_str(TENANT_INVENTORY).expect("an inventory");
    assert_eq!(serde_json::to_string(&inventory).expect("JSON"), TENANT_INVENTORY);
    let env = TestEnv::new();
    env.store.write("_plan/sophos~2fpartner.json", TENANT_INVENTORY.into()).await.expect("a write");
    // Without a listing: the service has no scripted response.
    let (read, changes) = env.tenant_inventory("sophos/partner", Duration::from_secs(3_600)).await;
    assert_eq!(read, inventory);
    assert_eq!(changes, Default::default());
    assert_eq!(read.age(Duration::from_millis(NOW_MS as u64)), Duration::from_secs(60));
    assert_eq!(read.tenants[0].data_region.as_deref(), Some("eu01"));
    assert_eq!((read.tenants[1].api_host.as_ref(), read.skipped.len()), (None, 1));
}

#[tokio::test]
async fn rows_and_quarantined_records_keep_their_stored_form() {
    let env = TestEnv::new();
    let row = parse(ROW);
    let record = row["record"].as_str().expect("text").as_bytes();
    let bad = b"{\"id\":\"x\",\"name\":\"a\xe9b\"}";
    let body =
        [b"{\"has_more\":false,\"next_cursor\":\"end\",\"items\":[", record, b",", bad, b"]}"].concat();
    env.run_events([ScriptedResponse::bytes(body)]).await;
    let commit = env.last_record(Dataset::Events).await;
    assert_eq!(commit.recent_digest_hash, ContentHash::Xxh3, "of a new log");
    assert_eq!(env.lines(&commit.objects).await, [row]);
    let mut quarantined = env.lines(&commit.quarantine_objects).await;
    let line = quarantined[0].as_object_mut().expect("an object");
    // The text of the reason may change.
    assert!(line.remove("reason").is_some_and(|reason| reason.is_string()));
    assert_eq!(quarantined, [parse(QUARANTINE_LINE)]);
    let name = format!("000000000001-{}-0000.ndjson.gz", commit.run_id);
    assert_eq!(commit.objects[0].path, format!("events/tenant_id={TENANT}/day=2026-11-23/{name}"));
}
