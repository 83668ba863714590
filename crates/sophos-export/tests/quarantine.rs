//! Records that are not JSON: each is quarantined alone, as its bytes.

mod support;

use base64::{Engine, prelude::BASE64_STANDARD};
use sophos_export::{Dataset, StreamOutcome};
use support::{HOUR, MINUTE, NOW_MS, ScriptedResponse, TENANT, TestEnv, event};

fn page_of(bad: &[u8]) -> ScriptedResponse {
    let good = |id: &str| event(id, NOW_MS - HOUR).to_string().into_bytes();
    let items = [good("a"), bad.to_vec(), good("b")].join(&b","[..]);
    ScriptedResponse::bytes(
        [b"{\"has_more\":false,\"next_cursor\":\"end\",\"items\":[", &items[..], b"]}"].concat(),
    )
}

fn invalid_records() -> Vec<Vec<u8>> {
    [
        &b"{\"id\":\"x\",\"name\":\"a\xe9b\"}"[..],
        b"{\"id\":\"x\",\"name\":\"a\tb\"}",
        b"{\"id\":\"x\",\"name\":\"a\nb\"}",
        b"{\"id\":\"x\",\"name\":\"a\0b\"}",
        b"{\"id\":\"x\",\"n\":NaN,\"l\":[{\"id\":1},{\"id\":2}]}",
        b"{\"id\":\"x\",\"n\":-Infinity}",
        b"{\"id\":\"x\",\"n\":01}",
        b"{\"id\":\"x\",}",
        b"{\"id\":\"x\" \"n\":1}",
        b"\xef\xbb\xbf{\"id\":\"x\"}",
        b"{id:'x'}",
        b"undefined",
        b"\xff",
        b"\"\\x\"",
    ]
    .map(<[u8]>::to_vec)
    .to_vec()
}

#[tokio::test]
async fn invalid_record_is_quarantined_alone() {
    for bad in invalid_records() {
        let shown = String::from_utf8_lossy(&bad);
        let env = TestEnv::new();
        let report = env.run_events([page_of(&bad)]).await;
        assert_eq!(
            (report.outcome, report.rows, report.quarantined),
            (StreamOutcome::Committed, 2, 1),
            "{shown}"
        );
        assert_eq!(env.event_ids().await, ["a", "b"], "{shown}");
        let record = env.last_record(Dataset::Events).await;
        assert_eq!((record.rows, record.quarantined), (2, 1));
        let folder = format!("_quarantine/events/tenant_id={TENANT}/day=2026-11-23/");
        assert!(record.quarantine_objects[0].path.starts_with(&folder), "{:?}", record.quarantine_objects);
        let kept = env.lines(&record.quarantine_objects).await;
        let bytes = BASE64_STANDARD.decode(kept[0]["bytes"].as_str().expect("bytes"));
        assert_eq!(bytes.as_deref(), Ok(bad.as_slice()), "{shown}");
        assert!(kept[0]["reason"].as_str().is_some_and(|reason| reason.starts_with("invalid ")), "{kept:?}");
        assert_eq!(kept[0]["text"], shown.as_ref());
    }
}

#[tokio::test]
async fn invalid_record_is_quarantined_once() {
    let env = TestEnv::new();
    env.run_events([page_of(b"{\"n\":NaN}")]).await;
    env.service.advance(MINUTE);
    let report = env.run_events([page_of(b"{\"n\":NaN}")]).await;
    assert_eq!((report.quarantined, report.duplicates), (0, 3), "{report:?}");
}

#[tokio::test]
async fn invalid_record_of_a_backfill_is_quarantined() {
    let env = TestEnv::new();
    env.service.route(|request| match request.path.as_str() {
        "/siem/v1/alerts" => ScriptedResponse::page(&[], false, Some("end")),
        _ => ScriptedResponse::bytes(b"{\"items\":[{\"id\":\"c\"},{\"id\":\"\xff\"}],\"pages\":{}}".to_vec()),
    });
    env.run(Dataset::Alerts).await;
    env.service.advance(30 * HOUR);
    let report = env.run(Dataset::Alerts).await;
    assert_eq!(
        (report.outcome, report.backfilled, report.quarantined),
        (StreamOutcome::Committed, 1, 1),
        "{report:?}"
    );
}

#[tokio::test]
async fn page_is_parsed_after_a_byte_order_mark() {
    let page = ScriptedResponse::page(&[event("a", NOW_MS - HOUR)], false, Some("end"));
    let env = TestEnv::new();
    let report = env.run_events([page.with_prefix(b"\xef\xbb\xbf")]).await;
    assert_eq!(
        (report.outcome, report.rows, report.quarantined),
        (StreamOutcome::Committed, 1, 0),
        "{report:?}"
    );
}

#[tokio::test]
async fn run_fails_on_a_truncated_page() {
    for body in [
        &b"{\"has_more\":false,\"items\":[{\"id\":\"a\"},{\"id\":\"b\xff"[..],
        b"{\"has_more\":false,\"items\":[{\"id\":\"a\"}\0,,}",
        b"{\"has_more\":false,\"items\":[{\"id\":\"a\"},{\"n\":NaN}]",
        b"{\"has_more\":NaN,\"items\":[{\"id\":\"a\"}]}",
    ] {
        let env = TestEnv::new();
        env.service.route(move |_| ScriptedResponse::bytes(body));
        let report = env.run(Dataset::Events).await;
        assert_eq!(report.outcome, StreamOutcome::Failed, "{}", String::from_utf8_lossy(body));
        assert!(env.service.take_requests().len() > 1, "it is worth another request");
    }
}
