//! The release of an endpoint by a person, which ends every decision that claims it.

use serde_json::{Value, json};
use sophos_isolation::{CommandError, DecisionId, DecisionState, FollowUpScope, Transition};
use sophos_simulator::{FaultAction, FaultRule};

use crate::support::{ACME, BETA, HOUR, TestEnv, TestPolicy, host, id, machines, policy};

async fn isolate_for_alert(world: &TestEnv, source: &str, alert: &str, event: &str) -> DecisionId {
    let id = world.begin_update(source, alert, event, json!({ "host": host(1) })).await;
    world.work(&policy(), &id).await;
    id
}

/// Decisions of two sources and three alerts that claim the first machine.
async fn three_decisions(world: &TestEnv) -> [DecisionId; 3] {
    let first = isolate_for_alert(world, "edr", "a", "1").await;
    let second = isolate_for_alert(world, "edr", "b", "2").await;
    let third = isolate_for_alert(world, "soc", "c", "3").await;
    world.follow_up_for(&policy(), 300).await;
    for id in [&first, &second, &third] {
        assert_eq!(world.state(id).await, DecisionState::Isolated);
    }
    [first, second, third]
}

fn sorted(ids: impl IntoIterator<Item = DecisionId>) -> Vec<DecisionId> {
    let mut ids: Vec<_> = ids.into_iter().collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn release_ends_every_decision_when_a_machine_has_several() {
    for by_machine in [false, true] {
        let world = TestEnv::new(machines(2)).await;
        let all = three_decisions(&world).await;
        let neighbour = world.decide(&policy(), "neighbour", host(2)).await;
        let ledger = world.ledger();
        let ended = if by_machine {
            ledger.release_endpoint(&ACME.to_uppercase(), &id(1), "ana", world.now()).await.unwrap()
        } else {
            ledger.release_decision(&all[1], "ana", world.now()).await.unwrap()
        };
        assert_eq!(sorted(ended.clone()), sorted(all.clone()));
        world.engine().follow_up_scope(&policy(), FollowUpScope::Decisions(&ended), None).await.unwrap();
        assert_eq!(world.changes(), ["on 1", "on 2", "off 1"], "at once");
        world.follow_up_for(&policy(), 300).await;
        for id in &all {
            assert!(world.state(id).await.is_final(), "{}", world.state(id).await);
            let asked = world.decision(id).await.entries().iter().any(
                |entry| matches!(&entry.transition, Transition::ReleasePending { by: Some(who), .. } if who == "ana"),
            );
            assert!(asked, "{id}");
        }
        assert_eq!(world.state(&neighbour).await, DecisionState::Isolated);
        // No update of any of the three isolates it again.
        for (source, alert, event) in [("edr", "a", "4"), ("edr", "b", "5"), ("soc", "c", "6")] {
            let update = isolate_for_alert(&world, source, alert, event).await;
            assert_eq!(world.code(&update).await, "released");
        }
        assert_eq!(world.changes(), ["on 1", "on 2", "off 1"]);
    }
}

#[tokio::test]
async fn release_follows_merged_and_transferred_decisions() {
    let world = TestEnv::new(machines(1)).await;
    let short = json!({ "host": host(1), "release_after_seconds": 600 });
    let first = world.begin_update("edr", "a", "1", short).await;
    world.work(&policy(), &first).await;
    let update = isolate_for_alert(&world, "edr", "a", "2").await;
    assert_eq!(world.state(&update).await, DecisionState::Merged);
    let longer = isolate_for_alert(&world, "edr", "b", "3").await;
    world.follow_up_for(&policy(), 1_800).await;
    assert_eq!(world.state(&first).await, DecisionState::Transferred);
    assert_eq!(
        world.ledger().release_decision(&update, "ana", world.now()).await.unwrap(),
        std::slice::from_ref(&longer)
    );
    world.follow_up_for(&policy(), 300).await;
    assert_eq!(world.state(&longer).await, DecisionState::Released);
    // The alert whose isolation was transferred was released with it.
    let update = isolate_for_alert(&world, "edr", "a", "4").await;
    assert_eq!(world.code(&update).await, "released");
    assert_eq!(world.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn release_by_a_sender_ends_only_its_own() {
    let world = TestEnv::new(machines(1)).await;
    let [first, second, third] = three_decisions(&world).await;
    let signal = json!({ "action": "release", "severity": null, "host": host(1) });
    let release = world.begin_for_source("soc", "release", signal).await;
    assert_eq!(world.work(&policy(), &release).await, DecisionState::Delegated);
    world.follow_up_for(&policy(), 300).await;
    assert_eq!(world.state(&third).await, DecisionState::Transferred);
    for id in [&first, &second] {
        assert_eq!(world.state(id).await, DecisionState::Isolated);
    }
    assert_eq!(world.changes(), ["on 1"]);
}

#[tokio::test]
async fn release_declines_decisions_waiting_for_the_machine() {
    let world = TestEnv::new(machines(1)).await;
    let held = isolate_for_alert(&world, "edr", "a", "1").await;
    let careful = TestPolicy { source: "approve = \"always\"", ..TestPolicy::default() }.policy();
    let waiting = world.begin_update("edr", "b", "2", json!({ "host": host(1) })).await;
    assert_eq!(world.work(&careful, &waiting).await, DecisionState::PendingApproval);
    let ledger = world.ledger();
    let wrong = ledger.release_decision(&waiting, "ana", world.now()).await;
    assert!(
        matches!(wrong, Err(CommandError::InvalidState { state: DecisionState::PendingApproval, .. })),
        "{wrong:?}"
    );
    ledger.release_decision(&held, "ana", world.now()).await.unwrap();
    world.follow_up_for(&careful, 300).await;
    assert_eq!(world.state(&waiting).await, DecisionState::Declined);
    assert_eq!(world.publisher.outcomes_of(&waiting), ["pending_approval", "declined"]);
    assert_eq!(world.state(&held).await, DecisionState::Released);
    assert_eq!(world.object_names(&format!("claims/{ACME}/{}", id(1))).await, [""; 0]);
    assert_eq!(world.ledger().scheduled_follow_ups().await.unwrap(), []);
}

#[tokio::test]
async fn release_waits_for_a_call_in_progress() {
    let world = TestEnv::new(machines(1)).await;
    let decision = world.begin_update("edr", "a", "1", json!({ "host": host(1) })).await;
    let ask = async {
        assert_eq!(world.state(&decision).await, DecisionState::Claimed);
        let ended = world.ledger().release_decision(&decision, "ana", world.now()).await.unwrap();
        world.engine().follow_up_scope(&policy(), FollowUpScope::Decisions(&ended), None).await.unwrap();
        assert_eq!(world.state(&decision).await, DecisionState::ReleasePending);
    };
    world.work_while(&policy(), std::slice::from_ref(&decision), ask).await;
    assert_eq!(world.changes(), ["on 1"], "the call was on its way");
    world.follow_up_for(&policy(), 600).await;
    assert_eq!(world.state(&decision).await, DecisionState::Released);
    assert_eq!(world.changes(), ["on 1", "off 1"]);
    let slots = world.object_names(&format!("permits/estate/{ACME}")).await;
    assert!(slots.iter().all(|slot| slot.ends_with('2')), "given back: {slots:?}");
}

#[tokio::test]
async fn release_ends_a_decision_when_its_run_died_before_the_call() {
    let world = TestEnv::new(machines(1)).await;
    let decision = world.begin_update("edr", "a", "1", json!({ "host": host(1) })).await;
    world.crash_run(&policy(), std::slice::from_ref(&decision), false).await;
    world.ledger().release_decision(&decision, "ana", world.now()).await.unwrap();
    world.follow_up_for(&policy(), 600).await;
    assert_eq!(world.state(&decision).await, DecisionState::Released);
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn release_ends_a_decision_when_its_call_is_deferred() {
    let world = TestEnv::new(machines(2)).await;
    let failing = |operation: &str| FaultRule::new(operation, FaultAction::status(503));
    for (number, operation) in [(1, "isolation.bulk"), (2, "isolation.get")] {
        world.fault(failing(operation));
        let decision = world.begin(&format!("event {number}"), host(number)).await;
        assert_eq!(world.work(&policy(), &decision).await, DecisionState::Deferred);
        world.ledger().release_endpoint(ACME, &id(number), "ana", world.now()).await.unwrap();
        world.clear_faults();
        world.follow_up_for(&policy(), 900).await;
        let state = world.state(&decision).await;
        assert!(matches!(state, DecisionState::Released | DecisionState::Declined), "{state}");
        assert_eq!(world.object_names(&format!("claims/{ACME}/{}", id(number))).await, [""; 0]);
    }
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn release_fails_when_there_is_nothing_to_release() {
    let world = TestEnv::new(machines(1)).await;
    let ledger = world.ledger();
    let release = async |tenant: &str, endpoint: &str| {
        ledger.release_endpoint(tenant, endpoint, "ana", world.now()).await.unwrap_err()
    };
    assert!(matches!(release(ACME, &id(1)).await, CommandError::NothingToRelease { .. }));
    for (tenant, endpoint) in [("../slots", id(1)), (ACME, "pc-1".to_owned()), (ACME, String::new())] {
        assert_eq!(release(tenant, &endpoint).await, CommandError::InvalidEndpoint, "{endpoint}");
    }
    isolate_for_alert(&world, "edr", "a", "1").await;
    assert!(matches!(release(BETA, &id(1)).await, CommandError::NothingToRelease { .. }));
    ledger.release_endpoint(ACME, &id(1), "ana", world.now()).await.unwrap();
    world.follow_up_for(&policy(), HOUR).await;
    let error = release(ACME, &id(1)).await;
    assert!(matches!(error, CommandError::NothingToRelease { .. }));
    assert!(error.to_string().contains(&id(1)), "{error}");
}

#[tokio::test]
async fn release_is_kept_when_it_is_repeated() {
    let world = TestEnv::new(machines(1)).await;
    let [first, second, _] = three_decisions(&world).await;
    for id in [&first, &second, &first] {
        world.ledger().release_decision(id, "ana", world.now()).await.unwrap();
    }
    world.follow_up_for(&policy(), 600).await;
    assert_eq!(world.changes(), ["on 1", "off 1"]);
    let asked = |step: &Value| step["transition"] == "release_pending";
    for id in [&first, &second] {
        let whole = serde_json::to_value(world.decision(id).await).unwrap();
        assert_eq!(whole["entries"].as_array().unwrap().iter().filter(|step| asked(step)).count(), 1);
    }
}
