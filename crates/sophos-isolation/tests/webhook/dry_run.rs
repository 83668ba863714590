//! Checks that senders request.

use serde_json::Value;

use super::{RequestExt, TestEnv, signed_request};

const BODY: &str = r#"{"event_id":"e-1","severity":"high","target":{"hostname":"pc-1"}}"#;

#[tokio::test]
async fn dry_run_reports_the_outcome_and_records_nothing() {
    let env = TestEnv::new();
    let request = signed_request(BODY).with_header("x-sophos-dry-run", "1");
    let (response, notice) = env.handle(&request).await;
    assert_eq!(response.status, 200);
    let body: Value = serde_json::from_str(&response.body).expect("JSON");
    assert_eq!(body["dry_run"], true);
    let check = &body["check"];
    assert_eq!(check["signals"][0]["outcome"], "admitted", "this queue looks for no endpoint");
    assert_eq!(check["signals"][0]["signal"]["host"]["hostnames"][0], "pc-1");
    assert_eq!(check["response"]["status"], 202);
    assert!(env.store.objects().is_empty() && notice.created.is_empty());

    // The real message creates the decision that the check named.
    let (response, notice) = env.handle(&signed_request(BODY)).await;
    assert_eq!(response.status, 202);
    assert_eq!(check["signals"][0]["decision"], notice.created[0].as_str());
}

#[tokio::test]
async fn dry_run_reports_why_a_body_is_invalid() {
    let env = TestEnv::new();
    let (response, _) = env.handle(&signed_request("{}").with_header("x-sophos-dry-run", "1")).await;
    let body: Value = serde_json::from_str(&response.body).expect("JSON");
    assert_eq!((response.status, &body["check"]["response"]["status"]), (200, &422.into()));
    assert!(env.store.objects().is_empty());
}

#[tokio::test]
async fn dry_run_requires_a_valid_signature_and_the_value_1() {
    let env = TestEnv::new();
    let mut forged = signed_request(BODY).with_header("x-sophos-dry-run", "1");
    forged.body.push(b' ');
    assert_eq!(env.handle(&forged).await.0.status, 401);
    let (response, _) = env.handle(&signed_request(BODY).with_header("x-sophos-dry-run", "0")).await;
    assert_eq!(response.status, 202);
}
