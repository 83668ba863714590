//! Repeated records: a revision is written, a duplicate is not.

mod support;

use serde_json::{Value, json};
use sophos_export::{Dataset, StreamOutcome};
use support::{HOUR, MINUTE, NOW_MS, ScriptedResponse, TestEnv, event, format_time};

fn with_severity(severity: &str) -> Value {
    let mut event = event("a", NOW_MS - MINUTE);
    event["severity"] = json!(severity);
    event
}

fn last_page(items: &[Value]) -> ScriptedResponse {
    ScriptedResponse::page(items, false, Some("end"))
}

/// The revisions and severities of the committed rows.
async fn revisions(env: &TestEnv) -> Vec<(u64, String)> {
    let rows = env.rows(Dataset::Events).await;
    let revision = |row: &Value| row["revision"].as_u64().expect("a revision");
    rows.iter().map(|row| (revision(row), severity(row))).collect()
}

fn severity(row: &Value) -> String {
    let record: Value = serde_json::from_str(row["record"].as_str().expect("text")).expect("JSON");
    record["severity"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn update_is_committed_with_the_next_revision() {
    let env = TestEnv::new();
    let (low, high, none) = (with_severity("low"), with_severity("high"), with_severity("none"));
    env.run_events([last_page(std::slice::from_ref(&low))]).await;
    let report = env.run_events([last_page(std::slice::from_ref(&high))]).await;
    assert_eq!((report.outcome, report.rows, report.revised), (StreamOutcome::Committed, 1, 1), "{report:?}");
    // The feed may repeat each version, in any order.
    let report = env.run_events([last_page(&[high.clone(), low.clone()])]).await;
    assert_eq!((report.rows, report.duplicates), (0, 2), "{report:?}");
    let report = env.run_events([last_page(&[low, high, none])]).await;
    assert_eq!((report.rows, report.revised, report.duplicates), (1, 1, 2), "{report:?}");
    let expected = [(0, "low"), (1, "high"), (2, "none")].map(|(number, text)| (number, text.to_owned()));
    assert_eq!(revisions(&env).await, expected);
}

#[tokio::test]
async fn both_versions_of_one_page_are_committed() {
    let env = TestEnv::new();
    let report = env.run_events([last_page(&[with_severity("low"), with_severity("high")])]).await;
    assert_eq!((report.rows, report.revised), (2, 1));
    assert_eq!(env.last_record(Dataset::Events).await.revised, 1);
}

#[tokio::test]
async fn duplicate_with_reordered_members_is_skipped() {
    let env = TestEnv::new();
    let page = |item: &str| {
        ScriptedResponse::bytes(format!("{{\"items\":[{item}],\"has_more\":false,\"next_cursor\":\"end\"}}"))
    };
    env.run_events([page(r#"{"id":"a","severity":"low","data":{"x":1,"y":2}}"#)]).await;
    let report = env
        .run_events([page("{ \"data\": {\"y\":2, \"x\":1},\n \"severity\":\"low\", \"id\":\"a\" }")])
        .await;
    assert_eq!((report.rows, report.duplicates), (0, 1), "{report:?}");
}

#[tokio::test]
async fn alert_of_the_common_api_is_skipped_as_a_duplicate() {
    let env = TestEnv::new();
    let at = format_time(NOW_MS - HOUR);
    let of_feed = json!({ "id": "a", "when": at, "created_at": at, "severity": "low" });
    let of_common = json!({ "items": [{ "id": "a", "raisedAt": at, "severity": "low" }], "pages": {} });
    env.service.respond_with([last_page(std::slice::from_ref(&of_feed))]);
    env.run(Dataset::Alerts).await;
    env.service.advance(30 * HOUR);
    env.service.respond_with([last_page(&[]), ScriptedResponse::bytes(of_common.to_string())]);
    let report = env.run(Dataset::Alerts).await;
    assert_eq!((report.rows, report.duplicates, report.gaps.len()), (0, 1, 1), "{report:?}");
    env.service.respond_with([last_page(&[of_feed])]);
    assert_eq!(env.run(Dataset::Alerts).await.rows, 0);
}
