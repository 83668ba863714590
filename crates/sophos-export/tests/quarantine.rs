//! Records that are not JSON: each costs itself, and its bytes are kept.

mod support;

use base64::{Engine, prelude::BASE64_STANDARD};
use sophos_export::{Dataset, Outcome};
use support::{Answer, HOUR, MINUTE, NOW_MS, TENANT, TestEnv, event};

fn page_of(bad: &[u8]) -> Answer {
    let good = |id: &str| event(id, NOW_MS - HOUR).to_string().into_bytes();
    let items = [good("a"), bad.to_vec(), good("b")].join(&b","[..]);
    Answer::bytes([b"{\"has_more\":false,\"next_cursor\":\"end\",\"items\":[", &items[..], b"]}"].concat())
}

fn unreadable() -> Vec<Vec<u8>> {
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
async fn an_unreadable_record_costs_itself_alone() {
    for bad in unreadable() {
        let shown = String::from_utf8_lossy(&bad);
        let env = TestEnv::new();
        let report = env.events([page_of(&bad)]).await;
        assert_eq!((report.outcome, report.rows, report.quarantined), (Outcome::Committed, 2, 1), "{shown}");
        assert_eq!(env.ids().await, ["a", "b"], "{shown}");
        let record = env.last(Dataset::Events).await;
        assert_eq!((record.rows, record.quarantined), (2, 1));
        let folder = format!("_quarantine/events/tenant_id={TENANT}/day=2026-11-23/");
        assert!(record.quarantine[0].path.starts_with(&folder), "{:?}", record.quarantine);
        let kept = env.lines(&record.quarantine).await;
        let bytes = BASE64_STANDARD.decode(kept[0]["bytes"].as_str().expect("bytes"));
        assert_eq!(bytes.as_deref(), Ok(bad.as_slice()), "{shown}");
        assert!(kept[0]["reason"].as_str().is_some_and(|reason| reason.starts_with("invalid ")), "{kept:?}");
        assert_eq!(kept[0]["text"], shown.as_ref());
    }
}

#[tokio::test]
async fn an_unreadable_record_is_kept_once() {
    let env = TestEnv::new();
    env.events([page_of(b"{\"n\":NaN}")]).await;
    env.service.advance(MINUTE);
    let report = env.events([page_of(b"{\"n\":NaN}")]).await;
    assert_eq!((report.quarantined, report.duplicates), (0, 3), "{report:?}");
}

#[tokio::test]
async fn an_unreadable_record_of_a_backfill_is_kept() {
    let env = TestEnv::new();
    env.service.route(|request| match request.path.as_str() {
        "/siem/v1/alerts" => Answer::page(&[], false, Some("end")),
        _ => Answer::bytes(b"{\"items\":[{\"id\":\"c\"},{\"id\":\"\xff\"}],\"pages\":{}}".to_vec()),
    });
    env.run(Dataset::Alerts).await;
    env.service.advance(30 * HOUR);
    let report = env.run(Dataset::Alerts).await;
    assert_eq!(
        (report.outcome, report.backfilled, report.quarantined),
        (Outcome::Committed, 1, 1),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_byte_order_mark_before_a_page_is_none_of_it() {
    let page = Answer::page(&[event("a", NOW_MS - HOUR)], false, Some("end"));
    let env = TestEnv::new();
    let report = env.events([page.prefixed(b"\xef\xbb\xbf")]).await;
    assert_eq!((report.outcome, report.rows, report.quarantined), (Outcome::Committed, 1, 0), "{report:?}");
}

#[tokio::test]
async fn half_a_page_is_no_page() {
    for body in [
        &b"{\"has_more\":false,\"items\":[{\"id\":\"a\"},{\"id\":\"b\xff"[..],
        b"{\"has_more\":false,\"items\":[{\"id\":\"a\"}\0,,}",
        b"{\"has_more\":false,\"items\":[{\"id\":\"a\"},{\"n\":NaN}]",
        b"{\"has_more\":NaN,\"items\":[{\"id\":\"a\"}]}",
    ] {
        let env = TestEnv::new();
        env.service.route(move |_| Answer::bytes(body));
        let report = env.run(Dataset::Events).await;
        assert_eq!(report.outcome, Outcome::Failed, "{}", String::from_utf8_lossy(body));
        assert!(env.service.requests().len() > 1, "it is worth another request");
    }
}
