//! Several decisions on one endpoint.

use std::sync::Arc;

use serde_json::json;
use sophos_isolation::{Asked, DecisionId, State, Step};
use sophos_simulator::{FaultAction, FaultRule};

use crate::support::{HOUR, World, host, machines, policy};

/// A decision about the first machine that holds it for so long.
async fn holding(world: &World, event: &str, seconds: u64) -> DecisionId {
    let decision = world.begin_with(event, json!({ "host": host(1), "hold_seconds": seconds })).await;
    world.work(&policy(), &decision).await;
    decision
}

async fn how(world: &World, decision: &DecisionId) -> Asked {
    let whole = world.decision(decision).await;
    let how = whole.entries().iter().find_map(|entry| match entry.step {
        Step::Requested { how, .. } => Some(how),
        _ => None,
    });
    how.unwrap()
}

#[tokio::test]
async fn the_last_of_two_decisions_releases() {
    for (first, second) in [(HOUR, 2 * HOUR), (2 * HOUR, HOUR)] {
        let world = World::new(machines(1)).await;
        let (a, b) = (holding(&world, "a", first).await, holding(&world, "b", second).await);
        assert_eq!(how(&world, &a).await, Asked::Accepted);
        assert_eq!(how(&world, &b).await, Asked::Joined);
        assert_eq!(world.changes(), ["on 1"]);
        let (shorter, longer) = if first < second { (&a, &b) } else { (&b, &a) };
        world.follow_up_for(&policy(), HOUR + 1_200).await;
        assert_eq!(world.state(shorter).await, State::HandedOver);
        assert_eq!(world.state(longer).await, State::Isolated);
        assert_eq!(world.changes(), ["on 1"]);
        world.follow_up_for(&policy(), HOUR).await;
        assert_eq!(world.state(longer).await, State::Released);
        assert_eq!(world.changes(), ["on 1", "off 1"]);
        assert_eq!(world.ledger().agenda().await.unwrap(), []);
    }
}

