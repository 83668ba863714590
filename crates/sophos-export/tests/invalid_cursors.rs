//! Pages with invalid cursors: the run commits the earlier records, and fails.

mod support;

use std::time::Duration;

use serde_json::json;
use sophos_export::{Dataset, StreamOutcome};
use support::{HOUR, MINUTE, NOW_MS, SECOND, ScriptedResponse, TestEnv, event};

#[tokio::test]
async fn run_commits_pages_before_an_invalid_cursor() {
    let items = |id| [event(id, NOW_MS - 2 * HOUR)];
    let object = json!({ "items": items("b"), "has_more": true, "next_cursor": {} }).to_string();
    for (name, dead_end) in [
        ("the same", ScriptedResponse::page(&items("b"), true, Some("one"))),
        ("an empty", ScriptedResponse::page(&items("b"), true, Some(""))),
        ("no", ScriptedResponse::page(&items("b"), true, None)),
        ("an object for a", ScriptedResponse::bytes(object)),
    ] {
        let env = TestEnv::new();
        let report = env.run_events([ScriptedResponse::page(&items("a"), true, Some("one")), dead_end]).await;
        assert_eq!(
            (report.outcome, report.rows, report.has_more),
            (StreamOutcome::Failed, 2, true),
            "{name}: {report:?}"
        );
        assert_eq!(env.event_ids().await, ["a", "b"], "{name}");
        env.service.take_requests();
        let rest = [event("b", NOW_MS - 2 * HOUR), event("c", NOW_MS - HOUR)];
        let report = env.run_events([ScriptedResponse::page(&rest, false, Some("end"))]).await;
        assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, 1), "{name}: {report:?}");
        let request = env.service.take_requests().swap_remove(0);
        assert_eq!(request.from_date, Some((NOW_MS - 2 * HOUR) / 1_000), "{name}: by time");
    }
}

#[tokio::test]
async fn run_commits_its_progress_when_cursors_form_a_cycle() {
    let env = TestEnv::new();
    env.service.route(|request| match request.cursor.as_deref() {
        None => ScriptedResponse::page(&[event("a", NOW_MS - 3 * HOUR)], true, Some("one")),
        Some("one") => ScriptedResponse::page(&[event("b", NOW_MS - 2 * HOUR)], true, Some("two")),
        Some(_) => ScriptedResponse::page(&[], true, Some("one")),
    });
    let report = env.run(Dataset::Events).await;
    assert_eq!((report.outcome, report.rows), (StreamOutcome::Failed, 2), "{report:?}");
    assert!(report.error.is_some_and(|error| error.contains("cycle")));
    assert_eq!(env.service.take_requests().len(), 3);
    assert_eq!(env.event_ids().await, ["a", "b"]);
}

/// Pages without items, each with a new cursor, that end after `pages`.
fn respond_with_empty_pages(env: &TestEnv, pages: u32) {
    env.service.route(move |request| {
        let number = request.cursor.as_deref().map_or(0, |cursor| cursor.parse().expect("a number"));
        let response = if number < pages {
            ScriptedResponse::page(&[], true, Some(&(number + 1).to_string()))
        } else {
            ScriptedResponse::page(&[event("a", NOW_MS)], false, Some("0"))
        };
        response.with_latency(Duration::from_millis(250))
    });
}

#[tokio::test]
async fn run_fails_after_max_empty_pages_and_the_next_continues() {
    let env = TestEnv::new();
    respond_with_empty_pages(&env, u32::MAX);
    for run in 1..=2 {
        let report = env.run(Dataset::Events).await;
        assert_eq!(report.outcome, StreamOutcome::Failed, "{report:?}");
        assert!(report.error.is_some_and(|error| error.contains("empty")));
        let cursor = env.last_record(Dataset::Events).await.checkpoint_after.cursor;
        assert_eq!(cursor, Some((run * 1_000).to_string()));
    }
}

#[tokio::test]
async fn runs_pass_many_empty_pages_in_several_time_slices() {
    // A new stream, and one that was read to the end.
    for first in [false, true] {
        let env = TestEnv::new();
        if first {
            env.run_events([ScriptedResponse::page(&[event("z", NOW_MS - HOUR)], false, Some("end"))]).await;
            env.service.advance(5 * MINUTE);
        }
        respond_with_empty_pages(&env, 900);
        let mut slices = 0;
        loop {
            slices += 1;
            let report = env.run_for(Dataset::Events, 60 * SECOND).await;
            assert_ne!(report.outcome, StreamOutcome::Failed, "{report:?}");
            assert_eq!(report.gaps, []);
            if !report.has_more {
                break;
            }
            assert!(slices < 10, "no progress: {report:?}");
        }
        assert!(slices > 2, "{slices}");
        assert_eq!(env.event_ids().await.last().map(String::as_str), Some("a"));
    }
}
