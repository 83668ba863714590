//! A service that fails, and runs that die.

use std::time::Duration;

use sophos_isolation::{Asked, State, Step};
use sophos_simulator::{FaultAction, FaultRule, RetryAfter, TenantState};

use crate::support::{ACME, BETA, HOUR, Rules, World, host, machines, policy};

#[tokio::test]
async fn an_answer_that_was_cut_is_settled_by_reading_the_state() {
    let world = World::new(machines(1)).await;
    world.fault(FaultRule::new("isolation.bulk", FaultAction::Cut).times(1));
    let decision = world.decide(&policy(), "event", host(1)).await;
    let last = world.decision(&decision).await.entries().last().unwrap().step.clone();
    assert_eq!(last, Step::Requested { how: Asked::FoundDone, mark: None });
    world.follow_up_for(&policy(), 300).await;
    assert_eq!(world.state(&decision).await, State::Isolated);
    assert_eq!(world.changes(), ["on 1"]);
}

#[tokio::test]
async fn a_cut_answer_whose_state_cannot_be_read_is_settled_later() {
    let world = World::new(machines(1)).await;
    world.sim.set_faults(sophos_simulator::FaultPlan::new([
        FaultRule::new("isolation.bulk", FaultAction::Cut).times(1),
        FaultRule::new("isolation.get", FaultAction::status(500)).skip(1).times(6),
    ]));
    let decision = world.decide(&policy(), "event", host(1)).await;
    assert_eq!(world.state(&decision).await, State::Deferred);
    // Meanwhile the policy would refuse it; but it is isolated.
    let protecting = Rules { more: "[protect]\nnames = [\"pc-1\"]", ..Rules::default() }.policy();
    world.follow_up_for(&protecting, 300).await;
    assert_eq!(world.state(&decision).await, State::Isolated);
    world.follow_up_for(&protecting, 5 * HOUR).await;
    assert_eq!(world.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn a_release_whose_answer_was_cut_is_settled_too() {
    let world = World::new(machines(1)).await;
    let policy = Rules { release: "1h", ..Rules::default() }.policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    world.fault(FaultRule::new("isolation.bulk", FaultAction::Cut).times(1));
    world.follow_up_for(&policy, 2 * HOUR).await;
    assert_eq!(world.state(&decision).await, State::Released);
    assert_eq!(world.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn what_the_service_fails_at_is_tried_again() {
    for operation in ["endpoints.list", "isolation.get", "isolation.bulk", "partner.tenant"] {
        let world = World::new(machines(1)).await;
        world.fault(FaultRule::new(operation, FaultAction::status(500)).lasting(Duration::from_secs(400)));
        let decision = world.decide(&policy(), "event", host(1)).await;
        assert_eq!(world.state(&decision).await, State::Deferred, "{operation}");
        world.follow_up_for(&policy(), 1_200).await;
        assert_eq!(world.state(&decision).await, State::Isolated, "{operation}");
        assert_eq!(world.changes(), ["on 1"], "{operation}");
    }
}

#[tokio::test]
async fn a_service_that_fails_for_a_day_is_given_up_loudly() {
    let world = World::new(machines(1)).await;
    world.fault(FaultRule::new("isolation.bulk", FaultAction::status(503)));
    let decision = world.decide(&policy(), "event", host(1)).await;
    world.follow_up_for(&policy(), 25 * HOUR).await;
    assert_eq!(world.state(&decision).await, State::Failed);
    assert_eq!(world.told.of(&decision), ["failed"]);
    assert_eq!(world.ledger().agenda().await.unwrap(), []);
    assert!(world.names(&format!("slots/estate/{ACME}")).await.iter().all(|slot| slot.ends_with('2')));
}

#[tokio::test]
async fn a_throttled_call_is_made_once_it_may_be() {
    let world = World::new(machines(1)).await;
    let busy = FaultAction::throttle(Some(RetryAfter::Seconds(300)));
    world.fault(FaultRule::new("isolation.bulk", busy).lasting(Duration::from_secs(600)));
    let decision = world.begin("event", host(1)).await;
    assert_eq!(world.work(&policy(), &decision).await, State::Deferred);
    world.follow_up_for(&policy(), 540).await;
    assert_eq!(world.changes(), [""; 0]);
    world.follow_up_for(&policy(), 900).await;
    assert_eq!(world.state(&decision).await, State::Isolated);
    assert_eq!(world.changes(), ["on 1"]);
    assert!(world.calls("isolation.bulk") <= 5, "{}", world.calls("isolation.bulk"));
}

#[tokio::test]
async fn a_call_does_not_outlive_its_lease() {
    let world = World::new(machines(1)).await;
    let busy = FaultAction::throttle(Some(RetryAfter::Seconds(110)));
    world.fault(FaultRule::new("isolation.bulk", busy).times(1));
    let decision = world.begin("event", host(1)).await;
    let before = world.now();
    world.work(&policy(), &decision).await;
    assert!(world.now() - before < Duration::from_secs(90), "another run may be at it by now");
    assert_eq!(world.state(&decision).await, State::Deferred);
    world.follow_up_for(&policy(), 600).await;
    assert_eq!(world.changes(), ["on 1"]);
}

#[tokio::test]
async fn a_run_stops_when_it_is_told_to() {
    let world = World::new(machines(1)).await;
    world.fault(
        FaultRule::new("endpoints.list", FaultAction::throttle(Some(RetryAfter::Seconds(60)))).times(1),
    );
    let decision = world.begin("event", host(1)).await;
    let stop_at = world.now() + Duration::from_secs(20);
    let worked = world.engine().work(&policy(), std::slice::from_ref(&decision), Some(stop_at)).await;
    assert!(matches!(worked[0].outcome, Ok(Some(State::Deferred))), "{worked:?}");
    assert!(world.now() <= stop_at);
    world.follow_up_for(&policy(), 300).await;
    assert_eq!(world.state(&decision).await, State::Isolated);
}

#[tokio::test]
async fn a_tenant_that_may_not_be_entered_fails_with_the_reason() {
    let world = World::new(machines(1)).await;
    world.sim.set_tenant_state(ACME, TenantState::Forbidden);
    let decision = world.decide(&policy(), "event", host(1)).await;
    assert_eq!(world.state(&decision).await, State::Failed);
    let detail = world.told.last(&decision).detail.unwrap();
    assert!(detail.contains("not allowed") && detail.contains(ACME), "{detail}");
    world.follow_up_for(&policy(), HOUR).await;
    assert_eq!(world.told.of(&decision), ["failed"]);
}

#[tokio::test]
async fn an_expired_credential_puts_off_until_there_is_another() {
    let world = World::new(machines(1)).await;
    world.expire();
    let decision = world.begin("event", host(1)).await;
    let engine = world.engine();
    engine.work(&policy(), std::slice::from_ref(&decision), None).await;
    assert_eq!(world.state(&decision).await, State::Deferred);
    world.renew();
    let engine = world.engine();
    world.pass(90);
    engine.follow_up(&policy(), None).await.unwrap();
    assert_eq!(world.state(&decision).await, State::Requested);
}

#[tokio::test]
async fn a_tenant_with_a_credential_of_its_own_is_served_by_it() {
    // The policy lets the source act on both, so both are looked at.
    for (own, expected) in [(&[BETA][..], State::Deferred), (&[ACME, BETA], State::Requested)] {
        let world = World::new(machines(1)).await;
        world.expire();
        let decision = world.begin("event", host(1)).await;
        world.engine_with_own(own).work(&policy(), std::slice::from_ref(&decision), None).await;
        assert_eq!(world.state(&decision).await, expected, "{own:?}");
    }
}

#[tokio::test]
async fn a_credential_that_expires_under_an_isolation_is_noticed() {
    for seconds in [60, 4 * HOUR] {
        let world = World::new(machines(1)).await;
        let decision = world.decide(&policy(), "event", host(1)).await;
        world.expire();
        let engine = world.engine();
        world.pass(seconds);
        let report = engine.follow_up(&policy(), None).await.unwrap();
        assert_eq!(report.errors.len(), 1, "{report:?}");
        world.renew();
        world.follow_up_for(&policy(), 5 * HOUR).await;
        assert_eq!(world.state(&decision).await, State::Released);
    }
}

#[tokio::test]
async fn a_run_that_died_before_its_call_is_followed_by_one_that_isolates() {
    let world = World::new(machines(1)).await;
    let decision = world.begin("event", host(1)).await;
    world.die(&policy(), std::slice::from_ref(&decision), false).await;
    assert_eq!(world.state(&decision).await, State::Claimed);
    assert_eq!(world.work(&policy(), &decision).await, State::Claimed, "its lease is not over");
    world.pass(60);
    world.follow_up(&policy()).await;
    assert_eq!(world.changes(), [""; 0]);
    world.follow_up_for(&policy(), 300).await;
    assert_eq!(world.state(&decision).await, State::Isolated);
    assert_eq!(world.changes(), ["on 1"]);
}

#[tokio::test]
async fn a_run_that_died_after_its_call_is_found_done() {
    let world = World::new(machines(2)).await;
    let decisions = world.begin_all(1..=2).await;
    world.die(&policy(), &decisions, true).await;
    assert_eq!(world.changes(), ["on 1", "on 2"]);
    world.follow_up_for(&policy(), 300).await;
    for decision in &decisions {
        let whole = world.decision(decision).await;
        assert_eq!(whole.state(), State::Isolated);
        let found = |step: &Step| matches!(step, Step::Requested { how: Asked::FoundDone, .. });
        assert!(whole.entries().iter().any(|entry| found(&entry.step)));
    }
    world.follow_up_for(&policy(), 5 * HOUR).await;
    assert_eq!(world.changes(), ["on 1", "on 2", "off 1", "off 2"]);
}

#[tokio::test]
async fn a_host_that_is_another_endpoint_after_a_lost_call_is_not_isolated_twice() {
    let mut all = machines(2);
    all[1].hostname = Some("pc-1".into());
    all[1].macs = Some(vec![crate::support::mac(1)]);
    all[1].online = Some(false);
    all[1].last_seen_seconds_ago = Some(HOUR as u32);
    for machine in &mut all {
        machine.ipv4 = Some(vec!["10.9.9.9".parse().unwrap()]);
    }
    let world = World::new(all).await;
    let decision = world.begin("event", serde_json::json!({ "ip_addresses": ["10.9.9.9"] })).await;
    world.die(&policy(), std::slice::from_ref(&decision), true).await;
    world.online(1, false);
    world.pass(HOUR / 2);
    world.online(2, true);
    world.follow_up_for(&policy(), 300).await;
    assert_eq!(world.changes(), ["on 1"]);
    world.online(1, true);
    world.follow_up_for(&policy(), 5 * HOUR).await;
    assert_eq!(world.state(&decision).await, State::Released);
    assert_eq!(world.changes(), ["on 1", "off 1"]);
}
