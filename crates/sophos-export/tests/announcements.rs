//! Announcements: each commit with rows at least once, after it, in the order of the log.

mod support;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use sophos_api::{BoxFuture, Client, Credentials, RateLimit};
use sophos_export::{
    AnnounceError, Announcer, Dataset, ExportSettings, Exporter, LogRecord, Store, StreamOutcome,
    StreamReport, TenantRef,
};
use support::{HOUR, MINUTE, NOW_MS, ScriptedResponse, ScriptedService, TENANT, TestEnv, event};
use tokio::sync::Notify;

/// The behavior of one announcement.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Succeed,
    Fail,
    /// Waits until it is released, or until the run is dropped.
    Hang,
}

/// Records each announced sequence number, and checks that the commit exists by then.
struct Recorder {
    store: Store,
    steps: Mutex<VecDeque<Step>>,
    announced: Mutex<Vec<u64>>,
    entered: Notify,
    release: Notify,
}

impl Recorder {
    fn new(env: &TestEnv, steps: impl IntoIterator<Item = Step>) -> Arc<Self> {
        Arc::new(Self {
            store: env.store.clone(),
            steps: Mutex::new(steps.into_iter().collect()),
            announced: Mutex::default(),
            entered: Notify::new(),
            release: Notify::new(),
        })
    }

    /// The sequence numbers of the successful announcements since the last call.
    fn take(&self) -> Vec<u64> {
        std::mem::take(&mut self.announced.lock().expect("no panic"))
    }
}

impl Announcer for Recorder {
    fn announce<'a>(&'a self, record: &'a LogRecord) -> BoxFuture<'a, Result<(), AnnounceError>> {
        Box::pin(async move {
            let log = format!("_log/events/{TENANT}/{:012}.json", record.sequence);
            for path in record.objects.iter().map(|object| object.path.as_str()).chain([log.as_str()]) {
                assert!(self.store.read(path).await?.is_some(), "{path} is announced before it exists");
            }
            let step = self.steps.lock().expect("no panic").pop_front();
            match step.unwrap_or(Step::Succeed) {
                Step::Succeed => {}
                Step::Fail => return Err("the bus is unavailable".into()),
                Step::Hang => {
                    self.entered.notify_one();
                    self.release.notified().await;
                }
            }
            self.announced.lock().expect("no panic").push(record.sequence);
            Ok(())
        })
    }
}

/// One run over the events with an announcer; the feed has these records.
async fn run(env: &TestEnv, announcer: &Arc<Recorder>, ids: &[&str]) -> StreamReport {
    let records: Vec<_> = ids.iter().map(|id| event(id, env.service.now_ms() - MINUTE)).collect();
    env.service.route(move |_| ScriptedResponse::page(&records, false, Some("end")));
    run_with(env, announcer).await
}

async fn run_with(env: &TestEnv, announcer: &Arc<Recorder>) -> StreamReport {
    let client = Client::builder(Arc::clone(&env.service), Credentials::new("client", "secret"))
        .rate_limit(RateLimit::unlimited())
        .build();
    let exporter: Exporter<Arc<ScriptedService>> =
        Exporter::new(client, env.store.clone(), ExportSettings::default()).with_announcer(announcer.clone());
    let mut tenant = TenantRef::new(TENANT);
    tenant.data_region = Some("eu01".into());
    let stop_at = Duration::from_millis((env.service.now_ms() + HOUR) as u64);
    exporter.export_stream(&tenant, Dataset::Events, Some(stop_at)).await
}

async fn write_ahead_records(env: &TestEnv) -> usize {
    env.object_names().await.iter().filter(|name| name.ends_with(".wal")).count()
}

#[tokio::test]
async fn commit_is_announced_once_after_it() {
    let env = TestEnv::new();
    let announcer = Recorder::new(&env, []);
    for (id, sequence) in [("a", 1), ("b", 2)] {
        let report = run(&env, &announcer, &[id]).await;
        assert_eq!((report.outcome, report.announced), (StreamOutcome::Committed, 1));
        assert_eq!(announcer.take(), [sequence]);
        assert_eq!(write_ahead_records(&env).await, 0);
    }
    let report = run(&env, &announcer, &["b"]).await;
    assert_eq!((report.outcome, report.announced), (StreamOutcome::UpToDate, 0));
    assert_eq!(announcer.take(), [0; 0]);
}

#[tokio::test]
async fn commit_without_rows_is_not_announced() {
    let env = TestEnv::new();
    let announcer = Recorder::new(&env, []);
    run(&env, &announcer, &["a"]).await;
    env.service.advance(2 * HOUR);
    let report = run(&env, &announcer, &[]).await;
    assert_eq!((report.outcome, report.announced), (StreamOutcome::Committed, 0));
    assert_eq!(announcer.take(), [1]);
}

