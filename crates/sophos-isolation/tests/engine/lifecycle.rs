//! From the signal to the release.

use serde_json::json;
use sophos_isolation::{Asked, DecisionId, ReleaseReason, State, Step};
use sophos_simulator::{FaultAction, FaultRule};

use crate::support::{ACME, HOUR, Rules, World, host, id, machines, policy};

#[tokio::test]
async fn an_isolation_runs_from_the_signal_to_the_release() {
    let world = World::new(machines(2)).await;
    let policy = policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    assert_eq!(world.state(&decision).await, State::Requested);
    assert_eq!(world.changes(), ["on 1"]);
    assert!(world.sim.isolation_changes()[0].comment.as_deref().unwrap().starts_with(decision.as_str()));

    world.follow_up_for(&policy, 180).await;
    assert_eq!(world.state(&decision).await, State::Isolated);
    world.follow_up_for(&policy, 4 * HOUR).await;
    assert_eq!(world.state(&decision).await, State::Released);
    assert_eq!(world.changes(), ["on 1", "off 1"]);

    let whole = world.decision(&decision).await;
    let steps: Vec<&Step> = whole.entries().iter().map(|entry| &entry.step).collect();
    match steps.as_slice() {
        [
            Step::Received(received),
            Step::Claimed(claim),
            Step::Requested { how: Asked::Accepted, mark: None },
            Step::Isolated { effective_at: Some(on) },
            Step::ReleaseAsked { why: ReleaseReason::TimeIsUp, who: None },
            Step::ReleaseRequested,
            Step::Released { effective_at: Some(off), .. },
        ] => {
            assert_eq!(received.signal.title, "malware");
            assert_eq!((claim.target.tenant.as_str(), claim.target.endpoint.as_str()), (ACME, &*id(1)));
            assert_eq!(claim.policy, policy.digest());
            assert_eq!(claim.hold_seconds, Some(4 * HOUR));
            // Four hours from when it was seen, and a minute for the release.
            assert!(on.contains("12.01.00") && off.contains("16.02.00"), "{on} {off}");
        }
        steps => panic!("{steps:#?}"),
    }
    let told = ["requested", "isolated", "release_requested", "released"];
    assert_eq!(world.told.of(&decision), told);
    world.follow_up_for(&policy, HOUR).await;
    assert_eq!(world.told.of(&decision), told, "once each");
}

#[tokio::test]
async fn nothing_is_left_behind_when_everything_has_ended() {
    let world = World::new(machines(4)).await;
    let policy = Rules { more: "[protect]\nnames = [\"pc-2\"]", ..Rules::default() }.policy();
    let decisions = world.begin_all(1..=4).await;
    world.engine().work(&policy, &decisions[..3], None).await;
    world.follow_up_for(&policy, 5 * HOUR).await;
    for decision in &decisions {
        assert!(world.state(decision).await.is_final(), "{decision}");
    }
    assert_eq!(world.ledger().agenda().await.unwrap(), []);
    for number in 1..=4 {
        assert_eq!(world.names(&format!("machines/{ACME}/{}", id(number))).await, [""; 0]);
    }
}

#[tokio::test]
async fn reminders_do_not_pile_up_when_an_event_is_sent_again_and_again() {
    let world = World::new(machines(1)).await;
    let policy = policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    let received = world.decision(&decision).await.received().unwrap().clone();
    for _ in 0..40 {
        world.ledger().begin(&decision, &received, world.now()).await.unwrap();
        world.follow_up_for(&policy, 30).await;
    }
    world.follow_up_for(&policy, 120).await;
    assert_eq!(world.state(&decision).await, State::Isolated);
    let reminders = world.ledger().agenda().await.unwrap();
    assert!(reminders.len() <= 2, "{reminders:?}");
}

#[tokio::test]
async fn a_decision_whose_message_was_lost_is_found() {
    let world = World::new(machines(1)).await;
    let policy = policy();
    let decision = world.begin("event", host(1)).await;
    world.follow_up(&policy).await;
    assert_eq!(world.state(&decision).await, State::Received, "its message may be on its way");
    world.pass(90);
    let report = world.follow_up(&policy).await;
    assert_eq!(world.state(&decision).await, State::Requested);
    assert_eq!((report.due, report.moved.get("requested")), (1, Some(&1)));
    assert_eq!(world.changes(), ["on 1"]);
}

