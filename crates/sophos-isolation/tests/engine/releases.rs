//! Releases that a signal or a person asks for.

use serde_json::{Value, json};
use sophos_isolation::{AnswerError, DecisionId, State};

use crate::support::{HOUR, Rules, World, host, machines, policy};

fn release(number: u32) -> Value {
    json!({ "action": "release", "severity": null, "host": host(number) })
}

fn releasing() -> Rules<'static> {
    Rules { source: "may_release = true", ..Rules::default() }
}

#[tokio::test]
async fn a_source_that_may_release_does() {
    let world = World::new(machines(1)).await;
    let policy = releasing().policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    world.follow_up_for(&policy, 300).await;
    let signal = world.begin_with("release", release(1)).await;
    assert_eq!(world.work(&policy, &signal).await, State::Forwarded);
    world.follow_up_for(&policy, 300).await;
    assert_eq!(world.state(&decision).await, State::Released);
    assert_eq!(world.changes(), ["on 1", "off 1"]);
    assert_eq!(world.told.of(&signal), ["forwarded"]);
    world.follow_up_for(&policy, 300).await;
    assert_eq!(world.ledger().agenda().await.unwrap(), []);
}

#[tokio::test]
async fn a_source_that_may_not_release_does_not() {
    let world = World::new(machines(1)).await;
    let decision = world.decide(&policy(), "event", host(1)).await;
    let signal = world.begin_with("release", release(1)).await;
    assert_eq!(world.work(&policy(), &signal).await, State::Refused);
    assert_eq!(world.code(&signal).await, "release_not_allowed");
    world.follow_up_for(&policy(), 300).await;
    assert_eq!(world.state(&decision).await, State::Isolated);
}

#[tokio::test]
async fn a_source_releases_only_what_was_isolated_for_it() {
    let world = World::new(machines(2)).await;
    let policy = releasing().policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    let signal = world.begin_of("soc", "release", release(1)).await;
    assert_eq!(world.work(&policy, &signal).await, State::Refused);
    assert_eq!(world.code(&signal).await, "nothing_to_release");
    world.follow_up_for(&policy, 300).await;
    assert_eq!(world.state(&decision).await, State::Isolated);
    // Of two that hold an endpoint, its own ends.
    let own = world.begin_of("soc", "own", json!({ "host": host(1) })).await;
    assert_eq!(world.work(&policy, &own).await, State::Requested);
    let signal = world.begin_of("soc", "release again", release(1)).await;
    assert_eq!(world.work(&policy, &signal).await, State::Forwarded);
    world.follow_up_for(&policy, 300).await;
    assert_eq!(world.state(&own).await, State::HandedOver);
    assert_eq!(world.changes(), ["on 1"]);
}

#[tokio::test]
async fn there_is_nothing_to_release_of_what_others_have_isolated() {
    let world = World::new(machines(1)).await;
    let policy = releasing().policy();
    world.console(1, true, "by hand").await;
    world.pass(120);
    let signal = world.begin_with("release", release(1)).await;
    assert_eq!(world.work(&policy, &signal).await, State::Refused);
    assert_eq!(world.code(&signal).await, "nothing_to_release");
    assert_eq!(world.changes(), ["on 1"]);
}

#[tokio::test]
async fn a_person_releases_and_to_ask_again_changes_nothing() {
    let world = World::new(machines(1)).await;
    let decision = world.decide(&policy(), "event", host(1)).await;
    world.follow_up_for(&policy(), 300).await;
    for _ in 0..2 {
        let asked = world.ledger().ask_release(&decision, "ana", world.now()).await.unwrap();
        assert_eq!(asked.state(), State::ReleaseAsked);
    }
    world.follow_up_for(&policy(), 300).await;
    let asked = world.ledger().ask_release(&decision, "ana", world.now()).await.unwrap();
    assert_eq!(asked.state(), State::Released);
    assert_eq!(world.changes(), ["on 1", "off 1"]);

    let refused = world.decide(&policy(), "no host", json!({})).await;
    let asked = world.ledger().ask_release(&refused, "ana", world.now()).await;
    assert!(matches!(asked, Err(AnswerError::State { state: State::Refused, .. })));
    let nobodys = DecisionId::of("edr", "nobody's");
    assert!(matches!(
        world.ledger().ask_release(&nobodys, "ana", world.now()).await,
        Err(AnswerError::Unknown(_))
    ));
}

#[tokio::test]
async fn a_release_that_is_asked_for_between_a_look_and_its_reminder_is_not_forgotten() {
    // The clock stands at a moment of the agenda, at which the decision is due.
    let world = World::new(machines(1)).await;
    let decision = world.decide(&policy(), "event", host(1)).await;
    world.pass(90);
    let mut due = world.ledger().due(world.now()).await.unwrap();
    let stale = due.pop().unwrap();
    world.ledger().remind(&decision, world.now().as_secs()).await.unwrap();
    let also = world.ledger().due(world.now()).await.unwrap();
    world.ledger().ask_release(&decision, "ana", world.now()).await.unwrap();
    // A follow-up that had listed these before now takes them off.
    for reminder in also.iter().chain([&stale]) {
        world.ledger().forget(reminder).await.unwrap();
    }
    world.follow_up_for(&policy(), 300).await;
    assert_eq!(world.state(&decision).await, State::Released);
}

#[tokio::test]
async fn the_release_of_many_is_one_call() {
    let world = World::new(machines(20)).await;
    let decisions = world.begin_all(1..=20).await;
    world.engine().work(&policy(), &decisions, None).await;
    world.follow_up_for(&policy(), 300).await;
    world.sim.reset_calls();
    world.follow_up_for(&policy(), 4 * HOUR).await;
    assert_eq!(world.calls("isolation.bulk"), 1);
    for decision in &decisions {
        assert_eq!(world.state(decision).await, State::Released);
    }
}
