//! Snapshots: complete or absent, once in an interval.

mod support;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use sophos_api::ErrorKind;
use sophos_export::{
    Dataset, ExportScope, FailureKind, LogRecord, StreamId, StreamOutcome, StreamStatus, StreamVerification,
};
use support::{
    HOUR, MINUTE, NOW_MS, Request, ScriptedResponse, TENANT, TestEnv, endpoint, endpoint_page, format_time,
    sorted_ids,
};

fn endpoints(count: u32) -> Vec<Value> {
    (1..=count).map(endpoint).collect()
}

fn stream(dataset: Dataset) -> StreamId {
    StreamId::new(dataset, TENANT).expect("a tenant")
}

/// The latest snapshot is these records, and nothing else is stored.
async fn assert_snapshot(env: &TestEnv, dataset: Dataset, records: &[Value], when: &str) {
    let log = env.log(dataset).await;
    let last = log.last().unwrap_or_else(|| panic!("{when}: no snapshot"));
    let rows = env.lines(&last.objects).await;
    assert_eq!(sorted_ids(&rows), sorted_ids(records), "{when}");
    let taken_at = &last.snapshot.as_ref().expect("a snapshot").taken_at;
    for row in &rows {
        assert_eq!(row["time"], taken_at.as_str(), "{when}: {row}");
        assert_eq!(row["revision"], last.sequence - 1, "{when}: {row}");
    }
    let mut named: Vec<_> =
        log.iter().flat_map(|record| record.objects.iter().map(|object| object.path.clone())).collect();
    named.extend(log.iter().map(|record| format!("_log/{dataset}/{TENANT}/{:012}.json", record.sequence)));
    named.sort();
    assert_eq!(env.object_names().await, named, "{when}");
    let verified = StreamVerification::run(&env.store, &stream(dataset), true, |_| {}).await;
    assert_eq!(verified.expect("a verification").findings, [], "{when}");
}

#[tokio::test]
async fn snapshot_has_each_record_with_its_time() {
    let env = TestEnv::new();
    let report = env.snapshot(&endpoints(1_203), 500).await;
    assert_eq!((report.outcome, report.rows, report.commits), (StreamOutcome::Committed, 1_203, 1));
    assert_eq!((report.api_requests, report.freshness_seconds), (3, Some(0.0)), "{report:?}");
    assert_snapshot(&env, Dataset::Endpoints, &endpoints(1_203), "the first").await;
    let record = env.last_record(Dataset::Endpoints).await;
    let snapshot = record.snapshot.as_ref().expect("a snapshot");
    assert_eq!(snapshot.taken_at, format_time(NOW_MS));
    assert_eq!(
        (snapshot.sources[0].source.as_str(), snapshot.sources[0].records),
        ("endpoint/v1/endpoints", 1_203)
    );
    assert!(record.objects[0].path.contains("/day=2026-11-23/"), "{record:?}");
    let row = &env.lines(&record.objects).await[0];
    assert_eq!((&row["source"], &row["dataset"]), (&json!("endpoint/v1/endpoints"), &json!("endpoints")));
    let latest = LogRecord::load_latest(&env.store, &stream(Dataset::Endpoints)).await.expect("a log");
    assert_eq!(latest.as_ref(), Some(&record));
    let status = StreamStatus::load(&env.store, &stream(Dataset::Endpoints), 1).await.expect("a status");
    assert_eq!(status.snapshot, record.snapshot);
}

#[tokio::test]
async fn empty_snapshot_is_committed() {
    let env = TestEnv::new();
    assert_eq!(env.snapshot(&[], 500).await.outcome, StreamOutcome::Committed);
    assert_snapshot(&env, Dataset::Endpoints, &[], "without endpoints").await;
}