#[tokio::test]
async fn an_endpoint_that_is_offline_is_reported_once_and_isolated_when_it_is_back() {
    let world = World::new(machines(1)).await;
    world.online(1, false);
    let policy = policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    world.follow_up_for(&policy, 3 * HOUR).await;
    assert_eq!(world.state(&decision).await, State::Requested);
    assert_eq!(world.told.of(&decision), ["requested", "overdue"]);
    assert!(world.told.last(&decision).detail.unwrap().contains("offline"));
    world.online(1, true);
    world.follow_up_for(&policy, HOUR / 2 + 60).await;
    assert_eq!(world.told.of(&decision), ["requested", "overdue", "isolated"]);
    world.follow_up_for(&policy, 2 * HOUR).await;
    assert_eq!(world.state(&decision).await, State::Isolated, "its time began when it took effect");
    world.follow_up_for(&policy, 3 * HOUR).await;
    assert_eq!(world.state(&decision).await, State::Released);
    assert_eq!(world.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn the_time_of_an_offline_endpoint_does_not_pass() {
    let world = World::new(machines(1)).await;
    world.online(1, false);
    let policy = Rules { release: "1h", ..Rules::default() }.policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    world.follow_up_for(&policy, 30 * HOUR).await;
    assert_eq!(world.state(&decision).await, State::Requested);
    assert_eq!((world.changes(), world.calls("isolation.bulk")), (vec!["on 1".to_owned()], 1));
    world.online(1, true);
    world.follow_up_for(&policy, HOUR).await;
    assert_eq!(world.state(&decision).await, State::Isolated);
    world.follow_up_for(&policy, 2 * HOUR).await;
    assert_eq!(world.state(&decision).await, State::Released);
}

#[tokio::test]
async fn an_isolation_that_never_took_effect_is_released_when_the_endpoint_is_back() {
    let world = World::new(machines(1)).await;
    world.online(1, false);
    let policy = Rules { release: "1h", ..Rules::default() }.policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    world.ledger().ask_release(&decision, "a person", world.now()).await.unwrap();
    world.follow_up_for(&policy, 6 * HOUR).await;
    assert_eq!(world.state(&decision).await, State::ReleaseAsked, "the service has a change pending");
    let calls = world.calls("isolation.bulk");
    assert!(calls < 60, "{calls} calls in six hours");
    world.online(1, true);
    world.follow_up_for(&policy, HOUR).await;
    assert_eq!(world.state(&decision).await, State::Released);
    assert_eq!(world.changes(), ["on 1", "off 1"]);
    assert_eq!(world.ledger().agenda().await.unwrap(), []);
}

#[tokio::test]
async fn a_release_that_an_offline_endpoint_owes_is_not_asked_about_all_the_time() {
    let world = World::new(machines(1)).await;
    let policy = Rules { release: "1h", ..Rules::default() }.policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    world.follow_up_for(&policy, 300).await;
    world.online(1, false);
    world.follow_up_for(&policy, 2 * HOUR).await;
    assert_eq!(world.state(&decision).await, State::ReleaseRequested);
    world.sim.reset_calls();
    world.follow_up_for(&policy, 12 * HOUR).await;
    let looks = world.calls("isolation.get");
    assert!(looks < 60, "{looks} looks in twelve hours");
    assert_eq!(world.told.of(&decision).iter().filter(|what| *what == "overdue").count(), 1);
    world.online(1, true);
    world.follow_up_for(&policy, HOUR).await;
    assert_eq!(world.state(&decision).await, State::Released);
}

#[tokio::test]
async fn an_outcome_is_told_again_when_the_bus_failed() {
    let world = World::new(machines(1)).await;
    let policy = policy();
    let decision = world.begin("event", host(1)).await;
    world.told.fail(2);
    let worked = world.engine().work(&policy, std::slice::from_ref(&decision), None).await;
    let error = worked[0].outcome.as_ref().unwrap_err().to_string();
    assert!(error.contains(decision.as_str()) && error.contains("the bus is down"), "{error}");
    assert_eq!(world.state(&decision).await, State::Requested, "it is isolated all the same");
    world.pass(90);
    let report = world.follow_up(&policy).await;
    assert_eq!(report.errors.len(), 1, "{report:?}");
    assert_eq!(world.told.of(&decision), [""; 0]);
    world.follow_up_for(&policy, 300).await;
    assert_eq!(world.told.of(&decision), ["requested", "isolated"]);
    assert_eq!(world.changes(), ["on 1"]);
}

#[tokio::test]
async fn the_signal_may_only_shorten_an_isolation() {
    let world = World::new(machines(2)).await;
    let policy = policy();
    for (number, asked, held) in [(1, 600, 600), (2, 90 * HOUR, 4 * HOUR)] {
        let signal = json!({ "host": host(number), "hold_seconds": asked });
        let decision = world.begin_with(&format!("event {number}"), signal).await;
        world.work(&policy, &decision).await;
        assert_eq!(world.decision(&decision).await.claim().unwrap().hold_seconds, Some(held));
    }
}

#[tokio::test]
async fn an_isolation_without_an_end_stays() {
    let world = World::new(machines(1)).await;
    let policy = Rules { release: "never", ..Rules::default() }.policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    world.follow_up_for(&policy, 30 * HOUR).await;
    assert_eq!(world.state(&decision).await, State::Isolated);
    assert_eq!(world.changes(), ["on 1"]);
}

#[tokio::test]
async fn an_unknown_decision_is_nothing_to_work_on() {
    let world = World::new(machines(1)).await;
    let unknown = DecisionId::of("edr", "never seen");
    let worked = world.engine().work(&policy(), &[unknown.clone(), unknown], None).await;
    assert_eq!(worked.len(), 1);
    assert!(matches!(worked[0].outcome, Ok(None)));
}

#[tokio::test]
async fn an_endpoint_that_was_deleted_ends_its_decision() {
    for releasing in [false, true] {
        let world = World::new(machines(1)).await;
        let policy = Rules { release: "1h", ..Rules::default() }.policy();
        world.online(1, releasing);
        let decision = world.decide(&policy, "event", host(1)).await;
        world.follow_up_for(&policy, 300).await;
        let state = if releasing { State::Isolated } else { State::Requested };
        assert_eq!(world.state(&decision).await, state);
        world.fault(FaultRule::new("isolation.get", FaultAction::status(404)));
        world.follow_up_for(&policy, if releasing { HOUR } else { HOUR / 2 }).await;
        assert_eq!(world.state(&decision).await, State::TakenOver, "releasing: {releasing}");
        assert_eq!(world.ledger().agenda().await.unwrap(), []);
    }
}
