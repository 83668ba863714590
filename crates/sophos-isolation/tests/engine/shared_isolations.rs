//! Several decisions on one endpoint.

use std::sync::Arc;

use serde_json::json;
use sophos_isolation::{DecisionId, DecisionState, IsolationOrigin, Transition};
use sophos_simulator::{FaultAction, FaultRule};

use crate::support::{HOUR, TestEnv, host, machines, policy};

/// A decision about the first machine with this time to release.
async fn begin_with_duration(env: &TestEnv, event: &str, seconds: u64) -> DecisionId {
    let decision = env.begin_with(event, json!({ "host": host(1), "release_after_seconds": seconds })).await;
    env.work(&policy(), &decision).await;
    decision
}

async fn isolation_origin(env: &TestEnv, decision: &DecisionId) -> IsolationOrigin {
    let whole = env.decision(decision).await;
    let how = whole.entries().iter().find_map(|entry| match entry.transition {
        Transition::Requested { origin: how, .. } => Some(how),
        _ => None,
    });
    how.unwrap()
}

#[tokio::test]
async fn last_of_two_decisions_releases() {
    for (first, second) in [(HOUR, 2 * HOUR), (2 * HOUR, HOUR)] {
        let env = TestEnv::new(machines(1)).await;
        let (a, b) =
            (begin_with_duration(&env, "a", first).await, begin_with_duration(&env, "b", second).await);
        assert_eq!(isolation_origin(&env, &a).await, IsolationOrigin::Requested);
        assert_eq!(isolation_origin(&env, &b).await, IsolationOrigin::Shared);
        assert_eq!(env.changes(), ["on 1"]);
        let (shorter, longer) = if first < second { (&a, &b) } else { (&b, &a) };
        env.follow_up_for(&policy(), HOUR + 1_200).await;
        assert_eq!(env.state(shorter).await, DecisionState::Transferred);
        assert_eq!(env.state(longer).await, DecisionState::Isolated);
        assert_eq!(env.changes(), ["on 1"]);
        env.follow_up_for(&policy(), HOUR).await;
        assert_eq!(env.state(longer).await, DecisionState::Released);
        assert_eq!(env.changes(), ["on 1", "off 1"]);
        assert_eq!(env.ledger().scheduled_follow_ups().await.unwrap(), []);
    }
}