#[tokio::test]
async fn snapshot_waits_for_its_interval() {
    let env = TestEnv::new();
    env.snapshot(&endpoints(3), 500).await;
    env.service.take_requests();
    for (advance, freshness) in [(MINUTE, 0.0), (22 * HOUR + 58 * MINUTE, 0.0)] {
        env.service.advance(advance);
        let report = env.run(Dataset::Endpoints).await;
        assert_eq!((report.outcome, report.has_more), (StreamOutcome::UpToDate, false), "{report:?}");
        assert_eq!((report.api_requests, report.freshness_seconds), (0, Some(freshness)), "{report:?}");
    }
    assert_eq!(env.service.take_requests(), []);
    // A daily schedule may be an hour early.
    env.service.advance(MINUTE);
    assert_eq!(env.snapshot(&endpoints(4), 500).await.outcome, StreamOutcome::Committed);
    assert_snapshot(&env, Dataset::Endpoints, &endpoints(4), "the second").await;
    // It is not counted as late before its interval is over.
    env.service.advance(25 * HOUR);
    env.service.route(|_| ScriptedResponse::status(403));
    let report = env.run(Dataset::Endpoints).await;
    assert_eq!(report.freshness_seconds, Some(3_600.0), "{report:?}");
}

#[tokio::test]
async fn failed_page_commits_nothing() {
    let env = TestEnv::with_settings(|settings| settings.max_buffered_bytes = 1);
    let all = endpoints(40);
    let served = all.clone();
    env.service.route(move |request| match request.page_key.as_deref() {
        Some("30") => ScriptedResponse::status(403),
        _ => endpoint_page(&served, request, 10),
    });
    let report = env.run(Dataset::Endpoints).await;
    assert_eq!(report.error_kind, Some(FailureKind::Service(ErrorKind::Forbidden)), "{report:?}");
    assert_eq!(env.object_names().await, [""; 0]);
    env.snapshot(&all, 10).await;
    assert_snapshot(&env, Dataset::Endpoints, &all, "after the failure").await;
}

#[tokio::test]
async fn endpoint_is_written_once_when_pages_repeat_it() {
    let env = TestEnv::new();
    let mut served = endpoints(30);
    served.insert(12, endpoint(3));
    let report = env.snapshot(&served, 10).await;
    assert_eq!((report.rows, report.duplicates), (30, 1), "{report:?}");
    assert_snapshot(&env, Dataset::Endpoints, &endpoints(30), "with a repetition").await;
}

#[tokio::test]
async fn listing_without_an_end_fails() {
    let env = TestEnv::new();
    env.service.route(|request| {
        let key = if request.page_key.as_deref() == Some("a") { "b" } else { "a" };
        ScriptedResponse::bytes(json!({ "items": [endpoint(1)], "pages": { "nextKey": key } }).to_string())
    });
    let report = env.run(Dataset::Endpoints).await;
    assert_eq!(report.error_kind, Some(FailureKind::Service(ErrorKind::Malformed)), "{report:?}");
    assert_eq!(env.object_names().await, [""; 0]);
}

/// Serves endpoints in pages of ten. Each page takes ten seconds.
fn serve_slowly(env: &TestEnv, endpoints: &[Value]) {
    let endpoints = endpoints.to_vec();
    env.service.route(move |request| {
        endpoint_page(&endpoints, request, 10).with_latency(std::time::Duration::from_secs(10))
    });
}

/// Runs for a time slice of 25 seconds until the snapshot is committed. Returns the number
/// of slices.
async fn run_in_slices(env: &TestEnv) -> u32 {
    for slice in 1..20 {
        let report = env.run_for(Dataset::Endpoints, 25_000).await;
        match (report.outcome, report.has_more) {
            (StreamOutcome::UpToDate, true) => assert!(env.log(Dataset::Endpoints).await.is_empty()),
            (StreamOutcome::Committed, false) => return slice,
            _ => panic!("{report:?}"),
        }
    }
    panic!("no commit");
}

