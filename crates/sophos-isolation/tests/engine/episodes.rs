//! Updates of an alert: they are merged into its decision, and do not isolate again
//! after a manual end.

use std::sync::Arc;

use serde_json::{Value, json};
use sophos_isolation::{
    AlertKey, ApprovalAnswer, Decision, DecisionId, DecisionState, LedgerStore, Transition, policy::Policy,
};
use sophos_simulator::{FaultAction, FaultRule};

use crate::support::{ACME, HOUR, TestEnv, TestPolicy, host, id, machines, policy};

const DAY: u64 = 24 * HOUR;

/// Creates the decision of an update of the alert `a` about the first machine.
async fn begin_update(env: &TestEnv, event: &str) -> DecisionId {
    env.begin_update("edr", "a", event, json!({ "host": host(1) })).await
}

/// Creates it and processes it.
async fn work_on_update(env: &TestEnv, policy: &Policy, event: &str) -> DecisionId {
    let id = begin_update(env, event).await;
    env.work(policy, &id).await;
    id
}

fn merged_into(decision: &Decision) -> Option<DecisionId> {
    match &decision.entries().last()?.transition {
        Transition::Merged { into, .. } => Some(into.clone()),
        _ => None,
    }
}

async fn refusal_detail(env: &TestEnv, id: &DecisionId) -> String {
    match &env.decision(id).await.entries().last().unwrap().transition {
        Transition::Refused { detail, .. } => detail.clone(),
        step => panic!("not refused: {step:?}"),
    }
}

fn approval_policy() -> TestPolicy<'static> {
    TestPolicy { source: "approve = \"always\"", ..TestPolicy::default() }
}

#[tokio::test]
async fn update_merges_when_its_alert_holds_the_machine() {
    let env = TestEnv::new(machines(1)).await;
    let rules = TestPolicy { per_hour: 1, release: "1h", ..TestPolicy::default() };
    let first = work_on_update(&env, &rules.policy(), "1").await;
    env.follow_up_for(&rules.policy(), 300).await;
    let mut updates = Vec::new();
    for event in ["2", "3", "4"] {
        updates.push(work_on_update(&env, &rules.policy(), event).await);
    }
    for update in &updates {
        assert_eq!(merged_into(&env.decision(update).await).as_ref(), Some(&first));
        assert_eq!(env.publisher.outcomes_of(update), ["merged"]);
        let outcome = env.publisher.last_outcome(update);
        assert!(outcome.detail.unwrap().contains(first.as_str()));
        assert_eq!(outcome.target.unwrap().endpoint, id(1));
    }
    assert_eq!(env.object_names(&format!("claims/{ACME}/{}", id(1))).await, [first.to_string()]);
    // The updates extend nothing, and one release is enough.
    env.follow_up_for(&rules.policy(), HOUR + 300).await;
    assert_eq!(env.state(&first).await, DecisionState::Released);
    assert_eq!(env.changes(), ["on 1", "off 1"]);
    assert_eq!(env.ledger().scheduled_follow_ups().await.unwrap(), []);
}

#[tokio::test]
async fn update_opens_an_episode_for_another_alert_or_machine() {
    let env = TestEnv::new(machines(2)).await;
    let policy = policy();
    let first = work_on_update(&env, &policy, "1").await;
    let other_alert = env.begin_update("edr", "b", "2", json!({ "host": host(1) })).await;
    let other_source = env.begin_update("soc", "a", "3", json!({ "host": host(1) })).await;
    let other_machine = env.begin_update("edr", "a", "4", json!({ "host": host(2) })).await;
    for id in [&other_alert, &other_source, &other_machine] {
        assert_eq!(env.work(&policy, id).await, DecisionState::Requested, "{id}");
    }
    assert_eq!(env.state(&first).await, DecisionState::Requested);
    assert_eq!(env.changes(), ["on 1", "on 2"]);
}