#[tokio::test]
async fn one_of_two_decisions_ending_together_releases() {
    let env = TestEnv::new(machines(1)).await;
    let (a, b) = (begin_with_duration(&env, "a", HOUR).await, begin_with_duration(&env, "b", HOUR).await);
    env.follow_up_for(&policy(), 2 * HOUR).await;
    assert_eq!(env.changes(), ["on 1", "off 1"]);
    for decision in [&a, &b] {
        assert!(env.state(decision).await.is_final(), "{}", env.state(decision).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_follow_ups_release_once() {
    for round in 0..6 {
        let env = TestEnv::new(machines(1)).await;
        let mut ids = Vec::new();
        for event in ["a", "b", "c"] {
            ids.push(begin_with_duration(&env, event, HOUR).await);
        }
        env.follow_up_for(&policy(), 300).await;
        env.advance_clock(HOUR);
        let policy = Arc::new(policy());
        let runs: Vec<_> = (0..4)
            .map(|_| {
                let (engine, policy) = (env.engine(), Arc::clone(&policy));
                tokio::spawn(async move { engine.follow_up(&policy, None).await })
            })
            .collect();
        for run in runs {
            run.await.unwrap().unwrap();
        }
        env.follow_up_for(&policy, 1_200).await;
        assert_eq!(env.changes().last().unwrap(), "off 1", "round {round}");
        for decision in &ids {
            assert!(env.state(decision).await.is_final());
        }
    }
}

#[tokio::test]
async fn two_decisions_of_one_run_share_an_isolation() {
    let env = TestEnv::new(machines(1)).await;
    let a = env.begin_with("a", json!({ "host": host(1), "release_after_seconds": HOUR })).await;
    let b = env.begin_with("b", json!({ "host": host(1), "release_after_seconds": 2 * HOUR })).await;
    env.engine().process(&policy(), &[a.clone(), b.clone()], None).await;
    assert_eq!(env.changes(), ["on 1"]);
    env.follow_up_for(&policy(), HOUR + 1_200).await;
    assert_eq!(env.state(&a).await, DecisionState::Transferred);
    env.follow_up_for(&policy(), HOUR).await;
    assert_eq!(env.state(&b).await, DecisionState::Released);
    assert_eq!(env.changes(), ["on 1", "off 1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_engines_share_an_isolation() {
    for _ in 0..6 {
        let env = TestEnv::new(machines(1)).await;
        let policy = Arc::new(policy());
        let mut ids = Vec::new();
        let mut runs = Vec::new();
        for event in ["a", "b"] {
            let id = env.begin(event, host(1)).await;
            ids.push(id.clone());
            let (engine, policy) = (env.engine(), Arc::clone(&policy));
            runs.push(tokio::spawn(async move { engine.process(&policy, &[id], None).await }));
        }
        for run in runs {
            run.await.unwrap()[0].result.as_ref().unwrap();
        }
        env.follow_up_for(&policy, 300).await;
        for id in &ids {
            assert_eq!(env.state(id).await, DecisionState::Isolated);
        }
        env.follow_up_for(&policy, 5 * HOUR).await;
        assert_eq!(env.changes(), ["on 1", "off 1"]);
    }
}

#[tokio::test]
async fn early_release_transfers_the_isolation() {
    for ended in ["a", "b"] {
        let env = TestEnv::new(machines(1)).await;
        let (a, b) =
            (begin_with_duration(&env, "a", 3 * HOUR).await, begin_with_duration(&env, "b", HOUR).await);
        env.follow_up_for(&policy(), 300).await;
        let (ended, other) = if ended == "a" { (&a, &b) } else { (&b, &a) };
        env.ledger().request_release(ended, "ana", env.now()).await.unwrap();
        env.follow_up_for(&policy(), 300).await;
        assert_eq!(env.state(ended).await, DecisionState::Transferred);
        assert_eq!(env.changes(), ["on 1"], "the other has not ended");
        env.follow_up_for(&policy(), 4 * HOUR).await;
        assert_eq!(env.state(other).await, DecisionState::Released);
        assert_eq!(env.changes(), ["on 1", "off 1"]);
    }
}

#[tokio::test]
async fn isolation_is_not_transferred_to_a_waiting_decision() {
    let env = TestEnv::new(machines(2)).await;
    // Both have read that it is not isolated; the request of one is deferred.
    let b = env.begin("b", host(1)).await;
    env.fault(FaultRule::new("isolation.bulk", FaultAction::status(503)));
    assert_eq!(env.work(&policy(), &b).await, DecisionState::Deferred);
    env.clear_faults();
    let a = begin_with_duration(&env, "a", 600).await;
    assert_eq!(env.state(&a).await, DecisionState::Requested);
    // The other is no longer allowed when its turn comes.
    let without =
        crate::support::TestPolicy { extra: "[protect]\nnames = [\"pc-1\"]", ..Default::default() }.policy();
    env.follow_up_for(&without, HOUR).await;
    assert_eq!(env.state(&b).await, DecisionState::Refused);
    assert_eq!(env.state(&a).await, DecisionState::Released);
    assert_eq!(env.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn signal_during_a_release_isolates_again() {
    let env = TestEnv::new(machines(1)).await;
    let a = begin_with_duration(&env, "a", HOUR).await;
    env.follow_up_for(&policy(), 300).await;
    // Its time has passed, and Sophos Central refuses the release.
    env.fault(FaultRule::new("isolation.bulk", FaultAction::status(503)));
    env.follow_up_for(&policy(), HOUR).await;
    assert_eq!(env.state(&a).await, DecisionState::ReleasePending);
    let b = begin_with_duration(&env, "b", HOUR).await;
    assert!(!env.state(&b).await.is_final(), "{}", env.state(&b).await);
    env.clear_faults();
    env.follow_up_for(&policy(), 1_500).await;
    assert_eq!(env.state(&a).await, DecisionState::Released);
    assert_eq!(env.state(&b).await, DecisionState::Isolated);
    assert_eq!(env.changes(), ["on 1", "off 1", "on 1"]);
    env.follow_up_for(&policy(), 2 * HOUR).await;
    assert_eq!(env.changes(), ["on 1", "off 1", "on 1", "off 1"]);
}

#[tokio::test]
async fn three_decisions_transfer_the_isolation_in_turn() {
    let env = TestEnv::new(machines(1)).await;
    let mut ids = Vec::new();
    for (event, hours) in [("a", 1), ("b", 2), ("c", 3)] {
        ids.push(begin_with_duration(&env, event, hours * HOUR).await);
    }
    env.follow_up_for(&policy(), 2 * HOUR + 1_200).await;
    assert_eq!(env.state(&ids[0]).await, DecisionState::Transferred);
    assert_eq!(env.state(&ids[1]).await, DecisionState::Transferred);
    assert_eq!(env.changes(), ["on 1"]);
    env.follow_up_for(&policy(), HOUR).await;
    assert_eq!(env.state(&ids[2]).await, DecisionState::Released);
    assert_eq!(env.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn isolation_is_not_transferred_to_an_ended_decision() {
    let env = TestEnv::new(machines(2)).await;
    let late = env.begin_with("late", json!({ "host": host(1), "release_after_seconds": 600 })).await;
    env.crash_run(&policy(), std::slice::from_ref(&late), false).await;
    let ended = begin_with_duration(&env, "ended", 4 * HOUR).await;
    env.follow_up_for(&policy(), 60).await;
    assert_eq!(env.state(&ended).await, DecisionState::Isolated);
    env.isolate_in_console(1, false, "it is clean").await;
    env.advance_clock(60);
    // The other was not followed up since; it is once an hour.
    env.follow_up_for(&policy(), HOUR / 2).await;
    assert_eq!(env.state(&late).await, DecisionState::Released);
    assert_eq!(env.changes(), ["on 1", "off 1", "on 1", "off 1"]);
    env.follow_up_for(&policy(), HOUR).await;
    assert_eq!(env.state(&ended).await, DecisionState::Superseded);
}
