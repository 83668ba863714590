//! The state of streams, and the defects that a verification finds.

mod support;

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sophos_export::{Dataset, Finding, StreamId, StreamStatus, StreamVerification, list_streams};
use support::{DAY, HOUR, MINUTE, NOW_MS, ScriptedResponse, TENANT, TestEnv, event};

const OTHER_TENANT: &str = "22222222-cc4a-4a9f-bb9c-632c936dfb9f";

fn stream() -> StreamId {
    StreamId::new(Dataset::Events, TENANT).expect("a stream")
}

/// An environment with two commits of two and one rows.
async fn two_commits() -> TestEnv {
    let env = TestEnv::new();
    let first = [event("a", NOW_MS - 2 * HOUR), event("b", NOW_MS - HOUR)];
    env.run_events([ScriptedResponse::page(&first, false, Some("c1"))]).await;
    env.service.advance(5 * MINUTE);
    env.run_events([ScriptedResponse::page(&[event("c", NOW_MS)], false, Some("c2"))]).await;
    env
}

async fn verify(env: &TestEnv) -> StreamVerification {
    StreamVerification::run(&env.store, &stream(), true, |_| {}).await.expect("a verification")
}

/// The only finding, after a change.
async fn finding(env: &TestEnv) -> Finding {
    let mut findings = verify(env).await.findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

fn record_path(sequence: u64) -> String {
    format!("_log/events/{TENANT}/{sequence:012}.json")
}

/// Changes a log record in the store.
async fn edit_record(env: &TestEnv, sequence: u64, edit: impl FnOnce(&mut Value)) {
    let path = record_path(sequence);
    let mut record: Value = serde_json::from_slice(&env.read_object(&path).await).expect("JSON");
    edit(&mut record);
    env.store.write(&path, record.to_string().into_bytes()).await.expect("a write");
}

#[tokio::test]
async fn verification_proves_each_committed_object() {
    let env = two_commits().await;
    let mut read = 0;
    let verification =
        StreamVerification::run(&env.store, &stream(), true, |bytes| read += bytes).await.expect("a result");
    assert!(verification.is_sound(), "{verification:?}");
    assert_eq!((verification.commits, verification.rows), (2, 3));
    assert_eq!((verification.objects, verification.verified_objects), (2, 2));
    assert_eq!(verification.verified_bytes, read);
    assert!(read > 0 && verification.pending_objects.is_empty());
}

#[tokio::test]
async fn verification_finds_a_changed_object() {
    let env = two_commits().await;
    let object = env.last_record(Dataset::Events).await.objects.remove(0);
    let body = env.read_object(&object.path).await;
    // One bit, without a change of the size.
    let mut flipped = body.clone();
    *flipped.last_mut().expect("bytes") ^= 1;
    env.store.write(&object.path, flipped).await.expect("a write");
    assert!(matches!(finding(&env).await, Finding::HashDiffers { path, .. } if path == object.path));

    env.store.write(&object.path, [body.as_slice(), b"more"].concat()).await.expect("a write");
    let expected = object.bytes;
    let found = expected + 4;
    assert_eq!(finding(&env).await, Finding::SizeDiffers { path: object.path.clone(), expected, found });

    env.store.delete(&object.path).await.expect("deleted");
    assert_eq!(finding(&env).await, Finding::ObjectMissing { path: object.path });
}

#[tokio::test]
async fn verification_counts_rows_of_a_rehashed_object() {
    let env = two_commits().await;
    let object = env.last_record(Dataset::Events).await.objects.remove(0);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"{\"id\":\"x\",\"revision\":0}\n{\"id\":\"y\",\"revision\":0}\n").expect("rows");
    let body = gzip.finish().expect("gzip");
    let named = |body: &[u8]| {
        let (bytes, sha256) = (body.len(), sha256(body));
        move |record: &mut Value| {
            record["objects"][0]["bytes"] = json!(bytes);
            record["objects"][0]["sha256"] = json!(sha256);
        }
    };
    env.store.write(&object.path, body.clone()).await.expect("a write");
    edit_record(&env, 2, named(&body)).await;
    let path = object.path.clone();
    assert_eq!(finding(&env).await, Finding::RowsDiffer { path, expected: 1, found: 2 });

    env.store.write(&object.path, b"no gzip".to_vec()).await.expect("a write");
    edit_record(&env, 2, named(b"no gzip")).await;
    assert!(matches!(finding(&env).await, Finding::Unreadable { path, .. } if path == object.path));
}

