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
    let world = TestEnv::new(machines(1)).await;
    let policy = releasing().policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    world.follow_up_for(&policy, 300).await;
    let signal = world.begin_with("release", release(1)).await;
    assert_eq!(world.work(&policy, &signal).await, DecisionState::Delegated);
    world.follow_up_for(&policy, 300).await;
    assert_eq!(world.state(&decision).await, DecisionState::Released);
    assert_eq!(world.changes(), ["on 1", "off 1"]);
    assert_eq!(world.publisher.outcomes_of(&signal), ["delegated"]);
    world.follow_up_for(&policy, 300).await;
    assert_eq!(world.ledger().scheduled_follow_ups().await.unwrap(), []);
}

#[tokio::test]
async fn source_does_not_release_when_it_may_not() {
    let world = TestEnv::new(machines(1)).await;
    let decision = world.decide(&policy(), "event", host(1)).await;
    let signal = world.begin_with("release", release(1)).await;
    assert_eq!(world.work(&policy(), &signal).await, DecisionState::Refused);
    assert_eq!(world.code(&signal).await, "release_not_allowed");
    world.follow_up_for(&policy(), 300).await;
    assert_eq!(world.state(&decision).await, DecisionState::Isolated);
}

#[tokio::test]
async fn source_releases_only_its_own_isolations() {
    let world = TestEnv::new(machines(2)).await;
    let policy = releasing().policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    let signal = world.begin_for_source("soc", "release", release(1)).await;
    assert_eq!(world.work(&policy, &signal).await, DecisionState::Refused);
    assert_eq!(world.code(&signal).await, "nothing_to_release");
    world.follow_up_for(&policy, 300).await;
    assert_eq!(world.state(&decision).await, DecisionState::Isolated);
    // Of two decisions that claim an endpoint, the source's own ends.
    let own = world.begin_for_source("soc", "own", json!({ "host": host(1) })).await;
    assert_eq!(world.work(&policy, &own).await, DecisionState::Requested);
    let signal = world.begin_for_source("soc", "release again", release(1)).await;
    assert_eq!(world.work(&policy, &signal).await, DecisionState::Delegated);
    world.follow_up_for(&policy, 300).await;
    assert_eq!(world.state(&own).await, DecisionState::Transferred);
    assert_eq!(world.changes(), ["on 1"]);
}

#[tokio::test]
async fn source_does_not_release_external_isolations() {
    let world = TestEnv::new(machines(1)).await;
    let policy = releasing().policy();
    world.isolate_in_console(1, true, "by hand").await;
    world.advance_clock(120);
    let signal = world.begin_with("release", release(1)).await;
    assert_eq!(world.work(&policy, &signal).await, DecisionState::Refused);
    assert_eq!(world.code(&signal).await, "nothing_to_release");
    assert_eq!(world.changes(), ["on 1"]);
}

#[tokio::test]
async fn release_by_a_person_is_idempotent() {
    let world = TestEnv::new(machines(1)).await;
    let decision = world.decide(&policy(), "event", host(1)).await;
    world.follow_up_for(&policy(), 300).await;
    for _ in 0..2 {
        let asked = world.ledger().request_release(&decision, "ana", world.now()).await.unwrap();
        assert_eq!(asked.state(), DecisionState::ReleasePending);
    }
    world.follow_up_for(&policy(), 300).await;
    let asked = world.ledger().request_release(&decision, "ana", world.now()).await.unwrap();
    assert_eq!(asked.state(), DecisionState::Released);
    assert_eq!(world.changes(), ["on 1", "off 1"]);

    let refused = world.decide(&policy(), "no host", json!({})).await;
    let asked = world.ledger().request_release(&refused, "ana", world.now()).await;
    assert!(matches!(asked, Err(CommandError::InvalidState { state: DecisionState::Refused, .. })));
    let unknown_id = DecisionId::from_event_id("edr", "unknown");
    assert!(matches!(
        world.ledger().request_release(&unknown_id, "ana", world.now()).await,
        Err(CommandError::Unknown(_))
    ));
}

#[tokio::test]
async fn release_request_during_a_check_is_not_lost() {
    // The clock shows the time at which the decision is due.
    let world = TestEnv::new(machines(1)).await;
    let decision = world.decide(&policy(), "event", host(1)).await;
    world.advance_clock(90);
    let mut due = world.ledger().due_follow_ups(world.now()).await.unwrap();
    let stale = due.pop().unwrap();
    world.ledger().schedule_follow_up(&decision, world.now().as_secs()).await.unwrap();
    let also = world.ledger().due_follow_ups(world.now()).await.unwrap();
    world.ledger().request_release(&decision, "ana", world.now()).await.unwrap();
    // A follow-up that listed these before deletes them now.
    for reminder in also.iter().chain([&stale]) {
        world.ledger().delete_follow_up(reminder).await.unwrap();
    }
    world.follow_up_for(&policy(), 300).await;
    assert_eq!(world.state(&decision).await, DecisionState::Released);
}

#[tokio::test]
async fn release_of_many_is_one_call() {
    let world = TestEnv::new(machines(20)).await;
    let decisions = world.begin_all(1..=20).await;
    world.engine().process(&policy(), &decisions, None).await;
    world.follow_up_for(&policy(), 300).await;
    world.sim.reset_calls();
    world.follow_up_for(&policy(), 4 * HOUR).await;
    assert_eq!(world.calls("isolation.bulk"), 1);
    for decision in &decisions {
        assert_eq!(world.state(decision).await, DecisionState::Released);
    }
}
