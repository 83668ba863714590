//! Many decisions in one run, and one decision in many runs.

use std::sync::Arc;

use sophos_isolation::{Decision, DecisionState, IsolationOrigin, Transition};
use sophos_simulator::{FaultAction, FaultRule};

use crate::support::{HOUR, TestEnv, host, id, machines, policy};

fn isolation_origin(decision: &Decision) -> IsolationOrigin {
    let how = decision.entries().iter().find_map(|entry| match entry.transition {
        Transition::Requested { origin: how, .. } => Some(how),
        _ => None,
    });
    how.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_engines_make_one_call_for_one_decision() {
    let env = TestEnv::new(machines(1)).await;
    let policy = Arc::new(policy());
    let decision = env.begin("event", host(1)).await;
    let runs: Vec<_> = (0..8)
        .map(|_| {
            let (engine, policy, id) = (env.engine(), Arc::clone(&policy), decision.clone());
            tokio::spawn(async move { engine.process(&policy, &[id], None).await })
        })
        .collect();
    for run in runs {
        assert!(run.await.unwrap()[0].result.is_ok());
    }
    assert_eq!(env.calls("isolation.bulk"), 1);
    assert_eq!(env.changes(), ["on 1"]);
    assert_eq!(env.steps(&decision).await, ["received", "claimed", "requested"]);
    env.follow_up_for(&policy, 5 * HOUR).await;
    assert_eq!(env.state(&decision).await, DecisionState::Released);
}

#[tokio::test]
async fn work_isolates_fifty_endpoints_per_call() {
    for (count, calls) in [(10, 1), (60, 2)] {
        let env = TestEnv::new(machines(count)).await;
        let decisions = env.begin_all(1..=count).await;
        let worked = env.engine().process(&policy(), &decisions, None).await;
        assert_eq!(worked.len(), count as usize);
        assert_eq!(env.calls("isolation.bulk"), calls);
        assert_eq!(env.changes().len(), count as usize);
        for decision in &decisions {
            assert_eq!(env.state(decision).await, DecisionState::Requested);
        }
        env.follow_up_for(&policy(), 4 * HOUR + 600).await;
        for decision in &decisions {
            assert_eq!(env.state(decision).await, DecisionState::Released);
        }
        assert_eq!(env.changes().len(), 2 * count as usize);
    }
}

#[tokio::test]
async fn work_retries_an_omitted_endpoint_alone() {
    let env = TestEnv::new(machines(3)).await;
    let decisions = env.begin_all(1..=3).await;
    let leave_out = FaultAction::OmitEndpoint { endpoint: Some(id(2)) };
    env.fault(FaultRule::new("isolation.bulk", leave_out).times(1));
    env.engine().process(&policy(), &decisions, None).await;
    for decision in &decisions {
        assert_eq!(env.state(decision).await, DecisionState::Requested);
    }
    assert_eq!(env.changes().last().unwrap(), "on 2");
    assert_eq!(env.changes().len(), 3);
}

#[tokio::test]
async fn work_defers_an_endpoint_omitted_alone() {
    let env = TestEnv::new(machines(2)).await;
    let decisions = env.begin_all(1..=2).await;
    let leave_out = FaultAction::OmitEndpoint { endpoint: Some(id(2)) };
    env.fault(FaultRule::new("isolation.bulk", leave_out));
    env.engine().process(&policy(), &decisions, None).await;
    assert_eq!(env.state(&decisions[0]).await, DecisionState::Requested);
    assert_eq!(env.state(&decisions[1]).await, DecisionState::Deferred);
    env.clear_faults();
    env.follow_up_for(&policy(), 300).await;
    assert_eq!(env.state(&decisions[1]).await, DecisionState::Isolated);
    assert_eq!(env.changes(), ["on 1", "on 2"]);
}

#[tokio::test]
async fn work_ignores_endpoints_that_were_not_requested() {
    let env = TestEnv::new(machines(3)).await;
    let foreign = FaultAction::ExtraEndpoint { endpoint: Some(id(3)) };
    env.fault(FaultRule::new("isolation.bulk", foreign));
    let decisions = env.begin_all(1..=2).await;
    env.engine().process(&policy(), &decisions, None).await;
    for decision in &decisions {
        assert_eq!(env.state(decision).await, DecisionState::Requested);
    }
    assert_eq!(env.changes(), ["on 1", "on 2"]);
}

#[tokio::test]
async fn work_isolates_others_when_one_change_is_pending() {
    let env = TestEnv::new(machines(6)).await;
    env.isolate_in_console(2, true, "by hand").await;
    env.advance_clock(120);
    env.isolate_in_console(2, false, "by hand").await;
    let decisions = env.begin_all(1..=3).await;
    env.engine().process(&policy(), &decisions, None).await;
    assert_eq!(env.state(&decisions[0]).await, DecisionState::Requested);
    assert_eq!(env.state(&decisions[1]).await, DecisionState::Deferred);
    assert_eq!(env.state(&decisions[2]).await, DecisionState::Requested);
    env.follow_up_for(&policy(), 600).await;
    assert_eq!(env.state(&decisions[1]).await, DecisionState::Isolated);
    let mut changes = env.changes()[2..].to_vec();
    assert_eq!(changes.pop().unwrap(), "on 2");
    changes.sort_unstable();
    assert_eq!(changes, ["on 1", "on 3"]);
}

#[tokio::test]
async fn work_reads_the_state_after_a_redundant_change_error() {
    // Sophos Central refuses with 400, or with 409 while a change is pending.
    for refusal in [Some(400), None] {
        let env = TestEnv::new(machines(2)).await;
        let decision = env.begin("event", host(1)).await;
        let console = async {
            env.isolate_in_console(1, true, "by hand").await;
            if let Some(status) = refusal {
                env.fault(FaultRule::new("isolation.bulk", FaultAction::status(status)));
            }
        };
        env.work_while(&policy(), std::slice::from_ref(&decision), console).await;
        assert_eq!(env.state(&decision).await, DecisionState::AlreadyIsolated);
        env.clear_faults();
        env.follow_up_for(&policy(), 5 * HOUR).await;
        assert_eq!(env.changes(), ["on 1"]);
    }
}

#[tokio::test]
async fn second_decision_shares_the_isolation_when_calls_race() {
    for status in [Some(400), None] {
        let env = TestEnv::new(machines(2)).await;
        let (first, second) = (env.begin("a", host(1)).await, env.begin("b", host(1)).await);
        let other = async {
            assert_eq!(env.work(&policy(), &first).await, DecisionState::Requested);
            if let Some(status) = status {
                env.fault(FaultRule::new("isolation.bulk", FaultAction::status(status)));
            }
        };
        env.work_while(&policy(), std::slice::from_ref(&second), other).await;
        assert_eq!(isolation_origin(&env.decision(&first).await), IsolationOrigin::Requested);
        assert_eq!(isolation_origin(&env.decision(&second).await), IsolationOrigin::Shared);
        env.clear_faults();
        env.follow_up_for(&policy(), 5 * HOUR).await;
        assert_eq!(env.changes(), ["on 1", "off 1"]);
    }
}

#[tokio::test]
async fn work_defers_an_unexplained_rejection() {
    for status in [400, 409] {
        let env = TestEnv::new(machines(2)).await;
        env.fault(FaultRule::new("isolation.bulk", FaultAction::status(status)));
        let decision = env.decide(&policy(), "event", host(2)).await;
        assert_eq!(env.state(&decision).await, DecisionState::Deferred, "{status}");
        assert_eq!(env.changes(), [""; 0]);
    }
}

#[tokio::test]
async fn follow_up_isolates_hundreds_of_abandoned_decisions() {
    let env = TestEnv::new(machines(120)).await;
    let decisions = env.begin_all(1..=120).await;
    env.follow_up_for(&policy(), 300).await;
    for decision in &decisions {
        assert_eq!(env.state(decision).await, DecisionState::Isolated);
    }
    assert_eq!(env.changes().len(), 120);
    assert!(env.calls("isolation.bulk") <= 4);
}
