//! The kinds of failures in reports.

mod support;

use std::time::Duration;

use sophos_api::ErrorKind;
use sophos_export::{Dataset, FailureKind, StreamOutcome};
use support::{HOUR, NOW_MS, ScriptedResponse, TestEnv, event};

#[tokio::test]
async fn report_keeps_the_kind_of_a_service_error() {
    for (status, kind, needs_a_person) in [
        (403, ErrorKind::Forbidden, true),
        (404, ErrorKind::NotFound, true),
        (400, ErrorKind::Invalid, false),
        (503, ErrorKind::Unavailable, false),
    ] {
        let env = TestEnv::new();
        env.service.route(move |_| ScriptedResponse::status(status));
        let report = env.run(Dataset::Events).await;
        assert_eq!(report.error_kind, Some(FailureKind::Service(kind)), "{status}");
        assert_eq!(report.error_kind.map(FailureKind::requires_operator), Some(needs_a_person), "{status}");
        let json = serde_json::to_value(&report).expect("JSON");
        assert_eq!(json["error_kind"], format!("{kind:?}"), "the name of the kind");
    }
}

#[tokio::test]
async fn report_names_task_failed_when_a_task_panics() {
    let env = TestEnv::new();
    env.service.route(|request| match request.cursor {
        None => ScriptedResponse::page(&[event("a", NOW_MS - HOUR)], true, Some("next")),
        // In the task that fetches the next page.
        Some(_) => panic!("a defect"),
    });
    let report = env.run(Dataset::Events).await;
    assert_eq!(
        (report.outcome, report.error_kind),
        (StreamOutcome::Failed, Some(FailureKind::TaskFailed)),
        "{report:?}"
    );
    assert_eq!(report.rows, 1, "what was read before it is committed");
}

#[tokio::test]
async fn report_names_an_invalid_log_record() {
    let env = TestEnv::new();
    env.run_events([ScriptedResponse::page(&[event("a", NOW_MS - HOUR)], false, None)]).await;
    let path = format!("_log/events/{}/000000000001.json", support::TENANT);
    env.store.write(&path, b"{}".to_vec()).await.expect("a write");
    env.service.advance(Duration::from_secs(60).as_millis() as i64);
    let report = env.run(Dataset::Events).await;
    assert_eq!(report.error_kind, Some(FailureKind::InvalidLogRecord));
    assert!(report.error.is_some_and(|error| error.contains(&path)));
}
