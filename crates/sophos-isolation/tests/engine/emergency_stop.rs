//! The emergency stop and a missing policy, under which nothing is isolated and
//! releases continue.

use serde_json::json;
use sophos_isolation::{DecisionState, policy::Policy};

use crate::{
    checks::{check, payload},
    support::{ACME, BETA, HOUR, TestEnv, host, machines, policy},
};

fn stop(world: &TestEnv, reason: &str) {
    std::fs::write(world.path("stop"), reason).unwrap();
}

#[tokio::test]
async fn stop_refuses_isolations_and_lets_releases_go_on() {
    let world = TestEnv::new(machines(4)).await;
    let policy = policy();
    let before = world.decide(&policy, "before", host(1)).await;
    world.follow_up_for(&policy, 120).await;
    assert_eq!(world.state(&before).await, DecisionState::Isolated);
    stop(&world, "false positives of the new rule\n\u{202e}");
    let during = world.decide(&policy, "during", host(2)).await;
    assert_eq!(world.code(&during).await, "stopped");
    let last = serde_json::to_value(world.decision(&during).await.entries().last().unwrap()).unwrap();
    assert!(last["detail"].as_str().unwrap().ends_with(": false positives of the new rule"), "{last}");
    // The earlier isolation ends on schedule.
    world.follow_up_for(&policy, 4 * HOUR).await;
    assert_eq!(world.state(&before).await, DecisionState::Released);
    std::fs::remove_file(world.path("stop")).unwrap();
    let after = world.decide(&policy, "after", host(3)).await;
    assert_eq!(world.state(&after).await, DecisionState::Requested);
    assert_eq!(world.work(&policy, &during).await, DecisionState::Refused, "it stays refused");
    assert_eq!(world.changes(), ["on 1", "off 1", "on 3"]);
}

#[tokio::test]
async fn stop_takes_effect_between_claim_and_call() {
    let world = TestEnv::new(machines(3)).await;
    let policy = policy();
    // A run claimed and died; the next run finds the stop.
    let decisions = world.begin_all(1..=2).await;
    world.crash_run(&policy, &decisions, false).await;
    stop(&world, "");
    world.follow_up_for(&policy, 600).await;
    for decision in &decisions {
        assert_eq!(world.code(decision).await, "stopped");
    }
    // An isolation that was applied is recorded.
    std::fs::remove_file(world.path("stop")).unwrap();
    let carried_out = world.begin("carried out", host(3)).await;
    world.crash_run(&policy, std::slice::from_ref(&carried_out), true).await;
    stop(&world, "");
    world.follow_up_for(&policy, 600).await;
    assert_eq!(world.state(&carried_out).await, DecisionState::Isolated);
    assert_eq!(world.changes(), ["on 3"]);
    let slots = world.object_names(&format!("permits/estate/{}", ACME)).await;
    assert_eq!(slots.iter().filter(|slot| slot.ends_with('1')).count(), 1, "{slots:?}");
}

#[tokio::test]
async fn stop_during_a_call_holds_for_the_next() {
    let mut all = machines(2);
    all[1].tenant = BETA.to_owned();
    let world = TestEnv::new(all).await;
    // The endpoints of one tenant are isolated before those of the next.
    let decisions = world.begin_all(1..=2).await;
    let path = world.path("stop");
    world.work_while(&policy(), &decisions, async { std::fs::write(&path, "drill").unwrap() }).await;
    assert_eq!(world.state(&decisions[0]).await, DecisionState::Requested);
    assert_eq!(world.steps(&decisions[1]).await, ["received", "claimed", "refused"]);
    assert_eq!(world.code(&decisions[1]).await, "stopped");
    assert_eq!(world.changes(), ["on 1"]);
}

#[tokio::test]
async fn check_reports_that_isolation_is_stopped() {
    let world = TestEnv::new(machines(1)).await;
    stop(&world, "drill");
    let checked = check(&world, &policy(), &payload("pc-1")).await;
    let signal = &checked["signals"][0];
    assert_eq!((&signal["outcome"], &signal["code"]), (&json!("refused"), &json!("stopped")));
    assert!(signal["detail"].as_str().unwrap().ends_with(": drill"), "{signal}");
}

#[tokio::test]
async fn missing_policy_holds_decisions_and_allows_releases() {
    let world = TestEnv::new(machines(2)).await;
    let (before, absent) = (world.decide(&policy(), "before", host(1)).await, Policy::absent());
    world.follow_up_for(&policy(), 120).await;
    let during = world.begin("during", host(2)).await;
    assert_eq!(world.work(&absent, &during).await, DecisionState::Deferred);
    world.follow_up_for(&absent, 4 * HOUR).await;
    assert_eq!(world.state(&before).await, DecisionState::Released);
    assert_eq!(world.state(&during).await, DecisionState::Deferred);
    assert_eq!(world.changes(), ["on 1", "off 1"]);
    world.follow_up_for(&policy(), 900).await;
    assert_eq!(world.state(&during).await, DecisionState::Isolated);
    let forgotten = world.begin("forgotten", host(1)).await;
    world.follow_up_for(&absent, 25 * HOUR).await;
    assert_eq!(world.code(&forgotten).await, "no_policy");
}
