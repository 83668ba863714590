//! Many decisions in one run, and one decision in many.

use std::sync::Arc;

use sophos_isolation::{Asked, Decision, State, Step};
use sophos_simulator::{FaultAction, FaultRule};

use crate::support::{HOUR, World, host, id, machines, policy};

fn how(decision: &Decision) -> Asked {
    let how = decision.entries().iter().find_map(|entry| match entry.step {
        Step::Requested { how, .. } => Some(how),
        _ => None,
    });
    how.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_engines_at_one_decision_make_one_call() {
    let world = World::new(machines(1)).await;
    let policy = Arc::new(policy());
    let decision = world.begin("event", host(1)).await;
    let runs: Vec<_> = (0..8)
        .map(|_| {
            let (engine, policy, id) = (world.engine(), Arc::clone(&policy), decision.clone());
            tokio::spawn(async move { engine.work(&policy, &[id], None).await })
        })
        .collect();
    for run in runs {
        assert!(run.await.unwrap()[0].outcome.is_ok());
    }
    assert_eq!(world.calls("isolation.bulk"), 1);
    assert_eq!(world.changes(), ["on 1"]);
    assert_eq!(world.steps(&decision).await, ["received", "claimed", "requested"]);
    world.follow_up_for(&policy, 5 * HOUR).await;
    assert_eq!(world.state(&decision).await, State::Released);
}

#[tokio::test]
async fn decisions_of_one_tenant_are_one_call_for_fifty() {
    for (count, calls) in [(10, 1), (60, 2)] {
        let world = World::new(machines(count)).await;
        let decisions = world.begin_all(1..=count).await;
        let worked = world.engine().work(&policy(), &decisions, None).await;
        assert_eq!(worked.len(), count as usize);
        assert_eq!(world.calls("isolation.bulk"), calls);
        assert_eq!(world.changes().len(), count as usize);
        for decision in &decisions {
            assert_eq!(world.state(decision).await, State::Requested);
        }
        world.follow_up_for(&policy(), 4 * HOUR + 600).await;
        for decision in &decisions {
            assert_eq!(world.state(decision).await, State::Released);
        }
        assert_eq!(world.changes().len(), 2 * count as usize);
    }
}

#[tokio::test]
async fn an_endpoint_that_the_answer_leaves_out_is_asked_for_alone() {
    let world = World::new(machines(3)).await;
    let decisions = world.begin_all(1..=3).await;
    let leave_out = FaultAction::LeaveOut { endpoint: Some(id(2)) };
    world.fault(FaultRule::new("isolation.bulk", leave_out).times(1));
    world.engine().work(&policy(), &decisions, None).await;
    for decision in &decisions {
        assert_eq!(world.state(decision).await, State::Requested);
    }
    assert_eq!(world.changes().last().unwrap(), "on 2");
    assert_eq!(world.changes().len(), 3);
}

#[tokio::test]
async fn an_endpoint_that_is_left_out_alone_is_put_off() {
    let world = World::new(machines(2)).await;
    let decisions = world.begin_all(1..=2).await;
    let leave_out = FaultAction::LeaveOut { endpoint: Some(id(2)) };
    world.fault(FaultRule::new("isolation.bulk", leave_out));
    world.engine().work(&policy(), &decisions, None).await;
    assert_eq!(world.state(&decisions[0]).await, State::Requested);
    assert_eq!(world.state(&decisions[1]).await, State::Deferred);
    world.no_faults();
    world.follow_up_for(&policy(), 300).await;
    assert_eq!(world.state(&decisions[1]).await, State::Isolated);
    assert_eq!(world.changes(), ["on 1", "on 2"]);
}

#[tokio::test]
async fn an_endpoint_in_an_answer_that_nobody_asked_for_is_ignored() {
    let world = World::new(machines(3)).await;
    let foreign = FaultAction::ForeignId { endpoint: Some(id(3)) };
    world.fault(FaultRule::new("isolation.bulk", foreign));
    let decisions = world.begin_all(1..=2).await;
    world.engine().work(&policy(), &decisions, None).await;
    for decision in &decisions {
        assert_eq!(world.state(decision).await, State::Requested);
    }
    assert_eq!(world.changes(), ["on 1", "on 2"]);
}

#[tokio::test]
async fn one_pending_change_does_not_keep_the_others_from_being_isolated() {
    let world = World::new(machines(6)).await;
    world.console(2, true, "by hand").await;
    world.pass(120);
    world.console(2, false, "by hand").await;
    let decisions = world.begin_all(1..=3).await;
    world.engine().work(&policy(), &decisions, None).await;
    assert_eq!(world.state(&decisions[0]).await, State::Requested);
    assert_eq!(world.state(&decisions[1]).await, State::Deferred);
    assert_eq!(world.state(&decisions[2]).await, State::Requested);
    world.follow_up_for(&policy(), 600).await;
    assert_eq!(world.state(&decisions[1]).await, State::Isolated);
    let mut changes = world.changes()[2..].to_vec();
    assert_eq!(changes.pop().unwrap(), "on 2");
    changes.sort_unstable();
    assert_eq!(changes, ["on 1", "on 3"]);
}

#[tokio::test]
async fn a_refusal_toward_the_state_already_held_is_settled_by_reading_it() {
    // As the service refuses it: 400, or 409 while the change is pending.
    for refusal in [Some(400), None] {
        let world = World::new(machines(2)).await;
        let decision = world.begin("event", host(1)).await;
        let console = async {
            world.console(1, true, "by hand").await;
            if let Some(status) = refusal {
                world.fault(FaultRule::new("isolation.bulk", FaultAction::status(status)));
            }
        };
        world.meanwhile(&policy(), std::slice::from_ref(&decision), console).await;
        assert_eq!(world.state(&decision).await, State::AlreadyIsolated);
        world.no_faults();
        world.follow_up_for(&policy(), 5 * HOUR).await;
        assert_eq!(world.changes(), ["on 1"]);
    }
}

#[tokio::test]
async fn of_two_decisions_that_meet_at_the_call_the_second_joins() {
    for status in [Some(400), None] {
        let world = World::new(machines(2)).await;
        let (first, second) = (world.begin("a", host(1)).await, world.begin("b", host(1)).await);
        let other = async {
            assert_eq!(world.work(&policy(), &first).await, State::Requested);
            if let Some(status) = status {
                world.fault(FaultRule::new("isolation.bulk", FaultAction::status(status)));
            }
        };
        world.meanwhile(&policy(), std::slice::from_ref(&second), other).await;
        assert_eq!(how(&world.decision(&first).await), Asked::Accepted);
        assert_eq!(how(&world.decision(&second).await), Asked::Joined);
        world.no_faults();
        world.follow_up_for(&policy(), 5 * HOUR).await;
        assert_eq!(world.changes(), ["on 1", "off 1"]);
    }
}

#[tokio::test]
async fn a_refusal_that_the_state_does_not_explain_is_put_off() {
    for status in [400, 409] {
        let world = World::new(machines(2)).await;
        world.fault(FaultRule::new("isolation.bulk", FaultAction::status(status)));
        let decision = world.decide(&policy(), "event", host(2)).await;
        assert_eq!(world.state(&decision).await, State::Deferred, "{status}");
        assert_eq!(world.changes(), [""; 0]);
    }
}

#[tokio::test]
async fn hundreds_that_were_left_are_all_isolated_by_the_follow_up() {
    let world = World::new(machines(120)).await;
    let decisions = world.begin_all(1..=120).await;
    world.follow_up_for(&policy(), 300).await;
    for decision in &decisions {
        assert_eq!(world.state(decision).await, State::Isolated);
    }
    assert_eq!(world.changes().len(), 120);
    assert!(world.calls("isolation.bulk") <= 4);
}
