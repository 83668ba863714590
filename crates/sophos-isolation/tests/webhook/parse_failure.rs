//! The records of authentic requests that could not be parsed.

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{NOW, RequestExt, TestEnv, current_value, hex, post, signed_request};

const HOUR: u64 = NOW.as_secs() / 3_600;

/// A request of the source `office`, whose signature does not age.
fn office_request(body: &str) -> sophos_isolation::webhook::Request {
    let mut request = post("/hooks/office", body)
        .with_header("authorization", format!("Bearer {}", current_value("office")));
    request.source_ip = "203.0.113.9".parse().ok();
    request
}

#[tokio::test]
async fn parse_failure_is_recorded_when_authentic() {
    let env = TestEnv::new();
    let body = r#"{"title":"Wq7x","target":{"hostname":"Wq7x-1"}}"#;
    let (response, notice) = env.handle(&signed_request(body)).await;
    assert_eq!(response.status, 422);
    let digest = hex(&Sha256::digest(body));
    assert_eq!(
        (notice.error_kind, notice.body_sha256.as_deref()),
        (Some("MalformedEvent"), Some(digest.as_str()))
    );
    let all = env.store.objects();
    let [(path, record)] = all.iter().collect::<Vec<_>>()[..] else { panic!("{all:?}") };
    assert_eq!(notice.record_path.as_ref(), Some(path));
    let slot = path.strip_prefix(&format!("unreadable/scripts/{HOUR}/")).expect("its hour");
    assert!(slot.len() == 2 && slot.parse::<u8>().is_ok_and(|slot| slot < 32), "{slot}");
    let rejection: Value = serde_json::from_slice(&response.body.clone().into_bytes()).expect("JSON");
    let record: Value = serde_json::from_slice(record).expect("JSON");
    let wanted = json!({
        "version": 1, "source": "scripts", "tool": "generic", "at": "2026-09-21T14:13:20Z",
        "reason": rejection["error"], "event_id": null, "body_sha256": digest, "body_bytes": body.len(),
    });
    assert_eq!(record, wanted, "and nothing of the body");
}

#[tokio::test]
async fn parse_failure_records_the_event_id_of_the_header() {
    let env = TestEnv::new();
    let (response, notice) =
        env.handle(&office_request("no").with_header("idempotency-key", "key\u{202e}\u{7}-1")).await;
    assert_eq!(response.status, 422);
    let record: Value =
        serde_json::from_slice(&env.store.objects()[&notice.record_path.expect("a record")]).expect("JSON");
    assert_eq!(record["event_id"], "key -1", "in one line");
}

#[tokio::test]
async fn parse_failure_records_are_limited_per_hour() {
    let env = TestEnv::new();
    for number in 0..400 {
        assert_eq!(env.send(&office_request(&format!("[{number}]"))).await.status, 422);
    }
    assert_eq!(env.store.count(&format!("unreadable/office/{HOUR}/")), 32);
    assert_eq!(env.store.objects().len(), 32);
    let later = NOW + Duration::from_secs(3_600);
    assert_eq!(env.handle_at(&office_request("[1]"), later).await.0.status, 422);
    assert_eq!(env.store.objects().len(), 33);
}

#[tokio::test]
async fn parse_failure_is_not_recorded_when_unauthenticated() {
    let env = TestEnv::new();
    let forged = signed_request("[1]").with_header("x-sophos-signature", "v1=00");
    let other = office_request("[1]").with_header("authorization", "Bearer guessed");
    for request in [forged, other, post("/hooks/absent", "[1]")] {
        assert_eq!(env.send(&request).await.status, 401);
    }
    assert!(env.store.objects().is_empty());
}

#[tokio::test]
async fn parse_failure_response_does_not_depend_on_its_record() {
    let env = TestEnv::new();
    let expected = env.send(&office_request("[1]")).await;
    env.store.fail_on(Some("unreadable/"));
    let (response, notice) = env.handle(&office_request("[1]")).await;
    assert_eq!(response, expected);
    assert_eq!(notice.record_path, None);
    assert!(notice.problem.is_some_and(|problem| problem.contains("out of order")));
}
