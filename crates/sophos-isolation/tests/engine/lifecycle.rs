//! The lifecycle of a decision, from the signal to the release.

use serde_json::json;
use sophos_isolation::{DecisionId, DecisionState, IsolationOrigin, ReleaseReason, Transition};
use sophos_simulator::{FaultAction, FaultRule};

use crate::support::{ACME, HOUR, TestEnv, TestPolicy, host, id, machines, policy};

#[tokio::test]
async fn isolation_runs_from_signal_to_release() {
    let env = TestEnv::new(machines(2)).await;
    let policy = policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    assert_eq!(env.state(&decision).await, DecisionState::Requested);
    assert_eq!(env.changes(), ["on 1"]);
    assert!(env.sim.isolation_changes()[0].comment.as_deref().unwrap().starts_with(decision.as_str()));

    env.follow_up_for(&policy, 180).await;
    assert_eq!(env.state(&decision).await, DecisionState::Isolated);
    env.follow_up_for(&policy, 4 * HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Released);
    assert_eq!(env.changes(), ["on 1", "off 1"]);

    let whole = env.decision(&decision).await;
    let steps: Vec<&Transition> = whole.entries().iter().map(|entry| &entry.transition).collect();
    match steps.as_slice() {
        [
            Transition::Received(received),
            Transition::Claimed(claim),
            Transition::Requested { origin: IsolationOrigin::Requested, comment_tag: None },
            Transition::Isolated { effective_at: Some(on) },
            Transition::ReleasePending { reason: ReleaseReason::Scheduled, by: None },
            Transition::ReleaseRequested,
            Transition::Released { effective_at: Some(off), .. },
        ] => {
            assert_eq!(received.signal.title, "malware");
            assert_eq!((claim.target.tenant.as_str(), claim.target.endpoint.as_str()), (ACME, &*id(1)));
            assert_eq!(claim.policy_digest, policy.digest());
            assert_eq!(claim.release_after_seconds, Some(4 * HOUR));
            // Four hours from when it was seen, and a minute for the release.
            assert!(on.contains("12.01.00") && off.contains("16.02.00"), "{on} {off}");
        }
        steps => panic!("{steps:#?}"),
    }
    let expected = ["requested", "isolated", "release_requested", "released"];
    assert_eq!(env.publisher.outcomes_of(&decision), expected);
    env.follow_up_for(&policy, HOUR).await;
    assert_eq!(env.publisher.outcomes_of(&decision), expected, "once each");
}

#[tokio::test]
async fn ledger_is_clean_when_all_decisions_have_ended() {
    let env = TestEnv::new(machines(4)).await;
    let policy = TestPolicy { extra: "[protect]\nnames = [\"pc-2\"]", ..TestPolicy::default() }.policy();
    let decisions = env.begin_all(1..=4).await;
    env.engine().process(&policy, &decisions[..3], None).await;
    env.follow_up_for(&policy, 5 * HOUR).await;
    for decision in &decisions {
        assert!(env.state(decision).await.is_final(), "{decision}");
    }
    assert_eq!(env.ledger().scheduled_follow_ups().await.unwrap(), []);
    for number in 1..=4 {
        assert_eq!(env.object_names(&format!("claims/{ACME}/{}", id(number))).await, [""; 0]);
    }
}

#[tokio::test]
async fn repeated_events_add_no_scheduled_checks() {
    let env = TestEnv::new(machines(1)).await;
    let policy = policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    let received = env.decision(&decision).await.received().unwrap().clone();
    for _ in 0..40 {
        env.ledger().create_decision(&decision, &received, env.now()).await.unwrap();
        env.follow_up_for(&policy, 30).await;
    }
    env.follow_up_for(&policy, 120).await;
    assert_eq!(env.state(&decision).await, DecisionState::Isolated);
    let reminders = env.ledger().scheduled_follow_ups().await.unwrap();
    assert!(reminders.len() <= 2, "{reminders:?}");
}

#[tokio::test]
async fn follow_up_finds_a_decision_whose_message_was_lost() {
    let env = TestEnv::new(machines(1)).await;
    let policy = policy();
    let decision = env.begin("event", host(1)).await;
    env.follow_up(&policy).await;
    assert_eq!(env.state(&decision).await, DecisionState::Received, "its message may be on its way");
    env.advance_clock(90);
    let report = env.follow_up(&policy).await;
    assert_eq!(env.state(&decision).await, DecisionState::Requested);
    assert_eq!((report.due, report.transitions.get("requested")), (1, Some(&1)));
    assert_eq!(env.changes(), ["on 1"]);
}