#[tokio::test]
async fn one_of_two_decisions_that_end_at_once_releases() {
    let world = World::new(machines(1)).await;
    let (a, b) = (holding(&world, "a", HOUR).await, holding(&world, "b", HOUR).await);
    world.follow_up_for(&policy(), 2 * HOUR).await;
    assert_eq!(world.changes(), ["on 1", "off 1"]);
    for decision in [&a, &b] {
        assert!(world.state(decision).await.is_final(), "{}", world.state(decision).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn engines_that_follow_up_at_once_agree_on_who_releases() {
    for round in 0..6 {
        let world = World::new(machines(1)).await;
        let mut ids = Vec::new();
        for event in ["a", "b", "c"] {
            ids.push(holding(&world, event, HOUR).await);
        }
        world.follow_up_for(&policy(), 300).await;
        world.pass(HOUR);
        let policy = Arc::new(policy());
        let runs: Vec<_> = (0..4)
            .map(|_| {
                let (engine, policy) = (world.engine(), Arc::clone(&policy));
                tokio::spawn(async move { engine.follow_up(&policy, None).await })
            })
            .collect();
        for run in runs {
            run.await.unwrap().unwrap();
        }
        world.follow_up_for(&policy, 1_200).await;
        assert_eq!(world.changes().last().unwrap(), "off 1", "round {round}");
        for decision in &ids {
            assert!(world.state(decision).await.is_final());
        }
    }
}

#[tokio::test]
async fn two_decisions_in_one_run_are_one_isolation() {
    let world = World::new(machines(1)).await;
    let a = world.begin_with("a", json!({ "host": host(1), "hold_seconds": HOUR })).await;
    let b = world.begin_with("b", json!({ "host": host(1), "hold_seconds": 2 * HOUR })).await;
    world.engine().work(&policy(), &[a.clone(), b.clone()], None).await;
    assert_eq!(world.changes(), ["on 1"]);
    world.follow_up_for(&policy(), HOUR + 1_200).await;
    assert_eq!(world.state(&a).await, State::HandedOver);
    world.follow_up_for(&policy(), HOUR).await;
    assert_eq!(world.state(&b).await, State::Released);
    assert_eq!(world.changes(), ["on 1", "off 1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_engines_with_a_decision_each_are_one_isolation() {
    for _ in 0..6 {
        let world = World::new(machines(1)).await;
        let policy = Arc::new(policy());
        let mut ids = Vec::new();
        let mut runs = Vec::new();
        for event in ["a", "b"] {
            let id = world.begin(event, host(1)).await;
            ids.push(id.clone());
            let (engine, policy) = (world.engine(), Arc::clone(&policy));
            runs.push(tokio::spawn(async move { engine.work(&policy, &[id], None).await }));
        }
        for run in runs {
            run.await.unwrap()[0].outcome.as_ref().unwrap();
        }
        world.follow_up_for(&policy, 300).await;
        for id in &ids {
            assert_eq!(world.state(id).await, State::Isolated);
        }
        world.follow_up_for(&policy, 5 * HOUR).await;
        assert_eq!(world.changes(), ["on 1", "off 1"]);
    }
}

#[tokio::test]
async fn a_decision_that_is_released_early_leaves_the_endpoint_to_the_other() {
    for ended in ["a", "b"] {
        let world = World::new(machines(1)).await;
        let (a, b) = (holding(&world, "a", 3 * HOUR).await, holding(&world, "b", HOUR).await);
        world.follow_up_for(&policy(), 300).await;
        let (ended, other) = if ended == "a" { (&a, &b) } else { (&b, &a) };
        world.ledger().ask_release(ended, "ana", world.now()).await.unwrap();
        world.follow_up_for(&policy(), 300).await;
        assert_eq!(world.state(ended).await, State::HandedOver);
        assert_eq!(world.changes(), ["on 1"], "the other has not ended");
        world.follow_up_for(&policy(), 4 * HOUR).await;
        assert_eq!(world.state(other).await, State::Released);
        assert_eq!(world.changes(), ["on 1", "off 1"]);
    }
}

#[tokio::test]
async fn nothing_is_handed_over_to_a_decision_that_may_never_isolate() {
    let world = World::new(machines(2)).await;
    // Both have read that it is not isolated; the call of one is put off.
    let b = world.begin("b", host(1)).await;
    world.fault(FaultRule::new("isolation.bulk", FaultAction::status(503)));
    assert_eq!(world.work(&policy(), &b).await, State::Deferred);
    world.no_faults();
    let a = holding(&world, "a", 600).await;
    assert_eq!(world.state(&a).await, State::Requested);
    // The other is no longer allowed when its turn comes.
    let without =
        crate::support::Rules { more: "[protect]\nnames = [\"pc-1\"]", ..Default::default() }.policy();
    world.follow_up_for(&without, HOUR).await;
    assert_eq!(world.state(&b).await, State::Refused);
    assert_eq!(world.state(&a).await, State::Released);
    assert_eq!(world.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn a_signal_that_comes_while_the_endpoint_is_released_isolates_it_again() {
    let world = World::new(machines(1)).await;
    let a = holding(&world, "a", HOUR).await;
    world.follow_up_for(&policy(), 300).await;
    // Its time is up, and the service does not take the release.
    world.fault(FaultRule::new("isolation.bulk", FaultAction::status(503)));
    world.follow_up_for(&policy(), HOUR).await;
    assert_eq!(world.state(&a).await, State::ReleaseAsked);
    let b = holding(&world, "b", HOUR).await;
    assert!(!world.state(&b).await.is_final(), "{}", world.state(&b).await);
    world.no_faults();
    world.follow_up_for(&policy(), 1_500).await;
    assert_eq!(world.state(&a).await, State::Released);
    assert_eq!(world.state(&b).await, State::Isolated);
    assert_eq!(world.changes(), ["on 1", "off 1", "on 1"]);
    world.follow_up_for(&policy(), 2 * HOUR).await;
    assert_eq!(world.changes(), ["on 1", "off 1", "on 1", "off 1"]);
}

#[tokio::test]
async fn three_decisions_pass_the_endpoint_on() {
    let world = World::new(machines(1)).await;
    let mut ids = Vec::new();
    for (event, hours) in [("a", 1), ("b", 2), ("c", 3)] {
        ids.push(holding(&world, event, hours * HOUR).await);
    }
    world.follow_up_for(&policy(), 2 * HOUR + 1_200).await;
    assert_eq!(world.state(&ids[0]).await, State::HandedOver);
    assert_eq!(world.state(&ids[1]).await, State::HandedOver);
    assert_eq!(world.changes(), ["on 1"]);
    world.follow_up_for(&policy(), HOUR).await;
    assert_eq!(world.state(&ids[2]).await, State::Released);
    assert_eq!(world.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn an_isolation_is_not_left_to_one_whose_own_was_ended() {
    let world = World::new(machines(2)).await;
    let late = world.begin_with("late", json!({ "host": host(1), "hold_seconds": 600 })).await;
    world.die(&policy(), std::slice::from_ref(&late), false).await;
    let ended = holding(&world, "ended", 4 * HOUR).await;
    world.follow_up_for(&policy(), 60).await;
    assert_eq!(world.state(&ended).await, State::Isolated);
    world.console(1, false, "it is clean").await;
    world.pass(60);
    // Nobody has looked at the other since, which is looked at once an hour.
    world.follow_up_for(&policy(), HOUR / 2).await;
    assert_eq!(world.state(&late).await, State::Released);
    assert_eq!(world.changes(), ["on 1", "off 1", "on 1", "off 1"]);
    world.follow_up_for(&policy(), HOUR).await;
    assert_eq!(world.state(&ended).await, State::TakenOver);
}
