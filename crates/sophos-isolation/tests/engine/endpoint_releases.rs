//! The release of an endpoint by a person, which ends every decision that claims it.

use serde_json::{Value, json};
use sophos_isolation::{CommandError, DecisionId, DecisionState, FollowUpScope, Transition};
use sophos_simulator::{FaultAction, FaultRule};

use crate::support::{ACME, BETA, HOUR, TestEnv, TestPolicy, host, id, machines, policy};

async fn isolate_for_alert(env: &TestEnv, source: &str, alert: &str, event: &str) -> DecisionId {
    let id = env.begin_update(source, alert, event, json!({ "host": host(1) })).await;
    env.work(&policy(), &id).await;
    id
}

/// Decisions of two sources and three alerts that claim the first machine.
async fn three_decisions(env: &TestEnv) -> [DecisionId; 3] {
    let first = isolate_for_alert(env, "edr", "a", "1").await;
    let second = isolate_for_alert(env, "edr", "b", "2").await;
    let third = isolate_for_alert(env, "soc", "c", "3").await;
    env.follow_up_for(&policy(), 300).await;
    for id in [&first, &second, &third] {
        assert_eq!(env.state(id).await, DecisionState::Isolated);
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
        let env = TestEnv::new(machines(2)).await;
        let all = three_decisions(&env).await;
        let neighbour = env.decide(&policy(), "neighbour", host(2)).await;
        let ledger = env.ledger();
        let ended = if by_machine {
            ledger.release_endpoint(&ACME.to_uppercase(), &id(1), "ana", env.now()).await.unwrap()
        } else {
            ledger.release_decision(&all[1], "ana", env.now()).await.unwrap()
        };
        assert_eq!(sorted(ended.clone()), sorted(all.clone()));
        env.engine().follow_up_scope(&policy(), FollowUpScope::Decisions(&ended), None).await.unwrap();
        assert_eq!(env.changes(), ["on 1", "on 2", "off 1"], "at once");
        env.follow_up_for(&policy(), 300).await;
        for id in &all {
            assert!(env.state(id).await.is_final(), "{}", env.state(id).await);
            let is_requested = env.decision(id).await.entries().iter().any(
                |entry| matches!(&entry.transition, Transition::ReleasePending { by: Some(who), .. } if who == "ana"),
            );
            assert!(is_requested, "{id}");
        }
        assert_eq!(env.state(&neighbour).await, DecisionState::Isolated);
        // No update of any of the three isolates it again.
        for (source, alert, event) in [("edr", "a", "4"), ("edr", "b", "5"), ("soc", "c", "6")] {
            let update = isolate_for_alert(&env, source, alert, event).await;
            assert_eq!(env.code(&update).await, "released");
        }
        assert_eq!(env.changes(), ["on 1", "on 2", "off 1"]);
    }
}

