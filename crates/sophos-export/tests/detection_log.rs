//! Detections, on Sophos Central and on Sophos Fusion.

mod support;

use sophos_api::{
    ApiClient, ErrorKind, PollOptions,
    operations::detections::queries::{GetDetectionsQuery, ListDetections, StartDetectionsQuery},
    poll_until_done,
};
use sophos_export::{Dataset, FailureKind, StreamOutcome};
use sophos_simulator::{FaultAction, FaultPlan, FaultRule};
use support::{DAY, HOUR, LogEnv, MINUTE, format_time, sorted};

const CENTRAL: &str = "detections/v1/queries/detections";
const FUSION: &str = "fusion/detections";

/// The ids of the detections that a tenant has on Sophos Central.
async fn central_ids(env: &LogEnv, number: usize) -> Vec<String> {
    let tenant = env.tenant(number).await.reading_before_move();
    let mut query = StartDetectionsQuery::new();
    query.from = Some(format_time(env.now_ms() - 90 * DAY).into());
    let run = tenant.send(&query).await.expect("a query").id.expect("an id");
    poll_until_done(&tenant, GetDetectionsQuery::new(run.as_str()), PollOptions::new())
        .await
        .expect("a result");
    let mut ids = Vec::new();
    let mut pages = tenant.pages(ListDetections::new(run).page_size(100));
    while let Some(page) = pages.next().await {
        let items = page.expect("a page").items;
        ids.extend(items.into_iter().map(|item| item.parse().expect("a detection").id.clone()));
    }
    sorted(ids)
}

/// The ids of the detections on Sophos Fusion from this time on. An id holds the time.
fn fusion_ids_from(env: &LogEnv, number: usize, from_ms: i64) -> Vec<String> {
    let at = |id: &String| id.split(':').rev().nth(1).and_then(|at| at.parse::<i64>().ok()).expect("a time");
    let ids = env.simulator.fusion_detection_ids(&env.tenant_id(number));
    sorted(ids.into_iter().filter(|id| at(id) >= from_ms))
}

fn fault(operation: &str, status: u16) -> FaultRule {
    FaultRule::new(operation, FaultAction::Status { status, retry_after: None })
}

#[tokio::test]
async fn run_exports_each_detection_once() {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    let report = env.run(&tenant, Dataset::Detections).await;
    assert_eq!((report.outcome, report.has_more), (StreamOutcome::Committed, false), "{report:?}");
    assert!(report.rows > 300, "{report:?}");
    for _ in 0..8 {
        env.advance(6 * HOUR);
        let report = env.run(&tenant, Dataset::Detections).await;
        assert!(report.rows <= 2 && report.revised == 0 && report.duplicates > 0, "{report:?}");
    }
    // The retention has passed the first of them.
    let rows = env.row_ids(&tenant, Dataset::Detections).await;
    assert!(central_ids(&env, 0).await.iter().all(|id| rows.contains(id)));
    env.verify(&tenant, Dataset::Detections).await;
    let rows = env.rows(&tenant, Dataset::Detections).await;
    assert!(rows.iter().all(|row| row["source"] == CENTRAL && row["created_at"].is_string()));
}

#[tokio::test]
async fn run_exports_detections_of_weeks() {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    env.run(&tenant, Dataset::Detections).await;
    env.advance(40 * DAY);
    let report = env.run(&tenant, Dataset::Detections).await;
    assert!(report.rows > 100 && report.gaps.is_empty(), "{report:?}");
    let rows = env.row_ids(&tenant, Dataset::Detections).await;
    assert!(central_ids(&env, 0).await.iter().all(|id| rows.contains(id)));
    env.verify(&tenant, Dataset::Detections).await;
}

#[tokio::test]
async fn stopped_run_continues_with_its_query() {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    let expected = central_ids(&env, 0).await;
    env.simulator.reset_calls();
    let mut runs = 0;
    while env.run_for_requests(&tenant, Dataset::Detections, 4).await.has_more {
        runs += 1;
        assert!(runs < 100);
    }
    assert!(runs > 5, "{runs}");
    assert_eq!(env.simulator.calls().operation("detections.run"), 13, "one query for each range");
    assert_eq!(env.row_ids(&tenant, Dataset::Detections).await, expected);
    env.verify(&tenant, Dataset::Detections).await;
}

#[tokio::test]
async fn expired_query_is_started_again() {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    let report = env.run_for_requests(&tenant, Dataset::Detections, 4).await;
    assert!(report.has_more, "{report:?}");
    env.advance(2 * DAY);
    let report = env.run(&tenant, Dataset::Detections).await;
    assert_eq!((report.outcome, report.has_more), (StreamOutcome::Committed, false), "{report:?}");
    let rows = env.row_ids(&tenant, Dataset::Detections).await;
    assert!(central_ids(&env, 0).await.iter().all(|id| rows.contains(id)));
    env.verify(&tenant, Dataset::Detections).await;
}

#[tokio::test]
async fn crashed_run_of_detections_loses_nothing() {
    let env = LogEnv::with_settings(|settings| settings.rows_per_commit = 60).await;
    let tenant = env.tenant_id(0);
    let expected = central_ids(&env, 0).await;
    let mut crashes = 0;
    while env.run_until_crash(&tenant, Dataset::Detections, 5 + crashes).await.is_none() {
        crashes += 3;
        assert!(crashes < 200);
    }
    assert_eq!(env.row_ids(&tenant, Dataset::Detections).await, expected);
    env.verify(&tenant, Dataset::Detections).await;
}

