//! Isolations and releases in the console of Sophos Central.

use sophos_isolation::DecisionState;

use crate::support::{ACME, HOUR, TestEnv, TestPolicy, host, id, machines, policy};

#[tokio::test]
async fn external_isolation_is_left_untouched() {
    let env = TestEnv::new(machines(1)).await;
    env.isolate_in_console(1, true, "by hand").await;
    env.advance_clock(120);
    let decision = env.decide(&policy(), "event", host(1)).await;
    assert_eq!(env.state(&decision).await, DecisionState::AlreadyIsolated);
    assert_eq!(env.publisher.last_outcome(&decision).detail.as_deref(), Some("by hand"));
    env.follow_up_for(&policy(), 6 * HOUR).await;
    assert_eq!(env.changes(), ["on 1"]);
    assert_eq!(env.ledger().scheduled_follow_ups().await.unwrap(), []);
    assert_eq!(env.object_names(&format!("permits/estate/{ACME}")).await, [""; 0]);
}

#[tokio::test]
async fn external_release_ends_the_decision_and_frees_permits() {
    let env = TestEnv::new(machines(10)).await;
    let policy = TestPolicy { estate_share: 0.1, ..TestPolicy::default() }.policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    env.follow_up_for(&policy, 300).await;
    env.isolate_in_console(1, false, "it is clean").await;
    env.follow_up_for(&policy, HOUR + 120).await;
    assert_eq!(env.state(&decision).await, DecisionState::Superseded);
    let next = env.decide(&policy, "next", host(2)).await;
    assert_eq!(env.state(&next).await, DecisionState::Requested);
    env.follow_up_for(&policy, HOUR).await;
    assert_eq!(env.changes(), ["on 1", "off 1", "on 2"]);
}

#[tokio::test]
async fn external_reisolation_is_not_released() {
    let env = TestEnv::new(machines(1)).await;
    let decision = env.decide(&policy(), "event", host(1)).await;
    env.follow_up_for(&policy(), 300).await;
    env.isolate_in_console(1, false, "it is clean").await;
    env.advance_clock(120);
    // The comment mentions our tag, but the isolation is external.
    env.isolate_in_console(1, true, &format!("it is not; see {decision}")).await;
    env.follow_up_for(&policy(), 6 * HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Superseded);
    assert_eq!(env.changes(), ["on 1", "off 1", "on 1"]);
    assert_eq!(env.object_names(&format!("claims/{ACME}/{}", id(1))).await, [""; 0]);
}

#[tokio::test]
async fn detail_contains_no_secret_from_a_comment() {
    let env = TestEnv::new(machines(2)).await;
    let secret = env.sim.credentials()[0].client_secret.clone();
    let comment = format!("by hand, with {secret}");
    env.isolate_in_console(1, true, &comment).await;
    let (first, second) =
        (env.decide(&policy(), "event", host(1)).await, env.decide(&policy(), "another", host(2)).await);
    env.follow_up_for(&policy(), 300).await;
    env.isolate_in_console(2, false, "it is clean").await;
    env.advance_clock(120);
    env.isolate_in_console(2, true, &comment).await;
    env.follow_up_for(&policy(), 6 * HOUR).await;
    assert_eq!(env.state(&second).await, DecisionState::Superseded);
    for decision in [first, second] {
        let detail = env.publisher.last_outcome(&decision).detail.expect("a reason");
        assert!(detail.ends_with("by hand, with [redacted]"), "{detail}");
        let kept = env.ledger().load_decision(&decision).await.unwrap().unwrap();
        assert!(!serde_json::to_string(kept.entries()).unwrap().contains(&secret));
    }
}

#[tokio::test]
async fn external_isolation_during_a_release_is_external() {
    let env = TestEnv::new(machines(1)).await;
    let policy = TestPolicy { release: "10m", ..TestPolicy::default() }.policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    while env.state(&decision).await != DecisionState::ReleaseRequested {
        env.follow_up_for(&policy, 60).await;
    }
    env.advance_clock(60);
    env.isolate_in_console(1, true, "by hand").await;
    env.follow_up_for(&policy, HOUR).await;
    assert!(env.state(&decision).await.is_final());
    assert_eq!(env.changes(), ["on 1", "off 1", "on 1"]);
}
