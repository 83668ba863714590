//! The audit log, of tenants and of the partner itself.

mod support;

use sophos_api::ErrorKind;
use sophos_export::{Dataset, FailureKind, StreamOutcome};
use sophos_simulator::{FaultAction, FaultPlan, FaultRule};
use support::{DAY, HOUR, LogEnv, MINUTE, sorted};

/// The times of this many events in the last `age_ms`, oldest first.
fn times(now_ms: i64, age_ms: i64, count: i64) -> impl Iterator<Item = i64> {
    (0..count).map(move |number| now_ms - age_ms + (number + 1) * age_ms / (count + 1))
}

/// An environment whose first tenant has events of 80 days.
async fn env_with_events(count: i64) -> (LogEnv, String) {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    env.simulator.add_audit_events(&tenant, times(env.now_ms(), 80 * DAY, count));
    (env, tenant)
}

/// Checks that the rows of the audit log are the events of the service, each once.
async fn assert_complete(env: &LogEnv, id: &str) {
    let expected = sorted(env.simulator.audit_event_ids(id));
    assert_eq!(env.row_ids(id, Dataset::Audit).await, expected);
    env.verify(id, Dataset::Audit).await;
}

fn status_fault(status: u16) -> FaultRule {
    FaultRule::new("audit.events", FaultAction::Status { status, retry_after: None })
}

#[tokio::test]
async fn run_exports_each_audit_event_once() {
    let (env, tenant) = env_with_events(1_000).await;
    let report = env.run(&tenant, Dataset::Audit).await;
    assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, 1_000), "{report:?}");
    assert!(!report.has_more && report.freshness_seconds.is_some_and(|age| age < 60.0), "{report:?}");
    for _ in 0..6 {
        // More often than the overlap is long.
        env.advance(5 * MINUTE);
        env.simulator.add_audit_events(&tenant, [env.now_ms() - MINUTE]);
        let report = env.run(&tenant, Dataset::Audit).await;
        assert_eq!((report.rows, report.revised), (1, 0), "{report:?}");
    }
    assert_complete(&env, &tenant).await;
    let rows = env.rows(&tenant, Dataset::Audit).await;
    assert!(rows.iter().all(|row| row["source"] == "audit/v1/audit-events" && row["revision"] == 0));
    assert!(rows.iter().all(|row| row["time"].is_string() && row["time"] == row["created_at"]));
}

#[tokio::test]
async fn run_exports_late_audit_events_of_the_overlap() {
    let (env, tenant) = env_with_events(10).await;
    env.run(&tenant, Dataset::Audit).await;
    env.simulator.add_audit_events(&tenant, [env.now_ms() - 9 * MINUTE]);
    env.advance(15 * MINUTE);
    assert_eq!(env.run(&tenant, Dataset::Audit).await.rows, 1);
    assert_complete(&env, &tenant).await;
}

#[tokio::test]
async fn run_has_no_gap_after_an_outage_of_weeks() {
    let (env, tenant) = env_with_events(100).await;
    env.run(&tenant, Dataset::Audit).await;
    env.advance(60 * DAY);
    env.simulator.add_audit_events(&tenant, times(env.now_ms(), 60 * DAY, 500));
    let report = env.run(&tenant, Dataset::Audit).await;
    assert_eq!((report.rows, report.gaps.len()), (500, 0), "{report:?}");
    assert_complete(&env, &tenant).await;
}

#[tokio::test]
async fn run_reports_a_gap_beyond_the_retention() {
    let (env, tenant) = env_with_events(10).await;
    env.run(&tenant, Dataset::Audit).await;
    env.advance(95 * DAY);
    env.simulator.add_audit_events(&tenant, times(env.now_ms(), 95 * DAY, 190));
    let report = env.run(&tenant, Dataset::Audit).await;
    let days = report.gap_seconds() / 86_400.0;
    assert!((5.0..5.1).contains(&days), "{report:?}");
    assert!((178..=180).contains(&report.rows), "{report:?}");
    assert_eq!(env.status(&tenant, Dataset::Audit).await.gaps, report.gaps);
    env.verify(&tenant, Dataset::Audit).await;
    env.advance(HOUR);
    assert!(env.run(&tenant, Dataset::Audit).await.gaps.is_empty(), "once");
}

#[tokio::test]
async fn idle_run_commits_once_an_hour() {
    let (env, tenant) = env_with_events(1).await;
    env.run(&tenant, Dataset::Audit).await;
    for _ in 0..12 {
        env.advance(10 * MINUTE);
        env.run(&tenant, Dataset::Audit).await;
    }
    assert_eq!(env.status(&tenant, Dataset::Audit).await.commits, 3);
}

