//! Cases, on Sophos Central and on Sophos Fusion.

mod support;

use sophos_api::{ApiClient, fusion, operations::cases::case as central};
use sophos_export::{Dataset, StreamOutcome};
use sophos_simulator::{FaultAction, FaultPlan, FaultRule};
use support::{DAY, HOUR, LogEnv, MINUTE, sorted};

/// The ids of the cases that a tenant has on Sophos Central.
async fn central_ids(env: &LogEnv, number: usize) -> Vec<String> {
    let tenant = env.tenant(number).await.reading_before_move();
    let page = tenant.send(&central::ListCases::new().page_size(100)).await.expect("cases");
    sorted(page.items.into_iter().map(|case| case.parse().expect("a case").id.clone()))
}

/// Renames the first case that the tenant manages. Returns its id.
async fn rename_central(env: &LogEnv, name: &str) -> String {
    let tenant = env.tenant(0).await;
    let list = central::ListCases::new().managed_by(central::CaseManagedBy::Itself).sort(["id:asc"]);
    let page = tenant.send(&list).await.expect("cases");
    let id = page.items[0].clone().parse().expect("a case").id.clone();
    tenant.send(&central::UpdateCase::new(id.as_str()).name(name)).await.expect("a change");
    id
}

async fn rename_fusion(env: &LogEnv, id: &str, title: &str) {
    let change = fusion::cases::UpdateCase::new(id).title(title);
    env.tenant(0).await.send(&change).await.expect("a change");
}

/// The revisions of the rows of a case, in the order of the log.
async fn revisions(env: &LogEnv, id: &str) -> Vec<u64> {
    let rows = env.rows(&env.tenant_id(0), Dataset::Cases).await;
    let rows = rows.iter().filter(|row| row["id"] == id);
    rows.map(|row| row["revision"].as_u64().expect("a revision")).collect()
}

#[tokio::test]
async fn run_writes_only_changed_cases_again() {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    let report = env.run(&tenant, Dataset::Cases).await;
    assert_eq!(report.outcome, StreamOutcome::Committed, "{report:?}");
    let expected = central_ids(&env, 0).await;
    assert_eq!((report.rows, env.row_ids(&tenant, Dataset::Cases).await), (expected.len() as u64, expected));
    let mut last = String::new();
    // A case changes weeks after it was exported.
    for number in 1..=3 {
        env.advance(30 * DAY);
        last = rename_central(&env, &format!("name {number}")).await;
        let report = env.run(&tenant, Dataset::Cases).await;
        assert_eq!((report.rows, report.revised, report.gaps.len()), (1, 1, 0), "{report:?}");
        env.advance(HOUR);
        assert_eq!(env.run(&tenant, Dataset::Cases).await.rows, 0);
    }
    assert_eq!(revisions(&env, &last).await, [0, 1, 2, 3]);
    env.verify(&tenant, Dataset::Cases).await;
    let rows = env.rows(&tenant, Dataset::Cases).await;
    let row = rows.iter().rfind(|row| row["id"] == last.as_str()).expect("a row");
    assert_eq!(row["source"], "cases/v1/cases");
    assert_ne!(row["time"], row["created_at"], "the time is the one of the last change");
}

#[tokio::test]
async fn listing_forgets_deleted_cases() {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    let id = rename_central(&env, "to be deleted").await;
    env.run(&tenant, Dataset::Cases).await;
    let known = env.log(&tenant, Dataset::Cases).await.pop().expect("a record").recent_ids.len();
    env.tenant(0).await.send(&central::DeleteCase::new(id)).await.expect("a deletion");
    env.advance(2 * HOUR);
    assert_eq!(env.run(&tenant, Dataset::Cases).await.rows, 0);
    let record = env.log(&tenant, Dataset::Cases).await.pop().expect("a record");
    assert!(record.recent_ids.len() < known, "{} of {known}", record.recent_ids.len());
}

#[tokio::test]
async fn run_reads_changed_cases_of_fusion_by_time() {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    env.move_to_fusion(0);
    let report = env.run(&tenant, Dataset::Cases).await;
    assert_eq!(report.rows, 12, "{report:?}");
    let ids = sorted(env.simulator.fusion_case_ids(&tenant));
    assert_eq!(env.row_ids(&tenant, Dataset::Cases).await, ids);
    for number in 1..=3 {
        env.advance(30 * DAY);
        rename_fusion(&env, &ids[0], &format!("title {number}")).await;
        env.advance(MINUTE);
        env.simulator.reset_calls();
        let report = env.run(&tenant, Dataset::Cases).await;
        assert_eq!((report.rows, report.revised, report.duplicates), (1, 1, 0), "{report:?}");
        assert_eq!(env.simulator.calls().operation("graphql"), 1);
    }
    assert_eq!(revisions(&env, &ids[0]).await, [0, 1, 2, 3]);
    assert_eq!(env.sources(&tenant, Dataset::Cases).await, [("fusion/cases".to_owned(), 15)].into());
    env.verify(&tenant, Dataset::Cases).await;
}

#[tokio::test]
async fn run_after_a_move_exports_last_changes_of_cases() {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    env.run(&tenant, Dataset::Cases).await;
    env.advance(HOUR);
    let changed = rename_central(&env, "changed before the move").await;
    env.move_to_fusion(0);
    let report = env.run(&tenant, Dataset::Cases).await;
    assert_eq!((report.rows, report.revised, report.has_more), (13, 1, false), "{report:?}");
    assert_eq!(revisions(&env, &changed).await, [0, 1]);
    let fusion_ids = env.simulator.fusion_case_ids(&tenant);
    let rows = env.row_ids(&tenant, Dataset::Cases).await;
    assert!(fusion_ids.iter().all(|id| rows.contains(id)));
    env.advance(HOUR);
    env.simulator.reset_calls();
    assert_eq!(env.run(&tenant, Dataset::Cases).await.rows, 0);
    assert_eq!(env.simulator.calls().operation("cases.list"), 0);
    env.verify(&tenant, Dataset::Cases).await;
}

#[tokio::test]
async fn failed_platform_test_is_retried() {
    let env = LogEnv::new().await;
    let tenant = env.tenant_id(0);
    let unavailable = FaultAction::Status { status: 503, retry_after: None };
    env.simulator.set_faults(FaultPlan::new([FaultRule::new("graphql", unavailable)]));
    let report = env.run(&tenant, Dataset::Cases).await;
    assert_eq!((report.outcome, report.commits), (StreamOutcome::Failed, 0), "{report:?}");
    env.simulator.set_faults(FaultPlan::default());
    env.run(&tenant, Dataset::Cases).await;
    assert_eq!(env.row_ids(&tenant, Dataset::Cases).await, central_ids(&env, 0).await);
}
