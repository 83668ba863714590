//! Exports in lines that are compressed with Zstandard.

#![cfg(feature = "zstd")]

mod support;

use serde_json::{Value, json};
use sophos_export::{
    Dataset, Finding, Format, StoredRow, StreamId, StreamOutcome, StreamVerification, read_rows,
};
use support::{HOUR, MINUTE, NOW_MS, ScriptedResponse, TENANT, TestEnv, event};

async fn verify(env: &TestEnv) -> StreamVerification {
    let stream = StreamId::new(Dataset::Events, TENANT).expect("a stream");
    StreamVerification::run(&env.store, &stream, true, |_| {}).await.expect("a verification")
}

#[tokio::test]
async fn export_writes_and_verifies_zstandard() {
    let env = TestEnv::with_settings(|settings| settings.formats = Format::NdjsonZstd.into());
    let first = [event("a", NOW_MS - 2 * HOUR), event("b", NOW_MS - HOUR)];
    env.run_events([ScriptedResponse::page(&first, false, Some("c1"))]).await;
    env.service.advance(5 * MINUTE);
    let report = env.run_events([ScriptedResponse::page(&[event("c", NOW_MS)], false, Some("c2"))]).await;
    assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, 1), "{report:?}");
    let verification = verify(&env).await;
    assert!(verification.is_sound(), "{verification:?}");
    assert_eq!((verification.rows, verification.verified_objects), (3, 2));

    let object = env.log(Dataset::Events).await.remove(0).objects.remove(0);
    assert!(object.path.ends_with(".ndjson.zst"), "{}", object.path);
    let body = env.read_object(&object.path).await;
    let rows: Vec<StoredRow> =
        read_rows(&object.path, body.into()).expect("rows").collect::<Result<_, _>>().expect("rows");
    assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(rows[0].record, first[0].to_string());
}

#[tokio::test]
async fn verification_finds_a_damaged_object_of_zstandard() {
    let env = TestEnv::with_settings(|settings| settings.formats = Format::NdjsonZstd.into());
    env.run_events([ScriptedResponse::page(&[event("a", NOW_MS - HOUR)], false, Some("c1"))]).await;
    let object = env.last_record(Dataset::Events).await.objects.remove(0);
    let mut body = env.read_object(&object.path).await;
    body.pop();
    env.store.write(&object.path, body.clone()).await.expect("a write");
    // The log names the bytes of the damaged object.
    let path = format!("_log/events/{TENANT}/000000000001.json");
    let mut record: Value = serde_json::from_slice(&env.read_object(&path).await).expect("JSON");
    record["objects"][0]["bytes"] = json!(body.len());
    record["objects"][0]["sha256"] = json!(support::sha256(&body));
    env.store.write(&path, record.to_string().into_bytes()).await.expect("a write");
    let findings = verify(&env).await.findings;
    assert!(
        matches!(&findings[..], [Finding::Unreadable { path, .. }] if *path == object.path),
        "{findings:?}"
    );
}