#[tokio::test]
async fn run_reads_a_moved_tenant_by_graphql() {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    env.move_to_fusion(0);
    let report = env.run(&tenant, Dataset::Detections).await;
    assert_eq!(report.rows, 120, "{report:?}");
    for _ in 0..3 {
        env.advance(25 * MINUTE);
        env.simulator.add_fusion_detections(&tenant, [env.now_ms() - MINUTE, env.now_ms() - 20 * HOUR]);
        let report = env.run(&tenant, Dataset::Detections).await;
        assert_eq!((report.rows, report.revised), (2, 0), "the second one is late: {report:?}");
    }
    assert_eq!(env.row_ids(&tenant, Dataset::Detections).await, fusion_ids_from(&env, 0, 0));
    assert_eq!(env.sources(&tenant, Dataset::Detections).await, [(FUSION.to_owned(), 126)].into());
    assert_eq!(env.simulator.calls().operation("detections.run"), 0);
    env.verify(&tenant, Dataset::Detections).await;
}

#[tokio::test]
async fn run_after_a_move_reads_both_platforms() {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    env.run(&tenant, Dataset::Detections).await;
    let low_watermark_ms = env.now_ms() - DAY;
    env.advance(2 * DAY);
    env.move_to_fusion(0);
    let expected = central_ids(&env, 0).await;
    env.simulator.add_fusion_detections(&tenant, [env.now_ms() - HOUR, env.now_ms()]);
    let report = env.run(&tenant, Dataset::Detections).await;
    assert_eq!((report.outcome, report.has_more, report.gaps.len()), (StreamOutcome::Committed, false, 0));
    let rows = env.rows(&tenant, Dataset::Detections).await;
    let ids = |source: &str| {
        let rows = rows.iter().filter(|row| row["source"] == source);
        sorted(rows.map(|row| row["id"].as_str().expect("an id").to_owned()))
    };
    assert!(
        expected.iter().all(|id| ids(CENTRAL).contains(id)),
        "none between the last run and the move is lost"
    );
    assert_eq!(ids(FUSION), fusion_ids_from(&env, 0, low_watermark_ms));
    env.simulator.reset_calls();
    env.advance(HOUR);
    env.run(&tenant, Dataset::Detections).await;
    let calls = env.simulator.calls();
    assert_eq!((calls.operation("detections.run"), calls.operation("graphql")), (0, 1));
    env.verify(&tenant, Dataset::Detections).await;
}

#[tokio::test]
async fn crashed_run_after_a_move_loses_nothing() {
    let env = LogEnv::with_settings(|settings| settings.rows_per_commit = 1).await;
    let tenant = env.tenant_id(0);
    env.run(&tenant, Dataset::Detections).await;
    env.advance(2 * DAY);
    env.move_to_fusion(0);
    let expected = central_ids(&env, 0).await;
    let mut crashes = 0;
    while env.run_until_crash(&tenant, Dataset::Detections, 1 + crashes).await.is_none() {
        crashes += 1;
        assert!(crashes < 60);
    }
    let rows = env.row_ids(&tenant, Dataset::Detections).await;
    assert!(expected.iter().all(|id| rows.contains(id)));
    env.verify(&tenant, Dataset::Detections).await;
}

#[tokio::test]
async fn run_reports_a_gap_if_the_left_platform_is_closed() {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    env.run(&tenant, Dataset::Detections).await;
    let last_run_ms = env.now_ms();
    env.advance(DAY);
    env.move_to_fusion(0);
    env.simulator.set_faults(FaultPlan::new([fault("detections.run", 403)]));
    let report = env.run(&tenant, Dataset::Detections).await;
    assert_eq!(report.outcome, StreamOutcome::Committed, "{report:?}");
    let gaps: Vec<_> = report.gaps.iter().map(|gap| (gap.from_ms - last_run_ms).abs() < MINUTE).collect();
    assert_eq!(gaps, [true], "{report:?}");
    assert!(env.sources(&tenant, Dataset::Detections).await.contains_key(FUSION));
    env.verify(&tenant, Dataset::Detections).await;
}

#[tokio::test]
async fn tenant_without_a_licence_fails_its_stream_only() {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    env.simulator.set_faults(FaultPlan::new([fault("detections.run", 403).tenant(&tenant)]));
    for _ in 0..2 {
        let report = env.run_all(&[Dataset::Detections, Dataset::Events]).await;
        assert_eq!((report.streams.len(), report.failed), (6, 1), "{report:?}");
        let failed = report.streams.iter().find(|stream| stream.outcome == StreamOutcome::Failed);
        let failed = failed.expect("a failed stream");
        assert_eq!((failed.tenant.as_str(), failed.dataset), (tenant.as_str(), Dataset::Detections));
        assert_eq!(failed.error_kind, Some(FailureKind::Service(ErrorKind::Forbidden)));
        assert_eq!(env.status(&tenant, Dataset::Detections).await.commits, 0);
    }
}