#[tokio::test]
async fn next_run_announces_the_commit_of_a_killed_run() {
    let env = TestEnv::new();
    let announcer = Recorder::new(&env, [Step::Hang]);
    tokio::select! {
        _ = run(&env, &announcer, &["a"]) => panic!("it hangs in the announcement"),
        () = announcer.entered.notified() => {}
    }
    assert_eq!(env.log(Dataset::Events).await.len(), 1, "it is committed");
    assert_eq!(announcer.take(), [0; 0], "and not announced");
    // The next run has nothing new to commit.
    let report = run(&env, &announcer, &["a"]).await;
    assert_eq!((report.outcome, report.announced), (StreamOutcome::UpToDate, 1));
    assert_eq!(announcer.take(), [1]);
    assert_eq!(write_ahead_records(&env).await, 0);
    let report = run(&env, &announcer, &["a"]).await;
    assert_eq!(report.announced, 0, "it is not repeated");
}

#[tokio::test]
async fn run_announces_earlier_commits_when_the_feed_fails() {
    let env = TestEnv::new();
    let announcer = Recorder::new(&env, [Step::Fail]);
    run(&env, &announcer, &["a"]).await;
    for expected in [&[1][..], &[]] {
        env.service.route(|_| ScriptedResponse::status(403));
        let report = run_with(&env, &announcer).await;
        assert_eq!(report.outcome, StreamOutcome::Failed);
        assert_eq!(announcer.take(), expected, "once, although each run fails");
    }
}

#[tokio::test]
async fn failed_announcement_is_retried_in_order() {
    let env = TestEnv::new();
    let announcer = Recorder::new(&env, [Step::Fail, Step::Fail]);
    for id in ["a", "b"] {
        let report = run(&env, &announcer, &[id]).await;
        assert_eq!((report.outcome, report.announced), (StreamOutcome::Committed, 0));
        assert_eq!(report.announcement_error.as_deref(), Some("the bus is unavailable"));
        assert_eq!(report.error, None, "the export itself succeeds");
        assert_eq!(announcer.take(), [0; 0], "no commit is announced before the ones before it");
    }
    let report = run(&env, &announcer, &["c"]).await;
    assert_eq!((report.announced, report.announcement_error), (3, None));
    assert_eq!(announcer.take(), [1, 2, 3]);
    assert_eq!(write_ahead_records(&env).await, 0);
}

#[tokio::test]
async fn long_outage_loses_no_announcement() {
    const COMMITS: u64 = 200;
    let env = TestEnv::new();
    let announcer = Recorder::new(&env, std::iter::repeat_n(Step::Fail, COMMITS as usize));
    for number in 0..COMMITS {
        env.service.advance(MINUTE);
        run(&env, &announcer, &[&number.to_string()]).await;
    }
    assert_eq!(announcer.take(), [0; 0]);
    let mut announced = Vec::new();
    for _ in 0..COMMITS / 50 {
        let report = run(&env, &announcer, &[]).await;
        assert_eq!(report.announced, 50, "the time of a run is bounded");
        announced.extend(announcer.take());
    }
    assert_eq!(announced, (1..=COMMITS).collect::<Vec<_>>());
    assert_eq!(write_ahead_records(&env).await, 0);
}

#[tokio::test]
async fn concurrent_run_keeps_the_order() {
    let env = TestEnv::new();
    let announcer = Recorder::new(&env, [Step::Hang]);
    let first = run(&env, &announcer, &["a"]);
    let second = async {
        announcer.entered.notified().await;
        // The first run has committed, and is about to announce.
        let report = run(&env, &announcer, &["a", "b"]).await;
        announcer.release.notify_one();
        report
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.outcome, second.outcome), (StreamOutcome::Committed, StreamOutcome::Committed));
    assert_eq!(announcer.take(), [1, 2, 1], "at least once; the first of each is in order");
    assert_eq!(write_ahead_records(&env).await, 0);
}

#[tokio::test]
async fn uncommitted_run_is_not_announced() {
    let env = TestEnv::new();
    let announcer = Recorder::new(&env, []);
    let dead = "0000019abc-00000000000000aa";
    let object = format!("events/tenant_id={TENANT}/day=2026-11-23/000000000001-{dead}-0000.ndjson.gz");
    let intent = serde_json::json!({ "sequence": 1, "run_id": dead, "objects": [object] }).to_string();
    env.store.write(&object, b"left".to_vec()).await.expect("a write");
    let path = format!("_log/events/{TENANT}/000000000001.{dead}.wal");
    env.store.write(&path, intent.into_bytes()).await.expect("a write");
    let report = run(&env, &announcer, &["a"]).await;
    assert_eq!((report.announced, report.garbage_removed), (1, 1));
    assert_eq!(announcer.take(), [1]);
    assert!(!env.object_names().await.contains(&object));
}

#[tokio::test]
async fn earlier_commits_are_not_announced_when_enabled() {
    let env = TestEnv::new();
    env.run_events([ScriptedResponse::page(&[event("a", NOW_MS - HOUR)], false, Some("end"))]).await;
    let announcer = Recorder::new(&env, []);
    run(&env, &announcer, &["b"]).await;
    assert_eq!(announcer.take(), [2]);
}
