//! Updates of an alert: they join the decision that acts on it, and isolate
//! nothing that a person has ended.

use std::sync::Arc;

use serde_json::{Value, json};
use sophos_isolation::{AlertKey, Answer, Decision, DecisionId, Objects, State, Step, policy::Policy};
use sophos_simulator::{FaultAction, FaultRule};

use crate::support::{ACME, HOUR, Rules, World, host, id, machines, policy};

const DAY: u64 = 24 * HOUR;

/// Begins the decision of an update of the alert `a` about the first machine.
async fn update(world: &World, event: &str) -> DecisionId {
    world.begin_update("edr", "a", event, json!({ "host": host(1) })).await
}

/// Begins it and works on it.
async fn updated(world: &World, policy: &Policy, event: &str) -> DecisionId {
    let id = update(world, event).await;
    world.work(policy, &id).await;
    id
}

fn merged_into(decision: &Decision) -> Option<DecisionId> {
    match &decision.entries().last()?.step {
        Step::Merged { into, .. } => Some(into.clone()),
        _ => None,
    }
}

async fn detail(world: &World, id: &DecisionId) -> String {
    match &world.decision(id).await.entries().last().unwrap().step {
        Step::Refused { detail, .. } => detail.clone(),
        step => panic!("not refused: {step:?}"),
    }
}

fn approving() -> Rules<'static> {
    Rules { source: "approve = \"always\"", ..Rules::default() }
}

#[tokio::test]
async fn update_merges_when_its_alert_holds_the_machine() {
    let world = World::new(machines(1)).await;
    let rules = Rules { per_hour: 1, release: "1h", ..Rules::default() };
    let first = updated(&world, &rules.policy(), "1").await;
    world.follow_up_for(&rules.policy(), 300).await;
    let mut updates = Vec::new();
    for event in ["2", "3", "4"] {
        updates.push(updated(&world, &rules.policy(), event).await);
    }
    for update in &updates {
        assert_eq!(merged_into(&world.decision(update).await).as_ref(), Some(&first));
        assert_eq!(world.told.of(update), ["merged"]);
        let told = world.told.last(update);
        assert!(told.detail.unwrap().contains(first.as_str()));
        assert_eq!(told.target.unwrap().endpoint, id(1));
    }
    assert_eq!(world.names(&format!("machines/{ACME}/{}", id(1))).await, [first.to_string()]);
    // The updates extend nothing, and one release is enough.
    world.follow_up_for(&rules.policy(), HOUR + 300).await;
    assert_eq!(world.state(&first).await, State::Released);
    assert_eq!(world.changes(), ["on 1", "off 1"]);
    assert_eq!(world.ledger().agenda().await.unwrap(), []);
}

#[tokio::test]
async fn update_opens_its_own_when_the_alert_or_the_machine_differs() {
    let world = World::new(machines(2)).await;
    let policy = policy();
    let first = updated(&world, &policy, "1").await;
    let other_alert = world.begin_update("edr", "b", "2", json!({ "host": host(1) })).await;
    let other_source = world.begin_update("soc", "a", "3", json!({ "host": host(1) })).await;
    let other_machine = world.begin_update("edr", "a", "4", json!({ "host": host(2) })).await;
    for id in [&other_alert, &other_source, &other_machine] {
        assert_eq!(world.work(&policy, id).await, State::Requested, "{id}");
    }
    assert_eq!(world.state(&first).await, State::Requested);
    assert_eq!(world.changes(), ["on 1", "on 2"]);
}