#[tokio::test]
async fn interrupted_snapshot_continues_in_the_next_run() {
    let env = TestEnv::with_settings(|settings| settings.max_buffered_bytes = 1);
    serve_slowly(&env, &endpoints(95));
    let slices = run_in_slices(&env).await;
    assert!((3..=5).contains(&slices), "{slices}");
    let keys: Vec<_> = env.service.take_requests().into_iter().map(|request| request.page_key).collect();
    let expected = (0..10).map(|page| (page > 0).then(|| (page * 10).to_string()));
    assert_eq!(keys, expected.collect::<Vec<_>>(), "each page once");
    assert_snapshot(&env, Dataset::Endpoints, &endpoints(95), "in slices").await;
    assert_eq!(
        env.last_record(Dataset::Endpoints).await.snapshot.expect("a snapshot").taken_at,
        format_time(NOW_MS + 10_000)
    );
}

#[tokio::test]
async fn interrupted_snapshot_restarts_when_its_key_is_rejected() {
    let env = TestEnv::new();
    let all = endpoints(95);
    serve_slowly(&env, &all);
    env.run_for(Dataset::Endpoints, 25_000).await;
    env.service.route(|_| ScriptedResponse::status(400));
    let report = env.run(Dataset::Endpoints).await;
    assert_eq!(report.error_kind, Some(FailureKind::Service(ErrorKind::Invalid)), "{report:?}");
    env.snapshot(&all, 10).await;
    assert_snapshot(&env, Dataset::Endpoints, &all, "after the restart").await;
}

#[tokio::test]
async fn interrupted_snapshot_restarts_when_it_is_old() {
    let env = TestEnv::new();
    serve_slowly(&env, &endpoints(95));
    env.run_for(Dataset::Endpoints, 25_000).await;
    env.service.advance(7 * HOUR);
    env.service.take_requests();
    env.snapshot(&endpoints(50), 10).await;
    assert_eq!(env.service.take_requests()[0].page_key, None);
    assert_snapshot(&env, Dataset::Endpoints, &endpoints(50), "after seven hours").await;
}

#[tokio::test]
async fn interrupted_snapshot_restarts_when_its_state_is_forged() {
    let env = TestEnv::new();
    serve_slowly(&env, &endpoints(95));
    env.run_for(Dataset::Endpoints, 25_000).await;
    let path = format!("_log/endpoints/{TENANT}/_partial");
    let mut state: Value = serde_json::from_slice(&env.read_object(&path).await).expect("JSON");
    state["objects"][0]["path"] = json!("alerts/tenant_id=x/day=2026-11-23/000000000001-a-0000.ndjson.gz");
    env.store.write(&path, state.to_string().into_bytes()).await.expect("a write");
    env.snapshot(&endpoints(95), 10).await;
    assert_snapshot(&env, Dataset::Endpoints, &endpoints(95), "after the forgery").await;
}

/// A page of the listing of a policy family by number.
fn numbered_page(records: &[Value], request: &Request, page: usize) -> ScriptedResponse {
    let number = request.page.unwrap_or(1) as usize;
    let items: Vec<_> = records.iter().skip((number - 1) * page).take(page).collect();
    let pages = json!({
        "current": number, "size": page, "items": records.len(), "total": records.len().div_ceil(page),
    });
    ScriptedResponse::bytes(json!({ "items": items, "pages": pages }).to_string())
}

#[tokio::test]
async fn listing_by_number_misses_nothing_when_it_shifts() {
    let env = TestEnv::new();
    let firewalls = Arc::new(Mutex::new(endpoints(30)));
    let calls = AtomicUsize::new(0);
    let served = Arc::clone(&firewalls);
    env.service.route(move |request| {
        if request.path.ends_with("firewall-groups") {
            return numbered_page(&[], request, 10);
        }
        let mut served = served.lock().expect("no panic");
        let response = numbered_page(&served, request, 10);
        // After the first page a firewall of it is deleted, so that the eleventh is on it.
        if calls.fetch_add(1, Ordering::SeqCst) == 0 {
            served.remove(2);
        }
        response
    });
    let report = env.run(Dataset::Firewalls).await;
    assert_eq!(report.outcome, StreamOutcome::Committed, "{report:?}");
    // The deleted one existed when the snapshot began.
    assert_snapshot(&env, Dataset::Firewalls, &endpoints(30), "after a deletion").await;
    let sources = env.last_record(Dataset::Firewalls).await.snapshot.expect("a snapshot").sources;
    let counts: Vec<_> = sources.iter().map(|source| (source.source.as_str(), source.records)).collect();
    assert_eq!(counts, [("firewall/v1/firewalls", 30), ("firewall/v1/firewall-groups", 0)]);
}

