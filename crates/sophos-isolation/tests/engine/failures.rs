//! Failures of Sophos Central, and runs that die.

use std::time::Duration;

use sophos_isolation::{DecisionState, IsolationOrigin, Transition};
use sophos_simulator::{FaultAction, FaultRule, RetryAfter, TenantState};

use crate::support::{ACME, BETA, HOUR, TestEnv, TestPolicy, host, machines, policy};

#[tokio::test]
async fn truncated_response_is_resolved_by_reading_the_state() {
    let env = TestEnv::new(machines(1)).await;
    env.fault(FaultRule::new("isolation.bulk", FaultAction::Disconnect).times(1));
    let decision = env.decide(&policy(), "event", host(1)).await;
    let last = env.decision(&decision).await.entries().last().unwrap().transition.clone();
    assert_eq!(last, Transition::Requested { origin: IsolationOrigin::AlreadyApplied, comment_tag: None });
    env.follow_up_for(&policy(), 300).await;
    assert_eq!(env.state(&decision).await, DecisionState::Isolated);
    assert_eq!(env.changes(), ["on 1"]);
}

#[tokio::test]
async fn truncated_response_is_resolved_later_when_unreadable() {
    let env = TestEnv::new(machines(1)).await;
    env.sim.set_faults(sophos_simulator::FaultPlan::new([
        FaultRule::new("isolation.bulk", FaultAction::Disconnect).times(1),
        FaultRule::new("isolation.get", FaultAction::status(500)).skip(1).times(6),
    ]));
    let decision = env.decide(&policy(), "event", host(1)).await;
    assert_eq!(env.state(&decision).await, DecisionState::Deferred);
    // Now the policy would refuse it; but it is isolated.
    let protecting = TestPolicy { extra: "[protect]\nnames = [\"pc-1\"]", ..TestPolicy::default() }.policy();
    env.follow_up_for(&protecting, 300).await;
    assert_eq!(env.state(&decision).await, DecisionState::Isolated);
    env.follow_up_for(&protecting, 5 * HOUR).await;
    assert_eq!(env.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn truncated_release_response_is_resolved() {
    let env = TestEnv::new(machines(1)).await;
    let policy = TestPolicy { release: "1h", ..TestPolicy::default() }.policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    env.fault(FaultRule::new("isolation.bulk", FaultAction::Disconnect).times(1));
    env.follow_up_for(&policy, 2 * HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Released);
    assert_eq!(env.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn server_errors_are_retried() {
    for operation in ["endpoints.list", "isolation.get", "isolation.bulk", "partner.tenant"] {
        let env = TestEnv::new(machines(1)).await;
        env.fault(FaultRule::new(operation, FaultAction::status(500)).for_duration(Duration::from_secs(400)));
        let decision = env.decide(&policy(), "event", host(1)).await;
        assert_eq!(env.state(&decision).await, DecisionState::Deferred, "{operation}");
        env.follow_up_for(&policy(), 1_200).await;
        assert_eq!(env.state(&decision).await, DecisionState::Isolated, "{operation}");
        assert_eq!(env.changes(), ["on 1"], "{operation}");
    }
}

#[tokio::test]
async fn decision_fails_after_a_day_of_server_errors() {
    let env = TestEnv::new(machines(1)).await;
    env.fault(FaultRule::new("isolation.bulk", FaultAction::status(503)));
    let decision = env.decide(&policy(), "event", host(1)).await;
    env.follow_up_for(&policy(), 25 * HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Failed);
    assert_eq!(env.publisher.outcomes_of(&decision), ["failed"]);
    assert_eq!(env.ledger().scheduled_follow_ups().await.unwrap(), []);
    assert!(env.object_names(&format!("permits/estate/{ACME}")).await.iter().all(|slot| slot.ends_with('2')));
}

#[tokio::test]
async fn throttled_call_waits_for_retry_after() {
    let env = TestEnv::new(machines(1)).await;
    let busy = FaultAction::throttle(Some(RetryAfter::Seconds(300)));
    env.fault(FaultRule::new("isolation.bulk", busy).for_duration(Duration::from_secs(600)));
    let decision = env.begin("event", host(1)).await;
    assert_eq!(env.work(&policy(), &decision).await, DecisionState::Deferred);
    env.follow_up_for(&policy(), 540).await;
    assert_eq!(env.changes(), [""; 0]);
    env.follow_up_for(&policy(), 900).await;
    assert_eq!(env.state(&decision).await, DecisionState::Isolated);
    assert_eq!(env.changes(), ["on 1"]);
    assert!(env.calls("isolation.bulk") <= 5, "{}", env.calls("isolation.bulk"));
}

#[tokio::test]
async fn call_ends_before_its_lease() {
    let env = TestEnv::new(machines(1)).await;
    let busy = FaultAction::throttle(Some(RetryAfter::Seconds(110)));
    env.fault(FaultRule::new("isolation.bulk", busy).times(1));
    let decision = env.begin("event", host(1)).await;
    let before = env.now();
    env.work(&policy(), &decision).await;
    assert!(env.now() - before < Duration::from_secs(90), "another run may be at it by now");
    assert_eq!(env.state(&decision).await, DecisionState::Deferred);
    env.follow_up_for(&policy(), 600).await;
    assert_eq!(env.changes(), ["on 1"]);
}

#[tokio::test]
async fn run_stops_at_its_deadline() {
    let env = TestEnv::new(machines(1)).await;
    env.fault(
        FaultRule::new("endpoints.list", FaultAction::throttle(Some(RetryAfter::Seconds(60)))).times(1),
    );
    let decision = env.begin("event", host(1)).await;
    let stop_at = env.now() + Duration::from_secs(20);
    let worked = env.engine().process(&policy(), std::slice::from_ref(&decision), Some(stop_at)).await;
    assert!(matches!(worked[0].result, Ok(Some(DecisionState::Deferred))), "{worked:?}");
    assert!(env.now() <= stop_at);
    env.follow_up_for(&policy(), 300).await;
    assert_eq!(env.state(&decision).await, DecisionState::Isolated);
}

#[tokio::test]
async fn forbidden_tenant_fails_with_the_reason() {
    let env = TestEnv::new(machines(1)).await;
    env.sim.set_tenant_state(ACME, TenantState::Forbidden);
    let decision = env.decide(&policy(), "event", host(1)).await;
    assert_eq!(env.state(&decision).await, DecisionState::Failed);
    let detail = env.publisher.last_outcome(&decision).detail.unwrap();
    assert!(detail.contains("not permitted") && detail.contains(ACME), "{detail}");
    env.follow_up_for(&policy(), HOUR).await;
    assert_eq!(env.publisher.outcomes_of(&decision), ["failed"]);
}

#[tokio::test]
async fn expired_credential_defers_until_renewed() {
    let env = TestEnv::new(machines(1)).await;
    env.expire_credential();
    let decision = env.begin("event", host(1)).await;
    let engine = env.engine();
    engine.process(&policy(), std::slice::from_ref(&decision), None).await;
    assert_eq!(env.state(&decision).await, DecisionState::Deferred);
    env.renew_credential();
    let engine = env.engine();
    env.advance_clock(90);
    engine.follow_up(&policy(), None).await.unwrap();
    assert_eq!(env.state(&decision).await, DecisionState::Requested);
}

#[tokio::test]
async fn tenant_credential_is_used_for_its_tenant() {
    // The policy lets the source act on both tenants, so both are searched.
    for (own, expected) in [(&[BETA][..], DecisionState::Deferred), (&[ACME, BETA], DecisionState::Requested)]
    {
        let env = TestEnv::new(machines(1)).await;
        env.expire_credential();
        let decision = env.begin("event", host(1)).await;
        env.engine_with_tenant_credentials(own)
            .process(&policy(), std::slice::from_ref(&decision), None)
            .await;
        assert_eq!(env.state(&decision).await, expected, "{own:?}");
    }
}

#[tokio::test]
async fn credential_expiry_during_isolation_is_reported() {
    for seconds in [60, 4 * HOUR] {
        let env = TestEnv::new(machines(1)).await;
        let decision = env.decide(&policy(), "event", host(1)).await;
        env.expire_credential();
        let engine = env.engine();
        env.advance_clock(seconds);
        let report = engine.follow_up(&policy(), None).await.unwrap();
        assert_eq!(report.errors.len(), 1, "{report:?}");
        env.renew_credential();
        env.follow_up_for(&policy(), 5 * HOUR).await;
        assert_eq!(env.state(&decision).await, DecisionState::Released);
    }
}

#[tokio::test]
async fn next_run_isolates_when_a_run_died_before_its_call() {
    let env = TestEnv::new(machines(1)).await;
    let decision = env.begin("event", host(1)).await;
    env.crash_run(&policy(), std::slice::from_ref(&decision), false).await;
    assert_eq!(env.state(&decision).await, DecisionState::Claimed);
    assert_eq!(env.work(&policy(), &decision).await, DecisionState::Claimed, "its lease is not over");
    env.advance_clock(60);
    env.follow_up(&policy()).await;
    assert_eq!(env.changes(), [""; 0]);
    env.follow_up_for(&policy(), 300).await;
    assert_eq!(env.state(&decision).await, DecisionState::Isolated);
    assert_eq!(env.changes(), ["on 1"]);
}

#[tokio::test]
async fn next_run_finds_the_isolation_when_a_run_died_after_it() {
    let env = TestEnv::new(machines(2)).await;
    let decisions = env.begin_all(1..=2).await;
    env.crash_run(&policy(), &decisions, true).await;
    assert_eq!(env.changes(), ["on 1", "on 2"]);
    env.follow_up_for(&policy(), 300).await;
    for decision in &decisions {
        let whole = env.decision(decision).await;
        assert_eq!(whole.state(), DecisionState::Isolated);
        let found = |step: &Transition| {
            matches!(step, Transition::Requested { origin: IsolationOrigin::AlreadyApplied, .. })
        };
        assert!(whole.entries().iter().any(|entry| found(&entry.transition)));
    }
    env.follow_up_for(&policy(), 5 * HOUR).await;
    assert_eq!(env.changes(), ["on 1", "on 2", "off 1", "off 2"]);
}

#[tokio::test]
async fn lost_call_is_not_repeated_on_another_endpoint() {
    let mut all = machines(2);
    all[1].hostname = Some("pc-1".into());
    all[1].macs = Some(vec![crate::support::mac(1)]);
    all[1].online = Some(false);
    all[1].last_seen_seconds_ago = Some(HOUR as u32);
    for machine in &mut all {
        machine.ipv4 = Some(vec!["10.9.9.9".parse().unwrap()]);
    }
    let env = TestEnv::new(all).await;
    let decision = env.begin("event", serde_json::json!({ "ip_addresses": ["10.9.9.9"] })).await;
    env.crash_run(&policy(), std::slice::from_ref(&decision), true).await;
    env.set_online(1, false);
    env.advance_clock(HOUR / 2);
    env.set_online(2, true);
    env.follow_up_for(&policy(), 300).await;
    assert_eq!(env.changes(), ["on 1"]);
    env.set_online(1, true);
    env.follow_up_for(&policy(), 5 * HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Released);
    assert_eq!(env.changes(), ["on 1", "off 1"]);
}
