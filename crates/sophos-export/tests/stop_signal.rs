//! A stopped run commits what it has read, and the next run continues there.

mod support;

use std::sync::{Arc, Mutex};

use sophos_api::{Client, Credentials, RateLimit};
use sophos_export::{
    Dataset, ExportProgress, ExportSettings, Exporter, StopSignal, StreamOutcome, TenantRef,
};
use support::{HOUR, NOW_MS, ScriptedResponse, ScriptedService, TENANT, TestEnv, event};

/// An exporter of the environment, and its progress as text. It stops itself after the
/// first page if `stops`.
fn exporter(env: &TestEnv, stops: bool) -> (Exporter<Arc<ScriptedService>>, Arc<Mutex<Vec<String>>>) {
    let client = Client::builder(Arc::clone(&env.service), Credentials::new("client", "secret"))
        .rate_limit(RateLimit::unlimited())
        .build();
    let (stop, progress) = (StopSignal::new(), Arc::new(Mutex::new(Vec::new())));
    let (stopper, observed) = (stop.clone(), Arc::clone(&progress));
    let exporter = Exporter::new(client, env.store.clone(), ExportSettings::default())
        .with_stop_signal(stop)
        .with_progress(move |event| {
            if let ExportProgress::PageRead { .. } = event
                && stops
            {
                stopper.stop();
            }
            observed.lock().expect("no panic").push(match event {
                ExportProgress::PageRead { records, .. } => format!("read {records}"),
                ExportProgress::Committed { rows, .. } => format!("committed {rows}"),
                ExportProgress::Ended(report) => format!("ended {:?}", report.outcome),
                other => format!("{other:?}"),
            });
        });
    (exporter, progress)
}

#[tokio::test]
async fn stopped_run_commits_and_the_next_continues() {
    let env = TestEnv::new();
    let page = |id, has_more, next| ScriptedResponse::page(&[event(id, NOW_MS - HOUR)], has_more, Some(next));
    let mut tenant = TenantRef::new(TENANT);
    tenant.data_region = Some("eu01".into());

    env.service.respond_with([page("a", true, "c1"), page("b", false, "c2")]);
    let (stopped, progress) = exporter(&env, true);
    let report = stopped.export_stream(&tenant, Dataset::Events, None).await;
    assert_eq!((report.outcome, report.rows, report.has_more), (StreamOutcome::Committed, 1, true));
    let expected = ["read 1", "committed 1", "ended Committed"];
    assert_eq!(*progress.lock().expect("no panic"), expected);

    let again = stopped.export_stream(&tenant, Dataset::Events, None).await;
    assert_eq!((again.outcome, again.api_requests), (StreamOutcome::NotStarted, 0), "it stays stopped");

    env.service.respond_with([page("b", false, "c2")]);
    let (next, _) = exporter(&env, false);
    let report = next.export_stream(&tenant, Dataset::Events, None).await;
    assert_eq!((report.rows, report.has_more), (1, false));
    assert_eq!(env.event_ids().await, ["a", "b"]);
}