#[tokio::test]
async fn listing_that_never_settles_commits_nothing() {
    let env = TestEnv::new();
    let number = AtomicUsize::new(0);
    env.service.route(move |request| {
        let first = number.fetch_add(1, Ordering::SeqCst) as u32;
        numbered_page(&[endpoint(first), endpoint(first)], request, 10)
    });
    let report = env.run(Dataset::Firewalls).await;
    assert_eq!(report.error_kind, Some(FailureKind::Service(ErrorKind::Malformed)), "{report:?}");
    assert_eq!(env.object_names().await, [""; 0]);
}

#[tokio::test]
async fn large_page_is_read_in_smaller_ones() {
    let env = TestEnv::new();
    let all = endpoints(40);
    let served = all.clone();
    env.service.route(move |request| {
        if request.path.ends_with("firewall-groups") {
            return numbered_page(&[], request, 10);
        }
        match request.limit {
            Some(size) if size <= 12 => numbered_page(&served, request, size as usize),
            _ => ScriptedResponse::too_large(),
        }
    });
    let report = env.run(Dataset::Firewalls).await;
    assert_eq!(report.rows, 40, "{report:?}");
    assert_snapshot(&env, Dataset::Firewalls, &all, "in small pages").await;
}

#[tokio::test]
async fn record_that_is_not_json_is_quarantined() {
    let env = TestEnv::new();
    env.service.route(|request| {
        let is_first = request.path.ends_with("firewalls") && request.page.is_none();
        let items = if is_first { "{\"id\":\"a\"},{\"id\":nul}" } else { "" };
        ScriptedResponse::bytes(format!("{{\"items\":[{items}],\"pages\":{{}}}}"))
    });
    let report = env.run(Dataset::Firewalls).await;
    assert_eq!(
        (report.outcome, report.rows, report.quarantined),
        (StreamOutcome::Committed, 1, 1),
        "{report:?}"
    );
    let record = env.last_record(Dataset::Firewalls).await;
    assert_eq!(env.lines(&record.quarantine_objects).await[0]["source"], "firewall/v1/firewalls");
}

#[tokio::test]
async fn same_id_of_two_operations_is_two_rows() {
    let env = TestEnv::new();
    env.service.route(|request| numbered_page(&[endpoint(1)], request, 10));
    env.run(Dataset::Firewalls).await;
    let rows = env.rows(Dataset::Firewalls).await;
    let id = endpoint(1)["id"].as_str().expect("an id").to_owned();
    assert_eq!(sorted_ids(&rows), [id.clone(), format!("firewall/v1/firewall-groups:{id}")]);
}

#[tokio::test]
async fn forbidden_family_fails_its_stream_only() {
    let env = support::SimulatedEnv::start(5).await;
    let fault = sophos_simulator::FaultAction::status(403);
    env.simulator.set_faults(sophos_simulator::FaultPlan::new([sophos_simulator::FaultRule::new(
        "firewalls.list",
        fault,
    )]));
    let datasets = vec![Dataset::Endpoints, Dataset::Firewalls, Dataset::Admins];
    let scope = ExportScope { datasets, ..ExportScope::default() };
    let report = env.exporter.run(&scope, None).await.expect("a report");
    let outcomes: Vec<_> = report.streams.iter().map(|stream| (stream.dataset, stream.error_kind)).collect();
    let forbidden = Some(FailureKind::Service(ErrorKind::Forbidden));
    assert_eq!(
        outcomes,
        [(Dataset::Endpoints, None), (Dataset::Firewalls, forbidden), (Dataset::Admins, None)]
    );
}