#[tokio::test]
async fn release_follows_merged_and_transferred_decisions() {
    let env = TestEnv::new(machines(1)).await;
    let short = json!({ "host": host(1), "release_after_seconds": 600 });
    let first = env.begin_update("edr", "a", "1", short).await;
    env.work(&policy(), &first).await;
    let update = isolate_for_alert(&env, "edr", "a", "2").await;
    assert_eq!(env.state(&update).await, DecisionState::Merged);
    let longer = isolate_for_alert(&env, "edr", "b", "3").await;
    env.follow_up_for(&policy(), 1_800).await;
    assert_eq!(env.state(&first).await, DecisionState::Transferred);
    assert_eq!(
        env.ledger().release_decision(&update, "ana", env.now()).await.unwrap(),
        std::slice::from_ref(&longer)
    );
    env.follow_up_for(&policy(), 300).await;
    assert_eq!(env.state(&longer).await, DecisionState::Released);
    // The alert whose isolation was transferred was released with it.
    let update = isolate_for_alert(&env, "edr", "a", "4").await;
    assert_eq!(env.code(&update).await, "released");
    assert_eq!(env.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn release_by_a_sender_ends_only_its_own() {
    let env = TestEnv::new(machines(1)).await;
    let [first, second, third] = three_decisions(&env).await;
    let signal = json!({ "action": "release", "severity": null, "host": host(1) });
    let release = env.begin_for_source("soc", "release", signal).await;
    assert_eq!(env.work(&policy(), &release).await, DecisionState::Delegated);
    env.follow_up_for(&policy(), 300).await;
    assert_eq!(env.state(&third).await, DecisionState::Transferred);
    for id in [&first, &second] {
        assert_eq!(env.state(id).await, DecisionState::Isolated);
    }
    assert_eq!(env.changes(), ["on 1"]);
}

#[tokio::test]
async fn release_declines_decisions_waiting_for_the_machine() {
    let env = TestEnv::new(machines(1)).await;
    let isolated = isolate_for_alert(&env, "edr", "a", "1").await;
    let careful = TestPolicy { source: "approve = \"always\"", ..TestPolicy::default() }.policy();
    let waiting = env.begin_update("edr", "b", "2", json!({ "host": host(1) })).await;
    assert_eq!(env.work(&careful, &waiting).await, DecisionState::PendingApproval);
    let ledger = env.ledger();
    let wrong = ledger.release_decision(&waiting, "ana", env.now()).await;
    assert!(
        matches!(wrong, Err(CommandError::InvalidState { state: DecisionState::PendingApproval, .. })),
        "{wrong:?}"
    );
    ledger.release_decision(&isolated, "ana", env.now()).await.unwrap();
    env.follow_up_for(&careful, 300).await;
    assert_eq!(env.state(&waiting).await, DecisionState::Declined);
    assert_eq!(env.publisher.outcomes_of(&waiting), ["pending_approval", "declined"]);
    assert_eq!(env.state(&isolated).await, DecisionState::Released);
    assert_eq!(env.object_names(&format!("claims/{ACME}/{}", id(1))).await, [""; 0]);
    assert_eq!(env.ledger().scheduled_follow_ups().await.unwrap(), []);
}

#[tokio::test]
async fn release_waits_for_a_call_in_progress() {
    let env = TestEnv::new(machines(1)).await;
    let decision = env.begin_update("edr", "a", "1", json!({ "host": host(1) })).await;
    let ask = async {
        assert_eq!(env.state(&decision).await, DecisionState::Claimed);
        let ended = env.ledger().release_decision(&decision, "ana", env.now()).await.unwrap();
        env.engine().follow_up_scope(&policy(), FollowUpScope::Decisions(&ended), None).await.unwrap();
        assert_eq!(env.state(&decision).await, DecisionState::ReleasePending);
    };
    env.work_while(&policy(), std::slice::from_ref(&decision), ask).await;
    assert_eq!(env.changes(), ["on 1"], "the call was on its way");
    env.follow_up_for(&policy(), 600).await;
    assert_eq!(env.state(&decision).await, DecisionState::Released);
    assert_eq!(env.changes(), ["on 1", "off 1"]);
    let slots = env.object_names(&format!("permits/estate/{ACME}")).await;
    assert!(slots.iter().all(|slot| slot.ends_with('2')), "given back: {slots:?}");
}

#[tokio::test]
async fn release_ends_a_decision_when_its_run_died_before_the_call() {
    let env = TestEnv::new(machines(1)).await;
    let decision = env.begin_update("edr", "a", "1", json!({ "host": host(1) })).await;
    env.crash_run(&policy(), std::slice::from_ref(&decision), false).await;
    env.ledger().release_decision(&decision, "ana", env.now()).await.unwrap();
    env.follow_up_for(&policy(), 600).await;
    assert_eq!(env.state(&decision).await, DecisionState::Released);
    assert_eq!(env.changes(), [""; 0]);
}

#[tokio::test]
async fn release_ends_a_decision_when_its_call_is_deferred() {
    let env = TestEnv::new(machines(2)).await;
    let failing = |operation: &str| FaultRule::new(operation, FaultAction::status(503));
    for (number, operation) in [(1, "isolation.bulk"), (2, "isolation.get")] {
        env.fault(failing(operation));
        let decision = env.begin(&format!("event {number}"), host(number)).await;
        assert_eq!(env.work(&policy(), &decision).await, DecisionState::Deferred);
        env.ledger().release_endpoint(ACME, &id(number), "ana", env.now()).await.unwrap();
        env.clear_faults();
        env.follow_up_for(&policy(), 900).await;
        let state = env.state(&decision).await;
        assert!(matches!(state, DecisionState::Released | DecisionState::Declined), "{state}");
        assert_eq!(env.object_names(&format!("claims/{ACME}/{}", id(number))).await, [""; 0]);
    }
    assert_eq!(env.changes(), [""; 0]);
}

#[tokio::test]
async fn release_fails_when_there_is_nothing_to_release() {
    let env = TestEnv::new(machines(1)).await;
    let ledger = env.ledger();
    let release = async |tenant: &str, endpoint: &str| {
        ledger.release_endpoint(tenant, endpoint, "ana", env.now()).await.unwrap_err()
    };
    assert!(matches!(release(ACME, &id(1)).await, CommandError::NothingToRelease { .. }));
    for (tenant, endpoint) in [("../slots", id(1)), (ACME, "pc-1".to_owned()), (ACME, String::new())] {
        let error = release(tenant, &endpoint).await;
        assert!(matches!(error, CommandError::InvalidEndpoint), "{endpoint}: {error}");
    }
    isolate_for_alert(&env, "edr", "a", "1").await;
    assert!(matches!(release(BETA, &id(1)).await, CommandError::NothingToRelease { .. }));
    ledger.release_endpoint(ACME, &id(1), "ana", env.now()).await.unwrap();
    env.follow_up_for(&policy(), HOUR).await;
    let error = release(ACME, &id(1)).await;
    assert!(matches!(error, CommandError::NothingToRelease { .. }));
    assert!(error.to_string().contains(&id(1)), "{error}");
}

#[tokio::test]
async fn release_is_kept_when_it_is_repeated() {
    let env = TestEnv::new(machines(1)).await;
    let [first, second, _] = three_decisions(&env).await;
    for id in [&first, &second, &first] {
        env.ledger().release_decision(id, "ana", env.now()).await.unwrap();
    }
    env.follow_up_for(&policy(), 600).await;
    assert_eq!(env.changes(), ["on 1", "off 1"]);
    let is_release = |step: &Value| step["transition"] == "release_pending";
    for id in [&first, &second] {
        let whole = serde_json::to_value(env.decision(id).await).unwrap();
        assert_eq!(whole["entries"].as_array().unwrap().iter().filter(|step| is_release(step)).count(), 1);
    }
}