#[tokio::test]
async fn update_merges_when_its_alert_waits_for_approval() {
    let env = TestEnv::new(machines(1)).await;
    let policy = approval_policy().policy();
    let first = work_on_update(&env, &policy, "1").await;
    let before = work_on_update(&env, &policy, "2").await;
    assert_eq!(env.state(&first).await, DecisionState::PendingApproval);
    assert_eq!(merged_into(&env.decision(&before).await).as_ref(), Some(&first));
    env.ledger().answer_approval(&first, ApprovalAnswer::Approve, "ana", env.now()).await.unwrap();
    let approved = work_on_update(&env, &policy, "3").await;
    assert_eq!(merged_into(&env.decision(&approved).await).as_ref(), Some(&first));
    assert_eq!(env.work(&policy, &first).await, DecisionState::Requested);
    let after = work_on_update(&env, &policy, "4").await;
    assert_eq!(merged_into(&env.decision(&after).await).as_ref(), Some(&first));
    assert_eq!(env.publisher.outcomes_of(&first), ["pending_approval", "requested"]);
    assert_eq!(env.changes(), ["on 1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_updates_act_as_one_decision() {
    for rules in [TestPolicy::default(), approval_policy()] {
        let env = TestEnv::new(machines(1)).await;
        let policy = Arc::new(rules.policy());
        let mut ids = Vec::new();
        let mut runs = Vec::new();
        for event in ["1", "2", "3"] {
            let id = begin_update(&env, event).await;
            ids.push(id.clone());
            let (engine, policy) = (env.engine(), Arc::clone(&policy));
            runs.push(tokio::spawn(async move { engine.process(&policy, &[id], None).await }));
        }
        for run in runs {
            run.await.unwrap()[0].result.as_ref().unwrap();
        }
        env.follow_up_for(&policy, 120).await;
        let mut states = Vec::new();
        for id in &ids {
            states.push(env.state(id).await);
        }
        let merged = states.iter().filter(|state| **state == DecisionState::Merged).count();
        assert_eq!(merged, 2, "{states:?}");
        assert!(env.changes().len() <= 1);
    }
}

#[tokio::test]
async fn update_merges_when_the_run_of_its_alert_died() {
    for carried_out in [false, true] {
        let env = TestEnv::new(machines(1)).await;
        let first = begin_update(&env, "1").await;
        env.crash_run(&policy(), std::slice::from_ref(&first), carried_out).await;
        let second = work_on_update(&env, &policy(), "2").await;
        assert_eq!(merged_into(&env.decision(&second).await).as_ref(), Some(&first));
        env.follow_up_for(&policy(), 300).await;
        assert_eq!(env.state(&first).await, DecisionState::Isolated);
        assert_eq!(env.changes(), ["on 1"]);
    }
}

#[tokio::test]
async fn decision_resumes_when_its_run_died_after_opening() {
    let env = TestEnv::new(machines(1)).await;
    let [first, second] = [begin_update(&env, "1").await, begin_update(&env, "2").await];
    let alert = AlertKey::from_alert_id("edr", "a");
    let episode = format!("alerts/edr/{alert}/{ACME}.{}/0001", id(1));
    let ledger = env.ledger();
    assert!(LedgerStore::create(ledger.store(), &episode, first.as_str().into()).await.unwrap());
    env.work(&policy(), &second).await;
    assert_eq!(merged_into(&env.decision(&second).await).as_ref(), Some(&first));
    env.follow_up_for(&policy(), 300).await;
    assert_eq!(env.state(&first).await, DecisionState::Isolated);
    assert_eq!(env.object_names(&format!("alerts/edr/{alert}/{ACME}.{}", id(1))).await, ["0001"]);
}

#[tokio::test]
async fn update_merges_when_the_call_of_its_alert_is_deferred() {
    let env = TestEnv::new(machines(1)).await;
    // The next request reads the state of the isolation.
    env.fault(FaultRule::new("isolation.get", FaultAction::status(503)));
    let first = work_on_update(&env, &policy(), "1").await;
    assert_eq!(env.state(&first).await, DecisionState::Deferred);
    let second = work_on_update(&env, &policy(), "2").await;
    assert_eq!(merged_into(&env.decision(&second).await).as_ref(), Some(&first));
    env.clear_faults();
    env.follow_up_for(&policy(), 300).await;
    assert_eq!(env.state(&first).await, DecisionState::Isolated);
    assert_eq!(env.changes(), ["on 1"]);
}

#[tokio::test]
async fn update_is_refused_when_a_person_released() {
    let env = TestEnv::new(machines(1)).await;
    let policy = policy();
    let first = work_on_update(&env, &policy, "1").await;
    env.follow_up_for(&policy, 300).await;
    env.ledger().release_decision(&first, "ana", env.now()).await.unwrap();
    // Before the request is applied, and after.
    let early = work_on_update(&env, &policy, "2").await;
    env.follow_up_for(&policy, 300).await;
    assert_eq!(env.state(&first).await, DecisionState::Released);
    let late = work_on_update(&env, &policy, "3").await;
    for update in [&early, &late] {
        assert_eq!(env.code(update).await, "released");
        let detail = refusal_detail(&env, update).await;
        for part in [first.as_str(), "released by ana", "2026-01-15T12:0", "2026-01-16T12:0"] {
            assert!(detail.contains(part), "{part}: {detail}");
        }
    }
    // Another alert is no update.
    let other = env.begin_update("edr", "b", "4", json!({ "host": host(1) })).await;
    assert_eq!(env.work(&policy, &other).await, DecisionState::Requested);
    assert_eq!(env.changes(), ["on 1", "off 1", "on 1"]);
}

#[tokio::test]
async fn update_isolates_after_new_episode_after() {
    for (after, wait, state) in [
        ("24h", DAY - 700, DecisionState::Refused),
        ("24h", DAY, DecisionState::Requested),
        ("1h", HOUR, DecisionState::Requested),
        ("never", 9 * DAY, DecisionState::Refused),
    ] {
        let env = TestEnv::new(machines(1)).await;
        let policy = TestPolicy { new_episode_after: after, ..TestPolicy::default() }.policy();
        let first = work_on_update(&env, &policy, "1").await;
        env.follow_up_for(&policy, 300).await;
        env.ledger().release_decision(&first, "ana", env.now()).await.unwrap();
        env.follow_up_for(&policy, 300).await;
        env.advance_clock(wait);
        let second = work_on_update(&env, &policy, "2").await;
        assert_eq!(env.state(&second).await, state, "{after}");
        let third = work_on_update(&env, &policy, "3").await;
        let expected =
            if state == DecisionState::Requested { DecisionState::Merged } else { DecisionState::Refused };
        assert_eq!(env.state(&third).await, expected, "{after}");
    }
}

#[tokio::test]
async fn update_isolates_again_when_the_isolation_expired() {
    let env = TestEnv::new(machines(1)).await;
    let policy = TestPolicy { release: "1h", ..TestPolicy::default() }.policy();
    let first = work_on_update(&env, &policy, "1").await;
    env.follow_up_for(&policy, HOUR + 300).await;
    assert_eq!(env.state(&first).await, DecisionState::Released);
    let second = work_on_update(&env, &policy, "2").await;
    let third = work_on_update(&env, &policy, "3").await;
    assert_eq!(env.state(&second).await, DecisionState::Requested);
    assert_eq!(merged_into(&env.decision(&third).await), Some(second));
    assert_eq!(env.changes(), ["on 1", "off 1", "on 1"]);
}

#[tokio::test]
async fn update_isolates_after_the_release_at_expiry() {
    let env = TestEnv::new(machines(1)).await;
    let policy = TestPolicy { release: "1h", ..TestPolicy::default() }.policy();
    let first = work_on_update(&env, &policy, "1").await;
    env.follow_up_for(&policy, 300).await;
    env.fault(FaultRule::new("isolation.bulk", FaultAction::status(503)));
    env.follow_up_for(&policy, HOUR).await;
    assert_eq!(env.state(&first).await, DecisionState::ReleasePending);
    let second = work_on_update(&env, &policy, "2").await;
    assert_eq!(env.state(&second).await, DecisionState::Deferred);
    env.clear_faults();
    env.follow_up_for(&policy, 1_500).await;
    assert_eq!(env.state(&second).await, DecisionState::Isolated);
    assert!(env.state(&first).await.is_final());
    assert_eq!(env.changes(), ["on 1", "off 1", "on 1"]);
}

#[tokio::test]
async fn update_is_refused_when_a_person_declined() {
    let env = TestEnv::new(machines(1)).await;
    let policy = approval_policy().policy();
    let first = work_on_update(&env, &policy, "1").await;
    env.ledger().answer_approval(&first, ApprovalAnswer::Decline, "ana", env.now()).await.unwrap();
    let second = work_on_update(&env, &policy, "2").await;
    assert_eq!(env.code(&second).await, "released");
    assert!(refusal_detail(&env, &second).await.contains("declined by ana"));
    env.advance_clock(DAY);
    let third = work_on_update(&env, &policy, "3").await;
    assert_eq!(env.state(&third).await, DecisionState::PendingApproval);
}

#[tokio::test]
async fn update_asks_again_when_no_person_answered() {
    let env = TestEnv::new(machines(1)).await;
    let policy = approval_policy().policy();
    let first = work_on_update(&env, &policy, "1").await;
    env.follow_up_for(&policy, 5 * HOUR).await;
    assert_eq!(env.state(&first).await, DecisionState::Expired);
    let second = work_on_update(&env, &policy, "2").await;
    assert_eq!(env.state(&second).await, DecisionState::PendingApproval);
}

#[tokio::test]
async fn update_is_refused_after_a_console_release() {
    let env = TestEnv::new(machines(1)).await;
    let policy = policy();
    let first = work_on_update(&env, &policy, "1").await;
    env.follow_up_for(&policy, 300).await;
    env.isolate_in_console(1, false, "it is clean").await;
    env.advance_clock(60);
    // Before and after the follow-up sees it.
    let early = work_on_update(&env, &policy, "2").await;
    assert_eq!(merged_into(&env.decision(&early).await), Some(first.clone()));
    env.follow_up_for(&policy, 2 * HOUR).await;
    assert_eq!(env.state(&first).await, DecisionState::Superseded);
    let late = work_on_update(&env, &policy, "3").await;
    assert_eq!(env.code(&late).await, "released");
    assert_eq!(env.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn update_is_evaluated_again_after_a_refusal() {
    let env = TestEnv::new(machines(3)).await;
    let policy = TestPolicy { per_hour: 1, ..TestPolicy::default() }.policy();
    env.decide(&policy, "other", host(2)).await;
    let first = work_on_update(&env, &policy, "1").await;
    assert_eq!(env.code(&first).await, "source_budget");
    env.advance_clock(HOUR);
    let second = work_on_update(&env, &policy, "2").await;
    assert_eq!(env.state(&second).await, DecisionState::Requested);
}

#[tokio::test]
async fn dry_run_takes_no_part_in_episodes() {
    let env = TestEnv::new(machines(1)).await;
    let dry = TestPolicy { mode: "dry_run", ..TestPolicy::default() }.policy();
    for event in ["1", "2"] {
        let id = work_on_update(&env, &dry, event).await;
        assert_eq!(env.state(&id).await, DecisionState::DryRun);
    }
    let third = work_on_update(&env, &policy(), "3").await;
    assert_eq!(env.state(&third).await, DecisionState::Requested);
}

#[tokio::test]
async fn entry_without_alert_id_is_its_own_alert() {
    let env = TestEnv::new(machines(1)).await;
    let mut ids = Vec::new();
    for event in ["1", "2"] {
        let id = begin_update(&env, event).await;
        // As an earlier release wrote it.
        let path = env.path(&format!("received/{id}.json"));
        let mut entry: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert!(entry.as_object_mut().unwrap().remove("alert").is_some());
        std::fs::write(&path, entry.to_string()).unwrap();
        env.work(&policy(), &id).await;
        ids.push(id);
    }
    for id in &ids {
        assert_eq!(env.state(id).await, DecisionState::Requested);
    }
}

#[tokio::test]
async fn decision_waits_while_its_source_is_disabled() {
    let env = TestEnv::new(machines(2)).await;
    let rules = TestPolicy::default();
    let isolated = env.decide(&rules.policy(), "held", host(2)).await;
    let text = rules.to_toml().replace("minimum_severity = \"high\"", "minimum_severity = \"hgih\"");
    let disabled = Policy::parse_lenient(&text).unwrap();
    assert!(Policy::parse(&text).is_err() && disabled.source("soc").is_some());
    let first = work_on_update(&env, &disabled, "1").await;
    assert_eq!(env.state(&first).await, DecisionState::Deferred);
    // The claimed endpoint is followed up and released meanwhile.
    env.follow_up_for(&disabled, 5 * HOUR).await;
    assert_eq!(env.state(&isolated).await, DecisionState::Released);
    assert_eq!(env.state(&first).await, DecisionState::Deferred);
    env.follow_up_for(&rules.policy(), 900).await;
    assert_eq!(env.state(&first).await, DecisionState::Isolated);

    let lost = env.begin_update("edr", "b", "2", json!({ "host": host(2) })).await;
    env.work(&disabled, &lost).await;
    env.follow_up_for(&disabled, 25 * HOUR).await;
    assert_eq!(env.code(&lost).await, "source_disabled");
}