#[tokio::test]
async fn offline_endpoint_is_reported_once_and_isolated_later() {
    let env = TestEnv::new(machines(1)).await;
    env.set_online(1, false);
    let policy = policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    env.follow_up_for(&policy, 3 * HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Requested);
    assert_eq!(env.publisher.outcomes_of(&decision), ["requested", "overdue"]);
    assert!(env.publisher.last_outcome(&decision).detail.unwrap().contains("offline"));
    env.set_online(1, true);
    env.follow_up_for(&policy, HOUR / 2 + 60).await;
    assert_eq!(env.publisher.outcomes_of(&decision), ["requested", "overdue", "isolated"]);
    env.follow_up_for(&policy, 2 * HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Isolated, "its time began when it took effect");
    env.follow_up_for(&policy, 3 * HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Released);
    assert_eq!(env.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn isolation_time_starts_when_the_endpoint_is_online() {
    let env = TestEnv::new(machines(1)).await;
    env.set_online(1, false);
    let policy = TestPolicy { release: "1h", ..TestPolicy::default() }.policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    env.follow_up_for(&policy, 30 * HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Requested);
    assert_eq!((env.changes(), env.calls("isolation.bulk")), (vec!["on 1".to_owned()], 1));
    env.set_online(1, true);
    env.follow_up_for(&policy, HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Isolated);
    env.follow_up_for(&policy, 2 * HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Released);
}

#[tokio::test]
async fn ineffective_isolation_is_released_when_online_again() {
    let env = TestEnv::new(machines(1)).await;
    env.set_online(1, false);
    let policy = TestPolicy { release: "1h", ..TestPolicy::default() }.policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    env.ledger().request_release(&decision, "a person", env.now()).await.unwrap();
    env.follow_up_for(&policy, 6 * HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::ReleasePending, "the service has a change pending");
    let calls = env.calls("isolation.bulk");
    assert!(calls < 60, "{calls} calls in six hours");
    env.set_online(1, true);
    env.follow_up_for(&policy, HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Released);
    assert_eq!(env.changes(), ["on 1", "off 1"]);
    assert_eq!(env.ledger().scheduled_follow_ups().await.unwrap(), []);
}

#[tokio::test]
async fn pending_release_of_offline_endpoint_is_polled_rarely() {
    let env = TestEnv::new(machines(1)).await;
    let policy = TestPolicy { release: "1h", ..TestPolicy::default() }.policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    env.follow_up_for(&policy, 300).await;
    env.set_online(1, false);
    env.follow_up_for(&policy, 2 * HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::ReleaseRequested);
    env.sim.reset_calls();
    env.follow_up_for(&policy, 12 * HOUR).await;
    let looks = env.calls("isolation.get");
    assert!(looks < 60, "{looks} looks in twelve hours");
    assert_eq!(env.publisher.outcomes_of(&decision).iter().filter(|what| *what == "overdue").count(), 1);
    env.set_online(1, true);
    env.follow_up_for(&policy, HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Released);
}

#[tokio::test]
async fn outcome_is_published_again_when_the_bus_failed() {
    let env = TestEnv::new(machines(1)).await;
    let policy = policy();
    let decision = env.begin("event", host(1)).await;
    env.publisher.fail(2);
    let worked = env.engine().process(&policy, std::slice::from_ref(&decision), None).await;
    let error = worked[0].result.as_ref().unwrap_err().to_string();
    assert!(error.contains(decision.as_str()) && error.contains("the bus is down"), "{error}");
    assert_eq!(env.state(&decision).await, DecisionState::Requested, "it is isolated all the same");
    env.advance_clock(90);
    let report = env.follow_up(&policy).await;
    assert_eq!(report.errors.len(), 1, "{report:?}");
    assert_eq!(env.publisher.outcomes_of(&decision), [""; 0]);
    env.follow_up_for(&policy, 300).await;
    assert_eq!(env.publisher.outcomes_of(&decision), ["requested", "isolated"]);
    assert_eq!(env.changes(), ["on 1"]);
}

#[tokio::test]
async fn signal_may_only_shorten_an_isolation() {
    let env = TestEnv::new(machines(2)).await;
    let policy = policy();
    for (number, requested, granted) in [(1, 600, 600), (2, 90 * HOUR, 4 * HOUR)] {
        let signal = json!({ "host": host(number), "release_after_seconds": requested });
        let decision = env.begin_with(&format!("event {number}"), signal).await;
        env.work(&policy, &decision).await;
        assert_eq!(env.decision(&decision).await.claim().unwrap().release_after_seconds, Some(granted));
    }
}

#[tokio::test]
async fn isolation_without_an_end_stays() {
    let env = TestEnv::new(machines(1)).await;
    let policy = TestPolicy { release: "never", ..TestPolicy::default() }.policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    env.follow_up_for(&policy, 30 * HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Isolated);
    assert_eq!(env.changes(), ["on 1"]);
}

#[tokio::test]
async fn work_ignores_an_unknown_decision() {
    let env = TestEnv::new(machines(1)).await;
    let unknown = DecisionId::from_event_id("edr", "never seen");
    let worked = env.engine().process(&policy(), &[unknown.clone(), unknown], None).await;
    assert_eq!(worked.len(), 1);
    assert!(matches!(worked[0].result, Ok(None)));
}

#[tokio::test]
async fn deleted_endpoint_ends_its_decision() {
    for releasing in [false, true] {
        let env = TestEnv::new(machines(1)).await;
        let policy = TestPolicy { release: "1h", ..TestPolicy::default() }.policy();
        env.set_online(1, releasing);
        let decision = env.decide(&policy, "event", host(1)).await;
        env.follow_up_for(&policy, 300).await;
        let state = if releasing { DecisionState::Isolated } else { DecisionState::Requested };
        assert_eq!(env.state(&decision).await, state);
        env.fault(FaultRule::new("isolation.get", FaultAction::status(404)));
        env.follow_up_for(&policy, if releasing { HOUR } else { HOUR / 2 }).await;
        assert_eq!(env.state(&decision).await, DecisionState::Superseded, "releasing: {releasing}");
        assert_eq!(env.ledger().scheduled_follow_ups().await.unwrap(), []);
    }
}
