//! Tests of batches: each committed row is in the lake once, whatever happens.

mod support;

use std::{collections::BTreeMap, sync::Arc};

use object_store::memory::InMemory;
use serde_json::{Value, json};
use sophos_export::Dataset;
use sophos_lake::{Class, LakeLayout, LakeReport, LakeSettings, LakeWriter};
use sophos_store::Store;
use support::{
    NOW_MS, TENANT, commit,
    crashing_store::{CrashingStore, Fuse},
    detection, lake_objects, lake_uids, memory, read_object, settings, store_over,
};

const OTHER_TENANT: &str = "22222222-cc4a-4a9f-bb9c-632c936dfb9f";
const DAY: i64 = 86_400_000;

async fn run(export: &Store, lake: &Store, settings: LakeSettings) -> LakeReport {
    let writer = LakeWriter::to_store(export.clone(), lake, settings).expect("a writer");
    writer.run(|| NOW_MS + 60_000, None).await.expect("a run")
}

fn endpoint(id: &str) -> (String, i64, Value) {
    (id.to_owned(), NOW_MS, json!({ "id": id, "type": "server", "hostname": "srv" }))
}

fn clean_up(id: &str) -> (String, i64, Value) {
    let items = json!([
        { "type": "file", "result": "SUCCESS", "descriptor": "/tmp/a" },
        { "type": "file", "result": "SUCCESS", "descriptor": "/tmp/b" },
    ]);
    let record = json!({
        "id": id, "type": "Event::Endpoint::CoreCleaned", "core_remedy_items": { "items": items },
    });
    (id.to_owned(), NOW_MS, record)
}

/// Commits of three streams. Returns the ids of the rows that the lake shall have, sorted.
async fn commit_all(export: &Store) -> Vec<String> {
    let events = [detection("e-1", NOW_MS), detection("e-2", NOW_MS - DAY), clean_up("e-3")];
    commit(export, Dataset::Events, TENANT, 1, &events).await;
    commit(export, Dataset::Events, TENANT, 2, &[detection("e-4", NOW_MS)]).await;
    commit(export, Dataset::Alerts, OTHER_TENANT, 1, &[detection("a-1", NOW_MS)]).await;
    commit(export, Dataset::Endpoints, TENANT, 1, &[endpoint("ep-1"), endpoint("ep-2")]).await;
    ["a-1", "e-1", "e-2", "e-3:0", "e-3:1", "e-4", "ep-1", "ep-2"].map(str::to_owned).to_vec()
}

#[tokio::test]
async fn batch_has_one_object_for_each_class_and_day() {
    let ((_, export), (_, lake)) = (memory(), memory());
    let expected = commit_all(&export).await;
    let report = run(&export, &lake, settings()).await;
    assert_eq!(lake_uids(&lake).await, expected);
    let path = |class: u32, day: u32| {
        format!(
            "ext/sophos-{class}/region=eu-west-1/accountId=123456789012/eventDay={day}/\
             sophos-{class}-000000000001-0000.parquet"
        )
    };
    let paths =
        [path(2004, 20_261_122), path(2004, 20_261_123), path(5001, 20_261_123), path(7002, 20_261_123)];
    assert_eq!(lake_objects(&lake).await, paths);
    let rows: BTreeMap<String, u64> =
        [("2004", 4), ("5001", 2), ("7002", 2)].map(|(c, n)| (c.into(), n)).into();
    assert_eq!((report.batches, report.total.stored_rows, &report.total.rows), (1, 7, &rows));
    assert_eq!((report.lag_seconds, report.unfinished), (60.0, false));
}

#[tokio::test]
async fn later_run_writes_only_new_commits() {
    let ((_, export), (_, lake)) = (memory(), memory());
    let mut expected = commit_all(&export).await;
    run(&export, &lake, settings()).await;
    let report = run(&export, &lake, settings()).await;
    assert_eq!((report.batches, report.total.objects), (0, 0), "nothing is new");
    commit(&export, Dataset::Events, TENANT, 3, &[detection("e-5", NOW_MS)]).await;
    assert_eq!(run(&export, &lake, settings()).await.total.stored_rows, 1);
    expected.insert(6, "e-5".into());
    assert_eq!(lake_uids(&lake).await, expected);
}

