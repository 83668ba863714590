//! The start of a run when the service rejects the cursor of the last one.

mod support;

use sophos_export::{Dataset, StreamOutcome};
use support::{DAY, HOUR, MINUTE, NOW_MS, Request, ScriptedResponse, TestEnv, event};

/// An environment whose last run stopped within the feed, at `cursor`.
async fn stopped_at_cursor() -> TestEnv {
    let env = TestEnv::new();
    env.service.route(|request| match request.cursor.as_deref() {
        None => ScriptedResponse::page(&[event("a", NOW_MS - 5 * HOUR)], true, Some("cursor")),
        Some(_) => ScriptedResponse::status(403),
    });
    env.run(Dataset::Events).await;
    env.service.take_requests();
    env
}

fn failing_responses() -> Vec<(&'static str, ScriptedResponse)> {
    vec![
        ("400", ScriptedResponse::status(400)),
        ("404", ScriptedResponse::status(404)),
        ("409", ScriptedResponse::status(409)),
        ("410", ScriptedResponse::status(410)),
        ("500", ScriptedResponse::status(500)),
        ("503", ScriptedResponse::status(503)),
        ("HTML", ScriptedResponse::bytes("<html>sorry</html>")),
        ("half a page", ScriptedResponse::bytes(r#"{"items":[{"id":"x"}"#)),
        ("a list", ScriptedResponse::bytes("[]")),
    ]
}

#[tokio::test]
async fn run_starts_at_a_date_when_its_cursor_fails() {
    for (name, bad) in failing_responses() {
        let env = stopped_at_cursor().await;
        env.service.route(move |request| match request {
            Request { cursor: Some(_), .. } => bad.clone(),
            Request { from_date: Some(_), .. } => ScriptedResponse::page(
                &[event("a", NOW_MS - 5 * HOUR), event("b", NOW_MS - HOUR)],
                false,
                Some("end"),
            ),
            _ => panic!("the time is enough"),
        });
        let report = env.run(Dataset::Events).await;
        assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, 1), "{name}: {report:?}");
        assert_eq!(report.gaps, [], "{name}");
        assert_eq!(env.event_ids().await, ["a", "b"], "{name}");
        let last = env.service.take_requests().pop().expect("a request");
        assert_eq!(last.from_date, Some((NOW_MS - 5 * HOUR) / 1_000), "{name}");
    }
}

#[tokio::test]
async fn run_reads_the_whole_feed_when_its_date_fails() {
    for (name, bad) in failing_responses() {
        let env = stopped_at_cursor().await;
        env.service.route(move |request| match request {
            Request { cursor: None, from_date: None, .. } => ScriptedResponse::page(
                &[event("a", NOW_MS - 5 * HOUR), event("b", NOW_MS - HOUR)],
                false,
                Some("end"),
            ),
            _ => bad.clone(),
        });
        let report = env.run(Dataset::Events).await;
        assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, 1), "{name}: {report:?}");
        assert_eq!(env.event_ids().await, ["a", "b"], "{name}");
    }
}

#[tokio::test]
async fn run_reports_the_gap_when_a_lost_cursor_is_old() {
    let env = stopped_at_cursor().await;
    env.service.advance(DAY);
    env.service.route(|request| match request {
        Request { cursor: None, from_date: None, .. } => {
            ScriptedResponse::page(&[event("b", NOW_MS + DAY - HOUR)], false, Some("end"))
        }
        _ => ScriptedResponse::status(404),
    });
    let report = env.run(Dataset::Events).await;
    assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, 1), "{report:?}");
    assert_eq!((report.gaps[0].from_ms, report.gaps[0].to_ms / MINUTE), (NOW_MS - 5 * HOUR, NOW_MS / MINUTE));
    assert_eq!(env.service.take_requests().len(), 2, "an old time is not tried");
}

#[tokio::test]
async fn run_keeps_its_start_position_on_401_403_and_429() {
    for status in [401, 403, 429] {
        let env = stopped_at_cursor().await;
        env.service.route(move |request| match request.cursor {
            Some(_) => ScriptedResponse::status(status),
            None => panic!("no other start"),
        });
        assert_eq!(env.run(Dataset::Events).await.outcome, StreamOutcome::Failed, "{status}");
    }
}

/// The whole feed in pages of 100, each with a cursor. It has 5,000 records, which are
/// more than the log keeps.
fn page_after(cursor: Option<&str>) -> ScriptedResponse {
    let first: i64 = cursor.map_or(0, |cursor| cursor.parse().expect("a number"));
    let record = |number: i64| event(&number.to_string(), NOW_MS - 5 * HOUR + number * 1_000);
    let items: Vec<_> = (first..first + 100).map(record).collect();
    let next = (first + 100).to_string();
    ScriptedResponse::page(&items, first + 100 < 5_000, Some(&next))
        .with_latency(std::time::Duration::from_secs(1))
}

#[tokio::test]
async fn rereading_the_whole_feed_commits_no_duplicates() {
    let env = TestEnv::new();
    env.service.route(|request| page_after(request.cursor.as_deref()));
    assert_eq!(env.run(Dataset::Events).await.rows, 5_000);
    env.service.advance(5 * MINUTE);
    // The service rejects the time, and the whole feed takes several time slices.
    env.service.route(|request| match request.from_date {
        Some(_) => ScriptedResponse::status(500),
        None => page_after(request.cursor.as_deref()),
    });
    let mut turns = 0;
    loop {
        turns += 1;
        let report = env.run_for(Dataset::Events, 60 * 1_000).await;
        assert_eq!((report.rows, report.gaps.len()), (0, 0), "{report:?}");
        if !report.has_more {
            break;
        }
        assert!(turns < 20, "no progress: {report:?}");
    }
    assert_eq!(env.event_ids().await.len(), 5_000);
}
