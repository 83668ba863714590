//! Garbage collection: a run deletes the objects of dead runs, and no others.

#[path = "../../sophos-store/tests/support/faulty_store.rs"]
mod faulty_store;
mod support;

use std::sync::Arc;

use faulty_store::FaultyStore;
use serde_json::json;
use sophos_export::{Dataset, ExportSettings, Store, StreamOutcome, StreamReport, TenantRef};
use support::{HOUR, MINUTE, NOW_MS, ScriptedResponse, ScriptedService, TENANT, TestEnv, event, exporter};

const RUN: &str = "0000019abc-00000000000000aa";
const OTHER_TENANT: &str = "22222222-cc4a-4a9f-bb9c-632c936dfb9f";

/// A path of an object that the dead run wrote for record 1.
fn dead_object(root: &str) -> String {
    format!("{root}/tenant_id={TENANT}/day=2026-11-23/000000000001-{RUN}-0000.ndjson.gz")
}

/// An environment with an object at each of these paths and a write-ahead record that
/// names them all, after a run.
async fn run_with_record(run: &str, objects: &[String]) -> (TestEnv, StreamReport) {
    let env = TestEnv::new();
    for object in objects {
        env.store.write(object, b"left".to_vec()).await.expect("a write");
    }
    let intent = json!({ "sequence": 1, "run_id": run, "objects": objects }).to_string();
    let path = format!("_log/events/{TENANT}/000000000001.{RUN}.wal");
    env.store.write(&path, intent.into_bytes()).await.expect("a write");
    let report = env.run_events([ScriptedResponse::page(&[event("a", NOW_MS - HOUR)], false, None)]).await;
    (env, report)
}

#[tokio::test]
async fn run_removes_objects_of_a_dead_run() {
    let objects = [dead_object("events"), dead_object("_quarantine/events")];
    let (env, report) = run_with_record(RUN, &objects).await;
    assert_eq!(report.garbage_removed, 2);
    let names = env.object_names().await;
    assert!(objects.iter().all(|object| !names.contains(object)), "{names:?}");
    assert!(names.iter().all(|name| !name.ends_with(".wal")), "{names:?}");
}

#[tokio::test]
async fn forged_write_ahead_record_removes_nothing() {
    for forged in [
        dead_object("alerts"),
        dead_object("events").replace(TENANT, OTHER_TENANT),
        dead_object("events").replace(RUN, "0000019abc-00000000000000bb"),
        dead_object("events").replace("/000000000001-", "/000000000002-"),
        dead_object("events").replace("day=2026-11-23/", ""),
        dead_object("events").replace("day=2026-11-23/", "day=2026-11-23/more/"),
        dead_object("events").replace("day=2026-11-23", "day=today"),
        format!("{}/x", dead_object("events")),
        format!("_log/events/{TENANT}/_from"),
        format!("_log/events/{OTHER_TENANT}/000000000001.json"),
        "_plan/partner.json".to_owned(),
        "policy/current.toml".to_owned(),
    ] {
        let (env, report) = run_with_record(RUN, &[dead_object("events"), forged.clone()]).await;
        assert_eq!(report.garbage_removed, 0, "{forged}");
        assert!(env.object_names().await.contains(&forged), "{forged}");
        assert_eq!(report.rows, 1, "the run itself is not disturbed");
    }
}

#[tokio::test]
async fn forged_write_ahead_record_keeps_committed_objects() {
    let env = TestEnv::new();
    env.run_events([ScriptedResponse::page(&[event("a", NOW_MS - HOUR)], false, None)]).await;
    let record = env.last_record(Dataset::Events).await;
    let object = record.objects[0].path.clone();
    for run in [record.run_id.as_str(), RUN] {
        let intent = json!({ "sequence": 1, "run_id": run, "objects": [object] }).to_string();
        let path = format!("_log/events/{TENANT}/000000000001.{run}.wal");
        env.store.write(&path, intent.into_bytes()).await.expect("a write");
    }
    env.service.advance(5 * MINUTE);
    let report = env.run_events([ScriptedResponse::page(&[event("b", NOW_MS)], false, None)]).await;
    assert_eq!((report.rows, report.garbage_removed), (1, 0));
    assert!(env.object_names().await.contains(&object));
    assert_eq!(env.event_ids().await, ["a", "b"]);
}

#[tokio::test]
async fn misnamed_write_ahead_record_removes_nothing() {
    let run = "0000019abc-00000000000000cc";
    let object = dead_object("events").replace(RUN, run);
    let (env, report) = run_with_record(run, std::slice::from_ref(&object)).await;
    assert_eq!(report.garbage_removed, 0);
    assert!(env.object_names().await.contains(&object));
}

#[tokio::test]
async fn run_keeps_the_objects_of_a_run_that_may_be_active() {
    let env = TestEnv::new();
    let object = dead_object("events").replace("/000000000001-", "/000000000002-");
    env.store.write(&object, b"being written".to_vec()).await.expect("a write");
    let record = json!({ "sequence": 2, "run_id": RUN, "objects": [object] }).to_string();
    let path = format!("_log/events/{TENANT}/000000000002.{RUN}.wal");
    env.store.write(&path, record.into_bytes()).await.expect("a write");
    let report = env.run_events([ScriptedResponse::page(&[event("a", NOW_MS - HOUR)], false, None)]).await;
    assert_eq!((report.outcome, report.garbage_removed), (StreamOutcome::Committed, 0), "{report:?}");
    let names = env.object_names().await;
    assert!(names.contains(&object) && names.contains(&path), "{names:?}");
}

#[tokio::test]
async fn run_succeeds_when_deletes_are_denied() {
    let store = Store::from_object_store(Arc::new(FaultyStore::default()));
    let object = dead_object("events");
    store.write(&object, b"left".to_vec()).await.expect("a write");
    let record = json!({ "sequence": 1, "run_id": RUN, "objects": [object] }).to_string();
    let path = format!("_log/events/{TENANT}/000000000001.{RUN}.wal");
    store.write(&path, record.into_bytes()).await.expect("a write");
    let service = ScriptedService::new(NOW_MS);
    let exporter = exporter(&service, &store, ExportSettings::default());
    let mut tenant = TenantRef::new(TENANT);
    tenant.data_region = Some("eu01".into());
    for id in ["a", "b"] {
        service.respond_with([ScriptedResponse::page(&[event(id, NOW_MS - HOUR)], false, None)]);
        let report = Box::pin(exporter.export_stream(&tenant, Dataset::Events, None)).await;
        assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, 1), "{report:?}");
        assert_eq!((report.error.as_deref(), report.garbage_removed), (None, 0), "{report:?}");
        service.advance(5 * MINUTE);
    }
}
