//! The emergency stop and a missing policy, under which nothing is isolated and
//! releases continue.

use serde_json::json;
use sophos_isolation::{DecisionState, policy::Policy};

use crate::{
    checks::{check, payload},
    support::{ACME, BETA, HOUR, TestEnv, host, machines, policy},
};

fn stop(env: &TestEnv, reason: &str) {
    std::fs::write(env.path("stop"), reason).unwrap();
}

#[tokio::test]
async fn stop_refuses_isolations_and_lets_releases_go_on() {
    let env = TestEnv::new(machines(4)).await;
    let policy = policy();
    let before = env.decide(&policy, "before", host(1)).await;
    env.follow_up_for(&policy, 120).await;
    assert_eq!(env.state(&before).await, DecisionState::Isolated);
    stop(&env, "false positives of the new rule\n\u{202e}");
    let during = env.decide(&policy, "during", host(2)).await;
    assert_eq!(env.code(&during).await, "stopped");
    let last = serde_json::to_value(env.decision(&during).await.entries().last().unwrap()).unwrap();
    assert!(last["detail"].as_str().unwrap().ends_with(": false positives of the new rule"), "{last}");
    // The earlier isolation ends on schedule.
    env.follow_up_for(&policy, 4 * HOUR).await;
    assert_eq!(env.state(&before).await, DecisionState::Released);
    std::fs::remove_file(env.path("stop")).unwrap();
    let after = env.decide(&policy, "after", host(3)).await;
    assert_eq!(env.state(&after).await, DecisionState::Requested);
    assert_eq!(env.work(&policy, &during).await, DecisionState::Refused, "it stays refused");
    assert_eq!(env.changes(), ["on 1", "off 1", "on 3"]);
}

#[tokio::test]
async fn stop_takes_effect_between_claim_and_call() {
    let env = TestEnv::new(machines(3)).await;
    let policy = policy();
    // A run claimed and died; the next run finds the stop.
    let decisions = env.begin_all(1..=2).await;
    env.crash_run(&policy, &decisions, false).await;
    stop(&env, "");
    env.follow_up_for(&policy, 600).await;
    for decision in &decisions {
        assert_eq!(env.code(decision).await, "stopped");
    }
    // An isolation that was applied is recorded.
    std::fs::remove_file(env.path("stop")).unwrap();
    let carried_out = env.begin("carried out", host(3)).await;
    env.crash_run(&policy, std::slice::from_ref(&carried_out), true).await;
    stop(&env, "");
    env.follow_up_for(&policy, 600).await;
    assert_eq!(env.state(&carried_out).await, DecisionState::Isolated);
    assert_eq!(env.changes(), ["on 3"]);
    let slots = env.object_names(&format!("permits/estate/{}", ACME)).await;
    assert_eq!(slots.iter().filter(|slot| slot.ends_with('1')).count(), 1, "{slots:?}");
}

#[tokio::test]
async fn stop_during_a_call_holds_for_the_next() {
    let mut all = machines(2);
    all[1].tenant = BETA.to_owned();
    let env = TestEnv::new(all).await;
    // The endpoints of one tenant are isolated before those of the next.
    let decisions = env.begin_all(1..=2).await;
    let path = env.path("stop");
    env.work_while(&policy(), &decisions, async { std::fs::write(&path, "drill").unwrap() }).await;
    assert_eq!(env.state(&decisions[0]).await, DecisionState::Requested);
    assert_eq!(env.steps(&decisions[1]).await, ["received", "claimed", "refused"]);
    assert_eq!(env.code(&decisions[1]).await, "stopped");
    assert_eq!(env.changes(), ["on 1"]);
}

#[tokio::test]
async fn check_reports_that_isolation_is_stopped() {
    let env = TestEnv::new(machines(1)).await;
    stop(&env, "drill");
    let checked = check(&env, &policy(), &payload("pc-1")).await;
    let signal = &checked["signals"][0];
    assert_eq!((&signal["outcome"], &signal["code"]), (&json!("refused"), &json!("stopped")));
    assert!(signal["detail"].as_str().unwrap().ends_with(": drill"), "{signal}");
}

#[tokio::test]
async fn missing_policy_holds_decisions_and_allows_releases() {
    let env = TestEnv::new(machines(2)).await;
    let (before, absent) = (env.decide(&policy(), "before", host(1)).await, Policy::absent());
    env.follow_up_for(&policy(), 120).await;
    let during = env.begin("during", host(2)).await;
    assert_eq!(env.work(&absent, &during).await, DecisionState::Deferred);
    env.follow_up_for(&absent, 4 * HOUR).await;
    assert_eq!(env.state(&before).await, DecisionState::Released);
    assert_eq!(env.state(&during).await, DecisionState::Deferred);
    assert_eq!(env.changes(), ["on 1", "off 1"]);
    env.follow_up_for(&policy(), 900).await;
    assert_eq!(env.state(&during).await, DecisionState::Isolated);
    let forgotten = env.begin("forgotten", host(1)).await;
    env.follow_up_for(&absent, 25 * HOUR).await;
    assert_eq!(env.code(&forgotten).await, "no_policy");
}
