//! What kind of failure a report names.

mod support;

use std::time::Duration;

use sophos_api::ErrorKind;
use sophos_export::{Dataset, FailureKind, Outcome};
use support::{Answer, HOUR, NOW_MS, TestEnv, event};

#[tokio::test]
async fn a_failure_of_the_service_keeps_its_kind() {
    for (status, kind, needs_a_person) in [
        (403, ErrorKind::Forbidden, true),
        (404, ErrorKind::NotFound, true),
        (400, ErrorKind::Invalid, false),
        (503, ErrorKind::Unavailable, false),
    ] {
        let env = TestEnv::new();
        env.service.route(move |_| Answer::status(status));
        let report = env.run(Dataset::Events).await;
        assert_eq!(report.error_kind, Some(FailureKind::Service(kind)), "{status}");
        assert_eq!(report.error_kind.map(FailureKind::needs_a_person), Some(needs_a_person), "{status}");
        let json = serde_json::to_value(&report).expect("JSON");
        assert_eq!(json["error_kind"], format!("{kind:?}"), "the name of the kind");
    }
}

#[tokio::test]
async fn a_panicked_task_is_no_row_that_cannot_be_encoded() {
    let env = TestEnv::new();
    env.service.route(|request| match request.cursor {
        None => Answer::page(&[event("a", NOW_MS - HOUR)], true, Some("next")),
        // In the task that fetches the next page.
        Some(_) => panic!("a defect"),
    });
    let report = env.run(Dataset::Events).await;
    assert_eq!(
        (report.outcome, report.error_kind),
        (Outcome::Failed, Some(FailureKind::Panicked)),
        "{report:?}"
    );
    assert_eq!(report.rows, 1, "what was read before it is committed");
}

#[tokio::test]
async fn an_unreadable_log_record_is_named() {
    let env = TestEnv::new();
    env.events([Answer::page(&[event("a", NOW_MS - HOUR)], false, None)]).await;
    let path = format!("_log/events/{}/000000000001.json", support::TENANT);
    env.store.write(&path, b"{}".to_vec()).await.expect("a write");
    env.service.advance(Duration::from_secs(60).as_millis() as i64);
    let report = env.run(Dataset::Events).await;
    assert_eq!(report.error_kind, Some(FailureKind::Unreadable));
    assert!(report.error.is_some_and(|error| error.contains(&path)));
}