#[tokio::test]
async fn stopped_run_continues_at_its_page_key() {
    let (env, tenant) = env_with_events(900).await;
    let mut runs = 0;
    loop {
        let report = env.run_for_requests(&tenant, Dataset::Audit, 4).await;
        assert_ne!(report.outcome, StreamOutcome::Failed, "{report:?}");
        runs += 1;
        if !report.has_more {
            break;
        }
        assert_eq!(report.freshness_seconds, None, "the first read is no delay");
    }
    assert!(runs > 4, "{runs}");
    // 13 ranges of at most 79 events: one page each, and no page twice.
    assert_eq!(env.simulator.calls().operation_for("audit.events", &tenant), 13);
    assert_complete(&env, &tenant).await;
}

#[tokio::test]
async fn rejected_page_key_falls_back_to_the_time() {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    env.simulator.add_audit_events(&tenant, times(env.now_ms(), 5 * DAY, 950));
    let report = env.run_for_requests(&tenant, Dataset::Audit, 17).await;
    assert!(report.has_more && report.rows > 0 && report.rows < 950, "{report:?}");
    env.simulator.set_faults(FaultPlan::new([status_fault(400).times(1)]));
    let report = env.run(&tenant, Dataset::Audit).await;
    assert_eq!(report.outcome, StreamOutcome::Committed, "{report:?}");
    assert!(report.duplicates > 0, "{report:?}");
    assert_complete(&env, &tenant).await;
}

#[tokio::test]
async fn crashed_run_loses_and_repeats_nothing() {
    let env = LogEnv::with_settings(|settings| {
        // Objects are written before the commit, and a run has many commits.
        settings.max_buffered_bytes = 1;
        settings.rows_per_commit = 150;
    })
    .await;
    let tenant = env.tenant_id(0);
    env.simulator.add_audit_events(&tenant, times(env.now_ms(), 5 * DAY, 700));
    let mut crashes = 0;
    while env.run_until_crash(&tenant, Dataset::Audit, 3 + crashes).await.is_none() {
        crashes += 1;
        assert!(crashes < 60);
    }
    assert!(crashes > 5, "{crashes}");
    env.advance(HOUR);
    env.run(&tenant, Dataset::Audit).await;
    assert_complete(&env, &tenant).await;
    let names = env.object_names().await;
    assert!(names.iter().all(|name| !name.ends_with(".wal")), "{names:?}");
}

#[tokio::test]
async fn run_exports_the_audit_log_of_the_partner() {
    let mut env = LogEnv::new().await;
    let account = env.account_id().await;
    env.simulator.add_audit_events(&account, times(env.now_ms(), 10 * DAY, 50));
    let report = env.run_all(&[Dataset::Audit]).await;
    assert_eq!((report.tenants, report.streams.len(), report.failed), (3, 4, 0), "{report:?}");
    let stream = report.streams.iter().find(|stream| stream.tenant == account).expect("the partner's stream");
    assert_eq!((stream.rows, stream.api_requests > 0), (50, true));
    assert_complete(&env, &account).await;
    let report = env.run_all(&[Dataset::Alerts]).await;
    assert_eq!(report.streams.len(), 3, "only with the audit log");
    // The message of a plan names the same stream.
    env.advance(HOUR);
    env.simulator.add_audit_events(&account, [env.now_ms()]);
    assert_eq!(env.run(&account, Dataset::Audit).await.rows, 1);
    env.use_credential("tenant", "super_admin");
    assert_eq!(env.run_all(&[Dataset::Audit]).await.streams.len(), 1);
}

#[tokio::test]
async fn forbidden_audit_log_fails_its_stream_only() {
    let (env, tenant) = env_with_events(3).await;
    let rule = |status| status_fault(status).tenant(&tenant);
    env.simulator.set_faults(FaultPlan::new([rule(403)]));
    let report = env.run_all(&[Dataset::Audit, Dataset::Alerts]).await;
    assert_eq!((report.streams.len(), report.failed), (7, 1), "{report:?}");
    let failed = report.streams.iter().find(|stream| stream.outcome == StreamOutcome::Failed);
    let failed = failed.expect("a failed stream");
    assert_eq!((failed.tenant.as_str(), failed.dataset), (tenant.as_str(), Dataset::Audit));
    assert_eq!(failed.error_kind, Some(FailureKind::Service(ErrorKind::Forbidden)));
    assert_eq!((failed.freshness_seconds, failed.commits), (None, 0));
    env.simulator.set_faults(FaultPlan::default());
    env.run(&tenant, Dataset::Audit).await;
    assert_complete(&env, &tenant).await;
}
