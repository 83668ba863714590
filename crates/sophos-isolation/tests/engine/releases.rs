//! Releases that a signal or a person requests.

use serde_json::{Value, json};
use sophos_isolation::{CommandError, DecisionId, DecisionState};

use crate::support::{HOUR, TestEnv, TestPolicy, host, machines, policy};

fn release(number: u32) -> Value {
    json!({ "action": "release", "severity": null, "host": host(number) })
}

fn releasing() -> TestPolicy<'static> {
    TestPolicy { source: "may_release = true", ..TestPolicy::default() }
}

#[tokio::test]
async fn source_releases_when_it_may() {
    let env = TestEnv::new(machines(1)).await;
    let policy = releasing().policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    env.follow_up_for(&policy, 300).await;
    let signal = env.begin_with("release", release(1)).await;
    assert_eq!(env.work(&policy, &signal).await, DecisionState::Delegated);
    env.follow_up_for(&policy, 300).await;
    assert_eq!(env.state(&decision).await, DecisionState::Released);
    assert_eq!(env.changes(), ["on 1", "off 1"]);
    assert_eq!(env.publisher.outcomes_of(&signal), ["delegated"]);
    env.follow_up_for(&policy, 300).await;
    assert_eq!(env.ledger().scheduled_follow_ups().await.unwrap(), []);
}

#[tokio::test]
async fn source_does_not_release_when_it_may_not() {
    let env = TestEnv::new(machines(1)).await;
    let decision = env.decide(&policy(), "event", host(1)).await;
    let signal = env.begin_with("release", release(1)).await;
    assert_eq!(env.work(&policy(), &signal).await, DecisionState::Refused);
    assert_eq!(env.code(&signal).await, "release_not_allowed");
    env.follow_up_for(&policy(), 300).await;
    assert_eq!(env.state(&decision).await, DecisionState::Isolated);
}

#[tokio::test]
async fn source_releases_only_its_own_isolations() {
    let env = TestEnv::new(machines(2)).await;
    let policy = releasing().policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    let signal = env.begin_for_source("soc", "release", release(1)).await;
    assert_eq!(env.work(&policy, &signal).await, DecisionState::Refused);
    assert_eq!(env.code(&signal).await, "nothing_to_release");
    env.follow_up_for(&policy, 300).await;
    assert_eq!(env.state(&decision).await, DecisionState::Isolated);
    // Of two decisions that claim an endpoint, the source's own ends.
    let own = env.begin_for_source("soc", "own", json!({ "host": host(1) })).await;
    assert_eq!(env.work(&policy, &own).await, DecisionState::Requested);
    let signal = env.begin_for_source("soc", "release again", release(1)).await;
    assert_eq!(env.work(&policy, &signal).await, DecisionState::Delegated);
    env.follow_up_for(&policy, 300).await;
    assert_eq!(env.state(&own).await, DecisionState::Transferred);
    assert_eq!(env.changes(), ["on 1"]);
}

#[tokio::test]
async fn source_does_not_release_external_isolations() {
    let env = TestEnv::new(machines(1)).await;
    let policy = releasing().policy();
    env.isolate_in_console(1, true, "by hand").await;
    env.advance_clock(120);
    let signal = env.begin_with("release", release(1)).await;
    assert_eq!(env.work(&policy, &signal).await, DecisionState::Refused);
    assert_eq!(env.code(&signal).await, "nothing_to_release");
    assert_eq!(env.changes(), ["on 1"]);
}

#[tokio::test]
async fn release_by_a_person_is_idempotent() {
    let env = TestEnv::new(machines(1)).await;
    let decision = env.decide(&policy(), "event", host(1)).await;
    env.follow_up_for(&policy(), 300).await;
    for _ in 0..2 {
        let released = env.ledger().request_release(&decision, "ana", env.now()).await.unwrap();
        assert_eq!(released.state(), DecisionState::ReleasePending);
    }
    env.follow_up_for(&policy(), 300).await;
    let released = env.ledger().request_release(&decision, "ana", env.now()).await.unwrap();
    assert_eq!(released.state(), DecisionState::Released);
    assert_eq!(env.changes(), ["on 1", "off 1"]);

    let refused = env.decide(&policy(), "no host", json!({})).await;
    let released = env.ledger().request_release(&refused, "ana", env.now()).await;
    assert!(matches!(released, Err(CommandError::InvalidState { state: DecisionState::Refused, .. })));
    let unknown_id = DecisionId::from_event_id("edr", "unknown");
    assert!(matches!(
        env.ledger().request_release(&unknown_id, "ana", env.now()).await,
        Err(CommandError::Unknown(_))
    ));
}

#[tokio::test]
async fn release_request_during_a_check_is_not_lost() {
    // The clock shows the time at which the decision is due.
    let env = TestEnv::new(machines(1)).await;
    let decision = env.decide(&policy(), "event", host(1)).await;
    env.advance_clock(90);
    let mut due = env.ledger().due_follow_ups(env.now()).await.unwrap();
    let stale = due.pop().unwrap();
    env.ledger().schedule_follow_up(&decision, env.now().as_secs()).await.unwrap();
    let also = env.ledger().due_follow_ups(env.now()).await.unwrap();
    env.ledger().request_release(&decision, "ana", env.now()).await.unwrap();
    // A follow-up that listed these before deletes them now.
    for reminder in also.iter().chain([&stale]) {
        env.ledger().delete_follow_up(reminder).await.unwrap();
    }
    env.follow_up_for(&policy(), 300).await;
    assert_eq!(env.state(&decision).await, DecisionState::Released);
}

#[tokio::test]
async fn release_of_many_is_one_call() {
    let env = TestEnv::new(machines(20)).await;
    let decisions = env.begin_all(1..=20).await;
    env.engine().process(&policy(), &decisions, None).await;
    env.follow_up_for(&policy(), 300).await;
    env.sim.reset_calls();
    env.follow_up_for(&policy(), 4 * HOUR).await;
    assert_eq!(env.calls("isolation.bulk"), 1);
    for decision in &decisions {
        assert_eq!(env.state(decision).await, DecisionState::Released);
    }
}
