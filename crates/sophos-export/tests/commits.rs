//! The commit of a run, and the continuation by the next.

mod support;

use sophos_export::{Dataset, StreamOutcome};
use support::{DAY, HOUR, MINUTE, NOW_MS, ScriptedResponse, TestEnv, event};

#[tokio::test]
async fn run_commits_each_new_record_once() {
    let env = TestEnv::new();
    let first = [event("a", NOW_MS - HOUR), event("b", NOW_MS - MINUTE)];
    let report = env.run_events([ScriptedResponse::page(&first, false, Some("end"))]).await;
    assert_eq!((report.outcome, report.rows, report.commits), (StreamOutcome::Committed, 2, 1));
    env.service.advance(5 * MINUTE);
    let again = [event("b", NOW_MS - MINUTE), event("c", NOW_MS + MINUTE)];
    let report = env.run_events([ScriptedResponse::page(&again, false, Some("end"))]).await;
    assert_eq!((report.rows, report.duplicates), (1, 1));
    assert_eq!(env.event_ids().await, ["a", "b", "c"]);
    let log = env.log(Dataset::Events).await;
    assert_eq!(log[1].checkpoint_before.as_ref(), Some(&log[0].checkpoint_after));
    let names = env.object_names().await;
    assert!(names.iter().all(|name| !name.ends_with(".wal")), "{names:?}");
}

#[tokio::test]
async fn run_reads_the_overlap_again_after_the_end() {
    let env = TestEnv::new();
    env.run_events([ScriptedResponse::page(&[event("a", NOW_MS - HOUR)], false, Some("end"))]).await;
    env.service.take_requests();
    env.run_events([ScriptedResponse::page(&[], false, Some("end"))]).await;
    let requests = env.service.take_requests();
    assert_eq!(requests[0].from_date, Some((NOW_MS - 10 * MINUTE) / 1_000), "{requests:?}");
}

#[tokio::test]
async fn run_commits_what_it_read_before_the_service_failed() {
    let env = TestEnv::new();
    env.service.route(|request| match request.cursor.as_deref() {
        None => ScriptedResponse::page(&[event("a", NOW_MS - HOUR)], true, Some("next")),
        Some(_) => ScriptedResponse::status(503),
    });
    let report = env.run(Dataset::Events).await;
    assert_eq!(
        (report.outcome, report.rows, report.has_more),
        (StreamOutcome::Failed, 1, true),
        "{report:?}"
    );
    assert_eq!(env.event_ids().await, ["a"]);
}

#[tokio::test]
async fn run_reports_a_gap_after_more_than_a_day() {
    let env = TestEnv::new();
    env.run_events([ScriptedResponse::page(&[event("a", NOW_MS - HOUR)], false, Some("end"))]).await;
    env.service.advance(DAY + HOUR);
    let report =
        env.run_events([ScriptedResponse::page(&[event("b", NOW_MS + 2 * HOUR)], false, Some("end"))]).await;
    assert_eq!(report.gap_seconds().round(), 3_601.0);
    assert_eq!(env.last_record(Dataset::Events).await.gaps, report.gaps);
}