#[tokio::test]
async fn verification_finds_a_repeated_row() {
    let env = two_commits().await;
    let log = env.log(Dataset::Events).await;
    let (first, second) = (&log[0].objects[0], &log[1].objects[0]);
    let body = env.read_object(&first.path).await;
    env.store.write(&second.path, body).await.expect("a write");
    edit_record(&env, 2, |record| {
        record["objects"][0]["bytes"] = json!(first.bytes);
        record["objects"][0]["sha256"] = json!(first.sha256);
        record["objects"][0]["rows"] = json!(first.rows);
    })
    .await;
    let findings = verify(&env).await.findings;
    let repeated = |id: &str| Finding::RowRepeated { path: second.path.clone(), id: id.into(), revision: 0 };
    assert_eq!(findings, [repeated("a"), repeated("b")]);
    let without = StreamVerification::run(&env.store, &stream(), false, |_| {}).await.expect("a result");
    assert!(without.is_sound(), "rows are compared on demand only");
}

#[tokio::test]
async fn verification_finds_defects_of_the_log() {
    let env = two_commits().await;
    edit_record(&env, 2, |record| record["checkpoint_before"]["high_watermark_ms"] = json!(1)).await;
    assert_eq!(finding(&env).await, Finding::CheckpointMismatch { path: record_path(2) });

    let env = two_commits().await;
    edit_record(&env, 1, |record| record["version"] = json!(2)).await;
    let findings = verify(&env).await.findings;
    assert!(matches!(&findings[0], Finding::LogRecordInvalid { path, .. } if *path == record_path(1)));
    // Its objects are not known any more.
    assert!(matches!(&findings[1], Finding::ObjectUncommitted { .. }), "{findings:?}");

    let env = two_commits().await;
    let first = env.log(Dataset::Events).await.remove(0);
    env.store.delete(&record_path(1)).await.expect("deleted");
    env.store.delete(&first.objects[0].path).await.expect("deleted");
    assert_eq!(finding(&env).await, Finding::LogRecordMissing { path: record_path(1) });
}

#[tokio::test]
async fn verification_tells_open_runs_from_other_objects() {
    let env = two_commits().await;
    let run = "0000019abc-00000000000000aa";
    let path = |root: &str, run: &str| {
        format!("{root}/tenant_id={TENANT}/day=2026-11-23/000000000003-{run}-0000.ndjson.gz")
    };
    let objects = [path("events", run), path("_quarantine/events", run)];
    for object in &objects {
        env.store.write(object, b"left".to_vec()).await.expect("a write");
    }
    let record = json!({ "sequence": 3, "run_id": run, "objects": objects }).to_string();
    let wal = format!("_log/events/{TENANT}/000000000003.{run}.wal");
    env.store.write(&wal, record.into_bytes()).await.expect("a write");
    let verification = verify(&env).await;
    assert!(verification.is_sound(), "{verification:?}");
    assert_eq!(verification.pending_objects, objects);
    let status = StreamStatus::load(&env.store, &stream(), 1).await.expect("a status");
    assert_eq!(status.open_runs, 1);

    let stray = path("events", "0000019abc-00000000000000bb");
    env.store.write(&stray, b"left".to_vec()).await.expect("a write");
    assert_eq!(finding(&env).await, Finding::ObjectUncommitted { path: stray, bytes: 4 });
}

#[tokio::test]
async fn status_sums_the_latest_commits() {
    let env = two_commits().await;
    env.service.advance(2 * DAY);
    let late = event("d", env.service.now_ms());
    env.run_events([ScriptedResponse::page(&[late], false, Some("c3"))]).await;
    let last = env.last_record(Dataset::Events).await;
    let status = StreamStatus::load(&env.store, &stream(), 100).await.expect("a status");
    assert_eq!((status.commits, status.inspected_commits, status.rows), (3, 3, 4));
    assert_eq!((status.last_commit, status.last_run_id), (Some(last.committed_at), Some(last.run_id)));
    assert_eq!(status.checkpoint, Some(last.checkpoint_after));
    assert_eq!(status.gaps, last.gaps);
    assert_eq!(status.gaps.len(), 1, "two days without a run");
    let status = StreamStatus::load(&env.store, &stream(), 2).await.expect("a status");
    assert_eq!((status.commits, status.inspected_commits, status.rows), (3, 2, 2));
    let other = StreamId::new(Dataset::Events, OTHER_TENANT).expect("a stream");
    let status = StreamStatus::load(&env.store, &other, 1).await.expect("a status");
    assert_eq!((status.commits, status.last_commit), (0, None));
}

#[tokio::test]
async fn list_streams_finds_logs_and_objects() {
    let env = two_commits().await;
    let stray = format!("alerts/tenant_id={OTHER_TENANT}/day=2026-11-23/x.ndjson.gz");
    env.store.write(&stray, Vec::new()).await.expect("a write");
    env.store.write("events/other/x", Vec::new()).await.expect("a write");
    let streams = list_streams(&env.store).await.expect("a listing");
    let expected = [(Dataset::Events, TENANT), (Dataset::Alerts, OTHER_TENANT)];
    let expected = expected.map(|(dataset, tenant)| StreamId::new(dataset, tenant).expect("a stream"));
    assert_eq!(streams, expected);
}

fn sha256(body: &[u8]) -> String {
    use sha2::{Digest, Sha256};

    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}
