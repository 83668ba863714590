//! Budgets under concurrent runs.

use std::sync::Arc;

use serde_json::json;
use sophos_isolation::{DecisionId, DecisionState, policy::Policy};

use crate::support::{ACME, HOUR, TestEnv, TestPolicy, host, machines};

/// Runs several engines concurrently, each with all of these decisions.
async fn run_concurrently(env: &TestEnv, policy: &Arc<Policy>, engines: usize, decisions: &[DecisionId]) {
    let runs: Vec<_> = (0..engines)
        .map(|at| {
            let (engine, policy, mut ids) = (env.engine(), Arc::clone(policy), decisions.to_vec());
            ids.rotate_left(at % decisions.len());
            tokio::spawn(async move { engine.process(&policy, &ids, None).await })
        })
        .collect();
    for run in runs {
        for worked in run.await.unwrap() {
            worked.result.unwrap();
        }
    }
}

/// The number of isolated decisions, and the codes of the others' refusals.
async fn isolated_and_refused(env: &TestEnv, decisions: &[DecisionId]) -> (usize, Vec<String>) {
    let mut isolated = 0;
    let mut codes = Vec::new();
    for decision in decisions {
        match env.state(decision).await {
            DecisionState::Requested | DecisionState::Isolated => isolated += 1,
            _ => codes.push(env.code(decision).await),
        }
    }
    (isolated, codes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn source_budget_holds_for_twenty_engines() {
    let env = TestEnv::new(machines(30)).await;
    let policy = Arc::new(
        TestPolicy { per_hour: 5, source: "lookups_per_hour = 30", ..TestPolicy::default() }.policy(),
    );
    let decisions = env.begin_all(1..=30).await;
    run_concurrently(&env, &policy, 20, &decisions).await;
    assert_eq!(isolated_and_refused(&env, &decisions).await, (5, vec!["source_budget".to_owned(); 25]));
    assert_eq!(env.changes().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenant_budget_holds_across_sources() {
    let env = TestEnv::new(machines(12)).await;
    let policy = Arc::new(TestPolicy { tenant_per_hour: 5, ..TestPolicy::default() }.policy());
    let mut decisions = env.begin_all(1..=6).await;
    for number in 7..=12 {
        decisions
            .push(env.begin_for_source("soc", &format!("{number}"), json!({ "host": host(number) })).await);
    }
    run_concurrently(&env, &policy, 6, &decisions).await;
    assert_eq!(isolated_and_refused(&env, &decisions).await, (5, vec!["tenant_budget".to_owned(); 7]));
    assert_eq!(env.changes().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn estate_limit_holds() {
    let env = TestEnv::new(machines(40)).await;
    let policy = Arc::new(TestPolicy { estate_share: 0.1, ..TestPolicy::default() }.policy());
    let decisions = env.begin_all(1..=12).await;
    run_concurrently(&env, &policy, 6, &decisions).await;
    assert_eq!(isolated_and_refused(&env, &decisions).await, (4, vec!["estate_ceiling".to_owned(); 8]));
    assert_eq!(env.changes().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn estate_limit_counts_external_isolations() {
    let env = TestEnv::new(machines(40)).await;
    for number in 31..=33 {
        env.isolate_in_console(number, true, "by hand").await;
    }
    env.advance_clock(120);
    let policy = Arc::new(TestPolicy { estate_share: 0.1, ..TestPolicy::default() }.policy());
    let decisions = env.begin_all(1..=6).await;
    run_concurrently(&env, &policy, 3, &decisions).await;
    assert_eq!(isolated_and_refused(&env, &decisions).await, (1, vec!["estate_ceiling".to_owned(); 5]));
}

#[tokio::test]
async fn exhausted_source_takes_no_tenant_permits() {
    let env = TestEnv::new(machines(30)).await;
    let policy = TestPolicy { per_hour: 1, tenant_per_hour: 2, ..TestPolicy::default() }.policy();
    let mut decisions = env.begin_all(1..=25).await;
    let other = env.begin_for_source("soc", "event", json!({ "host": host(30) })).await;
    decisions.push(other.clone());
    env.engine().process(&policy, &decisions, None).await;
    assert_eq!(env.state(&other).await, DecisionState::Requested);
    assert_eq!(env.changes().len(), 2);
}

#[tokio::test]
async fn release_returns_the_estate_permit_only() {
    let env = TestEnv::new(machines(10)).await;
    let rules = TestPolicy { release: "10m", estate_share: 0.1, per_hour: 2, ..TestPolicy::default() };
    let policy = rules.policy();
    let first = env.decide(&policy, "first", host(1)).await;
    let refused = env.decide(&policy, "refused", host(2)).await;
    assert_eq!(env.code(&refused).await, "estate_ceiling");
    env.follow_up_for(&policy, 20 * 60).await;
    assert_eq!(env.state(&first).await, DecisionState::Released);
    let second = env.decide(&policy, "second", host(3)).await;
    assert_eq!(env.state(&second).await, DecisionState::Requested);
    env.follow_up_for(&policy, 20 * 60).await;
    let third = env.decide(&policy, "third", host(4)).await;
    assert_eq!(env.code(&third).await, "source_budget");

    env.advance_clock(HOUR);
    let next = env.decide(&policy, "next hour", host(5)).await;
    assert_eq!(env.state(&next).await, DecisionState::Requested);
    assert_eq!(env.changes(), ["on 1", "off 1", "on 3", "off 3", "on 5"]);
    let slots = env.object_names(&format!("permits/estate/{ACME}")).await;
    assert!(slots.len() <= 2, "the one that is taken, and the one before: {slots:?}");
}

#[tokio::test]
async fn failed_isolation_returns_all_permits() {
    use sophos_simulator::{FaultAction, FaultRule};
    let env = TestEnv::new(machines(10)).await;
    let policy =
        TestPolicy { estate_share: 0.1, tenant_per_hour: 1, per_hour: 1, ..TestPolicy::default() }.policy();
    env.fault(FaultRule::new("isolation.bulk", FaultAction::status(403)));
    let failed = env.decide(&policy, "failed", host(1)).await;
    assert_eq!(env.state(&failed).await, DecisionState::Failed);
    env.clear_faults();
    let next = env.decide(&policy, "next", host(2)).await;
    assert_eq!(env.state(&next).await, DecisionState::Requested);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decision_keeps_its_permits_across_runs() {
    let env = TestEnv::new(machines(20)).await;
    let policy = Arc::new(
        TestPolicy {
            per_hour: 2,
            estate_share: 0.1,
            source: "lookups_per_hour = 30",
            ..TestPolicy::default()
        }
        .policy(),
    );
    let decisions = env.begin_all(1..=2).await;
    // Each has its claim and permits, and died.
    for decision in &decisions {
        env.crash_run(&policy, std::slice::from_ref(decision), false).await;
    }
    env.advance_clock(120);
    run_concurrently(&env, &policy, 8, &decisions).await;
    assert_eq!(env.changes().len(), 2);
    let more = env.begin_all(3..=6).await;
    run_concurrently(&env, &policy, 2, &more).await;
    assert_eq!(isolated_and_refused(&env, &more).await.0, 0, "the budget was spent");
}

#[tokio::test]
async fn extension_of_an_isolation_takes_a_permit() {
    let env = TestEnv::new(machines(1)).await;
    let rules = TestPolicy { per_hour: 2, release: "30m", ..TestPolicy::default() };
    let policy = rules.policy();
    // An event every ten minutes, each of another alert.
    for event in 0..6 {
        env.decide(&policy, &format!("event {event}"), host(1)).await;
        env.follow_up_for(&policy, 600).await;
    }
    let codes = outcome_codes(&env, 2..6).await;
    assert_eq!(codes, ["source_budget"; 4]);
    assert_eq!(env.changes(), ["on 1", "off 1"], "two permits, and half an hour each");
    // The tenant's budget counts it as well.
    let env = TestEnv::new(machines(1)).await;
    let policy = TestPolicy { tenant_per_hour: 1, ..TestPolicy::default() }.policy();
    env.decide(&policy, "first", host(1)).await;
    let joins = env.decide(&policy, "second", host(1)).await;
    assert_eq!(env.code(&joins).await, "tenant_budget");
}

async fn outcome_codes(env: &TestEnv, events: std::ops::Range<u32>) -> Vec<String> {
    let mut codes = Vec::new();
    for event in events {
        codes.push(env.code(&DecisionId::from_event_id("edr", &format!("event {event}"))).await);
    }
    codes
}

#[tokio::test]
async fn lookup_budget_limits_a_source() {
    let env = TestEnv::new(machines(3)).await;
    let policy = TestPolicy { per_hour: 2, ..TestPolicy::default() }.policy();
    // A request that names a hundred unknown hosts.
    let decisions = env.begin_all(1_001..=1_100).await;
    env.engine().process(&policy, &decisions, None).await;
    let mut refused = std::collections::BTreeMap::<String, u32>::new();
    for decision in &decisions {
        *refused.entry(env.code(decision).await).or_default() += 1;
    }
    let expected = [("lookup_budget".to_owned(), 90), ("not_found".to_owned(), 10)];
    assert_eq!(refused, expected.into());
    let calls = env.calls("endpoints.list");
    assert!(calls <= 40, "{calls} calls for ten lookups in two tenants");
    // Every dry run counts. Another source and the next hour have their own budgets.
    let checked = crate::checks::check(&env, &policy, &crate::checks::payload("pc-1")).await;
    assert_eq!(checked["signals"][0]["code"], "lookup_budget");
    assert_eq!(env.calls("endpoints.list"), calls);
    let other = env.begin_for_source("soc", "event", serde_json::json!({ "host": host(1) })).await;
    assert_eq!(env.work(&policy, &other).await, DecisionState::Requested);
    env.advance_clock(HOUR);
    let next = env.decide(&policy, "next hour", host(2)).await;
    assert_eq!(env.state(&next).await, DecisionState::Requested);
}

#[tokio::test]
async fn lookup_budget_defers_decisions_after_an_outage() {
    use sophos_simulator::{FaultAction, FaultRule};
    let env = TestEnv::new(machines(9)).await;
    let policy = TestPolicy { per_hour: 9, source: "lookups_per_hour = 4", ..TestPolicy::default() }.policy();
    env.fault(FaultRule::new("endpoints.list", FaultAction::status(503)));
    let decisions = env.begin_all(1..=4).await;
    env.engine().process(&policy, &decisions, None).await;
    env.advance_clock(HOUR);
    env.clear_faults();
    // Others have the lookups of the next hour.
    for number in 5..=8 {
        env.decide(&policy, &format!("event {number}"), host(number)).await;
    }
    env.follow_up(&policy).await;
    for decision in &decisions {
        assert_eq!(env.state(decision).await, DecisionState::Deferred);
    }
    env.follow_up_for(&policy, HOUR).await;
    assert_eq!(isolated_and_refused(&env, &decisions).await, (4, Vec::new()));
}
