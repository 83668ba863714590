//! Several sandboxes of one function.

mod support;

use std::{collections::HashSet, sync::Arc};

use local_lambda::{InvocationOutcome, LogSink, Pool, StartError};
use serde_json::{Value, json};
use tokio::{sync::Notify, task::JoinSet};

use crate::support::echo_function;

async fn sandbox_pid(pool: &Pool) -> u32 {
    let outcome = pool.invoke(&json!({"do": "say who"})).await.expect("a sandbox");
    let response = outcome.ok().expect("a response");
    response["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("an id")
}

/// Invokes with all events concurrently and returns the outcomes.
async fn invoke_all(pool: &Arc<Pool>, events: Vec<Value>) -> Vec<InvocationOutcome> {
    let mut tasks = JoinSet::new();
    for event in events {
        let pool = pool.clone();
        tasks.spawn(async move { pool.invoke(&event).await.expect("a sandbox") });
    }
    tasks.join_all().await
}

#[tokio::test]
async fn pool_starts_sandboxes_on_demand() {
    let folder = tempfile::tempdir().unwrap();
    let pool = Arc::new(Pool::start(echo_function(), 3).await.unwrap());
    assert_eq!(pool.pids().len(), 1);
    assert_eq!(sandbox_pid(&pool).await, sandbox_pid(&pool).await);
    assert_eq!(pool.pids().len(), 1);

    // Each waits for the other two, so all must run at the same time.
    let meet = json!({"do": "meet", "folder": folder.path(), "number": 3});
    let outcomes = invoke_all(&pool, vec![meet; 3]).await;
    let pids: HashSet<_> =
        outcomes.into_iter().map(|outcome| outcome.ok().unwrap()["pid"].as_u64().unwrap()).collect();
    assert_eq!(pids, pool.pids().into_iter().map(u64::from).collect());
    assert_eq!(pids.len(), 3);
}

#[tokio::test]
async fn pool_queues_events_when_all_sandboxes_are_busy() {
    let pool = Arc::new(Pool::start(echo_function(), 1).await.unwrap());
    let mut answers: Vec<_> = invoke_all(&pool, (0..20).map(|number| json!(number)).collect())
        .await
        .into_iter()
        .map(|outcome| outcome.ok().unwrap().as_u64().unwrap())
        .collect();
    answers.sort_unstable();
    assert_eq!(answers, (0..20).collect::<Vec<_>>());
    assert_eq!(pool.pids().len(), 1);
}

#[tokio::test]
async fn pool_replaces_a_sandbox_that_exited() {
    let pool = Pool::start(echo_function(), 1).await.unwrap();
    let first = sandbox_pid(&pool).await;
    let exited = InvocationOutcome::Exited { code: Some(3), signal: None };
    assert_eq!(pool.invoke(&json!({"do": "exit"})).await.unwrap(), exited);
    assert!(pool.pids().is_empty());

    let second = sandbox_pid(&pool).await;
    assert_ne!(first, second);
    assert!(pool.kill(second));
    assert!(!pool.kill(second));
    assert!(!pool.kill(first));
    assert_eq!(pool.kill_one(), None);
    let third = sandbox_pid(&pool).await;
    assert_eq!(pool.pids(), [third]);

    let starts = pool.logs().iter().filter(|line| *line == "starting").count();
    assert_eq!(starts, 3);
    let ends: Vec<_> = pool.stop().await.into_iter().map(|stopped| (stopped.code, stopped.signal)).collect();
    assert_eq!(ends, [(Some(3), None), (None, Some(9)), (None, Some(15))]);
}

#[tokio::test]
async fn kill_one_prefers_a_busy_sandbox() {
    let working = Arc::new(Notify::new());
    let sink = LogSink::callback({
        let working = working.clone();
        move |line| {
            if line.contains("sleep") {
                working.notify_one();
            }
        }
    });
    let pool = Arc::new(Pool::start(echo_function().log_to(sink), 2).await.unwrap());
    let first = pool.pids()[0];
    let task = tokio::spawn({
        let pool = pool.clone();
        async move { pool.invoke(&json!({"do": "sleep", "ms": 60_000})).await.unwrap() }
    });
    working.notified().await;
    let second = sandbox_pid(&pool).await;
    assert_ne!(first, second);
    assert_eq!(pool.kill_one(), Some(first));
    assert_eq!(task.await.unwrap(), InvocationOutcome::Exited { code: None, signal: Some(9) });
    assert_eq!(pool.pids(), [second]);
    assert_ne!(sandbox_pid(&pool).await, first);
}

#[tokio::test]
async fn function_keeps_running_when_the_caller_disconnects() {
    let folder = tempfile::tempdir().unwrap();
    let pool = Pool::start(echo_function(), 2).await.unwrap();
    let meet = json!({"do": "meet", "folder": folder.path(), "number": 2});
    {
        let mut call = Box::pin(pool.invoke(&meet));
        // One poll starts the invocation.
        assert!(futures_util::FutureExt::now_or_never(&mut call).is_none());
    }
    // This would wait forever if the pool had stopped the other process.
    assert!(pool.invoke(&meet).await.unwrap().ok().is_some());
    let signals: Vec<_> = pool.stop().await.into_iter().map(|stopped| stopped.signal).collect();
    assert_eq!(signals, [Some(15), Some(15)]);
}

#[tokio::test]
async fn pool_returns_the_start_error_when_a_function_exits() {
    let error = Pool::start(echo_function().env("START_BEHAVIOR", "exit"), 2).await.unwrap_err();
    assert!(matches!(error, StartError::Exited { code: Some(7), .. }), "{error:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn peak_rss_is_the_maximum_of_all_processes() {
    const BYTES: u64 = 64 << 20;
    let pool = Pool::start(echo_function(), 1).await.unwrap();
    assert!(pool.peak_rss_bytes().unwrap() < BYTES);
    pool.invoke(&json!({"do": "allocate", "bytes": BYTES})).await.unwrap();
    pool.invoke(&json!({"do": "exit"})).await.unwrap();
    pool.invoke(&json!("in the next sandbox")).await.unwrap();
    assert!(pool.peak_rss_bytes().unwrap() > BYTES);
}
