//! Runs of snapshots that are killed at each operation of the store, or that overlap.

mod support;

use std::time::Duration;

use serde_json::Value;
use sophos_export::{Dataset, StreamId, StreamOutcome, StreamVerification};
use support::{HOUR, TENANT, TestEnv, endpoint, endpoint_page, sorted_ids};

/// The operations of a run are fewer.
const MAX_OPERATIONS: usize = 200;

fn endpoints() -> Vec<Value> {
    (1..=22).map(endpoint).collect()
}

/// An environment whose snapshots have an object for each endpoint.
fn env() -> TestEnv {
    let env = TestEnv::with_settings(|settings| settings.max_buffered_bytes = 1);
    env.serve_endpoints(&endpoints(), 5);
    env
}

/// Each commit has every endpoint once, and nothing else is stored.
async fn assert_sound(env: &TestEnv, commits: usize, when: &str) {
    let log = env.log(Dataset::Endpoints).await;
    assert_eq!(log.len(), commits, "{when}");
    let mut named = Vec::new();
    for record in &log {
        let rows = env.lines(&record.objects).await;
        assert_eq!(sorted_ids(&rows), sorted_ids(&endpoints()), "{when}");
        named.extend(record.objects.iter().map(|object| object.path.clone()));
        named.push(format!("_log/endpoints/{TENANT}/{:012}.json", record.sequence));
    }
    named.sort();
    assert_eq!(env.object_names().await, named, "{when}");
    let stream = StreamId::new(Dataset::Endpoints, TENANT).expect("a tenant");
    let verified = StreamVerification::run(&env.store, &stream, true, |_| {}).await;
    assert_eq!(verified.expect("a verification").findings, [], "{when}");
}

#[tokio::test]
async fn killed_snapshot_is_complete_or_absent() {
    let mut kills = 0;
    for number in 1..MAX_OPERATIONS {
        let mut reached = false;
        for is_after in [false, true] {
            let env = env();
            if !env.trap.kill(number, is_after, env.run(Dataset::Endpoints)).await {
                continue;
            }
            (reached, kills) = (true, kills + 1);
            let report = env.run(Dataset::Endpoints).await;
            assert_eq!(report.error, None, "{report:?}");
            assert_sound(&env, 1, &format!("killed at {number}, after: {is_after}")).await;
        }
        if !reached {
            break;
        }
    }
    assert!(kills >= 16, "{kills}");
}

#[tokio::test]
async fn killed_continuation_is_complete_or_absent() {
    let mut kills = 0;
    for number in 1..MAX_OPERATIONS {
        let mut reached = false;
        for is_after in [false, true] {
            let env = env();
            let served = endpoints();
            env.service.route(move |request| {
                endpoint_page(&served, request, 5).with_latency(Duration::from_secs(10))
            });
            let report = env.run_for(Dataset::Endpoints, 15_000).await;
            assert_eq!((report.outcome, report.has_more), (StreamOutcome::UpToDate, true), "{report:?}");
            // The second run suspends the snapshot again.
            if !env.trap.kill(number, is_after, env.run_for(Dataset::Endpoints, 15_000)).await {
                continue;
            }
            (reached, kills) = (true, kills + 1);
            let report = env.run(Dataset::Endpoints).await;
            assert_eq!(report.outcome, StreamOutcome::Committed, "{report:?}");
            // A run without a snapshot collects what is left.
            env.service.advance(HOUR);
            env.run(Dataset::Endpoints).await;
            assert_sound(&env, 1, &format!("killed at {number}, after: {is_after}")).await;
        }
        if !reached {
            break;
        }
    }
    assert!(kills >= 10, "{kills}");
}

#[tokio::test]
async fn overlapping_runs_commit_one_snapshot() {
    let mut superseded = 0;
    for number in 1..MAX_OPERATIONS {
        let env = env();
        env.trap.set(number, false);
        let mut slow = std::pin::pin!(env.run(Dataset::Endpoints));
        let is_stopped = tokio::select! {
            biased;
            _ = &mut slow => false,
            () = env.trap.reached() => true,
        };
        env.trap.open();
        if !is_stopped {
            assert!(superseded > 5, "{superseded}");
            return;
        }
        let quick = env.run(Dataset::Endpoints).await;
        env.trap.resume();
        let slow = slow.await;
        let outcomes = [quick.outcome, slow.outcome];
        assert!(outcomes.contains(&StreamOutcome::Committed), "at {number}: {quick:?} {slow:?}");
        assert_eq!((&quick.error, &slow.error), (&None, &None), "at {number}");
        superseded += usize::from(slow.outcome == StreamOutcome::Superseded);
        env.run(Dataset::Endpoints).await;
        assert_sound(&env, 1, &format!("overlapped at {number}")).await;
    }
    panic!("the run has no end");
}