#[tokio::test]
async fn update_merges_when_its_alert_waits_for_approval() {
    let world = World::new(machines(1)).await;
    let policy = approving().policy();
    let first = updated(&world, &policy, "1").await;
    let before = updated(&world, &policy, "2").await;
    assert_eq!(world.state(&first).await, State::Waiting);
    assert_eq!(merged_into(&world.decision(&before).await).as_ref(), Some(&first));
    world.ledger().answer(&first, Answer::Approve, "ana", world.now()).await.unwrap();
    let approved = updated(&world, &policy, "3").await;
    assert_eq!(merged_into(&world.decision(&approved).await).as_ref(), Some(&first));
    assert_eq!(world.work(&policy, &first).await, State::Requested);
    let after = updated(&world, &policy, "4").await;
    assert_eq!(merged_into(&world.decision(&after).await).as_ref(), Some(&first));
    assert_eq!(world.told.of(&first), ["waiting", "requested"]);
    assert_eq!(world.changes(), ["on 1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_are_one_decision_when_they_come_at_once() {
    for rules in [Rules::default(), approving()] {
        let world = World::new(machines(1)).await;
        let policy = Arc::new(rules.policy());
        let mut ids = Vec::new();
        let mut runs = Vec::new();
        for event in ["1", "2", "3"] {
            let id = update(&world, event).await;
            ids.push(id.clone());
            let (engine, policy) = (world.engine(), Arc::clone(&policy));
            runs.push(tokio::spawn(async move { engine.work(&policy, &[id], None).await }));
        }
        for run in runs {
            run.await.unwrap()[0].outcome.as_ref().unwrap();
        }
        world.follow_up_for(&policy, 120).await;
        let mut states = Vec::new();
        for id in &ids {
            states.push(world.state(id).await);
        }
        let merged = states.iter().filter(|state| **state == State::Merged).count();
        assert_eq!(merged, 2, "{states:?}");
        assert!(world.changes().len() <= 1);
    }
}

#[tokio::test]
async fn update_merges_when_the_run_of_its_alert_died() {
    for carried_out in [false, true] {
        let world = World::new(machines(1)).await;
        let first = update(&world, "1").await;
        world.die(&policy(), std::slice::from_ref(&first), carried_out).await;
        let second = updated(&world, &policy(), "2").await;
        assert_eq!(merged_into(&world.decision(&second).await).as_ref(), Some(&first));
        world.follow_up_for(&policy(), 300).await;
        assert_eq!(world.state(&first).await, State::Isolated);
        assert_eq!(world.changes(), ["on 1"]);
    }
}

#[tokio::test]
async fn decision_goes_on_when_it_died_after_it_opened_the_episode() {
    let world = World::new(machines(1)).await;
    let [first, second] = [update(&world, "1").await, update(&world, "2").await];
    let alert = AlertKey::of("edr", "a");
    let episode = format!("alerts/edr/{alert}/{ACME}.{}/0001", id(1));
    let ledger = world.ledger();
    assert!(Objects::create(ledger.objects(), &episode, first.as_str().into()).await.unwrap());
    world.work(&policy(), &second).await;
    assert_eq!(merged_into(&world.decision(&second).await).as_ref(), Some(&first));
    world.follow_up_for(&policy(), 300).await;
    assert_eq!(world.state(&first).await, State::Isolated);
    assert_eq!(world.names(&format!("alerts/edr/{alert}/{ACME}.{}", id(1))).await, ["0001"]);
}

#[tokio::test]
async fn update_merges_when_the_call_of_its_alert_is_deferred() {
    let world = World::new(machines(1)).await;
    // The state of the isolation is what is asked for next.
    world.fault(FaultRule::new("isolation.get", FaultAction::status(503)));
    let first = updated(&world, &policy(), "1").await;
    assert_eq!(world.state(&first).await, State::Deferred);
    let second = updated(&world, &policy(), "2").await;
    assert_eq!(merged_into(&world.decision(&second).await).as_ref(), Some(&first));
    world.no_faults();
    world.follow_up_for(&policy(), 300).await;
    assert_eq!(world.state(&first).await, State::Isolated);
    assert_eq!(world.changes(), ["on 1"]);
}

#[tokio::test]
async fn update_is_refused_when_a_person_released() {
    let world = World::new(machines(1)).await;
    let policy = policy();
    let first = updated(&world, &policy, "1").await;
    world.follow_up_for(&policy, 300).await;
    world.ledger().release(&first, "ana", world.now()).await.unwrap();
    // Before it is carried out, and after.
    let early = updated(&world, &policy, "2").await;
    world.follow_up_for(&policy, 300).await;
    assert_eq!(world.state(&first).await, State::Released);
    let late = updated(&world, &policy, "3").await;
    for update in [&early, &late] {
        assert_eq!(world.code(update).await, "released");
        let detail = detail(&world, update).await;
        for part in [first.as_str(), "released by ana", "2026-01-15T12:0", "2026-01-16T12:0"] {
            assert!(detail.contains(part), "{part}: {detail}");
        }
    }
    // Another alert is no update.
    let other = world.begin_update("edr", "b", "4", json!({ "host": host(1) })).await;
    assert_eq!(world.work(&policy, &other).await, State::Requested);
    assert_eq!(world.changes(), ["on 1", "off 1", "on 1"]);
}

#[tokio::test]
async fn update_isolates_when_the_time_after_a_release_is_over() {
    for (after, wait, state) in [
        ("24h", DAY - 700, State::Refused),
        ("24h", DAY, State::Requested),
        ("1h", HOUR, State::Requested),
        ("never", 9 * DAY, State::Refused),
    ] {
        let world = World::new(machines(1)).await;
        let policy = Rules { new_episode_after: after, ..Rules::default() }.policy();
        let first = updated(&world, &policy, "1").await;
        world.follow_up_for(&policy, 300).await;
        world.ledger().release(&first, "ana", world.now()).await.unwrap();
        world.follow_up_for(&policy, 300).await;
        world.pass(wait);
        let second = updated(&world, &policy, "2").await;
        assert_eq!(world.state(&second).await, state, "{after}");
        let third = updated(&world, &policy, "3").await;
        let expected = if state == State::Requested { State::Merged } else { State::Refused };
        assert_eq!(world.state(&third).await, expected, "{after}");
    }
}

#[tokio::test]
async fn update_isolates_again_when_the_time_was_up() {
    let world = World::new(machines(1)).await;
    let policy = Rules { release: "1h", ..Rules::default() }.policy();
    let first = updated(&world, &policy, "1").await;
    world.follow_up_for(&policy, HOUR + 300).await;
    assert_eq!(world.state(&first).await, State::Released);
    let second = updated(&world, &policy, "2").await;
    let third = updated(&world, &policy, "3").await;
    assert_eq!(world.state(&second).await, State::Requested);
    assert_eq!(merged_into(&world.decision(&third).await), Some(second));
    assert_eq!(world.changes(), ["on 1", "off 1", "on 1"]);
}

#[tokio::test]
async fn update_isolates_after_the_release_when_the_time_is_just_up() {
    let world = World::new(machines(1)).await;
    let policy = Rules { release: "1h", ..Rules::default() }.policy();
    let first = updated(&world, &policy, "1").await;
    world.follow_up_for(&policy, 300).await;
    world.fault(FaultRule::new("isolation.bulk", FaultAction::status(503)));
    world.follow_up_for(&policy, HOUR).await;
    assert_eq!(world.state(&first).await, State::ReleaseAsked);
    let second = updated(&world, &policy, "2").await;
    assert_eq!(world.state(&second).await, State::Deferred);
    world.no_faults();
    world.follow_up_for(&policy, 1_500).await;
    assert_eq!(world.state(&second).await, State::Isolated);
    assert!(world.state(&first).await.is_final());
    assert_eq!(world.changes(), ["on 1", "off 1", "on 1"]);
}

#[tokio::test]
async fn update_is_refused_when_a_person_declined() {
    let world = World::new(machines(1)).await;
    let policy = approving().policy();
    let first = updated(&world, &policy, "1").await;
    world.ledger().answer(&first, Answer::Decline, "ana", world.now()).await.unwrap();
    let second = updated(&world, &policy, "2").await;
    assert_eq!(world.code(&second).await, "released");
    assert!(detail(&world, &second).await.contains("declined by ana"));
    world.pass(DAY);
    let third = updated(&world, &policy, "3").await;
    assert_eq!(world.state(&third).await, State::Waiting);
}

#[tokio::test]
async fn update_asks_again_when_no_person_answered() {
    let world = World::new(machines(1)).await;
    let policy = approving().policy();
    let first = updated(&world, &policy, "1").await;
    world.follow_up_for(&policy, 5 * HOUR).await;
    assert_eq!(world.state(&first).await, State::Expired);
    let second = updated(&world, &policy, "2").await;
    assert_eq!(world.state(&second).await, State::Waiting);
}

#[tokio::test]
async fn update_is_refused_when_the_isolation_was_ended_in_the_console() {
    let world = World::new(machines(1)).await;
    let policy = policy();
    let first = updated(&world, &policy, "1").await;
    world.follow_up_for(&policy, 300).await;
    world.console(1, false, "it is clean").await;
    world.pass(60);
    // Not seen yet, and seen.
    let early = updated(&world, &policy, "2").await;
    assert_eq!(merged_into(&world.decision(&early).await), Some(first.clone()));
    world.follow_up_for(&policy, 2 * HOUR).await;
    assert_eq!(world.state(&first).await, State::TakenOver);
    let late = updated(&world, &policy, "3").await;
    assert_eq!(world.code(&late).await, "released");
    assert_eq!(world.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn update_is_judged_anew_when_the_decision_before_was_refused() {
    let world = World::new(machines(3)).await;
    let policy = Rules { per_hour: 1, ..Rules::default() }.policy();
    world.decide(&policy, "other", host(2)).await;
    let first = updated(&world, &policy, "1").await;
    assert_eq!(world.code(&first).await, "source_budget");
    world.pass(HOUR);
    let second = updated(&world, &policy, "2").await;
    assert_eq!(world.state(&second).await, State::Requested);
}

#[tokio::test]
async fn dry_run_takes_no_part_in_episodes() {
    let world = World::new(machines(1)).await;
    let dry = Rules { mode: "dry_run", ..Rules::default() }.policy();
    for event in ["1", "2"] {
        let id = updated(&world, &dry, event).await;
        assert_eq!(world.state(&id).await, State::Rehearsed);
    }
    let third = updated(&world, &policy(), "3").await;
    assert_eq!(world.state(&third).await, State::Requested);
}

#[tokio::test]
async fn entry_without_an_alert_is_an_alert_of_its_own() {
    let world = World::new(machines(1)).await;
    let mut ids = Vec::new();
    for event in ["1", "2"] {
        let id = update(&world, event).await;
        // As an earlier release wrote it.
        let path = world.path(&format!("received/{id}.json"));
        let mut entry: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert!(entry.as_object_mut().unwrap().remove("alert").is_some());
        std::fs::write(&path, entry.to_string()).unwrap();
        world.work(&policy(), &id).await;
        ids.push(id);
    }
    for id in &ids {
        assert_eq!(world.state(id).await, State::Requested);
    }
}

#[tokio::test]
async fn decision_waits_while_a_mistake_disables_its_source() {
    let world = World::new(machines(2)).await;
    let rules = Rules::default();
    let held = world.decide(&rules.policy(), "held", host(2)).await;
    let text = rules.text().replace("minimum_severity = \"high\"", "minimum_severity = \"hgih\"");
    let disabled = Policy::load(&text).unwrap();
    assert!(Policy::parse(&text).is_err() && disabled.source("soc").is_some());
    let first = updated(&world, &disabled, "1").await;
    assert_eq!(world.state(&first).await, State::Deferred);
    // What is held is watched and released meanwhile.
    world.follow_up_for(&disabled, 5 * HOUR).await;
    assert_eq!(world.state(&held).await, State::Released);
    assert_eq!(world.state(&first).await, State::Deferred);
    world.follow_up_for(&rules.policy(), 900).await;
    assert_eq!(world.state(&first).await, State::Isolated);

    let lost = world.begin_update("edr", "b", "2", json!({ "host": host(2) })).await;
    world.work(&disabled, &lost).await;
    world.follow_up_for(&disabled, 25 * HOUR).await;
    assert_eq!(world.code(&lost).await, "source_disabled");
}