/// The process dies at each operation of both stores, before and after its effect. The
/// next run completes the lake.
#[tokio::test]
async fn crash_at_any_operation_neither_loses_nor_repeats() {
    let mut settings = settings();
    // Several batches, and several parts of each.
    (settings.max_batch_rows, settings.max_part_bytes) = (3, 1_500);
    for takes_effect in [false, true] {
        for operations in 1.. {
            let ((export_objects, export), (lake_objects, lake)) = (memory(), memory());
            let expected = commit_all(&export).await;
            let fuse = Fuse::new(operations, takes_effect);
            let crashing = |objects: &Arc<InMemory>| {
                store_over(Arc::new(CrashingStore { objects: Arc::clone(objects), fuse: Arc::clone(&fuse) }))
            };
            let (dying_export, dying_lake) = (crashing(&export_objects), crashing(&lake_objects));
            let writer = LakeWriter::to_store(dying_export, &dying_lake, settings.clone()).expect("a writer");
            let died = writer.run(|| NOW_MS, None).await.is_err();
            // Written after the crash, so that the next run plans another batch, too.
            commit(&export, Dataset::Events, TENANT, 3, &[detection("e-5", NOW_MS)]).await;
            run(&export, &lake, settings.clone()).await;
            let mut expected = expected;
            expected.insert(6, "e-5".into());
            assert_eq!(lake_uids(&lake).await, expected, "operation {operations}, effect: {takes_effect}");
            if !died && !fuse.is_burnt() {
                assert!(operations > 30, "each operation was a crash: {operations}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn concurrent_runs_write_each_row_once() {
    let ((_, export), (_, lake)) = (memory(), memory());
    let expected = commit_all(&export).await;
    let mut settings = settings();
    (settings.max_batch_rows, settings.max_part_bytes) = (1, 1_000);
    let runs = (0..4).map(|_| run(&export, &lake, settings.clone()));
    futures_util::future::join_all(runs).await;
    assert_eq!(lake_uids(&lake).await, expected);
}

/// The hint is lost, late, or of another time: the plans decide.
#[tokio::test]
async fn positions_follow_from_the_plans() {
    let ((_, export), (_, lake)) = (memory(), memory());
    let expected = commit_all(&export).await;
    let mut settings = settings();
    settings.max_batch_rows = 1;
    run(&export, &lake, settings.clone()).await;
    let hint = "_lake/sophos/_positions";
    let last = export.read(hint).await.expect("a store").expect("a hint");
    for invalid in [b"".to_vec(), b"{}".to_vec(), br#"{"batch":99,"last":{}}"#.to_vec()] {
        export.write(hint, invalid).await.expect("a write");
        assert_eq!(run(&export, &lake, settings.clone()).await.batches, 0);
    }
    export.write(hint, last.to_vec()).await.expect("a write");
    assert_eq!(run(&export, &lake, settings.clone()).await.batches, 0);
    assert_eq!(lake_uids(&lake).await, expected);
}

/// A batch that was begun keeps its classes, account and size of objects.
#[tokio::test]
async fn begun_batch_ignores_new_settings() {
    let ((_, export), (lake_objects, lake)) = (memory(), memory());
    let expected = commit_all(&export).await;
    let fuse = Fuse::new(3, true);
    let dying = store_over(Arc::new(CrashingStore { objects: Arc::clone(&lake_objects), fuse }));
    let mut first = settings();
    first.max_part_bytes = 1_000;
    let writer = LakeWriter::to_store(export.clone(), &dying, first).expect("a writer");
    writer.run(|| NOW_MS, None).await.expect_err("it died");
    let layout = LakeLayout::new("sophos", "us-east-1", "external_other").expect("a layout");
    let mut later = LakeSettings::new(layout);
    later.mapping.classes = Class::ALL.to_vec();
    run(&export, &lake, later).await;
    assert_eq!(lake_uids(&lake).await, expected);
    let paths = support::lake_objects(&lake).await;
    assert!(paths.iter().all(|path| path.contains("/region=eu-west-1/accountId=123456789012/")), "{paths:?}");
}

#[tokio::test]
async fn rows_of_an_object_are_sorted_by_time() {
    let ((_, export), (_, lake)) = (memory(), memory());
    let times = [5, 1, 4, 1, 3, 2, 0];
    for (sequence, chunk) in times.chunks(2).enumerate() {
        let events: Vec<_> = chunk
            .iter()
            .enumerate()
            .map(|(index, offset)| detection(&format!("e-{sequence}-{index}"), NOW_MS + offset))
            .collect();
        commit(&export, Dataset::Events, TENANT, sequence as u64 + 1, &events).await;
    }
    run(&export, &lake, settings()).await;
    let [path] = &lake_objects(&lake).await[..] else { panic!("one object") };
    let found: Vec<_> = read_object(&lake, path).await.into_iter().map(|(_, time)| time - NOW_MS).collect();
    assert_eq!(found, [0, 1, 1, 2, 3, 4, 5]);
}

/// Thousands of tenants make a few objects.
#[tokio::test]
async fn many_streams_share_objects() {
    let ((_, export), (_, lake)) = (memory(), memory());
    for number in 0..300 {
        let tenant = format!("{number:08}-cc4a-4a9f-bb9c-632c936dfb9f");
        commit(&export, Dataset::Events, &tenant, 1, &[detection(&format!("e-{number:03}"), NOW_MS)]).await;
    }
    let report = run(&export, &lake, settings()).await;
    assert_eq!((report.batches, report.total.objects, lake_uids(&lake).await.len()), (1, 1, 300));
}

#[tokio::test]
async fn report_counts_what_is_not_in_the_lake() {
    let ((_, export), (_, lake)) = (memory(), memory());
    let event = |id: &str, event_type: &str| (id.to_owned(), NOW_MS, json!({ "id": id, "type": event_type }));
    let rows = [
        event("a", "Event::Endpoint::UpdateSuccess"),
        event("b", "Event::Endpoint::New"),
        event("c", "Event::Endpoint::New"),
        event("d", "Event::Endpoint::Isolation::Isolated"),
        ("e".to_owned(), NOW_MS, json!([])),
        detection("f", NOW_MS),
    ];
    commit(&export, Dataset::Events, TENANT, 1, &rows).await;
    commit(&export, Dataset::Events, TENANT, 2, &[detection("g", NOW_MS)]).await;
    let lost = format!("events/tenant_id={TENANT}/day=2026-11-23/000000000002-run-0000.ndjson.gz");
    export.delete(&lost).await.expect("a delete");
    let total = run(&export, &lake, settings()).await.total;
    assert_eq!((total.stored_rows, total.telemetry, total.invalid), (6, 2, 1));
    assert_eq!(total.unknown_types, [("Event::Endpoint::New".to_owned(), 2)].into());
    assert_eq!(total.unreadable_objects, [lost]);
    assert_eq!(lake_uids(&lake).await, ["f"]);
    let done = export.read("_lake/sophos/000000000001.done").await.expect("a store").expect("a report");
    let done: Value = serde_json::from_slice(&done).expect("JSON");
    assert_eq!(done["unknown_types"]["Event::Endpoint::New"], 2);
}

#[tokio::test]
async fn run_stops_at_its_deadline_and_continues() {
    let ((_, export), (_, lake)) = (memory(), memory());
    let expected = commit_all(&export).await;
    let mut settings = settings();
    settings.max_batch_rows = 1;
    let calls = std::sync::atomic::AtomicI64::new(0);
    let clock = || calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let writer = LakeWriter::to_store(export.clone(), &lake, settings.clone()).expect("a writer");
    let report = writer.run(clock, Some(5)).await.expect("a run");
    assert!(report.unfinished && report.batches < 3, "{report:?}");
    assert!(lake_uids(&lake).await.len() < expected.len());
    run(&export, &lake, settings).await;
    assert_eq!(lake_uids(&lake).await, expected);
}

#[tokio::test]
async fn class_without_a_store_is_an_invalid_setting() {
    let (_, export) = memory();
    let error = LakeWriter::new(export, BTreeMap::new(), settings()).expect_err("no store");
    assert_eq!(error.to_string(), "invalid class \"2004\": expected a class with a store");
}
